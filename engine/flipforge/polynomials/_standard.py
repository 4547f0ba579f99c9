"""An upper bound for the number of roots, with its proof: elements of the ideal, by their leading monomials.

Every polynomial reduces, by elements of an ideal, to combinations of the monomials that none of their leading monomials
divides. So the number of these bounds the dimension of the quotient, and that bounds the number of roots; nothing needs
to be known of the elements but that they lie in the ideal. Each is a combination of multiples of the equations and of
earlier elements, as Buchberger's algorithm comes by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import gcd, lcm

from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from flipforge.polynomials._system import System
from flipforge.polynomials._terms import Exponents

__all__ = ["StandardMonomials", "Step", "standard_monomials"]

MAX_ELEMENTS = 400
MAX_WORK = 200_000_000
"""How much reductions may do, by the bits of the coefficients they touch: seconds."""
_MAX_CORNER = 200_000

Step = tuple[tuple[Fraction, Exponents, int], ...]
"""An element as a sum of coefficient times monomial times an equation or an earlier element, numbered on from them."""


@dataclass(frozen=True)
class StandardMonomials:
    """How many monomials no leading monomial divides, and the elements that show it."""

    count: int
    steps: tuple[Step, ...]


class _Basis:
    """Elements of the ideal with their leading monomials, and how each came about."""

    def __init__(self, equations: Sequence[fmpq_mpoly]) -> None:
        self.elements = [*equations]
        self.leading = [_leading(f) for f in equations]
        self.steps: list[Step] = []
        self.given = len(equations)
        self.work = 0

    def reduce(self, f: fmpq_mpoly, step: list[tuple[Fraction, Exponents, int]]) -> fmpq_mpoly:
        """Subtract multiples of elements until the leading monomial is divisible by none of theirs, or work ends."""
        context = f.context()
        while len(f) and self.work < MAX_WORK:
            lead = _leading(f)
            divisor = next((i for i, m in enumerate(self.leading) if _divides(m, lead)), None)
            if divisor is None:
                return f
            shift = _quotient(lead, self.leading[divisor])
            factor = f[lead] / self.elements[divisor][self.leading[divisor]]
            self.work += 500 + len(self.elements[divisor]) * (factor.p.bit_length() + factor.q.bit_length())
            f -= context.from_dict({shift: factor}) * self.elements[divisor]
            step.append((-_fraction(factor), shift, divisor))
        return f

    def add(self, f: fmpq_mpoly, step: Sequence[tuple[Fraction, Exponents, int]]) -> None:
        """Add an element, scaled to coprime integers."""
        numbers = [_fraction(c) for c in f.coeffs()]
        scale = Fraction(lcm(*(c.denominator for c in numbers)), 1)
        scale /= gcd(*(int(c * scale) for c in numbers))
        self.elements.append(f * fmpq(scale.numerator, scale.denominator))
        self.leading.append(_leading(f))
        merged: dict[tuple[Exponents, int], Fraction] = {}
        for c, shift, source in step:
            merged[shift, source] = merged.get((shift, source), Fraction(0)) + c * scale
        self.steps.append(tuple((c, shift, source) for (shift, source), c in merged.items() if c))


def standard_monomials(system: System) -> StandardMonomials | None:
    """Bound the number of roots of a system over Q by Buchberger's algorithm; None where that leads too far.

    Monomials are ordered by degree, then reverse lexicographically.
    """
    if system.field.generators:
        return None
    context = fmpq_mpoly_ctx.get(system.variables, Ordering.degrevlex)
    equations = [context.from_dict({e: fmpq(c.numerator, c.denominator) for e, c in f}) for f in system.polynomials]
    basis = _Basis(equations)
    done: set[tuple[int, int]] = set()
    waiting = {(i, j) for j in range(len(equations)) for i in range(j)}
    while waiting:
        pair = min(waiting, key=lambda pair: _pair_key(basis, pair))
        waiting.remove(pair)
        done.add(pair)
        if _is_needless(basis, pair, done):
            continue
        i, j = pair
        step: list[tuple[Fraction, Exponents, int]] = []
        common = _common(basis.leading[i], basis.leading[j])
        total = context.from_dict({})
        for sign, k in ((1, i), (-1, j)):
            shift = _quotient(common, basis.leading[k])
            factor = sign / basis.elements[k][basis.leading[k]]
            total += context.from_dict({shift: factor}) * basis.elements[k]
            step.append((_fraction(factor), shift, k))
        rest = basis.reduce(total, step)
        if not len(rest):
            continue
        if len(basis.elements) >= MAX_ELEMENTS or basis.work >= MAX_WORK:
            return None
        basis.add(rest, step)
        waiting |= {(k, len(basis.elements) - 1) for k in range(len(basis.elements) - 1)}
    count = count_outside(basis.leading, len(system.variables))
    return None if count is None else StandardMonomials(count, _needed(basis))


def count_outside(leading: Sequence[Exponents], n: int) -> int | None:
    """Count the monomials that none of the given ones divides; None where they are infinitely or too many."""
    minimal = _minimal(leading)
    sides = []
    for j in range(n):
        pure = [m[j] for m in minimal if not any(m[:j] + m[j + 1 :])]
        if not pure:
            return None
        sides.append(min(pure))
    size = 1
    for side in sides:
        size *= side
    if size > _MAX_CORNER:
        return None
    return sum(1 for e in product(*map(range, sides)) if not any(_divides(m, e) for m in minimal))


def _needed(basis: _Basis) -> tuple[Step, ...]:
    """Return the elements that the minimal leading monomials rest on, numbered anew."""
    minimal = set(_minimal(basis.leading))
    waiting = [i for i, m in enumerate(basis.leading) if m in minimal and i >= basis.given]
    kept: set[int] = set()
    while waiting:
        i = waiting.pop()
        if i >= basis.given and i not in kept:
            kept.add(i)
            waiting += [source for _, _, source in basis.steps[i - basis.given]]
    number = {i: i for i in range(basis.given)} | {i: basis.given + k for k, i in enumerate(sorted(kept))}
    return tuple(
        tuple((c, shift, number[source]) for c, shift, source in basis.steps[i - basis.given]) for i in sorted(kept)
    )


def _pair_key(basis: _Basis, pair: tuple[int, int]) -> tuple[int, tuple[int, int]]:
    return sum(_common(basis.leading[pair[0]], basis.leading[pair[1]])), pair


def _is_needless(basis: _Basis, pair: tuple[int, int], done: set[tuple[int, int]]) -> bool:
    """Buchberger's two criteria: coprime leading monomials; a third element between two pairs that are done."""
    a, b = (basis.leading[k] for k in pair)
    if not any(x and y for x, y in zip(a, b, strict=True)):
        return True
    common = _common(a, b)
    return any(
        k not in pair and _divides(m, common) and all((min(i, k), max(i, k)) in done for i in pair)
        for k, m in enumerate(basis.leading)
    )


def _minimal(monomials: Sequence[Exponents]) -> list[Exponents]:
    return [m for m in set(monomials) if not any(o != m and _divides(o, m) for o in monomials)]


def _leading(f: fmpq_mpoly) -> Exponents:
    return tuple(int(e) for e in f.monoms()[0])


def _divides(a: Exponents, b: Exponents) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True))


def _quotient(a: Exponents, b: Exponents) -> Exponents:
    return tuple(x - y for x, y in zip(a, b, strict=True))


def _common(a: Exponents, b: Exponents) -> Exponents:
    return tuple(map(max, zip(a, b, strict=True)))


def _fraction(c: fmpq) -> Fraction:
    return Fraction(int(c.p), int(c.q))
