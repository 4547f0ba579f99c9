"""Variants of bilinear problems whose schemes satisfy another identity: entries that commute, and approximation.

A *commutative* scheme of a matrix product computes each entry of C as a sum of products of two linear forms in all
entries of A and B, which commute (Winograd, "A new algorithm for inner product", 1968). An *approximate* scheme of
order h has polynomials in eps as coefficients and gives eps^h T up to higher powers of eps (Bini, Capovani, Lotti and
Romani, "O(n^2.7799) complexity for n x n approximate matrix multiplication", 1979); the least rank of one, over all h,
is the border rank.
"""

from collections.abc import Callable
from re import fullmatch

from flipforge.errors import ProblemError
from flipforge.problems._matmul import matmul
from flipforge.problems._problem import Problem

__all__ = ["MAX_ORDER", "border", "commutative", "parse_border", "parse_commutative"]

MAX_ORDER = 31
"""Largest order of an approximate problem."""


def commutative(n: int, m: int, p: int) -> Problem:
    """Return ``commutative:NxMxP``: an n x m times an m x p matrix, whose entries commute.

    The coordinates of both factors are the entries of A row by row, then those of B.

    Examples
    --------
    >>> commutative(2, 2, 3).shape
    (10, 10, 6)
    """
    product = matmul(n, m, p)
    left, right, outputs = product.shape
    names = product.labels[0] + product.labels[1]
    return Problem(
        name=f"commutative:{n}x{m}x{p}",
        kind="commutative",
        shape=(left + right, left + right, outputs),
        dims=product.dims,
        entries=tuple(((i, left + j, k), value) for (i, j, k), value in product.entries),
        labels=(names, names, product.labels[2]),
        inner=product,
    )


def border(order: int, problem: Problem) -> Problem:
    """Return ``border:H:PROBLEM``, approximation of order H of a bilinear problem.

    Raises
    ------
    ProblemError
        The order is below 1 or beyond `MAX_ORDER`, the problem is no exact bilinear one, or its tensor is zero.

    Examples
    --------
    >>> border(1, matmul(2, 2, 2)).widths
    (8, 8, 8)
    """
    name = f"border:{order}:{problem}"
    if not 1 <= order <= MAX_ORDER:
        raise ProblemError(f"{name}: the order is {order}; give one from 1 to {MAX_ORDER}")
    if problem.inner is not None:
        raise ProblemError(f"{name}: {problem.kind} problems have no approximate form; give a bilinear problem")
    if not problem.entries:
        raise ProblemError(f"{name}: the tensor is zero; there is nothing to approximate")
    return Problem(
        name, "border", problem.shape, (order, *problem.dims), problem.entries, problem.labels, problem, order
    )


def parse_commutative(body: str) -> Problem:
    """Parse the ``NxMxP`` of a problem string."""
    match = fullmatch(r"(\d{1,6})x(\d{1,6})x(\d{1,6})", body)
    if not match:
        raise ProblemError(f"commutative:{body}: write three sizes, as in commutative:2x2x2")
    try:
        return commutative(*map(int, match.groups()))
    except ProblemError as error:
        raise ProblemError(str(error).replace("matmul", "commutative", 1)) from None


def parse_border(body: str, parse: Callable[[str], Problem]) -> Problem:
    """Parse the ``H:PROBLEM`` of a problem string, the problem with ``parse``."""
    order, colon, problem = body.partition(":")
    if not colon or not problem or not fullmatch(r"\d{1,6}", order):
        raise ProblemError(f"border:{body}: write an order and a problem, as in border:1:matmul:2x2x2")
    return border(int(order), parse(problem))
