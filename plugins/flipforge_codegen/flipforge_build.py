"""Builds C files as shared libraries, loads them, and finds a BLAS. It needs NumPy and a C compiler, nothing else."""

import ctypes
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Blas", "BuildError", "Library", "MissingCompilerError", "build", "find_blas", "one_thread", "operands"]

Array = npt.NDArray[Any]

_ALIGNMENT = 64

FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC", "-std=gnu11")


class BuildError(RuntimeError):
    """A compiler refused the file."""


class MissingCompilerError(BuildError):
    """There is no compiler that can be run."""


@dataclass(frozen=True)
class Blas:
    """A BLAS with the C interface: addresses of functions, and the number of bytes of its integers."""

    path: str
    functions: dict[str, int]
    integer: int
    library: Any
    set_threads: Any
    get_threads: Any


@cache
def find_blas() -> Blas | None:
    """Find the OpenBLAS that NumPy or SciPy ships, or one of the system; None where there is none."""
    folders = [Path(np.__file__).parent.parent / name for name in ("numpy.libs", "scipy.libs")]
    candidates = [str(path) for folder in folders for path in sorted(folder.glob("*openblas*"))]
    candidates += ["libopenblas.so.0", "libblis.so.4", "libcblas.so.3"]
    for candidate in candidates:
        try:
            library = ctypes.CDLL(candidate)
        except OSError:
            continue
        for prefix, suffix, integer in (("scipy_", "64_", 8), ("scipy_", "", 4), ("", "64_", 8), ("", "", 4)):
            wanted = ("gemm", "syrk", "trmm", "symm")
            names = {letter + kind: f"{prefix}cblas_{letter}{kind}{suffix}" for kind in wanted for letter in "sd"}
            if all(hasattr(library, name) for name in names.values()):
                functions = {
                    key: ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for key, name in names.items()
                }
                setter, getter = (
                    getattr(library, f"{prefix}openblas_{verb}_num_threads{suffix}", None) for verb in ("set", "get")
                )
                return Blas(candidate, functions, integer, library, setter, getter)
    return None


def build(path: Path, cache_dir: str | Path | None = None) -> Path:
    """Compile a file into a shared library and return its path."""
    compiler = os.environ.get("CC") or next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if not compiler:
        raise MissingCompilerError(
            "no C compiler: install gcc or clang (Debian: apt install gcc), or name one in the variable CC; "
            "the target numpy needs none"
        )
    text = path.read_bytes()
    program, *extra = compiler.split()
    command = [program, *FLAGS, *extra]  # what CC adds comes last and wins
    stamp = sha256(b"\0".join([text, repr(command).encode(), _machine().encode()])).hexdigest()[:20]
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flipforge-c"
    folder = Path(cache_dir) if cache_dir else default
    library = folder / f"{path.stem}-{stamp}{sysconfig.get_config_var('SHLIB_SUFFIX') or '.so'}"
    if library.is_file():
        return library
    folder.mkdir(parents=True, exist_ok=True)
    errors = ""
    for openmp in (["-fopenmp"], []):  # without OpenMP it runs on one core
        handle, draft = tempfile.mkstemp(suffix=".so", dir=folder)
        os.close(handle)
        try:
            done = subprocess.run(
                [*command, *openmp, str(path), "-o", draft, "-lm"], capture_output=True, text=True, check=False
            )
        except OSError as error:
            os.unlink(draft)
            raise MissingCompilerError(
                f"{compiler} cannot be run ({error.strerror}); name a C compiler in CC"
            ) from None
        if not done.returncode:
            os.replace(draft, library)
            return library
        os.unlink(draft)
        errors = errors or done.stderr
    first = next((line for line in errors.splitlines() if "error" in line), errors.strip()[:200])
    raise BuildError(f"{compiler} refused {path}: {first}")


@cache
def _machine() -> str:
    """Name the processor: libraries are built for the machine at hand, and a cache may be shared between several."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next((line for line in lines if line.startswith("flags")), sys.platform)
    except OSError:
        return sys.platform


@contextmanager
def one_thread(blas: Blas | None) -> Iterator[None]:
    """Keep BLAS to one thread: what runs inside shares out its own work."""
    if blas is None or blas.set_threads is None or blas.get_threads is None:
        yield
        return
    before = blas.get_threads()
    blas.set_threads(1)
    try:
        yield
    finally:
        blas.set_threads(before)


class Library:
    """An exported file, built once for each text and compiler, and loaded.

    Parameters
    ----------
    cache_dir
        Where libraries are kept; a folder ``flipforge-c`` in the user's cache unless given.
    blas
        Multiply the innermost blocks by BLAS where one is found, and by the file's own loops otherwise.

    Attributes
    ----------
    facts
        What the file says of its schemes.

    Raises
    ------
    BuildError
        There is no C compiler, or it refused the file; the message says what to install.
    """

    def __init__(self, path: str | Path, cache_dir: str | Path | None = None, *, blas: bool = True) -> None:
        path = Path(path)
        library = ctypes.CDLL(str(build(path, cache_dir)))
        facts = getattr(library, f"{path.stem}_facts")
        facts.restype = ctypes.c_char_p
        self.facts: dict[str, Any] = json.loads(facts())
        self._run = getattr(library, f"{path.stem}_run")
        self._run.restype = None
        self._measure = getattr(library, f"{path.stem}_workspace")
        self._measure.restype = ctypes.c_size_t
        self.blas = find_blas() if blas else None
        self._kept = np.empty(0, np.uint8)

    def workspace(self, request: ctypes.Structure) -> int:
        """Return the bytes that `run` works in."""
        return int(self._measure(ctypes.byref(request))) + _ALIGNMENT

    def run(self, request: Any, workspace: npt.NDArray[np.uint8] | None) -> None:
        """Run a request in a workspace; in one that is kept from call to call unless given.

        Raises
        ------
        ValueError
            The workspace is too small.
        """
        size = self.workspace(request)
        if workspace is None:
            if self._kept.size < size:
                self._kept = np.empty(size, np.uint8)
            workspace = self._kept
        elif workspace.size < size:
            raise ValueError(f"the workspace has {workspace.size} bytes, {size} are needed")
        address = workspace.ctypes.data
        request.workspace = address + -address % _ALIGNMENT
        with one_thread(self.blas):
            self._run(ctypes.byref(request))

    def functions(self, suffix: str, *names: str) -> dict[str, int]:
        """Return the fields of a request that give functions of BLAS; none where no BLAS has the arithmetic."""
        kind = {"f32": "s", "f64": "d", "mod": "d"}.get(suffix)
        if self.blas is None or kind is None:
            return {}
        return {name: self.blas.functions[kind + name] for name in names} | {"blas_int": self.blas.integer}


def operands(a: Array, b: Array | None, c: Array) -> dict[str, int]:
    """Return the fields of a request that say where matrices lie, their strides in entries."""
    fields: dict[str, int] = {}
    for letter, x in zip("abc", (a, b, c), strict=True):
        if x is not None:
            fields[letter] = x.ctypes.data
            fields[f"{letter}_rs"], fields[f"{letter}_cs"] = (step // x.itemsize for step in x.strides)
    return fields
