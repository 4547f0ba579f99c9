"""What SO(n) and A_n share: the diagrams of the larger group, and those with a head."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import chain
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from flipforge.certificates import Certificate
from flipforge.diagrams import (
    Calculus,
    Diagram,
    HeadedCalculus,
    HeadedDiagram,
    PartitionDiagram,
    SparseMatrix,
    check_listable,
    headed_matrix,
)
from flipforge_equivariant._family import PartitionGroup
from flipforge_equivariant._proofs import MOST_LISTED, Functional, rule_certificate, triangular_certificate

__all__ = ["HeadedGroup"]


class HeadedGroup(ABC):
    """The elements of determinant 1 of a group of partition diagrams.

    The maps are those of the larger group, and those that an element g of it multiplies by det(g), which headed
    diagrams span.

    Parameters
    ----------
    n
        The dimension of V.
    """

    letter: ClassVar[str]
    larger_kind: ClassVar[type[PartitionGroup]]

    def __init__(self, n: int) -> None:
        self.n = n
        self.name = f"{self.letter}:{n}"
        self.larger = self.larger_kind(n)
        self.calculus: Calculus = HeadedCalculus(n)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.n})"

    @abstractmethod
    def contains(self, diagram: Diagram) -> bool:
        """Tell whether a diagram is one of the larger group or of the headed family."""

    @abstractmethod
    def headed_diagrams(self, k: int, l: int) -> Iterator[HeadedDiagram]:
        """Yield the headed diagrams, by their labels."""

    @abstractmethod
    def headed_count(self, k: int, l: int) -> int:
        """Return the number of `headed_diagrams`."""

    @abstractmethod
    def headed_dimension(self, k: int, l: int) -> int:
        """Return the dimension of their span."""

    @abstractmethod
    def headed_select(self, k: int, l: int) -> Iterator[HeadedDiagram]:
        """Yield a basis of their span."""

    def diagrams(self, k: int, l: int) -> Iterator[Diagram]:
        """Yield all diagrams, those without a head first."""
        return chain(self.larger.diagrams(k, l), self.headed_diagrams(k, l))

    def count(self, k: int, l: int) -> int:
        """Return the number of `diagrams`."""
        return self.larger.count(k, l) + self.headed_count(k, l)

    def dimension(self, k: int, l: int) -> int:
        """Return the dimension of the space of equivariant maps."""
        return self.larger.dimension(k, l) + self.headed_dimension(k, l)

    def basis(self, k: int, l: int) -> tuple[Diagram, ...]:
        """Return diagrams whose matrices are a basis of the equivariant maps, those without a head first."""
        check_listable(self.dimension(k, l), f"{self.name}, k = {k}, l = {l}")
        return (*self.larger.basis(k, l), *self.headed_select(k, l))

    def matrix(self, diagram: Diagram) -> SparseMatrix:
        """Return the matrix of a diagram."""
        if isinstance(diagram, HeadedDiagram) and self.contains(diagram):
            return headed_matrix(diagram)
        return self.larger.matrix(diagram)

    def document(self, diagram: Diagram) -> dict[str, Any]:
        """Return a diagram as a JSON object."""
        return self.larger.document(diagram) if isinstance(diagram, PartitionDiagram) else diagram.as_dict()

    def certificate(self, k: int, l: int) -> Certificate:
        """Return a certificate that the basis is one; up to five hundred diagrams it lists them."""
        dimension = self.dimension(k, l)
        if dimension > MOST_LISTED:
            return rule_certificate(self.name, k, l, dimension)
        heads = sorted(self.headed_select(k, l), key=self.headed_place)
        others = sorted(self.larger.select(k, l), key=self.larger.place)
        return triangular_certificate(self.name, k, l, [*heads, *others], self.document, self._functional)

    def _functional(self, diagram: Diagram) -> Functional:
        if isinstance(diagram, HeadedDiagram):
            return self.headed_functional(diagram)
        return self.larger.functional(self.larger.check(diagram))

    @abstractmethod
    def headed_place(self, diagram: HeadedDiagram) -> tuple[int, ...]:
        """Return the key by which headed diagrams are triangular."""

    @abstractmethod
    def headed_functional(self, diagram: HeadedDiagram) -> Functional:
        """Return a combination of entries that is not 0 for a headed diagram, and 0 for later ones and all others."""

    @abstractmethod
    def element(self, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return a random element of the group."""
