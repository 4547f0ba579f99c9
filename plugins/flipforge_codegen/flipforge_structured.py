"""Products of structured matrices by exported schemes: triangular, symmetric and skew operands, X times its transpose.

The tables of a scheme are in the module that imports this one. Needs NumPy and flipforge_triangles.py, nothing else.

How blocks keep their structure:

* Blocks on the diagonal of a triangular matrix are triangular, the others are general: a product whose factor combines
  diagonal blocks only is a product of the same kind again, the others are general.
* Of a symmetric matrix, block (j, i) is the transpose of block (i, j), which a scheme for entries cannot know. Block
  (i, j) = B is written as a symmetric one, its upper triangle mirrored, plus a rest N below the diagonal, strictly
  lower triangular. The scheme runs on symmetric blocks, so that all its products are symmetric times general; N and
  its transpose are multiplied on their own, which costs half a general product each. No halves are needed, so this
  holds over every ring (cf. E. Solomonik and J. Demmel, "Fast bilinear algorithms for symmetric tensor contractions").
* Blocks (i, j) and (j, i) of a skew matrix are B and minus its transpose: the same, with signs; its diagonal blocks
  are skew again.
* In X times its transpose, a product whose two factors are equal is one again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge_codegen.flipforge_triangles import clean, mirrored, pack, padded, symmetric, unpack

__all__ = ["StructuredProduct", "clean", "pack", "symm", "syrk", "trmm", "unpack"]

Array = npt.NDArray[Any]
Terms = Sequence[tuple[int, int]]
Multiply = Callable[..., Array]


@dataclass(frozen=True)
class StructuredProduct:
    """A scheme for a structured product of n x m by m x p blocks.

    Attributes
    ----------
    code
        Two letters of g u l s k, or one with t for the transpose of the other.
    left, right
        (row, column, coordinate, sign) of every block of an operand that is not zero.
    u, v
        Terms (coefficient, coordinate) of the factors of each product.
    outputs
        (row, column, terms, denominator) of every block of the result that the scheme gives.
    modulus
        0, or the prime that the scheme holds modulo.
    """

    code: str
    dims: tuple[int, int, int]
    left: Sequence[tuple[int, int, int, int]] = field(repr=False)
    right: Sequence[tuple[int, int, int, int]] = field(repr=False)
    u: Sequence[Terms] = field(repr=False)
    v: Sequence[Terms] = field(repr=False)
    outputs: Sequence[tuple[int, int, Terms, int]] = field(repr=False)
    modulus: int = 0

    def multiply(
        self,
        a: Array,
        b: Array | None = None,
        *,
        depth: int = 1,
        general: Multiply = np.matmul,
        gram: Callable[[Array, Array], object] | None = None,
        others: "Mapping[str, StructuredProduct] | None" = None,
    ) -> Array:
        """Return the product as a full matrix.

        Parameters
        ----------
        a, b
            The operands; of a structured one, entries that its structure implies are not read. Of X times its
            transpose only ``a`` = X is given.
        depth
            Levels of recursion.
        general
            ``general(x, y, out=...)`` multiplies two general matrices.
        gram
            ``gram(x, out)`` writes the upper triangle of x times its transpose; ``general`` unless given.
        others
            Products to recurse into, by code, beside this one.

        Raises
        ------
        TypeError
            The dtype cannot carry the scheme.
        OverflowError
            The result of integers of fixed width is not proven to fit; sums on the way may wrap, which does no harm.
        ValueError
            Shapes that do not fit.
        """
        letters = self.code.replace("t", "")
        operands = [a] if b is None else [a, b]
        if len(operands) != len(letters):
            raise ValueError(f"{self.code} takes {len(letters)} operands, not {len(operands)}")
        for letter, x in zip(letters, operands, strict=True):
            if x.ndim != 2 or (letter != "g" and x.shape[0] != x.shape[1]):
                raise ValueError(f"shape {x.shape}: an operand {letter!r} is a matrix, square where it is structured")
            if x.dtype.kind not in ("iO" if self.modulus else "ifO"):
                raise TypeError(f"{x.dtype}: give {'integers' if self.modulus else 'floats, integers or objects'}")
            if x.dtype.kind == "i" and any(d > 1 for *_, d in self.outputs):
                raise TypeError(f"the scheme divides, {x.dtype} cannot; give floats or fractions")
        if b is not None and a.shape[1] != b.shape[0]:
            raise ValueError(f"shapes {a.shape} and {b.shape} have no product")
        whole = [self._reduced(clean(x, letter)) for letter, x in zip(letters, operands, strict=True)]
        _must_fit(whole[0], whole[-1], whole[0].shape[0 if self.code[0] == "t" else 1])
        run = _Run(general, gram, dict(others or {}) | {self.code: self})
        return run.product(self.code, whole, depth, None)

    def _reduced(self, x: Array) -> Array:
        return x % self.modulus if self.modulus else x


@dataclass(frozen=True)
class _Run:
    """One call: what multiplies, and the schemes there are."""

    general: Multiply
    gram: Callable[[Array, Array], object] | None
    schemes: Mapping[str, StructuredProduct]

    def product(self, code: str, operands: list[Array], depth: int, out: Array | None) -> Array:
        """Multiply operands that are clean: by the scheme of the code where there is one, in general otherwise."""
        scheme = self.schemes.get(code)
        if "t" in code:
            x = operands[0] if code[1] == "t" else operands[0].T
            shape, left, right = (x.shape[0], x.shape[0]), x, x.T
        else:
            left, right = operands
            shape = left.shape[0], right.shape[1]
        sizes = (shape[0], left.shape[1], shape[1])
        if scheme is None or depth < 1 or any(size < d for size, d in zip(sizes, scheme.dims, strict=True)):
            return self._whole(code, left, right, out)
        rounded = [-(-size // d) * d for size, d in zip(sizes, scheme.dims, strict=True)]
        if list(sizes) == rounded:
            return self._by_scheme(scheme, left, right, depth, out)
        result = self._by_scheme(scheme, padded(left, rounded[:2]), padded(right, rounded[1:]), depth, None)
        result = result[: shape[0], : shape[1]]
        return result if out is None else _into(out, result)

    def _whole(self, code: str, left: Array, right: Array, out: Array | None) -> Array:
        p = next(iter(self.schemes.values())).modulus
        if "t" in code and self.gram is not None and not p:
            result = np.empty((len(left), len(left)), left.dtype) if out is None else out
            self.gram(left, result)
            return mirrored(result)
        result = self.general(left, right) if out is None or p else self.general(left, right, out=out)
        result = result % p if p else result
        return result if out is None else _into(out, result)

    def _by_scheme(self, s: StructuredProduct, left: Array, right: Array, depth: int, out: Array | None) -> Array:
        (n, _, p), code = s.dims, s.code
        rows, cols = left.shape[0] // n, right.shape[1] // p
        result = np.empty((left.shape[0], right.shape[1]), left.dtype) if out is None else out
        if "t" in code:
            # Coordinates are those of X: as it stands for X times its transpose, transposed for the other order.
            cells = s.left if code[1] == "t" else s.right
            x = left if code[1] == "t" else right
            blocks_a = blocks_b = _blocks(x, cells, _grid(s, code[1] == "t"), code.strip("t"))
            diagonal_a = diagonal_b = _diagonal(cells, code.strip("t"))
        else:
            blocks_a = _blocks(left, s.left, (s.dims[0], s.dims[1]), code[0])
            blocks_b = _blocks(right, s.right, (s.dims[1], s.dims[2]), code[1])
            diagonal_a, diagonal_b = _diagonal(s.left, code[0]), _diagonal(s.right, code[1])
        alone = self._alone(s, result, rows, cols)
        products = []
        for number, (u, v) in enumerate(zip(s.u, s.v, strict=True)):
            kinds = _kind(code[0], u, diagonal_a), _kind(code[1], v, diagonal_b)
            x, y = _sum(u, blocks_a, s.modulus), _sum(v, blocks_b, s.modulus)
            products.append(self._one(code, kinds, list(u) == list(v), x, y, depth - 1, alone.get(number)))
        self._outputs(s, products, result, rows, cols)
        if code[0] in "sk":
            self._rests(s, left, right, result, depth, transposed=False)
        elif code[1] in "sk":
            self._rests(s, right.T, left.T, result.T, depth, transposed=True)
        if s.modulus:
            np.remainder(result, s.modulus, out=result)
        return result

    def _one(
        self, code: str, kinds: tuple[str, str], own: bool, x: Array, y: Array, depth: int, out: Array | None
    ) -> Array:
        """Multiply the factors of one product: a product of the same kind, of another kind, or a general one."""
        if "t" not in code:
            return self.product("".join(kinds), [x, y], depth, out)
        if own:
            inner = kinds[0] if code[1] == "t" else kinds[1]
            return self.product(f"{inner}t" if code[1] == "t" else f"t{inner}", [x], depth, out)
        return self._whole("gg", x, y.T, out) if code[1] == "t" else self._whole("gg", x.T, y, out)

    def _alone(self, s: StructuredProduct, result: Array, rows: int, cols: int) -> dict[int, Array]:
        """Return where products go that are a block of the result and nothing else."""
        uses = [place for *_, terms, _ in s.outputs for _, place in terms]
        return {
            terms[0][1]: result[i * rows : (i + 1) * rows, k * cols : (k + 1) * cols]
            for i, k, terms, denominator in s.outputs
            if len(terms) == 1 and terms[0][0] == denominator == 1 and uses.count(terms[0][1]) == 1
        }

    def _outputs(self, s: StructuredProduct, products: list[Array], result: Array, rows: int, cols: int) -> None:
        given = set()
        for i, k, terms, denominator in s.outputs:
            cell = result[i * rows : (i + 1) * rows, k * cols : (k + 1) * cols]
            given.add((i, k))
            if terms and np.shares_memory(products[terms[0][1]], cell):
                continue  # written there already
            total = _sum(terms, products, s.modulus) if terms else np.zeros_like(cell)
            cell[...] = total / denominator if denominator > 1 else total
        for i in range(s.dims[0]):
            for k in range(s.dims[2]):
                if (i, k) not in given:
                    cell = result[i * rows : (i + 1) * rows, k * cols : (k + 1) * cols]
                    mirror = result[k * cols : (k + 1) * cols, i * rows : (i + 1) * rows].T if "t" in s.code else 0
                    cell[...] = mirror

    def _rests(self, s: StructuredProduct, a: Array, b: Array, result: Array, depth: int, *, transposed: bool) -> None:
        """Add what the symmetric blocks left out: strictly lower rests, and skew blocks of the diagonal."""
        skew = "k" in s.code
        count = s.dims[2] if transposed else s.dims[0]
        size = len(a) // count
        cuts = [slice(i * size, (i + 1) * size) for i in range(count)]
        for i in range(count):
            if skew:
                code = "gk" if transposed else "kg"
                # A skew matrix on the right is minus its transpose on the left, and so is the product.
                pair = [b[cuts[i]].T, a[cuts[i], cuts[i]].T] if transposed else [a[cuts[i], cuts[i]], b[cuts[i]]]
                part = self.product(code, pair, depth - 1, None)
                result[cuts[i]] += part.T if transposed else part
            for j in range(i + 1, count):
                block = a[cuts[i], cuts[j]]
                rest = np.tril(block - symmetric(block), -1)
                result[cuts[i]] += self.product("lg", [rest, b[cuts[j]]], depth - 1, None)
                other = self.product("ug", [rest.T, b[cuts[i]]], depth - 1, None)
                result[cuts[j]] += -other if skew else other


def syrk(
    product: StructuredProduct,
    a: Array,
    *,
    trans: str = "N",
    uplo: str = "U",
    alpha: Any = 1,
    beta: Any = 0,
    c: Array | None = None,
    packed: bool = False,
    **options: Any,
) -> Array:
    """Return alpha A A^T + beta C, or alpha A^T A + beta C for trans "T", by a product of code gt.

    Parameters
    ----------
    uplo
        The triangle that is returned, with zeros in the other: "U" or "L".
    c
        A matrix, or packed, as the result; only that triangle of it is read.
    packed
        Return the triangle row by row.
    options
        Of `StructuredProduct.multiply`.
    """
    _needs(product, "gt")
    full = alpha * product.multiply(a if trans == "N" else a.T, **options)
    if c is not None and beta:
        full = full + beta * (unpack(c, "l" if uplo == "L" else "u") if c.ndim == 1 else c)
    return pack(full, lower=uplo == "L") if packed else clean(full, "l" if uplo == "L" else "u")


def trmm(
    product: StructuredProduct, a: Array, b: Array, *, side: str = "L", uplo: str = "U", alpha: Any = 1, **options: Any
) -> Array:
    """Return alpha A B, or alpha B A for side "R", with A triangular, full or packed, by a product of code ug.

    A lower triangle is an upper one with rows and columns in the other order; B A is the transpose of A^T B^T.
    """
    _needs(product, "ug")
    t = unpack(a, "l" if uplo == "L" else "u") if a.ndim == 1 else a
    lower = uplo == "L"
    x = b
    if side == "R":
        t, x, lower = t.T, b.T, not lower
    result = product.multiply(t[::-1, ::-1], x[::-1], **options)[::-1] if lower else product.multiply(t, x, **options)
    return np.asarray(alpha * (result.T if side == "R" else result))


def symm(
    product: StructuredProduct,
    a: Array,
    b: Array,
    *,
    side: str = "L",
    uplo: str = "U",
    alpha: Any = 1,
    beta: Any = 0,
    c: Array | None = None,
    **options: Any,
) -> Array:
    """Return alpha A B + beta C, or alpha B A + beta C for side "R", with A symmetric, by a product of code sg.

    Only the triangle ``uplo`` of A is read; a packed one is taken too. With code kg A is skew.
    """
    _needs(product, "sg", "kg")
    s = unpack(a, "l" if uplo == "L" else "u") if a.ndim == 1 else a
    skew = product.code == "kg"
    sign = -1 if skew and (uplo == "L") != (side == "R") else 1
    s = s.T if uplo == "L" else s
    result = product.multiply(s, b if side == "L" else b.T, **options)
    result = sign * alpha * (result if side == "L" else result.T)
    return np.asarray(result if c is None or not beta else result + beta * c)


def _needs(product: StructuredProduct, *codes: str) -> None:
    if product.code not in codes:
        raise ValueError(f"this product has code {product.code}, {' or '.join(codes)} is needed")


def _must_fit(a: Array, b: Array, inner: int) -> None:
    if a.dtype.kind != "i" or not a.size or not b.size:
        return
    sizes = [max(abs(int(x.max())), abs(int(x.min()))) for x in (a, b)]
    if sizes[0] * sizes[1] * inner > np.iinfo(np.result_type(a, b)).max:
        raise OverflowError(
            f"entries up to {sizes[0]} and {sizes[1]} in sums of {inner} may exceed {a.dtype}; "
            "give a wider type, or objects"
        )


def _grid(s: StructuredProduct, by_rows: bool) -> tuple[int, int]:
    return (s.dims[0], s.dims[1]) if by_rows else (s.dims[1], s.dims[2])


def _blocks(x: Array, cells: Sequence[tuple[int, int, int, int]], grid: tuple[int, int], letter: str) -> list[Array]:
    """Return a block for each coordinate; symmetric ones stand for blocks off the diagonal of symmetric matrices."""
    rows, cols = x.shape[0] // grid[0], x.shape[1] // grid[1]
    found: dict[int, Array] = {}
    for i, j, coordinate, _ in cells:
        if coordinate not in found:
            block = x[i * rows : (i + 1) * rows, j * cols : (j + 1) * cols]
            found[coordinate] = symmetric(block) if letter in "sk" else block
    return [found[coordinate] for coordinate in range(len(found))]


def _diagonal(cells: Sequence[tuple[int, int, int, int]], letter: str) -> frozenset[int]:
    """Return the coordinates whose blocks are triangular like the whole."""
    return frozenset(c for i, j, c, _ in cells if i == j) if letter in ("u", "l") else frozenset()


def _kind(letter: str, terms: Terms, diagonal: frozenset[int]) -> str:
    if letter in "sk":
        return "s"
    return letter if letter in "ul" and all(coordinate in diagonal for _, coordinate in terms) else "g"


def _sum(terms: Terms, blocks: Sequence[Array], modulus: int) -> Array:
    """Return a combination of blocks; one block with coefficient 1 as it is."""
    (first, place), *others = terms
    total = blocks[place] if first == 1 else first * blocks[place]
    for coefficient, place in others:
        x = blocks[place]
        total = total + x if coefficient == 1 else total - x if coefficient == -1 else total + coefficient * x
    return np.asarray(total % modulus if modulus else total)


def _into(out: Array, result: Array) -> Array:
    out[...] = result
    return out
