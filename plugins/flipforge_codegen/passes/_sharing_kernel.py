"""The walk that shares sums, compiled: arrays in, arrays out. `flipforge_codegen.passes.reference` is its plain twin.

The sums of a linear map are rows of codes, 0 for no entry and the number of a coefficient otherwise. A *pair* is
(a, b, class), a < b: both columns in a row, the ratio of their coefficients of that class. *Sharing* a pair makes a new
column of it; each row that holds the pair has the code of a there in place of both. A program is its list of pairs.

Source of the choice: Martensson and Wagner, "The number of the beast: reducing additions in fast matrix multiplication"
(ePrint 2024/2063), who add to what a pair saves what the pairs may save that it makes.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.jit import kernel

__all__ = ["draw", "improve"]

Array = npt.NDArray[Any]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


@kernel
def draw(word: Array) -> Any:
    """Draw from splitmix64 (Steele, Lea and Flood 2014)."""
    word[0] += _GOLDEN
    z = word[0]
    z = (z ^ (z >> np.uint64(30))) * _MIX1
    z = (z ^ (z >> np.uint64(27))) * _MIX2
    return z ^ (z >> np.uint64(31))


@kernel
def _count(work: Array, row: int, column: int, table: Array, counts: Array, columns: int, by: int) -> None:
    """Add ``by`` to the counts of all pairs of a column with the others of a row."""
    code = work[row, column]
    for other in range(columns):
        found = work[row, other]
        if found and other != column:
            if other < column:
                kind = table[found, code]
                if kind >= 0:
                    counts[other, column, kind] += by
            else:
                kind = table[code, found]
                if kind >= 0:
                    counts[column, other, kind] += by


@kernel
def _share(work: Array, a: int, b: int, kind: int, table: Array, counts: Array, columns: int) -> int:
    """Make column ``columns`` of a pair; return in how many rows it stood."""
    uses = 0
    for row in range(len(work)):
        x, y = work[row, a], work[row, b]
        if x and y and table[x, y] == kind:
            uses += 1
            _count(work, row, a, table, counts, columns, -1)
            work[row, a] = 0
            _count(work, row, b, table, counts, columns, -1)
            work[row, b] = 0
            work[row, columns] = x
            _count(work, row, columns, table, counts, columns, 1)
    return uses


@kernel
def _potential(work: Array, a: int, b: int, kind: int, table: Array, seen: Array, columns: int) -> int:
    """Return what the pairs of a new column with those that are there would save."""
    for row in range(len(work)):
        x, y = work[row, a], work[row, b]
        if x and y and table[x, y] == kind:
            for other in range(columns):
                found = work[row, other]
                if found and other not in (a, b):
                    ratio = table[found, x]
                    if ratio >= 0:
                        seen[other, ratio] += 1
    total = 0
    for other in range(columns):
        for ratio in range(seen.shape[1]):
            total += max(0, seen[other, ratio] - 1)
            seen[other, ratio] = 0
    return total


@kernel
def _finish(
    work: Array,
    table: Array,
    counts: Array,
    seen: Array,
    pairs: Array,
    made: int,
    inputs: int,
    weight: int,
    noise: Any,
    word: Array,
) -> int:
    """Share the pair that seems best until none saves anything; return the number of pairs."""
    while made < len(pairs):
        columns = inputs + made
        best, a, b, kind = np.int64(0), 0, 0, 0
        for first in range(columns):
            for second in range(first + 1, columns):
                for ratio in range(counts.shape[2]):
                    uses = counts[first, second, ratio]
                    if uses < 2:
                        continue
                    score = np.int64(8 * (uses - 1))
                    if weight:
                        score += weight * _potential(work, first, second, ratio, table, seen, columns)
                    score = 256 * score + np.int64(draw(word) & noise)
                    if score > best:
                        best, a, b, kind = score, first, second, ratio
        if best == 0:
            break
        _share(work, a, b, kind, table, counts, columns)
        pairs[made, 0], pairs[made, 1], pairs[made, 2] = a, b, kind
        made += 1
    return made


@kernel
def _begin(codes: Array, table: Array, work: Array, counts: Array) -> None:
    rows, inputs = codes.shape
    work[:] = 0
    counts[:] = 0
    for row in range(rows):
        for column in range(inputs):
            if codes[row, column]:
                work[row, column] = codes[row, column]
                _count(work, row, column, table, counts, column, 1)


@kernel
def _keep(
    work: Array,
    table: Array,
    counts: Array,
    old: Array,
    pairs: Array,
    names: Array,
    inputs: int,
    drop: Any,
    word: Array,
) -> int:
    """Share again those old pairs that are not dropped, are made of what is there and still stand in two rows."""
    made = 0
    for column in range(inputs):
        names[column] = column
    for number in range(len(old)):
        names[inputs + number] = -1
        a, b, kind = names[old[number, 0]], names[old[number, 1]], old[number, 2]
        dropped = (draw(word) & np.uint64(127)) < drop
        if dropped or a < 0 or b < 0:
            continue
        # Columns keep their order, so a stays below b.
        if counts[a, b, kind] < 2:
            continue
        _share(work, a, b, kind, table, counts, inputs + made)
        names[inputs + number] = inputs + made
        pairs[made, 0], pairs[made, 1], pairs[made, 2] = a, b, kind
        made += 1
    return made


@kernel
def improve(
    codes: Array, table: Array, classes: int, start: Array, most: int, steps: int, goal: int, weight: int, word: Array
) -> tuple[Array, int, int]:
    """Drop pairs of a program at random and share again, as long as it gets no worse.

    Parameters
    ----------
    codes
        (rows, inputs) int16.
    table
        (units + 1, units + 1) int16: class of the ratio of two coefficients, -1 where it is not shared.
    start
        (pairs, 3) int32; without any the first round is a greedy one.
    most
        Room for so many pairs.
    steps, goal
        Rounds end when so many pairs were shared, or the cost is at most the goal.
    weight
        How much what a pair makes possible counts, in eighths of what it saves; below 0 it is drawn in each round.
    word
        (1,) uint64 of a splitmix64 generator.

    Returns
    -------
    pairs, cost, steps
        The best program, its additions, and the pairs that were shared.
    """
    rows, inputs = codes.shape
    width = inputs + most
    work = np.zeros((rows, width), np.int16)
    counts = np.zeros((width, width, classes), np.int16)
    seen = np.zeros((width, classes), np.int32)
    names = np.zeros(width, np.int64)
    pairs = np.zeros((most, 3), np.int32)
    current = start.copy()
    best = start.copy()
    cost: Any = np.int64(1) << 40
    lowest = cost
    used = 0
    first = True
    while True:
        _begin(codes, table, work, counts)
        choice = draw(word)
        drop = np.uint64(0)
        if not first:
            drop = np.uint64(4) + (choice & np.uint64(63))
            if (choice >> np.uint64(6)) & np.uint64(31) == 0:
                drop = np.uint64(128)
        heavy: Any = weight
        if weight < 0:
            heavy = np.int64((choice >> np.uint64(16)) & np.uint64(3))
            heavy = 0 if heavy == 0 else 1 << heavy
        noise = np.uint64(2047) if (choice >> np.uint64(20)) & np.uint64(3) == 0 else np.uint64(255)
        made = _keep(work, table, counts, current, pairs, names, inputs, drop, word)
        made = _finish(work, table, counts, seen, pairs, made, inputs, heavy, noise, word)
        used += made + 1
        total: Any = np.int64(made)
        for row in range(rows):
            length = 0
            for column in range(inputs + made):
                length += work[row, column] != 0
            total += max(0, length - 1)
        if total <= cost:
            cost = total
            current = pairs[:made].copy()
        if total < lowest:
            lowest = total
            best = pairs[:made].copy()
        first = False
        if lowest <= goal or used >= steps:
            return best, lowest, used
