"""numba, set up once: where compiled kernels are kept, and typed decorators; importing this module loads numba.

numba's cache looks at the file of the function it compiles, not at those of its callees, and would run old code after a
change in one of them. So the kernels are cached in a folder whose name holds a hash of all sources beside them: a
kernel and the kernels it calls must stand in one folder of sources, be it the engine's or a plugin's.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numba.extending

__all__ = ["cache_folder", "inlined", "intrinsic", "kernel"]

_config: Any = numba.config

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _sources_hash(sources: Path) -> str:
    digest = hashlib.sha256()
    for source in (Path(__file__), *sorted(sources.glob("*.py"))):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _usable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What lies in a cache is unpickled and run: another user's folder will not do.
        return folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False


@cache
def cache_folder(sources: Path) -> Path | None:
    """Return the folder for compiled kernels of a folder of sources as it is, or None where none can be written.

    ``NUMBA_CACHE_DIR``, where set, is kept as the place; then come the user's cache folder and the temporary one.
    """
    name = f"kernels-{_sources_hash(sources)}"
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flipforge"
    places = (
        [Path(_config.CACHE_DIR)]
        if _config.CACHE_DIR
        else [home, Path(tempfile.gettempdir()) / f"flipforge-{os.getuid()}"]
    )
    return next((place / name for place in places if _usable(place) and _usable(place / name)), None)


def kernel(function: _Function) -> _Function:
    """Compile in nopython mode with the GIL released, cached in `cache_folder`."""
    folder = cache_folder(Path(function.__code__.co_filename).parent)
    if folder is None:
        return cast(_Function, numba.njit(nogil=True)(function))
    before = _config.CACHE_DIR
    # Set only while the function is decorated: numba reads it then, and other users of numba keep their own place.
    _config.CACHE_DIR = str(folder)
    try:
        return cast(_Function, numba.njit(cache=True, nogil=True)(function))
    finally:
        _config.CACHE_DIR = before


def inlined(function: _Function) -> _Function:
    """Compile as part of its callers: a call with many arrays costs more than the body."""
    return cast(_Function, numba.njit(forceinline=True)(function))


def intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make an LLVM fragment callable from kernels."""
    return cast(Callable[..., Any], numba.extending.intrinsic(function))
