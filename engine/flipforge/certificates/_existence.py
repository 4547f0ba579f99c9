"""Two proofs that a square system over Q has a root near a point: Smale's alpha test, and Krawczyk's.

The alpha test is in exact rational arithmetic. With beta the length of Newton's step and gamma <= mu D^(3/2) / (2 |x|),
the point is an approximate zero with a root within 2 beta where alpha = beta gamma < (13 - 3 sqrt 17) / 4; all squares
are rational, so nothing is rounded (Shub, Smale; Hauenstein, Sottile, "Algorithm 921: alphaCertified", 2012).

Krawczyk's operator K = x - C F(x) + (1 - C F'(X)) (X - x) maps the box X into its interior only where there is exactly
one root in X (Krawczyk 1969; Moore 1977; Rump). Its intervals are those of `_intervals`; C is the exact inverse of the
Jacobian matrix at the point, rounded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import factorial, isqrt, prod

from flipforge.certificates._algebra import Terms, derivative
from flipforge.certificates._gaussian import Complex, evaluate, inverted, product, squared_size
from flipforge.certificates._intervals import Box, enclose, scale_of

__all__ = ["SquareSystem", "alpha_defect", "krawczyk_defect"]

_LIMIT = Fraction("0.15767")
"""A little below (13 - 3 sqrt 17) / 4 = 0.157671."""


@dataclass(frozen=True)
class SquareSystem:
    """As many polynomials over Q as variables, with what both tests use."""

    equations: tuple[Terms, ...]

    @cached_property
    def derivatives(self) -> list[list[Terms]]:
        """The Jacobian matrix."""
        return [[derivative(f, j) for j in range(len(self.equations))] for f in self.equations]

    @cached_property
    def degrees(self) -> list[int]:
        """Total degrees, at least 1."""
        return [max(1, *(sum(e) for e in f)) for f in self.equations]

    @cached_property
    def squared_norm(self) -> Fraction:
        """The square of the Bombieri-Weyl norm: |c|^2 over the multinomial coefficient of the homogenised term."""
        total = Fraction(0)
        for f, degree in zip(self.equations, self.degrees, strict=True):
            for e, c in f.items():
                total += c * c * Fraction(prod(map(factorial, e)) * factorial(degree - sum(e)), factorial(degree))
        return total

    def inverse(self, point: Sequence[Complex]) -> list[list[Complex]] | None:
        """Return the exact inverse of the Jacobian matrix at a point; None where it is singular."""
        return inverted([[evaluate(f, point) for f in row] for row in self.derivatives])


def alpha_defect(
    system: SquareSystem, point: Sequence[Complex], inverse: Sequence[Sequence[Complex]], radius: Fraction
) -> str | None:
    """Return why the alpha test does not show a root within the radius of a point; None where it does.

    Examples
    --------
    >>> one, point = Fraction(1), [(Fraction(3, 2), Fraction(0))]
    >>> system = SquareSystem(({(2,): one, (0,): -2 * one},))
    >>> alpha_defect(system, point, system.inverse(point), Fraction(1, 6)) is None
    True
    """
    beta = squared_size(product(inverse, [evaluate(f, point) for f in system.equations]))
    alpha = beta * _squared_gamma(system, point, inverse)
    if alpha >= _LIMIT**2:
        return f"alpha is bounded by {_root_above(alpha):.4g} only, and must be below 0.1577"
    if 4 * beta > radius**2:
        return "the root may lie further away than the radius"
    return None


def krawczyk_defect(
    system: SquareSystem, point: Sequence[Complex], inverse: Sequence[Sequence[Complex]], radius: Fraction
) -> str | None:
    """Return why Krawczyk's test does not show exactly one root within the radius of a point; None where it does."""
    bits, zero = scale_of(radius), Fraction(0)
    size = len(point)
    boxes = [Box.around(re, im, radius, bits) for re, im in point]
    # The bounds of the box are rounded outwards by less than a unit; the test is made for what lies within it for sure.
    middles = [Box.around(re, im, zero, bits) for re, im in point]
    values = [enclose(f, middles, bits) for f in system.equations]
    slopes = [[enclose(f, boxes, bits) for f in row] for row in system.derivatives]
    approximate = [
        [Box.around(_rounded(re, bits), _rounded(im, bits), zero, bits) for re, im in row] for row in inverse
    ]
    nothing, one = Box.around(zero, zero, zero, bits), Box.around(Fraction(1), zero, zero, bits)
    for i in range(size):
        image = middles[i]
        for k in range(size):
            image = image - approximate[i][k] * values[k]
        for j in range(size):
            defect = one if i == j else nothing
            for k in range(size):
                defect = defect - approximate[i][k] * slopes[k][j]
            image = image + defect * (boxes[j] - middles[j])
        if not (image.lies_inside(boxes[i]) and image.lies_within(*point[i], radius)):
            return f"Krawczyk's operator does not map the box into its interior, coordinate {i}"
    return None


def _squared_gamma(system: SquareSystem, point: Sequence[Complex], inverse: Sequence[Sequence[Complex]]) -> Fraction:
    size = 1 + squared_size(point)
    scaled = Fraction(0)
    for k, degree in enumerate(system.degrees):
        scaled += squared_size([row[k] for row in inverse]) * degree * size ** (degree - 1)
    mu = max(Fraction(1), system.squared_norm * scaled)
    return mu * max(system.degrees) ** 3 / (4 * size)


def _root_above(value: Fraction) -> float:
    return float(Fraction(isqrt(int(value * 10**24)) + 1, 10**12))


def _rounded(value: Fraction, bits: int) -> Fraction:
    return Fraction(round(value * (1 << bits)), 1 << bits)
