"""Write files whole or not at all."""

import os
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex

from flipforge.errors import InputError

__all__ = ["write_atomically"]


def write_atomically(files: Mapping[Path, bytes]) -> None:
    """Write every file beside its place first and then rename all; a failure before the first rename changes nothing.

    Raises
    ------
    InputError
        A folder is missing or cannot be written, or the disk is full.
    """
    staged: dict[Path, str] = {}
    path = Path()
    try:
        for path, data in files.items():
            if path.is_dir():
                raise InputError(f"{path}: is a folder; name a file")
            temporary = str(path.parent / f".{path.name[:100]}.{token_hex(8)}.tmp")
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            staged[path] = temporary
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        for path, temporary in list(staged.items()):
            os.replace(temporary, path)
            del staged[path]
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be written ({getattr(error, 'strerror', None) or error})") from None
    finally:
        for temporary in staged.values():
            Path(temporary).unlink(missing_ok=True)
