"""The kernels ``fast`` of structured products: syrk, trmm and symm of any size, levels by the cost model."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.problems import ProductCode
from flipforge.programs import program
from flipforge.schemes import Scheme, recursive_calls
from flipforge_codegen._form import Form, form_of
from flipforge_codegen._model import Rates, Traffic, levels_for, measured, predicted
from flipforge_codegen.c_target import CExporter
from flipforge_codegen.flipforge_c_structured import StructuredKernel, load_structured
from flipforge_codegen.flipforge_structured import StructuredProduct, clean
from flipforge_codegen.structured_target import structured_product

__all__ = ["FastStructured"]

Array = npt.NDArray[Any]
Sizes = tuple[int, int, int]

_MOST_LEVELS = 3
_WORTH = 0.97
"""Part of its time that a level must leave at the most: what there is to win is less than in a general product."""


@dataclass
class FastStructured:
    """The product of structured matrices by one scheme, its general products of blocks by another.

    Attributes
    ----------
    inner
        For the general products; None leaves them to BLAS, which target ``numpy`` does anyhow.
    dtype, backend, threads, levels, modulus
        As of `FastKernel`; 0 levels are syrk, trmm, symm or gemm of BLAS.
    """

    scheme: Scheme
    inner: Scheme | None
    dtype: str
    backend: str
    threads: int = 1
    levels: int | None = None
    modulus: int | None = None
    kernel: StructuredKernel | None = field(default=None, repr=False)
    product: StructuredProduct | None = field(default=None, repr=False)

    def built(self) -> "FastStructured":
        """Build the kernel of the back end.

        Raises
        ------
        MissingCompilerError
            Back end ``c`` without a C compiler.
        InputError
            The code is none that the back end takes.
        """
        if self.backend == "numpy":
            self.product = structured_product(self.scheme)
            return self
        with TemporaryDirectory() as folder:
            levels = [self.scheme] if self.inner is None else [self.scheme, self.inner]
            files = CExporter().export_levels(levels, Path(folder)).files
            self.kernel = load_structured(next(path for path in files if path.suffix == ".c"))
        return self

    def __call__(self, a: npt.ArrayLike, b: npt.ArrayLike | None = None, *, out: Array | None = None) -> Array:
        """Return the product of two matrices, or the upper triangle of X times its transpose, of X alone.

        Of a triangular operand the other triangle is not read, of a symmetric or skew one what is below the diagonal.
        With ``out``, what is below the diagonal of X times its transpose stays as it is; it is zero otherwise.

        Raises
        ------
        TypeError
            An operand is not of the kernel's dtype.
        OverflowError
            The result of integers is not proven to fit the dtype.
        ValueError
            The shapes do not fit, or there are too many or too few operands.
        """
        x, y = np.asarray(a), None if b is None else np.asarray(b)
        for each in (x, y):
            if each is not None and (each.dtype.kind not in "iub" if self.modulus else each.dtype != self.dtype):
                wanted = "integers" if self.modulus else self.dtype
                raise TypeError(f"an operand is {each.dtype}; this kernel takes {wanted}")
        if x.ndim != 2 or (y is not None and y.ndim != 2) or (y is None) != self._gram:
            raise ValueError(f"{self.scheme.problem} takes {1 if self._gram else 2} matrices")
        rows, inner = x.shape if self._code[0] != "t" else x.shape[::-1]
        sizes = (rows, inner, rows if y is None else y.shape[1])
        levels, general = self._levels(sizes)
        if self.kernel is not None:
            options: dict[str, Any] = {"levels": levels, "general_levels": general, "threads": self.threads}
            return self.kernel.multiply(x, y, out=out, modulus=self.modulus, **options)
        assert self.product is not None
        result = self.product.multiply(x, y, depth=levels)
        if out is None:
            return clean(result, "u") if self._gram else result
        half = np.triu_indices(len(result)) if self._gram else ...
        out[half] = result[half]
        return out

    def plan(self, m: int, k: int, n: int) -> dict[str, Any]:
        """Tell what a product of m x k by k x n does: levels, and the predicted seconds beside those of no level."""
        levels, general = self._levels((m, k, n))
        rates = measured(self._real)
        seconds, plain = (self._seconds(rates, (m, k, n), each) for each in (levels, 0))
        return {"levels": levels, "general_levels": general, "seconds": seconds, "plain": plain}

    @property
    def _real(self) -> str:
        return self.dtype if self.dtype.startswith("float") and not self.modulus else "float64"

    @property
    def _code(self) -> str:
        return str(ProductCode.of(self.scheme.problem))

    @property
    def _gram(self) -> bool:
        return "t" in self._code

    @cached_property
    def _traffic(self) -> Traffic:
        return Traffic.streaming(Form(program(self.scheme)).stages)

    def _levels(self, sizes: Sizes) -> tuple[int, int]:
        """Return the levels of the structured product, and of the general ones among its blocks."""
        rates, levels = measured(self._real), self.levels
        if levels is None:
            levels, cost = 0, self._seconds(rates, sizes, 0)
            while levels < _MOST_LEVELS and all(
                size >= d ** (levels + 1) for size, d in zip(sizes, self.scheme.problem.dims, strict=True)
            ):
                deeper = self._seconds(rates, sizes, levels + 1)
                if deeper > _WORTH * cost:
                    break
                levels, cost = levels + 1, deeper
        blocks = [max(1, size // d) for size, d in zip(sizes, self.scheme.problem.dims, strict=True)]
        return levels, self._general(rates, (blocks[0], blocks[1], blocks[2]))[0]

    def _seconds(self, rates: Rates, sizes: Sizes, levels: int) -> float:
        """Predict a product: BLAS does half the work for a triangle, or for a matrix times its own transpose."""
        half = any(letter in "ult" for letter in self._code)
        if not levels:
            return rates.seconds(*sizes) / (2 if half else 1)
        n, m, p = self.scheme.problem.dims
        h, i, w = sizes[0] // n, sizes[1] // m, sizes[2] // p
        calls = recursive_calls(self.scheme)
        same, alike = (calls.a, calls.b + calls.c) if calls else (0, 0)
        moved = self._traffic.left * h * i + self._traffic.right * i * w + self._traffic.out * h * w
        total = moved / rates.elements + same * self._seconds(rates, (h, i, w), levels - 1)
        total += alike * rates.seconds(h, i, w) / 2
        total += (self.scheme.rank - same - alike) * self._general(rates, (h, i, w))[1]
        if any(letter in "sk" for letter in self._code):
            # What symmetric blocks leave out: two triangles for each pair of blocks, half a product each.
            total += n * (n - 1) / 2 * rates.seconds(h, i, sizes[2])
        return total

    def _general(self, rates: Rates, sizes: Sizes) -> tuple[int, float]:
        """Return the levels of a general product of blocks, and its predicted seconds."""
        if self.inner is None or self.backend == "numpy":
            return 0, rates.seconds(*sizes)
        n, m, p = self.inner.problem.dims
        traffic = Traffic.streaming(form_of(self.inner).stages)
        levels = levels_for(rates, traffic, (n, m, p), self.inner.rank, sizes)
        return levels, predicted(rates, traffic, (n, m, p), self.inner.rank, sizes, levels)
