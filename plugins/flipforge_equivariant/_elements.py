"""Random group elements with exact entries, for tests of equivariance."""

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["reflections", "transvections"]

_SIZE = 3


def reflections(rng: np.random.Generator, n: int, number: int, *, balanced: bool = False) -> npt.NDArray[Any]:
    """Return a product of reflections of R^n along random integer vectors, with fractions as entries.

    Parameters
    ----------
    balanced
        Take vectors whose entries add up to 0: then the vector of ones stays where it is.
    """
    product = np.array([[Fraction(i == j) for j in range(n)] for i in range(n)], dtype=object)
    for _ in range(number):
        vector = rng.integers(-_SIZE, _SIZE + 1, n)
        vector[rng.integers(n)] += 2 * _SIZE  # never zero
        if balanced:
            vector = n * vector - vector.sum()
        if not vector.any():
            continue  # balanced, and all entries were equal
        normal = np.array([Fraction(int(x)) for x in vector], dtype=object)
        product = product - np.outer(product @ normal, normal) * Fraction(2, int(vector @ vector))
    return product


def transvections(rng: np.random.Generator, form: npt.NDArray[np.int64], number: int) -> npt.NDArray[Any]:
    """Return a product of maps x -> x + c w(v, x) v, which keep a symplectic form w, as integers."""
    n = len(form)
    product = np.eye(n, dtype=np.int64).astype(object)
    for _ in range(number):
        vector = rng.integers(-1, 2, n).astype(object)
        scale = int(rng.choice([-1, 1]))
        product = product + scale * np.outer(product @ vector, vector @ form)
    return product
