"""How long a path is: a bandit over a geometric grid of path lengths, one posterior per level.

What is minimised is the steps per fresh success. Short paths with many restarts win high up, where a walk soon drifts
away from what can be reduced; long ones win near the floor. Nobody knows where in between a problem stands, so it is
measured while the run goes on.

Fresh successes of a path length come as a Poisson process in steps, with a rate h q: h says how hard the level is, the
same for all lengths, and q how good the length is. The profile q is carried from the level above as a gamma prior of
few successes; h is estimated from all that was walked at this level. A length is drawn by Thompson sampling: one draw
from each posterior, and the largest is taken (Thompson 1933).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["Paths"]

_SHORTEST = 1_000
_RATIO = 4
_PRIOR_SUCCESSES = 2.0
"""How many successes the level above is worth: enough to begin where it ended, few enough to be overruled."""


class Paths:
    """The bandit.

    Parameters
    ----------
    longest
        No path is longer; the grid goes from 1000 steps up by factors of 4.

    Examples
    --------
    >>> paths = Paths(100_000)
    >>> paths.grid
    (1000, 4000, 16000, 64000)
    >>> paths.tell(4000, fresh=3, steps=20_000)
    >>> paths.cost
    6666.666666666667
    """

    def __init__(self, longest: int) -> None:
        grid = [_SHORTEST]
        while grid[-1] * _RATIO <= longest:
            grid.append(grid[-1] * _RATIO)
        self.grid = tuple(grid)
        self._profile = np.ones(len(grid))
        self._fresh = np.zeros(len(grid))
        self._steps = np.zeros(len(grid))

    @property
    def favourite(self) -> int:
        """The path length with the best mean at this level."""
        shape, rate = self._posterior()
        return self.grid[int(np.argmax(shape / rate))]

    @property
    def cost(self) -> float:
        """Steps per fresh success at this level so far, counting one success to come."""
        return float(self._steps.sum() / max(1.0, self._fresh.sum()))

    def choose(self, generator: np.random.Generator, longest: float) -> int:
        """Draw a path length, none above ``longest`` unless it did best at the level above."""
        shape, rate = self._posterior()
        drawn = generator.gamma(shape) / rate
        allowed = np.array(self.grid) <= max(longest, self.grid[int(np.argmax(self._profile))])
        return self.grid[int(np.argmax(np.where(allowed, drawn, -1.0)))]

    def tell(self, path: int, *, fresh: int, steps: int) -> None:
        """Note steps walked in paths of that length and the fresh finds they gave."""
        arm = self.grid.index(path)
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
        """Take up a checkpoint."""
        self._profile, self._fresh, self._steps = (
            np.array(checkpoint[name], dtype=float) for name in ("profile", "fresh", "steps")
        )

    def _posterior(self) -> tuple[Any, Any]:
        """Shape and rate of the gamma posterior of each length."""
        expected = float(self._profile @ self._steps)
        # Before anything was walked the unit of time is free: all that counts is the profile.
        hardness = (self._fresh.sum() + 1.0) / (expected + 1.0)
        prior = _PRIOR_SUCCESSES / (hardness * self._profile)
        return _PRIOR_SUCCESSES + self._fresh, prior + self._steps
