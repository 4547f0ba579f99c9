"""Coefficient rings: names, membership, reduction and inclusion.

Elements are plain ``int`` and ``Fraction``: residues ``0..p-1`` in GF(p), integers in ZT = {-1, 0, 1} and Z, integers
or reduced fractions in Z[1/2] and Q. A ``Fraction`` with denominator 1 is always written as an ``int``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from re import compile as regex
from typing import cast

from flipforge.errors import RingError

__all__ = [
    "GF2",
    "GF3",
    "GF5",
    "GF7",
    "RINGS",
    "ZT",
    "Element",
    "HalfZ",
    "Q",
    "Ring",
    "Z",
    "parse_element",
    "parse_row",
    "ring",
    "smallest_ring",
]

Element = int | Fraction

MAX_DIGITS = 1000
"""Most digits of a numerator or denominator that a file may hold; it bounds the time an exact check can take."""

_MAX_BITS = 3325


@dataclass(frozen=True)
class Ring:
    """A coefficient ring.

    Attributes
    ----------
    name
        The name used in files and on the command line.
    characteristic
        A prime p for GF(p), 0 otherwise. ZT is the set {-1, 0, 1} with the arithmetic of Z.
    """

    name: str
    characteristic: int = 0

    def __str__(self) -> str:
        return self.name

    def contains(self, value: Element) -> bool:
        """Tell whether ``value`` is an element in its normal form."""
        if type(value) is int:
            if self.characteristic:
                return 0 <= value < self.characteristic
            return self.name != "ZT" or -1 <= value <= 1
        if self.characteristic or not isinstance(value, Fraction) or value.denominator == 1:
            return False
        if self.name == "Z[1/2]":
            return value.denominator & (value.denominator - 1) == 0
        return self.name == "Q"

    def coerce(self, value: Element) -> Element:
        """Return ``value`` in normal form, or raise `RingError` if it is not an element."""
        value = _plain(value)
        if not self.contains(value):
            raise RingError(f"{brief(value)} is not an element of {self.name}")
        return value

    def coerce_row(self, values: Iterable[Element]) -> tuple[Element, ...]:
        """Return what `coerce` makes of each value; quick where all are small integers of the ring."""
        row = tuple(values)
        if row and set(map(type, row)) == {int} and self.contains(min(row)) and self.contains(max(row)):
            return row
        return tuple(map(self.coerce, row))

    def reduce(self, value: Element) -> Element:
        """Map a rational number into the ring: residues for GF(p), the number itself otherwise.

        Raises
        ------
        RingError
            The denominator is divisible by p, or the number is not in a ring of characteristic 0.
        """
        if not self.characteristic:
            return self.coerce(value)
        p = self.characteristic
        if type(value) is int:
            return value % p
        if value.denominator % p == 0:
            raise RingError(f"{brief(value)} has no residue in {self.name}: its denominator is divisible by {p}")
        return value.numerator * pow(value.denominator, -1, p) % p


GF2, GF3, GF5, GF7 = (Ring(f"GF{p}", p) for p in (2, 3, 5, 7))
ZT, Z, HalfZ, Q = Ring("ZT"), Ring("Z"), Ring("Z[1/2]"), Ring("Q")

RINGS: dict[str, Ring] = {r.name: r for r in (GF2, GF3, GF5, GF7, ZT, Z, HalfZ, Q)}
"""All rings by name; those of characteristic 0 stand in order of inclusion."""

_FRACTION = regex(r"\s*[+-]?[0-9]+(?:/[0-9]+)?\s*")
_BY_FOLDED_NAME = {name.casefold(): r for name, r in RINGS.items()}


def ring(name: str) -> Ring:
    """Return the ring of that name (case does not matter).

    Raises
    ------
    RingError
        The name is unknown; the message lists the known ones.

    Examples
    --------
    >>> ring("gf2").characteristic
    2
    """
    try:
        return _BY_FOLDED_NAME[name.casefold()]
    except KeyError:
        raise RingError(f"unknown ring {name[:40]!r}: use one of {', '.join(RINGS)}") from None


def smallest_ring(values: Iterable[Element]) -> Ring:
    """Return the smallest of ZT < Z < Z[1/2] < Q that contains all values.

    Examples
    --------
    >>> smallest_ring([1, Fraction(3, 4)]).name
    'Z[1/2]'
    """
    distinct = set(map(_plain, values))
    return next(r for r in (ZT, Z, HalfZ, Q) if all(r.contains(v) for v in distinct))


def parse_element(value: object) -> Element:
    """Read a JSON coefficient: an ``int``, or a string ``"p"`` or ``"p/q"``.

    Raises
    ------
    RingError
        The value is anything else (floats and booleans included), q is zero, or p or q has more than `MAX_DIGITS`
        digits.
    """
    element: Element | None = None
    if type(value) is int:
        element = value
    elif isinstance(value, str) and _FRACTION.fullmatch(value) and len(value) <= 2 * MAX_DIGITS + 10:
        numerator, _, denominator = value.partition("/")
        if int(denominator or 1):
            element = _plain(Fraction(int(numerator), int(denominator or 1)))
    if element is None:
        raise RingError(f"{repr(value)[:60]} is not a coefficient: write an integer or a string 'p/q'")
    if is_too_long(element):
        raise RingError(f"a coefficient has more than {MAX_DIGITS} digits")
    return element


def parse_row(values: Sequence[object]) -> tuple[Element, ...]:
    """Return what `parse_element` makes of each value; quick where all are small integers."""
    if values and set(map(type, values)) == {int}:
        row = cast(Sequence[int], values)
        if not is_too_long(min(row)) and not is_too_long(max(row)):
            return tuple(row)
    return tuple(map(parse_element, values))


def is_too_long(value: Element) -> bool:
    """Tell whether a numerator or denominator is longer than about `MAX_DIGITS` decimal digits."""
    return max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS


def brief(value: Element) -> str:
    """Write a number for a message: in full where it is short, by its size where it is not.

    Examples
    --------
    >>> brief(10**60)
    'a number of about 61 digits'
    """
    bits = max(value.numerator.bit_length(), value.denominator.bit_length())
    return str(value) if bits <= 128 else f"a number of about {int(bits * 0.30103) + 1} digits"


def _plain(value: Element) -> Element:
    """Return an ``int`` where there is one, of exactly that type: a bool would hash and print as another thing."""
    if type(value) is int:
        return value
    return int(value) if value.denominator == 1 else value
