"""Composition and tensor product where diagrams may have a Levi-Civita head, at a given n.

Two heads never stay: eps(x) eps(y) is the sum over the permutations s of sgn(s) times the product of delta(x_i,
y_s(i)). Where r legs of both heads are joined to each other and to nothing else, that sum is r! times the same for the
other n - r legs.
"""

from collections.abc import Iterable, Sequence
from itertools import permutations
from math import factorial

from flipforge.diagrams._calculus import PARTITIONS, Terms, gathered
from flipforge.diagrams._compose import check_composable
from flipforge.diagrams._diagram import Diagram
from flipforge.diagrams._headed import HeadedDiagram, headed, parity
from flipforge.diagrams._partition import PartitionDiagram, relabelled
from flipforge.diagrams._polynomial import Polynomial
from flipforge.errors import InputError

__all__ = ["HeadedCalculus"]

_MOST_LEGS = 8


class HeadedCalculus:
    """The calculus of SO(n) and A_n: partitions, Brauer diagrams and headed ones, with numbers as scalars.

    Examples
    --------
    >>> C = HeadedDiagram(1, 1, 3, (0, 1), (0, 1))
    >>> {d.labels: str(c) for d, c in HeadedCalculus(3).compose(C, C).items()}
    {(0, 0): '-3', (0, 1): '1'}
    """

    def __init__(self, n: int) -> None:
        self.n = n

    def compose(self, above: Diagram, below: Diagram) -> Terms:
        """Return the product of two matrices as a sum of matrices."""
        upper, upper_legs = self._opened(above)
        lower, lower_legs = self._opened(below)
        check_composable(upper, lower)
        shift = self._size(upper)
        parent = list(range(shift + self._size(lower)))
        middle = zip(upper.labels[upper.l :], lower.labels[: lower.l], strict=True)
        _join(parent, ((a, b + shift) for a, b in middle))
        outer = [_root(parent, x) for x in upper.labels[: upper.l]]
        outer += [_root(parent, x + shift) for x in lower.labels[lower.l :]]
        legs = [[_root(parent, x) for x in upper_legs], [_root(parent, x + shift) for x in lower_legs]]
        used = {*outer, *legs[0], *legs[1]}
        blocks = [*range(upper.size), *(shift + x for x in range(lower.size))]
        removed = len({_root(parent, x) for x in blocks} - used)
        return self._reduced(lower.k, upper.l, outer, [row for row in legs if row], self.n**removed)

    def tensor(self, left: Diagram, right: Diagram) -> Terms:
        """Return the Kronecker product of two matrices as a sum of matrices."""
        (a, a_legs), (b, b_legs) = self._opened(left), self._opened(right)
        shift = self._size(a)
        moved = [x + shift for x in b.labels]
        outer = [*a.labels[: a.l], *moved[: b.l], *a.labels[a.l :], *moved[b.l :]]
        legs = [row for row in (list(a_legs), [x + shift for x in b_legs]) if row]
        return self._reduced(a.k + b.k, a.l + b.l, outer, legs, 1)

    def flip(self, diagram: Diagram) -> Terms:
        """Return the transpose of a matrix."""
        self._opened(diagram)
        if not isinstance(diagram, HeadedDiagram):
            return PARTITIONS.flip(diagram)
        sign, flipped = diagram.flip()
        return {flipped: Polynomial.power(0, sign)}

    def bend(self, diagram: Diagram) -> Terms:
        """Return a matrix whose last column index is made the last row index."""
        self._opened(diagram)
        if not isinstance(diagram, HeadedDiagram):
            return PARTITIONS.bend(diagram)
        sign, bent = diagram.bend()
        return {bent: Polynomial.power(0, sign)}

    def _opened(self, diagram: Diagram) -> tuple[PartitionDiagram, tuple[int, ...]]:
        """Return the partition and the label of each leg's block, one more for a free leg; none without a head."""
        if isinstance(diagram, PartitionDiagram):
            return diagram, ()
        if not isinstance(diagram, HeadedDiagram) or diagram.n != self.n:
            raise InputError(f"{diagram} is neither a partition nor a diagram with a head of {self.n} legs")
        free = () if len(diagram.legs) == self.n else (diagram.size,)
        return diagram.plain, (*diagram.legs, *free)

    def _size(self, plain: PartitionDiagram) -> int:
        return plain.size + 1  # room for a free leg

    def _reduced(self, k: int, l: int, outer: Sequence[int], heads: Sequence[Sequence[int]], scale: int) -> Terms:
        """Bring labels of outer points, and of the legs of up to two heads, into canonical form."""
        if not heads:
            return {PartitionDiagram(k, l, relabelled(outer)): Polynomial.power(0, scale)}
        if len(heads) == 1:
            made = headed(k, l, self.n, outer, heads[0])
            return {} if made is None else {made[1]: Polynomial.power(0, scale * made[0])}
        first, second = (list(row) for row in heads)
        if len(set(first)) < self.n or len(set(second)) < self.n:
            return {}
        joined = [x for x in first if x in second and x not in outer]
        rest, others = ([x for x in row if x not in joined] for row in (first, second))
        if len(rest) > _MOST_LEGS:
            raise InputError(
                f"two heads of {self.n} legs make a sum of {factorial(len(rest))} diagrams; at most {_MOST_LEGS} legs "
                "may stay apart"
            )
        scale *= factorial(len(joined)) * _moves(first, joined + rest) * _moves(second, joined + others)
        terms: list[tuple[Diagram, Polynomial]] = []
        for order in permutations(range(len(rest))):
            parent = list(range(max([*outer, *rest, *others], default=0) + 1))
            _join(parent, ((x, others[i]) for x, i in zip(rest, order, strict=True)))
            labels = [_root(parent, x) for x in outer]
            alone = {_root(parent, x) for x in (*rest, *others)} - set(labels)
            scalar = scale * parity(order) * self.n ** len(alone)
            terms.append((PartitionDiagram(k, l, relabelled(labels)), Polynomial.power(0, scalar)))
        return gathered(terms)


def _moves(before: Sequence[int], after: Sequence[int]) -> int:
    """Return the sign of the permutation that brings distinct values from one order into another."""
    return parity([before.index(x) for x in after])


def _join(parent: list[int], pairs: Iterable[tuple[int, int]]) -> None:
    for a, b in pairs:
        x, y = _root(parent, a), _root(parent, b)
        parent[max(x, y)] = min(x, y)


def _root(parent: list[int], node: int) -> int:
    while parent[node] != node:
        node = parent[node]
    return node
