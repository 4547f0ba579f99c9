"""Matrices of diagrams, in exact integers: rows are indexed by the points above, columns by those below, in C order.

A matrix is the product of independent factors, one for each block, and each factor is a list of index offsets with a
value: the nonzero entries are the sums of offsets. So a sparse matrix costs as much as it has entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial, prod
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.diagrams._headed import HeadedDiagram, parity
from flipforge.diagrams._partition import PartitionDiagram
from flipforge.errors import InputError

__all__ = [
    "SparseMatrix",
    "diagram_matrix",
    "headed_matrix",
    "orbit_matrix",
    "symplectic_form",
    "symplectic_matrix",
]

Integers = npt.NDArray[np.int64]

_MOST_ENTRIES = 50_000_000
_LARGEST_SIDE = 2**62


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of a matrix: value v at row offset r and column offset c, for each of the triples."""

    rows: Integers
    cols: Integers
    values: Integers


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """A matrix by its nonzero entries, each of which is listed once.

    Attributes
    ----------
    shape
        n^l rows, n^k columns.
    rows, cols, values
        Integer arrays of one length.
    """

    shape: tuple[int, int]
    rows: Integers
    cols: Integers
    values: npt.NDArray[Any]

    def dense(self) -> npt.NDArray[Any]:
        """Return the matrix as an integer array of the shape.

        Raises
        ------
        InputError
            It would have more than fifty million entries.
        """
        entries = self.shape[0] * self.shape[1]
        if entries > _MOST_ENTRIES:
            raise InputError(
                f"a dense matrix of {self.shape[0]} x {self.shape[1]} has {entries} entries, more than "
                f"{_MOST_ENTRIES}; take the sparse one, or apply the diagram without a matrix"
            )
        matrix = np.zeros(self.shape, dtype=self.values.dtype)
        matrix[self.rows, self.cols] = self.values
        return matrix


def diagram_matrix(diagram: PartitionDiagram, n: int) -> SparseMatrix:
    """Return the matrix with ones where indices are constant on blocks.

    Examples
    --------
    >>> diagram_matrix(PartitionDiagram(2, 1, (0, 0, 1)), 2).dense().tolist()
    [[1, 1, 0, 0], [0, 0, 1, 1]]
    """
    shape = matrix_shape(diagram, n, n**diagram.size)
    return outer_product(shape, [block_factor(diagram, n, block) for block in diagram.blocks])


def orbit_matrix(diagram: PartitionDiagram, n: int) -> SparseMatrix:
    """Return the matrix with ones where indices are equal exactly on blocks.

    Examples
    --------
    >>> orbit_matrix(PartitionDiagram(1, 1, (0, 1)), 3).dense().tolist()
    [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    """
    shape = matrix_shape(diagram, n, prod(range(n, n - diagram.size, -1)))
    values = distinct_tuples(n, diagram.size)
    strides = [point_strides(diagram, n, block) for block in diagram.blocks]
    rows = sum((values[:, i] * row for i, (row, _) in enumerate(strides)), np.zeros(len(values), np.int64))
    cols = sum((values[:, i] * col for i, (_, col) in enumerate(strides)), np.zeros(len(values), np.int64))
    return SparseMatrix(shape, rows, cols, np.ones(len(values), np.int64))


def symplectic_form(n: int) -> Integers:
    """Return [[0, I], [-I, 0]], n even: the basis is e_1, ..., e_m, e_1', ..., e_m'."""
    half = n // 2
    form = np.zeros((n, n), np.int64)
    form[range(half), range(half, n)] = 1
    form[range(half, n), range(half)] = -1
    return form


def symplectic_matrix(diagram: PartitionDiagram, n: int) -> SparseMatrix:
    """Return the matrix of a Brauer diagram for Sp(n): the symplectic form for pairs in one row, left before right.

    Examples
    --------
    >>> symplectic_matrix(PartitionDiagram(2, 0, (0, 0)), 2).dense().tolist()
    [[0, 1, -1, 0]]
    """
    if not diagram.is_brauer:
        raise InputError("only diagrams of pairs have a matrix for Sp(n)")
    shape = matrix_shape(diagram, n, n**diagram.size)
    half, factors = n // 2, []
    ones = np.ones(half, np.int64)
    for left, right in diagram.blocks:
        if (left < diagram.l) != (right < diagram.l):
            factors.append(block_factor(diagram, n, (left, right)))
            continue
        (row, col), (next_row, next_col) = (point_strides(diagram, n, (point,)) for point in (left, right))
        plain, primed = np.arange(half), np.arange(half, n)
        first, second = np.concatenate([plain, primed]), np.concatenate([primed, plain])
        values = np.concatenate([ones, -ones])
        factors.append(Factor(first * row + second * next_row, first * col + second * next_col, values))
    return outer_product(shape, factors)


