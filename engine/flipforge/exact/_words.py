"""Kernels on rows of packed numbers of GF(2) and GF(3), 64 columns a word.

A matrix is an array of (planes, rows, words). Over GF(2) there is one plane. Over GF(3) there are two: the first tells
what is not zero, the second which of those are 2, so that six operations add 64 numbers (Boothby, Bradshaw 2009:
Bitslicing and the method of four Russians over larger finite fields).

The combinations of 64 rows that the words of coefficients name are looked up, not added up (the method of four
Russians): a word is cut into pieces, and for each piece there is a table of all combinations of its rows. All tables
are passed at once (Albrecht, Bard, Hart 2010: Efficient multiplication of dense matrices over GF(2)), by a block of
each row at a time so that they stay in the second cache.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.jit import inlined, kernel

__all__ = ["Words", "clear_column", "digit", "negate", "subtract_combinations", "subtract_row"]

Words = NDArray[np.uint64]

_ZERO, _ONE = np.uint64(0), np.uint64(1)
_BYTE, _NIBBLE, _NIBBLES = np.uint64(0xFF), np.uint64(0xF), np.uint64(0xFFFF)

# 8 tables of 256 x 32 words are 512 KiB, 16 of 81 x 2 x 32 are 648.
_BLOCK = 32

# The number whose digits in base 3 are the bits of a piece: a 2 stands in both planes and counts twice.
_BASE3 = np.array([sum(3**b for b in range(4) if piece >> b & 1) for piece in range(16)], dtype=np.uint64)


@inlined
def _sum3(x0: Any, x1: Any, y0: Any, y1: Any) -> Any:
    """Both planes of a sum over GF(3)."""
    s = x0 ^ y1
    t = x1 ^ y0
    return (s ^ x1) | (t ^ y1), s & t


@kernel
def digit(planes: Words, row: int, column: np.uint64) -> Any:
    """Return the number at a bit of a (planes, rows) array of words."""
    value = (planes[0, row] >> column) & _ONE
    return value if len(planes) == 1 else value + ((planes[1, row] >> column) & _ONE)


@kernel
def negate(target: Words, row: int, first: int, last: int) -> None:
    """Negate the words first to last - 1 of a row over GF(3)."""
    for w in range(first, last):
        target[1, row, w] ^= target[0, row, w]


@kernel
def subtract_row(target: Words, row: int, source: Words, other: int, factor: Any, first: int, last: int) -> None:
    """Take ``factor`` times a row from another, in the words first to last - 1."""
    if len(target) == 1:
        for w in range(first, last):
            target[0, row, w] ^= source[0, other, w]
        return
    flip = ~_ZERO if factor == _ONE else _ZERO
    for w in range(first, last):
        y0 = source[0, other, w]
        target[0, row, w], target[1, row, w] = _sum3(
            target[0, row, w], target[1, row, w], y0, source[1, other, w] ^ (y0 & flip)
        )


@kernel
def clear_column(panel: Words, lower: Words, pivot: int, column: np.uint64) -> None:
    """Take the multiples of the pivot's word from those below that clear a column; note the factors in ``lower``.

    Both arrays are (planes, rows); the pivot's own number is 1.
    """
    rows = panel.shape[1]
    bit = _ONE << column
    if len(panel) == 1:
        word = panel[0, pivot]
        for i in range(pivot + 1, rows):
            mask = _ZERO - ((panel[0, i] >> column) & _ONE)
            panel[0, i] ^= word & mask
            lower[0, i] |= bit & mask
        return
    word0, word1 = panel[0, pivot], panel[1, pivot]
    for i in range(pivot + 1, rows):
        mask0 = _ZERO - ((panel[0, i] >> column) & _ONE)
        mask1 = _ZERO - ((panel[1, i] >> column) & _ONE)
        lower[0, i] |= bit & mask0
        lower[1, i] |= bit & mask1
        # Minus a row is the row with its second plane turned over, and so is two times a row.
        panel[0, i], panel[1, i] = _sum3(panel[0, i], panel[1, i], word0 & mask0, word0 & mask0 & ~(word1 ^ mask1))


@kernel
def subtract_combinations(
    target: Words, begin: int, end: int, coefficients: Words, source: Words, slots: NDArray[np.int64], first: int
) -> None:
    """Take a combination of at most 64 rows from each row of a range, in all words from ``first`` on.

    Parameters
    ----------
    target
        (planes, rows, words) of the rows ``begin`` to ``end - 1`` to change.
    coefficients
        (planes, rows): bit c of row i is the coefficient of source row ``slots[c]`` in what is taken from row i.
    source
        (planes, rows, words); it may be the target, if the rows of ``slots`` lie outside the range.
    slots
        64 rows of the source, -1 where there is none and the coefficients do not count.
    """
    for block in range(first, target.shape[2], _BLOCK):
        last = min(block + _BLOCK, target.shape[2])
        if len(target) == 1:
            tables = _tables2(source[0], slots, block, last)
            _look_up2(target[0], begin, end, coefficients[0], tables, block, last)
        else:
            tables3 = _tables3(source, slots, block, last)
            _look_up3(target, begin, end, coefficients, tables3, block, last)


@kernel
def _tables2(source: Words, slots: NDArray[np.int64], first: int, last: int) -> Words:
    """All sums of 8 rows each: (8, 256, words)."""
    tables = np.zeros((8, 256, last - first), dtype=np.uint64)
    for slot in range(64):
        table, size, row = tables[slot // 8], 1 << slot % 8, slots[slot]
        for entry in range(size):
            for w in range(last - first):
                table[size + entry, w] = table[entry, w]
            if row >= 0:
                for w in range(last - first):
                    table[size + entry, w] ^= source[row, first + w]
    return tables


@kernel
def _look_up2(target: Words, begin: int, end: int, coefficients: Words, tables: Words, first: int, last: int) -> None:
    for i in range(begin, end):
        c = coefficients[i]
        if c == _ZERO:
            continue
        t0, t1 = tables[0, c & _BYTE], tables[1, (c >> np.uint64(8)) & _BYTE]
        t2, t3 = tables[2, (c >> np.uint64(16)) & _BYTE], tables[3, (c >> np.uint64(24)) & _BYTE]
        t4, t5 = tables[4, (c >> np.uint64(32)) & _BYTE], tables[5, (c >> np.uint64(40)) & _BYTE]
        t6, t7 = tables[6, (c >> np.uint64(48)) & _BYTE], tables[7, c >> np.uint64(56)]
        row = target[i, first:last]
        for w in range(last - first):
            row[w] ^= (t0[w] ^ t1[w]) ^ (t2[w] ^ t3[w]) ^ ((t4[w] ^ t5[w]) ^ (t6[w] ^ t7[w]))


@kernel
def _tables3(source: Words, slots: NDArray[np.int64], first: int, last: int) -> Words:
    """Minus all combinations of 4 rows each: (16, 81, 2, words)."""
    tables = np.zeros((16, 81, 2, last - first), dtype=np.uint64)
    size = 1
    for slot in range(64):
        table, row = tables[slot // 4], slots[slot]
        size = 1 if slot % 4 == 0 else 3 * size
        for entry in range(2 * size):
            for w in range(last - first):
                x0, x1 = table[entry, 0, w], table[entry, 1, w]
                if row >= 0:
                    y0, y1 = source[0, row, first + w], source[1, row, first + w]
                    x0, x1 = _sum3(x0, x1, y0, y0 ^ y1)
                table[size + entry, 0, w], table[size + entry, 1, w] = x0, x1
    return tables


@kernel
def _look_up3(target: Words, begin: int, end: int, coefficients: Words, tables: Words, first: int, last: int) -> None:
    for i in range(begin, end):
        if coefficients[0, i] == _ZERO:
            continue
        row0, row1 = target[0, i, first:last], target[1, i, first:last]
        # Four tables at a time: with more pointers the compiler gives up on vectors.
        for quarter in range(4):
            c0, c1 = coefficients[0, i] >> np.uint64(16 * quarter), coefficients[1, i] >> np.uint64(16 * quarter)
            if c0 & _NIBBLES == _ZERO:
                continue
            t0 = tables[4 * quarter, _entry3(c0, c1, 0)]
            t1 = tables[4 * quarter + 1, _entry3(c0, c1, 4)]
            t2 = tables[4 * quarter + 2, _entry3(c0, c1, 8)]
            t3 = tables[4 * quarter + 3, _entry3(c0, c1, 12)]
            for w in range(last - first):
                x0, x1 = _sum3(t0[0, w], t0[1, w], t1[0, w], t1[1, w])
                y0, y1 = _sum3(t2[0, w], t2[1, w], t3[0, w], t3[1, w])
                x0, x1 = _sum3(x0, x1, y0, y1)
                row0[w], row1[w] = _sum3(row0[w], row1[w], x0, x1)


@inlined
def _entry3(c0: Any, c1: Any, shift: Any) -> Any:
    return _BASE3[(c0 >> np.uint64(shift)) & _NIBBLE] + _BASE3[(c1 >> np.uint64(shift)) & _NIBBLE]
