"""Floor 1: exact linear algebra over GF(p) and Q, p-adic digits and rational reconstruction.

One facade over interchangeable back ends: `factor` finds a largest invertible minor of a matrix, and rank, reduced
form, null space, solutions and proofs that there is none follow from it. `solve_integers` and `integer_kernel` work
over Z. `flipforge.exact.padic` goes on from GF(p) to
Z/p^k and Q.
"""

from flipforge.exact._factor import (
    BACKENDS,
    Factorisation,
    Solution,
    echelon,
    factor,
    inverse,
    null_space,
    rank,
    solve,
)
from flipforge.exact._lattice import integer_kernel, solve_integers
from flipforge.exact._matrix import Sparse, multiply

__all__ = [
    "BACKENDS",
    "Factorisation",
    "Solution",
    "Sparse",
    "echelon",
    "factor",
    "integer_kernel",
    "inverse",
    "multiply",
    "null_space",
    "rank",
    "solve",
    "solve_integers",
]
