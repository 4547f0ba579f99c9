"""Growth: a product of matrices is searched corner by corner, each beginning where a smaller one ended.

The standard algorithm of a format holds that of every smaller format. Of its products, only those inside a corner are
walked, until they come no lower; then the next corner, larger by one row or column, lets some more in. At every moment
all products together are a scheme of the whole. A walk of the whole never leads by these places: it has no reason to
finish one corner before it begins another. (Extending a good scheme by the standard algorithm of what is missing, and
walking on, is Arai, Ichikawa and Hukushima, "Adaptive flip graph algorithm for matrix multiplication" (2024).) With
their edge constraint it is the other way round: what shows of a corner stays as it is, and only the rest moves.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from flipforge.problems import Problem, matrix_cells

__all__ = ["Corner", "corner_sequence", "read_corner", "within", "write_corner"]

Corner = tuple[int, int, int]
"""The first n rows of the left operand, m of its columns and of the right operand's rows, p columns of the latter."""

Allowed = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]

_LEAST = 8
"""Products of the smallest corner; there is nothing to save among fewer."""


def corner_sequence(problem: Problem, generator: np.random.Generator, after: Corner = (1, 1, 1)) -> tuple[Corner, ...]:
    """Return a random sequence of corners up to the whole; empty where there is none but the whole.

    Each is larger than the last by one along one of the axes that are shortest and can grow. Those that let no further
    product in, for the structure of an operand, are left out.

    Parameters
    ----------
    after
        A corner that was walked already.

    Examples
    --------
    >>> from flipforge.problems import parse
    >>> corner_sequence(parse("matmul:2x2x4"), np.random.default_rng(0))
    ((2, 2, 2), (2, 2, 3), (2, 2, 4))
    """
    if problem.kind not in ("matmul", "structured"):
        return ()
    corner, whole = list(after), problem.dims
    sequence: list[Corner] = []
    held = max(_LEAST - 1, _products(problem, after))
    while growing := [axis for axis in range(3) if corner[axis] < whole[axis]]:
        n, m, p = corner
        products = _products(problem, (n, m, p))
        if held < products < len(problem.entries):
            sequence.append((n, m, p))
            held = products
        shortest = min(corner[axis] for axis in growing)
        corner[generator.choice([axis for axis in growing if corner[axis] == shortest])] += 1
    n, m, p = whole
    return (*sequence, (n, m, p)) if sequence or after != (1, 1, 1) else ()


@lru_cache(maxsize=256)
def within(problem: Problem, corner: Corner) -> Allowed:
    """Return which coordinates of the left and of the right operand and of the output a corner holds."""
    n, m, p = corner
    left, right, outputs = matrix_cells(problem)
    sizes = problem.shape
    return _shown(left, sizes[0], n, m), _shown(right, sizes[1], m, p), _shown(outputs, sizes[2], n, p)


def write_corner(corner: Corner) -> str:
    """Return a corner as lineage names it."""
    return "x".join(map(str, corner))


def read_corner(text: str) -> Corner:
    """Read what `write_corner` wrote, or raise ValueError."""
    n, m, p = map(int, text.split("x"))
    if min(n, m, p) < 1:
        raise ValueError(text)
    return n, m, p


def _products(problem: Problem, corner: Corner) -> int:
    left, right, _ = within(problem, corner)
    return sum(1 for (i, j, _), _ in problem.entries if left[i] and right[j])


def _shown(
    cells: Mapping[tuple[int, int], tuple[int, int]], size: int, rows: int, columns: int
) -> npt.NDArray[np.bool_]:
    allowed = np.zeros(size, dtype=np.bool_)
    allowed[[coordinate for (i, j), (coordinate, _) in cells.items() if i < rows and j < columns]] = True
    return allowed
