"""Dives: one member each, that walks from the root as deep as it comes, each find the start of the next.

A dive is cheap. A pool on those paths that cost least per find comes down close to where it began, and ends in the same
few places; a dive ends somewhere else each time. So a run begins with dives and goes on making them beside its pools,
as long as they do no worse. A dive that has found nothing for too long is given up, and the next begins at the root.

Dives of orbits (`flipforge.search.of_orbits`) have so many steps and no more. Half of them begin where earlier ones
ended lowest, at each place as often: that costs one walk where coming there cost many.

There are two kinds. A plain dive walks the whole on long paths and drifts far at every rank. A growth walks corner by
corner (`flipforge.search._growth`) on short paths; how patient it is in each corner is drawn anew for each growth, long
patience as much more seldom as it costs more (Luby, Sinclair and Zuckerman, "Optimal speedup of Las Vegas algorithms",
1993). Both get the same steps until one is ahead.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from flipforge.search._growth import Corner
from flipforge.search._pool import Member

__all__ = ["Corners", "Dive", "Dives"]

Corners = Callable[[np.random.Generator, Corner | None], tuple[Corner, ...]]
"""Gives the corners of a growth that follow one that was walked, the whole last; none where there is no growth."""

_PART = 4
"""What part of the steps of all plain dives, shared among the open ones, one may spend without a find."""
_FAVOUR = 3
"""How many times the steps of plain dives growths have while both came equally low."""
_AHEAD = 16
"""The same while growths came lower; else both have the same."""
_PATIENCE = 25_000
"""Steps without a find after which a growth leaves a corner, for each product of the corner's standard algorithm."""
_PATIENT = 4
"""A growth is at most two to this power as patient."""
_KEPT = 8
"""How many growths are kept for each corner."""
_ANEW = 1 / 3
"""Steps of the growths that begin at the root, to the steps of all that begin at a corner."""
_ROOT: Corner = (1, 1, 1)
_SEEN = 2
"""How many dives must have ended that began at one rank, to be judged by where they ended."""
_AGAIN = 0.5
"""Part of the dives of orbits that begin where earlier ones ended."""
_LOW = 6
"""Of how many of the lowest ranks: there may be no way on from the lowest of all."""
_ENDS = 64
"""How many ends of dives are kept to begin again from."""
_BEST = 0.75
"""Part of the plain dives that begin at the rank from which they ended lowest in the mean, where there are several."""


@dataclass(frozen=True)
class Dive:
    """Where a dive began, how deep it is, and the steps since it came there or to its corner.

    ``corners`` are those that a growth has still to walk, the present one first; a plain dive has none. ``scale`` says
    how many times the least patience a growth has, ``family`` which growths began as one, and ``began`` after which
    corner this one did. ``again`` says that a dive of orbits began where another had ended.
    """

    root: int
    rank: int
    member: Member
    stall: int = 0
    corners: tuple[Corner, ...] = ()
    scale: int = 1
    family: int = 0
    began: Corner = _ROOT
    again: bool = False

    @property
    def grows(self) -> bool:
        """Whether it is a growth."""
        return bool(self.corners)

    @property
    def corner(self) -> Corner | None:
        """The corner to walk inside; None for the whole."""
        return self.corners[0] if len(self.corners) > 1 else None

    @property
    def patience(self) -> int:
        """Steps that a growth spends in its corner without a find."""
        return _PATIENCE * self.scale * prod(self.corners[0])

    def written(self, names: Mapping[bytes, str]) -> dict[str, Any]:
        """Return the dive as JSON values; ``names`` gives each state's ID."""
        return {**vars(self), "member": self.member.written(names)}

    @classmethod
    def read(cls, written: Mapping[str, Any], states: Mapping[str, bytes]) -> "Dive":
        """Return what was `written`; ``states`` gives each ID's state."""
        corners = tuple((n, m, p) for n, m, p in written["corners"])
        n, m, p = written["began"]
        member = Member.read(written["member"], states)
        return cls(**{**written, "member": member, "corners": corners, "began": (n, m, p)})


@dataclass
class End:
    """Where a dive of orbits was given up, and how many began there since."""

    rank: int
    member: Member
    tries: int = 0