def headed_matrix(diagram: HeadedDiagram) -> SparseMatrix:
    """Return the matrix of a headed diagram: equal indices on blocks, times the sign of the values on the legs.

    Examples
    --------
    >>> headed_matrix(HeadedDiagram(1, 1, 2, (0, 1), (0, 1))).dense().tolist()
    [[0, 1], [-1, 0]]
    """
    n, plain, legs = diagram.n, diagram.plain, diagram.legs
    shape = matrix_shape(plain, n, factorial(n) * n ** (plain.size - len(legs)))
    values = distinct_tuples(n, len(legs))
    signs = np.array([parity(_completed(word, n)) for word in values.tolist()], np.int64)
    strides = np.array([point_strides(plain, n, plain.blocks[leg]) for leg in legs], np.int64).reshape(-1, 2)
    head = Factor(values @ strides[:, 0], values @ strides[:, 1], signs)
    others = [block_factor(plain, n, block) for number, block in enumerate(plain.blocks) if number not in legs]
    return outer_product(shape, [head, *others])


def _completed(word: list[int], n: int) -> list[int]:
    """Return n different values below n, of which the last may be missing."""
    return word if len(word) == n else [*word, sum(range(n)) - sum(word)]


def matrix_shape(diagram: PartitionDiagram, n: int, entries: int) -> tuple[int, int]:
    """Return (n^l, n^k), or raise `InputError` where indices leave 64 bits or nonzero entries are too many."""
    shape = n**diagram.l, n**diagram.k
    if max(shape) > _LARGEST_SIDE:
        raise InputError(f"a side of {max(shape)} is too long for an index; apply the diagram without a matrix")
    if entries > _MOST_ENTRIES:
        raise InputError(
            f"the matrix has {entries} nonzero entries, more than {_MOST_ENTRIES}; apply the diagram without a matrix"
        )
    return shape


def point_strides(diagram: PartitionDiagram, n: int, block: Sequence[int]) -> tuple[int, int]:
    """Return by how much row and column grow when the value of a block grows by one."""
    k, above = diagram.k, diagram.l
    row = sum(n ** (above - 1 - point) for point in block if point < above)
    col = sum(n ** (above + k - 1 - point) for point in block if point >= above)
    return row, col


def block_factor(diagram: PartitionDiagram, n: int, block: Sequence[int]) -> Factor:
    """Return the factor of a block on which indices are equal."""
    row, col = point_strides(diagram, n, block)
    values = np.arange(n, dtype=np.int64)
    return Factor(values * row, values * col, np.ones(n, np.int64))


def outer_product(shape: tuple[int, int], factors: Sequence[Factor]) -> SparseMatrix:
    """Return the product of independent factors."""
    rows, cols, values = np.zeros(1, np.int64), np.zeros(1, np.int64), np.ones(1, np.int64)
    for factor in factors:
        rows = np.add.outer(rows, factor.rows).ravel()
        cols = np.add.outer(cols, factor.cols).ravel()
        values = np.multiply.outer(values, factor.values).ravel()
    return SparseMatrix(shape, rows, cols, values)


def distinct_tuples(n: int, length: int) -> Integers:
    """Return all tuples of distinct values below n, by rows, in lexicographic order."""
    tuples = np.zeros((1, 0), np.int64)
    for used in range(length):
        rows = np.repeat(tuples, n, axis=0)
        value = np.tile(np.arange(n, dtype=np.int64), len(tuples))
        fresh = (rows != value[:, None]).all(axis=1) if used else np.ones(len(value), bool)
        tuples = np.column_stack([rows[fresh], value[fresh]])
    return tuples
