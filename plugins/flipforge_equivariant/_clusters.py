"""Products of orbits, from which layers of a group of permutations are cheaper to apply than from orbits alone.

The indicator of an orbit on all l + k points ties all of them together. Points can be parted into clusters, with an
orbit on each: such products are sums of orbits, and all of them together span the same maps. What a cluster of one
value does not restrict is a block that takes any value, so that it is summed over, or broadcast along, for little. For
S_n these are the diagrams of partitions, and orbits of several values.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt

from flipforge.diagrams import (
    OrbitDiagram,
    Tie,
    TiedDiagram,
    TiedFamily,
    Wiring,
    partitions,
    relabelled,
    sorted_ties,
    tied,
)
from flipforge.errors import InputError
from flipforge.exact import factor
from flipforge.programs import Fixed, single
from flipforge_equivariant._actions import Action
from flipforge_equivariant._chains import Images

__all__ = ["clustered"]

_MOST_DIMENSIONS = 250
_MOST_DIAGRAMS = 30_000
_PRIME = 2**31 - 1

Cluster = tuple[tuple[int, ...], Images]
"""Points, and the least tuple of their orbit."""


def clustered(action: Action, k: int, l: int, dimension: int) -> TiedFamily:
    """Return diagrams that span the maps of a group, the cheapest first, and the first independent ones.

    Beyond 250 dimensions these are the orbits.
    """
    orbits = list(action.representatives(k + l))
    if dimension > _MOST_DIMENSIONS:
        diagrams = tuple(tied(OrbitDiagram(k, l, action.n, orbit)) for orbit in orbits)
        return TiedFamily(diagrams, np.arange(dimension), np.zeros((0, 0), np.int64))
    fixed = Fixed(action.n, action.generators)
    found: dict[Wiring, tuple[Cluster, ...]] = {}
    for clusters in _clusters(action, k + l):
        found.setdefault(_diagram(action, k, l, clusters), clusters)
        if len(found) > _MOST_DIAGRAMS:
            raise InputError(
                f"more than {_MOST_DIAGRAMS} products of orbits on {k + l} points; ask for a smaller k + l"
            )
    diagrams = tuple(sorted(found, key=lambda diagram: single(diagram, fixed=fixed).cost(action.n)))

    @cache
    def least(values: Images) -> Images:
        return action.least(values)

    table = np.array([[_value(found[d], orbit, least) for d in diagrams] for orbit in orbits], np.int64)
    table = table.reshape(dimension, len(diagrams))
    return TiedFamily(diagrams, _pivots(table), table)


def _clusters(action: Action, points: int) -> Iterator[tuple[Cluster, ...]]:
    """Yield the ways to part points into clusters, with an orbit on each."""
    orbits = {size: list(action.representatives(size)) for size in range(points + 1)}
    for parted in partitions(0, points):
        for chosen in product(*(orbits[len(block)] for block in parted.blocks)):
            yield tuple(zip(parted.blocks, chosen, strict=True))


def _diagram(action: Action, k: int, l: int, clusters: tuple[Cluster, ...]) -> Wiring:
    """Return the product of orbits as a partition with ties."""
    names: dict[int, tuple[int, int]] = {}
    for number, (points, values) in enumerate(clusters):
        names.update((point, (number, value)) for point, value in zip(points, values, strict=True))
    blocks = list(dict.fromkeys(names[point] for point in range(k + l)))
    labels = relabelled([blocks.index(names[point]) for point in range(k + l)])
    ties = []
    for number, (_, values) in enumerate(clusters):
        distinct = tuple(dict.fromkeys(values))
        if len(distinct) > 1 or len(action.orbit(frozenset(), distinct[0])) < action.n:
            ties.append(Tie(tuple(blocks.index((number, value)) for value in distinct), distinct))
    made = TiedDiagram(k, l, labels, tuple(ties))
    return sorted_ties(made)[0] if ties else made.plain


def _value(clusters: tuple[Cluster, ...], orbit: Images, least: Callable[[Images], Images]) -> int:
    """Return the entry of a product of orbits on all tuples of one orbit."""
    return int(all(least(tuple([orbit[point] for point in points])) == values for points, values in clusters))


def _pivots(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the places of the first independent columns, modulo the prime."""
    return np.array(factor(values, _PRIME).columns, np.int64)
