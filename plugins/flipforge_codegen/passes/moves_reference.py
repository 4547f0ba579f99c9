"""The walk that lowers additions in plain Python, draw for draw as the kernel makes it: what tests compare with."""

from collections.abc import Sequence

from flipforge_codegen.passes.reference import Draws

__all__ = ["anneal", "cost_of"]

Row = list[int]
Factor = list[Row]
Shear = Sequence[tuple[int, int, int, int]]


def cost_of(factor: Factor, p: int) -> int:
    """Return the additions of a factor's rows, up to constants, after greedy sharing of pairs."""
    units = dict.fromkeys(tuple(_unit(row, p)) for row in factor)
    rows = [[(place, x) for place, x in enumerate(unit) if x] for unit in units]
    rows = [row for row in rows if len(row) > 1]
    counts: dict[tuple[int, int, int], int] = {}

    def count(row: list[tuple[int, int]], by: int) -> None:
        for i, (a, x) in enumerate(row):
            for b, y in row[i + 1 :]:
                pair = (a, b, _ratio(x, y, p)) if a < b else (b, a, _ratio(y, x, p))
                counts[pair] = counts.get(pair, 0) + by

    for row in rows:
        count(row, 1)
    made, width = 0, len(factor[0])
    while made < len(factor) and max(counts.values(), default=0) > 1:
        a, b, kind = max(counts, key=counts.__getitem__)
        for number, row in enumerate(rows):
            codes = dict(row)
            if a in codes and b in codes and _ratio(codes[a], codes[b], p) == kind:
                count(row, -1)
                rows[number] = [term for term in row if term[0] not in (a, b)] + [(width + made, codes[a])]
                count(rows[number], 1)
        made += 1
    return made + sum(len(row) - 1 for row in rows)


def anneal(
    factors: Sequence[Factor], p: int, shears: Sequence[Shear], moves: int, seed: int
) -> tuple[list[Factor], int]:
    """Return what the kernel does; see `flipforge_codegen.passes._moves_kernel.anneal`."""
    draws = Draws(seed)
    current = best = [[list(row) for row in factor] for factor in factors]
    cost = lowest = sum(cost_of(factor, p) for factor in current)
    for move in range(moves):
        cold = 1 + 7 * move // moves
        flips = _flips(current, p)
        if shears and (not flips or (draws.next() >> 33) % 16 == 0):
            shear = shears[(draws.next() >> 33) % len(shears)]
            trial = _sheared(current, shear, p)
        elif flips:
            flip = flips[(draws.next() >> 33) % len(flips)]
            trial = _flipped(current, flip, draws.next() >> 32, p)
        else:
            break
        if trial is None:
            continue
        worse = sum(cost_of(factor, p) for factor in trial) - cost
        if worse > 0 and (worse * cold > 60 or draws.next() >> (64 - worse * cold)):
            continue
        current, cost = trial, cost + worse
        if cost < lowest:
            best, lowest = current, cost
    return best, lowest


def _flips(factors: Sequence[Factor], p: int) -> list[tuple[int, int, int, int]]:
    found = []
    for axis, factor in enumerate(factors):
        units = [_unit(row, p) for row in factor]
        for first, one in enumerate(units):
            for second in range(first + 1, len(units)):
                if any(one) and one == units[second]:
                    leads = [next(x for x in factor[row] if x) for row in (first, second)]
                    found.append((axis, first, second, _held(leads[1] * _inverse(leads[0], p), p)))
    return found


def _flipped(factors: Sequence[Factor], flip: tuple[int, int, int, int], choice: int, p: int) -> list[Factor] | None:
    """Flip by ``u v w + r u v' w' = u (v + c r v') w + r u v' (w' - c w)``; None where that is no move."""
    axis, x, y, ratio = flip
    if choice & 1:
        x, y, ratio = y, x, _inverse(ratio, p)
    side = 1 + (choice >> 1 & 1)
    one, other = (axis + side) % 3, (axis + 3 - side) % 3
    c = (choice >> 2) % (p - 1) + 1 if p else 1 - 2 * (choice >> 2 & 1)
    made = [[list(row) for row in factor] for factor in factors]
    for place, (to, by, times) in ((one, (x, y, c * ratio)), (other, (y, x, -c))):
        row = [a + times * b for a, b in zip(made[place][to], made[place][by], strict=True)]
        made[place][to] = row = [a % p for a in row] if p else row
        if not any(row) or (not p and max(map(abs, row)) > 1):
            return None
    return made


def _sheared(factors: Sequence[Factor], shear: Shear, p: int) -> list[Factor] | None:
    made = [[list(row) for row in factor] for factor in factors]
    for axis, to, taken, times in shear:
        for row, old in zip(made[axis], factors[axis], strict=True):
            row[to] = _held(row[to] + times * old[taken], p)
            if not p and abs(row[to]) > 1:
                return None
    return made


def _unit(row: Row, p: int) -> Row:
    lead = next((x for x in row if x), 1)
    return [_held(x * _inverse(lead, p), p) for x in row]


def _ratio(x: int, y: int, p: int) -> int:
    return _held(y * _inverse(x, p), p)


def _inverse(x: int, p: int) -> int:
    return pow(x, -1, p) if p else x


def _held(x: int, p: int) -> int:
    return x % p if p else x
