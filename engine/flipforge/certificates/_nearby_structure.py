"""The kind ``nearby_structure``: a system near the given one has a root of exactly this multiplicity structure.

The root x and a basis L_1 .. L_r of functionals with monomials b_1 .. b_r are exact, with L_i((X - x)^b_k) = [i = k],
and the multiplications by the variables keep their span. So the equations

    f_k - sum_i L_i(f_k) (X - x)^b_i

vanish under every L_i, and what is left to show is that the L_i are the whole dual space of these, as in the kind
``dual_space``. The changes are the numbers L_i(f_k). The structure is a point of the punctual Hilbert scheme that the
witness brings along, so that it may have any breadth, and there may be more equations than unknowns (Mantzaflaris,
Mourrain, Szanto, "Punctual Hilbert schemes and certified approximate singularities", 2020).
"""

from flipforge.certificates._algebra import read_number
from flipforge.certificates._certificate import Certificate, Verdict
from flipforge.certificates._dual_space import dual_space_defect
from flipforge.errors import MalformedError

__all__ = ["check_nearby_structure"]


def check_nearby_structure(certificate: Certificate) -> Verdict:
    """Decide the kind ``nearby_structure``.

    Statement and witness are those of the kind ``dual_space``, and ``perturbation`` bounds every change.
    """
    statement = certificate.statement
    most = read_number(statement["perturbation"])
    if most < 0:
        raise MalformedError("the perturbation is negative")
    defect = dual_space_defect(statement, certificate.witness, most)
    if defect is not None:
        return Verdict("REFUTED", defect)
    order, counts = statement["multiplicity"], ", ".join(map(str, statement["hilbert_function"]))
    near = f"a system that differs by at most {float(most):.3g} in each of {order} coefficients of an equation"
    return Verdict("PROVED", f"{near} has at the point a root of multiplicity {order}, with Hilbert function {counts}")
