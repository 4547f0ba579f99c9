"""Ideals and a target: what an identity g = sum q_i f_i is looked for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from flipforge.errors import FlipforgeError, FormatError, InputError
from flipforge.polynomials._parse import is_name, parse_texts
from flipforge.polynomials._terms import Polynomial
from flipforge.problems import Problem
from flipforge.rings import Element, Ring, parse_element
from flipforge.rings import ring as ring_named

__all__ = [
    "Ideal",
    "IdentityProblem",
    "ideal_of_statement",
    "identity_problem",
    "parse_ideal",
    "polynomial_rows",
    "read_ideal",
]

FIELDS = ("Q", "GF2", "GF3", "GF5", "GF7")
MAX_VARIABLES = 200
MAX_EQUATIONS = 2000

_KEYS = '"variables", "equations", "target" and "field"'


@dataclass(frozen=True)
class Ideal:
    """Equations f_i, a target g, and the field over which g = sum q_i f_i is looked for.

    Attributes
    ----------
    equations, target
        Coefficients are elements of the field: residues, or rational numbers.
    """

    variables: tuple[str, ...]
    equations: tuple[Polynomial, ...]
    target: Polynomial
    ring: Ring

    @cached_property
    def name(self) -> str:
        """The problem string: a hash of the content."""
        text = json.dumps(self.statement, sort_keys=True)
        return f"identity:sha256={sha256(text.encode()).hexdigest()}"

    @property
    def statement(self) -> dict[str, Any]:
        """JSON values that certificates state."""
        return {
            "ring": self.ring.name,
            "variables": list(self.variables),
            "equations": [polynomial_rows(f) for f in self.equations],
            "target": polynomial_rows(self.target),
        }


@dataclass(frozen=True)
class IdentityProblem(Problem):
    """An ideal with its target as a problem to search in; it has no tensor."""

    ideal: Ideal = field(kw_only=True, compare=False, repr=False)

    @property
    def proof(self) -> str:
        """The kind of certificate that proves a find."""
        return "identity"


def identity_problem(ideal: Ideal) -> IdentityProblem:
    """Return the problem of an ideal, named by its content."""
    return IdentityProblem(ideal.name, "identity", (1, 1, 1), (), (), ((), (), ()), ideal=ideal)


def ideal_of_statement(statement: Mapping[str, Any]) -> Ideal:
    """Return the ideal that a certificate states.

    Examples
    --------
    >>> ideal = parse_ideal({"equations": ["x*y - 1/2", "x"]})
    >>> ideal_of_statement(ideal.statement) == ideal
    True
    """
    ring = ring_named(statement["ring"])

    def read(rows: Sequence[Any]) -> Polynomial:
        return Polynomial.of({tuple(e): ring.coerce(parse_element(c)) for c, e in rows})  # type: ignore[misc]

    equations = tuple(read(rows) for rows in statement["equations"])
    return Ideal(tuple(statement["variables"]), equations, read(statement["target"]), ring)


def polynomial_rows(polynomial: Sequence[tuple[tuple[int, ...], Element]]) -> list[list[Any]]:
    """Write a polynomial as ``[coefficient, [exponents]]`` terms."""
    return [[c.numerator if c.denominator == 1 else str(c), list(e)] for e, c in polynomial]


def parse_ideal(document: Mapping[str, Any]) -> Ideal:
    """Build an ideal and a target from a JSON object.

    ``{"variables": [..], "equations": ["x*y - 1", ..], "target": "1", "field": "Q"}``; without a target it is 1, which
    asks for a proof that the equations have no common zero, and without a field Q.

    Raises
    ------
    InputError
        A key is missing or wrong, or a polynomial does not parse; the message names the place.

    Examples
    --------
    >>> parse_ideal({"equations": ["x*y - 1", "x"]}).variables
    ('x', 'y')
    """
    texts = document.get("equations")
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise InputError(f"equations must be a list of polynomials as texts, beside {_KEYS}")
    target, field_name = document.get("target", "1"), document.get("field", "Q")
    if not isinstance(target, str):
        raise InputError("target must be a polynomial as a text")
    if not isinstance(field_name, str) or field_name not in FIELDS:
        raise InputError(f"field {str(field_name)[:40]!r}: use one of {', '.join(FIELDS)}")
    variables = document.get("variables")
    if variables is not None:
        if not isinstance(variables, list) or not all(isinstance(v, str) and is_name(v) for v in variables):
            raise InputError("variables must be a list of names of letters, digits and underscores")
        if len(set(variables)) < len(variables):
            raise InputError("a name stands twice among the variables")
    labelled = {f"equations[{i}]": text for i, text in enumerate(texts)} | {"target": target}
    parsed = parse_texts(labelled, variables)
    if parsed.field.generators:
        raise InputError(f"coefficients in {parsed.field}; identities are looked for over {', '.join(FIELDS)}")
    if len(parsed.variables) > MAX_VARIABLES or len(texts) > MAX_EQUATIONS:
        raise InputError(f"more than {MAX_VARIABLES} variables or {MAX_EQUATIONS} equations")
    ring = ring_named(field_name)
    polynomials = []
    for label, polynomial in zip(labelled, parsed.polynomials, strict=True):
        try:
            polynomials.append(Polynomial.of({e: ring.reduce(c) for e, c in polynomial}))  # type: ignore[misc]
        except FlipforgeError as error:
            raise InputError(f"{label}: {error}") from None
    *equations, goal = polynomials
    if not goal:
        raise InputError(f"target: {target[:40]!r} is zero over {field_name}, which is no question")
    zero = next((i for i, f in enumerate(equations) if not f), None)
    if zero is not None:
        raise InputError(f"equations[{zero}]: {texts[zero][:40]!r} is zero over {field_name}; leave it out")
    return Ideal(parsed.variables, tuple(equations), goal, ring)


def read_ideal(path: str | Path) -> Ideal:
    """Read the JSON file of an ideal.

    Raises
    ------
    InputError
        The file is missing or unreadable, or no such object.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            document = json.loads(stream.read(10_000_000))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)[:100]
        raise FormatError(f"{path}: cannot be read as JSON ({reason})") from None
    if not isinstance(document, dict):
        raise FormatError(f"{path}: JSON that is no object; write {_KEYS}")
    try:
        return parse_ideal(document)
    except InputError as error:
        raise type(error)(f"{path}: {error}") from None
