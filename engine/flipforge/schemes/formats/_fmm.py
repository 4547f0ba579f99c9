"""JSON of the FastMatrixMultiplication collection (A. Perminov), full and reduced; its w belongs to C transposed."""

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from flipforge.errors import InputError, MalformedError, RingError
from flipforge.problems import Problem
from flipforge.rings import GF2, MAX_DIGITS, Element, is_too_long, parse_element
from flipforge.schemes._scheme import Scheme, json_rows
from flipforge.schemes.formats._draft import MAX_CELLS, Draft, Entries, dense, state_matmul
from flipforge.schemes.formats._native import json_factor

__all__ = ["dump_fmm", "fmm_draft", "transposed"]


def fmm_draft(document: Mapping[str, Any]) -> Draft:
    """Read a parsed file; ``u_fresh``, ``v_fresh`` and ``w_fresh`` mark the reduced layout."""
    sizes, rank = document.get("n"), document.get("m")
    if not isinstance(sizes, list) or len(sizes) != 3 or not all(type(size) is int for size in sizes):
        raise MalformedError("key 'n' must hold three sizes")
    if type(rank) is not int or rank < 0:
        raise MalformedError("key 'm' must hold the number of products")
    if type(document.get("z2", False)) is not bool:
        raise MalformedError("key 'z2' must be true or false")
    missing = next((axis for axis in "uvw" if axis not in document), None)
    if missing:
        raise MalformedError(f"key {missing!r} is missing")
    problem = state_matmul(sizes)
    if rank * sum(problem.shape) > MAX_CELLS:
        raise MalformedError(f"m = {rank} products are more than any file of this size holds")
    if any(f"{axis}_fresh" in document for axis in "uvw"):
        u, v, w = _expand(document, problem, rank)
    else:
        u, v, columns = (json_factor(document, axis) for axis in "uvw")
        for axis, rows, size in zip("uvw", (u, v, columns), problem.shape, strict=True):
            if len(rows) != rank:
                raise MalformedError(f"{axis} has {len(rows)} rows, m says {rank}")
            number = next((q for q, row in enumerate(rows) if len(row) != size), None)
            if number is not None:
                raise MalformedError(f"{axis}[{number}] has {len(rows[number])} entries; {problem} needs {size}")
        w = tuple(transposed(row, problem.dims[2], problem.dims[0]) for row in columns)
    return Draft(u, v, w, problem, GF2 if document.get("z2") else None)


def transposed(row: tuple[Element, ...], rows: int, columns: int) -> tuple[Element, ...]:
    """Return the row-major entries of the transpose of a row-major ``rows`` x ``columns`` matrix."""
    return tuple(row[i * columns + j] for j in range(columns) for i in range(rows))


def dump_fmm(scheme: Scheme) -> str:
    """Write the full layout.

    Raises
    ------
    InputError
        The problem is not a matrix product.
    """
    if scheme.problem.kind != "matmul":
        raise InputError(f"fmm files hold matrix products, not {scheme.problem}; convert to flipforge, npz, sms or txt")
    n, _, p = scheme.problem.dims
    factors = {"u": scheme.u, "v": scheme.v, "w": tuple(transposed(row, n, p) for row in scheme.w)}
    lines = [f' "n": {list(scheme.problem.dims)}', f' "m": {scheme.rank}', f' "z2": {json.dumps(scheme.ring == GF2)}']
    for axis, rows in factors.items():
        body = ",\n".join(f"  {json.dumps(row)}" for row in json_rows(rows))
        lines.append(f' "{axis}": [\n{body}\n ]' if rows else f' "{axis}": []')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _expand(document: Mapping[str, Any], problem: Problem, rank: int) -> tuple[Any, Any, Any]:
    """Substitute the fresh sub-expressions; u and v have a row a product, w a row an entry of C transposed."""
    n, _, p = problem.dims
    u = _sums(document, "u", problem.shape[0], rank)
    v = _sums(document, "v", problem.shape[1], rank)
    outputs = _sums(document, "w", rank, n * p)
    w: list[dict[int, Element]] = [{} for _ in range(rank)]
    for position, row in enumerate(outputs):
        k, i = divmod(position, n)
        for product, value in row.items():
            w[product][i * p + k] = value
    return dense(list(zip(u, v, w, strict=True)), problem.shape)


def _sums(document: Mapping[str, Any], axis: str, originals: int, count: int) -> list[Entries]:
    known: list[Entries] = [{index: 1} for index in range(originals)]
    fresh = document.get(f"{axis}_fresh", [])
    rows = document[axis]
    if not isinstance(fresh, list) or not isinstance(rows, list):
        raise MalformedError(f"{axis} and {axis}_fresh must be lists of rows")
    if len(rows) != count:
        raise MalformedError(f"{axis} has {len(rows)} rows, {count} are needed")
    if (len(fresh) + len(rows)) * originals > MAX_CELLS:
        raise MalformedError(f"{axis}_fresh has {len(fresh)} rows; the limit is {MAX_CELLS} entries")
    for number, row in enumerate(fresh):
        known.append(_sum(known, row, f"{axis}_fresh[{number}]"))
    return [_sum(known, row, f"{axis}[{number}]") for number, row in enumerate(rows)]


def _sum(known: list[Entries], row: Any, place: str) -> Entries:
    """Add up the terms ``{"index", "value"}`` of a row; an index may name any sub-expression that stands before it."""
    total: dict[int, Element] = {}
    if not isinstance(row, list):
        raise MalformedError(f"{place} is {type(row).__name__}, not a list")
    for term in row:
        if not isinstance(term, dict) or not {"index", "value"} <= term.keys():
            raise MalformedError(f'{place}: a term must be {{"index": i, "value": x}}')
        index = term["index"]
        if type(index) is not int or not 0 <= index < len(known):
            raise MalformedError(f"{place}: index {str(index)[:40]} is not one of the {len(known)} entries known there")
        try:
            value = parse_element(term["value"])
        except RingError as error:
            raise MalformedError(f"{place}: {error}") from None
        for position, x in known[index].items():
            total[position] = total.get(position, 0) + value * x
            if is_too_long(total[position]):
                raise MalformedError(f"{place}: a coefficient has more than {MAX_DIGITS} digits")
    return {i: x.numerator if isinstance(x, Fraction) and x.denominator == 1 else x for i, x in total.items()}
