"""Exact numbers guessed from digits: by integer relations, in the field of the system or in one that a root generates.

Nothing here proves anything; what is guessed is put into the equations exactly afterwards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import prod

from flint import acb, ctx, fmpz_mat, fmpz_poly

from flipforge.polynomials._field import Field, Generator
from flipforge.polynomials._system import System, dyadic
from flipforge.polynomials._terms import Polynomial

__all__ = ["exact_points", "integer_relation", "simplest_fraction"]

MAX_ALGEBRAIC_DEGREE = 12
_NAMES = ("theta", "alpha", "omega", "theta_")


def exact_points(system: System, point: Sequence[acb], bits: int) -> Iterator[tuple[System, tuple[Polynomial, ...]]]:
    """Yield systems and points with exact coordinates that have the digits given, the simplest first.

    The field of the system is tried first; then, for a system over Q, fields that a combination of the coordinates
    generates, whose degree is at most 12.
    """
    numbers = _in_field(system.field, point, bits)
    if numbers is not None:
        yield system, tuple(_constant(system, number) for number in numbers)
    if system.field.generators:
        return
    with ctx.workprec(bits + 60):
        combination = sum((acb((3 * j + 1) % 7 - 3 or 1) * x for j, x in enumerate(point)), acb(0))
        candidates = [x for x in (*point, combination) if not _is_rational(x, bits)]
    for number in candidates[:1] + candidates[-1:]:
        generator = _generator(number, bits, system.variables)
        if generator is None:
            continue
        field = Field((generator,))
        numbers = _in_field(field, point, bits)
        if numbers is not None:
            larger = replace(
                system,
                field=field,
                root=None,
                near=None,
                polynomials=tuple(Polynomial.of({(*e, 0): c for e, c in f}) for f in system.polynomials),
            )
            yield larger, tuple(_constant(larger, value) for value in numbers)


def integer_relation(values: Sequence[acb], bits: int) -> list[int] | None:
    """Return small integers, not all zero, whose combination of the values is 0 to about so many bits; or None.

    Examples
    --------
    >>> integer_relation([acb(1), acb(1) / 2], 50)
    [1, -2]
    """
    scale = acb(2) ** bits
    rows = []
    with ctx.workprec(bits + 60):
        for i, value in enumerate(values):
            scaled = acb(value) * scale
            parts = [int(dyadic(part, 0)) for part in (scaled.real, scaled.imag)]
            rows.append([int(i == j) for j in range(len(values))] + parts)
    best = fmpz_mat(rows).lll().table()[0]
    coefficients = [int(c) for c in best[: len(values)]]
    rest = max(abs(int(c)) for c in best[len(values) :])
    # By chance the shortest vector has about bits / (number of values) bits in each entry.
    limit = 2 ** (bits // (2 * len(values) + 1))
    if not any(coefficients) or max(map(abs, coefficients)) > limit or rest > limit * len(values):
        return None
    sign = 1 if next(c for c in coefficients if c) > 0 else -1
    return [sign * c for c in coefficients]


def simplest_fraction(low: Fraction, high: Fraction) -> Fraction:
    """Return the fraction of the smallest denominator in a closed interval.

    Examples
    --------
    >>> simplest_fraction(Fraction("0.332"), Fraction("0.334"))
    Fraction(1, 3)
    """
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -simplest_fraction(-high, -low)
    whole = -(-low.numerator // low.denominator)
    if whole <= high:
        return Fraction(whole)
    whole -= 1
    return whole + 1 / simplest_fraction(1 / (high - whole), 1 / (low - whole))


def _in_field(field: Field, point: Sequence[acb], bits: int) -> list[dict[tuple[int, ...], Fraction]] | None:
    """Express the coordinates in the basis of a field, all or none."""
    with ctx.workprec(bits + 60):
        generators = field.values(bits + 60)
        basis = [prod((g**i for g, i in zip(generators, e, strict=True)), start=acb(1)) for e in field.basis]
    numbers = []
    for x in point:
        relation = integer_relation([*basis, x], bits)
        if relation is None or not relation[-1]:
            return None
        numbers.append({e: Fraction(-c, relation[-1]) for e, c in zip(field.basis, relation[:-1], strict=True) if c})
    return numbers


def _constant(system: System, number: dict[tuple[int, ...], Fraction]) -> Polynomial:
    return Polynomial.of({(0,) * len(system.variables) + e: c for e, c in number.items()})


def _is_rational(x: acb, bits: int) -> bool:
    relation = integer_relation([acb(1), x], bits)
    return relation is not None and relation[1] != 0


def _generator(number: acb, bits: int, taken: Sequence[str]) -> Generator | None:
    """Return the number as a generator by its minimal polynomial, as far as digits tell it."""
    with ctx.workprec(bits + 60):
        powers = [acb(1)]
        for degree in range(1, MAX_ALGEBRAIC_DEGREE + 1):
            powers.append(powers[-1] * number)
            relation = integer_relation(powers, bits)
            if degree < 2 or relation is None:
                continue
            _, factors = fmpz_poly(relation).factor()
            for factor, _ in factors:
                value = sum((acb(int(c)) * p for c, p in zip(factor.coeffs(), powers, strict=False)), acb(0))
                if factor.degree() >= 2 and abs(value) < acb(2).real ** (-bits // 2):
                    leading = int(factor[factor.degree()])
                    name = next(name for name in _NAMES if name not in taken)
                    near = tuple(dyadic(part, 60) for part in (number.real, number.imag))
                    coefficients = tuple(Fraction(int(c), leading) for c in factor.coeffs())
                    return Generator(name, coefficients, (near[0], near[1]))
            return None
    return None
