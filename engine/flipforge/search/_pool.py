"""The pool of one rank: who stays, and who walks next.

Members are told apart by an orbit invariant. A full pool gives up a member of its most crowded class, so that a class
that is easy to reach does not push out the others: on 4x4x4 over GF(2) nearly all that reaches rank 49 at random is
Strassen's algorithm applied twice, from where nothing goes on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

__all__ = ["Member", "Pool"]


@dataclass(frozen=True)
class Member:
    """A state in a pool.

    Attributes
    ----------
    state
        Encoded.
    kind
        Digest of the orbit invariant, or of the key where the space has none.
    breadth
        `Breadth.breadth`; 0 where nobody asked or the space has none.
    partnered
        Number of (axis, row) that have a flip; 0 for an isolated state, from which only plus transitions lead.
    value
        Of the run's second objective; smaller is better.
    """

    state: bytes
    kind: str
    breadth: int = 0
    partnered: int = 1
    value: float = 0.0

    def written(self, names: Mapping[bytes, str]) -> dict[str, Any]:
        """Return the member as JSON values; ``names`` gives each state's ID."""
        return {**asdict(self), "state": names[self.state]}

    @classmethod
    def read(cls, written: Mapping[str, Any], states: Mapping[str, bytes]) -> "Member":
        """Return what was `written`; ``states`` gives each ID's state."""
        return cls(**{**written, "state": states[written["state"]]})


class Pool:
    """At most ``capacity`` distinct members, in the order of their arrival.

    Parameters
    ----------
    capacity
        How many stay.
    broad
        Whether the members of the least breadth give way, in place of those of the most crowded class.
    """

    def __init__(self, capacity: int, *, broad: bool = False) -> None:
        self.capacity, self.broad = capacity, broad
        self._members: dict[bytes, Member] = {}

    @classmethod
    def of(cls, capacity: int, members: Sequence[Member], *, broad: bool) -> "Pool":
        """Return a pool that holds these members."""
        pool = cls(capacity, broad=broad)
        pool._members = {member.state: member for member in members}
        return pool

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, state: bytes) -> bool:
        return state in self._members

    @property
    def members(self) -> Sequence[Member]:
        """All members."""
        return tuple(self._members.values())

    @property
    def isolated(self) -> bool:
        """Whether no member has a flip."""
        return all(member.partnered == 0 for member in self._members.values())

    @property
    def kinds(self) -> int:
        """How many classes the members come from."""
        return len({member.kind for member in self._members.values()})

    def admit(self, member: Member, generator: np.random.Generator, *, by_value: bool = False) -> None:
        """Take a member in; where that is one too many, one leaves.

        ``by_value`` is for a level that nobody leaves downwards: there the worst by the second objective goes.
        """
        self._members[member.state] = member
        while len(self._members) > self.capacity:
            del self._members[self._leaver(generator, by_value)]

    def takes(self, member: Member) -> bool:
        """Tell whether a newcomer would stay; where classes are balanced, it may."""
        return not self.broad or len(self) < self.capacity or member.breadth > min(m.breadth for m in self.members)

    def draw(self, count: int, generator: np.random.Generator) -> list[Member]:
        """Return up to ``count`` distinct members, one class as likely as another, isolated ones only if all are.

        Within a class a member is drawn in proportion to its flips: from there more ways lead on.
        """
        isolated = self.isolated
        able = [member for member in self._members.values() if member.partnered or isolated]
        crowd = Counter(member.kind for member in able)
        flips: Counter[str] = Counter()
        for member in able:
            flips[member.kind] += max(1, member.partnered)
        weights = np.array([max(1, member.partnered) / flips[member.kind] for member in able])
        size = min(count, len(able))
        chosen = generator.choice(len(able), size=size, replace=False, p=weights / len(crowd))
        return [able[index] for index in chosen]

    def _leaver(self, generator: np.random.Generator, by_value: bool) -> bytes:
        members = list(self._members.values())
        if by_value:
            return max(members, key=lambda member: member.value).state
        if self.broad:
            return min(members, key=lambda member: member.breadth).state
        crowd = Counter(member.kind for member in members)
        most = max(crowd.values())
        crowded = [member for member in members if crowd[member.kind] == most]
        # The newcomer is last; a random choice among all lets the pool go on moving.
        return crowded[int(generator.integers(len(crowded)))].state
