"""Composition of partition and Brauer diagrams: one above the other, with its scalar.

For matrices D(.) of the orthogonal and symmetric kind, D(above) D(below) = n^c D(result), c the number of components
that touch neither outer row. For the symplectic kind a sign joins it, which the strands decide.
"""

from flipforge.diagrams._partition import PartitionDiagram, relabelled
from flipforge.errors import InputError

__all__ = ["compose", "compose_symplectic", "identity"]


def identity(k: int) -> PartitionDiagram:
    """Return the identity diagram on k points."""
    return PartitionDiagram(k, k, (*range(k), *range(k)))


def compose(above: PartitionDiagram, below: PartitionDiagram) -> tuple[PartitionDiagram, int]:
    """Compose two diagrams.

    Parameters
    ----------
    above, below
        Diagrams m <- l and l <- k.

    Returns
    -------
    tuple
        The diagram m <- k, and the number c of components that were removed, each of which counts as a factor n.

    Raises
    ------
    InputError
        The points below the upper diagram are not as many as those above the lower one.

    Examples
    --------
    >>> cup_cap = PartitionDiagram(2, 2, (0, 0, 1, 1))
    >>> compose(cup_cap, cup_cap)
    (PartitionDiagram(k=2, l=2, labels=(0, 0, 1, 1)), 1)
    """
    check_composable(above, below)
    shift = above.size
    parent = list(range(shift + below.size))
    for left, right in zip(above.labels[above.l :], below.labels[: below.l], strict=True):
        a, b = _root(parent, left), _root(parent, right + shift)
        parent[max(a, b)] = min(a, b)
    outer = [_root(parent, label) for label in above.labels[: above.l]]
    outer += [_root(parent, label + shift) for label in below.labels[below.l :]]
    components = sum(parent[node] == node for node in range(len(parent)))
    return PartitionDiagram(below.k, above.l, relabelled(outer)), components - len(set(outer))


def compose_symplectic(above: PartitionDiagram, below: PartitionDiagram) -> tuple[PartitionDiagram, int, int]:
    """Compose two Brauer diagrams as maps that keep the symplectic form.

    The matrix of a diagram is the product over its pairs of the form where both points are in one row, left before
    right, and of the identity otherwise. A strand that is walked from end to end takes a factor -1 for each pair in one
    row that it passes from right to left, and another (-1)^(h // 2) where it passes h such pairs.

    Returns
    -------
    tuple
        The diagram, the number c of loops, each of which counts as a factor n, and the sign.

    Raises
    ------
    InputError
        The diagrams do not fit, or one is no Brauer diagram.

    Examples
    --------
    >>> compose_symplectic(PartitionDiagram(3, 1, (0, 1, 1, 0)), PartitionDiagram(1, 3, (0, 1, 1, 0)))[1:]
    (0, -1)
    """
    check_composable(above, below)
    if not (above.is_brauer and below.is_brauer):
        raise InputError("a symplectic composition joins pairs only; one of the diagrams has another block")
    result, loops = compose(above, below)
    first, last = above.l, above.l + above.k  # of the points of the middle row, all three rows numbered through
    upper, lower = above.partners, [partner + first for partner in below.partners]
    unseen = set(range(last + below.k))
    sign = 1
    while unseen:
        outer = [point for point in unseen if not first <= point < last]
        start = min(outer or unseen)
        point, up, turns = start, start < last, 0
        while True:
            unseen.discard(point)
            following = upper[point] if up else lower[point - first]
            if _row(point, first, last) == _row(following, first, last):
                turns += 1
                sign = -sign if following < point else sign
            unseen.discard(following)
            point, up = following, not up
            if point == start or not first <= point < last:
                break
        sign = -sign if turns // 2 % 2 else sign
    return result, loops, sign


def _row(point: int, first: int, last: int) -> int:
    return (point >= first) + (point >= last)


def check_composable(above: PartitionDiagram, below: PartitionDiagram) -> None:
    """Raise `InputError` where the rows between two diagrams differ."""
    if above.k != below.l:
        raise InputError(
            f"the upper diagram has {above.k} points below, the lower one {below.l} above; they must agree"
        )


def _root(parent: list[int], node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
