"""NumPy files: flip-cpd's NPY, AlphaTensor's NPZ, and an NPZ of our own without pickles."""

import io
from collections.abc import Mapping
from fractions import Fraction
from math import isfinite, lcm
from re import fullmatch
from typing import Any

import numpy as np

from flipforge.errors import FormatError, InputError, MalformedError
from flipforge.problems import Problem
from flipforge.problems._npy import Array, npy_array, npz_members
from flipforge.schemes._scheme import Scheme
from flipforge.schemes.formats._draft import (
    MAX_CELLS,
    Draft,
    Rows,
    from_flip_cpd,
    named_problem,
    state_matmul,
    state_ring,
)
from flipforge.schemes.formats._fmm import transposed
from flipforge.schemes.formats._native import problem_of_document
from flipforge.schemes.formats._unpickle import unpickle_arrays

__all__ = ["dump_npz", "npy_drafts", "npz_drafts"]

NPZ_FORMAT = "flipforge-npz/1"


def npy_drafts(data: bytes, name: str, problem: Problem | None = None) -> list[Draft]:
    """Read flip-cpd's NPY: a scheme a row, (numerator, denominator) pairs of u, v and w in turn, C row-major.

    The file states no problem: its name (``gg-345-...``) or the caller does.
    """
    content = _parse(data)
    if isinstance(content, list) or content.dtype.kind != "i" or content.ndim not in (1, 2):
        raise FormatError("an NPY file that is no list of (numerator, denominator) pairs of signed integers")
    target = problem or named_problem(name)
    if target is None:
        raise InputError("an NPY file states no problem: name it like gg-345-..., or give --problem")
    rows = np.atleast_2d(content).tolist()
    step = 2 * sum(target.shape)
    if not rows or not rows[0] or len(rows[0]) % step:
        raise MalformedError(f"{len(content.T)} numbers a scheme; a product of {target} takes {step}")
    return [_pairs(row, target, f"#{number}" if len(rows) > 1 else "") for number, row in enumerate(rows, 1)]


def npz_drafts(data: bytes) -> list[Draft]:
    """Read an NPZ: AlphaTensor's (keys ``n,m,p``, factors size x r, C transposed) or our own."""
    try:
        members = list(npz_members(data))
    except ValueError as error:
        raise MalformedError(str(error)) from None
    arrays = {key: _parse(content) for key, content in members}
    if not arrays:
        raise FormatError("an empty NPZ archive")
    if "format" in arrays:
        return [_own_draft(arrays)]
    drafts = []
    for key, content in arrays.items():
        match = fullmatch(r"([0-9]{1,4}),([0-9]{1,4}),([0-9]{1,4})", key)
        if not match:
            raise FormatError(
                f"an NPZ with key {key[:40]!r}; keys must be sizes like '3,4,5', or those convert --to npz writes"
            )
        drafts.append(_alphatensor_draft(key, state_matmul([int(size) for size in match.groups()]), content))
    return drafts


def dump_npz(scheme: Scheme) -> bytes:
    """Write ``u``, ``v``, ``w`` (r x size, C row-major) as int64 over ``u_denominator``, ... (one a row).

    Raises
    ------
    InputError
        A coefficient does not fit in 64 bits.
    """
    arrays: dict[str, Any] = {"format": NPZ_FORMAT, "problem": scheme.problem.name, "ring": scheme.ring.name}
    for axis, size in zip("uvw", scheme.problem.shape, strict=True):
        rows = getattr(scheme, axis)
        denominators = [lcm(*(x.denominator for x in row)) for row in rows]
        numerators = [[int(x * d) for x in row] for row, d in zip(rows, denominators, strict=True)]
        try:
            arrays[axis] = np.array(numerators, dtype=np.int64).reshape(len(rows), size)
            if any(d > 1 for d in denominators):
                arrays[f"{axis}_denominator"] = np.array(denominators, dtype=np.int64)
        except OverflowError:
            raise InputError(
                f"a coefficient of {axis} does not fit in 64 bits; convert to flipforge, fmm, exp, sms or txt"
            ) from None
    if scheme.problem.kind == "tensor":
        arrays["tensor_shape"] = np.array(scheme.problem.shape, dtype=np.int64)
        try:
            arrays["tensor_coords"] = np.array(
                [[*index, value] for index, value in scheme.problem.entries], dtype=np.int64
            )
        except OverflowError:
            raise InputError("a coefficient of the tensor does not fit in 64 bits; convert to flipforge") from None
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def _parse(data: bytes) -> Array | list[Array]:
    try:
        return npy_array(data, unpickle_arrays)
    except ValueError as error:
        raise MalformedError(str(error)) from None


