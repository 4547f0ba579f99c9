"""Decide whether schemes are equal up to permutation and rescaling, and tell apart those that are not by invariants.

Sandwiching A, B and C between invertible matrices maps the tensor of a matrix product to itself (de Groote, "On
varieties of optimal algorithms for the computation of bilinear mappings", 1978). This action of GL_n x GL_m x GL_p
keeps the ranks of the three matrices of a product, and keeps proportional factors proportional. Schemes that differ
there lie in different orbits; agreement decides nothing.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flipforge.errors import RingError
from flipforge.rings import Element
from flipforge.schemes._costs import costs
from flipforge.schemes._scheme import Scheme

__all__ = ["Comparison", "compare"]

_INVARIANT = {
    "rank": "their ranks differ",
    "factor_ranks": "their products have matrices of other ranks",
    "distinct_factors": "they have other numbers of distinct factors",
    "flips": "they have other numbers of flips",
}
"""What the GL action keeps, with the words for a difference."""


@dataclass(frozen=True)
class Comparison:
    """Outcome of a comparison.

    Attributes
    ----------
    equal
        True for the same scheme up to permutation of products and rescaling of factors, and only then.
    reason
        Why, in one line.
    invariants
        For ``"a"`` and ``"b"``: ID, ring, rank, additions, nonzeros; ``factor_ranks``, the number of products with
        matrices of ranks (u, v, w); ``distinct_factors`` and ``flips`` (pairs of products with proportional factors)
        for each axis.
    """

    equal: bool
    reason: str
    invariants: Mapping[str, Mapping[str, Any]]


def compare(a: Scheme, b: Scheme) -> Comparison:
    """Compare two schemes.

    Examples
    --------
    >>> from flipforge.problems import parse
    >>> from flipforge.rings import Z
    >>> from flipforge.schemes import standard_scheme
    >>> scheme = standard_scheme(parse("matmul:2x2x2"), Z)
    >>> compare(scheme, scheme).equal
    True
    """
    invariants = {"a": _invariants(a), "b": _invariants(b)}
    if a.problem != b.problem:
        return Comparison(False, f"different problems: {a.problem} and {b.problem}", invariants)
    first, second = a.canonical, b.canonical
    if first == second:
        return Comparison(True, "equal up to permutation of the products and rescaling of their factors", invariants)
    if first.ring.characteristic != second.ring.characteristic:
        return Comparison(False, _across_rings(first, second), invariants)
    if a.problem.inner:
        return Comparison(False, "not equal up to permutation and scaling; beyond that undecided", invariants)
    differing = [words for key, words in _INVARIANT.items() if invariants["a"].get(key) != invariants["b"].get(key)]
    if differing:
        return Comparison(False, f"not equivalent under the GL action, because {' and '.join(differing)}", invariants)
    reason = "not equal up to permutation and scaling; beyond that undecided: the invariants of the GL action agree"
    return Comparison(False, reason, invariants)


def _across_rings(first: Scheme, second: Scheme) -> str:
    words = f"different rings: {first.ring} and {second.ring}"
    if first.ring.characteristic and second.ring.characteristic:
        return words
    lifted, modular = (second, first) if first.ring.characteristic else (first, second)
    p = modular.ring.characteristic
    try:
        reduced = lifted.over(modular.ring).canonical
    except RingError:
        return f"{words}; the one over {lifted.ring} has no residues modulo {p}"
    same = "reduces to the other" if reduced == modular else "does not reduce to the other"
    return f"{words}; the one over {lifted.ring} {same} modulo {p}"


def _invariants(scheme: Scheme) -> dict[str, Any]:
    count = costs(scheme)
    form = scheme.canonical
    result: dict[str, Any] = {
        "id": scheme.id,
        "problem": scheme.problem.name,
        "ring": form.ring.name,
        "rank": count.rank,
        "additions": count.additions,
        "nonzeros": count.nonzeros,
        "distinct_factors": {},
        "flips": {},
    }
    if scheme.problem.kind == "matmul":
        _, m, p = scheme.problem.dims
        axes = ((form.u, m), (form.v, p), (form.w, p))
        ranks = zip(*(map(_rank_of(form, columns), rows) for rows, columns in axes), strict=True)
        triples = sorted(Counter(ranks).items())
        result["factor_ranks"] = {",".join(map(str, triple)): number for triple, number in triples}
    for axis in "uvw":
        classes = Counter(_direction(row, form.ring.characteristic) for row in getattr(form, axis))
        result["distinct_factors"][axis] = len(classes)
        result["flips"][axis] = sum(size * (size - 1) // 2 for size in classes.values())
    return result


def _rank_of(scheme: Scheme, columns: int) -> Callable[[Sequence[Element]], int]:
    characteristic = scheme.ring.characteristic
    return lambda row: matrix_rank([row[i : i + columns] for i in range(0, len(row), columns)], characteristic)


def matrix_rank(rows: Sequence[Sequence[Element]], characteristic: int) -> int:
    """Return the exact rank over Q or GF(p), by elimination without division."""
    left = [list(row) for row in rows if any(row)]
    rank = 0
    while left:
        pivot = left.pop()
        column = next((j for j, x in enumerate(pivot) if x), None)
        if column is None:
            continue
        rank += 1
        lead = pivot[column]
        for row in left:
            if factor := row[column]:
                reduced = (lead * x - factor * y for x, y in zip(row, pivot, strict=True))
                row[:] = (x % characteristic for x in reduced) if characteristic else reduced
    return rank


def _direction(row: Sequence[Element], characteristic: int) -> tuple[Element, ...]:
    """Return the row scaled so that proportional rows are equal."""
    lead = next((x for x in row if x), None)
    if lead is None:
        return tuple(row)
    if characteristic:
        inverse = pow(int(lead), -1, characteristic)
        return tuple(int(x) * inverse % characteristic for x in row)
    return tuple(Fraction(x) / lead for x in row)
