"""How long a path is, and whether it makes plus transitions: a bandit over both, one posterior per level.

What is minimised is the steps per fresh success. Short paths of flips alone win high up, where a walk soon drifts away
from what can be reduced and a plus transition more so; long ones, or short ones with many plus transitions, win near
the floor. Nobody knows where in between a problem stands, so it is measured while the run goes on.

Fresh successes of a course come as a Poisson process in steps, with a rate h q: h says how hard the level is, the same
for all courses, and q how good the course is. The profile q is carried from the level above as a gamma prior of few
successes; h is estimated from all that was walked at this level. A course is drawn by Thompson sampling: one draw from
each posterior, and the largest is taken (Thompson 1933).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Course", "Idles", "Paths"]

Floats = npt.NDArray[np.float64]

_SHORTEST = 1_000
_RATIO = 4
_FLIPS_ALONE = 1_024_000
"""Paths up to this length are also walked without plus transitions."""
_IDLE_PART = 40
"""A plus transition is due after a path's length divided by this: 50 000 flips in two million, as peers have it."""
_LEAST_IDLE = 100
"""Paths on which one would be due sooner are walked without."""
_PRIOR_SUCCESSES = 2.0
"""How many successes the level above is worth: enough to begin where it ended, few enough to be overruled."""

_LEAST_PROFILE = 1 / 16
"""No number of idle steps is held to be so much worse than another because it was at the ranks above."""


@dataclass(frozen=True)
class Course:
    """How a walk goes: the steps of one path, and those without progress after which a plus transition is due.

    ``idle`` is that of the whole path where flips alone are made.
    """

    path: int
    idle: int


class Paths:
    """The bandit.

    Parameters
    ----------
    longest
        No path is longer; the lengths go from 1000 steps up by factors of 4.

    Examples
    --------
    >>> paths = Paths(10_000)
    >>> paths.grid
    (Course(path=1000, idle=1000), Course(path=4000, idle=4000), Course(path=4000, idle=100))
    >>> paths.tell(paths.grid[1], fresh=3, steps=20_000)
    >>> paths.cost
    6666.666666666667
    """

    def __init__(self, longest: int) -> None:
        grid: list[Course] = []
        path = _SHORTEST
        while path <= max(longest, _SHORTEST):
            if path <= _FLIPS_ALONE:
                grid.append(Course(path, path))
            if path // _IDLE_PART >= _LEAST_IDLE:
                grid.append(Course(path, path // _IDLE_PART))
            path *= _RATIO
        self.grid = tuple(grid)
        self._lengths = np.array([course.path for course in grid])
        self._profile = np.ones(len(grid))
        self._fresh = np.zeros(len(grid))
        self._steps = np.zeros(len(grid))

    @property
    def favourite(self) -> Course:
        """The course with the best mean at this level."""
        shape, rate = self._posterior()
        return self.grid[int(np.argmax(shape / rate))]

    @property
    def cost(self) -> float:
        """Steps per fresh success at this level so far, counting one success to come."""
        return float(self._steps.sum() / max(1.0, self._fresh.sum()))

    def choose(self, generator: np.random.Generator, longest: float) -> Course:
        """Draw a course, its path no longer than ``longest`` or than that which did best at the level above."""
        shape, rate = self._posterior()
        drawn = generator.gamma(shape) / rate
        allowed = self._lengths <= max(longest, self._lengths[int(np.argmax(self._profile))])
        return self.grid[int(np.argmax(np.where(allowed, drawn, -1.0)))]

    def no_longer(self, course: Course, path: int) -> Course:
        """Return the course, or where its path is longer than ``path`` the last that is not."""
        allowed = [other for other in self.grid if other.path <= path]
        return course if course in allowed else allowed[-1]

    def tell(self, course: Course, *, fresh: int, steps: int) -> None:
        """Note steps walked on a course and the fresh finds they gave."""
        arm = self.grid.index(course)
        self._fresh[arm] += fresh
        self._steps[arm] += steps

    def descend(self) -> None:
        """Begin at another level with what was learned at this one."""
        shape, rate = self._posterior()
        profile = shape / rate
        self._profile = profile / profile.max()
        self._fresh[:] = 0
        self._steps[:] = 0

    def checkpoint(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        return {"profile": self._profile.tolist(), "fresh": self._fresh.tolist(), "steps": self._steps.tolist()}

    def restore(self, checkpoint: Mapping[str, Any]) -> None:
        """Take up a checkpoint; one of an earlier version with other courses tells nothing about these."""
        if len(checkpoint["profile"]) == len(self.grid):
            self._profile, self._fresh, self._steps = (
                np.array(checkpoint[name], dtype=float) for name in ("profile", "fresh", "steps")
            )

    def _posterior(self) -> tuple[Floats, Floats]:
        return _posterior(self._profile, self._fresh, self._steps)


class Idles:
    """The bandit of dives: after how many steps without a find one makes a plus transition.

    Dives come by the same ranks again and again, so what was learned is kept for each rank, and each begins with what
    is known by now of all above it.

    Parameters
    ----------
    idles
        Numbers of steps to choose from.

    Examples
    --------
    >>> idles = Idles([10, 1_000])
    >>> for _ in range(9):
    ...     idles.tell(8, 10, found=True, steps=1)
    ...     idles.tell(8, 1_000, found=False, steps=1_000_000)
    >>> idles.choose(7, np.random.default_rng(0))
    10
    """

    def __init__(self, idles: Sequence[int]) -> None:
        self._idles = tuple(idles)
        self._told: dict[int, Floats] = {}

    def choose(self, rank: int, generator: np.random.Generator) -> int:
        """Draw one for the next chunk of a dive at a rank."""
        profile = np.ones(len(self._idles))
        for above in sorted((other for other in self._told if other > rank), reverse=True):
            shape, rate = _posterior(profile, *self._told[above])
            profile = shape / rate
            profile = np.maximum(profile / profile.max(), _LEAST_PROFILE)
        shape, rate = _posterior(profile, *self._told.get(rank, np.zeros((2, len(self._idles)))))
        return self._idles[int(np.argmax(generator.gamma(shape) / rate))]

    def tell(self, rank: int, idle: int, *, found: bool, steps: int) -> None:
        """Note what came of a chunk."""
        told = self._told.setdefault(rank, np.zeros((2, len(self._idles))))
        told[:, self._idles.index(idle)] += found, steps

    def checkpoint(self) -> list[Any]:
        """Return the state as JSON values."""
        return [[rank, told.tolist()] for rank, told in self._told.items()]

    def restore(self, checkpoint: Sequence[Any]) -> None:
        """Take up a checkpoint."""
        self._told = {rank: np.array(told, dtype=float) for rank, told in checkpoint}


def _posterior(profile: Floats, fresh: Floats, steps: Floats) -> tuple[Floats, Floats]:
    """Return shape and rate of the gamma posterior of each course."""
    # Before anything was walked the unit of time is free: all that counts is the profile.
    hardness = (fresh.sum() + 1.0) / (float(profile @ steps) + 1.0)
    prior = _PRIOR_SUCCESSES / (hardness * profile)
    return _PRIOR_SUCCESSES + fresh, prior + steps
