"""Building an exported C file and comparing everything it computes with exact references."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.errors import InputError
from flipforge.plugins import Check
from flipforge.problems import Problem, matmul
from flipforge.programs import program
from flipforge.schemes import Scheme
from flipforge_codegen import flipforge_build, flipforge_c
from flipforge_codegen._exactness import Call, MismatchError, all_unit_pairs, checked, exact_products, sizes
from flipforge_codegen._rounding import error_bound
from flipforge_codegen._stages import stages
from flipforge_codegen.flipforge_c import MODES, Kernel

__all__ = ["build_and_check", "run_checks"]

Array = npt.NDArray[Any]

_CANARY = 0xA5
_TAIL = 4096
_MOST_ENTRIES = 1 << 10
_PRIMES = (3, 251, 65521, 1048573, 67108859)
"""Moduli that schemes over Z are run with: the least odd one, 8, 16 and 20 bits, and the largest one below 2^26."""


def run_checks(scheme: Scheme, path: Path, *inner: Scheme) -> list[Check]:
    """Build the file and run every check that its ring calls for; ``inner`` are the schemes of the levels below.

    Raises
    ------
    InputError
        There is no C compiler, so that there is no verdict.
    """
    return build_and_check(path, flipforge_c.load, lambda kernels: _Run((scheme, *inner), kernels).checks())


def build_and_check(
    path: Path, load: Callable[..., Any], checks: Callable[[list[Any]], Iterable[Check]]
) -> list[Check]:
    """Build a file by its loader, and check the kernel with a BLAS where there is one, then that of its own loops.

    Raises
    ------
    InputError
        There is no C compiler, so that there is no verdict.
    """
    with TemporaryDirectory() as folder:
        try:
            kernels = [load(path, cache_dir=folder, blas=blas) for blas in (True, False)]
        except flipforge_build.MissingCompilerError as error:
            raise InputError(f"{path} is written and not checked: {error}") from None
        except (OSError, AttributeError, ValueError, flipforge_build.BuildError) as error:
            return [Check("build", False, " ".join(str(error).split()))]
        blas = flipforge_build.find_blas()
        told = f"with BLAS {Path(blas.path).name} and without" if blas else "no BLAS found: own loops"
        done = [Check("build", True, f"{path.name}, {told}")]
        for check in checks(kernels[: 2 if blas else 1]):
            done.append(check)
            if not check.ok:  # one fault shows in many ways
                break
        return done


class _Run:
    """The checks of one file; the first kernel multiplies blocks by BLAS where there is one, the second by loops."""

    def __init__(self, schemes: Sequence[Scheme], kernels: list[Kernel]) -> None:
        self.schemes = schemes
        self.problem = schemes[0].problem
        self.kernels = kernels
        self.facts = kernels[0].facts
        self.shallow = sizes(self.problem, 1)
        # A level more than there are schemes, at least two: run on the sizes that do not come out even.
        self.levels = max(2, len(schemes)) + (len(schemes) > 1)
        self.deep = sizes(self._whole(self.levels), 1)[1:3] if max(self._whole(self.levels).dims) < 36 else []

    def _whole(self, depth: int) -> Problem:
        """Return the product that so many levels make of single entries."""
        levels = [self.schemes[min(i, len(self.schemes) - 1)].problem.dims for i in range(depth)]
        return matmul(*(prod(sizes) for sizes in zip(*levels, strict=True)))

    def checks(self) -> Iterator[Check]:
        """Run them by arithmetic."""
        modulus = self.facts["modulus"]
        if not modulus:
            for name in self._carried():
                dtype: Any = np.dtype(name)
                yield checked(f"unit pairs, {name}", partial(self.unit_pairs, dtype))
                if len(self.schemes) > 1:
                    yield checked(f"unit pairs of all levels, {name}", partial(self.all_levels, dtype))
                yield checked(f"exact, {name}", partial(self.exact, dtype))
            if "i64" in self.facts["domains"]:
                yield checked("proven range", self.proven_range)
            if "float64" in self._carried():
                yield checked("rounding", self.rounding)
        yield checked("residues", partial(self.residues, (modulus,) if modulus else _PRIMES))
        if modulus == 2:
            yield checked("packed words", self.packed)
        yield checked("refused", self.refused)

    def unit_pairs(self, dtype: np.dtype[Any]) -> str:
        for _, call in self._calls(dtype, 1):
            told = all_unit_pairs(call, self.problem)
        return told

    def all_levels(self, dtype: np.dtype[Any]) -> str:
        """Sweep the composition of all levels; where that is too large, of as many as are not."""
        depth = len(self.schemes)
        while depth > 1 and len(self._whole(depth).entries) > _MOST_ENTRIES:
            depth -= 1
        for _, call in self._calls(dtype, depth)[:3]:
            told = all_unit_pairs(call, self._whole(depth))
        return f"{depth} levels: {told}"

    def exact(self, dtype: np.dtype[Any]) -> str:
        told = exact_products(self._calls(dtype, 1), self.shallow, 9)
        if self.deep:
            exact_products(self._calls(dtype, self.levels)[:4], self.deep, 3)
        return told + (f"; {self.levels} levels at {self.deep}" if self.deep else "")

    def proven_range(self) -> str:
        """Run the largest entries that are proven to be exact, and see larger results refused."""
        n, m, p = (2 * size for size in self.problem.dims)
        kernel, signs = self.kernels[0], np.random.default_rng(3).choice([-1, 1], size=(2, max(n, m), max(m, p)))
        edge = 1
        while kernel.bound(2 * edge, 2 * edge, m, 1) < 2**53:
            edge *= 2
        for dtype, top in ((np.int64, edge), (np.int64, int((2**63 - 1) // m) >> 31), (np.int32, 2**13)):
            a, b = (np.asarray(top * x, dtype) for x in (signs[0, :n, :m], signs[1, :m, :p]))
            b = b if top * int(abs(b).max(initial=0)) * m < np.iinfo(dtype).max else np.sign(b)
            wanted = a.astype(object) @ b.astype(object)
            for each in self.kernels:
                if (each.multiply(a, b, levels=1) != wanted).any():
                    raise MismatchError(f"entries of size {top} in {np.dtype(dtype)}: a product is wrong")
        try:
            kernel.multiply(np.full((n, m), 2**31), np.full((m, p), 2**32), levels=1)
        except OverflowError:
            return f"exact up to entries of {edge} through float64 and beyond in int64; overflow is refused"
        raise MismatchError("a result that does not fit int64 was not refused")

    def rounding(self) -> str:
        """Compare float64 with exact products of the same numbers; the bound is known before the run."""
        scale, worst, form = 2**53, 0.0, stages(program(self.schemes[0]))
        random = np.random.default_rng(5)
        m, k, n = self.shallow[0]
        a, b = (random.integers(-scale, scale, shape) for shape in ((m, k), (k, n)))
        exact = a.astype(object) @ b.astype(object)
        bound = error_bound(form, k, self.problem.dims[1], 1)
        for mode in MODES:
            result = self.kernels[0].multiply(a / scale, b / scale, levels=1, mode=mode)
            errors = (abs(Fraction(x) - Fraction(y, scale**2)) for x, y in zip(result.flat, exact.flat, strict=True))
            error = float(max(errors))
            if not error <= bound:
                raise MismatchError(f"{mode}: error {error:.2e} is beyond the bound {bound:.2e}")
            worst = max(worst, error)
        return f"one level, entries up to 1: largest error {worst:.1e}, bound {bound:.1e}"

    def residues(self, primes: tuple[int, ...]) -> str:
        """Run every modulus that the scheme admits; 2 is that of schemes over GF(2) alone."""
        done = []
        for p in primes:
            if any(d % p == 0 for d in self.facts["denominators"]):
                continue
            ways = [*((self.kernels[0], mode) for mode in MODES), (self.kernels[-1], "streaming")]
            calls = [(f"{mode} modulo {p}", _residue_call(kernel, p, mode)) for kernel, mode in ways]
            for _, call in calls:
                all_unit_pairs(call, self.problem, p, 64 if p == 2 else 1)
            exact_products(calls, self.shallow if p < 1000 else self.shallow[1:3], 0, p)
            if p == 2:  # sizes count words of 64 columns
                words = [(m, 64 * k, 64 * n) for m, k, n in self.shallow[1:3]]
                n, m, k = (64 * size for size in self.problem.dims)  # blocks of 64 x 64 entries, all of one size
                exact_products(calls, [*words, (n, m, k)], 0, p)
            done.append(str(p))
        return f"all unit pairs and products, each residue equal, modulo {', '.join(done)}"

    def packed(self) -> str:
        """Multiply words as they are."""
        random = np.random.default_rng(9)
        n, m, p = self.problem.dims
        a = random.integers(0, 2**64, (2 * n, m), dtype=np.uint64)
        b = random.integers(0, 2**64, (64 * m, p), dtype=np.uint64)
        wanted = (_bits(a).astype(np.int64) @ _bits(b).astype(np.int64)) % 2
        for mode in MODES:
            result = self.kernels[0].multiply_packed(a.copy(), b.copy(), levels=1, mode=mode)
            if (_bits(result) != wanted).any():
                raise MismatchError(f"{mode}: packed words are wrong")
        return f"{2 * n} x {64 * m} by {64 * m} x {64 * p} entries, each equal"

    def refused(self) -> str:
        """See dtypes refused that the scheme cannot carry."""
        unfit = {"float32", "float64", "int32", "int64"} - set(self._carried()) if not self.facts["modulus"] else set()
        unfit |= {"complex128"} | ({"float64"} if self.facts["modulus"] else set())
        for name in sorted(unfit):
            try:
                self.kernels[0].multiply(np.ones((4, 4), name), np.ones((4, 4), name), levels=1)
            except TypeError:
                continue
            raise MismatchError(f"{name} was not refused")
        return f"TypeError for {', '.join(sorted(unfit))}"

    def _carried(self) -> list[str]:
        names = {"f32": "float32", "f64": "float64", "i32": "int32", "i64": "int64"}
        odd = any(d & (d - 1) for d in self.facts["denominators"])
        return [names[x] for x in self.facts["domains"] if x in names and not (odd and x in ("f32", "f64"))]

    def _calls(self, dtype: np.dtype[Any], levels: int) -> list[tuple[str, Call]]:
        """Return the ways to run a product: modes, tails, cores, loops instead of BLAS, a result by columns."""
        ways: list[dict[str, Any]] = [{}, {"mode": "products"}, {"mode": "clobber"}, {"pad": "always"}]
        ways.append({"threads": 2, "pad": "never"})
        ways += [{"mode": "products", "threads": 3}, {"mode": "clobber", "pad": "never", "threads": 2}]
        calls = [(_label(way), _call(self.kernels[0], dtype, levels, way, "C")) for way in ways]
        calls.append(("result by columns", _call(self.kernels[0], dtype, levels, {}, "F")))
        calls.append(("result by strides", _call(self.kernels[0], dtype, levels, {}, "S")))
        if len(self.kernels) > 1:
            calls.append(("loops", _call(self.kernels[1], dtype, levels, {}, "C")))
            calls.append(("loops, result by columns", _call(self.kernels[1], dtype, levels, {"pad": "never"}, "F")))
        return calls


def _label(way: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in way.items()) or "streaming"


def _call(kernel: Kernel, dtype: np.dtype[Any], levels: int, way: dict[str, Any], order: str) -> Call:
    """Return a product into memory full of NaN, with canaries around it and behind the workspace."""

    def call(a: Array, b: Array) -> Array:
        (x, x_around), (y, y_around) = (_within(_typed(z, dtype)) for z in (a, b))
        kept = [z.copy() for z in (x, y, x_around, y_around)]
        m, n = a.shape[0], b.shape[1]
        around = np.full((2 * m + 2, 2 * n + 2), np.nan if dtype.kind == "f" else -77, dtype, order="C")
        if order == "F":
            around = np.asfortranarray(around)
        out = around[1 : m + 1, 1 : n + 1] if order != "S" else around[1 : 2 * m + 1 : 2, 1 : 2 * n + 1 : 2]
        before = around.copy()
        size = kernel.workspace(x, y, out, levels=levels, **way)
        # NaN in every float type, and no small integer.
        workspace = np.full(size + _TAIL, 0xFF, np.uint8)
        workspace[size:] = _CANARY
        result = kernel.multiply(x, y, out=out, levels=levels, workspace=workspace[:size], **way)
        if (workspace[size:] != _CANARY).any():
            raise MismatchError(f"{_label(way)}: memory behind the workspace was written")
        values = result.copy()
        out[...] = before[1 : m + 1, 1 : n + 1] if order != "S" else before[1 : 2 * m + 1 : 2, 1 : 2 * n + 1 : 2]
        if not np.array_equal(around, before, equal_nan=dtype.kind == "f"):
            raise MismatchError(f"{_label(way)}: memory around the result was written")
        if way.get("mode") == "clobber":  # operands may be overwritten, what stands around them may not
            x[...], y[...] = kept[0], kept[1]
        if not (np.array_equal(x_around, kept[2]) and np.array_equal(y_around, kept[3])):
            raise MismatchError(f"{_label(way)}: an operand was written to, or memory around it")
        return values

    return call


def _within(x: Array) -> tuple[Array, Array]:
    """Return the matrix in the same order inside a larger one of ones, and that one."""
    rows, columns = x.shape
    if 1 not in (step // x.itemsize for step in x.strides):
        return x, x
    order: Any = "C" if x.strides[1] == x.itemsize else "F"
    around = np.ones((rows + 2, columns + 2), x.dtype, order=order)
    around[1:-1, 1:-1] = x
    return around[1:-1, 1:-1], around


def _typed(x: Array, dtype: np.dtype[Any]) -> Array:
    """Return the matrix in another dtype with the same strides in elements."""
    steps = [step // x.itemsize for step in x.strides]
    if min(steps) == 1 or 0 in x.shape:
        return x.astype(dtype, order="K")
    larger = np.zeros((x.shape[0] * 2, x.shape[1] * 3), dtype)
    larger[::2, ::3] = x
    return larger[::2, ::3]


def _residue_call(kernel: Kernel, p: int, mode: str) -> Call:
    return lambda a, b: kernel.multiply(a.copy(), b.copy(), levels=1, mode=mode, modulus=p)


def _bits(words: Array) -> Array:
    return np.unpackbits(words.astype("<u8").view(np.uint8), axis=1, bitorder="little")
