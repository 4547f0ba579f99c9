"""Kernels of the algebraic moves: exact elimination on factors with entries in GF(p) or in {-1, 0, 1}.

The ternary integers are eliminated modulo the prime `LARGE`. Only relations with coefficients from -2 to 2 are used
there, since others leave nothing ternary: their sums of ternary factors stay far below the prime, so those that vanish
modulo the prime vanish. The prime can at worst hide a dependence, and only if it divides a minor: none of up to 15
factors, by Hadamard's bound.
"""

import numpy as np
from numpy.typing import NDArray

from flipforge.jit import kernel

__all__ = ["LARGE", "breadth", "classes", "colours", "extend", "invert", "lift", "settle"]

LARGE = 2**31 - 1
"""A prime whose residues multiply within 63 bits."""

Factors = tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int8]]


@kernel
def invert(x: int, q: int) -> int:
    """Inverse modulo the prime q, by Euclid's algorithm."""
    old, new, a, b = 1, 0, x % q, q
    while b:
        times = a // b
        a, b = b, a - times * b
        old, new = new, old - times * new
    return old % q


@kernel
def lift(x: int, q: int) -> int:
    """Residue of least absolute value."""
    return x - q if 2 * x > q else x


@kernel
def extend(basis: NDArray[np.int64], pivots: NDArray[np.int64], size: int, columns: int, q: int) -> bool:
    """Reduce row ``size`` by the rows before it and make it one of them; False if its first ``columns`` vanish.

    Row b has 1 in column pivots[b], and later rows have 0 there. Further columns are carried along.
    """
    new = basis[size]
    for b in range(size):
        factor = new[pivots[b]]
        if factor:
            for k in range(new.size):
                new[k] = (new[k] - factor * basis[b, k]) % q
    for column in range(columns):
        if new[column]:
            pivots[size] = column
            inverse = invert(new[column], q)
            for k in range(new.size):
                new[k] = new[k] * inverse % q
            return True
    return False


