"""The walk of orbits over GF(2), compiled once for each number of blocks and width of keys.

Rows stand for orbits by one product each; its factor on axis i is at place 4 row + i of a flat table. All axes that the
group moves to one another hold vectors of one space, in coordinates in which as many maps as possible are the identity
(`flipforge.flips._action`). The *key* of a place is the least image of its factor on the first axis it can be moved to:
two places have one key iff some element of the group moves one factor onto the other. Keys of frozen rows are 0.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.flips._kernel import draw
from flipforge.flips._lanes import equal, join, lowest, meet, members, minus, nth, quads, single, when
from flipforge.jit import inlined, kernel

__all__ = ["FREE", "FROZEN", "LENGTH", "RANK", "STATUS", "TALLY", "WALKED", "run"]

Table = NDArray[np.uint64]
Keys = NDArray[np.unsignedinteger]
Rows = NDArray[np.int64]

TALLY = ("rank", "steps", "plus", "thawed", "reductions", "restarts", "partnered")
RANK, STEPS, PLUS, THAWED, REDUCTIONS, RESTARTS, PARTNERED = range(len(TALLY))

FREE, WALKED, FROZEN = range(3)
STATUS, LENGTH = range(2)

THROUGH, INVERSE = 3, 6
"""Columns of the group's table: the source of each axis, the map from there, the inverse element."""


@inlined
def _image(maps: Table, number: Any, value: Any) -> Any:
    """Image of a vector under the linear map with that number; the first is the identity."""
    if number == 0:
        return value
    total = np.uint64(0)
    for byte in range(maps.shape[1]):
        total ^= maps[number, byte, (value >> np.uint64(8 * byte)) & np.uint64(255)]
    return total


@inlined
def _moved(table: Table, act: Any, g: Any, row: Any, axis: Any) -> Any:
    """Factor on an axis of the image of a row under an element of the group."""
    maps, group, _ = act
    return _image(maps, group[g, THROUGH + axis], table[4 * row + group[g, axis]])


@inlined
def _key(act: Any, axis: Any, value: Any) -> Any:
    maps, _, homes = act
    least = value
    for number in range(1, homes.shape[1]):
        if homes[axis, number] >= 0:
            least = min(least, _image(maps, homes[axis, number], value))
    return least | np.uint64(homes[axis, 0])


@inlined
def _places(row: Any, like: Any) -> Any:
    """Set of the places of a row."""
    place = np.uint64(4 * row)
    return join(single(place, like), join(single(place + np.uint64(1), like), single(place + np.uint64(2), like)))


@kernel
def _index(table: Table, rows: Rows, keys: Keys, act: Any, like: Any) -> Any:
    """Make all keys anew; return the set of the places that have a partner in another row."""
    for row in range(rows.shape[1]):
        for axis in range(3):
            place = 4 * row + axis
            keys[place] = _key(act, axis, table[place]) if rows[STATUS, row] == WALKED else np.uint64(0)
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
def _is_fixed(table: Table, act: Any, g: Any, row: Any) -> bool:
    fixed = True
    for axis in range(3):
        fixed = fixed and _moved(table, act, g, row, axis) == table[4 * row + axis]
    return fixed


@inlined
def _stabiliser(table: Table, act: Any, row: Any) -> int:
    """How many elements of the group fix the product of a row."""
    count = 1
    for g in range(1, act[1].shape[0]):
        if _is_fixed(table, act, g, row):
            count += 1
    return count


@inlined
def _drop(rows: Rows, row: Any) -> None:
    rows[STATUS, row], rows[LENGTH, row] = FREE, 0


@kernel
def _settle(table: Table, rows: Rows, row: Any, act: Any) -> None:
    """Turn a walked row whose orbit is short into what the sum over the group is: nothing, or a frozen orbit."""
    order = act[1].shape[0]
    if rows[STATUS, row] != WALKED:
        return
    if table[4 * row] == 0 or table[4 * row + 1] == 0 or table[4 * row + 2] == 0:
        _drop(rows, row)
        return
    fixers = _stabiliser(table, act, row)
    if fixers == 1:
        return
    if fixers % 2 == 0:
        _drop(rows, row)
        return
    rows[STATUS, row], rows[LENGTH, row] = FROZEN, order // fixers
    for other in range(rows.shape[1]):
        if other != row and rows[STATUS, other] == FROZEN:
            for g in range(order):
                if (
                    _moved(table, act, g, row, 0) == table[4 * other]
                    and _moved(table, act, g, row, 1) == table[4 * other + 1]
                    and _moved(table, act, g, row, 2) == table[4 * other + 2]
                ):
                    _drop(rows, row)
                    _drop(rows, other)
                    return


