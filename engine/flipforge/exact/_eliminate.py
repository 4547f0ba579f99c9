"""Kernels: the decomposition of a packed matrix, and what is solved with it.

The matrix is brought, in place and word by word of its columns, to the form A[order] = L U (Jeannerod, Pernet,
Storjohann 2013: Rank-profile revealing Gaussian elimination and the CUP matrix decomposition). The columns of the
pivots are those that depend on none before them. U has ones at the pivots and L what the rows were divided by, so that
the minor of the first r rows and the columns of the pivots is the product of a lower and an upper triangle.

What is left of a row holds both: up to the word of its own pivot the row of L, with the coefficient of a pivot at the
bit of that pivot's column, and from its pivot's word on the row of U. That word itself has both: U stays in place
there, and L goes into an array of its own, ``inner``. Arrays are as in `flipforge.exact._words`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.exact._words import (
    Words,
    clear_column,
    digit,
    negate,
    subtract_combinations,
    subtract_row,
)
from flipforge.jit import kernel

__all__ = ["decompose", "solve_left", "solve_lower", "solve_upper"]

_Places = NDArray[np.int64]

_ONE, _TWO, _IN_WORD = np.uint64(1), np.uint64(2), np.uint64(63)

# Not a literal: numba compiles its callees once more for each of those.
_START: Any = np.int64(0)


@kernel
def decompose(words: Words) -> tuple[_Places, _Places, Words]:
    """Decompose a matrix in place.

    Parameters
    ----------
    words
        (planes, m, words); bits beyond the last column are zero.

    Returns
    -------
    order, columns, inner
        The m rows in their new order, the r columns of the pivots, and (planes, r) words of L.
    """
    planes, m, width = words.shape
    order = np.arange(m)
    columns = np.empty(min(m, 64 * width), dtype=np.int64)
    inner = np.zeros((planes, len(columns)), dtype=np.uint64)
    panel, lower = np.empty((planes, m), dtype=np.uint64), np.empty((planes, m), dtype=np.uint64)
    slots = np.empty(64, dtype=np.int64)
    rank = _START
    for strip in range(width):
        begin = rank
        for plane in range(planes):
            for i in range(begin, m):
                panel[plane, i] = words[plane, i, strip]
                lower[plane, i] = 0
        slots[:] = -1
        for bit in range(64):
            pivot = _first(panel, rank, np.uint64(bit))
            if pivot < 0:
                continue
            _swap(words, panel, lower, order, pivot, rank)
            _take_pivot(panel, lower, rank, np.uint64(bit))
            columns[rank] = 64 * strip + bit
            slots[bit] = rank
            rank += 1
        if rank == begin:
            continue
        for plane in range(planes):
            for i in range(begin, rank):
                words[plane, i, strip] = panel[plane, i]
                inner[plane, i] = lower[plane, i]
            for i in range(rank, m):
                words[plane, i, strip] = lower[plane, i]
        _solve_within(words, strip + 1, inner, columns, begin, rank)
        subtract_combinations(words, rank, m, lower, words, slots, strip + 1)
    return order, columns[:rank], inner[:, :rank].copy()


@kernel
def _first(panel: Words, begin: int, bit: np.uint64) -> int:
    """Return the first row with something at the bit, or -1."""
    for i in range(begin, panel.shape[1]):
        if (panel[0, i] >> bit) & _ONE:
            return i
    return -1


@kernel
def _swap(words: Words, panel: Words, lower: Words, order: _Places, i: int, j: int) -> None:
    if i == j:
        return
    order[i], order[j] = order[j], order[i]
    for plane in range(len(words)):
        panel[plane, i], panel[plane, j] = panel[plane, j], panel[plane, i]
        lower[plane, i], lower[plane, j] = lower[plane, j], lower[plane, i]
        for w in range(words.shape[2]):
            words[plane, i, w], words[plane, j, w] = words[plane, j, w], words[plane, i, w]


@kernel
def _take_pivot(panel: Words, lower: Words, pivot: int, bit: np.uint64) -> None:
    """Divide the pivot's word by its number, which goes into L, and clear the column below."""
    number = digit(panel, pivot, bit)
    lower[0, pivot] |= _ONE << bit
    if number == _TWO:
        lower[1, pivot] |= _ONE << bit
        panel[1, pivot] ^= panel[0, pivot]
    clear_column(panel, lower, pivot, bit)


