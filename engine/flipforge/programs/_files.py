"""Files of programs: ``flipforge-program/1``, and the reduced JSON of the FastMatrixMultiplication collection.

The reduced layout (A. Perminov, "Parallel Heuristic Search for Fast Matrix Multiplication", arXiv 2512.13365) holds
shared sums in ``u_fresh``, ``v_fresh`` and ``w_fresh``; its w has a row an entry of C transposed.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flipforge.errors import FormatError, InputError, MalformedError, ProblemError, RingError
from flipforge.problems import Problem, matmul, parse, tensor_problem
from flipforge.programs._linear import Combination, LinearProgram
from flipforge.programs._program import Program, over_one_ring
from flipforge.rings import GF2, Q, Ring, parse_element, ring
from flipforge.schemes.formats import load_json

__all__ = ["MAX_TERMS", "PROGRAM_FORMAT", "dump_program", "dump_reduced", "is_program_file", "read_program"]

PROGRAM_FORMAT = "flipforge-program/1"

MAX_TERMS = 2_000_000
"""Most terms that the sums of a file may have, and most registers times inputs of one of its parts."""

_PARTS = ("left", "right", "out")
_HEAD = 200


def dump_program(program: Program) -> str:
    """Write a program as ``flipforge-program/1``: JSON, one sum a line, each a list of [coefficient, register]."""
    document: dict[str, Any] = {
        "format": PROGRAM_FORMAT,
        "problem": program.problem.name,
        "ring": program.ring.name,
        "rank": program.rank,
    }
    if program.problem.bilinear.kind == "tensor":
        coords = [[*index, value] for index, value in program.problem.entries]
        document["tensor"] = {"shape": list(program.problem.shape), "coords": coords}
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items()]
    for name, part in zip(_PARTS, program.parts, strict=True):
        lists = (
            f'  "{key}": {_listed(rows, "   ")}' for key, rows in (("steps", part.steps), ("outputs", part.outputs))
        )
        lines.append(f' "{name}": {{\n' + ",\n".join(lists) + "\n }")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def dump_reduced(program: Program) -> str:
    """Write the reduced JSON of FastMatrixMultiplication.

    Raises
    ------
    InputError
        The problem is not a matrix product.
    """
    if program.problem.kind != "matmul":
        raise InputError(f"reduced JSON holds matrix products, not {program.problem}; write {PROGRAM_FORMAT} instead")
    n, _, p = program.problem.dims
    naive = sum(max(0, len(row) - 1) for part in program.parts for row in part.matrix)
    sums = {"u": program.left.outputs, "v": program.right.outputs}
    sums["w"] = tuple(program.out.outputs[i * p + k] for k in range(p) for i in range(n))
    document = {
        "n": list(program.problem.dims),
        "m": program.rank,
        "z2": program.ring == GF2,
        "complexity": {"naive": naive, "reduced": program.operations.additions},
    }
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items()]
    for axis, part in zip("uvw", program.parts, strict=True):
        for key, rows in ((f"{axis}_fresh", part.steps), (axis, sums[axis])):
            terms = [[{"index": index, "value": _written(value)} for value, index in row] for row in rows]
            body = ",\n".join(f"  {json.dumps(row)}" for row in terms)
            lines.append(f' "{key}": [\n{body}\n ]' if rows else f' "{key}": []')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def is_program_file(path: Path) -> bool:
    """Tell whether a file says near its begin that it is ``flipforge-program/1``, or a later version."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return b'"flipforge-program/' in stream.read(_HEAD)


def read_program(text: str) -> Program:
    """Read either format and prove what the program computes.

    The reduced layout names no ring but GF(2); all else is taken over Q.

    Raises
    ------
    FormatError
        The text is neither format, or a version of ours that is not known.
    MalformedError
        The content cannot be what the format says.
    VerificationError
        The program computes something else than its problem.
    """
    document = load_json(text)
    if not isinstance(document, dict):
        raise FormatError(f"not a program: give {PROGRAM_FORMAT} or reduced JSON")
    if "format" in document:
        program = _native(document)
    elif {"n", "m", "u_fresh", "v_fresh", "w_fresh"} <= document.keys():
        program = _reduced(document)
    else:
        raise FormatError(f"not a program: neither {PROGRAM_FORMAT} nor reduced JSON with u_fresh, v_fresh and w_fresh")
    return program.prove()


