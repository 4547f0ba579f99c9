"""Layer programs: straight-line programs that apply a linear map between tensor powers which commutes with a group.

A register holds a tensor whose axes all have length n. One instruction adds the image of a register under a diagram to
another register: a diagonal is a view, points below alone are summed over, points above alone are broadcast along, and
blocks with several points above are scattered to a diagonal. So an instruction touches one element for each value of
each of its blocks, n^blocks in all, which is what it counts; views are free.

Factoring a diagram into such steps is the scheme of Pearce-Crump (arXiv 2304.14165, 2412.10837); here all diagrams of a
layer share their steps. An instruction with a weight may have ties between its blocks, those of a head or of an orbit;
then the program is for one n, and touches an element for each choice of values that the ties leave.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import NamedTuple

from flipforge.diagrams import (
    PartitionDiagram,
    Tie,
    TiedDiagram,
    Wiring,
    compose_symplectic,
    compose_tied,
    tie_rows,
    ties_of,
)
from flipforge.errors import InputError, MalformedError, VerificationError

__all__ = ["INPUT", "OUTPUT", "Fixed", "LayerProgram", "Polynomial", "Step", "evaluate_polynomial", "polynomial_text"]

INPUT, OUTPUT = 0, 1
"""The registers of the input and of the output."""

_LARGEST_FIXED = 1_000

Polynomial = tuple[int, ...]
"""Coefficients in n, that of n^0 first."""
Expansion = dict[int | None, dict[Wiring, dict[int, int]]]


class Step(NamedTuple):
    """One instruction: ``target += w * F(diagram) source``, w the weight of that number, or 1 where there is none."""

    target: int
    source: int
    diagram: Wiring
    weight: int | None = None


@dataclass(frozen=True)
class Fixed:
    """What the ties of a program are about.

    Attributes
    ----------
    n
        Length of all axes.
    generators
        Permutations of 0, ..., n-1 that generate the group whose orbits ties name; none where there are heads alone.
    edges
        Of the graph whose automorphisms they are; none where the group is known by its generators.
    """

    n: int
    generators: tuple[tuple[int, ...], ...] = ()
    edges: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.n <= _LARGEST_FIXED:
            raise MalformedError(f"ties are for an n from 1 to {_LARGEST_FIXED}, not for {self.n}")
        points = list(range(self.n))
        if any(sorted(images) != points for images in self.generators):
            raise MalformedError(f"generators must be permutations of 0..{self.n - 1}")
        if not all(0 <= min(edge) <= max(edge) < self.n for edge in self.edges):
            raise MalformedError(f"edges must join points of 0..{self.n - 1}")

    def rows(self, tie: Tie) -> tuple[tuple[tuple[int, ...], int], ...]:
        """Return the values that a tie leaves, each with its factor."""
        return tie_rows(tie, self.n, self.generators)


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
    fixed
        The n and the group of the ties; None where there are no ties, and then any n will do.

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
    fixed: Fixed | None = None

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
            if self.symplectic and not (isinstance(step.diagram, PartitionDiagram) and step.diagram.is_brauer):
                raise MalformedError(f"{place}: a symplectic step joins pairs only")
            if isinstance(step.diagram, TiedDiagram):
                self._check_ties(place, step)

    def _check_ties(self, place: str, step: Step) -> None:
        if self.fixed is None or step.weight is None:
            raise MalformedError(f"{place}: ties are between blocks of an instruction with a weight, at one n")
        for tie in ties_of(step.diagram):
            if tie.values is None and len(tie.blocks) not in (self.fixed.n, self.fixed.n - 1):
                raise MalformedError(f"{place}: a head has {self.fixed.n} legs, or one less")
            if tie.values is not None and not set(tie.values) <= set(range(self.fixed.n)):
                raise MalformedError(f"{place}: values {tie.values} are not all below {self.fixed.n}")

    def __hash__(self) -> int:
        # A program is looked up at each application; its steps are hashed once.
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.orders, self.steps, self.symplectic, self.fixed))

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
        """Elements touched, as a polynomial in n; at the program's n where it has ties."""
        counts = [0] * (1 + max((step.diagram.size for step in self.steps), default=0))
        for step in self.steps:
            tied = ties_of(step.diagram)
            counts[step.diagram.size - sum(len(tie.blocks) for tie in tied)] += prod(map(self._choices, tied))
        while len(counts) > 1 and not counts[-1]:
            counts.pop()
        return tuple(counts)

    def _choices(self, tie: Tie) -> int:
        assert self.fixed is not None
        return len(self.fixed.rows(tie))

    def cost(self, n: int) -> int:
        """Return the elements touched at one n."""
        return evaluate_polynomial(self.operations, n)

    @cached_property
    def diagrams(self) -> tuple[Wiring, ...]:
        """For each weight the diagram that the program applies with it, the blocks of its ties ascending.

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
        return LayerProgram(orders, tuple(steps), self.symplectic, self.fixed)


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


def _composed(above: Wiring, below: Wiring, symplectic: bool) -> tuple[Wiring, int, int]:
    if symplectic and isinstance(above, PartitionDiagram) and isinstance(below, PartitionDiagram):
        return compose_symplectic(above, below)
    try:
        return compose_tied(above, below)
    except InputError as error:
        raise VerificationError(str(error)) from None


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
