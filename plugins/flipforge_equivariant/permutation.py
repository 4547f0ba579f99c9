"""Any group of permutation matrices, given by generators: orbits on index tuples are a basis."""

from collections.abc import Iterator, Sequence
from math import prod
from re import fullmatch
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.certificates import Certificate
from flipforge.diagrams import Calculus, Diagram, OrbitDiagram, SparseMatrix, TiedFamily, check_listable, check_shape
from flipforge.errors import InputError
from flipforge_equivariant._actions import Action
from flipforge_equivariant._chains import Images
from flipforge_equivariant._clusters import clustered
from flipforge_equivariant._orbit_calculus import OrbitCalculus
from flipforge_equivariant._proofs import CHECKER, MOST_LISTED, statement

__all__ = ["PermutationGroup", "permutation"]

_MOST_ENTRIES = 50_000_000


class PermutationGroup:
    """A group of permutations of 0, ..., n-1; the indicator matrices of its orbits on tuples are a basis.

    Parameters
    ----------
    name
        How the group is called.
    generators
        Each the images of 0, ..., n-1.

    Examples
    --------
    >>> cyclic = PermutationGroup("perm:2341", 4, [(1, 2, 3, 0)])
    >>> cyclic.dimension(1, 1), [orbit.representative for orbit in cyclic.basis(1, 1)]
    (4, [(0, 0), (0, 1), (0, 2), (0, 3)])
    """

    def __init__(self, name: str, n: int, generators: Sequence[Images]) -> None:
        self.name = name
        self.n = n
        self.action = Action(n, generators)
        self.calculus: Calculus = OrbitCalculus(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def order(self) -> int:
        """The number of elements."""
        return self.action.order

    def contains(self, diagram: Diagram) -> bool:
        """Tell whether a diagram is an orbit of this group."""
        if not isinstance(diagram, OrbitDiagram) or diagram.n != self.n:
            return False
        return self.action.least(diagram.representative) == diagram.representative

    def orbit(self, k: int, l: int, values: Sequence[int]) -> OrbitDiagram:
        """Return the orbit of a tuple of indices, those above first."""
        return OrbitDiagram(k, l, self.n, self.action.least(OrbitDiagram(k, l, self.n, tuple(values)).representative))

    def diagrams(self, k: int, l: int) -> Iterator[Diagram]:
        """Yield the orbits on l + k indices, by least tuples."""
        check_shape(k, l)
        return (OrbitDiagram(k, l, self.n, values) for values in self.action.representatives(k + l))

    def count(self, k: int, l: int) -> int:
        """Return the number of orbits, by Burnside's lemma."""
        return self.dimension(k, l)

    def dimension(self, k: int, l: int) -> int:
        """Return the number of orbits, by Burnside's lemma."""
        check_shape(k, l)
        return self.action.count(k + l)

    def basis(self, k: int, l: int) -> tuple[Diagram, ...]:
        """Return the orbits: their matrices have disjoint supports."""
        check_listable(self.dimension(k, l), f"{self.name}, k = {k}, l = {l}")
        return tuple(self.diagrams(k, l))

    def matrix(self, diagram: Diagram) -> SparseMatrix:
        """Return the indicator matrix of an orbit."""
        if not isinstance(diagram, OrbitDiagram) or not self.contains(diagram):
            raise InputError(f"{diagram} is no orbit of {self.name}; make one with its orbit()")
        size = self.orbit_size(diagram)
        if size * (diagram.k + diagram.l) > _MOST_ENTRIES:
            raise InputError(f"the orbit has {size} tuples; its matrix is too large to list")
        above, n = diagram.l, self.n
        tuples = np.array(self.tuples(diagram), dtype=np.int64).reshape(size, above + diagram.k)
        rows, cols = np.zeros(size, np.int64), np.zeros(size, np.int64)
        for point in range(above + diagram.k):
            side = rows if point < above else cols
            side *= n
            side += tuples[:, point]
        return SparseMatrix((n**above, n**diagram.k), rows, cols, np.ones(size, np.int64))

    def orbit_size(self, diagram: OrbitDiagram) -> int:
        """Return the number of tuples in an orbit."""
        points = list(dict.fromkeys(diagram.representative))
        return prod(len(self.action.orbit(frozenset(points[:i]), point)) for i, point in enumerate(points))

    def tuples(self, diagram: OrbitDiagram) -> list[Images]:
        """Return the tuples of an orbit, ascending."""
        start = diagram.representative
        seen, queue = {start}, [start]
        for values in queue:
            for images in self.action.generators:
                reached = tuple([images[x] for x in values])
                if reached not in seen:
                    seen.add(reached)
                    queue.append(reached)
        return sorted(queue)

    @property
    def generators(self) -> tuple[Images, ...]:
        """Permutations of 0, ..., n-1 that generate the group."""
        return self.action.generators

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Of the graph whose automorphisms these are; there is none."""
        return ()

    def tied_family(self, k: int, l: int) -> TiedFamily:
        """Return diagrams that span the maps, cheap ones first: products of orbits, or the orbits if many."""
        dimension = self.dimension(k, l)
        check_listable(dimension, f"{self.name}, k = {k}, l = {l}")
        return clustered(self.action, k, l, dimension)

    def certificate(self, k: int, l: int) -> Certificate:
        """Return a certificate that the orbits are all there are; it lists them, up to five hundred."""
        dimension = self.dimension(k, l)
        stated = {**statement(self.name, k, l, dimension), **self.definition()}
        if dimension <= MOST_LISTED:
            stated["basis"] = [diagram.as_dict() for diagram in self.diagrams(k, l)]
        return Certificate("equivariant-basis", stated, {"method": "orbits"}, CHECKER)

    def definition(self) -> dict[str, Any]:
        """Return what a certificate must state to define the group, beside its name."""
        return {}

    def document(self, diagram: Diagram) -> dict[str, Any]:
        """Return a diagram as a JSON object."""
        return diagram.as_dict()

    def element(self, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return a random permutation matrix of the group: column x has its one in the row of the image of x."""
        matrix = np.zeros((self.n, self.n), dtype=np.int64)
        matrix[list(self.action.element(rng)), range(self.n)] = 1
        return matrix


def permutation(body: str) -> PermutationGroup:
    """Make a group from the text after ``perm:``: images such as ``213,231``, or ``2.1.3`` beyond n = 9."""
    words = [tuple(map(int, word.split(".") if "." in word else word)) for word in _words(body)]
    n = len(words[0])
    for word in words:
        if sorted(word) != list(range(1, n + 1)):
            raise InputError(f"perm:{body[:60]}: {word} does not hold each of 1..{n} once")
    return PermutationGroup(f"perm:{body}", n, [tuple(x - 1 for x in word) for word in words])


def _words(body: str) -> list[str]:
    words = body.split(",")
    if not all(fullmatch(r"[1-9]+|[1-9]\d{0,3}(\.[1-9]\d{0,3})+", word) for word in words):
        raise InputError(f"perm:{body[:60]}: write images of 1, 2, ..., as in perm:213,231 or perm:2.1.3")
    return words
