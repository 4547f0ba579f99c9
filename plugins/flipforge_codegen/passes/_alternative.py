"""Alternative bases: fewer additions a level, for a change of basis that is made once.

With U = U' F, V = V' G and W = H W' for invertible F, G, H, the levels of the recursion run the sparser U', V', W', and
operands and result change basis before and after, in time n^2 log n (Karstadt and Schwartz, "Matrix multiplication, a
little faster", 2017). Strassen's and Winograd's products come to 12 additions a level that way, from 18 and 15.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.errors import InputError, VerificationError
from flipforge.programs import LinearProgram, Operations, Program, run_linear
from flipforge.rings import Element, Q
from flipforge_codegen.passes._sharing import share_part
from flipforge_codegen.passes._transpose import transposed

__all__ = ["AlternativeBasis", "alternative_basis"]

Array = npt.NDArray[Any]
Rows = tuple[tuple[Element, ...], ...]


@dataclass(frozen=True)
class AlternativeBasis:
    """A matrix product in other bases.

    Attributes
    ----------
    program
        The program that was rewritten.
    left, right, out
        What each level runs, in the new bases.
    before, after
        Changes of basis: of the blocks of A and of B, and back for those of C.
    """

    program: Program
    left: LinearProgram = field(repr=False)
    right: LinearProgram = field(repr=False)
    out: LinearProgram = field(repr=False)
    before: tuple[LinearProgram, LinearProgram] = field(repr=False)
    after: LinearProgram = field(repr=False)

    @property
    def operations(self) -> Operations:
        """What a level takes, the changes of basis left out."""
        return sum(
            (part.operations for part in (self.left, self.right, self.out)), Operations(products=self.program.rank)
        )

    def prove(self) -> "AlternativeBasis":
        """Put the changes of basis and one level together, and decide that this is the program's map.

        Raises
        ------
        VerificationError
            A part is another map.
        """
        chains = (
            (self.before[0], self.left, self.program.left),
            (self.before[1], self.right, self.program.right),
            (self.out, self.after, self.program.out),
        )
        for first, second, wanted in chains:
            fits = len(first.outputs) == second.inputs
            if not fits or _product(second.rows, first.rows) != wanted.rows:
                raise VerificationError(f"an alternative basis changed the map of a program for {self.program.problem}")
        return self

    def multiply(self, a: Array, b: Array, levels: int) -> Array:
        """Multiply matrices of sizes that ``levels`` levels cut evenly: bases once, then the recursion.

        Raises
        ------
        InputError
            The sizes do not come out even.
        """
        n, m, p = (size**levels for size in self.program.problem.dims)
        if a.shape[-1] != b.shape[-2] or a.shape[-2] % n or a.shape[-1] % m or b.shape[-1] % p:
            raise InputError(f"shapes {a.shape} and {b.shape} are not cut evenly by {levels} levels")
        n, m, p = self.program.problem.dims
        left = _changed(self.before[0], a, (n, m), (n, m), levels)
        right = _changed(self.before[1], b, (m, p), (m, p), levels)
        return _changed(self.after, self._recurse(left, right, levels), (n, p), (n, p), levels, inward=False)

    def _recurse(self, a: Array, b: Array, levels: int) -> Array:
        if not levels:
            return np.asarray(a @ b)
        n, m, p = self.program.problem.dims
        x, y = run_linear(self.left, _cut(a, n, m)), run_linear(self.right, _cut(b, m, p))
        products = [self._recurse(one, other, levels - 1) for one, other in zip(x, y, strict=True)]
        return _joined(run_linear(self.out, products), n, p)


def alternative_basis(program: Program, *, tries: int = 2_000, seed: int = 0) -> AlternativeBasis:
    """Search bases in which a level has few additions; the result is proven.

    Bases are begun with rows of the map, which then cost nothing, and changed by adding one basis vector to another.

    Raises
    ------
    InputError
        The program is not of a matrix product, divides, or is over GF(p), where the same sums cost less as bits.

    Examples
    --------
    >>> from flipforge.problems import matmul
    >>> from flipforge.programs import program
    >>> from flipforge.rings import ZT
    >>> from flipforge.schemes import standard_scheme
    >>> alternative_basis(program(standard_scheme(matmul(2, 2, 2), ZT)), tries=5).operations.additions
    4
    """
    if program.problem.kind != "matmul" or program.ring.name not in ("ZT", "Z"):
        raise InputError(f"{program.problem} over {program.ring}: bases are searched for integer matrix products")
    draw = np.random.Generator(np.random.PCG64(seed))
    left, first = _sparser(program.left, draw, tries)
    right, second = _sparser(program.right, draw, tries)
    # The output map is turned: its columns are what can become cheap.
    turned, third = _sparser(transposed(program.out), draw, tries)
    found = AlternativeBasis(program, left, right, transposed(turned), (first, second), transposed(third))
    return found.prove()


def _sparser(part: LinearProgram, draw: np.random.Generator, tries: int) -> tuple[LinearProgram, LinearProgram]:
    """Return a sparse map and the change of basis before it, of integers both, whose product is the part."""
    rows = np.array(part.rows, dtype=object).reshape(len(part.outputs), part.inputs)
    basis = np.eye(part.inputs, dtype=object)
    best = _cost(rows)
    sparse = rows
    for _ in range(tries):
        i, j = draw.choice(part.inputs, 2, replace=False) if part.inputs > 1 else (0, 0)
        sign = 1 if draw.integers(2) else -1
        if i == j:
            break
        changed = sparse.copy()
        # rows = changed @ basis stays: column i of the map loses what row j of the basis gains.
        changed[:, i] = changed[:, i] - sign * changed[:, j]
        cost = _cost(changed)
        if cost <= best:
            basis[j] = basis[j] + sign * basis[i]
            sparse, best = changed, cost
    return share_part(_part(sparse), "pair"), share_part(_part(basis), "pair")


def _cost(rows: npt.NDArray[np.object_]) -> int:
    return sum(max(0, len(line) - 1) for line in {tuple(map(abs, row)): np.flatnonzero(row) for row in rows}.values())


def _part(rows: npt.NDArray[np.object_]) -> LinearProgram:
    sums = tuple(tuple((int(x), i) for i, x in enumerate(row) if x) for row in rows)
    return LinearProgram(Q, rows.shape[1], (), sums)


def _product(second: Rows, first: Rows) -> Rows:
    columns = list(zip(*first, strict=True))
    totals = (
        tuple(sum((Fraction(x) * y for x, y in zip(row, column, strict=True)), Fraction(0)) for column in columns)
        for row in second
    )
    return tuple(tuple(x.numerator if x.denominator == 1 else x for x in row) for row in totals)


def _changed(
    part: LinearProgram, x: Array, cut: tuple[int, int], joined: tuple[int, int], levels: int, *, inward: bool = True
) -> Array:
    """Change the basis of the blocks of every level, the largest first on the way in and last on the way out."""
    if not levels:
        return x
    blocks = _cut(x, *cut)
    if inward:
        inner = [_changed(part, block, cut, joined, levels - 1) for block in run_linear(part, blocks)]
        return _joined(inner, *joined)
    inner = [_changed(part, block, cut, joined, levels - 1, inward=False) for block in blocks]
    return _joined(run_linear(part, inner), *joined)


def _cut(x: Array, rows: int, columns: int) -> list[Array]:
    h, w = x.shape[-2] // rows, x.shape[-1] // columns
    return [x[..., i * h : (i + 1) * h, j * w : (j + 1) * w] for i in range(rows) for j in range(columns)]


def _joined(blocks: Sequence[Array], rows: int, columns: int) -> Array:
    return np.block([list(blocks[i * columns : (i + 1) * columns]) for i in range(rows)])
