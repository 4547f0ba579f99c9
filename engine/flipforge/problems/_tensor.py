"""User tensors: read from NPZ or NPY, named by the hash of their content."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from flipforge.errors import FormatError, NotFoundError, ProblemError
from flipforge.problems._npy import MAX_BYTES, Array, npy_array, npz_members
from flipforge.problems._problem import Index, Problem

__all__ = ["MAX_ENTRIES", "MAX_SIDE", "read_tensor", "tensor_problem"]

MAX_SIDE = 1024
"""Largest number of coordinates of an axis."""
MAX_ENTRIES = 32**3
"""Largest number of nonzero coefficients."""


def tensor_problem(shape: Iterable[int], entries: Iterable[tuple[Index, int]], source: str = "tensor") -> Problem:
    """Return the problem of a sparse integer tensor, named ``tensor:sha256=...`` by its content.

    Parameters
    ----------
    shape
        Three sizes.
    entries
        ``((i, j, k), value)``, 0-based; zeros are dropped, an index that stands twice is refused.
    source
        What error messages call the input.
    """
    sizes = tuple(int(size) for size in shape)
    if len(sizes) != 3 or not all(1 <= size <= MAX_SIDE for size in sizes):
        raise ProblemError(f"{source}: shape {sizes} must be three sizes from 1 to {MAX_SIDE}")
    coefficients: dict[Index, int] = {}
    for index, value in entries:
        if index in coefficients:
            raise ProblemError(f"{source}: index {index} stands twice; sum its values into one entry")
        if not all(0 <= i < size for i, size in zip(index, sizes, strict=True)):
            raise ProblemError(f"{source}: index {index} lies outside the shape {sizes}")
        coefficients[index] = value
    ordered = tuple(sorted((index, value) for index, value in coefficients.items() if value))
    if not ordered:
        raise ProblemError(f"{source}: the tensor is zero; give at least one nonzero entry")
    if len(ordered) > MAX_ENTRIES:
        raise ProblemError(f"{source}: {len(ordered)} nonzero entries are more than the limit of {MAX_ENTRIES}")
    text = "x".join(map(str, sizes)) + "\n" + "".join(f"{i} {j} {k} {t}\n" for (i, j, k), t in ordered)
    return Problem(
        name=f"tensor:sha256={sha256(text.encode()).hexdigest()}",
        kind="tensor",
        shape=(sizes[0], sizes[1], sizes[2]),
        dims=sizes,
        entries=ordered,
        labels=tuple(  # type: ignore[arg-type]
            tuple(f"{letter}{i}" for i in range(1, size + 1)) for letter, size in zip("abc", sizes, strict=True)
        ),
    )


def read_tensor(path: Path) -> Problem:
    """Read a tensor file: NPZ with ``shape``, ``coords`` (nnz x 3) and ``values``, or NPY with columns i, j, k, value.

    Nothing is unpickled. An NPY file states no shape: each size is the largest index plus one.

    Raises
    ------
    NotFoundError, FormatError, ProblemError
        The file is missing, is neither format, or holds what is not an integer tensor.
    """
    if not path.is_file():
        raise NotFoundError(f"{path}: no such tensor file")
    try:
        parts = _read_arrays(path)
    except (ValueError, OSError) as error:
        raise FormatError(f"{path}: not a readable NPZ or NPY tensor without pickles ({_one_line(error)})") from None
    for key, array in parts.items():
        if array.dtype.kind not in "iu":
            raise ProblemError(f"{path}: {key} holds {array.dtype}, tensors are stored as integers")
    if "coo" in parts:
        coo = parts["coo"]
        if coo.ndim != 2 or coo.shape[1] != 4 or not len(coo):
            raise ProblemError(f"{path}: array of shape {coo.shape}; write rows of i, j, k, value")
        coords, values, shape = coo[:, :3], coo[:, 3], [int(s) + 1 for s in coo[:, :3].max(axis=0)]
    else:
        missing = [key for key in ("shape", "coords", "values") if key not in parts]
        if missing:
            raise ProblemError(f"{path}: array {missing[0]!r} is missing; a tensor NPZ holds shape, coords and values")
        coords, values, shape = parts["coords"], parts["values"], parts["shape"].reshape(-1).tolist()
        if coords.ndim != 2 or coords.shape[1] != 3 or values.shape != (len(coords),):
            raise ProblemError(f"{path}: coords {coords.shape} and values {values.shape} must be nnz x 3 and nnz")
    rows = zip(coords.tolist(), values.tolist(), strict=True)
    return tensor_problem(shape, (((i, j, k), t) for (i, j, k), t in rows), str(path))


def _read_arrays(path: Path) -> dict[str, Array]:
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than the limit of {MAX_BYTES} bytes")
    if not data.startswith(b"PK"):
        return {"coo": _numbers(data)}
    return {key: _numbers(content) for key, content in npz_members(data) if key in ("shape", "coords", "values")}


def _numbers(data: bytes) -> Array:
    array = npy_array(data)
    assert not isinstance(array, list)
    return array


def parse_tensor(body: str) -> Problem:
    """Parse the PATH of ``tensor:PATH``."""
    if body.startswith("sha256="):
        raise ProblemError(f"tensor:{body}: a hash names a tensor but does not hold it; give the tensor's file")
    return read_tensor(Path(body))


def _one_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
