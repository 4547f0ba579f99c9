"""Complex numbers with rational parts, and the exact solution of small linear systems of them."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

__all__ = ["Complex", "evaluate", "inverted", "product", "squared_size"]

Complex = tuple[Fraction, Fraction]

_ZERO = (Fraction(0), Fraction(0))
_ONE = (Fraction(1), Fraction(0))


def squared_size(values: Sequence[Complex]) -> Fraction:
    """Return the sum of the squares of the absolute values."""
    return sum((re * re + im * im for re, im in values), Fraction(0))


def evaluate(terms: Mapping[tuple[int, ...], Fraction], point: Sequence[Complex]) -> Complex:
    """Return the exact value of a polynomial."""
    powers = [[_ONE] for _ in point]
    re = im = Fraction(0)
    for exponents, c in terms.items():
        term = (c, Fraction(0))
        for row, x, e in zip(powers, point, exponents, strict=True):
            while len(row) <= e:
                row.append(_times(row[-1], x))
            if e:
                term = _times(term, row[e])
        re, im = re + term[0], im + term[1]
    return re, im


def inverted(matrix: Sequence[Sequence[Complex]]) -> list[list[Complex]] | None:
    """Return the exact inverse; None for a singular matrix."""
    size = len(matrix)
    rows = [[*row, *(_ONE if i == j else _ZERO for j in range(size))] for i, row in enumerate(matrix)]
    for column in range(size):
        pivot = next((i for i in range(column, size) if rows[i][column] != _ZERO), None)
        if pivot is None:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        scale = _inverse(rows[column][column])
        rows[column] = [_times(scale, x) for x in rows[column]]
        for i in range(size):
            factor = rows[i][column]
            if i != column and factor != _ZERO:
                rows[i] = [_minus(x, _times(factor, y)) for x, y in zip(rows[i], rows[column], strict=True)]
    return [row[size:] for row in rows]


def product(matrix: Sequence[Sequence[Complex]], vector: Sequence[Complex]) -> list[Complex]:
    """Return matrix times vector."""
    result = []
    for row in matrix:
        re = im = Fraction(0)
        for x, y in zip(row, vector, strict=True):
            term = _times(x, y)
            re, im = re + term[0], im + term[1]
        result.append((re, im))
    return result


def _times(x: Complex, y: Complex) -> Complex:
    if not x[1] and not y[1]:
        return x[0] * y[0], x[1]
    return x[0] * y[0] - x[1] * y[1], x[0] * y[1] + x[1] * y[0]


def _minus(x: Complex, y: Complex) -> Complex:
    return x[0] - y[0], x[1] - y[1]


def _inverse(x: Complex) -> Complex:
    norm = x[0] * x[0] + x[1] * x[1]
    return x[0] / norm, -x[1] / norm
