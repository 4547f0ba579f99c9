"""The least singular value of a large Terracini matrix, by floating-point numbers whose errors are bounded beforehand.

For at most `MAX_TERRACINI` columns `least_singular_value_is` decides in integers. Above that this module computes the
Gram matrix G in double precision and has LAPACK factor G - s. That the factorisation runs to its end with positive
pivots proves a lower bound on the least eigenvalue (Rump, "Verification of positive definiteness", BIT 46, 2006): by
Higham, "Accuracy and stability of numerical algorithms", theorem 10.3, the factor R has

    |R^T R - A| <= g |R|^T |R|   with g = k u / (1 - k u), u = 2^-53, k = n + 1,

whatever the order of the sums, and |R|^T |R| has a norm of at most the trace of A / (1 - g). A few more roundings for
each entry are allowed for, since some programs multiply by reciprocals. The entries of G, in blocks of the components
a and b,

    ((a.b)^(m-1) [j = k] + (m - 1) (a.b)^(m-2) a_k b_j) / m

take the powers exactly, rounded once, and five more roundings; with |a|^2 <= M an error of a factor 1 + e in each
changes a block by at most e M^(m-1) in norm, and G by at most r times that.

The decision trusts double precision as IEEE 754 has it, rounding to nearest, and that LAPACK multiplies and factors by
the ordinary operations. It only ever supports a verdict of EVIDENCE.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from operator import mul

import numpy as np
import numpy.typing as npt

from flipforge.errors import MalformedError
from flipforge.rings import Element

__all__ = ["TRUSTS_FLOATS", "least_singular_value_is_by_floats"]

TRUSTS_FLOATS = (
    "Python's integers and fractions and the checker's text; and, for the least singular value, double precision as "
    "IEEE 754 has it, NumPy's products and LAPACK's Cholesky factorisation"
)

_UNIT = Fraction(1, 1 << 53)
_TINY = Fraction(1, 1 << 1000)
"""More than what underflow does to a row of the matrix."""

Floats = npt.NDArray[np.float64]


def least_singular_value_is_by_floats(
    vectors: Sequence[Sequence[Element]], order: int, low: Fraction, high: Fraction, direction: Sequence[Element]
) -> str | None:
    """Decide whether the least singular value of the Terracini matrix lies in [low, high]; return what speaks against.

    Parameters
    ----------
    vectors
        r rows of d numbers; no row may be longer than 2, in the Euclidean norm.
    direction
        r d numbers, along which the matrix is small.

    Examples
    --------
    >>> least_singular_value_is_by_floats([[1, 0], [0, 1]], 4, Fraction(1, 3), Fraction(2, 3), [0, 1, 0, 0])
    """
    squares = [sum((Fraction(x) ** 2 for x in row), Fraction(0)) for row in vectors]
    longest = max(squares)
    if longest > 4:
        raise MalformedError(f"a vector has the norm {float(longest) ** 0.5:.3g}; above 2 no bound is computed")
    count, length = len(vectors), len(vectors[0])
    size = count * length
    if len(direction) != size or not any(direction):
        return f"the direction must be {size} numbers, not all zero"
    scale = max(abs(Fraction(entry)) for entry in direction)
    x = np.array([float(entry / scale) for entry in direction])
    gram = _gram(vectors, order)
    block = longest ** (order - 1)
    trace = sum((square ** (order - 1) for square in squares), Fraction(0)) * (length + order - 1) / order
    trace *= 1 + 8 * _gamma(1)
    entries = count * block * _gamma(6) + size * _TINY
    # |x|^T |G| |x| <= |x|^2 trace G, since |G_ij|^2 <= G_ii G_jj.
    above = Fraction(float(x @ (gram @ x))) / sum(Fraction(float(v)) ** 2 for v in x) + entries
    if above + _gamma(2 * size + 2) * trace > high**2:
        return f"along the direction given it is more than {float(high):.3g}"
    if not low:
        return None
    factor = _gamma(size + 8)
    shift = low**2 + entries + factor / (1 - factor) * trace + 4 * _UNIT * max(block, Fraction(1))
    gram[np.diag_indices(size)] -= float(shift * (1 + 4 * _UNIT))
    return None if _factors(gram) else f"it is not shown to be at least {float(low):.3g}"


def _gamma(roundings: int) -> Fraction:
    return roundings * _UNIT / (1 - roundings * _UNIT)


def _gram(vectors: Sequence[Sequence[Element]], order: int) -> Floats:
    """Return the Gram matrix, shape (r d, r d); it is symmetric to the last bit."""
    scales = [lcm(*(x.denominator for x in row)) for row in vectors]
    whole = [[int(x * scale) for x in row] for row, scale in zip(vectors, scales, strict=True)]
    count, length = len(vectors), len(vectors[0])
    diagonal, rest = np.empty((count, count)), np.empty((count, count))
    for i, a in enumerate(whole):
        for k in range(i + 1):
            dot, below = sum(map(mul, a, whole[k])), scales[i] * scales[k]
            diagonal[i, k] = diagonal[k, i] = dot ** (order - 1) / (order * below ** (order - 1))
            rest[i, k] = rest[k, i] = (order - 1) * dot ** (order - 2) / (order * below ** (order - 2))
    rows = np.array([[float(x) for x in row] for row in vectors])
    gram = np.empty((count, length, count, length))
    places = np.arange(length)
    for i in range(count):
        gram[i] = rest[i][None, :, None] * (rows.T[:, :, None] * rows[i][None, None, :])
        gram[i][places, :, places] += diagonal[i]
    return gram.reshape(count * length, count * length)


def _factors(matrix: Floats) -> bool:
    """Tell whether LAPACK's Cholesky factorisation of a matrix runs to its end."""
    try:
        factor = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return bool(np.isfinite(factor).all() and (factor.diagonal() > 0).all())
