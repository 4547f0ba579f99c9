"""Headed diagrams: a partition some of whose blocks are joined to the n legs of one Levi-Civita head.

The matrix entry is the product of the blocks (equal indices) with the sign of the permutation that the values of the
legs make, 0 where two of them are equal. Where every point with a leg stands alone and the others are paired, these are
the diagrams that SO(n) has beside those of O(n); where every block has a leg, those that A_n has beside S_n, the
jellyfish (Comes, "Jellyfish partition categories", 2020; Pearce-Crump, arXiv 2212.08630 and 2301.10152).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import total_ordering
from typing import Any

from flipforge.diagrams._enumerate import ANY, Blocks, partitions
from flipforge.diagrams._partition import PartitionDiagram, relabelled
from flipforge.errors import InputError, MalformedError

__all__ = ["HeadedDiagram", "headed", "jellyfish", "levi_civita", "parity"]


@total_ordering
@dataclass(frozen=True, slots=True)
class HeadedDiagram:
    """A partition with a head of n legs, as a value in canonical form.

    Attributes
    ----------
    n
        Number of legs, which is the dimension of V.
    labels
        The restricted growth string of the l + k points.
    legs
        The blocks that have a leg, ascending: leg i goes to block ``legs[i]``. There are n of them, or n - 1, and then
        the last leg is free and summed over.

    Raises
    ------
    MalformedError
        The labels are no restricted growth string, or the legs are not as described.

    Examples
    --------
    >>> cross_product = HeadedDiagram(2, 1, 3, (0, 1, 2), (0, 1, 2))
    >>> cross_product.flip() == (1, HeadedDiagram(1, 2, 3, (0, 1, 2), (0, 1, 2)))
    True
    """

    k: int
    l: int
    n: int
    labels: tuple[int, ...]
    legs: tuple[int, ...]

    def __post_init__(self) -> None:
        blocks = self.plain.size
        fits = all(0 <= leg < blocks for leg in self.legs) and list(self.legs) == sorted(set(self.legs))
        if not fits or len(self.legs) not in (self.n, self.n - 1):
            raise MalformedError(
                f"legs {self.legs} must be {self.n} different blocks of {self.labels} in ascending order, or one less"
            )

    @property
    def plain(self) -> PartitionDiagram:
        """The partition without the head."""
        return PartitionDiagram(self.k, self.l, self.labels)

    @property
    def size(self) -> int:
        """Number of blocks."""
        return max(self.labels, default=-1) + 1

    @property
    def free(self) -> tuple[int, ...]:
        """The points with a leg that stand alone."""
        return tuple(point for point, label in enumerate(self.labels) if label in self.legs and self._alone(label))

    def _alone(self, label: int) -> bool:
        return self.labels.count(label) == 1

    @property
    def is_jellyfish(self) -> bool:
        """True where every block has a leg."""
        return len(self.legs) == self.size

    @property
    def is_paired(self) -> bool:
        """True where the points with a leg stand alone, n of them, and the others are paired."""
        sizes = [self.labels.count(label) for label in range(self.size)]
        return len(self.legs) == self.n and all(size == 2 - (b in self.legs) for b, size in enumerate(sizes))

    def flip(self) -> "tuple[int, HeadedDiagram]":
        """Return the diagram upside down with the sign that sorting its legs takes: the transpose."""
        labels = self.labels[self.l :] + self.labels[: self.l]
        return _made(headed(self.l, self.k, self.n, labels, self._leg_labels()))

    def bend(self) -> "tuple[int, HeadedDiagram]":
        """Return the diagram with its last point below moved up to the right, and the sign."""
        if not self.k:
            raise InputError("a diagram without points below has nothing to bend")
        labels = (*self.labels[: self.l], self.labels[-1], *self.labels[self.l : -1])
        return _made(headed(self.k - 1, self.l + 1, self.n, labels, self._leg_labels()))

    def _leg_labels(self) -> tuple[int, ...]:
        """Return the block of each leg; a free leg has a block of its own."""
        return self.legs if len(self.legs) == self.n else (*self.legs, self.size)

    def __lt__(self, other: "HeadedDiagram") -> bool:
        return (self.k, self.l, self.labels, self.legs) < (other.k, other.l, other.labels, other.legs)

    def as_dict(self) -> dict[str, Any]:
        """Return the diagram as a JSON object: with pairs and free points, or with blocks and those that have legs."""
        head = {"k": self.k, "l": self.l, "n": self.n}
        blocks = [list(block) for block in self.plain.blocks]
        if self.is_paired:
            free = list(self.free)
            return {"kind": "levi-civita", **head, "pairs": [b for b in blocks if len(b) == 2], "free": free}
        if self.is_jellyfish:
            return {"kind": "jellyfish", **head, "blocks": blocks}
        return {"kind": "headed", **head, "blocks": blocks, "legs": list(self.legs)}


def headed(
    k: int,
    l: int,
    n: int,
    labels: Sequence[int],
    legs: Sequence[int],
) -> tuple[int, HeadedDiagram] | None:
    """Bring a partition with a head into canonical form.

    Parameters
    ----------
    labels
        Any labels of the l + k points.
    legs
        The label of the block of each of the n legs in order; a label that no point has is that of a free leg.

    Returns
    -------
    tuple or None
        The sign and the diagram; None where the matrix is zero, because two legs share a block or two are free.

    Examples
    --------
    >>> headed(1, 1, 2, (7, 8), (8, 7))
    (-1, HeadedDiagram(k=1, l=1, n=2, labels=(0, 1), legs=(0, 1)))
    >>> headed(1, 1, 2, (7, 7), (8, 9)) is None
    True
    """
    number = {label: place for place, label in reversed(list(enumerate(labels)))}  # first point of each block
    free = len(labels)
    places = [number.get(leg, free) for leg in legs]
    if len(legs) != n or len(set(places)) < n:
        return None
    renamed = relabelled(labels)
    attached = sorted(place for place in places if place != free)
    return parity(places), HeadedDiagram(k, l, n, renamed, tuple(renamed[place] for place in attached))


def parity(word: Sequence[int]) -> int:
    """Return the sign of the permutation that sorts distinct values.

    Examples
    --------
    >>> parity([2, 0, 1]), parity([1, 0, 2])
    (1, -1)
    """
    inversions = sum(a > b for i, a in enumerate(word) for b in word[i + 1 :])
    return -1 if inversions % 2 else 1


def levi_civita(k: int, l: int, n: int) -> Iterator[HeadedDiagram]:
    """Yield the diagrams with n free points on legs and the others paired, by their labels.

    Examples
    --------
    >>> [diagram.free for diagram in levi_civita(2, 2, 2)]
    [(2, 3), (1, 3), (0, 3), (1, 2), (0, 2), (0, 1)]
    """
    for diagram in partitions(k, l, Blocks("pairs and free points", largest=2, odd=n)):
        counts = [0] * diagram.size
        for label in diagram.labels:
            counts[label] += 1
        legs = tuple(label for label, count in enumerate(counts) if count == 1)
        yield HeadedDiagram(k, l, n, diagram.labels, legs)


def jellyfish(k: int, l: int, n: int) -> Iterator[HeadedDiagram]:
    """Yield the diagrams of n or n - 1 blocks with a leg on each, by their labels.

    Examples
    --------
    >>> [(diagram.labels, diagram.legs) for diagram in jellyfish(1, 1, 2)]
    [((0, 0), (0,)), ((0, 1), (0, 1))]
    """
    for diagram in partitions(k, l, ANY, most=n, least=n - 1):
        yield HeadedDiagram(k, l, n, diagram.labels, tuple(range(diagram.size)))


def _made(result: tuple[int, HeadedDiagram] | None) -> tuple[int, HeadedDiagram]:
    assert result is not None, "moving the points of a headed diagram joins no legs"
    return result
