"""Polynomials in n over Q: the scalars of diagrams, for all n at once."""

from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Polynomial", "Scalar"]


@dataclass(frozen=True, slots=True)
class Polynomial:
    """A polynomial in n.

    Attributes
    ----------
    coefficients
        That of n^0 first; the last one is not 0, and zero has none.

    Examples
    --------
    >>> square = (Polynomial.power(1) + 1) * (Polynomial.power(1) + 1)
    >>> str(square), square(3)
    ('n^2 + 2n + 1', Fraction(16, 1))
    """

    coefficients: tuple[Fraction, ...] = ()

    def __post_init__(self) -> None:
        kept = tuple(map(Fraction, self.coefficients))
        while kept and not kept[-1]:
            kept = kept[:-1]
        object.__setattr__(self, "coefficients", kept)

    @classmethod
    def power(cls, exponent: int, coefficient: "int | Fraction" = 1) -> "Polynomial":
        """Return a multiple of n^exponent."""
        return cls((*(Fraction(0),) * exponent, Fraction(coefficient)))

    @classmethod
    def of(cls, value: "Scalar") -> "Polynomial":
        """Return a number as a polynomial; a polynomial is returned as it is."""
        return value if isinstance(value, Polynomial) else cls((Fraction(value),))

    def __bool__(self) -> bool:
        return bool(self.coefficients)

    def __add__(self, other: "Scalar") -> "Polynomial":
        a, b = self.coefficients, Polynomial.of(other).coefficients
        size = max(len(a), len(b))
        zeros = (Fraction(0),) * size
        return Polynomial(tuple(x + y for x, y in zip((a + zeros)[:size], (b + zeros)[:size], strict=True)))

    def __neg__(self) -> "Polynomial":
        return Polynomial(tuple(-x for x in self.coefficients))

    def __sub__(self, other: "Scalar") -> "Polynomial":
        return self + -Polynomial.of(other)

    def __mul__(self, other: "Scalar") -> "Polynomial":
        a, b = self.coefficients, Polynomial.of(other).coefficients
        found = [Fraction(0)] * max(len(a) + len(b) - 1, 0)
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                found[i + j] += x * y
        return Polynomial(tuple(found))

    __radd__ = __add__
    __rmul__ = __mul__

    def __call__(self, n: int) -> Fraction:
        """Return the value at n."""
        value = Fraction(0)
        for x in reversed(self.coefficients):
            value = value * n + x
        return value

    def __str__(self) -> str:
        words = []
        for exponent, x in reversed(list(enumerate(self.coefficients))):
            if x:
                symbol = "" if exponent == 0 else "n" if exponent == 1 else f"n^{exponent}"
                size = "" if symbol and abs(x) == 1 else str(abs(x))
                words.append(("- " if x < 0 else "+ ") + size + symbol)
        text = " ".join(words) or "+ 0"
        return text.removeprefix("+ ") if text[0] == "+" else "-" + text[2:]


Scalar = int | Fraction | Polynomial
