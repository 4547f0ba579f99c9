"""The walk of approximate schemes: products with polynomials in eps modulo eps^(h+1) as coefficients.

A factor is a row of int8: the coefficients of eps^0 of all entries, then those of eps^1, and so on, so that a power of
eps shifts a row and a comparison up to a degree is one of prefixes. What is read of a row is right only as far as it
matters beside the other two factors of its product; what lies behind may be anything, since it vanishes.

`flipforge.flips.border_reference` has the rules, in plain Python.
"""

import numpy as np
from numpy.typing import NDArray

from flipforge.flips._kernel import draw
from flipforge.jit import kernel

__all__ = ["TALLY", "run"]

TALLY = ("rank", "steps", "flips", "plus", "splits", "gauges", "rejected", "reductions", "restarts")
RANK, STEPS, FLIPS, PLUS, SPLITS, GAUGES, REJECTED, REDUCTIONS, RESTARTS = range(len(TALLY))

Rows = NDArray[np.int8]
Numbers = NDArray[np.int64]


@kernel
def _draw(state: NDArray[np.uint64]) -> int:
    """The upper 63 of the next 64 random bits."""
    word, after = draw((state[0], state[1], state[2], state[3]))
    state[0], state[1], state[2], state[3] = after
    return np.int64(word >> np.uint64(1))  # type: ignore[return-value]


@kernel
def _below(bits: int, shift: int, n: int) -> int:
    """Make a number below n of the 12 bits from ``shift`` on."""
    return (((bits >> shift) & 4095) * n) >> 12


@kernel
def _power(row: Rows, n: int) -> int:
    """Power of eps that divides a row; h + 1 for zero."""
    for place in range(row.size):
        if row[place]:
            return place // n
    return row.size // n


@kernel
def _shift(row: Rows, by: int) -> None:
    """Multiply a row by a power of eps, ``by`` entries long; a negative one divides."""
    size = row.size
    if by > 0:
        for place in range(size - 1, by - 1, -1):
            row[place] = row[place - by]
        row[:by] = 0
    elif by < 0:
        for place in range(size + by):
            row[place] = row[place - by]
        row[size + by :] = 0


@kernel
def _scale(row: Rows, z: int, p: int) -> None:
    if z != 1:
        for place in range(row.size):
            row[place] = row[place] * z % p if p else row[place] * z


@kernel
def _inverse(z: int, p: int) -> int:
    """Inverse of a unit: z^(p - 2), or over the ternary integers z itself."""
    result = z
    for _ in range(p - 3):
        result = result * z % p
    return result


@kernel
def _add(row: Rows, other: Rows, z: int, by: int, p: int) -> bool:
    """Add z times ``other``, shifted ``by`` entries, to a row; over the ternary integers only where the sum exists."""
    if p:
        for place in range(by, row.size):
            row[place] = (row[place] + z * other[place - by]) % p
        return True
    for place in range(by, row.size):
        if abs(row[place] + z * other[place - by]) > 1:
            return False
    for place in range(by, row.size):
        row[place] += z * other[place - by]
    return True


@kernel
def _alike(rows: Rows, powers: Numbers, axis: int, q: int, t: int, n: int, p: int) -> int:
    """Unit z with factor q = z factor t, apart from powers of eps and as far as both matter; 0 where there is none."""
    length = rows.shape[2] // n
    most = max(powers[0, q] + powers[1, q] + powers[2, q], powers[0, t] + powers[1, t] + powers[2, t])
    first, second, count = rows[axis, q], rows[axis, t], (length - most) * n
    i, j = powers[axis, q] * n, powers[axis, t] * n
    lead = 0
    while not first[i + lead]:
        if second[j + lead]:
            return 0
        lead += 1
    if not second[j + lead]:
        return 0
    if p == 2:
        z = 1
    elif p:
        z = first[i + lead] * _inverse(second[j + lead], p) % p
    else:
        z = first[i + lead] * second[j + lead]
    for place in range(lead, count):
        other = z * second[j + place]
        if first[i + place] != (other % p if p else other):
            return 0
    return z


