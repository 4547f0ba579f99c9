"""Number fields by generators: each has a monic polynomial over Q and an approximation that tells its roots apart.

An element is a polynomial in the generators, reduced by their polynomials. Square roots of distinct independent
squarefree numbers generate a field of degree 2^k, so that the tower of relations needs no primitive element; an element
that cannot be inverted (generators that are declared dependently) is reported and nothing is concluded from it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import isqrt, prod
from typing import Any, cast

from flint import acb, ctx, fmpq, fmpq_mat, fmpq_poly, fmpz

from flipforge.errors import InputError
from flipforge.polynomials._terms import Exponents, Terms, add, multiply

__all__ = ["RATIONALS", "Field", "Generator", "square_root_field"]

MAX_FIELD_DEGREE = 64
_LARGEST_RADICAND = 10**30


@dataclass(frozen=True)
class Generator:
    """A root of a monic polynomial over Q.

    Attributes
    ----------
    name
        What stands in texts: ``I``, ``sqrt(5)``, or a declared name.
    relation
        Coefficients, lowest first, the last one 1.
    near
        Real and imaginary part of an approximation that is nearer to the meant root than to any other.
    """

    name: str
    relation: tuple[Fraction, ...]
    near: tuple[Fraction, Fraction]

    @property
    def degree(self) -> int:
        """The degree of the relation."""
        return len(self.relation) - 1

    def value(self, bits: int) -> acb:
        """Return a ball of about so many bits around the root."""
        with ctx.workprec(bits + 20):
            polynomial = fmpq_poly([fmpq(c.numerator, c.denominator) for c in self.relation])
            near = acb(*(fmpq(x.numerator, x.denominator) for x in self.near))
            roots: list[acb] = [root for root, _ in cast(Any, polynomial).complex_roots()]
            return min(roots, key=lambda root: float(abs(root - near).mid()))


@dataclass(frozen=True)
class Field:
    """Q with the generators given; without any, Q itself."""

    generators: tuple[Generator, ...] = ()

    def __str__(self) -> str:
        return f"Q({', '.join(g.name for g in self.generators)})" if self.generators else "Q"

    @property
    def degree(self) -> int:
        """Dimension over Q."""
        return prod(g.degree for g in self.generators)

    @property
    def basis(self) -> tuple[Exponents, ...]:
        """Exponents of the generators in the elements of the basis over Q."""
        return tuple(product(*(range(g.degree) for g in self.generators)))

    def values(self, bits: int) -> list[acb]:
        """Return balls around the generators."""
        return [g.value(bits) for g in self.generators]

    @property
    def is_real(self) -> bool:
        """Whether every generator is a real number."""
        return all(abs(g.value(64).imag) < 1e-15 for g in self.generators)

    def reduce(self, terms: Terms) -> Terms:
        """Reduce the last variables, which stand for the generators, by their relations."""
        for position, generator in enumerate(self.generators, start=-len(self.generators)):
            if any(e[position] >= generator.degree for e in terms):
                terms = add(*(_lowered(e, c, position, generator) for e, c in terms.items()))
        return terms

    def inverse(self, terms: Terms) -> Terms:
        """Return the inverse of an element; exponents are those of the generators.

        Raises
        ------
        InputError
            The element is zero or a divisor of zero.
        """
        basis = self.basis
        place = {e: i for i, e in enumerate(basis)}
        columns = fmpq_mat(len(basis), len(basis))
        for j, e in enumerate(basis):
            for image, c in self.reduce(multiply(terms, {e: Fraction(1)})).items():
                columns[place[image], j] = fmpq(c.numerator, c.denominator)
        one = fmpq_mat(len(basis), 1, [1] + [0] * (len(basis) - 1))
        try:
            solution = columns.solve(one)
        except ZeroDivisionError:
            raise InputError(f"division by zero or by a divisor of zero in {self}") from None
        return {
            e: Fraction(int(solution[i, 0].p), int(solution[i, 0].q))
            for i, e in enumerate(basis)
            if solution[i, 0] != 0
        }

    def square_root(self, value: Fraction) -> Terms | None:
        """Return the root of a rational number as a product of generators; None where it is none."""
        free, factor = _squarefree(value.numerator * value.denominator)
        factor = factor / value.denominator
        unit = [0] * len(self.generators)
        roots = {g.name: i for i, g in enumerate(self.generators)}
        if free < 0:
            if "I" not in roots:
                return None
            unit[roots["I"]] = 1
            free = -free
        radicands = _radicands(self.generators)
        for chosen in product((0, 1), repeat=len(radicands)):
            product_of = prod(d for d, used in zip(radicands, chosen, strict=True) if used)
            rest, square = _squarefree(product_of)
            if rest == free:
                for d, used in zip(radicands, chosen, strict=True):
                    unit[roots[f"sqrt({d})"]] = used
                return {tuple(unit): factor / square}
        return None


RATIONALS = Field()


def square_root_field(radicands: Iterable[Fraction], imaginary: bool, declared: Sequence[Generator] = ()) -> Field:
    """Return the field that square roots of rational numbers generate, with `I` where one is negative.

    Raises
    ------
    InputError
        Its degree is more than 64.

    Examples
    --------
    >>> str(square_root_field([Fraction(12), Fraction(3), Fraction(-4)], False))
    'Q(I, sqrt(3))'
    """
    parts = sorted({_squarefree(r.numerator * r.denominator)[0] for r in radicands}, key=abs)
    imaginary = imaginary or any(d < 0 for d in parts)
    generators = [Generator("I", (Fraction(1), Fraction(0), Fraction(1)), (Fraction(0), Fraction(1)))] * imaginary
    for d in map(abs, parts):
        if d != 1 and Field(tuple(generators)).square_root(Fraction(d)) is None:
            near = Fraction(isqrt(d << 128), 1 << 64)
            generators.append(Generator(f"sqrt({d})", (Fraction(-d), Fraction(0), Fraction(1)), (near, Fraction(0))))
    field = Field((*generators, *declared))
    if field.degree > MAX_FIELD_DEGREE:
        raise InputError(f"{field} has degree {field.degree}; fields up to degree {MAX_FIELD_DEGREE} are handled")
    return field


def _radicands(generators: Sequence[Generator]) -> list[int]:
    return [int(g.name[5:-1]) for g in generators if g.name.startswith("sqrt(")]


@lru_cache(maxsize=4096)
def _squarefree(number: int) -> tuple[int, Fraction]:
    """Return (d, m) with number = d m^2 and d squarefree, of the same sign; (1, 0) for 0."""
    if not number:
        return 1, Fraction(0)
    if abs(number) > _LARGEST_RADICAND:
        raise InputError(f"the square root of a number of {len(str(abs(number)))} digits; at most 30 are handled")
    free, square = (1 if number > 0 else -1), 1
    for prime, exponent in fmpz(abs(number)).factor():
        free *= int(prime) ** (exponent % 2)
        square *= int(prime) ** (exponent // 2)
    return free, Fraction(square)


@lru_cache(maxsize=4096)
def _power(generator: Generator, exponent: int) -> tuple[Fraction, ...]:
    """Return the coefficients of a power of a generator, reduced."""
    if exponent < generator.degree:
        return tuple(Fraction(int(i == exponent)) for i in range(generator.degree))
    lower = _power(generator, exponent - 1)
    shifted = (Fraction(0), *lower[:-1])
    return tuple(s - lower[-1] * r for s, r in zip(shifted, generator.relation, strict=False))


def _lowered(exponents: Exponents, coefficient: Fraction, position: int, generator: Generator) -> Terms:
    place = len(exponents) + position
    return {
        (*exponents[:place], i, *exponents[place + 1 :]): coefficient * c
        for i, c in enumerate(_power(generator, exponents[place]))
        if c
    }
