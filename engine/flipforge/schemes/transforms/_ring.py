"""A scheme over another ring: the residues of one over the integers or rationals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flipforge.errors import InputError
from flipforge.problems import Problem
from flipforge.rings import Ring
from flipforge.rings import ring as ring_named
from flipforge.schemes._scheme import Scheme

__all__ = ["OVER", "ChangeOfRing"]

OVER = "over"
"""The name of the transform."""


@dataclass(frozen=True)
class ChangeOfRing:
    """A transform: a scheme over one ring gives the scheme of its images in another, without products that vanish.

    Attributes
    ----------
    problem
        Of both schemes.
    source, ring
        The ring of the scheme that is taken, and that of the scheme that is made.
    name
        What the step is called.
    """

    problem: Problem
    source: Ring
    ring: Ring
    name: str = OVER

    @property
    def sources(self) -> tuple[Problem]:
        """Problem of the scheme that `apply` takes."""
        return (self.problem,)

    def rank_bound(self, *ranks: int) -> int:
        """Return the rank that the result has at most from that of its source."""
        return sum(ranks)

    def apply(self, *schemes: Scheme) -> Scheme:
        """Return the scheme over the other ring in canonical form.

        Raises
        ------
        InputError
            It takes one scheme, of this problem over the first ring.
        RingError
            An entry has no image in the other ring, as 1/2 has none modulo 2.

        Examples
        --------
        >>> from flipforge.problems import matmul
        >>> from flipforge.rings import GF2, ZT
        >>> from flipforge.schemes import standard_scheme
        >>> ChangeOfRing(matmul(2, 2, 2), ZT, GF2).apply(standard_scheme(matmul(2, 2, 2), ZT)).rank
        8
        """
        if len(schemes) != 1 or schemes[0].problem != self.problem or schemes[0].ring != self.source:
            given = ", ".join(f"{scheme.problem} over {scheme.ring}" for scheme in schemes)
            raise InputError(f"{self.name}: takes a scheme of {self.problem} over {self.source}, not {given}")
        form = schemes[0].over(self.ring).canonical
        kept = [row for row in zip(form.u, form.v, form.w, strict=True) if any(row[0])]
        u, v, w = (tuple(row[axis] for row in kept) for axis in range(3))
        return Scheme(self.problem, self.ring, u, v, w, {"method": self.name}).canonical

    def arguments(self) -> dict[str, Any]:
        """Return what `read` needs beside the source: the ring it is over, as lifts have it, and the other one."""
        return {"ring": self.source.name, "over": self.ring.name}

    @classmethod
    def read(cls, name: str, arguments: Mapping[str, Any], sources: Sequence[Problem]) -> "ChangeOfRing":
        """Make the transform again from its source."""
        (problem,) = sources
        return cls(problem, ring_named(str(arguments["ring"])), ring_named(str(arguments["over"])), name)
