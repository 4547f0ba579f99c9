"""The walk among the basic solutions of a linear system modulo p: its rules, and the boundary of the kernel.

A basic solution of A x = b takes independent columns, the basis. With the inverse of the basis multiplied in, column j
outside of it has the entries T_ij, and the basic variables have the values v_i. To pivot at (i, j) with T_ij != 0 lets
j into the basis in place of i. The weight of a solution is the number of its nonzero values.

1. The walk ends when the weight is at most ``goal``, or when ``steps`` steps were made. When ``path`` steps were made
   since it began, it begins again from its start; the generator goes on.
2. One 64-bit word of xoshiro256++ is drawn. Its low and high 32 bits, times the numbers of columns outside and of rows,
   shifted right by 32, choose the column j and the row from which on, cyclically, the first i with T_ij != 0 is taken.
3. The pivot is made if the weight does not rise; or, when ``idle`` steps were made since the last record or such a
   pivot, if the weight stays within that of the start plus ``band``.

A step is 128 cells of the table, read or written: a draw costs the rows, a pivot all of the table.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flipforge.errors import InputError

__all__ = ["SUPPORT_WALK_VERSION", "SupportWalk", "support_walk"]

Integers = NDArray[np.int64]

SUPPORT_WALK_VERSION = 1
MAX_PRIME = 2**31
_TALLY = ("weight", "steps", "pivots", "plus", "reductions", "restarts")


@dataclass(frozen=True)
class SupportWalk:
    """What a walk came to.

    Attributes
    ----------
    basis, values
        The columns of the basis, and their values.
    pivots, plus
        How many were made, and how many of these raised the weight or were due to.
    reductions
        By how much pivots lowered the weight, all together.
    """

    basis: Integers
    values: Integers
    weight: int
    steps: int
    pivots: int
    plus: int
    reductions: int
    restarts: int


def support_walk(
    table: Integers,
    values: Integers,
    basis: Integers,
    outside: Integers,
    p: int,
    *,
    goal: int,
    steps: int,
    path: int,
    idle: int,
    band: int,
    seed: NDArray[np.uint64],
) -> SupportWalk:
    """Walk from a basic solution; a pure function.

    Parameters
    ----------
    table
        Shape (r, k): T modulo p.
    values, basis
        Shape (r,): the basic variables and which columns they belong to.
    outside
        Shape (k,): the other columns.
    p
        A prime below `MAX_PRIME`.

    Raises
    ------
    InputError
        Shapes do not fit, or p is too large.
    """
    rows, columns = table.shape
    if values.shape != (rows,) or basis.shape != (rows,) or outside.shape != (columns,):
        raise InputError("table, values, basis and the columns outside do not fit each other")
    if not 2 <= p < MAX_PRIME:
        raise InputError(f"p is {p}; a prime below 2^31 is needed")
    parts = [np.array(part, dtype=np.int64) for part in (table, values, basis, outside)]
    tally = np.zeros(len(_TALLY), dtype=np.int64)
    if rows and columns:
        # The kernel needs numba, which a search imports when it walks.
        from flipforge.flips._support_kernel import run

        run(parts[0], parts[1], parts[2], parts[3], np.array([p, goal, steps, path, idle, band]), seed, tally)
    else:
        tally[0] = np.count_nonzero(values)
    counts = dict(zip(_TALLY, tally.tolist(), strict=True))
    return SupportWalk(parts[2], parts[1], **counts)
