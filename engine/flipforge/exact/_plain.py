"""The back end in plain Python: slow, for every field, and the oracle of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.exact._matrix import Array, Matrix, Sparse

__all__ = ["Plain"]

_Rows = list[list[Any]]


@dataclass(frozen=True)
class _Factors:
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    inverse: Array
    p: int

    def solve(self, right: Array) -> Array:
        return self._reduced(_product(self.inverse, right))

    def solve_left(self, left: Array) -> Array:
        return self._reduced(_product(left, self.inverse))

    def _reduced(self, array: Array) -> Array:
        return (array % self.p).astype(np.int64) if 0 < self.p < 2**63 else array % self.p if self.p else array


class Plain:
    """Gauss-Jordan elimination on ``int`` and ``Fraction``."""

    def supports(self, p: int) -> bool:
        """Tell whether the field GF(p), or Q for 0, is one of this back end's."""
        return True

    def factor(self, matrix: Matrix, p: int) -> _Factors:
        """Factor residues modulo p, or integers for p = 0."""
        dense = matrix.dense() if isinstance(matrix, Sparse) else matrix
        table = dense.tolist()
        rows, columns = _pivots(table, p)
        minor = dense[np.ix_(rows, columns)].tolist()
        one: _Rows = [[int(i == j) for j in range(len(rows))] for i in range(len(rows))]
        both = [[*left, *right] for left, right in zip(minor, one, strict=True)]
        order, _ = _pivots(both, p)
        inverse = np.empty((len(rows), len(rows)), dtype=object)
        for i, row in enumerate(order):
            inverse[i] = both[row][len(rows) :]
        return _Factors(np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64), inverse, p)


def _pivots(table: _Rows, p: int) -> tuple[list[int], list[int]]:
    """Bring the table to reduced form in place, without moving a row; return the pivots' rows and columns."""
    rows: list[int] = []
    columns: list[int] = []
    free = list(range(len(table)))
    for column in range(len(table[0]) if table else 0):
        row = next((i for i in free if _residue(table[i][column], p)), None)
        if row is None:
            continue
        free.remove(row)
        rows.append(row)
        columns.append(column)
        scale = pow(table[row][column], -1, p) if p else 1 / Fraction(table[row][column])
        table[row] = [_residue(scale * x, p) for x in table[row]]
        for i in range(len(table)):
            if i != row and table[i][column]:
                table[i] = _difference(table[i], table[i][column], table[row], p)
    return rows, columns


def _difference(row: Sequence[Any], factor: Any, other: Sequence[Any], p: int) -> list[Any]:
    return [_residue(x - factor * y, p) for x, y in zip(row, other, strict=True)]


def _residue(value: Any, p: int) -> Any:
    return value % p if p else value


def _product(left: Array, right: Array) -> Array:
    if not left.shape[1]:
        return np.zeros((left.shape[0], right.shape[1]), dtype=object)
    product: Array = left.astype(object) @ right.astype(object)
    return product
