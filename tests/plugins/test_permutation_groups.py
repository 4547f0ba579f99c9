"""Permutation groups and automorphism groups of graphs, against brute force and the published dimensions."""

from itertools import permutations, product
from math import factorial
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from flint import nmod_mat
from hypothesis import given
from hypothesis import strategies as st

from flipforge import plugins
from flipforge.diagrams import GraphDiagram, OrbitDiagram, bilabelled, compose_graphs, graph_matrix, group
from flipforge.errors import InputError
from flipforge_equivariant.graph import GraphGroup, of_graph
from flipforge_equivariant.permutation import PermutationGroup

# Order of the group, then dimensions for m = k + l = 0, 1, ..., computed independently.
GRAPHS: dict[str, tuple[int, ...]] = {
    "cycle-4": (8, 1, 1, 3, 10, 36, 136),
    "g6=C`": (8, 1, 1, 3, 10, 36, 136),  # two edges
    "cycle-5": (10, 1, 1, 3, 13, 63, 313),
    "cycle-6": (12, 1, 1, 4, 20, 112, 656),
    "prism": (12, 1, 1, 4, 20, 112, 656),
    "cycle-7": (14, 1, 1, 4, 25, 172, 1201),
    "petersen": (120, 1, 1, 3, 15, 107, 923),
    "bipartite-3-3": (72, 1, 1, 3, 11, 46, 211),
    "bipartite-2-3": (12, 1, 2, 6, 21, 82, 347),
    "cubical": (48, 1, 1, 4, 20, 120, 816),
    "star-4": (24, 1, 2, 5, 15, 52, 202),
    "path-2": (2, 1, 1, 2, 4, 8, 16),
    "path-3": (2, 1, 2, 5, 14, 41, 122),
    "path-4": (2, 1, 2, 8, 32, 128, 512),
    "path-5": (2, 1, 3, 13, 63, 313, 1563),
    "complete-4": (24, 1, 1, 2, 5, 15, 51, 187),
    "frucht": (1, 1, 12, 144, 1728, 20736),
}


@pytest.fixture(scope="module", autouse=True)
def _connected() -> None:
    plugins.connect()


def automorphism_group(text: str) -> GraphGroup:
    found = group(f"Aut:{text}")
    assert isinstance(found, GraphGroup)
    return found


@pytest.mark.parametrize(("name", "row"), GRAPHS.items())
def test_orders_and_dimensions(name: str, row: tuple[int, ...]) -> None:
    member = automorphism_group(name)
    assert member.order == row[0]
    for m, dimension in enumerate(row[1:]):
        assert member.dimension(m // 2, m - m // 2) == dimension == member.count(0, m)
        basis = member.basis(m // 2, m - m // 2)
        assert len(set(basis)) == len(basis) == dimension
        sizes = [member.orbit_size(orbit) for orbit in basis if isinstance(orbit, OrbitDiagram)]
        assert sum(sizes) == member.n**m


@st.composite
def generated(draw: st.DrawFn) -> PermutationGroup:
    n = draw(st.integers(1, 5))
    return PermutationGroup("perm:drawn", n, draw(st.lists(st.permutations(range(n)).map(tuple), max_size=2)))


def closure(member: PermutationGroup) -> set[tuple[int, ...]]:
    """All elements, by multiplying until nothing is new."""
    found = {tuple(range(member.n))}
    while True:
        more = {tuple(g[x] for x in h) for g in member.action.generators for h in found} - found
        if not more:
            return found
        found |= more


@given(generated(), st.integers(0, 2), st.integers(0, 2), st.integers(0, 10))
def test_orbits_against_brute_force(member: PermutationGroup, k: int, l: int, seed: int) -> None:
    elements = closure(member)
    tuples = list(product(range(member.n), repeat=k + l))
    least = {x: min(tuple(g[value] for value in x) for g in elements) for x in tuples}
    basis = member.basis(k, l)
    assert [orbit.representative for orbit in basis if isinstance(orbit, OrbitDiagram)] == sorted(set(least.values()))
    assert member.dimension(k, l) == len(basis)
    assert member.order == len(elements) == len({tuple(row) for row in member.action.elements().tolist()})
    assert {x: member.orbit(k, l, x).representative for x in tuples} == least
    flat = np.array([least[x] == basis[0].representative for x in tuples]).reshape(member.n**l, member.n**k)  # type: ignore[union-attr]
    assert member.matrix(basis[0]).dense().tolist() == flat.astype(int).tolist()
    element = member.element(np.random.default_rng(seed))
    assert tuple(np.argmax(element, axis=0).tolist()) in elements


@pytest.mark.parametrize("edges", [[(0, 1), (1, 2)], [(0, 1), (2, 3)], [(0, 1), (1, 2), (2, 0), (2, 3)], []])
@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph])
def test_automorphisms_against_brute_force(edges: list[tuple[int, int]], kind: type[nx.Graph]) -> None:
    graph = kind()
    graph.add_nodes_from(range(5))
    graph.add_edges_from(edges)
    graph.add_edge(4, 4)  # a loop
    member = of_graph(graph)
    adjacency = member.adjacency
    kept = {p for p in permutations(range(5)) if (adjacency[np.ix_(p, p)] == adjacency).all()}
    assert closure(member) == kept


