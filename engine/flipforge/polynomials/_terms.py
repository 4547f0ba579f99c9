"""Sparse polynomials over Q as mappings from exponents to coefficients, and their arithmetic.

The plain counterpart of python-flint's types: a few dozen terms are handled as fast, and a value can be hashed, pickled
and written to a file as it stands.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import starmap

from flipforge.errors import InputError

__all__ = [
    "MAX_DEGREE",
    "MAX_TERMS",
    "Exponents",
    "Polynomial",
    "Terms",
    "add",
    "constant",
    "linear_combination",
    "multiply",
    "power",
    "scale",
    "variable",
]

Exponents = tuple[int, ...]
Terms = dict[Exponents, Fraction]

MAX_TERMS = 20_000
"""Most terms of a polynomial that is read or made."""

_MAX_WORK = 500_000

MAX_DEGREE = 500
"""Highest exponent that is read."""


class Polynomial(tuple[tuple[Exponents, Fraction], ...]):
    """A polynomial over Q as its sorted ``(exponents, coefficient)`` pairs, no coefficient zero.

    Examples
    --------
    >>> Polynomial.of({(0, 1): Fraction(-1), (2, 0): Fraction(1)}).degree
    2
    """

    __slots__ = ()

    @classmethod
    def of(cls, terms: Mapping[Exponents, Fraction]) -> "Polynomial":
        """Return the polynomial of a mapping."""
        return cls(sorted((e, c) for e, c in terms.items() if c))

    @property
    def terms(self) -> Terms:
        """The mapping from exponents to coefficients."""
        return dict(self)

    @property
    def degree(self) -> int:
        """The total degree; -1 for zero."""
        return max((sum(e) for e, _ in self), default=-1)

    def derivative(self, j: int) -> "Polynomial":
        """Return the partial derivative by variable j."""
        lowered = {(*e[:j], e[j] - 1, *e[j + 1 :]): c * e[j] for e, c in self if e[j]}
        return Polynomial.of(lowered)

    def is_constant_in(self, count: int) -> bool:
        """Tell whether none of the first ``count`` variables occurs."""
        return not any(any(e[:count]) for e, _ in self)


def constant(value: Fraction | int, count: int) -> Terms:
    """Return a constant in ``count`` variables."""
    return {(0,) * count: Fraction(value)} if value else {}


def variable(j: int, count: int) -> Terms:
    """Return variable j of ``count``."""
    return {tuple(int(i == j) for i in range(count)): Fraction(1)}


def add(*summands: Mapping[Exponents, Fraction]) -> Terms:
    """Return a sum."""
    total: Terms = {}
    for summand in summands:
        for e, c in summand.items():
            total[e] = total.get(e, Fraction(0)) + c
    return {e: c for e, c in total.items() if c}


def scale(factor: Fraction | int, terms: Mapping[Exponents, Fraction]) -> Terms:
    """Return a multiple."""
    return {e: factor * c for e, c in terms.items()} if factor else {}


def multiply(left: Mapping[Exponents, Fraction], right: Mapping[Exponents, Fraction]) -> Terms:
    """Return a product.

    Raises
    ------
    InputError
        It would have more than `MAX_TERMS` terms.
    """
    if len(left) * len(right) > _MAX_WORK:
        raise InputError(f"a product of {len(left)} by {len(right)} terms; give a polynomial with fewer")
    product: Terms = {}
    for a, x in left.items():
        for b, y in right.items():
            e = tuple(map(sum, zip(a, b, strict=True)))
            product[e] = product.get(e, Fraction(0)) + x * y
        if len(product) > MAX_TERMS:
            raise InputError(f"more than {MAX_TERMS} terms; give a polynomial with fewer")
    return {e: c for e, c in product.items() if c}


def power(terms: Mapping[Exponents, Fraction], exponent: int, one: Terms) -> Terms:
    """Return a power; ``one`` is the constant 1 of the same variables."""
    if len(terms) == 1:
        ((e, c),) = terms.items()
        return {tuple(exponent * i for i in e): c**exponent}
    result, base = one, dict(terms)
    while exponent:
        if exponent & 1:
            result = multiply(result, base)
        exponent >>= 1
        if exponent:
            base = multiply(base, base)
    return result


def linear_combination(factors: Iterable[Fraction], values: Sequence[Mapping[Exponents, Fraction]]) -> Terms:
    """Return the sum of factors times values."""
    return add(*starmap(scale, zip(factors, values, strict=True)))
