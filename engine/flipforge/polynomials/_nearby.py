"""A system near the given one with a root of exact multiplicity: the deflated system on a chart of breadth one.

Where the digits of a root tell no exact point, or where a system has a root of some multiplicity only up to the
accuracy of its coefficients, what can be proven is about a system nearby. In breadth one the multiplication matrices
are polynomials in a shift, so that their parameters are free, and the deflated system is made square by a few changes
of coefficients as further unknowns (Mantzaflaris, Mourrain, Szanto, "Punctual Hilbert schemes and certified approximate
singularities", 2020).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import comb
from typing import Any

from flint import acb

from flipforge.certificates import Certificate
from flipforge.polynomials._refine import Refined
from flipforge.polynomials._solve import polish, regular_rows
from flipforge.polynomials._statements import ball_of, system_document, text
from flipforge.polynomials._structure import Deflated
from flipforge.polynomials._system import System, dyadic
from flipforge.polynomials._terms import Exponents, Polynomial, Terms, add, constant, multiply, scale, variable

__all__ = ["nearby_certificate"]

Series = list[Terms]
"""Coefficients of 1, s, s^2, ... up to a fixed order."""

_BITS = 200
_CENTRE_BITS = 160
_RADIUS = Fraction(1, 2**64)


def nearby_certificate(system: System, refined: Refined, provenance: Mapping[str, Any]) -> Certificate | None:
    """State that a system near a square one has a root of the refined structure; None outside of breadth one.

    The changes are eps (x_p - b)^q in some equations, with b near the root's coordinate p along the curve.
    """
    monomials = refined.monomials or ()
    order, n = len(monomials), len(system.variables)
    along = next((j for j in range(n) if order > 1 and monomials[1][j]), None)
    if along is None or not system.is_square or any(sum(b) != b[along] for b in monomials):
        return None
    known = dict(zip(Deflated(system, monomials).unknowns, refined.parameters, strict=True))
    others = [j for j in range(n) if j != along]
    slopes = [known[k, tuple(int(i == j) for i in range(n))] for j in others for k in range(1, order)]
    start = [complex(x) for x in (*refined.point, *slopes)]
    free = _deflated(system, order, along)
    chosen = set(regular_rows(free, [acb(x) for x in start], len(start)))
    places = [divmod(row, order) for row in range(n * order) if row not in chosen]
    base = dyadic(refined.point[along].real, 40)
    square = _changed(free, order, along, base, places)
    point = polish(square, [*start, *[0j] * len(places)], _BITS)
    if point is None:
        return None
    generators = system.field.values(_BITS)
    centre = [_flattened(ball_of(x, _CENTRE_BITS)) for x in (*point, *generators)]
    changes = centre[len(start) : len(start) + len(places)]
    most = max(abs(re) + abs(im) for re, im in changes) + 2 * _RADIUS
    # A bound of few digits, above the changes.
    bound = Fraction(-(-(most.numerator << 80) // most.denominator), 1 << 80)
    statement = {
        "claim": f"a system near this one has a root of multiplicity {order} and breadth one near the centre",
        "system": system_document(system),
        "multiplicity": order,
        "hilbert_function": [1] * order,
        "along": along,
        "base": text(base),
        "places": [list(place) for place in places],
        "centre": [[*map(text, pair)] for pair in centre],
        "radius": text(_RADIUS),
        "perturbation": text(bound),
    }
    return Certificate("nearby_root", statement, {}, "flipforge.certificates/1", dict(provenance))


def _deflated(system: System, order: int, along: int) -> System:
    """Return the n r equations in xi and nu that a curve of order r solves the system."""
    n, k = len(system.variables), len(system.field.generators)
    others = [j for j in range(n) if j != along]
    names = [f"xi_{x}" for x in system.variables] + [f"nu_{j}_{m}" for j in others for m in range(1, order)]
    size = len(names) + k
    curve: list[Series] = []
    for j in range(n):
        series: Series = [variable(j, size)] + [{} for _ in range(order - 1)]
        for m in range(1, order):
            if j == along:
                series[m] = constant(int(m == 1), size)
            else:
                series[m] = variable(n + others.index(j) * (order - 1) + m - 1, size)
        curve.append(series)
    for g in range(k):
        curve.append([variable(len(names) + g, size)] + [{} for _ in range(order - 1)])
    powers: dict[tuple[int, int], Series] = {}
    equations: list[Polynomial] = []
    for f in system.polynomials:
        total: Series = [{} for _ in range(order)]
        for exponents, c in f:
            term: Series = [constant(c, size)] + [{} for _ in range(order - 1)]
            for j, e in enumerate(exponents):
                if e:
                    term = _product(term, _power(powers, curve, j, e))
            total = [add(a, b) for a, b in zip(total, term, strict=True)]
        equations += [Polynomial.of(system.field.reduce(part)) for part in total]
    return System(tuple(names), tuple(equations), system.field)


def _changed(free: System, order: int, along: int, base: Fraction, places: Sequence[tuple[int, int]]) -> System:
    """Add the unknowns eps: subtract the coefficients of eps (x_p - b)^q on the curve."""
    n, k, extra = len(free.variables), len(free.field.generators), len(places)
    widened: list[Terms] = [{_widen(e, n, extra): c for e, c in f} for f in free.polynomials]
    size = n + extra + k
    shift = add(variable(along, size), constant(-base, size))
    for number, (i, q) in enumerate(places):
        power = constant(1, size)
        for m in range(q, -1, -1):
            change = scale(-comb(q, m), multiply(power, variable(n + number, size)))
            widened[i * order + m] = add(widened[i * order + m], change)
            power = multiply(power, shift)
    names = (*free.variables, *(f"eps_{i}_{q}" for i, q in places))
    return replace(free, variables=names, polynomials=tuple(map(Polynomial.of, widened)))


def _widen(exponents: Exponents, n: int, extra: int) -> Exponents:
    return (*exponents[:n], *(0,) * extra, *exponents[n:])


def _power(known: dict[tuple[int, int], Series], curve: Sequence[Series], j: int, exponent: int) -> Series:
    if exponent == 1:
        return curve[j]
    if (j, exponent) not in known:
        known[j, exponent] = _product(_power(known, curve, j, exponent - 1), curve[j])
    return known[j, exponent]


def _product(left: Series, right: Series) -> Series:
    order = len(left)
    return [add(*(multiply(left[i], right[m - i]) for i in range(m + 1))) for m in range(order)]


def _flattened(pair: Sequence[Fraction]) -> list[Fraction]:
    return [pair[0], Fraction(0) if abs(pair[1]) < Fraction(1, 2**120) else pair[1]]
