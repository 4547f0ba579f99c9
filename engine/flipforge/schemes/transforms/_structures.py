"""Moves between operand structures: general products and those of structured matrices."""

from collections.abc import Sequence
from itertools import product

from flipforge.errors import InputError, ProblemError
from flipforge.problems import Problem, ProductCode, Structure, matmul, structured
from flipforge.schemes.transforms._moves import corner_of, mirrored, places, tied
from flipforge.schemes.transforms._placement import AS_GIVEN, NOWHERE, Part, Placement

__all__ = ["embed", "restrict", "split", "triangles"]

_BLOCKED = "gulskw"
"""Letters whose blocks are products of this grammar again."""


def restrict(problem: Problem, target: Problem) -> Placement:
    """Give operands more structure at the same sizes, and keep the outputs that the target keeps.

    Restricting a matrix product gives every structured one of its format.

    Raises
    ------
    InputError
        The sizes differ, or the problem does not cover the target.

    Examples
    --------
    >>> restrict(matmul(3, 3, 3), structured("sg", 3, 3, 3)).rank_bound(23)
    23
    """
    if problem.dims != target.dims:
        sizes = " and ".join("x".join(map(str, each.dims)) for each in (problem, target))
        raise InputError(f"{problem} does not restrict to {target}: the sizes {sizes} must be equal")
    return Placement("restrict", target, (Part(problem, places(map(range, problem.dims))),))


def embed(problem: Problem, target: Problem) -> Placement:
    """Let the target's operands stand inside larger ones of the problem's structure, with zeros elsewhere.

    The first places, upper left ones first, that give the target are taken: A general at the upper right of a
    triangular matrix, say.

    Raises
    ------
    InputError
        There are none.

    Examples
    --------
    >>> embed(structured("ug", 4, 4, 2), matmul(2, 2, 2)).parts[0].at[1]
    (-1, 0, 1, -1)
    """
    rooms = [range(there - here + 1) for there, here in zip(problem.dims, target.dims, strict=True)]
    for offsets in product(*rooms):
        at = [
            [x - offset if 0 <= x - offset < size else NOWHERE for x in range(there)]
            for offset, size, there in zip(offsets, target.dims, problem.dims, strict=True)
        ]
        move = Placement("embed", target, (Part(problem, places(at)),))
        if not move.rest:
            return move
    raise InputError(f"{target} has no place inside the operands of {problem}; take larger sizes")


def triangles(n: int, p: int) -> Placement:
    """Multiply a general n x n matrix as the sum of its upper triangle and its strictly lower one.

    The second part is a lower triangular product of size n - 1. Transposed, the move splits the right operand.

    Examples
    --------
    >>> [str(source) for source in triangles(3, 2).sources]
    ['structured:ug:3x2', 'structured:lg:2']
    """
    if n < 2:
        raise InputError(f"triangles: n is {n}; a matrix of one entry has no strictly lower triangle")
    upper = Part(structured("ug", n, n, p), places([range(n), range(n), range(p)]))
    lower = Part(structured("lg", n - 1, n - 1, p), places([range(1, n), range(n - 1), range(p)]))
    return Placement("triangles", matmul(n, n, p), (upper, lower))


def split(problem: Problem, n: int, m: int, p: int) -> Placement:
    """Cut operands into blocks: rows after ``n``, inner indices after ``m``, columns after ``p``; the size is no cut.

    Blocks on the diagonal of a structured operand have its structure, others are general or zero; each product of two
    blocks is a part of its own.

    Raises
    ------
    InputError
        A cut is outside, a structure needs equal cuts, or its blocks are not of this grammar.

    Examples
    --------
    >>> [str(source) for source in split(structured("ug", 4, 4, 4), 2, 2, 4).sources]
    ['structured:ug:2x4', 'matmul:2x2x4', 'structured:ug:2x4']
    """
    cuts = (n, m, p)
    if not all(0 < cut <= size for cut, size in zip(cuts, problem.dims, strict=True)):
        raise InputError(f"{problem}: cuts {n}, {m}, {p} must be from 1 to the sizes")
    code = ProductCode.of(problem) or ProductCode(Structure("g"), Structure("g"))
    for axis in AS_GIVEN:
        if len({cuts[i] for i in tied(problem, axis)}) > 1:
            raise InputError(f"{problem}: its structure needs equal cuts, not {n}, {m}, {p}")
    for structure in filter(None, (code.left, code.right)):
        if str(structure) not in _BLOCKED:
            raise InputError(f"{problem}: only operands of {' '.join(_BLOCKED)} are cut into blocks, not {structure}")
    intervals = [
        [range(cut), range(cut, size)][: 1 + (cut < size)] for cut, size in zip(cuts, problem.dims, strict=True)
    ]
    parts = tuple(
        Part(block, places(spans))
        for spans in product(*intervals)
        if (block := _block(code, spans, corner_of(problem), problem.dims)) is not None
    )
    return Placement("split", problem, parts)


def _block(code: ProductCode, spans: Sequence[range], corner: str, dims: Sequence[int]) -> Problem | None:
    """Return what a product of two blocks is; None where it is zero, or of a lower triangle that is not computed."""
    rows, inner, columns = spans
    own = code.left and code.right
    if not own and rows.start > columns.start:
        return None
    if code.left:
        left = _structure(code.left, rows, inner)
        right = (
            _structure(code.right, inner, columns) if code.right else _mirrored(_structure(code.left, columns, inner))
        )
    else:
        left, right = (_structure(code.operand, inner, outer) for outer in (rows, columns))
        left = _mirrored(left)
    if left is None or right is None:
        return None
    n, m, p = map(len, spans)
    first = "a" * (corner in ("a", "c") and rows.start == columns.start == 0)
    last = "b" * (corner in ("b", "c") and (rows.stop, columns.stop) == (dims[0], dims[2]))
    left_out = "c" if first and last else first or last
    form = ProductCode(left, right)
    if not own and rows == columns:
        form = ProductCode(code.left and left, code.right and right)
    elif str(form) == "gg" and not left_out:
        return matmul(n, m, p)
    try:
        return structured(str(form), n, m, p, left_out)
    except ProblemError:
        # All its outputs are zero, or left out.
        return None


def _structure(structure: Structure, rows: range, columns: range) -> Structure | None:
    """Return the structure of a block, None where it is zero."""
    if structure.letter == "g" or rows == columns:
        return structure
    is_zero = {"u": rows.start > columns.start, "l": rows.start < columns.start}.get(structure.letter, False)
    return None if is_zero else Structure("g")


def _mirrored(structure: Structure | None) -> Structure | None:
    return structure and mirrored(structure)
