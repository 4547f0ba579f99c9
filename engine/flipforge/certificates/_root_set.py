"""The kind ``roots``: roots of a system in balls, distinct, the real ones told, and whether they are all there are."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

from flipforge.certificates._algebra import (
    Exponents,
    StatedSystem,
    Terms,
    plus,
    read_number,
    read_system,
    times,
)
from flipforge.certificates._certificate import Certificate, Verdict
from flipforge.certificates._existence import SquareSystem, alpha_defect, krawczyk_defect
from flipforge.certificates._gaussian import Complex
from flipforge.certificates._intervals import Box, enclose, read_box, scale_of
from flipforge.errors import MalformedError

__all__ = [
    "bound_on_roots",
    "check_roots",
    "distinctness_defect",
    "existence_defect",
    "read_points",
    "reality_defect",
    "square_part",
]

_MAX_ROOTS, _MAX_STEPS, _MAX_CORNER = 2000, 1000, 200_000


def check_roots(certificate: Certificate) -> Verdict:
    """Decide what is stated of the roots of a system.

    Statement: ``system``; ``roots``, centres with a coordinate for each unknown and generator; one ``radius``;
    ``real``, for each root true, false or null where nothing is claimed; ``rows``, the equations of a square subsystem,
    or null; ``complete``, null, ``"bezout"`` or ``"quotient"``. Witness: ``proofs``, a list of ``"alpha"`` and
    ``"krawczyk"``, all of which are made; for ``quotient`` also ``steps``.

    Each root is one of the square system with the relations of the generators as equations. Of an overdetermined system
    that proves nothing about the equations left out, so the verdict is EVIDENCE where their values may vanish.
    """
    statement, witness = certificate.statement, certificate.witness
    system = read_system(statement["system"])
    radius = read_number(statement["radius"])
    if radius <= 0:
        raise MalformedError("the radius must be positive")
    points = read_points(statement["roots"], system)
    square, rest = square_part(system, statement["rows"])
    if not points:
        raise MalformedError("roots must be a list of at least one point")
    fault = (
        existence_defect(square, points, radius, witness["proofs"])
        or distinctness_defect(points, [radius] * len(points))
        or reality_defect(system, points, radius, statement["real"])
        or _count_defect(system, len(points), statement["complete"], witness)
    )
    if fault:
        return Verdict("REFUTED", fault)
    return _verdict(statement, points, radius, rest, " and ".join(witness["proofs"]))


def _verdict(
    statement: Any, points: Sequence[Sequence[Complex]], radius: Fraction, rest: Sequence[tuple[int, Terms]], by: str
) -> Verdict:
    what = "a simple root" if len(points) == 1 else f"{len(points)} distinct simple roots"
    real = sum(1 for flag in statement["real"] if flag)
    told = f"{real} of them real" if len(points) > 1 else "real" if real else "in its ball"
    every = ", which are all" if statement["complete"] else ""
    name = f"{what}{every}, {told}, within {float(radius):.3g}, by {by}"
    if not rest:
        return Verdict("PROVED", name)
    bits = scale_of(radius)
    for point in points:
        boxes = [Box.around(re, im, radius, bits) for re, im in point]
        for k, f in rest:
            if not enclose(f, boxes, bits).holds_zero:
                return Verdict("REFUTED", f"polynomials[{k}] does not vanish within the ball of a root of the others")
    left = ", ".join(str(k) for k, _ in rest)
    return Verdict(
        "EVIDENCE",
        f"{name}, of the square subsystem; that equations {left} vanish there too is not shown, only not excluded",
    )


def read_points(rows: object, system: StatedSystem) -> list[list[Complex]]:
    """Read centres with a coordinate for each unknown and generator."""
    if not isinstance(rows, list) or len(rows) > _MAX_ROOTS:
        raise MalformedError(f"roots must be a list of at most {_MAX_ROOTS} points")
    if any(not isinstance(row, list) or len(row) != system.size for row in rows):
        raise MalformedError(f"a root has {system.size} coordinates, those of the generators among them")
    return [[read_box(entry) for entry in row] for row in rows]


def square_part(system: StatedSystem, rows: object) -> tuple[SquareSystem, list[tuple[int, Terms]]]:
    """Return the square system, and the equations that it leaves out."""
    count = len(system.equations)
    chosen = list(range(count)) if rows is None else rows
    if not isinstance(chosen, list) or len(set(map(str, chosen))) < len(chosen):
        raise MalformedError("rows must be a list of different numbers, or null")
    if len(chosen) != system.unknowns or not all(type(k) is int and 0 <= k < count for k in chosen):
        raise MalformedError(f"a square subsystem has {system.unknowns} equations, numbered from 0")
    relations = system.extended[count:]
    rest = [(k, f) for k, f in enumerate(system.equations) if k not in chosen]
    return SquareSystem((*(system.equations[k] for k in chosen), *relations)), rest


def existence_defect(
    square: SquareSystem, points: Sequence[Sequence[Complex]], radius: Fraction, proofs: object
) -> str | None:
    """Return why the proofs named do not show a simple root within the radius of each point; None where they do."""
    tests = {"alpha": alpha_defect, "krawczyk": krawczyk_defect}
    if (
        not isinstance(proofs, list)
        or not proofs
        or not all(isinstance(name, str) and name in tests for name in proofs)
    ):
        raise MalformedError("proofs must name alpha, krawczyk or both")
    for i, point in enumerate(points):
        inverse = square.inverse(point)
        if inverse is None:
            return f"the Jacobian matrix is singular at point {i}"
        for name in proofs:
            fault = tests[name](square, point, inverse, radius)
            if fault:
                return f"point {i}: {fault}"
    return None


def distinctness_defect(points: Sequence[Sequence[Complex]], radii: Sequence[Fraction]) -> str | None:
    """Return which balls meet, each with its radius; None where none do."""
    # Points whose real part of the first coordinate differs by more than two radii need no look at the rest.
    ordered = sorted(range(len(points)), key=lambda i: points[i][0][0])
    far = 2 * max(radii, default=Fraction(0))
    for place, i in enumerate(ordered):
        for k in ordered[place + 1 :]:
            if points[k][0][0] - points[i][0][0] > far:
                break
            reach = radii[i] + radii[k]
            pairs = zip(points[i], points[k], strict=True)
            if not any(abs(x[0] - y[0]) > reach or abs(x[1] - y[1]) > reach for x, y in pairs):
                return f"the balls of points {min(i, k)} and {max(i, k)} meet"
    return None


def reality_defect(
    system: StatedSystem, points: Sequence[Sequence[Complex]], radius: Fraction, flags: object
) -> str | None:
    """Check the flags: the square system is over Q, so Newton's method from a real point stays real."""
    if not isinstance(flags, list) or len(flags) != len(points) or {*map(type, flags)} - {bool, type(None)}:
        raise MalformedError("real must hold true, false or null for each root")
    for i, (flag, point) in enumerate(zip(flags, points, strict=True)):
        if flag is True and any(im for _, im in point):
            return f"root {i} is not shown to be real: its centre is not"
        if flag is False and not any(abs(im) > radius for _, im in point[: system.unknowns]):
            return f"root {i} may be real"
    return None


