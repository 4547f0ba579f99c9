"""The orthogonal group O(n)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.diagrams import PAIRS, Diagram, PartitionDiagram, check_shape, partitions
from flipforge_equivariant._counts import hook_count, integer_partitions, matchings
from flipforge_equivariant._elements import reflections
from flipforge_equivariant._family import PartitionGroup
from flipforge_equivariant._proofs import Functional, levels
from flipforge_equivariant._sizes import read_size
from flipforge_equivariant._subsequences import longest_increasing

__all__ = ["OrthogonalGroup", "brauer_document", "orthogonal", "orthogonal_dimension"]


class OrthogonalGroup(PartitionGroup):
    """O(n): Brauer diagrams; a basis are those that as involutions have no increasing subsequence longer than n.

    Such a subsequence of n + 1 points has no pair within, and the (n+1) x (n+1) determinant that vanishes rewrites the
    diagram by involutions that are greater words. The count is the dimension by the Robinson-Schensted correspondence
    (Brauer, "On algebras which are connected with the semisimple continuous groups", 1937; Pearce-Crump, arXiv
    2212.08630).

    Examples
    --------
    >>> OrthogonalGroup(2).dimension(3, 3), OrthogonalGroup(2).count(3, 3)
    (10, 15)
    """

    letter = "O"
    blocks = PAIRS

    def count(self, k: int, l: int) -> int:
        """Return (k + l - 1)!!."""
        check_shape(k, l)
        return matchings(k + l)

    def dimension(self, k: int, l: int) -> int:
        """Return the number of standard tableaux with even rows, at most n of them."""
        check_shape(k, l)
        return orthogonal_dimension(self.n, k + l)

    def select(self, k: int, l: int) -> Iterator[PartitionDiagram]:
        """Yield the diagrams without an increasing subsequence of n + 1 points."""
        for diagram in partitions(k, l, self.blocks):
            if longest_increasing(diagram.partners) <= self.n:
                yield diagram

    def place(self, diagram: PartitionDiagram) -> tuple[int, ...]:
        """Put involutions in lexicographic order as words."""
        return diagram.partners

    def functional(self, diagram: PartitionDiagram) -> Functional:
        """Take for each point the length of the longest increasing subsequence up to it.

        Pairs get equal values, and the points of one value are nested pairs. Every other diagram that does not vanish
        there joins the same points otherwise, so that it is a lesser word.
        """
        return [(1, levels(diagram.partners))]

    def document(self, diagram: Diagram) -> dict[str, Any]:
        """Return a diagram as a JSON object with its pairs."""
        return brauer_document(self.check(diagram))

    def element(self, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return a product of reflections along random integer vectors, with fractions as entries."""
        return reflections(rng, self.n, int(rng.integers(1, 4)))


def orthogonal_dimension(n: int, points: int) -> int:
    """Return the number of standard tableaux with even rows, at most n of them: that of O(n), n = 0 included."""
    if points % 2 or 2 * n >= points:
        return matchings(points)
    halves = integer_partitions(points // 2, n)
    return sum(hook_count(tuple(2 * row for row in half)) for half in halves)


def brauer_document(diagram: PartitionDiagram) -> dict[str, Any]:
    """Return a Brauer diagram as a JSON object with its pairs."""
    return {
        "kind": "brauer",
        "k": diagram.k,
        "l": diagram.l,
        "pairs": [list(block) for block in diagram.blocks],
        "free": [],
    }


def orthogonal(body: str) -> OrthogonalGroup:
    """Make O(n) from the text after ``O:``."""
    return OrthogonalGroup(read_size("O", body))
