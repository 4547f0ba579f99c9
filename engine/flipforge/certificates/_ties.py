"""Ties between the blocks of a diagram, as the checker of layer programs sees them, and the groups that need them.

A tie is a head, which multiplies by the sign of the permutation that the values of its legs make, or an orbit, which
asks for values that some element of the group takes to the stated ones. All elements of a group are listed here, so
that nothing is believed about its generators.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations, product
from typing import Any, NamedTuple

from flipforge.certificates._orbits import MOST_ELEMENTS, Images, automorphisms, graph_of, orbit_size
from flipforge.errors import MalformedError

__all__ = [
    "MOST_DEPENDENT",
    "MOST_LEGS",
    "Choices",
    "Tie",
    "Wired",
    "fits_group",
    "graph_elements",
    "independent",
    "moved",
    "read_ties",
]

MOST_DEPENDENT = 250
"""Largest dimension for which independence is decided by a rank."""

MOST_LEGS = 8
"""Most legs of a head whose permutations are gone through."""

_PRIME = 2**31 - 1
_MOST_INDICES = 100_000

Labels = tuple[int, ...]


class Tie(NamedTuple):
    """Blocks, and the values whose orbit they take; no values for a head, whose legs these blocks have in order."""

    blocks: Labels
    values: Labels | None


class Wired(NamedTuple):
    """A diagram: labels of the points above, then below, and ties."""

    labels: Labels
    ties: tuple[Tie, ...] = ()


def read_ties(rows: Any, labels: Sequence[int], n: int, elements: Sequence[Images], place: str) -> tuple[Tie, ...]:
    """Read the ties of a step.

    Raises
    ------
    MalformedError
        They are none of this group.
    """
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) and len(row) == 2 for row in rows):
        raise MalformedError(f"{place}: ties must be a list of [blocks, values or null]")
    ties, named = [], []
    for blocks, values in rows:
        numbers = [*blocks, *(values or ())]
        if not blocks or any(type(x) is not int or x < 0 for x in numbers) or not set(blocks) <= set(labels):
            raise MalformedError(f"{place}: a tie names blocks by their numbers, and values from 0 on")
        if values is None and (elements or n > MOST_LEGS or len(blocks) not in (n, n - 1)):
            raise MalformedError(f"{place}: a head has {n} legs or one less, at most {MOST_LEGS}, for A and SO alone")
        if values is not None and not (
            elements and max(values, default=0) < n and len(set(values)) == len(values) == len(blocks)
        ):
            raise MalformedError(f"{place}: an orbit has a different value below {n} for each block, for Aut alone")
        ties.append(Tie(tuple(blocks), None if values is None else tuple(values)))
        named += blocks
    if len(set(named)) < len(named) or (not elements and len(ties) > 1):
        raise MalformedError(f"{place}: a block has one tie, and a diagram one head, at most")
    return tuple(ties)


def graph_elements(statement: Mapping[str, Any]) -> list[Images]:
    """Return all automorphisms of the graph of a statement.

    Raises
    ------
    MalformedError
        There is no such graph, or they are too many.
    """
    graph = graph_of(statement)
    if orbit_size(graph, range(len(graph))) > MOST_ELEMENTS:
        raise MalformedError(f"the graph has more than {MOST_ELEMENTS} automorphisms, which are not listed here")
    return list(automorphisms(graph))


class Choices:
    """What the blocks of ties may take; orbits are kept, as many diagrams have the same."""

    def __init__(self, n: int, elements: Sequence[Images]) -> None:
        self.n, self.elements = n, elements
        self._known: dict[Tie, dict[Labels, int]] = {}

    def of(self, tie: Tie) -> dict[Labels, int]:
        """Return the tuples of values that are allowed, each with its factor."""
        key = Tie(tuple(range(len(tie.blocks))), tie.values)
        if key not in self._known:
            if tie.values is None:
                self._known[key] = {word: _sign(word, self.n) for word in permutations(range(self.n), len(tie.blocks))}
            else:
                self._known[key] = {tuple([images[x] for x in tie.values]): 1 for images in self.elements}
        return self._known[key]

    def entries(self, wired: Wired) -> Iterator[tuple[Labels, int]]:
        """Yield the values of all blocks for which the entry is not 0, with the entry."""
        size = len(set(wired.labels))
        named = [block for tie in wired.ties for block in tie.blocks]
        free = [block for block in range(size) if block not in named]
        for words in product(*(self.of(tie).items() for tie in wired.ties)):
            factor, found = 1, [0] * size
            for tie, (word, sign) in zip(wired.ties, words, strict=True):
                factor *= sign
                for block, value in zip(tie.blocks, word, strict=True):
                    found[block] = value
            for values in product(range(self.n), repeat=len(free)):
                for block, value in zip(free, values, strict=True):
                    found[block] = value
                yield tuple(found), factor

    def touched(self, wired: Wired) -> tuple[int, int]:
        """Return the power of n, and its coefficient, that count the elements which a step touches."""
        count = 1
        for tie in wired.ties:
            count *= len(self.of(tie))
        return len(set(wired.labels)) - sum(len(tie.blocks) for tie in wired.ties), count

    def entry(self, wired: Wired, index: Sequence[int]) -> int:
        """Return the entry at a value for each point."""
        values: dict[int, int] = {}
        for label, value in zip(wired.labels, index, strict=True):
            if values.setdefault(label, value) != value:
                return 0
        found = 1
        for tie in wired.ties:
            found *= self.of(tie).get(tuple([values[block] for block in tie.blocks]), 0)
        return found


def _sign(word: Labels, n: int) -> int:
    full = [*word, *(x for x in range(n) if x not in word)]
    return -1 if sum(a > b for i, a in enumerate(full) for b in full[i + 1 :]) % 2 else 1


def moved(ties: Sequence[Tie], names: Mapping[int, int]) -> tuple[tuple[Tie, ...], int] | None:
    """Return ties between blocks with other numbers, in sorted form, and the sign that sorting legs takes.

    None where a block is gone, or two are one now.
    """
    found, sign, used = [], 1, set[int]()
    for tie in ties:
        blocks = [names.get(block, -1) for block in tie.blocks]
        if min(blocks, default=0) < 0 or used.intersection(blocks) or len(set(blocks)) < len(blocks):
            return None
        used.update(blocks)
        order = sorted(range(len(blocks)), key=lambda i: blocks[i])
        if tie.values is None and sum(a > b for i, a in enumerate(blocks) for b in blocks[i + 1 :]) % 2:
            sign = -sign
        values = None if tie.values is None else tuple(tie.values[i] for i in order)
        found.append(Tie(tuple(sorted(blocks)), values))
    return tuple(sorted(found, key=lambda tie: tie.blocks)), sign


def fits_group(group: str, n: int, wired: Wired) -> bool:
    """Tell whether the matrix of a diagram commutes with A_n, SO(n) or the automorphisms of a graph."""
    labels = list(wired.labels)
    sizes = [labels.count(label) for label in sorted(set(labels))]
    if group == "Aut":
        return all(tie.values is not None for tie in wired.ties)
    if not wired.ties:
        return group == "A" or set(sizes) <= {2}
    (legs, values), *more = wired.ties
    if values is not None or more:
        return False
    if group == "A":
        return n > 1 and len(legs) == len(sizes)
    return len(legs) == n and all(size == (1 if block in legs else 2) for block, size in enumerate(sizes))


def independent(group: str, known: Choices, diagrams: Sequence[Wired], points: int) -> bool | None:
    """Decide whether diagrams are independent, None where that is out of reach.

    For A_n by a theorem: partitions with at most n blocks are a basis of the maps of S_n, and jellyfish, which odd
    permutations change the sign of, have disjoint supports. Otherwise by the rank, modulo a prime, of their entries at
    all indices, or at one of each orbit.
    """
    n = known.n
    if group == "A" and all(wired.ties or len(set(wired.labels)) <= n for wired in diagrams):
        return True
    if group == "Aut":
        indices: Iterator[Labels] = _representatives(known.elements, points)
        if all(_is_orbit(wired) for wired in diagrams):
            least = {min(map(tuple, _images(known, wired))) for wired in diagrams}
            return len(least) == len(diagrams)
        if len(diagrams) > MOST_DEPENDENT:
            return None
    elif n**points > _MOST_INDICES or len(diagrams) > MOST_DEPENDENT:
        return None
    else:
        indices = product(range(n), repeat=points)
    return _rank(([known.entry(wired, index) for wired in diagrams] for index in indices), len(diagrams))


def _is_orbit(wired: Wired) -> bool:
    return len(wired.ties) == 1 and len(wired.ties[0].blocks) == len(set(wired.labels))


def _images(known: Choices, wired: Wired) -> Iterator[list[int]]:
    ((blocks, _),) = wired.ties
    for word in known.of(wired.ties[0]):
        values = dict(zip(blocks, word, strict=True))
        yield [values[label] for label in wired.labels]


def _representatives(elements: Sequence[Images], points: int) -> Iterator[Labels]:
    """Yield one tuple of each orbit, point by point under what fixes those before."""
    if not points:
        yield ()
        return
    for first in range(len(elements[0])):
        if all(images[first] >= first for images in elements):
            fixing = [images for images in elements if images[first] == first]
            yield from ((first, *rest) for rest in _representatives(fixing, points - 1))


def _rank(rows: Iterator[list[int]], size: int) -> bool:
    """Tell whether some rows have a rank of ``size`` modulo the prime."""
    pivots: list[tuple[int, list[int]]] = []
    for row in rows:
        rest = row
        for place, lead in pivots:
            scale = rest[place]
            if scale:
                rest = [(x - scale * y) % _PRIME for x, y in zip(rest, lead, strict=True)]
        first = next((i for i, x in enumerate(rest) if x % _PRIME), None)
        if first is not None:
            inverse = pow(rest[first], -1, _PRIME)
            pivots.append((first, [x * inverse % _PRIME for x in rest]))
        if len(pivots) == size:
            return True
    return not size
