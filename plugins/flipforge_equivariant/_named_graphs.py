"""Graphs by the names of the contract; the order of the vertices gives the coordinates."""

from re import fullmatch
from typing import Any

from flipforge.errors import InputError

__all__ = ["edges_of", "named_graph"]

_NAMED = "petersen, frucht, cubical, prism, cycle-5, path-4, complete-4, star-4, bipartite-3-3, g6=CODE, file=EDGES"
_LARGEST = 200


def named_graph(text: str) -> Any:
    """Return a networkx graph.

    Raises
    ------
    InputError
        The name is unknown, the code is none, or the file cannot be read.
    """
    import networkx as nx

    if text.startswith("g6="):
        return _of_code(text[3:])
    if text.startswith("file="):
        return _of_file(text[5:])
    plain = {
        "petersen": nx.petersen_graph,
        "frucht": nx.frucht_graph,
        "cubical": nx.cubical_graph,
        "prism": lambda: nx.circular_ladder_graph(3),
    }
    sized = {"cycle": nx.cycle_graph, "path": nx.path_graph, "complete": nx.complete_graph, "star": nx.star_graph}
    if text in plain:
        return plain[text]()
    if match := fullmatch(r"(cycle|path|complete|star)-([1-9]\d{0,3})", text):
        kind, size = match[1], int(match[2])
        if size < (3 if kind == "cycle" else 1):
            raise InputError(f"Aut:{text}: a cycle has 3 vertices at least")
        return sized[kind](_fitting(text, size))
    if match := fullmatch(r"bipartite-([1-9]\d{0,3})-([1-9]\d{0,3})", text):
        _fitting(text, int(match[1]) + int(match[2]))
        return nx.complete_bipartite_graph(int(match[1]), int(match[2]))
    raise InputError(f"Aut:{text[:60]}: unknown graph; write one of {_NAMED}")


def _fitting(text: str, size: int) -> int:
    if size > _LARGEST:
        raise InputError(f"Aut:{text[:60]}: a graph has at most {_LARGEST} vertices here")
    return size


def _of_code(code: str) -> Any:
    import networkx as nx

    try:
        graph = nx.from_graph6_bytes(code.encode("ascii"))
    except (nx.NetworkXError, ValueError, IndexError, UnicodeError) as error:
        raise InputError(f"Aut:g6={code[:60]}: not a graph6 code ({error})") from None
    _fitting(f"g6={code}", len(graph))
    if not len(graph):
        raise InputError(f"Aut:g6={code[:60]}: the graph has no vertices")
    return graph


def _of_file(path: str) -> Any:
    """Read one edge a line, two names; one name alone is a vertex, and what stands after # is left out.

    Vertices are ordered as numbers where all names are, otherwise by first appearance.
    """
    import networkx as nx

    try:
        with open(path, encoding="utf-8") as stream:
            lines = [line.partition("#")[0].split() for line in stream]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the edges cannot be read ({getattr(error, 'strerror', None) or error})") from None
    for number, words in enumerate(lines, start=1):
        if len(words) > 2 or (len(words) == 2 and words[0] == words[1]):
            raise InputError(f"{path}:{number}: write two different vertices, or one that stands alone")
    names = list(dict.fromkeys(word for words in lines for word in words))
    if not names:
        raise InputError(f"{path}: holds no edges; write two vertices a line")
    _fitting(f"file={path}", len(names))
    if all(fullmatch(r"\d{1,9}", name) for name in names):
        names.sort(key=int)
    graph = nx.Graph()
    graph.add_nodes_from(names)
    graph.add_edges_from(words for words in lines if len(words) == 2)
    return graph


def edges_of(graph: Any) -> tuple[list[list[int]], str | None]:
    """Return the adjacency matrix of a networkx graph in the order of its vertices, and its graph6 code if it has one.

    Raises
    ------
    InputError
        It has parallel edges, or no vertices.
    """
    import networkx as nx

    if graph.is_multigraph():
        raise InputError("a graph with parallel edges: pass networkx.Graph(graph) to merge them")
    vertices = list(graph)
    if not vertices:
        raise InputError("the graph has no vertices")
    place = {vertex: i for i, vertex in enumerate(vertices)}
    adjacency = [[0] * len(vertices) for _ in vertices]
    for u, v in graph.edges:
        adjacency[place[u]][place[v]] = 1
        if not graph.is_directed():
            adjacency[place[v]][place[u]] = 1
    if graph.is_directed() or nx.number_of_selfloops(graph):
        return adjacency, None
    return adjacency, nx.to_graph6_bytes(graph, nodes=vertices, header=False).decode("ascii").strip()
