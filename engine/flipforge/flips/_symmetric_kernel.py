"""The walk of orbits, compiled once for each kind of factor, number of blocks and width of keys.

Rows stand for orbits by one product each (`flipforge.flips._symmetric_rows`). All axes that the group moves to one
another hold vectors of one space, in coordinates in which as many maps as possible are the identity
(`flipforge.flips._action`). The *key* of a place is the least image of its factor on the first axis it can be moved to:
two places have one key iff some element of the group moves one factor onto the other, up to a unit. Factors of several
words are hashed to 62 bits first; a partner that only the hash made is refused when its element is looked for. Keys of
frozen rows are 0.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.flips._kernel import SALT, draw
from flipforge.flips._kinds import (
    address,
    combine,
    divide,
    is_zero,
    key_of,
    load,
    negate,
    same,
    store,
    times,
    unit,
    units,
)
from flipforge.flips._lanes import equal, join, lowest, meet, members, minus, nth, quads, single, when
from flipforge.flips._symmetric_added import add_orbit
from flipforge.flips._symmetric_rows import (
    LENGTH,
    STATUS,
    WALKED,
    home_tag,
    image,
    inverse,
    is_lost,
    key_map,
    key_maps,
    merge,
    moved,
    order_of,
    settle,
    source,
    stabiliser,
    through,
    view,
)
from flipforge.jit import inlined, kernel

__all__ = ["TALLY", "run"]

Keys = NDArray[np.unsignedinteger]
Table = NDArray[np.unsignedinteger]
Rows = NDArray[np.int64]

TALLY = ("rank", "steps", "plus", "thawed", "rejected", "reductions", "restarts", "partnered")
RANK, STEPS, PLUS, THAWED, REJECTED, REDUCTIONS, RESTARTS, PARTNERED = range(len(TALLY))


@inlined
def _key(keys: Keys, act: Any, axis: Any, value: Any, kind: Any) -> Any:
    least = key_of(kind, keys, value, SALT)
    for number in range(1, key_maps(act)):
        if key_map(act, axis, number) >= 0:
            form, _ = image(act, key_map(act, axis, number), value, kind)
            least = min(least, key_of(kind, keys, form, SALT))
    return least | np.uint64(home_tag(act, axis))


@inlined
def _places(row: Any, like: Any) -> Any:
    """Set of the places of a row."""
    place = np.uint64(4 * row)
    return join(single(place, like), join(single(place + np.uint64(1), like), single(place + np.uint64(2), like)))


@kernel
def _index(table: Any, rows: Rows, keys: Keys, act: Any, kind: Any, like: Any) -> Any:
    """Make all keys anew; return the set of the places that have a partner in another row."""
    for row in range(rows.shape[1]):
        for axis in range(3):
            place = 4 * row + axis
            walked = rows[STATUS, row] == WALKED
            keys[place] = _key(keys, act, axis, load(kind, table, place), kind) if walked else np.uint64(0)
    have = like
    for row in range(rows.shape[1]):
        if rows[STATUS, row] == WALKED:
            for axis in range(3):
                place = 4 * row + axis
                group = minus(equal(keys, np.uint64(0), keys[place], like), _places(row, like))
                have = join(have, when(members(group) != 0, single(np.uint64(place), like)))
    return have


@inlined
def _rekey(keys: Keys, place: Any, label: Any, have: Any, like: Any) -> tuple[Any, Any]:
    """Give a place another key; return the set of places with a partner, and that of the other rows it now joins."""
    here = single(np.uint64(place), like)
    if members(meet(have, here)) != 0:
        left = minus(equal(keys, np.uint64(0), keys[place], like), here)
        alone = members(minus(left, _places(np.int64(lowest(left)) >> 2, like))) == 0
        have = minus(have, join(here, when(alone, left)))
    keys[place] = label
    joined = equal(keys, np.uint64(0), keys[place], like)
    others = minus(joined, _places(place >> 2, like))
    return join(have, when(members(others) != 0, joined)), others


@inlined
def _element(table: Any, act: Any, place: Any, other: Any, fraction: Any, kind: Any) -> Any:
    """Choose an element that moves the factor at the other place onto the one at the place, and a unit; -1 for none."""
    many = units(kind)
    axis, home = place & 3, other & 3
    wanted, offered = load(kind, table, place), load(kind, table, other)
    count = np.uint64(0)
    first = -1
    for g in range(order_of(act)):
        if source(act, g, axis) == home and same(image(act, through(act, g, axis), offered, kind)[0], wanted):
            if first < 0:
                first = g
            count += np.uint64(1)
    number = (fraction * (count * many)) >> np.uint64(32)
    chosen, skip = first, number // many
    if count > 1:
        for g in range(first, order_of(act)):
            if source(act, g, axis) == home and same(image(act, through(act, g, axis), offered, kind)[0], wanted):
                if skip == 0:
                    chosen = g
                skip -= np.uint64(1)
    return chosen, unit(kind, number % many)


@inlined
def _rank(rows: Rows) -> int:
    total = 0
    for row in range(rows.shape[1]):
        total += rows[LENGTH, row]
    return total


@kernel
def run(
    table: Table,
    scalars: NDArray[np.uint8],
    rows: Rows,
    keys: Keys,
    first_table: Table,
    first_scalars: NDArray[np.uint8],
    first_rows: Rows,
    seed: NDArray[np.uint64],
    tally: NDArray[np.int64],
    goal: int,
    steps: int,
    path: int,
    idle: int,
    limit: int,
    arrays: Any,
    kind: Any,
    like: Any,
) -> None:
    """Walk in place; ``arrays`` are those of the action, ``limit`` the rank that plus transitions may lead to."""
    act, factors = view(arrays), address(table)
    orbits = (factors, scalars, rows)
    many, one, order = units(kind), unit(kind, 0), order_of(act)
    state = (seed[0], seed[1], seed[2], seed[3])
    rank = record = _rank(rows)
    plus = thawed = taken = rejected = reductions = restarts = since = walked = 0
    have = _index(factors, rows, keys, act, kind, like)
    total = np.uint64(0)
    while True:
        total = members(have)
        if rank <= goal or taken >= steps:
            break
        again = walked >= path
        word = np.uint64(0)
        if not again:
            word, state = draw(state)
            if total == 0 or since >= idle:
                since = 0
                if rank + order <= limit:
                    extra, state = draw(state)
                    made = add_orbit(orbits, word, extra, act, kind)
                    if made != 0:
                        taken += 1
                        walked += 1
                        plus += made == 1
                        thawed += made == 2
                        rank = _rank(rows)
                        record = min(record, rank)
                        have = _index(factors, rows, keys, act, kind, like)
                        continue
                again = total == 0
        if again:
            if walked == 0:
                break
            table[:] = first_table
            scalars[:] = first_scalars
            rows[:] = first_rows
            rank = record = _rank(rows)
            since = walked = 0
            restarts += 1
            have = _index(factors, rows, keys, act, kind, like)
            continue

        place = np.int64(nth(have, ((word >> np.uint64(32)) * total) >> np.uint64(32)))
        row, axis = place >> 2, place & 3
        group = minus(equal(keys, np.uint64(0), keys[place], like), _places(row, like))
        choice = (word & np.uint64(0xFFFFFFFF)) * members(group)
        partner = np.int64(nth(group, choice >> np.uint64(32)))
        other = partner >> 2
        g, z = _element(factors, act, place, partner, choice & np.uint64(0xFFFFFFFF), kind)
        taken += 1
        walked += 1
        since += 1
        if g < 0:
            rejected += 1
            continue
        after = (axis + 1) % 3 if word & np.uint64(1) else (axis + 2) % 3
        last = 3 - axis - after
        home = source(act, g, last)
        summed, changed = 4 * row + after, 4 * other + home
        s, t = scalars[row], scalars[other]
        b, c_other = load(kind, factors, summed), load(kind, factors, changed)
        b_other, by_b = moved(factors, act, g, other, after, kind)
        back = through(act, inverse(act, g), home)
        c, by_c = image(act, back, load(kind, factors, 4 * row + last), kind)
        ratio = one
        if many > 1:
            _, by_a = moved(factors, act, g, other, axis, kind)
            ratio = divide(kind, times(kind, s, by_c), times(kind, t, times(kind, by_a, by_b)))
            # Where two factors agree the units are chosen so that the rows merge.
            if same(b, b_other):
                z = negate(kind, one)
            elif same(c, c_other):
                z = divide(kind, one, ratio)
        b_sum, scale_b, exists_b = combine(kind, b, b_other, z)
        c_sum, scale_c, exists_c = combine(kind, c_other, c, negate(kind, times(kind, z, ratio)))
        if not (exists_b and exists_c):
            z = negate(kind, z)
            b_sum, scale_b, exists_b = combine(kind, b, b_other, z)
            c_sum, scale_c, exists_c = combine(kind, c_other, c, negate(kind, times(kind, z, ratio)))
            if not (exists_b and exists_c):
                rejected += 1
                continue
        store(kind, factors, summed, b_sum)
        store(kind, factors, changed, c_sum)
        if many > 1:
            scalars[row], scalars[other] = times(kind, s, scale_b), times(kind, t, scale_c)
        vanishes = is_zero(b_sum) or is_zero(c_sum)
        fixers = 0
        for which in (row, other):
            fixers += stabiliser(factors, act, which, kind)[0]
        if vanishes or fixers > 2:
            if is_lost(factors, act, row, kind) or is_lost(factors, act, other, kind):
                store(kind, factors, summed, b)
                store(kind, factors, changed, c_other)
                scalars[row], scalars[other] = s, t
                rejected += 1
                continue
            settle(orbits, row, act, kind)
            settle(orbits, other, act, kind)
        else:
            have, joined = _rekey(keys, summed, _key(keys, act, after, b_sum, kind), have, like)
            have, joined_other = _rekey(keys, changed, _key(keys, act, home, c_sum, kind), have, like)
            joined = join(joined, when(keys[changed] == keys[summed], single(np.uint64(changed), like)))
            beside = quads(join(group, _places(row, like)))
            merges = members(meet(beside, quads(joined))) != 0 and merge(orbits, row, axis, after, act, kind)
            if not merges:
                if members(meet(beside, quads(joined_other))) == 0:
                    continue
                if not merge(orbits, other, partner & 3, home, act, kind):
                    continue
        before, rank = rank, _rank(rows)
        reductions += before - rank
        if rank < record:
            record = rank
            since = 0
        have = _index(factors, rows, keys, act, kind, like)
    tally[RANK], tally[STEPS], tally[PLUS], tally[THAWED] = rank, taken, plus, thawed
    tally[REJECTED], tally[REDUCTIONS], tally[RESTARTS], tally[PARTNERED] = rejected, reductions, restarts, total
