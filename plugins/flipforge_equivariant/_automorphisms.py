"""Generators of the automorphism group of a graph, by refinement and search.

For each vertex i from the last to the first, one automorphism is searched that fixes all vertices before i and takes i
to each vertex that the generators found so far do not reach: they generate the whole group (Sims' chain; McKay,
"Practical graph isomorphism", 1981, for the refinement).
"""

from collections.abc import Sequence

__all__ = ["automorphism_generators"]

Adjacency = Sequence[Sequence[int]]


def automorphism_generators(adjacency: Adjacency) -> list[tuple[int, ...]]:
    """Return generators of the group of permutations that keep a matrix.

    Parameters
    ----------
    adjacency
        n x n, any integers; it need not be symmetric.

    Examples
    --------
    >>> automorphism_generators([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    [(2, 1, 0)]
    """
    n = len(adjacency)
    generators: list[tuple[int, ...]] = []
    for level in range(n - 1, -1, -1):
        reached = _orbit(level, [g for g in generators if g[:level] == tuple(range(level))])
        for target in range(level + 1, n):
            if target in reached:
                continue
            pairs = [*((i, i) for i in range(level)), (level, target)]
            found = _search(adjacency, pairs)
            if found is not None:
                generators.append(found)
                reached = _orbit(level, [g for g in generators if g[:level] == tuple(range(level))])
    return generators


def _orbit(point: int, generators: list[tuple[int, ...]]) -> set[int]:
    seen, queue = {point}, [point]
    for x in queue:
        for images in generators:
            if images[x] not in seen:
                seen.add(images[x])
                queue.append(images[x])
    return seen


def _search(adjacency: Adjacency, pairs: list[tuple[int, int]]) -> tuple[int, ...] | None:
    """Return an automorphism that takes the first of each pair to the second, or None where there is none."""
    n = len(adjacency)
    colours = _refined(adjacency, pairs)
    if colours is None:
        return None
    source, target = colours
    cells: dict[int, list[int]] = {}
    for vertex, colour in enumerate(target):
        cells.setdefault(colour, []).append(vertex)
    branch = min((v for v in range(n) if len(cells[source[v]]) > 1), key=lambda v: len(cells[source[v]]), default=None)
    if branch is None:
        images = tuple(cells[colour][0] for colour in source)
        keeps = all(adjacency[i][j] == adjacency[images[i]][images[j]] for i in range(n) for j in range(n))
        return images if keeps else None
    for choice in cells[source[branch]]:
        found = _search(adjacency, [*pairs, (branch, choice)])
        if found is not None:
            return found
    return None


def _refined(adjacency: Adjacency, pairs: list[tuple[int, int]]) -> tuple[list[int], list[int]] | None:
    """Colour the vertices of two copies of the graph alike, as finely as neighbourhoods tell; None if they differ."""
    n = len(adjacency)
    source, target = [0] * n, [0] * n
    for number, (a, b) in enumerate(pairs, start=1):
        source[a] = target[b] = number
    while True:
        keys = [_keys(adjacency, colours) for colours in (source, target)]
        if sorted(keys[0]) != sorted(keys[1]):
            return None
        names = {key: i for i, key in enumerate(sorted(set(keys[0])))}
        if len(names) == len(set(source)):
            return source, target
        source, target = ([names[key] for key in side] for side in keys)


def _keys(adjacency: Adjacency, colours: list[int]) -> list[tuple[int, int, tuple[tuple[int, int, int], ...]]]:
    """Describe each vertex by its colour, its loop, and what joins it to vertices of each colour, both ways."""
    n = len(colours)
    return [
        (
            colours[v],
            adjacency[v][v],
            tuple(sorted((colours[w], adjacency[v][w], adjacency[w][v]) for w in range(n) if w != v)),
        )
        for v in range(n)
    ]
