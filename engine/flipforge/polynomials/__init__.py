"""Polynomial systems over number fields and what can be proved of their roots."""

from flipforge.polynomials._families import colouring, graph_named, pigeonhole
from flipforge.polynomials._field import RATIONALS, Field, Generator
from flipforge.polynomials._ideal import Ideal, parse_ideal, read_ideal
from flipforge.polynomials._identity import find_identity
from flipforge.polynomials._parse import Parsed, parse_texts
from flipforge.polynomials._system import System, parse_system, read_system
from flipforge.polynomials._terms import Exponents, Polynomial, Terms

__all__ = [
    "RATIONALS",
    "Exponents",
    "Field",
    "Generator",
    "Ideal",
    "Parsed",
    "Polynomial",
    "System",
    "Terms",
    "colouring",
    "find_identity",
    "graph_named",
    "parse_ideal",
    "parse_system",
    "parse_texts",
    "pigeonhole",
    "read_ideal",
    "read_system",
]
