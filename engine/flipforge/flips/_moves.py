"""What both kernels share: the generator, the plus transition, and how a table of factors is read and changed.

A table has shape (3, slots, words); a slot whose factors are zero is free.
"""

import numpy as np
from numpy.typing import NDArray

from flipforge.flips._jit import inlined, kernel

__all__ = ["Index", "Table", "accumulate", "add_row", "agree", "clear", "draw", "is_zero"]

Table = NDArray[np.unsignedinteger]
Index = int | np.int64
Words = tuple[np.uint64, np.uint64, np.uint64, np.uint64]


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
def is_zero(table: Table, axis: Index, row: Index) -> bool:
    """Tell whether a factor is zero."""
    bits = table[axis, row, 0]
    for word in range(1, table.shape[2]):
        bits |= table[axis, row, word]
    return bool(bits == 0)


@inlined
def agree(table: Table, axis: Index, row: Index, other: Index) -> bool:
    """Tell whether two rows have the same factor on an axis."""
    bits = table[axis, row, 0] ^ table[axis, other, 0]
    for word in range(1, table.shape[2]):
        bits |= table[axis, row, word] ^ table[axis, other, word]
    return bool(bits == 0)


@inlined
def accumulate(table: Table, axis: Index, row: Index, other: Index) -> None:
    """Add the other row's factor to the row's."""
    for word in range(table.shape[2]):
        table[axis, row, word] ^= table[axis, other, word]


@inlined
def clear(table: Table, row: Index) -> None:
    """Free a slot."""
    for axis in range(3):
        for word in range(table.shape[2]):
            table[axis, row, word] = 0


@inlined
def _apart(table: Table, row: Index, other: Index) -> bool:
    """Tell whether the other slot holds a row that differs on all three axes."""
    close = is_zero(table, 0, other)
    for axis in range(3):
        close |= agree(table, axis, row, other)
    return not close


@kernel
def _find_apart(table: Table, row: Index, number: Index) -> int:
    """Slot of the row with that number among those apart from the row; -1 - n if they are only n."""
    found = 0
    for other in range(table.shape[1]):
        if _apart(table, row, other):
            if found == number:
                return other
            found += 1
    return -1 - found


@inlined
def _split(table: Table, axis: Index, row: Index, other: Index, free: Index) -> None:
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


@kernel
def add_row(table: Table, rank: Index, word: np.uint64) -> bool:
    """Make a plus transition with the given random word; False if no two rows differ on all three axes."""
    slots = table.shape[1]
    skip = np.int64(((word >> np.uint64(40)) * np.uint64(rank)) >> np.uint64(24))
    start, free = 0, -1
    for slot in range(slots):
        if is_zero(table, 0, slot):
            if free < 0:
                free = slot
        else:
            if skip == 0:
                start = slot
            skip -= 1
    for turn in range(slots):
        row = (start + turn) % slots
        if is_zero(table, 0, row):
            continue
        apart = -1 - _find_apart(table, row, slots)
        if apart > 0:
            number = np.int64((((word >> np.uint64(16)) & np.uint64(0xFFFFFF)) * np.uint64(apart)) >> np.uint64(24))
            axis = np.int64(((word & np.uint64(0xFFFF)) * np.uint64(3)) >> np.uint64(16))
            _split(table, axis, row, _find_apart(table, row, number), free)
            return True
    return False
