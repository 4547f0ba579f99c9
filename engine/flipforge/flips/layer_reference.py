"""The walk of layer programs in plain Python: slow, obvious, and the oracle of the kernel.

It shares no code with it; the rules are those of `flipforge.flips.layer_walk`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from flipforge.flips.reference import Generator

__all__ = ["LayerTrace", "layer_cost", "layer_walk"]

PRIME = 2**31 - 1
FIXED = 2

Standing = tuple[list[int], list[int], int, list[list[int]]]
"""Flags, basis, cost and tableau."""

Table = Sequence[Sequence[int]]


@dataclass
class Side:
    """The cores of one side: the sums from one to the other, -1 where there is no way, and their axes."""

    left: Table
    order: Sequence[int]

    def reach(self, on: Sequence[int]) -> tuple[list[int], list[tuple[int, int]]]:
        """Return the fewest sums to each core, and axes and sums of each intermediate that is no view."""
        have = [u for u in range(len(self.order)) if u == 0 or on[u] == 1]
        nearest = [min(self.left[u][c] for u in have if self.left[u][c] >= 0) for c in range(len(self.order))]
        made = []
        for u in have[1:]:
            away = min(self.left[p][u] for p in have if p != u and self.left[p][u] >= 0)
            if away:
                made.append((self.order[u], away))
        return nearest, made


@dataclass
class LayerTrace:
    """A state on its walk, and what was counted."""

    on: list[int]
    basis: list[int]
    cost: int
    counts: dict[str, int] = field(default_factory=dict)


def layer_cost(
    on: Sequence[int],
    basis: Sequence[int],
    cells: Table,
    joints: Sequence[int],
    sides: tuple[Side, Side],
    powers: Sequence[int],
) -> int:
    """Return the elements that a program touches, instruction by instruction."""
    source, sink = sides
    split = len(source.order)
    (near_s, made_s), (near_t, made_t) = source.reach(on[:split]), sink.reach(on[split:])
    total = sum(powers[order + away] for order, away in made_s + made_t)
    for diagram in basis:
        c, t = cells[diagram]
        total += joints[diagram] * powers[near_s[c] + near_t[t]]
    return total


def layer_walk(
    on: Sequence[int],
    basis: Sequence[int],
    tableau: Table,
    cells: Table,
    joints: Sequence[int],
    sides: tuple[Side, Side],
    powers: Sequence[int],
    *,
    goal: int,
    steps: int,
    path: int,
    idle: int,
    band: int,
    seed: Sequence[int],
) -> LayerTrace:
    """Walk as `flipforge.flips.layer_walk` does."""
    generator = Generator(seed)
    sizes = [len(side.order) for side in sides]
    charge = 1 + (sizes[0] ** 2 + sizes[1] ** 2 + sizes[0] * sizes[1]) // 256
    now = LayerTrace(list(on), list(basis), layer_cost(on, basis, cells, joints, sides, powers))
    rows = [list(row) for row in tableau]
    first = best = (now.on[:], now.basis[:], now.cost, rows)
    counts = dict.fromkeys(("moves", "accepted", "swaps", "plus", "restarts"), 0)
    taken = walked = since = kick = 0
    while taken < steps:
        if walked >= path:
            now.on, now.basis, now.cost, rows = _copied(first)
            walked = since = kick = 0
            counts["restarts"] += 1
        if since >= idle:
            if best[2] <= goal:
                break
            now.on, now.basis, now.cost, rows = _copied(best)
            since, kick = 0, 1 + band
            counts["plus"] += 1
        taken, walked, since = taken + charge, walked + charge, since + charge
        counts["moves"] += 1
        bits = generator.next() >> 1
        trial = now.on[:], now.basis[:]
        swap = None
        if bits & 7 == 7 and len(cells) > len(basis):
            joining, row = _below(bits, len(cells)), _below(generator.next() >> 1, len(basis))
            while rows[row][joining] == 0:
                row = (row + 1) % len(basis)
            if trial[1][row] == joining:
                continue
            trial[1][row] = joining
            swap = row, joining
        else:
            one = _below(bits, len(on))
            other = _below(generator.next() >> 1, len(on)) if bits & 7 >= 5 else one
            if FIXED in (trial[0][one], trial[0][other]) or (one != other and trial[0][one] == trial[0][other]):
                continue
            for place in {one, other}:
                trial[0][place] = 1 - trial[0][place]
        cost = layer_cost(*trial, cells, joints, sides, powers)
        if cost > now.cost and not kick:
            continue
        counts["accepted"] += 1
        counts["swaps"] += swap is not None
        now.on, now.basis, now.cost = *trial, cost
        kick = max(0, kick - 1)
        if swap:
            rows = _pivoted(rows, *swap)
        if cost < best[2]:
            best, since = _copied((now.on, now.basis, cost, rows)), 0
    flags, chosen, record, _ = best
    for place in range(len(flags)):
        if flags[place] == 1:
            fewer = [*flags[:place], 0, *flags[place + 1 :]]
            cost = layer_cost(fewer, chosen, cells, joints, sides, powers)
            if cost <= record:
                flags, record = fewer, cost
    return LayerTrace(flags, chosen, record, {**counts, "steps": taken})


def _copied(
    state: tuple[list[int], list[int], int, list[list[int]]],
) -> tuple[list[int], list[int], int, list[list[int]]]:
    on, basis, cost, rows = state
    return on[:], basis[:], cost, [row[:] for row in rows]


def _below(bits: int, n: int) -> int:
    return ((bits >> 32) * n) >> 31


def _pivoted(rows: list[list[int]], row: int, column: int) -> list[list[int]]:
    """Return the tableau after one step of Gauss and Jordan modulo the prime."""
    inverse = pow(rows[row][column], -1, PRIME)
    lead = [x * inverse % PRIME for x in rows[row]]
    return [
        lead if i == row else [(x - other[column] * y) % PRIME for x, y in zip(other, lead, strict=True)]
        for i, other in enumerate(rows)
    ]
