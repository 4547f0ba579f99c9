"""A linear map as rows of codes, which the kernel shares pairs of, and programs made of such pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.errors import InputError
from flipforge.programs import Builder, LinearProgram, Term
from flipforge.rings import Element, Q, Ring

__all__ = ["Sums"]

Array = npt.NDArray[Any]

_MAX_CELLS = 64_000_000
"""Most counts of pairs that the kernel keeps."""
_MAX_CLASSES = 32
"""Among more ratios of coefficients, only equal and opposite ones are shared."""


@dataclass(frozen=True)
class Sums:
    """The rows of a linear map, as the kernel takes them.

    Raises
    ------
    InputError
        They are too many for the kernel.
    """

    ring: Ring
    inputs: int
    rows: tuple[Mapping[int, Element], ...] = field(repr=False)

    def __post_init__(self) -> None:
        cells = (self.inputs + self.most) ** 2 * len(self.ratios)
        if cells > _MAX_CELLS:
            raise InputError(f"{len(self.rows)} sums of {self.inputs} terms are too many to share pairs in")

    @classmethod
    def of(cls, part: LinearProgram) -> "Sums":
        """Return the sums that a program computes, whatever it shares."""
        return cls(part.ring, part.inputs, part.matrix)

    def transposed(self) -> "Sums":
        """Return the sums of the transposed map."""
        columns: list[dict[int, Element]] = [{} for _ in range(self.inputs)]
        for number, row in enumerate(self.rows):
            for column, x in row.items():
                columns[column][number] = x
        return Sums(self.ring, len(self.rows), tuple(columns))

    @cached_property
    def units(self) -> list[Element]:
        """The distinct coefficients; code i stands for ``units[i - 1]``."""
        return sorted({x for row in self.rows for x in row.values()})

    @cached_property
    def ratios(self) -> list[Element]:
        """The ratios of coefficients whose pairs are shared, by class."""
        found = sorted({self._ratio(x, y) for x in self.units for y in self.units})
        return found if len(found) <= _MAX_CLASSES else [self.ring.reduce(x) for x in (-1, 1)]

    @property
    def most(self) -> int:
        """No program has more pairs: each takes a term away from two rows at least."""
        return sum(map(len, self.rows)) // 2

    @cached_property
    def codes(self) -> Array:
        """(rows, inputs) int16."""
        code = {x: number for number, x in enumerate(self.units, 1)}
        codes = np.zeros((len(self.rows), self.inputs), np.int16)
        for number, row in enumerate(self.rows):
            for column, x in row.items():
                codes[number, column] = code[x]
        return codes

    @cached_property
    def table(self) -> Array:
        """(units + 1, units + 1) int16: the class of the ratio of two coefficients, -1 where there is none."""
        kind = {x: number for number, x in enumerate(self.ratios)}
        table = np.full((len(self.units) + 1,) * 2, -1, np.int16)
        for i, x in enumerate(self.units, 1):
            for j, y in enumerate(self.units, 1):
                table[i, j] = kind.get(self._ratio(x, y), -1)
        return table

    def improve(
        self, start: Array | None = None, *, steps: int = 0, goal: int = 0, weight: int = -1, seed: int = 0
    ) -> tuple[Array, int, int]:
        """Run the kernel (`flipforge_codegen.passes.reference`); without steps it makes one greedy round."""
        from flipforge_codegen.passes._sharing_kernel import improve

        pairs = np.zeros((0, 3), np.int32) if start is None else start
        word = np.array([seed], np.uint64)
        best, cost, used = improve(
            self.codes, self.table, len(self.ratios), pairs, self.most, steps, goal, weight, word
        )
        return best, int(cost), int(used)

    def program(self, pairs: Sequence[Sequence[int]] | Array) -> LinearProgram:
        """Return the program that shares these pairs, its sums primitive; a pair that stands nowhere is left out."""
        over = self.ring if self.ring.characteristic else Q
        builder = Builder(over, self.inputs)
        terms: list[Term | None] = [(1, column) for column in range(self.inputs)]
        rows = [dict(row) for row in self.rows]
        for a, b, kind in (map(int, pair) for pair in pairs):
            ratio = self.ratios[kind]
            column = len(terms)
            for row in rows:
                if a in row and b in row and self._ratio(row[a], row[b]) == ratio:
                    row[column] = row.pop(a)
                    del row[b]
            terms.append(self._sum(builder, {a: 1, b: ratio}, terms))
        return builder.program([self._sum(builder, row, terms) for row in rows])

    def _sum(self, builder: Builder, row: Mapping[int, Element], terms: Sequence[Term | None]) -> Term | None:
        scaled = (builder.scaled(terms[column], x) for column, x in row.items())
        return builder.sum([term for term in scaled if term])

    def _ratio(self, x: Element, y: Element) -> Element:
        p = self.ring.characteristic
        if p:
            return int(y) * pow(int(x), -1, p) % p
        ratio = Fraction(y) / x
        return ratio.numerator if ratio.denominator == 1 else ratio
