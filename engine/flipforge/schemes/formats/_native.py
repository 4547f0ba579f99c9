"""The project's own scheme file, ``flipforge-scheme/1``: canonical JSON text, one product part a line."""

import json
from collections.abc import Mapping
from itertools import chain
from re import fullmatch
from typing import Any

from flipforge.errors import FlipforgeError, FormatError, MalformedError, ProblemError, RingError
from flipforge.problems import Problem, border, kinds, parse, tensor_problem
from flipforge.rings import parse_row, ring
from flipforge.schemes._scheme import Scheme, json_rows
from flipforge.schemes.formats._draft import Draft, Rows

__all__ = [
    "FORMAT",
    "dump_native",
    "json_factor",
    "native_document",
    "native_draft",
    "problem_of_document",
    "read_native_document",
]

FORMAT = "flipforge-scheme/1"
_KEYS = ("format", "problem", "ring", "rank", "u", "v", "w", "provenance")


def native_document(scheme: Scheme) -> dict[str, Any]:
    """Return the JSON object of a scheme file. A tensor that is not named by its sizes is embedded."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "problem": scheme.problem.name,
        "ring": scheme.ring.name,
        "rank": scheme.rank,
        **{axis: json_rows(getattr(scheme, axis), scheme.problem.order) for axis in "uvw"},
    }
    if scheme.problem.bilinear.kind == "tensor":
        document["tensor"] = {
            "shape": list(scheme.problem.shape),
            "coords": [[*index, value] for index, value in scheme.problem.entries],
        }
    document["provenance"] = {key: value for key, value in scheme.provenance.items() if key != "unknown_keys"}
    unknown = scheme.provenance.get("unknown_keys")
    if isinstance(unknown, Mapping):
        document.update((key, value) for key, value in unknown.items() if key not in document)
    return document


def dump_native(scheme: Scheme) -> str:
    """Write a scheme as text: one key a line, factors one row a line, newline at the end."""
    lines = []
    for key, value in native_document(scheme).items():
        if key in ("u", "v", "w"):
            body = ",\n".join(f"  {json.dumps(row)}" for row in value)
            text = f"[\n{body}\n ]" if value else "[]"
        else:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        lines.append(f" {json.dumps(key, ensure_ascii=False)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read_native_document(document: Mapping[str, Any], source: str, problem: Problem | None = None) -> Scheme:
    """Build the scheme of a parsed file, unproved.

    Parameters
    ----------
    source
        What error messages call the file.
    problem
        Decides the problem where the caller knows it; otherwise the file's own statement does.

    Raises
    ------
    FormatError
        The format version is not known.
    ProblemError
        The problem is of a kind this installation does not have.
    MalformedError
        A key is missing, or its value cannot be what the key says.
    """
    try:
        draft = native_draft(document, problem)
        assert draft.problem is not None and draft.ring is not None
        return Scheme(draft.problem, draft.ring, draft.u, draft.v, draft.w, draft.provenance)
    except FlipforgeError as error:
        raise type(error)(f"{source}: {error}") from None


def native_draft(document: Mapping[str, Any], problem: Problem | None = None) -> Draft:
    """Read the keys of a parsed file; errors are those of `read_native_document`, without the file's name."""
    if document.get("format") != FORMAT:
        raise FormatError(f"format {str(document.get('format'))[:60]!r} is not known; this version reads {FORMAT}")
    for key in ("problem", "ring", "rank", "u", "v", "w"):
        if key not in document:
            raise MalformedError(f"key {key!r} is missing")
    stated = problem or problem_of_document(document)
    try:
        base = ring(str(document["ring"]))
        u, v, w = (json_factor(document, axis, stated.order) for axis in "uvw")
        for rows in (u, v, w):
            for row in rows:
                base.coerce_row(row)
    except RingError as error:
        raise MalformedError(str(error)) from None
    if type(document["rank"]) is not int or document["rank"] != len(u):
        raise MalformedError(f"rank says {str(document['rank'])[:40]}, there are {len(u)} rows")
    provenance = document.get("provenance", {})
    if not isinstance(provenance, dict):
        raise MalformedError(f"provenance is {type(provenance).__name__}, not an object")
    known = (*_KEYS, "tensor") if stated.bilinear.kind == "tensor" else _KEYS
    unknown = {key: value for key, value in document.items() if key not in known}
    if unknown:
        provenance = {**provenance, "unknown_keys": unknown}
    return Draft(u, v, w, stated, base, provenance=provenance)


def json_factor(document: Mapping[str, Any], axis: str, order: int = 0) -> Rows:
    """Read a list of rows of coefficients, or with an order of polynomials, which are lists of order + 1 coefficients.

    Raises
    ------
    MalformedError
        The value is not a list of lists, or a coefficient is neither an integer nor a string ``"p/q"``.
    """
    rows = document[axis]
    if not isinstance(rows, list):
        raise MalformedError(f"{axis} is {type(rows).__name__}, not a list of rows")
    result = []
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            raise MalformedError(f"{axis}[{number}] is {type(row).__name__}, not a list")
        if order and not all(isinstance(entry, list) and len(entry) == order + 1 for entry in row):
            raise MalformedError(f"{axis}[{number}] must hold lists of {order + 1} coefficients, as the order says")
        try:
            result.append(parse_row([*chain(*row)] if order else row))
        except RingError as error:
            raise MalformedError(f"{axis}[{number}]: {error}") from None
    return tuple(result)


def problem_of_document(document: Mapping[str, Any]) -> Problem:
    """Return the problem a file states, from its embedded tensor where it has one."""
    name = document["problem"]
    if not isinstance(name, str):
        raise MalformedError(f"problem is {type(name).__name__}, not a string")
    order = fullmatch(r"border:(\d{1,6}):tensor:.*", name)
    if not order and not name.startswith("tensor:"):
        try:
            return parse(name)
        except ProblemError as error:
            # A kind that is not installed leaves the question open; an ill-formed string of a known kind does not.
            if name.partition(":")[0] in kinds():
                raise MalformedError(str(error)) from None
            raise
    problem = _embedded(document)
    if order:
        try:
            problem = border(int(order[1]), problem)
        except ProblemError as error:
            raise MalformedError(str(error)) from None
    if problem.name != name:
        raise MalformedError(f"the embedded tensor is {problem.name}, the file says {name[:100]}")
    return problem


def _embedded(document: Mapping[str, Any]) -> Problem:
    try:
        embedded = document["tensor"]
        rows = [((i, j, k), value) for i, j, k, value in embedded["coords"]]
        numbers = [*embedded["shape"], *(x for index, value in rows for x in (*index, value))]
        if not all(type(x) is int for x in numbers):
            raise MalformedError("the embedded tensor holds a value that is not an integer")
        return tensor_problem(embedded["shape"], rows)
    except (KeyError, ValueError, TypeError) as error:
        raise MalformedError(f"the embedded tensor is missing or broken ({error})") from None
    except ProblemError as error:
        raise MalformedError(str(error)) from None
