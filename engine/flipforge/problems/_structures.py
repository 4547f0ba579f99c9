"""Operand structures as parametrisations: which coordinate, and with which sign, an entry of a matrix shows.

A structure is a function from an entry (i, j) to a key and a sign, or to nothing where the matrix is zero; entries
with equal keys are equal up to sign. Keys are numbered in the order of their first entries, row by row, and the first
entry of a coordinate has the sign +1. Bands and blocks are built from other structures.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf
from re import compile as regex
from types import MappingProxyType
from typing import NamedTuple

from flipforge.errors import ProblemError

__all__ = ["STRUCTURE", "Cells", "Structure", "UnfitError", "gram_key", "number", "parse_structure", "product_key"]

Key = Callable[[int, int], tuple[Hashable, int] | None]
Cells = Mapping[tuple[int, int], tuple[int, int]]
"""Coordinate and sign of each entry that is not identically zero."""


class UnfitError(ProblemError):
    """Sizes that no operand of the structure has; a family leaves such members out."""


class _Letter(NamedTuple):
    name: str
    square: bool
    key: Callable[[int, int, int], tuple[Hashable, int] | None]
    lower: float = inf
    upper: float = inf


def _sign(i: int, j: int) -> int:
    return 1 if i <= j else -1


_LETTERS = {
    "g": _Letter("general", False, lambda i, j, _: ((i, j), 1)),
    "u": _Letter("upper triangular", True, lambda i, j, _: ((i, j), 1) if i <= j else None, lower=0),
    "l": _Letter("lower triangular", True, lambda i, j, _: ((i, j), 1) if i >= j else None, upper=0),
    "s": _Letter("symmetric", True, lambda i, j, _: ((min(i, j), max(i, j)), 1)),
    "k": _Letter("skew", True, lambda i, j, _: ((min(i, j), max(i, j)), _sign(i, j)) if i != j else None),
    "w": _Letter("skew with a free diagonal", True, lambda i, j, _: ((min(i, j), max(i, j)), _sign(i, j))),
    "o": _Letter("Toeplitz", False, lambda i, j, _: (j - i, 1)),
    "h": _Letter("Hankel", False, lambda i, j, _: (i + j, 1)),
    "c": _Letter("circulant", True, lambda i, j, size: ((j - i) % size, 1)),
}
_BANDED = "gulskwo"
_PART = rf"[{''.join(_LETTERS)}](?:0|[1-9][0-9]?)?"
STRUCTURE = rf"{_PART}(?:\.(?:[2-9]|[1-9][0-9]){_PART})*"
"""Pattern of a structure's text."""
_FIRST = regex(rf"([{''.join(_LETTERS)}])([0-9]*)(?:\.([0-9]+)(.+))?")


@dataclass(frozen=True)
class Structure:
    """A structure, or blocks of one structure in the places that another gives.

    Attributes
    ----------
    letter
        g general, u upper and l lower triangular, s symmetric, k skew, w skew with a free diagonal, o Toeplitz,
        h Hankel, c circulant.
    band
        Entries with abs(i - j) beyond it are zero; None for no band.
    block, inner
        With ``inner`` each entry of the structure stands for a block of ``block`` x ``block`` entries of the structure
        ``inner``; equal entries are equal blocks, not transposed ones.
    """

    letter: str
    band: int | None = None
    block: int = 1
    inner: "Structure | None" = None

    def __str__(self) -> str:
        band = "" if self.band is None else str(self.band)
        return f"{self.letter}{band}" + (f".{self.block}{self.inner}" if self.inner else "")

    @property
    def is_square(self) -> bool:
        """Whether a matrix of this structure must be square."""
        return _LETTERS[self.letter].square

    @property
    def description(self) -> str:
        """The structure's name in words."""
        name = _LETTERS[self.letter].name
        return f"block {name}" if self.inner else name

    @property
    def outer(self) -> "Structure":
        """The structure of the blocks."""
        return replace(self, block=1, inner=None)

    @property
    def bandwidths(self) -> tuple[float, float]:
        """How far below and above the diagonal entries may be nonzero."""
        letter = _LETTERS[self.letter]
        limit = inf if self.band is None else self.band
        lower, upper = min(letter.lower, limit), min(letter.upper, limit)
        if self.inner is None:
            return lower, upper
        inner = [min(reach, self.block - 1) for reach in self.inner.bandwidths]
        return lower * self.block + inner[0], upper * self.block + inner[1]

    def check(self, rows: int, columns: int) -> None:
        """Refuse sizes that no matrix of this structure has.

        Raises
        ------
        UnfitError
            The structure needs a square matrix, or its blocks do not fill the matrix.
        """
        if self.is_square and rows != columns:
            raise UnfitError(f"{self.description} operands are square, {rows}x{columns} is not")
        if rows % self.block or columns % self.block:
            raise UnfitError(f"blocks of {self.block} do not fill an operand of {rows}x{columns}")

    def key(self, columns: int) -> Key:
        """Return the parametrisation for a matrix of so many columns, before its keys are numbered."""
        of_letter, size, band = _LETTERS[self.letter].key, columns // self.block, self.band

        def outer(i: int, j: int) -> tuple[Hashable, int] | None:
            return of_letter(i, j, size) if band is None or abs(i - j) <= band else None

        return _kronecker(outer, self.inner.key(self.block), self.block) if self.inner else outer

    def cells(self, rows: int, columns: int) -> Cells:
        """Return coordinate and sign of each entry.

        Examples
        --------
        >>> dict(Structure("k").cells(2, 2))
        {(0, 1): (0, 1), (1, 0): (0, -1)}
        """
        return _cells(self, rows, columns)


