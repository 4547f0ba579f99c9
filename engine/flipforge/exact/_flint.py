"""The general back end: python-flint, for every prime below 2**64 and for Q."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from flipforge.exact._matrix import Array, Matrix, dense

__all__ = ["Flint"]


@dataclass(frozen=True)
class _Factors:
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    minor: Any
    p: int

    @cached_property
    def inverse(self) -> Any:
        return self.minor.inv()

    def solve(self, right: Array) -> Array:
        return self._product(right, left=False)

    def solve_left(self, left: Array) -> Array:
        return self._product(left, left=True)

    def _product(self, array: Array, *, left: bool) -> Array:
        shape = array.shape
        if 0 in shape:
            return np.zeros(shape, dtype=np.int64)
        other = _to_flint(array, self.p)
        return _from_flint(other * self.inverse if left else self.inverse * other, self.p)


class Flint:
    """Elimination by FLINT: ``nmod_mat`` modulo p, ``fmpz_mat`` and ``fmpq_mat`` over Q."""

    def supports(self, p: int) -> bool:
        """Tell whether the field GF(p), or Q for 0, is one of this back end's."""
        return p < 2**63

    def factor(self, matrix: Matrix, p: int) -> _Factors:
        """Factor residues modulo p, or integers for p = 0."""
        table = dense(matrix)
        columns = _pivot_columns(table, p)
        rows = _pivot_columns(table[:, columns].T, p)
        return _Factors(rows, columns, _to_flint(table[np.ix_(rows, columns)], p), p)


def _to_flint(array: Array, p: int) -> Any:
    m, n = array.shape
    entries = array.ravel().tolist()
    if p:
        return flint.nmod_mat(m, n, [x % p for x in entries], p)
    if all(type(x) is int for x in entries):
        return flint.fmpz_mat(m, n, entries)
    return flint.fmpq_mat(m, n, [flint.fmpq(x.numerator, x.denominator) for x in entries])


def _from_flint(matrix: Any, p: int) -> Array:
    array = np.empty((matrix.nrows(), matrix.ncols()), dtype=np.int64 if p else object)
    array.flat[:] = [int(x) for x in matrix.entries()] if p else [_element(x) for x in matrix.entries()]
    return array


def _element(value: Any) -> int | Fraction:
    numerator, denominator = int(value.numer()), int(value.denom())
    return numerator if denominator == 1 else Fraction(numerator, denominator)


def _pivot_columns(table: Array, p: int) -> NDArray[np.int64]:
    """Return the columns, from the left, that depend on none before them."""
    if 0 in table.shape:
        return np.zeros(0, dtype=np.int64)
    reduced, *_, rank = _to_flint(table, p).rref()
    columns: list[int] = []
    for row in range(int(rank)):
        column = columns[-1] + 1 if columns else 0
        while not reduced[row, column]:
            column += 1
        columns.append(column)
    return np.array(columns, dtype=np.int64)
