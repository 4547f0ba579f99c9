"""What compiled targets print: the three linear maps of a program as sums of integers, and how far they grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from flipforge.programs import Combination, LinearProgram, Program

__all__ = ["Growth", "Stage", "Stages", "Sum", "stages"]

Sum = tuple[tuple[int, int], ...]
"""Terms (coefficient, position): never a zero coefficient."""


@dataclass(frozen=True)
class Stage:
    """A linear map: local sums, and sums that are written to memory.

    Attributes
    ----------
    inputs
        Registers 0 to ``inputs - 1``.
    steps
        Local sums; the register of step i is ``inputs + i``.
    slots
        Sums of registers that are written to memory.
    sources
        Where each output of the map stands: in input i >= 0 as it is, or in slot s, written -1 - s.
    rows
        Each output as a sum of inputs.
    denominators
        What each slot is divided by after it was summed.
    norm
        Bound on the absolute value of every sum, for inputs between -1 and 1.
    """

    inputs: int
    steps: tuple[Sum, ...]
    slots: tuple[Sum, ...]
    sources: tuple[int, ...]
    rows: tuple[Sum, ...]
    denominators: tuple[int, ...]
    norm: int

    @property
    def outputs(self) -> tuple[Sum, ...]:
        """Each output as a sum of registers."""
        return tuple(((1, source),) if source >= 0 else self.slots[-1 - source] for source in self.sources)

    @property
    def largest(self) -> int:
        """Largest absolute value of a coefficient."""
        sums = (*self.steps, *self.slots, *self.rows)
        return max((abs(coefficient) for terms in sums for coefficient, _ in terms), default=0)


@dataclass(frozen=True)
class Growth:
    """How far values grow in one level, before anything is divided.

    Attributes
    ----------
    left, right
        Largest value of a combination of entries between -1 and 1.
    out
        Largest value in the combination of the products, for products between -1 and 1.
    whole
        The same for products of what ``left`` and ``right`` give, where a product of two ones counts as 1.
    """

    left: int
    right: int
    out: int
    whole: int


@dataclass(frozen=True)
class Stages:
    """A program as a compiled target prints it."""

    left: Stage
    right: Stage
    out: Stage
    growth: Growth

    @property
    def largest(self) -> int:
        """Largest absolute value of a coefficient."""
        return max(stage.largest for stage in (self.left, self.right, self.out))


def stages(program: Program) -> Stages:
    """Bring a program into integer form: residues as close to zero as possible, denominators at the outputs alone.

    Examples
    --------
    >>> from flipforge.problems import matmul
    >>> from flipforge.programs import program
    >>> from flipforge.rings import ZT
    >>> from flipforge.schemes import standard_scheme
    >>> sorted(stages(program(standard_scheme(matmul(1, 2, 1), ZT))).left.sources)
    [0, 1]
    """
    left, right, out = _operand(program.left), _operand(program.right), _result(program.out)
    p = program.ring.characteristic
    weights = [
        sum(abs(a) for a, _ in x) * sum(abs(b) for b, _ in y) for x, y in zip(left.rows, right.rows, strict=True)
    ]
    whole = _largest(out.steps, out.slots, weights)
    assert not p or all(d == 1 for d in out.denominators)
    return Stages(left, right, out, Growth(left.norm, right.norm, out.norm, whole))


def _operand(part: LinearProgram) -> Stage:
    part = _whole_steps(part)
    steps = tuple(_integers(step, part) for step in part.steps)
    slots: dict[Sum, int] = {}
    sources = []
    for output in part.outputs:
        terms = _integers(output, part)
        if len(terms) == 1 and terms[0][0] == 1 and terms[0][1] < part.inputs:
            sources.append(terms[0][1])
        else:
            sources.append(-1 - slots.setdefault(terms, len(slots)))
    written = tuple(slots)
    rows = tuple(_integers(tuple((x, place) for place, x in row.items()), part) for row in part.matrix)
    norm = _largest(steps, written, [1] * part.inputs)
    return Stage(part.inputs, steps, written, tuple(sources), rows, (1,) * len(written), norm)


def _result(part: LinearProgram) -> Stage:
    part = _whole_steps(part)
    steps = tuple(_integers(step, part) for step in part.steps)
    denominators = tuple(lcm(*(Fraction(x).denominator for x, _ in output)) for output in part.outputs)
    slots = tuple(_integers(output, part, d) for output, d in zip(part.outputs, denominators, strict=True))
    rows = tuple(
        _integers(tuple((x, place) for place, x in row.items()), part, d)
        for row, d in zip(part.matrix, denominators, strict=True)
    )
    sources = tuple(-1 - place for place in range(len(slots)))
    return Stage(part.inputs, steps, slots, sources, rows, denominators, _largest(steps, slots, [1] * part.inputs))


def _whole_steps(part: LinearProgram) -> LinearProgram:
    """Return the map without steps where one of them divides."""
    if all(Fraction(x).denominator == 1 for step in part.steps for x, _ in step):
        return part
    outputs = tuple(tuple((x, place) for place, x in row.items()) for row in part.matrix)
    return LinearProgram(part.ring, part.inputs, (), outputs)


def _integers(terms: Combination, part: LinearProgram, scale: int = 1) -> Sum:
    p = part.ring.characteristic
    values = ((int(x * scale), register) for x, register in terms)
    return tuple(sorted((((x - p) if p and x > p // 2 else x, register) for x, register in values), key=_register))


def _register(term: tuple[int, int]) -> int:
    return term[1]


def _largest(steps: Sequence[Sum], slots: Sequence[Sum], inputs: Sequence[int]) -> int:
    """Bound every value by the sum of its terms' bounds."""
    bounds = list(inputs)
    for step in steps:
        bounds.append(sum(abs(x) * bounds[register] for x, register in step))
    written = (sum(abs(x) * bounds[register] for x, register in slot) for slot in slots)
    return max([*bounds, *written], default=0)
