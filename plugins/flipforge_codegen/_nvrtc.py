"""Compiling CUDA text by NVRTC, the library that CuPy compiles with; it needs neither a GPU nor a host compiler."""

import ctypes
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flipforge_codegen._nvcc import Compiled, read_log
from flipforge_codegen.flipforge_gpu import definitions

__all__ = ["compiled_by_nvrtc", "find_nvrtc"]


def find_nvrtc() -> str | None:
    """Return the path of the library, None where there is none; NVRTC names it, or rules it out where empty."""
    if (named := os.environ.get("NVRTC")) is not None:
        return named or None
    return next((str(path) for folder in _folders() for path in sorted(folder.glob("libnvrtc.so*"))), None)


def _folders() -> Iterator[Path]:
    """The wheels nvidia-cuda-nvrtc and nvidia-cuda-nvrtc-cu12, and a toolkit."""
    spec = find_spec("nvidia")
    for place in spec.submodule_search_locations or () if spec else ():
        yield from (Path(place) / part / "lib" for part in ("cu13", "cuda_nvrtc"))
    yield Path("/usr/local/cuda/lib64")


def compiled_by_nvrtc(library: str, path: Path, dtype: str, architecture: str) -> list[Compiled]:
    """Compile a text to machine code and read the assembler's log; the code is thrown away.

    Raises
    ------
    ValueError
        The compiler refused the text; the message is its first error.
    """
    nvrtc: Any = ctypes.CDLL(library)
    label = f"NVRTC {architecture} for {dtype}"
    words = [f"--gpu-architecture={architecture}", "-std=c++17", "--ptxas-options=-v", *definitions(dtype)]
    options = (ctypes.c_char_p * len(words))(*(word.encode() for word in words))
    unit = ctypes.c_void_p()
    if nvrtc.nvrtcCreateProgram(ctypes.byref(unit), path.read_bytes(), path.name.encode(), 0, None, None):
        raise ValueError(f"{label}: no program could be made")
    try:
        code = nvrtc.nvrtcCompileProgram(unit, len(words), options)
        log = _text(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, unit)
        if code:
            first = next((line for line in log.splitlines() if "error" in line), log.strip()[:200])
            raise ValueError(f"{label}: {first}")
        size = ctypes.c_size_t()
        if nvrtc.nvrtcGetCUBINSize(unit, ctypes.byref(size)) or not size.value:
            raise ValueError(f"{label}: no machine code")
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(unit))
    return read_log(log, label, architecture)


def _text(length: Any, read: Any, unit: ctypes.c_void_p) -> str:
    size = ctypes.c_size_t()
    length(unit, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(max(1, size.value))
    read(unit, buffer)
    return buffer.value.decode(errors="replace")
