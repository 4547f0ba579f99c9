"""Orders of the unknowns: which entries of a scheme may change first when a step has a choice.

A step takes its pivots from the front of an order as far as the equations allow, and the entries that are no pivots
keep their digits. Restarts with other orders are nearly the whole cure for lifts that do not come to an end. Where
entries that are zero modulo p stand last, zeros stay zeros, and coefficients small.
"""

import numpy as np
import numpy.typing as npt

from flipforge_lifting._equations import Integers

__all__ = ["order"]


def order(x: Integers, seed: int, attempt: int) -> npt.NDArray[np.int64]:
    """Return a permutation of the unknowns, a pure function of its arguments.

    Attempt 0 keeps the order of the unknowns, later ones draw it. Zeros stand last in attempts of an even number.

    Examples
    --------
    >>> order(np.array([0, 1, 0, 1]), seed=1, attempt=0).tolist()
    [1, 3, 0, 2]
    """
    drawn = np.arange(len(x), dtype=np.int64)
    if attempt:
        np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(attempt,))).shuffle(drawn)
    return drawn if attempt % 2 else drawn[np.argsort(x[drawn] == 0, kind="stable")]
