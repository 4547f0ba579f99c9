"""Certificates of roots: statements and witnesses in the form that the checkers read."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from flint import acb, ctx, fmpq

from flipforge.certificates import Certificate
from flipforge.polynomials._dual import DualSpace
from flipforge.polynomials._system import System, dyadic
from flipforge.polynomials._terms import Polynomial

__all__ = ["ball_of", "dual_space_certificate", "residual_certificate", "system_document", "text"]

_RADIUS = Fraction(1, 2**120)
_FINE = Fraction(1, 2**200)


def system_document(system: System) -> dict[str, Any]:
    """Return a system as JSON: polynomials as lists of coefficient and exponents, generators by their relations."""
    return {
        "variables": list(system.variables),
        "field": [{"name": g.name, "relation": [*map(text, g.relation)]} for g in system.field.generators],
        "polynomials": [_rows(f) for f in system.polynomials],
    }


def dual_space_certificate(
    system: System, root: Sequence[Polynomial], dual: DualSpace, provenance: Mapping[str, Any]
) -> Certificate:
    """State the multiplicity structure of an exact root, with a ball around it and its dual basis as witness."""
    rational = not system.field.generators
    balls = System(system.variables, system.polynomials, system.field, tuple(root)).start(400)
    exact = [[dict(x).get((0,) * len(system.variables), Fraction(0)), Fraction(0)] for x in root]
    centre = exact if rational else [ball_of(x, 140) for x in balls]
    statement = {
        "claim": f"the point is an isolated root of multiplicity {dual.multiplicity}, exactly",
        "system": system_document(system),
        "root": [_rows(x) for x in root],
        "multiplicity": dual.multiplicity,
        "hilbert_function": list(dual.hilbert_function),
        "centre": [[*map(text, pair)] for pair in centre],
        "radius": text(Fraction(0) if rational else _RADIUS),
        "generators": [[*map(text, ball_of(x, 220))] for x in system.field.values(400)],
        "generator_radius": text(Fraction(0) if rational else _FINE),
    }
    witness = {"monomials": [list(b) for b in dual.monomials], "functionals": [_rows(f) for f in dual.functionals]}
    return Certificate("dual_space", statement, witness, "flipforge.certificates/1", provenance)


def residual_certificate(system: System, point: Sequence[acb], provenance: Mapping[str, Any]) -> Certificate:
    """State only how small the equations are at a point: evidence of a root, proof of none."""
    balls = [*point, *system.field.values(400)]
    centre = [ball_of(x, 300) for x in balls]
    with ctx.workprec(400):
        exact = [acb(fmpq(re.numerator, re.denominator), fmpq(im.numerator, im.denominator)) for re, im in centre]
        largest = max(float(abs(value).upper()) for value in system.values(exact[: len(point)], 400))
    statement = {
        "claim": "the equations are at most the residual at the centre; nothing is claimed of a root",
        "system": system_document(system),
        "centre": [[*map(text, pair)] for pair in centre],
        "residual": text(Fraction(2 * largest) + Fraction(1, 2**200)),
    }
    return Certificate("residual", statement, {}, "flipforge.certificates/1", dict(provenance))


def ball_of(value: acb, bits: int) -> list[Fraction]:
    """Return real and imaginary part of a midpoint, rounded to so many bits."""
    return [dyadic(value.real, bits), dyadic(value.imag, bits)]


def text(value: Fraction) -> str:
    """Write a number as certificates do."""
    return str(value)


def _rows(polynomial: Polynomial) -> list[list[Any]]:
    return [[text(c), list(e)] for e, c in polynomial]
