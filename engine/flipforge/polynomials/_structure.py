"""Approximate multiplicity structures, and Newton's method on the system that they deflate.

A structure is an order ideal B of monomials b_1 = 0, .., b_r for a root's dual space. In the basis L_1 .. L_r with
L_i(b_k) = [i = k] multiplication by x_j has the matrix M_j with entries M_j[i, k] = L_i(b_k + e_j): a constant where
b_k + e_j is in B, else a parameter nu of the punctual Hilbert scheme; zero unless L_i has a higher order than b_k. The
extended system in x and nu says that the M_j commute and that f(x + M) e_1 = 0 for every equation f, which is r
equations each. At the root it is regular, so Newton's method finds root and structure with quadratic convergence
(Hauenstein, Mourrain, Szanto, "On deflation and multiplicity structure", 2015; Mantzaflaris, Mourrain, Szanto, 2020).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import acb, ctx

from flipforge.polynomials._dual import monomials_up_to
from flipforge.polynomials._system import System
from flipforge.polynomials._terms import Exponents

__all__ = ["MAX_SIZE", "Deflated", "Structure", "structures"]

Array = npt.NDArray[Any]

TOLERANCES = tuple(10.0**-k for k in np.arange(0.5, 9, 0.5))
"""Relative sizes of singular values below which a rank is taken to fall, all of which are tried."""

MAX_SIZE = 24
"""Largest multiplicity for which a structure is parametrised."""

_MAX_COLUMNS = 260
_MAX_ORDER = 10


@dataclass(frozen=True)
class Structure:
    """An order ideal of monomials with approximate values of the parameters that `Deflated` has for it."""

    monomials: tuple[Exponents, ...]
    parameters: tuple[complex, ...]
    tolerance: float


def structures(system: System, point: Sequence[complex]) -> list[Structure]:
    """Return the structures that some tolerance finds at a point near a root, the simplest first.

    The kernels of Macaulay's matrices are taken with each tolerance in turn; equal order ideals are returned once, with
    the largest tolerance.
    """
    found: dict[tuple[Exponents, ...], Structure] = {}
    taylor = _Taylor(system, point)
    for tolerance in TOLERANCES:
        functionals = _approximate_dual(taylor, tolerance)
        if functionals is not None and functionals.monomials not in found:
            parameters = tuple(
                functionals.values[i, functionals.place[a]] for i, a in Deflated(system, functionals.monomials).unknowns
            )
            found[functionals.monomials] = Structure(functionals.monomials, parameters, tolerance)
    return sorted(found.values(), key=lambda structure: len(structure.monomials))


class Deflated:
    """The extended system of an order ideal: equations f(x + M) e_1 = 0 and the commutators of the M_j.

    Attributes
    ----------
    unknowns
        The pairs (i, a) of the parameters nu: L_i(x^a), a outside the ideal.
    """

    def __init__(self, system: System, monomials: Sequence[Exponents]) -> None:
        self._system = system
        self._monomials = tuple(monomials)
        self._n, self._r = len(system.variables), len(monomials)
        place = {b: i for i, b in enumerate(monomials)}
        degrees = [sum(b) for b in monomials]
        self.unknowns: list[tuple[int, Exponents]] = []
        self._ones: list[tuple[int, int, int]] = []
        self._places: list[list[tuple[int, int, int]]] = []
        known: dict[tuple[int, Exponents], int] = {}
        for k, b in enumerate(monomials):
            for j in range(self._n):
                a = (*b[:j], b[j] + 1, *b[j + 1 :])
                if a in place:
                    self._ones.append((j, place[a], k))
                    continue
                for i in range(self._r):
                    # An order ideal that is a dual space's has L_i of order deg b_i, so L_i(x^a) = 0 above that.
                    if degrees[i] >= sum(a):
                        if (i, a) not in known:
                            known[i, a] = len(self.unknowns)
                            self.unknowns.append((i, a))
                            self._places.append([])
                        self._places[known[i, a]].append((j, i, k))

    def matrices(self, parameters: Sequence[Any] | Array, kind: Any) -> list[Array]:
        """Return the n multiplication matrices, r by r."""
        zero = kind(0)
        tables = [np.full((self._r, self._r), zero, dtype=object if kind is acb else complex) for _ in range(self._n)]
        for j, i, k in self._ones:
            tables[j][i, k] = kind(1)
        for value, places in zip(parameters, self._places, strict=True):
            for j, i, k in places:
                tables[j][i, k] = value
        return tables

    def residual(self, point: Sequence[Any], parameters: Sequence[Any], kind: Any, bits: int = 53) -> Array:
        """Return the values of the equations, in floats (``kind`` complex) or in balls (acb)."""
        with ctx.workprec(bits):
            tables = self.matrices(parameters, kind)
            identity = [[kind(int(i == k)) for k in range(self._r)] for i in range(self._r)]
            shifted = [np.array(identity) * x + table for x, table in zip(point, tables, strict=True)]
            start = np.array([kind(int(i == 0)) for i in range(self._r)])
            vectors = {(0,) * self._n: start}
            parts = []
            for terms in self._coefficients(kind, bits):
                total = start * kind(0)
                for exponents, c in terms:
                    total = total + c * self._vector(vectors, shifted, exponents)
                parts.append(total)
            for a, b in combinations(tables, 2):
                parts.append((a.dot(b) - b.dot(a)).ravel())
            return np.concatenate(parts)

    def jacobian(self, point: Sequence[Any] | Array, parameters: Sequence[Any] | Array) -> Array:
        """Return the derivatives of the equations by x and nu, in floats."""
        n, r, size = self._n, self._r, self._n + len(self.unknowns)
        tables = self.matrices(parameters, complex)
        shifted = [np.eye(r) * x + table for x, table in zip(point, tables, strict=True)]
        start = np.zeros(r, dtype=complex)
        start[0] = 1
        vectors = {(0,) * n: start}
        slopes = {(0,) * n: np.zeros((r, size), dtype=complex)}
        blocks = []
        for terms in self._coefficients(complex, 53):
            total = np.zeros((r, size), dtype=complex)
            for exponents, c in terms:
                total += c * self._slope(vectors, slopes, shifted, exponents)
            blocks.append(total)
        for j, k in combinations(range(n), 2):
            block = np.zeros((r, r, size), dtype=complex)
            for q, places in enumerate(self._places):
                for table, row, column in places:
                    if table == j:
                        block[row, :, n + q] += tables[k][column, :]
                        block[:, column, n + q] -= tables[k][:, row]
                    elif table == k:
                        block[:, column, n + q] += tables[j][:, row]
                        block[row, :, n + q] -= tables[j][column, :]
            blocks.append(block.reshape(r * r, size))
        return np.concatenate(blocks)

    def _coefficients(self, kind: Any, bits: int) -> Iterator[list[tuple[Exponents, Any]]]:
        """Yield the terms of each equation with the generators of the field put in."""
        for f in self._system.numeric(bits):
            yield [(e, c if kind is acb else complex(c)) for e, c in f.items()]

    def _vector(self, known: dict[Exponents, Array], shifted: Sequence[Array], exponents: Exponents) -> Array:
        """Return X^a e_1 with X_1 leftmost."""
        if exponents not in known:
            j = next(j for j, e in enumerate(exponents) if e)
            lower = (*exponents[:j], exponents[j] - 1, *exponents[j + 1 :])
            known[exponents] = shifted[j].dot(self._vector(known, shifted, lower))
        return known[exponents]

    def _slope(
        self,
        vectors: dict[Exponents, Array],
        slopes: dict[Exponents, Array],
        shifted: Sequence[Array],
        exponents: Exponents,
    ) -> Array:
        """Return the derivatives of X^a e_1."""
        if exponents not in slopes:
            j = next(j for j, e in enumerate(exponents) if e)
            lower = (*exponents[:j], exponents[j] - 1, *exponents[j + 1 :])
            vector = self._vector(vectors, shifted, lower)
            slope = shifted[j] @ self._slope(vectors, slopes, shifted, lower)
            slope[:, j] += vector
            for q, places in enumerate(self._places):
                for table, row, column in places:
                    if table == j:
                        slope[row, self._n + q] += vector[column]
            slopes[exponents] = slope
        return slopes[exponents]


class _Taylor:
    """The Taylor coefficients of a system's equations at a point, in floats, and its Macaulay matrices."""

    def __init__(self, system: System, point: Sequence[complex]) -> None:
        self.n = len(system.variables)
        self._moved = [self._expand(f, point) for f in system.numeric(53)]

    def _expand(self, f: dict[Exponents, acb], point: Sequence[complex]) -> dict[Exponents, complex]:
        total: dict[Exponents, complex] = {}
        for exponents, c in f.items():
            partial: dict[Exponents, complex] = {(): complex(c)}
            for x, e in zip(point, exponents, strict=True):
                row = [comb(e, i) * x ** (e - i) for i in range(e + 1)]
                partial = {(*a, i): v * w for a, v in partial.items() for i, w in enumerate(row)}
            for a, v in partial.items():
                total[a] = total.get(a, 0) + v
        largest = max(map(abs, total.values()))
        return {a: v / largest for a, v in total.items()}

    @cached_property
    def columns(self) -> list[Exponents]:
        """All monomials that can be looked at, by degree."""
        order = 0
        while order < _MAX_ORDER and comb(self.n + order + 1, self.n) <= _MAX_COLUMNS:
            order += 1
        return sorted(monomials_up_to(self.n, order), key=lambda a: (sum(a), a))

    def matrix(self, order: int) -> tuple[list[Exponents], Array] | None:
        """Return the columns and Macaulay's matrix up to an order; None where it is too large."""
        columns = [a for a in self.columns if sum(a) <= order]
        if sum(self.columns[-1]) < order:
            return None
        place = {a: i for i, a in enumerate(columns)}
        shifts = [a for a in columns if sum(a) < order] or [(0,) * self.n]
        table = np.zeros((len(self._moved) * len(shifts), len(columns)), dtype=complex)
        for k, f in enumerate(self._moved):
            for s, shift in enumerate(shifts):
                for a, v in f.items():
                    column = place.get(tuple(map(sum, zip(a, shift, strict=True))))
                    if column is not None:
                        table[k * len(shifts) + s, column] = v
        return columns, table


