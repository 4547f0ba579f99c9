"""How far a scheme is from one that is made of small pieces.

A factor u of a product names a combination of the slices of the tensor along its axis, the matrix sum_i u_i T_i; its
rank tells how much of the other two operands the factor meets. For a matrix product this is the rank of the factor as
a matrix, times the side that it does not touch. The *breadth* of a scheme is the sum of these ranks over all factors of
all products: a number that no change of bases moves.

Random walks downwards end in narrow schemes, which are easy to reach and lead nowhere: on 4x4x4 over GF(2) all finds at
rank 49 are Strassen's algorithm applied twice, whose factors have rank 1.3 on average, while those of the schemes of
rank 47 have 2. Choosing for breadth on the way down leads past them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.schemes import Scheme

__all__ = ["breadth"]

_LARGE_PRIME = 32_749
"""Stands for characteristic 0: no small coefficient vanishes modulo it, and products of residues fit in 64 bits."""
_SMALL_PRIME = 181
"""Products of two residues fit in 16 bits; the elimination is bound by memory."""

Matrices = npt.NDArray[np.signedinteger[Any]]


def breadth(scheme: Scheme) -> int:
    """Return the sum of the ranks of all factors as combinations of slices of the tensor.

    Examples
    --------
    >>> from flipforge.problems import parse
    >>> from flipforge.rings import GF2
    >>> from flipforge.schemes import standard_scheme
    >>> breadth(standard_scheme(parse("matmul:2x2x2"), GF2))
    48
    """
    prime = scheme.ring.characteristic or _LARGE_PRIME
    tensor = np.zeros(scheme.problem.shape, dtype=np.int16 if prime <= _SMALL_PRIME else np.int64)
    for index, value in scheme.problem.entries:
        tensor[index] = value % prime
    total = 0
    for axis, rows in enumerate((scheme.u, scheme.v, scheme.w)):
        factors, copies = np.unique(_residues(rows, prime), axis=0, return_counts=True)
        slices = (np.tensordot(factors, np.moveaxis(tensor, axis, 0), axes=1) % prime).astype(tensor.dtype)
        total += int(copies @ _ranks(slices, prime))
    return total


def _residues(rows: tuple[tuple[object, ...], ...], prime: int) -> npt.NDArray[np.int64]:
    return np.array([[int(x) % prime for x in row] for row in rows], dtype=np.int64)  # type: ignore[call-overload]


def _ranks(matrices: Matrices, prime: int) -> npt.NDArray[np.int64]:
    """Eliminate in all matrices, shape (count, rows, columns), at a time; return their ranks."""
    count, height, width = matrices.shape
    ranks = np.zeros(count, dtype=np.int64)
    every = np.arange(count)
    for column in range(width):
        below = np.arange(height) >= ranks[:, None]
        candidates = (matrices[:, :, column] != 0) & below
        pivots = candidates.argmax(axis=1)
        found = candidates[every, pivots]
        which, pivot, place = every[found], pivots[found], ranks[found]
        matrices[which, pivot], matrices[which, place] = matrices[which, place], matrices[which, pivot]
        lead = matrices[which, place]
        # Rows are scaled by one another's leading entries in place of a division.
        heads = matrices[which, :, column] * (np.arange(height) > place[:, None])
        scaled = matrices[which] * np.where(heads, lead[:, None, column], 1)[:, :, None]
        matrices[which] = (scaled - heads[:, :, None] * lead[:, None, :]) % prime
        ranks[found] += 1
    return ranks
