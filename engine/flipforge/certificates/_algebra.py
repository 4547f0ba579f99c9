"""Polynomials and systems as certificates state them: plain mappings over Fraction, read with every bound checked.

A number of the field is a polynomial in its generators. So all that the checkers handle are polynomials over Q in the n
unknowns and, after them, the k generators, whose relations are further equations or reduce what is computed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any, Protocol

from flipforge.errors import MalformedError
from flipforge.rings import parse_element

__all__ = [
    "Exponents",
    "StatedSystem",
    "Terms",
    "derivative",
    "plus",
    "read_number",
    "read_system",
    "read_terms",
    "substituted",
    "times",
]

Exponents = tuple[int, ...]
Terms = dict[Exponents, Fraction]

_MAX_VARIABLES, _MAX_DEGREE, _MAX_TERMS, _MAX_EQUATIONS = 128, 500, 200_000, 1024


@dataclass(frozen=True)
class StatedSystem:
    """The system of a statement.

    Attributes
    ----------
    unknowns, generators
        Their numbers n and k.
    equations
        In n + k variables.
    relations
        The monic relation of each generator: coefficients, lowest first.
    """

    unknowns: int
    generators: int
    equations: tuple[Terms, ...]
    relations: tuple[tuple[Fraction, ...], ...]

    @property
    def size(self) -> int:
        """The number n + k of variables of the equations."""
        return self.unknowns + self.generators

    @property
    def degree(self) -> int:
        """The degree of the field over Q."""
        return len(self.basis())

    @property
    def extended(self) -> tuple[Terms, ...]:
        """The equations with the relations of the generators as equations over Q beside them."""
        extra = []
        for g, relation in enumerate(self.relations, start=self.unknowns):
            extra.append({_unit(self.size, g, i): c for i, c in enumerate(relation) if c})
        return (*self.equations, *extra)

    def basis(self) -> list[Exponents]:
        """Exponents of the generators in a basis of the field."""
        return list(product(*(range(len(relation) - 1) for relation in self.relations)))

    def reduce(self, terms: Terms) -> Terms:
        """Reduce the generators, the last k of any number of variables, by their relations."""
        for position, relation in enumerate(self.relations, start=-self.generators):
            top = len(relation) - 1
            while high := {e: c for e, c in terms.items() if e[position] >= top}:
                terms = {e: c for e, c in terms.items() if e[position] < top}
                for e, c in high.items():
                    place = len(e) + position
                    for i, r in enumerate(relation[:-1]):
                        lowered = (*e[:place], e[place] - top + i, *e[place + 1 :])
                        terms[lowered] = terms.get(lowered, Fraction(0)) - c * r
        return {e: c for e, c in terms.items() if c}


def read_system(document: object) -> StatedSystem:
    """Read ``{"variables", "field": [{"name", "relation"}], "polynomials": [[[c, exponents], ...], ...]}``."""
    if not isinstance(document, Mapping):
        raise MalformedError("the system is no object")
    variables, field, equations = document["variables"], document.get("field", []), document["polynomials"]
    if not all(isinstance(value, list) for value in (variables, field, equations)):
        raise MalformedError("variables, field and polynomials must be lists")
    if not 0 < len(variables) <= _MAX_VARIABLES or len(field) > 8 or not 0 < len(equations) <= _MAX_EQUATIONS:
        raise MalformedError("a system has 1 to 128 variables, up to 8 generators and 1 to 1024 polynomials")
    relations = []
    for entry in field:
        relation = tuple(Fraction(parse_element(c)) for c in entry["relation"])
        if not 3 <= len(relation) <= 65 or relation[-1] != 1:
            raise MalformedError("the relation of a generator must be monic, of degree 2 to 64")
        relations.append(relation)
    size = len(variables) + len(field)
    polynomials = tuple(read_terms(polynomial, size) for polynomial in equations)
    return StatedSystem(len(variables), len(field), polynomials, tuple(relations))


def read_terms(rows: object, size: int) -> Terms:
    """Read a polynomial as a list of ``[coefficient, exponents]``."""
    if not isinstance(rows, list) or len(rows) > _MAX_TERMS:
        raise MalformedError("a polynomial must be a list of terms")
    terms: Terms = {}
    for c, exponents in rows:
        if not isinstance(exponents, list) or len(exponents) != size:
            raise MalformedError(f"a term must have {size} exponents")
        if not all(type(e) is int and 0 <= e <= _MAX_DEGREE for e in exponents):
            raise MalformedError(f"an exponent must be a number from 0 to {_MAX_DEGREE}")
        key = tuple(exponents)
        if key in terms:
            raise MalformedError(f"the exponents {exponents} stand twice")
        terms[key] = Fraction(parse_element(c))
    return {e: c for e, c in terms.items() if c}


def read_number(value: object) -> Fraction:
    """Read a rational number."""
    return Fraction(parse_element(value))


def plus(*summands: Terms) -> Terms:
    """Return a sum."""
    total: dict[Any, Fraction] = {}
    for terms in summands:
        for e, c in terms.items():
            total[e] = total.get(e, Fraction(0)) + c
    return {e: c for e, c in total.items() if c}


def times(left: Terms, right: Terms) -> Terms:
    """Return a product."""
    result: Terms = {}
    for a, x in left.items():
        for b, y in right.items():
            e = tuple(map(sum, zip(a, b, strict=True)))
            result[e] = result.get(e, Fraction(0)) + x * y
    return {e: c for e, c in result.items() if c}


def derivative(terms: Terms, j: int) -> Terms:
    """Return the partial derivative by variable j."""
    return {(*e[:j], e[j] - 1, *e[j + 1 :]): c * e[j] for e, c in terms.items() if e[j]}


class Reducer(Protocol):
    """What drops or rewrites terms on the way."""

    def reduce(self, terms: Terms) -> Terms:
        """Return equal terms, or fewer."""


def substituted(terms: Terms, values: Sequence[Terms], size: int, keep: Reducer | None = None) -> Terms:
    """Put a polynomial in ``size`` variables for each variable; reduce by ``keep`` on the way."""
    one: Terms = {(0,) * size: Fraction(1)}
    powers: list[list[Terms]] = [[one] for _ in values]
    total: Terms = {}
    for exponents, c in terms.items():
        term = {(0,) * size: c}
        for row, value, e in zip(powers, values, exponents, strict=True):
            while len(row) <= e:
                grown = times(row[-1], value)
                row.append(keep.reduce(grown) if keep else grown)
            if e:
                term = times(term, row[e])
                term = keep.reduce(term) if keep else term
        for e_new, value_new in term.items():
            total[e_new] = total.get(e_new, Fraction(0)) + value_new
    return {e: c for e, c in total.items() if c}


def _unit(size: int, place: int, exponent: int) -> Exponents:
    return (0,) * place + (exponent,) + (0,) * (size - place - 1)
