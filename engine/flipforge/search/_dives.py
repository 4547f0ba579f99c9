"""Dives: one member each, that walks from the root as deep as it comes, each find the start of the next.

A dive is cheap and goes on long paths. A pool on those paths that cost least per find comes down close to where it
began, and ends in the same few places; a dive drifts far at every rank and ends somewhere else each time. So a run
begins with dives and goes on making them beside its pools, as long as they do no worse. A dive that has found nothing
for too long is given up, and the next begins at the root.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flipforge.search._pool import Member

__all__ = ["Dive", "Dives"]

_PART = 4
"""What part of the steps of all dives, shared among the open ones, a dive may spend without a find."""


@dataclass(frozen=True)
class Dive:
    """Where a dive began, how deep it is, and the steps since it came there."""

    root: int
    rank: int
    member: Member
    stall: int = 0


class Dives:
    """The dives of a run.

    Parameters
    ----------
    patience
        Steps that a dive may spend without a find, at the least.

    Attributes
    ----------
    spent
        Steps of all dives.
    lowest
        The lowest rank a dive came to; None before anything was walked.
    failed
        Whether a dive was given up where it began.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._open: list[Dive] = []
        self._flying: dict[int, Dive] = {}
        self.spent = 0
        self.lowest: int | None = None
        self.failed = False

    @property
    def open(self) -> Sequence[Dive]:
        """All dives that are not given up."""
        return (*self._open, *self._flying.values())

    def holds(self, state: bytes) -> bool:
        """Tell whether a dive stands at a state."""
        return any(dive.member.state == state for dive in self.open)

    def launch(self, number: int, starts: Sequence[tuple[int, Member]], generator: np.random.Generator) -> Dive:
        """Return the dive that chunk ``number`` goes on with: the one that waits longest, or else a new one."""
        if self._open:
            dive = self._open.pop(0)
        else:
            rank, member = starts[int(generator.integers(len(starts)))]
            dive = Dive(rank, rank, member)
        self._flying[number] = dive
        return dive

    def flying(self, number: int) -> bool:
        """Tell whether a chunk that is under way belongs to a dive."""
        return number in self._flying

    def land(self, number: int, found: tuple[int, Member] | None, steps: int) -> None:
        """Note what came of a chunk: the rank and member it found, if any, and the steps it took."""
        dive = self._flying.pop(number)
        self.spent += steps
        dive = replace(dive, stall=dive.stall + steps) if found is None else Dive(dive.root, *found)
        self.lowest = dive.rank if self.lowest is None else min(self.lowest, dive.rank)
        share = self.spent / (_PART * (len(self.open) + 1))
        if dive.stall < max(self._patience, share):
            self._open.append(dive)
        elif dive.rank == dive.root:
            self.failed = True

    def checkpoint(self, names: Mapping[bytes, str]) -> dict[str, Any]:
        """Return what `restore` needs as JSON values; what is under way waits again then."""
        return {
            "spent": self.spent,
            "lowest": self.lowest,
            "failed": self.failed,
            "open": [[dive.root, dive.rank, dive.member.written(names), dive.stall] for dive in self.open],
        }

    def restore(self, checkpoint: Mapping[str, Any], states: Mapping[str, bytes]) -> None:
        """Take up a checkpoint; ``states`` gives each ID's state."""
        for name in ("spent", "lowest", "failed"):
            setattr(self, name, checkpoint[name])
        self._open = [
            Dive(root, rank, Member.read(member, states), stall) for root, rank, member, stall in checkpoint["open"]
        ]
