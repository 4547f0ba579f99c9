"""Proofs that a scheme over GF(2) has no ternary lift, exactly.

A lift to {-1, 0, 1} has the nonzero entries of the scheme, each with a sign. An equation whose sum of products has c
terms and must be t wants (c - t)/2 negative terms. Two kinds of witness show that no signs do that:

* Parity. A term is negative iff an odd number of its three signs are. So each equation says that the sum of the sign
  bits of all its terms is (c - t)/2 modulo 2, and equations in which every sign bit cancels while the right sides add
  up to 1 contradict each other.
* Clauses. `sign_clauses` writes the equations as clauses that the signs of every lift satisfy. A list of more clauses,
  each of which follows from those before it by unit propagation, and of which the last is empty, refutes them (Goldberg
  and Novikov, "Verification of proofs of unsatisfiability for CNF formulas", 2003).
"""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from flipforge.certificates._brent import Index, brent_defect
from flipforge.certificates._certificate import Certificate, Verdict
from flipforge.certificates._obstruction import modular_scheme
from flipforge.certificates._unit import follows
from flipforge.errors import MalformedError

__all__ = ["check_signs", "sign_clauses", "sign_equations", "sign_places"]

Row = Sequence[int]
Place = tuple[int, int, int]
"""(axis, product, coordinate) of a nonzero entry."""


def sign_places(u: Sequence[Row], v: Sequence[Row], w: Sequence[Row]) -> dict[Place, int]:
    """Number the nonzero entries from 1 on: u, then v, then w, product by product."""
    places = [
        (axis, q, i)
        for axis, rows in enumerate((u, v, w))
        for q, row in enumerate(rows)
        for i, x in enumerate(row)
        if x
    ]
    return {place: number for number, place in enumerate(places, 1)}


