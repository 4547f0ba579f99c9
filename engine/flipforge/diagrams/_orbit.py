"""Orbits of a permutation group on index tuples, as diagrams: their indicators are disjoint and span all maps."""

from dataclasses import dataclass
from functools import total_ordering
from typing import Any

from flipforge.errors import MalformedError

__all__ = ["OrbitDiagram"]


@total_ordering
@dataclass(frozen=True, slots=True)
class OrbitDiagram:
    """An orbit on tuples of l + k indices below n, those above first; which group it belongs to, the group knows.

    Attributes
    ----------
    representative
        The least tuple of the orbit.

    Examples
    --------
    >>> OrbitDiagram(1, 1, 5, (0, 2)).as_dict()["representative"]
    [0, 2]
    """

    k: int
    l: int
    n: int
    representative: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.representative) != self.k + self.l or not all(0 <= x < self.n for x in self.representative):
            raise MalformedError(f"{self.representative} is no tuple of {self.l} + {self.k} indices below {self.n}")

    def __lt__(self, other: "OrbitDiagram") -> bool:
        return (self.k, self.l, self.n, self.representative) < (other.k, other.l, other.n, other.representative)

    def as_dict(self) -> dict[str, Any]:
        """Return the diagram as a JSON object."""
        return {"kind": "orbit", "k": self.k, "l": self.l, "n": self.n, "representative": list(self.representative)}
