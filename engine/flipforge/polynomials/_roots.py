"""From a system and a start to a certificate: refine, guess, prove."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import acb

from flipforge.certificates import Certificate, check
from flipforge.errors import InputError
from flipforge.polynomials._alpha import ALPHA_LIMIT, alpha_estimate
from flipforge.polynomials._dual import MAX_ORDER, DualSpace, dual_space, vanishes
from flipforge.polynomials._guess import exact_points, simplest_fraction
from flipforge.polynomials._nearby import nearby_certificate
from flipforge.polynomials._nearby_structure import nearby_structure_certificate
from flipforge.polynomials._refine import REACH, Refined, refine
from flipforge.polynomials._root_sets import roots_certificate
from flipforge.polynomials._solve import polish, regular_rows
from flipforge.polynomials._statements import ball_of, dual_space_certificate, residual_certificate, text
from flipforge.polynomials._structure import MAX_SIZE
from flipforge.polynomials._system import System, dyadic
from flipforge.polynomials._terms import Polynomial

__all__ = ["CertifiedRoot", "certify_root"]


@dataclass(frozen=True)
class CertifiedRoot:
    """What can be said of the root near a start.

    Attributes
    ----------
    certificate
        None where what was asked for is refused, or nothing could be proven.
    reason
        Beside the certificate's own words.
    multiplicity, hilbert_function
        As proven; None where they are not.
    radius
        Of the ball that holds the root; 0 for a rational one.
    perturbation
        Size of the change of the system for which the claim is exact: 0 for the system itself.
    """

    certificate: Certificate | None
    reason: str
    multiplicity: int | None = None
    hilbert_function: tuple[int, ...] | None = None
    radius: Fraction | None = None
    perturbation: Fraction | None = None


def certify_root(system: System, multiplicity: int | None = None, max_order: int = MAX_ORDER) -> CertifiedRoot:
    """Find the root near the system's point, its multiplicity structure, and a certificate of both.

    Multiplicity depends on no finite number of digits, so the digits are refined until an exact point can be guessed
    from them; the point and its dual space are then proven exactly, for the system as it is.

    Parameters
    ----------
    multiplicity
        What is expected; a root of another one is refused.
    max_order
        Highest order of functionals that is looked at.

    Raises
    ------
    InputError
        The system states no point, Newton's method reaches no root near it, or the dual space does not end within the
        order given; the message says how far it got.
    """
    start = system.start(200)
    found: list[Refined] = []
    for refined, (exact, root) in _exact_candidates(system, start, found, multiplicity):
        if vanishes(exact, root):
            dual = dual_space(exact, root, max_order)
            return _exact_result(exact, root, dual, start, refined, multiplicity)
    if not found:
        raise InputError(_too_far(system, start))
    return _in_balls(system, found[0], start, multiplicity)


def _exact_candidates(
    system: System, start: Sequence[acb], found: list[Refined], expected: int | None
) -> Iterator[tuple[Refined | None, tuple[System, tuple[Polynomial, ...]]]]:
    """Yield exact points: the stated one, those with the digits of a refined root, a simple one near the start.

    Refined roots are added to ``found``, whether or not their digits tell an exact point.
    """
    if system.root is not None:
        yield None, (system, system.root)
    for refined in refine(system, start, expected):
        found.append(refined)
        for point in exact_points(system, refined.point, refined.bits - 20) if refined.bits else ():
            yield refined, point
    yield None, (system, tuple(_simple(system, x) for x in start))


def _simple(system: System, x: acb) -> Polynomial:
    """Return the simplest rational number within 1/500 of a coordinate."""
    value = dyadic(x.real, 60)
    reach = Fraction(1, 500) * (1 + abs(value))
    size = len(system.variables) + len(system.field.generators)
    return Polynomial.of({(0,) * size: simplest_fraction(value - reach, value + reach)})


def _exact_result(
    system: System,
    root: tuple[Polynomial, ...],
    dual: DualSpace,
    start: Sequence[acb],
    refined: Refined | None,
    expected: int | None,
) -> CertifiedRoot:
    counts = dual.hilbert_function
    if not dual.complete:
        got = f"multiplicity at least {dual.multiplicity}, Hilbert function {', '.join(map(str, counts))}, ..."
        limit = f"the dual space does not end by order {len(counts) - 1}"
        raise InputError(f"{limit}: {got}; the root may not be isolated, else raise --max-order")
    certificate = dual_space_certificate(system, root, dual, _provenance(start, refined))
    radius = Fraction(certificate.statement["radius"])
    return _refused_unless(expected, CertifiedRoot(certificate, "", dual.multiplicity, counts, radius, Fraction(0)))


def _in_balls(system: System, refined: Refined, start: Sequence[acb], expected: int | None) -> CertifiedRoot:
    """State what balls show of a root whose coordinates are not told by their digits."""
    if refined.monomials is None or len(refined.monomials) > 1:
        return _nearby(system, refined, start, expected)
    rows = None if system.is_square else regular_rows(system, refined.point, len(system.variables))
    square = system if rows is None else system.restricted(rows)
    point = polish(square, [complex(x) for x in refined.point], 160)
    if point is None:
        raise InputError(_too_far(system, start))
    certificate = roots_certificate(system, [point], _provenance(start, refined), rows=rows)
    return _refused_unless(
        expected, CertifiedRoot(certificate, "", 1, (1,), Fraction(certificate.statement["radius"]), Fraction(0))
    )


def _nearby(system: System, refined: Refined, start: Sequence[acb], expected: int | None) -> CertifiedRoot:
    """State what a system nearby is proven to have; where no exact structure is near, how small the equations are."""
    made = _provenance(start, refined)
    for find in (nearby_certificate, nearby_structure_certificate):
        certificate = find(system, refined, made)
        if certificate is not None and check(certificate).valid:
            shown = certificate.statement
            radius, change = (Fraction(shown[key]) for key in ("radius", "perturbation"))
            found = CertifiedRoot(
                certificate, "", shown["multiplicity"], tuple(shown["hilbert_function"]), radius, change
            )
            return _refused_unless(expected, found)
    return CertifiedRoot(residual_certificate(system, refined.point, made), _how_far(refined, expected))


def _how_far(refined: Refined, expected: int | None) -> str:
    """Tell how far the search for a structure came that nothing was proven of."""
    if expected is not None and expected > MAX_SIZE:
        return f"multiplicity {expected} is not looked for in systems nearby, which are parametrised up to {MAX_SIZE}"
    if refined.monomials is None:
        return f"no structure of multiplicity up to {MAX_SIZE} fits its digits"
    return f"a structure of multiplicity {len(refined.monomials)} fits its digits, but no exact one was found near it"


def _refused_unless(expected: int | None, found: CertifiedRoot) -> CertifiedRoot:
    """Refuse a multiplicity that differs from the proven one."""
    if expected is None or found.certificate is None or expected == found.multiplicity:
        return found
    verdict = check(found.certificate)
    shown = "proven" if verdict.valid else "what there is evidence for"
    reason = f"the root has multiplicity {found.multiplicity}, which is {shown}; {expected} is refused"
    return CertifiedRoot(None, reason, found.multiplicity, found.hilbert_function)


def _provenance(start: Sequence[acb], refined: Refined | None) -> Mapping[str, Any]:
    points = [[*map(text, ball_of(x, 60))] for x in start]
    made: dict[str, Any] = {"tool": "flipforge certify", "start": points}
    if refined is None:
        return {**made, "method": "exact point"}
    if refined.monomials is None:
        return {**made, "method": "Newton's method, linear", "bits": refined.bits}
    ideal = [list(b) for b in refined.monomials]
    return {**made, "method": "Newton's method on the deflated system", "ideal": ideal, "bits": refined.bits}


def _too_far(system: System, start: Sequence[acb]) -> str:
    n = len(system.variables)
    rows = range(n) if system.is_square else regular_rows(system, start, n)
    alpha, _ = alpha_estimate(system.restricted(rows), start)
    of = "" if system.is_square else f" for equations {', '.join(map(str, rows))}"
    reached = f" (alpha is {alpha:.3g} there{of}, below {ALPHA_LIMIT:.4f} a root {of and 'of these '}is certain)"
    size = REACH * (1 + max(float(abs(x).mid()) for x in start))
    reached = f"Newton's method reaches none within {size:.3g} of it{reached}"
    return f"the start is too far from a root: {reached}; give a nearer one"
