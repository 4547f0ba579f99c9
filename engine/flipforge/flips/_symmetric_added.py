"""Moves of the walk of orbits that raise the rank: plus transitions, and thaws of frozen orbits."""

from typing import Any

import numpy as np

from flipforge.flips._kinds import combine, divide, load, negate, same, store, times, unit, units
from flipforge.flips._symmetric_rows import (
    FREE,
    FROZEN,
    LENGTH,
    STATUS,
    WALKED,
    is_lost,
    moved,
    multiple,
    order_of,
    settle,
)
from flipforge.jit import inlined, kernel

__all__ = ["add_orbit"]


@inlined
def _is_apart(table: Any, act: Any, g: Any, other: Any, row: Any, kind: Any) -> bool:
    apart = True
    for axis in range(3):
        if apart:
            value, _ = moved(table, act, g, other, axis, kind)
            apart = not same(value, load(kind, table, 4 * row + axis))
    return apart


@kernel
def _nth_apart(orbits: Any, row: Any, number: Any, act: Any, kind: Any) -> tuple[int, int]:
    """Row and element of the image with that number among those that differ from a row on all axes.

    If they are only n, -1 and n.
    """
    table, _, rows = orbits
    found = 0
    for other in range(rows.shape[1]):
        if other != row and rows[STATUS, other] == WALKED:
            for g in range(order_of(act)):
                if _is_apart(table, act, g, other, row, kind):
                    if found == number:
                        return other, g
                    found += 1
    return -1, found


@inlined
def _put(table: Any, row: Any, axis: Any, first: Any, second: Any, third: Any, kind: Any) -> None:
    """Write the factors of a row from an axis on."""
    store(kind, table, 4 * row + axis, first)
    store(kind, table, 4 * row + (axis + 1) % 3, second)
    store(kind, table, 4 * row + (axis + 2) % 3, third)


@inlined
def _lose(table: Any, row: Any, other: Any, free: Any, act: Any, kind: Any) -> bool:
    lost = False
    for which in (row, other, free):
        lost = lost or is_lost(table, act, which, kind)
    return lost


@kernel
def _plus(orbits: Any, row: Any, other: Any, g: Any, free: Any, axis: Any, z: Any, act: Any, kind: Any) -> bool:
    """Flip a row and an image of another that have nothing in common, at the price of a third orbit, if sums exist."""
    table, scalars, rows = orbits
    after, last = (axis + 1) % 3, (axis + 2) % 3
    a, b, c = load(kind, table, 4 * row + axis), load(kind, table, 4 * row + after), load(kind, table, 4 * row + last)
    s = scalars[row]
    a_other, by_a = moved(table, act, g, other, axis, kind)
    b_other, by_b = moved(table, act, g, other, after, kind)
    c_other, by_c = moved(table, act, g, other, last, kind)
    t = times(kind, times(kind, scalars[other], by_a), times(kind, by_b, by_c))
    b_sum, scale_b, exists_b = combine(kind, b, b_other, z)
    c_sum, scale_c, exists_c = combine(kind, c_other, c, negate(kind, times(kind, z, divide(kind, s, t))))
    a_sum, scale_a, exists_a = combine(kind, a_other, a, negate(kind, unit(kind, 0)))
    if not (exists_a and exists_b and exists_c):
        return False
    held_a, held_b, held_c = (
        load(kind, table, 4 * other + axis),
        load(kind, table, 4 * other + after),
        load(kind, table, 4 * other + last),
    )
    _put(table, row, axis, a, b_sum, c, kind)
    _put(table, other, axis, a, b_other, c_sum, kind)
    _put(table, free, axis, a_sum, b_other, c_other, kind)
    if _lose(table, row, other, free, act, kind):
        _put(table, row, axis, a, b, c, kind)
        _put(table, other, axis, held_a, held_b, held_c, kind)
        return False
    scalars[row], scalars[other] = times(kind, s, scale_b), times(kind, t, scale_c)
    scalars[free] = times(kind, t, scale_a)
    rows[STATUS, free], rows[LENGTH, free] = WALKED, order_of(act)
    settle(orbits, row, act, kind)
    settle(orbits, other, act, kind)
    settle(orbits, free, act, kind)
    return True


@inlined
def _may_thaw(rows: Any, row: Any, act: Any) -> bool:
    """Tell whether a row is a frozen orbit that some multiple of its sum over the group is."""
    return bool(rows[STATUS, row] == FROZEN and multiple(act, order_of(act) // rows[LENGTH, row]) >= 0)


@kernel
def _thaw(orbits: Any, word: Any, act: Any, kind: Any) -> bool:
    """Let a frozen orbit walk again, as the sum over the whole group."""
    _, scalars, rows = orbits
    count = 0
    for row in range(rows.shape[1]):
        count += _may_thaw(rows, row, act)
    number = np.int64(((word >> np.uint64(40)) * np.uint64(count)) >> np.uint64(24))
    for row in range(rows.shape[1]):
        if _may_thaw(rows, row, act):
            if number == 0:
                order = order_of(act)
                scalars[row] = divide(kind, scalars[row], multiple(act, order // rows[LENGTH, row]))
                rows[STATUS, row], rows[LENGTH, row] = WALKED, order
                return True
            number -= 1
    return False


@kernel
def add_orbit(orbits: Any, word: Any, extra: Any, act: Any, kind: Any) -> int:
    """Make a plus transition (1) or thaw an orbit (2) with the given random words; 0 if there is none."""
    if (extra >> np.uint64(62)) == np.uint64(3) and _thaw(orbits, word, act, kind):
        return 2
    rows = orbits[2]
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
    z = unit(kind, ((extra & np.uint64(0xFFFFFFFF)) * units(kind)) >> np.uint64(32))
    # Twice around: the rows before the chosen one come last.
    for turn in range(2 * slots):
        row = turn % slots
        if rows[STATUS, row] != WALKED:
            continue
        if skip > 0:
            skip -= 1
            continue
        _, apart = _nth_apart(orbits, row, -1, act, kind)
        number = np.int64((((word >> np.uint64(16)) & np.uint64(0xFFFFFF)) * np.uint64(apart)) >> np.uint64(24))
        for later in range(apart):
            other, g = _nth_apart(orbits, row, (number + later) % apart, act, kind)
            if _plus(orbits, row, other, g, free, axis, z, act, kind):
                return 1
    return 0
