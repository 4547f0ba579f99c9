"""How a run spends its steps: the presets, the pools by rank, and the rule that moves between levels.

The strategy is that of a pool per rank (Arai, Ichikawa and Hukushima 2023; Khoruzhii, Gelss and Pokutta 2025):
members of rank r walk until they drop to a lower rank; when the pool below is full the run goes down a level. A level
without success in ``patience`` steps sends the run back up, where it gathers fresh members and comes down again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flipforge.errors import InputError
from flipforge.search._chunk import Chunk
from flipforge.search._protocols import Effort

__all__ = ["PRESETS", "Ladder", "Schedule", "preset"]


@dataclass(frozen=True)
class Schedule:
    """Parameters of a run.

    Attributes
    ----------
    pool
        Members kept per rank, and finds wanted before going down a level.
    path
        Steps of one walk.
    idle
        Steps without a new record before a plus transition.
    band
        How many ranks above its start a walk may climb.
    chunk
        Steps of one task of a worker.
    patience
        Steps at a level after which it is left: downwards with at least one find, upwards without.
    parents
        Pool members that a chunk starts from.
    seconds
        Time budget where the user gives none.
    """

    pool: int
    path: int
    idle: int
    band: int
    chunk: int
    patience: int
    parents: int
    seconds: float


_STANDARD = Schedule(
    pool=50, path=2_000_000, idle=50_000, band=2, chunk=8_000_000, patience=400_000_000, parents=8, seconds=600.0
)
PRESETS: dict[str, Schedule] = {
    "quick": replace(_STANDARD, pool=16, path=1_000_000, chunk=4_000_000, patience=100_000_000, seconds=60.0),
    "standard": _STANDARD,
    "deep": replace(_STANDARD, pool=200, path=10_000_000, chunk=20_000_000, patience=4_000_000_000, seconds=7200.0),
}


def preset(name: str) -> Schedule:
    """Return the schedule of that name, or raise `InputError`."""
    if name not in PRESETS:
        raise InputError(f"unknown preset {name!r}: use one of {', '.join(PRESETS)}")
    return PRESETS[name]


_KEEP_ABOVE = 4
_HIGHEST_CLIMB = 3


class Ladder:
    """Pools by rank and the level the run works at.

    Parameters
    ----------
    schedule
        The run's parameters.
    root
        Root of all seeds.
    """

    def __init__(self, schedule: Schedule, root: int) -> None:
        self._schedule = schedule
        self._root = root
        self._pools: dict[int, list[bytes]] = {}
        self._draws = 0
        self.level = 0
        self.fresh = 0
        self.spent = 0
        self.stalls = 0

    def seed(self, states: Sequence[tuple[int, bytes]]) -> None:
        """Put the first states in, each with its rank, and begin at the lowest."""
        for rank, state in states:
            self.admit(rank, state)
        self._enter(min(self._pools))

    def holds(self, rank: int, state: bytes) -> bool:
        """Tell whether a state is in the pool of its rank."""
        return state in self._pools.get(rank, ())

    def admit(self, rank: int, state: bytes) -> None:
        """Put a state in the pool of its rank, in place of a random member where that is full."""
        members = self._pools.setdefault(rank, [])
        if len(members) < self._schedule.pool:
            members.append(state)
        else:
            self._draws += 1
            members[int(self._generator(self._draws, 0).integers(len(members)))] = state

    def chunk(self, number: int, steps: int, share: int = 1, target: int | None = None) -> Chunk:
        """Return the next work: a draw of parents at the present level.

        It looks for its part of the finds wanted when ``share`` chunks are under way; one is enough at the target.
        """
        members = self._pools[self.level]
        generator = self._generator(number)
        drawn = generator.permutation(len(members))[: self._schedule.parents]
        effort = Effort(
            steps=self._schedule.path,
            path=self._schedule.path,
            goal=self.level - 1,
            idle=self._schedule.idle,
            band=self._schedule.band,
        )
        wanted = (
            1 if target is not None and effort.goal <= target else -(-max(1, self._schedule.pool - self.fresh) // share)
        )
        return Chunk(number, tuple(members[i] for i in drawn), effort, steps, wanted, self._root)

    def tell(self, level: int, fresh: int, steps: int) -> None:
        """Note a chunk walked from ``level``, with ``fresh`` finds that were admitted, and move if it is time."""
        if level != self.level:
            return
        self.fresh += fresh
        self.spent += steps
        below = [rank for rank in self._pools if rank < level]
        worn_out = self.spent >= self._schedule.patience
        if below and (self.fresh >= self._schedule.pool or (self.fresh and worn_out)):
            self._enter(max(below))
        elif worn_out:
            self.stalls += 1
            climb = 1 + (self.stalls - 1) % _HIGHEST_CLIMB
            above = sorted(rank for rank in self._pools if rank > level)
            self._enter(above[min(climb, len(above)) - 1] if above else level)

    def sizes(self) -> dict[int, int]:
        """Return the number of members by rank."""
        return {rank: len(members) for rank, members in sorted(self._pools.items())}

    def checkpoint(self, names: Mapping[bytes, str]) -> dict[str, Any]:
        """Return what `restore` needs as JSON values, near pools only; ``names`` gives each member's ID."""
        pools = {
            str(rank): [names[state] for state in members]
            for rank, members in self._pools.items()
            if rank <= self.level + _KEEP_ABOVE
        }
        return {
            "level": self.level,
            "fresh": self.fresh,
            "spent": self.spent,
            "stalls": self.stalls,
            "draws": self._draws,
            "pools": pools,
        }

    def restore(self, checkpoint: Mapping[str, Any], states: Mapping[str, bytes]) -> None:
        """Take up a checkpoint; ``states`` gives each ID's state."""
        self._pools = {int(rank): [states[name] for name in names] for rank, names in checkpoint["pools"].items()}
        self.level, self.fresh, self.spent = checkpoint["level"], checkpoint["fresh"], checkpoint["spent"]
        self.stalls, self._draws = checkpoint["stalls"], checkpoint["draws"]

    def _enter(self, level: int) -> None:
        self.level, self.fresh, self.spent = level, 0, 0
        for rank in [rank for rank in self._pools if rank > level + _KEEP_ABOVE]:
            del self._pools[rank]

    def _generator(self, *key: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self._root, spawn_key=key)))