@kernel
def _merge(table: Table, rows: Rows, row: Any, first: Any, second: Any, act: Any) -> bool:
    """Add to a row the first image of another that has its factors on two axes, and drop the other."""
    third = 3 - first - second
    for other in range(rows.shape[1]):
        if other == row or rows[STATUS, other] != WALKED:
            continue
        for g in range(act[1].shape[0]):
            if (
                _moved(table, act, g, other, first) == table[4 * row + first]
                and _moved(table, act, g, other, second) == table[4 * row + second]
            ):
                table[4 * row + third] ^= _moved(table, act, g, other, third)
                _drop(rows, other)
                _settle(table, rows, row, act)
                return True
    return False


@inlined
def _is_apart(table: Table, act: Any, g: Any, other: Any, row: Any) -> bool:
    apart = True
    for axis in range(3):
        apart = apart and _moved(table, act, g, other, axis) != table[4 * row + axis]
    return apart


@kernel
def _nth_apart(table: Table, rows: Rows, row: Any, number: Any, act: Any) -> tuple[int, int]:
    """Row and element of the image with that number among those that differ from a row on all axes.

    If they are only n, -1 and n.
    """
    found = 0
    for other in range(rows.shape[1]):
        if other != row and rows[STATUS, other] == WALKED:
            for g in range(act[1].shape[0]):
                if _is_apart(table, act, g, other, row):
                    if found == number:
                        return other, g
                    found += 1
    return -1, found


@kernel
def _plus(table: Table, rows: Rows, row: Any, other: Any, g: Any, free: Any, axis: Any, act: Any) -> None:
    """Flip a row and an image of another that have nothing in common, at the price of a third orbit."""
    after, last = (axis + 1) % 3, (axis + 2) % 3
    a, c = table[4 * row + axis], table[4 * row + last]
    a_other, b_other, c_other = (
        _moved(table, act, g, other, axis),
        _moved(table, act, g, other, after),
        _moved(table, act, g, other, last),
    )
    table[4 * row + after] ^= b_other
    table[4 * other + axis], table[4 * other + after], table[4 * other + last] = a, b_other, c ^ c_other
    table[4 * free + axis], table[4 * free + after], table[4 * free + last] = a ^ a_other, b_other, c_other
    rows[STATUS, free], rows[LENGTH, free] = WALKED, act[1].shape[0]
    _settle(table, rows, row, act)
    _settle(table, rows, other, act)
    _settle(table, rows, free, act)


