"""The walk among the basic solutions of a linear system modulo p: the kernel and its boundary.

A basic solution of A x = b takes independent columns, the basis. With the inverse of the basis multiplied in, column j
outside of it has the entries T_ij, and the basic variables have the values v_i. To pivot at (i, j) with T_ij != 0 lets
j into the basis in place of i. The weight of a solution is the number of its nonzero values.

1. The walk ends when the weight is at most ``goal``, or when ``steps`` steps were made. When ``path`` steps were made
   since it began, it begins again from its start; the generator goes on.
2. One 64-bit word of xoshiro256++ is drawn. Its low and high 32 bits, times the numbers of columns outside and of rows,
   shifted right by 32, choose the column j and the row from which on, cyclically, the first i with T_ij != 0 is taken.
3. The pivot is made if the weight does not rise; or, when ``idle`` steps were made since the last record or such a
   pivot, if the weight stays within that of the start plus ``band``.

A step is `CELLS` cells of the table, read or written: a draw costs the rows, a pivot all of the table.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.errors import InputError
from flipforge.flips._kernel import draw
from flipforge.jit import kernel

__all__ = ["CELLS", "SUPPORT_WALK_VERSION", "SupportWalk", "support_walk"]

Integers = NDArray[np.int64]

SUPPORT_WALK_VERSION = 1
CELLS = 128
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
        _run(parts[0], parts[1], parts[2], parts[3], np.array([p, goal, steps, path, idle, band]), seed, tally)
    else:
        tally[0] = np.count_nonzero(values)
    counts = dict(zip(_TALLY, tally.tolist(), strict=True))
    return SupportWalk(parts[2], parts[1], **counts)


@kernel
def _run(
    table: Any, values: Any, basis: Any, outside: Any, terms: Integers, seed: NDArray[np.uint64], tally: Integers
) -> None:
    p, goal, steps, path, idle, band = terms
    rows, columns = table.shape
    first, first_values, first_basis, first_outside = table.copy(), values.copy(), basis.copy(), outside.copy()
    state = (seed[0], seed[1], seed[2], seed[3])
    weight: Any = np.count_nonzero(values)
    start, record = weight, weight
    done: Any = 0
    began, quiet = done, done
    pivots = plus = reductions = restarts = 0
    look, turn = rows // CELLS + 1, rows * columns // CELLS + 1
    while weight > goal and done < steps:
        if done - began >= path:
            table[:], values[:], basis[:], outside[:] = first, first_values, first_basis, first_outside
            weight = record = start
            began, quiet = done, done
            restarts += 1
        word, state = draw(state)
        j = np.int64(((word & np.uint64(0xFFFFFFFF)) * np.uint64(columns)) >> np.uint64(32))
        i: Any = np.int64(((word >> np.uint64(32)) * np.uint64(rows)) >> np.uint64(32))
        done += look
        tried = 0
        while tried < rows and table[i, j] == 0:
            i = i + 1 if i + 1 < rows else 0
            tried += 1
        if tried == rows:
            continue
        inverse = _inverse(table[i, j], p)
        share = values[i] * inverse % p
        after: Any = weight
        if share:
            after = 1
            for q in range(rows):
                if q != i and (values[q] - table[q, j] * share) % p:
                    after += 1
        due = done - quiet >= idle
        if after > weight and not (due and after <= start + band):
            continue
        if due:
            quiet = done
            plus += 1
        _pivot(table, values, p, i, j, inverse, share)
        basis[i], outside[j] = outside[j], basis[i]
        done += turn
        pivots += 1
        if after < weight:
            reductions += weight - after
        weight = after
        if weight < record:
            record, quiet = weight, done
    tally[:] = (weight, done, pivots, plus, reductions, restarts)


@kernel
def _pivot(table: Any, values: Any, p: Any, i: Any, j: Any, inverse: Any, share: Any) -> None:
    """Let column j in for row i: the column that leaves takes its place in the table."""
    rows, columns = table.shape
    for t in range(columns):
        table[i, t] = table[i, t] * inverse % p
    table[i, j] = inverse
    values[i] = share
    for q in range(rows):
        factor = table[q, j]
        if q == i or factor == 0:
            continue
        table[q, j] = 0
        for t in range(columns):
            if table[i, t]:
                table[q, t] = (table[q, t] - factor * table[i, t]) % p
        values[q] = (values[q] - factor * share) % p


@kernel
def _inverse(value: Any, p: Any) -> Any:
    a, b, x, y = value, p, 1, 0
    while a > 1:
        quotient = b // a
        a, b = b - quotient * a, a
        x, y = y - quotient * x, x
    return x % p
