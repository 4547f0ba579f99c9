"""Builds and calls GPU kernels that flipforge exported: CUDA through CuPy or a CPU shim, OpenCL through PyOpenCL.

>>> kernels = load("matmul_2x2x2_r7_0123456789ab.cu", "float32")                               # doctest: +SKIP
>>> c = kernels.multiply(a, b, tier="fused")                                                   # doctest: +SKIP
"""

import ctypes
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "TIERS",
    "TYPES",
    "BuildError",
    "CupyDevice",
    "Device",
    "Kernels",
    "MissingError",
    "OpenCLDevice",
    "ShimDevice",
    "definitions",
    "facts",
    "find_compiler",
    "load",
]

Array = npt.NDArray[Any]

TIERS = ("batched", "vendor", "fused")
TYPES = {
    "float16": ("half_value", "float"),
    "float32": ("float", "float"),
    "float64": ("double", "double"),
    # Unsigned in the kernels: sums wrap, and what is proven to fit the signed type is right.
    "int32": ("unsigned int", "unsigned int"),
    "int64": ("unsigned long long", "unsigned long long"),
}
"""The types that kernels are built for: of an element, and of the sums."""

_TILE, _SIDE = 64, 16
_MOST_GROUPS = 65_535
"""Of a grid's second and third axis, in CUDA."""


class BuildError(RuntimeError):
    """A compiler refused the text."""


class MissingError(RuntimeError):
    """A library, compiler or driver is not there; the message says what to install."""


