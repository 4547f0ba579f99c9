"""From residues to rational numbers: Dixon lifting and rational reconstruction.

Numbers here are Python integers of any size; a residue modulo m stands in ``0..m-1`` unless said otherwise.
"""

from collections.abc import Callable
from fractions import Fraction
from math import gcd, isqrt, lcm

import numpy as np
from numpy.typing import ArrayLike

from flipforge.errors import InputError
from flipforge.exact._matrix import Array, Matrix, Sparse, as_array, integral, largest_entry, multiply
from flipforge.rings import Element

__all__ = ["centred", "dixon", "reconstruct", "reconstruct_all"]


def dixon(matrix: Matrix, inverse: Callable[[Array], Array], p: int, right: Array) -> Array:
    """Solve A x = b over Q for a square A that is invertible modulo p, by the digits of x (Dixon 1982).

    One inverse modulo p serves all digits. Fractions are tried ever more seldom, and taken when they solve the
    equations exactly; that ends at the latest where Cramer's rule bounds them.

    Parameters
    ----------
    matrix
        r x r integers.
    inverse
        Maps r x k residues modulo p to A^-1 times them.
    right
        r x k integers.

    Returns
    -------
    x
        r x k numbers, ``int`` or ``Fraction``.

    Examples
    --------
    >>> import numpy as np
    >>> dixon(np.array([[2]]), lambda b: 4 * b % 7, 7, np.array([[1, 10]])).tolist()
    [[Fraction(1, 2), 5]]
    """
    entries = len(matrix.values) if isinstance(matrix, Sparse) else matrix.shape[1]
    small = max(largest_entry(right), largest_entry(matrix) * entries * p) < 2**62
    left = right.astype(np.int64 if small else object)
    x, modulus = np.zeros(right.shape, dtype=object), 1
    step, next_try = 0, 1
    while True:
        digit = inverse(left % p)
        left = (left - multiply(matrix, digit)) // p
        x, modulus, step = x + digit.astype(object) * modulus, modulus * p, step + 1
        if step < next_try:
            continue
        next_try = step + 1 + step // 4
        values = reconstruct_all(x.reshape(-1), modulus)
        if values is not None:
            fractions: Array = np.empty(right.shape, dtype=object)
            fractions.flat[:] = values
            numerators, scales = integral(fractions.T)
            if (multiply(matrix, numerators.T) == right * np.array(scales, dtype=object)).all():
                return fractions


def centred(values: Array, modulus: int) -> Array:
    """Return the residues of smallest absolute value, as objects; the half of an even modulus stays positive."""
    half = (modulus - 1) // 2
    return (values.astype(object) + half) % modulus - half


def reconstruct(
    residue: int, modulus: int, numerator: int | None = None, denominator: int | None = None
) -> Element | None:
    """Find the fraction n/d with n = residue * d modulo m, ``|n| <= numerator`` and ``0 < d <= denominator``.

    There is at most one where 2 * numerator * denominator < m, and then it is found if it exists (Wang, Guy, Davenport
    1982; Monagan 2004). Its denominator is prime to m.

    Parameters
    ----------
    residue, modulus
        Any integer, and m > 1.
    numerator, denominator
        The bounds; where both are None each is the largest N with 2 N N < m, though the denominator may always be 1.

    Raises
    ------
    InputError
        The bounds do not keep 2 * numerator * denominator < m, or only one is given.

    Examples
    --------
    >>> reconstruct(4, 7), reconstruct(-3 * pow(4, -1, 101), 101)
    (None, Fraction(-3, 4))
    """
    bounds = _bounds(modulus, numerator, denominator)
    (r0, t0), (r1, t1) = (modulus, 0), (residue % modulus, 1)
    while r1 > bounds[0]:
        quotient = r0 // r1
        (r0, t0), (r1, t1) = (r1, t1), (r0 - quotient * r1, t0 - quotient * t1)
    if abs(t1) > bounds[1] or gcd(r1, t1) != 1:
        return None
    n, d = (r1, t1) if t1 > 0 else (-r1, -t1)
    return n if d == 1 else Fraction(n, d)


def reconstruct_all(
    residues: ArrayLike, modulus: int, numerator: int | None = None, denominator: int | None = None
) -> list[Element] | None:
    """Return what `reconstruct` makes of each residue, or None where one of them has no fraction.

    Examples
    --------
    >>> reconstruct_all([51, 3, 100], 101)
    [Fraction(1, 2), 3, -1]
    """
    largest, deepest = _bounds(modulus, numerator, denominator)
    common, found = 1, list[Element]()
    for residue in map(int, as_array(residues, 1, "residues")):
        # Denominators repeat: a fraction over those before that keeps the bounds is the only one that does.
        n = (residue * common + largest) % modulus - largest
        if n <= largest:
            value: Element | None = n if common == 1 else _plain(Fraction(n, common))
        else:
            value = reconstruct(residue, modulus, largest, deepest)
        if value is None:
            return None
        common = lcm(common, value.denominator)
        if common > deepest:
            common = 1
        found.append(value)
    return found


def _bounds(modulus: int, numerator: int | None, denominator: int | None) -> tuple[int, int]:
    if numerator is None and denominator is None:
        bound = isqrt((modulus - 1) // 2)
        return bound, max(bound, 1)
    if numerator is None or denominator is None:
        raise InputError("give both bounds of a fraction or none")
    if numerator < 0 or denominator < 1 or 2 * numerator * denominator >= modulus:
        raise InputError(f"2 * {numerator} * {denominator} is not below {modulus}: two fractions could fit")
    return numerator, denominator


def _plain(value: Fraction) -> Element:
    return int(value) if value.denominator == 1 else value
