"""The back end for Q: a minor that is invertible modulo a prime, and p-adic digits of what is solved with it."""

from dataclasses import dataclass

import flint
import numpy as np
from numpy.typing import NDArray

from flipforge.exact._factor import Factors
from flipforge.exact._flint import Flint
from flipforge.exact._matrix import (
    Array,
    Matrix,
    dense,
    integral,
    largest_entry,
    multiply,
    residues,
    submatrix,
    transposed,
)
from flipforge.exact.padic import dixon

__all__ = ["Dixon"]

_BELOW, _LEAST = 2**31, 2**16


class Dixon:
    """Elimination by FLINT modulo a prime, solutions by their digits, and exact checks of both."""

    def supports(self, p: int) -> bool:
        """Tell whether the field GF(p), or Q for 0, is one of this back end's."""
        return p == 0

    def factor(self, matrix: Matrix, p: int) -> "_Factors":
        """Factor integers.

        A minor that is invertible modulo a prime is invertible. That there is no larger one is shown over Q; where
        that fails, the prime divides one, and the next is tried.
        """
        # With such a prime the products that a digit takes are exact in doubles.
        prime = 2**53 // (max(1, largest_entry(matrix)) * max(1, matrix.shape[1]))
        prime = _prime_below(min(prime, _BELOW) if prime > _LEAST else _BELOW)
        while True:
            modular = Flint().factor(residues(matrix, prime), prime)
            minor = submatrix(matrix, modular.rows, modular.columns)
            factors = _Factors(modular.rows, modular.columns, minor, modular, prime)
            if factors.span(matrix):
                return factors
            prime = _prime_below(prime)


@dataclass(frozen=True)
class _Factors:
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    minor: Matrix
    modular: Factors
    prime: int

    def solve(self, right: Array) -> Array:
        return dixon(self.minor, self.modular.solve, self.prime, right)

    def solve_left(self, left: Array) -> Array:
        def inverse(right: Array) -> Array:
            return self.modular.solve_left(right.T).T

        return dixon(transposed(self.minor), inverse, self.prime, left.T).T

    def span(self, matrix: Matrix) -> bool:
        """Tell whether the minor's columns span all columns, or its rows all rows, whichever are fewer to look at."""
        others, free = (
            np.setdiff1d(np.arange(size), chosen)
            for size, chosen in zip(matrix.shape, (self.rows, self.columns), strict=True)
        )
        if not len(others) or not len(free):
            return True
        corner = submatrix(matrix, others, free)
        if len(free) <= len(others):
            combinations = self.solve(dense(submatrix(matrix, self.rows, free)))
            beside = submatrix(matrix, others, self.columns)
        else:
            combinations = self.solve_left(dense(submatrix(matrix, others, self.columns))).T
            beside, corner = transposed(submatrix(matrix, self.rows, free)), transposed(corner)
        numerators, scales = integral(combinations.T)
        return bool((multiply(beside, numerators.T) == dense(corner) * np.array(scales, dtype=object)).all())


def _prime_below(bound: int) -> int:
    prime = bound - 1
    while not flint.fmpz(prime).is_prime():
        prime -= 1
    return prime
