r"""Partition diagrams with ties between the values of their blocks: what layer programs apply at one n.

The entry at an index that is constant on blocks is the product over the ties; a block without a tie takes any value.
A head is a tie that multiplies by the sign of the permutation that the values of its legs make (jellyfish and
(l+k)\n-diagrams have one); the other ties ask that the values of their blocks are in one orbit of a group of
permutations. `HeadedDiagram` and `OrbitDiagram` are the canonical forms; here the blocks of a tie may stand in any
order, so that parts of a program compose without signs of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, total_ordering
from itertools import permutations
from math import factorial, prod
from typing import NamedTuple

import numpy as np

from flipforge.diagrams._diagram import Diagram
from flipforge.diagrams._headed import HeadedDiagram, parity
from flipforge.diagrams._matrices import Factor, SparseMatrix, block_factor, matrix_shape, outer_product, point_strides
from flipforge.diagrams._orbit import OrbitDiagram
from flipforge.diagrams._partition import PartitionDiagram, relabelled
from flipforge.errors import InputError, MalformedError

__all__ = [
    "Tie",
    "TiedDiagram",
    "Wiring",
    "compose_tied",
    "sorted_ties",
    "tie_rows",
    "tied",
    "tied_matrix",
    "ties_of",
]

Images = tuple[int, ...]

_MOST_ROWS = 500_000


class Tie(NamedTuple):
    """What joins the values of some blocks: a head where no values are given, an orbit of the values otherwise."""

    blocks: tuple[int, ...]
    values: tuple[int, ...] | None = None


@total_ordering
@dataclass(frozen=True, slots=True)
class TiedDiagram:
    """A partition of l points above and k below, with ties, each of blocks of its own.

    Attributes
    ----------
    labels
        The restricted growth string.

    Raises
    ------
    MalformedError
        A tie names no block, or a block is in two of them, or values are not as many as blocks, or not different.

    Examples
    --------
    >>> cross = tied(HeadedDiagram(2, 1, 3, (0, 1, 2), (0, 1, 2)))
    >>> cross.flip().ties
    (Tie(blocks=(2, 0, 1), values=None),)
    """

    k: int
    l: int
    labels: tuple[int, ...]
    ties: tuple[Tie, ...]

    def __post_init__(self) -> None:
        named = [block for tie in self.ties for block in tie.blocks]
        if len(set(named)) < len(named) or not all(0 <= block < self.plain.size for block in named):
            raise MalformedError(f"ties {self.ties} must name different blocks of {self.labels}")
        for tie in self.ties:
            if tie.values is not None and not len(set(tie.values)) == len(tie.values) == len(tie.blocks):
                raise MalformedError(f"a tie of the blocks {tie.blocks} has different values, one for each")

    def __lt__(self, other: "TiedDiagram") -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[int, int, tuple[int, ...], list[tuple[tuple[int, ...], tuple[int, ...]]]]:
        return self.k, self.l, self.labels, [(tie.blocks, tie.values or ()) for tie in self.ties]

    @property
    def plain(self) -> PartitionDiagram:
        """The partition without the ties."""
        return PartitionDiagram(self.k, self.l, self.labels)

    @property
    def size(self) -> int:
        """Number of blocks."""
        return max(self.labels, default=-1) + 1

    @property
    def blocks(self) -> tuple[tuple[int, ...], ...]:
        """The blocks, by first point."""
        return self.plain.blocks

    @property
    def free(self) -> tuple[int, ...]:
        """The blocks without a tie."""
        named = {block for tie in self.ties for block in tie.blocks}
        return tuple(block for block in range(self.size) if block not in named)

    def flip(self) -> "TiedDiagram":
        """Return the diagram upside down; its matrix is the transpose."""
        turned = self.labels[self.l :] + self.labels[: self.l]
        return TiedDiagram(self.l, self.k, relabelled(turned), renamed(self.ties, turned))


Wiring = PartitionDiagram | TiedDiagram
"""What an instruction of a layer program applies."""


def renamed(ties: Sequence[Tie], labels: Sequence[int]) -> tuple[Tie, ...]:
    """Return ties between labels as ties between blocks numbered by first appearance."""
    names = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return tuple(Tie(tuple(names[block] for block in tie.blocks), tie.values) for tie in ties)


def tied(diagram: Diagram) -> Wiring:
    """Return a diagram as a partition with ties; partitions are returned as they are.

    Raises
    ------
    InputError
        It is a bilabelled graph.

    Examples
    --------
    >>> tied(OrbitDiagram(1, 1, 5, (0, 2)))
    TiedDiagram(k=1, l=1, labels=(0, 1), ties=(Tie(blocks=(0, 1), values=(0, 2)),))
    """
    if isinstance(diagram, PartitionDiagram | TiedDiagram):
        return diagram
    if isinstance(diagram, HeadedDiagram):
        return TiedDiagram(diagram.k, diagram.l, diagram.labels, (Tie(diagram.legs),))
    if isinstance(diagram, OrbitDiagram):
        labels, values = relabelled(diagram.representative), tuple(dict.fromkeys(diagram.representative))
        if not values:
            return PartitionDiagram(0, 0, ())
        return TiedDiagram(diagram.k, diagram.l, labels, (Tie(tuple(range(len(values))), values),))
    raise InputError(f"{diagram} is no partition with ties")


def sorted_ties(diagram: TiedDiagram) -> tuple[TiedDiagram, int]:
    """Return the diagram with the blocks of each tie ascending, and the sign that the legs of heads take."""
    ties, sign = [], 1
    for tie in diagram.ties:
        order = sorted(range(len(tie.blocks)), key=tie.blocks.__getitem__)
        blocks = tuple(tie.blocks[i] for i in order)
        if tie.values is None:
            sign *= parity(tie.blocks)
        ties.append(Tie(blocks, None if tie.values is None else tuple(tie.values[i] for i in order)))
    return TiedDiagram(diagram.k, diagram.l, diagram.labels, tuple(sorted(ties, key=lambda tie: tie.blocks))), sign


def compose_tied(above: Wiring, below: Wiring) -> tuple[Wiring, int, int]:
    """Compose two diagrams, of which one at most has ties: the diagram in sorted form, loops and sign.

    Raises
    ------
    InputError
        The rows between them differ, both have ties, or a block with a tie reaches no outer point or meets another.

    Examples
    --------
    >>> swap = PartitionDiagram(2, 2, (0, 1, 1, 0))
    >>> area = TiedDiagram(2, 0, (0, 1), (Tie((0, 1)),))
    >>> compose_tied(area, swap) == (area, 0, -1)
    True
    """
    if above.k != below.l:
        raise InputError(f"{above.k} points below do not meet {below.l} points above")
    shift = above.size
    parent = list(range(shift + below.size))

    def root(node: int) -> int:
        while parent[node] != node:
            node = parent[node]
        return node

    for left, right in zip(above.labels[above.l :], below.labels[: below.l], strict=True):
        a, b = root(left), root(right + shift)
        parent[max(a, b)] = min(a, b)
    outer = [root(label) for label in above.labels[: above.l]]
    outer += [root(label + shift) for label in below.labels[below.l :]]
    loops = sum(parent[node] == node for node in range(len(parent))) - len(set(outer))
    sides = [(ties_of(above), 0), (ties_of(below), shift)]
    if all(ties for ties, _ in sides):
        raise InputError("two diagrams with ties are not composed; one at most has ties")
    moved = [Tie(tuple(root(b + at) for b in tie.blocks), tie.values) for ties, at in sides for tie in ties]
    if not moved:
        return PartitionDiagram(below.k, above.l, relabelled(outer)), loops, 1
    named = [block for tie in moved for block in tie.blocks]
    if len(set(named)) < len(named) or not set(named) <= set(outer):
        raise InputError("a block with a tie must reach an outer point, apart from the others")
    made, sign = sorted_ties(TiedDiagram(below.k, above.l, relabelled(outer), renamed(moved, outer)))
    return made, loops, sign


def ties_of(diagram: Wiring) -> tuple[Tie, ...]:
    """Return the ties of a diagram, none for a partition."""
    return diagram.ties if isinstance(diagram, TiedDiagram) else ()


@lru_cache(maxsize=4096)
def tie_rows(tie: Tie, n: int, generators: tuple[Images, ...] = ()) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Return the values that the blocks of a tie may take, ascending, each with its factor.

    Parameters
    ----------
    generators
        Permutations of 0, ..., n-1 that generate the group whose orbit a tie names.

    Examples
    --------
    >>> tie_rows(Tie((0, 1)), 2), tie_rows(Tie((0, 1), (0, 1)), 3, ((1, 2, 0),))
    ((((0, 1), 1), ((1, 0), -1)), (((0, 1), 1), ((1, 2), 1), ((2, 0), 1)))
    """
    if tie.values is not None:
        return tuple((values, 1) for values in _orbit_of(tie.values, generators))
    if factorial(n) > _MOST_ROWS:
        raise InputError(f"a head of {n} legs has {factorial(n)} terms, more than {_MOST_ROWS}")
    words = permutations(range(n), len(tie.blocks))
    return tuple((word, parity([*word, *(set(range(n)) - set(word))])) for word in words)


