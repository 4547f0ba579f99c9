"""Calls C files that flipforge exported: products of matrices by one scheme a level.

>>> kernel = load("matmul_2x2x2_r7_0123456789ab.c")                                            # doctest: +SKIP
>>> c = kernel.multiply(a, b)                                                                  # doctest: +SKIP
"""

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge_codegen.flipforge_build import Library, operands

__all__ = ["MODES", "NO_RING", "PADS", "SUFFIXES", "Kernel", "centred", "largest", "load", "residue_ring"]

Array = npt.NDArray[Any]

MODES = {"streaming": 0, "products": 1, "clobber": 2}
_EXACT = 2**53
PADS = {"never": 0, "auto": 1, "always": 2}
SUFFIXES = {"float32": "f32", "float64": "f64", "int32": "i32", "int64": "i64"}


def load(path: str | Path, *, cache_dir: str | Path | None = None, blas: bool = True) -> "Kernel":
    """Build a C file as a shared library, once for each text and compiler, and load it.

    Parameters
    ----------
    cache_dir
        Where libraries are kept; a folder ``flipforge-c`` in the user's cache unless given.
    blas
        Multiply the innermost blocks by BLAS where one is found, and by the file's own loops otherwise.

    Raises
    ------
    BuildError
        There is no C compiler, or it refused the file; the message says what to install.
    """
    return Kernel(Library(path, cache_dir, blas=blas))


class _Request(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int64) for name in ("domain", "mode", "levels", "threads", "pad", "m", "k", "n")),
        *((name, ctypes.c_void_p) for name in ("a", "b", "c")),
        *((name, ctypes.c_int64) for name in ("a_rs", "a_cs", "b_rs", "b_cs", "c_rs", "c_cs")),
        *((name, ctypes.c_void_p) for name in ("workspace", "gemm")),
        ("blas_int", ctypes.c_int64),
        ("p", ctypes.c_double),
        ("chunk", ctypes.c_int64),
        ("lazy", ctypes.c_int64),
        ("denominators", ctypes.c_void_p),
    )


