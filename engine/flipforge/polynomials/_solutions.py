"""Sets of proven roots of a system, which grow: Newton's method from random starts, and deflation.

A simple root of a square system is kept as its centre in units of 2^-128, to which every start leads alike; a singular
one, and any of an overdetermined system, as the statement and witness of its dual space. What balls show of an
overdetermined system is no root of it, and is kept apart.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import acb

from flipforge.certificates import Certificate, check
from flipforge.errors import InputError
from flipforge.polynomials._field import Field, Generator
from flipforge.polynomials._root_sets import RADIUS, flattened, real_flags, roots_certificate
from flipforge.polynomials._roots import certify_root
from flipforge.polynomials._solve import SAME, STEPS, Evaluator, newton, polish, random_starts, regular_rows
from flipforge.polynomials._standard import Step, standard_monomials
from flipforge.polynomials._statements import ball_of, system_document, text
from flipforge.polynomials._system import System
from flipforge.polynomials._terms import Polynomial
from flipforge.problems import Problem

__all__ = [
    "RootBound",
    "Solutions",
    "SystemProblem",
    "more_solutions",
    "root_bound",
    "solutions_certificate",
    "solutions_of",
    "system_of_statement",
    "system_problem",
]

Point = tuple[tuple[int, int], ...]
"""Real and imaginary part of each coordinate, in units of 2^-128; after the unknowns come the generators."""
Open = tuple[tuple[int, ...], Point]
"""The rows of a square subsystem and a root of it."""

_UNIT = Fraction(1, 1 << 128)
_BITS = 160
_BATCH = 250
_DEFLATION = 5000
"""Steps that deflation from a point is charged."""
_DEFLATED = 2
"""From how many points, of those where Newton's method is slow, a batch goes on by deflation."""
_APART = 1e-3


@dataclass(frozen=True)
class SystemProblem(Problem):
    """A system as a problem to search in, for its roots; it has no tensor."""

    system: System = field(kw_only=True, compare=False, repr=False)

    @property
    def proof(self) -> str:
        """The kind of certificate that proves a find."""
        return "solutions"


@dataclass(frozen=True)
class RootBound:
    """How many isolated roots there are at most, counted with multiplicity, and what shows it."""

    count: int
    by: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Solutions:
    """Distinct roots of a system.

    Attributes
    ----------
    simple
        Centres of simple roots of a square system, sorted.
    singular
        For each exact root the statement and the witness of its dual space, as JSON, sorted.
    open
        Roots of square subsystems of an overdetermined system, which may be roots of all of it; sorted.
    """

    simple: tuple[Point, ...] = ()
    singular: tuple[str, ...] = ()
    open: tuple[Open, ...] = ()

    @property
    def count(self) -> int:
        """The number of roots, counted with multiplicity."""
        return len(self.simple) + sum(int(_dual(each)[0]["multiplicity"]) for each in self.singular)

    def places(self, n: int) -> list[npt.NDArray[Any]]:
        """Return all points that are told apart, n coordinates each."""
        centres = [*self.simple, *map(_centre, self.singular), *(point for _, point in self.open)]
        return [_floats(point)[:n] for point in centres]


def system_problem(system: System) -> SystemProblem:
    """Return the problem of a system, named by its content; a root that is stated plays no part.

    Examples
    --------
    >>> from flipforge.polynomials import parse_system
    >>> system_problem(parse_system({"polynomials": ["x**2 - 2"]})).name[:14]
    'system:sha256='
    """
    # The digits of its generators tell which field of numbers is meant, however it was written.
    meant = [replace(g, near=_ball(g.value(_BITS))) for g in system.field.generators]
    bare = System(system.variables, system.polynomials, Field(tuple(meant)))
    document = json.dumps(system_document(bare) | _generators(bare), sort_keys=True)
    name = f"system:sha256={sha256(document.encode()).hexdigest()}"
    return SystemProblem(name, "system", (1, 1, 1), (), (), ((), (), ()), system=bare)


def system_of_statement(statement: Mapping[str, Any]) -> System:
    """Return the system that a certificate states.

    Examples
    --------
    >>> from flipforge.polynomials import parse_system
    >>> system = parse_system({"polynomials": ["x**2 - 1/2"]})
    >>> system_of_statement({"system": system_document(system)}) == system
    True
    """
    document = statement["system"]
    polynomials = [Polynomial.of({tuple(e): Fraction(c) for c, e in rows}) for rows in document["polynomials"]]
    generators = [
        Generator(entry["name"], tuple(map(Fraction, entry["relation"])), (Fraction(re), Fraction(im)))
        for entry, (re, im) in zip(document["field"], statement.get("generators", []), strict=True)
    ]
    return System(tuple(document["variables"]), tuple(polynomials), Field(tuple(generators)))


