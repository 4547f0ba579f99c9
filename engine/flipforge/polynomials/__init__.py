"""Polynomial systems over number fields and what can be proved of their roots."""

from flipforge.polynomials._field import RATIONALS, Field, Generator
from flipforge.polynomials._parse import Parsed, parse_texts
from flipforge.polynomials._system import System, parse_system, read_system
from flipforge.polynomials._terms import Exponents, Polynomial, Terms

__all__ = [
    "RATIONALS",
    "Exponents",
    "Field",
    "Generator",
    "Parsed",
    "Polynomial",
    "System",
    "Terms",
    "parse_system",
    "parse_texts",
    "read_system",
]
