"""Sets of proven roots of a square system, which grow: Newton's method from random starts, and deflation.

A simple root is kept as its centre in units of 2^-128, to which every start leads alike; a singular one as the
statement and witness of its dual space.
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

from flipforge.certificates import Certificate, check
from flipforge.errors import InputError
from flipforge.polynomials._field import RATIONALS
from flipforge.polynomials._root_sets import RADIUS, real_flags, roots_certificate
from flipforge.polynomials._roots import certify_root
from flipforge.polynomials._solve import SAME, STEPS, Evaluator, newton, polish, random_starts
from flipforge.polynomials._standard import Step, standard_monomials
from flipforge.polynomials._statements import system_document, text
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
"""Real and imaginary part of each coordinate, in units of 2^-128."""

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
    """A square system over Q as a problem to search in, for its roots; it has no tensor."""

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
        Their centres, sorted.
    singular
        For each the statement and the witness of its dual space, as JSON, sorted.
    """

    simple: tuple[Point, ...] = ()
    singular: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """The number of roots, counted with multiplicity."""
        return len(self.simple) + sum(int(_dual(each)[0]["multiplicity"]) for each in self.singular)

    def with_root(self, root: Point | str) -> "Solutions":
        """Return the set with another root."""
        if isinstance(root, str):
            return replace(self, singular=tuple(sorted({*self.singular, root})))
        return replace(self, simple=tuple(sorted({*self.simple, root})))


def system_problem(system: System) -> SystemProblem:
    """Return the problem of a system, named by its content; a root that is stated plays no part.

    Raises
    ------
    InputError
        The system is not square, or not over Q.

    Examples
    --------
    >>> from flipforge.polynomials import parse_system
    >>> system_problem(parse_system({"polynomials": ["x**2 - 2"]})).name[:14]
    'system:sha256='
    """
    if not system.is_square or system.field.generators:
        kind = f"over {system.field}" if system.is_square else f"with {len(system.polynomials)} equations"
        raise InputError(
            f"a system in {len(system.variables)} variables {kind}; a search takes square systems over Q, "
            "and flipforge certify takes others, with a root"
        )
    bare = System(system.variables, system.polynomials)
    document = json.dumps(system_document(bare), sort_keys=True)
    name = f"system:sha256={sha256(document.encode()).hexdigest()}"
    return SystemProblem(name, "system", (1, 1, 1), (), (), ((), (), ()), system=bare)


def system_of_statement(statement: Mapping[str, Any]) -> System:
    """Return the system that a certificate over Q states.

    Examples
    --------
    >>> from flipforge.polynomials import parse_system
    >>> system = parse_system({"polynomials": ["x**2 - 1/2"]})
    >>> system_of_statement({"system": system_document(system)}) == system
    True
    """
    document = statement["system"]
    polynomials = [Polynomial.of({tuple(e): Fraction(c) for c, e in rows}) for rows in document["polynomials"]]
    return System(tuple(document["variables"]), tuple(polynomials), RATIONALS)


def root_bound(system: System) -> RootBound:
    """Bound the number of isolated roots with multiplicity, by the quotient where that says more than Bezout.

    Examples
    --------
    >>> from flipforge.polynomials import parse_system
    >>> root_bound(parse_system({"polynomials": ["x**2 - y - 1", "x*y - 2"]})).count
    3
    """
    bezout = prod(f.degree for f in system.polynomials)
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
    known = [_floats(point) for point in found.simple] + [_floats(_centre(each)) for each in found.singular]
    made, counts = 0, {"starts": 0, "deflations": 0}
    while made < steps and found.count < wanted:
        left = steps - made
        size = min(_BATCH, max(1, left // STEPS))
        with threadpool_limits(1):
            batch = newton(evaluator, random_starts(generator, size, len(system.variables)), min(STEPS, left))
        made += max(batch.steps, 1)
        counts["starts"] += size
        slow = [batch.slow]
        for point in _new(batch.ends, known, SAME):
            root = _simple(system, point)
            if root is None:
                slow.append(point[None])
            else:
                found = found.with_root(root)
                known.append(point)
        for _, point in zip(range(_DEFLATED), _new(np.concatenate(slow), known, _APART), strict=False):
            if steps - made < _DEFLATION:
                break
            made += _DEFLATION
            counts["deflations"] += 1
            singular = _singular(system, point)
            if singular is not None and _is_apart(_centre(singular), known):
                found = found.with_root(singular)
                known.append(_floats(_centre(singular)))
    return found, made, counts


def solutions_certificate(system: System, found: Solutions, bound: RootBound) -> Certificate:
    """State the roots of a set, and how many more there can be."""
    centres = [[[re * _UNIT, im * _UNIT] for re, im in point] for point in found.simple]
    pairs = [_dual(each) for each in found.singular]
    more = bound.count - found.count
    statement = {
        "claim": f"the roots are distinct, and beside them there are at most {more}, counted with multiplicity",
        "system": system_document(system),
        "rank": more,
        "bound": bound.count,
        "by": bound.by,
        "roots": [[[*map(text, pair)] for pair in row] for row in centres],
        "radius": text(RADIUS),
        "real": real_flags(centres, len(system.variables)),
        "singular": [statement for statement, _ in pairs],
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
    return Solutions(tuple(sorted(simple)), tuple(sorted(singular)))


def _simple(system: System, point: npt.NDArray[Any]) -> Point | None:
    """Return a simple root near a point with its digits, if Krawczyk's test shows it."""
    digits = polish(system, list(point), _BITS)
    if digits is None:
        return None
    statement = roots_certificate(system, [digits], {}).statement
    if not check(Certificate("roots", statement, {"proofs": ["krawczyk"]}, "")).valid:
        return None
    return tuple(_units(pair) for pair in statement["roots"][0])


def _singular(system: System, point: npt.NDArray[Any]) -> str | None:
    """Return the dual space of an exact singular root near a point, if deflation leads to one."""
    near = tuple((Fraction(x.real), Fraction(x.imag)) for x in point.tolist())
    try:
        found = certify_root(replace(system, near=near))
    except InputError:
        return None
    certificate = found.certificate
    if certificate is None or certificate.kind != "dual_space" or found.multiplicity == 1:
        return None
    statement = {key: value for key, value in certificate.statement.items() if key != "claim"}
    written = _written(statement, certificate.witness)
    return written if check(replace(certificate, statement=statement)).valid else None


def _new(points: npt.NDArray[Any], known: Sequence[npt.NDArray[Any]], apart: float) -> Iterator[npt.NDArray[Any]]:
    """Yield the points that are apart from those known when their turn comes, and from each other."""
    seen: list[npt.NDArray[Any]] = []
    for point in points:
        reach = apart * (1 + np.max(abs(point)))
        if all(np.max(abs(point - other)) > reach for other in (*known, *seen)):
            seen.append(point)
            yield point


def _is_apart(centre: Point, known: Sequence[npt.NDArray[Any]]) -> bool:
    return any(True for _ in _new(_floats(centre)[None], known, SAME))


def _floats(point: Point) -> npt.NDArray[Any]:
    return np.array([complex(re * _UNIT, im * _UNIT) for re, im in point])


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
