"""The schemes that searches start from, made by construction."""

from collections.abc import Sequence

from flipforge.problems import Problem
from flipforge.rings import Ring
from flipforge.schemes._scheme import Row, Scheme

__all__ = ["first_schemes", "standard_rank", "standard_scheme", "winograd_scheme"]


def standard_scheme(problem: Problem, ring: Ring) -> Scheme:
    """Return the standard algorithm over the ring: one product for each coefficient that is nonzero there."""
    u, v, w = problem.standard()
    rows = [
        (a, b, c)
        for a, b, c in ((a, b, tuple(ring.reduce(x) for x in c)) for a, b, c in zip(u, v, w, strict=True))
        if any(c)
    ]
    u_rows, v_rows, w_rows = (tuple(row[axis] for row in rows) for axis in range(3))
    return Scheme(problem, ring, u_rows, v_rows, w_rows, {"method": "standard"})


def standard_rank(problem: Problem, ring: Ring) -> int:
    """Return the rank of the standard algorithm over the ring, without making it."""
    return sum(1 for _, value in problem.entries if ring.reduce(value))


def winograd_scheme(problem: Problem, ring: Ring) -> Scheme:
    """Return Winograd's commutative scheme, of (n p + n + p) floor(m / 2) products and n p more where m is odd.

    a1 b1 + a2 b2 = (a1 + b2) (a2 + b1) - a1 a2 - b1 b2, where a1 a2 serves a row of C and b1 b2 a column. Winograd, "A
    new algorithm for inner product" (1968).

    Parameters
    ----------
    problem
        A commutative one.

    Examples
    --------
    >>> from flipforge.problems import commutative
    >>> from flipforge.rings import ZT
    >>> winograd_scheme(commutative(4, 4, 4), ZT).rank
    48
    """
    n, m, p = problem.dims
    minus = int(ring.reduce(-1))
    a = [[i * m + j for j in range(m)] for i in range(n)]
    b = [[n * m + j * p + k for k in range(p)] for j in range(m)]
    c = [[i * p + k for k in range(p)] for i in range(n)]
    cells = [(i, k) for i in range(n) for k in range(p)]
    products: list[tuple[list[int], list[int], list[int], int]] = []
    for j in range(0, m - 1, 2):
        products += [([a[i][j], b[j + 1][k]], [a[i][j + 1], b[j][k]], [c[i][k]], 1) for i, k in cells]
        products += [([a[i][j]], [a[i][j + 1]], c[i], minus) for i in range(n)]
        products += [([b[j][k]], [b[j + 1][k]], [row[k] for row in c], minus) for k in range(p)]
    if m % 2:
        products += [([a[i][m - 1]], [b[m - 1][k]], [c[i][k]], 1) for i, k in cells]
    variables, _, outputs = problem.shape
    u = tuple(_row(variables, left) for left, *_ in products)
    v = tuple(_row(variables, right) for _, right, *_ in products)
    w = tuple(_row(outputs, places, value) for _, _, places, value in products)
    return Scheme(problem, ring, u, v, w, {"method": "winograd"})


def _row(size: int, places: Sequence[int], value: int = 1) -> Row:
    return tuple(value if place in places else 0 for place in range(size))


def first_schemes(problem: Problem, ring: Ring) -> tuple[Scheme, ...]:
    """Return what a search starts from: the standard algorithm, and Winograd's where entries commute."""
    standard = standard_scheme(problem, ring)
    return (standard, winograd_scheme(problem, ring)) if problem.commutes else (standard,)