def tied_matrix(diagram: Wiring, n: int, generators: tuple[Images, ...] = ()) -> SparseMatrix:
    """Return the matrix of a diagram, n^l x n^k.

    Examples
    --------
    >>> tied_matrix(tied(HeadedDiagram(1, 1, 2, (0, 1), (0, 1))), 2).dense().tolist()
    [[0, 1], [-1, 0]]
    """
    plain = diagram if isinstance(diagram, PartitionDiagram) else diagram.plain
    named = {block for tie in ties_of(diagram) for block in tie.blocks}
    free = [block for number, block in enumerate(plain.blocks) if number not in named]
    listed = [tie_rows(tie, n, generators) for tie in ties_of(diagram)]
    shape = matrix_shape(plain, n, n ** len(free) * prod(map(len, listed)))
    factors = [block_factor(plain, n, block) for block in free]
    for tie, rows in zip(ties_of(diagram), listed, strict=True):
        strides = np.array([point_strides(plain, n, plain.blocks[block]) for block in tie.blocks], np.int64)
        offsets = np.array([values for values, _ in rows], np.int64) @ strides.reshape(-1, 2)
        factors.append(Factor(offsets[:, 0], offsets[:, 1], np.array([factor for _, factor in rows], np.int64)))
    return outer_product(shape, factors)


def _orbit_of(values: tuple[int, ...], generators: Sequence[Images]) -> list[tuple[int, ...]]:
    """Return the tuples that permutations take a tuple to, ascending."""
    seen, queue = {values}, [values]
    for word in queue:
        if len(queue) > _MOST_ROWS:
            raise InputError(f"the orbit of {values} has more than {_MOST_ROWS} tuples; they are too many to list")
        for images in generators:
            reached = tuple([images[x] for x in word])
            if reached not in seen:
                seen.add(reached)
                queue.append(reached)
    return sorted(queue)
