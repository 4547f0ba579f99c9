"""The wide kernel: factors of any number of words, and any number of rows.

Per axis a table of buckets; the rows of a bucket are chained in ascending order, and which of them hold a given value is decided by
comparing the values, never their hashes.
"""

import numpy as np
from numpy.typing import NDArray

from flipforge.flips._jit import inlined, kernel
from flipforge.flips._lanes import members, nth
from flipforge.flips._moves import accumulate, add_row, agree, is_zero, settle

__all__ = ["run"]

_WORD_BITS = 64


@inlined
def _bucket(table: NDArray[np.uint64], axis: int, row: int, heads: NDArray[np.int32]) -> int:
    mixed = np.uint64(0)
    for word in range(table.shape[2]):
        mixed = (mixed ^ table[axis, row, word]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(32)
    return np.int64(mixed & np.uint64(heads.shape[1] - 1))


@inlined
def _mark(have: NDArray[np.uint64], sizes: NDArray[np.int64], axis: int, row: int, partnered: bool) -> None:
    word, bit = row // _WORD_BITS, np.uint64(row % _WORD_BITS)
    before = (have[axis, word] >> bit) & np.uint64(1)
    sizes[axis] += np.int64(partnered) - np.int64(before)
    have[axis, word] ^= (before ^ np.uint64(partnered)) << bit


@inlined
def _remove(
    table: NDArray[np.uint64],
    heads: NDArray[np.int32],
    chain: NDArray[np.int32],
    have: NDArray[np.uint64],
    sizes: NDArray[np.int64],
    axis: int,
    row: int,
) -> None:
    bucket = _bucket(table, axis, row, heads)
    before, at, same, last = -1, heads[axis, bucket], 0, -1
    while at >= 0:
        following = chain[axis, at]
        if at == row:
            if before < 0:
                heads[axis, bucket] = following
            else:
                chain[axis, before] = following
        else:
            if agree(table, axis, row, at):
                same += 1
                last = at
            before = at
        at = following
    if same == 1:
        _mark(have, sizes, axis, last, False)
    _mark(have, sizes, axis, row, False)


@inlined
def _insert(
    table: NDArray[np.uint64],
    heads: NDArray[np.int32],
    chain: NDArray[np.int32],
    have: NDArray[np.uint64],
    sizes: NDArray[np.int64],
    axis: int,
    row: int,
) -> bool:
    """Link a row into its bucket; tell whether another row now agrees with it on this axis and on one more."""
    bucket = _bucket(table, axis, row, heads)
    before, at, twin, partnered = -1, heads[axis, bucket], False, False
    while at >= 0:
        if at < row:
            before = at
        if agree(table, axis, row, at):
            partnered = True
            _mark(have, sizes, axis, at, True)
            twin |= agree(table, (axis + 1) % 3, row, at) or agree(table, (axis + 2) % 3, row, at)
        at = chain[axis, at]
    if before < 0:
        chain[axis, row] = heads[axis, bucket]
        heads[axis, bucket] = row
    else:
        chain[axis, row] = chain[axis, before]
        chain[axis, before] = row
    _mark(have, sizes, axis, row, partnered)
    return twin


@kernel
def _index(
    table: NDArray[np.uint64],
    heads: NDArray[np.int32],
    chain: NDArray[np.int32],
    have: NDArray[np.uint64],
    sizes: NDArray[np.int64],
) -> None:
    heads[:] = -1
    have[:] = 0
    sizes[:] = 0
    for axis in range(3):
        for row in range(table.shape[1]):
            if not is_zero(table, axis, row):
                _insert(table, heads, chain, have, sizes, axis, row)


@inlined
def _partnered(have: NDArray[np.uint64], axis: int, pick: np.uint64) -> int:
    word = 0
    size = members((have[axis, 0],))
    while pick >= size:
        pick -= size
        word += 1
        size = members((have[axis, word],))
    return word * _WORD_BITS + np.int64(nth((have[axis, word],), pick))


@inlined
def _partner(
    table: NDArray[np.uint64],
    heads: NDArray[np.int32],
    chain: NDArray[np.int32],
    group: NDArray[np.int64],
    axis: int,
    row: int,
    draw: np.uint64,
) -> int:
    size = 0
    at = heads[axis, _bucket(table, axis, row, heads)]
    while at >= 0:
        if at != row and agree(table, axis, row, at):
            group[size] = at
            size += 1
        at = chain[axis, at]
    return group[np.int64((draw * np.uint64(size)) >> np.uint64(32))]


@kernel
def run(
    table: NDArray[np.uint64],
    heads: NDArray[np.int32],
    chain: NDArray[np.int32],
    have: NDArray[np.uint64],
    seed: NDArray[np.uint64],
    tally: NDArray[np.int64],
    goal: int,
    steps: int,
    idle: int,
    limit: int,
) -> None:
    """Walk in place; ``tally`` holds the rank, then takes rank, steps, plus transitions and partnered entries."""
    sizes = np.zeros(3, np.int64)
    group = np.empty(table.shape[1], np.int64)
    rows = np.empty(3, np.int64)
    s0, s1, s2, s3 = seed[0], seed[1], seed[2], seed[3]
    rank = tally[0]
    lowest = rank
    taken = plus = since = 0
    _index(table, heads, chain, have, sizes)
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

        total = sizes[0] + sizes[1] + sizes[2]
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
                _index(table, heads, chain, have, sizes)
                continue
            if total == 0:
                break

        pick = np.int64(((word >> np.uint64(32)) * np.uint64(total)) >> np.uint64(32))
        axis = 0
        while pick >= sizes[axis]:
            pick -= sizes[axis]
            axis += 1
        row = _partnered(have, axis, np.uint64(pick))
        other = _partner(table, heads, chain, group, axis, row, word & np.uint64(0xFFFFFFFF))
        after, last = (axis + 1) % 3, (axis + 2) % 3
        _remove(table, heads, chain, have, sizes, after, row)
        _remove(table, heads, chain, have, sizes, last, other)
        accumulate(table, after, row, other)
        accumulate(table, last, other, row)
        twin = _insert(table, heads, chain, have, sizes, after, row)
        twin |= _insert(table, heads, chain, have, sizes, last, other)
        taken += 1
        since += 1
        if twin or is_zero(table, after, row) or is_zero(table, last, other):
            gone = settle(table, row, after)
            gone += settle(table, other, last)
            rank -= gone
            if rank < lowest:
                lowest = rank
                since = 0
            _index(table, heads, chain, have, sizes)
    tally[0], tally[1], tally[2], tally[3] = rank, taken, plus, sizes[0] + sizes[1] + sizes[2]
