"""What a reader hands to the judge: factors as a file gives them, and the limits every reader keeps."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isqrt
from re import fullmatch, search
from typing import Any

from flipforge.errors import MalformedError, ProblemError, RingError
from flipforge.problems import Problem, ProductCode, Structure, matmul, structured
from flipforge.problems._npy import MAX_BYTES
from flipforge.rings import Element, Ring, ring

__all__ = [
    "MAX_BYTES",
    "MAX_CELLS",
    "Draft",
    "Entries",
    "Rows",
    "dense",
    "from_flip_cpd",
    "load_json",
    "named_problem",
    "product_sizes",
    "state_matmul",
    "state_ring",
]

MAX_CELLS = 10_000_000
"""Largest rank times number of coordinates."""

Rows = tuple[tuple[Element, ...], ...]
Entries = Mapping[int, Element]


@dataclass(frozen=True)
class Draft:
    """A scheme before its problem and ring are settled.

    Attributes
    ----------
    u, v, w
        r rows each, C row-major whatever the file's own convention.
    problem, ring
        What the content states, None where it does not.
    label
        Tells the schemes of one file apart: ``":3,4,5"`` or ``"#2"``, empty where there is only one.
    """

    u: Rows
    v: Rows
    w: Rows
    problem: Problem | None = None
    ring: Ring | None = None
    label: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)


def state_matmul(sizes: Sequence[int]) -> Problem:
    """Return the matrix product a file's content states; sizes that are none are the file's fault."""
    try:
        n, m, p = sizes
        return matmul(n, m, p)
    except (ProblemError, ValueError) as error:
        raise MalformedError(str(error)) from None


def state_ring(name: str | None) -> Ring | None:
    """Return the ring a file's content states, None for no statement; a name that is none is the file's fault."""
    try:
        return ring(name) if name else None
    except RingError as error:
        raise MalformedError(str(error)) from None


def dense(products: Sequence[tuple[Entries, Entries, Entries]], shape: Sequence[int]) -> tuple[Rows, Rows, Rows]:
    """Write sparse products as full rows of ``shape`` entries; positions must lie inside it."""
    if len(products) * sum(shape) > MAX_CELLS:
        raise MalformedError(f"{len(products)} products of {sum(shape)} coordinates exceed the limit of {MAX_CELLS}")
    u, v, w = (
        tuple(tuple(product[axis].get(i, 0) for i in range(size)) for product in products)
        for axis, size in enumerate(shape)
    )
    return u, v, w


def product_sizes(left: int, right: int, output: int) -> tuple[int, int, int] | None:
    """Return n, m, p with n*m, m*p, n*p coordinates, None where there are no such integers.

    Examples
    --------
    >>> product_sizes(6, 12, 8)
    (2, 3, 4)
    """
    if min(left, right, output) < 1 or left * output % right:
        return None
    n = isqrt(left * output // right)
    if n * n * right != left * output or left % n or output % n:
        return None
    return n, left // n, output // n


def named_problem(name: str) -> Problem | None:
    """Read the problem off a file's name: flip-cpd's ``gg-345-...``, ``345-...`` or ``3x4x5``; None where it has none.

    Raises
    ------
    ProblemError
        The name is that of a structured product, and there is no such product.
    """
    if match := fullmatch(r"([a-z]{2})-([1-9])([1-9])([1-9])([abc]?)-.*", name):
        code, corner = match[1], match[5]
        n, m, p = map(int, match.group(2, 3, 4))
        return matmul(n, m, p) if code == "gg" and not corner else structured(code, n, m, p, corner)
    match = search(r"(?<![0-9x])([1-9][0-9]?)x([1-9][0-9]?)x([1-9][0-9]?)(?![0-9x])", name) or fullmatch(
        r"([1-9])([1-9])([1-9])(?![0-9]).*", name
    )
    return matmul(*map(int, match.groups())) if match else None


def from_flip_cpd(problem: Problem, u: Rows, v: Rows) -> tuple[Rows, Rows]:
    """Reorder flip-cpd's rows: entry (i, j) of its lower triangle stands in the place of (j, i) of an upper one."""
    code = ProductCode.of(problem)
    if code is None:
        return u, v
    n, m, _ = problem.dims
    left, right = code.left or code.operand, code.right or code.operand
    return _from_upper(left, n, u), _from_upper(right, m, v)


def _from_upper(structure: Structure, size: int, rows: Rows) -> Rows:
    if structure != Structure("l"):
        return rows
    upper = Structure("u").cells(size, size)
    order = [upper[j, i][0] for i, j in structure.cells(size, size)]
    return tuple(tuple(row[place] for place in order) for row in rows)


def load_json(text: str) -> Any:
    """Parse JSON strictly: no NaN or Infinity, no key twice, no nesting that exhausts the stack.

    Raises
    ------
    MalformedError
        The text is not such JSON; the message names the place where the parser does.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise MalformedError("the JSON nests too deeply") from None
    except ValueError as error:
        raise MalformedError(f"not JSON: {error}") from None


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise MalformedError(f"key {key[:40]!r} stands twice")
        result[key] = value
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number here")
