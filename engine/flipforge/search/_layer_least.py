"""The least count of a layer's programs, by exhaustion over the sets of intermediates.

For one set of intermediates each diagram costs what it costs, whatever else is in the basis. So the cheapest basis is
the one that a greedy choice by cost gives (Edmonds, "Matroids and the greedy algorithm", 1971), and only the sets have
to be gone through.
"""

from itertools import product

import numpy as np
import numpy.typing as npt

from flipforge.errors import InputError
from flipforge.search._layer_space import LayerSpace

__all__ = ["least_cost"]

Integers = npt.NDArray[np.int64]

_MOST_SETS = 2**17
_PRIME = 2**31 - 1


def least_cost(space: LayerSpace) -> int:
    """Return the least number of elements that a program of cores and accumulators touches, over all bases.

    Raises
    ------
    InputError
        There are more than 2^17 sets of intermediates.

    Examples
    --------
    >>> from flipforge.plugins import connect
    >>> from flipforge.problems import layer
    >>> connect()
    >>> least_cost(LayerSpace(layer("S:10", 2, 2)))
    734
    """
    tables, free = space.tables, np.flatnonzero(space.useful == 0)
    if 2 ** len(free) > _MOST_SETS:
        raise InputError(f"{space.problem}: {len(free)} intermediates have more than {_MOST_SETS} sets; search instead")
    split = len(tables.orders[0])
    sides = []
    for side, first in ((0, 0), (1, split)):
        left, order = tables.lefts[side].astype(np.int64), tables.orders[side]
        own = free[(free >= first) & (free < first + len(order))] - first
        sides.append([_side(left, order, tables.powers, own[np.array(bits, bool)]) for bits in _subsets(len(own))])
    best: int | None = None
    for (paid, near), (more, away) in product(*sides):
        costs = tables.joints * tables.powers[near[tables.cells[:, 0]] + away[tables.cells[:, 1]]]
        total = paid + more + _greedy(space.coordinates, costs)
        best = total if best is None else min(best, total)
    assert best is not None
    return best


def _subsets(size: int) -> list[tuple[int, ...]]:
    return list(product((0, 1), repeat=size))


def _side(
    left: npt.NDArray[np.int64],
    order: npt.NDArray[np.int8],
    powers: npt.NDArray[np.int64],
    chosen: npt.NDArray[np.int64],
) -> tuple[int, Integers]:
    """Return what a set of intermediates costs, and how many sums each core is away from the nearest."""
    have = [0, *chosen.tolist()]
    ways = np.where(left[have] < 0, 127, left[have])
    paid = 0
    for core in chosen.tolist():
        away = min(int(left[other, core]) for other in have if other != core and left[other, core] >= 0)
        paid += int(powers[order[core] + away]) if away else 0
    return paid, ways.min(axis=0)


def _greedy(coordinates: Integers, costs: Integers) -> int:
    """Return the cost of the cheapest basis: the cheapest diagrams first, each that those before do not span."""
    if coordinates.shape[1] == len(coordinates):
        return int(costs.sum())
    total = 0
    pivots: list[tuple[int, Integers]] = []
    for diagram in np.argsort(costs, kind="stable"):
        column = coordinates[:, diagram].copy()
        for row, pivot in pivots:
            column = (column - column[row] * pivot) % _PRIME
        found = np.flatnonzero(column)
        if len(found):
            row = int(found[0])
            pivots.append((row, column * pow(int(column[row]), -1, _PRIME) % _PRIME))
            total += int(costs[diagram])
            if len(pivots) == len(coordinates):
                break
    return total
