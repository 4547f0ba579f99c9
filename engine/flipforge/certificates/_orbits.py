"""Orbits of a group of permutations as a basis, recounted from all elements.

The automorphisms of a graph are found here by trying images vertex by vertex, so that no generators are believed.
"""

from collections.abc import Iterator, Mapping, Sequence
from re import fullmatch
from typing import Any

from flipforge.errors import MalformedError

__all__ = [
    "MOST_ELEMENTS",
    "MOST_TUPLES",
    "automorphisms",
    "closure",
    "components",
    "graph_of",
    "orbit_size",
    "permutations_of",
    "reaches",
    "same_orbit",
]

MOST_ELEMENTS = 50_000
"""Most elements of a group that a checker lists."""

MOST_TUPLES = 200_000
"""Most tuples of points whose orbits a checker traces one by one."""

Images = tuple[int, ...]


def graph_of(statement: Mapping[str, Any]) -> list[set[int]]:
    """Return the neighbours of each vertex of the graph that a statement has: ``n``, ``edges``, ``directed``.

    Raises
    ------
    MalformedError
        They are no graph.
    """
    n, edges = statement["n"], statement["edges"]
    if type(n) is not int or not 0 < n <= 100 or not isinstance(edges, list):
        raise MalformedError("a graph is a number n of vertices and a list of edges")
    neighbours: list[set[int]] = [set() for _ in range(n)]
    for edge in edges:
        if not (isinstance(edge, list) and len(edge) == 2 and all(type(v) is int and 0 <= v < n for v in edge)):
            raise MalformedError(f"edge {str(edge)[:40]} does not join two of the vertices 0..{n - 1}")
        neighbours[edge[0]].add(edge[1])
    return neighbours


def automorphisms(neighbours: Sequence[set[int]], images: Mapping[int, int] | None = None) -> Iterator[Images]:
    """Yield the permutations that keep adjacency, by trying images in turn.

    Parameters
    ----------
    images
        Where some vertices must go.

    Examples
    --------
    >>> list(automorphisms([{1}, {0, 2}, {1}]))
    [(0, 1, 2), (2, 1, 0)]
    """
    n, given = len(neighbours), dict(images or {})
    degrees = [(len(out), sum(v in row for row in neighbours), v in out) for v, out in enumerate(neighbours)]
    order = [*given, *(v for v in range(n) if v not in given)]

    def extend(found: dict[int, int]) -> Iterator[Images]:
        if len(found) == n:
            yield tuple(found[v] for v in range(n))
            return
        v = order[len(found)]
        for image in (given[v],) if v in given else range(n):
            if degrees[image] != degrees[v] or image in found.values():
                continue
            if all(
                (v in neighbours[u]) == (image in neighbours[w]) and (u in neighbours[v]) == (w in neighbours[image])
                for u, w in found.items()
            ):
                yield from extend({**found, v: image})

    return extend({})


def orbit_size(neighbours: Sequence[set[int]], values: Sequence[int]) -> int:
    """Return the number of images of a tuple of vertices under all automorphisms.

    Examples
    --------
    >>> orbit_size([{1}, {0, 2}, {1}], (0, 1, 0))
    2
    """
    size, fixed = 1, dict[int, int]()
    for v in dict.fromkeys(values):
        size *= sum(reaches(neighbours, {**fixed, v: image}) for image in range(len(neighbours)))
        fixed[v] = v
    return size


def reaches(neighbours: Sequence[set[int]], images: Mapping[int, int]) -> bool:
    """Tell whether an automorphism sends some vertices where they must go."""
    return next(automorphisms(neighbours, images), None) is not None


def same_orbit(neighbours: Sequence[set[int]], first: Sequence[int], second: Sequence[int]) -> bool:
    """Tell whether an automorphism takes one tuple of vertices to another."""
    images = dict(zip(first, second, strict=True))
    backwards = dict(zip(second, first, strict=True))
    fits = all(images[x] == y and backwards[y] == x for x, y in zip(first, second, strict=True))
    return fits and reaches(neighbours, images)


def permutations_of(text: str) -> list[Images]:
    """Read the generators of ``perm:213,231`` or ``perm:2.1.3``.

    Raises
    ------
    MalformedError
        They are no permutations of the same points.
    """
    words = [[int(x) for x in (word.split(".") if "." in word else word)] for word in text.split(",") if _is_word(word)]
    if len(words) != len(text.split(",")) or any(sorted(word) != list(range(1, len(words[0]) + 1)) for word in words):
        raise MalformedError(f"perm:{text[:40]} are no permutations of 1, ..., n")
    return [tuple(x - 1 for x in word) for word in words]


def _is_word(word: str) -> bool:
    return fullmatch(r"[1-9]+|\d{1,4}(\.\d{1,4})+", word) is not None


def closure(generators: Sequence[Images]) -> list[Images] | None:
    """Return all elements of the group that permutations generate, None where there are more than `MOST_ELEMENTS`."""
    start = tuple(range(len(generators[0])))
    seen, queue = {start}, [start]
    for images in queue:
        for generator in generators:
            product = tuple([generator[x] for x in images])
            if product not in seen:
                seen.add(product)
                queue.append(product)
        if len(queue) > MOST_ELEMENTS:
            return None
    return queue


def components(generators: Sequence[Images], m: int) -> list[int]:
    """Return for each tuple of m points, in lexicographic order, the place of the least tuple of its orbit.

    The group may be of any size: its orbits are what its generators join.

    Examples
    --------
    >>> components([(1, 0)], 2)
    [0, 1, 1, 0]
    """
    n = len(generators[0])
    least = [-1] * n**m
    for start in range(n**m):
        if least[start] >= 0:
            continue
        least[start] = start
        queue = [start]
        for place in queue:
            for images in generators:
                image, rest, unit = 0, place, 1
                for _ in range(m):
                    rest, value = divmod(rest, n)
                    image += images[value] * unit
                    unit *= n
                if least[image] < 0:
                    least[image] = start
                    queue.append(image)
    return least
