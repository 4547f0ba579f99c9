"""Certificates: statements with witnesses, decided on plain ``int`` and ``Fraction``.

This package is the only place where a proof is decided. It imports nothing of the search: no kernel, no packed
arithmetic, no float. One kind of EVIDENCE takes floating-point numbers with bounded errors (`_terracini`), and says so.
"""

from flipforge.certificates._approximate import check_approximate
from flipforge.certificates._border import border_defect
from flipforge.certificates._brent import brent_defect
from flipforge.certificates._certificate import Certificate, Verdict, check, register_checker
from flipforge.certificates._dual_space import check_dual_space
from flipforge.certificates._equivariant_kind import MAX_GRAM, check_equivariant_basis
from flipforge.certificates._identity import check_identity, check_no_identity
from flipforge.certificates._layer import LAYER_GROUPS, check_layer, layer_defect
from flipforge.certificates._nearby_root import check_nearby_root
from flipforge.certificates._nearby_structure import check_nearby_structure
from flipforge.certificates._obstruction import check_obstruction, obstruction_defect
from flipforge.certificates._orbits import MOST_ELEMENTS
from flipforge.certificates._residual import check_residual
from flipforge.certificates._root_set import check_roots
from flipforge.certificates._signs import check_signs, sign_clauses, sign_equations, sign_places
from flipforge.certificates._solutions import check_solutions
from flipforge.certificates._symmetric import MAX_FLOAT_TERRACINI, MAX_TERRACINI
from flipforge.certificates._symmetric_kind import check_symmetric
from flipforge.certificates._ties import MOST_DEPENDENT, MOST_LEGS

__all__ = [
    "LAYER_GROUPS",
    "MAX_FLOAT_TERRACINI",
    "MAX_GRAM",
    "MAX_TERRACINI",
    "MOST_DEPENDENT",
    "MOST_ELEMENTS",
    "MOST_LEGS",
    "Certificate",
    "Verdict",
    "border_defect",
    "brent_defect",
    "check",
    "layer_defect",
    "obstruction_defect",
    "register_checker",
    "sign_clauses",
    "sign_equations",
    "sign_places",
]

register_checker("equivariant-basis", check_equivariant_basis)
register_checker("layer", check_layer)
register_checker("obstruction", check_obstruction)
register_checker("signs", check_signs)
register_checker("approximate", check_approximate)
register_checker("symmetric", check_symmetric)
register_checker("identity", check_identity)
register_checker("no_identity", check_no_identity)
register_checker("dual_space", check_dual_space)
register_checker("roots", check_roots)
register_checker("solutions", check_solutions)
register_checker("nearby_root", check_nearby_root)
register_checker("nearby_structure", check_nearby_structure)
register_checker("residual", check_residual)
