"""The alternating group A_n, as permutation matrices."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.diagrams import Diagram, HeadedDiagram, jellyfish
from flipforge_equivariant._counts import stirling
from flipforge_equivariant._headed_family import HeadedGroup
from flipforge_equivariant._proofs import Functional
from flipforge_equivariant._sizes import read_size
from flipforge_equivariant.symmetric import SymmetricGroup

__all__ = ["AlternatingGroup", "alternating"]


class AlternatingGroup(HeadedGroup):
    """A_n: partition diagrams with at most n blocks, and jellyfish of n or n - 1 blocks, are a basis.

    A tuple of b distinct values has S_{n-b} as its stabiliser in S_n, so its orbit splits under A_n where n - b <= 1;
    the jellyfish of its partition is the difference of the halves. A_1 is S_1, which has nothing to split
    (Pearce-Crump, arXiv 2301.10152).

    Examples
    --------
    >>> AlternatingGroup(3).dimension(1, 1)
    3
    """

    letter = "A"
    larger_kind = SymmetricGroup

    def contains(self, diagram: Diagram) -> bool:
        """Tell whether a diagram is a partition or has a head of n legs; products have blocks without a leg too."""
        if isinstance(diagram, HeadedDiagram):
            return diagram.n == self.n
        return self.larger.contains(diagram)

    def headed_diagrams(self, k: int, l: int) -> Iterator[HeadedDiagram]:
        """Yield the jellyfish."""
        return jellyfish(k, l, self.n) if self.n > 1 else iter(())

    def headed_count(self, k: int, l: int) -> int:
        """Return the number of partitions with n or n - 1 blocks."""
        return sum(stirling(k + l)[self.n - 1 : self.n + 1]) if self.n > 1 else 0

    def headed_dimension(self, k: int, l: int) -> int:
        """Return the number of orbits of S_n that split."""
        return self.headed_count(k, l)

    def headed_select(self, k: int, l: int) -> Iterator[HeadedDiagram]:
        """Yield the jellyfish: their supports are disjoint."""
        return self.headed_diagrams(k, l)

    def headed_place(self, diagram: HeadedDiagram) -> tuple[int, ...]:
        """Keep the order of the labels: supports are disjoint."""
        return diagram.labels

    def headed_functional(self, diagram: HeadedDiagram) -> Functional:
        """Take the difference at two indices of the same blocks that an odd permutation exchanges.

        Diagrams without a head are the same at both, and other jellyfish vanish.
        """
        swapped = [1 - label if label < 2 else label for label in diagram.labels]
        return [(1, list(diagram.labels)), (-1, swapped)]

    def element(self, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return a random even permutation matrix."""
        element = self.larger.element(rng)
        if self.n > 1 and round(float(np.linalg.det(element))) < 0:
            element[[0, 1]] = element[[1, 0]]
        return element


def alternating(body: str) -> AlternatingGroup:
    """Make A_n from the text after ``A:``."""
    return AlternatingGroup(read_size("A", body))
