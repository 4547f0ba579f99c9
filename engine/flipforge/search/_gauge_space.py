"""Spaces whose schemes have freedoms that flips do not see: walks in bursts, and a change of gauge between them."""

from abc import abstractmethod

import numpy as np

from flipforge.search._flip_space import Factors, FlipSpace
from flipforge.search._protocols import Effort, Outcome, Seed

__all__ = ["GaugeSpace"]

_COUNTED = ("flips", "plus", "splits", "rejected", "reductions")
_LARGEST_WORD = 2**64 - 1


class GaugeSpace(FlipSpace):
    """A space of schemes with a gauge: ways to write the same products that give them other factors to share.

    A change of gauge is a step of its own. In between the flip kernel walks at most `burst` steps.
    """

    gauge: str
    burst: int

    @abstractmethod
    def _regauged(self, state: Factors, generator: np.random.Generator) -> Factors:
        """Return the same scheme in a random gauge; products that vanish are left out."""

    @abstractmethod
    def _mobility(self, state: Factors) -> int:
        """Return how many (axis, row) share a factor in some gauge."""

    @property
    def walk_version(self) -> str:
        """Version of the gauge, with that of the kernel's walk."""
        return f"{self.gauge}+{super().walk_version}"

    def walk(self, state: Factors, effort: Effort, seed: Seed) -> Outcome[Factors]:
        """Walk from a state until the goal or the end of the steps, with a change of gauge before each burst."""
        from flipforge.flips import walk

        generator = np.random.Generator(np.random.PCG64(seed.sequence()))
        counts = dict.fromkeys((*_COUNTED, "restarts", "gauges"), 0)
        root, highest = state, state.shape[1] + effort.band
        steps = gone = idle = 0
        record = state.shape[1]
        while state.shape[1] > effort.goal and steps < effort.steps:
            if gone >= effort.path:
                state, gone, idle, record = root, 0, 0, root.shape[1]
                counts["restarts"] += 1
            state = self._regauged(state, generator)
            counts["gauges"] += 1
            left = min(effort.steps - steps, effort.path - gone) - 1
            end = walk(
                state,
                ring=self.ring.name,
                goal=effort.goal,
                steps=min(self.burst, left),
                idle=max(1, effort.idle - idle),
                band=max(0, highest - state.shape[1]),
                seed=generator.integers(1, _LARGEST_WORD, 4, dtype=np.uint64),
            )
            state = end.factors
            steps, gone, idle = (count + end.steps + 1 for count in (steps, gone, idle))
            for name in _COUNTED:
                counts[name] += getattr(end, name)
            if end.plus or end.splits or end.rank < record:
                idle, record = 0, min(record, end.rank)
        settled = self._settled(state)
        return Outcome(settled, settled.shape[1] <= effort.goal, steps, counts, self._mobility(settled))
