"""Calls C files of structured products that flipforge exported, with the signatures of BLAS: syrk, trmm, symm.

>>> kernel = load_structured("structured_4x4x4_r34_0123456789ab.c")                             # doctest: +SKIP
>>> c = kernel.syrk(a, uplo="L")                                                               # doctest: +SKIP
"""

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge_codegen.flipforge_build import Library, operands
from flipforge_codegen.flipforge_c import MODES, NO_RING, PADS, SUFFIXES, centred, largest, residue_ring

__all__ = ["StructuredKernel", "load_structured"]

Array = npt.NDArray[Any]

_TURNED = {"u": "l", "l": "u"}


def load_structured(path: str | Path, *, cache_dir: str | Path | None = None, blas: bool = True) -> "StructuredKernel":
    """Build a C file of structured products, once for each text and compiler, and load it.

    Raises
    ------
    BuildError
        There is no C compiler, or it refused the file; the message says what to install.
    """
    return StructuredKernel(Library(path, cache_dir, blas=blas))


class _Request(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int64) for name in ("domain", "mode", "levels", "general_levels", "threads", "pad")),
        *((name, ctypes.c_int64) for name in ("left", "right", "m", "k", "n")),
        *((name, ctypes.c_void_p) for name in ("a", "b", "c")),
        *((name, ctypes.c_int64) for name in ("a_rs", "a_cs", "b_rs", "b_cs", "c_rs", "c_cs")),
        *((name, ctypes.c_void_p) for name in ("workspace", "gemm", "syrk", "trmm", "symm")),
        ("blas_int", ctypes.c_int64),
        ("p", ctypes.c_double),
        ("chunk", ctypes.c_int64),
        ("denominators", ctypes.c_void_p),
    )


