"""Families of infeasible systems to ask for refutations of."""

from collections.abc import Iterable
from itertools import combinations
from typing import Any

from flipforge.errors import InputError

__all__ = ["colouring", "graph_named", "pigeonhole"]

_EXAMPLE = "complete-4, cycle-5, wheel-7 (a hub and 7 around it), grotzsch, petersen"


def colouring(edges: Iterable[tuple[int, int]], colours: int = 3, field: str = "GF2") -> dict[str, Any]:
    """Return equations that have a common zero over the closure of the field iff the graph has a proper colouring.

    A colour is a root of unity of order k: x_v^k = 1, and the quotient (x_u^k - x_v^k) / (x_u - x_v) vanishes on the
    edges (Bayer 1982). The field's characteristic must not divide k.

    Parameters
    ----------
    edges
        Pairs of vertices, which are integers from 0.

    Returns
    -------
    dict
        The JSON object that `parse_ideal` reads and ``flipforge certify`` takes as a file.

    Examples
    --------
    >>> colouring([(0, 1)])["equations"]
    ['x0**3 - 1', 'x1**3 - 1', 'x0**2 + x0*x1 + x1**2']
    """
    pairs = sorted({(min(u, v), max(u, v)) for u, v in edges})
    if any(u == v or u < 0 for u, v in pairs) or not pairs:
        raise InputError("a graph to colour has edges between different vertices, which are integers from 0")
    if colours < 2 or (field.startswith("GF") and colours % int(field[2:]) == 0):
        raise InputError(f"{colours} colours over {field}: use 2 or more, prime to the characteristic")
    vertices = sorted({v for pair in pairs for v in pair})
    equations = [f"x{v}**{colours} - 1" for v in vertices]
    for u, v in pairs:
        terms = [_term(f"x{u}", colours - 1 - i, f"x{v}", i) for i in range(colours)]
        equations.append(" + ".join(terms))
    return {"variables": [f"x{v}" for v in vertices], "equations": equations, "target": "1", "field": field}


def pigeonhole(holes: int, field: str = "Q") -> dict[str, Any]:
    """Return equations that say that ``holes + 1`` pigeons sit in so many holes, no two in one.

    Examples
    --------
    >>> len(pigeonhole(2)["equations"])
    15
    """
    if holes < 1:
        raise InputError("give at least one hole")
    pigeons = range(holes + 1)
    equations = [" + ".join(f"x{i}_{j}" for j in range(holes)) + " - 1" for i in pigeons]
    equations += [f"x{i}_{j}**2 - x{i}_{j}" for i in pigeons for j in range(holes)]
    equations += [f"x{a}_{j}*x{b}_{j}" for a, b in combinations(pigeons, 2) for j in range(holes)]
    variables = [f"x{i}_{j}" for i in pigeons for j in range(holes)]
    return {"variables": variables, "equations": equations, "target": "1", "field": field}


def graph_named(name: str) -> list[tuple[int, int]]:
    """Return the edges of a graph by its name, made by networkx.

    Raises
    ------
    InputError
        The name is not known.

    Examples
    --------
    >>> len(graph_named("wheel-5"))
    10
    """
    import networkx

    kind, _, number = name.partition("-")
    size = int(number) if number.isdecimal() and len(number) < 4 else 0
    makers = {
        "complete": lambda: networkx.complete_graph(size),
        "cycle": lambda: networkx.cycle_graph(size),
        "wheel": lambda: networkx.wheel_graph(size + 1),
    }
    if kind in makers and size >= 3:
        graph = makers[kind]()
    elif name == "grotzsch":
        graph = networkx.mycielski_graph(4)
    elif name == "petersen":
        graph = networkx.petersen_graph()
    else:
        raise InputError(f"graph {name!r} is not known; use one of {_EXAMPLE}, or any edges")
    nodes = {node: place for place, node in enumerate(graph.nodes)}
    return sorted((nodes[u], nodes[v]) for u, v in graph.edges)


def _term(left: str, a: int, right: str, b: int) -> str:
    powers = (name if e == 1 else f"{name}**{e}" for name, e in ((left, a), (right, b)) if e)
    return "*".join(powers)
