"""The wide kernel: factors of any number of words, and any number of rows.

Per axis a table of buckets; the rows of a bucket are chained in ascending order, and which of them hold a given value
is decided by comparing the values, never their hashes.
"""

import numpy as np
from numpy.typing import NDArray

from flipforge.flips._jit import inlined, kernel
from flipforge.flips._lanes import members, nth
from flipforge.flips._moves import Index, accumulate, add_row, agree, clear, draw, is_zero

__all__ = ["run"]

_WORD_BITS = 64


@inlined
def _bucket(table: NDArray[np.uint64], axis: Index, row: Index, heads: NDArray[np.int32]) -> Index:
    mixed = np.uint64(0)
    for word in range(table.shape[2]):
        mixed = (mixed ^ table[axis, row, word]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(32)
    return np.int64(mixed & np.uint64(heads.shape[1] - 1))


@inlined
def _mark(have: NDArray[np.uint64], sizes: NDArray[np.int64], axis: Index, row: Index, partnered: bool) -> None:
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
    axis: Index,
    row: Index,
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
    axis: Index,
    row: Index,
) -> None:
    bucket = _bucket(table, axis, row, heads)
    before, at, partnered = -1, heads[axis, bucket], False
    while at >= 0:
        if at < row:
            before = at
        if agree(table, axis, row, at):
            partnered = True
            _mark(have, sizes, axis, at, True)
        at = chain[axis, at]
    if before < 0:
        chain[axis, row] = heads[axis, bucket]
        heads[axis, bucket] = row
    else:
        chain[axis, row] = chain[axis, before]
        chain[axis, before] = row
    _mark(have, sizes, axis, row, partnered)


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
def _partnered(have: NDArray[np.uint64], axis: Index, pick: np.uint64) -> Index:
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
    axis: Index,
    row: Index,
    low: np.uint64,
) -> Index:
    size = 0
    at = heads[axis, _bucket(table, axis, row, heads)]
    while at >= 0:
        if at != row and agree(table, axis, row, at):
            group[size] = at
            size += 1
        at = chain[axis, at]
    partner: Index = group[np.int64((low * np.uint64(size)) >> np.uint64(32))]
    return partner


@inlined
def _sweep(table: NDArray[np.uint64], row: Index) -> None:
    for axis in range(3):
        if is_zero(table, axis, row):
            clear(table, row)
            return


@kernel
def run(
    table: NDArray[np.uint64],
    heads: NDArray[np.int32],
    chain: NDArray[np.int32],
    have: NDArray[np.uint64],
    seed: NDArray[np.uint64],
    tally: NDArray[np.int64],
    sizes: NDArray[np.int64],
    group: NDArray[np.int64],
    goal: int,
    steps: int,
    idle: int,
    limit: int,
) -> None:
    """Walk in place.

    ``heads`` and ``chain`` are the buckets, ``have`` the rows that have a partner, as bits, ``sizes`` how many they
    are, ``group`` room for one group. ``tally`` holds the rank, and takes the rank, the steps, the plus transitions and
    the number of (axis, row) with a partner at the end.
    """
    state = (seed[0], seed[1], seed[2], seed[3])
    rank = tally[0]
    lowest = rank
    taken = plus = since = 0
    _index(table, heads, chain, have, sizes)
    while True:
        total = sizes[0] + sizes[1] + sizes[2]
        if rank <= goal or taken >= steps:
            break
        word, state = draw(state)
        if total == 0 or since >= idle:
            since = 0
            if rank < limit and add_row(table, rank, word):
                taken += 1
                plus += 1
                rank += 1
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
        taken += 1
        since += 1
        gone = 0
        changed, source = row, other
        for step in range(1, 3):
            place = (axis + step) % 3
            _remove(table, heads, chain, have, sizes, place, changed)
            accumulate(table, place, changed, source)
            if is_zero(table, place, changed):
                gone += 1
            else:
                _insert(table, heads, chain, have, sizes, place, changed)
            changed, source = source, changed
        if gone > 0:
            _sweep(table, row)
            _sweep(table, other)
            rank -= gone
            if rank < lowest:
                lowest = rank
                since = 0
            _index(table, heads, chain, have, sizes)
    tally[0], tally[1], tally[2], tally[3] = rank, taken, plus, total
