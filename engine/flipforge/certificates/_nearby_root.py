"""The kind ``nearby_root``: a system near the given one has a root of exactly this multiplicity, in breadth one.

A root is of breadth one where its Jacobian matrix has corank 1. Its local algebra is then that of a point on a curve:
with s = x_p - xi_p for a variable p along the curve, the other variables are the polynomials
xi_j + nu_j1 s + .. + nu_j,r-1 s^(r-1) modulo s^r. The matrices of multiplication are polynomials in the shift, so they
commute, and xi and nu are free: this is a rational chart of the punctual Hilbert scheme (Mantzaflaris, Mourrain,
Szanto, 2020). That a system has the structure is

    f_i(xi_p + s, xi_j + sum_k nu_jk s^k) = 0 modulo s^r,

n r equations for n + (n - 1)(r - 1) unknowns. In r - 1 places (i, q) the system is changed by eps (x_p - b)^q, b a
fixed number near xi_p, which makes the equations square. A root of them, shown by the alpha test and by Krawczyk's, is
a root of multiplicity r or more of a system whose changes are the eps. It is r exactly where the next coefficients of
s^r cannot vanish: the n x n matrix of the derivatives by x_j, j not p, beside these coefficients is regular, which is
shown in intervals. The same matrix shows that the breadth is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import Any

from flipforge.certificates._algebra import (
    StatedSystem,
    Terms,
    derivative,
    plus,
    read_number,
    read_system,
    substituted,
    times,
)
from flipforge.certificates._certificate import Certificate, Verdict
from flipforge.certificates._existence import SquareSystem, alpha_defect, krawczyk_defect
from flipforge.certificates._gaussian import Complex, evaluate, inverted
from flipforge.certificates._intervals import Box, enclose, read_box, scale_of
from flipforge.errors import MalformedError

__all__ = ["check_nearby_root"]

_MAX_MULTIPLICITY = 40


@dataclass(frozen=True)
class _Chart:
    """The statement: system, multiplicity r, variable p, number b, and the places (i, q) of the changes."""

    system: StatedSystem
    order: int
    along: int
    base: Fraction
    places: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        """The number of unknowns xi, nu, eps and generators."""
        n = self.system.unknowns
        return n + (n - 1) * (self.order - 1) + len(self.places) + self.system.generators

    def reduce(self, terms: Terms) -> Terms:
        """Drop powers of s, the last variable, above r."""
        return {e: c for e, c in terms.items() if e[-1] <= self.order}

    def coefficients(self) -> list[list[Terms]]:
        """Return for each equation the coefficients of s^0 .. s^r on the curve, changes included."""
        n, size = self.system.unknowns, self.size + 1
        step = self.unit(size - 1, size)
        curve = [self.unit(j, size) for j in range(n)]
        curve[self.along] = plus(curve[self.along], step)
        place = n
        others = [j for j in range(n) if j != self.along]
        for j in others:
            power = step
            for _ in range(1, self.order):
                curve[j] = plus(curve[j], times(self.unit(place, size), power))
                power = times(power, step)
                place += 1
        generators = [self.unit(self.size - self.system.generators + g, size) for g in range(self.system.generators)]
        rows = []
        for f in self.system.equations:
            value = substituted(f, [*curve, *generators], size, self)
            parts: list[Terms] = [{} for _ in range(self.order + 1)]
            for e, c in value.items():
                parts[e[-1]][e[:-1]] = c
            rows.append(parts)
        for number, (i, q) in enumerate(self.places):
            for m in range(q + 1):
                shift = plus(self.unit(self.along, self.size), {(0,) * self.size: -self.base})
                term: Terms = {(0,) * self.size: Fraction(-comb(q, m))}
                for _ in range(q - m):
                    term = times(term, shift)
                rows[i][m] = plus(rows[i][m], times(term, self.unit(place + number, self.size)))
        return rows

    @staticmethod
    def unit(place: int, size: int) -> Terms:
        """Return one variable."""
        return {tuple(int(i == place) for i in range(size)): Fraction(1)}


def check_nearby_root(certificate: Certificate) -> Verdict:
    """Decide the kind ``nearby_root``.

    Statement: ``system`` (square), ``multiplicity``, ``hilbert_function`` (ones), ``along`` (p), ``base`` (b),
    ``places`` of the changes, ``centre`` of all unknowns with one ``radius``, and ``perturbation``, a bound of every
    change. The witness is empty.
    """
    statement = certificate.statement
    chart = _read_chart(statement)
    order, n = chart.order, chart.system.unknowns
    radius, most = read_number(statement["radius"]), read_number(statement["perturbation"])
    rows = statement["centre"]
    if not isinstance(rows, list) or len(rows) != chart.size or radius <= 0:
        raise MalformedError(f"centre must hold {chart.size} numbers, and the radius must be positive")
    point = [read_box(entry) for entry in rows]
    if statement["hilbert_function"] != [1] * order:
        return Verdict("REFUTED", "the Hilbert function of a root of breadth one is 1, 1, ..., 1")
    first = n + (n - 1) * (order - 1)
    for re, im in point[first : first + len(chart.places)]:
        if abs(re) + abs(im) + 2 * radius > most:
            return Verdict("REFUTED", "a change of the system may be larger than the perturbation stated")
    coefficients = chart.coefficients()
    equations = [part for parts in coefficients for part in parts[:order]]
    for g, relation in enumerate(chart.system.relations, start=chart.size - chart.system.generators):
        equations.append(_relation(relation, g, chart.size))
    square = SquareSystem(tuple(equations))
    inverse = square.inverse(point)
    if inverse is None:
        return Verdict("REFUTED", "the Jacobian matrix of the deflated system is singular at the centre")
    fault = alpha_defect(square, point, inverse, radius) or krawczyk_defect(square, point, inverse, radius)
    fault = fault or _end_defect(chart, coefficients, point, radius)
    if fault:
        return Verdict("REFUTED", fault)
    near = f"a system whose coefficients differ in {len(chart.places)} places by at most {float(most):.3g}"
    return Verdict(
        "PROVED", f"{near} has a root of multiplicity {order}, breadth one, within {float(radius):.3g} of the centre"
    )


def _read_chart(statement: Any) -> _Chart:
    system = read_system(statement["system"])
    order, along, rows = statement["multiplicity"], statement["along"], statement["places"]
    if type(order) is not int or not 2 <= order <= _MAX_MULTIPLICITY:
        raise MalformedError(f"multiplicity must be a number from 2 to {_MAX_MULTIPLICITY}")
    if len(system.equations) != system.unknowns:
        raise MalformedError("the system must be square")
    if type(along) is not int or not 0 <= along < system.unknowns:
        raise MalformedError("along must be the number of a variable")
    places = tuple((i, q) for i, q in rows)
    inside = all(type(i) is int and type(q) is int and 0 <= i < system.unknowns and 0 <= q < order for i, q in places)
    if len(places) != order - 1 or len(set(places)) < len(places) or not inside:
        raise MalformedError(f"places must be {order - 1} different pairs of an equation and a power below {order}")
    return _Chart(system, order, along, read_number(statement["base"]), places)


def _relation(relation: Sequence[Fraction], place: int, size: int) -> Terms:
    return {tuple(i if j == place else 0 for j in range(size)): c for i, c in enumerate(relation) if c}


def _end_defect(
    chart: _Chart, coefficients: Sequence[Sequence[Terms]], point: Sequence[Complex], radius: Fraction
) -> str | None:
    """Show that the next coefficients cannot vanish, whatever the continuation of the curve."""
    n, k = chart.system.unknowns, chart.system.generators
    bits, zero = scale_of(radius), Fraction(0)
    boxes = [Box.around(re, im, radius, bits) for re, im in point]
    # The derivatives are polynomials in the unknowns of the system and its generators.
    near, near_boxes = [*point[:n], *point[len(point) - k :]], [*boxes[:n], *boxes[len(boxes) - k :]]
    exact, balls = [], []
    for f, parts in zip(chart.system.equations, coefficients, strict=True):
        slopes = [derivative(f, j) for j in range(n) if j != chart.along]
        exact.append([*(evaluate(g, near) for g in slopes), evaluate(parts[-1], point)])
        balls.append([*(enclose(g, near_boxes, bits) for g in slopes), enclose(parts[-1], boxes, bits)])
    inverse = inverted(exact)
    if inverse is None:
        return "the multiplicity may be higher: the next coefficients may vanish"
    nothing, one = Box.around(zero, zero, zero, bits), Box.around(Fraction(1), zero, zero, bits)
    for i, row in enumerate(inverse):
        total = 0
        for j in range(n):
            defect = one if i == j else nothing
            for m, (re, im) in enumerate(row):
                defect = defect - Box.around(re, im, zero, bits) * balls[m][j]
            total += defect.size
        if total >= 1 << bits:
            return "the multiplicity may be higher: the next coefficients may vanish"
    return None
