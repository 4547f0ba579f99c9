"""The least singular value of the Terracini matrix of a sum of powers, and a vector on which it is nearly taken."""

import numpy as np

from flipforge_symmetric._tables import Floats

__all__ = ["least_singular_value"]

_MAX_SPECTRUM = 1000
"""Up to so many columns all eigenvalues are computed; above that the least ones."""
_BLOCK = 512
_WIDTH = 8
_ROUNDS = 60
_SETTLED = 1e-6
"""Change, by its size, of the largest eigenvalue of the inverse in a round that ends the iteration."""


def least_singular_value(vectors: Floats, order: int) -> tuple[float, float, Floats]:
    """Return bounds on the least singular value, in floating-point numbers, and a direction.

    Parameters
    ----------
    vectors
        Shape (r, length).

    Returns
    -------
    float, float, ndarray
        The bounds, and a unit vector of length r times length whose image is nearly as short.

    Examples
    --------
    >>> low, high, _ = least_singular_value(np.eye(2), 4)
    >>> low < 0.5 < high
    True
    """
    gram = _gram(vectors, order)
    size = len(gram)
    if size <= _MAX_SPECTRUM:
        values, columns = np.linalg.eigh(gram)
        least, direction, gap = float(values[0]), columns[:, 0], 0.0
    else:
        least, direction = _least_pair(gram)
        gap = 2**-10 * max(0.0, least)
    # What the checker allows for rounding is less than this.
    error = 4 * size * np.finfo(np.float64).eps * max(1.0, float(np.trace(gram)))
    return float(np.sqrt(max(0.0, least - gap - error))), float(np.sqrt(max(0.0, least + error))), direction


def _gram(vectors: Floats, order: int) -> Floats:
    """Return the products of the columns (a, j) and (b, k), a row of blocks at a time."""
    count, length = vectors.shape
    gram = np.empty((count, length, count, length))
    for row, a, dots in zip(gram, vectors, vectors @ vectors.T, strict=True):
        np.einsum("k,kj,l->jkl", (order - 1) * dots ** (order - 2), vectors, a, out=row)
        row[range(length), :, range(length)] += dots ** (order - 1)
    gram /= order
    return gram.reshape(count * length, -1)


def _least_pair(gram: Floats) -> tuple[float, Floats]:
    """Return the least eigenvalue and a vector of it, by inverse iteration on a few vectors at once."""
    size = len(gram)
    # With this on the diagonal the factorisation runs to its end whatever the matrix lacks in rank.
    gram[np.diag_indices(size)] += 4 * size * np.finfo(np.float64).eps * np.trace(gram)
    factor = np.linalg.cholesky(gram)
    starts = range(0, size, _BLOCK)
    corners = [np.linalg.inv(factor[s : s + _BLOCK, s : s + _BLOCK]) for s in starts]
    space = np.linalg.qr(np.random.default_rng(0).standard_normal((size, _WIDTH)))[0]
    before, largest = 0.0, 1.0
    for _ in range(_ROUNDS):
        if abs(largest - before) <= _SETTLED * largest:
            break
        for start, corner in zip(starts, corners, strict=True):
            part = slice(start, start + _BLOCK)
            space[part] = corner @ (space[part] - factor[part, :start] @ space[:start])
        for start, corner in zip(reversed(starts), reversed(corners), strict=True):
            part, after = slice(start, start + _BLOCK), start + _BLOCK
            space[part] = corner.T @ (space[part] - factor[after:, part].T @ space[after:])
        space, scale = np.linalg.qr(space)
        before, largest = largest, float(np.linalg.norm(scale, 2))
    image = factor.T @ space
    values, rotation = np.linalg.eigh(image.T @ image)
    return float(values[0]), np.asarray(space @ rotation[:, 0])
