"""The kernels ``fast``: callables for matrices of any size, in C with BLAS where there is a compiler, else in NumPy."""

import importlib.util
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.errors import InputError, RingError
from flipforge.programs import program
from flipforge.schemes import Scheme
from flipforge_codegen._form import form_of
from flipforge_codegen._model import Traffic, levels_for, measured, predicted
from flipforge_codegen._numpy_text import module_name, module_text
from flipforge_codegen.c_target import CExporter
from flipforge_codegen.flipforge_build import MissingCompilerError
from flipforge_codegen.flipforge_c import Kernel, load
from flipforge_codegen.structured_kernels import FastStructured

__all__ = ["DTYPES", "FastKernel", "FastKernels"]

Array = npt.NDArray[Any]

DTYPES = ("float32", "float64", "int32", "int64", "object")
_BACKENDS = ("c", "numpy")


@dataclass
class FastKernel:
    """The product of matrices by one scheme.

    Attributes
    ----------
    dtype
        Of operands and result; with a modulus any integers are taken.
    backend
        ``c`` or ``numpy``.
    levels
        None: for each size, as many as the cost model finds fastest; 0 levels are NumPy's own product, by BLAS.
    modulus
        Compute modulo this prime.
    """

    scheme: Scheme
    dtype: str
    backend: str
    threads: int = 1
    levels: int | None = None
    modulus: int | None = None
    module: ModuleType | None = field(default=None, repr=False)
    kernel: Kernel | None = field(default=None, repr=False)

    def __call__(self, a: npt.ArrayLike, b: npt.ArrayLike | None = None, *, out: Array | None = None) -> Array:
        """Return the product of (..., N, M) and (..., M, P); leading axes broadcast.

        Raises
        ------
        TypeError
            An operand is not of the kernel's dtype.
        OverflowError
            The result of integers is not proven to fit the dtype.
        ValueError
            The shapes do not fit.
        """
        if b is None:
            raise ValueError(f"{self.scheme.problem} takes 2 matrices")
        x, y = np.asarray(a), np.asarray(b)
        wrong = x.dtype.kind not in "iub" if self.modulus else x.dtype != self.dtype
        if wrong or (x.dtype != y.dtype and not self.modulus):
            wanted = "integers" if self.modulus else self.dtype
            raise TypeError(f"operands are {x.dtype} and {y.dtype}; this kernel takes {wanted}")
        if x.ndim < 2 or y.ndim < 2 or x.shape[-1] != y.shape[-2]:
            raise ValueError(f"shapes {x.shape} and {y.shape} are no (..., N, M) and (..., M, P)")
        if x.ndim == y.ndim == 2:
            return self._one(x, y, out)
        lead = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
        stacks = (np.broadcast_to(z, lead + z.shape[-2:]).reshape(-1, *z.shape[-2:]) for z in (x, y))
        made = [self._one(each, other, None) for each, other in zip(*stacks, strict=True)]
        kind = np.int64 if self.modulus else np.dtype(self.dtype)
        result = np.array(made, kind).reshape(*lead, x.shape[-2], y.shape[-1])
        if out is None:
            return result
        out[...] = result
        return out

    def plan(self, m: int, k: int, n: int) -> dict[str, Any]:
        """Tell what a product of m x k by k x n does: levels, and the predicted seconds beside those of no level."""
        levels = self._levels(m, k, n)
        if self.dtype == "object":
            return {"levels": levels, "seconds": None, "plain": None}
        rates, dims = measured(self._real), self._dims
        seconds, plain = (
            predicted(rates, self._traffic, dims, self.scheme.rank, (m, k, n), each) for each in (levels, 0)
        )
        return {"levels": levels, "seconds": seconds, "plain": plain}

    @property
    def _real(self) -> str:
        """The type in which products are made."""
        return self.dtype if self.dtype.startswith("float") and not self.modulus else "float64"

    @property
    def _dims(self) -> tuple[int, int, int]:
        n, m, p = self.scheme.problem.dims
        return n, m, p

    @cached_property
    def _traffic(self) -> Traffic:
        streaming = Traffic.streaming(form_of(self.scheme).stages)
        if self.backend == "c":
            return streaming
        # NumPy takes two terms at a time: each addition reads two blocks and writes one.
        adds = [3 * part.operations.additions for part in form_of(self.scheme).program.parts]
        return Traffic(adds[0], adds[1], adds[2] + streaming.out)

    def _levels(self, m: int, k: int, n: int) -> int:
        if self.levels is not None:
            return self.levels
        if self.dtype == "object":
            # A product of two entries costs more than a sum as soon as it is worth being asked for.
            return levels_for(measured("float64"), Traffic(0, 0, 0), self._dims, self.scheme.rank, (m, k, n))
        return levels_for(measured(self._real), self._traffic, self._dims, self.scheme.rank, (m, k, n))

    def _one(self, a: Array, b: Array, out: Array | None) -> Array:
        levels = self._levels(a.shape[0], a.shape[1], b.shape[1])
        if self.kernel is not None:
            if not levels and self._real == self.dtype and not self.modulus:
                return np.matmul(a, b, out=out)
            return self.kernel.multiply(a, b, out=out, levels=levels, threads=self.threads, modulus=self.modulus)
        assert self.module is not None
        self._fits(a, b)
        if out is not None and hasattr(self.module, "multiply_into") and self.dtype != "object":
            return np.asarray(self.module.multiply_into(out, a, b, depth=levels))
        result = np.asarray(self.module.multiply(a, b, depth=levels))
        if out is None:
            return result
        out[...] = result
        return out

    def _fits(self, a: Array, b: Array) -> None:
        """Integers wrap on the way, which does no harm where the result is proven to fit."""
        if a.dtype.kind not in "iu" or not a.size or not b.size or self.modulus:
            return
        sizes = [max(abs(int(x.max())), abs(int(x.min()))) for x in (a, b)]
        if prod(sizes) * a.shape[1] > np.iinfo(a.dtype).max:
            raise OverflowError(
                f"entries up to {sizes[0]} and {sizes[1]} in sums of {a.shape[1]} may exceed {a.dtype}; "
                "give a wider type, or objects"
            )


