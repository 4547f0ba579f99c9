"""Free quantum groups: the planar diagrams of the easy groups.

The maps that commute with a free quantum group are by definition the span of planar diagrams (Banica, Speicher,
"Liberation of orthogonal Lie groups", 2009). Planar diagrams are independent for n >= 4, pairs for n >= 2, and pairs
and single points for n >= 3. Below that the quantum group is the classical group (Wang, 1998), but for H_2 and H_3, and
a basis is found by eliminating in the Gram matrix modulo a prime. For H_2 the dimensions are those of O(2), of which it
is a twist; for H_3 they are ranks of Gram matrices, and certificates compare them with moments of the character.
"""

from collections.abc import Iterator
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.certificates import MAX_GRAM, Certificate
from flipforge.diagrams import Blocks, Diagram, PartitionDiagram, SparseMatrix, check_listable, check_shape, compose
from flipforge.errors import InputError
from flipforge.exact import factor
from flipforge_equivariant._family import PartitionGroup
from flipforge_equivariant._proofs import CHECKER, rule_certificate, statement
from flipforge_equivariant._sizes import read_size
from flipforge_equivariant.easy import (
    BistochasticGroup,
    DoubledBistochasticGroup,
    DoubledSymmetricGroup,
    HyperoctahedralGroup,
)
from flipforge_equivariant.orthogonal import OrthogonalGroup, orthogonal_dimension
from flipforge_equivariant.symmetric import SymmetricGroup

__all__ = [
    "PlanarGroup",
    "planar_bistochastic",
    "planar_doubled_bistochastic",
    "planar_doubled_symmetric",
    "planar_hyperoctahedral",
    "planar_orthogonal",
    "planar_symmetric",
]

_PRIME = 2**31 - 1
_MOST_PRODUCTS = 1_500


