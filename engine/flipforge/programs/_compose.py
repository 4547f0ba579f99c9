"""Kronecker composition: several levels of matrix products as one program."""

from collections.abc import Callable, Sequence
from functools import reduce

from flipforge.errors import InputError
from flipforge.problems import matmul
from flipforge.programs._linear import Builder, LinearProgram, Term
from flipforge.programs._program import Program, over_one_ring
from flipforge.rings import Q

__all__ = ["compose"]

Place = Callable[[int, int], int]


def compose(levels: Sequence[Program]) -> Program:
    """Return the program of the whole recursion, the first level outermost; formats may differ.

    Its blocks are those of the innermost level, its rank is the product of the ranks. Operations are those of the
    recursion: combinations of level 1 are taken for each block of level 2.

    Raises
    ------
    InputError
        No level is given, one is not a matrix product, or they are not of one characteristic.

    Examples
    --------
    >>> from flipforge.problems import matmul
    >>> from flipforge.programs import program
    >>> from flipforge.rings import ZT
    >>> from flipforge.schemes import standard_scheme
    >>> fast = program(standard_scheme(matmul(2, 2, 2), ZT))
    >>> compose([fast, fast]).problem.name
    'matmul:4x4x4'
    """
    if not levels:
        raise InputError("a composition takes one program a level; give at least one")
    for level in levels:
        if level.problem.kind != "matmul":
            raise InputError(f"{level.problem}: levels are composed of matrix products; recurse into others instead")
        if level.ring.characteristic != levels[0].ring.characteristic:
            raise InputError(f"levels over {levels[0].ring} and {level.ring} have no product; give one characteristic")
    return reduce(_composed, levels)


def _composed(outer: Program, inner: Program) -> Program:
    (n1, m1, p1), (n2, m2, p2) = outer.problem.dims, inner.problem.dims
    problem = matmul(n1 * n2, m1 * m2, p1 * p2)
    rank, entry = inner.rank, _entry(p1, n2, p2)
    parts = (
        _chained(outer.left, inner.left, _entry(m1, n2, m2), lambda q, r: q * rank + r),
        _chained(outer.right, inner.right, _entry(p1, m2, p2), lambda q, r: q * rank + r),
        _chained(inner.out, outer.out, lambda r, q: q * rank + r, lambda y, x: entry(x, y)),
    )
    return Program(problem, *over_one_ring(*parts))


def _entry(columns: int, high: int, wide: int) -> Place:
    """Return where entry y of block x stands: blocks of high x wide entries, ``columns`` of them in a row."""
    return lambda x, y: ((x // columns) * high + y // wide) * (columns * wide) + (x % columns) * wide + y % wide


def _chained(first: LinearProgram, second: LinearProgram, source: Place, target: Place) -> LinearProgram:
    """Return the tensor product of two maps: ``first`` on each input of ``second``, then ``second`` on each output.

    Input (i, j), i of first and j of second, stands at ``source(i, j)``, output (i, j) at ``target(i, j)``.
    """
    ring = Q if not first.ring.characteristic else first.ring
    builder = Builder(ring, first.inputs * second.inputs)
    middle: list[list[Term | None]] = [
        _run(builder, first, [(1, source(i, j)) for i in range(first.inputs)]) for j in range(second.inputs)
    ]
    outputs: dict[int, Term | None] = {}
    for i in range(len(first.outputs)):
        values = _run(builder, second, [column[i] for column in middle])
        outputs.update((target(i, j), value) for j, value in enumerate(values))
    return builder.program([outputs[position] for position in range(len(outputs))])


def _run(builder: Builder, part: LinearProgram, inputs: Sequence[Term | None]) -> list[Term | None]:
    """Write the steps of a part for these inputs; return its outputs."""
    values = list(inputs)
    for terms in part.steps:
        values.append(_sum(builder, terms, values))
    return [_sum(builder, terms, values) for terms in part.outputs]


def _sum(builder: Builder, terms: Sequence[Term], values: Sequence[Term | None]) -> Term | None:
    scaled = (builder.scaled(values[register], coefficient) for coefficient, register in terms)
    return builder.sum([term for term in scaled if term])
