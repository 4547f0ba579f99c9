"""Running an exported structured product against exact references."""

import importlib.util
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.plugins import Check
from flipforge.problems import ProductCode
from flipforge.schemes import Scheme
from flipforge_codegen._exactness import MismatchError, checked
from flipforge_codegen.flipforge_structured import StructuredProduct, clean, pack, symm, syrk, trmm

__all__ = ["run_checks"]

Array = npt.NDArray[Any]


def run_checks(scheme: Scheme, path: Path) -> list[Check]:
    """Import the module at ``path`` and run every check that its code calls for."""
    try:
        run = _Run(_load(path).PRODUCT, scheme)
    except (Exception, SystemExit) as error:
        return [Check("import", False, f"{type(error).__name__}: {' '.join(str(error).split())}")]
    return [Check("import", True, path.name), *run.checks()]


class _Run:
    """The checks of one product; references are full matrices of Python integers."""

    def __init__(self, product: StructuredProduct, scheme: Scheme) -> None:
        self.product = product
        self.scheme = scheme
        self.code = str(ProductCode.of(scheme.problem))
        self.random = np.random.default_rng(7)

    def checks(self) -> Iterator[Check]:
        yield checked("unit pairs", self.unit_pairs)
        for depth in (1, 2):
            yield checked(f"exact, depth {depth}", partial(self.exact, depth))
        if self.code in ("gt", "ug", "sg", "kg"):
            yield checked("signatures", self.signatures)

    def unit_pairs(self) -> str:
        """Run all pairs of unit operands with blocks of size 2, which do not commute."""
        n, m, p = (2 * d for d in self.scheme.problem.dims)
        count = 0
        shapes = [(n, m)] if self.code[1] == "t" else [(m, p)] if self.code[0] == "t" else [(n, m), (m, p)]
        if len(shapes) == 1:
            # X X^T is quadratic: sums of two units decide it, as its value at a unit and at a sum of two does.
            units = list(np.ndindex(*shapes[0]))
            for first in units:
                for second in units[: units.index(first) + 1]:
                    x = np.zeros(shapes[0], np.int64)
                    x[first] = x[second] = 1
                    self._compare([x], 1, f"units {first} and {second}")
                    count += 1
        else:
            for first in np.ndindex(*shapes[0]):
                for second in np.ndindex(*shapes[1]):
                    x, y = np.zeros(shapes[0], np.int64), np.zeros(shapes[1], np.int64)
                    x[first] = y[second] = 1
                    self._compare([x, y], 1, f"units {first} and {second}")
                    count += 1
        return f"all {count} pairs with blocks of 2 x 2, each entry equal"

    def exact(self, depth: int) -> str:
        n, m, p = (d**depth for d in self.scheme.problem.dims)
        sizes = [
            (2 * n, 2 * m, 2 * p),
            (2 * n - 1, 2 * m - 1, 2 * p - 1),
            (2 * n + 1, 3 * m + 1, 2 * p + 1),
            (2 * n, 1, p),
        ]
        done = []
        for rows, inner, cols in sizes:
            # The structure ties sizes together.
            size = {
                "left": inner if self.code[0] in "ulsk" else rows,
                "right": inner if self.code[1] in "ulsk" else cols,
            }
            a, b = (size["left"], inner), (inner, size["right"])
            operands = [a] if self.code[1] == "t" else [b] if self.code[0] == "t" else [a, b]
            drawn = [self.random.integers(-9, 9, shape, endpoint=True) for shape in operands]
            self._compare(drawn, depth, f"{operands}")
            done.append("x".join(map(str, (size["left"], inner, size["right"]))))
        return f"{', '.join(done)}, each entry equal"

    def signatures(self) -> str:
        """Compare the functions that BLAS has, with NaN where a triangle is not to be read."""
        n = 2 * self.scheme.problem.dims[0] + 1
        dtype = np.int64 if self.product.modulus else np.float64
        a, b, c = (self.random.integers(-9, 9, (n, n)).astype(dtype) for _ in range(3))
        p = self.product.modulus
        if self.code == "gt":
            for trans, uplo in (("N", "U"), ("T", "L")):
                lower = uplo == "L"
                whole = 2 * self._mod(a @ a.T if trans == "N" else a.T @ a) + 3 * c
                wanted = clean(whole, "l" if lower else "u")
                full = syrk(self.product, a, trans=trans, uplo=uplo, alpha=2, beta=3, c=c)
                self._equal(full, wanted, f"syrk {trans} {uplo}")
                kept = pack(c, lower=lower)
                full = syrk(self.product, a, trans=trans, uplo=uplo, alpha=2, beta=3, c=kept, packed=True)
                self._equal(full, pack(wanted, lower=lower), f"syrk {trans} {uplo}, packed")
            return "syrk N U and T L, full and packed"
        function, letter = (trmm, "u") if self.code == "ug" else (symm, self.code[0])
        for side in "LR":
            for uplo in "UL":
                lower = uplo == "L"
                if letter == "u":
                    whole = clean(a, "l" if lower else "u")
                else:
                    whole = clean(a.T, letter) if lower else clean(a, letter)
                    whole = -whole if lower and letter == "k" else whole
                hidden = a.astype(float) if not p else a.copy()
                hidden[np.triu_indices(n, 1) if lower else np.tril_indices(n, -1)] = 55 if p else np.nan
                wanted = self._mod(whole @ b if side == "L" else b @ whole)
                for given in (hidden, pack(a, lower=lower)):
                    result = self._mod(function(self.product, given, b, side=side, uplo=uplo))
                    self._equal(result, wanted, f"{function.__name__} side {side} uplo {uplo} {given.ndim}-d")
        return (
            f"{function.__name__} with every side and triangle, full and packed; NaN in the other triangle is not read"
        )

    def _mod(self, x: Array) -> Array:
        return np.asarray(x % self.product.modulus) if self.product.modulus else x

    def _compare(self, operands: list[Array], depth: int, where: str) -> None:
        letters = self.code.replace("t", "")
        whole = [clean(x, letter).astype(object) for x, letter in zip(operands, letters, strict=True)]
        if "t" in self.code:
            wanted = whole[0] @ whole[0].T if self.code[1] == "t" else whole[0].T @ whole[0]
        else:
            wanted = whole[0] @ whole[1]
        kept = [x.copy() for x in operands]
        for x in operands:
            x.flags.writeable = False
        self._equal(self.product.multiply(*operands, depth=depth), self._mod(wanted), where)
        if any((x != y).any() for x, y in zip(operands, kept, strict=True)):
            raise MismatchError(f"{where}: an operand was written to")

    def _equal(self, result: Array, wanted: Array, where: str) -> None:
        wrong = int(np.count_nonzero(result != wanted)) if result.shape == wanted.shape else wanted.size
        if wrong:
            raise MismatchError(f"{where}: {wrong} of {wanted.size} entries are wrong")


def _load(path: Path) -> ModuleType:
    """Run the text that is there, with the files beside it under the names that the text imports."""
    names = ("flipforge_triangles", "flipforge_structured", path.stem)
    kept = {name: sys.modules.get(name) for name in names}
    try:
        for name in names:
            spec = importlib.util.spec_from_file_location(name, path.with_name(f"{name}.py"))
            if spec is None:
                raise ImportError(f"{path} cannot be loaded")
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            exec(compile(path.with_name(f"{name}.py").read_text(encoding="utf-8"), name, "exec"), module.__dict__)
    finally:
        for name, before in kept.items():
            sys.modules.pop(name, None)
            if before is not None:
                sys.modules[name] = before
    return module