class Dives:
    """The dives of a run.

    Parameters
    ----------
    patience
        Steps that a plain dive may spend without a find, at the least.
    corners
        Gives growths.
    renewed
        Whether each find gives a dive its patience anew; else only one that comes lower than all before.

    Attributes
    ----------
    growing
        Whether growths are made.
    failed
        Whether a plain dive was given up where it began; then no other is made.
    """

    def __init__(self, patience: int, corners: Corners = lambda generator, after: (), *, renewed: bool = True) -> None:
        self._patience = patience
        self._corners = corners
        self._renewed = renewed
        self._open: list[Dive] = []
        self._flying: dict[int, Dive] = {}
        # By kind: plain dives, then growths.
        self._spent = [0, 0]
        self._lowest: list[int | None] = [None, None]
        self._kept: dict[Corner, list[Dive]] = {}
        # By the rank where plain dives began: how many were given up, and the sum of the ranks where they were.
        self._ends: dict[int, tuple[int, int]] = {}
        self._ended: list[End] = []
        # Stride scheduling: the steps that growths from each corner spent, by the part that is due to them.
        self._turns: dict[Corner, float] = {_ROOT: 0.0}
        self.growing = True
        self.failed = False

    @property
    def spent(self) -> int:
        """Steps of all dives."""
        return sum(self._spent)

    @property
    def lowest(self) -> int | None:
        """The lowest rank a dive came to; None before anything was walked."""
        return min((rank for rank in self._lowest if rank is not None), default=None)

    @property
    def hopeless(self) -> bool:
        """Whether no dive leads anywhere."""
        return self.failed and not self.growing

    @property
    def open(self) -> Sequence[Dive]:
        """All dives that are not given up."""
        return (*self._open, *self._flying.values())

    def holds(self, state: bytes) -> bool:
        """Tell whether a dive stands at a state, or may begin there."""
        members = [dive.member for dive in (*self.open, *self._all_kept)] + [end.member for end in self._ended]
        return any(member.state == state for member in members)

    @property
    def _all_kept(self) -> list[Dive]:
        return [dive for dives in self._kept.values() for dive in dives]

    def launch(self, number: int, starts: Sequence[tuple[int, Member]], generator: np.random.Generator) -> Dive:
        """Return the dive that chunk ``number`` goes on with: the one that waits longest, or else a new one."""
        if self._open:
            dive = self._open.pop(0)
        elif self._ended and generator.random() < _AGAIN:
            end = min(self._ended, key=lambda end: (end.tries, end.rank))
            end.tries += 1
            dive = Dive(end.rank, end.rank, end.member, again=True)
        else:
            dive = self._new(number, starts, generator)
        self._flying[number] = dive
        return dive

    def flying(self, number: int) -> bool:
        """Tell whether a chunk that is under way belongs to a dive."""
        return number in self._flying

    def lose(self, number: int) -> None:
        """Note that a chunk failed: its dive waits again."""
        self._open.append(self._flying.pop(number))

    def land(self, number: int, found: tuple[int, Member] | None, steps: int) -> None:
        """Note what came of a chunk: the rank and member it found, if any, and its steps; none at a dead end."""
        dive = self._flying.pop(number)
        self._spent[dive.grows] += steps
        if dive.grows:
            self._turns[dive.began] += steps / self._due(dive.began)
        if found is None:
            dive = replace(dive, stall=dive.stall + steps)
        else:
            rank, member = found
            renewed = self._renewed or dive.grows or self.lowest is None or rank < self.lowest
            dive = replace(dive, rank=rank, member=member, stall=0 if renewed else dive.stall + steps)
        lowest = self._lowest[dive.grows]
        self._lowest[dive.grows] = dive.rank if lowest is None else min(lowest, dive.rank)
        dead = found is None and not steps
        if not dead and dive.stall < (dive.patience if dive.grows else self._plain_patience):
            self._open.append(dive)
        elif dive.corner:
            self._keep(dive.corner, dive)
            self._open.append(replace(dive, stall=0, corners=dive.corners[1:]))
        elif not dive.grows:
            if not dive.again:
                times, total = self._ends.get(dive.root, (0, 0))
                self._ends[dive.root] = times + 1, total + dive.rank
                self.failed = self.failed or (dive.rank == dive.root and not dead)
            if dive.rank < dive.root and not self._renewed:
                self._keep_end(dive)

    @property
    def _plain_patience(self) -> float:
        shared = self._spent[False] / (_PART * (len(self.open) + 1))
        return max(self._patience, shared) if self._renewed else self._patience

    def _keep_end(self, dive: Dive) -> None:
        """Keep where a dive was given up among the ends of the lowest ranks; those most often tried make way."""
        ends = [*self._ended, End(dive.rank, dive.member)]
        low = sorted({end.rank for end in ends})[:_LOW]
        self._ended = sorted((end for end in ends if end.rank in low), key=lambda end: (end.tries, end.rank))[:_ENDS]

    def _keep(self, corner: Corner, dive: Dive) -> None:
        """Keep a growth that leaves a corner if none came lower: the last of each family, of so many families."""
        kept = [other for other in self._kept.get(corner, []) if other.family != dive.family]
        lowest = min(other.rank for other in [*kept, dive])
        self._kept[corner] = [other for other in [*kept, dive] if other.rank == lowest][-_KEPT:]
        self._turns.setdefault(corner, min(self._turns.values()))

    def _new(self, number: int, starts: Sequence[tuple[int, Member]], generator: np.random.Generator) -> Dive:
        starts = self._promising(starts, generator)
        rank, member = starts[int(generator.integers(len(starts)))]
        if not self._growth_next:
            return Dive(rank, rank, member)
        scale = 2 ** min(int(generator.geometric(0.5)) - 1, _PATIENT)
        after = min(self._turns, key=lambda corner: self._turns[corner])
        if after != _ROOT:
            kept = self._kept[after][int(generator.integers(len(self._kept[after])))]
            return replace(kept, stall=0, corners=self._corners(generator, after), scale=scale, began=after)
        corners = self._corners(generator, None)
        self.growing = bool(corners)
        return Dive(rank, rank, member, corners=corners, scale=scale, family=number)

    def _promising(
        self, starts: Sequence[tuple[int, Member]], generator: np.random.Generator
    ) -> Sequence[tuple[int, Member]]:
        """Return the starts of the rank that led lowest, most of the time, once all ranks were tried; else all."""
        ranks = {rank for rank, _ in starts}
        tried = all(self._ends.get(rank, (0, 0))[0] >= _SEEN for rank in ranks)
        if len(ranks) == 1 or not tried or generator.random() >= _BEST:
            return starts
        best = min(sorted(ranks), key=lambda rank: self._ends[rank][1] / self._ends[rank][0])
        return [start for start in starts if start[0] == best]

    def _due(self, corner: Corner) -> float:
        """Return the part of the growths' steps due to those that begin after a corner: a large one was dear."""
        return prod(corner) ** 2 if corner != _ROOT else 1 + _ANEW * sum(prod(kept) ** 2 for kept in self._kept)

    @property
    def _growth_next(self) -> bool:
        if not self.growing or self.failed:
            return self.growing
        plain, grown = self._spent
        ahead = [lowest == self.lowest for lowest in self._lowest]
        return grown < plain * (_FAVOUR if ahead == [True, True] else _AHEAD if ahead[True] else 1)

    def checkpoint(self, names: Mapping[bytes, str]) -> dict[str, Any]:
        """Return what `restore` needs as JSON values; what is under way waits again then."""
        return {
            "spent": self._spent,
            "lowest": self._lowest,
            "growing": self.growing,
            "failed": self.failed,
            "open": [dive.written(names) for dive in self.open],
            "kept": [dive.written(names) for dive in self._all_kept],
            "ends": [[root, *end] for root, end in self._ends.items()],
            "ended": [{**vars(end), "member": end.member.written(names)} for end in self._ended],
            "turns": [[corner, turn] for corner, turn in self._turns.items()],
        }

    @staticmethod
    def names(checkpoint: Mapping[str, Any]) -> set[str]:
        """Return the IDs of all states that `restore` needs."""
        held = (*checkpoint["open"], *checkpoint["kept"], *checkpoint.get("ended", ()))
        return {each["member"]["state"] for each in held}

    def restore(self, checkpoint: Mapping[str, Any], states: Mapping[str, bytes]) -> None:
        """Take up a checkpoint; ``states`` gives each ID's state."""
        self._spent, self._lowest = list(checkpoint["spent"]), list(checkpoint["lowest"])
        self.growing, self.failed = checkpoint["growing"], checkpoint["failed"]
        self._open = [Dive.read(dive, states) for dive in checkpoint["open"]]
        for dive in (Dive.read(dive, states) for dive in checkpoint["kept"]):
            self._kept.setdefault(dive.corners[0], []).append(dive)
        self._turns = {(n, m, p): turn for (n, m, p), turn in checkpoint["turns"]}
        self._ends = {root: (times, total) for root, times, total in checkpoint["ends"]}
        # A run that an earlier version began has none of these.
        ended = checkpoint.get("ended", [])
        self._ended = [End(end["rank"], Member.read(end["member"], states), end["tries"]) for end in ended]
