"""The kind ``residual``: how small equations are at a point, which is evidence of a root and no proof."""

from flipforge.certificates._algebra import read_number, read_system
from flipforge.certificates._certificate import Certificate, Verdict
from flipforge.certificates._gaussian import evaluate, squared_size
from flipforge.certificates._intervals import read_box
from flipforge.errors import MalformedError

__all__ = ["check_residual"]


def check_residual(certificate: Certificate) -> Verdict:
    """Decide whether no equation, nor relation of a generator, exceeds ``residual`` at the ``centre``."""
    statement = certificate.statement
    system, most, rows = read_system(statement["system"]), read_number(statement["residual"]), statement["centre"]
    if not isinstance(rows, list) or len(rows) != system.size:
        raise MalformedError(f"centre must hold {system.size} numbers, those of the generators among them")
    point = [read_box(entry) for entry in rows]
    for k, f in enumerate(system.extended):
        if squared_size([evaluate(f, point)]) > most**2:
            return Verdict("REFUTED", f"equation {k} is larger than {float(most):.3g} at the centre")
    return Verdict("EVIDENCE", f"the equations are at most {float(most):.3g} at the centre; no root is proven")