@kernel
def _thaw(rows: Rows, word: Any, order: int) -> bool:
    """Let a frozen orbit that is an odd part of the group walk again, as the sum over the whole group."""
    count = 0
    for row in range(rows.shape[1]):
        count += rows[STATUS, row] == FROZEN and (order // rows[LENGTH, row]) % 2 == 1
    number = np.int64(((word >> np.uint64(40)) * np.uint64(count)) >> np.uint64(24))
    for row in range(rows.shape[1]):
        if rows[STATUS, row] == FROZEN and (order // rows[LENGTH, row]) % 2 == 1:
            if number == 0:
                rows[STATUS, row], rows[LENGTH, row] = WALKED, order
                return True
            number -= 1
    return False


@kernel
def _add(table: Table, rows: Rows, word: Any, extra: Any, act: Any) -> int:
    """Make a plus transition (1) or thaw an orbit (2) with the given random words; 0 if there is none."""
    if (extra >> np.uint64(62)) == np.uint64(3) and _thaw(rows, word, act[1].shape[0]):
        return 2
    slots = rows.shape[1]
    free, count = -1, 0
    for row in range(slots):
        count += rows[STATUS, row] == WALKED
        if free < 0 and rows[STATUS, row] == FREE:
            free = row
    if free < 0:
        return 0
    skip = np.int64(((word >> np.uint64(40)) * np.uint64(count)) >> np.uint64(24))
    axis = np.int64(((word & np.uint64(0xFFFF)) * np.uint64(3)) >> np.uint64(16))
    # Twice around: the rows before the chosen one come last.
    for turn in range(2 * slots):
        row = turn % slots
        if rows[STATUS, row] != WALKED:
            continue
        if skip > 0:
            skip -= 1
            continue
        _, apart = _nth_apart(table, rows, row, -1, act)
        if apart > 0:
            number = np.int64((((word >> np.uint64(16)) & np.uint64(0xFFFFFF)) * np.uint64(apart)) >> np.uint64(24))
            other, g = _nth_apart(table, rows, row, number, act)
            _plus(table, rows, row, other, g, free, axis, act)
            return 1
    return 0


@inlined
def _element(table: Table, act: Any, place: Any, other: Any, fraction: Any) -> int:
    """Choose an element that moves the factor at the other place onto the one at the place."""
    maps, group, _ = act
    axis, home = place & 3, other & 3
    count = 0
    first = -1
    for g in range(group.shape[0]):
        if group[g, axis] == home and _image(maps, group[g, THROUGH + axis], table[other]) == table[place]:
            if first < 0:
                first = g
            count += 1
    if count == 1:
        return first
    number = np.int64((fraction * np.uint64(count)) >> np.uint64(32))
    for g in range(first, group.shape[0]):
        if group[g, axis] == home and _image(maps, group[g, THROUGH + axis], table[other]) == table[place]:
            if number == 0:
                return g
            number -= 1
    return first


@inlined
def _rank(rows: Rows) -> int:
    total = 0
    for row in range(rows.shape[1]):
        total += rows[LENGTH, row]
    return total


@kernel
def run(
    table: Table,
    rows: Rows,
    keys: Keys,
    first_table: Table,
    first_rows: Rows,
    seed: NDArray[np.uint64],
    tally: NDArray[np.int64],
    goal: int,
    steps: int,
    path: int,
    idle: int,
    limit: int,
    act: Any,
    like: Any,
) -> None:
    """Walk in place; ``act`` is the group's action, ``limit`` the rank that plus transitions may lead to."""
    order = act[1].shape[0]
    state = (seed[0], seed[1], seed[2], seed[3])
    rank = record = _rank(rows)
    plus = thawed = taken = reductions = restarts = since = walked = 0
    have = _index(table, rows, keys, act, like)
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
                    made = _add(table, rows, word, extra, act)
                    if made != 0:
                        taken += 1
                        walked += 1
                        plus += made == 1
                        thawed += made == 2
                        rank = _rank(rows)
                        record = min(record, rank)
                        have = _index(table, rows, keys, act, like)
                        continue
                again = total == 0
        if again:
            if walked == 0:
                break
            table[:] = first_table
            rows[:] = first_rows
            rank = record = _rank(rows)
            since = walked = 0
            restarts += 1
            have = _index(table, rows, keys, act, like)
            continue

        place = np.int64(nth(have, ((word >> np.uint64(32)) * total) >> np.uint64(32)))
        row, axis = place >> 2, place & 3
        group = minus(equal(keys, np.uint64(0), keys[place], like), _places(row, like))
        choice = (word & np.uint64(0xFFFFFFFF)) * members(group)
        partner = np.int64(nth(group, choice >> np.uint64(32)))
        other = partner >> 2
        g = _element(table, act, place, partner, choice & np.uint64(0xFFFFFFFF))
        after = (axis + 1) % 3 if word & np.uint64(1) else (axis + 2) % 3
        last = 3 - axis - after
        home = act[1][g, last]
        summed, changed = 4 * row + after, 4 * other + home
        c = table[4 * row + last]
        table[summed] ^= _moved(table, act, g, other, after)
        table[changed] ^= _image(act[0], act[1][act[1][g, INVERSE], THROUGH + home], c)
        taken += 1
        walked += 1
        since += 1
        vanishes = table[summed] == 0 or table[changed] == 0
        fixers = 0
        for which in (row, other):
            fixers += _stabiliser(table, act, which)
        if vanishes or fixers > 2:
            _settle(table, rows, row, act)
            _settle(table, rows, other, act)
        else:
            have, joined = _rekey(keys, summed, _key(act, after, table[summed]), have, like)
            have, joined_other = _rekey(keys, changed, _key(act, home, table[changed]), have, like)
            joined = join(joined, when(keys[changed] == keys[summed], single(np.uint64(changed), like)))
            beside = quads(join(group, _places(row, like)))
            merges = members(meet(beside, quads(joined))) != 0 and _merge(table, rows, row, axis, after, act)
            if not merges:
                if members(meet(beside, quads(joined_other))) == 0:
                    continue
                if not _merge(table, rows, other, partner & 3, home, act):
                    continue
        before, rank = rank, _rank(rows)
        reductions += before - rank
        if rank < record:
            record = rank
            since = 0
        have = _index(table, rows, keys, act, like)
    tally[RANK], tally[STEPS], tally[PLUS], tally[THAWED] = rank, taken, plus, thawed
    tally[REDUCTIONS], tally[RESTARTS], tally[PARTNERED] = reductions, restarts, total
