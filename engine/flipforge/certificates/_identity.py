"""The kinds ``identity`` and ``no_identity``: g = sum q_i f_i, or a proof that no cofactors of low degree do it.

Polynomials are lists of terms ``[coefficient, [exponents]]``. Over a field F the second kind rests on duality: a linear
form y on the polynomials that vanishes on every product of an equation with a monomial of degree at most d, and not on
g, shows that g is no sum of such products.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import comb
from typing import Any

from flipforge.certificates._certificate import Certificate, Verdict
from flipforge.errors import MalformedError
from flipforge.rings import Element, Ring, brief, parse_element, ring

__all__ = ["check_identity", "check_no_identity"]

Monomial = tuple[int, ...]
Terms = dict[Monomial, Element]

_MAX_EXPONENT = 10_000
_MAX_WORK = 100_000_000
"""Most products of two terms."""


def check_identity(certificate: Certificate) -> Verdict:
    """Expand sum q_i f_i - g and see whether every coefficient is zero.

    Statement: ``ring``, ``variables``, ``equations``, ``target``, of the cofactors ``degree`` (the largest) and
    ``rank`` (the number of terms), and ``least``, whether no lower degree will do. Witness: ``cofactors``, as many as
    equations, and where a lower degree is excluded a ``form`` as of `check_no_identity`.
    """
    field, variables, equations, target = _statement(certificate.statement)
    rows = certificate.witness["cofactors"]
    if not isinstance(rows, list) or len(rows) != len(equations):
        raise MalformedError(f"there must be {len(equations)} cofactors, one for each equation")
    cofactors = [_polynomial(row, field, len(variables), f"cofactors[{i}]") for i, row in enumerate(rows)]
    if sum(len(q) * len(f) for q, f in zip(cofactors, equations, strict=True)) > _MAX_WORK:
        raise MalformedError("the products have more terms than the limit")
    rest: dict[Monomial, Element] = {monomial: -value for monomial, value in target.items()}
    for q, f in zip(cofactors, equations, strict=True):
        for a, x in q.items():
            for b, y in f.items():
                monomial = tuple(map(sum, zip(a, b, strict=True)))
                rest[monomial] = rest.get(monomial, 0) + x * y
    p = field.characteristic
    wrong = min((m for m, value in rest.items() if (value % p if p else value)), default=None)
    if wrong is not None:
        place = _named(wrong, variables)
        return Verdict("REFUTED", f"the coefficient of {place} in sum q f - g is {brief(rest[wrong])}, not 0")
    degree = max((sum(m) for q in cofactors for m in q), default=-1)
    terms = sum(map(len, cofactors))
    if (certificate.statement["degree"], certificate.statement["rank"]) != (degree, terms):
        return Verdict("REFUTED", f"the cofactors have degree {degree} and {terms} terms, which is not what is stated")
    least = certificate.statement["least"]
    if type(least) is not bool:
        raise MalformedError("least must be true or false")
    if least and degree > 0:
        fault = _form_fault(certificate, field, variables, equations, target, degree - 1)
        if fault:
            return Verdict("REFUTED", f"a lower degree is not excluded: {fault}")
    what = "the target is in the ideal"
    if set(target) == {(0,) * len(variables)}:
        what = f"the {len(equations)} equations have no common zero over any field that contains {field}"
    bound = "and no lower degree will do" if least else "a lower degree may do"
    return Verdict("PROVED", f"{what}: cofactors of degree {degree} with {terms} terms, {bound}")


def check_no_identity(certificate: Certificate) -> Verdict:
    """See whether the form vanishes on all products of degree at most d, and not on the target.

    Statement: ``ring``, ``variables``, ``equations``, ``target`` and ``degree``. Witness: ``form``, a list of terms
    that gives its value at each monomial, 0 at those not named.
    """
    field, variables, equations, target = _statement(certificate.statement)
    degree = certificate.statement["degree"]
    if type(degree) is not int or degree < 0:
        raise MalformedError(f"degree is {str(degree)[:40]}; it must be an integer from 0")
    fault = _form_fault(certificate, field, variables, equations, target, degree)
    if fault:
        return Verdict("REFUTED", fault)
    return Verdict("PROVED", f"there are no cofactors of degree at most {degree} over {field}, by a linear form")


def _form_fault(
    certificate: Certificate, field: Ring, variables: list[str], equations: list[Terms], target: Terms, degree: int
) -> str | None:
    """Return what keeps the form from excluding cofactors of at most a degree."""
    p = field.characteristic
    form = _polynomial(certificate.witness["form"], field, len(variables), "form")
    if comb(len(variables) + degree, degree) * sum(map(len, equations)) > _MAX_WORK:
        raise MalformedError("there are more products than the limit")
    for i, f in enumerate(equations):
        for m in _monomials(len(variables), degree):
            value = sum((y * form.get(tuple(map(sum, zip(m, b, strict=True))), 0) for b, y in f.items()), Fraction(0))
            if value % p if p else value:
                return f"the form does not vanish on {_named(m, variables)} times equation {i}"
    value = sum((y * form.get(m, 0) for m, y in target.items()), Fraction(0))
    return None if (value % p if p else value) else "the form vanishes on the target, and so it shows nothing"


def _statement(statement: Mapping[str, Any]) -> tuple[Ring, list[str], list[Terms], Terms]:
    field = ring(str(statement["ring"]))
    if not field.characteristic and field.name != "Q":
        raise MalformedError(f"{field} is no field; use Q or GF(p)")
    variables = statement["variables"]
    if not isinstance(variables, list) or not all(isinstance(name, str) for name in variables):
        raise MalformedError("variables must be a list of names")
    equations = [
        _polynomial(row, field, len(variables), f"equations[{i}]") for i, row in enumerate(statement["equations"])
    ]
    return field, variables, equations, _polynomial(statement["target"], field, len(variables), "target")


def _polynomial(rows: Any, field: Ring, count: int, name: str) -> Terms:
    if not isinstance(rows, list):
        raise MalformedError(f"{name} must be a list of terms")
    terms: Terms = {}
    for value, exponents in rows:
        monomial = tuple(exponents)
        if len(monomial) != count or not all(type(e) is int and 0 <= e <= _MAX_EXPONENT for e in monomial):
            raise MalformedError(f"{name}: {str(monomial)[:60]} are not the exponents of {count} variables")
        coefficient = field.coerce(parse_element(value))
        if monomial in terms or not coefficient:
            raise MalformedError(f"{name}: the term {monomial} stands twice, or with coefficient 0")
        terms[monomial] = coefficient
    return terms


def _monomials(count: int, degree: int) -> Iterator[Monomial]:
    """Yield all monomials of at most this degree."""
    if not count:
        yield ()
        return
    for e in range(degree + 1):
        for rest in _monomials(count - 1, degree - e):
            yield (e, *rest)


def _named(monomial: Monomial, variables: Sequence[str]) -> str:
    powers = (name if e == 1 else f"{name}^{e}" for name, e in zip(variables, monomial, strict=True) if e)
    return "*".join(powers)[:80] or "1"
