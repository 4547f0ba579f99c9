"""The tensor product: a matrix of blocks times a matrix of blocks, each product of blocks made by a second scheme."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flipforge.errors import InputError
from flipforge.problems import Problem, ProductCode, Structure, matmul, matrix_cells, structured
from flipforge.rings import Element, Q
from flipforge.schemes._scheme import Row, Scheme
from flipforge.schemes.transforms._moves import corner_of, permute
from flipforge.schemes.transforms._placement import AS_GIVEN, AXES, Order, Placement, common_characteristic
from flipforge.schemes.transforms._reduce import reduced

__all__ = ["Kronecker"]


@dataclass(frozen=True)
class Kronecker:
    """A transform: a scheme for the blocks and one for their entries give a scheme for the whole.

    Ranks and formats multiply. The entries are those of a matrix product; blocks may be structured, and where they are,
    square: ``ug`` with blocks of 2 x 2 gives ``u.2gg``.

    Attributes
    ----------
    outer, inner
        What is computed of the blocks, and inside them.
    orders
        In which order the sizes of either are taken; see `permute`.

    Raises
    ------
    InputError
        There is no problem for the product of the two.

    Examples
    --------
    >>> Kronecker(matmul(2, 2, 2), matmul(2, 2, 3)).problem.name
    'matmul:4x4x6'
    """

    outer: Problem
    inner: Problem
    orders: tuple[Order, Order] = (AS_GIVEN, AS_GIVEN)
    name: str = "tensor"

    def __post_init__(self) -> None:
        self.problem  # noqa: B018 - a product that does not exist is told at once

    @cached_property
    def _turned(self) -> tuple[Placement, Placement]:
        first, second = (permute(problem, order) for problem, order in zip(self.sources, self.orders, strict=True))
        return first, second

    @cached_property
    def problem(self) -> Problem:
        """The target."""
        outer, inner = (turned.problem for turned in self._turned)
        code = ProductCode.of(outer)
        n, m, p = (a * b for a, b in zip(outer.dims, inner.dims, strict=True))
        if inner.kind != "matmul":
            raise InputError(
                f"tensor: {self.outer} with {inner}: the second must be a matmul problem, the first too or structured"
            )
        if code is None:
            return matmul(n, m, p)
        left, right, sizes = code.left, code.right, set(inner.dims)
        if left is None or right is None or corner_of(self.outer) or left.inner or right.inner or len(sizes) > 1:
            raise InputError(
                f"tensor: {self.outer} with {inner}: blocks of structured operands are square, and neither blocks "
                "again, nor in a product by the own transpose, nor in one with a corner left out"
            )
        blocks = (_blocked(structure, *sizes) for structure in (left, right))
        return structured("".join(map(str, blocks)), n, m, p)

    @property
    def sources(self) -> tuple[Problem, Problem]:
        """Problems of the schemes that `apply` takes, in order."""
        return self.outer, self.inner

    def rank_bound(self, *ranks: int) -> int:
        """Return the rank that the result has at most from the ranks of its sources."""
        first, second = ranks
        return first * second

    def apply(self, *schemes: Scheme) -> Scheme:
        """Return the scheme of the target in canonical form.

        Raises
        ------
        InputError
            The schemes are not of the two problems, or not of one characteristic.
        """
        p = common_characteristic(self.name, self.sources, schemes)
        first, second = (turned.apply(scheme) for turned, scheme in zip(self._turned, schemes, strict=True))
        maps = self._maps()
        products = [
            tuple(_product(x, y, along) for x, y, along in zip(a, b, maps, strict=True))
            for a in zip(first.u, first.v, first.w, strict=True)
            for b in zip(second.u, second.v, second.w, strict=True)
        ]
        ring = first.ring if p else Q
        return Scheme(self.problem, ring, *reduced(products, p), {"method": self.name}).canonical

    def arguments(self) -> dict[str, Any]:
        """Return what `read` needs beside the sources."""
        return {"orders": [list(order) for order in self.orders]}

    @classmethod
    def read(cls, name: str, arguments: Mapping[str, Any], sources: Sequence[Problem]) -> "Kronecker":
        """Make the transform again from its sources."""
        outer, inner = sources
        (a, b, c), (d, e, f) = arguments["orders"]
        return cls(outer, inner, ((a, b, c), (d, e, f)), name)

    def _maps(self) -> list[list[tuple[int, int, int]]]:
        """Return for each axis and each coordinate of the target those of outer and inner, and the sign."""
        result = []
        first, second = (turned.problem for turned in self._turned)
        cells = zip(AXES, matrix_cells(self.problem), matrix_cells(first), matrix_cells(second), strict=True)
        for (x, y), whole, outer, inner in cells:
            high, wide = second.dims[x], second.dims[y]
            found: dict[int, tuple[int, int, int]] = {}
            for (i, j), (coordinate, _) in whole.items():
                if coordinate not in found and (block := outer.get((i // high, j // wide))):
                    entry = inner[i % high, j % wide]
                    found[coordinate] = (block[0], entry[0], block[1])
            result.append([found[coordinate] for coordinate in sorted(found)])
        return result


def _blocked(structure: Structure, size: int) -> Structure:
    if size == 1 or str(structure) == "g":
        return structure
    return Structure(structure.letter, structure.band, size, Structure("g"))


def _product(outer: Row, inner: Row, along: list[tuple[int, int, int]]) -> Row:
    return tuple(_times(outer[i], inner[j], sign) for i, j, sign in along)


def _times(x: Element, y: Element, sign: int) -> Element:
    return x * y * sign if x and y else 0
