"""The rare moves, shared by both kernels: reductions and plus transitions on a plain table of factors.

A table has shape (3, slots, words); a slot whose first factor is zero is free. These run once in thousands of flips, so they scan,
and the kernel that called them builds its index anew.
"""

import numpy as np
from numpy.typing import NDArray

from flipforge.flips._jit import inlined, kernel

__all__ = ["add_row", "settle"]


@inlined
def is_zero(table: NDArray[np.unsignedinteger], axis: int, row: int) -> bool:
    """Tell whether a factor is zero."""
    for word in range(table.shape[2]):
        if table[axis, row, word] != 0:
            return False
    return True


@inlined
def agree(table: NDArray[np.unsignedinteger], axis: int, row: int, other: int) -> bool:
    """Tell whether two rows have the same factor on an axis."""
    for word in range(table.shape[2]):
        if table[axis, row, word] != table[axis, other, word]:
            return False
    return True


@inlined
def accumulate(table: NDArray[np.unsignedinteger], axis: int, row: int, other: int) -> None:
    """Add the other row's factor to the row's."""
    for word in range(table.shape[2]):
        table[axis, row, word] ^= table[axis, other, word]


@inlined
def clear(table: NDArray[np.unsignedinteger], row: int) -> None:
    """Free a slot."""
    for axis in range(3):
        for word in range(table.shape[2]):
            table[axis, row, word] = 0


@kernel
def settle(table: NDArray[np.unsignedinteger], row: int, axis: int) -> int:
    """Carry out the reductions that a change of one factor exposes; return how many rows went."""
    gone = 0
    while True:
        if is_zero(table, axis, row):
            # A slot that an earlier reduction freed is zero on every axis; a row that has just vanished, on one.
            if is_zero(table, (axis + 1) % 3, row):
                return gone
            clear(table, row)
            return gone + 1
        partner = -1
        for other in range(table.shape[1]):
            if other != row and agree(table, axis, row, other):
                second = agree(table, (axis + 1) % 3, row, other)
                if second or agree(table, (axis + 2) % 3, row, other):
                    partner = other
                    axis = (axis + 2) % 3 if second else (axis + 1) % 3
                    break
        if partner < 0:
            return gone
        accumulate(table, axis, row, partner)
        clear(table, partner)
        gone += 1
    return gone


@inlined
def _apart(table: NDArray[np.unsignedinteger], row: int, other: int) -> bool:
    if row == other or is_zero(table, 0, other):
        return False
    return not (agree(table, 0, row, other) or agree(table, 1, row, other) or agree(table, 2, row, other))


@kernel
def add_row(table: NDArray[np.unsignedinteger], rank: int, word: np.uint64, rows: NDArray[np.int64]) -> int:
    """Make a plus transition; put its three rows into ``rows`` and return its axis, or -1 if no two rows are apart."""
    start = np.int64(((word >> np.uint64(40)) * np.uint64(rank)) >> np.uint64(24))
    live = np.empty(rank, np.int64)
    free = -1
    count = 0
    for slot in range(table.shape[1]):
        if not is_zero(table, 0, slot):
            live[count] = slot
            count += 1
        elif free < 0:
            free = slot
    for turn in range(rank):
        row = live[(start + turn) % rank]
        apart = 0
        for other in live:
            apart += _apart(table, row, other)
        if apart == 0:
            continue
        skip = np.int64((((word >> np.uint64(16)) & np.uint64(0xFFFFFF)) * np.uint64(apart)) >> np.uint64(24))
        for other in live:
            if _apart(table, row, other):
                if skip == 0:
                    break
                skip -= 1
        axis = np.int64(((word & np.uint64(0xFFFF)) * np.uint64(3)) >> np.uint64(16))
        _split(table, axis, row, other, free)
        rows[0], rows[1], rows[2] = row, other, free
        return axis
    return -1


@inlined
def _split(table: NDArray[np.unsignedinteger], axis: int, row: int, other: int, free: int) -> None:
    after, last = (axis + 1) % 3, (axis + 2) % 3
    for word in range(table.shape[2]):
        a, c = table[axis, row, word], table[last, row, word]
        b_other = table[after, other, word]
        table[axis, free, word] = table[axis, other, word] ^ a
        table[after, free, word] = b_other
        table[last, free, word] = table[last, other, word]
        table[axis, other, word] = a
        table[last, other, word] ^= c
        table[after, row, word] ^= b_other
