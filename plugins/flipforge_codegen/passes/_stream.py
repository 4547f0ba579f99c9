"""A program as a stream of instructions on values, and places for these values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flipforge.programs import Combination, LinearProgram, Program
from flipforge.rings import Element

__all__ = ["Combine", "Multiply", "Place", "Spans", "Stream"]

P = TypeVar("P")
Value = int

Place = tuple[str, int]
"""``a``, ``b`` and ``c`` are the blocks of operands and result, ``s``, ``t`` and ``p`` buffers of their sizes."""


@dataclass(frozen=True)
class Combine(Generic[P]):
    """``target`` becomes a sum of places of its size, itself among them or not; without terms it is zero."""

    target: P
    terms: tuple[tuple[Element, P], ...]

    @property
    def read(self) -> tuple[P, ...]:
        """What is read."""
        return tuple(place for _, place in self.terms)


@dataclass(frozen=True)
class Multiply(Generic[P]):
    """``target``, of the size of a block of the result, becomes the product of two places."""

    target: P
    left: P
    right: P

    @property
    def read(self) -> tuple[P, ...]:
        """What is read."""
        return self.left, self.right


class Spans:
    """From which instruction to which a place is taken; two spans may touch, for sums may be written over a term."""

    def __init__(self) -> None:
        self.taken: dict[Place, list[tuple[int, int]]] = {}

    def free(self, place: Place, begin: int, end: int) -> bool:
        """Tell whether a place is free from one instruction to another."""
        return all(last <= begin or end <= first for first, last in self.taken.get(place, ()))

    def take(self, place: Place, begin: int, end: int) -> None:
        """Mark a place as taken."""
        self.taken.setdefault(place, []).append((begin, end))


class Stream:
    """Writes the instructions of one order of the products.

    A product goes at once to all sums that it is a term of. The first sum that takes it as it is has it made in its own
    place. A sum that is a term of another, and complete before any other term of that, is gathered in its place.

    Parameters
    ----------
    program
        Normalised: each output is a view, or zero.
    """

    def __init__(self, program: Program, order: Sequence[int]) -> None:
        self.program = program
        self.instructions: list[Combine[Value] | Multiply[Value]] = []
        self.kinds: list[str] = []
        self.fixed: dict[Value, Place] = {}
        self._sides = [self._side(part, kind) for part, kind in ((program.left, "a"), (program.right, "b"))]
        self._sums = (*program.out.steps, *program.out.outputs)
        self._factors = [self._factor(q) for q in range(program.rank)]
        self._uses: list[list[tuple[int, Element]]] = [[] for _ in range(program.out.registers)]
        for number, terms in enumerate(self._sums):
            for x, register in self._terms(terms):
                self._uses[register].append((number, x))
        self._ready = self._ready_times(order)
        self._values: dict[int, Value] = {}
        self._owners: dict[int, int] = {}
        self._left = [len(self._terms(terms)) for terms in self._sums]
        for q in order:
            if self._factors[q]:
                self._make(q)
        for number in range(len(program.out.steps), len(self._sums)):
            if number not in self._values:
                self._emit(self._assigned(number), ())

    def _side(self, part: LinearProgram, kind: str) -> dict[int, Value]:
        values = {}
        for register in range(part.inputs):
            values[register] = self._value("s" if kind == "a" else "t", (kind, register))
        return values

    def _value(self, kind: str, place: Place | None = None) -> Value:
        self.kinds.append(kind)
        if place is not None:
            self.fixed[len(self.kinds) - 1] = place
        return len(self.kinds) - 1

    def _emit(self, target: Value, terms: tuple[tuple[Element, Value], ...]) -> None:
        self.instructions.append(Combine(target, terms))

    def _factor(self, q: int) -> Element:
        """Return what the views of a product's factors multiply it by; 0 where a factor is zero."""
        left, right = self.program.left.outputs[q], self.program.right.outputs[q]
        return self._plain(left[0][0] * right[0][0]) if left and right else 0

    def _terms(self, terms: Combination) -> list[tuple[Element, int]]:
        """Return the terms of a sum of the output map, those of products scaled by their factors."""
        rank = self.program.rank
        scaled = [(self._plain(x * self._factors[r]) if r < rank else x, r) for x, r in terms]
        return [(x, r) for x, r in scaled if x]

    def _plain(self, x: Element) -> Element:
        p = self.program.ring.characteristic
        return int(x) % p if p else x.numerator if x.denominator == 1 else x

    def _ready_times(self, order: Sequence[int]) -> list[int]:
        ready = [0] * self.program.rank
        for time, q in enumerate(order):
            ready[q] = time
        for terms in self.program.out.steps:
            ready.append(max((ready[register] for _, register in self._terms(terms)), default=0))
        return ready

    def _operand(self, side: int, register: int) -> Value:
        """Return the value of a register of the left or right part; sums are written when they are first needed."""
        part, values = self.program.parts[side], self._sides[side]
        if register not in values:
            terms = part.steps[register - part.inputs]
            read = tuple((x, self._operand(side, used)) for x, used in terms)
            values[register] = self._value("st"[side])
            self._emit(values[register], read)
        return values[register]

    def _make(self, q: int) -> None:
        left, right = (self._operand(side, self.program.parts[side].outputs[q][0][1]) for side in (0, 1))
        owner = next((number for number, x in self._uses[q] if x == 1 and number not in self._values), None)
        value = self._value("p") if owner is None else self._assigned(owner)
        self.instructions.append(Multiply(value, left, right))
        self._distribute(q, value, owner)

    def _assigned(self, number: int) -> Value:
        """Give a sum its value: that of a sum it becomes a term of, where nothing else comes there before."""
        steps = len(self.program.out.steps)
        if number >= steps:
            value = self._value("p", ("c", number - steps))
        else:
            register = self.program.rank + number
            into = next((n for n, x in self._uses[register] if x == 1 and self._later(n, register)), None)
            if into is None:
                value = self._value("p")
            else:
                self._owners[number] = into
                value = self._assigned(into)
        self._values[number] = value
        return value

    def _later(self, number: int, register: int) -> bool:
        """Tell whether a sum has no value yet, and all its other terms come after a register is complete."""
        others = [r for _, r in self._terms(self._sums[number]) if r != register]
        return number not in self._values and all(self._ready[r] > self._ready[register] for r in others)

    def _distribute(self, register: int, value: Value, owner: int | None) -> None:
        """Add a register to all sums that it is a term of, but where it stands already; hand on complete ones."""
        for number, x in self._uses[register]:
            if number == owner:
                continue
            if number in self._values:
                target = self._values[number]
                self._emit(target, ((1, target), (x, value)))
            else:
                self._emit(self._assigned(number), ((x, value),))
        for number, _ in self._uses[register]:
            self._left[number] -= 1
        for number, _ in self._uses[register]:
            if not self._left[number] and number < len(self.program.out.steps):
                self._distribute(self.program.rank + number, self._values[number], self._owners.get(number))
