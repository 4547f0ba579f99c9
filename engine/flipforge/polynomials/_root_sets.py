"""Certificates of simple roots: in balls, distinct, the real ones told, all of them where a bound says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

from flint import acb

from flipforge.certificates import Certificate
from flipforge.errors import InputError
from flipforge.polynomials._solve import find_roots, polish
from flipforge.polynomials._standard import standard_monomials
from flipforge.polynomials._statements import ball_of, system_document, text
from flipforge.polynomials._system import System

__all__ = ["RADIUS", "RootSet", "certify_all", "flattened", "real_flags", "roots_certificate"]

RADIUS = Fraction(1, 2**64)
_BITS = 160
_CENTRE_BITS = 128
_PATIENCE = 20
_FLAT = Fraction(1, 2**100)


@dataclass(frozen=True)
class RootSet:
    """A certificate of roots, not yet checked, with their number and that of the real ones."""

    certificate: Certificate
    count: int
    real: int
    complete: bool
    reason: str


def certify_all(system: System, seed: int = 0) -> RootSet:
    """Find the roots of a square system from random starts, and certify them.

    They are called all where their number meets Bezout's bound, or the dimension of the quotient by an exact normal
    form computation; otherwise nothing is said about further roots.

    Raises
    ------
    InputError
        The system is not square, or no simple root was found.
    """
    if not system.is_square:
        raise InputError("--all looks for the roots of a square system; state a root for one with more equations")
    bezout = prod(max(sum(e) for e in f) for f in system.numeric(53))
    found = find_roots(system, bezout, seed)
    bound = standard_monomials(system) if len(found) < bezout else None
    if bound is not None and len(found) < bound.count:
        found = find_roots(system, bound.count, seed + 1, known=found, patience=_PATIENCE)
    points = [point for x in found if (point := polish(system, list(x), _BITS)) is not None]
    if not points:
        raise InputError("Newton's method found no simple root from random starts; state a root")
    complete, steps = None, None
    if len(points) == bezout and not system.field.generators:
        complete = "bezout"
    elif bound is not None and bound.count == len(points):
        complete, steps = "quotient", bound.steps
    ordered = sorted(points, key=_order)
    made = {"tool": "flipforge certify", "method": "Newton's method from random starts", "seed": seed}
    certificate = roots_certificate(system, ordered, made, complete=complete)
    if steps is not None:
        rows = [[[text(c), list(shift), source] for c, shift, source in step] for step in steps]
        certificate = Certificate(
            certificate.kind,
            certificate.statement,
            {**certificate.witness, "steps": rows},
            certificate.checker,
            certificate.provenance,
        )
    real = sum(1 for flag in certificate.statement["real"] if flag)
    most = f"the dimension of the quotient is {bound.count}" if bound else f"Bezout's bound is {bezout}"
    reason = "" if complete else f"there may be more roots, or roots that are not simple: {most}"
    return RootSet(certificate, len(points), real, complete is not None, reason)


def roots_certificate(
    system: System,
    points: Sequence[Sequence[acb]],
    provenance: Mapping[str, Any],
    *,
    rows: Sequence[int] | None = None,
    complete: str | None = None,
) -> Certificate:
    """State that there is a simple root in the ball around each point, that they are distinct, and which are real.

    Parameters
    ----------
    points
        Good to 160 bits.
    rows
        The equations of a square subsystem, for an overdetermined one.
    complete
        Why these are all: ``"bezout"`` or ``"quotient"``.
    """
    generators = system.field.values(_BITS)
    centres = [[flattened(ball_of(x, _CENTRE_BITS)) for x in (*point, *generators)] for point in points]
    what = "of the whole system" if rows is None else f"of equations {', '.join(map(str, rows))} alone"
    claim = f"each ball holds a simple root {what}; the roots are distinct"
    statement = {
        "claim": f"{claim}; there are no others" if complete else claim,
        "system": system_document(system),
        "roots": [[[*map(text, pair)] for pair in row] for row in centres],
        "radius": text(RADIUS),
        "real": real_flags(centres, len(system.variables)),
        "rows": None if rows is None else list(rows),
        "complete": complete,
    }
    return Certificate(
        "roots", statement, {"proofs": ["alpha", "krawczyk"]}, "flipforge.certificates/1", dict(provenance)
    )


def real_flags(centres: Sequence[Sequence[Sequence[Fraction]]], n: int) -> list[bool | None]:
    """Tell which roots are real, by their centres in n unknowns and generators; None where nothing can be said."""
    return [
        True if all(not im for _, im in row) else False if any(abs(im) > RADIUS for _, im in row[:n]) else None
        for row in centres
    ]


def flattened(pair: Sequence[Fraction]) -> tuple[Fraction, Fraction]:
    """Take what is very near the real axis to lie on it; the checker decides whether that is so."""
    return pair[0], Fraction(0) if abs(pair[1]) < _FLAT else pair[1]


def _order(point: Sequence[acb]) -> list[tuple[float, float]]:
    return [(round(float(x.real.mid()), 9), round(float(x.imag.mid()), 9)) for x in point]
