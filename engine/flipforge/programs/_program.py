"""Programs of bilinear maps: combinations of the operands, products, combinations of these."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from flipforge.errors import InputError, MalformedError, VerificationError
from flipforge.problems import Problem
from flipforge.programs._linear import Combination, LinearProgram, Operations
from flipforge.rings import Element, Ring, smallest_ring
from flipforge.schemes import Scheme

__all__ = ["Program", "program"]


@dataclass(frozen=True)
class Program:
    """A bilinear map as a straight-line program.

    ``left`` maps the coordinates of the left operand to the left factors of the products, ``right`` those of the right
    operand to the right factors; ``out`` maps the products to the result. Where both operands are the same (X times its
    transpose, commutative problems), so are the inputs of ``left`` and ``right``.

    Raises
    ------
    MalformedError
        The sizes disagree with each other or with the problem, or the parts are not over one ring.
    InputError
        The problem is approximate.
    """

    problem: Problem
    left: LinearProgram = field(repr=False)
    right: LinearProgram = field(repr=False)
    out: LinearProgram = field(repr=False)

    def __post_init__(self) -> None:
        if self.problem.order:
            raise InputError(f"{self.problem}: an approximate scheme is no program for its problem; drop the eps first")
        if not self.left.ring == self.right.ring == self.out.ring:
            raise MalformedError("the three parts of a program must be over one ring")
        sizes = (self.left.inputs, self.right.inputs, len(self.out.outputs))
        if sizes != self.problem.shape:
            raise MalformedError(f"the program has sizes {sizes}, {self.problem} has {self.problem.shape}")
        if not len(self.left.outputs) == len(self.right.outputs) == self.out.inputs:
            raise MalformedError("left and right must have an output, and out an input, for each product")

    @property
    def ring(self) -> Ring:
        """Ring of the coefficients."""
        return self.out.ring

    @property
    def rank(self) -> int:
        """Number of products."""
        return self.out.inputs

    @property
    def parts(self) -> tuple[LinearProgram, LinearProgram, LinearProgram]:
        """Return left, right and out."""
        return self.left, self.right, self.out

    @property
    def operations(self) -> Operations:
        """What one run takes."""
        return sum((part.operations for part in self.parts), Operations(products=self.rank))

    def scheme(self) -> Scheme:
        """Return the scheme that the program is, by symbolic execution; it need not verify."""
        u, v, out = (part.rows for part in self.parts)
        w = tuple(zip(*out, strict=True)) if self.rank else ()
        ring = self.ring
        if not ring.characteristic:
            ring = smallest_ring(x for rows in (u, v, w) for row in rows for x in row)
        return Scheme(self.problem, ring, u, v, w)

    def prove(self) -> "Program":
        """Run the program on symbols, decide exactly that it computes its problem, and return it.

        Raises
        ------
        VerificationError
            It computes something else.
        """
        verdict = self.scheme().verdict()
        if not verdict.valid:
            raise VerificationError(f"program of {self.rank} products for {self.problem}: {verdict.reason}")
        return self

    def with_parts(self, left: LinearProgram, right: LinearProgram, out: LinearProgram) -> "Program":
        """Return the program with other parts, over the smallest ring that holds all of them.

        Raises
        ------
        VerificationError
            A part is another linear map than before.
        """
        for name, old, new in zip(("left", "right", "out"), self.parts, (left, right, out), strict=True):
            if new.inputs != old.inputs or new.matrix != old.matrix:
                raise VerificationError(f"a pass changed the map of the part {name!r} of a program for {self.problem}")
        return Program(self.problem, *over_one_ring(left, right, out))


def program(scheme: Scheme) -> Program:
    """Write the canonical scheme as a program in which nothing is shared; products that are zero are left out.

    Examples
    --------
    >>> from flipforge.problems import parse
    >>> from flipforge.rings import ZT
    >>> from flipforge.schemes import standard_scheme
    >>> program(standard_scheme(parse("matmul:2x2x2"), ZT)).prove().operations
    Operations(additions=4, scalings=0, products=8)
    """
    form = scheme.canonical
    kept = [factors for factors in zip(form.u, form.v, form.w, strict=True) if all(any(row) for row in factors)]
    left, right, out = form.problem.shape
    u, v, w = ([factors[axis] for factors in kept] for axis in range(3))
    columns = [[row[k] for row in w] for k in range(out)]
    return Program(
        form.problem,
        LinearProgram(form.ring, left, (), tuple(map(_combination, u))),
        LinearProgram(form.ring, right, (), tuple(map(_combination, v))),
        LinearProgram(form.ring, len(kept), (), tuple(map(_combination, columns))),
    )


def over_one_ring(*parts: LinearProgram) -> tuple[LinearProgram, LinearProgram, LinearProgram]:
    """Return three parts over the smallest ring of characteristic 0 that holds them; parts over GF(p) as they are."""
    if not parts[0].ring.characteristic:
        sums = (terms for part in parts for terms in (*part.steps, *part.outputs))
        ring = smallest_ring(coefficient for terms in sums for coefficient, _ in terms)
        parts = tuple(replace(part, ring=ring) for part in parts)
    left, right, out = parts
    return left, right, out


def _combination(row: Sequence[Element]) -> Combination:
    return tuple((x, position) for position, x in enumerate(row) if x)
