"""Running a generated PyTorch module against exact references; PyTorch is imported here and nowhere else."""

import importlib.util
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.errors import InputError
from flipforge.plugins import Check
from flipforge.schemes import Scheme
from flipforge_codegen._exactness import Call, MismatchError, all_unit_pairs, checked, exact_products, sizes

__all__ = ["run_checks"]

Array = npt.NDArray[Any]


def run_checks(scheme: Scheme, path: Path) -> list[Check]:
    """Import the module at ``path`` and run every check that its ring calls for.

    Raises
    ------
    InputError
        PyTorch is not installed.
    """
    try:
        torch = import_module("torch")
    except ImportError:
        raise InputError(
            "PyTorch is not installed, so the code was written and not run: pip install torch; the targets numpy and c "
            "work without it"
        ) from None
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        return [Check("import", False, f"{type(error).__name__}: {' '.join(str(error).split())}")]
    return [Check("import", True, f"{path.name}, PyTorch {torch.__version__}"), *_Run(scheme, module, torch).checks()]


class _Run:
    def __init__(self, scheme: Scheme, module: Any, torch: Any) -> None:
        self.problem, self.module, self.torch = scheme.problem, module, torch
        self.modulus = scheme.ring.characteristic
        self.random = np.random.default_rng(6)

    def checks(self) -> Iterator[Check]:
        torch = self.torch
        fractional = not self.modulus and hasattr(self.module, "_over")
        dtypes = [torch.int64] if self.modulus else [torch.float64, torch.float32]
        dtypes += [] if self.modulus or fractional else [torch.int64, torch.int32]
        call = self._call(dtypes[0], 1)
        yield checked("unit pairs", lambda: all_unit_pairs(call, self.problem, self.modulus))
        for dtype in dtypes:
            yield checked(f"exact {dtype}".replace("torch.", ""), partial(self.exact, dtype))
        yield checked("recursion", self.recursion)
        yield checked("batched", partial(self.batched, dtypes[0]))
        if not self.modulus:
            yield checked("gradients", self.gradients)
        yield checked("torch.compile", partial(self.compiled, dtypes[0]))
        yield checked("refused", partial(self.refused, fractional))

    def exact(self, dtype: Any) -> str:
        calls = [(f"depth {depth}", self._call(dtype, depth)) for depth in (1, 2)]
        told = exact_products(calls[:1], sizes(self.problem, 1), 9, self.modulus)
        if max(self.problem.dims) > 1 and int(np.prod(self.problem.dims)) < 200:
            exact_products(calls[1:], sizes(self.problem, 2)[1:2], 3, self.modulus)
            told += "; two levels at one size"
        return told

    def recursion(self) -> str:
        """Count the innermost products: right values alone could come from ``a @ b``."""
        counts = []
        for depth in (0, 1, 2):
            seen: list[int] = []

            def base(x: Any, y: Any, seen: list[int] = seen) -> Any:
                seen.append(1)
                return self.torch.matmul(x, y)

            n, m, p = (size**3 for size in self.problem.dims)
            a, b = (self._tensor(np.ones(shape, np.int64), None) for shape in ((n, m), (m, p)))
            self.module.multiply(a, b, depth=depth, base=base)
            counts.append(len(seen))
        if counts != [1, self.module.RANK, self.module.RANK**2]:
            raise MismatchError(f"depths 0, 1, 2 make {counts} innermost products")
        return f"depths 0, 1, 2 make {counts} innermost products"

    def batched(self, dtype: Any) -> str:
        n, m, p = (2 * size + 1 for size in self.problem.dims)
        a, b = self._drawn((3, 1, n, m)), self._drawn((2, m, p))
        wanted = a @ b % self.modulus if self.modulus else a @ b
        result = self.module.multiply(self._tensor(a, dtype), self._tensor(b, dtype))
        self._equal(result, wanted, "batched")
        return f"{a.shape} with {b.shape}, each entry equal"

    def gradients(self) -> str:
        """Compare with G B^t and A^t G, which integers give without rounding."""
        n, m, p = (2 * size + 1 for size in self.problem.dims)
        a, b, g = (self._drawn(shape) for shape in ((n, m), (m, p), (n, p)))
        x, y = (self._tensor(each, self.torch.float64).requires_grad_() for each in (a, b))
        fast = self.module.FastMatmul(depth=1)
        (fast(x, y) * self._tensor(g, self.torch.float64)).sum().backward()
        self._equal(x.grad, g @ b.T, "gradient of a")
        self._equal(y.grad, a.T @ g, "gradient of b")
        return "of both operands, each entry equal"

    def compiled(self, dtype: Any) -> str:
        """Trace the module as one graph, gradients included; the code generator of the machine is not asked."""
        n, m, p = (2 * size + 1 for size in self.problem.dims)
        a, b = self._drawn((n, m)), self._drawn((m, p))
        fast = self.torch.compile(self.module.FastMatmul(depth=1), backend="aot_eager", fullgraph=True)
        wanted = a @ b % self.modulus if self.modulus else a @ b
        self._equal(fast(self._tensor(a, dtype), self._tensor(b, dtype)), wanted, "compiled")
        return "one graph (fullgraph, backend aot_eager), each entry equal"

    def refused(self, fractional: bool) -> str:
        torch = self.torch
        wrong = torch.float64 if self.modulus else torch.int64 if fractional else torch.bool
        one = torch.ones(self.problem.dims[0], self.problem.dims[1]).to(wrong)
        other = torch.ones(self.problem.dims[1], self.problem.dims[2]).to(wrong)
        try:
            self.module.multiply(one, other)
        except TypeError:
            return f"{wrong} raises TypeError"
        raise MismatchError(f"{wrong} operands were not refused")

    def _drawn(self, shape: tuple[int, ...]) -> Array:
        return self.random.integers(-9, 9, shape)

    def _tensor(self, x: Array, dtype: Any) -> Any:
        return self.torch.tensor(x).to(dtype or (self.torch.int64 if self.modulus else self.torch.float64))

    def _equal(self, result: Any, wanted: Array, where: str) -> None:
        found = result.detach().numpy()
        if found.shape != wanted.shape or (found != wanted).any():
            raise MismatchError(f"{where}: shape {found.shape}, {int((found != wanted).sum())} entries are wrong")

    def _call(self, dtype: Any, depth: int) -> Call:
        def call(a: Array, b: Array) -> Array:
            # Strides of the operands are kept where they can be.
            x, y = (self.torch.from_numpy(np.array(z, order="K", copy=True)).to(dtype) for z in (a, b))
            return np.asarray(self.module.multiply(x, y, depth=depth).numpy())

        return call