class Device(Protocol):
    """What a kernel runs on; buffers are the device's own objects."""

    def put(self, x: Array) -> tuple[Any, int, int]:
        """Return a matrix on the device, with its two strides in elements."""

    def empty(self, count: int, dtype: Any) -> Any:
        """Return a buffer for so many elements."""

    def get(self, buffer: Any, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return a buffer as an array by rows."""

    def launch(self, name: str, grid: tuple[int, int, int], arguments: Sequence[Any]) -> None:
        """Run a kernel on groups of 16 x 16 threads, in order; integers are 32 bits wide, strides `np.int64`."""

    def batched(self, s: Any, t: Any, p: Any, count: int, m: int, k: int, n: int, dtype: Any) -> None:
        """Multiply ``count`` pairs of matrices by the vendor's library."""


def definitions(dtype: str, language: str = "cuda") -> list[str]:
    """Return the definitions that build the kernels for a type."""
    value, total = TYPES[dtype]
    if language == "opencl":
        value, total = ({"unsigned int": "uint", "unsigned long long": "ulong"}.get(x, x) for x in (value, total))
    flags = [f"-DVALUE={value}", f"-DSUM={total}"]
    return flags + {"float16": ["-DFLIPFORGE_HALF"], "float64": ["-DFLIPFORGE_DOUBLE"]}.get(dtype, [])


def load(path: str | Path, dtype: str, device: str = "auto") -> "Kernels":
    """Build the kernels of a file for one dtype.

    Parameters
    ----------
    device
        ``"cupy"``, ``"opencl"``, ``"shim"``; ``"auto"`` takes OpenCL for a .cl file, CuPy for a .cu file.

    Raises
    ------
    MissingError
        What the device needs is not installed.
    BuildError
        The compiler refused the text.
    """
    path = Path(path)
    text = path.read_text(encoding="utf-8")
    if dtype not in TYPES:
        raise TypeError(f"{dtype}: give one of {', '.join(TYPES)}")
    name = ("opencl" if path.suffix == ".cl" else "cupy") if device == "auto" else device
    made: Device
    if name == "opencl":
        made = OpenCLDevice(text, dtype)
    elif name == "shim":
        made = ShimDevice(path, dtype)
    else:
        made = CupyDevice(text, dtype)
    return Kernels(made, facts(text), dtype)


def facts(text: str) -> dict[str, Any]:
    """Read what a file says of its scheme."""
    line = next((line for line in text.splitlines() if line.strip().startswith("facts: ")), None)
    if line is None:
        raise BuildError("the text states no facts of its scheme: it is not one that flipforge exported")
    document: dict[str, Any] = json.loads(line.split("facts: ", 1)[1])
    return document


class Kernels:
    """The product of matrices by one scheme, one level deep, for one dtype on one device."""

    def __init__(self, device: Device, facts: dict[str, Any], dtype: str) -> None:
        self.device = device
        self.facts = facts
        self.dtype = np.dtype(dtype)
        if self.dtype.kind == "i" and facts["fractional"]:
            raise TypeError(f"the scheme divides, {dtype} cannot; give floats")

    def multiply(self, a: Array, b: Array, *, tier: str = "fused") -> Array:
        """Return the product of two matrices of any size.

        Parameters
        ----------
        a, b
            Matrices of the dtype.
        tier
            ``"batched"``, ``"vendor"`` or ``"fused"``; ``"fused"`` takes no workspace.

        Raises
        ------
        TypeError, ValueError
            Dtypes, shapes or options that do not fit.
        OverflowError
            The product of integers is not proven to fit the dtype.
        """
        if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
            raise ValueError(f"shapes {a.shape} and {b.shape} are not those of two matrices with a product")
        if a.dtype != self.dtype or b.dtype != self.dtype:
            raise TypeError(f"{a.dtype} by {b.dtype}: these kernels are built for {self.dtype}")
        if tier not in TIERS:
            raise ValueError(f"tier {tier!r}: give one of {', '.join(TIERS)}")
        (rows, inner), cols = a.shape, b.shape[1]
        if max(rows, inner, cols) >= 2**30:
            raise ValueError("sizes of 2**30 and more are beyond the kernels' integers")
        if self.dtype.kind == "i" and _largest(a) * _largest(b) * inner > np.iinfo(self.dtype).max:
            raise OverflowError(f"sums of {inner} products of such entries may exceed {self.dtype}; give a wider type")
        if 0 in (rows, inner, cols):
            return np.zeros((rows, cols), self.dtype)
        return self.device.get(self.launched(a, b, tier), (rows, cols), self.dtype)

    def launched(self, a: Any, b: Any, tier: str) -> Any:
        """Return the buffer of the product, still on the device, of operands that `multiply` takes; none is empty."""
        (rows, inner), cols = a.shape, b.shape[1]
        (x, x_rs, x_cs), (y, y_rs, y_cs) = self.device.put(a), self.device.put(b)
        c = self.device.empty(rows * cols, self.dtype)
        n, m, p = self.facts["dims"]
        high, deep, wide = -(-rows // n), -(-inner // m), -(-cols // p)
        if max(high, deep) > _MOST_GROUPS * _SIDE:
            raise ValueError(f"blocks of {max(high, deep)} rows are more than a grid of groups reaches over")
        sizes = (high, deep, wide, rows, inner, cols)
        if tier == "fused":
            steps = [np.int64(step) for step in (x_rs, x_cs, y_rs, y_cs, cols, 1)]
            for number in range(1, self.facts["rank"] + 1):
                self.device.launch(f"product_{number}", _grid(wide, high, _TILE), (x, y, c, *sizes, *steps))
        else:
            self._in_three(tier, (x, np.int64(x_rs), np.int64(x_cs)), (y, np.int64(y_rs), np.int64(y_cs)), c, sizes)
        return c

    def _in_three(self, tier: str, a: tuple[Any, ...], b: tuple[Any, ...], c: Any, sizes: tuple[int, ...]) -> None:
        """Combine, multiply, combine."""
        high, deep, wide, rows, inner, cols = sizes
        rank, device = self.facts["rank"], self.device
        s, t, p = (device.empty(rank * x * y, self.dtype) for x, y in ((high, deep), (deep, wide), (high, wide)))
        device.launch("combine_left", _grid(deep, high, _SIDE), (a[0], s, high, deep, rows, inner, *a[1:]))
        device.launch("combine_right", _grid(wide, deep, _SIDE), (b[0], t, deep, wide, inner, cols, *b[1:]))
        if tier == "batched":
            device.launch("batched", (*_grid(wide, high, _TILE)[:2], rank), (s, t, p, high, deep, wide))
        else:
            device.batched(s, t, p, rank, high, deep, wide, self.dtype)
        steps = (np.int64(cols), np.int64(1))
        device.launch("combine_out", _grid(wide, high, _SIDE), (p, c, high, wide, rows, cols, *steps))


class ShimDevice:
    """Runs CUDA and OpenCL kernels on the CPU, a fiber a thread; a C++ compiler is all it needs.

    Parameters
    ----------
    backwards
        Run the threads of a group from the last to the first.
    """

    def __init__(self, path: Path, dtype: str, *, backwards: bool = False) -> None:
        header = Path(__file__).parent / "runtime" / "flipforge_shim.h"
        header = header if header.is_file() else Path(__file__).with_name("flipforge_shim.h")
        self._library = ctypes.CDLL(str(_built(path, header, dtype)))
        self._backwards = int(backwards)

    def put(self, x: Array) -> tuple[Any, int, int]:
        """Take a matrix where it stands."""
        steps = [step // x.itemsize for step in x.strides]
        return x, steps[0], steps[1]

    def empty(self, count: int, dtype: Any) -> Any:
        """Return memory full of NaN, or -1."""
        return np.full(count * np.dtype(dtype).itemsize, 0xFF, np.uint8).view(dtype)

    def get(self, buffer: Any, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return the buffer itself."""
        return np.asarray(buffer).reshape(shape)

    def launch(self, name: str, grid: tuple[int, int, int], arguments: Sequence[Any]) -> None:
        """Run a kernel; all arguments travel as words of 64 bits."""
        words = [x.ctypes.data if isinstance(x, np.ndarray) else int(x) for x in arguments]
        words += [0] * (16 - len(words))
        code = self._library.shim_launch(
            ctypes.cast(getattr(self._library, name), ctypes.c_void_p),
            (ctypes.c_uint * 3)(*grid),
            (ctypes.c_uint * 3)(_SIDE, _SIDE, 1),
            (ctypes.c_longlong * 16)(*words),
            self._backwards,
        )
        if code:
            reasons = {-1: "threads of a group disagree at a barrier", -2: "too many threads", -3: "no memory"}
            raise RuntimeError(f"kernel {name}: {reasons.get(code, code)}")

    def batched(self, s: Any, t: Any, p: Any, count: int, m: int, k: int, n: int, dtype: Any) -> None:
        """Multiply by NumPy."""
        total = np.float32 if dtype == np.float16 else dtype
        left, right = s.reshape(count, m, k).astype(total), t.reshape(count, k, n).astype(total)
        p[...] = (left @ right).astype(dtype).reshape(-1)


class OpenCLDevice:
    """Runs OpenCL kernels by PyOpenCL, on a GPU or on the CPU by PoCL."""

    def __init__(self, text: str, dtype: str) -> None:
        try:
            import pyopencl
        except ImportError:
            raise MissingError(
                "no PyOpenCL: pip install 'flipforge[opencl]' brings it with the CPU driver PoCL; "
                "the targets numpy and c need neither"
            ) from None
        if dtype == "float16":
            raise TypeError("OpenCL kernels are built for float32, float64, int32 and int64; float16 goes to cuda")
        self._cl: Any = pyopencl
        try:
            self.context = pyopencl.create_some_context(interactive=False)
        except pyopencl.Error as error:
            raise MissingError(
                f"no OpenCL device ({error}): install a driver, or pip install pocl-binary-distribution for the CPU; "
                "the targets numpy and c need none"
            ) from None
        self.name = self.context.devices[0].name
        self.on_cpu = self.context.devices[0].type == pyopencl.device_type.CPU
        self._queue = pyopencl.CommandQueue(self.context)
        try:
            self._program = pyopencl.Program(self.context, text).build(options=definitions(dtype, "opencl"))
        except pyopencl.RuntimeError as error:
            raise BuildError(" ".join(str(error).split())[:400]) from None
        self._kernels = {kernel.function_name: kernel for kernel in self._program.all_kernels()}

    def put(self, x: Array) -> tuple[Any, int, int]:
        """Copy a matrix, by rows or by columns as it stands."""
        packed = x.copy(order="K")
        flags = self._cl.mem_flags
        buffer = self._cl.Buffer(self.context, flags.READ_ONLY | flags.COPY_HOST_PTR, hostbuf=packed)
        rows, cols = (step // x.itemsize for step in packed.strides)
        return buffer, rows, cols

    def empty(self, count: int, dtype: Any) -> Any:
        """Return memory full of NaN, or -1."""
        filled = np.full(count * np.dtype(dtype).itemsize, 0xFF, np.uint8)
        flags = self._cl.mem_flags
        return self._cl.Buffer(self.context, flags.READ_WRITE | flags.COPY_HOST_PTR, hostbuf=filled)

    def get(self, buffer: Any, shape: tuple[int, ...], dtype: Any) -> Array:
        """Copy a buffer."""
        result = np.empty(shape, dtype)
        self._cl.enqueue_copy(self._queue, result, buffer)
        return result

    def launch(self, name: str, grid: tuple[int, int, int], arguments: Sequence[Any]) -> None:
        """Put a kernel in the queue, which keeps the order."""
        typed = [np.int32(x) if isinstance(x, int) else x for x in arguments]
        size = (grid[0] * _SIDE, grid[1] * _SIDE, grid[2])
        self._kernels[name](self._queue, size, (_SIDE, _SIDE, 1), *typed)

    def batched(self, s: Any, t: Any, p: Any, count: int, m: int, k: int, n: int, dtype: Any) -> None:
        """Multiply by NumPy on the host: OpenCL has no library of its own for this."""
        left, right = self.get(s, (count, m, k), dtype), self.get(t, (count, k, n), dtype)
        self._cl.enqueue_copy(self._queue, p, np.ascontiguousarray(left @ right))


class CupyDevice:
    """Runs CUDA kernels on a GPU by CuPy, which compiles them by NVRTC; the vendor's batched product is cuBLAS."""

    def __init__(self, text: str, dtype: str) -> None:
        try:
            import cupy
        except ImportError:
            raise MissingError(
                "no CuPy: pip install cupy-cuda13x on a machine with a GPU; device='shim' runs the kernels on the CPU"
            ) from None
        self._cupy: Any = cupy
        options = (*definitions(dtype), "-std=c++17")
        self._module = cupy.RawModule(code=text, options=options, backend="nvrtc")

    def put(self, x: Array) -> tuple[Any, int, int]:
        """Copy a matrix; one on the device stays where it is."""
        there = self._cupy.asarray(x)
        rows, cols = (step // there.itemsize for step in there.strides)
        return there, rows, cols

    def empty(self, count: int, dtype: Any) -> Any:
        """Return memory as it comes."""
        return self._cupy.empty(count, dtype)

    def get(self, buffer: Any, shape: tuple[int, ...], dtype: Any) -> Array:
        """Copy a buffer to the host."""
        return np.asarray(self._cupy.asnumpy(buffer)).reshape(shape)

    def launch(self, name: str, grid: tuple[int, int, int], arguments: Sequence[Any]) -> None:
        """Launch a kernel on the current stream, which keeps the order."""
        typed = tuple(np.int32(x) if isinstance(x, int) else x for x in arguments)
        self._module.get_function(name)(grid, (_SIDE, _SIDE, 1), typed)

    def batched(self, s: Any, t: Any, p: Any, count: int, m: int, k: int, n: int, dtype: Any) -> None:
        """Multiply by cuBLAS."""
        p[...] = self._cupy.matmul(s.reshape(count, m, k), t.reshape(count, k, n)).reshape(-1)


def find_compiler() -> str:
    """Return the C++ compiler that builds the shim.

    Raises
    ------
    MissingError
        There is none.
    """
    compiler = os.environ.get("CXX") or next((name for name in ("g++", "clang++") if shutil.which(name)), None)
    if not compiler:
        raise MissingError(
            "no C++ compiler: install g++ or clang++ (Debian: apt install g++), or name one in the variable CXX; "
            "the target numpy needs none"
        )
    return compiler


def _built(path: Path, header: Path, dtype: str) -> Path:
    compiler = find_compiler()
    command = [*compiler.split(), "-x", "c++", "-std=c++17", "-O1", "-w", "-include", str(header), *definitions(dtype)]
    command += ["-U_FORTIFY_SOURCE", "-shared", "-fPIC"]  # it takes a jump between stacks for an error
    # What -DFLIPFORGE_HALF defines, the shim has already.
    command.remove("-DFLIPFORGE_HALF") if "-DFLIPFORGE_HALF" in command else None
    stamp = sha256(b"\0".join([path.read_bytes(), header.read_bytes(), repr(command).encode()])).hexdigest()[:20]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flipforge-shim"
    library = folder / f"{path.stem}-{stamp}.so"
    if not library.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(suffix=".so", dir=folder)
        os.close(handle)
        try:
            done = subprocess.run([*command, str(path), "-o", draft], capture_output=True, text=True, check=False)
        except OSError as error:
            os.unlink(draft)
            raise MissingError(f"{compiler} cannot be run ({error.strerror}); name a C++ compiler in CXX") from None
        if done.returncode:
            os.unlink(draft)
            first = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip()[:200])
            raise BuildError(f"{compiler} refused {path}: {first}")
        os.replace(draft, library)
    return library


def _grid(wide: int, high: int, side: int) -> tuple[int, int, int]:
    return -(-wide // side), -(-high // side), 1


def _largest(x: Array) -> int:
    return max(abs(int(x.max())), abs(int(x.min()))) if x.size else 0
