"""Matrix multiplication: A (n x m) times B (m x p) gives C (n x p), all row-major, C not transposed."""

from functools import lru_cache
from math import log
from re import fullmatch

from flipforge.errors import ProblemError
from flipforge.problems._problem import Problem

__all__ = ["MAX_PRODUCTS", "matmul", "parse_matmul", "standard_omega"]

MAX_PRODUCTS = 32**3
"""Largest n*m*p for which a problem is built."""


@lru_cache(maxsize=1024)
def matmul(n: int, m: int, p: int) -> Problem:
    """Return the problem ``matmul:NxMxP``.

    Raises
    ------
    ProblemError
        A size is below 1, or n*m*p is beyond `MAX_PRODUCTS`.

    Examples
    --------
    >>> matmul(2, 2, 3).shape
    (4, 6, 6)
    """
    name = f"matmul:{n}x{m}x{p}"
    if min(n, m, p) < 1:
        raise ProblemError(f"{name}: every size must be at least 1")
    if n * m * p > MAX_PRODUCTS:
        raise ProblemError(f"{name}: {n * m * p} elementary products are more than the limit of {MAX_PRODUCTS}")
    entries = sorted(((i * m + j, j * p + k, i * p + k), 1) for i in range(n) for j in range(m) for k in range(p))
    return Problem(
        name=name,
        kind="matmul",
        shape=(n * m, m * p, n * p),
        dims=(n, m, p),
        entries=tuple(entries),
        labels=(matrix_labels("a", n, m), matrix_labels("b", m, p), matrix_labels("c", n, p)),
    )


def parse_matmul(body: str) -> Problem:
    """Parse the ``NxMxP`` of a problem string."""
    match = fullmatch(r"(\d{1,6})x(\d{1,6})x(\d{1,6})", body)
    if not match:
        raise ProblemError(f"matmul:{body}: write three sizes, as in matmul:3x3x3")
    n, m, p = map(int, match.groups())
    return matmul(n, m, p)


def matrix_labels(letter: str, rows: int, columns: int) -> tuple[str, ...]:
    """Name the entries of a matrix row by row: a11, or a1_10 where a size has two digits."""
    separator = "_" if max(rows, columns) > 9 else ""
    return tuple(f"{letter}{i}{separator}{j}" for i in range(1, rows + 1) for j in range(1, columns + 1))


def standard_omega(problem: Problem, rank: int) -> float | None:
    """Exponent of matrix multiplication that a scheme of that rank gives, 3 log(rank) / log(n m p).

    An approximate scheme gives one too (Bini, "Relations between exact and approximate bilinear algorithms", 1980); a
    commutative one does not, for blocks do not commute. None for other problems and for 1x1x1. Kauers and Moosbauer,
    "Flip graphs for matrix multiplication" (2022), section 1.
    """
    product = problem.bilinear
    if product.kind != "matmul" or problem.commutes or not rank:
        return None
    n, m, p = product.dims
    return 3 * log(rank) / log(n * m * p) if n * m * p > 1 else None
