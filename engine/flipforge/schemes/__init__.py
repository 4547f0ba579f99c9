"""Schemes: frozen values with a canonical form, an ID, costs and file formats."""

from flipforge.schemes._calls import RecursiveCalls, asymptotic_factor, call_codes, call_kinds, recursive_calls
from flipforge.schemes._compare import Comparison, compare
from flipforge.schemes._costs import Costs, costs, growth, magnitudes
from flipforge.schemes._scheme import ID_LENGTH, Rows, Scheme
from flipforge.schemes._show import describe, describe_latex
from flipforge.schemes._standard import first_schemes, standard_rank, standard_scheme, winograd_scheme
from flipforge.schemes._symmetry import SYMMETRY_FORMAT, Generator, Symmetry, image, is_invariant, symmetry, symmetry_of

__all__ = [
    "ID_LENGTH",
    "SYMMETRY_FORMAT",
    "Comparison",
    "Costs",
    "Generator",
    "RecursiveCalls",
    "Rows",
    "Scheme",
    "Symmetry",
    "asymptotic_factor",
    "call_codes",
    "call_kinds",
    "compare",
    "costs",
    "describe",
    "describe_latex",
    "first_schemes",
    "growth",
    "image",
    "is_invariant",
    "magnitudes",
    "recursive_calls",
    "standard_rank",
    "standard_scheme",
    "symmetry",
    "symmetry_of",
    "winograd_scheme",
]
