"""The walk, compiled once for each kind of factor and number of rows.

No table of groups is kept. Each row has a key on each axis, with which the rows that hold a value are found when they
are needed, by comparing all keys at once; only the set of rows that have a partner is stored, one per axis. Keys are
hashes where factors are longer than a key, but among the rows of an axis equal keys always mean equal factors: when a
new factor shares its key with another one, the axis gets another hash.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.flips._added_rows import add_row
from flipforge.flips._kinds import (
    combine,
    divide,
    is_own_key,
    is_zero,
    key_of,
    load,
    meets,
    negate,
    same,
    store,
    times,
    unit,
    units,
    zero,
)
from flipforge.flips._lanes import (
    equal,
    is_one_block,
    join,
    load_set,
    lowest,
    meet,
    members,
    minus,
    nth,
    single,
    store_set,
    when,
)
from flipforge.jit import inlined, kernel

__all__ = ["RANK", "SALT", "TALLY", "draw", "normalise", "run"]

Table = NDArray[np.unsignedinteger]
Words = tuple[np.uint64, np.uint64, np.uint64, np.uint64]

TALLY = ("rank", "steps", "plus", "split", "rejected", "reductions", "restarts", "partnered")
RANK, STEPS, PLUS, SPLIT, REJECTED, REDUCTIONS, RESTARTS, PARTNERED = range(len(TALLY))

SALT = 0x9E3779B97F4A7C15
"""Of the hashes, as a walk begins."""


@inlined
def draw(state: Words) -> tuple[np.uint64, Words]:
    """xoshiro256++: 64 random bits and the next state."""
    s0, s1, s2, s3 = state
    word = s0 + s3
    word = ((word << np.uint64(23)) | (word >> np.uint64(41))) + s0
    shifted = s1 << np.uint64(17)
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))
    return word, (s0, s1, s2, s3)


@inlined
def _leave(keys: Table, base: Any, row: Any, have: Any, like: Any) -> Any:
    """Rows with a partner once a row no longer holds its value."""
    here = single(row, like)
    # One block is compared sooner than a branch is guessed wrong.
    if is_one_block(like) or members(meet(have, here)) != 0:
        group = minus(equal(keys, base, keys[base + row], like), here)
        have = minus(have, join(here, when(members(group) == 1, group)))
    return have


@inlined
def _enter(group: Any, row: Any, have: Any) -> Any:
    """Rows with a partner once a row has joined a group."""
    return join(have, when(members(group) != 0, join(single(row, have), group)))


@inlined
def _choose(word: Any, first: Any, second: Any, total: Any) -> Any:
    """Axis of an entry below ``total`` and its number there; axes 1 and 2 begin at ``first`` and ``second``."""
    pick = ((word >> np.uint64(32)) * total) >> np.uint64(32)
    start = np.uint64(0) if pick < first else (first if pick < second else second)
    return np.uint64(pick >= first) + np.uint64(pick >= second), pick - start


@inlined
def _is_taken(table: Table, keys: Table, base: Any, value: Any, key: Any, group: Any, kind: Any) -> bool:
    """Tell whether the key is that of a dead row, or the rows that have it hold another value."""
    if is_own_key(kind, keys):
        return False
    if key == 0:
        return True
    return members(group) != 0 and not same(load(kind, table, base + lowest(group)), value)


@inlined
def _hash_rows(table: Table, keys: Table, salts: NDArray[np.uint64], axis: Any, kind: Any) -> None:
    """Give every row of an axis its key under the axis's salt."""
    slots = np.uint64(keys.size) // np.uint64(3)
    for number in range(slots):
        at = axis * slots + np.uint64(number)
        value = load(kind, table, at)
        keys[at] = 0 if is_zero(value) else key_of(kind, keys, value, salts[axis])


@kernel
def _rekey(table: Table, keys: Table, salts: NDArray[np.uint64], axis: Any, kind: Any, like: Any) -> None:
    """Give the rows of an axis keys by another hash, one under which equal keys mean equal factors."""
    slots = np.uint64(keys.size) // np.uint64(3)
    base = axis * slots
    while True:
        salts[axis] = salts[axis] * np.uint64(0x5851F42D4C957F2D) + np.uint64(0x14057B7EF767814E)
        _hash_rows(table, keys, salts, axis, kind)
        taken = False
        for row in range(slots):
            value = load(kind, table, base + np.uint64(row))
            if not is_zero(value):
                key = keys[base + np.uint64(row)]
                taken |= _is_taken(table, keys, base, value, key, equal(keys, base, key, like), kind)
        if not taken:
            return


