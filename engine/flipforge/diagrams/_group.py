"""Groups as plugins: the protocol, and the registry by name.

A group acts on V = R^n; what it gives is the space of maps between tensor powers of V that commute with it, spanned by
matrices of diagrams.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from flipforge.certificates import Certificate
from flipforge.diagrams._calculus import Calculus
from flipforge.diagrams._diagram import Diagram
from flipforge.diagrams._matrices import SparseMatrix
from flipforge.diagrams._tied import Wiring
from flipforge.errors import InputError

__all__ = [
    "MOST_DIAGRAMS",
    "Group",
    "TiedFamily",
    "TiedGroup",
    "check_listable",
    "check_shape",
    "group",
    "group_names",
    "register_group",
]

MOST_DIAGRAMS = 2_000_000
"""The longest list of diagrams that is made; longer ones are counted and enumerated lazily."""

MOST_POINTS = 64
"""The most tensor factors, those of input and output together."""


class Group(Protocol):
    """A group that acts on R^n, and its diagrams.

    Plugins of kind ``groups`` are functions that make one from the text after its name and a colon.

    Attributes
    ----------
    name
        As in the contract, e.g. ``"Sp:4"``.
    n
        The dimension of V.
    calculus
        Composition, tensor product and flip of its diagrams, with scalars and signs.
    """

    name: str
    n: int
    calculus: Calculus

    def contains(self, diagram: Diagram) -> bool:
        """Tell whether a diagram is one of this group's."""

    def diagrams(self, k: int, l: int) -> Iterator[Diagram]:
        """Yield the diagrams whose matrices span the maps from k to l copies of V, in canonical order."""

    def count(self, k: int, l: int) -> int:
        """Return the number of `diagrams`, without enumerating them."""

    def dimension(self, k: int, l: int) -> int:
        """Return the dimension of the space of maps that commute with the group, by a formula."""

    def basis(self, k: int, l: int) -> Sequence[Diagram]:
        """Return diagrams whose matrices are a basis of that space.

        Raises
        ------
        InputError
            There are more than `MOST_DIAGRAMS`; the message says how many.
        """

    def certificate(self, k: int, l: int) -> Certificate:
        """Return a certificate of kind ``equivariant-basis`` that the basis is one."""

    def matrix(self, diagram: Diagram) -> SparseMatrix:
        """Return the matrix of a diagram, n^l x n^k."""

    def document(self, diagram: Diagram) -> dict[str, Any]:
        """Return a diagram as a JSON object of the contract."""

    def element(self, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return a random element of the group as an exact n x n matrix: integers, or fractions in an object array."""


@dataclass(frozen=True)
class TiedFamily:
    """Diagrams that span the maps of a group of permutations.

    Attributes
    ----------
    diagrams
        Partitions with ties, cheap ones first.
    basis
        The places of the first independent ones.
    values
        Their entries at one index of each orbit, orbits x diagrams.
    """

    diagrams: tuple[Wiring, ...]
    basis: npt.NDArray[np.int64]
    values: npt.NDArray[np.int64]


@runtime_checkable
class TiedGroup(Protocol):
    """A group of permutations, whose layers are applied by partitions with ties.

    Attributes
    ----------
    n
        Number of points.
    """

    n: int

    @property
    def order(self) -> int:
        """Number of elements."""

    @property
    def generators(self) -> tuple[tuple[int, ...], ...]:
        """Each the images of 0, ..., n-1."""

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Of the graph whose automorphisms these are, each both ways; none where there is no graph."""

    def tied_family(self, k: int, l: int) -> TiedFamily:
        """Return diagrams that span the maps from k to l copies of V.

        Raises
        ------
        InputError
            There are too many.
        """


GroupFactory = Callable[[str], Group]

_FACTORIES: dict[str, GroupFactory] = {}


def register_group(name: str, factory: GroupFactory) -> None:
    """Make a group known under a name; a name that is taken is refused."""
    if name in _FACTORIES:
        raise InputError(f"group {name!r} is already registered")
    _FACTORIES[name] = factory


def group(text: str) -> Group:
    """Make the group of a name of the contract, e.g. ``S:5`` or ``Aut:petersen``.

    Raises
    ------
    InputError
        There is no such group.
    """
    name, colon, body = text.partition(":")
    if name not in _FACTORIES:
        known = ", ".join(group_names()) or "none installed"
        raise InputError(f"unknown group {text[:60]!r}: known are {known}, as in S:5")
    if not colon or not body:
        raise InputError(f"group {text!r}: write {name}:SIZE, as in {name}:4")
    return _FACTORIES[name](body)


def group_names() -> tuple[str, ...]:
    """Return the names of the groups that are known, sorted."""
    return tuple(sorted(_FACTORIES))


def check_shape(k: int, l: int) -> None:
    """Raise `InputError` for a negative number of points, or for more than counts are made of."""
    if k < 0 or l < 0:
        raise InputError(f"k = {k}, l = {l}: numbers of tensor factors are not negative")
    if k + l > MOST_POINTS:
        raise InputError(f"k + l = {k + l}: at most {MOST_POINTS} tensor factors are counted")


def check_listable(count: int, what: str) -> None:
    """Raise `InputError` where a list of diagrams would be longer than `MOST_DIAGRAMS`."""
    if count > MOST_DIAGRAMS:
        raise InputError(
            f"{what}: {count} diagrams do not fit in a list (at most {MOST_DIAGRAMS}); "
            "ask for the dimension alone, or for a smaller k + l"
        )
