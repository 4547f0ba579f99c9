"""Running a generated NumPy module against exact references.

Only the bound on rounding errors and the number of products are read off the scheme; all values come from the problem.
"""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.plugins import Check
from flipforge.schemes import Scheme
from flipforge_codegen._form import Form, form_of
from flipforge_codegen._maps import MatrixMap, Shapes, VectorMap
from flipforge_codegen._rounding import error_bound

__all__ = ["load_module", "run_checks"]

Array = npt.NDArray[Any]

_SEED = 20
_DEPTHS = (1, 2, 3)
_OPERATIONS = 5_000_000
"""Array operations that one run may take: a level more multiplies them by the rank. Depth 1 is always run."""
_SWEEP = 1 << 20
"""Products of block entries held at a time in the sweep of unit pairs."""


class _MismatchError(Exception):
    """The generated code gave something else than the reference."""


class _UncachedLoader(SourceFileLoader):
    """Compiles the text that is there: bytecode cached by time and size would hide an edit within one second."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of the text, past the cache."""
        return self.source_to_code(self.get_data(self.path), self.path)


def run_checks(scheme: Scheme, path: Path) -> list[Check]:
    """Import the module at ``path`` and run every check that its ring calls for.

    A module that cannot be imported gives a single check that is not ok; one that raises fails the check that met it.
    """
    try:
        module = load_module(path)
    except (Exception, SystemExit) as error:
        return [Check("import", False, _told(error))]
    form = form_of(scheme)
    target = MatrixMap(scheme.problem, module) if scheme.problem.kind == "matmul" else VectorMap(scheme.problem, module)
    run = _Run(scheme, form, target)
    checks = [Check("import", True, path.name)]
    for name, action in run.plan():
        try:
            checks.append(Check(name, True, action()))
        except (Exception, SystemExit) as error:
            checks.append(Check(name, False, _told(error)))
    return checks


def load_module(path: Path) -> ModuleType:
    """Import the module that a path holds, past the cache."""
    name = f"_flipforge_export_{path.stem}"
    spec = importlib.util.spec_from_loader(name, _UncachedLoader(name, str(path)))
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded as a module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _told(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, _MismatchError) else f"{type(error).__name__}: {text}"


