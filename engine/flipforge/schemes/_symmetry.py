"""Symmetries: groups that act on products and fix a tensor, by name or by given generators, and their exact checks."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from re import compile as regex
from typing import Any

from flipforge.certificates import brent_defect
from flipforge.errors import InputError, MalformedError, ProblemError
from flipforge.problems import Problem, matrix_cells
from flipforge.rings import Ring, brief
from flipforge.schemes._scheme import Scheme

__all__ = ["SYMMETRY_FORMAT", "Generator", "Symmetry", "image", "is_invariant", "symmetry", "symmetry_of"]

SYMMETRY_FORMAT = "flipforge-symmetry/1"

Matrix = tuple[tuple[int, ...], ...]
Cells = Mapping[tuple[int, int], tuple[int, int]]

_ROUND, _FIRST = ("Z3", "S3"), ("Z3", "S3", "swap")
_NAMES = (
    "Z3, S3, swap, each with xZ2 or xperm:IMAGES[,IMAGES...] after it or not, Z2, perm:IMAGES[,IMAGES...], or a file"
)
_IMAGE, _IMAGES = regex(r"-?[1-9]"), regex(r"(?:-?[1-9])+")


@dataclass(frozen=True)
class Generator:
    """A map of products: the factor on axis i goes to axis ``axes[i]`` through ``maps[i]``, rows its new coordinates.

    Examples
    --------
    >>> one = ((1,),)
    >>> Generator((1, 0, 2), (one, one, one)).apply(((2,), (3,), (5,)))
    ((3,), (2,), (5,))
    """

    axes: tuple[int, int, int]
    maps: tuple[Matrix, Matrix, Matrix]

    def apply(self, product: Sequence[Sequence[Any]]) -> tuple[tuple[Any, ...], ...]:
        """Return the image of a product (u, v, w)."""
        moved: list[tuple[Any, ...]] = [()] * 3
        for factor, axis, matrix in zip(product, self.axes, self.maps, strict=True):
            moved[axis] = tuple(sum(x * y for x, y in zip(row, factor, strict=True) if x and y) for row in matrix)
        return tuple(moved)


@dataclass(frozen=True)
class Symmetry:
    """A group given by generators that fix the tensor of a problem.

    Attributes
    ----------
    name
        As the user wrote it, for display.
    generators
        They need not be independent.
    """

    name: str
    generators: tuple[Generator, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of `SYMMETRY_FORMAT`."""
        generators = [
            {"axes": list(g.axes), "maps": [[list(row) for row in matrix] for matrix in g.maps]}
            for g in self.generators
        ]
        return {"format": SYMMETRY_FORMAT, "name": self.name, "generators": generators}

    @staticmethod
    def read(document: object, problem: Problem, source: str) -> "Symmetry":
        """Read what `as_dict` wrote; a map may also be a list of images of coordinates.

        Raises
        ------
        InputError
            The document is none, or a generator does not fit the shape of the problem.
        """
        if not isinstance(document, Mapping) or document.get("format") != SYMMETRY_FORMAT:
            raise InputError(f'{source}: not a symmetry; its "format" must be "{SYMMETRY_FORMAT}"')
        listed = document.get("generators")
        if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
            raise InputError(f'{source}: give at least one object in "generators"')
        generators = tuple(_read(item, problem, f"{source}: generator {n}") for n, item in enumerate(listed, 1))
        return Symmetry(str(document.get("name", source)), generators)

    def check(self, problem: Problem, ring: Ring) -> None:
        """Raise `InputError`, naming the first entry that breaks, unless every generator fixes the tensor."""
        for number, generator in enumerate(self.generators, 1):
            rows = [
                generator.apply([_unit(size, i) for size, i in zip(problem.shape, index, strict=True)])
                for index, _ in problem.entries
            ]
            values = [value for _, value in problem.entries]
            u, v = ([row[axis] for row in rows] for axis in range(2))
            w = [[value * x for x in row[2]] for row, value in zip(rows, values, strict=True)]
            defect = brent_defect(problem.tensor, u, v, w, characteristic=ring.characteristic)
            if defect is not None:
                index, wanted, found = defect
                a, b, c = (names[x] for names, x in zip(problem.labels, index, strict=True))
                raise InputError(
                    f"{self.name}: generator {number} does not fix {problem}: it makes the coefficient of {a}*{b} in "
                    f"{c} {brief(found)}, which is {brief(wanted)} over {ring}"
                )


