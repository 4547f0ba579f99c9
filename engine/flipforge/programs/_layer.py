"""Layer programs: straight-line programs that apply a linear map between tensor powers which commutes with a group.

A register holds a tensor whose axes all have length n. One instruction adds the image of a register under a diagram to
another register: a diagonal is a view, points below alone are summed over, points above alone are broadcast along, and
blocks with several points above are scattered to a diagonal. So an instruction touches one element for each value of
each of its blocks, n^blocks in all, which is what it counts; views are free.

Factoring a diagram into such steps is the scheme of Pearce-Crump (arXiv 2304.14165, 2412.10837); here all diagrams of a
layer share their steps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from flipforge.diagrams import PartitionDiagram, compose, compose_symplectic
from flipforge.errors import MalformedError, VerificationError

__all__ = ["INPUT", "OUTPUT", "LayerProgram", "Polynomial", "Step", "evaluate_polynomial", "polynomial_text"]

INPUT, OUTPUT = 0, 1
"""The registers of the input and of the output."""

Polynomial = tuple[int, ...]
"""Coefficients in n, that of n^0 first."""
Expansion = dict[int | None, dict[PartitionDiagram, dict[int, int]]]


class Step(NamedTuple):
    """One instruction: ``target += w * F(diagram) source``, w the weight of that number, or 1 where there is none."""

    target: int
    source: int
    diagram: PartitionDiagram
    weight: int | None = None


@dataclass(frozen=True)
class LayerProgram:
    """A straight-line program: registers 0 and 1 are input and output, all others begin with zeros.

    Attributes
    ----------
    orders
        For each register its number of axes.
    steps
        Instructions in order. None reads a register that a later one adds to; none writes the input or reads the
        output.
    symplectic
        Diagrams stand for matrices of Sp(n), in which a pair in one row is the form.

    Raises
    ------
    MalformedError
        A step names no register, does not fit its registers, or reads what is not complete.

    Examples
    --------
    >>> mean = PartitionDiagram(1, 0, (0,))
    >>> ones = PartitionDiagram(0, 1, (0,))
    >>> program = LayerProgram((1, 1, 0), (Step(2, 0, mean), Step(1, 2, ones, 0)))
    >>> polynomial_text(program.operations)
    '2n'
    """

    orders: tuple[int, ...]
    steps: tuple[Step, ...]
    symplectic: bool = False

    def __post_init__(self) -> None:
        if len(self.orders) < 2 or min(self.orders) < 0:
            raise MalformedError("a layer program has an input, an output, and orders that are not negative")
        read: set[int] = {OUTPUT}
        for number, step in enumerate(self.steps):
            place = f"step {number}"
            if not all(0 <= register < len(self.orders) for register in step[:2]):
                raise MalformedError(f"{place} names a register that is not there; there are {len(self.orders)}")
            if (step.diagram.k, step.diagram.l) != (self.orders[step.source], self.orders[step.target]):
                raise MalformedError(
                    f"{place}: a {step.diagram.l} x {step.diagram.k} diagram does not fit its registers"
                )
            if step.source == OUTPUT or step.target == INPUT:
                raise MalformedError(f"{place} writes the input or reads the output")
            read.add(step.source)
            if step.target in read - {OUTPUT}:
                raise MalformedError(f"{place} adds to register {step.target}, which was read already")
            if self.symplectic and not step.diagram.is_brauer:
                raise MalformedError(f"{place}: a symplectic step joins pairs only")

    def __hash__(self) -> int:
        # A program is looked up at each application; its steps are hashed once.
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.orders, self.steps, self.symplectic))

    @property
    def k(self) -> int:
        """Axes of the input."""
        return self.orders[INPUT]

    @property
    def l(self) -> int:  # noqa: E743 - the field's own letter
        """Axes of the output."""
        return self.orders[OUTPUT]

    @cached_property
    def weights(self) -> int:
        """Number of weights."""
        return 1 + max((step.weight for step in self.steps if step.weight is not None), default=-1)

    @cached_property
    def operations(self) -> Polynomial:
        """Elements touched, as a polynomial in n."""
        counts = [0] * (1 + max((step.diagram.size for step in self.steps), default=0))
        for step in self.steps:
            counts[step.diagram.size] += 1
        return tuple(counts)

    def cost(self, n: int) -> int:
        """Return the elements touched at one n."""
        return evaluate_polynomial(self.operations, n)

    @cached_property
    def diagrams(self) -> tuple[PartitionDiagram, ...]:
        """For each weight the diagram that the program applies with it.

        Raises
        ------
        VerificationError
            A weight comes with another factor than 1, with several diagrams or with none, or a diagram without weight.
        """
        expansion = expand(self)
        if None in expansion:
            raise VerificationError("the output holds a diagram without a weight")
        found = []
        for weight in range(self.weights):
            terms = expansion.get(weight, {})
            if len(terms) != 1 or next(iter(terms.values())) != {0: 1}:
                raise VerificationError(f"weight {weight} does not stand for one diagram with factor 1")
            found.append(next(iter(terms)))
        return tuple(found)

    def transposed(self) -> "LayerProgram":
        """Return the program of the transposed map, with the same weights: its steps upside down, last to first."""
        swapped = {INPUT: OUTPUT, OUTPUT: INPUT}
        steps = [
            Step(swapped.get(s.source, s.source), swapped.get(s.target, s.target), s.diagram.flip(), s.weight)
            for s in reversed(self.steps)
        ]
        orders = (self.orders[OUTPUT], self.orders[INPUT], *self.orders[2:])
        return LayerProgram(orders, tuple(steps), self.symplectic)


def expand(program: LayerProgram) -> Expansion:
    """Run a program on symbols: for each weight the diagrams at the output, with their factors by powers of n.

    Raises
    ------
    VerificationError
        A path from input to output carries two weights.
    """
    start = PartitionDiagram(program.k, program.k, (*range(program.k), *range(program.k)))
    registers: list[Expansion] = [{} for _ in program.orders]
    registers[INPUT] = {None: {start: {0: 1}}}
    for step in program.steps:
        target = registers[step.target]
        for weight, terms in registers[step.source].items():
            if weight is not None and step.weight is not None:
                raise VerificationError(f"weights {weight} and {step.weight} stand on one path")
            place = target.setdefault(weight if step.weight is None else step.weight, {})
            for below, factors in terms.items():
                made, loops, sign = _composed(step.diagram, below, program.symplectic)
                sums = place.setdefault(made, {})
                for power, factor in factors.items():
                    sums[power + loops] = sums.get(power + loops, 0) + sign * factor
    return registers[OUTPUT]


def _composed(above: PartitionDiagram, below: PartitionDiagram, symplectic: bool) -> tuple[PartitionDiagram, int, int]:
    if symplectic:
        return compose_symplectic(above, below)
    return *compose(above, below), 1


def evaluate_polynomial(coefficients: Sequence[int], n: int) -> int:
    """Return the value at n.

    Examples
    --------
    >>> evaluate_polynomial((4, 14, 6), 10)
    744
    """
    return sum(coefficient * n**power for power, coefficient in enumerate(coefficients))


def polynomial_text(coefficients: Iterable[int | Fraction]) -> str:
    """Write a polynomial, highest power first.

    Examples
    --------
    >>> polynomial_text((4, 14, 6)), polynomial_text((0, 1)), polynomial_text(())
    ('6n^2 + 14n + 4', 'n', '0')
    """
    terms = []
    for power, coefficient in enumerate(coefficients):
        if coefficient:
            name = {0: "", 1: "n"}.get(power, f"n^{power}")
            terms.append(name if coefficient == 1 and name else f"{coefficient}{name}")
    return " + ".join(reversed(terms)) or "0"
