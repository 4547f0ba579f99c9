"""Rows of the walk of orbits: images of their products, and what becomes of a product whose orbit is short.

The group's action, ``act``, is made of arrays by `view`: the addresses of byte tables of the linear maps, of a row for
each element, of the maps of the keys and of the units that numbers are (`flipforge.flips.Action.arrays`), with how many
bytes a map has, elements there are, and maps a key has. The orbits are the address of the factors, that of row r on
axis i at place 4r + i, the units, and for each row what it is and how many products it has.
"""

from typing import Any

from flipforge.flips._kinds import (
    add,
    address,
    combine,
    divide,
    entry,
    is_zero,
    load,
    octet,
    same,
    store,
    times,
    unit,
    zero,
)
from flipforge.jit import inlined, kernel

__all__ = [
    "FREE",
    "FROZEN",
    "LENGTH",
    "STATUS",
    "WALKED",
    "home_tag",
    "image",
    "inverse",
    "is_lost",
    "key_map",
    "key_maps",
    "merge",
    "moved",
    "multiple",
    "order_of",
    "settle",
    "source",
    "stabiliser",
    "through",
    "view",
]

FREE, WALKED, FROZEN = range(3)
STATUS, LENGTH = range(2)

_MAPS, _PLACES, _GROUP, _ORDER, _HOMES, _KEYS, _COUNTS = range(7)
_COLUMNS, _THROUGH, _INVERSE = 7, 3, 6
"""Of the group's table: the source of each axis, the map from there, the inverse element."""

_VANISHES, _NONE = -1, -2
_OCTETS = 256


@inlined
def view(arrays: Any) -> Any:
    """Return the action as numbers, from its arrays."""
    maps, group, homes, counts = arrays
    return (
        address(maps),
        maps.shape[1],
        address(group),
        group.shape[0],
        address(homes),
        homes.shape[1],
        address(counts),
    )


@inlined
def order_of(act: Any) -> int:
    """Number of elements."""
    return int(act[_ORDER])


@inlined
def source(act: Any, g: Any, axis: Any) -> Any:
    """Axis that an element moves to this one."""
    return entry(act[_GROUP], g * _COLUMNS + axis)


@inlined
def through(act: Any, g: Any, axis: Any) -> Any:
    """Number of the map from there."""
    return entry(act[_GROUP], g * _COLUMNS + _THROUGH + axis)


@inlined
def inverse(act: Any, g: Any) -> Any:
    """Element that undoes an element."""
    return entry(act[_GROUP], g * _COLUMNS + _INVERSE)


@inlined
def multiple(act: Any, count: Any) -> Any:
    """Unit that a number is in the ring; negative where it is zero or no unit."""
    return entry(act[_COUNTS], count)


@inlined
def home_tag(act: Any, axis: Any) -> Any:
    """What tells the home of an axis in a key."""
    return entry(act[_HOMES], axis * act[_KEYS])


@inlined
def key_maps(act: Any) -> Any:
    """One more than the most maps, beside the identity, that a key is the least of."""
    return act[_KEYS]


@inlined
def key_map(act: Any, axis: Any, number: Any) -> Any:
    """Number of such a map, counted from 1; negative where an axis has fewer."""
    return entry(act[_HOMES], axis * act[_KEYS] + number)


@inlined
def image(act: Any, number: Any, value: Any, kind: Any) -> Any:
    """Image of a factor under the linear map with that number, normalised, and its unit; the first is the identity."""
    one = unit(kind, 0)
    if number == 0:
        return value, one
    total = zero(kind)
    for place in range(act[_PLACES]):
        at = (number * act[_PLACES] + place) * _OCTETS + octet(kind, value, place)
        total = add(kind, total, load(kind, act[_MAPS], at))
    form, by, _ = combine(kind, zero(kind), total, one)
    return form, by


@inlined
def moved(table: Any, act: Any, g: Any, row: Any, axis: Any, kind: Any) -> Any:
    """Factor on an axis of the image of a row under an element of the group, and its unit."""
    return image(act, through(act, g, axis), load(kind, table, 4 * row + source(act, g, axis)), kind)


