"""The mask kernel: factors of one word, and few enough rows that a set of rows is a handful of machine words.

No table of groups is kept. The rows that hold a value are found when they are needed, by comparing all lanes at once;
only the set of rows that have a partner is stored, one per axis.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.flips._jit import inlined, kernel
from flipforge.flips._lanes import equal, join, load_set, meet, members, minus, nth, single, store_set, when
from flipforge.flips._moves import add_row, clear, draw

__all__ = ["run"]

Lanes = NDArray[np.unsignedinteger]


@inlined
def _leave(lanes: Lanes, base: Any, value: Any, row: Any, have: Any, like: Any) -> Any:
    """Rows with a partner once a row no longer holds its value."""
    if members(meet(have, row)) != 0:
        group = minus(equal(lanes, base, value, like), row)
        have = minus(have, join(row, when(members(group) == 1, group)))
    return have


@inlined
def _enter(lanes: Lanes, base: Any, value: Any, row: Any, have: Any, like: Any) -> Any:
    """Rows with a partner once a row holds a new value, which its lane must not hold yet."""
    group = equal(lanes, base, value, like)
    return join(have, when(members(group) != 0, join(row, group)))


@inlined
def _choose(word: Any, first: Any, second: Any, total: Any) -> Any:
    """Axis of an entry below ``total`` and its number there; axes 1 and 2 begin at ``first`` and ``second``."""
    pick = ((word >> np.uint64(32)) * total) >> np.uint64(32)
    start = np.uint64(0) if pick < first else (first if pick < second else second)
    return np.uint64(pick >= first) + np.uint64(pick >= second), pick - start


@kernel
def _index(table: Lanes, lanes: Lanes, sets: Lanes, like: Any) -> None:
    slots = np.uint64(table.shape[1])
    for axis in range(3):
        have = like
        for row in range(table.shape[1]):
            if table[0, row, 0] != 0:
                group = equal(lanes, np.uint64(axis) * slots, table[axis, row, 0], like)
                have = join(have, when(members(group) > 1, group))
        store_set(sets, np.uint64(axis), have)


@kernel
def run(
    table: Lanes,
    lanes: Lanes,
    sets: Lanes,
    seed: NDArray[np.uint64],
    tally: NDArray[np.int64],
    goal: int,
    steps: int,
    idle: int,
    limit: int,
    like: Any,
) -> None:
    """Walk in place: ``lanes`` is ``table`` flattened, ``like`` an empty set, ``tally`` as in the wide kernel."""
    slots = np.uint64(table.shape[1])
    state = (seed[0], seed[1], seed[2], seed[3])
    rank = tally[0]
    lowest = rank
    taken = plus = since = 0
    _index(table, lanes, sets, like)
    while True:
        first = members(load_set(sets, np.uint64(0), like))
        second = first + members(load_set(sets, np.uint64(1), like))
        total = second + members(load_set(sets, np.uint64(2), like))
        if rank <= goal or taken >= steps:
            break
        word, state = draw(state)
        if total == 0 or since >= idle:
            since = 0
            if rank < limit and add_row(table, rank, word):
                taken += 1
                plus += 1
                rank += 1
                _index(table, lanes, sets, like)
                continue
            if total == 0:
                break

        axis0, pick = _choose(word, first, second, total)
        axis1 = np.uint64(0) if axis0 == 2 else axis0 + np.uint64(1)
        axis2 = np.uint64(2) if axis0 == 0 else axis0 - np.uint64(1)
        base0, base1, base2 = axis0 * slots, axis1 * slots, axis2 * slots
        row = nth(load_set(sets, axis0, like), pick)
        here = single(row, like)
        group = minus(equal(lanes, base0, lanes[base0 + row], like), here)
        other = nth(group, ((word & np.uint64(0xFFFFFFFF)) * members(group)) >> np.uint64(32))
        there = single(other, like)

        b, b_sum = lanes[base1 + row], lanes[base1 + row] ^ lanes[base1 + other]
        c, c_sum = lanes[base2 + other], lanes[base2 + row] ^ lanes[base2 + other]
        taken += 1
        since += 1
        if b_sum == 0 or c_sum == 0:
            lanes[base1 + row], lanes[base2 + other] = b_sum, c_sum
            if b_sum == 0:
                clear(table, row)
            if c_sum == 0:
                clear(table, other)
            rank -= np.int64(b_sum == 0) + np.int64(c_sum == 0)
            if rank < lowest:
                lowest = rank
                since = 0
            _index(table, lanes, sets, like)
            continue
        # All compares come before the stores: a vector load just after a store into it waits for the cache.
        have1 = _leave(lanes, base1, b, here, load_set(sets, axis1, like), like)
        have2 = _leave(lanes, base2, c, there, load_set(sets, axis2, like), like)
        have1 = _enter(lanes, base1, b_sum, here, have1, like)
        have2 = _enter(lanes, base2, c_sum, there, have2, like)
        lanes[base1 + row], lanes[base2 + other] = b_sum, c_sum
        store_set(sets, axis1, have1)
        store_set(sets, axis2, have2)
    tally[0], tally[1], tally[2], tally[3] = rank, taken, plus, total
