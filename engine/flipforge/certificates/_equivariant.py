"""Diagrams as a checker sees them: blocks and legs, their entries at an index, and the families of the groups.

Points are numbered 0..l-1 above and l..l+k-1 below; an entry is at an index for each point.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from flipforge.certificates._dimensions import free_from
from flipforge.errors import MalformedError

__all__ = ["Shape", "belongs", "entry", "gram_entry", "keeps_rule", "read_diagram"]


class Shape(NamedTuple):
    """A diagram: the numbers of points, its blocks by first point, and which of them have a leg of a head."""

    k: int
    l: int
    blocks: tuple[tuple[int, ...], ...]
    legs: tuple[int, ...] | None = None


def read_diagram(document: Any, k: int, l: int, n: int) -> Shape:
    """Read a diagram of a certificate.

    Raises
    ------
    MalformedError
        It is none from k to l points.
    """
    if not isinstance(document, Mapping):
        raise MalformedError(f"a diagram is an object, not {str(document)[:40]}")
    kind = document.get("kind")
    if kind in ("partition", "jellyfish"):
        blocks = _blocks(document["blocks"])
    elif kind in ("brauer", "levi-civita"):
        if not all(len(pair) == 2 for pair in document["pairs"]):
            raise MalformedError("pairs must have two points each")
        blocks = _blocks([*document["pairs"], *([point] for point in document["free"])])
    else:
        raise MalformedError(f"a basis holds no diagrams of kind {str(kind)[:40]}")
    if (document["k"], document["l"]) != (k, l) or sorted(p for b in blocks for p in b) != list(range(k + l)):
        raise MalformedError(f"the diagram {str(document)[:80]} does not hold each of {l} + {k} points once")
    legs = None
    if kind in ("levi-civita", "jellyfish"):
        if document["n"] != n:
            raise MalformedError(f"a head has {str(document['n'])[:20]} legs where V has dimension {n}")
        alone = kind == "levi-civita"
        legs = tuple(i for i, block in enumerate(blocks) if not alone or len(block) == 1)
    return Shape(k, l, blocks, legs)


def _blocks(rows: Any) -> tuple[tuple[int, ...], ...]:
    if not isinstance(rows, list) or not all(isinstance(row, list) and row for row in rows):
        raise MalformedError("blocks must be lists of points")
    if not all(type(point) is int for row in rows for point in row):
        raise MalformedError("points must be integers")
    return tuple(sorted(tuple(sorted(row)) for row in rows))


def belongs(family: str, n: int, shape: Shape) -> bool:
    """Tell whether the matrix of a diagram commutes with a group, by the theorem on its family."""
    if family.endswith("+"):
        return _is_planar(shape) and belongs(family[:-1], n, shape)
    sizes = [len(block) for block in shape.blocks]
    if shape.legs is not None:
        if family == "A":
            return n > 1 and len(sizes) in (n, n - 1) and len(shape.legs) == len(sizes)
        return family == "SO" and len(shape.legs) == n and set(sizes) <= {1, 2}
    allowed = {
        "S": True,
        "A": True,
        "SxZ2": sum(sizes) % 2 == 0,
        "H": all(size % 2 == 0 for size in sizes),
        "O": set(sizes) <= {2},
        "SO": set(sizes) <= {2},
        "Sp": set(sizes) <= {2},
        "B": set(sizes) <= {1, 2},
        "BxZ2": set(sizes) <= {1, 2} and sum(sizes) % 2 == 0,
    }
    return allowed.get(family, False)


def _is_planar(shape: Shape) -> bool:
    """Tell whether no two blocks cross: no a < b < c < d on the circle with a, c in one and b, d in the other."""
    around = [[p if p < shape.l else 2 * shape.l + shape.k - 1 - p for p in block] for block in shape.blocks]
    for number, block in enumerate(around):
        for other in around[:number]:
            for a, c in combinations(block, 2):
                between = {min(a, c) < x < max(a, c) for x in other}
                if len(between) == 2:
                    return False
    return True


def entry(family: str, n: int, shape: Shape, index: Sequence[int]) -> int:
    """Return an entry of the matrix of a diagram, up to a factor that no zero depends on for B_n.

    For B_n and its double the index is one of the orthogonal basis (1, ..., 1), f_1, ..., f_(n-1) in place of the unit
    vectors: a pair is not 0 on equal vectors only, a single point only on the vector of ones.
    """
    value = 1
    for block in shape.blocks:
        first = index[block[0]]
        if family == "Sp":
            value *= _symplectic(n, first, index[block[1]], (block[0] < shape.l) == (block[1] < shape.l))
        elif any(index[point] != first for point in block) or (family in ("B", "BxZ2") and len(block) == 1 and first):
            return 0
        if not value:
            return 0
    return value * _head(n, shape, index)


def _symplectic(n: int, left: int, right: int, one_row: bool) -> int:
    if not one_row:
        return int(left == right)
    return (right - left == n // 2) - (left - right == n // 2)


def _head(n: int, shape: Shape, index: Sequence[int]) -> int:
    """Return the sign of the values on the legs, completed by the one that is missing; 0 where two are equal."""
    if shape.legs is None:
        return 1
    word = [index[shape.blocks[leg][0]] for leg in shape.legs]
    word += sorted(set(range(n)) - set(word))[: n - len(word)]
    if len(set(word)) < n:
        return 0
    return -1 if sum(a > b for i, a in enumerate(word) for b in word[i + 1 :]) % 2 else 1


def keeps_rule(family: str, n: int, shape: Shape) -> bool:
    """Tell whether a diagram is one of the basis that the group's rule selects."""
    if family.endswith("+"):
        return n >= free_from(family[:-1])
    if family in ("S", "H", "SxZ2") or (family == "A" and shape.legs is None):
        return len(shape.blocks) <= n
    if family == "A":
        return True
    partner = {point: (block[-1] if point == block[0] else block[0]) for block in shape.blocks for point in block}
    word = [partner[point] for point in range(shape.k + shape.l)]
    if family == "Sp":
        return _longest_increasing([-image for image in word]) <= n
    if family in ("B", "BxZ2"):
        return _longest_increasing([image for point, image in enumerate(word) if image != point]) <= n - 1
    return _longest_increasing(word) <= n


def _longest_increasing(word: Sequence[int]) -> int:
    ends: list[int] = []
    for value in word:
        place = bisect_left(ends, value)
        ends[place : place + 1] = [value]
    return len(ends)


def gram_entry(n: int, first: Shape, second: Shape) -> int:
    """Return the scalar product of the matrices of two partitions: n to the number of blocks of their join."""
    parent = list(range(first.k + first.l))

    def root(point: int) -> int:
        while parent[point] != point:
            point = parent[point]
        return point

    joined = len(parent)
    for block in (*first.blocks, *second.blocks):
        for point in block[1:]:
            a, b = root(block[0]), root(point)
            if a != b:
                parent[b] = a
                joined -= 1
    return int(n**joined)