@lru_cache(maxsize=512)
def _cells(structure: Structure, rows: int, columns: int) -> Cells:
    return number(structure.key(columns), rows, columns)


def number(key: Key, rows: int, columns: int) -> Cells:
    """Number the keys of a parametrisation in the order of their first entries."""
    numbers: dict[Hashable, int] = {}
    cells: dict[tuple[int, int], tuple[int, int]] = {}
    for i in range(rows):
        for j in range(columns):
            if found := key(i, j):
                name, sign = found
                cells[i, j] = (numbers.setdefault(name, len(numbers)), sign)
    return MappingProxyType(cells)


def parse_structure(text: str) -> Structure:
    """Parse a text of the pattern `STRUCTURE`.

    Raises
    ------
    ProblemError
        The structure has no banded form, or blocks within blocks are not smaller.

    Examples
    --------
    >>> parse_structure("u.2s1").inner
    Structure(letter='s', band=1, block=1, inner=None)
    """
    match = _FIRST.fullmatch(text)
    assert match is not None
    letter, band, block, inner = match.groups()
    if band and letter not in _BANDED:
        raise ProblemError(f"{_LETTERS[letter].name} operands have no banded form; write {letter}, not {letter}{band}")
    limit = int(band) if band else None
    if not inner:
        return Structure(letter, limit)
    size, within = int(block), parse_structure(inner)
    if size % within.block or size == within.block:
        raise ProblemError(f"blocks of {within.block} do not divide blocks of {size} into smaller ones")
    return Structure(letter, limit, size, within)


def product_key(left: Structure, right: Structure, columns: int) -> Key:
    """Return the parametrisation of what left times right proves of its result, for so many columns of the result.

    Blocks of one size multiply like entries, circulants give a circulant, and otherwise bandwidths add up.
    """
    if left.inner and right.inner and left.block == right.block:
        size = left.block
        blocks = product_key(left.outer, right.outer, columns // size)
        return _kronecker(blocks, product_key(left.inner, right.inner, size), size)
    if str(left) == str(right) == "c":
        return left.key(columns)
    lower, upper = (a + b for a, b in zip(left.bandwidths, right.bandwidths, strict=True))
    return lambda i, k: ((i, k), 1) if -upper <= i - k <= lower else None


def gram_key(operand: Structure) -> Key:
    """Return the parametrisation of the upper triangle of X X^T or X^T X, inside its band."""
    reach = sum(operand.bandwidths)
    return lambda i, k: ((i, k), 1) if i <= k <= i + reach else None


def _kronecker(outer: Key, inner: Key, size: int) -> Key:
    def key(i: int, j: int) -> tuple[Hashable, int] | None:
        block = outer(i // size, j // size)
        entry = inner(i % size, j % size) if block else None
        return ((block[0], entry[0]), block[1] * entry[1]) if block and entry else None

    return key
