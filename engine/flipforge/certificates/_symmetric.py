"""Symmetric tensors as sums of powers of vectors, exactly, and how far a sum is from a given tensor.

A symmetric tensor of order m is its coefficients T_J at the sorted indices J = (j_1 <= ... <= j_m); J stands for
m! / (product of factorials of multiplicities) places. A sum of r powers is T' = sum_i w_i a_i (x) ... (x) a_i, and its
Terracini matrix has the columns a_i^(m-1) e_j, symmetrised, in the norm of all places. Where its rank is r d, the
decomposition of T' is isolated up to order and scale (Terracini 1911; Landsberg, "Tensors: geometry and applications",
5.3). The Gram matrix of the columns has the entries

    ((a.b)^(m-1) [j = k] + (m - 1) (a.b)^(m-2) a_k b_j) / m   for the columns (a, j) and (b, k).
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement, groupby
from math import factorial, isqrt, lcm, prod
from operator import mul

from flipforge.rings import Element

__all__ = [
    "MAX_FLOAT_TERRACINI",
    "MAX_TERRACINI",
    "Powers",
    "least_singular_value_is",
    "parallel_pair",
    "squared_distance",
    "sum_of_powers",
]

Index = tuple[int, ...]
Row = Sequence[Element]
Powers = tuple[Sequence[Element], Sequence[Row]]
"""Weights w_i and vectors a_i."""

MAX_TERRACINI = 640
"""Most columns of a Terracini matrix that are looked at in integers; the work grows with their third power."""

MAX_FLOAT_TERRACINI = 8192
"""Most that are looked at in floating-point numbers: three square matrices of this size take 1.6 GB."""

_BITS = 64
_SLACK = Fraction(1, 1 << 50)
"""More than what rounding to `_BITS` bits can do to the least eigenvalue of `MAX_TERRACINI` columns."""


def sum_of_powers(powers: Powers, length: int, order: int) -> Iterator[tuple[Index, Fraction]]:
    """Yield the sorted indices of sum w_i a_i^m in lexicographic order, each with its coefficient.

    Examples
    --------
    >>> dict(sum_of_powers(([2], [[1, 3]]), 2, 2)) == {(0, 0): 2, (0, 1): 6, (1, 1): 18}
    True
    """
    scales = [lcm(*(x.denominator for x in row)) for row in powers[1]]
    columns = [
        [row[j].numerator * (scale // row[j].denominator) for row, scale in zip(powers[1], scales, strict=True)]
        for j in range(length)
    ]
    weights = [Fraction(w) / scale**order for w, scale in zip(powers[0], scales, strict=True)]
    common = lcm(*(w.denominator for w in weights))
    first = [w.numerator * (common // w.denominator) for w in weights]

    def below(index: Index, products: list[int]) -> Iterator[tuple[Index, Fraction]]:
        if len(index) == order:
            yield index, Fraction(sum(products), common)
            return
        for j in range(index[-1] if index else 0, length):
            yield from below((*index, j), list(map(mul, products, columns[j])))

    yield from below((), first)


def squared_distance(
    entries: Mapping[Index, Element], powers: Powers, length: int, order: int
) -> tuple[Fraction, tuple[Index, Element, Element] | None]:
    """Return |T - T'|^2 over all places, and the first index that differs with the coefficients of T and of T'."""
    total, first = Fraction(0), None
    for index, found in sum_of_powers(powers, length, order):
        wanted = entries.get(index, 0)
        if wanted != found:
            first = first or (index, wanted, found)
            total += places(index) * (wanted - found) ** 2
    return total, first


def places(index: Index) -> int:
    """Return how many places of the full tensor a sorted index stands for.

    Examples
    --------
    >>> places((0, 0, 1, 2))
    12
    """
    return factorial(len(index)) // prod(factorial(len(list(group))) for _, group in groupby(index))


def parallel_pair(powers: Powers) -> tuple[int, int] | None:
    """Return two components that one can take the place of, or twice the same where its weight or vector is zero."""
    seen: dict[tuple[Fraction, ...], int] = {}
    for i, (weight, row) in enumerate(zip(*powers, strict=True)):
        lead = next((x for x in row if x), None)
        if not weight or lead is None:
            return i, i
        direction = tuple(Fraction(x) / lead for x in row)
        if direction in seen:
            return seen[direction], i
        seen[direction] = i
    return None


def least_singular_value_is(
    powers: Powers, order: int, low: Fraction, high: Fraction, direction: Sequence[Element]
) -> str | None:
    """Decide whether the least singular value of the Terracini matrix lies in [low, high]; return what speaks against.

    The upper bound is |J x| / |x| for the direction x. For the lower one, G - low^2 must be positive definite: its
    Cholesky factor is computed in integers of `_BITS` bits after the point, and what counts is only how far its product
    with its transpose is from G, which is computed without rounding.
    """
    gram = _gram(powers, order)
    size = len(gram)
    if len(direction) != size or not any(direction):
        return f"the direction must be {size} numbers, not all zero"
    scale = lcm(*(x.denominator for x in direction))
    x = [entry.numerator * (scale // entry.denominator) for entry in direction]
    image = [Fraction(sum(map(mul, row, x)), 1 << _BITS) for row in gram]
    above = sum(map(mul, image, x), Fraction(0)) / sum(map(mul, x, x)) + _SLACK
    if above > high**2:
        return f"along the direction given it is more than {float(high):.3g}"
    if not low:
        return None
    shift = (low**2 + 2 * _SLACK) * (1 << _BITS)
    for i in range(size):
        gram[i][i] -= -(-shift.numerator // shift.denominator)
    return None if _positive_definite(gram) else f"it is not shown to be at least {float(low):.3g}"


def _gram(powers: Powers, order: int) -> list[list[int]]:
    """Return the Gram matrix, rounded to `_BITS` bits after the point."""
    blocks: dict[tuple[int, int], list[list[int]]] = {}
    vectors = [[Fraction(x) for x in row] for row in powers[1]]
    scales = [lcm(*(x.denominator for x in row)) for row in vectors]
    whole = [[int(x * scale) for x in row] for row, scale in zip(vectors, scales, strict=True)]
    for i, k in combinations_with_replacement(range(len(vectors)), 2):
        a, b = whole[i], whole[k]
        dot = sum(map(mul, a, b))
        below = order * (scales[i] * scales[k]) ** (order - 1)
        diagonal, rest = (dot ** (order - 1)) << _BITS, ((order - 1) * dot ** (order - 2)) << _BITS
        blocks[i, k] = [
            [((diagonal if j == q else 0) + rest * a[q] * b[j]) // below for q in range(len(b))] for j in range(len(a))
        ]
    length = len(whole[0])
    gram = []
    for i in range(len(whole)):
        for j in range(length):
            row: list[int] = []
            for k in range(len(whole)):
                row += blocks[i, k][j] if i <= k else [blocks[k, i][q][j] for q in range(length)]
            gram.append(row)
    return gram


def _positive_definite(matrix: list[list[int]]) -> bool:
    """Tell whether a symmetric matrix, in units of 2^-`_BITS`, plus `_SLACK` times the identity is shown to be so."""
    size = len(matrix)
    factor: list[list[int]] = []
    for i in range(size):
        row: list[int] = []
        for j in range(i):
            rest = (matrix[i][j] << _BITS) - sum(map(mul, row, factor[j]))
            row.append(rest // factor[j][j])
        rest = (matrix[i][i] << _BITS) - sum(map(mul, row, row))
        if rest <= 0:
            return False
        factor.append([*row, isqrt(rest)])
    sums = [0] * size
    for i in range(size):
        for j in range(i + 1):
            error = abs((matrix[i][j] << _BITS) - sum(map(mul, factor[j], factor[i])))
            sums[i] += error
            if j < i:
                sums[j] += error
    # The entries of the matrix were rounded too, by less than one unit each.
    return Fraction(max(sums), 1 << 2 * _BITS) + Fraction(size, 1 << _BITS) < _SLACK
