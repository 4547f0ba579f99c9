"""Building an exported C file of structured products and comparing everything it computes with exact references."""

from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.plugins import Check
from flipforge.schemes import Scheme
from flipforge_codegen._c_check import build_and_check
from flipforge_codegen._exactness import MismatchError, checked
from flipforge_codegen.flipforge_c_structured import StructuredKernel, load_structured
from flipforge_codegen.flipforge_structured import clean, pack

__all__ = ["run_checks"]

Array = npt.NDArray[Any]

_TAIL = 4096
_PRIMES = (3, 65521, 67108859)
_NAMES = {"f32": "float32", "f64": "float64", "i32": "int32", "i64": "int64", "mod": "int64"}
_TURNED = {"u": "l", "l": "u"}


def run_checks(scheme: Scheme, path: Path, *inner: Scheme) -> list[Check]:
    """Build the file and run every check that its products and rings call for.

    Raises
    ------
    InputError
        There is no C compiler, so that there is no verdict.
    """
    return build_and_check(path, load_structured, lambda kernels: _Run((scheme, *inner), kernels).checks())


class _Run:
    """The checks of one file; the first kernel has a BLAS where there is one, the second its own loops."""

    def __init__(self, schemes: tuple[Scheme, ...], kernels: list[StructuredKernel]) -> None:
        self.kernels = kernels
        self.facts = kernels[0].facts
        self.levels = 2 if max(schemes[0].problem.dims) < 4 else 1
        self.random = np.random.default_rng(7)
        odd = any(d & (d - 1) for d in self.facts["denominators"])
        kept = [suffix for suffix in self.facts["domains"] if not ((odd or self.facts["modulus"]) and suffix != "mod")]
        self.domains = [(suffix, modulus) for suffix in kept for modulus in self._moduli(suffix)]

    def _moduli(self, suffix: str) -> list[int]:
        if suffix != "mod":
            return [0]
        p = self.facts["modulus"]
        return [p] if p else [q for q in _PRIMES if all(d % q for d in self.facts["denominators"])]

    def checks(self) -> Iterator[Check]:
        for row in self.facts["structured"]:
            code, dims = row["code"], row["dims"]
            yield checked(f"unit pairs, {code}", partial(self.unit_pairs, code, dims))
            for suffix, modulus in self.domains:
                name = f"modulo {modulus}" if modulus else _NAMES[suffix]
                yield checked(f"exact, {code}, {name}", partial(self.exact, code, dims, suffix, modulus))
        yield checked("signatures", self.signatures)
        yield checked("refused", self.refused)

    def unit_pairs(self, code: str, dims: list[int]) -> str:
        """Run all pairs of unit operands with blocks of size 2, which do not commute; sums of two for X and X^T."""
        n, m, p = (2 * d for d in dims)
        dtype, modulus = _NAMES[self.domains[0][0]], self.domains[0][1]
        count, gram = 0, code[1] == "t"
        firsts = list(np.ndindex(n, m))
        seconds = firsts if gram else list(np.ndindex(m, p))
        for number, first in enumerate(firsts):
            for second in seconds[: number + 1] if gram else seconds:
                x, y = np.zeros((n, m), dtype), np.zeros((m, p), dtype)
                x[first] = 1
                (x if gram else y)[second] = 1
                found = self.kernels[0].multiply(x, None if gram else y, code=code, modulus=modulus or None)
                if (found != self._wanted(code, x, y, modulus)).any():
                    raise MismatchError(f"{code}: units {first} and {second} give a wrong product")
                count += 1
        return f"all {count} pairs with blocks of 2 x 2, each entry equal"

    def exact(self, code: str, dims: list[int], suffix: str, modulus: int) -> str:
        """Run sizes, depths, storage orders and options; results are full of canaries, hidden triangles of NaN."""
        done, dtype = [], _NAMES[suffix]
        options: list[dict[str, Any]] = [{}, {"mode": "products", "threads": 2}, {"general_levels": 0}]
        for depth in range(1, self.levels + 1):
            for m, k, n in _sizes(code, [d**depth for d in dims]):
                a, b = (self._drawn(shape, dtype, modulus) for shape in ((m, k), (k, n)))
                ways = zip(self.kernels * 3, product("CFS", repeat=3), options * 3, strict=False)
                for kernel, orders, way in ways:
                    self._one(kernel, code, (a, b), orders, modulus, {"levels": depth, **way})
                done.append(f"{m}x{k}x{n}")
        return f"{', '.join(done)}, rows, columns and strides, each entry equal"

    def _one(
        self, kernel: StructuredKernel, code: str, pair: tuple[Array, Array], orders: tuple[str, ...], modulus: int,
        options: dict[str, Any],
    ) -> None:  # fmt: skip
        gram, dtype = code[1] == "t", pair[0].dtype
        wanted = self._wanted(code, *pair, modulus)
        operands = [
            _placed(_hidden(x, letter), order)
            for x, letter, order in zip(pair, code, orders, strict=False)
            if letter != "t"
        ]
        kept = [x.copy() for x in operands]
        for x in operands:
            x.flags.writeable = False
        canary = np.nan if dtype.kind == "f" else -77
        around = np.full((2 * wanted.shape[0] + 2, 2 * wanted.shape[1] + 2), canary, dtype)
        around = np.asfortranarray(around) if orders[2] == "F" else around
        rows, cols = wanted.shape
        out = (
            around[1 : 2 * rows + 1 : 2, 1 : 2 * cols + 1 : 2]
            if orders[2] == "S"
            else around[1 : rows + 1, 1 : cols + 1]
        )
        told = f"{code} {pair[0].shape} by {pair[1].shape} {''.join(orders)} {options}"
        space = None
        if not modulus:
            size = kernel.workspace(*operands, code=code, **options)
            space = np.full(size + _TAIL, 0xFF, np.uint8)
            space[size:] = 0xA5
        kernel.multiply(
            *operands, code=code, out=out, modulus=modulus or None,
            workspace=None if space is None else space[: len(space) - _TAIL], **options,
        )  # fmt: skip
        if space is not None and (space[-_TAIL:] != 0xA5).any():
            raise MismatchError(f"{told}: memory behind the workspace was written")
        half: Any = np.triu_indices(rows) if gram else ...
        if (out[half] != wanted[half]).any():
            raise MismatchError(f"{told}: {np.count_nonzero(out[half] != wanted[half])} entries are wrong")
        out[half] = canary
        if not np.array_equal(around, np.full_like(around, canary), equal_nan=dtype.kind == "f"):
            raise MismatchError(f"{told}: memory around the result, or its other triangle, was written")
        if not all(np.array_equal(x, y, equal_nan=dtype.kind == "f") for x, y in zip(operands, kept, strict=True)):
            raise MismatchError(f"{told}: an operand was written to")

    def signatures(self) -> str:
        """Compare syrk, trmm and symm, full and packed, with NaN where a triangle is not to be read."""
        have, done = {row["code"] for row in self.facts["structured"]}, []
        suffix, modulus = next((d for d in self.domains if d[0] == "f64"), self.domains[-1])
        dtype, kernel = _NAMES[suffix], self.kernels[0]
        n = 2 * max(self.facts["structured"][0]["dims"]) + 1
        a, b, c = (self._drawn((n, n), dtype, modulus) for _ in range(3))
        extra: dict[str, Any] = {"modulus": modulus} if modulus else {}
        for uplo, flip, alpha, beta in product("UL", "NT", (1, 2), (0, 3)):
            lower, side = uplo == "L", "L" if flip == "N" else "R"
            half = np.tril_indices(n) if lower else np.triu_indices(n)
            if "gt" in have:
                x = a if flip == "N" else a.T
                wanted = self._mod(alpha * (x @ x.T) + beta * c, modulus)
                full, packed = c.copy(), pack(c, lower=lower)
                kernel.syrk(a, full, trans=flip, uplo=uplo, alpha=alpha, beta=beta, **extra)
                kernel.syrk(a, packed, trans=flip, uplo=uplo, alpha=alpha, beta=beta, packed=True, **extra)
                after = c.copy()
                after[half] = wanted[half]
                _equal(full, after, f"syrk {flip} {uplo}")
                _equal(packed, wanted[half], f"syrk {flip} {uplo}, packed")
            for function, letter in (("trmm", "u"), ("symm", "s"), ("skew symm", "k")):
                if not have & ({"ug", "lg", "gu", "gl"} if letter == "u" else {f"{letter}g"}):
                    continue
                done.append(function)
                whole = _mirrored(a, letter, lower=lower)
                hidden = _hidden(a, "l" if lower else "u")
                wanted = alpha * (whole @ b if side == "L" else b @ whole)
                wanted = self._mod(wanted + (0 if letter == "u" else beta * c), modulus)
                for given in (hidden, pack(a, lower=lower)):
                    where: dict[str, Any] = {"side": side, "uplo": uplo, "alpha": alpha, **extra}
                    if letter == "u":
                        found = kernel.trmm(given, b, **where)
                    else:
                        found = kernel.symm(given, b, c.copy(), beta=beta, skew=letter == "k", **where)
                    _equal(found, wanted, f"{function} side {side} uplo {uplo} {given.ndim}-d")
        names = ", ".join(dict.fromkeys([*(["syrk"] if "gt" in have else []), *done])) or "none: codes have other names"
        return f"{names}; every side, triangle and transpose, alpha and beta, full and packed"

    def refused(self) -> str:
        """See operands refused that the schemes cannot carry, and results that may not fit."""
        code = self.facts["structured"][0]["code"]
        size = max(self.facts["structured"][0]["dims"])
        dtypes = ["complex128", *(["float64"] if not any(d[0] == "f64" for d in self.domains) else [])]
        for dtype in dtypes:
            x = np.ones((size, size), dtype)
            try:
                self.kernels[0].multiply(x, None if code[1] == "t" else x, code=code)
            except TypeError:
                continue
            raise MismatchError(f"{dtype} was not refused")
        if any(suffix == "i64" for suffix, _ in self.domains):
            x = np.full((size, size), 2**32)
            try:
                self.kernels[0].multiply(x, None if code[1] == "t" else x, code=code)
            except OverflowError:
                return f"TypeError for {', '.join(dtypes)}; OverflowError beyond int64"
            raise MismatchError("a result that does not fit int64 was not refused")
        return f"TypeError for {', '.join(dtypes)}"

    def _drawn(self, shape: tuple[int, int], dtype: str, modulus: int) -> Array:
        if modulus:
            return self.random.integers(0, modulus, shape)
        return self.random.integers(-9, 9, shape, endpoint=True).astype(dtype)

    def _mod(self, x: Array, modulus: int) -> Array:
        return np.asarray(x % modulus) if modulus else x

    def _wanted(self, code: str, a: Array, b: Array, modulus: int) -> Array:
        left = clean(a, code[0]).astype(object)
        right = left.T if code[1] == "t" else clean(b, code[1]).astype(object)
        result = self._mod(left @ right, modulus) if left.shape[1] else np.zeros((len(a), right.shape[1]), object)
        return np.asarray(np.triu(result) if code[1] == "t" else result)


