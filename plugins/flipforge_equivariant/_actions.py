"""Permutation groups on n points: stabilisers, orbits on tuples, fixed points.

Nothing of size n^m is built: the least tuples of the orbits are found point by point, each in the orbits of the
stabiliser of the points before it.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import product
from math import comb, factorial, prod

import numpy as np
import numpy.typing as npt

from flipforge.errors import InputError
from flipforge_equivariant._chains import Chain, Images, inverse
from flipforge_equivariant._chains import product as product_of
from flipforge_equivariant._counts import stirling

__all__ = ["Action"]

_MOST_ELEMENTS = 2_000_000
_MOST_ORBITS = 2_000_000


class Action:
    """The group that permutations of 0, ..., n-1 generate.

    Parameters
    ----------
    generators
        Each the images of 0, ..., n-1.
    """

    def __init__(self, n: int, generators: Sequence[Images]) -> None:
        for images in generators:
            if sorted(images) != list(range(n)):
                raise InputError(f"{tuple(images)} is no permutation of 0..{n - 1}")
        self.n = n
        self.generators = tuple(g for g in dict.fromkeys(map(tuple, generators)) if g != tuple(range(n)))
        self._stabilisers: dict[frozenset[int], tuple[Images, ...]] = {frozenset(): self.generators}
        self._steps: dict[tuple[frozenset[int], int], dict[int, Images]] = {}

    @cached_property
    def _chain(self) -> Chain:
        return Chain(self.n, self.generators)

    @cached_property
    def order(self) -> int:
        """The number of elements."""
        return self._chain.order

    def stabiliser(self, points: frozenset[int]) -> tuple[Images, ...]:
        """Return generators of the subgroup that fixes each of some points; none where it is trivial."""
        if points not in self._stabilisers:
            last = max(points)
            before = self.stabiliser(points - {last})
            self._stabilisers[points] = tuple(Chain(self.n, before, [last]).stabiliser(1))
        return self._stabilisers[points]

    def orbit(self, points: frozenset[int], start: int) -> dict[int, Images]:
        """Return the orbit of a point under a stabiliser, each point with a permutation that takes it to ``start``."""
        key = points, start
        if key not in self._steps:
            moves = {start: tuple(range(self.n))}
            queue = [start]
            for point in queue:
                for images in self.stabiliser(points):
                    reached = images[point]
                    if reached not in moves:
                        back = inverse(images)  # takes `reached` to `point`
                        moves[reached] = product_of(moves[point], back)
                        queue.append(reached)
            self._steps[key] = moves
        return self._steps[key]

    def least(self, values: Sequence[int]) -> Images:
        """Return the least tuple of an orbit.

        Examples
        --------
        >>> Action(4, [(1, 2, 3, 0)]).least((2, 3, 2))
        (0, 1, 0)
        """
        found: list[int] = []
        word = list(values)
        for place in range(len(word)):
            fixed = frozenset(found)
            if not self.stabiliser(fixed):
                return (*found, *word[place:])
            if word[place] not in fixed:
                start = self.first(fixed, word[place])
                move = self.orbit(fixed, start)[word[place]]
                word = [move[x] for x in word]
            found.append(word[place])
        return tuple(found)

    def first(self, points: frozenset[int], point: int) -> int:
        """Return the least point of an orbit under a stabiliser."""
        seen = {point}
        queue = [point]
        for x in queue:
            fresh = {images[x] for images in self.stabiliser(points)} - seen
            seen |= fresh
            queue.extend(fresh)
        return min(seen)

    def representatives(self, length: int) -> Iterator[Images]:
        """Yield the least tuples of all orbits on tuples, ascending."""
        yield from self._extend((), length)

    def _extend(self, prefix: Images, missing: int) -> Iterator[Images]:
        if not missing:
            yield prefix
            return
        fixed = frozenset(prefix)
        if not self.stabiliser(fixed):
            yield from ((*prefix, *rest) for rest in product(range(self.n), repeat=missing))
            return
        for point in self._firsts(fixed):
            yield from self._extend((*prefix, point), missing - 1)

    def _firsts(self, points: frozenset[int]) -> list[int]:
        unseen, found = set(range(self.n)), []
        while unseen:
            found.append(min(unseen))
            unseen -= self.orbit(points, found[-1]).keys()
        return found

    def count(self, length: int) -> int:
        """Return the number of orbits on tuples: Burnside's mean of fixed points to the power of the length.

        Where the group is too large to list, orbits on tuples without repetition are counted instead.

        Raises
        ------
        InputError
            Neither is within reach.
        """
        if self.fixed_points is not None:
            total: int = sum(count * fixed**length for fixed, count in self.fixed_points.items())
            return total // self.order
        return sum(stirling(length)[size] * self._distinct((), size) for size in range(min(length, self.n) + 1))

    def _distinct(self, prefix: Images, missing: int) -> int:
        if not missing:
            return 1
        fixed = frozenset(prefix)
        if not self.stabiliser(fixed):
            return prod(range(self.n - len(prefix), self.n - len(prefix) - missing, -1))
        fresh = [point for point in self._firsts(fixed) if point not in fixed]
        if len(fresh) ** missing > _MOST_ORBITS:
            raise InputError(f"a group of {self.order} elements has too many orbits to count; ask for a smaller k + l")
        return sum(self._distinct((*prefix, point), missing - 1) for point in fresh)

    @cached_property
    def fixed_points(self) -> dict[int, int] | None:
        """Numbers of elements by their number of fixed points; None where a factor is too large to list.

        The group is the product of its parts on disjoint sets of points. A part that is a full symmetric group is
        counted by derangements, any other element by element.
        """
        total = {self.n - sum(map(len, self._supports())): 1}
        for support in self._supports():
            part = self._part(sorted(support))
            if part is None:
                return None
            merged: dict[int, int] = {}
            for (a, x), (b, y) in product(total.items(), part.items()):
                merged[a + b] = merged.get(a + b, 0) + x * y
            total = merged
        return total

    def _supports(self) -> list[set[int]]:
        """Return the sets of points that generators move, merged where they meet."""
        found: list[set[int]] = []
        for images in self.generators:
            moved = {x for x, y in enumerate(images) if x != y}
            for other in [other for other in found if other & moved]:
                found.remove(other)
                moved |= other
            found.append(moved)
        return found

    def _part(self, points: list[int]) -> dict[int, int] | None:
        place = {x: i for i, x in enumerate(points)}
        inner = [tuple(place[g[x]] for x in points) for g in self.generators if g[points[0]] in place]
        size, part = len(points), Action(len(points), inner)
        if part.order == factorial(size):
            return {fixed: comb(size, fixed) * _derangements(size - fixed) for fixed in range(size + 1)}
        if part.order > _MOST_ELEMENTS:
            return None
        fixed = (part.elements() == np.arange(size)).sum(axis=1)
        return {int(count): int(number) for count, number in zip(*np.unique(fixed, return_counts=True), strict=True)}

    def elements(self) -> npt.NDArray[np.int16]:
        """Return all elements, one a row."""
        if self.order > _MOST_ELEMENTS:
            raise InputError(f"a group of {self.order} elements is too large to list")
        found = np.arange(self.n, dtype=np.int16)[None]
        for transversal in reversed(self._transversals):
            found = np.concatenate([images[found] for images in transversal])
        return found

    def element(self, rng: np.random.Generator) -> Images:
        """Return a random element."""
        images = np.arange(self.n, dtype=np.int16)
        for transversal in reversed(self._transversals):
            images = transversal[rng.integers(len(transversal))][images]
        return tuple(int(x) for x in images)

    @cached_property
    def _transversals(self) -> list[list[npt.NDArray[np.int16]]]:
        levels = self._chain.transversals
        return [[np.array(step, dtype=np.int16) for _, step in sorted(level.items())] for level in levels]


def _derangements(points: int) -> int:
    return sum((-1) ** i * comb(points, i) * factorial(points - i) for i in range(points + 1))
