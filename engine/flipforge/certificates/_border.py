"""The equations of an approximate scheme, exactly.

Coefficients are polynomials in eps. sum_q u_q (x) v_q (x) w_q = eps^h T modulo eps^(h+1) says that the part of degree d
of the left side vanishes for d < h and is T for d = h. That part is the sum over all degrees a + b + c = d of the
products of the coefficients, which is a sum of ordinary products: each degree is one set of Brent equations.
"""

from collections.abc import Mapping, Sequence
from itertools import product

from flipforge.certificates._brent import Element, Index, brent_defect

__all__ = ["Polynomials", "border_defect"]

Polynomials = Sequence[Sequence[Element]]
"""A factor: for each coordinate its coefficients, that of eps^0 first."""


def border_defect(
    tensor: Mapping[Index, Element],
    order: int,
    u: Sequence[Polynomials],
    v: Sequence[Polynomials],
    w: Sequence[Polynomials],
    characteristic: int = 0,
) -> tuple[int, Index, Element, Element] | None:
    """Find a coefficient of an approximate scheme that is wrong.

    Parameters
    ----------
    tensor
        The nonzero coefficients of T.
    order
        The h >= 1 of eps^h T; all polynomials have h + 1 coefficients.
    u, v, w
        r rows each.
    characteristic
        0, or a prime p: then equality is taken modulo p.

    Returns
    -------
    tuple or None
        ``(d, (i, j, k), wanted, found)`` for the smallest degree d and index that fails, None when all hold.

    Raises
    ------
    ValueError
        The order is below 1, row counts disagree, a polynomial has another number of coefficients, or a denominator is
        divisible by the characteristic.

    Examples
    --------
    >>> border_defect({(0, 0, 0): 1}, 1, [[[1, 0]]], [[[0, 1]]], [[[1, 5]]]) is None
    True
    """
    if order < 1:
        raise ValueError(f"the order is {order}; an approximate scheme has order 1 or more")
    if not len(u) == len(v) == len(w):
        raise ValueError("u, v and w must have as many rows as each other")
    if any(len(polynomial) != order + 1 for rows in (u, v, w) for row in rows for polynomial in row):
        raise ValueError(f"a polynomial of an approximate scheme of order {order} has {order + 1} coefficients")
    parts = [[_parts(row, order) for row in rows] for rows in (u, v, w)]
    for degree in range(order + 1):
        degrees = [(a, b, degree - a - b) for a, b in product(range(degree + 1), repeat=2) if a + b <= degree]
        terms = [
            (us[a], vs[b], ws[c])
            for us, vs, ws in zip(*parts, strict=True)
            for a, b, c in degrees
            if any(us[a]) and any(vs[b]) and any(ws[c])
        ]
        left, right, output = ([term[axis] for term in terms] for axis in range(3))
        defect = brent_defect(tensor if degree == order else {}, left, right, output, characteristic)
        if defect is not None:
            return (degree, *defect)
    return None


def _parts(row: Polynomials, order: int) -> list[list[Element]]:
    """Return the coefficients of each degree of a factor."""
    return [[polynomial[degree] for polynomial in row] for degree in range(order + 1)]
