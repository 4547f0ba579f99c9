"""How a run moves: dives, the pools by rank, and the rule that moves between levels.

The strategy is that of a pool per rank (Arai, Ichikawa and Hukushima 2023; Khoruzhii, Gelss and Pokutta 2025):
members of rank r walk until they drop to a lower rank; when the pool below has what it needs the run goes down a level.
How a walk goes is for `Paths` to say; the pool grows with what a success costs.

A run begins with dives, which show the easy way down, and its pools take over from the lowest rank that these reach.

A run that is stuck climbs and comes down again with other members, one level at first and twice as many each time, and
from the root at last. From then on its descents sift: they take more finds than they keep, and keep those of the
greatest breadth, for the easy way down leads to special schemes from which nothing goes on. A descent that sifts and
finds too little to choose from begins again at the root.
"""

from collections.abc import Mapping, Sequence
from math import ceil, sqrt
from typing import Any

import numpy as np

from flipforge.search._chunk import Chunk
from flipforge.search._controller import Course, Idles, Paths
from flipforge.search._dives import Corners, Dives
from flipforge.search._pool import Member, Pool
from flipforge.search._protocols import Effort
from flipforge.search._schedule import Schedule

__all__ = ["Ladder"]

_KEEP_ABOVE = 8
_CHEAP = 40_000
"""Steps per success at which the smallest pool will do."""
_FIRST = 2
"""How many times the smallest pool the first descent waits for, where a success is dear."""
_SHORT_CHUNK = 500_000
_PATHS_PER_CALL = 2
_CHUNKS_PER_LEVEL = 4
_SIFTING_PART = 2
"""Part of the patience after which a level that has the finds it needs waits no longer for more to choose from."""
_FEW = 0.5
"""Part of the finds wanted without which a descent that sifts is given up."""
_PLATEAU_PART = 8
"""Part of the patience after which a level without success also works on the second objective."""
_PLATEAU_PATH = 64_000
_SHRINK = 16
"""How much sooner a level is left from which no flip leads on."""
_BESIDE = 2
"""Part of the steps that dives have once they are not alone, while the pools are no lower than they came."""
_GROWING = 1.25
"""The same while they grow."""
_BEHIND = 16
"""Part that is left to them otherwise."""
_GROWTH_PATHS = (62_500, 250_000, 1_000_000)
_GROWTH_IDLE = (2_000, 10_000, 50_000)


