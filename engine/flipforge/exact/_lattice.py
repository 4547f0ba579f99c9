"""Linear equations over the integers, by the Hermite normal form (FLINT)."""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flipforge.errors import InputError
from flipforge.exact._factor import Solution, factor
from flipforge.exact._matrix import Array, Matrix, as_array, as_matrix, dense, normal

__all__ = ["integer_kernel", "solve_integers"]


def solve_integers(matrix: Matrix | ArrayLike, right: ArrayLike) -> Solution:
    """Solve A x = b in integers, or prove that there is no solution.

    Parameters
    ----------
    matrix
        m x n integers, dense or `Sparse`.
    right
        m integers.

    Returns
    -------
    Solution
        ``values`` are n integers; or ``dual`` are m fractions y with y'A integral and y'b not, which is what there is
        if and only if there is no solution (Schrijver, "Theory of Linear and Integer Programming", corollary 4.1a).

    Raises
    ------
    InputError
        The shapes do not fit, or other things than integers are given.

    Examples
    --------
    >>> solve_integers([[2, 3]], [1]).values.tolist(), solve_integers([[2, 4]], [1]).dual.tolist()
    ([2, -1], [Fraction(1, 2)])
    """
    a, b = _integers(as_matrix(matrix)), as_array(right, 1, "the right-hand side")
    if len(b) != a.shape[0]:
        raise InputError(f"the right-hand side has {len(b)} rows, the matrix {a.shape[0]}")
    rest = _integers(b)
    pivots, spanned, made_by = _hermite(a)
    chosen: list[int] = []
    for number, pivot in enumerate(pivots):
        quotient = Fraction(rest[pivot], spanned[number, pivot])
        if quotient.denominator > 1:
            return Solution(dual=_fractional(pivots[: number + 1], spanned, len(b)), column=0)
        chosen.append(int(quotient))
        rest = rest - chosen[-1] * spanned[number]
    if rest.any():
        dual = factor(a, 0).solve(b).dual
        assert dual is not None
        return Solution(dual=normal(dual * Fraction(1, 2 * sum(dual * b))), column=0)
    x: Array = np.zeros(a.shape[1], dtype=object)
    for number, times in enumerate(chosen):
        x = x + times * made_by[number]
    return Solution(values=x)


def integer_kernel(matrix: Matrix | ArrayLike) -> Array:
    """Return a basis, one vector a row and short by LLL, of the lattice of all integers x with A x = 0.

    Arguments and errors as for `solve_integers`.

    Examples
    --------
    >>> integer_kernel([[2, 4, 0]]).tolist()
    [[0, 0, 1], [2, -1, 0]]
    """
    import flint

    a = _integers(as_matrix(matrix))
    pivots, _, made_by = _hermite(a)
    rows = made_by[len(pivots) :]
    return _array(flint.fmpz_mat(rows.tolist()).lll()) if len(rows) else rows


def _hermite(a: Array) -> tuple[list[int], Array, Array]:
    """Return H and U with H = U A', U unimodular, H in row echelon form, and the columns of its pivots."""
    import flint

    m, n = a.shape
    if not n:
        return [], np.zeros((0, m), dtype=object), np.zeros((0, 0), dtype=object)
    together = np.concatenate([a.T, np.eye(n, dtype=np.int64).astype(object)], axis=1)
    form = _array(flint.fmpz_mat(together.tolist()).hnf())
    spanned, made_by = form[:, :m], form[:, m:]
    pivots = [int(np.flatnonzero(row)[0]) for row in spanned if row.any()]
    return pivots, spanned, made_by


def _fractional(pivots: list[int], spanned: Array, m: int) -> Array:
    """Return y with y'h = 1 for the last of those rows h of an echelon form, 0 for all others."""
    y: Array = np.zeros(m, dtype=object)
    for number in reversed(range(len(pivots))):
        wanted = int(number == len(pivots) - 1) - sum(y * spanned[number])
        y[pivots[number]] = Fraction(wanted) / spanned[number, pivots[number]]
    return normal(y)


def _integers(matrix: Matrix) -> Array:
    array = dense(matrix)
    if array.dtype == object and not all(type(x) is int for x in array.flat):
        raise InputError("equations over the integers hold integers alone")
    # Python's own integers, which do not wrap.
    return np.array(array.tolist(), dtype=object).reshape(array.shape)


def _array(matrix: Any) -> Array:
    entries = [[int(x) for x in row] for row in matrix.tolist()]
    return np.array(entries, dtype=object).reshape(matrix.nrows(), matrix.ncols())