def _sizes(code: str, dims: list[int]) -> list[tuple[int, int, int]]:
    """Return a multiple, odd sizes, one short of a multiple, a rectangle and an inner size of 1, as the code allows."""
    n, m, p = dims
    drawn = [(2 * n, 2 * m, 2 * p), (2 * n + 1, 2 * m + 1, 2 * p + 1), (2 * n - 1, 2 * m - 1, 2 * p - 1)]
    drawn += [(3 * n + 1, 2 * m, p + 2), (2 * n, 1, 2 * p), (2 * n + 140, m, 2 * p)]
    sizes = []
    for rows, inner, cols in drawn:
        wide = rows if code[1] == "t" else inner if code[1] in "ul" else cols
        sizes.append((rows, rows, rows if code[1] in "ult" else wide) if code[0] in "ulsk" else (rows, inner, wide))
    return sizes


def _hidden(x: Array, letter: str) -> Array:
    """Return the matrix with NaN, or a number, where its structure says that nothing is read."""
    y = x.copy()
    if letter in "uskl":
        hidden = np.triu_indices(len(y), 1) if letter == "l" else np.tril_indices(len(y), -1)
        y[hidden] = np.nan if y.dtype.kind == "f" else 55
    return y


def _mirrored(x: Array, letter: str, *, lower: bool) -> Array:
    """Return the whole of a triangular, symmetric or skew matrix of which one triangle is given."""
    if letter == "u":
        return clean(x, "l" if lower else "u")
    if not lower:
        return clean(x, letter)
    return clean(x.T, "s") if letter == "s" else -clean(x.T, "k")


def _placed(x: Array, order: str) -> Array:
    if order != "S":
        return np.asarray(x, order="F") if order == "F" else x
    larger = np.full((2 * x.shape[0], 3 * x.shape[1]), 77, x.dtype)
    larger[::2, ::3] = x
    return larger[::2, ::3]


def _equal(found: Array, wanted: Array, where: str) -> None:
    if found.shape != wanted.shape or (found != wanted).any():
        raise MismatchError(f"{where}: {np.count_nonzero(found != wanted)} of {wanted.size} entries are wrong")
