"""Products in algebras: polynomials, complex numbers and quaternions with matrices over them, and group algebras."""

from collections.abc import Callable, Sequence
from itertools import permutations
from math import factorial
from re import fullmatch

from flipforge.errors import ProblemError
from flipforge.problems._matmul import MAX_PRODUCTS, matmul
from flipforge.problems._problem import Index, Problem

__all__ = [
    "complex_product",
    "group_algebra",
    "parse_complex",
    "parse_group",
    "parse_poly",
    "parse_quaternion",
    "poly",
    "quaternion_product",
]

# Row i, column j: the sign and the place of e_i e_j in the basis 1, i or 1, i, j, k.
_COMPLEX = (((1, 0), (1, 1)), ((1, 1), (-1, 0)))
_QUATERNION = (
    ((1, 0), (1, 1), (1, 2), (1, 3)),
    ((1, 1), (-1, 0), (1, 3), (-1, 2)),
    ((1, 2), (-1, 3), (-1, 0), (1, 1)),
    ((1, 3), (1, 2), (-1, 1), (-1, 0)),
)
Table = Sequence[Sequence[tuple[int, int]]]


def poly(first: int, second: int) -> Problem:
    """Return ``poly:DxE``, the product of polynomials of degrees D and E; coordinates are coefficients, constant first.

    Examples
    --------
    >>> poly(1, 2).shape
    (2, 3, 4)
    """
    name = f"poly:{first}x{second}"
    _check(name, "degree", (first, second), (first + 1) * (second + 1))
    entries = tuple(((i, j, i + j), 1) for i in range(first + 1) for j in range(second + 1))
    shape = (first + 1, second + 1, first + second + 1)
    return Problem(name, "poly", shape, (first, second), entries, _labels([list(map(str, range(s))) for s in shape]))


def complex_product(n: int = 1, m: int = 1, p: int = 1) -> Problem:
    """Return ``complex:NxMxP``, a product of complex matrices; ``complex`` is that of two numbers.

    Coordinates are the real parts and the imaginary part after each, row by row.

    Examples
    --------
    >>> complex_product().labels[0]
    ('ar', 'ai')
    """
    return _matrices("complex", "ri", _COMPLEX, (n, m, p))


def quaternion_product(n: int = 1, m: int = 1, p: int = 1) -> Problem:
    """Return ``quaternion:NxMxP``, a product of matrices of Hamilton's quaternions; ``quaternion`` is that of two.

    Coordinates are the four components 1, i, j, k of each entry, row by row.

    Examples
    --------
    >>> len(quaternion_product().entries)
    16
    """
    return _matrices("quaternion", "rijk", _QUATERNION, (n, m, p))


def group_algebra(group: str) -> Problem:
    """Return ``group:G``, the product in the group algebra of G: Cn, Dn (of order 2n), Sn or Q8.

    Coordinates are the group's elements. Cn: powers of the generator. Dn: r^0 .. r^(n-1), then r^0 s .. r^(n-1) s with
    s r = r^-1 s. Sn: permutations in lexicographic order, the right factor acting first. Q8: 1, -1, i, -i, then j, k.

    Raises
    ------
    ProblemError
        The group is none of these, or its order squared exceeds the limit.

    Examples
    --------
    >>> group_algebra("S3").shape
    (6, 6, 6)
    """
    names, multiply = _group(group)
    index = range(len(names))
    entries = tuple(((i, j, multiply(i, j)), 1) for i in index for j in index)
    order = len(names)
    return Problem(f"group:{group}", "group", (order, order, order), (order,), entries, _labels([names] * 3))


def parse_poly(body: str) -> Problem:
    """Parse the ``DxE`` of a problem string."""
    match = fullmatch(r"(\d{1,6})x(\d{1,6})", body)
    if not match:
        raise ProblemError(f"poly:{body}: write two degrees, as in poly:2x2")
    return poly(int(match[1]), int(match[2]))


