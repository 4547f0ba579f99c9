"""Builds C files as shared libraries, and finds a BLAS. It needs NumPy and a C compiler, nothing else."""

import ctypes
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

__all__ = ["Blas", "BuildError", "MissingCompilerError", "build", "find_blas", "one_thread"]

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
