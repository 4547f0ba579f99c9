"""The back end in plain Python: slow, for every field, and the oracle of the others.

It chooses rows and columns as `flipforge.exact._eliminate` does.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.exact._matrix import Array, Matrix, dense, normal

__all__ = ["Plain"]


@dataclass(frozen=True)
class _Factors:
    """The minor as the product of a lower triangle and an upper one with ones on its diagonal, both r x r."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    lower: Array
    upper: Array
    p: int

    def solve(self, right: Array) -> Array:
        x = right.astype(object)
        steps = range(len(x))
        for i in steps:
            for j in range(i):
                x[i] = self._residue(x[i] - self.lower[i, j] * x[j])
            x[i] = self._residue(x[i] * _inverse(self.lower[i, i], self.p))
        for i in reversed(steps):
            for j in range(i + 1, len(x)):
                x[i] = self._residue(x[i] - self.upper[i, j] * x[j])
        return self._normal(x)

    def solve_left(self, left: Array) -> Array:
        x = left.T.astype(object)
        steps = range(len(x))
        for i in steps:
            for j in range(i):
                x[i] = self._residue(x[i] - self.upper[j, i] * x[j])
        for i in reversed(steps):
            for j in range(i + 1, len(x)):
                x[i] = self._residue(x[i] - self.lower[j, i] * x[j])
            x[i] = self._residue(x[i] * _inverse(self.lower[i, i], self.p))
        return self._normal(x.T)

    def _residue(self, value: Any) -> Any:
        return value % self.p if self.p else value

    def _normal(self, array: Array) -> Array:
        return array.astype(np.int64) if self.p else normal(array)


class Plain:
    """Gaussian elimination on ``int`` and ``Fraction``."""

    def supports(self, p: int) -> bool:
        """Tell whether the field GF(p), or Q for 0, is one of this back end's."""
        return True

    def factor(self, matrix: Matrix, p: int) -> _Factors:
        """Factor residues modulo p, or integers for p = 0."""
        table = dense(matrix).astype(object)
        m, n = table.shape
        order = np.arange(m)
        columns: list[int] = []
        lower = np.zeros((m, min(m, n)), dtype=object)
        for column in range(n):
            rank = len(columns)
            pivot = next((i for i in range(rank, m) if (table[i, column] % p if p else table[i, column])), None)
            if pivot is None:
                continue
            for array in (table, lower, order):
                array[[rank, pivot]] = array[[pivot, rank]]
            lower[rank:, rank] = table[rank:, column]
            table[rank] = table[rank] * _inverse(table[rank, column], p)
            for i in range(rank + 1, m):
                table[i] = table[i] - table[i, column] * table[rank]
            if p:
                table %= p
            columns.append(column)
        rank = len(columns)
        chosen = np.array(columns, dtype=np.int64)
        return _Factors(order[:rank], chosen, lower[:rank, :rank], table[:rank, chosen], p)


def _inverse(value: Any, p: int) -> Any:
    return pow(value, -1, p) if p else 1 / Fraction(value)