def root_bound(system: System) -> RootBound:
    """Bound the number of isolated roots with multiplicity, by the quotient where that says more than Bezout.

    Examples
    --------
    >>> from flipforge.polynomials import parse_system
    >>> root_bound(parse_system({"polynomials": ["x**2 - y - 1", "x*y - 2"]})).count
    3
    """
    n = len(system.variables)
    degrees = sorted((max(sum(e[:n]) for e, _ in f) for f in system.polynomials), reverse=True)
    bezout = prod(degrees[:n])
    found = standard_monomials(system)
    if found is None or found.count >= bezout:
        return RootBound(bezout, "bezout")
    return RootBound(found.count, "quotient", found.steps)


def more_solutions(
    system: System, found: Solutions, *, wanted: int, steps: int, generator: np.random.Generator
) -> tuple[Solutions, int, dict[str, int]]:
    """Look for further roots until there are as many as wanted, with multiplicity, or the steps are made.

    Returns
    -------
    Solutions, int, dict
        The larger set, Newton steps made, and how many ``starts`` and ``deflations`` there were.
    """
    from threadpoolctl import threadpool_limits

    evaluator = Evaluator(system)
    n = len(system.variables)
    known = found.places(n)
    made, counts = 0, {"starts": 0, "deflations": 0}
    while made < steps and found.count < wanted:
        left = steps - made
        size = min(_BATCH, max(1, left // STEPS))
        with threadpool_limits(1):
            batch = newton(evaluator, random_starts(generator, size, n), min(STEPS, left))
        made += max(batch.steps, 1)
        counts["starts"] += size
        slow = [batch.slow]
        for point in _new(batch.ends, known, SAME):
            larger = _with_simple(system, found, point)
            if larger is None:
                slow.append(point[None])
            else:
                found = larger
                known.append(point)
        for _, point in zip(range(_DEFLATED), _new(np.concatenate(slow), known, _APART), strict=False):
            if steps - made < _DEFLATION:
                break
            made += _DEFLATION
            counts["deflations"] += 1
            singular = _exact(system, point)
            if singular is not None and _is_apart(_floats(_centre(singular)), known):
                found = _with_exact(found, singular)
                known.append(_floats(_centre(singular)))
    return found, made, counts


def solutions_certificate(system: System, found: Solutions, bound: RootBound) -> Certificate:
    """State the roots of a set, and how many more there can be."""
    centres = [_centres(point) for point in found.simple]
    pairs = [_dual(each) for each in found.singular]
    more = bound.count - found.count
    claim = f"the roots are distinct, and beside them there are at most {more}, counted with multiplicity"
    maybe = [{"rows": [*rows], "centre": _texts(_centres(point))} for rows, point in found.open]
    if maybe:
        claim += "; each open ball holds a root of the equations named, and whether the others vanish is not shown"
    statement = {
        "claim": claim,
        "system": system_document(system),
        "rank": more,
        "bound": bound.count,
        "by": bound.by,
        "roots": [_texts(row) for row in centres],
        "radius": text(RADIUS),
        "real": real_flags(centres, len(system.variables)),
        "singular": [statement for statement, _ in pairs],
        **_generators(system),
        **({} if system.is_square else {"open": maybe}),
    }
    witness: dict[str, Any] = {"proofs": ["alpha", "krawczyk"], "duals": [witness for _, witness in pairs]}
    if bound.by == "quotient":
        witness["steps"] = [[[text(c), list(shift), source] for c, shift, source in step] for step in bound.steps]
    return Certificate("solutions", statement, witness, "flipforge.certificates/1")


def solutions_of(certificate: Certificate) -> Solutions:
    """Return the set of roots of a certificate that `solutions_certificate` made.

    Raises
    ------
    ValueError
        A centre is no multiple of 2^-128.
    """
    statement, duals = certificate.statement, certificate.witness["duals"]
    simple = [tuple(_units(pair) for pair in point) for point in statement["roots"]]
    singular = [_written(each, dual) for each, dual in zip(statement["singular"], duals, strict=True)]
    maybe = [
        (tuple(map(int, each["rows"])), tuple(_units(pair) for pair in each["centre"]))
        for each in statement.get("open", [])
    ]
    return Solutions(tuple(sorted(simple)), tuple(sorted(singular)), tuple(sorted(maybe)))


def _with_simple(system: System, found: Solutions, point: npt.NDArray[Any]) -> Solutions | None:
    """Add a root near a point where Newton's method converged; None where it is not shown to be simple.

    Krawczyk's test tells a root of a square system. One of an overdetermined system must be exact, else its ball is
    open; where that cannot be a root, nothing is added.
    """
    n = len(system.variables)
    known = [] if system.is_square else found.places(n)
    exact = None if system.is_square else _exact(system, point)
    if exact is not None:
        return _with_exact(found, exact) if _is_apart(_floats(_centre(exact)), known) else found
    rows = None if system.is_square else regular_rows(system, [acb(complex(x)) for x in point], n)
    digits = polish(system if rows is None else system.restricted(rows), list(point), _BITS)
    if digits is None:
        return None
    statement = roots_certificate(system, [digits], {}, rows=rows).statement
    verdict = check(Certificate("roots", statement, {"proofs": ["krawczyk"]}, ""))
    centre = tuple(_units(pair) for pair in statement["roots"][0])
    if rows is None:
        return replace(found, simple=tuple(sorted({*found.simple, centre}))) if verdict.valid else None
    if verdict.decision != "EVIDENCE" or not _is_apart(_floats(centre)[:n], known):
        return found
    return replace(found, open=tuple(sorted({*found.open, (tuple(rows), centre)})))


def _exact(system: System, point: npt.NDArray[Any]) -> str | None:
    """Return the dual space of an exact root near a point, if deflation leads to one.

    A simple one counts for an overdetermined system only: those of a square one have balls.
    """
    near = tuple((Fraction(x.real), Fraction(x.imag)) for x in point.tolist())
    try:
        found = certify_root(replace(system, near=near))
    except InputError:
        return None
    certificate = found.certificate
    if certificate is None or certificate.kind != "dual_space" or (found.multiplicity == 1 and system.is_square):
        return None
    statement = {key: value for key, value in certificate.statement.items() if key != "claim"}
    written = _written(statement, certificate.witness)
    return written if check(replace(certificate, statement=statement)).valid else None


def _with_exact(found: Solutions, exact: str) -> Solutions:
    return replace(found, singular=tuple(sorted({*found.singular, exact})))


def _new(points: npt.NDArray[Any], known: Sequence[npt.NDArray[Any]], apart: float) -> Iterator[npt.NDArray[Any]]:
    """Yield the points that are apart from those known when their turn comes, and from each other."""
    seen: list[npt.NDArray[Any]] = []
    for point in points:
        reach = apart * (1 + np.max(abs(point)))
        if all(np.max(abs(point - other)) > reach for other in (*known, *seen)):
            seen.append(point)
            yield point


def _is_apart(place: npt.NDArray[Any], known: Sequence[npt.NDArray[Any]]) -> bool:
    return any(True for _ in _new(place[None], known, SAME))


def _floats(point: Point) -> npt.NDArray[Any]:
    return np.array([complex(re * _UNIT, im * _UNIT) for re, im in point])


def _centres(point: Point) -> list[list[Fraction]]:
    return [[re * _UNIT, im * _UNIT] for re, im in point]


def _texts(centre: Sequence[Sequence[Fraction]]) -> list[list[str]]:
    return [[*map(text, pair)] for pair in centre]


def _generators(system: System) -> dict[str, Any]:
    """Return the part of a statement that tells which roots of their relations the generators are."""
    values = [_ball(g.value(_BITS)) for g in system.field.generators]
    return {"generators": _texts(values)} if values else {}


def _ball(value: acb) -> tuple[Fraction, Fraction]:
    return flattened(ball_of(value, 128))


def _units(pair: Sequence[str]) -> tuple[int, int]:
    re, im = (Fraction(part) / _UNIT for part in pair)
    if re.denominator != 1 or im.denominator != 1:
        raise ValueError("a centre that is no multiple of 2^-128")
    return int(re), int(im)


def _centre(singular: str) -> Point:
    pairs = [[Fraction(part) for part in pair] for pair in _dual(singular)[0]["centre"]]
    return tuple((round(re / _UNIT), round(im / _UNIT)) for re, im in pairs)


def _written(statement: Mapping[str, Any], witness: Mapping[str, Any]) -> str:
    return json.dumps([statement, witness], sort_keys=True)


@lru_cache(maxsize=4096)
def _dual(written: str) -> tuple[dict[str, Any], dict[str, Any]]:
    statement, witness = json.loads(written)
    return statement, witness
