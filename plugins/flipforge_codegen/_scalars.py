"""Scalar types of generated code, and the one printer of typed sums for all targets."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

__all__ = ["BITS", "F32", "F64", "I32", "I64", "RESIDUES", "Scalar", "divided", "folded", "offset", "typed_sum"]

Sum = Sequence[tuple[int, int]]

_GLUE = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Scalar:
    """A type of numbers in generated code.

    Attributes
    ----------
    suffix
        Ends the names of functions for this type.
    type
        The type of an element in memory, in C.
    unit
        What a constant ends with.
    bits
        Whether an element is a word of 64 entries modulo 2, where every sum is an exclusive or.
    exact
        Constants up to this size, and no larger ones, are numbers of the type.
    """

    suffix: str
    type: str
    unit: str
    bits: bool = False
    exact: int = 2**31 - 1

    def literal(self, value: int) -> str:
        """Write a constant that is not negative."""
        return f"{value}{self.unit}"


F32 = Scalar("f32", "float", ".0f", exact=2**24)
F64 = Scalar("f64", "double", ".0", exact=2**53)
# Unsigned: sums wrap modulo a power of two by the rules of C, and what is proven to fit the signed type is right.
I32 = Scalar("i32", "uint32_t", "u")
I64 = Scalar("i64", "uint64_t", "u")
RESIDUES = Scalar("mod", "double", ".0", exact=2**53)
BITS = Scalar("gf2", "uint64_t", "", bits=True)


def typed_sum(terms: Sum, names: Sequence[str], scalar: Scalar) -> str:
    """Write a sum of terms (coefficient, position), a positive one first where there is one.

    Examples
    --------
    >>> typed_sum([(-1, 0), (2, 1)], ["x", "y"], F32)
    '2.0f * y - x'
    >>> typed_sum([(-1, 0), (-2, 1)], ["x", "y"], I64)
    '-(x + 2u * y)'
    >>> typed_sum([(1, 0), (-1, 1)], ["x", "y"], BITS)
    'x ^ y'
    """
    if scalar.bits:
        return " ^ ".join(names[position] for coefficient, position in terms if coefficient % 2) or "0"
    if not terms:
        return scalar.literal(0)
    lead = next((term for term in terms if term[0] > 0), None)
    if lead is None:
        inner = typed_sum([(-coefficient, position) for coefficient, position in terms], names, scalar)
        return f"-({inner})"
    text = _monomial(*lead, names, scalar)
    for term in terms:
        if term is not lead:
            text += f" {'+' if term[0] > 0 else '-'} {_monomial(abs(term[0]), term[1], names, scalar)}"
    return text


def offset(index: str, block: int, size: str) -> str:
    """Write an index into block number ``block`` of blocks of ``size``."""
    return index if not block else f"{index} + {size}" if block == 1 else f"{index} + {block} * {size}"


def divided(value: str, denominator: int) -> str:
    """Write a quotient."""
    return value if denominator == 1 else f"({value}) / {denominator}"


def folded(line: str, indent: int, width: int = 118) -> str:
    """Indent a statement and break it in front of signs where it is too long; it starts with what it assigns to."""
    glued = line.replace("+ ", f"+{_GLUE}").replace("- ", f"-{_GLUE}").replace("^ ", f"^{_GLUE}")
    glued = glued.replace(" * ", f"{_GLUE}*{_GLUE}").replace(" = ", f"{_GLUE}={_GLUE}")
    first, later = " " * indent, " " * (indent + 4)
    text = fill(
        glued, width, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )
    return text.replace(_GLUE, " ")


def _monomial(coefficient: int, position: int, names: Sequence[str], scalar: Scalar) -> str:
    return names[position] if coefficient == 1 else f"{scalar.literal(coefficient)} * {names[position]}"