class PlanarGroup:
    """The free version of an easy group.

    Parameters
    ----------
    classical
        The group whose planar diagrams are taken.
    independent
        From which n on these are independent.

    Examples
    --------
    >>> planar_symmetric("5").dimension(3, 2), planar_symmetric("3").dimension(3, 2)
    (42, 41)
    """

    def __init__(self, classical: PartitionGroup, independent: int) -> None:
        self.classical = classical
        self.n = classical.n
        self.name = f"{classical.letter}+:{classical.n}"
        self.calculus = classical.calculus
        self.independent = classical.n >= independent
        self._eliminated: dict[tuple[int, int], tuple[int, ...]] = {}

    def __repr__(self) -> str:
        return f"PlanarGroup({self.classical!r})"

    def contains(self, diagram: Diagram) -> bool:
        """Tell whether a diagram is a planar one of the classical group."""
        return isinstance(diagram, PartitionDiagram) and diagram.is_planar and self.classical.contains(diagram)

    def diagrams(self, k: int, l: int) -> Iterator[PartitionDiagram]:
        """Yield the planar diagrams, by their labels."""
        return _grown(k, l, self.classical.blocks, [], []) if self.classical.count(k, l) else iter(())

    def count(self, k: int, l: int) -> int:
        """Return the number of planar diagrams."""
        check_shape(k, l)
        points = k + l
        if not self.classical.count(k, l):
            return 0
        match self.classical:
            case OrthogonalGroup():
                return _catalan(points // 2)
            case HyperoctahedralGroup():
                return comb(3 * points // 2, points // 2) // (points + 1)
            case BistochasticGroup() | DoubledBistochasticGroup():
                return sum(comb(points, 2 * i) * _catalan(i) for i in range(points // 2 + 1))
            case _:
                return _catalan(points)

    def dimension(self, k: int, l: int) -> int:
        """Return the number of planar diagrams, or the dimension of the classical group where that is the same.

        Raises
        ------
        InputError
            For H_3, where the diagrams are too many for their Gram matrix.
        """
        check_shape(k, l)
        if self.independent:
            return self.count(k, l)
        if isinstance(self.classical, HyperoctahedralGroup) and self.n > 1:
            return orthogonal_dimension(2, k + l) if self.n == 2 else len(self._pivots(k, l))
        return self.classical.dimension(k, l)

    def _pivots(self, k: int, l: int) -> tuple[int, ...]:
        """Return the places of the first independent diagrams, by their Gram matrix modulo the prime."""
        if (k, l) not in self._eliminated:
            count = self.count(k, l)
            if count > _MOST_PRODUCTS:
                raise InputError(
                    f"{self.name}, k = {k}, l = {l}: {count} diagrams are too many for a Gram matrix, which is made of "
                    f"up to {_MOST_PRODUCTS}; ask for a smaller k + l"
                )
            found = tuple(self.diagrams(k, l))
            gram = np.array([[_scalar_product(a, b, self.n) for b in found] for a in found], dtype=np.int64).reshape(
                count, count
            )
            self._eliminated[k, l] = tuple(int(place) for place in factor(gram, _PRIME).columns)
        return self._eliminated[k, l]

    def basis(self, k: int, l: int) -> tuple[PartitionDiagram, ...]:
        """Return all planar diagrams, or the first independent ones where n is small."""
        dimension = self.dimension(k, l)
        check_listable(self.count(k, l), f"{self.name}, k = {k}, l = {l}")
        found = tuple(self.diagrams(k, l))
        if len(found) == dimension:
            return found
        return tuple(found[place] for place in self._pivots(k, l))

    def matrix(self, diagram: Diagram) -> SparseMatrix:
        """Return the matrix of a planar diagram."""
        if not self.contains(diagram):
            raise InputError(f"{diagram} is no planar diagram of {self.name}")
        return self.classical.matrix(diagram)

    def document(self, diagram: Diagram) -> dict[str, Any]:
        """Return a diagram as a JSON object."""
        return self.classical.document(diagram)

    def element(self, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return a random element of the classical group, which lies in its free version."""
        return self.classical.element(rng)

    def certificate(self, k: int, l: int) -> Certificate:
        """Return a certificate: the Gram determinant modulo a prime up to rank 200, the rule beyond.

        Raises
        ------
        InputError
            n is small and there are more than 200 diagrams in the basis.
        """
        dimension = self.dimension(k, l)
        if dimension > MAX_GRAM:
            if not self.independent:
                raise InputError(
                    f"{self.name}, k = {k}, l = {l}: {dimension} diagrams; Gram determinants are computed up to "
                    f"{MAX_GRAM}, and no rule holds for so small an n"
                )
            return rule_certificate(self.name, k, l, dimension)
        basis = [self.document(diagram) for diagram in self.basis(k, l)]
        stated = {**statement(self.name, k, l, dimension), "basis": basis}
        return Certificate("equivariant-basis", stated, {"method": "gram", "prime": _PRIME}, CHECKER)


def _scalar_product(a: PartitionDiagram, b: PartitionDiagram, n: int) -> int:
    """Return the trace of A^T B modulo the prime: n to the number of blocks of the join."""
    points = a.k + a.l
    _, joined = compose(PartitionDiagram(points, 0, a.labels), PartitionDiagram(0, points, b.labels))
    return pow(n, joined, _PRIME)


def _catalan(points: int) -> int:
    return comb(2 * points, points) // (points + 1)


def _grown(k: int, l: int, blocks: Blocks, labels: list[int], sizes: list[int]) -> Iterator[PartitionDiagram]:
    """Yield the planar diagrams of a family that begin with some labels."""
    place, points = len(labels), k + l
    if place == points:
        yield PartitionDiagram(k, l, tuple(labels))
        return
    for choice in range(len(sizes) + 1):
        grown = [*sizes, 0] if choice == len(sizes) else list(sizes)
        grown[choice] += 1
        if blocks.largest is not None and grown[choice] > blocks.largest:
            continue
        if blocks.odd is not None and sum(size % 2 for size in grown) > points - place - 1:
            continue
        if _fits(k, l, labels, choice):
            yield from _grown(k, l, blocks, [*labels, choice], grown)


def _fits(k: int, l: int, labels: list[int], choice: int) -> bool:
    """Tell whether the next point can join a block without crossing another that is there."""
    here = _around(k, l, len(labels))
    own = sorted(_around(k, l, point) for point, label in enumerate(labels) if label == choice)
    # The point splits the circle between its neighbours in the block; no other block may be on both sides.
    below = max((x for x in own if x < here), default=None)
    above = min((x for x in own if x > here), default=None)
    for other in set(labels) - {choice}:
        others = [_around(k, l, point) for point, label in enumerate(labels) if label == other]
        for end in (below, above):
            if end is not None:
                inside = [min(end, here) < x < max(end, here) for x in others]
                if any(inside) and not all(inside):
                    return False
    return True


def _around(k: int, l: int, point: int) -> int:
    """Return the place of a point on the circle: the points above from the left, then those below from the right."""
    return point if point < l else 2 * l + k - 1 - point


def planar_symmetric(body: str) -> PlanarGroup:
    """Make S_n^+ from the text after ``S+:``."""
    return PlanarGroup(SymmetricGroup(read_size("S+", body)), 4)


def planar_orthogonal(body: str) -> PlanarGroup:
    """Make O_n^+ from the text after ``O+:``."""
    return PlanarGroup(OrthogonalGroup(read_size("O+", body)), 2)


def planar_hyperoctahedral(body: str) -> PlanarGroup:
    """Make H_n^+ from the text after ``H+:``."""
    return PlanarGroup(HyperoctahedralGroup(read_size("H+", body)), 4)


def planar_bistochastic(body: str) -> PlanarGroup:
    """Make B_n^+ from the text after ``B+:``."""
    return PlanarGroup(BistochasticGroup(read_size("B+", body)), 3)


def planar_doubled_symmetric(body: str) -> PlanarGroup:
    """Make the free version of S_n x Z_2 from the text after ``SxZ2+:``."""
    return PlanarGroup(DoubledSymmetricGroup(read_size("SxZ2+", body)), 4)


def planar_doubled_bistochastic(body: str) -> PlanarGroup:
    """Make the free version of B_n x Z_2 from the text after ``BxZ2+:``."""
    return PlanarGroup(DoubledBistochasticGroup(read_size("BxZ2+", body)), 3)
