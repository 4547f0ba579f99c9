"""Timing exported GPU kernels against the vendor's product, on a GPU where there is one; what was not timed says so."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from flipforge_codegen._triton_check import load_module
from flipforge_codegen.flipforge_gpu import TIERS, CupyDevice, Kernels, MissingError, OpenCLDevice, facts

__all__ = ["cuda_rows", "opencl_rows", "triton_rows"]

Row = dict[str, Any]

_ROUNDS = 3


def cuda_rows(path: Path, size: int) -> list[Row]:
    """Time every tier against cuBLAS, operands and results on the device."""
    try:
        import cupy

        cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # no library, no driver, no device: cupy raises errors of its own
        return [_untimed(f"not run on a GPU: CuPy finds none ({type(error).__name__})")]
    text, found = path.read_text(encoding="utf-8"), []
    wait = cupy.cuda.get_current_stream().synchronize
    for dtype in ("float16", "float32", "float64"):
        kernels = Kernels(CupyDevice(text, dtype), facts(text), dtype)
        a, b = (cupy.asarray(x) for x in _operands(size, dtype))
        found += _rows(kernels, a, b, cupy.matmul, "cuBLAS", wait)
    return found


def opencl_rows(path: Path, size: int) -> list[Row]:
    """Time every tier on the first device, with copies to and from it, against NumPy on one thread."""
    text, found = path.read_text(encoding="utf-8"), []
    for dtype in ("float32", "float64"):
        try:
            device = OpenCLDevice(text, dtype)
        except MissingError as error:
            return [_untimed(str(error))]
        told, clock = f"NumPy on the CPU (ours on {device.name.strip()})", time.perf_counter
        if device.on_cpu:
            told, clock = f"NumPy, CPU time (ours on {device.name.strip()}, not on a GPU)", time.process_time
        a, b = _operands(size, dtype)
        with threadpool_limits(1):
            found += _rows(Kernels(device, facts(text), dtype), a, b, np.matmul, told, lambda: None, clock)
    return found


def triton_rows(path: Path, size: int) -> list[Row]:
    """Time every tier against torch.matmul, operands and results on the device."""
    try:
        import torch
        import triton  # noqa: F401
    except ImportError as error:
        return [_untimed(f"no {error.name}: pip install 'flipforge[triton]'")]
    if not torch.cuda.is_available():
        return [_untimed("not run on a GPU: PyTorch finds none")]
    module, found = load_module(path), []
    for dtype in ("float16", "float32", "float64"):
        a, b = (torch.from_numpy(x).cuda() for x in _operands(size, dtype))
        for tier in module.TIERS:

            def ours(tier: str = tier, a: Any = a, b: Any = b) -> object:
                return module.multiply(a, b, tier=tier)

            def theirs(a: Any = a, b: Any = b) -> object:
                return torch.matmul(a, b)

            times = _interleaved(ours, theirs, torch.cuda.synchronize)
            found.append(_row(dtype, size, tier, "torch.matmul", times))
    return found


def _rows(
    kernels: Kernels,
    a: Any,
    b: Any,
    product: Callable[[Any, Any], object],
    reference: str,
    wait: Callable[[], object],
    clock: Callable[[], float] = time.perf_counter,
) -> list[Row]:
    rows = []
    for tier in TIERS:

        def ours(tier: str = tier) -> object:
            # What is on the device stays there; OpenCL copies, as its reference need not.
            return kernels.multiply(a, b, tier=tier) if isinstance(a, np.ndarray) else kernels.launched(a, b, tier)

        times = _interleaved(ours, lambda: product(a, b), wait, clock)
        rows.append(_row(kernels.dtype.name, len(a), tier, reference, times))
    return rows


def _interleaved(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    wait: Callable[[], object],
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Return the medians of both in seconds, after one run of each that is not counted."""
    rounds = []
    for number in range(_ROUNDS + 1):
        times = []
        for action in (ours, theirs):
            begin = clock()
            action()
            wait()
            times.append(clock() - begin)
        if number:
            rounds.append(times)
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def _row(dtype: str, n: int, tier: str, reference: str, times: list[float]) -> Row:
    ours, theirs = times
    return {
        "dtype": dtype, "n": n, "levels": 1, "tier": tier, "seconds": ours, "reference": reference,
        "reference_seconds": theirs, "ratio": theirs / ours,
    }  # fmt: skip


def _operands(size: int, dtype: str) -> list[Any]:
    random = np.random.default_rng(1)
    return [random.uniform(-1, 1, (size, size)).astype(dtype) for _ in range(2)]


def _untimed(reason: str) -> Row:
    return {"timed": False, "reason": reason}
