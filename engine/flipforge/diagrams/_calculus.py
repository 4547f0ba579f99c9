"""The rules of composition, tensor product and flip for each kind of diagram, with all scalars and signs."""

from collections.abc import Callable, Mapping
from typing import Protocol

from flipforge.diagrams._compose import compose, compose_symplectic
from flipforge.diagrams._diagram import Diagram
from flipforge.diagrams._graph import GraphDiagram, compose_graphs
from flipforge.diagrams._partition import PartitionDiagram
from flipforge.diagrams._polynomial import Polynomial
from flipforge.errors import InputError

__all__ = ["GRAPHS", "PARTITIONS", "SYMPLECTIC", "Calculus", "Terms"]

Terms = Mapping[Diagram, Polynomial]
"""A sum of multiples of diagrams."""

ONE = Polynomial.power(0)


class Calculus(Protocol):
    """What happens to diagrams where their matrices are multiplied, tensored or transposed."""

    def compose(self, above: Diagram, below: Diagram) -> Terms:
        """Return the product of two matrices as a sum of matrices.

        Raises
        ------
        InputError
            The rows between them differ, or the diagrams are not of this kind.
        """

    def tensor(self, left: Diagram, right: Diagram) -> Terms:
        """Return the Kronecker product of two matrices as a sum of matrices."""

    def flip(self, diagram: Diagram) -> Terms:
        """Return the transpose of a matrix as a sum of matrices."""

    def bend(self, diagram: Diagram) -> Terms:
        """Return a matrix whose last column index is made the last row index, as a sum of matrices.

        For Sp(n) the index goes through the form: F[I, (J, j)] becomes the sum over i of F[I, (J, i)] form[i, j].
        """


class _Partitions:
    """Partitions and Brauer diagrams: a factor n for each component that is removed."""

    def compose(self, above: Diagram, below: Diagram) -> Terms:
        result, removed = compose(as_partition(above), as_partition(below))
        return {result: Polynomial.power(removed)}

    def tensor(self, left: Diagram, right: Diagram) -> Terms:
        return {as_partition(left).tensor(as_partition(right)): ONE}

    def flip(self, diagram: Diagram) -> Terms:
        return {as_partition(diagram).flip(): ONE}

    def bend(self, diagram: Diagram) -> Terms:
        return {as_partition(diagram).bend(): ONE}


class _Symplectic(_Partitions):
    """Brauer diagrams for Sp(n): a factor n for each loop, and a sign."""

    def compose(self, above: Diagram, below: Diagram) -> Terms:
        result, loops, sign = compose_symplectic(as_partition(above), as_partition(below))
        return {result: Polynomial.power(loops, sign)}

    def bend(self, diagram: Diagram) -> Terms:
        # A pair in the row below becomes form times form, which is -1.
        plain = as_partition(diagram)
        bent = plain.bend()
        return {bent: -ONE if plain.partners[-1] >= plain.l else ONE}


class _Graphs:
    """Bilabelled graphs: no scalars at all."""

    def compose(self, above: Diagram, below: Diagram) -> Terms:
        return {compose_graphs(as_graph(above), as_graph(below)): ONE}

    def tensor(self, left: Diagram, right: Diagram) -> Terms:
        return {as_graph(left).tensor(as_graph(right)): ONE}

    def flip(self, diagram: Diagram) -> Terms:
        return {as_graph(diagram).flip(): ONE}

    def bend(self, diagram: Diagram) -> Terms:
        return {as_graph(diagram).bend(): ONE}


def as_partition(diagram: Diagram) -> PartitionDiagram:
    """Return a partition diagram, or raise `InputError`."""
    if not isinstance(diagram, PartitionDiagram):
        raise InputError(f"{diagram} is no partition diagram")
    return diagram


def as_graph(diagram: Diagram) -> GraphDiagram:
    """Return a bilabelled graph, or raise `InputError`."""
    if not isinstance(diagram, GraphDiagram):
        raise InputError(f"{diagram} is no bilabelled graph")
    return diagram


PARTITIONS: Calculus = _Partitions()
SYMPLECTIC: Calculus = _Symplectic()
GRAPHS: Calculus = _Graphs()


def gathered(terms: "list[tuple[Diagram, Polynomial]]") -> Terms:
    """Add up the multiples of equal diagrams, and leave out zeros."""
    found: dict[Diagram, Polynomial] = {}
    for diagram, scalar in terms:
        found[diagram] = found.get(diagram, Polynomial()) + scalar
    return {diagram: scalar for diagram, scalar in found.items() if scalar}


def bilinear(left: Terms, right: Terms, rule: Callable[[Diagram, Diagram], Terms]) -> Terms:
    """Extend a rule on pairs of diagrams to sums."""
    return gathered(
        [
            (diagram, a * b * scalar)
            for x, a in left.items()
            for y, b in right.items()
            for diagram, scalar in rule(x, y).items()
        ]
    )
