"""The kind ``solutions``: roots of a square system over Q, simple and singular, and how many more there can be.

A simple root stands as a ball in which the tests of the kind ``roots`` show exactly one root, which is simple. A
singular one stands as an exact point with its dual space, as in the kind ``dual_space``, and counts as often as that
has dimensions. The isolated roots of a square system, counted with multiplicity, are at most as many as the product of
the degrees (Bezout; Fulton, "Intersection theory", 12.3), and no more than the dimension of the quotient by the ideal.
So the rank of the statement, this bound less the roots that are shown, is how many there can be beside them.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flipforge.certificates._algebra import StatedSystem, read_number, read_system
from flipforge.certificates._certificate import Certificate, Verdict
from flipforge.certificates._dual_space import dual_space_defect
from flipforge.certificates._existence import SquareSystem
from flipforge.certificates._gaussian import Complex
from flipforge.certificates._intervals import read_box
from flipforge.certificates._root_set import (
    bound_on_roots,
    distinctness_defect,
    existence_defect,
    read_points,
    reality_defect,
)
from flipforge.errors import MalformedError

__all__ = ["check_solutions"]


def check_solutions(certificate: Certificate) -> Verdict:
    """Decide what is stated of the solutions of a system.

    Statement: ``system``, square and over Q; ``roots``, ``radius`` and ``real`` of the simple roots, as in the kind
    ``roots``; ``singular``, a list of statements of the kind ``dual_space`` about the same equations; ``bound`` on the
    number of roots with multiplicity, and ``by``, which is ``"bezout"`` or ``"quotient"``; ``rank``, the bound less the
    roots shown. Witness: ``proofs``, and ``steps`` for ``quotient``, as in the kind ``roots``; ``duals``, the witness
    of each singular root.
    """
    statement, witness = certificate.statement, certificate.witness
    system, radius = read_system(statement["system"]), read_number(statement["radius"])
    if system.generators or len(system.equations) != system.unknowns or radius <= 0:
        raise MalformedError("the system must be square and over Q, and the radius positive")
    if statement["by"] not in ("bezout", "quotient"):
        raise MalformedError("by must be bezout or quotient")
    points, flags = read_points(statement["roots"], system), statement["real"]
    singular, duals = statement["singular"], witness["duals"]
    if not isinstance(singular, list) or not isinstance(duals, list) or len(singular) != len(duals):
        raise MalformedError("singular and duals must be lists of one length")
    balls = [_singular_ball(each, system) for each in singular]
    fault = existence_defect(SquareSystem(system.equations), points, radius, witness["proofs"]) or reality_defect(
        system, points, radius, flags
    )
    for number, (each, dual) in enumerate(zip(singular, duals, strict=True)):
        defect = None if fault else dual_space_defect(each, dual)
        fault = fault or (f"singular root {number}: {defect}" if defect else None)
    fault = fault or distinctness_defect(
        [*points, *(centre for centre, _ in balls)], [radius] * len(points) + [r for _, r in balls]
    )
    found = len(points) + sum(each["multiplicity"] for each in singular)
    fault = fault or _bound_defect(statement, bound_on_roots(system, statement["by"], witness), found)
    return Verdict("REFUTED", fault) if fault else Verdict("PROVED", _reason(statement, found))


def _singular_ball(statement: Any, system: StatedSystem) -> tuple[Sequence[Complex], Fraction]:
    """Return the ball of a singular root, whose statement must be about the same equations, over whatever field."""
    own = read_system(statement["system"])
    padded = tuple({(*e, *[0] * own.generators): c for e, c in f.items()} for f in system.equations)
    if own.unknowns != system.unknowns or own.equations != padded:
        raise MalformedError("a singular root is one of another system")
    return [read_box(entry) for entry in statement["centre"]], read_number(statement["radius"])


def _bound_defect(statement: Any, bound: int | None, found: int) -> str | None:
    if bound is None or statement["bound"] != bound:
        return f"the bound on the number of roots is {'infinite' if bound is None else bound}, not what is stated"
    if statement["rank"] != bound - found:
        return f"{found} roots are shown and {bound} possible, which is not what the rank says"
    return None


def _reason(statement: Any, found: int) -> str:
    parts = [f"{len(statement['roots'])} simple, {sum(1 for flag in statement['real'] if flag)} of them real"]
    if statement["singular"]:
        orders = ", ".join(str(each["multiplicity"]) for each in statement["singular"])
        parts.append(f"{len(statement['singular'])} singular of multiplicity {orders}")
    more = f"at most {statement['rank']} more" if statement["rank"] else "which are all"
    return f"{found} roots with multiplicity, {more}: {'; '.join(parts)}"
