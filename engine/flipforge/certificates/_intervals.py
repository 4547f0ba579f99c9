"""Interval arithmetic of the checkers: boxes of complex numbers with integer bounds at a fixed binary scale.

A bound is an integer times 2^-bits; products are rounded outwards, so that a box always holds what it stands for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flipforge.errors import MalformedError
from flipforge.rings import parse_element

__all__ = ["Box", "contains_relation_root", "enclose", "read_box", "scale_of"]

Interval = tuple[int, int]
_MAX_BITS = 8000


@dataclass(frozen=True)
class Box:
    """The complex numbers with real and imaginary part in two intervals of bounds times 2^-bits."""

    re: Interval
    im: Interval
    bits: int

    @classmethod
    def around(cls, re: Fraction, im: Fraction, radius: Fraction, bits: int) -> "Box":
        """Return a box that holds all numbers whose parts differ from the given ones by at most the radius."""
        return cls(_around(re, radius, bits), _around(im, radius, bits), bits)

    def __add__(self, other: "Box") -> "Box":
        return Box(
            (self.re[0] + other.re[0], self.re[1] + other.re[1]),
            (self.im[0] + other.im[0], self.im[1] + other.im[1]),
            self.bits,
        )

    def __neg__(self) -> "Box":
        return Box((-self.re[1], -self.re[0]), (-self.im[1], -self.im[0]), self.bits)

    def __sub__(self, other: "Box") -> "Box":
        return self + -other

    def __mul__(self, other: "Box") -> "Box":
        b = self.bits
        if self.im == (0, 0) and other.im == (0, 0):
            return Box(_product(self.re, other.re, b), (0, 0), b)
        rr, ii = _product(self.re, other.re, b), _product(self.im, other.im, b)
        ri, ir = _product(self.re, other.im, b), _product(self.im, other.re, b)
        return Box((rr[0] - ii[1], rr[1] - ii[0]), (ri[0] + ir[0], ri[1] + ir[1]), b)

    @property
    def holds_zero(self) -> bool:
        """Whether 0 lies in the box."""
        return self.re[0] <= 0 <= self.re[1] and self.im[0] <= 0 <= self.im[1]

    @property
    def size(self) -> int:
        """A bound on the absolute value, times 2^bits."""
        re, im = (max(abs(part[0]), abs(part[1])) for part in (self.re, self.im))
        return re + im

    def lies_inside(self, other: "Box") -> bool:
        """Tell whether the box lies in the interior of another."""
        pairs = ((self.re, other.re), (self.im, other.im))
        return all(outer[0] < inner[0] and inner[1] < outer[1] for inner, outer in pairs)

    def lies_within(self, re: Fraction, im: Fraction, radius: Fraction) -> bool:
        """Tell whether every number of the box has parts that differ from the given ones by at most the radius."""
        unit = Fraction(1, 1 << self.bits)
        return all(
            centre - radius <= part[0] * unit and part[1] * unit <= centre + radius
            for part, centre in ((self.re, re), (self.im, im))
        )


def enclose(terms: Mapping[tuple[int, ...], Fraction], values: Sequence[Box], bits: int) -> Box:
    """Enclose the values of a polynomial on boxes."""
    one = Box.around(Fraction(1), Fraction(0), Fraction(0), bits)
    powers = [[one] for _ in values]
    total = Box((0, 0), (0, 0), bits)
    for exponents, c in terms.items():
        term = Box.around(c, Fraction(0), Fraction(0), bits)
        for row, value, e in zip(powers, values, exponents, strict=True):
            while len(row) <= e:
                row.append(row[-1] * value)
            if e:
                term *= row[e]
        total += term
    return total


def contains_relation_root(
    relation: Sequence[Fraction], point: tuple[Fraction, Fraction], radius: Fraction, bits: int
) -> bool:
    """Tell whether Newton's interval operator shows one root of a polynomial within the radius of a point."""
    terms: dict[tuple[int, ...], Fraction] = {(i,): c for i, c in enumerate(relation) if c}
    slope: dict[tuple[int, ...], Fraction] = {(i - 1,): i * c for i, c in enumerate(relation) if i and c}
    re, im = point
    exact_re, exact_im = _value(slope, re, im)
    norm = exact_re**2 + exact_im**2
    if not norm:
        return False
    inverse = Box.around(exact_re / norm, -exact_im / norm, Fraction(0), bits)
    box, centre = Box.around(re, im, radius, bits), Box.around(re, im, Fraction(0), bits)
    one = Box.around(Fraction(1), Fraction(0), Fraction(0), bits)
    image = centre - inverse * enclose(terms, [centre], bits)
    image += (one - inverse * enclose(slope, [box], bits)) * (box - centre)
    return image.lies_within(re, im, radius) and image.lies_inside(box)


def read_box(entry: object) -> tuple[Fraction, Fraction]:
    """Read a complex number as a list of its two parts."""
    if not isinstance(entry, list) or len(entry) != 2:
        raise MalformedError("a complex number must be a list of its real and imaginary part")
    re, im = (Fraction(parse_element(part)) for part in entry)
    return re, im


def scale_of(radius: Fraction) -> int:
    """Return enough bits for boxes of this radius."""
    extra = (radius.denominator // radius.numerator).bit_length() if radius else 0
    return min(96 + 2 * extra, _MAX_BITS)


def _value(terms: Mapping[tuple[int, ...], Fraction], re: Fraction, im: Fraction) -> tuple[Fraction, Fraction]:
    total_re = total_im = Fraction(0)
    power_re, power_im = Fraction(1), Fraction(0)
    for i in range(max((e[0] for e in terms), default=0) + 1):
        c = terms.get((i,), Fraction(0))
        total_re, total_im = total_re + c * power_re, total_im + c * power_im
        power_re, power_im = power_re * re - power_im * im, power_re * im + power_im * re
    return total_re, total_im


def _around(centre: Fraction, radius: Fraction, bits: int) -> Interval:
    low, high = (centre - radius) * (1 << bits), (centre + radius) * (1 << bits)
    return low.numerator // low.denominator, -((-high.numerator) // high.denominator)


def _product(a: Interval, b: Interval, bits: int) -> Interval:
    products = (a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1])
    return min(products) >> bits, -((-max(products)) >> bits)
