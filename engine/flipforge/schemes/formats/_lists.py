"""Plain lists of coefficients: Mathematica's nested lists, and the integer blocks of ternary_flip_graph."""

from itertools import islice
from re import compile as regex
from typing import Any

from flipforge.errors import MalformedError, RingError
from flipforge.rings import Element, parse_element
from flipforge.schemes.formats._draft import MAX_CELLS, Draft, state_matmul
from flipforge.schemes.formats._fmm import transposed

__all__ = ["mathematica_draft", "ternary_drafts"]

_TOKEN = regex(r"\s*([{},]|[-+]?[0-9]+(?:\s*/\s*[0-9]+)?|\S)")
_DEPTH = 4

Matrix = list[list[Element]]


def mathematica_draft(text: str) -> Draft:
    """Read ``{{A, B, C}, ...}`` with A n x m, B m x p and C transposed, p x n; entries are integers or ``a/b``."""
    products = _nested(text)
    if not products:
        raise MalformedError("the list of products is empty")
    sizes: tuple[int, int, int] | None = None
    rows: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
    for number, product in enumerate(products, 1):
        if not isinstance(product, list) or len(product) != 3:
            raise MalformedError(f"product {number} is not a list of three matrices")
        (n, m), (m_b, p), (p_c, n_c) = (_matrix_shape(matrix, number) for matrix in product)
        if (m, p, n) != (m_b, p_c, n_c):
            raise MalformedError(
                f"product {number}: {n}x{m}, {m_b}x{p}, {p_c}x{n_c} are no A, B and C transposed of a product"
            )
        if sizes not in (None, (n, m, p)):
            raise MalformedError(f"product {number} is of size {n}x{m}x{p}, those before it of {sizes}")
        sizes = n, m, p
        a, b, c = (tuple(x for line in matrix for x in line) for matrix in product)
        for factor, row in zip(rows, (a, b, transposed(c, p, n)), strict=True):
            factor.append(row)
    u, v, w = (tuple(factor) for factor in rows)
    return Draft(u, v, w, state_matmul(sizes or ()))


def ternary_drafts(text: str) -> list[Draft]:
    """Read ``n1 n2 n3 rank`` and three blocks of integers, or a count and as many such schemes; C is transposed."""
    tokens = iter(text.split())
    first_line = text.lstrip().partition("\n")[0].split()
    count = _integer(next(tokens), "the count of schemes") if len(first_line) == 1 else 1
    if not 1 <= count <= 1_000_000:
        raise MalformedError(f"the first line says {count} schemes")
    drafts = []
    for number in range(1, count + 1):
        n, m, p, rank = (_integer(token, "a size") for token in _take(tokens, 4, f"scheme {number}: its header"))
        problem = state_matmul((n, m, p))
        if rank < 0 or rank * sum(problem.shape) > MAX_CELLS:
            raise MalformedError(f"scheme {number}: rank {rank} is out of range")
        named = zip("uvw", problem.shape, strict=True)
        u, v, w = (_block(tokens, rank, size, f"scheme {number}: {axis}") for axis, size in named)
        w = tuple(transposed(row, p, n) for row in w)
        drafts.append(Draft(u, v, w, problem, label=f"#{number}" if count > 1 else ""))
    if extra := next(tokens, None):
        raise MalformedError(f"{extra[:20]!r} stands after the last scheme")
    return drafts


def _nested(text: str) -> list[Any]:
    """Parse nested braces without recursion; the levels are products, product, matrix, row."""
    stack: list[list[Any]] = [[]]
    want_item, line, counted = True, 1, 0
    for match in _TOKEN.finditer(text):
        token, start = match.group(1), match.start(1)
        line += text.count("\n", counted, start)
        counted = start
        place = f"line {line}, column {start - text.rfind(chr(10), 0, start)}"
        if token == "{" and want_item and len(stack) <= _DEPTH:
            stack.append([])
        elif token == "}" and len(stack) > 1 and not (want_item and stack[-1]):
            item = stack.pop()
            stack[-1].append(item)
            want_item = False
        elif token == "," and not want_item and len(stack) > 1:
            want_item = True
        elif want_item and len(stack) == _DEPTH + 1 and token[-1].isdigit():
            try:
                stack[-1].append(parse_element("".join(token.split())))
            except RingError as error:
                raise MalformedError(f"{place}: {error}") from None
            want_item = False
        else:
            raise MalformedError(f"{place}: unexpected {token[:20]!r} in a list of products of matrices")
    if len(stack) != 1 or len(stack[0]) != 1 or not isinstance(stack[0][0], list):
        raise MalformedError("the list is cut off, or more than one list stands in the file")
    return stack[0][0]


def _matrix_shape(matrix: Any, number: int) -> tuple[int, int]:
    columns = {len(row) if isinstance(row, list) else -1 for row in matrix} if isinstance(matrix, list) else set()
    if len(columns) != 1 or min(columns) < 1:
        raise MalformedError(f"product {number}: a matrix is ragged or empty")
    return len(matrix), columns.pop()


def _block(tokens: Any, rank: int, size: int, place: str) -> tuple[tuple[Element, ...], ...]:
    values = [_integer(token, place) for token in _take(tokens, rank * size, place)]
    return tuple(tuple(values[q * size : (q + 1) * size]) for q in range(rank))


def _take(tokens: Any, count: int, place: str) -> list[str]:
    taken = list(islice(tokens, count))
    if len(taken) < count:
        raise MalformedError(f"{place} is cut off: {len(taken)} of {count} integers")
    return taken


def _integer(token: str, place: str) -> int:
    try:
        value = parse_element(token)
    except RingError as error:
        raise MalformedError(f"{place}: {error}") from None
    if not isinstance(value, int):
        raise MalformedError(f"{place}: {token[:20]} is not an integer")
    return value
