"""The moves of the walk that add a row: plus transitions and splits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.flips._kinds import (
    combine,
    divide,
    is_zero,
    load,
    meets,
    negate,
    same,
    store,
    times,
    unit,
    units,
)
from flipforge.jit import inlined, kernel

__all__ = ["add_row"]

Table = NDArray[np.unsignedinteger]


@inlined
def _apart(table: Table, slots: Any, row: Any, other: Any, axis: Any, splits: bool, kind: Any) -> bool:
    """Tell whether another slot holds a row that differs on all axes, or on the one where it is to be split."""
    apart = not is_zero(load(kind, table, other))
    for place in range(3):
        if not splits or place == axis:
            base = np.uint64(place) * slots
            apart &= not same(load(kind, table, base + row), load(kind, table, base + other))
    return apart


@kernel
def _nth_apart(table: Table, slots: Any, row: Any, number: Any, axis: Any, splits: bool, kind: Any) -> int:
    """Slot of the row with that number among those apart from the row; -1 - n if they are only n."""
    found = 0
    for other in range(slots):
        if _apart(table, slots, row, np.uint64(other), axis, splits, kind):
            if found == number:
                return other
            found += 1
    return -1 - found


@kernel
def _split(
    table: Table, scalars: Table, kept: Any, row: Any, other: Any, free: Any, axis: Any, scale: Any, kind: Any
) -> bool:
    """Write the other row as two, the first with the row's factor on the axis times a unit."""
    slots = np.uint64(scalars.size)
    base = axis * slots
    a = load(kind, table, base + row)
    if kept is not None:
        inside = meets(a, load(kind, kept, axis))
        for turn in range(1, 3):
            place = (axis + np.uint64(turn)) % np.uint64(3)
            inside &= meets(load(kind, table, place * slots + other), load(kind, kept, place))
        if inside:
            return False
    rest, by, exists = combine(kind, load(kind, table, base + other), a, negate(kind, scale))
    if not exists:
        return False
    for place in range(3):
        at = np.uint64(place) * slots
        store(kind, table, at + free, load(kind, table, at + other))
    store(kind, table, base + free, rest)
    store(kind, table, base + other, a)
    scalars[free] = times(kind, np.uint64(scalars[other]), by)
    scalars[other] = times(kind, np.uint64(scalars[other]), scale)
    return True


@kernel
def _plus(
    table: Table, scalars: Table, kept: Any, row: Any, other: Any, free: Any, axis: Any, scale: Any, kind: Any
) -> bool:
    """Flip two rows that have nothing in common, at the price of a third."""
    slots = np.uint64(scalars.size)
    axis1, axis2 = (axis + np.uint64(1)) % np.uint64(3), (axis + np.uint64(2)) % np.uint64(3)
    base0, base1, base2 = axis * slots, axis1 * slots, axis2 * slots
    s, t = np.uint64(scalars[row]), np.uint64(scalars[other])
    a, c = load(kind, table, base0 + row), load(kind, table, base2 + row)
    a_other, b_other, c_other = (
        load(kind, table, base0 + other),
        load(kind, table, base1 + other),
        load(kind, table, base2 + other),
    )
    if kept is not None:
        mask = load(kind, kept, axis2)
        inside = meets(a, load(kind, kept, axis)) and meets(b_other, load(kind, kept, axis1))
        if inside and (meets(c, mask) or meets(c_other, mask)):
            return False
    b_sum, by_b, exists_b = combine(kind, load(kind, table, base1 + row), b_other, scale)
    c_sum, by_c, exists_c = combine(kind, c_other, c, negate(kind, times(kind, scale, divide(kind, s, t))))
    a_sum, by_a, exists_a = combine(kind, a_other, a, negate(kind, unit(kind, np.uint64(0))))
    if not (exists_a and exists_b and exists_c):
        return False
    store(kind, table, base0 + free, a_sum)
    store(kind, table, base1 + free, b_other)
    store(kind, table, base2 + free, c_other)
    scalars[free] = times(kind, t, by_a)
    store(kind, table, base0 + other, a)
    store(kind, table, base2 + other, c_sum)
    scalars[other] = times(kind, t, by_c)
    store(kind, table, base1 + row, b_sum)
    scalars[row] = times(kind, s, by_b)
    return True


@kernel
def add_row(table: Table, scalars: Table, kept: Any, rank: Any, word: Any, extra: Any, kind: Any) -> int:
    """Make a plus transition (1) or a split (2) with the given random words; 0 if there is none."""
    slots = np.uint64(scalars.size)
    skip = np.int64(((word >> np.uint64(40)) * np.uint64(rank)) >> np.uint64(24))
    start, free = np.uint64(0), slots
    for slot in range(slots):
        if is_zero(load(kind, table, np.uint64(slot))):
            if free == slots:
                free = np.uint64(slot)
        else:
            if skip == 0:
                start = np.uint64(slot)
            skip -= 1
    axis = ((word & np.uint64(0xFFFF)) * np.uint64(3)) >> np.uint64(16)
    splits = (extra >> np.uint64(62)) == np.uint64(3)
    scale = unit(kind, ((extra & np.uint64(0xFFFFFFFF)) * units(kind)) >> np.uint64(32))
    for turn in range(slots):
        row = (start + np.uint64(turn)) % slots
        if is_zero(load(kind, table, row)):
            continue
        apart = -1 - _nth_apart(table, slots, row, np.int64(slots), axis, splits, kind)
        number = np.int64((((word >> np.uint64(16)) & np.uint64(0xFFFFFF)) * np.uint64(apart)) >> np.uint64(24))
        for turned in range(apart):
            other = np.uint64(_nth_apart(table, slots, row, (number + turned) % apart, axis, splits, kind))
            if splits:
                if _split(table, scalars, kept, row, other, free, axis, scale, kind):
                    return 2
            elif _plus(table, scalars, kept, row, other, free, axis, scale, kind):
                return 1
    return 0
