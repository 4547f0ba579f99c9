"""Running exported GPU kernels without a GPU, and with one where there is one, against exact references."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.errors import InputError
from flipforge.plugins import Check
from flipforge.programs import program
from flipforge.schemes import Scheme
from flipforge_codegen import flipforge_gpu
from flipforge_codegen._exactness import Call, MismatchError, all_unit_pairs, checked, exact_products, sizes
from flipforge_codegen._nvcc import ARCHITECTURES, Compiled, compiled, find_nvcc
from flipforge_codegen._nvrtc import compiled_by_nvrtc, find_nvrtc
from flipforge_codegen._stages import stages
from flipforge_codegen.flipforge_gpu import (
    TIERS,
    TYPES,
    CupyDevice,
    Device,
    Kernels,
    OpenCLDevice,
    ShimDevice,
    find_compiler,
)

__all__ = ["run_checks"]

Array = npt.NDArray[Any]

_GUARD, _MARK = 4096, 0xA5
_EXACT = {"float16": 2**11, "float32": 2**24, "float64": 2**53, "int32": 2**31, "int64": 2**63}


def run_checks(scheme: Scheme, path: Path) -> list[Check]:
    """Run and compile the text, for every dtype that the scheme's coefficients fit.

    Raises
    ------
    InputError
        What runs the kernels is not installed, so that there is no verdict.
    """
    try:
        return list(_OpenCLRun(scheme, path).checks() if path.suffix == ".cl" else _CudaRun(scheme, path).checks())
    except flipforge_gpu.MissingError as error:
        raise InputError(f"{path} is written and not checked: {error}") from None


class _Run:
    """What both languages have in common."""

    def __init__(self, scheme: Scheme, path: Path) -> None:
        self.scheme = scheme
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.form = stages(program(scheme))
        divides = any(d > 1 for d in self.form.out.denominators)
        self.types = [name for name in TYPES if self.form.largest < _EXACT[name] and not (divides and name[0] == "i")]

    def exact(self, make: Callable[[], list[tuple[str, Device]]], dtype: str) -> str:
        """Sweep all unit pairs and compare products, in every tier on every device."""
        calls = []
        for label, device in make():
            kernels = Kernels(device, flipforge_gpu.facts(self.text), dtype)
            calls += [(f"{label}{tier}", _call(kernels, tier)) for tier in TIERS]
        for _, call in calls:
            told = all_unit_pairs(call, self.scheme.problem)
        n, m, p = self.scheme.problem.dims
        # Several rounds between barriers, and more rows and columns than one group computes.
        shapes = self.fitting(
            [*sizes(self.scheme.problem, 1), (n + 1, 40 * m - 1, p), (66 * n, 17 * m, 67 * p - 1)], dtype
        )
        return f"{told}; {exact_products(calls, shapes, 1, 0)}"

    def _shims(self, dtype: str) -> list[tuple[str, Device]]:
        return [("", _GuardedShim(self.path, dtype)), ("backwards ", _GuardedShim(self.path, dtype, backwards=True))]

    def fitting(self, shapes: list[tuple[int, int, int]], dtype: str) -> list[tuple[int, int, int]]:
        """Leave out shapes where a value of products of ones is not proven to be exact in the dtype."""
        growth, split = self.form.growth, self.scheme.problem.dims[1]
        return [shape for shape in shapes if growth.whole * -(-shape[1] // split) <= _EXACT[dtype]]

    def refused(self) -> str:
        """See a product of integers refused that does not fit, before anything is run."""
        kernels = Kernels(_NoDevice(), flipforge_gpu.facts(self.text), "int32")
        try:
            kernels.multiply(np.full((2, 2), 2**16, np.int32), np.full((2, 2), 2**15, np.int32))
        except OverflowError:
            return "int32 entries of 2^16 and 2^15: OverflowError"
        raise MismatchError("a result that does not fit int32 was not refused")


class _CudaRun(_Run):
    """CUDA text: on the shim with threads in both orders, by nvcc and NVRTC, on a GPU where there is one."""

    def checks(self) -> Iterator[Check]:
        find_compiler()  # raises where there is none
        for dtype in self.types:
            check = checked(f"CPU shim, {dtype}", partial(self.exact, partial(self._shims, dtype), dtype))
            yield check
            if not check.ok:  # the same text, and the same fault, in other types
                return
        if "int32" in self.types:
            yield checked("proven range", self.refused)
        nvcc, nvrtc = find_nvcc(), find_nvrtc()
        if nvcc:
            yield checked("compiled by nvcc", partial(self._compiled, partial(compiled, nvcc)))
        if nvrtc:
            yield checked("compiled by NVRTC", partial(self._compiled, partial(compiled_by_nvrtc, nvrtc)))
        if not nvcc and not nvrtc:
            yield Check("not compiled", True, "no nvcc and no NVRTC here: pip install 'flipforge[cuda]' brings NVRTC")
        if _has_gpu():
            for dtype in self.types:
                yield checked(f"GPU, {dtype}", partial(self.exact, partial(self._gpus, dtype), dtype))

    def _gpus(self, dtype: str) -> list[tuple[str, Device]]:
        return [("", CupyDevice(self.text, dtype))]

    def _compiled(self, by: Callable[[Path, str, str], list[Compiled]]) -> str:
        told = []
        for architecture in ARCHITECTURES:
            rows = [row for dtype in self.types for row in by(self.path, dtype, architecture)]
            bad = [row.kernel for row in rows if row.spilled]
            if bad:
                raise MismatchError(f"{architecture}: registers of {', '.join(sorted(set(bad)))} are spilled")
            registers, shared = max(row.registers for row in rows), max(row.shared for row in rows)
            told.append(f"{architecture} {len(rows)} kernels, {registers} registers, {shared} bytes shared at most")
        ran = "" if _has_gpu() else "; not run on a GPU"
        return f"{', '.join(self.types)}: {'; '.join(told)}; 0 bytes spilled{ran}"


class _OpenCLRun(_Run):
    """OpenCL text: on the shim, and on the first device there is."""

    def checks(self) -> Iterator[Check]:
        types = [name for name in self.types if name != "float16"]
        device = OpenCLDevice("__kernel void nothing(void) {}", "float32")  # raises where there is none
        for dtype in types:
            # PoCL runs the threads of a group one after the other in its own order, and may not miss a barrier.
            check = checked(f"CPU shim, {dtype}", partial(self.exact, partial(self._shims, dtype), dtype))
            yield check
            if not check.ok:
                return
        for dtype in types:
            told = f"OpenCL on {device.name.strip()}{', not run on a GPU' if device.on_cpu else ''}, {dtype}"
            check = checked(told, partial(self.exact, partial(self._devices, dtype), dtype))
            yield check
            if not check.ok:
                return
        if "int32" in types:
            yield checked("proven range", self.refused)

    def _devices(self, dtype: str) -> list[tuple[str, Device]]:
        return [("", OpenCLDevice(self.text, dtype))]


class _GuardedShim(ShimDevice):
    """The shim, with guards on both sides of all memory that kernels may write to."""

    def __init__(self, path: Path, dtype: str, *, backwards: bool = False) -> None:
        super().__init__(path, dtype, backwards=backwards)
        self._kept: list[npt.NDArray[np.uint8]] = []

    def empty(self, count: int, dtype: Any) -> Any:
        """Return memory full of NaN, or -1, between guards."""
        size = count * np.dtype(dtype).itemsize
        whole = np.full(size + 2 * _GUARD, _MARK, np.uint8)
        whole[_GUARD : _GUARD + size] = 0xFF
        self._kept.append(whole)
        return whole[_GUARD : _GUARD + size].view(dtype)

    def get(self, buffer: Any, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return the buffer, where no guard was written to."""
        kept, self._kept = self._kept, []
        if any((side != _MARK).any() for whole in kept for side in (whole[:_GUARD], whole[-_GUARD:])):
            raise MismatchError("a kernel wrote outside of its memory")
        return super().get(buffer, shape, dtype)


class _NoDevice(ShimDevice):
    """A device that must not be reached."""

    def __init__(self) -> None:
        pass


def _has_gpu() -> bool:
    try:
        import cupy

        return int(cupy.cuda.runtime.getDeviceCount()) > 0
    except Exception:  # no library, no driver, no device: cupy raises errors of its own
        return False


def _call(kernels: Kernels, tier: str) -> Call:
    return lambda a, b: kernels.multiply(_typed(a, kernels.dtype), _typed(b, kernels.dtype), tier=tier)


def _typed(x: Array, dtype: np.dtype[Any]) -> Array:
    """Return the matrix in another dtype with the same strides in elements."""
    if min(step // x.itemsize for step in x.strides) <= 1:
        return x.astype(dtype, order="K")
    larger = np.zeros((x.shape[0] * 2, x.shape[1] * 3), dtype)
    larger[::2, ::3] = x
    return larger[::2, ::3]