def image(scheme: Scheme, generator: Generator) -> Scheme:
    """Return the scheme of the images of all products."""
    rows = [
        tuple(tuple(map(scheme.ring.reduce, factor)) for factor in generator.apply(product))
        for product in zip(scheme.u, scheme.v, scheme.w, strict=True)
    ]
    u, v, w = (tuple(row[axis] for row in rows) for axis in range(3))
    return replace(scheme, u=u, v=v, w=w)


def is_invariant(scheme: Scheme, group: Symmetry) -> bool:
    """Tell whether every generator permutes the products of a scheme, exactly.

    A group whose generators do not fit the problem's shape raises `InputError`.
    """
    _fit(group, scheme.problem)
    try:
        return all(image(scheme, generator).canonical == scheme.canonical for generator in group.generators)
    except MalformedError:
        return False


def symmetry(text: str, problem: Problem, ring: Ring) -> Symmetry:
    """Return the group of that name, or that a JSON file gives, checked to fix the tensor over the ring.

    Parameters
    ----------
    text
        ``Z3`` (u, v, w go round, the third transposed), ``swap`` (A, B, C become B^T, A^T, C^T), ``S3`` (both),
        ``perm:213`` (simultaneous conjugation by the permutation with these images, ``perm:2-13`` with signs; several
        with commas), ``Z2`` (reversal of all indices), ``Z3xZ2``, ``Z3xperm:213`` and so on, or the path of a file.
        ``Z2`` acts on all formats, ``swap`` on n x m by m x n, the others on products of square matrices; ``swap``,
        ``perm`` and ``Z2`` act on structured products too, where these keep the structure.

    Raises
    ------
    InputError
        No such group or file, a named group does not act on the problem, or a generator does not fix the tensor; then
        the message names the entry that breaks.
    """
    if Path(text).is_file():
        try:
            document = json.loads(Path(text).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{text}: not readable as JSON ({error})") from None
        group = Symmetry.read(document, problem, text)
    else:
        group = Symmetry(text, _named(text, problem))
    group.check(problem, ring)
    return group


def symmetry_of(scheme: Scheme) -> Symmetry | None:
    """Return the group that a scheme's provenance records, or None; it is not checked here (`is_invariant`)."""
    document = scheme.provenance.get("symmetry")
    return None if document is None else Symmetry.read(document, scheme.problem, "the symmetry in the provenance")


def _named(text: str, problem: Problem) -> tuple[Generator, ...]:
    first, _, second = text.partition("x")
    known = _is_conjugation(text) or (first in _FIRST and (first == text or _is_conjugation(second)))
    if not known:
        raise InputError(f"no symmetry {text!r}: use one of {_NAMES}")
    last = second if first in _FIRST else first
    try:
        cells = matrix_cells(problem)
    except ProblemError:
        raise InputError(f"{text}: acts on products of matrices, not on {problem}; give generators in a file") from None
    n, m, p = problem.dims
    square = n == m == p
    if (first in _ROUND and not (square and problem.kind == "matmul")) or (last.startswith("perm:") and not square):
        raise InputError(f"{text}: acts on products of square matrices, not on {problem}; give generators in a file")
    if first == "swap" and n != p:
        raise InputError(f"{text}: acts on products n x m by m x n, not on {problem}; give generators in a file")
    found = (_shift(n),) if first in _ROUND else ()
    if first in ("S3", "swap"):
        found = (*found, _swap(text, problem, cells))
    return (*found, *_conjugations(last, problem, cells)) if last else found


def _is_conjugation(text: str) -> bool:
    return text == "Z2" or text.startswith("perm:")


def _conjugations(text: str, problem: Problem, cells: tuple[Cells, Cells, Cells]) -> tuple[Generator, ...]:
    """Simultaneous conjugations by signed permutations: entry (i, j) of a matrix moves, and may change its sign."""
    found = []
    for n, m, p in _images(text, problem.dims):
        u, v, w = (
            _moved(text, problem, each, each, partial(_place, rows, columns))
            for each, rows, columns in zip(cells, (n, m, n), (m, p, p), strict=True)
        )
        found.append(Generator((0, 1, 2), (u, v, w)))
    return tuple(found)


def _place(rows: Sequence[int], columns: Sequence[int], i: int, j: int) -> tuple[int, int, int]:
    """Return where signed images of 1, 2, ... take an entry, and with which sign."""
    return abs(rows[i]) - 1, abs(columns[j]) - 1, 1 if rows[i] * columns[j] > 0 else -1


def _images(text: str, sizes: Sequence[int]) -> list[tuple[list[int], list[int], list[int]]]:
    """Return the signed images of the indices of each axis under each permutation."""
    if text == "Z2":
        n, m, p = ([*range(size, 0, -1)] for size in sizes)
        return [(n, m, p)]
    found = []
    for part in text[5:].split(","):
        images = [int(number) for number in _IMAGE.findall(part)]
        if not _IMAGES.fullmatch(part) or sorted(map(abs, images)) != list(range(1, sizes[0] + 1)):
            raise InputError(
                f"{text}: {part!r} is not a permutation of 1 to {sizes[0]}; write the images, as in perm:213 or "
                "perm:2-13"
            )
        found.append((images, images, images))
    return found


def _swap(text: str, problem: Problem, cells: tuple[Cells, Cells, Cells]) -> Generator:
    """(A, B, C) becomes (B^T, A^T, C^T)."""
    left, right, output = cells
    pairs = ((left, right), (right, left), (output, output))
    u, v, w = (_moved(text, problem, source, to, lambda i, j: (j, i, 1)) for source, to in pairs)
    return Generator((1, 0, 2), (u, v, w))


def _moved(
    text: str, problem: Problem, source: Cells, to: Cells, place: Callable[[int, int], tuple[int, int, int]]
) -> Matrix:
    """Return the map of coordinates that moves entries of one matrix to places, and with signs, of another."""
    rows, columns = (1 + max(coordinate for coordinate, _ in cells.values()) for cells in (to, source))
    matrix = [[0] * columns for _ in range(rows)]
    for (i, j), (coordinate, sign) in source.items():
        row, column, flip = place(i, j)
        # Of a symmetric output only one triangle is held.
        shown = to.get((row, column)) or to.get((column, row))
        if shown is None:
            raise InputError(f"{text}: does not keep the structure of the matrices of {problem}")
        matrix[shown[0]][coordinate] = sign * flip * shown[1]
    return tuple(map(tuple, matrix))


def _shift(n: int) -> Generator:
    return Generator((2, 0, 1), (_transpose(n), _identity(n * n), _transpose(n)))


def _transpose(n: int) -> Matrix:
    return _permutation([j * n + i for i in range(n) for j in range(n)])


def _identity(size: int) -> Matrix:
    return _permutation(range(size))


def _permutation(images: Sequence[int]) -> Matrix:
    """Return the matrix that takes coordinate i to ``images[i]``."""
    places = {to: i for i, to in enumerate(images)}
    return tuple(_unit(len(images), places[row]) for row in range(len(images)))


def _unit(size: int, place: int) -> tuple[int, ...]:
    return (0,) * place + (1,) + (0,) * (size - place - 1)


def _read(item: object, problem: Problem, place: str) -> Generator:
    if (
        not isinstance(item, Mapping)
        or not isinstance(item.get("axes"), list)
        or not isinstance(item.get("maps"), list)
    ):
        raise InputError(f'{place}: give an object with "axes" and "maps", three of each')
    axes, maps = item["axes"], item["maps"]
    if len(axes) != 3 or any(type(axis) is not int for axis in axes) or sorted(axes) != [0, 1, 2] or len(maps) != 3:
        raise InputError(f'{place}: "axes" must be 0, 1 and 2 in some order, and "maps" three matrices')
    matrices = tuple(_read_map(matrix, f"{place}: map {axis}") for axis, matrix in enumerate(maps))
    generator = Generator(tuple(axes), matrices)  # type: ignore[arg-type]
    _fit(Symmetry(place, (generator,)), problem)
    return generator


def _read_map(matrix: object, place: str) -> Matrix:
    if isinstance(matrix, list) and all(type(x) is int for x in matrix) and sorted(matrix) == list(range(len(matrix))):
        return _permutation(matrix)
    if not isinstance(matrix, list) or not all(
        isinstance(row, list) and all(type(x) is int for x in row) for row in matrix
    ):
        raise InputError(f"{place}: give rows of integers, or the images of the coordinates 0, 1, ...")
    return tuple(tuple(row) for row in matrix)


def _fit(group: Symmetry, problem: Problem) -> None:
    for generator in group.generators:
        for axis, (to, matrix) in enumerate(zip(generator.axes, generator.maps, strict=True)):
            rows, columns = problem.shape[to], problem.shape[axis]
            if len(matrix) != rows or any(len(row) != columns for row in matrix):
                raise InputError(f"{group.name}: map {axis} of {problem} must have {rows} rows of {columns} entries")
