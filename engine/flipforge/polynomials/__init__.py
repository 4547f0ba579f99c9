"""Polynomial systems over number fields and what can be proved of their roots."""

from flipforge.polynomials._classics import cyclic, katsura, lines_on_cubic
from flipforge.polynomials._dual import DualSpace, dual_space, macaulay_dual_space
from flipforge.polynomials._families import colouring, graph_named, pigeonhole
from flipforge.polynomials._field import RATIONALS, Field, Generator
from flipforge.polynomials._ideal import (
    Ideal,
    IdentityProblem,
    ideal_of_statement,
    identity_problem,
    parse_ideal,
    read_ideal,
)
from flipforge.polynomials._identity import (
    exact_values,
    find_identity,
    identity_certificate,
    least_system,
    values_modulo,
)
from flipforge.polynomials._parse import Parsed, parse_texts
from flipforge.polynomials._root_sets import RootSet, certify_all
from flipforge.polynomials._roots import CertifiedRoot, certify_root
from flipforge.polynomials._solutions import (
    RootBound,
    Solutions,
    SystemProblem,
    more_solutions,
    root_bound,
    solutions_certificate,
    solutions_of,
    system_of_statement,
    system_problem,
)
from flipforge.polynomials._system import System, parse_system, parse_text, read_system
from flipforge.polynomials._terms import Exponents, Polynomial, Terms

__all__ = [
    "RATIONALS",
    "CertifiedRoot",
    "DualSpace",
    "Exponents",
    "Field",
    "Generator",
    "Ideal",
    "IdentityProblem",
    "Parsed",
    "Polynomial",
    "RootBound",
    "RootSet",
    "Solutions",
    "System",
    "SystemProblem",
    "Terms",
    "certify_all",
    "certify_root",
    "colouring",
    "cyclic",
    "dual_space",
    "exact_values",
    "find_identity",
    "graph_named",
    "ideal_of_statement",
    "identity_certificate",
    "identity_problem",
    "katsura",
    "least_system",
    "lines_on_cubic",
    "macaulay_dual_space",
    "more_solutions",
    "parse_ideal",
    "parse_system",
    "parse_text",
    "parse_texts",
    "pigeonhole",
    "read_ideal",
    "read_system",
    "root_bound",
    "solutions_certificate",
    "solutions_of",
    "system_of_statement",
    "system_problem",
    "values_modulo",
]