def test_random_graphs_against_brute_force() -> None:
    for seed in range(12):
        member = of_graph(nx.gnp_random_graph(6, 0.4, seed=seed))
        adjacency = member.adjacency
        kept = sum((adjacency[np.ix_(p, p)] == adjacency).all() for p in permutations(range(6)))
        assert member.order == kept


@pytest.mark.parametrize(
    ("name", "dimension"), [("complete-20", 15), ("bipartite-7-7", 47), ("star-20", 52), ("bipartite-2-12", 83)]
)
def test_large_groups_are_not_listed(name: str, dimension: int) -> None:
    member = automorphism_group(name)
    assert member.order >= factorial(12) // 20
    assert member.dimension(2, 2) == len(member.basis(2, 2)) == dimension


def test_matrices_commute_with_the_group_and_with_no_more() -> None:
    for name in ("petersen", "path-4", "cycle-5", "frucht"):
        member = automorphism_group(name)
        element = member.element(np.random.default_rng(3))
        swap = np.eye(member.n, dtype=int)[[1, 0, *range(2, member.n)]]
        edge = bilabelled(1, 1, 2, [(0, 1)], [0, 1])
        matrix = member.matrix(edge).dense()
        assert (element @ matrix == matrix @ element).all()
        assert not (swap @ matrix == matrix @ swap).all()
        for orbit in member.basis(1, 1)[:20]:
            matrix = member.matrix(orbit).dense()
            assert (element @ matrix == matrix @ element).all()


# Bilabelled graphs.


@st.composite
def graph_diagrams(draw: st.DrawFn, k: int | None = None, l: int | None = None) -> GraphDiagram:
    k = draw(st.integers(0, 2)) if k is None else k
    above = draw(st.integers(0, 2)) if l is None else l
    vertices = draw(st.integers(1 if k + above else 0, 3))
    point = st.integers(0, max(vertices - 1, 0))
    edges = draw(st.lists(st.tuples(point, point), max_size=3)) if vertices else []
    return bilabelled(k, above, vertices, edges, draw(st.lists(point, min_size=k + above, max_size=k + above)))


TARGET = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 0]])  # a path with a loop at one end


def brute_force(diagram: GraphDiagram) -> np.ndarray:
    matrix = np.zeros((3**diagram.l, 3**diagram.k), dtype=int)
    for image in product(range(3), repeat=diagram.vertices):
        if all(TARGET[image[u], image[v]] for u, v in diagram.edges):
            index = [0, 0]
            for point, vertex in enumerate(diagram.labels):
                index[point >= diagram.l] = 3 * index[point >= diagram.l] + image[vertex]
            matrix[tuple(index)] += 1
    return matrix


@given(graph_diagrams())
def test_graph_matrices_count_homomorphisms(diagram: GraphDiagram) -> None:
    assert graph_matrix(diagram, TARGET).dense().tolist() == brute_force(diagram).tolist()