@inlined
def _find(table: Table, keys: Table, salts: NDArray[np.uint64], axis: Any, value: Any, kind: Any, like: Any) -> Any:
    """Key of a value and the set of the rows that hold it."""
    base = axis * (np.uint64(keys.size) // np.uint64(3))
    key = key_of(kind, keys, value, salts[axis])
    group = equal(keys, base, key, like)
    while _is_taken(table, keys, base, value, key, group, kind):
        _rekey(table, keys, salts, axis, kind, like)
        key = key_of(kind, keys, value, salts[axis])
        group = equal(keys, base, key, like)
    return key, group


@kernel
def _index(table: Table, keys: Table, salts: NDArray[np.uint64], sets: Table, kind: Any, like: Any) -> None:
    """Make keys and sets anew from the factors."""
    slots = np.uint64(keys.size) // np.uint64(3)
    for number in range(3):
        axis = np.uint64(number)
        base = axis * slots
        _hash_rows(table, keys, salts, axis, kind)
        have = like
        for row in range(slots):
            value = load(kind, table, base + np.uint64(row))
            if not is_zero(value):
                # Only the lowest of the group is known to hold the value: later rows may yet ask for another hash.
                _, group = _find(table, keys, salts, axis, value, kind, like)
                first = lowest(group)
                have = join(have, when(first != row, join(single(first, like), single(np.uint64(row), like))))
        store_set(sets, axis, have)


@kernel
def normalise(table: Table, scalars: Table, kind: Any) -> None:
    """Divide every factor by its first nonzero entry and collect the units in ``scalars``."""
    slots = np.uint64(scalars.size)
    one = unit(kind, np.uint64(0))
    for number in range(slots):
        row = np.uint64(number)
        scalar = one
        for axis in range(3):
            at = np.uint64(axis) * slots + row
            form, by, _ = combine(kind, zero(kind), load(kind, table, at), one)
            store(kind, table, at, form)
            scalar = times(kind, scalar, by)
        scalars[row] = scalar


@inlined
def _clear(table: Table, slots: Any, row: Any, kind: Any) -> None:
    for axis in range(3):
        store(kind, table, np.uint64(axis) * slots + row, zero(kind))


@kernel
def _merge(table: Table, scalars: Table, row: Any, other: Any, axis: Any, kind: Any) -> int:
    """Add the other row, equal on the two other axes, to a row; return how many rows have gone, 0 if it cannot."""
    slots = np.uint64(scalars.size)
    at = axis * slots + row
    ratio = divide(kind, np.uint64(scalars[other]), np.uint64(scalars[row]))
    total, by, exists = combine(kind, load(kind, table, at), load(kind, table, axis * slots + other), ratio)
    if not exists:
        return 0
    _clear(table, slots, other, kind)
    if is_zero(total):
        _clear(table, slots, row, kind)
        return 2
    store(kind, table, at, total)
    scalars[row] = times(kind, np.uint64(scalars[row]), by)
    return 1


@kernel
def run(
    table: Table,
    scalars: Table,
    keys: Table,
    sets: Table,
    first_table: Table,
    first_scalars: Table,
    seed: NDArray[np.uint64],
    tally: NDArray[np.int64],
    goal: int,
    steps: int,
    path: int,
    idle: int,
    band: int,
    kept: Any,
    kind: Any,
    like: Any,
) -> None:
    """Walk in place.

    ``table`` and ``scalars`` hold the factors and units of all slots, ``first_table`` and ``first_scalars`` a copy of
    them to begin again from; ``keys`` and ``sets`` are room for the keys and for three sets, ``like`` is an empty set.
    ``kept`` is None or three factors, the masks of what the walk holds. ``tally`` holds the rank and takes the counts
    named in `TALLY`.
    """
    slots = np.uint64(scalars.size)
    many = units(kind)
    salts = np.full(3, SALT, dtype=np.uint64)
    state = (seed[0], seed[1], seed[2], seed[3])
    rank = record = tally[RANK]
    limit = rank + band
    plus = split = np.int64(0)
    taken = rejected = reductions = restarts = since = walked = 0
    total = np.uint64(0)
    _index(table, keys, salts, sets, kind, like)
    while True:
        first = members(load_set(sets, np.uint64(0), like))
        second = first + members(load_set(sets, np.uint64(1), like))
        total = second + members(load_set(sets, np.uint64(2), like))
        if rank <= goal or taken >= steps:
            break
        again = walked >= path
        word = np.uint64(0)
        if not again:
            word, state = draw(state)
            if total == 0 or since >= idle:
                since = 0
                if rank < limit:
                    extra, state = draw(state)
                    made = add_row(table, scalars, kept, rank, word, extra, kind)
                    if made != 0:
                        taken += 1
                        walked += 1
                        rank += 1
                        plus += np.int64(made == 1)
                        split += np.int64(made == 2)
                        _index(table, keys, salts, sets, kind, like)
                        continue
                again = total == 0
        if again:
            if walked == 0:
                break
            table[:] = first_table
            scalars[:] = first_scalars
            rank = record = tally[RANK]
            since = walked = 0
            restarts += 1
            _index(table, keys, salts, sets, kind, like)
            continue

        axis0, pick = _choose(word, first, second, total)
        axis1 = np.uint64(0) if axis0 == 2 else axis0 + np.uint64(1)
        axis2 = np.uint64(2) if axis0 == 0 else axis0 - np.uint64(1)
        base0, base1, base2 = axis0 * slots, axis1 * slots, axis2 * slots
        row = nth(load_set(sets, axis0, like), pick)
        group = minus(equal(keys, base0, keys[base0 + row], like), single(row, like))
        choice = ((word & np.uint64(0xFFFFFFFF)) * (members(group) * many)) >> np.uint64(32)
        other = nth(group, choice // many)
        b, b_other = load(kind, table, base1 + row), load(kind, table, base1 + other)
        c, c_other = load(kind, table, base2 + row), load(kind, table, base2 + other)
        taken += 1
        walked += 1
        since += 1
        same_b = same(b, b_other)
        if same_b or same(c, c_other):
            gone = _merge(table, scalars, row, other, axis2 if same_b else axis1, kind)
            if gone == 0:
                rejected += 1
                continue
        else:
            if kept is not None:
                inside = meets(load(kind, table, base0 + row), load(kind, kept, axis0))
                if inside and meets(b_other, load(kind, kept, axis1)) and meets(c, load(kind, kept, axis2)):
                    rejected += 1
                    continue
            s, t = np.uint64(scalars[row]), np.uint64(scalars[other])
            scale = unit(kind, choice % many)
            ratio = divide(kind, s, t)
            b_sum, by_b, exists_b = combine(kind, b, b_other, scale)
            c_sum, by_c, exists_c = combine(kind, c_other, c, negate(kind, times(kind, scale, ratio)))
            if not (exists_b and exists_c):
                scale = negate(kind, scale)
                b_sum, by_b, exists_b = combine(kind, b, b_other, scale)
                c_sum, by_c, exists_c = combine(kind, c_other, c, negate(kind, times(kind, scale, ratio)))
                if not (exists_b and exists_c):
                    rejected += 1
                    continue
            # All compares come before the stores: a vector load just after a store into it waits for the cache.
            key1, joined1 = _find(table, keys, salts, axis1, b_sum, kind, like)
            key2, joined2 = _find(table, keys, salts, axis2, c_sum, kind, like)
            have1 = _leave(keys, base1, row, load_set(sets, axis1, like), like)
            have2 = _leave(keys, base2, other, load_set(sets, axis2, like), like)
            store_set(sets, axis1, _enter(joined1, row, have1))
            store_set(sets, axis2, _enter(joined2, other, have2))
            keys[base1 + row], keys[base2 + other] = key1, key2
            store(kind, table, base1 + row, b_sum)
            store(kind, table, base2 + other, c_sum)
            if many > 1:
                scalars[row] = times(kind, s, by_b)
                scalars[other] = times(kind, t, by_c)
            merges1, merges2 = meet(group, joined1), meet(group, joined2)
            if members(join(merges1, merges2)) == 0:
                continue
            if members(merges1) != 0:
                gone = _merge(table, scalars, row, lowest(merges1), axis2, kind)
            else:
                gone = _merge(table, scalars, other, lowest(merges2), axis1, kind)
            if gone == 0:
                continue
        rank -= gone
        reductions += gone
        if rank < record:
            record = rank
            since = 0
        _index(table, keys, salts, sets, kind, like)
    tally[RANK], tally[STEPS], tally[PLUS], tally[SPLIT] = rank, taken, plus, split
    tally[REJECTED], tally[REDUCTIONS], tally[RESTARTS], tally[PARTNERED] = rejected, reductions, restarts, total
