"""The symmetric group S_n, as permutation matrices."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.diagrams import ANY, PartitionDiagram, check_shape, partitions
from flipforge_equivariant._counts import stirling
from flipforge_equivariant._family import PartitionGroup
from flipforge_equivariant._proofs import Functional
from flipforge_equivariant._sizes import read_size

__all__ = ["SymmetricGroup", "symmetric"]


class SymmetricGroup(PartitionGroup):
    """S_n: all partition diagrams; those with at most n blocks are a basis.

    D is the sum of the orbit matrices of all coarser partitions, so the matrix of the change of basis is unitriangular;
    orbit matrices vanish for more than n blocks and have disjoint supports otherwise (Pearce-Crump, arXiv 2212.08648).

    Examples
    --------
    >>> SymmetricGroup(3).dimension(2, 2)
    14
    """

    letter = "S"
    blocks = ANY

    def count(self, k: int, l: int) -> int:
        """Return the Bell number of k + l."""
        check_shape(k, l)
        return sum(stirling(k + l))

    def dimension(self, k: int, l: int) -> int:
        """Return the number of partitions with at most n blocks."""
        check_shape(k, l)
        return sum(stirling(k + l)[: self.n + 1])

    def select(self, k: int, l: int) -> Iterator[PartitionDiagram]:
        """Yield the partitions with at most n blocks."""
        return partitions(k, l, self.blocks, most=self.n)

    def place(self, diagram: PartitionDiagram) -> tuple[int, ...]:
        """Put diagrams with many blocks first."""
        return (-diagram.size, *diagram.labels)

    def functional(self, diagram: PartitionDiagram) -> Functional:
        """Take the index that is equal exactly on blocks: coarser diagrams vanish there."""
        return [(1, list(diagram.labels))]

    def element(self, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return a random permutation matrix."""
        return np.eye(self.n, dtype=np.int64)[rng.permutation(self.n)]


def symmetric(body: str) -> SymmetricGroup:
    """Make S_n from the text after ``S:``."""
    return SymmetricGroup(read_size("S", body))