class Ladder:
    """Pools by rank and the level the run works at.

    Parameters
    ----------
    schedule
        The run's parameters.
    root
        Root of all seeds.
    corners
        Gives growths; none unless given.
    """

    def __init__(self, schedule: Schedule, root: int, corners: Corners = lambda generator, after: ()) -> None:
        self._schedule = schedule
        self._root = root
        self._pools: dict[int, Pool] = {}
        self._starts: list[tuple[int, Member]] = []
        self._paths = Paths(schedule.path)
        self._dives = Dives(schedule.dive, corners, renewed=not schedule.orbit)
        self._idles = Idles(schedule.idle)
        # By chunk under way that belongs to a plain dive: its rank, and the idle steps it makes.
        self._tried: dict[int, tuple[int, int]] = {}
        self._draws = 0
        self._walked = 0
        self.level = 0
        self.fresh = 0
        self.spent = 0
        self.stalls = 0
        self.climbs = 0
        self.lowest = 0
        self.sifting = False

    def seed(self, states: Sequence[tuple[int, Member]], *, growing: bool = False) -> None:
        """Put the first states in, each with its rank, and begin at the lowest; ``growing`` if they are to grow."""
        self._dives.growing = growing
        self._starts = list(states)
        for rank, member in states:
            self.admit(rank, member)
        self.lowest = min(self._pools)
        self._enter(self.lowest)

    def holds(self, rank: int, state: bytes) -> bool:
        """Tell whether a state is in the pool of its rank."""
        return rank in self._pools and state in self._pools[rank]

    def needs(self, rank: int, state: bytes) -> bool:
        """Tell whether a walk may start from a state yet."""
        return self.holds(rank, state) or self._dives.holds(state)

    def takes(self, rank: int, member: Member) -> bool:
        """Tell whether `admit` would keep a state that is not in its pool."""
        return rank not in self._pools or rank == self.level or self._pools[rank].takes(member)

    def admit(self, rank: int, member: Member) -> None:
        """Put a state in the pool of its rank, in place of another where that is full."""
        pool = self._pools.setdefault(rank, Pool(self._schedule.pool, broad=self.sifting))
        self._draws += 1
        pool.admit(member, self._generator(self._draws, 0), by_value=rank == self.level)

    def chunk(self, number: int, steps: int, share: int = 1, target: int | None = None) -> Chunk:
        """Return the next work: a draw of parents at the present level, ``steps`` long at the most.

        It looks for its part of the finds wanted when ``share`` chunks are under way; one is enough at the target.
        """
        schedule, generator = self._schedule, self._generator(number)
        if self._dives_next:
            return self._dive(number, min(steps, schedule.chunk), generator)
        budget = max(_SHORT_CHUNK, self.spent / _CHUNKS_PER_LEVEL)
        course = self._paths.choose(generator, budget / _PATHS_PER_CALL)
        steps = min(steps, schedule.chunk, int(max(budget, _PATHS_PER_CALL * course.path)))
        plateau = self._stuck and number % 2 == 1
        if plateau:
            course = self._paths.no_longer(course, _PLATEAU_PATH)
        path = course.path
        parents = self._pools[self.level].draw(schedule.parents, generator)
        call = path if plateau else max(path, steps // len(parents))
        effort = Effort(call, path, self.level - 1, course.idle, schedule.band)
        at_target = target is not None and effort.goal <= target
        wanted = 1 if at_target else ceil(max(1, self._most - self.fresh) / share)
        return Chunk(
            number,
            tuple(member.state for member in parents),
            effort,
            steps,
            wanted,
            self._root,
            plateau=plateau,
            sifted=self.sifting,
            # A sandwich would move what is held out of its corner.
            sandwich=self.stalls > 0 and schedule.held is None,
            held=schedule.held,
        )

    def _dive(self, number: int, steps: int, generator: np.random.Generator) -> Chunk:
        schedule, dive = self._schedule, self._dives.launch(number, self._starts, generator)
        if dive.grows:
            steps = path = min(steps, int(generator.choice(_GROWTH_PATHS)))
            idle = int(generator.choice(_GROWTH_IDLE))
        else:
            steps = min(steps, schedule.dive - dive.stall) if schedule.orbit else steps
            path, idle = steps, self._idles.choose(dive.rank, generator)
            self._tried[number] = dive.rank, idle
        climb = (schedule.ceiling - dive.rank) // schedule.orbit if schedule.orbit else 0
        return Chunk(
            number,
            (dive.member.state,),
            Effort(steps, path, dive.rank - 1, min(steps, idle), max(schedule.band, climb)),
            steps,
            1,
            self._root,
            sifted=self.sifting,
            sandwich=dive.stall > 0 and not dive.corner,
            corner=dive.corner,
        )

    @property
    def _dives_next(self) -> bool:
        dives, schedule = self._dives, self._schedule
        if not schedule.dive:
            return False
        if schedule.orbit:
            return not dives.hopeless
        if not dives.hopeless and dives.spent < schedule.alone * schedule.dive:
            return True
        beside = _GROWING if dives.growing else _BESIDE
        part = beside if dives.lowest is None or dives.lowest <= self.lowest else _BEHIND
        return part * dives.spent < dives.spent + self._walked

    @property
    def wanted(self) -> int:
        """How many fresh finds the level below needs: few while they are cheap, all it can hold where it sifts.

        The first descent is made with few everywhere: it is soon known whether the easy way leads to the end.
        """
        least, most = self._schedule.least, self._schedule.pool
        if self.sifting:
            return most
        size = ceil(least * sqrt(self._paths.cost / _CHEAP))
        return min(max(size, least), most if self.climbs else min(most, _FIRST * least))

    @property
    def _most(self) -> int:
        """How many finds are waited for, where there is time."""
        return self.wanted * (self._schedule.sift if self.sifting else 1)

    @property
    def _enough(self) -> bool:
        time = self._schedule.patience / _SIFTING_PART
        return self.fresh >= self._most or (self.sifting and self.fresh >= self.wanted and self.spent >= time)

    @property
    def _patience(self) -> float:
        stranded = self._dead if self.sifting else self._pools[self.level].isolated
        return self._schedule.patience / (_SHRINK if stranded else 1)

    @property
    def _dead(self) -> bool:
        """Whether the way down ended in isolated schemes; after sifting, which may lead on, in one class of them."""
        pool = self._pools[self.level]
        return pool.isolated and len(pool) >= self._schedule.least and (pool.kinds == 1 or not self.sifting)

    @property
    def _stuck(self) -> bool:
        return self.level == self.lowest and not self.fresh and self.spent > self._patience / _PLATEAU_PART

    def tell(self, level: int, course: Course, *, fresh: int, steps: int) -> None:
        """Note a chunk walked from ``level``, with ``fresh`` finds that were admitted below, and move if it is time."""
        self._walked += steps
        if level != self.level:
            return
        self._paths.tell(course, fresh=fresh, steps=steps)
        self.fresh += fresh
        self.spent += steps
        below = [rank for rank in self._pools if rank < level]
        worn_out = self.spent >= self._patience
        if below and (self._enough or (worn_out and not self._barren)):
            self._descend(max(below))
        elif worn_out:
            self._climb()

    def diving(self, number: int) -> bool:
        """Tell whether a chunk that is under way belongs to a dive."""
        return self._dives.flying(number)

    def lose(self, number: int) -> None:
        """Note that a chunk failed: a dive that it belonged to waits again."""
        if self.diving(number):
            self._dives.lose(number)
            self._tried.pop(number, None)

    def tell_dive(self, number: int, found: tuple[int, Member] | None, *, steps: int) -> None:
        """Note the chunk of a dive, with the rank and member of its find, and go where that is the lowest of all."""
        self._dives.land(number, found, steps)
        if number in self._tried:
            self._idles.tell(*self._tried.pop(number), found=found is not None, steps=steps)
        if found is not None and found[0] < self.lowest:
            self._descend(found[0])

    @property
    def _barren(self) -> bool:
        """Whether a level that is worn out is left upwards; where a descent sifts, few finds leave it no choice."""
        return self.fresh < (self.wanted * _FEW if self.sifting else 1)

    def sizes(self) -> dict[int, int]:
        """Return the number of members by rank."""
        return {rank: len(pool) for rank, pool in sorted(self._pools.items())}

    def _descend(self, level: int) -> None:
        if level < self.lowest:
            self.lowest, self.stalls = level, 0
        self._enter(level)

    def _climb(self) -> None:
        """Go up twice as far as the last time and forget what lies below; to the root at last, or from a dead end."""
        height = 2**self.stalls
        self.stalls += 1
        self.climbs += 1
        above = sorted(rank for rank in self._pools if rank > self.lowest)
        if height <= min(len(above), _KEEP_ABOVE) and not (self._dead or self.sifting):
            level = above[height - 1]
        else:
            self._pools.clear()
            self.stalls, self.sifting = 0, True
            self._paths = Paths(self._schedule.path)
            for rank, member in self._starts:
                self.admit(rank, member)
            level = min(self._pools)
        for rank in [rank for rank in self._pools if rank < level]:
            del self._pools[rank]
        self._enter(level)

    def _enter(self, level: int) -> None:
        self.level, self.fresh, self.spent = level, 0, 0
        self._paths.descend()
        for rank in [rank for rank in self._pools if rank > level + _KEEP_ABOVE]:
            del self._pools[rank]

    def checkpoint(self, names: Mapping[bytes, str]) -> dict[str, Any]:
        """Return what `restore` needs as JSON values; ``names`` gives each member's ID."""
        return {
            "level": self.level,
            "fresh": self.fresh,
            "spent": self.spent,
            "stalls": self.stalls,
            "climbs": self.climbs,
            "lowest": self.lowest,
            "sifting": self.sifting,
            "draws": self._draws,
            "walked": self._walked,
            "dives": self._dives.checkpoint(names),
            "paths": self._paths.checkpoint(),
            "idles": self._idles.checkpoint(),
            "starts": [[rank, member.written(names)] for rank, member in self._starts],
            "pools": {
                str(rank): {"broad": pool.broad, "members": [member.written(names) for member in pool.members]}
                for rank, pool in self._pools.items()
            },
        }

    @staticmethod
    def names(checkpoint: Mapping[str, Any]) -> set[str]:
        """Return the IDs of all states that `restore` needs."""
        held = [member for pool in checkpoint["pools"].values() for member in pool["members"]]
        members = [*held, *(member for _, member in checkpoint["starts"])]
        return {member["state"] for member in members} | Dives.names(checkpoint["dives"])

    def restore(self, checkpoint: Mapping[str, Any], states: Mapping[str, bytes]) -> None:
        """Take up a checkpoint; ``states`` gives each ID's state."""
        for name in ("level", "fresh", "spent", "stalls", "climbs", "lowest", "sifting"):
            setattr(self, name, checkpoint[name])
        self._draws, self._walked = checkpoint["draws"], checkpoint["walked"]
        self._dives.restore(checkpoint["dives"], states)
        self._paths.restore(checkpoint["paths"])
        # A run that an earlier version began has learned nothing of these.
        self._idles.restore(checkpoint.get("idles", []))
        self._starts = [(rank, Member.read(member, states)) for rank, member in checkpoint["starts"]]
        self._pools = {
            int(rank): Pool.of(
                self._schedule.pool,
                [Member.read(member, states) for member in pool["members"]],
                broad=pool["broad"],
            )
            for rank, pool in checkpoint["pools"].items()
        }

    def _generator(self, *key: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self._root, spawn_key=key)))
