"""Products of structured matrices: ``structured:CODE:SIZES[:CORNER]``.

A code is two structures (``us`` is upper triangular times symmetric), or one structure and ``t`` for its own
transpose: ``st`` is X X^T and ``ts`` is X^T X with X symmetric. The twenty codes of `PUBLISHED` are those of Khoruzhii,
Gelss and Pokutta, "Faster Algorithms for Structured Matrix Multiplication via Flip Graph Search" (arXiv 2511.10786).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from re import compile as regex
from re import fullmatch

from flipforge.errors import ProblemError
from flipforge.problems._matmul import MAX_PRODUCTS
from flipforge.problems._problem import Index, Problem
from flipforge.problems._structures import (
    STRUCTURE,
    Cells,
    Structure,
    UnfitError,
    gram_key,
    number,
    parse_structure,
    product_key,
)

__all__ = ["PUBLISHED", "ProductCode", "is_member", "matrix_cells", "parse_structured", "product_code", "structured"]

PUBLISHED = (
    *("gg", "ug", "sg", "kg", "wg", "uu", "us", "uk", "uw", "ul"),
    *("ss", "sk", "sw", "kk", "ww", "gt", "ut", "st", "kt", "wt"),
)
"""The codes with published schemes; ``structured:*`` stands for them."""

_CODE = regex(rf"(t)({STRUCTURE})|({STRUCTURE})(t)|({STRUCTURE})({STRUCTURE})")


@dataclass(frozen=True)
class ProductCode:
    """The two operands of a structured product; None stands for the transpose of the other one."""

    left: Structure | None
    right: Structure | None

    def __str__(self) -> str:
        return f"{self.left or 't'}{self.right or 't'}"

    @classmethod
    def of(cls, problem: Problem) -> "ProductCode | None":
        """Return the code of a structured problem, None for a problem of another kind."""
        return product_code(problem.name.split(":")[1]) if problem.kind == "structured" else None

    @property
    def operand(self) -> Structure:
        """X of X X^T or X^T X; the left operand otherwise."""
        operand = self.left or self.right
        assert operand is not None
        return operand

    def sizes(self, n: int, m: int, p: int) -> str:
        """Return the one spelling of the sizes n x m times m x p."""
        if n == m == p:
            return str(n)
        if self.left is None:
            return f"{m}x{n}"
        if self.right is None:
            return f"{n}x{m}"
        if self.left.is_square:
            return f"{n}x{p}"
        return f"{n}x{m}" if self.right.is_square else f"{n}x{m}x{p}"

    def dims(self, sizes: Sequence[int]) -> tuple[int, int, int]:
        """Return n, m, p of what the sizes of a problem string say.

        Raises
        ------
        UnfitError
            They are too many or too few for the code.
        """
        if len(set(sizes)) == 1:
            return sizes[0], sizes[0], sizes[0]
        if self.left and self.right:
            wanted = 3 - self.left.is_square - self.right.is_square
        else:
            wanted = 2 - self.operand.is_square
        if len(sizes) != wanted:
            structure = next((x for x in (self.left, self.right) if x and x.is_square), None)
            reason = f"{structure.description} operands are square" if structure else f"{wanted} sizes are needed"
            raise UnfitError(f"{reason}; write structured:{self}:{'x'.join('NMP'[:wanted])}")
        first, last = sizes[0], sizes[-1]
        if self.left is None:
            return last, first, last
        if self.right is None:
            return first, last, first
        if self.left.is_square:
            return first, first, last
        return (first, last, last) if self.right.is_square else (sizes[0], sizes[1], sizes[2])


@lru_cache(maxsize=1024)
def product_code(text: str) -> ProductCode:
    """Parse a code.

    Raises
    ------
    ProblemError
        It is not of the grammar.

    Examples
    --------
    >>> product_code("ug").right
    Structure(letter='g', band=None, block=1, inner=None)
    """
    match = _CODE.fullmatch(text)
    if not match:
        raise ProblemError(
            f"code {text[:40]!r} is not two structures of g u l s k w o h c, or one with t for its transpose"
        )
    after_t, before_t, left, right = match.group(2, 3, 5, 6)
    if after_t:
        return ProductCode(None, parse_structure(after_t))
    if before_t:
        return ProductCode(parse_structure(before_t), None)
    return ProductCode(parse_structure(left), parse_structure(right))


@dataclass(frozen=True)
class _Plan:
    """A problem before its tensor is built; ``right`` and ``outputs`` map entries to coordinates like ``left``."""

    name: str
    dims: tuple[int, int, int]
    left: Cells
    right: Cells
    outputs: Cells
    left_out: frozenset[int]

    def entries(self) -> Iterator[tuple[Index, int]]:
        """Yield a coefficient for each product of two entries that an output needs; equal outputs are taken once.

        Entries of one row or column show different coordinates, so no two products share all three of theirs.
        """
        n, m, _ = self.dims
        columns: dict[int, list[tuple[int, int]]] = {}
        for (i, k), coordinate in _first(self.outputs).items():
            if coordinate not in self.left_out:
                columns.setdefault(i, []).append((k, coordinate))
        for i in range(n):
            for j in range(m):
                if (a := self.left.get((i, j))) is None:
                    continue
                for k, coordinate in columns.get(i, ()):
                    if (b := self.right.get((j, k))) is not None:
                        yield (a[0], b[0], coordinate), a[1] * b[1]


def structured(code: str, n: int, m: int, p: int, corner: str = "") -> Problem:
    """Return the problem of an n x m operand times an m x p operand of the code's structures.

    Parameters
    ----------
    corner
        ``a`` leaves the output entry (0, 0) out of the tensor, ``b`` the last one, ``c`` both; its coordinates stay.

    Raises
    ------
    ProblemError
        The code is none, the sizes do not fit its structures or exceed the limit, or nothing is left of the tensor.

    Examples
    --------
    >>> structured("gt", 4, 6, 4).name
    'structured:gt:4x6'
    """
    form = product_code(code)
    plan = _plan(form, (n, m, p), corner)
    entries = tuple(sorted(plan.entries()))
    if not entries:
        raise UnfitError(f"{plan.name}: every output is zero; take a larger size")
    # Both factors of X X^T are indexed by the entries of X.
    left = _labels("a", plan.left if form.left else _transposed(plan.left))
    right = _labels("b", plan.right if form.right else _transposed(plan.right))
    output = _labels("c", plan.outputs)
    shape = (len(left), len(right), len(output))
    return Problem(plan.name, "structured", shape, plan.dims, entries, (left, right, output))


def parse_structured(body: str) -> Problem:
    """Parse the ``CODE:SIZES[:CORNER]`` of a problem string."""
    form, dims, corner = _parts(body)
    return structured(str(form), *dims, corner)


def matrix_cells(problem: Problem) -> tuple[Cells, Cells, Cells]:
    """Return the coordinate and sign that each entry of the left operand, the right operand and the output shows.

    Entries that are zero by structure are missing, and so are those of the lower triangle of X times its transpose.

    Raises
    ------
    ProblemError
        The problem is no product of two matrices.

    Examples
    --------
    >>> dict(matrix_cells(parse_structured("ug:2x1"))[0])
    {(0, 0): (0, 1), (0, 1): (1, 1), (1, 1): (2, 1)}
    """
    if problem.kind == "structured":
        plan = _plan(*_parts(problem.name.partition(":")[2]))
        return plan.left, plan.right, plan.outputs
    if problem.kind != "matmul":
        raise ProblemError(f"{problem}: not a product of two matrices; take a matmul or structured problem")
    n, m, p = problem.dims
    general = Structure("g")
    return general.cells(n, m), general.cells(m, p), general.cells(n, p)


def is_member(body: str) -> bool:
    """Tell whether ``CODE:SIZES[:CORNER]`` names a problem: the sizes fit the code and some output is not zero.

    Raises
    ------
    ProblemError
        The body is ill-formed, or beyond the limit of sizes.
    """
    try:
        return any(True for _ in _plan(*_parts(body)).entries())
    except UnfitError:
        return False


def _parts(body: str) -> tuple[ProductCode, tuple[int, int, int], str]:
    match = fullmatch(r"([^:]+):([1-9][0-9]{0,5}(?:x[1-9][0-9]{0,5}){0,2})(?::([abc]))?", body)
    try:
        if not match:
            raise ProblemError("not of the form structured:CODE:N, structured:CODE:NxM or structured:CODE:N:c")
        code, sizes, corner = match.groups()
        form = product_code(code)
        return form, form.dims([int(size) for size in sizes.split("x")]), corner or ""
    except ProblemError as error:
        raise type(error)(f"structured:{body}: {error}") from None


def _plan(form: ProductCode, dims: tuple[int, int, int], corner: str) -> _Plan:
    n, m, p = dims
    name = f"structured:{form}:{form.sizes(n, m, p)}" + (f":{corner}" if corner else "")
    try:
        if n * m * p > MAX_PRODUCTS:
            raise ProblemError(f"{n * m * p} elementary products are more than the limit of {MAX_PRODUCTS}")
        if (form.left is None or form.right is None) and n != p:
            raise UnfitError(f"an operand times its transpose is square, {n}x{p} is not")
        for operand, rows, columns in ((form.left, n, m), (form.right, m, p)):
            if operand:
                operand.check(rows, columns)
        left = form.left.cells(n, m) if form.left else _transposed(form.operand.cells(m, n))
        right = form.right.cells(m, p) if form.right else _transposed(form.operand.cells(n, m))
        if form.left and form.right:
            outputs = number(product_key(form.left, form.right, p), n, p)
        else:
            outputs = number(gram_key(form.operand), n, p)
        places = {"": (), "a": ((0, 0),), "b": ((n - 1, p - 1),), "c": ((0, 0), (n - 1, p - 1))}[corner]
        if missing := [place for place in places if place not in outputs]:
            raise UnfitError(f"output entry {missing[0]} is zero already; leave {corner!r} out")
    except ProblemError as error:
        raise type(error)(f"{name}: {error}") from None
    return _Plan(name, dims, left, right, outputs, frozenset(outputs[place][0] for place in places))


def _transposed(cells: Cells) -> Cells:
    return {(j, i): cell for (i, j), cell in cells.items()}


def _first(cells: Cells) -> dict[tuple[int, int], int]:
    """Return the coordinates by the first of their places."""
    seen: dict[int, tuple[int, int]] = {}
    for place, (coordinate, _) in cells.items():
        seen.setdefault(coordinate, place)
    return {place: coordinate for coordinate, place in seen.items()}


def _labels(letter: str, cells: Cells) -> tuple[str, ...]:
    places = sorted(_first(cells).items(), key=lambda item: item[1])
    separator = "_" if any(max(place) > 8 for place, _ in places) else ""
    return tuple(f"{letter}{i + 1}{separator}{j + 1}" for (i, j), _ in places)
