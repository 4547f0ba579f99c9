"""Symmetric tensors in numpy: one coefficient for each sorted index, and what powers and contractions need."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement
from math import comb

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Tables", "flattening", "multiplicities", "places", "sorted_indices", "sum_of_powers"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@lru_cache(maxsize=16)
def sorted_indices(length: int, order: int) -> Ints:
    """Return the sorted indices in lexicographic order, one a row."""
    count = comb(length + order - 1, order)
    flat = (j for index in combinations_with_replacement(range(length), order) for j in index)
    return np.fromiter(flat, dtype=np.int64, count=count * order).reshape(count, order)


def places(indices: Ints, length: int) -> Ints:
    """Return where the sorted indices equal to given ones, up to order, stand in `sorted_indices`.

    Parameters
    ----------
    indices
        Shape (..., order).
    """
    order = indices.shape[-1]
    weights = length ** np.arange(order - 1, -1, -1)
    return np.asarray(np.searchsorted(sorted_indices(length, order) @ weights, np.sort(indices, axis=-1) @ weights))


def multiplicities(length: int, order: int) -> Floats:
    """Return how many places of the full tensor each sorted index stands for."""
    indices = sorted_indices(length, order)
    count, run = np.ones(len(indices)), np.ones(len(indices))
    for t in range(1, order):
        run = np.where(indices[:, t] == indices[:, t - 1], run + 1, 1.0)
        count *= (t + 1) / run
    return np.rint(count)


@dataclass(frozen=True)
class Tables:
    """What the power method needs of vectors of one length and the half order k.

    Symmetric tensors of order k are vectors of D = C(length + k - 1, k) coordinates, scaled so that the norm is that of
    all places.

    Attributes
    ----------
    powers
        Shape (D, k): the sorted indices.
    scale
        Shape (D,): the root of each index's multiplicity.
    lower
        Shape (L, k - 1): the sorted indices of order k - 1.
    joined, weight
        Shape (length, L): where j and the lower index together stand, and with which factor.
    """

    length: int
    half: int
    powers: Ints
    scale: Floats
    lower: Ints
    joined: Ints
    weight: Floats

    @classmethod
    def of(cls, length: int, half: int) -> "Tables":
        """Make the tables."""
        powers, lower = sorted_indices(length, half), sorted_indices(length, half - 1)
        scale = np.sqrt(multiplicities(length, half))
        both = np.empty((length, len(lower), half), dtype=np.int64)
        both[:, :, 0], both[:, :, 1:] = np.arange(length)[:, None], lower
        joined = places(both, length)
        return cls(length, half, powers, scale, lower, joined, multiplicities(length, half - 1) / scale[joined])

    def power(self, vectors: Floats) -> Floats:
        """Return the k-th powers of the rows of an array of shape (n, length), as shape (n, D)."""
        return np.asarray(vectors[:, self.powers].prod(axis=2) * self.scale)

    def contract(self, tensors: Floats, vectors: Floats) -> Floats:
        """Contract each tensor with k - 1 copies of its vector: shapes (n, D) and (n, length) to (n, length)."""
        lower = vectors[:, self.lower].prod(axis=2)
        return np.asarray(np.matmul(tensors[:, self.joined] * self.weight, lower[:, :, None])[:, :, 0])

    def derivative(self, vectors: Floats) -> Floats:
        """Return x^(k-1) e_j for each row x and each j, as shape (n, D, length): the transpose of `contract`."""
        lower = vectors[:, self.lower].prod(axis=2)
        result = np.zeros((len(vectors), len(self.powers), self.length))
        columns = np.arange(self.length)[:, None]
        result[:, self.joined, columns] = self.weight * lower[:, None, :]
        return result


def flattening(coefficients: Floats, length: int, half: int) -> Floats:
    """Return the symmetric matrix of shape (D, D) of a tensor of order 2 k, in the scaled coordinates of `Tables`."""
    indices = sorted_indices(length, half)
    count = len(indices)
    scale = np.sqrt(multiplicities(length, half))
    matrix = np.empty((count, count))
    for row, index in enumerate(indices):
        both = np.concatenate([np.broadcast_to(index, indices[row:].shape), indices[row:]], axis=1)
        matrix[row, row:] = matrix[row:, row] = coefficients[places(both, length)]
    return matrix * scale * scale[:, None]


def sum_of_powers(weights: Floats, vectors: Floats, order: int) -> Floats:
    """Return the coefficients of sum w_i a_i^m at the sorted indices."""
    length = vectors.shape[1]
    indices = sorted_indices(length, order)
    total = np.zeros(len(indices))
    step = max(1, 2**22 // len(indices))
    for start in range(0, len(weights), step):
        part = vectors[start : start + step]
        product = part[:, indices[:, 0]]
        for t in range(1, order):
            product = product * part[:, indices[:, t]]
        total += weights[start : start + step] @ product
    return total
