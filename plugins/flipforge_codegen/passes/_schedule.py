"""Buffer scheduling: in which order a program runs, and where each value stands, so that little memory is live.

Three modes. ``all``: every value has a buffer of its own, so that all combinations may be taken at once, then all
products made, then the result. In ``product`` mode one product is made at a time and added at once wherever it is
needed; places of the result that are not yet written serve as buffers. ``clobber`` is like it, and operands may be
overwritten once they are used up. A program that shares sums has fewer additions, and more of them live at a time.

What is found is proven by running it on symbols, memory and all. The idea of in-place schedules: Boyer, Dumas, Pernet
and Zhou, "Memory efficient scheduling of Strassen-Winograd's matrix multiplication algorithm" (ISSAC 2009).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, count

import numpy as np

from flipforge.errors import InputError, VerificationError
from flipforge.problems import Problem
from flipforge.programs import Program
from flipforge.rings import Element, Ring
from flipforge.schemes import Scheme
from flipforge_codegen.passes._sharing import normalised
from flipforge_codegen.passes._stream import Combine, Multiply, Place, Spans, Stream

__all__ = ["MODES", "Combine", "Multiply", "Place", "Schedule", "schedule"]

MODES = ("all", "product", "clobber")

Form = dict[int, Element]

_HOME = {"s": "a", "t": "b", "p": "c"}
"""Where buffers of a kind may stand beside their own."""
_FOREVER = 1 << 60


@dataclass(frozen=True)
class Schedule:
    """Instructions that compute a problem in place of registers.

    Attributes
    ----------
    buffers
        How many buffers there are of the size of a block of A, of B and of C.
    """

    problem: Problem
    ring: Ring
    mode: str
    steps: tuple[Combine[Place] | Multiply[Place], ...] = field(repr=False)
    buffers: tuple[int, int, int]

    @property
    def additions(self) -> int:
        """Additions and subtractions."""
        return sum(len(step.terms) - 1 for step in self.steps if isinstance(step, Combine))

    def workspace(self, sizes: tuple[int, int, int] = (1, 1, 1)) -> int:
        """Return what all buffers take, for blocks of these sizes."""
        return sum(number * size for number, size in zip(self.buffers, sizes, strict=True))

    def prove(self) -> "Schedule":
        """Run the instructions on symbols, where a place holds what was written last; return the schedule.

        Raises
        ------
        VerificationError
            A place is read before it is written, an operand is overwritten that must not be, or the result is wrong.
        """
        memory: dict[Place, Form] = {}
        for kind, size in zip("ab", self.problem.shape, strict=False):
            memory.update({(kind, i): {i: 1} for i in range(size)})
        factors: list[tuple[Form, Form]] = []
        for number, step in enumerate(self.steps):
            if self.mode != "clobber" and step.target[0] in "ab":
                raise VerificationError(f"instruction {number} overwrites an operand")
            if any(place not in memory for place in step.read):
                raise VerificationError(f"instruction {number} reads a place before it is written")
            if isinstance(step, Multiply):
                if step.target in step.read:
                    raise VerificationError(f"instruction {number} writes a product over a factor of it")
                factors.append((memory[step.left], memory[step.right]))
                memory[step.target] = {len(factors) - 1: 1}
            else:
                memory[step.target] = self._sum([(x, memory[place]) for x, place in step.terms])
        left, right, out = self.problem.shape
        results = [memory.get(("c", k)) for k in range(out)]
        if any(form is None for form in results):
            raise VerificationError("a block of the result is never written")
        u, v = (tuple(_dense(pair[axis], size) for pair in factors) for axis, size in enumerate((left, right)))
        w = tuple(tuple((form or {}).get(q, 0) for form in results) for q in range(len(factors)))
        verdict = Scheme(self.problem, self.ring, u, v, w).verdict()
        if not verdict.valid:
            raise VerificationError(f"schedule for {self.problem}: {verdict.reason}")
        return self

    def _sum(self, terms: Sequence[tuple[Element, Form]]) -> Form:
        total: Form = {}
        for x, form in terms:
            for i, y in form.items():
                total[i] = total.get(i, 0) + x * y
        p = self.ring.characteristic
        return {i: (int(x) % p if p else x) for i, x in total.items() if (x % p if p else x)}


def schedule(
    program: Program, mode: str = "product", *, square: bool = False, tries: int = 200, seed: int = 0
) -> Schedule:
    """Order a program and give its values places; the schedule is proven.

    Parameters
    ----------
    mode
        One of `MODES`.
    square
        All blocks are of one size, so that a buffer may hold any value, and a place of the result a combination.
    tries
        Orders of the products that are tried, each a change of the best so far.

    Raises
    ------
    InputError
        There is no such mode, or both operands are the same: then nothing tells their buffers apart.

    Examples
    --------
    >>> from flipforge.problems import matmul
    >>> from flipforge.programs import program
    >>> from flipforge.rings import ZT
    >>> from flipforge.schemes import standard_scheme
    >>> schedule(program(standard_scheme(matmul(1, 2, 1), ZT))).buffers
    (0, 0, 1)
    """
    if mode not in MODES:
        raise InputError(f"unknown mode {mode!r}: use one of {', '.join(MODES)}")
    if program.problem.commutes:
        raise InputError(f"{program.problem}: both factors mix the operands; schedules are for two operands")
    program = normalised(program)
    draw = np.random.Generator(np.random.PCG64(seed))
    order = list(range(program.rank))
    best = _placed(program, mode, square, order)
    for _ in range(tries if mode != "all" else 0):
        changed = list(order)
        moved = changed.pop(draw.integers(len(changed))) if changed else 0
        changed.insert(draw.integers(len(changed) + 1), moved)
        found = _placed(program, mode, square, changed)
        if _cost(found) <= _cost(best):
            best, order = found, changed
    return best.prove()


def _cost(found: Schedule) -> tuple[int, int]:
    return found.workspace(), len(found.steps)


def _placed(program: Program, mode: str, square: bool, order: Sequence[int]) -> Schedule:
    stream = Stream(program, order)
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for number, step in enumerate(stream.instructions):
        for value in (step.target, *step.read):
            first.setdefault(value, number)
            # A product must not be written where a factor stands, which may be where all sizes are one.
            last[value] = number + isinstance(step, Multiply)
    spans = Spans()
    for value, place in stream.fixed.items():
        if place[0] == "c":
            spans.take(place, first.get(value, 0), _FOREVER)
        else:
            spans.take(place, -1, last.get(value, -1) if mode == "clobber" else _FOREVER)
    places = dict(stream.fixed)
    sizes = dict(zip("stp", program.problem.shape, strict=True))
    made = {"s": 0, "t": 0, "p": 0}
    for value in sorted(first, key=first.__getitem__):
        if value in places:
            continue
        kind = "p" if square else stream.kinds[value]
        homes = ("p", "s", "t") if square else (kind,)
        own = ((_HOME[home], i) for home in homes for i in range(sizes[home]) if mode != "all")
        candidates = chain(own, ((kind, i) for i in count(made[kind] if mode == "all" else 0)))
        place = next(each for each in candidates if spans.free(each, first[value], last[value]))
        if place[0] == kind:
            made[kind] = max(made[kind], place[1] + 1)
        spans.take(place, first[value], last[value])
        places[value] = place
    steps = tuple(_at(step, places) for step in stream.instructions)
    return Schedule(program.problem, program.ring, mode, steps, (made["s"], made["t"], made["p"]))


def _at(step: Combine[int] | Multiply[int], places: dict[int, Place]) -> Combine[Place] | Multiply[Place]:
    if isinstance(step, Multiply):
        return Multiply(places[step.target], places[step.left], places[step.right])
    return Combine(places[step.target], tuple((x, places[value]) for x, value in step.terms))


def _dense(form: Form, size: int) -> tuple[Element, ...]:
    return tuple(form.get(i, 0) for i in range(size))
