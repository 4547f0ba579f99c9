"""The multiplicity structure of a root, exactly, by its dual space.

Let I be the ideal of the equations at a root, which is moved to the origin. A functional is a sum of c_a d^a with
d^a = (1/a!) times the a-th partial derivative at the origin; multiplication of polynomials by x_j turns it into the
functional with every d^a replaced by d^(a - e_j), zero where a_j = 0. The functionals that vanish on I form a space D
that these n maps keep, and its dimension is the multiplicity of the root (Macaulay; Marinari, Moeller, Mora, "On
multiplicities in polynomial system solving", 1996). A basis L_1 .. L_s with monomials b_1 .. b_s is checked like this:

1. L_i(x^b_k) is 1 for i = k and else 0, so the L_i are independent; the order of L_i is the degree of b_i, so the
   number of L_i of order t is entry t of the Hilbert function;
2. each map keeps the span, and L_i(f) = 0 for every equation f: so the span is a part D' of D;
3. D' = D: let J be the local ideal that D' kills. The functionals whose n images all lie in D' are those that vanish on
   m J, m the maximal ideal. If those of them that vanish on the equations lie in D', then I + m J = J, and I = J by
   Nakayama's lemma. That is a rank: n s unknown coordinates of the images, the conditions that they are images of one
   functional (Mourrain, "Isolated points, duality and residues", 1997), and one condition for each equation. The rank
   is taken modulo a prime, which can only be lower than that over Q.

Over a number field every entry of that matrix is replaced by the rational matrix of its multiplication, which
multiplies the rank by the degree of the field; so nothing is divided, and the proof holds for every choice of the
generators among the roots of their relations.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from flipforge.certificates._algebra import (
    Exponents,
    StatedSystem,
    Terms,
    plus,
    read_number,
    read_system,
    read_terms,
    substituted,
    times,
)
from flipforge.certificates._certificate import Certificate, Verdict
from flipforge.certificates._intervals import Box, contains_relation_root, enclose, read_box, scale_of
from flipforge.errors import MalformedError

__all__ = ["check_dual_space", "dual_space_defect"]

PRIMES = (2**61 - 1, 2**89 - 1, 2**107 - 1)
_MAX_MULTIPLICITY = 2000


def check_dual_space(certificate: Certificate) -> Verdict:
    """Decide the kind ``dual_space``: a point of a number field is a root with the stated multiplicity structure.

    Statement: ``system``, ``root`` (a number of the field for each unknown), ``multiplicity``, ``hilbert_function``,
    and balls: ``centre`` with ``radius`` for the root, ``generators`` with ``generator_radius`` for the roots of the
    relations that are meant. Witness: ``monomials`` and ``functionals``.
    """
    defect = dual_space_defect(certificate.statement, certificate.witness)
    if defect is not None:
        return Verdict("REFUTED", defect)
    multiplicity, counts = certificate.statement["multiplicity"], certificate.statement["hilbert_function"]
    words = "a simple root" if multiplicity == 1 else f"a root of multiplicity {multiplicity}"
    return Verdict("PROVED", f"the exact point is {words}, with Hilbert function {', '.join(map(str, counts))}")


def dual_space_defect(
    statement: Mapping[str, object], witness: Mapping[str, object], perturbation: Fraction | None = None
) -> str | None:
    """Return why a dual space does not prove multiplicity and Hilbert function; None where it does.

    Parameters
    ----------
    perturbation
        Where it is given, the proof is for the equations less what the functionals are off from vanishing on them,
        which must not be more than this (`check_nearby_structure`).

    Raises
    ------
    MalformedError
        Something is not of the form it must have.
    """
    system = read_system(statement["system"])
    n, size = system.unknowns, system.size
    root = [read_terms(rows, size) for rows in _listed(statement["root"], "root", n)]
    if any(any(e[:n]) for x in root for e in x):
        raise MalformedError("a coordinate of the root holds an unknown")
    fault = _ball_defect(system, root, statement)
    if fault:
        return fault
    moved = _moved(system, root)
    origin = (0,) * n
    for k, f in enumerate(moved if perturbation is None else ()):
        if any(e[:n] == origin for e in f):
            return f"polynomials[{k}] does not vanish at the root"
    monomials = [_exponents(row, n) for row in _listed(witness["monomials"], "monomials")]
    basis = [read_terms(rows, size) for rows in _listed(witness["functionals"], "functionals", len(monomials))]
    if not 0 < len(basis) <= _MAX_MULTIPLICITY or len(set(monomials)) < len(monomials) or monomials[0] != origin:
        raise MalformedError("the monomials must differ, begin with 1, and be at most 2000")
    if perturbation is not None:
        changes = [[_paired(system, functional, f) for functional in basis] for f in moved]
        if not _are_small(system, statement, changes, perturbation):
            return "a change of the system may be larger than the perturbation stated"
        moved = [_changed(f, monomials, row) for f, row in zip(moved, changes, strict=True)]
    return (
        _pairing_defect(system, monomials, basis)
        or _claims_defect(statement, monomials)
        or _span_defect(system, monomials, basis, moved)
        or _completeness_defect(system, monomials, basis, moved)
    )


def _listed(value: object, name: str, length: int | None = None) -> list[object]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        wanted = "a list" if length is None else f"a list of {length}"
        raise MalformedError(f"{name} must be {wanted}")
    return value


def _exponents(row: object, n: int) -> Exponents:
    if not isinstance(row, list) or len(row) != n or not all(type(e) is int and 0 <= e <= 500 for e in row):
        raise MalformedError(f"a monomial must be a list of {n} exponents")
    return tuple(row)


def _ball_defect(system: StatedSystem, root: Sequence[Terms], statement: Mapping[str, object]) -> str | None:
    """Check that the stated ball holds the root, for the generators in the stated balls."""
    radius, fine = read_number(statement["radius"]), read_number(statement["generator_radius"])
    centre = [read_box(entry) for entry in _listed(statement["centre"], "centre", system.unknowns)]
    near = [read_box(entry) for entry in _listed(statement["generators"], "generators", system.generators)]
    if radius < 0 or fine < 0:
        raise MalformedError("a radius is negative")
    bits = scale_of(fine)
    boxes = _generator_boxes(system, statement)
    for g, (relation, point) in enumerate(zip(system.relations, near, strict=True)):
        if not contains_relation_root(relation, point, fine, bits):
            return f"the ball of generator {g} is not shown to hold a root of its relation"
    for j, (x, (re, im)) in enumerate(zip(root, centre, strict=True)):
        if not system.generators:
            value = x.get((0,) * system.size, Fraction(0))
            if im or abs(value - re) > radius:
                return f"coordinate {j} of the root lies outside the stated ball"
            continue
        value_box = enclose({e[system.unknowns :]: c for e, c in x.items()}, boxes, bits)
        if not value_box.lies_within(re, im, radius):
            return f"coordinate {j} of the root lies outside the stated ball"
    return None


def _generator_boxes(system: StatedSystem, statement: Mapping[str, object]) -> list[Box]:
    fine = read_number(statement["generator_radius"])
    near = [read_box(entry) for entry in _listed(statement["generators"], "generators", system.generators)]
    return [Box.around(*point, fine, scale_of(fine)) for point in near]


def _are_small(
    system: StatedSystem, statement: Mapping[str, object], changes: Iterable[Iterable[Terms]], most: Fraction
) -> bool:
    """Tell whether all numbers of the field have absolute values up to a bound, for the generators in their balls."""
    if not system.generators:
        return all(abs(c) <= most for row in changes for number in row for c in number.values())
    boxes, bits = _generator_boxes(system, statement), scale_of(read_number(statement["generator_radius"]))
    return all(enclose(number, boxes, bits).size <= most * (1 << bits) for row in changes for number in row)


def _changed(f: Terms, monomials: Sequence[Exponents], numbers: Sequence[Terms]) -> Terms:
    """Subtract numbers of the field times monomials."""
    pairs = zip(monomials, numbers, strict=True)
    return plus(f, {(*b, *e): -c for b, number in pairs for e, c in number.items()})


def _moved(system: StatedSystem, root: Sequence[Terms]) -> list[Terms]:
    """Return the equations with the root moved to the origin."""
    size = system.size
    values = []
    for j in range(size):
        unit: Terms = {tuple(int(i == j) for i in range(size)): Fraction(1)}
        values.append(plus(unit, root[j]) if j < system.unknowns else unit)
    return [substituted(f, values, size, system) for f in system.equations]


def _pairing_defect(system: StatedSystem, monomials: Sequence[Exponents], basis: Sequence[Terms]) -> str | None:
    n = system.unknowns
    one = (0,) * system.generators
    for i, functional in enumerate(basis):
        for k, b in enumerate(monomials):
            found = {e[n:]: c for e, c in functional.items() if e[:n] == b}
            if found != ({one: Fraction(1)} if i == k else {}):
                return f"functional {i} has another value than {int(i == k)} at monomial {k}"
        if any(sum(e[:n]) > sum(monomials[i]) for e in functional):
            return f"functional {i} has a higher order than its monomial"
    return None


def _claims_defect(statement: Mapping[str, object], monomials: Sequence[Exponents]) -> str | None:
    degrees = [sum(b) for b in monomials]
    counts = [degrees.count(t) for t in range(max(degrees) + 1)]
    if statement["multiplicity"] != len(monomials):
        return (
            f"the dual space has dimension {len(monomials)}, the statement says {str(statement['multiplicity'])[:20]}"
        )
    if statement["hilbert_function"] != counts:
        return f"the Hilbert function is {counts}, the statement says {str(statement['hilbert_function'])[:60]}"
    return None


def _lowered(functional: Terms, j: int) -> Terms:
    return {(*e[:j], e[j] - 1, *e[j + 1 :]): c for e, c in functional.items() if e[j]}


def _span_defect(
    system: StatedSystem, monomials: Sequence[Exponents], basis: Sequence[Terms], moved: Sequence[Terms]
) -> str | None:
    n = system.unknowns
    for i, functional in enumerate(basis):
        for j in range(n):
            image = _lowered(functional, j)
            coordinates = _coordinates(image, monomials, n)
            pieces = [system.reduce(times(_embedded(c, n), basis[m])) for m, c in coordinates.items()]
            if plus(image, *({e: -c for e, c in piece.items()} for piece in pieces)):
                return f"multiplication by variable {j} leads functional {i} out of the space"
        for k, f in enumerate(moved):
            if _paired(system, functional, f):
                return f"functional {i} does not vanish on polynomials[{k}]"
    return None


def _coordinates(image: Terms, monomials: Sequence[Exponents], n: int) -> dict[int, Terms]:
    """Return the coefficients at the monomials: coordinates of an element of the span, as numbers of the field."""
    place = {b: m for m, b in enumerate(monomials)}
    found: dict[int, Terms] = {}
    for e, c in image.items():
        if e[:n] in place:
            found.setdefault(place[e[:n]], {})[e[n:]] = c
    return found


def _embedded(number: Terms, n: int) -> Terms:
    return {((0,) * n + e): c for e, c in number.items()}


def _paired(system: StatedSystem, functional: Terms, f: Terms) -> Terms:
    """Return the value of a functional at a polynomial, a number of the field."""
    n = system.unknowns
    by_monomial: dict[Exponents, Terms] = {}
    for e, c in f.items():
        by_monomial.setdefault(e[:n], {})[e[n:]] = c
    products = [times({e[n:]: c}, by_monomial[e[:n]]) for e, c in functional.items() if e[:n] in by_monomial]
    return system.reduce(plus(*products))


def _completeness_defect(
    system: StatedSystem, monomials: Sequence[Exponents], basis: Sequence[Terms], moved: Sequence[Terms]
) -> str | None:
    n, s = system.unknowns, len(basis)
    images = [[_coordinates(_lowered(functional, j), monomials, n) for functional in basis] for j in range(n)]
    rows: list[dict[int, Terms]] = []
    for j in range(n):
        for k in range(j + 1, n):
            block: list[dict[int, Terms]] = [{} for _ in range(s)]
            for i in range(s):
                for m, c in images[k][i].items():
                    block[m][j * s + i] = c
                for m, c in images[j][i].items():
                    block[m][k * s + i] = {e: -x for e, x in c.items()}
            rows += block
    rows += [_equation_row(system, basis, f) for f in moved]
    wanted = (n * s - (s - 1)) * system.degree
    expanded = list(_rational_rows(system, rows))
    for prime in PRIMES:
        rank = _rank(expanded, prime)
        if rank is not None and rank >= wanted:
            return None
    return "the functionals are not shown to be all: the multiplicity may be higher"


def _equation_row(system: StatedSystem, basis: Sequence[Terms], f: Terms) -> dict[int, Terms]:
    """Return the condition that a functional vanishes at f, in the coordinates of its images."""
    n, s = system.unknowns, len(basis)
    row: dict[int, Terms] = {}
    parts: dict[int, dict[Exponents, Terms]] = {}
    for e, c in f.items():
        j = next(j for j in range(n) if e[j])
        lowered = (*e[:j], e[j] - 1, *e[j + 1 : n])
        parts.setdefault(j, {}).setdefault(lowered, {})[e[n:]] = c
    for j, part in parts.items():
        for i, functional in enumerate(basis):
            products = [times({e[n:]: c}, part[e[:n]]) for e, c in functional.items() if e[:n] in part]
            value = system.reduce(plus(*products))
            if value:
                row[j * s + i] = value
    return row


def _rational_rows(system: StatedSystem, rows: Iterable[dict[int, Terms]]) -> Iterable[dict[int, Fraction]]:
    """Replace every number of the field by the matrix of its multiplication."""
    basis = system.basis()
    place = {e: i for i, e in enumerate(basis)}
    for row in rows:
        block: list[dict[int, Fraction]] = [{} for _ in basis]
        for column, number in row.items():
            for j, e in enumerate(basis):
                for image, c in system.reduce(times(number, {e: Fraction(1)})).items():
                    block[place[image]][column * len(basis) + j] = c
        yield from block


def _rank(rows: Iterable[dict[int, Fraction]], prime: int) -> int | None:
    """Return the rank modulo a prime; None where a denominator is divisible by it."""
    pivots: dict[int, dict[int, int]] = {}
    for fractions in sorted(rows, key=len):
        row: dict[int, int] = {}
        for column, entry in fractions.items():
            if entry.denominator % prime == 0:
                return None
            residue = entry.numerator * pow(entry.denominator, -1, prime) % prime
            if residue:
                row[column] = residue
        while row:
            column = min(row)
            pivot = pivots.get(column)
            if pivot is None:
                inverse = pow(row[column], -1, prime)
                pivots[column] = {c: x * inverse % prime for c, x in row.items()}
                break
            factor = row[column]
            for c, x in pivot.items():
                value = (row.get(c, 0) - factor * x) % prime
                if value:
                    row[c] = value
                else:
                    row.pop(c, None)
    return len(pivots)
