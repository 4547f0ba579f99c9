"""Enumeration of partition diagrams in the order of their labels, without holding more than one.

Predicates on blocks give the easy groups (Banica, Speicher, "Liberation of orthogonal Lie groups", 2009): all blocks,
even ones, pairs, pairs and single points. Every such family is cut out while the labels grow, so that no dead end is
longer than what is enumerated.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from flipforge.diagrams._partition import PartitionDiagram

__all__ = ["ANY", "EVEN", "PAIRS", "SMALL", "Blocks", "partitions"]


@dataclass(frozen=True)
class Blocks:
    """A family of partitions: which blocks there may be.

    Attributes
    ----------
    name
        Says what they are, for people.
    largest
        The most points that a block has, None for any number.
    odd
        The number of blocks of odd size, None for any number.
    """

    name: str
    largest: int | None = None
    odd: int | None = None

    def allows(self, diagram: PartitionDiagram) -> bool:
        """Tell whether a diagram belongs to the family."""
        sizes = [len(block) for block in diagram.blocks]
        if self.largest is not None and max(sizes, default=0) > self.largest:
            return False
        return self.odd is None or sum(size % 2 for size in sizes) == self.odd


ANY = Blocks("all blocks")
EVEN = Blocks("even blocks", odd=0)
PAIRS = Blocks("pairs", largest=2, odd=0)
SMALL = Blocks("pairs and single points", largest=2)


def partitions(
    k: int,
    l: int,
    blocks: Blocks = ANY,
    *,
    most: int | None = None,
    least: int = 0,
) -> Iterator[PartitionDiagram]:
    """Yield the partition diagrams of a family, by their labels.

    Parameters
    ----------
    most, least
        The most and the least number of blocks that a diagram may have.

    Examples
    --------
    >>> [diagram.labels for diagram in partitions(1, 2, most=2)]
    [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1)]
    >>> sum(1 for _ in partitions(4, 4, PAIRS))
    105
    """
    points = k + l
    limit = points if most is None else most
    if points == 0:
        if not (least or blocks.odd):
            yield PartitionDiagram(k, l, ())
        return
    largest = points if blocks.largest is None else blocks.largest
    labels = [0] * points
    sizes = [0] * (points + 1)
    used, odd, place = 0, 0, 0
    label = 0  # the next to try at this place
    while place >= 0:
        left = points - place - 1
        for choice in range(label, min(used + 1, limit)):
            if sizes[choice] >= largest or used + (choice == used) + left < least:
                continue
            missing = None if blocks.odd is None else blocks.odd - odd - (-1 if sizes[choice] % 2 else 1)
            # What is left can change the number of odd blocks by as much as its own number, and by its parity.
            if missing is None or (abs(missing) <= left and (left - missing) % 2 == 0):
                break
        else:
            place -= 1
            if place >= 0:
                label = labels[place]
                odd += -1 if sizes[label] % 2 else 1
                sizes[label] -= 1
                used -= sizes[label] == 0
                label += 1
            continue
        labels[place] = choice
        odd += -1 if sizes[choice] % 2 else 1
        used += sizes[choice] == 0
        sizes[choice] += 1
        place, label = place + 1, 0
        if not left:
            yield PartitionDiagram(k, l, tuple(labels))
            place, label = points - 1, choice + 1
            odd += -1 if sizes[choice] % 2 else 1
            sizes[choice] -= 1
            used -= sizes[choice] == 0