def sign_equations(
    tensor: Mapping[Index, int], u: Sequence[Row], v: Sequence[Row], w: Sequence[Row]
) -> dict[Index, tuple[list[int], int]]:
    """Return for each equation the products that have a term in it, and how many of these must be negative.

    Equations without a term whose target is 0 are left out. The number may lie outside 0..c, where no signs will do.
    """
    found: dict[Index, list[int]] = {index: [] for index in tensor}
    for q, rows in enumerate(zip(u, v, w, strict=True)):
        a, b, c = ([i for i, x in enumerate(row) if x] for row in rows)
        for i in a:
            for j in b:
                for k in c:
                    found.setdefault((i, j, k), []).append(q)
    return {index: (terms, (len(terms) - tensor.get(index, 0)) // 2) for index, terms in sorted(found.items())}


def sign_clauses(tensor: Mapping[Index, int], u: Sequence[Row], v: Sequence[Row], w: Sequence[Row]) -> list[list[int]]:
    """Write what the signs of a lift must be as clauses; literal n says that entry n of `sign_places` is negative.

    The first sign of each u and v is positive: factors may be multiplied by -1 in pairs. Further variables are defined
    by the signs: one for each pair of entries of u and v of a product (their signs differ), one for each term (it is
    negative), and counters: at least j of the first i terms are negative.
    """
    places = sign_places(u, v, w)
    fresh = count(len(places) + 1)
    firsts: set[tuple[int, int]] = set()
    clauses: list[list[int]] = []
    for (axis, q, _), number in places.items():
        if axis < 2 and (axis, q) not in firsts:
            firsts.add((axis, q))
            clauses.append([-number])
    pairs: dict[tuple[int, int, int], int] = {}
    for (i, j, k), (terms, wanted) in sign_equations(tensor, u, v, w).items():
        if not 0 <= wanted <= len(terms):
            return [[]]
        literals = []
        for q in terms:
            if (q, i, j) not in pairs:
                pairs[q, i, j] = _differ(clauses, fresh, places[0, q, i], places[1, q, j])
            literals.append(_differ(clauses, fresh, pairs[q, i, j], places[2, q, k]))
        _exactly(clauses, fresh, literals, wanted)
    return clauses


def check_signs(certificate: Certificate) -> Verdict:
    """Statement: ring GF2, rank, shape, tensor, the scheme u, v, w. Witness: parity, as [i, j, k] rows, or clauses."""
    tensor, u, v, w, p, shape = modular_scheme(certificate.statement)
    if p != 2:
        raise MalformedError(f"the ring is GF{p}; signs are those of lifts from GF2")
    defect = brent_defect(tensor, u, v, w, 2)
    if defect is not None:
        index, wanted, found = defect
        return Verdict("REFUTED", f"the scheme does not hold: coefficient {index} is {found}, the tensor has {wanted}")
    witness = certificate.witness
    if ("parity" in witness) == ("clauses" in witness):
        raise MalformedError("the witness must hold either parity or clauses")
    if "parity" in witness:
        indices = [(i, j, k) for i, j, k in witness["parity"]]
        if not all(type(x) is int and 0 <= x < size for index in indices for x, size in zip(index, shape, strict=True)):
            raise MalformedError(f"parity names an equation outside the shape {shape}")
        reason = _parity_defect(tensor, u, v, w, indices)
    else:
        reason = _clauses_defect(sign_clauses(tensor, u, v, w), witness["clauses"])
    return Verdict("REFUTED", reason) if reason else Verdict("PROVED", "no ternary scheme reduces to this one")


def _parity_defect(
    tensor: Mapping[Index, int], u: Sequence[Row], v: Sequence[Row], w: Sequence[Row], indices: Sequence[Index]
) -> str | None:
    equations = sign_equations(tensor, u, v, w)
    odd: set[Place] = set()
    right = 0
    for index in indices:
        terms, wanted = equations.get(index, ([], 0))
        right += wanted
        for q in terms:
            odd ^= {(axis, q, i) for axis, i in enumerate(index)}
    if odd:
        axis, q, i = min(odd)
        return f"the sign of {'uvw'[axis]}[{q}][{i}] does not cancel"
    return None if right % 2 else "the right sides add up to 0: these equations do not contradict each other"


def _clauses_defect(clauses: list[list[int]], proof: Any) -> str | None:
    if not isinstance(proof, list) or not all(
        isinstance(clause, list) and all(type(literal) is int and literal for literal in clause) for clause in proof
    ):
        raise MalformedError("clauses must be lists of nonzero integers")
    if [] in clauses:
        return None
    if not proof or proof[-1]:
        return "the last clause is not empty"
    place = follows(clauses, proof)
    return None if place is None else f"clause {place} does not follow from those before it by unit propagation"


def _differ(clauses: list[list[int]], fresh: "count[int]", a: int, b: int) -> int:
    """Return a variable that is true iff a and b differ."""
    c = next(fresh)
    clauses += [[-c, a, b], [-c, -a, -b], [c, -a, b], [c, a, -b]]
    return c


def _exactly(clauses: list[list[int]], fresh: "count[int]", literals: Sequence[int], wanted: int) -> None:
    """Say that so many literals are true, by counters (Sinz, "Towards an optimal CNF encoding", 2005)."""
    # least[j] is true iff more than j of the literals so far are; beyond wanted nothing need be counted.
    least: list[int] = []
    for place, literal in enumerate(literals):
        row: list[int] = []
        for j in range(min(place, wanted) + 1):
            c = next(fresh)
            row.append(c)
            before, lower = (least[j : j + 1], least[j - 1 : j] if j else [])
            # c is true iff it was before, or the literal is and one fewer was.
            clauses += [[-b, c] for b in before]
            clauses.append([-literal, *(-b for b in lower), c])
            clauses.append([-c, *before, literal])
            clauses += [[-c, *before, b] for b in lower]
        least = row
    clauses += [[-least[wanted]]] if len(least) > wanted else []
    if wanted:
        clauses.append([least[wanted - 1]])