class FastKernels:
    """Makes kernels; see `flipforge.plugins.KernelMaker`."""

    def make(
        self,
        scheme: Scheme,
        *,
        dtype: str,
        backend: str | None = None,
        threads: int = 1,
        levels: int | None = None,
        modulus: int | None = None,
        inner: Scheme | None = None,
    ) -> FastKernel | FastStructured:
        """Return the kernel of a proven scheme; ``inner`` makes the general products of a structured one.

        Raises
        ------
        InputError
            There is no such dtype or backend, the scheme is no product of matrices, or C is asked for and there is
            no compiler.
        RingError
            The dtype cannot carry the scheme's ring.
        """
        if scheme.problem.kind not in ("matmul", "structured"):
            raise InputError(f"{scheme.problem}: kernels multiply matrices; export the scheme for any other map")
        if dtype not in DTYPES or backend not in (None, *_BACKENDS):
            raise InputError(
                f"dtype {dtype}, backend {backend}: use one of {', '.join(DTYPES)} and of {', '.join(_BACKENDS)}"
            )
        if threads < 1 or (levels is not None and levels < 0):
            raise InputError(f"threads {threads}, levels {levels}: give at least one thread, and no negative levels")
        scheme.certify()
        _carried(scheme, dtype, modulus)
        if dtype == "object" and (backend == "c" or modulus):
            raise InputError("objects are multiplied in NumPy, without a modulus; leave backend and modulus out")
        if scheme.problem.kind == "structured":
            return _structured(scheme, inner, dtype, backend, threads, levels, modulus)
        kernel = FastKernel(scheme, dtype, backend or "c", threads, levels, modulus)
        if dtype == "object":
            kernel.backend = "numpy"
        if kernel.backend == "c":
            try:
                kernel.kernel = _built(scheme)
                return kernel
            except MissingCompilerError as error:
                if backend == "c" or modulus:
                    raise InputError(str(error)) from None
                kernel.backend = "numpy"
        if modulus and scheme.ring.characteristic != modulus:
            raise InputError(f"backend numpy computes modulo {modulus} with a scheme over GF({modulus}) only; use c")
        kernel.module = _module(scheme)
        return kernel


def _structured(
    scheme: Scheme, inner: Scheme | None, dtype: str, backend: str | None, threads: int, levels: int | None,
    modulus: int | None,
) -> FastStructured:  # fmt: skip
    """Return the kernel in C, and in NumPy where C has no code for the product or there is no compiler."""
    kernel = FastStructured(scheme, inner, dtype, backend or "c", threads, levels, modulus)
    if dtype == "object":
        kernel.backend = "numpy"
    if kernel.backend == "c":
        try:
            return kernel.built()
        except (InputError, MissingCompilerError) as error:
            if backend == "c" or (modulus and modulus != scheme.ring.characteristic):
                raise InputError(str(error)) from None
            kernel.backend = "numpy"
    if modulus and modulus != scheme.ring.characteristic:
        raise InputError(f"backend numpy computes modulo {modulus} with a scheme over GF({modulus}) only; use c")
    return kernel.built()


def _carried(scheme: Scheme, dtype: str, modulus: int | None) -> None:
    p = scheme.ring.characteristic
    if p and modulus != p:
        raise RingError(f"scheme {scheme.id} holds modulo {p} only; give modulus={p}, or a scheme of characteristic 0")
    if modulus and not dtype.startswith("int"):
        raise RingError(f"{dtype} carries no residues; give dtype='int64' with a modulus")
    divisors = program(scheme).out
    denominators = {x.denominator for terms in divisors.outputs for x, _ in terms}
    if dtype.startswith("int") and not modulus and max(denominators, default=1) > 1:
        raise RingError(f"scheme {scheme.id} divides, {dtype} cannot; give floats, objects, or a modulus")
    if dtype.startswith("float") and any(d & (d - 1) for d in denominators):
        raise RingError(
            f"scheme {scheme.id} divides by {max(denominators)}, which is no power of two: exact in no float; give "
            "objects or a modulus"
        )


def _built(scheme: Scheme) -> Kernel:
    with TemporaryDirectory() as folder:
        files = CExporter().export(scheme, Path(folder), options={}).files
        return load(next(path for path in files if path.suffix == ".c"))


def _module(scheme: Scheme) -> ModuleType:
    name = module_name(scheme)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader=None))  # type: ignore[arg-type]
    exec(compile(module_text(scheme), f"{name}.py", "exec"), module.__dict__)
    return module
