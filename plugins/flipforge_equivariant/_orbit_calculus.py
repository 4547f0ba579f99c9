"""Composition and tensor product of orbits: structure constants are counts (Higman's coherent configurations, 1975)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flipforge.diagrams import Diagram, OrbitDiagram, Polynomial, Terms
from flipforge.errors import InputError

if TYPE_CHECKING:
    from flipforge_equivariant.permutation import PermutationGroup

__all__ = ["OrbitCalculus"]


class OrbitCalculus:
    """The calculus of the orbits of a group of permutations, with numbers as scalars.

    Parameters
    ----------
    group
        Knows its orbits.
    """

    def __init__(self, group: "PermutationGroup") -> None:
        self._group = group

    def compose(self, above: Diagram, below: Diagram) -> Terms:
        """Return the product of two indicators: at (I, K) the number of J with (I, J) and (J, K) in the orbits."""
        a, b = self._orbit(above), self._orbit(below)
        if a.k != b.l:
            raise InputError(f"{a.k} points below do not meet {b.l} points above")
        lower: dict[Sequence[int], list[tuple[int, ...]]] = defaultdict(list)
        for values in self._group.tuples(b):
            lower[values[: b.l]].append(values[b.l :])
        top = a.representative[: a.l]  # one row meets every orbit of the product, because rows of an orbit are alike
        row = (values[a.l :] for values in self._group.tuples(a) if values[: a.l] == top)
        return self._sums(b.k, a.l, ((*top, *bottom) for middle in row for bottom in lower[middle]), counted=True)

    def tensor(self, left: Diagram, right: Diagram) -> Terms:
        """Return the Kronecker product of two indicators, a sum of orbits."""
        a, b = self._orbit(left), self._orbit(right)
        x = a.representative
        tuples = ((*x[: a.l], *y[: b.l], *x[a.l :], *y[b.l :]) for y in self._group.tuples(b))
        return self._sums(a.k + b.k, a.l + b.l, tuples, counted=False)

    def flip(self, diagram: Diagram) -> Terms:
        """Return the orbit with indices above and below exchanged."""
        orbit = self._orbit(diagram)
        values = orbit.representative[orbit.l :] + orbit.representative[: orbit.l]
        return {self._group.orbit(orbit.l, orbit.k, values): Polynomial.power(0)}

    def bend(self, diagram: Diagram) -> Terms:
        """Return the orbit with the last index below moved up."""
        orbit = self._orbit(diagram)
        if not orbit.k:
            raise InputError("a diagram without points below has nothing to bend")
        x = orbit.representative
        values = (*x[: orbit.l], x[-1], *x[orbit.l : -1])
        return {self._group.orbit(orbit.k - 1, orbit.l + 1, values): Polynomial.power(0)}

    def _sums(self, k: int, l: int, tuples: Iterable[tuple[int, ...]], *, counted: bool) -> Terms:
        """Return the orbits of tuples, each with the number of times that one and the same tuple of it was met."""
        times: dict[tuple[int, ...], int] = defaultdict(int)
        for values in tuples:
            times[values] += 1
        found = {self._group.orbit(k, l, values): count if counted else 1 for values, count in times.items()}
        return {orbit: Polynomial.power(0, count) for orbit, count in found.items()}

    def _orbit(self, diagram: Diagram) -> OrbitDiagram:
        if not isinstance(diagram, OrbitDiagram) or not self._group.contains(diagram):
            raise InputError(f"{diagram} is no orbit of {self._group.name}")
        return diagram
