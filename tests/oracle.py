"""The Brent equations once more, the slow and plain way."""

import numpy as np

from flipforge.schemes import Scheme


def oracle(scheme: Scheme) -> bool:
    """Rebuild the whole tensor with dense object arrays, and compare."""
    found = np.zeros(scheme.problem.shape, dtype=object)
    for u, v, w in zip(scheme.u, scheme.v, scheme.w, strict=True):
        found = found + np.multiply.outer(
            np.multiply.outer(np.array(u, object), np.array(v, object)), np.array(w, object)
        )
    for index, value in scheme.problem.entries:
        found[index] -= value
    p = scheme.ring.characteristic
    return not any(x % p if p else x for x in found.reshape(-1))