class _Run:
    """The checks of one module; each returns what it ran, or raises."""

    def __init__(self, scheme: Scheme, form: Form, target: MatrixMap | VectorMap) -> None:
        self.problem = scheme.problem.bilinear
        self.form = form
        self.target = target
        self.random = np.random.default_rng(_SEED)
        # Fractions take several times as long as integers.
        self.budget = _OPERATIONS // 5 if form.fractional else _OPERATIONS
        self.fixed_width = not form.fractional and form.largest < 2**63

    def plan(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Yield the checks by name: which there are depends on the arithmetic of the scheme."""
        yield "unit pairs", self.unit_pairs
        if isinstance(self.target, MatrixMap):
            target = self.target
            yield "recursion", lambda: self.recursion(target)
        if self.fixed_width:
            yield "int64", self.fixed_integers
        yield "object integers", self.object_integers
        if self.form.fractional:
            yield "object fractions", self.object_fractions
        if not self.form.modulus:
            yield "float64", self.floats
            if self.fixed_width:
                yield "int64 wraparound", self.wraparound
        if isinstance(self.target, MatrixMap) and self.target.into is not None:
            target = self.target
            yield "in place", lambda: self.in_place(target)
        if isinstance(self.target, MatrixMap) and self.target.in_basis is not None:
            target = self.target
            yield "alternative basis", lambda: self.alternative(target)
        yield "stacked operands", self.stacked
        yield "inputs unchanged", self.inputs_unchanged
        if self.form.modulus or not self.fixed_width:
            yield "refused dtypes", self.refused

    def unit_pairs(self) -> str:
        """Run every pair of unit operands: on a bilinear map this is a proof, not a sample."""
        left, right, out = self.problem.shape
        shape_a, shape_b, shape_c = self.target.unit_shapes
        dtype: Any = np.int64 if self.fixed_width else object
        b = _exact_eye(right).reshape(1, right, *shape_b).astype(dtype)
        modulus = self.form.modulus
        step = max(1, _SWEEP // (right * (self.form.rank + out)))
        for first in range(0, left, step):
            chunk = min(step, left - first)
            a = _exact_eye(left)[first : first + chunk].reshape(chunk, 1, *shape_a).astype(dtype)
            wanted = np.zeros((chunk, right, out), dtype=object)
            for (i, j, k), value in self.problem.entries:
                if first <= i < first + chunk:
                    wanted[i - first, j, k] = value % modulus if modulus else value
            self._compare(self.target.call(a, b, 1), wanted.reshape(chunk, right, *shape_c), dtype, "unit operands")
        return f"all {left * right} pairs, each entry equal"

    def recursion(self, target: MatrixMap) -> str:
        """Count the innermost products: right values alone could come from ``a @ b``."""
        dtype = np.int64 if self.form.modulus else np.float64
        for depth in (0, *self._depths()):
            leaves, wanted = target.leaves(depth, dtype), self.form.rank**depth
            if leaves != wanted:
                raise _MismatchError(f"depth {depth}: {leaves} innermost products, not {wanted}")
        return f"{self._told_depths()}; {self.form.rank} to the power of the depth innermost products"

    def fixed_integers(self) -> str:
        limit = 2**62 if self.form.modulus else 9
        return self._exactly("int64", lambda shape: self.random.integers(-limit, limit, shape, endpoint=True))

    def alternative(self, target: MatrixMap) -> str:
        """Run the recursion in other bases: all unit pairs, then sizes that do not come out even, at every depth."""
        for depth in self._depths():
            for shapes in target.shapes(depth):
                a, b = (self.random.integers(-9, 9, shape, endpoint=True) for shape in shapes)
                self._compare(
                    target.in_basis(a, b, depth=depth), target.exact(a, b), np.int64, f"depth {depth}, {shapes}"
                )
        (n, m), (_, p) = target.unit_shapes[:2]
        a, b = (np.eye(size, dtype=np.int64) for size in (n * m, m * p))
        pairs = target.in_basis(a.reshape(-1, 1, n, m), b.reshape(1, -1, m, p), depth=1)
        self._compare(pairs, np.matmul(a.reshape(-1, 1, n, m), b.reshape(1, -1, m, p)), np.int64, "unit operands")
        count, wanted = target.basis_leaves(2), self.form.rank**2
        if count != wanted:
            raise _MismatchError(f"in other bases: {count} innermost products, not {wanted}")
        return f"{self._told_depths()}; all unit pairs; {self.form.rank} products a level"

    def object_integers(self) -> str:
        return self._exactly("integers of 300 digits", self._long_integers)

    def object_fractions(self) -> str:
        def draw(shape: tuple[int, ...]) -> Array:
            return np.asarray(self._long_integers(shape) * Fraction(1, 10**9 + 7))

        return self._exactly("fractions", draw)

    def floats(self) -> str:
        """Compare with exact products of the same numbers; the bound is known before the run."""
        scale, largest, bounds = 2**53, 0.0, []
        for depth, pairs in self._runs():
            for shapes in pairs:
                a, b = (self.random.integers(-scale, scale, shape, endpoint=True) for shape in shapes)
                result = self.target.call(a / scale, b / scale, depth)
                wanted = self.target.exact(a.astype(object), b.astype(object))
                bound = error_bound(self.form.stages, self.target.inner(shapes), self.target.split, depth)
                if result.dtype != np.float64 or result.shape != wanted.shape:
                    raise _MismatchError(
                        f"{shapes} depth {depth}: gives {result.dtype} {result.shape}, not float64 {wanted.shape}"
                    )
                if not np.isfinite(result).all():
                    raise _MismatchError(f"{shapes} depth {depth}: an entry is not finite")
                error = max(
                    float(abs(Fraction(x) - Fraction(y, scale**2)))
                    for x, y in zip(result.flat, wanted.flat, strict=True)
                )
                if error > bound:
                    raise _MismatchError(f"{shapes} depth {depth}: error {error:.2e} is beyond the bound {bound:.2e}")
                largest = max(largest, error)
                bounds.append(bound)
        between = f"{min(bounds):.1e} to {max(bounds):.1e}"
        return f"{self._told_depths()}; entries up to 1, largest error {largest:.1e}, bounds {between}"

    def wraparound(self) -> str:
        """Check that integers of fixed width are a ring to the code: it wraps where NumPy's own product does."""
        for shapes in self.target.shapes(1):
            a, b = (self.random.integers(-(2**63), 2**63 - 1, shape, endpoint=True) for shape in shapes)
            exact = self.target.exact(a.astype(object), b.astype(object))
            self._compare(self.target.call(a, b, 1), (exact + 2**63) % 2**64 - 2**63, np.int64, f"{shapes}")
        return "full range of int64, equal modulo 2**64"

    def stacked(self) -> str:
        """Check leading axes that broadcast."""
        shape_a, shape_b = self.target.shapes(1)[0]
        dtype = np.int64 if self.fixed_width else object
        a = self.random.integers(-9, 9, (3, 1, *shape_a)).astype(dtype)
        b = self.random.integers(-9, 9, (2, *shape_b)).astype(dtype)
        rows = [[self._reduced(self.target.exact(x.astype(object), y.astype(object))) for y in b] for x in a[:, 0]]
        self._compare(self.target.call(a, b, 1), np.array(rows, dtype=object), dtype, f"{a.shape}, {b.shape}")
        return f"{a.shape} with {b.shape}"

    def in_place(self, target: MatrixMap) -> str:
        """Run ``multiply_into`` on integers in float64, with NaN in all that it may write before it reads."""
        count = 0
        for depth, pairs in self._runs():
            for shapes in pairs:
                a, b = (self.random.integers(-9, 9, shape).astype(np.float64) for shape in shapes)
                wanted = target.exact(a.astype(np.int64), b.astype(np.int64))
                kept = a.copy(), b.copy()
                result, size = target.fill(a, b, depth)
                self._compare(result, wanted.astype(np.float64), np.float64, f"in place {shapes} depth {depth}")
                if not (np.array_equal(a, kept[0]) and np.array_equal(b, kept[1])):
                    raise _MismatchError(f"{shapes}: an operand was written to")
                count += 1
        return f"{self._told_depths()}; {count} pairs of shapes, buffers full of NaN, last workspace {size} elements"

    def inputs_unchanged(self) -> str:
        for shapes in self.target.shapes(1):
            a, b = (
                self.random.integers(-9, 9, shape).astype(np.int64 if self.fixed_width else object) for shape in shapes
            )
            kept = a.copy(), b.copy()
            result = self.target.call(a, b, 1)
            if not (np.array_equal(a, kept[0]) and np.array_equal(b, kept[1])):
                raise _MismatchError(f"{shapes}: an operand was written to")
            if np.shares_memory(result, a) or np.shares_memory(result, b):
                raise _MismatchError(f"{shapes}: the result is a view of an operand")
        return "operands neither written nor returned"

    def refused(self) -> str:
        """Check that a dtype that the scheme cannot carry is refused instead of computed wrongly."""
        dtype = np.float64 if self.form.modulus else np.int64
        shapes = self.target.shapes(1)[0]
        with suppress(TypeError):
            self.target.call(np.ones(shapes[0], dtype), np.ones(shapes[1], dtype), 1)
            raise _MismatchError(f"{np.dtype(dtype)} operands were not refused")
        return f"{np.dtype(dtype)} raises TypeError"

    def _exactly(self, what: str, draw: Callable[[tuple[int, ...]], Array]) -> str:
        count = 0
        for depth, pairs in self._runs():
            for shapes in pairs:
                a, b = (draw(shape) for shape in shapes)
                dtype = np.int64 if self.form.modulus else np.result_type(a, b)
                a.flags.writeable = b.flags.writeable = False
                wanted = self._reduced(self.target.exact(a.astype(object), b.astype(object)))
                self._compare(self.target.call(a, b, depth), wanted, dtype, f"{what} {shapes} depth {depth}")
                count += 1
        return f"{self._told_depths()}; {count} pairs of shapes, each entry equal"

    def _compare(self, result: Array, wanted: Array, dtype: Any, where: str) -> None:
        if result.shape != wanted.shape or result.dtype != dtype:
            raise _MismatchError(f"{where}: gives {result.dtype} {result.shape}, not {np.dtype(dtype)} {wanted.shape}")
        if result.dtype == object and not all(isinstance(x, int | Fraction) for x in result.flat):
            raise _MismatchError(f"{where}: an entry is neither int nor Fraction")
        wrong = int(np.count_nonzero(result != wanted))
        if wrong:
            raise _MismatchError(f"{where}: {wrong} of {wanted.size} entries are wrong")

    def _reduced(self, exact: Array) -> Array:
        return np.asarray(np.remainder(exact, self.form.modulus)) if self.form.modulus else exact

    def _depths(self) -> list[int]:
        possible = _DEPTHS if self.target.recursive else _DEPTHS[:1]
        return [depth for depth in possible if depth == 1 or self._operations(depth) <= self.budget]

    def _runs(self) -> list[tuple[int, list[Shapes]]]:
        """Return depths with pairs of shapes, of long runs only the first pair: sizes that do not come out even."""
        depths = self._depths()
        return [
            (d, self.target.shapes(d)[: 1 if d > 1 and self._operations(d) > self.budget // 20 else None])
            for d in depths
        ]

    def _operations(self, depth: int) -> int:
        return int(self.form.rank ** (depth - 1) * self.form.terms)

    def _told_depths(self) -> str:
        if not self.target.recursive:
            return "no recursion"
        run = self._depths()
        left_out = "".join(
            f", depth {d} not run ({self._operations(d):.0e} operations)" for d in _DEPTHS if d not in run
        )
        return f"depth {', '.join(map(str, run))}{left_out}"

    def _long_integers(self, shape: tuple[int, ...]) -> Array:
        values = [int.from_bytes(self.random.bytes(125), "little", signed=True) for _ in range(int(np.prod(shape)))]
        return np.array(values, dtype=object).reshape(shape)


def _exact_eye(size: int) -> Array:
    return np.eye(size, dtype=np.int64)
