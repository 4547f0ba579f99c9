"""The value that names a problem."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from flipforge.errors import ProblemError

__all__ = ["Index", "Problem"]

Index = tuple[int, int, int]


@dataclass(frozen=True)
class Problem:
    """A bilinear map as an exact sparse integer tensor T = sum t_ijk e_i (x) e_j (x) e_k.

    Attributes
    ----------
    name
        The canonical problem string; two problems are equal iff their names are.
    kind
        The part of the name before the first colon.
    shape
        Number of coordinates of the left operand, the right operand and the output.
    dims
        What the name states, e.g. ``(n, m, p)`` of a matrix product; the shape for a tensor.
    entries
        The nonzero ``((i, j, k), t_ijk)``, sorted.
    labels
        For each axis the printed names of its coordinates.
    inner
        The bilinear problem that a commutative or approximate one is a variant of; None for a bilinear problem.
    order
        The h of an approximate problem, whose schemes give eps^h T modulo eps^(h+1); 0 for an exact one.
    """

    name: str
    kind: str = field(compare=False)
    shape: tuple[int, int, int] = field(compare=False)
    dims: tuple[int, ...] = field(compare=False)
    entries: tuple[tuple[Index, int], ...] = field(compare=False, repr=False)
    labels: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]] = field(compare=False, repr=False)
    inner: "Problem | None" = field(default=None, compare=False, repr=False)
    order: int = field(default=0, compare=False, repr=False)

    def __post_init__(self) -> None:
        for index, value in self.entries:
            if not value or not all(0 <= i < size for i, size in zip(index, self.shape, strict=True)):
                raise ProblemError(f"{self.name}: entry {index} = {value} is zero or outside the shape {self.shape}")

    def __str__(self) -> str:
        return self.name

    def __getstate__(self) -> dict[str, object]:
        # A read-only mapping does not pickle; it is made again where it is asked for.
        return {key: value for key, value in self.__dict__.items() if key != "tensor"}

    @cached_property
    def tensor(self) -> Mapping[Index, int]:
        """The nonzero coefficients as a read-only mapping."""
        return MappingProxyType(dict(self.entries))

    @property
    def bilinear(self) -> "Problem":
        """The exact bilinear problem behind this one, or this one itself."""
        return self.inner or self

    @property
    def commutes(self) -> bool:
        """Whether the entries of the operands commute, so that both factors of a product may mix all of them."""
        return self.inner is not None and not self.order

    @property
    def proof(self) -> str:
        """The kind of certificate that proves a scheme: brent, commutative or border."""
        return "border" if self.order else "commutative" if self.commutes else "brent"

    @property
    def widths(self) -> tuple[int, int, int]:
        """Ring elements of a factor on each axis: one for each coordinate, order + 1 where they are polynomials."""
        u, v, w = (size * (self.order + 1) for size in self.shape)
        return u, v, w

    def standard(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """Return u, v, w of the standard algorithm: one product for each nonzero coefficient.

        Rows are flat: the coefficients of a polynomial, lowest degree first, stand side by side. eps^h stands in w.
        """
        columns = zip(*((i, j, (k, t)) for (i, j, k), t in self.entries), strict=True)
        u, v, w = (tuple(column) for column in columns)
        step, widths = self.order + 1, self.widths
        return (
            tuple(_unit(widths[0], i * step) for i in u),
            tuple(_unit(widths[1], j * step) for j in v),
            tuple(_unit(widths[2], k * step + self.order, t) for k, t in w),
        )


def _unit(size: int, position: int, value: int = 1) -> tuple[int, ...]:
    return (0,) * position + (value,) + (0,) * (size - position - 1)
