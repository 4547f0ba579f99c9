"""Second objectives: which of several schemes of one rank is better.

An objective is a pure function of a state with a name; it runs in workers, so it and what it holds must pickle.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from flipforge.errors import InputError
from flipforge.rings import Q, Ring
from flipforge.rings import ring as ring_named
from flipforge.schemes import Scheme, recursive_calls
from flipforge.search._protocols import Effort, Lifter, Seed, Space

__all__ = ["LIFTABLE", "OBJECTIVES", "Additions", "Calls", "FreeFlips", "Liftable", "Objective", "objective"]


class Objective(Protocol):
    """Judges a state; smaller is better.

    A ``required`` one judges nothing but yes (0) or no (above 0), and a run reaches its target with a yes only.
    """

    @property
    def required(self) -> bool:
        """Whether a target counts only where the value is 0."""

    def value(self, space: Space[Any], state: Any) -> float:
        """Return the value of a state."""


@dataclass(frozen=True)
class Additions:
    """Nonzero coefficients. At equal rank they differ from the additions as written by a constant."""

    required: bool = False

    def value(self, space: Space[Any], state: Any) -> float:
        """Return the last entry of the space's score."""
        return float(space.score(state)[-1])


@dataclass(frozen=True)
class FreeFlips:
    """How few (axis, row) have a flip: more of them leave more ways to go on."""

    required: bool = False

    def value(self, space: Space[Any], state: Any) -> float:
        """Return minus the number of (axis, row) with a flip."""
        return -float(partnered(space, state))


@dataclass(frozen=True)
class Calls:
    """Recursive calls of a structured scheme, counted over all kinds (`flipforge.schemes.recursive_calls`).

    More of them are better, unless ``few``. A problem without such calls has none: there nothing is better.
    """

    few: bool = False
    required: bool = False

    def value(self, space: Space[Any], state: Any) -> float:
        """Return the number of calls where few are wanted, else minus that."""
        calls = recursive_calls(_scheme(space, state))
        count = 0 if calls is None else calls.a + calls.b + calls.c
        return float(count if self.few else -count)


@dataclass(frozen=True)
class Liftable:
    """Whether a scheme lifts to a ring of characteristic 0, or to one inside it."""

    lifter: Lifter
    to: Ring = Q
    required: bool = True

    def value(self, space: Space[Any], state: Any) -> float:
        """Return 0 where the lifter lifts the scheme, 1 elsewhere."""
        return 0.0 if self.lifter.liftable(_scheme(space, state), self.to) else 1.0


def _scheme(space: Space[Any], state: Any) -> Scheme:
    scheme = space.scheme(state)
    if not isinstance(scheme, Scheme):
        raise InputError(f"{space.problem}: this objective is one of schemes; leave it out")
    return scheme


LIFTABLE = "liftable"
"""The objective that needs a lifter; with a colon and a ring after it, a lift over that ring is wanted."""

OBJECTIVES: dict[str, Callable[[], Objective]] = {
    "additions": Additions,
    "calls": Calls,
    "few-calls": lambda: Calls(few=True),
    "flips": FreeFlips,
}
"""Factories of the others by name."""


def objective(name: str, lifter: Lifter | None = None) -> Objective:
    """Return the objective of that name.

    Raises
    ------
    InputError
        There is none, it needs a lifter and is given none, or the ring to lift to is not of characteristic 0.
    """
    if name in OBJECTIVES:
        return OBJECTIVES[name]()
    kind, _, ring = name.partition(":")
    if kind != LIFTABLE:
        raise InputError(f"unknown objective {name!r}: use one of {', '.join([*OBJECTIVES, LIFTABLE])}")
    to = ring_named(ring) if ring else Q
    if to.characteristic:
        raise InputError(f"{to} is not of characteristic 0: ask for lifts to ZT, Z, Z[1/2] or Q")
    if lifter is None:
        raise InputError("objective liftable: no lifter is installed; flipforge plugins lists what is")
    return Liftable(lifter, to)


def partnered(space: Space[Any], state: Any) -> int:
    """Return how many (axis, row) of a state have a flip, as a walk of no steps counts them."""
    return space.walk(state, Effort(steps=0, path=1, goal=0, idle=1, band=0), Seed(0)).mobility
