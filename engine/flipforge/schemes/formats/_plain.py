"""The content of a file that is no scheme: a JSON object, an array, the arrays of an archive, or text."""

from pathlib import Path
from typing import Any

import numpy.typing as npt

from flipforge.errors import FlipforgeError, FormatError
from flipforge.problems._npy import npy_array, npz_members
from flipforge.schemes.formats._draft import load_json
from flipforge.schemes.formats._judge import read_bytes

__all__ = ["read_plain"]


def read_plain(path: Path) -> dict[str, Any] | npt.NDArray[Any]:
    """Return the JSON object, the array of an NPY, the arrays of an NPZ by their names, or ``{"text": ...}``.

    Nothing is unpickled.

    Raises
    ------
    InputError
        The file is missing or unreadable.
    FormatError
        It is none of these.
    MalformedError
        It is one of these, and broken.
    """
    data = read_bytes(path)
    try:
        if data.startswith(b"PK\x03\x04"):
            return {name: npy_array(content) for name, content in npz_members(data)}
        if data.startswith(b"\x93NUMPY"):
            array = npy_array(data)
            assert not isinstance(array, list)
            return array
        text = data.decode("utf-8-sig", "replace")
        if path.suffix.lower() != ".json" and text.lstrip()[:1] not in ("{", "["):
            return {"text": text}
        content = load_json(text)
    except ValueError as error:
        raise FormatError(f"{path}: {error}") from None
    except FlipforgeError as error:
        raise type(error)(f"{path}: {error}") from None
    if not isinstance(content, dict):
        raise FormatError(f"{path}: JSON that is no object")
    return content
