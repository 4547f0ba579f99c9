"""Products with polynomials in eps as coefficients, modulo eps^(h+1): the ways to write one.

A factor is an integer array of shape (rank, entries, h + 1), the coefficient of eps^0 first. A *scheme* is a tuple of
three of them. Entries are residues for p > 0, and -1, 0, 1 for p = 0, the ternary integers.

What a product u (x) v (x) w is worth modulo eps^(h+1) leaves freedoms, its *gauge*: powers of eps move between its
factors, so do units (polynomials with an invertible constant), and where the other two factors are divisible by eps^s
the coefficients of a factor from degree h + 1 - s on do not matter. A product divisible by eps^(h+1) vanishes.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["compact", "leading", "primitive", "valuations"]

Series = NDArray[np.int64]
Approximate = tuple[Series, Series, Series]


def valuations(factor: Series) -> NDArray[np.int64]:
    """Return for each row the power of eps that divides it; h + 1 for a zero row."""
    present = (factor != 0).any(axis=1)
    found: NDArray[np.int64] = np.where(present.any(axis=1), present.argmax(axis=1), factor.shape[2])
    return found


def compact(scheme: Approximate, p: int) -> Approximate:
    """Return the one gauge in which all powers of eps stand in w and what does not matter is zero.

    Over GF(p) the first entry of u with a constant term is 1, and so is that of v; units stand in w. Then equal
    products are equal arrays. Over the ternary integers only signs move: that entry has the constant term 1.
    """
    u, v, w = _stripped(scheme)
    u, unit_u = _monic(u, p)
    v, unit_v = _monic(v, p)
    return _truncated((u, v, _times(w, _product(unit_u, unit_v, p), p)))


def primitive(scheme: Approximate, p: int) -> Approximate:
    """Return the factors without their powers of eps and their units: what products may share."""
    u, v, w = (_monic(_shifted(factor, -valuations(factor)), p)[0] for factor in scheme)
    return u, v, w


def leading(scheme: Approximate) -> tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int8]]:
    """Return of each factor the coefficients of its lowest degree: int8 arrays of shape (rank, entries)."""
    u, v, w = (
        np.take_along_axis(factor, valuations(factor)[:, None, None], axis=2)[:, :, 0].astype(np.int8)
        for factor in scheme
    )
    return u, v, w


def _stripped(scheme: Approximate) -> Approximate:
    """Move all powers of eps to w; leave out the products that vanish."""
    powers = [valuations(factor) for factor in scheme]
    live = powers[0] + powers[1] + powers[2] < scheme[0].shape[2]
    u, v, w = (factor[live] for factor in scheme)
    return (
        _shifted(u, -powers[0][live]),
        _shifted(v, -powers[1][live]),
        _shifted(w, powers[0][live] + powers[1][live]),
    )


def _truncated(scheme: Approximate) -> Approximate:
    """Make the coefficients zero that do not matter."""
    powers = [valuations(factor) for factor in scheme]
    total = powers[0] + powers[1] + powers[2]
    u, v, w = (
        np.where(_matters(total - own, factor.shape[2])[:, None, :], factor, 0)
        for factor, own in zip(scheme, powers, strict=True)
    )
    return u, v, w


def _matters(others: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    """Tell for each row and degree whether it counts beside factors divisible by eps^others."""
    mask: NDArray[np.bool_] = np.arange(length) < length - others[:, None]
    return mask


def _shifted(factor: Series, by: NDArray[np.int64]) -> Series:
    """Multiply each row by its power of eps; negative powers divide, and divide what is divisible."""
    length = factor.shape[2]
    source = np.arange(length)[None, :] - by[:, None]
    inside = (source >= 0) & (source < length)
    taken = np.take_along_axis(factor, np.where(inside, source, 0)[:, None, :], axis=2)
    shifted: Series = np.where(inside[:, None, :], taken, 0)
    return shifted


def _monic(factor: Series, p: int) -> tuple[Series, Series]:
    """Divide rows of valuation 0 by their first entry with a constant term; return them and what they were divided by.

    Over the ternary integers they are divided by the sign of the constant term.
    """
    first = (factor[:, :, 0] != 0).argmax(axis=1)
    units = factor[np.arange(len(factor)), first]
    if not p:
        units = np.where(np.arange(units.shape[1]) == 0, units, 0)
    return _times(factor, _inverse(units, p), p), units


def _inverse(units: Series, p: int) -> Series:
    inverse = np.zeros_like(units)
    # x^(p - 2) is the inverse of x.
    inverse[:, 0] = units[:, 0] ** (p - 2) % p if p > 2 else units[:, 0]
    if not p:
        return inverse
    for degree in range(1, units.shape[1]):
        carried = (units[:, 1 : degree + 1] * inverse[:, degree - 1 :: -1][:, :degree]).sum(axis=1)
        inverse[:, degree] = -inverse[:, 0] * carried % p
    return inverse


def _product(x: Series, y: Series, p: int) -> Series:
    return _times(x[:, None, :], y, p)[:, 0, :]


def _times(factor: Series, series: Series, p: int) -> Series:
    """Multiply each row by its polynomial."""
    length = factor.shape[2]
    result = np.zeros_like(factor)
    for degree in range(length if p else 1):
        result[:, :, degree:] += series[:, None, degree : degree + 1] * factor[:, :, : length - degree]
    return result % p if p else result