class Kernel:
    """The product of matrices by one scheme a level, in every arithmetic that their rings carry.

    Attributes
    ----------
    facts
        What the file says of its schemes; ``levels`` lists them, and the last one serves all levels beyond the list.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self.facts = library.facts

    def multiply(
        self,
        a: Array,
        b: Array,
        *,
        out: Array | None = None,
        levels: int | None = None,
        mode: str = "streaming",
        threads: int = 1,
        pad: str = "auto",
        modulus: int | None = None,
        workspace: npt.NDArray[np.uint8] | None = None,
    ) -> Array:
        """Return the product of two matrices.

        Floats are rounded as by any fast scheme. Integers are exact or refused: they are multiplied in float64 where
        all values are proven to stay below 2^53, in their own type where the result is proven to fit it.

        Parameters
        ----------
        a, b
            Matrices of one dtype, with any strides: float32, float64, int32, int64; bool or integers modulo p.
        out
            Takes the result; must not overlap the operands.
        levels
            Of recursion; as many as leave blocks of 512 or more unless given.
        mode
            ``"streaming"`` forms all combinations in one pass, ``"products"`` takes one product at a time, with a
            workspace of about one matrix, ``"clobber"`` does so and overwrites both operands, with less.
        threads
            Cores.
        pad
            ``"never"`` cuts strips off sizes that do not come out even, ``"always"`` puts zeros around them, ``"auto"``
            takes what costs less.
        modulus
            Compute modulo this prime below 2^26: entries are integers, the result is int64 residues 0 to modulus - 1.
            A scheme over GF(p) computes modulo p and no other.
        workspace
            Bytes to work in, as many as `workspace` says; kept from call to call unless given.

        Raises
        ------
        TypeError
            The scheme cannot carry the dtype.
        OverflowError
            The result, or a value on the way, is not proven to fit.
        ValueError
            Shapes, options, operands that the mode must not overwrite, or too small a workspace.
        """
        if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
            raise ValueError(f"shapes {a.shape} and {b.shape} are not those of two matrices with a product")
        if mode not in MODES or pad not in PADS or threads < 1:
            raise ValueError(f"mode {mode!r}, pad {pad!r}, threads {threads}: see the docstring of multiply")
        depth = self.levels(a.shape[0], a.shape[1], b.shape[1]) if levels is None else levels
        if depth < 0:
            raise ValueError(f"levels {depth}: give 0 or more")
        options = {"mode": MODES[mode], "levels": depth, "threads": threads, "pad": PADS[pad]}
        if mode == "clobber" and not (a.flags.writeable and b.flags.writeable and not np.may_share_memory(a, b)):
            raise ValueError("mode 'clobber' overwrites a and b: give two that can be written and do not overlap")
        p = self.facts["modulus"] or modulus
        if modulus is not None and modulus != p:
            raise TypeError(f"the scheme holds modulo {p} only, not modulo {modulus}")
        if p:
            result = self._modulo(a, b, int(p), options, workspace)
        elif a.dtype != b.dtype or a.dtype.name not in SUFFIXES:
            raise TypeError(f"{a.dtype} by {b.dtype}: give two of float32, float64, int32, int64; others to numpy")
        elif a.dtype.kind == "f":
            suffix = SUFFIXES[a.dtype.name]
            if any(d & (d - 1) for d in self.facts["denominators"]) or suffix not in self.facts["domains"]:
                raise TypeError(f"the scheme's coefficients are not exact in {a.dtype}; give a modulus, or use numpy")
            fits = out is not None and _fits(out, a, b)
            result = out if out is not None and fits else np.empty((a.shape[0], b.shape[1]), a.dtype)
            self._request(suffix, a, b, result, options, workspace)
        else:
            result = self._integers(a, b, options, workspace)
        if out is None or result is out:
            return result
        if out.shape != result.shape or out.dtype != result.dtype:
            raise ValueError(f"out is {out.dtype} {out.shape}, the result {result.dtype} {result.shape}")
        out[...] = result
        return out

    def levels(self, m: int, k: int, n: int, smallest: int = 512) -> int:
        """Return how many levels leave blocks of at least ``smallest`` rows and columns."""
        count, sizes = 0, [m, k, n]
        while True:
            dims = self._level(count)["dims"]
            if max(dims) == 1 or any(size // d < smallest for size, d in zip(sizes, dims, strict=True)):
                return count
            sizes = [size // d for size, d in zip(sizes, dims, strict=True)]
            count += 1

    def _level(self, number: int) -> dict[str, Any]:
        """Return what the file says of the scheme of a level, counted from 0."""
        levels: list[dict[str, Any]] = self.facts["levels"]
        return levels[min(number, len(levels) - 1)]

    def workspace(self, a: Array, b: Array, out: Array, **options: Any) -> int:
        """Return the bytes that `multiply` works in for these matrices, floats or integers; options are the same."""
        depth = options.get("levels")
        fields = {
            "mode": MODES[options.get("mode", "streaming")],
            "levels": self.levels(a.shape[0], a.shape[1], b.shape[1]) if depth is None else depth,
            "threads": options.get("threads", 1),
            "pad": PADS[options.get("pad", "auto")],
        }
        runs = [(SUFFIXES[a.dtype.name], a, b, out)]
        if a.dtype.kind == "i":  # which way they go depends on their entries; they are written apart
            apart = np.empty(out.shape, a.dtype)
            real = np.float64
            runs = [(runs[0][0], a, b, apart), ("f64", a.astype(real), b.astype(real), apart.astype(real))]
        return max(self._library.workspace(self._prepared(*run, fields, NO_RING)) for run in runs)

    def _integers(self, a: Array, b: Array, options: dict[str, int], workspace: Any) -> Array:
        """Multiply integers in float64 where that is exact, and in their own type where the result fits it."""
        if "i64" not in self.facts["domains"]:
            raise TypeError(f"the scheme divides, or has coefficients that are too large for {a.dtype}; use numpy")
        largest_a, largest_b, inner = largest(a), largest(b), a.shape[1]
        if largest_a * largest_b * inner > np.iinfo(a.dtype).max:
            raise OverflowError(
                f"entries up to {largest_a} and {largest_b} in sums of {inner} may exceed {a.dtype}; "
                "give a wider type, or objects to numpy"
            )
        if self._library.blas and self.bound(largest_a, largest_b, inner, options["levels"]) < _EXACT:
            real = np.empty((a.shape[0], b.shape[1]))
            self._request("f64", a.astype(np.float64), b.astype(np.float64), real, options, workspace)
            return real.astype(a.dtype)
        result = np.empty((a.shape[0], b.shape[1]), a.dtype)
        self._request(SUFFIXES[a.dtype.name], a, b, result, options, workspace)
        return result

    def bound(self, a: int, b: int, inner: int, levels: int) -> int:
        """Bound every value on the way, for operands with entries up to ``a`` and ``b`` and sums of ``inner`` products.

        A product of blocks is an exact sum of at most so many products of combined entries; a level's own sums are
        bounded by the growth of its passes. Strips and padding only make sums shorter.
        """
        worst = a * b * inner
        for level in map(self._level, range(levels)):
            growth = level["growth"]
            inner = -(-inner // level["dims"][1])
            worst = max(worst, growth["whole"] * a * b * inner)
            a, b = a * growth["left"], b * growth["right"]
            worst = max(worst, a, b, a * b * inner)
        return worst

    def _modulo(self, a: Array, b: Array, p: int, options: dict[str, int], workspace: Any) -> Array:
        if a.dtype.kind not in "iub" or b.dtype.kind not in "iub":
            raise TypeError(f"{a.dtype} by {b.dtype}: computing modulo {p} takes integers")
        if p == 2 and "gf2" in self.facts["domains"]:
            return self._bits(a, b, options, workspace)
        if "mod" not in self.facts["domains"]:
            raise TypeError(f"the scheme's coefficients are too large to compute modulo {p}; use numpy")
        ring = residue_ring(self.facts["levels"], self.facts["denominators"], p, a.shape[1], options)
        real = np.empty((a.shape[0], b.shape[1]))
        self._request("mod", centred(a, p), centred(b, p), real, options, workspace, ring)
        # At most p / 2 + 2 in absolute value: one p added or taken away gives the residue.
        np.add(real, p, out=real, where=real < 0)
        np.subtract(real, p, out=real, where=real >= p)
        return real.astype(np.int64)

    def _bits(self, a: Array, b: Array, options: dict[str, int], workspace: Any) -> Array:
        """Pack 64 entries a word, in rows; the padding is zeros."""
        m, k, n = a.shape[0], a.shape[1], b.shape[1]
        tall = np.zeros((-(-k // 64) * 64, n), np.uint8)
        tall[:k] = b & 1
        left, right = _packed(a & 1), _packed(tall)
        result = np.empty((m, right.shape[1]), np.uint64)
        self._request("gf2", left, right, result, options, workspace)
        entries = np.unpackbits(result.astype("<u8").view(np.uint8), axis=1, bitorder="little", count=n)
        return entries.astype(np.int64)

    def multiply_packed(self, a: Array, b: Array, *, levels: int, mode: str = "streaming", threads: int = 1) -> Array:
        """Multiply matrices over GF(2) of packed words: bit i of word j is the entry of column 64 j + i.

        Parameters
        ----------
        a, b
            uint64 arrays of shapes (M, K) and (64 K, N), for M x 64 K by 64 K x 64 N entries.
        """
        if "gf2" not in self.facts["domains"] or a.dtype != np.uint64 or b.dtype != np.uint64:
            raise TypeError("multiply_packed takes uint64 words, and a scheme over GF(2)")
        if a.ndim != 2 or b.ndim != 2 or b.shape[0] != 64 * a.shape[1]:
            raise ValueError(f"shapes {a.shape} and {b.shape}: b must have 64 rows for each word of a row of a")
        result = np.empty((a.shape[0], b.shape[1]), np.uint64)
        a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
        options = {"mode": MODES[mode], "levels": levels, "threads": threads, "pad": 1}
        self._request("gf2", a, b, result, options, None)
        return result

    def _request(
        self, suffix: str, a: Array, b: Array, c: Array, options: dict[str, int], workspace: Any, ring: Any = None
    ) -> None:
        self._library.run(self._prepared(suffix, a, b, c, options, ring or NO_RING), workspace)

    def _prepared(
        self, suffix: str, a: Array, b: Array, c: Array, options: dict[str, int], ring: dict[str, Any]
    ) -> _Request:
        values: dict[str, Any] = dict(options) | ring
        inverses = ring["denominators"]
        values["denominators"] = None if inverses is None else inverses.ctypes.data
        values |= {"domain": self.facts["domains"].index(suffix), "m": a.shape[0], "k": a.shape[1], "n": b.shape[1]}
        values |= operands(a, b, c) | self._library.functions(suffix, "gemm")
        return _Request(**values)


NO_RING: dict[str, Any] = {"p": 0.0, "chunk": 1, "lazy": 0, "denominators": None}


def residue_ring(
    rows: list[dict[str, Any]], denominators: list[int], p: int, inner: int, options: dict[str, int]
) -> dict[str, Any]:
    """Prove, from the growth of the schemes of a file, that no value reaches 2^53.

    Residues are at most p / 2 + 2 in absolute value, see REDUCE in the C file. Sums of the last pass may be of
    unreduced products; in the other modes a residue is added to one.
    """
    growth = {side: max(level["growth"][side] for level in rows) for side in ("left", "right", "out")}
    half = p // 2 + 2
    if not 2 < p < 2**26 or pow(2, p - 1, p) != 1:
        raise ValueError(f"modulus {p}: give an odd prime below 2**26")
    if any(d % p == 0 for d in denominators):
        raise TypeError(f"the scheme divides by a multiple of {p}")
    chunk = (_EXACT - 1 - half) // half**2
    sums = max(growth["left"], growth["right"], 2 * growth["out"]) * half
    if chunk < 1 or sums >= _EXACT:
        raise OverflowError(f"sums modulo {p} are not proven to stay below 2**53; take a smaller modulus")
    leaf = min(chunk, max(1, inner)) * half**2
    lazy = options["mode"] == MODES["streaming"] and options["levels"] > 0 and growth["out"] * leaf < _EXACT
    inverses = np.array([pow(d, -1, p) for d in denominators], np.float64)
    inverses[inverses > p // 2] -= p
    return {"p": float(p), "chunk": chunk, "lazy": int(lazy), "denominators": inverses}


def _fits(out: Array, a: Array, b: Array) -> bool:
    """Tell whether the result can be written where the caller wants it; if not, it is written apart and copied."""
    return (
        out.shape == (a.shape[0], b.shape[1])
        and out.dtype == a.dtype
        and all(step % out.itemsize == 0 and step > 0 for step in out.strides)
        and not np.may_share_memory(out, a)
        and not np.may_share_memory(out, b)
    )


def largest(x: Array) -> int:
    """Return the largest absolute value of integers."""
    return max(abs(int(x.max())), abs(int(x.min()))) if x.size else 0


def centred(x: Array, p: int) -> Array:
    """Return residues of least size; entries that are residues already are not divided."""
    known = x.dtype.kind == "b" or not x.size or (int(x.min()) >= 0 and int(x.max()) < p)
    residues = (x if known else x % p).astype(np.float64)
    return np.subtract(residues, p, out=residues, where=residues > p // 2)


def _packed(x: Array) -> Array:
    columns = -(-x.shape[1] // 64) * 64
    padded = np.zeros((x.shape[0], columns), np.uint8)
    padded[:, : x.shape[1]] = x
    return np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)
