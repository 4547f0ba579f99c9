"""The walk that shares sums in plain Python, draw for draw as the kernel makes it: what tests compare with."""

from collections.abc import Sequence

__all__ = ["Draws", "improve"]

Pair = tuple[int, int, int]
Rows = list[dict[int, int]]

_MASK = (1 << 64) - 1


class Draws:
    """splitmix64 (Steele, Lea and Flood 2014)."""

    def __init__(self, word: int) -> None:
        self.word = word

    def next(self) -> int:
        """Return 64 bits."""
        self.word = (self.word + 0x9E3779B97F4A7C15) & _MASK
        z = self.word
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
        return z ^ (z >> 31)


def improve(
    codes: Sequence[Sequence[int]],
    table: Sequence[Sequence[int]],
    start: Sequence[Pair],
    *,
    steps: int,
    goal: int,
    weight: int,
    seed: int,
) -> tuple[list[Pair], int, int]:
    """Return what the kernel does; see `flipforge_codegen.passes._sharing_kernel.improve`."""
    draws = Draws(seed)
    current, best = list(start), list(start)
    cost = lowest = 1 << 40
    used, first = 0, True
    while True:
        rows = [{column: code for column, code in enumerate(row) if code} for row in codes]
        choice = draws.next()
        drop = 0 if first else 128 if (choice >> 6) & 31 == 0 else 4 + (choice & 63)
        heavy = weight
        if weight < 0:
            heavy = (choice >> 16) & 3
            heavy = 1 << heavy if heavy else 0
        noise = 2047 if (choice >> 20) & 3 == 0 else 255
        pairs = _kept(rows, table, current, len(codes[0]), drop, draws)
        _finished(rows, table, pairs, len(codes[0]), heavy, noise, draws)
        used += len(pairs) + 1
        total = len(pairs) + sum(max(0, len(row) - 1) for row in rows)
        if total <= cost:
            cost, current = total, pairs
        if total < lowest:
            lowest, best = total, pairs
        first = False
        if lowest <= goal or used >= steps:
            return best, lowest, used


def _kept(
    rows: Rows, table: Sequence[Sequence[int]], old: Sequence[Pair], inputs: int, drop: int, draws: Draws
) -> list[Pair]:
    pairs: list[Pair] = []
    names: dict[int, int] = {column: column for column in range(inputs)}
    for number, (x, y, kind) in enumerate(old):
        dropped = draws.next() & 127 < drop
        if dropped or x not in names or y not in names:
            continue
        pair = (names[x], names[y], kind)
        if sum(_holds(row, pair, table) for row in rows) < 2:
            continue
        names[inputs + number] = _share(rows, pair, table, inputs + len(pairs))
        pairs.append(pair)
    return pairs


def _finished(
    rows: Rows, table: Sequence[Sequence[int]], pairs: list[Pair], inputs: int, weight: int, noise: int, draws: Draws
) -> None:
    while True:
        counts = _counts(rows, table)
        best: tuple[int, Pair] | None = None
        for pair in sorted(counts):
            if counts[pair] < 2:
                continue
            score = 8 * (counts[pair] - 1)
            if weight:
                after = [dict(row) for row in rows if _holds(row, pair, table)]
                column = _share(after, pair, table, inputs + len(pairs))
                score += weight * sum(uses - 1 for made, uses in _counts(after, table).items() if made[1] == column)
            score = 256 * score + (draws.next() & noise)
            if best is None or score > best[0]:
                best = (score, pair)
        if best is None:
            return
        _share(rows, best[1], table, inputs + len(pairs))
        pairs.append(best[1])


def _counts(rows: Rows, table: Sequence[Sequence[int]]) -> dict[Pair, int]:
    counts: dict[Pair, int] = {}
    for row in rows:
        for a in row:
            for b in row:
                if a < b and table[row[a]][row[b]] >= 0:
                    pair = (a, b, table[row[a]][row[b]])
                    counts[pair] = counts.get(pair, 0) + 1
    return counts


def _holds(row: dict[int, int], pair: Pair, table: Sequence[Sequence[int]]) -> bool:
    a, b, kind = pair
    return a in row and b in row and table[row[a]][row[b]] == kind


def _share(rows: Rows, pair: Pair, table: Sequence[Sequence[int]], column: int) -> int:
    for row in rows:
        if _holds(row, pair, table):
            row[column] = row.pop(pair[0])
            del row[pair[1]]
    return column
