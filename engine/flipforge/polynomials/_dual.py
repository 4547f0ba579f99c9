"""The dual space of a root over its number field, exactly: by integration, and by Macaulay's matrices.

A functional is a sum of c_a d^a with d^a = (1/a!) times the a-th partial derivative at the root; it is kept as a
polynomial whose exponents are a, followed by those of the field's generators. Multiplication by x_j - root_j lowers
a_j.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement

from flint import fmpq

from flipforge.polynomials._field import Field
from flipforge.polynomials._system import System
from flipforge.polynomials._terms import Exponents, Polynomial, Terms, add, constant, multiply, power, variable

__all__ = [
    "DualSpace",
    "dual_space",
    "macaulay_dual_space",
    "monomials_up_to",
    "moved_equations",
    "paired",
    "vanishes",
]

MAX_ORDER = 16
MAX_DIMENSION = 300


@dataclass(frozen=True)
class DualSpace:
    """A basis of the dual space in a primal-dual pair.

    Attributes
    ----------
    monomials
        b_1 = 0, b_2, ...: they make an order ideal, and the i-th functional has the order of b_i.
    functionals
        The i-th has coefficient 1 at b_i and 0 at the others.
    complete
        Whether the last order brought nothing new. Otherwise a limit was met, and the multiplicity is at least this.
    """

    monomials: tuple[Exponents, ...]
    functionals: tuple[Polynomial, ...]
    complete: bool

    @property
    def multiplicity(self) -> int:
        """The dimension."""
        return len(self.monomials)

    @property
    def hilbert_function(self) -> tuple[int, ...]:
        """How many functionals have order 0, 1, ...."""
        degrees = [sum(b) for b in self.monomials]
        return tuple(degrees.count(t) for t in range(max(degrees) + 1))


def vanishes(system: System, root: Sequence[Polynomial]) -> bool:
    """Tell whether a point with coordinates in the field is a root, exactly."""
    origin = (0,) * len(system.variables)
    return not any(e[: len(origin)] == origin for f in moved_equations(system, root) for e in f)


def dual_space(
    system: System, root: Sequence[Polynomial], max_order: int = MAX_ORDER, max_dimension: int = MAX_DIMENSION
) -> DualSpace:
    """Integrate the dual space of an exact root order by order.

    The images of a functional of order t under the n multiplications have order below t. So the functionals of order up
    to t are the integrals of n-tuples of those of order up to t - 1 that are compatible and vanish on the equations:
    n s unknowns instead of all monomials (Mourrain, "Isolated points, duality and residues", 1997, section 4).

    Parameters
    ----------
    root
        n constants in the variables of the system's polynomials; it must be a root.

    Examples
    --------
    >>> from flipforge.polynomials import parse_system
    >>> system = parse_system({"polynomials": ["x**2", "x*y", "y**2"], "root": ["0", "0"]})
    >>> dual_space(system, system.root).hilbert_function
    (1, 2)
    """
    n, field = len(system.variables), system.field
    moved = moved_equations(system, root)
    monomials: list[Exponents] = [(0,) * n]
    basis: list[Terms] = [{(0,) * (n + len(field.generators)): Fraction(1)}]
    for _ in range(max_order):
        grown_monomials, grown = _echelon(field, n, [basis[0], *_integrals(field, n, monomials, basis, moved)])
        if len(grown) == len(basis):
            return _as_value(monomials, basis, True)
        monomials, basis = grown_monomials, grown
        if len(basis) > max_dimension:
            break
    return _as_value(monomials, basis, False)


def macaulay_dual_space(system: System, root: Sequence[Polynomial], max_order: int = MAX_ORDER) -> DualSpace:
    """Compute the dual space as kernels of Macaulay's matrices, an independent and slower way (Macaulay, 1916).

    Row (x - root)^c f, column d^a with degree of a up to t; the kernel is the dual space up to order t.
    """
    n, field = len(system.variables), system.field
    moved = moved_equations(system, root)
    previous: list[Terms] = []
    for order in range(max_order + 1):
        columns = list(monomials_up_to(n, order))
        place = {a: i for i, a in enumerate(columns)}
        rows = []
        for f in moved:
            for shift in monomials_up_to(n, order - 1):
                row: dict[int, Terms] = {}
                for e, c in f.items():
                    a = tuple(map(sum, zip(e[:n], shift, strict=True)))
                    if a in place:
                        row.setdefault(place[a], {})[e[n:]] = c
                rows.append(row)
        kernel = _kernel(field, rows, len(columns))
        vectors = [{columns[i] + e: c for i, number in vector.items() for e, c in number.items()} for vector in kernel]
        monomials, basis = _echelon(field, n, vectors)
        if len(basis) == len(previous):
            return _as_value(monomials, basis, True)
        previous = basis
    return _as_value(monomials, basis, False)


def monomials_up_to(n: int, degree: int) -> Iterable[Exponents]:
    """Yield the exponents of n variables up to a degree, by degree."""
    for d in range(degree + 1):
        for chosen in combinations_with_replacement(range(n), d):
            yield tuple(chosen.count(j) for j in range(n))


def _as_value(monomials: Sequence[Exponents], basis: Sequence[Terms], complete: bool) -> DualSpace:
    return DualSpace(tuple(monomials), tuple(map(Polynomial.of, basis)), complete)


def moved_equations(system: System, root: Sequence[Polynomial]) -> list[Terms]:
    """Return the equations with the root moved to the origin."""
    n, field = len(system.variables), system.field
    size = n + len(field.generators)
    one = constant(1, size)
    values = [add(variable(j, size), root[j].terms) if j < n else variable(j, size) for j in range(size)]
    known: dict[tuple[int, int], Terms] = {}
    moved = []
    for f in system.polynomials:
        total: list[Terms] = []
        for exponents, c in f:
            term = constant(c, size)
            for j, e in enumerate(exponents):
                if e:
                    if (j, e) not in known:
                        known[j, e] = field.reduce(power(values[j], e, one))
                    term = field.reduce(multiply(term, known[j, e]))
            total.append(term)
        moved.append(add(*total))
    return moved


def paired(field: Field, n: int, functional: Terms, f: Terms) -> Terms:
    """Return the value of a functional at an equation with the root at the origin, a number of the field."""
    by_monomial: dict[Exponents, Terms] = {}
    for e, c in f.items():
        by_monomial.setdefault(e[:n], {})[e[n:]] = c
    products = [multiply({e[n:]: c}, by_monomial[e[:n]]) for e, c in functional.items() if e[:n] in by_monomial]
    return field.reduce(add(*products))


def _integrals(
    field: Field, n: int, monomials: Sequence[Exponents], basis: Sequence[Terms], moved: Sequence[Terms]
) -> list[Terms]:
    """Return a basis of the functionals that vanish at 1 and on the system, with images in the span."""
    s = len(basis)
    place = {b: m for m, b in enumerate(monomials)}
    rows: list[dict[int, Terms]] = []
    for j in range(n):
        for k in range(j + 1, n):
            block: list[dict[int, Terms]] = [{} for _ in range(s)]
            for (unknown, lowering), sign in (((j, k), 1), ((k, j), -1)):
                for i, functional in enumerate(basis):
                    for e, c in functional.items():
                        if e[lowering]:
                            a = (*e[:lowering], e[lowering] - 1, *e[lowering + 1 : n])
                            if a in place:
                                block[place[a]].setdefault(unknown * s + i, {})[e[n:]] = sign * c
            rows += block
    integrals = [[_integral(functional, j, n) for functional in basis] for j in range(n)]
    for f in moved:
        values = {j * s + i: paired(field, n, integrals[j][i], f) for j in range(n) for i in range(s)}
        rows.append({place: value for place, value in values.items() if value})
    found = []
    for vector in _kernel(field, rows, n * s):
        pieces = []
        for column, number in vector.items():
            j, i = divmod(column, s)
            embedded = {(0,) * n + e: c for e, c in number.items()}
            pieces.append(field.reduce(multiply(embedded, integrals[j][i])))
        found.append(add(*pieces))
    return found


def _integral(functional: Terms, j: int, n: int) -> Terms:
    """Raise exponent j of the part in which no variable before it occurs."""
    return {(*e[:j], e[j] + 1, *e[j + 1 :]): c for e, c in functional.items() if not any(e[:j])}


def _kernel(field: Field, rows: Sequence[dict[int, Terms]], columns: int) -> list[dict[int, Terms]]:
    """Return a basis of the kernel of a sparse matrix over the field."""
    reduced, pivots = _reduced(field, rows)
    taken = set(pivots)
    kernel = []
    for free in range(columns):
        if free in taken:
            continue
        vector: dict[int, Terms] = {free: {(0,) * len(field.generators): Fraction(1)}}
        for row, pivot in enumerate(pivots):
            entry = reduced[row].get(free)
            if entry:
                vector[pivot] = {e: -c for e, c in entry.items()}
        kernel.append(vector)
    return kernel


def _echelon(field: Field, n: int, vectors: Sequence[Terms]) -> tuple[list[Exponents], list[Terms]]:
    """Reduce functionals so that each leads with a monomial that no other holds; return both, lowest order first.

    The leading monomial is the largest by degree, then lexicographically. Lowering keeps that order, so the leading
    monomials of a space that all lowerings keep make an order ideal.
    """
    columns = sorted({e[:n] for vector in vectors for e in vector}, key=lambda a: (sum(a), a), reverse=True)
    place = {a: i for i, a in enumerate(columns)}
    rows = []
    for vector in vectors:
        row: dict[int, Terms] = {}
        for e, c in vector.items():
            row.setdefault(place[e[:n]], {})[e[n:]] = c
        rows.append(row)
    reduced, pivots = _reduced(field, rows)
    basis = [
        {columns[i] + e: c for i, number in row.items() for e, c in number.items()} for row in reduced[: len(pivots)]
    ]
    return [columns[p] for p in reversed(pivots)], basis[::-1]


def _reduced(field: Field, rows: Sequence[dict[int, Terms]]) -> tuple[list[dict[int, Terms]], list[int]]:
    """Return the reduced echelon form over the field and its pivot columns.

    Every number is replaced by the rational matrix of its multiplication. The echelon form of the large matrix is that
    of the small one with its numbers so replaced.
    """
    basis = field.basis
    d = len(basis)
    place = {e: i for i, e in enumerate(basis)}
    large: list[dict[int, fmpq]] = []
    for row in rows:
        block: list[dict[int, fmpq]] = [{} for _ in basis]
        for column, number in row.items():
            for j, e in enumerate(basis):
                for image, c in field.reduce(multiply(number, {e: Fraction(1)})).items():
                    block[place[image]][column * d + j] = fmpq(c.numerator, c.denominator)
        large += block
    echelon = _sparse_echelon(large)
    # Of the d rows and columns of a number the first column holds its coordinates.
    reduced: list[dict[int, Terms]] = []
    pivots = sorted({column // d for column in echelon})
    for pivot in pivots:
        small: dict[int, Terms] = {}
        for i, e in enumerate(basis):
            for column, value in echelon[pivot * d + i].items():
                if column % d == 0:
                    small.setdefault(column // d, {})[e] = Fraction(int(value.p), int(value.q))
        reduced.append(small)
    return reduced, pivots


def _sparse_echelon(rows: Sequence[dict[int, fmpq]]) -> dict[int, dict[int, fmpq]]:
    """Return the reduced echelon form of a sparse rational matrix: its rows by their pivot columns."""
    pivots: dict[int, dict[int, fmpq]] = {}
    for given in sorted(rows, key=len):
        row = dict(given)
        while row:
            column = min(row)
            if column not in pivots:
                inverse = 1 / row[column]
                pivots[column] = {c: x * inverse for c, x in row.items()}
                break
            _subtract(row, row[column], pivots[column])
    for column in sorted(pivots, reverse=True):
        row = pivots[column]
        for other in [c for c in row if c != column and c in pivots]:
            _subtract(row, row[other], pivots[other])
    return pivots


def _subtract(row: dict[int, fmpq], factor: fmpq, other: dict[int, fmpq]) -> None:
    for c, x in other.items():
        value = row[c] - factor * x if c in row else -factor * x
        if value == 0:
            del row[c]
        else:
            row[c] = value
