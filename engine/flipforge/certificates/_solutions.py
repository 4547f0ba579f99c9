"""The kind ``solutions``: roots of a system, simple and singular, and how many more there can be.

A simple root of a square system stands as a ball in which the tests of the kind ``roots`` show exactly one root, which
is simple. Any other one stands as an exact point with its dual space, as in the kind ``dual_space``, and counts as
often as that has dimensions. The isolated roots of a system in n unknowns, counted with multiplicity, are at most as
many as the product of its n greatest degrees (Bezout; see `_bezout_bound`), and no more than the dimension of the
quotient by the ideal. So the rank of the statement, this bound less the roots that are shown, is how many there can be
beside them.

Of more equations than unknowns balls show no root. Those in ``open`` hold one of a square subsystem, at which the other
equations may vanish; they are told apart from the roots and count for nothing.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import Any

from flipforge.certificates._algebra import StatedSystem, read_number, read_system
from flipforge.certificates._certificate import Certificate, Verdict
from flipforge.certificates._dual_space import dual_space_defect
from flipforge.certificates._existence import SquareSystem
from flipforge.certificates._gaussian import Complex
from flipforge.certificates._intervals import Box, contains_relation_root, enclose, read_box, scale_of
from flipforge.certificates._root_set import (
    bound_on_roots,
    distinctness_defect,
    existence_defect,
    read_points,
    reality_defect,
    square_part,
)
from flipforge.errors import MalformedError

__all__ = ["check_solutions"]


def check_solutions(certificate: Certificate) -> Verdict:
    """Decide what is stated of the solutions of a system.

    Statement: ``system``; ``roots``, ``radius`` and ``real`` of the simple roots of a square system, as in the kind
    ``roots``; ``singular``, a list of statements of the kind ``dual_space`` about the same equations; ``bound`` on the
    number of roots with multiplicity, and ``by``, which is ``"bezout"`` or ``"quotient"``; ``rank``, the bound less the
    roots shown. For a system over a larger field than Q also ``generators``: centres of balls of the same radius, each
    of which holds one root of the relation. For one with more equations than unknowns ``open``, a list of objects with
    the ``rows`` of a square subsystem and a ``centre``. Witness: ``proofs``, and ``steps`` for ``quotient``, as in the
    kind ``roots``; ``duals``, the witness of each exact root.
    """
    statement, witness = certificate.statement, certificate.witness
    system, radius = read_system(statement["system"]), read_number(statement["radius"])
    if radius <= 0:
        raise MalformedError("the radius must be positive")
    if statement["by"] not in ("bezout", "quotient"):
        raise MalformedError("by must be bezout or quotient")
    points, flags = read_points(statement["roots"], system), statement["real"]
    if points and len(system.equations) != system.unknowns:
        raise MalformedError("balls are roots of a square system only; others may be open")
    singular, duals, maybe = statement["singular"], witness["duals"], statement.get("open", [])
    if not all(isinstance(part, list) for part in (singular, duals, maybe)) or len(singular) != len(duals):
        raise MalformedError("singular and duals must be lists of one length, and open a list")
    centres = [*points, *read_points([each["centre"] for each in maybe], system)]
    near = [read_box(entry) for entry in statement.get("generators", [])]
    balls = [_exact_ball(each, system, near, radius) for each in singular]
    fault = (
        _generators_defect(system, near, centres, radius)
        or (existence_defect(SquareSystem(system.extended), points, radius, witness["proofs"]) if points else None)
        or reality_defect(system, points, radius, flags)
        or _open_defect(system, [each["rows"] for each in maybe], centres[len(points) :], radius, witness["proofs"])
    )
    for number, (each, dual) in enumerate(zip(singular, duals, strict=True)):
        defect = None if fault else dual_space_defect(each, dual)
        fault = fault or (f"singular root {number}: {defect}" if defect else None)
    places = [point[: system.unknowns] for point in centres]
    fault = fault or distinctness_defect(
        [*places, *(centre for centre, _ in balls)], [radius] * len(places) + [r for _, r in balls]
    )
    found = len(points) + sum(each["multiplicity"] for each in singular)
    fault = fault or _bound_defect(statement, _bound(system, statement["by"], witness), found)
    return Verdict("REFUTED", fault) if fault else Verdict("PROVED", _reason(statement, found))


def _exact_ball(
    statement: Any, system: StatedSystem, near: Sequence[Complex], radius: Fraction
) -> tuple[Sequence[Complex], Fraction]:
    """Return the ball of an exact root, whose statement must be about the same equations, over this field or more."""
    own = read_system(statement["system"])
    more = own.generators - system.generators
    padded = tuple({(*e, *[0] * more): c for e, c in f.items()} for f in system.equations)
    if own.unknowns != system.unknowns or more < 0 or own.equations != padded:
        raise MalformedError("a singular root is one of another system")
    if own.relations[: system.generators] != system.relations:
        raise MalformedError("a singular root is one over another field")
    # What the proof of this root shows of a generator must be about the root of its relation that is meant here.
    fine = read_number(statement["generator_radius"])
    for mine, other in zip(near, map(read_box, statement["generators"]), strict=False):
        if any(abs(x - y) + fine > radius for x, y in zip(mine, other, strict=True)):
            raise MalformedError("a singular root is one for other values of the generators")
    return [read_box(entry) for entry in statement["centre"]], read_number(statement["radius"])


def _generators_defect(
    system: StatedSystem, near: Sequence[Complex], points: Sequence[Sequence[Complex]], radius: Fraction
) -> str | None:
    """Check that the generators are told, and that they are the same for all points."""
    if len(near) != system.generators:
        raise MalformedError(f"generators must be a list of {system.generators} centres")
    for g, (relation, centre) in enumerate(zip(system.relations, near, strict=True)):
        if not contains_relation_root(relation, centre, radius, scale_of(radius)):
            return f"the ball of generator {g} is not shown to hold one root of its relation"
    if any(list(point[system.unknowns :]) != list(near) for point in points):
        raise MalformedError("a root has other generators than those stated")
    return None


def _open_defect(
    system: StatedSystem, chosen: Sequence[Any], points: Sequence[Sequence[Complex]], radius: Fraction, proofs: Any
) -> str | None:
    """Check that each ball holds a root of a square subsystem, at which no other equation is bound to differ from 0."""
    bits = scale_of(radius)
    for number, (rows, point) in enumerate(zip(chosen, points, strict=True)):
        square, rest = square_part(system, rows)
        fault = existence_defect(square, [point], radius, proofs)
        if fault:
            return f"open ball {number}: {fault}"
        boxes = [Box.around(re, im, radius, bits) for re, im in point]
        for k, f in rest:
            if not enclose(f, boxes, bits).holds_zero:
                return f"open ball {number}: polynomials[{k}] does not vanish within it"
    return None


def _bound(system: StatedSystem, by: object, witness: Any) -> int | None:
    if by == "bezout":
        return _bezout_bound(system)
    if system.generators:
        raise MalformedError("the quotient bounds the number of roots over Q only")
    return bound_on_roots(system, by, witness)


def _bezout_bound(system: StatedSystem) -> int:
    """Return the product of the n greatest degrees in the n unknowns.

    For degrees d_1 >= ... >= d_m let g_i be f_i plus generic multiples, of degree d_i, of the equations after it. Then
    a component of g_k = ... = g_n = 0 of more than k - 1 dimensions lies in f_k = ... = f_m = 0. That is shown from k =
    n down: a generic g_k vanishes on a component only if all of these do, and on one that had too many dimensions
    before it is f_k. For k = 1 it says that an isolated root of the f is one of the square system of the g. There its
    multiplicity is no less, since the g lie in the ideal of the f, and the sum of these is at most the product of the
    d_i (Fulton, "Intersection theory", 12.3).
    """
    degrees = [max(sum(e[: system.unknowns]) for e in f) for f in system.equations]
    if len(degrees) < system.unknowns:
        raise MalformedError("there are fewer equations than unknowns")
    return prod(sorted(degrees, reverse=True)[: system.unknowns])


def _bound_defect(statement: Any, bound: int | None, found: int) -> str | None:
    if bound is None or statement["bound"] != bound:
        return f"the bound on the number of roots is {'infinite' if bound is None else bound}, not what is stated"
    if statement["rank"] != bound - found:
        return f"{found} roots are shown and {bound} possible, which is not what the rank says"
    return None


def _reason(statement: Any, found: int) -> str:
    orders = [each["multiplicity"] for each in statement["singular"]]
    parts = [f"{len(statement['roots'])} simple, {sum(1 for flag in statement['real'] if flag)} of them real"]
    if not statement["roots"] and 1 in orders:
        parts = []
    if 1 in orders:
        parts.append(f"{orders.count(1)} simple and exact")
    if more := [each for each in orders if each > 1]:
        parts.append(f"{len(more)} singular of multiplicity {', '.join(map(str, more))}")
    if maybe := statement.get("open"):
        what = "is a ball" if len(maybe) == 1 else f"are {len(maybe)} balls"
        parts.append(f"beside them {what} with a root of as many equations as unknowns, the others not shown to vanish")
    left = f"at most {statement['rank']} more" if statement["rank"] else "which are all"
    return f"{found} roots with multiplicity, {left}: {'; '.join(parts)}"