@kernel
def classes(factor: NDArray[np.int8], alive: NDArray[np.bool_], q: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each live row, the first row with the same factor up to a unit, and its own first nonzero entry; -1, 0 else.

    Live rows have no zero factor.
    """
    rank, size = factor.shape
    first, lead = np.full(rank, -1), np.zeros(rank, np.int64)
    monic = np.zeros((rank, size), np.int64)
    for row in range(rank):
        if not alive[row]:
            continue
        start = 0
        while factor[row, start] == 0:
            start += 1
        lead[row] = factor[row, start]
        inverse = invert(lead[row], q)
        for k in range(start, size):
            monic[row, k] = lift(factor[row, k] if inverse == 1 else factor[row, k] * inverse % q, q)
        first[row] = row
        for other in range(row):
            if first[other] == other:
                k = 0
                while k < size and monic[row, k] == monic[other, k]:
                    k += 1
                if k == size:
                    first[row] = other
                    break
    return first, lead


@kernel
def _spread(
    z: NDArray[np.int8],
    rows: NDArray[np.int64],
    lead: NDArray[np.int64],
    relation: NDArray[np.int64],
    gone: int,
    p: int,
    q: int,
) -> bool:
    """Take away row number ``gone`` of the group by a relation of its y; False if the rest would not be ternary."""
    factors = np.zeros(rows.size, np.int64)
    dropped = rows[gone]
    inverse = invert(-relation[gone], q)
    for i in range(rows.size):
        if i != gone and relation[i]:
            times = relation[i] * inverse % q
            factors[i] = times * (lead[dropped] % q) % q * invert(lead[rows[i]], q) % q
    if p == 0:
        for i in range(rows.size):
            factors[i] = lift(factors[i], q)
            for k in range(z.shape[1]):
                if abs(z[rows[i], k] + factors[i] * z[dropped, k]) > 1:
                    return False
    for i in range(rows.size):
        if factors[i]:
            for k in range(z.shape[1]):
                entry = z[rows[i], k] + factors[i] * z[dropped, k]
                z[rows[i], k] = entry % p if p else entry
    return True


@kernel
def _shrink(
    y: NDArray[np.int8], z: NDArray[np.int8], rows: NDArray[np.int64], lead: NDArray[np.int64], p: int, q: int
) -> int:
    """Take one row out of a group that shares the third factor by a dependence among its y; the row, or -1."""
    count, columns = rows.size, y.shape[1]
    basis = np.zeros((count, columns + count), np.int64)
    pivots, order = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for backward in range(2):
        size = 0
        for turn in range(count):
            place = count - 1 - turn if backward else turn
            order[turn] = place
            basis[size] = 0
            basis[size, columns + place] = 1
            for k in range(columns):
                basis[size, k] = y[rows[place], k] % q
            if extend(basis, pivots, size, columns, q):
                size += 1
                continue
            relation = basis[size, columns:]
            for back in range(turn, -1, -1):
                gone = order[back]
                if relation[gone] and _spread(z, rows, lead, relation, gone, p, q):
                    return int(rows[gone])
        if size == count:
            break
    return -1


@kernel
def _bury(factor: NDArray[np.int8], alive: NDArray[np.bool_]) -> None:
    """Strike out the rows where the factor is zero."""
    for row in range(alive.size):
        if alive[row] and not factor[row].any():
            alive[row] = False


@kernel
def settle(factors: Factors, alive: NDArray[np.bool_], p: int, q: int) -> None:
    """Reduce in place until no reduction is left; `flipforge.flips.reduce_products` states the order."""
    for axis in range(3):
        _bury(factors[axis], alive)
    again = True
    while again:
        again = False
        for axis in range(3):
            first, lead = classes(factors[axis], alive, q)
            for start in range(alive.size):
                if first[start] != start:
                    continue
                for turn in range(2):
                    y, z = factors[(axis + 1 + turn) % 3], factors[(axis + 2 - turn) % 3]
                    while True:
                        rows = np.flatnonzero((first == start) & alive)
                        gone = _shrink(y, z, rows, lead, p, q) if rows.size > 1 else -1
                        if gone < 0:
                            break
                        alive[gone] = False
                        _bury(z, alive)
                        again = True


@kernel
def _mixed(state: np.uint64, word: np.uint64) -> np.uint64:
    """Absorb a word into a hash: the finaliser of splitmix64 on a product."""
    x = (state ^ word) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0xD1B54A32D192ED03)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@kernel
def _joint_rank(factor: NDArray[np.int8], rows: NDArray[np.int64], stride: int, step: int, lines: int, q: int) -> int:
    """Dimension that the lines of these factors span: line t holds the entries t * stride, + step, + 2 step, ..."""
    length = factor.shape[1] // lines
    basis = np.zeros((min(rows.size * lines, length) + 1, length), np.int64)
    pivots = np.zeros(length + 1, np.int64)
    size = 0
    for row in rows:
        for line in range(lines):
            for k in range(length):
                basis[size, k] = factor[row, line * stride + k * step] % q
            size += extend(basis, pivots, size, length, q)
    return size


@kernel
def _trace(factor: NDArray[np.int8], rows: NDArray[np.int64], shape: NDArray[np.int64], q: int) -> np.uint64:
    """Hash of what a group's factors span: as vectors, and, where they are matrices, by their rows and columns."""
    one, many = 1, factor.shape[1]
    state = _mixed(np.uint64(rows.size), np.uint64(_joint_rank(factor, rows, many, one, one, q)))
    if shape[0]:
        n, m = shape
        state = _mixed(state, np.uint64(_joint_rank(factor, rows, m, one, n, q)))
        state = _mixed(state, np.uint64(_joint_rank(factor, rows, one, m, m, q)))
    return state


@kernel
def colours(factors: Factors, shapes: NDArray[np.int64], rounds: int, q: int) -> NDArray[np.uint64]:
    """One hash for each product, kept by changes of basis and independent of order and units.

    Products start with the ranks of their matrices (none where ``shapes`` is zero); each round adds those of all
    products that share a factor, and what the group's other factors span.
    """
    rank = factors[0].shape[0]
    colour = np.zeros(rank, np.uint64)
    group, span = np.zeros((3, rank), np.int64), np.zeros((3, rank), np.uint64)
    for axis in range(3):
        alive = np.array([factors[axis][row].any() for row in range(rank)], np.bool_)
        group[axis], _ = classes(factors[axis], alive, q)
        for row in range(rank):
            colour[row] = _mixed(colour[row], _trace(factors[axis], np.array([row]), shapes[axis], q))
            if group[axis, row] == row:
                rows = np.flatnonzero(group[axis] == row)
                for turn in range(1, 3):
                    other = (axis + turn) % 3
                    span[axis, row] = _mixed(span[axis, row], _trace(factors[other], rows, shapes[other], q))
    for _ in range(rounds):
        sums = np.zeros((3, rank), np.uint64)
        for axis in range(3):
            for row in range(rank):
                if group[axis, row] >= 0:
                    sums[axis, group[axis, row]] += _mixed(colour[row], np.uint64(axis))
        for axis in range(3):
            for row in range(rank):
                if group[axis, row] >= 0:
                    first = group[axis, row]
                    colour[row] = _mixed(_mixed(colour[row], sums[axis, first]), span[axis, first])
    return colour


@kernel
def breadth(
    factors: Factors, shape: NDArray[np.int64], indices: NDArray[np.int64], values: NDArray[np.int64], q: int
) -> int:
    """Sum over all factors of the rank of that combination of slices of a tensor."""
    total = 0
    for axis in range(3):
        factor = factors[axis]
        height, width = (axis + 1) % 3, (axis + 2) % 3
        matrix = np.zeros((shape[height], shape[width]), np.int64)
        basis = np.zeros((min(shape[height], shape[width]) + 1, shape[width]), np.int64)
        pivots = np.zeros(basis.shape[0], np.int64)
        for row in range(factor.shape[0]):
            matrix[:] = 0
            for entry in range(values.size):
                x = np.int64(factor[row, indices[entry, axis]])
                if x:
                    i, j = indices[entry, height], indices[entry, width]
                    matrix[i, j] = (matrix[i, j] + x * values[entry]) % q
            size = 0
            for line in range(shape[height]):
                if matrix[line].any():
                    basis[size] = matrix[line]
                    size += extend(basis, pivots, size, shape[width], q)
            total += size
    return total
