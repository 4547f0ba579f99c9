"""Straight-line programs of linear maps: sums of registers, exact coefficients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm

from flipforge.errors import MalformedError
from flipforge.rings import MAX_DIGITS, Element, Ring, is_too_long

__all__ = ["Builder", "Combination", "LinearProgram", "Operations", "Term"]

Term = tuple[Element, int]
"""(coefficient, register): never a zero coefficient."""

Combination = tuple[Term, ...]
"""A sum of terms, no register twice; without terms it is zero."""

Sparse = dict[int, Element]


@dataclass(frozen=True)
class Operations:
    """Operations on blocks.

    Attributes
    ----------
    additions
        Additions and subtractions; a sum of n terms takes n - 1.
    scalings
        Multiplications by a constant other than 1 and -1.
    products
        Products of two blocks that depend on the operands.
    """

    additions: int = 0
    scalings: int = 0
    products: int = 0

    def __add__(self, other: "Operations") -> "Operations":
        return Operations(
            self.additions + other.additions, self.scalings + other.scalings, self.products + other.products
        )

    def __mul__(self, times: int) -> "Operations":
        return Operations(self.additions * times, self.scalings * times, self.products * times)


@dataclass(frozen=True)
class LinearProgram:
    """A linear map as a straight-line program.

    Registers 0 to ``inputs - 1`` hold the inputs, register ``inputs + i`` the value of ``steps[i]``, which uses lower
    registers only. An output of one term is a view of a register, up to a constant; nothing is computed for it.

    Attributes
    ----------
    ring
        Holds every coefficient; its characteristic is that of the arithmetic.

    Raises
    ------
    MalformedError
        A register is unknown where it is used or stands twice in a sum, or a coefficient is zero or not in the ring.
    """

    ring: Ring
    inputs: int
    steps: tuple[Combination, ...] = field(repr=False)
    outputs: tuple[Combination, ...] = field(repr=False)

    def __post_init__(self) -> None:
        for number, step in enumerate(self.steps):
            self._check(step, self.inputs + number, f"step {number}")
        for number, output in enumerate(self.outputs):
            self._check(output, self.registers, f"output {number}")

    def _check(self, terms: Combination, known: int, where: str) -> None:
        if len({register for _, register in terms}) < len(terms):
            raise MalformedError(f"{where}: a register stands twice in a sum; add up its coefficients")
        for coefficient, register in terms:
            if not 0 <= register < known:
                raise MalformedError(f"{where}: register {register} is not one of the {known} known there")
            if not coefficient or not self.ring.contains(coefficient):
                raise MalformedError(f"{where}: {coefficient} is zero or not an element of {self.ring}")

    @property
    def registers(self) -> int:
        """Number of registers."""
        return self.inputs + len(self.steps)

    @property
    def operations(self) -> Operations:
        """What one run takes."""
        sums = (*self.steps, *self.outputs)
        units = (1, -1, self.ring.characteristic - 1)
        return Operations(
            sum(max(0, len(terms) - 1) for terms in sums),
            sum(1 for terms in sums for coefficient, _ in terms if coefficient not in units),
        )

    @cached_property
    def matrix(self) -> tuple[Mapping[int, Element], ...]:
        """The map as sparse rows, one an output: what symbolic execution gives.

        Raises
        ------
        MalformedError
            A coefficient has more than `MAX_DIGITS` digits.
        """
        values: list[Sparse] = [{register: 1} for register in range(self.inputs)]
        for step in self.steps:
            values.append(self._value(step, values))
        return tuple(self._value(output, values) for output in self.outputs)

    @property
    def rows(self) -> tuple[tuple[Element, ...], ...]:
        """The rows of `matrix` in full: ``len(outputs)`` of ``inputs`` entries."""
        return tuple(tuple(row.get(i, 0) for i in range(self.inputs)) for row in self.matrix)

    def _value(self, terms: Combination, values: Sequence[Mapping[int, Element]]) -> Sparse:
        p = self.ring.characteristic
        total: Sparse = {}
        for coefficient, register in terms:
            for position, x in values[register].items():
                total[position] = total.get(position, 0) + coefficient * x
        reduced = {position: plain(x, p) for position, x in total.items()}
        if any(map(is_too_long, reduced.values())):
            raise MalformedError(f"a coefficient of the program's map has more than {MAX_DIGITS} digits")
        return {position: x for position, x in reduced.items() if x}


class Builder:
    """Writes a linear program step by step; equal sums, up to a constant, become one step.

    Examples
    --------
    >>> from flipforge.rings import ZT
    >>> builder = Builder(ZT, 2)
    >>> builder.sum([(1, 0), (-1, 1)]), builder.sum([(-1, 0), (1, 1)]), builder.sum([(-1, 1)])
    ((1, 2), (-1, 2), (-1, 1))
    >>> builder.program([builder.sum([(1, 0), (-1, 1)])]).operations.additions
    1
    """

    def __init__(self, ring: Ring, inputs: int) -> None:
        self.ring = ring
        self.inputs = inputs
        self._steps: dict[Combination, int] = {}

    def sum(self, terms: Sequence[Term]) -> Term | None:
        """Return a sum as a multiple of one register, with a step for it where there is none; None where it vanishes.

        Terms may name a register more than once.
        """
        total: Sparse = {}
        for coefficient, register in terms:
            total[register] = self._plain(total.get(register, 0) + coefficient)
        combination = tuple((x, register) for register, x in sorted(total.items()) if x)
        if not combination:
            return None
        if len(combination) == 1:
            return combination[0]
        scale, normal = self._normal(combination)
        return scale, self._steps.setdefault(normal, self.inputs + len(self._steps))

    def scaled(self, term: Term | None, by: Element) -> Term | None:
        """Return a multiple of a term."""
        return (self._plain(term[0] * by), term[1]) if term else None

    def program(self, outputs: Sequence[Term | None]) -> LinearProgram:
        """Return the program with these outputs."""
        views = tuple((term,) if term else () for term in outputs)
        return LinearProgram(self.ring, self.inputs, tuple(self._steps), views)

    def _plain(self, value: Element) -> Element:
        return plain(value, self.ring.characteristic)

    def _normal(self, terms: Combination) -> tuple[Element, Combination]:
        """Write terms as a constant times a sum that is primitive and begins with a positive coefficient."""
        p, lead = self.ring.characteristic, terms[0][0]
        scale: Element
        if p:
            scale = lead
            inverse = pow(int(lead), -1, p)
            return scale, tuple((int(x) * inverse % p, register) for x, register in terms)
        denominator = lcm(*(Fraction(x).denominator for x, _ in terms))
        content = gcd(*(int(x * denominator) for x, _ in terms)) * (1 if lead > 0 else -1)
        scale = Fraction(content, denominator)
        return self._plain(scale), tuple((self._plain(x / scale), register) for x, register in terms)


def plain(value: Element, p: int) -> Element:
    """Return a number in normal form: a residue modulo p, an ``int`` where there is one for p = 0."""
    return int(value) % p if p else value.numerator if value.denominator == 1 else value
