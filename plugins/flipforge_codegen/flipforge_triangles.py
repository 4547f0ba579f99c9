"""Triangles of matrices: whole from a part, packed row by row, mirrored. Needs NumPy, nothing else."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["clean", "mirrored", "pack", "padded", "symmetric", "unpack"]

Array = npt.NDArray[Any]


def clean(x: Array, letter: str) -> Array:
    """Return the whole matrix of a structure from its upper triangle, or the lower one for ``l``; the rest is not read.

    Examples
    --------
    >>> clean(np.array([[1, 2], [9, 3]]), "s").tolist()
    [[1, 2], [2, 3]]
    """
    if letter == "u":
        return np.triu(x)
    if letter == "l":
        return np.tril(x)
    if letter == "s":
        return symmetric(x)
    if letter == "k":
        return np.asarray(np.triu(x, 1) - np.triu(x, 1).T)
    return x


def pack(x: Array, *, lower: bool = False) -> Array:
    """Return the upper triangle row by row, or the lower one."""
    return np.asarray(x[np.tril_indices(len(x)) if lower else np.triu_indices(len(x))])


def unpack(packed: Array, letter: str = "u") -> Array:
    """Return the whole matrix of a packed triangle: upper for u, s and k, lower for l.

    Raises
    ------
    ValueError
        Its length is not n (n + 1) / 2.
    """
    n = int(((8 * len(packed) + 1) ** 0.5 - 1) / 2)
    if n * (n + 1) // 2 != len(packed):
        raise ValueError(f"{len(packed)} entries are no packed triangle")
    whole = np.zeros((n, n), packed.dtype)
    whole[np.tril_indices(n) if letter == "l" else np.triu_indices(n)] = packed
    return clean(whole, letter)


def symmetric(block: Array) -> Array:
    """Return the upper triangle of a block and its mirror image."""
    return np.asarray(np.triu(block) + np.triu(block, 1).T)


def padded(x: Array, shape: Sequence[int]) -> Array:
    """Return the matrix in the corner of a larger one of zeros."""
    whole = np.zeros(tuple(shape), x.dtype)
    whole[: x.shape[0], : x.shape[1]] = x
    return whole


def mirrored(x: Array) -> Array:
    """Write the upper triangle to the lower one, and return the matrix."""
    lower = np.tril_indices(len(x), -1)
    x[lower] = x.T[lower]
    return x