@kernel
def _share(
    rows: Rows, powers: Numbers, axis: int, q: int, t: int, z: int, to_q: int, to_t: int, n: int, p: int
) -> None:
    """Make the factors of rows q and t equal that are alike: the surplus of powers and the unit go to another axis.

    The row whose factor matters further is the model. Its own power is taken where that is the lesser one.
    """
    i, j = powers[axis, q], powers[axis, t]
    low = min(i, j)
    if i > low:
        _shift(rows[to_q, q], (i - low) * n)
        powers[to_q, q] += i - low
        _shift(rows[axis, q], (low - i) * n)
    if j > low:
        _shift(rows[to_t, t], (j - low) * n)
        powers[to_t, t] += j - low
        _shift(rows[axis, t], (low - j) * n)
    powers[axis, q] = powers[axis, t] = low
    if powers[0, q] + powers[1, q] + powers[2, q] <= powers[0, t] + powers[1, t] + powers[2, t]:
        rows[axis, t] = rows[axis, q]
    else:
        rows[axis, q] = rows[axis, t]
        _scale(rows[axis, q], z, p)
        rows[axis, t] = rows[axis, q]
    # The row t had q's factor divided by z.
    _scale(rows[to_t, t], _inverse(z, p), p)


@kernel
def _vanishes(rows: Rows, powers: Numbers, q: int, n: int) -> bool:
    """Take the powers of a row anew; tell whether its product vanishes."""
    for axis in range(3):
        powers[axis, q] = _power(rows[axis, q], n)
    return bool(powers[0, q] + powers[1, q] + powers[2, q] >= rows.shape[2] // n)


@kernel
def _remove(rows: Rows, powers: Numbers, q: int, rank: int) -> int:
    """Put the last row in the place of row q."""
    rows[:, q] = rows[:, rank - 1]
    powers[:, q] = powers[:, rank - 1]
    return rank - 1


@kernel
def _merge(rows: Rows, powers: Numbers, q: int, rank: int, n: int, p: int) -> int:
    """Merge row q with the first row that is alike on two axes, where there is one; return the rank."""
    for t in range(rank):
        if t == q:
            continue
        for free in range(3):
            a, b = (free + 1) % 3, (free + 2) % 3
            z = _alike(rows, powers, a, q, t, n, p)
            if not z:
                continue
            other = _alike(rows, powers, b, q, t, n, p)
            if not other:
                continue
            _share(rows, powers, a, q, t, z, free, free, n, p)
            _share(rows, powers, b, q, t, other, free, free, n, p)
            if not _add(rows[free, q], rows[free, t], 1, 0, p):
                continue
            if _vanishes(rows, powers, q, n):
                rank = _remove(rows, powers, max(q, t), rank)
                return _remove(rows, powers, min(q, t), rank)
            return _remove(rows, powers, t, rank)
    return rank


@kernel
def _clear(rows: Rows, powers: Numbers, q: int, t: int, rank: int, n: int) -> int:
    """Remove what vanishes of two rows that changed."""
    gone_q, gone_t = _vanishes(rows, powers, q, n), _vanishes(rows, powers, t, n)
    if gone_q and gone_t:
        rank = _remove(rows, powers, max(q, t), rank)
        return _remove(rows, powers, min(q, t), rank)
    if gone_q:
        return _remove(rows, powers, q, rank)
    return _remove(rows, powers, t, rank) if gone_t else rank


@kernel
def _flip(rows: Rows, powers: Numbers, bits: int, extra: int, rank: int, n: int, p: int, tally: Numbers) -> int:
    """Try a random pair of rows: where they are alike on the axis, flip; return the rank."""
    axis, q = _below(bits, 0, 3), _below(bits, 12, rank)
    t = (q + 1 + _below(bits, 24, rank - 1)) % rank
    z = _alike(rows, powers, axis, q, t, n, p)
    if not z:
        return rank
    order = rows.shape[2] // n - 1
    b, c = (axis + 1 + (bits >> 36 & 1)) % 3, (axis + 2 - (bits >> 36 & 1)) % 3
    degree = 1 + _below(bits, 48, order) if bits >> 37 & 1 else 0
    scalar = 1 + _below(extra, 0, p - 1) if p else 1 - 2 * (extra & 1)
    _share(rows, powers, axis, q, t, z, b if bits >> 38 & 1 else c, b if bits >> 39 & 1 else c, n, p)
    if not p:
        for place in range(degree * n, rows.shape[2]):
            if (
                abs(rows[b, q, place] + scalar * rows[b, t, place - degree * n]) > 1
                or abs(rows[c, t, place] - scalar * rows[c, q, place - degree * n]) > 1
            ):
                tally[REJECTED] += 1
                return rank
    _add(rows[b, q], rows[b, t], scalar, degree * n, p)
    _add(rows[c, t], rows[c, q], p - scalar if p else -scalar, degree * n, p)
    tally[FLIPS] += 1
    before = rank
    rank = _clear(rows, powers, q, t, rank, n)
    if rank == before:
        rank = _merge(rows, powers, q, rank, n, p)
    if rank == before:
        rank = _merge(rows, powers, t, rank, n, p)
    tally[REDUCTIONS] += before - rank
    return rank


@kernel
def _plus(rows: Rows, powers: Numbers, bits: int, extra: int, rank: int, n: int, p: int, tally: Numbers) -> int:
    """Turn two random rows into three, or split one by the factor of another; return the rank."""
    a, q = _below(bits, 0, 3), _below(bits, 12, rank)
    t = (q + 1 + _below(bits, 24, rank - 1)) % rank
    order = rows.shape[2] // n - 1
    b, c = (a + 1) % 3, (a + 2) % 3
    by = (1 + _below(bits, 48, order)) * n if bits >> 37 & 1 else 0
    z = 1 + _below(extra, 0, p - 1) if p else 1 - 2 * (extra & 1)
    minus = p - z if p else -z
    rows[:, rank] = rows[:, q]
    if bits >> 36 & 1:
        # a b c = (a - z eps^k a') b c + z eps^k a' b c
        rows[a, rank] = 0
        _add(rows[a, rank], rows[a, t], z, by, p)
        done = _add(rows[a, q], rows[a, t], minus, by, p)
        tally[SPLITS] += done
    else:
        # a b c + a' b' c' = a (b + z eps^k b') c + a b' (c' - z eps^k c) + (a' - a) b' c'
        rows[b, rank] = rows[b, t]
        rows[c, rank] = rows[c, t]
        done = _add(rows[c, rank], rows[c, q], minus, by, p)
        if done and not p:
            for place in range(rows.shape[2]):
                done = done and abs(rows[a, t, place] - rows[a, q, place]) <= 1
        if done and _add(rows[b, q], rows[b, t], z, by, p):
            _add(rows[a, t], rows[a, q], p - 1 if p else -1, 0, p)
            tally[PLUS] += 1
        else:
            done = False
    if not done:
        tally[REJECTED] += 1
        return rank
    rank += 1
    if _vanishes(rows, powers, rank - 1, n):
        rank -= 1
    return _clear(rows, powers, q, t, rank, n)


@kernel
def _regauge(rows: Rows, powers: Numbers, bits: int, extra: int, rank: int, n: int, p: int) -> None:
    """Move a power of eps, or a unit 1 - z eps^k, from a factor of a random row to another one."""
    axis, q = _below(bits, 0, 3), _below(bits, 12, rank)
    other = (axis + 1 + (bits >> 36 & 1)) % 3
    if not p or bits >> 37 & 1:
        if powers[axis, q]:
            _shift(rows[axis, q], -n)
            _shift(rows[other, q], n)
            powers[axis, q] -= 1
            powers[other, q] += 1
        return
    by = (1 + _below(bits, 48, rows.shape[2] // n - 1)) * n
    z = 1 + _below(extra, 0, p - 1)
    first, second = rows[axis, q], rows[other, q]
    for place in range(rows.shape[2] - 1, by - 1, -1):
        first[place] = (first[place] + (p - z) * first[place - by]) % p
    for place in range(by, rows.shape[2]):
        second[place] = (second[place] + z * second[place - by]) % p


@kernel
def run(
    rows: Rows, rank: int, start: Rows, state: NDArray[np.uint64], tally: Numbers, n: int, p: int, limits: Numbers
) -> None:
    """Walk; ``rows`` has room for the start and the band, ``limits`` are goal, steps, path, idle and band."""
    goal, steps, path, idle, band = limits[0], limits[1], limits[2], limits[3], limits[4]
    first = best = rank
    powers = np.zeros((3, rows.shape[1]), dtype=np.int64)
    for q in range(rank):
        _vanishes(rows, powers, q, n)
    gone = since = 0
    while rank > goal and tally[STEPS] < steps:
        if gone == path:
            rows[:] = start
            rank = best = first
            for q in range(rank):
                _vanishes(rows, powers, q, n)
            gone = since = 0
            tally[RESTARTS] += 1
        bits, extra = _draw(state), _draw(state)
        if rank < 2:
            pass
        elif since >= idle and rank < first + band:
            rank = _plus(rows, powers, bits, extra, rank, n, p, tally)
            since = 0
        elif bits >> 60 == 0:
            _regauge(rows, powers, bits, extra, rank, n, p)
            tally[GAUGES] += 1
        else:
            rank = _flip(rows, powers, bits, extra, rank, n, p, tally)
        tally[STEPS] += 1
        gone += 1
        since += 1
        if rank < best:
            best, since = rank, 0
    tally[RANK] = rank
