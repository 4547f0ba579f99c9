"""The walk in plain Python: slow, obvious, and the oracle of the kernel.

It shares no code with it. Factors are tuples of Python integers, sets of rows are lists, and everything is looked up
anew at each step; the rules it follows are those of `flipforge.flips`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Generator", "Trace", "walk"]

_MASK = (1 << 64) - 1
_PRIMES = {"GF2": 2, "GF3": 3, "GF5": 5, "GF7": 7, "ZT": 0}

Factor = tuple[int, ...]


@dataclass
class Row:
    """A product: normalised factors and the unit before them."""

    factors: list[Factor]
    unit: int

    def copy(self) -> "Row":
        """Return a row that may be changed."""
        return Row(list(self.factors), self.unit)


Slots = list[Row | None]
Entries = list[tuple[int, int, Row]]


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


class Arithmetic:
    """Sums of factors over a ring; ``prime`` is 0 for the integers -1, 0, 1."""

    def __init__(self, ring: str) -> None:
        self.prime = _PRIMES[ring]
        self.units = [1, -1] if self.prime in (0, 3) else list(range(1, self.prime))

    def reduced(self, value: int) -> int:
        """Return the representative of a residue: -1, 0, 1 modulo 3, else 0 to p - 1."""
        if not self.prime:
            return value
        value %= self.prime
        return value - 3 if self.prime == 3 and value == 2 else value

    def inverse(self, unit: int) -> int:
        """Return 1 / unit."""
        return self.reduced(pow(unit, -1, self.prime)) if self.prime else unit

    def combine(self, x: Factor, y: Factor, unit: int) -> tuple[Factor, int] | None:
        """Return x + unit * y normalised and the unit it was divided by; None if it does not exist."""
        total = [self.reduced(a + unit * b) for a, b in zip(x, y, strict=True)]
        if not self.prime and any(abs(entry) > 1 for entry in total):
            return None
        lead = next((entry for entry in total if entry), 1)
        return tuple(self.reduced(entry * self.inverse(lead)) for entry in total), lead


@dataclass(frozen=True)
class Trace:
    """What the walk did: its rows at the end in slot order, and the counts that `flipforge.flips.Walk` has."""

    rows: list[tuple[Factor, Factor, Factor]]
    steps: int
    plus: int
    splits: int
    rejected: int
    reductions: int
    restarts: int
    reached: bool
    partnered: int


def walk(
    rows: Sequence[Sequence[Sequence[int]]],
    *,
    ring: str = "GF2",
    goal: int,
    steps: int,
    path: int | None = None,
    idle: int,
    band: int,
    seed: Sequence[int],
    kept: Sequence[Sequence[bool]] | None = None,
) -> Trace:
    """Walk from the given rows (u, v, w) of entries, as `flipforge.flips.walk` does; ``kept`` tells coordinates."""
    ring_of = Arithmetic(ring)
    first = [_normal(ring_of, row) for row in rows]
    state = _State(ring_of, Generator(seed), len(rows) + band, kept)
    state.begin(first)
    taken = walked = 0
    path = steps if path is None else path
    counts = dict.fromkeys(("plus", "split", "rejected", "reductions", "restarts"), 0)
    while state.rank > goal and taken < steps:
        event = "restarts" if walked >= path else state.step(idle)
        if event == "restarts":
            if not walked:
                break
            state.begin(first)
            walked = 0
        else:
            taken += 1
            walked += 1
        if event in counts:
            counts[event] += 1
        counts["reductions"] += state.settle()
    left = [row for row in state.slots if row is not None]
    return Trace(
        rows=[_plain(ring_of, row) for row in left],
        steps=taken,
        plus=counts["plus"],
        splits=counts["split"],
        rejected=counts["rejected"],
        reductions=counts["reductions"],
        restarts=counts["restarts"],
        reached=state.rank <= goal,
        partnered=len(state.entries()),
    )


class _State:
    """The slots of a walk and what it remembers between steps."""

    def __init__(
        self, ring: Arithmetic, generator: Generator, limit: int, kept: Sequence[Sequence[bool]] | None
    ) -> None:
        self.ring, self.generator, self.limit, self.kept = ring, generator, limit, kept
        self.slots: Slots = []
        self.rank = self.lowest = self.since = 0

    def begin(self, rows: Sequence[Row]) -> None:
        self.slots = [row.copy() for row in rows]
        self.rank = self.lowest = len(rows)
        self.since = 0

    def settle(self) -> int:
        """Count the rows anew; return how many reductions took away in the step."""
        rank = sum(row is not None for row in self.slots)
        gone, self.rank = max(0, self.rank - rank), rank
        if rank < self.lowest:
            self.lowest, self.since = rank, 0
        return gone

    def live(self) -> list[tuple[int, Row]]:
        return [(slot, row) for slot, row in enumerate(self.slots) if row is not None]

    def entries(self) -> Entries:
        """All (axis, slot, row) that have a partner, axis by axis and in slot order."""
        live = self.live()
        held = [[row.factors[axis] for _, row in live] for axis in range(3)]
        return [(axis, slot, row) for axis in range(3) for slot, row in live if held[axis].count(row.factors[axis]) > 1]

    def step(self, idle: int) -> str:
        drawn = self.generator.next()
        entries = self.entries()
        if not entries or self.since >= idle:
            self.since = 0
            if self.rank < self.limit and (made := self.add_row(drawn, self.generator.next())):
                return made
            if not entries:
                return "restarts"
        self.since += 1
        return self.flip(entries, drawn)

    def flip(self, entries: Entries, drawn: int) -> str:
        axis, slot, row = entries[(drawn >> 32) * len(entries) >> 32]
        a = row.factors[axis]
        group = [s for s, r in self.live() if s != slot and r.factors[axis] == a]
        choice = (drawn & 0xFFFFFFFF) * (len(group) * len(self.ring.units)) >> 32
        partner, unit = group[choice // len(self.ring.units)], self.ring.units[choice % len(self.ring.units)]
        other = self._row(partner)
        after, last = (axis + 1) % 3, (axis + 2) % 3
        for equal, rest in ((after, last), (last, after)):
            if row.factors[equal] == other.factors[equal]:
                return "flip" if self.merge(slot, partner, rest) else "rejected"
        if self.shows({axis: a, after: other.factors[after], last: row.factors[last]}):
            return "rejected"
        sums = self._sums(row, other, after, last, unit) or self._sums(row, other, after, last, -unit)
        if sums is None:
            return "rejected"
        before = {s: (r.factors[after], r.factors[last]) for s, r in self.live()}
        (b, by_b), (c, by_c) = sums
        row.factors[after], row.unit = b, self.ring.reduced(row.unit * by_b)
        other.factors[last], other.unit = c, self.ring.reduced(other.unit * by_c)
        with_first = [s for s in group if before[s][0] == b]
        with_second = [s for s in group if before[s][1] == c]
        if with_first:
            self.merge(slot, with_first[0], last)
        elif with_second:
            self.merge(partner, with_second[0], after)
        return "flip"

    def merge(self, slot: int, partner: int, axis: int) -> bool:
        row, other = self._row(slot), self._row(partner)
        ratio = self.ring.reduced(other.unit * self.ring.inverse(row.unit))
        made = self.ring.combine(row.factors[axis], other.factors[axis], ratio)
        if made is None:
            return False
        self.slots[partner] = None
        if any(made[0]):
            row.factors[axis], row.unit = made[0], self.ring.reduced(row.unit * made[1])
        else:
            self.slots[slot] = None
        return True

    def add_row(self, drawn: int, extra: int) -> str:
        """Make a plus transition or a split; return its name, or nothing where there is none."""
        axis = (drawn & 0xFFFF) * 3 >> 16
        splits = extra >> 62 == 3
        unit = self.ring.units[(extra & 0xFFFFFFFF) * len(self.ring.units) >> 32]
        live = self.live()
        start = (drawn >> 40) * len(live) >> 24
        for _, row in live[start:] + live[:start]:
            watched = [axis] if splits else [0, 1, 2]
            apart = [r for _, r in live if all(row.factors[x] != r.factors[x] for x in watched)]
            number = (drawn >> 16 & 0xFFFFFF) * len(apart) >> 24
            for other in apart[number:] + apart[:number]:
                extra_row = self._split(row, other, axis, unit) if splits else self._plus(row, other, axis, unit)
                if extra_row is not None:
                    self._place(extra_row)
                    return "split" if splits else "plus"
        return ""

    def shows(self, product: Mapping[int, Factor]) -> bool:
        """Tell whether anything is left of a product when all coordinates are dropped but those that are kept."""
        kept = self.kept
        return kept is not None and all(
            any(entry and here for entry, here in zip(product[axis], kept[axis], strict=True)) for axis in range(3)
        )

    def _split(self, row: Row, other: Row, axis: int, unit: int) -> Row | None:
        if self.shows({**dict(enumerate(other.factors)), axis: row.factors[axis]}):
            return None
        made = self.ring.combine(other.factors[axis], row.factors[axis], -unit)
        if made is None:
            return None
        rest = Row([*other.factors], self.ring.reduced(other.unit * made[1]))
        rest.factors[axis] = made[0]
        other.factors[axis], other.unit = row.factors[axis], self.ring.reduced(other.unit * unit)
        return rest

    def _plus(self, row: Row, other: Row, axis: int, unit: int) -> Row | None:
        after, last = (axis + 1) % 3, (axis + 2) % 3
        if any(
            self.shows({axis: row.factors[axis], after: other.factors[after], last: each.factors[last]})
            for each in (row, other)
        ):
            return None
        sums = self._sums(row, other, after, last, unit)
        rest = self.ring.combine(other.factors[axis], row.factors[axis], -1)
        if sums is None or rest is None:
            return None
        (b, by_b), (c, by_c) = sums
        extra = Row([*other.factors], self.ring.reduced(other.unit * rest[1]))
        extra.factors[axis] = rest[0]
        other.factors[axis], other.factors[last] = row.factors[axis], c
        other.unit = self.ring.reduced(other.unit * by_c)
        row.factors[after], row.unit = b, self.ring.reduced(row.unit * by_b)
        return extra

    def _sums(
        self, row: Row, other: Row, after: int, last: int, unit: int
    ) -> tuple[tuple[Factor, int], tuple[Factor, int]] | None:
        scale = self.ring.reduced(-unit * row.unit * self.ring.inverse(other.unit))
        b = self.ring.combine(row.factors[after], other.factors[after], unit)
        c = self.ring.combine(other.factors[last], row.factors[last], scale)
        return None if b is None or c is None else (b, c)

    def _place(self, row: Row) -> None:
        if None in self.slots:
            self.slots[self.slots.index(None)] = row
        else:
            self.slots.append(row)

    def _row(self, slot: int) -> Row:
        row = self.slots[slot]
        assert row is not None
        return row


def _normal(ring: Arithmetic, row: Sequence[Sequence[int]]) -> Row:
    factors, unit = [], 1
    for factor in row:
        form = ring.combine((0,) * len(factor), tuple(int(entry) for entry in factor), 1)
        assert form is not None
        factors.append(form[0])
        unit = ring.reduced(unit * form[1])
    return Row(factors, unit)


def _plain(ring: Arithmetic, row: Row) -> tuple[Factor, Factor, Factor]:
    """Return the factors with the unit in w, residues 0 to p - 1."""
    u, v, w = row.factors
    prime = ring.prime
    scaled = tuple(entry * row.unit for entry in w)
    return (
        tuple(entry % prime if prime else entry for entry in u),
        tuple(entry % prime if prime else entry for entry in v),
        tuple(entry % prime if prime else entry for entry in scaled),
    )


def _rotate(word: int, by: int) -> int:
    return ((word << by) | (word >> (64 - by))) & _MASK
