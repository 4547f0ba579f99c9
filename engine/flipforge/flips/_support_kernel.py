"""The walk among basic solutions, compiled; `flipforge.flips.support_walk` says how it goes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.flips._kernel import draw
from flipforge.jit import kernel

__all__ = ["CELLS", "run"]

Integers = NDArray[np.int64]

CELLS = 128
"""Cells of the table in a step."""


@kernel
def run(
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
