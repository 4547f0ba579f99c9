"""What the NumPy and PyTorch targets print: the shared program of a scheme, with integers and denominators."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from flipforge.errors import InputError
from flipforge.programs import Program, program
from flipforge.schemes import Scheme
from flipforge_codegen._stages import Stages, Sum, stages
from flipforge_codegen.passes import inlined, normalised, share

__all__ = ["Form", "form_of"]


_STEPS = 4_000
"""Budget of sharing: most of what can be had, in a second for the largest schemes."""


@dataclass(frozen=True)
class Form:
    """A program that shares sums, and its integer form; ``modulus`` is 0 or a prime."""

    program: Program

    @cached_property
    def stages(self) -> Stages:
        """Integer sums; outputs alone are divided."""
        return stages(self.program)

    @property
    def modulus(self) -> int:
        """Characteristic of the ring."""
        return self.program.ring.characteristic

    @property
    def rank(self) -> int:
        """Number of products."""
        return self.program.rank

    @property
    def fractional(self) -> bool:
        """Tell whether an output is divided."""
        return any(denominator > 1 for denominator in self.stages.out.denominators)

    @property
    def largest(self) -> int:
        """Largest absolute value of a coefficient."""
        return self.stages.largest

    @property
    def terms(self) -> int:
        """Number of terms of all sums: array operations of one application, about."""
        parts = (self.stages.left, self.stages.right, self.stages.out)
        return 2 * self.rank + sum(len(terms) for part in parts for terms in (*part.steps, *part.slots))

    def factors(self) -> Iterator[tuple[Sum, Sum]]:
        """Yield the two factors of each product, as sums of the registers of their parts."""
        yield from zip(self.stages.left.outputs, self.stages.right.outputs, strict=True)


@lru_cache(maxsize=16)
def form_of(scheme: Scheme) -> Form:
    """Return the form of a scheme: one ID gives one form. A program that is too large to share sums in shares none."""
    written = program(scheme)
    try:
        return Form(inlined(share(written, steps=_STEPS)))
    except InputError:
        return Form(normalised(written))
