"""The back end for GF(2) and GF(3): packed numbers, jitted kernels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flipforge.exact._eliminate import decompose, solve_left, solve_lower, solve_upper
from flipforge.exact._matrix import Array, Matrix, Sparse
from flipforge.exact._words import Words

__all__ = ["Packed", "pack", "unpack"]

_Places = NDArray[np.int64]

_ROWS_AT_ONCE = 128


class Packed:
    """Elimination of 64 columns at a time by the method of four Russians."""

    def supports(self, p: int) -> bool:
        """Tell whether the field GF(p), or Q for 0, is one of this back end's."""
        return p in (2, 3)

    def factor(self, matrix: Matrix, p: int) -> "_Factors":
        """Factor residues modulo p."""
        words = pack(matrix, p)
        order, columns, inner = decompose(words)
        rank = len(columns)
        return _Factors(order[:rank], columns, p, words[:, :rank].copy(), inner)


@dataclass(frozen=True)
class _Factors:
    rows: _Places
    columns: _Places
    p: int
    words: Words
    inner: Words

    def solve(self, right: Array) -> Array:
        words = pack(right, self.p)
        solve_lower(self.words, self.columns, self.inner, words)
        solve_upper(self.words, self.columns, words)
        return unpack(words, right.shape[1])

    def solve_left(self, left: Array) -> Array:
        # A number stands at the bit of its pivot's column.
        placed = np.zeros((len(left), 64 * self.words.shape[2]), dtype=np.uint8)
        placed[:, self.columns] = left
        return solve_left(self.words, self.columns, self.inner, pack(placed, self.p)).astype(np.int64)


def pack(matrix: Matrix, p: int) -> Words:
    """Pack residues modulo 2 or 3 into (p - 1, m, words) planes, as `flipforge.exact._words` has them.

    Examples
    --------
    >>> pack(np.array([[0, 1, 2]]), 3).tolist()
    [[[6]], [[4]]]
    """
    m, n = matrix.shape
    width = -(-n // 64)
    if isinstance(matrix, Sparse):
        return _pack_sparse(matrix, p, width)
    octets = np.zeros((p - 1, m, 8 * width), dtype=np.uint8)
    # By parts, so that what is compared stays in the cache.
    for begin in range(0, m, _ROWS_AT_ONCE):
        part = slice(begin, begin + _ROWS_AT_ONCE)
        for plane in range(p - 1):
            octets[plane, part, : -(-n // 8)] = np.packbits(matrix[part] > plane, axis=1, bitorder="little")
    return octets.view("<u8").astype(np.uint64, copy=False)


def unpack(words: Words, n: int) -> NDArray[np.int64]:
    """Return the m x n residues."""
    octets = words.astype("<u8", copy=False).view(np.uint8)
    planes = np.unpackbits(octets, axis=2, count=n, bitorder="little")
    numbers: NDArray[np.int64] = planes.sum(axis=0, dtype=np.int64)
    return numbers


def _pack_sparse(matrix: Sparse, p: int, width: int) -> Words:
    m = matrix.shape[0]
    places, at = np.unique(matrix.rows * (64 * width) + matrix.columns, return_inverse=True)
    sums = np.zeros(len(places), dtype=np.int64)
    np.add.at(sums, at, matrix.values)
    words = np.zeros((p - 1, m * width), dtype=np.uint64)
    for plane in range(p - 1):
        chosen = places[sums % p > plane]
        np.bitwise_or.at(words[plane], chosen // 64, np.uint64(1) << (chosen % 64).astype(np.uint64))
    return words.reshape(p - 1, m, width)
