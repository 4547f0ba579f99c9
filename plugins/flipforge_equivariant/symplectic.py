"""The symplectic group Sp(n), n even."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.diagrams import (
    PAIRS,
    SYMPLECTIC,
    Diagram,
    PartitionDiagram,
    SparseMatrix,
    check_shape,
    partitions,
    symplectic_form,
    symplectic_matrix,
)
from flipforge.errors import InputError
from flipforge_equivariant._counts import hook_count, integer_partitions, matchings
from flipforge_equivariant._elements import transvections
from flipforge_equivariant._family import PartitionGroup
from flipforge_equivariant._proofs import Functional, levels
from flipforge_equivariant._sizes import read_size
from flipforge_equivariant._subsequences import longest_decreasing
from flipforge_equivariant.orthogonal import brauer_document

__all__ = ["SymplecticGroup", "symplectic"]


class SymplecticGroup(PartitionGroup):
    """Sp(n) for the form [[0, I], [-I, 0]]: Brauer diagrams with signs, independent where n >= k + l.

    A basis are the diagrams that as involutions have no decreasing subsequence longer than n, that is no n/2 + 1 nested
    pairs, by Pfaffian straightening.

    Raises
    ------
    InputError
        n is odd.

    Examples
    --------
    >>> SymplecticGroup(4).dimension(3, 3), SymplecticGroup(4).count(3, 3)
    (14, 15)
    """

    letter = "Sp"
    blocks = PAIRS
    calculus = SYMPLECTIC

    def __init__(self, n: int) -> None:
        if n % 2:
            raise InputError(f"Sp:{n}: a symplectic form needs an even dimension; write Sp:{n + 1} or O:{n}")
        super().__init__(n)

    def count(self, k: int, l: int) -> int:
        """Return (k + l - 1)!!."""
        check_shape(k, l)
        return matchings(k + l)

    def dimension(self, k: int, l: int) -> int:
        """Return the number of standard tableaux with even columns, at most n rows."""
        check_shape(k, l)
        points = k + l
        if points % 2 or self.n >= points:
            return matchings(points)
        halves = integer_partitions(points // 2, self.n // 2)
        return sum(hook_count(tuple(row for row in half for _ in range(2))) for half in halves)

    def select(self, k: int, l: int) -> Iterator[PartitionDiagram]:
        """Yield the diagrams without a decreasing subsequence of n + 1 points."""
        for diagram in partitions(k, l, self.blocks):
            if longest_decreasing(diagram.partners) <= self.n:
                yield diagram

    def matrix(self, diagram: Diagram) -> SparseMatrix:
        """Return the matrix of a diagram, signs included."""
        return symplectic_matrix(self.check(diagram), self.n)

    def place(self, diagram: PartitionDiagram) -> tuple[int, ...]:
        """Put involutions in reverse lexicographic order as words."""
        return tuple(-image for image in diagram.partners)

    def functional(self, diagram: PartitionDiagram) -> Functional:
        """Take for the left point of a pair how many pairs it is nested in, and for the right one its conjugate.

        Pairs of one depth are not nested. Every other diagram that does not vanish there joins some left point to a
        later right one, so that it is a greater word. Points below are conjugate, as the form turns to the identity.
        """
        half, word = self.n // 2, diagram.partners
        lefts = [point for point, image in enumerate(word) if point < image]
        index = [0] * len(word)
        for left, depth in zip(lefts, levels((word[point] for point in lefts), step=-1), strict=True):
            index[left], index[word[left]] = depth, depth + half
        return [(1, [x if p < diagram.l else (x + half) % self.n for p, x in enumerate(index)])]

    def document(self, diagram: Diagram) -> dict[str, Any]:
        """Return a diagram as a JSON object with its pairs."""
        return brauer_document(self.check(diagram))

    def element(self, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return a product of random transvections, with integers as entries."""
        return transvections(rng, symplectic_form(self.n), self.n + 1)


def symplectic(body: str) -> SymplecticGroup:
    """Make Sp(n) from the text after ``Sp:``."""
    return SymplecticGroup(read_size("Sp", body))
