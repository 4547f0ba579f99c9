"""The walk that lowers additions by moves on the scheme, compiled; `passes.moves_reference` is its plain twin.

A scheme is an int8 array (3, rank, width): its factors, padded with zeros; coefficients are residues modulo p, or -1,
0, 1 for p = 0, where a move that leaves these is none. A move is a flip, or a *shear*, an elementary automorphism of
the problem. The cost is that of greedily shared sums, for each factor that of its rows as sums of its columns: by
Tellegen's principle the combination of the products costs the same up to a constant. Moves that cost more are taken
with probability 2^-(c d), d the difference and c rising from 1 to 7: annealing (Kirkpatrick, Gelatt and Vecchi 1983),
on integers alone, so that a walk is the same on every machine.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.jit import kernel
from flipforge_codegen.passes._sharing_kernel import draw

__all__ = ["anneal", "cost_of"]

Array = npt.NDArray[Any]

_MIX = np.uint64(0x9E3779B97F4A7C15)


@kernel
def _below(word: Array, limit: int) -> int:
    return int((draw(word) >> np.uint64(33)) % np.uint64(limit))


@kernel
def _product(x: int, y: int, p: int) -> int:
    return x * y % p if p else x * y


@kernel
def _normalise(row: Array, unit: Array, inverse: Array, p: int) -> tuple[int, int, Any]:
    """Write the row with first coefficient 1; return that coefficient, how many there are, and a hash."""
    lead, count, key = 0, 0, np.uint64(0)
    for column in range(len(row)):
        x = int(row[column])
        if x:
            count += 1
            if not lead:
                lead = x
            x = _product(x, int(inverse[lead]), p)
        unit[column] = x
        key = key * _MIX + np.uint64(x + 1)
    return lead, count, key


@kernel
def _equal(one: Array, other: Array) -> bool:
    for column in range(len(one)):  # noqa: SIM110 (numba compiles no generators)
        if one[column] != other[column]:
            return False
    return True


@kernel
def _count(a: int, b: int, ratio: int, counts: Array, seen: Array, order: Array, known: int) -> int:
    """Count a pair, and list it at the first time; return how many are listed."""
    counts[a, b, ratio] += 1
    if not seen[a, b, ratio]:
        seen[a, b, ratio] = True
        order[known, 0], order[known, 1], order[known, 2] = a, b, ratio
        known += 1
    return known


@kernel
def _distinct(factor: Array, inverse: Array, p: int, columns: Array, codes: Array, lengths: Array) -> int:
    """List the terms of rows of two terms and more, of each once up to a constant; return the number of rows."""
    rank, width = factor.shape
    units, keys = np.zeros((rank, width), np.int8), np.zeros(rank, np.uint64)
    made = 0
    for row in range(rank):
        unit = units[made]
        _, count, key = _normalise(factor[row], unit, inverse, p)
        if count < 2:
            continue
        keys[made] = key
        new = True
        for other in range(made):
            if keys[other] == key and _equal(units[other], unit):
                new = False
                break
        if new:
            length = 0
            for column in range(width):
                if unit[column]:
                    columns[made, length], codes[made, length] = column, unit[column]
                    length += 1
            lengths[made] = length
            made += 1
    return made


@kernel
def _ratio(x: int, y: int, inverse: Array, p: int) -> int:
    """Return the ratio of two coefficients as an index."""
    return _product(y, inverse[x], p) if p else x * y + 1


@kernel
def _share(
    pair: tuple[int, int, int],
    made: int,
    columns: Array,
    codes: Array,
    length: int,
    inverse: Array,
    p: int,
    counts: Array,
    seen: Array,
    order: Array,
    known: int,
) -> tuple[int, int]:
    """Put column ``made`` in place of a pair in a row that holds it; return its new length and the pairs listed."""
    a, b, kind = pair
    i, j = -1, -1
    for each in range(length):
        if columns[each] == a:
            i = each
        elif columns[each] == b:
            j = each
    if i < 0 or j < 0 or _ratio(codes[i], codes[j], inverse, p) != kind:
        return length, known
    code = codes[i]
    kept = 0
    for each in range(length):
        column, x = columns[each], codes[each]
        if each in (i, j):
            continue
        for gone in (i, j):
            if column < columns[gone]:
                counts[column, columns[gone], _ratio(x, codes[gone], inverse, p)] -= 1
            else:
                counts[columns[gone], column, _ratio(codes[gone], x, inverse, p)] -= 1
    counts[a, b, kind] -= 1
    for each in range(length):
        if each not in (i, j):
            columns[kept], codes[kept] = columns[each], codes[each]
            known = _count(columns[kept], made, _ratio(codes[kept], code, inverse, p), counts, seen, order, known)
            kept += 1
    columns[kept], codes[kept] = made, code
    return kept + 1, known


@kernel
def cost_of(factor: Array, inverse: Array, p: int) -> int:
    """Return the additions of a factor's rows, up to constants, after greedy sharing of pairs.

    Of pairs that stand in equally many rows, the one that was counted first is shared.
    """
    rank, width = factor.shape
    columns, codes = np.zeros((rank, width), np.int16), np.zeros((rank, width), np.int8)
    lengths = np.zeros(rank, np.int64)
    rows = _distinct(factor, inverse, p, columns, codes, lengths)
    room = width + rank
    kinds = max(p, 3)
    counts, seen = np.zeros((room, room, kinds), np.int16), np.zeros((room, room, kinds), np.bool_)
    order = np.empty((room * room * kinds, 3), np.int16)
    known, made = 0, width
    for row in range(rows):
        for i in range(lengths[row]):
            for j in range(i + 1, lengths[row]):
                ratio = _ratio(codes[row, i], codes[row, j], inverse, p)
                known = _count(columns[row, i], columns[row, j], ratio, counts, seen, order, known)
    while made < room:
        best, chosen = 1, 0
        for each in range(known):
            uses = counts[order[each, 0], order[each, 1], order[each, 2]]
            if uses > best:
                best, chosen = uses, each
        if best == 1:
            break
        pair = (order[chosen, 0], order[chosen, 1], order[chosen, 2])
        for row in range(rows):
            lengths[row], known = _share(
                pair, made, columns[row], codes[row], lengths[row], inverse, p, counts, seen, order, known
            )
        made += 1
    total: Any = made - width
    for row in range(rows):
        total += lengths[row] - 1
    return int(total)


@kernel
def _added(to: Array, by: Array, times: int, p: int) -> bool:
    """Add a multiple of a row to another; False where the sum is zero or no longer ternary."""
    some = False
    for column in range(len(to)):
        x = int(to[column]) + times * int(by[column])
        if p:
            x %= p
        elif x > 1 or x < -1:
            return False
        to[column] = x
        some = some or x != 0
    return some


@kernel
def _flips(factors: Array, inverse: Array, p: int, found: Array) -> int:
    """List the flips (axis, row, row, ratio of the second row to the first); return their number."""
    _, rank, width = factors.shape
    units, leads = np.zeros((rank, width), np.int8), np.zeros(rank, np.int64)
    keys = np.zeros(rank, np.uint64)
    number = 0
    for axis in range(3):
        for row in range(rank):
            leads[row], _, keys[row] = _normalise(factors[axis, row], units[row], inverse, p)
        for first in range(rank):
            for second in range(first + 1, rank):
                if leads[first] and keys[first] == keys[second] and _equal(units[first], units[second]):
                    found[number, 0], found[number, 1], found[number, 2] = axis, first, second
                    found[number, 3] = _product(leads[second], inverse[leads[first]], p)
                    number += 1
    return number


@kernel
def _flip(trial: Array, flip: Array, inverse: Array, p: int, word: Array) -> tuple[bool, int, int]:
    """Flip two products that share a factor; return whether that is a move, and the axes that changed.

    u v w + r u v' w' = u (v + c r v') w + r u v' (w' - c w).
    """
    choice = int(draw(word) >> np.uint64(32))
    axis, x, y, ratio = flip[0], flip[1], flip[2], int(flip[3])
    if choice & 1:
        x, y, ratio = y, x, int(inverse[ratio])
    side = 1 + (choice >> 1 & 1)
    one, other = (axis + side) % 3, (axis + 3 - side) % 3
    factor = (choice >> 2) % (p - 1) + 1 if p else 1 - 2 * (choice >> 2 & 1)
    held = _added(trial[one, x], trial[one, y], _product(factor, ratio, p), p)
    return held and _added(trial[other, y], trial[other, x], -factor, p), one, other


@kernel
def _shear(factors: Array, trial: Array, shears: Array, first: int, last: int, p: int) -> bool:
    """Apply a shear, terms (axis, column, column it takes from, times); False where the result is not ternary."""
    for each in range(first, last):
        axis, to, taken, times = shears[each]
        for row in range(factors.shape[1]):
            x = int(trial[axis, row, to]) + times * int(factors[axis, row, taken])
            if p:
                x %= p
            elif x > 1 or x < -1:
                return False
            trial[axis, row, to] = x
    return True


@kernel
def anneal(
    factors: Array, inverse: Array, p: int, shears: Array, starts: Array, moves: int, word: Array
) -> tuple[Array, int]:
    """Return the cheapest scheme of a walk, and its cost.

    Parameters
    ----------
    factors
        (3, rank, width) int8.
    inverse
        (max(p, 3),) int8: inverses modulo p, at -1 its own for p = 0.
    shears, starts
        (terms, 4) int16, and (number + 1,) where each begins.
    moves
        Moves that are tried.
    word
        (1,) uint64 of a splitmix64 generator.
    """
    rank = factors.shape[1]
    current, trial, best = factors.copy(), factors.copy(), factors.copy()
    costs, tried = np.zeros(3, np.int64), np.zeros(3, np.int64)
    for axis in range(3):
        costs[axis] = cost_of(factors[axis], inverse, p)
    cost = lowest = costs.sum()
    flips = np.empty((3 * rank * (rank - 1) // 2, 4), np.int16)
    number = _flips(current, inverse, p, flips)
    for move in range(moves):
        cold = 1 + 7 * move // moves
        trial[:] = current
        tried[:] = costs
        sheared = len(starts) > 1 and (number == 0 or _below(word, 16) == 0)
        if sheared:
            chosen = _below(word, len(starts) - 1)
            if not _shear(current, trial, shears, starts[chosen], starts[chosen + 1], p):
                continue
            for axis in range(3):
                tried[axis] = cost_of(trial[axis], inverse, p)
        elif number:
            held, one, other = _flip(trial, flips[_below(word, number)], inverse, p, word)
            if not held:
                continue
            tried[one], tried[other] = cost_of(trial[one], inverse, p), cost_of(trial[other], inverse, p)
        else:
            break
        worse = tried.sum() - cost
        if worse > 0 and (worse * cold > 60 or draw(word) >> np.uint64(64 - worse * cold)):
            continue
        current[:] = trial
        costs[:] = tried
        cost += worse
        number = _flips(current, inverse, p, flips)
        if cost < lowest:
            lowest = cost
            best[:] = current
    return best, lowest
