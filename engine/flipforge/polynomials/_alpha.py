"""Smale's alpha, bounded in balls: what the rational test of the checker will find, and what a start is worth."""

from collections.abc import Sequence
from math import factorial, inf, prod, sqrt

from flint import acb, acb_mat, ctx

from flipforge.polynomials._system import System

__all__ = ["ALPHA_LIMIT", "alpha_estimate"]

ALPHA_LIMIT = (13 - 3 * sqrt(17)) / 4
"""Below it a point is an approximate zero (Blum, Cucker, Shub, Smale, "Complexity and real computation", 8.2)."""


def alpha_estimate(system: System, point: Sequence[acb], bits: int = 200) -> tuple[float, float]:
    """Return (alpha, beta) at a point of a square system, as floats; both infinite where the Jacobian is singular.

    beta is the length of Newton's step. gamma is bounded by mu D^(3/2) / (2 |x|) with the Bombieri-Weyl norm of the
    system (Shub, Smale; Hauenstein, Sottile, "alphaCertified", 2012, section 2).
    """
    with ctx.workprec(bits):
        size = 1 + sum((abs(x) ** 2 for x in point), acb(0).real)
        degrees = [max(sum(e) for e in f) for f in system.numeric(bits)]
        jacobian = system.jacobian(point, bits).mid()
        values = acb_mat([[value] for value in system.values(point, bits)])
        try:
            step = jacobian.solve(values.mid())
            inverse = jacobian.inv()
        except ZeroDivisionError:
            return inf, inf
        beta = sum((abs(step[j, 0]) ** 2 for j in range(len(point))), acb(0).real).sqrt()
        norm = acb(0).real
        for f, degree in zip(system.numeric(bits), degrees, strict=True):
            for e, c in f.items():
                weight = prod(map(factorial, e)) * factorial(degree - sum(e))
                norm += abs(c) ** 2 * weight / factorial(degree)
        scaled = acb(0).real
        for i in range(len(point)):
            for j, degree in enumerate(degrees):
                scaled += abs(inverse[i, j]) ** 2 * degree * size ** (degree - 1)
        mu = max(1.0, float((norm * scaled).sqrt().mid()))
        gamma = mu * max(degrees) ** 1.5 / (2 * float(size.sqrt().mid()))
        length = float(beta.mid())
        return length * gamma, length
