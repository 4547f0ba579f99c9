"""The mask kernel: factors of one word, and few enough rows that a set of rows is a handful of machine words.

No table of groups is kept. The rows that hold a value are found when they are needed, by comparing all lanes at once; only the set of
rows that have a partner is stored, one per axis, and brought up to date without a branch.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.flips._jit import inlined, kernel
from flipforge.flips._lanes import equal, join, load_set, meet, members, minus, nth, put, single, store_set, when
from flipforge.flips._moves import add_row, settle

__all__ = ["run"]


@inlined
def _regroup(have: Any, row: Any, old: Any, new: Any) -> Any:
    """Rows with a partner after a row left the rows ``old`` and joined the rows ``new`` (both without itself)."""
    have = minus(have, join(row, when(members(old) == 1, old)))
    return join(have, when(members(new) != 0, join(row, new)))


@kernel
def _index(table: NDArray[np.unsignedinteger], lanes: NDArray[np.unsignedinteger], sets: NDArray[np.unsignedinteger], like: Any) -> None:
    slots = np.uint64(table.shape[1])
    for axis in range(3):
        have = like
        for row in range(table.shape[1]):
            if table[0, row, 0] != 0:
                same = equal(lanes, np.uint64(axis) * slots, table[axis, row, 0], like)
                have = join(have, when(members(same) > 1, same))
        store_set(sets, np.uint64(axis), have)


@kernel
def run(
    table: NDArray[np.unsignedinteger],
    lanes: NDArray[np.unsignedinteger],
    sets: NDArray[np.unsignedinteger],
    seed: NDArray[np.uint64],
    tally: NDArray[np.int64],
    goal: int,
    steps: int,
    idle: int,
    limit: int,
    like: Any,
) -> None:
    """Walk in place; ``lanes`` is ``table`` flattened, ``like`` an empty set, ``tally`` as in the wide kernel."""
    slots = np.uint64(table.shape[1])
    rows = np.empty(3, np.int64)
    s0, s1, s2, s3 = seed[0], seed[1], seed[2], seed[3]
    rank = tally[0]
    lowest = rank
    taken = plus = since = 0
    _index(table, lanes, sets, like)
    while rank > goal and taken < steps:
        word = s0 + s3
        word = ((word << np.uint64(23)) | (word >> np.uint64(41))) + s0
        t = s1 << np.uint64(17)
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= t
        s3 = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))

        first = members(load_set(sets, np.uint64(0), like))
        second = first + members(load_set(sets, np.uint64(1), like))
        total = second + members(load_set(sets, np.uint64(2), like))
        if total == 0 or since >= idle:
            since = 0
            axis = add_row(table, rank, word, rows) if rank < limit else -1
            if axis >= 0:
                taken += 1
                plus += 1
                rank += 1
                gone = settle(table, rows[0], (axis + 1) % 3)
                gone += settle(table, rows[1], axis)
                gone += settle(table, rows[1], (axis + 2) % 3)
                gone += settle(table, rows[2], axis)
                rank -= gone
                lowest = min(lowest, rank)
                _index(table, lanes, sets, like)
                continue
            if total == 0:
                break

        pick = ((word >> np.uint64(32)) * total) >> np.uint64(32)
        axis0 = np.uint64(pick >= first) + np.uint64(pick >= second)
        pick -= np.uint64(0) if pick < first else (first if pick < second else second)
        axis1 = np.uint64(0) if axis0 == 2 else axis0 + np.uint64(1)
        axis2 = np.uint64(2) if axis0 == 0 else axis0 - np.uint64(1)
        row = nth(load_set(sets, axis0, like), pick)
        here = single(row, like)
        base0, base1, base2 = axis0 * slots, axis1 * slots, axis2 * slots
        shared = minus(equal(lanes, base0, lanes[base0 + row], like), here)
        other = nth(shared, ((word & np.uint64(0xFFFFFFFF)) * members(shared)) >> np.uint64(32))
        there = single(other, like)

        b, b_other = lanes[base1 + row], lanes[base1 + other]
        c, c_other = lanes[base2 + row], lanes[base2 + other]
        b_new, c_new = b ^ b_other, c ^ c_other
        b_old_group = like
        if members(meet(load_set(sets, axis1, like), here)) != 0:
            b_old_group = minus(equal(lanes, base1, b, like), here)
        b_new_group = equal(lanes, base1, b_new, like)
        c_old_group = like
        if members(meet(load_set(sets, axis2, like), there)) != 0:
            c_old_group = minus(equal(lanes, base2, c_other, like), there)
        c_new_group = equal(lanes, base2, c_new, like)
        twins = like
        if members(b_new_group) + members(c_new_group) != 0:
          twins = join(
            meet(b_new_group, join(shared, equal(lanes, base2, c, like))),
            meet(c_new_group, join(shared, equal(lanes, base1, b_other, like))),
        )
        put(lanes, base1 + row, b_new)
        put(lanes, base2 + other, c_new)
        taken += 1
        since += 1
        if b_new == 0 or c_new == 0 or members(twins) != 0:
            gone = settle(table, np.int64(row), np.int64(axis1))
            gone += settle(table, np.int64(other), np.int64(axis2))
            rank -= gone
            if rank < lowest:
                lowest = rank
                since = 0
            _index(table, lanes, sets, like)
            continue
        store_set(sets, axis1, _regroup(load_set(sets, axis1, like), here, b_old_group, b_new_group))
        store_set(sets, axis2, _regroup(load_set(sets, axis2, like), there, c_old_group, c_new_group))
    left = np.uint64(0)
    for axis in range(3):
        left += members(load_set(sets, np.uint64(axis), like))
    tally[0], tally[1], tally[2], tally[3] = rank, taken, plus, left
