"""Schemes that the conformance tests use, made here so that they need no catalogue."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

from flipforge.problems import matmul
from flipforge.rings import ZT, Q
from flipforge.schemes import Scheme

__all__ = ["divided_strassen", "strassen", "wrong_strassen"]

Row = tuple[int | Fraction, ...]

# Strassen, "Gaussian elimination is not optimal" (1969): the seven products and where they go.
_PRODUCTS: tuple[tuple[Row, Row, Row], ...] = (
    ((1, 0, 0, 1), (1, 0, 0, 1), (1, 0, 0, 1)),
    ((0, 0, 1, 1), (1, 0, 0, 0), (0, 0, 1, -1)),
    ((1, 0, 0, 0), (0, 1, 0, -1), (0, 1, 0, 1)),
    ((0, 0, 0, 1), (-1, 0, 1, 0), (1, 0, 1, 0)),
    ((1, 1, 0, 0), (0, 0, 0, 1), (-1, 1, 0, 0)),
    ((-1, 0, 1, 0), (1, 1, 0, 0), (0, 0, 0, 1)),
    ((0, 1, 0, -1), (0, 0, 1, 1), (1, 0, 0, 0)),
)


def strassen() -> Scheme:
    """Return Strassen's scheme of rank 7 for 2x2x2 over ZT."""
    u, v, w = zip(*_PRODUCTS, strict=True)
    return Scheme(matmul(2, 2, 2), ZT, u, v, w, {"method": "strassen"})


def wrong_strassen() -> Scheme:
    """Return Strassen's scheme with one sign flipped: well formed, and false."""
    right = strassen()
    return replace(right, u=((1, 0, 0, -1), *right.u[1:]))


def divided_strassen() -> Scheme:
    """Return an equivalent of Strassen's scheme with thirds: A P times inverse(P) B is the same product."""
    third = Fraction(1, 3)
    transform, inverse = ((1, 2), (1, -1)), ((third, 2 * third), (third, -third))
    plain = strassen()
    u = tuple(_times(row, _transposed(transform)) for row in plain.u)
    v = tuple(_transposed_times(inverse, row) for row in plain.v)
    # The same on the rows of the result: R A B for R = ((3, 1), (0, 1)), undone on w.
    rows, undone = ((3, 1), (0, 1)), ((third, -third), (0, 1))
    u = tuple(_transposed_times(rows, row) for row in u)
    w = tuple(_flat_product(undone, _square(row)) for row in plain.w)
    return Scheme(plain.problem, Q, u, v, w)


Square = tuple[tuple[int | Fraction, int | Fraction], tuple[int | Fraction, int | Fraction]]


def _square(row: Row) -> Square:
    return (row[0], row[1]), (row[2], row[3])


def _transposed(x: Square) -> Square:
    return (x[0][0], x[1][0]), (x[0][1], x[1][1])


def _flat_product(x: Square, y: Square) -> Row:
    return tuple(_plain(x[i][0] * y[0][j] + x[i][1] * y[1][j]) for i, j in product(range(2), repeat=2))


def _times(row: Row, x: Square) -> Row:
    return _flat_product(_square(row), x)


def _transposed_times(x: Square, row: Row) -> Row:
    return _flat_product(_transposed(x), _square(row))


def _plain(x: int | Fraction) -> int | Fraction:
    return int(x) if x == int(x) else x
