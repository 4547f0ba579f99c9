"""The facade: one factorisation of a matrix over a field, and what follows from it.

A back end finds r rows and r columns whose minor M is invertible, r the rank, and applies the inverse of M. Everything
else is the same arithmetic for all back ends: with R the rows and C the columns of the minor,

* the reduced form is ``M^-1 A[R, :]``;
* A x = b has the solution x[C] = M^-1 b[R], zero elsewhere, or none at all: row i of A equals ``A[i, C] M^-1 A[R, :]``,
  so the vector y = e_i - (A[i, C] M^-1 on R) has y'A = 0, and y'b is what equation i leaves. Where that is not zero, y
  proves that there is no solution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flipforge.errors import InputError
from flipforge.exact._matrix import (
    Array,
    Matrix,
    as_array,
    as_matrix,
    dense,
    divided,
    integral,
    multiply,
    normal,
    residues,
    submatrix,
)

__all__ = [
    "BACKENDS",
    "Factorisation",
    "Solution",
    "echelon",
    "factor",
    "inverse",
    "null_space",
    "rank",
    "solve",
]


class Factors(Protocol):
    """What a back end makes of an m x n matrix of rank r."""

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of the minor, r of them."""

    @property
    def columns(self) -> NDArray[np.int64]:
        """Columns of the minor: those that depend on none before them, in order."""

    def solve(self, right: Array) -> Array:
        """Return M^-1 times an r x k array."""

    def solve_left(self, left: Array) -> Array:
        """Return a k x r array times M^-1."""


class Backend(Protocol):
    """A way to eliminate; matrices come as residues, or as integers for p = 0."""

    def supports(self, p: int) -> bool:
        """Tell whether the field GF(p), or Q for 0, is one of this back end's."""

    def factor(self, matrix: Matrix, p: int) -> Factors:
        """Find a largest invertible minor."""


def _packed() -> Backend:
    from flipforge.exact._packed import Packed

    return Packed()


def _dixon() -> Backend:
    from flipforge.exact._dixon import Dixon

    return Dixon()


def _plain() -> Backend:
    from flipforge.exact._plain import Plain

    return Plain()


def _flint() -> Backend:
    from flipforge.exact._flint import Flint

    return Flint()


BACKENDS = {"packed": _packed, "dixon": _dixon, "flint": _flint, "plain": _plain}
"""The back ends by name, best first; each is loaded when it is first used."""


@dataclass(frozen=True, eq=False)
class Solution:
    """The answer to A x = b: a solution, or a proof that there is none.

    Attributes
    ----------
    values
        x, of n numbers or n x k of them, zero outside the columns of the factorisation; None where there is none.
    dual
        None where there is a solution; otherwise m numbers y with y'A = 0 and y'b != 0.
    column
        The first column of b that has no solution, which is the one that ``dual`` speaks of; 0 where b is a vector.
    """

    values: Array | None = None
    dual: Array | None = None
    column: int | None = None


@dataclass(frozen=True, eq=False)
class Factorisation:
    """A matrix over GF(p), or over Q where ``p`` is 0, with a largest invertible minor.

    Numbers are residues in int64 modulo p, and ``int`` or ``Fraction`` objects over Q.
    """

    matrix: Matrix
    p: int
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    _factors: Factors
    _scales: tuple[int, ...] | None

    @property
    def rank(self) -> int:
        """The rank."""
        return len(self.rows)

    def echelon(self) -> Array:
        """Return the r x n reduced form: the identity in the columns of the minor.

        It is the reduced row echelon form where no other order of columns was asked for.
        """
        return self._factors.solve(self._part(self.rows))

    def inverse(self) -> Array:
        """Return the r x r inverse of the minor ``A[rows, columns]``."""
        return self._scaled(self._factors.solve(np.eye(self.rank, dtype=np.int64)), self.rows)

    def null_space(self) -> Array:
        """Return (n - r) x n numbers whose rows are a basis of all x with A x = 0.

        Row j is 1 at the j-th column outside the minor and 0 at the other ones outside.
        """
        n = self.matrix.shape[1]
        free = np.setdiff1d(np.arange(n), self.columns)
        basis = self._zeros((len(free), n))
        basis[np.arange(len(free)), free] = 1
        basis[:, self.columns] = self._negative(self.echelon()[:, free]).T
        return basis

    def solve(self, right: ArrayLike) -> Solution:
        """Solve A x = b for a vector of m numbers, or for each column of m x k of them.

        Raises
        ------
        InputError
            b is not of m rows, or holds other things than exact numbers.
        """
        array = np.asarray(right)
        array = as_array(array, 2 if array.ndim == 2 else 1, "the right-hand side")
        if len(array) != self.matrix.shape[0]:
            raise InputError(f"the right-hand side has {len(array)} rows, the matrix {self.matrix.shape[0]}")
        b = array if array.ndim == 2 else array[:, None]
        scales = [1] * b.shape[1]
        if self.p:
            b = residues(b, self.p).astype(np.int64)
        else:
            columns, scales = integral((b * self._multipliers[:, None] if self._scales else b).T)
            b = columns.T
        x = self._zeros((self.matrix.shape[1], b.shape[1]))
        x[self.columns] = self._factors.solve(b[self.rows])
        wrong = np.argwhere(self._wrong(x, b).T)
        if len(wrong):
            column, row = map(int, wrong[0])
            return Solution(dual=self._dual(row), column=column)
        x = divided(x, scales)
        return Solution(values=x if array.ndim == 2 else x[:, 0])

    def _wrong(self, x: Array, b: Array) -> Array:
        """Tell of each of m x k equations whether it fails."""
        if self.p:
            return np.asarray(multiply(self.matrix, x) % self.p != b)
        numerators, scales = integral(x.T)
        return np.asarray(multiply(self.matrix, numerators.T) != b * np.array(scales, dtype=object))

    def _dual(self, row: int) -> Array:
        """Return e_i minus the combination of the minor's rows that makes row i."""
        y = self._zeros((self.matrix.shape[0],))
        y[self.rows] = self._negative(self._factors.solve_left(self._part(np.array([row]), self.columns))[0])
        y[row] = 1
        return self._scaled(y, np.arange(len(y)))

    def _part(self, rows: NDArray[np.int64], columns: NDArray[np.int64] | None = None) -> Array:
        part = dense(submatrix(self.matrix, rows, columns))
        # Entries of a sparse matrix at the same place have been added up now.
        return part % self.p if self.p else part

    def _zeros(self, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape, dtype=np.int64 if self.p else object)

    def _negative(self, array: Array) -> Array:
        return -array % self.p if self.p else -array

    @property
    def _multipliers(self) -> Array:
        return np.array(self._scales or [1] * self.matrix.shape[0], dtype=object)

    def _scaled(self, array: Array, rows: NDArray[np.int64]) -> Array:
        """Undo the scales of those rows, which stand on the last axis."""
        return normal(array * self._multipliers[rows]) if self._scales else array