@given(st.data())
def test_graph_calculus_is_a_functor(data: st.DataObject) -> None:
    a = data.draw(graph_diagrams())
    b = data.draw(graph_diagrams(l=a.k))
    c = data.draw(graph_diagrams(l=b.k))
    x, y = (graph_matrix(d, TARGET).dense() for d in (a, b))
    assert graph_matrix(compose_graphs(a, b), TARGET).dense().tolist() == (x @ y).tolist()
    assert graph_matrix(a.tensor(b), TARGET).dense().tolist() == np.kron(x, y).tolist()
    assert graph_matrix(a.flip(), TARGET).dense().tolist() == x.T.tolist()
    assert compose_graphs(compose_graphs(a, b), c) == compose_graphs(a, compose_graphs(b, c))
    assert compose_graphs(a, b).flip() == compose_graphs(b.flip(), a.flip())
    if a.k:
        assert graph_matrix(a.bend(), TARGET).dense().size == x.size


@given(graph_diagrams(), st.randoms(use_true_random=False))
def test_canonical_form_of_graphs(diagram: GraphDiagram, random: st.DrawFn) -> None:
    order = list(range(diagram.vertices))
    random.shuffle(order)  # type: ignore[attr-defined]
    edges = [(order[v], order[u]) for u, v in diagram.edges]
    labels = [order[v] for v in diagram.labels]
    assert bilabelled(diagram.k, diagram.l, diagram.vertices, edges, labels) == diagram


@pytest.mark.parametrize(
    ("name", "k", "l"),
    [("cycle-5", 1, 1), ("cycle-6", 1, 1), ("path-4", 1, 1), ("petersen", 1, 1), ("cycle-5", 1, 2), ("path-3", 2, 1)],
)
def test_few_graphs_are_a_basis(name: str, k: int, l: int) -> None:
    member = automorphism_group(name)
    basis = member.graph_basis(k, l)
    assert len(basis) == member.dimension(k, l)
    rows = [member.matrix(diagram).dense().ravel().tolist() for diagram in basis]
    assert nmod_mat(rows, 2**31 - 1).rank() == len(basis)


def test_graph_files(tmp_path: Path) -> None:
    file = tmp_path / "edges.txt"
    file.write_text("2 10  # an edge\n\n10 3\n7\n")
    member = automorphism_group(f"file={file}")
    assert member.adjacency.tolist() == [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 0]]
    assert member.name.startswith("Aut:g6=")
    again = group(member.name)
    assert isinstance(again, GraphGroup)
    assert again.adjacency.tolist() == member.adjacency.tolist()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Aut:cycle-2", "a cycle has 3"),
        ("Aut:cycle", "unknown graph"),
        ("Aut:moebius", "write one of petersen"),
        ("Aut:path-999", "at most 200"),
        ("Aut:g6=?", "no vertices"),
        ("Aut:g6=~", "not a graph6 code"),
        ("Aut:file=nowhere", "cannot be read"),
        ("perm:12,1", "does not hold each of 1..2 once"),
        ("perm:1 2", "write images"),
        ("perm:2.1,213", "does not hold"),
    ],
)
def test_bad_names(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        group(text)
    assert "\n" not in str(caught.value)


def test_bad_input(tmp_path: Path) -> None:
    file = tmp_path / "edges.txt"
    for text, words in (("1 1\n", "edges.txt:1: write two different"), ("", "holds no edges"), ("\n1 2 3\n", ":2: ")):
        file.write_text(text)
        with pytest.raises(InputError, match=words):
            group(f"Aut:file={file}")
    with pytest.raises(InputError, match="35831808 diagrams do not fit"):
        automorphism_group("frucht").basis(3, 4)
    with pytest.raises(InputError, match="span 60 of 63"):
        automorphism_group("path-5").graph_basis(1, 2, most_vertices=4, most_edges=3)
    with pytest.raises(InputError, match="no orbit of Aut:cycle-5"):
        automorphism_group("cycle-5").matrix(OrbitDiagram(1, 1, 5, (1, 2)))
    with pytest.raises(InputError, match="parallel edges"):
        of_graph(nx.MultiGraph([(0, 1), (0, 1)]))
    with pytest.raises(InputError, match="too symmetric"):
        bilabelled(0, 0, 9, [], [])
