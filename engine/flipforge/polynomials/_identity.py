"""Identities g = sum q_i f_i by linear algebra: one unknown for each equation and monomial, one row for each monomial.

The degree of the cofactors is raised one by one, so that the first that will do is the least. Within a degree the
support grows from the target: the products that share a monomial with it, then those that share one with these, and so
on. What can never be reached takes no part in a solution, and the search in this degree is over where nothing new is
reached. Over Q the columns of a solution modulo a prime are kept and solved for exactly.

Sources: De Loera, Lee, Malkin and Margulies, "Computing infeasibility certificates for combinatorial problems through
Hilbert's Nullstellensatz" (2011); Beame, Impagliazzo, Krajicek, Pitassi and Pudlak (1996) for the dual forms.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement
from math import comb, lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.certificates import Certificate
from flipforge.errors import InputError
from flipforge.exact import Sparse, factor
from flipforge.polynomials._ideal import Ideal, polynomial_rows
from flipforge.polynomials._terms import Exponents, Polynomial
from flipforge.rings import Element

__all__ = [
    "PRIME",
    "Form",
    "LeastSystem",
    "Products",
    "exact_values",
    "find_identity",
    "identity_certificate",
    "least_system",
    "products",
    "rational_values",
    "values_modulo",
]

Column = tuple[int, Exponents]
Form = dict[Exponents, Element]
"""The values of a linear form at monomials; 0 at others."""
Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[Any]

MAX_COLUMNS = 200_000
MAX_CELLS = 60_000_000
"""Most unknowns of a system, and most unknowns times rows."""
PRIME = 2**31 - 1
"""Modulo which a system over Q is solved first."""


@dataclass(frozen=True, eq=False)
class Products:
    """The products of equations and monomials that may occur, and the linear system of their coefficients.

    Attributes
    ----------
    columns
        (i, m) for the product of equation i with the monomial m, by degree.
    rows
        The monomials of these products and of the target.
    scales
        What each row is multiplied by to clear denominators.
    matrix, right
        Coefficients of the products and of the target, so scaled.
    """

    columns: tuple[Column, ...]
    rows: tuple[Exponents, ...]
    scales: tuple[int, ...]
    matrix: Sparse
    right: Numbers

    def cofactors(self, values: Sequence[Element], count: int) -> tuple[Polynomial, ...]:
        """Return the cofactors of the equations, given a value for each column."""
        parts: list[dict[Exponents, Fraction]] = [{} for _ in range(count)]
        for (i, monomial), value in zip(self.columns, values, strict=True):
            parts[i][monomial] = value  # type: ignore[assignment]
        return tuple(Polynomial.of(part) for part in parts)


def find_identity(ideal: Ideal, max_degree: int) -> Certificate:
    """Find cofactors of the least degree, or show that there are none up to a degree.

    Returns
    -------
    Certificate
        Of kind ``identity``, which excludes lower degrees too, or ``no_identity``.

    Raises
    ------
    InputError
        The linear system is larger than `MAX_CELLS`.

    Examples
    --------
    >>> from flipforge.polynomials import parse_ideal
    >>> find_identity(parse_ideal({"equations": ["x*y - 1", "x"]}), 1).statement["degree"]
    1
    """
    form: Form = {}
    for degree in range(max_degree + 1):
        for grown in products(ideal, degree):
            values = _solved(ideal, grown)
            if values is not None:
                return identity_certificate(ideal, grown.cofactors(values, len(ideal.equations)), form)
        form = _form(ideal, grown)
    statement = {"problem": ideal.name, **ideal.statement, "degree": max_degree}
    return Certificate("no_identity", statement, {"form": _form_rows(form)}, "flipforge.no_identity/1")


@dataclass(frozen=True, eq=False)
class LeastSystem:
    """All identities of the least degree: the products that matter, and one solution.

    Attributes
    ----------
    prime
        Modulo which a solution is known: the characteristic, or `PRIME`.
    values
        A solution modulo the prime.
    form
        Excludes lower degrees; empty where there are none.
    """

    products: Products
    prime: int
    values: Integers
    form: Form


def least_system(ideal: Ideal, max_degree: int) -> LeastSystem | None:
    """Return the linear system of the least degree in which there is an identity; None up to the highest degree."""
    form: Form = {}
    prime = ideal.ring.characteristic or PRIME
    for degree in range(max_degree + 1):
        found: dict[Column, int] | None = None
        for grown in products(ideal, degree):
            if found is None:
                values = factor(grown.matrix, prime).solve(grown.right).values
                if values is not None:
                    found = dict(zip(grown.columns, values.tolist(), strict=True))
        if found is not None:
            return LeastSystem(grown, prime, np.array([found.get(c, 0) for c in grown.columns]), form)
        form = _form(ideal, grown)
    return None


def exact_values(ideal: Ideal, system: LeastSystem, values: Integers) -> list[Element] | None:
    """Return the exact solution of the products that a solution modulo the prime takes; None where there is none."""
    if ideal.ring.characteristic:
        return [int(v) for v in values]
    grown = system.products
    return rational_values(grown.matrix, grown.right, np.flatnonzero(values))


def values_modulo(system: LeastSystem, cofactors: Sequence[Any]) -> list[int] | None:
    """Return the solution modulo the prime of cofactors as certificates have them; None where they take others."""
    place = {column: j for j, column in enumerate(system.products.columns)}
    values = [0] * len(place)
    for i, rows in enumerate(cofactors):
        for coefficient, exponents in rows:
            j = place.get((i, tuple(exponents)))
            value = Fraction(coefficient)
            if j is None or value.denominator % system.prime == 0:
                return None
            values[j] = value.numerator * pow(value.denominator, -1, system.prime) % system.prime
    return values


def products(ideal: Ideal, degree: int) -> Iterator[Products]:
    """Yield growing sets of products with monomials of at most this degree, the last of which has all that matter."""
    count = len(ideal.variables)
    every = comb(count + degree, degree) * len(ideal.equations)
    if every > MAX_COLUMNS:
        raise InputError(f"degree {degree} takes {every} products; at most {MAX_COLUMNS} are handled")
    waiting: list[tuple[Column, frozenset[Exponents]]] = []
    for monomial in _monomials(count, degree):
        for i, f in enumerate(ideal.equations):
            support = frozenset(tuple(map(sum, zip(monomial, e, strict=True))) for e, _ in f)
            waiting.append(((i, monomial), support))
    reached = {e for e, _ in ideal.target}
    taken: list[Column] = []
    while True:
        near = [pair for pair in waiting if not reached.isdisjoint(pair[1])]
        if not near and taken:
            return
        reached = reached.union(*(support for _, support in near))
        chosen = {column for column, _ in near}
        waiting = [pair for pair in waiting if pair[0] not in chosen]
        taken += [column for column, _ in near]
        # Low degrees first: a solution takes the first columns that will do.
        yield _products(ideal, sorted(taken, key=lambda column: (sum(column[1]), column)))
        if not near:
            return


def identity_certificate(ideal: Ideal, cofactors: Sequence[Polynomial], form: Form) -> Certificate:
    """Return the certificate, unchecked, of an identity with cofactors of the least degree, as the form shows."""
    statement = {
        "problem": ideal.name,
        **ideal.statement,
        "degree": max((q.degree for q in cofactors), default=-1),
        "rank": sum(map(len, cofactors)),
        "least": True,
    }
    witness = {"cofactors": [polynomial_rows(q) for q in cofactors], "form": _form_rows(form)}
    return Certificate("identity", statement, witness, "flipforge.identity/1")


def _form_rows(form: Form) -> list[list[Any]]:
    return polynomial_rows(sorted((e, value) for e, value in form.items() if value))


def rational_values(matrix: Sparse, right: Numbers, support: Integers) -> list[Element] | None:
    """Solve A x = b exactly with the columns of a support alone; None where that has no solution."""
    kept = np.isin(matrix.columns, support)
    place = np.searchsorted(support, matrix.columns[kept])
    part = Sparse((matrix.shape[0], len(support)), matrix.rows[kept], place, matrix.values[kept])
    solved = factor(part, 0).solve(right).values
    if solved is None:
        return None
    values: list[Element] = [0] * matrix.shape[1]
    for where, value in zip(support.tolist(), solved.tolist(), strict=True):
        values[where] = value
    return values


def _products(ideal: Ideal, columns: Sequence[Column]) -> Products:
    """Write down the linear system of some products."""
    entries: dict[tuple[Exponents, int], Element] = {}
    for j, (i, monomial) in enumerate(columns):
        for e, c in ideal.equations[i]:
            entries[tuple(map(sum, zip(monomial, e, strict=True))), j] = c
    target = ideal.target.terms
    rows = sorted({row for row, _ in entries} | target.keys(), key=lambda e: (sum(e), e))
    if len(rows) * len(columns) > MAX_CELLS:
        raise InputError(f"{len(columns)} products with {len(rows)} monomials; a smaller degree or system will do")
    scales = dict.fromkeys(rows, 1)
    for row, value in [*((row, value) for (row, _), value in entries.items()), *target.items()]:
        scales[row] = lcm(scales[row], value.denominator)
    number = {row: place for place, row in enumerate(rows)}
    places = [number[row] for row, _ in entries]
    values = [int(value * scales[row]) for (row, _), value in entries.items()]
    if max(map(abs, values), default=0) >= 2**63:
        raise InputError("a coefficient, cleared of denominators, has more than 63 bits; scale the equations")
    right = np.array([int(target.get(row, 0) * scales[row]) for row in rows], dtype=object)
    matrix = Sparse((len(rows), len(columns)), places, [j for _, j in entries], values)
    return Products(tuple(columns), tuple(rows), tuple(scales.values()), matrix, right)


def _solved(ideal: Ideal, grown: Products) -> list[Element] | None:
    p = ideal.ring.characteristic
    values = factor(grown.matrix, p or PRIME).solve(grown.right).values
    if values is None:
        return None
    return [int(v) for v in values] if p else rational_values(grown.matrix, grown.right, np.flatnonzero(values))


def _form(ideal: Ideal, grown: Products) -> Form:
    """Return a linear form that vanishes on all products and not on the target.

    Over Q the support of one modulo a prime is kept: one of its values is set to 1 and gives the others.
    """
    p = ideal.ring.characteristic
    factored = factor(grown.matrix, p or PRIME)
    dual = factored.solve(grown.right).dual
    values: list[Element] | None = None
    if dual is not None and p:
        values = dual.tolist()
    elif dual is not None:
        support = np.flatnonzero(dual)
        one = int(np.setdiff1d(support, factored.rows)[0])
        matrix = grown.matrix
        transposed = Sparse(matrix.shape[::-1], matrix.columns, matrix.rows, matrix.values)
        right = np.zeros(matrix.shape[1], dtype=object)
        right[matrix.columns[matrix.rows == one]] = -matrix.values[matrix.rows == one]
        values = rational_values(transposed, right, support[support != one])
        if values is not None:
            values[one] = 1
    if values is None:
        raise InputError("the system has a solution modulo a prime or over Q, but not both; report this")
    return {row: value * s for row, value, s in zip(grown.rows, values, grown.scales, strict=True)}


def _monomials(count: int, degree: int) -> Iterator[Exponents]:
    for d in range(degree + 1):
        for chosen in combinations_with_replacement(range(count), d):
            yield tuple(chosen.count(j) for j in range(count))
