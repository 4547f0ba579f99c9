"""Read NPY and NPZ files without numpy's loader: nothing is unpickled, and sizes are checked before memory is taken."""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from re import compile as regex
from re import fullmatch
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MAX_BYTES", "Array", "array_from_bytes", "npy_array", "npz_members"]

Array = npt.NDArray[Any]

MAX_BYTES = 64 * 2**20
"""Largest file, and largest uncompressed member of an archive."""
_MAX_MEMBERS = 1000
_MAX_AXES = 8
_HEADER = regex(rb"\{'descr': '([^']{1,20})', 'fortran_order': (True|False), 'shape': \(([0-9L, ]*)\),? ?\}\s*")


def npz_members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield key and NPY content of each member of an archive.

    Raises
    ------
    ValueError
        The archive is broken, or larger than the limits.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if len(infos) > _MAX_MEMBERS:
                raise ValueError(f"{len(infos)} members are more than the limit of {_MAX_MEMBERS}")
            for info in infos:
                with archive.open(info) as stream:
                    # A header may lie about the size; what is read is what counts.
                    content = stream.read(MAX_BYTES + 1)
                if len(content) > MAX_BYTES:
                    raise ValueError(f"member {info.filename[:40]!r} is larger than the limit of {MAX_BYTES} bytes")
                yield info.filename.removesuffix(".npy"), content
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, LookupError, OverflowError) as error:
        raise ValueError(f"not a readable NPZ archive ({str(error)[:100]})") from None


def npy_array(data: bytes, unpickle: Callable[[bytes], list[Array]] | None = None) -> Array | list[Array]:
    """Return the array of an NPY file of numbers or text.

    Parameters
    ----------
    unpickle
        Reads the content of an object array; without it such an array is refused.

    Raises
    ------
    ValueError
        The header is broken, the type is none of those, or header and content disagree in size.
    """
    length_bytes = 2 if data[6:7] == b"\x01" else 4
    start = 8 + length_bytes
    end = start + int.from_bytes(data[8:start], "little")
    match = _HEADER.fullmatch(data[start:end]) if data[:6] == b"\x93NUMPY" and end <= len(data) else None
    if match is None:
        raise ValueError("not an NPY array: its header is broken or is none that numpy writes")
    dtype, order, sides = (group.decode("ascii", "replace") for group in match.groups())
    if dtype.lstrip("|") == "O":
        if unpickle is None:
            raise ValueError("the array holds pickled objects, which are not read")
        return unpickle(data[end:])
    shape = tuple(int(side.strip(" L")[:12] or 0) for side in sides.split(",") if side.strip())
    return array_from_bytes(data[end:], dtype, shape, fortran=order == "True")


def array_from_bytes(data: bytes, dtype: str, shape: tuple[int, ...], *, fortran: bool) -> Array:
    """Return the array of raw bytes.

    Raises
    ------
    ValueError
        The type is no number or text, or shape and bytes disagree in size.
    """
    if not fullmatch(r"[<>|=]?(?:[iu][1248]|f[248]|U[0-9]{1,6})", dtype):
        raise ValueError(f"an array of type {dtype!r}, which is neither numbers nor text")
    kind = np.dtype(dtype)
    size = kind.itemsize
    for side in shape:
        size *= side
    if len(shape) > _MAX_AXES or size != len(data):
        raise ValueError(f"an array of shape {shape} and type {dtype} with {len(data)} bytes of content")
    flat = np.frombuffer(data, kind) if data else np.zeros(0, kind)
    return flat.reshape(shape, order="F" if fortran else "C")
