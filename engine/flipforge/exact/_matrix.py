"""What the linear algebra takes as a matrix, and the one exact product."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flipforge.errors import InputError

__all__ = [
    "Array",
    "Matrix",
    "Sparse",
    "as_array",
    "as_matrix",
    "dense",
    "divided",
    "integral",
    "largest_entry",
    "multiply",
    "normal",
    "residues",
    "submatrix",
    "transposed",
]

Array = NDArray[Any]

_ROWS_AT_ONCE = 1024


class Sparse:
    """A matrix of small integers by its entries; entries at the same place add up.

    Parameters
    ----------
    shape
        (m, n).
    rows, columns, values
        nnz integers each.

    Raises
    ------
    InputError
        The three differ in length, or a place lies outside the shape.

    Examples
    --------
    >>> Sparse((2, 3), [0, 1, 1], [0, 2, 2], [1, 3, -1]).dense().tolist()
    [[1, 0, 0], [0, 0, 2]]
    """

    def __init__(self, shape: tuple[int, int], rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        self.shape = shape
        self.rows, self.columns, self.values = (_integers(array) for array in (rows, columns, values))
        if not len(self.rows) == len(self.columns) == len(self.values):
            raise InputError("rows, columns and values of a sparse matrix differ in length")
        for places, size in ((self.rows, shape[0]), (self.columns, shape[1])):
            if places.size and not 0 <= places.min() <= places.max() < size:
                raise InputError(f"a sparse matrix of shape {shape} has an entry outside of it")

    def dense(self) -> NDArray[np.int64]:
        """Return the m x n array."""
        array = np.zeros(self.shape, dtype=np.int64)
        np.add.at(array, (self.rows, self.columns), self.values)
        return array


Matrix = Sparse | Array

_Kind = TypeVar("_Kind", Matrix, Array)


def as_array(values: ArrayLike, ndim: int, name: str) -> Array:
    """Return an array of that many axes, of an integer type or of ``int`` and ``Fraction`` objects.

    Raises
    ------
    InputError
        The number of axes is another, or an entry is not an exact number (floats and booleans are none).
    """
    array = np.asarray(values)
    if array.size == 0 and array.dtype == np.float64:
        array = array.astype(np.int64)
    if array.ndim != ndim:
        raise InputError(f"{name} has {array.ndim} axes where {ndim} are asked for")
    if array.dtype.kind not in "iuO":
        raise InputError(f"{name} holds {array.dtype}: use integers or fractions")
    if array.dtype == object and not all(type(x) is int or isinstance(x, Fraction) for x in array.flat):
        raise InputError(f"{name} holds other things than int and Fraction")
    if array.dtype == np.uint64:
        array = array.astype(object)
    return array


def as_matrix(matrix: Matrix | ArrayLike) -> Matrix:
    """Return ``matrix`` as one of the two kinds there are; errors as for `as_array`."""
    return matrix if isinstance(matrix, Sparse) else as_array(matrix, 2, "the matrix")


def residues(matrix: _Kind, p: int) -> _Kind:
    """Return the matrix with entries 0 to p - 1; a dense one in bytes where they fit, in int64 or objects otherwise.

    Raises
    ------
    InputError
        A denominator is divisible by p.
    """
    if isinstance(matrix, Sparse):
        return cast(_Kind, Sparse(matrix.shape, matrix.rows, matrix.columns, matrix.values % p))
    small = np.uint8 if p < 256 else np.int64 if p < 2**63 else object
    if matrix.dtype != object:
        if matrix.dtype == small and matrix.size and 0 <= matrix.min() <= matrix.max() < p:
            return matrix
        wide = matrix.astype(np.int64 if p < 2**63 else object)
        return (wide % p).astype(small)
    if all(type(x) is int for x in matrix.flat):
        return (matrix % p).astype(small)
    array = np.empty(matrix.shape, dtype=object)
    try:
        array.flat[:] = [x.numerator * pow(x.denominator, -1, p) % p for x in matrix.flat]
    except ValueError:
        raise InputError(f"a denominator is divisible by {p}: there is no such residue") from None
    return array.astype(small)


def integral(matrix: _Kind) -> tuple[_Kind, list[int]]:
    """Return an integer matrix and the m positive integers by which its rows are multiplied."""
    if isinstance(matrix, Sparse) or matrix.dtype != object:
        return matrix, [1] * matrix.shape[0]
    scales = [lcm(*(x.denominator for x in row)) for row in matrix]
    array = np.empty(matrix.shape, dtype=object)
    for i, (row, scale) in enumerate(zip(matrix, scales, strict=True)):
        array[i] = [x.numerator * (scale // x.denominator) for x in row]
    return array, scales


def normal(array: Array) -> Array:
    """Return the numbers with an ``int`` for each fraction that is one."""
    result = np.empty(array.shape, dtype=object)
    result.flat[:] = [x.numerator if x.denominator == 1 else x for x in array.flat]
    return result


def divided(array: Array, scales: Sequence[int]) -> Array:
    """Return the array with column j divided by ``scales[j]``."""
    if all(scale == 1 for scale in scales):
        return array
    return normal(array * np.array([Fraction(1, scale) for scale in scales], dtype=object))


def submatrix(matrix: _Kind, rows: NDArray[np.int64] | None, columns: NDArray[np.int64] | None) -> _Kind:
    """Return the rows and columns of these numbers in this order; all of them for None."""
    if not isinstance(matrix, Sparse):
        chosen = matrix if rows is None else matrix[rows]
        return chosen if columns is None else chosen[:, columns]
    places = [matrix.rows, matrix.columns]
    kept = np.ones(len(matrix.values), dtype=bool)
    shape = list(matrix.shape)
    for axis, numbers in enumerate((rows, columns)):
        if numbers is not None:
            where = np.full(shape[axis], -1)
            where[numbers] = np.arange(len(numbers))
            shape[axis] = len(numbers)
            places[axis] = where[places[axis]]
            kept &= places[axis] >= 0
    part = Sparse((shape[0], shape[1]), places[0][kept], places[1][kept], matrix.values[kept])
    return cast(_Kind, part)


def transposed(matrix: Matrix) -> Matrix:
    """Return the matrix with rows for columns."""
    if not isinstance(matrix, Sparse):
        return matrix.T
    return Sparse(matrix.shape[::-1], matrix.columns, matrix.rows, matrix.values)


def dense(matrix: Matrix) -> Array:
    """Return the matrix as an array."""
    return matrix.dense() if isinstance(matrix, Sparse) else matrix


def multiply(left: Matrix, right: Array) -> Array:
    """Return the exact product of an m x n matrix and an n x k array, in int64 where that holds it.

    Examples
    --------
    >>> multiply(np.array([[2**40, 1]]), np.array([[2**40], [1]])).tolist()
    [[1208925819614629174706177]]
    """
    if isinstance(left, Sparse):
        # Entries at the same place add up, so a row may hold more of them than there are columns.
        fits = largest_entry(right) * largest_entry(left.values) * max(1, len(left.values)) < 2**63
        kind = np.int64 if fits else object
        # One column at a time: numpy adds quickly along one axis only, and it takes less memory.
        sums, values = np.zeros((right.shape[1], left.shape[0]), dtype=kind), left.values.astype(kind)
        for column, total in zip(right.T.astype(kind), sums, strict=True):
            np.add.at(total, left.rows, values * column[left.columns])
        return sums.T
    size = largest_entry(left) * largest_entry(right) * max(1, left.shape[1])
    if size >= 2**63:
        return _sums(left.astype(object), right.astype(object))
    # numpy multiplies integers without BLAS; sums below 2**53 are exact in doubles.
    kind = np.float64 if size < 2**53 else np.int64
    product = np.empty((left.shape[0], right.shape[1]), dtype=np.int64)
    columns = right.astype(kind)
    for begin in range(0, len(product), _ROWS_AT_ONCE):
        part = slice(begin, begin + _ROWS_AT_ONCE)
        product[part] = left[part].astype(kind) @ columns
    return product


def _integers(array: ArrayLike) -> NDArray[np.int64]:
    exact = as_array(array, 1, "an array of a sparse matrix")
    if exact.dtype == object:
        raise InputError("a sparse matrix takes integers below 2**63")
    return exact.astype(np.int64)


def _sums(left: Array, right: Array) -> Array:
    # numpy's matmul of objects gives None where there is nothing to add.
    return left @ right if left.shape[1] else np.zeros((left.shape[0], right.shape[1]), dtype=object)


def largest_entry(matrix: Matrix) -> int:
    """Return a bound of the absolute values; for fractions one that no machine type holds."""
    array = matrix.values if isinstance(matrix, Sparse) else matrix
    if not array.size:
        return 0
    if array.dtype == object and not all(type(x) is int for x in array.flat):
        return 2**63
    return max(abs(int(array.min())), abs(int(array.max())))
