"""The walk in plain Python: slow, obvious, and the oracle of both kernels.

It shares no code with them. Factors are Python integers, sets of rows are lists, and everything is looked up anew at
each step; the rules it follows are those of `flipforge.flips`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Generator", "Trace", "walk"]

_MASK = (1 << 64) - 1

Row = list[int]
Slots = list[Row | None]


class Generator:
    """xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021)."""

    def __init__(self, words: Sequence[int]) -> None:
        self._s = [int(word) for word in words]

    def next(self) -> int:
        """Return the next 64 random bits."""
        s = self._s
        drawn = (_rotate((s[0] + s[3]) & _MASK, 23) + s[0]) & _MASK
        shifted = (s[1] << 17) & _MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = _rotate(s[3], 45)
        return drawn


@dataclass(frozen=True)
class Trace:
    """What the walk did: its rows at the end in slot order, and the counts that `flipforge.flips.Walk` has."""

    rows: list[tuple[int, int, int]]
    steps: int
    plus: int
    reductions: int
    reached: bool
    partnered: int


def walk(rows: Sequence[Sequence[int]], *, goal: int, steps: int, idle: int, band: int, seed: Sequence[int]) -> Trace:
    """Walk from the given rows (u, v, w), as `flipforge.flips.walk` does."""
    slots: Slots = [[int(factor) for factor in row] for row in rows]
    limit = len(slots) + band
    generator = Generator(seed)
    lowest = rank = len(slots)
    taken = plus = since = 0
    while rank > goal and taken < steps:
        drawn = generator.next()
        entries = _entries(slots)
        if not entries or since >= idle:
            since = 0
            rose = rank < limit and _plus(slots, drawn)
            plus += rose
        else:
            rose = False
        if not rose:
            if not entries:
                break
            _flip(slots, entries, drawn)
            since += 1
        taken += 1
        rank = sum(row is not None for row in slots)
        if rank < lowest:
            lowest, since = rank, 0
    left = [row for row in slots if row is not None]
    return Trace(
        rows=[(u, v, w) for u, v, w in left],
        steps=taken,
        plus=plus,
        reductions=len(rows) + plus - rank,
        reached=rank <= goal,
        partnered=len(_entries(slots)),
    )


def _rotate(word: int, by: int) -> int:
    return ((word << by) | (word >> (64 - by))) & _MASK


def _live(slots: Slots) -> list[tuple[int, Row]]:
    return [(slot, row) for slot, row in enumerate(slots) if row is not None]


def _entries(slots: Slots) -> list[tuple[int, int, Row]]:
    """All (axis, slot, row) that have a partner, axis by axis and in slot order."""
    live = _live(slots)
    held = [[row[axis] for _, row in live] for axis in range(3)]
    return [(axis, slot, row) for axis in range(3) for slot, row in live if held[axis].count(row[axis]) > 1]


def _flip(slots: Slots, entries: list[tuple[int, int, Row]], drawn: int) -> None:
    axis, slot, row = entries[(drawn >> 32) * len(entries) >> 32]
    group = [(s, r) for s, r in _live(slots) if s != slot and r[axis] == row[axis]]
    partner, other = group[(drawn & 0xFFFFFFFF) * len(group) >> 32]
    after, last = (axis + 1) % 3, (axis + 2) % 3
    row[after] ^= other[after]
    other[last] ^= row[last]
    for place, factor in ((slot, row[after]), (partner, other[last])):
        if factor == 0:
            slots[place] = None


def _plus(slots: Slots, drawn: int) -> bool:
    live = _live(slots)
    start = (drawn >> 40) * len(live) >> 24
    for _, row in live[start:] + live[:start]:
        apart = [r for _, r in live if all(x != y for x, y in zip(row, r, strict=True))]
        if not apart:
            continue
        other = apart[(drawn >> 16 & 0xFFFFFF) * len(apart) >> 24]
        axis = (drawn & 0xFFFF) * 3 >> 16
        after, last = (axis + 1) % 3, (axis + 2) % 3
        extra = list(other)
        extra[axis] ^= row[axis]
        other[axis] = row[axis]
        other[last] ^= row[last]
        row[after] ^= other[after]
        if None in slots:
            slots[slots.index(None)] = extra
        else:
            slots.append(extra)
        return True
    return False
