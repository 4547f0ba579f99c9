"""Recursive calls of structured schemes: which products of blocks are structured products again.

Split into blocks, a structured matrix has structured blocks on its diagonal and general ones elsewhere (triangular,
symmetric, skew), or blocks of its own structure everywhere (Toeplitz, Hankel). A product whose factor combines
structured blocks only has a structured operand. Definitions: Khoruzhii, Gelss and Pokutta, "Faster Algorithms for
Structured Matrix Multiplication via Flip Graph Search" (arXiv 2511.10786).
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from fractions import Fraction
from typing import Literal

from flipforge.errors import InputError
from flipforge.problems import Problem, ProductCode, Structure, matrix_cells
from flipforge.schemes._scheme import Row, Rows, Scheme

__all__ = ["RecursiveCalls", "asymptotic_factor", "call_codes", "call_kinds", "recursive_calls"]


Kind = Literal["a", "b", "c"]


@dataclass(frozen=True)
class RecursiveCalls:
    """Products of a structured scheme that are structured products of blocks; the others are general ones.

    For a code of two structures x and y: ``a`` counts products of the same kind xy, ``b`` those of x with a general
    matrix, ``c`` those of a general matrix with y. Where x and y are the same, ``b`` counts both. Where one is general,
    ``a`` counts what has the structured one as an operand, and there is nothing else.

    For X times its transpose: ``a`` counts products of the same kind, ``b`` those of two different matrices of which
    one is structured, ``c`` those of a general matrix with its own transpose. Where X is general ``a`` counts the
    latter, and ``b`` further products that only outputs on the diagonal use: these are symmetric, so that one triangle
    of such a product will do. None are counted where X is skew.
    """

    a: int
    b: int
    c: int

    def __str__(self) -> str:
        return "-".join(map(str, astuple(self)))


def recursive_calls(scheme: Scheme) -> RecursiveCalls | None:
    """Count the recursive calls of a scheme.

    None for problems without structure, and for operands whose blocks do not have the structure of the whole, which
    are circulants, bands and blocks.

    A product is one of a matrix with its own transpose where its factors are proportional.

    Examples
    --------
    >>> from flipforge.problems import parse
    >>> from flipforge.rings import Z
    >>> from flipforge.schemes import standard_scheme
    >>> str(recursive_calls(standard_scheme(parse("structured:ul:2"), Z)))
    '2-1-1'
    """
    # In canonical form factors are proportional where they are equal.
    form = scheme.canonical
    kinds = call_kinds(scheme.problem, form.u, form.v, form.w)
    if kinds is None:
        return None
    return RecursiveCalls(kinds.count("a"), kinds.count("b"), kinds.count("c"))


def call_kinds(problem: Problem, u: Rows, v: Rows, w: Rows) -> list[Kind | None] | None:
    """Return for each product what `RecursiveCalls` counts it as; None for a general one, or where nothing is counted.

    Parameters
    ----------
    u, v, w
        The products' rows, u and v normalised as in canonical form.
    """
    code = ProductCode.of(problem)
    if code is None:
        return None
    structures = [structure for structure in (code.left, code.right) if structure]
    if any(structure.band is not None or structure.inner or structure.letter == "c" for structure in structures):
        return None
    n, m, p = problem.dims
    left = _structured_blocks(code.left, n, m) if code.left else None
    right = _structured_blocks(code.right, m, p) if code.right else left
    left = right if left is None else left
    assert left is not None and right is not None
    flags = [(_within(a, left), _within(b, right)) for a, b in zip(u, v, strict=True)]
    if code.left and code.right:
        return [_of_two(code.left, code.right, a, b) for a, b in flags]
    own = [a == b and any(a) for a, b in zip(u, v, strict=True)]
    if structures[0].letter == "g":
        diagonal = frozenset(coordinate for (i, j), (coordinate, _) in matrix_cells(problem)[2].items() if i == j)
        return ["a" if same else "b" if _within(c, diagonal) else None for same, c in zip(own, w, strict=True)]
    return [_of_one(structures[0], a, b, same) for (a, b), same in zip(flags, own, strict=True)]


def call_codes(code: ProductCode) -> tuple[str | None, str | None, str | None]:
    """Return the codes of the products that `RecursiveCalls` counts as a, b and c; None where it counts none.

    One triangle of a product of general matrices (b of gt) has the tensor of a triangular matrix times a general one in
    another order of operands and output, so that all that is known of the latter holds of it: its code is ug.

    Examples
    --------
    >>> from flipforge.problems import product_code
    >>> call_codes(product_code("ul")), call_codes(product_code("ut")), call_codes(product_code("gt"))
    (('ul', 'ug', 'gl'), ('ut', 'ug', 'gt'), ('gt', 'ug', None))
    """
    if code.left is None or code.right is None:
        own = str(code)
        general = own.replace(str(code.operand), "g")
        return (own, "ug", None) if own == general else (own, f"{code.operand}g", general)
    left, right = str(code.left), str(code.right)
    if "g" in (left, right):
        return f"{left}{right}", None, None
    return f"{left}{right}", f"{left}g", None if left == right else f"g{right}"


def asymptotic_factor(
    rank: int, calls: int, general_rank: int, others: Sequence[tuple[int, Fraction]] = ()
) -> Fraction:
    """Return how many times the operations of general multiplication a recursive scheme takes for large matrices.

    Of ``rank`` products ``calls`` are recursive calls of the same kind, others are structured products with known
    factors g_i, b_i of each, and the rest are general. So the factor g satisfies
    g R = g calls + sum b_i g_i + (rank - calls - sum b_i), with R = ``general_rank`` the rank of the scheme for the
    general product of the same format. Where a corner is left out of the tensor, its products count in ``rank`` and
    ``calls``.

    Parameters
    ----------
    others
        (b_i, g_i) of each further kind of structured product.

    Raises
    ------
    InputError
        The counts cannot be those of a scheme.

    Examples
    --------
    >>> asymptotic_factor(34, 12, 49), asymptotic_factor(5, 2, 7, [(2, Fraction(4, 5))])
    (Fraction(22, 37), Fraction(13, 25))
    """
    structured = calls + sum(count for count, _ in others)
    if not 0 <= calls <= structured <= rank or calls >= general_rank or any(count < 0 for count, _ in others):
        raise InputError(
            f"{structured} calls of {rank} products beside {general_rank}: calls must be fewer than either"
        )
    return (rank - calls - sum(count * (1 - factor) for count, factor in others)) / Fraction(general_rank - calls)


def _structured_blocks(structure: Structure, rows: int, columns: int) -> frozenset[int]:
    """Return the coordinates whose blocks have the structure of the whole."""
    if structure.letter in "gk":
        # Skew matrices have such blocks on the diagonal, where the scheme has no coordinate for them.
        return frozenset()
    cells = structure.cells(rows, columns)
    everywhere = structure.letter in "oh"
    return frozenset(coordinate for (i, j), (coordinate, _) in cells.items() if everywhere or i == j)


def _within(row: Row, coordinates: frozenset[int]) -> bool:
    support = {place for place, x in enumerate(row) if x}
    return bool(support) and support <= coordinates


def _of_two(first: Structure, second: Structure, a: bool, b: bool) -> Kind | None:
    if "g" in (first.letter, second.letter):
        return "a" if a or b else None
    if a and b:
        return "a"
    if first == second:
        return "b" if a or b else None
    return "b" if a else "c" if b else None


def _of_one(structure: Structure, a: bool, b: bool, same: bool) -> Kind | None:
    if structure.letter == "k":
        return None
    if same:
        return "a" if a and b else "c"
    return "b" if a or b else None
