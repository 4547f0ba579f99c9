"""Moves between the formats of one kind of product: fewer indices, more of them, other orders."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from flipforge.errors import InputError, ProblemError
from flipforge.problems import Problem, ProductCode, Structure, matmul, structured
from flipforge.schemes.transforms._placement import AS_GIVEN, AXIS_NAMES, NOWHERE, Order, Part, Placement, Places

__all__ = [
    "complete",
    "corner_of",
    "extend",
    "merge",
    "mirrored",
    "pad",
    "peel",
    "permute",
    "places",
    "project",
    "resized",
    "reverse",
    "tied",
]


def project(problem: Problem, axis: int, index: int) -> Placement:
    """Drop an index: row ``index`` of A and C (axis 0), column of A and row of B (1), or column of B and C (2).

    Where a structure makes sizes equal the index is dropped from all of them.

    Raises
    ------
    InputError
        The axis has no such index or no other, or what is left does not have the structure.

    Examples
    --------
    >>> project(matmul(3, 3, 4), 2, 0).problem.name
    'matmul:3x3x3'
    """
    axes = tied(problem, axis)
    size = problem.dims[axis]
    if not 0 <= index < size or size < 2:
        raise InputError(f"{problem}: no index {index} to drop from {AXIS_NAMES[axis]} = {size} and keep another")
    dims = [side - (number in axes) for number, side in enumerate(problem.dims)]
    rest = [*range(index), NOWHERE, *range(index, size - 1)]
    at = [rest if number in axes else range(side) for number, side in enumerate(problem.dims)]
    return Placement("project", resized(problem, dims), (Part(problem, places(at)),))


def pad(problem: Problem, n: int, m: int, p: int) -> Placement:
    """Take a smaller format: its operands are padded with zeros at the end.

    Raises
    ------
    InputError
        A size is larger than the problem's, or the structure does not allow the sizes.
    """
    dims = (n, m, p)
    if any(new > old for new, old in zip(dims, problem.dims, strict=True)):
        raise InputError(f"{problem}: padding gives smaller formats, {n}x{m}x{p} is not; see peel")
    at = [[*range(new), *[NOWHERE] * (old - new)] for new, old in zip(dims, problem.dims, strict=True)]
    return Placement("pad", resized(problem, dims), (Part(problem, places(at)),))


def peel(problem: Problem, n: int, m: int, p: int) -> Placement:
    """Take a larger format: what falls on its last rows, inner indices and columns is computed by standard products.

    Raises
    ------
    InputError
        A size is smaller than the problem's, or the structure does not allow the sizes.
    """
    dims = (n, m, p)
    if any(new < old for new, old in zip(dims, problem.dims, strict=True)):
        raise InputError(f"{problem}: peeling gives larger formats, {n}x{m}x{p} is not; see pad")
    return Placement("peel", resized(problem, dims), (Part(problem, places(map(range, problem.dims))),), complete=True)


def extend(problem: Problem, axis: int) -> Placement:
    """Append an index of an axis with its standard products.

    Examples
    --------
    >>> move = extend(matmul(2, 2, 2), 0)
    >>> move.problem.name, move.rank_bound(7)
    ('matmul:3x2x2', 11)
    """
    axes = tied(problem, axis)
    dims = [side + (number in axes) for number, side in enumerate(problem.dims)]
    return replace(peel(problem, *dims), name="extend")


def merge(first: Problem, second: Problem, axis: int) -> Placement:
    """Put two products side by side along an axis: n stacks rows of A and C, m adds products, p joins columns of B.

    Raises
    ------
    InputError
        The products differ in kind, in structure or in another size, or a structure ties the axis to another one.

    Examples
    --------
    >>> merge(matmul(2, 2, 2), matmul(2, 2, 3), 2).problem.name
    'matmul:2x2x5'
    """
    if len(tied(first, axis)) > 1:
        raise InputError(f"{first}: its structure ties {AXIS_NAMES[axis]} to another size; merge along a free one")
    dims = [*first.dims]
    dims[axis] = second.dims[axis]
    if second != resized(first, dims):
        raise InputError(
            f"{first} and {second} do not merge along {AXIS_NAMES[axis]}: "
            f"they must be alike but for {AXIS_NAMES[axis]}, as {first} and {resized(first, dims)} are"
        )
    dims[axis] += first.dims[axis]
    before = [range(side) for side in first.dims]
    after = [range(side) for side in second.dims]
    after[axis] = range(first.dims[axis], dims[axis])
    return Placement("merge", resized(first, dims), (Part(first, places(before)), Part(second, places(after))))


def complete(problem: Problem) -> Placement:
    """Take the whole of a product with a corner left out: what is missing is computed by standard products.

    Raises
    ------
    InputError
        Nothing is left out.

    Examples
    --------
    >>> move = complete(structured("gt", 4, 4, 4, "c"))
    >>> move.problem.name, move.rank_bound(26)
    ('structured:gt:4', 34)
    """
    code = ProductCode.of(problem)
    if code is None or not corner_of(problem):
        raise InputError(f"{problem}: has no corner left out")
    part = Part(problem, places(map(range, problem.dims)))
    return Placement("complete", _product(code, problem.dims, ""), (part,), complete=True)


def permute(problem: Problem, order: Order) -> Placement:
    """Take the sizes in another order; (1, 2, 0) is a cyclic shift and (2, 1, 0) the transposition.

    A product of two structured operands can be transposed only, which transposes them and changes their places.

    Raises
    ------
    InputError
        The order is none, or the structure does not allow it.

    Examples
    --------
    >>> permute(matmul(2, 3, 4), (1, 2, 0)).problem.name
    'matmul:3x4x2'
    """
    if sorted(order) != list(AS_GIVEN):
        raise InputError(f"{problem}: {order} is not an order of its three sizes")
    dims = [problem.dims[i] for i in order]
    if code := ProductCode.of(problem):
        if order == AS_GIVEN:
            target = problem
        elif order == (2, 1, 0) and code.left and code.right:
            target = _product(ProductCode(mirrored(code.right), mirrored(code.left)), dims, corner_of(problem))
        else:
            raise InputError(f"{problem}: a structured product is transposed, with order (2, 1, 0), or left as it is")
    else:
        target = resized(problem, dims)
    return Placement("permute", target, (Part(problem, places(map(range, dims)), order),))


def reverse(problem: Problem) -> Placement:
    """Count rows and columns from the other end, which makes upper triangular operands lower triangular ones.

    Examples
    --------
    >>> reverse(structured("ug", 3, 3, 3)).problem.name
    'structured:lg:3'
    """
    target, order = problem, AS_GIVEN
    if code := ProductCode.of(problem):
        if not (code.left and code.right):
            # Of X X^T the upper triangle is computed, and the other end makes it the lower one: operands change places.
            order = (2, 1, 0)
        corner = {"a": "b", "b": "a"}.get(corner_of(problem), corner_of(problem))
        operands = (operand and mirrored(operand) for operand in (code.left, code.right))
        target = _product(ProductCode(*operands), problem.dims, corner)
    at = [range(side)[::-1] for side in problem.dims]
    return Placement("reverse", target, (Part(problem, places(at), order),))


def mirrored(structure: Structure) -> Structure:
    """Return the structure of the transposed matrix, which is also that of the matrix counted from the other end."""
    letter = {"u": "l", "l": "u"}.get(structure.letter, structure.letter)
    return replace(structure, letter=letter, inner=structure.inner and mirrored(structure.inner))


def tied(problem: Problem, axis: int) -> frozenset[int]:
    """Return the axes whose sizes cannot change without this one, itself among them.

    Raises
    ------
    InputError
        There is no such axis.
    """
    if axis not in AS_GIVEN:
        raise InputError(f"{problem}: there is no axis {axis}; 0, 1 and 2 stand for the sizes n, m and p")
    code = ProductCode.of(problem)
    if code is None:
        return frozenset({axis})
    pairs = [{0, 1}] * bool(code.left and code.left.is_square) + [{1, 2}] * bool(code.right and code.right.is_square)
    if code.left is None or code.right is None:
        pairs = [{0, 1, 2} if code.operand.is_square else {0, 2}]
    found = {axis}
    for _ in pairs:
        found = found.union(*(pair for pair in pairs if found & pair))
    return frozenset(found)


def resized(problem: Problem, dims: Sequence[int]) -> Problem:
    """Return the problem of the same kind, structures and corner with other sizes n, m, p.

    Raises
    ------
    ProblemError
        The structures do not allow the sizes, or the kind is neither matmul nor structured.
    """
    if code := ProductCode.of(problem):
        return _product(code, dims, corner_of(problem))
    if problem.kind != "matmul":
        raise ProblemError(f"{problem}: formats change in matmul and structured problems only")
    n, m, p = dims
    return matmul(n, m, p)


def _product(code: ProductCode, dims: Sequence[int], corner: str) -> Problem:
    n, m, p = dims
    return structured(str(code), n, m, p, corner)


def corner_of(problem: Problem) -> str:
    """Return the corner that a structured problem leaves out: a, b, c, or nothing."""
    fields = problem.name.split(":")
    return fields[3] if problem.kind == "structured" and len(fields) == 4 else ""


def places(at: Iterable[Iterable[int]]) -> tuple[Places, Places, Places]:
    """Write the places of the three axes as `Part` has them."""
    n, m, p = map(tuple, at)
    return n, m, p
