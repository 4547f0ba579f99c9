"""The automorphism group of a graph, as permutation matrices."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.diagrams import (
    GRAPHS,
    Diagram,
    GraphDiagram,
    SparseMatrix,
    Terms,
    bilabelled,
    check_listable,
    graph_matrix,
    graph_values,
    partitions,
)
from flipforge.errors import InputError
from flipforge_equivariant._automorphisms import automorphism_generators
from flipforge_equivariant._named_graphs import edges_of, named_graph
from flipforge_equivariant._orbit_calculus import OrbitCalculus
from flipforge_equivariant.permutation import PermutationGroup

__all__ = ["GraphGroup", "automorphisms", "of_graph"]

_PRIME = 2**31 - 1


class GraphCalculus(OrbitCalculus):
    """The calculus of orbits, and of bilabelled graphs where both diagrams are such."""

    def compose(self, above: Diagram, below: Diagram) -> Terms:
        """Return the product of two matrices as a sum of matrices."""
        both = isinstance(above, GraphDiagram) and isinstance(below, GraphDiagram)
        return GRAPHS.compose(above, below) if both else super().compose(above, below)

    def tensor(self, left: Diagram, right: Diagram) -> Terms:
        """Return the Kronecker product of two matrices as a sum of matrices."""
        both = isinstance(left, GraphDiagram) and isinstance(right, GraphDiagram)
        return GRAPHS.tensor(left, right) if both else super().tensor(left, right)

    def flip(self, diagram: Diagram) -> Terms:
        """Return the transpose of a matrix."""
        return GRAPHS.flip(diagram) if isinstance(diagram, GraphDiagram) else super().flip(diagram)

    def bend(self, diagram: Diagram) -> Terms:
        """Return a matrix whose last column index is made the last row index."""
        return GRAPHS.bend(diagram) if isinstance(diagram, GraphDiagram) else super().bend(diagram)


class GraphGroup(PermutationGroup):
    """Aut(G): the orbits on index tuples are a basis; bilabelled graphs span the same maps.

    Parameters
    ----------
    name
        How the group is called.
    adjacency
        n x n matrix of zeros and ones; not symmetric for a directed graph.

    Examples
    --------
    >>> GraphGroup("Aut:path-3", [[0, 1, 0], [1, 0, 1], [0, 1, 0]]).dimension(1, 1)
    5
    """

    def __init__(self, name: str, adjacency: list[list[int]]) -> None:
        super().__init__(name, len(adjacency), automorphism_generators(adjacency))
        self.calculus = GraphCalculus(self)
        self.adjacency: npt.NDArray[np.int64] = np.array(adjacency, dtype=np.int64)

    def contains(self, diagram: Diagram) -> bool:
        """Tell whether a diagram is an orbit of this group or a bilabelled graph."""
        return isinstance(diagram, GraphDiagram) or super().contains(diagram)

    def matrix(self, diagram: Diagram) -> SparseMatrix:
        """Return the indicator matrix of an orbit, or the homomorphism counts of a bilabelled graph."""
        if isinstance(diagram, GraphDiagram):
            return graph_matrix(diagram, self.adjacency)
        return super().matrix(diagram)

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Edges, an undirected one both ways."""
        return tuple((int(u), int(v)) for u, v in np.argwhere(self.adjacency))

    def definition(self) -> dict[str, Any]:
        """Return the vertices and edges of the graph, an undirected edge both ways."""
        return {"n": self.n, "edges": np.argwhere(self.adjacency).tolist()}

    def graph_diagrams(self, k: int, l: int, edges: int, vertices: int) -> Iterator[GraphDiagram]:
        """Yield the bilabelled graphs without loops of a number of edges and vertices, each once, in order.

        Graphs with a component that has no label are left out: it only multiplies the matrix by a number.
        """
        found: set[GraphDiagram] = set()
        pairs = list(combinations(range(vertices), 2))
        for plain in partitions(k, l, most=vertices):
            for chosen in combinations(pairs, edges):
                if _hangs_together(plain.size, vertices, chosen):
                    found.add(bilabelled(k, l, vertices, chosen, plain.labels))
        yield from sorted(found)

    def graph_basis(self, k: int, l: int, most_vertices: int = 5, most_edges: int = 4) -> tuple[GraphDiagram, ...]:
        """Return bilabelled graphs whose matrices are a basis, those with few edges and vertices first.

        A graph is taken if its values on the orbits are independent modulo a prime of those taken before.

        Raises
        ------
        InputError
            Graphs of that size do not span; the message says how far they go.
        """
        dimension = self.dimension(k, l)
        check_listable(dimension**2, f"{self.name}, k = {k}, l = {l}, values of graphs on orbits")
        orbits = np.array(list(self.action.representatives(k + l)), dtype=np.int64).reshape(dimension, k + l)
        taken: list[GraphDiagram] = []
        echelon: dict[int, npt.NDArray[np.int64]] = {}
        for edges, vertices in product(range(most_edges + 1), range(most_vertices + 1)):
            for diagram in self.graph_diagrams(k, l, edges, vertices):
                if _extends(echelon, graph_values(diagram, self.adjacency, orbits)):
                    taken.append(diagram)
                if len(taken) == dimension:
                    return tuple(taken)
        raise InputError(
            f"{self.name}, k = {k}, l = {l}: graphs of at most {most_vertices} vertices and {most_edges} edges span "
            f"{len(taken)} of {dimension} dimensions; allow larger ones"
        )


def _extends(echelon: dict[int, npt.NDArray[np.int64]], values: npt.NDArray[np.int64]) -> bool:
    """Add a vector to an echelon form modulo a prime; tell whether it was independent of those there."""
    rest = values % _PRIME
    for pivot, row in echelon.items():
        rest = (rest - rest[pivot] * row) % _PRIME
    places = np.flatnonzero(rest)
    if not len(places):
        return False
    pivot = int(places[0])
    echelon[pivot] = rest * pow(int(rest[pivot]), -1, _PRIME) % _PRIME
    return True


def _hangs_together(labelled: int, vertices: int, edges: Sequence[tuple[int, int]]) -> bool:
    """Tell whether every vertex is joined to one with a label."""
    reached = set(range(labelled))
    for _ in range(vertices):
        reached |= {v for edge in edges if reached.intersection(edge) for v in edge}
    return len(reached) == vertices


def of_graph(graph: Any, name: str | None = None) -> GraphGroup:
    """Make the automorphism group of a networkx graph; the order of its vertices gives the coordinates.

    Parameters
    ----------
    name
        How the group is called; ``Aut:g6=CODE`` where none is given.

    Examples
    --------
    >>> import networkx
    >>> of_graph(networkx.path_graph(4)).order
    2
    """
    adjacency, code = edges_of(graph)
    if name is None:
        digest = sha256(repr(adjacency).encode()).hexdigest()
        name = f"Aut:sha256={digest[:12]}" if code is None else f"Aut:g6={code}"
    return GraphGroup(name, adjacency)


def automorphisms(body: str) -> GraphGroup:
    """Make Aut(G) from the text after ``Aut:``."""
    return of_graph(named_graph(body), None if body.startswith("file=") else f"Aut:{body}")