class StructuredKernel:
    """Products of triangular, symmetric and skew matrices, and of a matrix and its transpose.

    Each product recurses into the same and other products as its scheme says; those that the file has no scheme for are
    made by BLAS, or by the file's own loops.

    Attributes
    ----------
    facts
        What the file says of its schemes: ``structured`` lists them with their codes, ``levels`` those of general
        products, one for each level of these.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self.facts = library.facts

    def multiply(
        self,
        a: Array,
        b: Array | None = None,
        *,
        code: str | None = None,
        out: Array | None = None,
        modulus: int | None = None,
        workspace: npt.NDArray[np.uint8] | None = None,
        **options: Any,
    ) -> Array:
        """Return the product of two matrices, or of one and its transpose, of which the upper triangle is written.

        Parameters
        ----------
        a, b
            Matrices of one dtype: float32, float64, int32, int64; integers modulo p. Of a triangular one the other
            triangle is not read, of a symmetric or skew one nothing below the diagonal is.
        code
            Letters of both operands (g, u, l, s, k; t for the transpose); that of the file's first scheme unless given.
        out
            Takes the result; must not overlap the operands.
        modulus
            Compute modulo this prime: the result is int64 residues.
        workspace
            Bytes to work in, as many as `workspace` says; kept from call to call unless given.
        options
            ``levels`` of structured products (1), ``general_levels`` of the general products among them (0, or 1 for
            each scheme the file has for these), ``mode`` of these ("streaming" or "products"), ``pad``, ``threads``.

        Raises
        ------
        TypeError
            The schemes cannot carry the dtype.
        OverflowError
            The result is not proven to fit.
        ValueError
            Shapes, options, a product that the file has no scheme for, or too small a workspace.
        """
        asked = code or str(self.facts["structured"][0]["code"])
        p = self.facts["modulus"] or modulus
        if modulus is not None and modulus != p:
            raise TypeError(f"the schemes hold modulo {p} only, not modulo {modulus}")
        shape = self._shape(asked, a, b)
        if p:
            return self._modulo(asked, a, b, shape, int(p), out, workspace, options)
        if a.dtype.name not in SUFFIXES or (b is not None and a.dtype != b.dtype):
            raise TypeError(f"{a.dtype}: give matrices of one of float32, float64, int32, int64")
        suffix = SUFFIXES[a.dtype.name]
        odd = a.dtype.kind == "f" and any(d & (d - 1) for d in self.facts["denominators"])
        if odd or suffix not in self.facts["domains"]:
            raise TypeError(f"the schemes' coefficients are not exact in {a.dtype}; give a modulus")
        if a.dtype.kind == "i":
            self._fits(a, a if b is None else b)
        result = np.zeros(shape, a.dtype) if out is None else out
        if result.shape != shape or result.dtype != a.dtype:
            raise ValueError(f"out is {result.dtype} {result.shape}, the result {a.dtype} {shape}")
        if any(np.may_share_memory(result, x) for x in (a, b) if x is not None):
            raise ValueError("out overlaps an operand; give another array")
        self._into(suffix, asked, a, b, result, options, NO_RING, workspace)
        return result

    def syrk(
        self,
        a: Array,
        c: Array | None = None,
        *,
        trans: str = "N",
        uplo: str = "U",
        alpha: Any = 1,
        beta: Any = 0,
        packed: bool = False,
        **options: Any,
    ) -> Array:
        """Write alpha A A^T + beta C, or alpha A^T A + beta C for trans "T", to a triangle of C, and return that.

        Parameters
        ----------
        c
            A matrix, or its triangle row by row where ``packed``; zeros unless given. The other triangle stays.
        options
            Of `multiply`.
        """
        self._known("gt")
        _choice(trans, "NT")
        _choice(uplo, "UL")
        x = a if trans == "N" else a.T
        n, lower = len(x), uplo == "L"
        kind = np.dtype(np.int64) if self.facts["modulus"] or options.get("modulus") else a.dtype
        target = np.zeros(n * (n + 1) // 2 if packed else (n, n), kind) if c is None else c
        whole = target if _whole(target, alpha, beta, packed) else np.zeros((n, n), kind)
        self.multiply(x, code="gt", out=whole.T if lower else whole, **options)
        if whole is target:
            return target
        half = np.tril_indices(n) if lower else np.triu_indices(n)
        place: Any = slice(None) if packed else half
        target[place] = self._sum(whole[half], alpha, target[place], beta, options)
        return target

    def trmm(self, a: Array, b: Array, *, side: str = "L", uplo: str = "U", alpha: Any = 1, **options: Any) -> Array:
        """Return alpha A B, or alpha B A for side "R", with A triangular, full or packed row by row."""
        self._known("ug", "lg", "gu", "gl")
        _choice(side, "LR")
        _choice(uplo, "UL")
        letter = uplo.lower()
        t = _unpacked(a, letter) if a.ndim == 1 else a
        pair, code = ((t, b), f"{letter}g") if side == "L" else ((b, t), f"g{letter}")
        result = self.multiply(*pair, code=code, **options)
        return result if alpha == 1 else self._sum(result, alpha, result, 0, options)

    def symm(
        self,
        a: Array,
        b: Array,
        c: Array | None = None,
        *,
        side: str = "L",
        uplo: str = "U",
        alpha: Any = 1,
        beta: Any = 0,
        skew: bool = False,
        **options: Any,
    ) -> Array:
        """Write alpha A B + beta C, or alpha B A + beta C for side "R", to C and return it; A is symmetric or skew.

        Only the triangle ``uplo`` of A is read; one packed row by row is taken too.
        """
        letter = "k" if skew else "s"
        self._known(f"{letter}g")
        _choice(side, "LR")
        _choice(uplo, "UL")
        s = _unpacked(a, uplo.lower()) if a.ndim == 1 else a
        # The transpose of a lower triangle is an upper one: of a symmetric matrix, or of minus a skew one.
        s, sign = (s.T, -1 if skew else 1) if uplo == "L" else (s, 1)
        pair, code = ((s, b), f"{letter}g") if side == "L" else ((b, s), f"g{letter}")
        if c is not None and alpha * sign == 1 and not beta and not options.get("modulus"):
            return self.multiply(*pair, code=code, out=c, **options)
        result = self.multiply(*pair, code=code, **options)
        target = np.zeros_like(result) if c is None else c
        target[...] = self._sum(result, alpha * sign, target, beta, options)
        return target

    def workspace(self, a: Array, b: Array | None = None, *, code: str | None = None, **options: Any) -> int:
        """Return the bytes that `multiply` works in for these matrices."""
        asked = code or str(self.facts["structured"][0]["code"])
        out = np.empty(self._shape(asked, a, b), a.dtype)
        return self._library.workspace(self._request(SUFFIXES[a.dtype.name], asked, a, b, out, options, NO_RING))

    def _known(self, *codes: str) -> None:
        have = [row["code"] for row in self.facts["structured"]]
        if not set(codes) & set(have):
            raise ValueError(f"this file has schemes for {', '.join(have)}; {' or '.join(codes)} is needed")

    def _shape(self, code: str, a: Array, b: Array | None) -> tuple[int, int]:
        x, y = code[:1], code[1:]
        have = [row["code"] for row in self.facts["structured"]]
        # The transpose of the product, the product with rows and columns in the other order, and both.
        alike = {code, _turned(y) + _turned(x), _turned(x) + _turned(y), y + x}
        if not ({code} if y == "t" else alike) & set(have):
            raise ValueError(f"this file has schemes for {', '.join(have)}, not for {code}")
        if (b is None) != (y == "t"):
            raise ValueError(f"{code} takes {1 if y == 't' else 2} operands")
        for letter, matrix in ((x, a), *(((y, b),) if b is not None else ())):
            if matrix.ndim != 2 or (letter != "g" and matrix.shape[0] != matrix.shape[1]):
                raise ValueError(f"shape {matrix.shape}: an operand {letter!r} is a matrix, square where structured")
        if b is not None and a.shape[1] != b.shape[0]:
            raise ValueError(f"shapes {a.shape} and {b.shape} have no product")
        return a.shape[0], a.shape[0] if b is None else b.shape[1]

    def _fits(self, a: Array, b: Array) -> None:
        sizes = largest(a), largest(b)
        if sizes[0] * sizes[1] * a.shape[1] > np.iinfo(a.dtype).max:
            raise OverflowError(
                f"entries up to {sizes[0]} and {sizes[1]} in sums of {a.shape[1]} may exceed {a.dtype}; "
                "give a wider type"
            )

    def _sum(self, x: Array, alpha: Any, y: Array, beta: Any, options: dict[str, Any]) -> Array:
        """Return alpha x + beta y, proven to fit where they are integers."""
        p = self.facts["modulus"] or options.get("modulus")
        if p:
            return np.asarray((x.astype(object) * alpha + (y.astype(object) * beta if beta else 0)) % p, np.int64)
        if x.dtype.kind == "i" and abs(alpha) * largest(x) + abs(beta) * largest(y) > np.iinfo(x.dtype).max:
            raise OverflowError(f"alpha and beta take the result beyond {x.dtype}; give a wider type")
        return np.asarray(alpha * x + beta * y if beta else alpha * x, x.dtype)

    def _modulo(
        self, code: str, a: Array, b: Array | None, shape: tuple[int, int], p: int, out: Any, space: Any, options: Any
    ) -> Array:
        if a.dtype.kind not in "iub" or (b is not None and b.dtype.kind not in "iub"):
            raise TypeError(f"{a.dtype}: computing modulo {p} takes integers")
        if "mod" not in self.facts["domains"]:
            raise TypeError(f"the schemes' coefficients are too large to compute modulo {p}")
        rows = self.facts["structured"] + self.facts["levels"]
        chosen = {"mode": MODES["products"], "levels": 0}  # every product is reduced
        ring = residue_ring(rows, self.facts["denominators"], p, a.shape[1], chosen)
        real = np.zeros(shape)
        self._into("mod", code, centred(a, p), None if b is None else centred(b, p), real, options, ring, space)
        result = np.asarray(real % p, np.int64)
        if out is None:
            return result
        if out.shape != shape or out.dtype != result.dtype:
            raise ValueError(f"out is {out.dtype} {out.shape}, the result {result.dtype} {shape}")
        half = np.triu_indices(len(out)) if code[1] == "t" else ...
        out[half] = result[half]
        return np.asarray(out)

    def _into(
        self, suffix: str, code: str, a: Array, b: Array | None, out: Array, options: Any, ring: Any, space: Any
    ) -> None:
        (m, n), (down, along) = out.shape, (step // out.itemsize for step in out.strides)
        apart = not (along == 1 and down >= n) and not (down == 1 and along >= m)
        target = out.copy() if apart else out
        self._library.run(self._request(suffix, code, a, b, target, options, ring), space)
        if apart:
            out[...] = target

    def _request(
        self, suffix: str, code: str, a: Array, b: Array | None, out: Array, options: dict[str, Any], ring: Any
    ) -> _Request:
        unknown = set(options) - {"levels", "general_levels", "mode", "pad", "threads"}
        known: dict[str, Any] = {"levels": 1, "general_levels": len(self.facts["levels"]), "threads": 1}
        known |= {"mode": "streaming", "pad": "auto"} | options
        threads = known["threads"]
        if unknown or known["mode"] not in ("streaming", "products") or known["pad"] not in PADS or threads < 1:
            raise ValueError(f"options {options}: see the docstring of multiply")
        if min(known["levels"], known["general_levels"]) < 0:
            raise ValueError(f"options {options}: levels are 0 or more")
        values: dict[str, Any] = {
            "domain": self.facts["domains"].index(suffix), "mode": MODES[known["mode"]], "levels": known["levels"],
            "general_levels": known["general_levels"], "threads": threads, "pad": PADS[known["pad"]],
            "left": ord(code[0]), "right": ord(code[1]), "m": a.shape[0], "k": a.shape[1], "n": out.shape[1],
            "p": ring["p"], "chunk": ring["chunk"],
        }  # fmt: skip
        inverses = ring["denominators"]
        values["denominators"] = None if inverses is None else inverses.ctypes.data
        values |= operands(a, b, out) | self._library.functions(suffix, "gemm", "syrk", "trmm", "symm")
        return _Request(**values)


def _turned(letter: str) -> str:
    return _TURNED.get(letter, letter)


def _whole(target: Array, alpha: Any, beta: Any, packed: bool) -> bool:
    """Tell whether the product is the result, and can be written where it is wanted."""
    return not packed and bool(alpha == 1) and not beta


def _choice(value: str, of: str) -> None:
    if value not in tuple(of):
        raise ValueError(f"{value!r}: give {' or '.join(of)}")


def _unpacked(packed: Array, letter: str) -> Array:
    n = int(((8 * len(packed) + 1) ** 0.5 - 1) / 2)
    if n * (n + 1) // 2 != len(packed):
        raise ValueError(f"{len(packed)} entries are no packed triangle")
    whole = np.zeros((n, n), packed.dtype)
    whole[np.tril_indices(n) if letter == "l" else np.triu_indices(n)] = packed
    return whole
