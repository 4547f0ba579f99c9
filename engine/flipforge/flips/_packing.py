"""Packed factors: uint64 arrays of shape (3, rank, words), one coding for each ring, and their lanes.

==========  ============================================================  =====================
ring        words of a factor of n entries                                entry i
==========  ============================================================  =====================
GF2         ceil(n / 64)                                                  bit i
GF3, ZT     2 * ceil(n / 64): the plane of 1, then the plane of -1        bit i of either plane
GF5, GF7    ceil(n / 16)                                                  bits 4i to 4i + 3
==========  ============================================================  =====================
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flipforge.errors import InputError

__all__ = [
    "MAX_WORDS",
    "RINGS",
    "Packed",
    "entries_of",
    "from_lanes",
    "holds",
    "layout",
    "max_entries",
    "pack",
    "packed_words",
    "to_lanes",
    "unpack",
]

Packed = NDArray[np.uint64]

RINGS = {"GF2": 2, "GF3": 3, "GF5": 5, "GF7": 7, "ZT": 0}
"""The rings that are walked over, with their characteristics."""

MAX_WORDS = 8
"""Most words of a factor."""

_WORD = 64
_NIBBLES = 16


def _check_ring(ring: str) -> None:
    if ring not in RINGS:
        raise InputError(f"no walk over {ring}: use one of {', '.join(RINGS)}")


def _signed(ring: str) -> bool:
    return ring in ("GF3", "ZT")


def max_entries(ring: str) -> int:
    """Return the length of the longest factor that fits."""
    _check_ring(ring)
    return MAX_WORDS * (_NIBBLES if RINGS[ring] > 3 else _WORD // 2 if _signed(ring) else _WORD)


def packed_words(ring: str, entries: int) -> int:
    """Return the words that a factor of so many entries takes."""
    _check_ring(ring)
    if RINGS[ring] > 3:
        return -(-entries // _NIBBLES)
    return -(-entries // _WORD) * (2 if _signed(ring) else 1)


def pack(factors: Sequence[ArrayLike], ring: str) -> Packed:
    """Pack three integer matrices with as many rows.

    Parameters
    ----------
    factors
        u, v and w, each of shape (rank, entries); residues 0 to p - 1, or -1, 0, 1 for ZT. The axes may differ in
        length; the longest one decides the words.

    Raises
    ------
    InputError
        The ring is not walked over, shapes disagree, or an entry is no element of the ring.
    """
    _check_ring(ring)
    matrices = [np.asarray(matrix, dtype=np.int64) for matrix in factors]
    rank = len(matrices[0])
    if len(matrices) != 3 or any(matrix.ndim != 2 or len(matrix) != rank for matrix in matrices):
        raise InputError(
            f"factors of shapes {[matrix.shape for matrix in matrices]}: give three matrices of equal rank"
        )
    prime = RINGS[ring]
    low, high = (0, prime - 1) if prime else (-1, 1)
    if any(matrix.size and (matrix.min() < low or matrix.max() > high) for matrix in matrices):
        raise InputError(f"factors over {ring} have entries from {low} to {high}")
    words = packed_words(ring, max(matrix.shape[1] for matrix in matrices))
    packed = np.zeros((3, rank, words), dtype=np.uint64)
    for axis, matrix in enumerate(matrices):
        if prime > 3:
            packed[axis] = _nibbles(matrix, words)
        elif _signed(ring):
            packed[axis, :, : words // 2] = _bits(matrix == 1, words // 2)
            packed[axis, :, words // 2 :] = _bits((matrix == 2) | (matrix == -1), words // 2)
        else:
            packed[axis] = _bits(matrix == 1, words)
    return packed


def unpack(
    packed: Packed, sizes: Sequence[int], ring: str
) -> tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int8]]:
    """Return u, v and w as int8 matrices of shape (rank, size); the inverse of `pack`."""
    _check_ring(ring)
    u, v, w = (entries_of(packed[axis], size, ring) for axis, size in enumerate(sizes))
    return u, v, w


def entries_of(packed: Packed, size: int, ring: str) -> NDArray[np.int8]:
    """Return the first entries of packed factors of shape (..., words) as int8 of shape (..., size)."""
    little = np.ascontiguousarray(packed, dtype="<u8").view(np.uint8)
    if RINGS[ring] > 3:
        pairs = np.stack([little & 15, little >> 4], axis=-1)
        return pairs.reshape(*little.shape[:-1], 2 * little.shape[-1])[..., :size].astype(np.int8)
    bits = np.unpackbits(little, axis=-1, bitorder="little").astype(np.int8)
    if not _signed(ring):
        return bits[..., :size]
    half = bits.shape[-1] // 2
    minus = bits[..., half : half + size]
    return bits[..., :size] + (2 * minus if RINGS[ring] else -minus)


def holds(packed: Packed, ring: str) -> bool:
    """Tell whether every entry of packed factors codes an element of the ring."""
    if RINGS[ring] > 3:
        return all(int((packed >> np.uint64(4 * place) & np.uint64(15)).max()) < RINGS[ring] for place in range(16))
    half = packed.shape[-1] // 2
    return not _signed(ring) or not (packed[..., :half] & packed[..., half:]).any()


def layout(ring: str, entries: int) -> tuple[int, int]:
    """Return the width and the number of the lane words that hold factors of so many entries."""
    bits = entries * (4 if RINGS[ring] > 3 else 2 if _signed(ring) else 1)
    for width in (16, 32, _WORD):
        if bits <= width:
            return width, 1
    return _WORD, packed_words(ring, entries)


def to_lanes(factors: Packed, ring: str, width: int, words: int) -> Packed:
    """Return the lane words, of shape (..., words), of packed factors; see `layout`."""
    half = factors.shape[-1] // 2
    if not _signed(ring):
        return factors[..., :words]
    if words == 1:
        return factors[..., :1] | factors[..., half : half + 1] << np.uint64(width // 2)
    return factors[..., [*range(words // 2), *range(half, half + words // 2)]]


def from_lanes(lanes: NDArray[np.unsignedinteger], ring: str, size: int) -> Packed:
    """Return packed factors of so many words; the inverse of `to_lanes`."""
    words = lanes.shape[-1]
    found = lanes.astype(np.uint64)
    packed = np.zeros((*lanes.shape[:-1], size), dtype=np.uint64)
    if not _signed(ring):
        packed[..., :words] = found
    elif words == 1:
        bits = np.uint64(lanes.dtype.itemsize * 4)
        packed[..., 0] = found[..., 0] & np.uint64((1 << int(bits)) - 1)
        packed[..., size // 2] = found[..., 0] >> bits
    else:
        packed[..., : words // 2] = found[..., : words // 2]
        packed[..., size // 2 : size // 2 + words // 2] = found[..., words // 2 :]
    return packed


def _bits(chosen: NDArray[np.bool_], words: int) -> Packed:
    wide = np.zeros((len(chosen), words * _WORD), dtype=np.uint8)
    wide[:, : chosen.shape[1]] = chosen
    return np.packbits(wide, axis=-1, bitorder="little").view("<u8").astype(np.uint64)


def _nibbles(matrix: NDArray[np.int64], words: int) -> Packed:
    wide = np.zeros((len(matrix), words * _NIBBLES), dtype=np.uint8)
    wide[:, : matrix.shape[1]] = matrix
    return (wide[:, 0::2] | wide[:, 1::2] << 4).view("<u8").astype(np.uint64)
