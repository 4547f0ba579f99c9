"""Partition diagrams: set partitions of l points above and k points below.

Points are numbered 0..l-1 above from left to right, then l..l+k-1 below from left to right. A diagram stands for a map
from k copies of V = R^n to l copies. Brauer diagrams are those whose blocks are pairs (Martin, "Temperley-Lieb algebras
for non-planar statistical mechanics - the partition algebra construction", 1994).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import total_ordering
from typing import Any

from flipforge.errors import InputError, MalformedError

__all__ = ["PartitionDiagram", "relabelled"]


@total_ordering
@dataclass(frozen=True, slots=True)
class PartitionDiagram:
    """A set partition of l + k points, as a value: two that are equal are the same partition.

    Diagrams of one shape are ordered by their labels, and enumerated in that order.

    Attributes
    ----------
    k, l
        Numbers of points below (inputs) and above (outputs).
    labels
        The restricted growth string: the block of each point, blocks numbered by first appearance.

    Raises
    ------
    MalformedError
        The labels are no restricted growth string of length l + k.

    Examples
    --------
    >>> swap = PartitionDiagram(2, 2, (0, 1, 1, 0))
    >>> swap.blocks
    ((0, 3), (1, 2))
    >>> swap == PartitionDiagram.of_blocks(2, 2, [[1, 2], [3, 0]])
    True
    """

    k: int
    l: int
    labels: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.k < 0 or self.l < 0:
            raise InputError(f"a diagram has k = {self.k} points below and l = {self.l} above; neither is negative")
        top = -1
        for label in self.labels:
            if label > top:
                if label != top + 1:
                    break
                top = label
            elif label < 0:
                break
        else:
            if len(self.labels) == self.k + self.l:
                return
        raise MalformedError(
            f"labels {self.labels} are no restricted growth string of {self.l} + {self.k} points: "
            "number blocks 0, 1, ... by first appearance"
        )

    @classmethod
    def of_blocks(cls, k: int, l: int, blocks: Iterable[Iterable[int]]) -> "PartitionDiagram":
        """Make a diagram from its blocks, in any order.

        Raises
        ------
        MalformedError
            The blocks do not hold each of the points 0, ..., l+k-1 once, or one is empty.
        """
        found = [tuple(block) for block in blocks]
        if sorted(point for block in found for point in block) != list(range(k + l)) or not all(found):
            raise MalformedError(f"blocks must hold each of the points 0..{k + l - 1} once")
        owner = {point: number for number, block in enumerate(found) for point in block}
        return cls(k, l, relabelled([owner[point] for point in range(k + l)]))

    def __lt__(self, other: "PartitionDiagram") -> bool:
        return (self.k, self.l, self.labels) < (other.k, other.l, other.labels)

    @property
    def size(self) -> int:
        """Number of blocks."""
        return max(self.labels, default=-1) + 1

    @property
    def blocks(self) -> tuple[tuple[int, ...], ...]:
        """The blocks, by first point."""
        found: list[list[int]] = [[] for _ in range(self.size)]
        for point, label in enumerate(self.labels):
            found[label].append(point)
        return tuple(map(tuple, found))

    @property
    def is_brauer(self) -> bool:
        """True where every block is a pair."""
        return all(len(block) == 2 for block in self.blocks)

    @property
    def partners(self) -> tuple[int, ...]:
        """The involution of a Brauer diagram, or of one of pairs and single points: whom each point is joined to."""
        images = list(range(len(self.labels)))
        for block in self.blocks:
            if len(block) > 2:
                raise InputError(f"block {block} is neither a pair nor a point; the diagram is no involution")
            images[block[0]], images[block[-1]] = block[-1], block[0]
        return tuple(images)

    @property
    def is_planar(self) -> bool:
        """True where the blocks can be drawn without crossing: top from left to right, bottom back, on a circle."""
        circle = self.labels[: self.l] + self.labels[self.l :][::-1]
        last = {label: place for place, label in enumerate(circle)}
        nested: list[int] = []
        for place, label in enumerate(circle):
            if label not in nested:
                nested.append(label)
            elif nested[-1] != label:
                return False
            if last[label] == place:
                nested.pop()
        return True

    def flip(self) -> "PartitionDiagram":
        """Return the diagram upside down; its matrix is the transpose."""
        turned = self.labels[self.l :] + self.labels[: self.l]
        return PartitionDiagram(self.l, self.k, relabelled(turned))

    def tensor(self, other: "PartitionDiagram") -> "PartitionDiagram":
        """Return the other diagram to the right of this one; its matrix is the Kronecker product."""
        moved = [label + self.size for label in other.labels]
        labels = [*self.labels[: self.l], *moved[: other.l], *self.labels[self.l :], *moved[other.l :]]
        return PartitionDiagram(self.k + other.k, self.l + other.l, relabelled(labels))

    def bend(self) -> "PartitionDiagram":
        """Return the diagram with its last point below moved up, to the right of the points above.

        The matrix of a group that keeps the scalar product is only reshaped: the last index of a column becomes the
        last of a row.
        """
        if not self.k:
            raise InputError("a diagram without points below has nothing to bend")
        labels = (*self.labels[: self.l], self.labels[-1], *self.labels[self.l : -1])
        return PartitionDiagram(self.k - 1, self.l + 1, relabelled(labels))

    def unbend(self) -> "PartitionDiagram":
        """Return the diagram with its last point above moved down: what `bend` undoes."""
        if not self.l:
            raise InputError("a diagram without points above has nothing to bend down")
        labels = (*self.labels[: self.l - 1], *self.labels[self.l :], self.labels[self.l - 1])
        return PartitionDiagram(self.k + 1, self.l - 1, relabelled(labels))

    def as_dict(self) -> dict[str, Any]:
        """Return the diagram as a JSON object."""
        return {"kind": "partition", "k": self.k, "l": self.l, "blocks": [list(block) for block in self.blocks]}


def relabelled(labels: Sequence[int]) -> tuple[int, ...]:
    """Number the blocks by first appearance.

    Examples
    --------
    >>> relabelled([7, 3, 7])
    (0, 1, 0)
    """
    seen: dict[int, int] = {}
    return tuple([seen.setdefault(label, len(seen)) for label in labels])
