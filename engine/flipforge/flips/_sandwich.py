"""Sandwiching: changes of basis that fix a tensor, drawn at random or searched for sparse schemes.

In a product C = A B, the operands may be replaced by ``X A Y^-1`` and ``Y B Z^-1``; then the product is ``X C Z^-1``.
Each triple of invertible matrices so maps the schemes of a matrix product to one another (de Groote, "On varieties of
optimal algorithms for the computation of bilinear mappings", 1978), and those of a product of structured matrices as
far as it keeps their structure.

Sandwiching maps flips to flips and reductions to reductions: over GF(p) it opens no way that was closed. It changes
which coefficients are zero, and over the ternary integers which flips stay ternary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.certificates import brent_defect
from flipforge.errors import InputError
from flipforge.flips._dependence import Factors
from flipforge.problems import Problem

__all__ = [
    "Automorphism",
    "elementary_automorphisms",
    "fixes",
    "matmul_automorphism",
    "random_automorphism",
    "random_sandwich",
    "sandwiched",
    "sparse_sandwich",
    "structured_automorphism",
    "structured_automorphisms",
]

Matrix = NDArray[np.int64]
Spaces = tuple[NDArray[np.integer[Any]], NDArray[np.integer[Any]], NDArray[np.integer[Any]]]


@dataclass(frozen=True, eq=False)
class Automorphism:
    """A change of basis on each axis that fixes a tensor: rows become ``u @ a``, ``v @ b``, ``w @ c``.

    Attributes
    ----------
    a, b, c
        Square int64 matrices of the sizes of the tensor's axes.
    """

    a: Matrix
    b: Matrix
    c: Matrix


def fixes(problem: Problem, automorphism: Automorphism, p: int) -> bool:
    """Tell whether the matrices fix the tensor of the problem, exactly: over GF(p), or over Z for p = 0."""
    matrices = (automorphism.a, automorphism.b, automorphism.c)
    if any(matrix.shape != (size, size) for matrix, size in zip(matrices, problem.shape, strict=True)):
        return False
    a, b, c = (matrix.tolist() for matrix in matrices)
    # The image of the tensor is a sum of products, one for each coefficient.
    entries = problem.entries
    u, v = [a[i] for (i, _, _), _ in entries], [b[j] for (_, j, _), _ in entries]
    w = [[value * x for x in c[k]] for (_, _, k), value in entries]
    return brent_defect(problem.tensor, u, v, w, characteristic=p) is None


def sandwiched(
    u: NDArray[np.int8], v: NDArray[np.int8], w: NDArray[np.int8], automorphism: Automorphism, p: int
) -> Factors | None:
    """Apply an automorphism to a scheme over GF(p), or to a ternary one for p = 0.

    Returns
    -------
    tuple or None
        New int8 arrays of the same shapes; None where the result is not ternary.
    """
    a, b, c = (
        np.matmul(factor, matrix, dtype=np.int64)
        for factor, matrix in ((u, automorphism.a), (v, automorphism.b), (w, automorphism.c))
    )
    if p:
        a, b, c = a % p, b % p, c % p
    elif any(factor.size and np.abs(factor).max() > 1 for factor in (a, b, c)):
        return None
    return a.astype(np.int8), b.astype(np.int8), c.astype(np.int8)


def matmul_automorphism(x: Matrix, y: Matrix, z: Matrix, p: int) -> Automorphism:
    """Return the automorphism of the n x m times m x p product that (X, Y, Z) gives, as coordinate matrices.

    Raises
    ------
    InputError
        A matrix is not invertible over GF(p), or over Z for p = 0.

    Examples
    --------
    >>> shear, one = np.array([[1, 1], [0, 1]]), np.eye(1, dtype=np.int64)
    >>> matmul_automorphism(shear, one, one, 2).a.tolist()
    [[1, 1], [0, 1]]
    """
    x_inverse, y_inverse, z_inverse = (_inverse(matrix, p) for matrix in (x, y, z))
    a, b, c = np.kron(x, y_inverse.T), np.kron(y, z_inverse.T), np.kron(x_inverse.T, z)
    return Automorphism(_reduced(a, p), _reduced(b, p), _reduced(c, p))


def structured_automorphism(spaces: Spaces, x: Matrix, y: Matrix, z: Matrix, p: int) -> Automorphism | None:
    """Return the coordinate matrices of (X, Y, Z) on structured operands and output.

    Parameters
    ----------
    spaces
        For A, B and C an integer array (coordinates, rows, columns): the matrix of each coordinate, all independent.
    x, y, z
        Matrices, invertible over GF(p), or over Z for p = 0.

    Returns
    -------
    Automorphism or None
        None where ``X A Y^-1``, ``Y B Z^-1`` or ``X C Z^-1`` leaves its space. Where the output is the whole product of
        the operands, what is returned fixes the tensor; for other outputs ask `fixes`.

    Raises
    ------
    InputError
        A matrix is not invertible, or the matrices of a space are dependent (for p = 0: or no minor
        of 1 or -1 is found among their entries).
    """
    readers = tuple(_reader(space, p) for space in spaces)
    return _on_spaces(spaces, readers, (x, _inverse(x, p)), (y, _inverse(y, p)), (z, _inverse(z, p)), p)


def elementary_automorphisms(problem: Problem, p: int) -> tuple[Automorphism, ...]:
    """Return the transvections ``1 + t e_ij`` on each of the three sides of a matrix product.

    t runs through GF(p) without 0, or is 1 and -1 for p = 0. For other kinds of problem none are known and none are
    returned; `structured_automorphisms` finds those of structured products.
    """
    return _transvections(*problem.dims, p) if problem.kind == "matmul" else ()


@lru_cache(maxsize=32)
def _transvections(n: int, m: int, k: int, p: int) -> tuple[Automorphism, ...]:
    ones = tuple(np.eye(size, dtype=np.int64) for size in (n, m, k))
    found = []
    for side, size in enumerate((n, m, k)):
        for i, j in permutations(range(size), 2):
            for t in _units(p):
                x, y, z = (_sheared(one, i, j, t) if at == side else one for at, one in enumerate(ones))
                found.append(matmul_automorphism(x, y, z, p))
    return tuple(found)


def structured_automorphisms(spaces: Spaces, p: int) -> tuple[Automorphism, ...]:
    """Return the automorphisms of a structured product that transvections give.

    For each transvection E, X, Y and Z run through 1, E, its inverse, its transpose and the inverse of that, as far as
    their sizes allow; of the triples that keep the structure (`structured_automorphism`) those are returned that are no
    product of others on fewer sides.
    """
    n, m, k = spaces[0].shape[1], spaces[0].shape[2], spaces[1].shape[2]
    readers = tuple(_reader(space, p) for space in spaces)
    found = []
    for i, j in permutations(range(max(n, m, k)), 2):
        for t in _units(p):
            kept: list[tuple[int, ...]] = []
            sides = [_variants(size, i, j, t) for size in (n, m, k)]
            # Triples with more ones first: a triple that contains one that was kept is a product.
            for choice in sorted(product(*(range(len(side)) for side in sides)), key=lambda one: 3 - one.count(0)):
                if not any(choice) or any(_contains(choice, smaller) for smaller in kept):
                    continue
                x, y, z = (side[at] for side, at in zip(sides, choice, strict=True))
                made = _on_spaces(spaces, readers, x, y, z, p)
                if made is not None:
                    kept.append(choice)
                    found.append(made)
    return tuple(found)


def random_automorphism(problem: Problem, p: int, rng: np.random.Generator) -> Automorphism | None:
    """Draw X, Y and Z uniformly over GF(p) for a matrix product; None for other problems and for p = 0."""
    if problem.kind != "matmul" or not p:
        return None
    x, y, z = (_random_invertible(size, p, rng) for size in problem.dims)
    return matmul_automorphism(x, y, z, p)


def random_sandwich(
    u: NDArray[np.int8],
    v: NDArray[np.int8],
    w: NDArray[np.int8],
    p: int,
    moves: Sequence[Automorphism],
    rng: np.random.Generator,
    *,
    steps: int = 12,
) -> Factors:
    """Apply so many random ``moves``, each drawn anew; those that would leave the ternary integers are left out.

    Without moves the scheme comes back as it is. For matrix products over GF(p), `random_automorphism` is uniform.
    """
    scheme = u.copy(), v.copy(), w.copy()
    for at in rng.integers(len(moves), size=steps) if moves else ():
        scheme = sandwiched(*scheme, moves[at], p) or scheme
    return scheme


def sparse_sandwich(
    u: NDArray[np.int8],
    v: NDArray[np.int8],
    w: NDArray[np.int8],
    p: int,
    moves: Sequence[Automorphism],
    rng: np.random.Generator,
    *,
    trials: int = 10_000,
) -> Factors:
    """Climb to a scheme of the orbit with fewer nonzeros, hence, as a rule, fewer additions.

    The moves are tried in random order and taken where they lower the number of nonzeros, until none does or the
    trials are used up. Permutations and scalings of the bases keep that number and turn transvections into
    transvections, so transvections are all the moves it needs.

    Parameters
    ----------
    u, v, w, p
        As in `sandwiched`.
    moves
        What to climb by: `elementary_automorphisms` or `structured_automorphisms`.
    rng
        Settles the order; the same state gives the same answer.
    trials
        Most sandwichings to try.

    Returns
    -------
    tuple
        New u, v, w with at most as many nonzeros; those given where there are no moves.
    """
    scheme = u.copy(), v.copy(), w.copy()
    least = _nonzeros(scheme)
    improved = True
    while improved:
        improved = False
        for at in rng.permutation(len(moves)):
            if not trials:
                return scheme
            trials -= 1
            changed = sandwiched(*scheme, moves[at], p)
            count = least if changed is None else _nonzeros(changed)
            if changed is not None and count < least:
                scheme, least, improved = changed, count, True
    return scheme


def _nonzeros(scheme: Factors) -> int:
    return sum(int(np.count_nonzero(factor)) for factor in scheme)


def _reduced(matrix: Matrix, p: int) -> Matrix:
    return matrix % p if p else matrix


def _units(p: int) -> Sequence[int]:
    return range(1, p) if p else (1, -1)


def _sheared(one: Matrix, i: int, j: int, t: int) -> Matrix:
    matrix = one.copy()
    matrix[i, j] += t
    return matrix


def _variants(size: int, i: int, j: int, t: int) -> list[tuple[Matrix, Matrix]]:
    """1, E, its inverse and the transposes of both, each with its inverse; only 1 where the side is too short for E."""
    one = np.eye(size, dtype=np.int64)
    if max(i, j) >= size:
        return [(one, one)]
    there, back = _sheared(one, i, j, t), _sheared(one, i, j, -t)
    return [(one, one), (there, back), (back, there), (there.T, back.T), (back.T, there.T)]


def _contains(choice: Sequence[int], smaller: Sequence[int]) -> bool:
    return all(there in (0, here) for here, there in zip(choice, smaller, strict=True))


def _on_spaces(
    spaces: Spaces,
    readers: Sequence[tuple[NDArray[np.intp], Matrix]],
    x: tuple[Matrix, Matrix],
    y: tuple[Matrix, Matrix],
    z: tuple[Matrix, Matrix],
    p: int,
) -> Automorphism | None:
    """`structured_automorphism` with inverses and readers at hand."""
    ea, eb, ec = spaces
    images = (x[0] @ ea @ y[1], y[0] @ eb @ z[1], x[1] @ ec @ z[0])
    found = []
    for space, (places, inverse), image in zip(spaces, readers, images, strict=True):
        size = len(space)
        flat = _reduced(image.reshape(size, -1), p)
        coordinates = _reduced(flat[:, places] @ inverse, p)
        if (_reduced(coordinates @ space.reshape(size, -1) - flat, p)).any():
            return None
        found.append(coordinates)
    # Rows of an operand are linear forms, rows of w are outputs: forms change by the transposed matrices.
    return Automorphism(found[0].T, found[1].T, found[2])


def _reader(space: NDArray[np.integer[Any]], p: int) -> tuple[NDArray[np.intp], Matrix]:
    """Entries that give the coordinates of a matrix of the space, and the matrix that turns them into those."""
    flat = space.reshape(len(space), -1).astype(np.int64)
    rows: list[list[Any]] = [[_number(value, p) for value in row] for row in flat.tolist()]
    places: list[int] = []
    for done in range(len(rows)):
        # Over Z the minor must be 1 or -1, so such entries come before others.
        candidates = [(entry not in (1, -1), at) for at, entry in enumerate(rows[done]) if entry]
        if not candidates:
            raise InputError("the matrices of a space are linearly dependent: give one for each coordinate")
        at = min(candidates)[1]
        places.append(at)
        for row in rows[done + 1 :]:
            _subtract(row, rows[done], at, p)
    return np.array(places, dtype=np.intp), _inverse(flat[:, places], p)


def _number(value: int, p: int) -> Any:
    return value % p if p else Fraction(value)


def _subtract(row: list[Any], pivot: list[Any], at: int, p: int) -> None:
    """Clear an entry of a row by the pivot row."""
    if row[at]:
        times = row[at] * pow(pivot[at], -1, p) if p else row[at] / pivot[at]
        for k, entry in enumerate(pivot):
            if entry:
                row[k] = (row[k] - times * entry) % p if p else row[k] - times * entry


def _inverse(matrix: NDArray[np.integer[Any]], p: int) -> Matrix:
    """Inverse over GF(p), or over Z for p = 0; an `InputError` if there is none."""
    inverse = _inverse_or_none(matrix, p)
    if inverse is None:
        ring = f"GF{p}" if p else "Z"
        raise InputError(f"a matrix of shape {matrix.shape} is not invertible over {ring}: give one that is")
    return inverse


def _inverse_or_none(matrix: NDArray[np.integer[Any]], p: int) -> Matrix | None:
    size = len(matrix)
    if matrix.shape != (size, size):
        return None
    unit = np.eye(size, dtype=np.int64)
    rows: list[list[Any]] = [[_number(x, p) for x in row] for row in np.hstack([matrix, unit]).tolist()]
    for column in range(size):
        at = next((i for i in range(column, size) if rows[i][column]), None)
        if at is None:
            return None
        rows[column], rows[at] = rows[at], rows[column]
        scale = rows[column][column]
        rows[column] = [x * pow(scale, -1, p) % p if p else x / scale for x in rows[column]]
        for i, row in enumerate(rows):
            if i != column:
                _subtract(row, rows[column], column, p)
    if any(Fraction(x).denominator != 1 for row in rows for x in row[size:]):
        return None
    return np.array([[int(x) for x in row[size:]] for row in rows], dtype=np.int64).reshape(size, size)


def _random_invertible(size: int, p: int, rng: np.random.Generator) -> Matrix:
    """Uniform in GL(size, p), by rejection: at least 0.28 of all matrices are invertible."""
    while True:
        matrix = rng.integers(p, size=(size, size))
        if _inverse_or_none(matrix, p) is not None:
            return matrix
