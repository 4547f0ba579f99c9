"""The special orthogonal group SO(n)."""

from collections.abc import Iterator
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.diagrams import Diagram, HeadedDiagram, levi_civita
from flipforge_equivariant._counts import hook_count, integer_partitions, matchings
from flipforge_equivariant._elements import reflections
from flipforge_equivariant._headed_family import HeadedGroup
from flipforge_equivariant._proofs import Functional, levels
from flipforge_equivariant._sizes import read_size
from flipforge_equivariant._subsequences import longest_increasing
from flipforge_equivariant.orthogonal import OrthogonalGroup

__all__ = ["SpecialOrthogonalGroup", "special_orthogonal"]


class SpecialOrthogonalGroup(HeadedGroup):
    """SO(n): the basis of O(n), and diagrams with n free points on a Levi-Civita head.

    Of the latter those are taken whose involution, free points fixed, has n as the length of its longest increasing
    subsequences (Grood, "Brauer algebras and centralizer algebras for SO(2n, C)", 1999; Pearce-Crump, arXiv
    2212.08630).

    Examples
    --------
    >>> SpecialOrthogonalGroup(3).dimension(4, 3), SpecialOrthogonalGroup(3).count(4, 3)
    (36, 105)
    """

    letter = "SO"
    larger_kind = OrthogonalGroup

    def contains(self, diagram: Diagram) -> bool:
        """Tell whether a diagram is a Brauer diagram or has n free points beside its pairs."""
        if isinstance(diagram, HeadedDiagram):
            return diagram.n == self.n and diagram.is_paired
        return self.larger.contains(diagram)

    def headed_diagrams(self, k: int, l: int) -> Iterator[HeadedDiagram]:
        """Yield the diagrams with n free points."""
        return levi_civita(k, l, self.n)

    def headed_count(self, k: int, l: int) -> int:
        """Return C(k + l, n) (k + l - n - 1)!!."""
        points = k + l
        return comb(points, self.n) * matchings(points - self.n) if points >= self.n else 0

    def headed_dimension(self, k: int, l: int) -> int:
        """Return the number of standard tableaux with n rows, all odd."""
        points = k + l
        if points < self.n or (points - self.n) % 2:
            return 0
        halves = integer_partitions((points - self.n) // 2, self.n)
        shapes = ([2 * row + 1 for row in half] + [1] * (self.n - len(half)) for half in halves)
        return sum(hook_count(tuple(shape)) for shape in shapes)

    def headed_select(self, k: int, l: int) -> Iterator[HeadedDiagram]:
        """Yield the diagrams without an increasing subsequence of n + 1 points."""
        for diagram in self.headed_diagrams(k, l):
            if longest_increasing(diagram.plain.partners) == self.n:
                yield diagram

    def headed_place(self, diagram: HeadedDiagram) -> tuple[int, ...]:
        """Put involutions in lexicographic order as words."""
        return diagram.plain.partners

    def headed_functional(self, diagram: HeadedDiagram) -> Functional:
        """Take the index that O(n) takes: each value stands on one free point, and on an odd number of points.

        Diagrams without a head vanish there, and those with one are lesser words.
        """
        return [(1, levels(diagram.plain.partners))]

    def element(self, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return a product of two or four reflections along random integer vectors, with fractions as entries."""
        return reflections(rng, self.n, 2 * int(rng.integers(1, 3)))


def special_orthogonal(body: str) -> SpecialOrthogonalGroup:
    """Make SO(n) from the text after ``SO:``."""
    return SpecialOrthogonalGroup(read_size("SO", body))
