"""Exact comparisons that every compiled target must pass; references in Python integers, nothing within a tolerance."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from flipforge.plugins import Check
from flipforge.problems import Problem

__all__ = ["Call", "MismatchError", "all_unit_pairs", "checked", "exact_products", "sizes"]

Array = npt.NDArray[np.generic]
Call = Callable[[Array, Array], Array]
"""Runs generated code on two matrices of integers and returns the product, whatever it computes with."""


class MismatchError(Exception):
    """Generated code gave something else than the reference, or touched what is not its own."""


def checked(name: str, action: Callable[[], str]) -> Check:
    """Run a check: it returns what was run, or raises."""
    try:
        return Check(name, True, action())
    except MismatchError as error:
        return Check(name, False, " ".join(str(error).split()))
    except Exception as error:
        return Check(name, False, f"{type(error).__name__}: {' '.join(str(error).split())}")


def sizes(problem: Problem, depth: int) -> list[tuple[int, int, int]]:
    """Return a multiple, odd sizes, one short of a multiple, a rectangle, and an inner size of 1."""
    n, m, p = (size**depth for size in problem.dims)
    odd = (2 * n + 1, 2 * m + 1, 2 * p + 1) if n % 2 == m % 2 == p % 2 == 0 else (n + 2, m + 1, p + 2)
    return [
        (2 * n, 2 * m, 2 * p),
        odd,
        (max(1, 2 * n - 1), max(1, 2 * m - 1), max(1, 2 * p - 1)),
        (3 * n + 1, m, p + 2),
        (2 * n, 1, 2 * p),
    ]


def all_unit_pairs(call: Call, problem: Problem, modulus: int = 0, step: int = 1) -> str:
    """Compare the whole bilinear map, in one call.

    Block x of A is the column of unit vector x, block y of B the row of unit vector y. Every block of the result then
    holds, at (x, y), what the code makes of the pair of unit matrices x and y: all pairs are swept side by side.

    Parameters
    ----------
    step
        Columns of a block of A, and the factor of those of B, for code whose blocks cannot be narrower.
    """
    n, m, p = problem.dims
    left, right = n * m, m * p
    wide = -(-right // step) * step
    a, b = np.zeros((n * left, m * step), np.int64), np.zeros((m * step, p * wide), np.int64)
    for i, j in product(range(n), range(m)):
        a[i * left + i * m + j, j * step] = 1
    for j, k in product(range(m), range(p)):
        b[j * step, k * wide + j * p + k] = 1
    wanted = np.zeros((n * left, p * wide), np.int64)
    for (x, y, z), value in problem.entries:
        wanted[(z // p) * left + x, (z % p) * wide + y] = value % modulus if modulus else value
    _compare(call(a, b), wanted, "unit operands")
    return f"all {left * right} pairs in one call, each entry equal"


def exact_products(
    calls: Sequence[tuple[str, Call]], shapes: Sequence[tuple[int, int, int]], limit: int, modulus: int = 0
) -> str:
    """Compare products of random integers between -limit and limit, or residues below the modulus.

    Operands are read-only, stand by rows, by columns, and as every second entry of a larger matrix.
    """
    random = np.random.default_rng(8)
    count = 0
    for m, k, n in shapes:
        a, b = (_drawn(random, shape, limit, modulus) for shape in ((m, k), (k, n)))
        wanted = a.astype(object) @ b.astype(object) if k else np.zeros((m, n), dtype=object)
        wanted = wanted % modulus if modulus else wanted
        for label, call in calls:
            for how, place in (("rows", _by_rows), ("columns", np.asfortranarray), ("strides", _apart)):
                x, y = place(a), place(b)
                x.flags.writeable = y.flags.writeable = False
                _compare(call(x, y), wanted, f"{label}, {m} x {k} by {k} x {n}, operands by {how}")
                if not (np.array_equal(x, a) and np.array_equal(y, b)):
                    raise MismatchError(f"{label}, {m} x {k} by {k} x {n}: an operand was written to")
                count += 1
    return f"{count} products, each entry equal: {', '.join(label for label, _ in calls)}"


def _by_rows(x: Array) -> Array:
    return x.copy()


def _apart(x: Array) -> Array:
    larger = np.full((2 * x.shape[0], 3 * x.shape[1]), 77, x.dtype)
    larger[::2, ::3] = x
    return larger[::2, ::3]


def _drawn(random: np.random.Generator, shape: tuple[int, int], limit: int, modulus: int) -> Array:
    if modulus:
        return random.integers(0, modulus, shape)
    return random.integers(-limit, limit, shape, endpoint=True)


def _compare(result: Array, wanted: npt.NDArray[np.generic], where: str) -> None:
    if result.shape != wanted.shape:
        raise MismatchError(f"{where}: gives shape {result.shape}, not {wanted.shape}")
    wrong = int(np.count_nonzero(result != wanted))
    if wrong:
        raise MismatchError(f"{where}: {wrong} of {wanted.size} entries are wrong")