def _native(document: Mapping[str, Any]) -> Program:
    if document["format"] != PROGRAM_FORMAT:
        raise FormatError(f"format {str(document['format'])[:60]!r} is not known; known is {PROGRAM_FORMAT}")
    problem, over = _stated(document)
    rank = _count(document, "rank")
    widths = (problem.shape[0], problem.shape[1], rank)
    parts = []
    for name, inputs in zip(_PARTS, widths, strict=True):
        part = document.get(name)
        if not isinstance(part, dict) or not {"steps", "outputs"} <= part.keys():
            raise MalformedError(f"key {name!r} must hold an object with 'steps' and 'outputs'")
        steps, outputs = (_rows(part[key], f"{name}.{key}", _pair) for key in ("steps", "outputs"))
        parts.append(linear_part(over, inputs, steps, outputs, name))
    return Program(problem, *parts)


def _stated(document: Mapping[str, Any]) -> tuple[Problem, Ring]:
    name, tensor = document.get("problem"), document.get("tensor")
    try:
        over = ring(str(document.get("ring")))
        if tensor is None:
            return parse(str(name)), over
        problem = tensor_problem(tensor["shape"], [((i, j, k), value) for i, j, k, value in tensor["coords"]])
    except (ProblemError, RingError, KeyError, TypeError, ValueError) as error:
        raise MalformedError(f"problem or ring: {error}") from None
    if problem.name != name:
        raise MalformedError(f"key 'tensor' holds {problem.name}, key 'problem' says {str(name)[:60]!r}")
    return problem, over


def _reduced(document: Mapping[str, Any]) -> Program:
    sizes, rank = document["n"], _count(document, "m")
    try:
        n, m, p = sizes
        problem = matmul(n, m, p)
    except (ProblemError, TypeError, ValueError) as error:
        raise MalformedError(f"key 'n' must hold three sizes: {error}") from None
    over = GF2 if document.get("z2") else Q
    widths, counts = (n * m, m * p, rank), (rank, rank, n * p)
    parts = []
    for axis, inputs, count in zip("uvw", widths, counts, strict=True):
        steps, outputs = (_rows(document.get(key), key, _indexed) for key in (f"{axis}_fresh", axis))
        if len(outputs) != count:
            raise MalformedError(f"{axis} has {len(outputs)} rows, {count} are needed")
        if axis == "w":
            outputs = tuple(outputs[k * n + i] for i in range(n) for k in range(p))
        parts.append(linear_part(over, inputs, steps, outputs, axis))
    return Program(problem, *over_one_ring(*parts))


def linear_part(
    over: Ring, inputs: int, steps: tuple[Combination, ...], outputs: tuple[Combination, ...], name: str
) -> LinearProgram:
    """Return a part that a file states, within the limits of a file and with its place in messages."""
    if (len(steps) + len(outputs) + 1) * (inputs + 1) > MAX_TERMS:
        raise MalformedError(
            f"{name}: {len(steps) + len(outputs)} sums of {inputs} inputs exceed the limit {MAX_TERMS}"
        )
    p = over.characteristic
    try:
        reduced = ([tuple((over.reduce(x), i) for x, i in row) for row in rows] for rows in (steps, outputs))
        steps, outputs = (tuple(tuple(term for term in row if term[0] or not p) for row in rows) for rows in reduced)
        return LinearProgram(over, inputs, steps, outputs)
    except (MalformedError, RingError) as error:
        raise MalformedError(f"{name}: {error}") from None


def _count(document: Mapping[str, Any], key: str) -> int:
    value = document.get(key)
    if type(value) is not int or value < 0:
        raise MalformedError(f"key {key!r} must hold the number of products")
    return value


def _rows(rows: Any, place: str, term: Any) -> tuple[Combination, ...]:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise MalformedError(f"{place} must be a list of sums, each a list of terms")
    if sum(map(len, rows)) > MAX_TERMS:
        raise MalformedError(f"{place} has more than {MAX_TERMS} terms")
    try:
        return tuple(tuple(term(item) for item in row) for row in rows)
    except (RingError, KeyError, TypeError, ValueError) as error:
        raise MalformedError(f"{place}: a term cannot be read ({error})") from None


def _pair(item: Any) -> tuple[Any, int]:
    value, index = item
    return parse_element(value), _register(index)


def _indexed(item: Any) -> tuple[Any, int]:
    return parse_element(item["value"]), _register(item["index"])


def _register(index: Any) -> int:
    if type(index) is not int:
        raise ValueError(f"{str(index)[:40]!r} is no register")
    return index


def _listed(rows: Sequence[Combination], indent: str) -> str:
    body = ",\n".join(indent + json.dumps([[_written(x), i] for x, i in row]) for row in rows)
    return f"[\n{body}\n{indent[1:]}]" if rows else "[]"


def _written(value: Any) -> Any:
    return value if isinstance(value, int) else str(value)