def _count_defect(system: StatedSystem, count: int, complete: object, witness: Any) -> str | None:
    if complete is None:
        return None
    if system.generators:
        raise MalformedError("the number of all roots is stated for systems over Q only")
    if complete not in ("bezout", "quotient"):
        raise MalformedError("complete must be null, bezout or quotient")
    bound = bound_on_roots(system, complete, witness)
    if bound is None or count < bound:
        return f"{count} roots, and the bound on their number is {'infinite' if bound is None else bound}"
    return None


def bound_on_roots(system: StatedSystem, by: object, witness: Any) -> int | None:
    """Return a bound on the number of isolated roots over Q, counted with multiplicity; None where there is none.

    Bezout's is the product of the degrees of a square system. The other one is that of the dimension of the quotient by
    the ideal, from the elements that the ``steps`` of the witness derive.
    """
    if by == "bezout":
        if len(system.equations) != system.unknowns:
            raise MalformedError("Bezout's bound is that of a square system")
        return prod(max(sum(e) for e in f) for f in system.equations)
    return _quotient_bound(system, witness["steps"])


def _quotient_bound(system: StatedSystem, steps: object) -> int | None:
    """Return the number of monomials that no leading monomial of the equations and further elements divides."""
    if not isinstance(steps, list) or len(steps) > _MAX_STEPS:
        raise MalformedError(f"steps must be a list of at most {_MAX_STEPS}")
    n = system.unknowns
    elements: list[Terms] = list(system.equations)
    for step in steps:
        parts = []
        for c, shift, source in step:
            if (
                not isinstance(shift, list)
                or len(shift) != n
                or not all(type(e) is int and 0 <= e < 500 for e in shift)
            ):
                raise MalformedError(f"the monomial of a step must have {n} exponents")
            if type(source) is not int or not 0 <= source < len(elements):
                raise MalformedError("a step must use equations and elements before it")
            parts.append(times({tuple(shift): read_number(c)}, elements[source]))
        total = plus(*parts)
        if not total:
            raise MalformedError("an element of the ideal is zero")
        elements.append(total)
    leading = {max(f, key=_order) for f in elements}
    minimal = [m for m in leading if not any(o != m and _divides(o, m) for o in leading)]
    sides = []
    for j in range(n):
        pure = [m[j] for m in minimal if not any(m[:j] + m[j + 1 :])]
        if not pure:
            return None
        sides.append(min(pure))
    if prod(sides) > _MAX_CORNER:
        raise MalformedError("too many monomials to count")
    return sum(1 for e in product(*map(range, sides)) if not any(_divides(m, e) for m in minimal))


def _order(e: Exponents) -> tuple[int, Exponents]:
    """The degree, then reverse lexicographically; any order of monomials by degree would do for the bound."""
    return sum(e), tuple(-x for x in reversed(e))


def _divides(a: Exponents, b: Exponents) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True))
