"""A system near the given one whose root has exactly the multiplicity structure that was found, of any breadth.

The parameters of a multiplicity structure satisfy quadratic equations, those of the punctual Hilbert scheme: the
matrices of multiplication commute. Where some parameters are given, others occur linearly in what is left, and so on:
that is a rational chart, found as it is needed (Mantzaflaris, Mourrain, Szanto, "Punctual Hilbert schemes and certified
approximate singularities", 2020). So an exact point of the scheme near approximate parameters takes the digits of some
and solves for the rest. The equations are then changed by what the functionals are off from vanishing on them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from math import prod
from typing import Any

from flint import acb, ctx, fmpq

from flipforge.certificates import Certificate
from flipforge.polynomials._dual import DualSpace, monomials_up_to, moved_equations, paired
from flipforge.polynomials._field import Field, Generator
from flipforge.polynomials._refine import Refined
from flipforge.polynomials._statements import dual_space_certificate, text
from flipforge.polynomials._structure import Deflated
from flipforge.polynomials._system import System, dyadic
from flipforge.polynomials._terms import Exponents, Polynomial, Terms, add

__all__ = ["exact_structure", "nearby_structure_certificate"]

Number = tuple[Fraction, Fraction]
"""A complex number."""
Functional = dict[Exponents, Number]
Form = dict[tuple[int, ...], Number]
"""A polynomial in numbered unknowns: coefficients by the sorted unknowns of a term."""

_I = Generator("I", (Fraction(1), Fraction(0), Fraction(1)), (Fraction(0), Fraction(1)))
_ZERO: Number = (Fraction(0), Fraction(0))
_ONE: Number = (Fraction(1), Fraction(0))
_MINUS: Number = (Fraction(-1), Fraction(0))
_DIGITS, _FEW_DIGITS = 160, 40
"""Bits that are kept of refined numbers, and of those that a structure fits only up to a small rest."""
_LEAST_PIVOT = 1e-8
_DRIFT = 1e-2
_SLACK = Fraction(1, 2**150)


def nearby_structure_certificate(system: System, refined: Refined, provenance: Mapping[str, Any]) -> Certificate | None:
    """State that a system near this one has a root of the refined structure; None where no exact structure is near."""
    stated = refined.monomials or ()
    monomials = tuple(sorted(stated, key=sum))
    if len(monomials) < 2:
        return None
    digits = _DIGITS if refined.bits else _FEW_DIGITS
    unknowns = zip(Deflated(system, stated).unknowns, refined.parameters, strict=True)
    near = {(monomials.index(stated[i]), a): _rounded(x, digits) for (i, a), x in unknowns}
    functionals = exact_structure(monomials, near)
    if functionals is None:
        return None
    point, n = [_rounded(x, digits) for x in refined.point], len(system.variables)
    is_real = not any(im for _, im in (*point, *(c for each in functionals for c in each.values())))
    larger = system if is_real or _I in system.field.generators else _with_i(system)
    root = tuple(Polynomial.of(_written(larger.field, (0,) * n, x)) for x in point)
    basis = [add(*(_written(larger.field, a, c) for a, c in each.items())) for each in functionals]
    changes = [paired(larger.field, n, each, f) for f in moved_equations(larger, root) for each in basis]
    dual = DualSpace(monomials, tuple(map(Polynomial.of, basis)), True)
    certificate = dual_space_certificate(larger, root, dual, provenance)
    statement = {
        **certificate.statement,
        "claim": f"a system near this one has at the point a root of multiplicity {len(monomials)}, exactly",
        "perturbation": text(_bound(larger.field, changes)),
    }
    return replace(certificate, kind="nearby_structure", statement=statement)


def exact_structure(
    monomials: Sequence[Exponents], near: Mapping[tuple[int, Exponents], Number]
) -> list[Functional] | None:
    """Return functionals whose span all multiplications keep, near those with the parameters given.

    Parameters
    ----------
    monomials
        An order ideal, by degree.
    near
        L_i(x^a) for the places (i, a) outside the ideal that `Deflated` has as unknowns.

    Returns
    -------
    list or None
        The coefficients of each L_i; None where no exact parameters come out near the given ones.

    Examples
    --------
    >>> third = Fraction(1, 3)
    >>> exact_structure([(0, 0), (1, 0)], {(1, (0, 1)): (third, Fraction(0))})[1][0, 1]
    (Fraction(1, 3), Fraction(0, 1))
    """
    n, place = len(monomials[0]), {b: i for i, b in enumerate(monomials)}
    column = {name: q for q, name in enumerate(near)}
    tables: list[dict[int, list[tuple[int, Form]]]] = []
    for j in range(n):
        table: dict[int, list[tuple[int, Form]]] = {}
        for k, b in enumerate(monomials):
            a = _raised(b, j)
            known: list[tuple[int, Form]] = [(place[a], {(): _ONE})] if a in place else []
            free: list[tuple[int, Form]] = [
                (i, {(column[i, a],): _ONE}) for i in range(len(monomials)) if (i, a) in column
            ]
            table[k] = [*known, *free]
        tables.append(table)
    equations = [form for one, other in combinations(tables, 2) for form in _commutator(one, other)]
    values = _solved(equations, list(near.values()))
    if values is None:
        return None
    # L_i(x^a) is entry i of M^a applied to the first unit vector.
    vectors: dict[Exponents, dict[int, Number]] = {monomials[0]: {0: _ONE}}
    for a in monomials_up_to(n, sum(monomials[-1])):
        if a not in vectors:
            first = next(j for j, e in enumerate(a) if e)
            vector: dict[int, Number] = {}
            for k, c in vectors[*a[:first], a[first] - 1, *a[first + 1 :]].items():
                for i, entry in tables[first][k]:
                    vector[i] = _plus(vector.get(i, _ZERO), _times(c, _value(entry, values)))
            vectors[a] = vector
    return [
        {a: vector[i] for a, vector in vectors.items() if vector.get(i, _ZERO) != _ZERO} for i in range(len(monomials))
    ]


def _commutator(
    one: Mapping[int, Sequence[tuple[int, Form]]], other: Mapping[int, Sequence[tuple[int, Form]]]
) -> Iterator[Form]:
    """Yield the entries of a commutator of matrices that are given by their columns."""
    for k in one:
        totals: dict[int, Form] = {}
        for sign, (left, right) in ((_ONE, (one, other)), (_MINUS, (other, one))):
            for m, c in right[k]:
                for i, d in left[m]:
                    totals[i] = _sum(totals.get(i, {}), _product(c, d), sign)
        yield from totals.values()


def _solved(equations: Sequence[Form], near: Sequence[Number]) -> list[Number] | None:
    """Solve quadratic equations by taking values for some unknowns, after which others occur linearly.

    Linear equations are solved as they arise, for the unknown with the largest coefficient. Where there are none left,
    the unknown that stands in most products takes its given value. So the solution is a rational function of the
    values taken. All must come out near those given.
    """
    left = [form for form in equations if form]
    solved: list[tuple[int, Form]] = []
    while left:
        linear = [form for form in left if all(len(e) < 2 for e in form)]
        if linear:
            (size, unknown), number = max((_largest(form), k) for k, form in enumerate(linear))
            # A small coefficient is what is left of a zero, and nothing near would solve for its unknown.
            if size < _LEAST_PIVOT:
                return None
            form = linear[number]
            scale = _over(_MINUS, form[unknown,])
            image: Form = {e: _times(scale, c) for e, c in form.items() if e != (unknown,)}
        else:
            count = Counter(q for form in left for e in form if len(e) > 1 for q in e)
            unknown = max(count, key=lambda q: (count[q], -q))
            image = {(): near[unknown]} if near[unknown] != _ZERO else {}
        solved.append((unknown, image))
        left = [form for form in (_put(form, unknown, image) for form in left) if form]
    values = [*near]
    for unknown, image in reversed(solved):
        values[unknown] = _value(image, values)
    drift = max((_size(_plus(x, _times(_MINUS, y))) for x, y in zip(values, near, strict=True)), default=0.0)
    return values if drift <= _DRIFT else None


def _largest(form: Form) -> tuple[float, int]:
    """Return the size of the largest coefficient of an unknown in a linear form, and the unknown."""
    return max(((_size(c), e[0]) for e, c in form.items() if e), default=(0.0, -1))


def _put(form: Form, unknown: int, image: Form) -> Form:
    """Put a linear form for an unknown."""
    if not any(unknown in e for e in form):
        return form
    total: Form = {}
    for e, c in form.items():
        term: Form = {(): c}
        for q in e:
            term = _product(term, image if q == unknown else {(q,): _ONE})
        total = _sum(total, term, _ONE)
    return total


def _product(left: Form, right: Form) -> Form:
    total: Form = {}
    for a, x in left.items():
        for b, y in right.items():
            e = tuple(sorted((*a, *b)))
            total[e] = _plus(total.get(e, _ZERO), _times(x, y))
    return total


def _sum(left: Form, right: Form, factor: Number) -> Form:
    total = dict(left)
    for e, c in right.items():
        total[e] = _plus(total.get(e, _ZERO), _times(factor, c))
    return {e: c for e, c in total.items() if c != _ZERO}


def _value(form: Form, values: Sequence[Number]) -> Number:
    total = _ZERO
    for e, c in form.items():
        term = c
        for q in e:
            term = _times(term, values[q])
        total = _plus(total, term)
    return total


def _raised(e: Exponents, j: int) -> Exponents:
    return (*e[:j], e[j] + 1, *e[j + 1 :])


def _rounded(value: acb, bits: int) -> Number:
    """Return simple numbers where a value has their digits, else its first bits."""
    return _simple(dyadic(value.real, bits), bits), _simple(dyadic(value.imag, bits), bits)


def _simple(value: Fraction, bits: int) -> Fraction:
    simple = value.limit_denominator(1 << bits // 8)
    return simple if abs(value - simple) < Fraction(1, 1 << 5 * bits // 8) else value


def _with_i(system: System) -> System:
    """Return the system over a field that holds I."""
    return replace(
        system,
        field=Field((*system.field.generators, _I)),
        root=None,
        near=None,
        polynomials=tuple(Polynomial.of({(*e, 0): c for e, c in f}) for f in system.polynomials),
    )


def _written(field: Field, a: Exponents, number: Number) -> Terms:
    """Return a complex number times a monomial, over a field that holds I unless the number is rational."""
    plain = (*a, *[0] * len(field.generators))
    terms = {plain: number[0]} if number[0] else {}
    if number[1]:
        place = len(a) + field.generators.index(_I)
        terms[(*plain[:place], 1, *plain[place + 1 :])] = number[1]
    return terms


def _bound(field: Field, changes: Sequence[Terms]) -> Fraction:
    """Return a number of few digits that no change exceeds."""
    largest = 0.0
    with ctx.workprec(400):
        generators = field.values(400)
        for change in changes:
            value = acb(0)
            for e, c in change.items():
                value += prod(
                    (g**k for g, k in zip(generators, e, strict=True)), start=acb(fmpq(c.numerator, c.denominator))
                )
            largest = max(largest, float(value.real.abs_upper() + value.imag.abs_upper()))
    # The checker knows generators as balls.
    return Fraction(largest) * Fraction(17, 16) + (_SLACK if field.generators else 0)


def _size(x: Number) -> float:
    return abs(complex(float(x[0]), float(x[1])))


def _plus(x: Number, y: Number) -> Number:
    return x[0] + y[0], x[1] + y[1]


def _times(x: Number, y: Number) -> Number:
    return x[0] * y[0] - x[1] * y[1], x[0] * y[1] + x[1] * y[0]


def _over(x: Number, y: Number) -> Number:
    norm = y[0] ** 2 + y[1] ** 2
    return _times(x, (y[0] / norm, -y[1] / norm))
