"""Further easy groups: families of partitions between those of O(n) and of S_n.

Source: Banica, Speicher, "Liberation of orthogonal Lie groups", 2009.
"""

from collections.abc import Iterator
from math import comb
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from flipforge.diagrams import EVEN, SMALL, Blocks, Diagram, PartitionDiagram, check_shape, partitions
from flipforge_equivariant._counts import even_partitions, matchings
from flipforge_equivariant._elements import reflections
from flipforge_equivariant._family import MergingGroup, PartitionGroup
from flipforge_equivariant._proofs import Functional, levels
from flipforge_equivariant._sizes import read_size
from flipforge_equivariant._subsequences import longest_increasing
from flipforge_equivariant.orthogonal import orthogonal_dimension
from flipforge_equivariant.symmetric import SymmetricGroup

__all__ = [
    "BistochasticGroup",
    "DoubledBistochasticGroup",
    "DoubledSymmetricGroup",
    "HyperoctahedralGroup",
    "bistochastic",
    "doubled_bistochastic",
    "doubled_symmetric",
    "hyperoctahedral",
]


class HyperoctahedralGroup(MergingGroup):
    """H_n, the signed permutation matrices: partitions into even blocks, which stay even where they are merged.

    Examples
    --------
    >>> HyperoctahedralGroup(2).dimension(2, 2)
    4
    """

    letter = "H"
    blocks = EVEN

    def sizes(self, points: int) -> tuple[int, ...]:
        """Return the numbers of partitions into even blocks."""
        return even_partitions(points)

    def element(self, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return a random signed permutation matrix."""
        signs = 2 * rng.integers(0, 2, self.n) - 1
        return np.diag(signs)[rng.permutation(self.n)]


class BistochasticGroup(PartitionGroup):
    """B_n, the orthogonal matrices whose rows and columns add up to 1: partitions into pairs and single points.

    B_n is O(n-1) on the complement of the vector of ones, which a single point stands for. A pair is the pair of the
    complement plus two single points over n, so diagrams are triangular by the set of their paired points, and for each
    such set the basis of O(n-1) is a basis.

    Examples
    --------
    >>> BistochasticGroup(3).dimension(2, 3)
    26
    """

    letter = "B"
    blocks = SMALL

    def count(self, k: int, l: int) -> int:
        """Return the number of involutions of k + l points."""
        check_shape(k, l)
        return sum(comb(k + l, paired) * matchings(paired) for paired in range(k + l + 1))

    def dimension(self, k: int, l: int) -> int:
        """Return the sum over j of C(k + l, j) times the dimension for O(n-1) and j points."""
        check_shape(k, l)
        return sum(comb(k + l, j) * orthogonal_dimension(self.n - 1, j) for j in range(k + l + 1))

    def select(self, k: int, l: int) -> Iterator[PartitionDiagram]:
        """Yield the diagrams whose paired points have no increasing subsequence of n points."""
        for diagram in partitions(k, l, self.blocks):
            moved = (image for point, image in enumerate(diagram.partners) if image != point)
            if longest_increasing(moved) < self.n:
                yield diagram

    def place(self, diagram: PartitionDiagram) -> tuple[int, ...]:
        """Put diagrams with few single points first, and those of the same points as for O(n-1)."""
        single = tuple(point for point, image in enumerate(diagram.partners) if image == point)
        return (len(single), *single, *diagram.partners)

    def functional(self, diagram: PartitionDiagram) -> Functional:
        """Take the vector of ones for single points, and for the others the vectors that O(n-1) takes.

        Indices are those of the orthogonal basis (1, ..., 1), f_1, ..., f_(n-1).
        """
        word = diagram.partners
        moved = [point for point, image in enumerate(word) if image != point]
        index = [0] * len(word)
        for point, level in zip(moved, levels(word[point] for point in moved), strict=True):
            index[point] = level + 1
        return [(1, index)]

    def element(self, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return a product of reflections along random integer vectors without a sum, with fractions as entries."""
        return reflections(rng, self.n, int(rng.integers(1, 4)), balanced=True)


class DoubledGroup(PartitionGroup):
    """What a group G becomes as G x Z_2, with the negatives of its elements: only even numbers of points are left."""

    single_kind: ClassVar[type[PartitionGroup]]

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.single = self.single_kind(n)

    def contains(self, diagram: Diagram) -> bool:
        """Tell whether a diagram is one of G on an even number of points."""
        return (diagram.k + diagram.l) % 2 == 0 and self.single.contains(diagram)

    def diagrams(self, k: int, l: int) -> Iterator[PartitionDiagram]:
        """Yield the diagrams of G, or nothing."""
        found = self.single.diagrams(k, l)
        return iter(()) if (k + l) % 2 else found

    def count(self, k: int, l: int) -> int:
        """Return the number of `diagrams`."""
        return self.single.count(k, l) * ((k + l + 1) % 2)

    def dimension(self, k: int, l: int) -> int:
        """Return that of G, or 0 where -1 acts as -1."""
        return self.single.dimension(k, l) * ((k + l + 1) % 2)

    def select(self, k: int, l: int) -> Iterator[PartitionDiagram]:
        """Yield the basis of G, or nothing."""
        return iter(()) if (k + l) % 2 else self.single.select(k, l)

    def place(self, diagram: PartitionDiagram) -> tuple[int, ...]:
        """Return the key for G."""
        return self.single.place(diagram)

    def functional(self, diagram: PartitionDiagram) -> Functional:
        """Return the functional for G."""
        return self.single.functional(diagram)

    def element(self, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return a random element of G or its negative."""
        return int(rng.choice([-1, 1])) * self.single.element(rng)


class DoubledSymmetricGroup(DoubledGroup):
    """S_n x Z_2: all partitions of an even number of points.

    Examples
    --------
    >>> DoubledSymmetricGroup(3).dimension(2, 2), DoubledSymmetricGroup(3).dimension(2, 1)
    (14, 0)
    """

    letter = "SxZ2"
    blocks = Blocks("all partitions of an even number of points")
    single_kind = SymmetricGroup


class DoubledBistochasticGroup(DoubledGroup):
    """B_n x Z_2: partitions of an even number of points into pairs and single points.

    Examples
    --------
    >>> DoubledBistochasticGroup(3).dimension(2, 2), DoubledBistochasticGroup(3).dimension(2, 1)
    (10, 0)
    """

    letter = "BxZ2"
    blocks = Blocks("pairs and an even number of single points", largest=2)
    single_kind = BistochasticGroup


def hyperoctahedral(body: str) -> HyperoctahedralGroup:
    """Make H_n from the text after ``H:``."""
    return HyperoctahedralGroup(read_size("H", body))


def bistochastic(body: str) -> BistochasticGroup:
    """Make B_n from the text after ``B:``."""
    return BistochasticGroup(read_size("B", body))


def doubled_symmetric(body: str) -> DoubledSymmetricGroup:
    """Make S_n x Z_2 from the text after ``SxZ2:``."""
    return DoubledSymmetricGroup(read_size("SxZ2", body))


def doubled_bistochastic(body: str) -> DoubledBistochasticGroup:
    """Make B_n x Z_2 from the text after ``BxZ2:``."""
    return DoubledBistochasticGroup(read_size("BxZ2", body))