def _pairs(row: list[int], problem: Problem, label: str) -> Draft:
    if 0 in row[1::2]:
        raise MalformedError(f"a denominator is 0{label and ' in scheme ' + label}")
    values = [x // d if x % d == 0 else Fraction(x, d) for x, d in zip(row[::2], row[1::2], strict=True)]
    rank = len(values) // sum(problem.shape)
    factors: list[Rows] = []
    start = 0
    for size in problem.shape:
        factors.append(tuple(tuple(values[start + q * size : start + (q + 1) * size]) for q in range(rank)))
        start += rank * size
    u, v = from_flip_cpd(problem, factors[0], factors[1])
    return Draft(u, v, factors[2], problem, label=label)


def _alphatensor_draft(key: str, problem: Problem, content: Array | list[Array]) -> Draft:
    factors = list(content)
    shapes = [np.shape(factor) for factor in factors]
    rank = shapes[0][-1] if shapes and shapes[0] else 0
    if shapes != [(size, rank) for size in problem.shape]:
        raise MalformedError(f"key {key}: factors of shapes {shapes}; needed are {problem.shape} times the rank")
    u, v, w = (_exact_rows(factor.T, key) for factor in factors)
    n, _, p = problem.dims
    return Draft(u, v, tuple(transposed(row, p, n) for row in w), problem, label=f":{key}")


def _exact_rows(array: Array, key: str) -> Rows:
    """Return rows of exact numbers; a float is taken for the dyadic rational it is."""
    if array.ndim != 2 or array.dtype.kind not in "iuf" or array.size > MAX_CELLS:
        raise MalformedError(f"{key}: an array of shape {array.shape} of {array.dtype} holds no rows of coefficients")
    rows = array.tolist()
    if array.dtype.kind != "f":
        return tuple(map(tuple, rows))
    if not all(isfinite(x) for row in rows for x in row):
        raise MalformedError(f"{key}: a coefficient is not finite")
    return tuple(tuple(int(x) if x.is_integer() else Fraction(x) for x in row) for row in rows)


def _own_draft(arrays: Mapping[str, Array | list[Array]]) -> Draft:
    texts = {key: _text(arrays, key) for key in ("format", "problem", "ring")}
    if texts["format"] != NPZ_FORMAT:
        raise FormatError(f"format {texts['format'][:60]!r} is not known; this version reads {NPZ_FORMAT}")
    problem = _own_problem(texts["problem"], arrays)
    factors = []
    for axis in "uvw":
        rows = _exact_rows(_array(arrays, axis), axis)
        name = f"{axis}_denominator"
        if name in arrays:
            denominators = _array(arrays, name).tolist()
            if np.shape(denominators) != (len(rows),) or not all(type(d) is int and d > 0 for d in denominators):
                raise MalformedError(f"{name} must be {len(rows)} positive integers")
            rows = tuple(tuple(Fraction(x) / d for x in row) for row, d in zip(rows, denominators, strict=True))
        factors.append(rows)
    u, v, w = factors
    return Draft(u, v, w, problem, state_ring(texts["ring"]))


def _own_problem(name: str, arrays: Mapping[str, Array | list[Array]]) -> Problem:
    document: dict[str, Any] = {"problem": name}
    if name.startswith("tensor:"):
        document["tensor"] = {
            "shape": _array(arrays, "tensor_shape").tolist(),
            "coords": _array(arrays, "tensor_coords").tolist(),
        }
    return problem_of_document(document)


def _array(arrays: Mapping[str, Array | list[Array]], key: str) -> Array:
    content = arrays.get(key)
    if not isinstance(content, np.ndarray):
        raise MalformedError(f"array {key!r} is missing")
    return content


def _text(arrays: Mapping[str, Array | list[Array]], key: str) -> str:
    content = _array(arrays, key)
    if content.dtype.kind != "U" or content.size != 1:
        raise MalformedError(f"array {key!r} must be one string")
    return str(content.reshape(-1)[0])