@dataclass(frozen=True)
class _Functionals:
    monomials: tuple[Exponents, ...]
    values: Array
    place: dict[Exponents, int]


def _approximate_dual(taylor: _Taylor, tolerance: float) -> _Functionals | None:
    """Return a basis of the kernel of Macaulay's matrix once its dimension stays; None where it does not in reach."""
    dimension = 1
    for order in range(1, 100):
        made = taylor.matrix(order)
        if made is None:
            return None
        columns, table = made
        # The constant functional is in the dual space of a root; at a point near one the values are not quite zero.
        table = table[:, 1:]
        triangle = np.linalg.qr(table, mode="r") if len(table) > table.shape[1] else table
        _, sizes, right = np.linalg.svd(triangle, full_matrices=True)
        # The largest coefficient of each equation is 1, so a matrix of small entries is one of low rank.
        rank = int(np.sum(sizes > tolerance * max(sizes[0], 1.0)))
        kernel = right[rank:].conj()
        if len(kernel) + 1 > MAX_SIZE:
            return None
        if len(kernel) + 1 == dimension:
            return _pairs(columns, kernel)
        dimension = len(kernel) + 1
    return None


def _pairs(columns: list[Exponents], kernel: Array) -> _Functionals | None:
    """Choose leading monomials, the largest first, and normalise the functionals at them."""
    rows = np.array(kernel)
    chosen: list[int] = []
    for column in range(len(columns) - 2, -1, -1):
        if len(chosen) == len(kernel):
            break
        rest = rows[len(chosen) :]
        best = int(np.argmax(abs(rest[:, column])))
        if abs(rest[best, column]) > 1e-2 * np.max(abs(rest)):
            at = len(chosen)
            rows[[at, at + best]] = rows[[at + best, at]]
            rows[at] /= rows[at, column]
            others = [i for i in range(len(rows)) if i != at]
            rows[others] -= np.outer(rows[others, column], rows[at])
            chosen.append(column)
    monomials = ((0,) * len(columns[0]), *(columns[c + 1] for c in reversed(chosen)))
    if len(chosen) < len(kernel) or not _is_order_ideal(monomials):
        return None
    values = np.zeros((len(monomials), len(columns)), dtype=complex)
    values[0, 0] = 1
    values[1:, 1:] = rows[::-1]
    return _Functionals(monomials, values, {a: i for i, a in enumerate(columns)})


def _is_order_ideal(monomials: Sequence[Exponents]) -> bool:
    known = set(monomials)
    return all((*b[:j], b[j] - 1, *b[j + 1 :]) in known for b in monomials for j in range(len(b)) if b[j])