@inlined
def _compared(table: Any, act: Any, g: Any, other: Any, row: Any, kind: Any) -> Any:
    """Tell whether the image of a row has the factors of another, and the unit between them."""
    by, agrees = unit(kind, 0), True
    for axis in range(3):
        if agrees:
            value, scale = moved(table, act, g, other, axis, kind)
            agrees = same(value, load(kind, table, 4 * row + axis))
            by = times(kind, by, scale)
    return agrees, by


@inlined
def stabiliser(table: Any, act: Any, row: Any, kind: Any) -> Any:
    """How many elements fix the product of a row up to a unit, and whether one of them changes it."""
    count, changes = 1, False
    for g in range(1, order_of(act)):
        fixed, by = _compared(table, act, g, row, row, kind)
        if fixed:
            count += 1
            changes = changes or by != unit(kind, 0)
    return count, changes


@inlined
def _become(table: Any, act: Any, row: Any, kind: Any) -> Any:
    """How many elements fix a row, and the unit that its sum over the group is of its orbit, or why it is none."""
    for axis in range(3):
        if is_zero(load(kind, table, 4 * row + axis)):
            return 1, _VANISHES
    count, changes = stabiliser(table, act, row, kind)
    return (count, _VANISHES) if changes else (count, multiple(act, count))


@kernel
def is_lost(table: Any, act: Any, row: Any, kind: Any) -> bool:
    """Tell whether the sum over the group of a row's product is a multiple of its orbit that the ring lacks."""
    _, scale = _become(table, act, row, kind)
    return bool(scale == _NONE)


@inlined
def _drop(rows: Any, row: Any) -> None:
    rows[STATUS, row], rows[LENGTH, row] = FREE, 0


@kernel
def settle(orbits: Any, row: Any, act: Any, kind: Any) -> None:
    """Turn a walked row whose orbit is short, but not lost, into what the sum over the group is."""
    table, scalars, rows = orbits
    order = order_of(act)
    if rows[STATUS, row] != WALKED:
        return
    count, scale = _become(table, act, row, kind)
    if scale == _VANISHES:
        _drop(rows, row)
        return
    if count == 1:
        return
    scalars[row] = times(kind, scalars[row], scale)
    rows[STATUS, row], rows[LENGTH, row] = FROZEN, order // count
    for other in range(rows.shape[1]):
        if other != row and rows[STATUS, other] == FROZEN:
            for g in range(order):
                agrees, by = _compared(table, act, g, row, other, kind)
                if agrees:
                    # Orbits freeze over fields alone: the sum exists.
                    value = load(kind, table, 4 * other)
                    ratio = divide(kind, times(kind, scalars[row], by), scalars[other])
                    total, scale_both, _ = combine(kind, value, value, ratio)
                    _drop(rows, row)
                    if is_zero(total):
                        _drop(rows, other)
                    else:
                        scalars[other] = times(kind, scalars[other], scale_both)
                    return


@kernel
def merge(orbits: Any, row: Any, first: Any, second: Any, act: Any, kind: Any) -> bool:
    """Add to a row the first image of another that has its factors on two axes, and drop the other.

    Images whose sum does not exist are passed over.
    """
    table, scalars, rows = orbits
    third = 3 - first - second
    for other in range(rows.shape[1]):
        if other == row or rows[STATUS, other] != WALKED:
            continue
        for g in range(order_of(act)):
            value, by_first = moved(table, act, g, other, first, kind)
            if not same(value, load(kind, table, 4 * row + first)):
                continue
            value, by_second = moved(table, act, g, other, second, kind)
            if not same(value, load(kind, table, 4 * row + second)):
                continue
            value, by = moved(table, act, g, other, third, kind)
            by = times(kind, by, times(kind, by_first, by_second))
            kept, scalar = load(kind, table, 4 * row + third), scalars[row]
            ratio = divide(kind, times(kind, scalars[other], by), scalar)
            total, scale, exists = combine(kind, kept, value, ratio)
            if not exists:
                continue
            store(kind, table, 4 * row + third, total)
            scalars[row] = times(kind, scalar, scale)
            if is_lost(table, act, row, kind):
                store(kind, table, 4 * row + third, kept)
                scalars[row] = scalar
                continue
            _drop(rows, other)
            settle(orbits, row, act, kind)
            return True
    return False