def factor(
    matrix: Matrix | ArrayLike, p: int, *, order: Sequence[int] | None = None, backend: str | None = None
) -> Factorisation:
    """Factor a matrix once, for any number of right-hand sides.

    Parameters
    ----------
    matrix
        m x n integers or fractions, dense or `Sparse`; any of the sizes may be 0.
    p
        A prime below 2**63 for GF(p); 0 for the rational numbers.
    order
        The n columns in the order in which they are preferred for the minor, which decides which variables of a
        solution are free; from the left where it is None.
    backend
        A name of `BACKENDS`; the first that supports the field where it is None.

    Raises
    ------
    InputError
        ``p`` is neither 0 nor a prime below 2**63, ``order`` is no permutation of the columns, or the matrix holds
        other things than exact numbers that have a residue.

    Examples
    --------
    >>> f = factor([[1, 2], [2, 4], [0, 1]], 5)
    >>> f.rank, f.solve([3, 1, 4]).values.tolist(), f.solve([1, 0, 0]).dual.tolist()
    (2, [0, 4], [3, 1, 0])
    """
    given = as_matrix(matrix)
    _check_field(p)
    scales: tuple[int, ...] | None = None
    if p:
        exact: Matrix = residues(given, p)
    else:
        exact, multipliers = integral(given)
        scales = tuple(multipliers) if max(multipliers, default=1) > 1 else None
    columns = np.arange(given.shape[1])
    if order is not None:
        columns = np.asarray(order, dtype=np.int64)
        if not np.array_equal(np.sort(columns), np.arange(given.shape[1])):
            raise InputError(f"order is not a permutation of the {given.shape[1]} columns")
    factors = _backend(backend, p).factor(exact if order is None else submatrix(exact, None, columns), p)
    return Factorisation(exact, p, factors.rows, columns[factors.columns], factors, scales)


def rank(matrix: Matrix | ArrayLike, p: int) -> int:
    """Return the rank over GF(p), or over Q for p = 0; arguments and errors as for `factor`."""
    return factor(matrix, p).rank


def echelon(matrix: Matrix | ArrayLike, p: int) -> Array:
    """Return the r x n reduced row echelon form without its zero rows; arguments and errors as for `factor`."""
    return factor(matrix, p).echelon()


def null_space(matrix: Matrix | ArrayLike, p: int) -> Array:
    """Return a basis of all x with A x = 0, one a row; arguments and errors as for `factor`.

    Examples
    --------
    >>> null_space([[2, 1, 0]], 0).tolist()
    [[Fraction(-1, 2), 1, 0], [0, 0, 1]]
    """
    return factor(matrix, p).null_space()


def solve(matrix: Matrix | ArrayLike, right: ArrayLike, p: int) -> Solution:
    """Solve A x = b, or prove that there is no solution; arguments and errors as for `factor`."""
    return factor(matrix, p).solve(right)


def inverse(matrix: Matrix | ArrayLike, p: int) -> Array:
    """Return the inverse of an n x n matrix.

    Raises
    ------
    InputError
        The matrix is not square or not invertible, or as for `factor`.
    """
    factored = factor(matrix, p)
    m, n = factored.matrix.shape
    if not m == n == factored.rank:
        raise InputError(f"a matrix of shape {m} x {n} and rank {factored.rank} has no inverse")
    # The minor is the matrix with its rows and columns in another order.
    result = np.empty((n, n), dtype=np.int64 if p else object)
    result[np.ix_(factored.columns, factored.rows)] = factored.inverse()
    return result


def _backend(name: str | None, p: int) -> Backend:
    if name is not None and name not in BACKENDS:
        raise InputError(f"unknown back end {name!r}: use one of {', '.join(BACKENDS)}")
    chosen = [BACKENDS[name]()] if name else [make() for make in BACKENDS.values()]
    able = next((backend for backend in chosen if backend.supports(p)), None)
    if able is None:
        raise InputError(f"the back end {name} has no field of characteristic {p}")
    return able


def _check_field(p: int) -> None:
    if p in (2, 3, 0):
        return
    import flint

    if not 0 < p < 2**63 or not flint.fmpz(p).is_prime():
        raise InputError(f"{p} is not a prime below 2**63, nor 0 for the rational numbers")
