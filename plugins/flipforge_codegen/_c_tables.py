"""The tables of a scheme in a C file: its combinations, its schedules of buffers, where its passes stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from textwrap import fill

from flipforge.programs import Program
from flipforge.rings import Element
from flipforge_codegen._scalars import Scalar
from flipforge_codegen._stages import Stages, stages
from flipforge_codegen.passes import Combine, Multiply, Place, Schedule, schedule

__all__ = ["Level", "filled", "level_entry", "level_tables", "numbers"]

_ORDERS = 20
"""Orders of the products that a schedule is chosen from."""
_PLANS = ("products", "clobber", "square")
_KINDS = {"a": 0, "s": 0, "b": 1, "t": 1, "c": 2, "p": 2}


@dataclass(frozen=True)
class Level:
    """One scheme of a file: its number there, its program, and what is derived from that.

    Attributes
    ----------
    first
        How many denominators the schemes before it have.
    """

    number: int
    program: Program
    first: int = 0

    @cached_property
    def form(self) -> Stages:
        """Integer sums; outputs alone are divided."""
        return stages(self.program)

    @cached_property
    def schedules(self) -> tuple[Schedule, ...]:
        """Return the schedules of a product at a time: operands kept, overwritten, overwritten and blocks square.

        None for a structured product, which takes all at once.
        """
        if self.program.problem.kind != "matmul":
            return ()
        modes = (("product", False), ("clobber", False), ("clobber", True))
        return tuple(schedule(self.program, mode, square=square, tries=_ORDERS) for mode, square in modes)

    @property
    def written(self) -> tuple[str, ...]:
        """Names of the blocks of the result that the last pass writes."""
        return self.program.problem.labels[2]

    @cached_property
    def largest(self) -> int:
        """Largest constant that is written."""
        written = (
            max(abs(x.numerator), x.denominator)
            for plan in self.schedules
            for step in plan.steps
            if isinstance(step, Combine)
            for x, _ in step.terms
        )
        return max([self.form.largest, *written])

    @property
    def most_blocks(self) -> int:
        """Length of the longest list of blocks that a pass or a sum takes."""
        left, right, out = self.form.left, self.form.right, self.form.out
        sums = max(
            (len(step.terms) for plan in self.schedules for step in plan.steps if isinstance(step, Combine)), default=0
        )
        return max(left.inputs, right.inputs, out.inputs, *(len(x.slots) for x in (left, right, out)), sums)

    @property
    def most_places(self) -> int:
        """Places that a schedule needs."""
        return sum(self.program.problem.shape) + max((sum(plan.buffers) for plan in self.schedules), default=0)


def level_tables(level: Level) -> str:
    """Write the operands of the products and the schedules."""
    number, left, right = level.number, level.form.left, level.form.right
    text = "\n/* Operands of the products: a block as it is, or combination s, written -1 - s. */\n"
    text += numbers(f"static const int left_source_{number}[]", left.sources)
    text += numbers(f"static const int right_source_{number}[]", right.sources)
    text += "\n/* Schedules: sums and products of places: blocks of A, B and C, then buffers of each size. */\n"
    for name, plan in zip(_PLANS, level.schedules, strict=False):
        text += _schedule(f"{name}_{number}", plan)
    return text


def level_entry(level: Level, scalars: Sequence[Scalar]) -> str:
    """Write the scheme's row in the table of schemes."""
    number, form = level.number, level.form
    n, m, p = level.program.problem.dims
    counts = (n, m, p, len(form.left.sources), len(form.left.slots), len(form.right.slots))
    passes = (
        "{" + ", ".join(f"{side}_{scalar.suffix}_{number}" for scalar in scalars) + "}"
        for side in ("left", "right", "out")
    )
    plans = [
        f"{{{len(plan.steps)}, {', '.join(map(str, plan.buffers))}, {name}_{number}_steps, {name}_{number}_terms}}"
        for name, plan in zip(_PLANS, level.schedules, strict=False)
    ] or ["{0}"] * len(_PLANS)
    sources = (f"left_source_{number}", f"right_source_{number}")
    return filled(f"  {{{', '.join([*map(str, counts), *sources, *plans, *passes])}}},").rstrip()


def _schedule(name: str, plan: Schedule) -> str:
    """Write the steps of a schedule; the last reading of each factor is marked."""
    a, b, c = plan.problem.shape
    s, t, _ = plan.buffers
    starts = {"a": 0, "b": a, "c": a + b, "s": a + b + c, "t": a + b + c + s, "p": a + b + c + s + t}

    def at(place: Place) -> int:
        return starts[place[0]] + place[1]

    terms: list[str] = []
    steps: list[str] = []
    for number, step in enumerate(plan.steps):
        shape = _KINDS[step.target[0]]
        if isinstance(step, Multiply):
            last = all(_last(plan, number, place) for place in step.read)
            steps.append(f"{{{at(step.target)}, {shape}, {at(step.left)}, {at(step.right)}, {int(last)}, 0, 0}}")
            continue
        # The target's own place is read first: it is overwritten by the term that is written first.
        ordered = sorted(step.terms, key=lambda term: term[1] != step.target)
        steps.append(f"{{{at(step.target)}, {shape}, -1, -1, 0, {len(terms)}, {len(ordered)}}}")
        terms += [_term(x, at(place)) for x, place in ordered]
    listed = ", ".join(terms) or "{0, 1, 0}"
    return filled(f"static const term {name}_terms[] = {{{listed}}};") + filled(
        f"static const step {name}_steps[] = {{{', '.join(steps)}}};"
    )


def _term(x: Element, place: int) -> str:
    value = Fraction(x)
    return f"{{{value.numerator}, {value.denominator}, {place}}}"


def _last(plan: Schedule, number: int, place: Place) -> bool:
    """Tell whether what stands in a place is not read after a step."""
    for step in plan.steps[number + 1 :]:
        if place in step.read:
            return False
        if place == step.target:
            return True
    return place[0] != "c"


def numbers(what: str, values: Sequence[int]) -> str:
    """Write a table of numbers."""
    return filled(f"{what} = {{{', '.join(map(str, values))}}};")


def filled(line: str) -> str:
    """Break a line of a table where it is too long."""
    return fill(line, 118, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False) + "\n"
