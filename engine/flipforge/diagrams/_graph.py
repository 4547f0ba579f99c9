"""Bilabelled graphs: diagrams of the automorphism group of a graph G.

A small graph H whose vertices carry l labels above and k below stands for the matrix that counts homomorphisms H -> G:
entry (I, J) is the number of those that send the labels above to I and those below to J. Composition glues, and takes
no scalar (Mancinska, Roberson, "Quantum isomorphism is equivalent to equality of homomorphism counts from planar
graphs", 2019; Pearce-Crump, arXiv 2307.07810).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import total_ordering
from itertools import permutations, product
from math import factorial, prod
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.diagrams._matrices import SparseMatrix, matrix_shape
from flipforge.diagrams._partition import PartitionDiagram, relabelled
from flipforge.errors import InputError, MalformedError

__all__ = ["GraphDiagram", "bilabelled", "compose_graphs", "graph_matrix", "graph_values"]

_MOST_ORDERS = 50_000
_MOST_LETTERS = 52
_LARGEST_COUNT = 2**62

Edge = tuple[int, int]


@total_ordering
@dataclass(frozen=True, slots=True)
class GraphDiagram:
    """A bilabelled graph as a value; `bilabelled` makes one in canonical form.

    Attributes
    ----------
    vertices
        Their number. Those with labels come first, by first label.
    edges
        Pairs (u, v) with u <= v, sorted; (v, v) is a loop.
    labels
        The vertex of each of the l + k points.
    """

    k: int
    l: int
    vertices: int
    edges: tuple[Edge, ...]
    labels: tuple[int, ...]

    def __post_init__(self) -> None:
        if PartitionDiagram(self.k, self.l, self.labels).size > self.vertices:
            raise MalformedError(f"labels {self.labels} name more vertices than {self.vertices}")
        if list(self.edges) != sorted(set(self.edges)) or not all(0 <= u <= v < self.vertices for u, v in self.edges):
            raise MalformedError(
                f"edges {self.edges} must be different pairs u <= v of {self.vertices} vertices, sorted"
            )

    def __lt__(self, other: "GraphDiagram") -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[Any, ...]:
        return (self.k, self.l, len(self.edges), self.vertices, self.labels, self.edges)

    @property
    def unlabelled(self) -> range:
        """The vertices without a label."""
        return range(max(self.labels, default=-1) + 1, self.vertices)

    def flip(self) -> "GraphDiagram":
        """Return the graph with labels above and below exchanged: the transpose."""
        return bilabelled(self.l, self.k, self.vertices, self.edges, self.labels[self.l :] + self.labels[: self.l])

    def tensor(self, other: "GraphDiagram") -> "GraphDiagram":
        """Return the two graphs side by side: the Kronecker product."""
        moved = [label + self.vertices for label in other.labels]
        labels = [*self.labels[: self.l], *moved[: other.l], *self.labels[self.l :], *moved[other.l :]]
        edges = [*self.edges, *((u + self.vertices, v + self.vertices) for u, v in other.edges)]
        return bilabelled(self.k + other.k, self.l + other.l, self.vertices + other.vertices, edges, labels)

    def bend(self) -> "GraphDiagram":
        """Return the graph with its last label below moved up, to the right of those above."""
        if not self.k:
            raise InputError("a diagram without points below has nothing to bend")
        labels = (*self.labels[: self.l], self.labels[-1], *self.labels[self.l : -1])
        return bilabelled(self.k - 1, self.l + 1, self.vertices, self.edges, labels)

    def as_dict(self) -> dict[str, Any]:
        """Return the diagram as a JSON object."""
        edges = [list(edge) for edge in self.edges]
        head = {"kind": "graph", "k": self.k, "l": self.l, "vertices": self.vertices}
        return {**head, "edges": edges, "labels": list(self.labels)}


def bilabelled(k: int, l: int, vertices: int, edges: Iterable[Sequence[int]], labels: Sequence[int]) -> GraphDiagram:
    """Bring a bilabelled graph into canonical form.

    Parameters
    ----------
    vertices
        Their number, in any order.
    edges
        Pairs of vertices; an edge that stands twice counts once.
    labels
        The vertex of each of the l + k points.

    Raises
    ------
    InputError
        More than fifty thousand orders of the vertices without label would have to be compared.

    Examples
    --------
    >>> bilabelled(1, 1, 3, [(2, 0), (1, 0)], [2, 1])
    GraphDiagram(k=1, l=1, vertices=3, edges=((0, 2), (1, 2)), labels=(0, 1))
    """
    pairs = {(int(u), int(v)) for u, v in edges}
    if not all(0 <= x < vertices for x in (*labels, *(x for pair in pairs for x in pair))):
        raise MalformedError(f"edges and labels must name vertices 0..{vertices - 1}")
    first = list(dict.fromkeys(labels))
    rest = _by_colour([v for v in range(vertices) if v not in first], pairs, {v: i for i, v in enumerate(first)})
    orders = prod(factorial(len(cell)) for cell in rest)
    if orders > _MOST_ORDERS:
        raise InputError(f"a bilabelled graph with {orders} orders of its unlabelled vertices is too symmetric to sort")
    best: tuple[Edge, ...] | None = None
    for choice in product(*(permutations(cell) for cell in rest)):
        place = {v: i for i, v in enumerate([*first, *(v for cell in choice for v in cell)])}
        found = {(min(place[u], place[v]), max(place[u], place[v])) for u, v in pairs}
        renamed = tuple(sorted(found))
        if best is None or renamed < best:
            best = renamed
    assert best is not None
    return GraphDiagram(k, l, vertices, best, relabelled(labels))


def _by_colour(vertices: list[int], edges: set[Edge], fixed: dict[int, int]) -> list[list[int]]:
    """Sort unlabelled vertices into cells that every isomorphism keeps, by refinement from the labelled ones."""
    everything = sorted({*vertices, *fixed})
    adjacent: dict[int, list[int]] = {v: [] for v in everything}
    for u, v in edges | {(v, u) for u, v in edges}:
        adjacent[u].append(v)
    colour: dict[int, int] = {v: fixed.get(v, len(fixed)) for v in everything}
    while True:
        keys = {v: (colour[v], sorted(colour[w] for w in adjacent[v]), v in adjacent[v]) for v in everything}
        names = {key: i for i, key in enumerate(sorted(set(map(_frozen, keys.values()))))}
        refined = {v: names[_frozen(keys[v])] for v in everything}
        if len(names) == len(set(colour.values())):
            break
        colour = refined
    cells: dict[int, list[int]] = {}
    for v in vertices:
        cells.setdefault(refined[v], []).append(v)
    return [cells[name] for name in sorted(cells)]


def _frozen(key: tuple[int, list[int], bool]) -> tuple[int, tuple[int, ...], bool]:
    return key[0], tuple(key[1]), key[2]


def compose_graphs(above: GraphDiagram, below: GraphDiagram) -> GraphDiagram:
    """Glue the labels below of one graph to those above of another; the matrices multiply without a scalar.

    Raises
    ------
    InputError
        They are not equally many.

    Examples
    --------
    >>> edge = bilabelled(1, 1, 2, [(0, 1)], [0, 1])
    >>> compose_graphs(edge, edge).edges
    ((0, 2), (1, 2))
    """
    if above.k != below.l:
        raise InputError(f"the upper diagram has {above.k} points below, the lower one {below.l} above")
    merged = list(range(above.vertices + below.vertices))
    for u, v in zip(above.labels[above.l :], below.labels[: below.l], strict=True):
        old, new = merged[v + above.vertices], merged[u]
        merged = [new if x == old else x for x in merged]
    names = {x: i for i, x in enumerate(dict.fromkeys(merged))}
    final = [names[x] for x in merged]
    edges = [(final[u], final[v]) for u, v in above.edges]
    edges += [(final[u + above.vertices], final[v + above.vertices]) for u, v in below.edges]
    labels = [final[v] for v in above.labels[: above.l]]
    labels += [final[v + above.vertices] for v in below.labels[below.l :]]
    return bilabelled(below.k, above.l, len(names), edges, labels)


def graph_matrix(diagram: GraphDiagram, adjacency: npt.ArrayLike) -> SparseMatrix:
    """Return the matrix of homomorphism counts into a graph.

    Parameters
    ----------
    adjacency
        Symmetric n x n matrix of zeros and ones.

    Raises
    ------
    InputError
        Counts could leave 64 bits, or the matrix would have too many entries.

    Examples
    --------
    >>> path = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    >>> graph_matrix(bilabelled(1, 1, 3, [(0, 1), (1, 2)], [0, 2]), path).dense().tolist()
    [[1, 0, 1], [0, 2, 0], [1, 0, 1]]
    """
    n, labelled = len(np.asarray(adjacency)), diagram.unlabelled.start
    shape = matrix_shape(PartitionDiagram(diagram.k, diagram.l, diagram.labels), n, n ** max(labelled, 1))
    choices = np.indices((n,) * labelled).reshape(labelled, -1).T if labelled else np.zeros((1, 0), np.int64)
    tuples = choices[:, list(diagram.labels)]
    values = graph_values(diagram, adjacency, tuples)
    kept = tuples[values != 0]
    rows, cols = np.zeros(len(kept), np.int64), np.zeros(len(kept), np.int64)
    for point in range(diagram.l + diagram.k):
        side = rows if point < diagram.l else cols
        side *= n
        side += kept[:, point]
    return SparseMatrix(shape, rows, cols, values[values != 0])


def graph_values(
    diagram: GraphDiagram, adjacency: npt.ArrayLike, tuples: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the entries of the matrix at some index tuples, without the matrix.

    Parameters
    ----------
    tuples
        R x (l + k) values below n, those of the points above first.

    Returns
    -------
    ndarray
        R numbers of homomorphisms.

    Raises
    ------
    InputError
        Counts could leave 64 bits.
    """
    target = np.asarray(adjacency, dtype=np.int64)
    n, labelled = len(target), diagram.unlabelled.start
    if n ** len(diagram.unlabelled) > _LARGEST_COUNT or diagram.vertices > _MOST_LETTERS - 1:
        raise InputError(f"homomorphisms from {diagram.vertices} vertices may be more than 64 bits count")
    points = [diagram.labels.index(vertex) for vertex in range(labelled)]
    place = tuples[:, points]
    fits = (tuples == place[:, list(diagram.labels)]).all(axis=1).astype(np.int64)
    batch = diagram.vertices  # the axis of the tuples; the other axes are the vertices without label
    operands: list[Any] = [fits, [batch]]
    for u, v in diagram.edges:  # u <= v, so where only one has labels it is u
        if v < labelled:
            operands += [target[place[:, u], place[:, v]], [batch]]
        elif u < labelled:
            operands += [target[place[:, u]], [batch, v]]
        else:
            operands += [target, [u, v]] if u != v else [np.diagonal(target), [u]]
    for vertex in diagram.unlabelled:
        operands += [np.ones(n, np.int64), [vertex]]
    return np.asarray(np.einsum(*operands, [batch], optimize="greedy"))
