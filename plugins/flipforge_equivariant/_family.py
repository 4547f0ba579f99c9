"""What the groups of partition diagrams share."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from flipforge.certificates import Certificate
from flipforge.diagrams import (
    PARTITIONS,
    Blocks,
    Calculus,
    Diagram,
    PartitionDiagram,
    SparseMatrix,
    check_listable,
    check_shape,
    diagram_matrix,
    partitions,
)
from flipforge.errors import InputError
from flipforge_equivariant._proofs import MOST_LISTED, Functional, rule_certificate, triangular_certificate

__all__ = ["MergingGroup", "PartitionGroup"]


class PartitionGroup(ABC):
    """A group whose maps are spanned by the matrices of a family of partitions.

    Parameters
    ----------
    n
        The dimension of V.
    """

    letter: ClassVar[str]
    blocks: ClassVar[Blocks]
    calculus: Calculus = PARTITIONS

    def __init__(self, n: int) -> None:
        self.n = n
        self.name = f"{self.letter}:{n}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.n})"

    def contains(self, diagram: Diagram) -> bool:
        """Tell whether a diagram belongs to the family."""
        return isinstance(diagram, PartitionDiagram) and self.blocks.allows(diagram)

    def diagrams(self, k: int, l: int) -> Iterator[PartitionDiagram]:
        """Yield all diagrams of the family, by their labels."""
        check_shape(k, l)
        return partitions(k, l, self.blocks)

    @abstractmethod
    def count(self, k: int, l: int) -> int:
        """Return the number of `diagrams`."""

    @abstractmethod
    def dimension(self, k: int, l: int) -> int:
        """Return the dimension of the space of equivariant maps."""

    def basis(self, k: int, l: int) -> tuple[PartitionDiagram, ...]:
        """Return diagrams whose matrices are a basis of the equivariant maps."""
        check_listable(self.dimension(k, l), f"{self.name}, k = {k}, l = {l}")
        return tuple(self.select(k, l))

    @abstractmethod
    def select(self, k: int, l: int) -> Iterator[PartitionDiagram]:
        """Yield the basis in canonical order."""

    def matrix(self, diagram: Diagram) -> SparseMatrix:
        """Return the matrix of a diagram."""
        return diagram_matrix(self.check(diagram), self.n)

    def document(self, diagram: Diagram) -> dict[str, Any]:
        """Return a diagram as a JSON object."""
        return diagram.as_dict()

    def certificate(self, k: int, l: int) -> Certificate:
        """Return a certificate that the basis is one; up to five hundred diagrams it lists them."""
        dimension = self.dimension(k, l)
        if dimension > MOST_LISTED:
            return rule_certificate(self.name, k, l, dimension)
        basis = sorted(self.select(k, l), key=self.place)
        return triangular_certificate(self.name, k, l, basis, self.document, lambda d: self.functional(self.check(d)))

    @abstractmethod
    def place(self, diagram: PartitionDiagram) -> tuple[int, ...]:
        """Return the key by which the basis is triangular."""

    @abstractmethod
    def functional(self, diagram: PartitionDiagram) -> Functional:
        """Return a combination of entries that is not 0 for a diagram of the basis, and 0 for all later ones."""

    @abstractmethod
    def element(self, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return a random element of the group."""

    def check(self, diagram: Diagram) -> PartitionDiagram:
        """Return the diagram, or raise `InputError` for one that is not of this group."""
        if not isinstance(diagram, PartitionDiagram) or not self.contains(diagram):
            raise InputError(f"{diagram} is no diagram of {self.name}, which has {self.blocks.name}")
        return diagram


class MergingGroup(PartitionGroup):
    """A group whose family stays itself where blocks are merged: diagrams with at most n blocks are a basis.

    D is the sum of the orbit matrices of all coarser partitions, so the matrix of the change of basis is unitriangular;
    orbit matrices vanish for more than n blocks and have disjoint supports otherwise (Pearce-Crump, arXiv 2212.08648).
    """

    @abstractmethod
    def sizes(self, points: int) -> tuple[int, ...]:
        """Return the numbers of diagrams on these points by their number of blocks."""

    def count(self, k: int, l: int) -> int:
        """Return the number of `diagrams`."""
        check_shape(k, l)
        return sum(self.sizes(k + l))

    def dimension(self, k: int, l: int) -> int:
        """Return the number of diagrams with at most n blocks."""
        check_shape(k, l)
        return sum(self.sizes(k + l)[: self.n + 1])

    def select(self, k: int, l: int) -> Iterator[PartitionDiagram]:
        """Yield the diagrams with at most n blocks."""
        return partitions(k, l, self.blocks, most=self.n)

    def place(self, diagram: PartitionDiagram) -> tuple[int, ...]:
        """Put diagrams with many blocks first."""
        return (-diagram.size, *diagram.labels)

    def functional(self, diagram: PartitionDiagram) -> Functional:
        """Take the index that is equal exactly on blocks: coarser diagrams vanish there."""
        return [(1, list(diagram.labels))]
