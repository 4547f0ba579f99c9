"""The equations of a scheme once more, the slow and plain way."""

from itertools import product

import numpy as np

from flipforge.schemes import Scheme


def oracle(scheme: Scheme) -> bool:
    """Rebuild the whole tensor with dense object arrays, and compare.

    The last axis is the degree in eps; the tensor of a commutative scheme is added to its own transpose in the first
    two places, and twice the squares are taken once again.
    """
    order = scheme.problem.order
    found = np.zeros((*scheme.problem.shape, order + 1), dtype=object)
    for rows in zip(scheme.u, scheme.v, scheme.w, strict=True):
        u, v, w = (np.array(row, object).reshape(-1, order + 1) for row in rows)
        for a, b, c in product(range(order + 1), repeat=3):
            if a + b + c <= order:
                found[..., a + b + c] += np.multiply.outer(np.multiply.outer(u[:, a], v[:, b]), w[:, c])
    for index, value in scheme.problem.entries:
        found[(*index, order)] -= value
    if scheme.problem.commutes:
        squares = found[np.arange(len(found)), np.arange(len(found))].copy()
        found = found + found.swapaxes(0, 1)
        found[np.arange(len(found)), np.arange(len(found))] = squares
    p = scheme.ring.characteristic
    return not any(x % p if p else x for x in found.reshape(-1))
