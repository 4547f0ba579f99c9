"""Compiling CUDA text for several architectures, and what the log says of registers, spills and shared memory."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from flipforge_codegen.flipforge_gpu import definitions

__all__ = ["ARCHITECTURES", "Compiled", "compiled", "find_nvcc", "read_log"]

ARCHITECTURES = ("sm_80", "sm_90", "sm_100")

_SPILLS = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
_USED = re.compile(r"Used (\d+) registers")
_SHARED = re.compile(r"(\d+) bytes smem")


@dataclass(frozen=True)
class Compiled:
    """One kernel as the assembler reports it."""

    kernel: str
    architecture: str
    registers: int
    spilled: int
    shared: int


def find_nvcc() -> str | None:
    """Return the path of nvcc, None where there is none; the variable NVCC names it, or rules it out where empty."""
    if (named := os.environ.get("NVCC")) is not None:
        return shutil.which(named)
    return shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")


def compiled(nvcc: str, path: Path, dtype: str, architecture: str) -> list[Compiled]:
    """Compile a text and read the log; the result is thrown away.

    Raises
    ------
    ValueError
        The compiler refused the text; the message is its first error.
    """
    with TemporaryDirectory() as folder:
        command = [nvcc, "-O3", "-cubin", f"-arch={architecture}", "-Xptxas", "-v", *definitions(dtype)]
        command += [str(path), "-o", str(Path(folder) / "kernels.cubin")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    log = done.stderr + done.stdout
    if done.returncode:
        first = next((line for line in log.splitlines() if "error" in line), log.strip()[:200])
        raise ValueError(f"nvcc -arch={architecture} for {dtype}: {first}")
    return read_log(log, f"nvcc -arch={architecture} for {dtype}", architecture)


def read_log(log: str, label: str, architecture: str) -> list[Compiled]:
    """Read what the assembler says of each kernel; ``label`` names the compiler.

    Raises
    ------
    ValueError
        A kernel has no figures, or there is no kernel.
    """
    rows = []
    for part in log.split("Compiling entry function '")[1:]:
        name, shared = part.split("'", 1)[0], _SHARED.search(part)
        spills, used = _SPILLS.search(part), _USED.search(part)
        if not spills or not used:
            raise ValueError(f"{label}: no figures for kernel {name} in the log")
        spilled = int(spills[1]) + int(spills[2])
        rows.append(Compiled(name, architecture, int(used[1]), spilled, int(shared[1]) if shared else 0))
    if not rows:
        raise ValueError(f"{label}: the log names no kernel")
    return rows
