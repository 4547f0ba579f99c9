"""The value that names a bilinear problem."""

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
    """

    name: str
    kind: str = field(compare=False)
    shape: tuple[int, int, int] = field(compare=False)
    dims: tuple[int, ...] = field(compare=False)
    entries: tuple[tuple[Index, int], ...] = field(compare=False, repr=False)
    labels: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]] = field(compare=False, repr=False)

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

    def standard(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """Return u, v, w of the standard algorithm: one product for each nonzero coefficient."""
        columns = zip(*((i, j, (k, t)) for (i, j, k), t in self.entries), strict=True)
        u, v, w = (tuple(column) for column in columns)
        return (
            tuple(_unit(self.shape[0], i) for i in u),
            tuple(_unit(self.shape[1], j) for j in v),
            tuple(_unit(self.shape[2], k, t) for k, t in w),
        )


def _unit(size: int, position: int, value: int = 1) -> tuple[int, ...]:
    return (0,) * position + (value,) + (0,) * (size - position - 1)
