"""The kernel of `flipforge.flips.layer_walk`, which has the rules; `flipforge.flips.layer_reference` is its twin."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.flips._kernel import draw
from flipforge.jit import kernel

__all__ = ["PRIME", "TALLY", "cost", "run"]

TALLY = ("best", "steps", "moves", "accepted", "swaps", "plus", "restarts")
BEST, STEPS, MOVES, ACCEPTED, SWAPS, PLUS, RESTARTS = range(len(TALLY))
PRIME = 2**31 - 1

Flags = NDArray[np.uint8]
Numbers = NDArray[np.int64]
Small = NDArray[np.int8]
Words = NDArray[np.uint64]


@kernel
def _word(state: Words) -> int:
    """The upper 63 of the next 64 random bits."""
    word, after = draw((state[0], state[1], state[2], state[3]))
    state[0], state[1], state[2], state[3] = after
    return np.int64(word >> np.uint64(1))  # type: ignore[return-value]


@kernel
def _below(bits: int, n: int) -> int:
    """Make a number below n of the upper 31 bits."""
    return ((bits >> 32) * n) >> 31


@kernel
def _side(on: Flags, left: Small, order: Small, powers: Numbers, reach: Small) -> int:
    """Note how many sums each core is away from the nearest intermediate; return what all intermediates cost."""
    size = len(order)
    reach[:] = 127
    total = 0
    for u in range(size):
        if u and on[u] != 1:
            continue
        away = 127
        for c in range(size):
            if left[u, c] >= 0 and left[u, c] < reach[c]:
                reach[c] = left[u, c]
            if c != u and (on[c] == 1 or not c) and left[c, u] >= 0 and left[c, u] < away:
                away = left[c, u]
        if u and away:
            total += powers[order[u] + away]
    return total


@kernel
def cost(on: Flags, lefts: Any, orders: Any, counts: Numbers, powers: Numbers, reaches: Any) -> int:
    """Return the elements that the program of these intermediates touches."""
    (left_s, left_t), (order_s, order_t), (reach_s, reach_t) = lefts, orders, reaches
    size = len(order_s)
    total = _side(on[:size], left_s, order_s, powers, reach_s) + _side(on[size:], left_t, order_t, powers, reach_t)
    for c in range(size):
        for t in range(len(order_t)):
            if counts[c, t]:
                total += counts[c, t] * powers[reach_s[c] + reach_t[t]]
    return total


@kernel
def _pivot(tableau: Numbers, row: int, column: int) -> None:
    """Make a column of the tableau a unit vector modulo the prime."""
    inverse, base, power = 1, tableau[row, column], PRIME - 2
    while power:
        if power & 1:
            inverse = inverse * base % PRIME
        base = base * base % PRIME
        power >>= 1
    for j in range(tableau.shape[1]):
        tableau[row, j] = tableau[row, j] * inverse % PRIME
    for i in range(len(tableau)):
        factor = tableau[i, column]
        if i != row and factor:
            for j in range(tableau.shape[1]):
                tableau[i, j] = (tableau[i, j] - factor * tableau[row, j]) % PRIME


@kernel
def run(
    on: Flags,
    basis: Numbers,
    tableau: Numbers,
    cells: Numbers,
    joints: Numbers,
    counts: Numbers,
    lefts: Any,
    orders: Any,
    powers: Numbers,
    limits: Numbers,
    seed: Words,
    tally: Numbers,
) -> None:
    """Walk; on and basis hold the best state at the end."""
    goal, steps, path, idle, band = limits
    size_s, size_t = len(orders[0]), len(orders[1])
    reaches = np.zeros(size_s, np.int8), np.zeros(size_t, np.int8)
    charge = 1 + ((size_s * size_s + size_t * size_t + size_s * size_t) >> 8)
    for row in range(len(basis)):
        counts[cells[basis[row], 0], cells[basis[row], 1]] += joints[basis[row]]
    first = on.copy(), basis.copy(), tableau.copy(), counts.copy()
    best = on.copy(), basis.copy(), tableau.copy(), counts.copy()
    start = now = record = cost(on, lefts, orders, counts, powers, reaches)
    taken = walked = since = kick = 0
    free = tableau.shape[1] > len(basis)
    while taken < steps:
        if walked >= path:
            on[:], basis[:], tableau[:], counts[:] = first
            now, walked, since, kick = start, 0, 0, 0
            tally[RESTARTS] += 1
        if since >= idle:
            if record <= goal:
                break
            on[:], basis[:], tableau[:], counts[:] = best
            now, since, kick = record, 0, 1 + band
            tally[PLUS] += 1
        taken += charge
        walked += charge
        since += charge
        tally[MOVES] += 1
        bits = _word(seed)
        kind = bits & 7
        if kind == 7 and free:
            joining, row = _below(bits, tableau.shape[1]), _below(_word(seed), len(basis))
            while tableau[row, joining] == 0:
                row = (row + 1) % len(basis)
            leaving = basis[row]
            if leaving == joining:
                continue
            counts[cells[leaving, 0], cells[leaving, 1]] -= joints[leaving]
            counts[cells[joining, 0], cells[joining, 1]] += joints[joining]
            after = cost(on, lefts, orders, counts, powers, reaches)
            if after <= now or kick:
                basis[row] = joining
                _pivot(tableau, row, joining)
                tally[SWAPS] += 1
            else:
                counts[cells[leaving, 0], cells[leaving, 1]] += joints[leaving]
                counts[cells[joining, 0], cells[joining, 1]] -= joints[joining]
                continue
        else:
            one = _below(bits, len(on))
            other = _below(_word(seed), len(on)) if kind >= 5 else one
            if on[one] == 2 or on[other] == 2 or (one != other and on[one] == on[other]):
                continue
            on[one] ^= 1
            if one != other:
                on[other] ^= 1
            after = cost(on, lefts, orders, counts, powers, reaches)
            if after > now and not kick:
                on[one] ^= 1
                if one != other:
                    on[other] ^= 1
                continue
        tally[ACCEPTED] += 1
        now = after
        kick = max(0, kick - 1)
        if now < record:
            record, since = now, 0
            best[0][:], best[1][:], best[2][:], best[3][:] = on, basis, tableau, counts
    on[:], basis[:], counts[:] = best[0], best[1], best[3]
    for one in range(len(on)):
        if on[one] == 1:
            on[one] = 0
            after = cost(on, lefts, orders, counts, powers, reaches)
            if after <= record:
                record = after
            else:
                on[one] = 1
    tally[BEST], tally[STEPS] = record, taken