def parse_complex(body: str) -> Problem:
    """Parse the ``NxMxP`` of a problem string, or nothing."""
    return complex_product(*_sizes("complex", body))


def parse_quaternion(body: str) -> Problem:
    """Parse the ``NxMxP`` of a problem string, or nothing."""
    return quaternion_product(*_sizes("quaternion", body))


def parse_group(body: str) -> Problem:
    """Parse the name of a group."""
    return group_algebra(body)


def _sizes(kind: str, body: str) -> tuple[int, ...]:
    match = fullmatch(r"(\d{1,6})x(\d{1,6})x(\d{1,6})", body)
    if body and not match:
        raise ProblemError(f"{kind}:{body}: write {kind} alone, or three sizes, as in {kind}:2x2x2")
    return tuple(map(int, match.groups())) if match else ()


def _check(name: str, what: str, sizes: Sequence[int], products: int) -> None:
    if min(sizes) < 1:
        raise ProblemError(f"{name}: every {what} must be at least 1")
    if products > MAX_PRODUCTS:
        raise ProblemError(f"{name}: {products} elementary products are more than the limit of {MAX_PRODUCTS}")


def _matrices(kind: str, units: str, table: Table, sizes: tuple[int, int, int]) -> Problem:
    """Return the product of matrices over an algebra: that of real matrices times that of two numbers."""
    n, m, p = sizes
    name = kind if sizes == (1, 1, 1) else f"{kind}:{n}x{m}x{p}"
    dimension = len(table)
    _check(name, "size", sizes, n * m * p * dimension**2)
    real = matmul(n, m, p)
    entries: list[tuple[Index, int]] = []
    for (i, j, k), _ in real.entries:
        for x, row in enumerate(table):
            for y, (sign, z) in enumerate(row):
                entries.append(((i * dimension + x, j * dimension + y, k * dimension + z), sign))
    shape = (n * m * dimension, m * p * dimension, n * p * dimension)
    names = [[label[1:] + unit for label in axis for unit in units] for axis in real.labels]
    if sizes == (1, 1, 1):
        names = [list(units)] * 3
    return Problem(name, kind, shape, sizes, tuple(sorted(entries)), _labels(names))


def _group(group: str) -> tuple[list[str], Callable[[int, int], int]]:
    """Return the names of the elements, and the product of two of them by their numbers."""
    if group == "Q8":
        names = [sign + unit for unit in "1ijk" for sign in ("", "-")]
        return [f"[{name}]" for name in names], _q8
    match = fullmatch(r"([CDS])([1-9]\d{0,5})", group)
    if not match:
        raise ProblemError(f"group:{group}: write Cn, Dn, Sn or Q8, as in group:C5, group:S3 or group:D4")
    family, n = match[1], int(match[2])
    # Beyond 20 only that it is too large matters.
    order = {"C": n, "D": 2 * n, "S": factorial(min(n, 20))}[family]
    if order * order > MAX_PRODUCTS:
        raise ProblemError(f"group:{group}: the square of its order is more than the limit of {MAX_PRODUCTS}")
    if family == "C":
        return list(map(str, range(n))), lambda i, j: (i + j) % n
    if family == "D":
        names = [f"[r{i}{s}]" for s in ("", "s") for i in range(n)]
        return names, lambda i, j: (i + (j if i < n else -j)) % n + n * ((i < n) != (j < n))
    elements = list(permutations(range(n)))
    number = {element: position for position, element in enumerate(elements)}
    names = ["[" + "".join(str(x + 1) for x in element) + "]" for element in elements]
    return names, lambda i, j: number[tuple(elements[i][x] for x in elements[j])]


def _q8(i: int, j: int) -> int:
    sign, unit = _QUATERNION[i // 2][j // 2]
    return 2 * unit + ((i + j) % 2 + (sign < 0)) % 2


def _labels(names: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    a, b, c = (tuple(letter + name for name in axis) for letter, axis in zip("abc", names, strict=True))
    return a, b, c