@kernel
def _solve_within(rows: Words, first: int, inner: Words, columns: _Places, begin: int, end: int) -> None:
    """Solve with the block of L that the pivots of one word form among themselves."""
    last = rows.shape[2]
    for i in range(begin, end):
        for j in range(begin, i):
            factor = digit(inner, i, np.uint64(columns[j]) & _IN_WORD)
            if factor:
                subtract_row(rows, i, rows, j, factor, first, last)
        if digit(inner, i, np.uint64(columns[i]) & _IN_WORD) == _TWO:
            negate(rows, i, first, last)


@kernel
def solve_lower(words: Words, columns: _Places, inner: Words, right: Words) -> None:
    """Turn the r rows of ``right`` into L^-1 times them."""
    slots = np.empty(64, dtype=np.int64)
    begin, rank = _START, len(columns)
    while begin < rank:
        end = begin
        slots[:] = -1
        while end < rank and columns[end] // 64 == columns[begin] // 64:
            slots[columns[end] % 64] = end
            end += 1
        _solve_within(right, _START, inner, columns, begin, end)
        lower = words[:, :, columns[begin] // 64].copy()
        subtract_combinations(right, end, rank, lower, right, slots, _START)
        begin = end


@kernel
def solve_upper(words: Words, columns: _Places, right: Words) -> None:
    """Turn the r rows of ``right`` into U^-1 times them."""
    slots = np.empty(64, dtype=np.int64)
    end = len(columns)
    while end > 0:
        strip = columns[end - 1] // 64
        upper = words[:, :, strip].copy()
        slots[:] = -1
        begin = end
        while begin > 0 and columns[begin - 1] // 64 == strip:
            begin -= 1
            slots[columns[begin] % 64] = begin
            for j in range(begin + 1, end):
                factor = digit(upper, begin, np.uint64(columns[j]) & _IN_WORD)
                if factor:
                    subtract_row(right, begin, right, j, factor, _START, right.shape[2])
        subtract_combinations(right, _START, begin, upper, right, slots, _START)
        end = begin


@kernel
def solve_left(words: Words, columns: _Places, inner: Words, left: Words) -> NDArray[np.uint8]:
    """Return (k, r) numbers: the rows of ``left`` times U^-1 L^-1.

    ``left`` is (planes, k, words), changed, with number j of a row at the bit of the j-th pivot's column.
    """
    planes, count, width = left.shape
    rank = len(columns)
    result = np.zeros((count, rank), dtype=np.uint8)
    for k in range(count):
        for i in range(rank):
            strip, bit = columns[i] // 64, np.uint64(columns[i]) & _IN_WORD
            factor = digit(left[:, :, strip], k, bit)
            result[k, i] = factor
            if factor:
                subtract_row(left, k, words, i, factor, strip, width)
        left[:, k] = 0
        for i in range(rank):
            strip, bit = columns[i] // 64, np.uint64(columns[i]) & _IN_WORD
            for plane in range(result[k, i]):
                left[plane, k, strip] |= _ONE << bit
        for i in range(rank - 1, -1, -1):
            strip, bit = columns[i] // 64, np.uint64(columns[i]) & _IN_WORD
            factor = digit(left[:, :, strip], k, bit)
            # The number that the pivot was divided by is its own inverse.
            if digit(inner, i, bit) == _TWO:
                factor = (_TWO * factor) % np.uint64(3)
            result[k, i] = factor
            if factor:
                subtract_row(left, k, words, i, factor, _START, strip)
                own = inner[:, i].copy().reshape(planes, 1, 1)
                subtract_row(left[:, :, strip : strip + 1], k, own, 0, factor, 0, 1)
    return result
