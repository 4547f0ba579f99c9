"""Stabiliser chains of permutation groups (Sims, "Computational methods in the study of permutation groups", 1970)."""

from collections.abc import Sequence
from math import prod

__all__ = ["Chain", "Images", "inverse", "product"]

Images = tuple[int, ...]


def product(after: Images, before: Images) -> Images:
    """Return the permutation that does ``before`` first.

    Examples
    --------
    >>> product((1, 2, 0), (0, 2, 1))
    (1, 0, 2)
    """
    return tuple([after[x] for x in before])


def inverse(images: Images) -> Images:
    """Return the inverse permutation."""
    found = [0] * len(images)
    for x, y in enumerate(images):
        found[y] = x
    return tuple(found)


class Chain:
    """The stabilisers of more and more base points in the group that permutations generate.

    Attributes
    ----------
    base
        The points; no element but the identity fixes all of them.
    generators
        For each base point generators of the stabiliser of those before it.
    transversals
        For each base point its orbit under that stabiliser: each point with an element that takes the base point there.

    Examples
    --------
    >>> Chain(4, [(1, 0, 2, 3), (1, 2, 3, 0)]).order
    24
    """

    def __init__(self, n: int, generators: Sequence[Images], base: Sequence[int] = ()) -> None:
        self.identity = tuple(range(n))
        self.base: list[int] = []
        self.generators: list[list[Images]] = []
        self.transversals: list[dict[int, Images]] = []
        for point in base:
            self._add_level(point)
        for images in generators:
            if self._sifted(images, 0) != self.identity:
                self._extend(0, images)

    @property
    def order(self) -> int:
        """The number of elements."""
        return prod(map(len, self.transversals))

    def stabiliser(self, level: int) -> list[Images]:
        """Return generators of the stabiliser of the first base points."""
        return self.generators[level] if level < len(self.generators) else []

    def _add_level(self, point: int) -> None:
        self.base.append(point)
        self.generators.append([])
        self.transversals.append({point: self.identity})

    def _sifted(self, images: Images, level: int) -> Images:
        """Divide by elements of the transversals from a level on; the identity is left of a member of the group."""
        for point, transversal in zip(self.base[level:], self.transversals[level:], strict=True):
            step = transversal.get(images[point])
            if step is None:
                return images
            images = product(inverse(step), images)
        return images

    def _extend(self, level: int, images: Images) -> None:
        """Add a generator of a stabiliser, and what Schreier's lemma then asks of those below."""
        if level == len(self.base):
            self._add_level(next(x for x, y in enumerate(images) if x != y))
        self.generators[level].append(images)
        transversal = self.transversals[level]
        known, points = len(transversal), list(transversal)
        for number, x in enumerate(points):
            # Points that were there before have seen the other generators.
            for step in [images] if number < known else self.generators[level]:
                reached = step[x]
                moved = product(step, transversal[x])
                if reached not in transversal:
                    transversal[reached] = moved
                    points.append(reached)
                    continue
                rest = self._sifted(product(inverse(transversal[reached]), moved), level + 1)
                if rest != self.identity:
                    self._extend(level + 1, rest)
