"""The space of bilinear schemes that a group leaves as they are, walked by flips of orbits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product as choices
from typing import Any

import numpy as np

from flipforge.certificates import Certificate
from flipforge.errors import InputError, ProblemError, VerificationError
from flipforge.flips import Action, Element
from flipforge.problems import Problem
from flipforge.rings import GF2, Ring
from flipforge.schemes import Scheme, Symmetry, is_invariant, standard_scheme
from flipforge.search._flip_space import Factors, FlipSpace, ordered
from flipforge.search._protocols import Effort, Outcome, Seed

__all__ = ["MAX_ORDER", "SymmetricSpace"]

MAX_ORDER = 128
"""Most elements of a group."""
_STARTS = 24
_COUNTED = ("flips", "plus", "thawed", "rejected", "reductions", "restarts")

Row = tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]
Rows = list[Row]


@dataclass(frozen=True)
class SymmetricSpace:
    """Schemes of a problem, over a ring of `FlipSpace`, whose products a group permutes; a step is a flip of orbits.

    A state is that of `FlipSpace`: the ordinary scheme, packed. The level of the pool is its rank.

    Attributes
    ----------
    cubes
        Diagonal entries whose sums are the fixed cubes that a search begins with, as zeros and ones, ``110`` for a (x)
        a (x) a with a = e11 + e22 of three; single entries need not be named. Drawn by the seed unless given.

    Raises
    ------
    RingError
        No kernel walks over the ring.
    ProblemError
        The format exceeds the representation.
    InputError
        The group does not fix the tensor, has more than `MAX_ORDER` elements, or over ZT one that does more than
        permute coordinates and change signs; there are no such cubes.
    """

    problem: Problem
    symmetry: Symmetry
    ring: Ring = GF2
    cubes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        from flipforge.flips import MAX_SYMMETRIC_ENTRIES

        if not self.holds(self.problem):
            raise ProblemError(
                f"{self.problem}: a factor has {max(self.problem.shape)} entries, the symmetric kernel holds "
                f"{MAX_SYMMETRIC_ENTRIES}"
            )
        _ = self._flips
        self.symmetry.check(self.problem, self.ring)
        _ = self._action
        if self.cubes:
            _ = self._chosen

    @staticmethod
    def holds(problem: Problem) -> bool:
        """Tell whether the kernel holds the factors of a problem."""
        from flipforge.flips import MAX_SYMMETRIC_ENTRIES

        return max(problem.shape) <= MAX_SYMMETRIC_ENTRIES

    @property
    def walk_version(self) -> str:
        """Version of the kernel's walk."""
        from flipforge.flips import symmetric_walk_version

        return symmetric_walk_version(self.ring.name)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The group, and the cubes that were chosen."""
        return {"symmetry": self.symmetry.as_dict()} | ({"cubes": list(self.cubes)} if self.cubes else {})

    @property
    def order(self) -> int:
        """Number of elements of the group."""
        return self._action.order

    @cached_property
    def _flips(self) -> FlipSpace:
        return FlipSpace(self.problem, self.ring)

    @cached_property
    def _action(self) -> Action:
        return Action(_closure(self.symmetry, self.problem, self.ring), self.ring.name)

    def start(self, seed: Seed) -> Factors:
        """Return the standard algorithm, for square matrix products with fixed products that are chosen or drawn.

        The seed splits the diagonal indices into sets of one and two, the number of pairs drawn first; where the group
        leaves the cubes a (x) a (x) a of the sets' idempotents as they are together, they take the place of those of
        the diagonal, and the rest of the tensor is a sum of orbits of full length or as they stand in the standard
        algorithm (Moosbauer and Poole 2025).

        Raises
        ------
        InputError
            The group does not permute the products of the standard algorithm.
        """
        state = self._standard
        if self.cubes:
            return self._with(self._chosen)
        if not self._zeros:
            return state
        generator = np.random.Generator(np.random.PCG64(seed.sequence()))
        drawn = self._zeros[int(generator.integers(len(self._zeros)))]
        return self._with(drawn[int(generator.integers(len(drawn)))])

    @cached_property
    def _standard(self) -> Factors:
        state = self._flips.state(standard_scheme(self.problem, self.ring))
        if not is_invariant(self._flips.scheme(state), self.symmetry):
            raise InputError(
                f"{self.symmetry.name} does not permute the products of the standard algorithm of {self.problem}: "
                "give an invariant scheme with --from"
            )
        return state

    @cached_property
    def _chosen(self) -> Rows:
        """A sum of products that is zero and puts the chosen cubes in."""
        given = " ".join(self.cubes)
        if self.problem.kind != "matmul" or len(set(self.problem.dims)) > 1:
            raise InputError(f"cubes {given}: {self.problem} has no diagonal; they are for products of square matrices")
        n = self.problem.dims[0]
        sets = [tuple(i for i, digit in enumerate(cube) if digit == "1") for cube in self.cubes]
        indices = [i for each in sets for i in each]
        if len(set(indices)) < len(indices) or any(len(cube) != n or set(cube) - {*"01"} for cube in self.cubes):
            raise InputError(f"cubes {given}: give {n} zeros and ones for each, and no place a one in two of them")
        chosen = self._cubes(sets)
        if chosen is None:
            raise InputError(f"cubes {given}: {self.symmetry.name} does not leave them as they are together")
        return chosen

    @cached_property
    def _zeros(self) -> list[list[Rows]]:
        """Sums of products that are zero and put other cubes in, by the number of pairs that become one cube."""
        if self.problem.kind != "matmul" or len(set(self.problem.dims)) > 1:
            return []
        kinds: dict[int, list[Rows]] = {}
        for pairs in _pairings(tuple(range(self.problem.dims[0]))):
            cubes = self._cubes(pairs)
            if cubes is not None:
                kinds.setdefault(len(pairs), []).append(cubes)
        return [kinds[number] for number in sorted(kinds)]

    def starts(self, root: int) -> list[Factors]:
        """Return the distinct states of highest rank among some starts drawn by the seeds of a root.

        Those with the most pairs on the diagonal have it, and lead lowest.
        """
        drawn = [self.start(Seed(root, (number,))) for number in range(_STARTS)]
        most = max(self.score(state)[0] for state in drawn)
        return list({self.key(state): state for state in drawn if self.score(state)[0] == most}.values())

    def every_start(self) -> list[Factors]:
        """Return all states that `start` may give, whatever the seed."""
        if self.cubes or not self._zeros:
            return [self.start(Seed(0))]
        return [self._with(zero) for zeros in self._zeros for zero in zeros]

    def walk(self, state: Factors, effort: Effort, seed: Seed) -> Outcome[Factors]:
        """Walk from a state until the goal, the end of the steps, or a dead end; the band counts full orbits."""
        from flipforge.flips import symmetric_walk

        end = symmetric_walk(state, self._action, seed=seed.words(), **vars(effort))
        counts = {name: getattr(end, name) for name in _COUNTED}
        return Outcome(ordered(end.factors), end.reached, end.steps, counts, end.partnered)

    def warm(self, states: Sequence[Factors], band: int) -> None:
        """Compile the kernels of walks from these states, or load them from the cache."""
        for state in states:
            self.walk(state, Effort(0, 0, 0, 1, band), Seed(0))

    def score(self, state: Factors) -> tuple[int, ...]:
        """Return the rank, then the number of nonzero coefficients."""
        return self._flips.score(state)

    def key(self, state: Factors) -> bytes:
        """Return the state's bytes: it is canonical."""
        return self._flips.key(state)

    def certify(self, state: Factors) -> Certificate:
        """Prove the state by the exact Brent check of its scheme, and that the group permutes its products."""
        return self.scheme(state).certify()

    def invariant(self, state: Factors) -> bytes:
        """Return what sandwiching does not change (`flipforge.flips.orbit_invariant`)."""
        return self._flips.invariant(state)

    def breadth(self, state: Factors) -> int:
        """Return the sum of the ranks of all factors (`flipforge.flips.breadth`)."""
        return self._flips.breadth(state)

    def encode(self, state: Factors) -> bytes:
        """Write the words in little-endian order."""
        return self._flips.encode(state)

    def decode(self, data: bytes) -> Factors:
        """Read what `encode` wrote."""
        return self._flips.decode(data)

    def scheme(self, state: Factors) -> Scheme:
        """Return the canonical scheme of a state, its group in the provenance.

        Raises
        ------
        VerificationError
            The group does not permute its products.
        """
        scheme = self._flips.scheme(state)
        if not is_invariant(scheme, self.symmetry):
            raise VerificationError(f"scheme {scheme.id}: {self.symmetry.name} does not permute its products")
        return replace(scheme, provenance={"symmetry": self.symmetry.as_dict()}).canonical

    def state(self, scheme: Scheme) -> Factors:
        """Pack a scheme; `InputError` where the group does not permute its products."""
        state = self._flips.state(scheme)
        if not is_invariant(self._flips.scheme(state), self.symmetry):
            raise InputError(f"scheme {scheme.id}: {self.symmetry.name} does not permute its products over {self.ring}")
        return state

    def _cubes(self, sets: Sequence[tuple[int, ...]]) -> Rows | None:
        """Return a sum of products that is zero: the cubes of sets, less those of their single indices and the rest.

        None where the group does not leave them as they are.
        """
        n = self.problem.dims[0]
        rows: Rows = []
        for indices in sets:
            if len(indices) < 2:
                continue
            places = [i * n + i for i in indices]
            whole = _unit(n * n, *places)
            rows.append((whole, whole, whole))
            for first, second, third in choices(places, repeat=3):
                rows.append((_unit(n * n, first), _unit(n * n, second), _unit(n * n, third, value=-1)))
        return rows if is_invariant(self._scheme_of(rows), self.symmetry) else None

    def _with(self, rows: Rows) -> Factors:
        """Return the standard algorithm and more products; those with opposite signs cancel."""
        standard = self._flips.scheme(self._standard)
        total = set[Row](zip(standard.u, standard.v, standard.w, strict=True))
        for u, v, w in rows:
            opposite = (u, v, tuple(-x for x in w))
            total ^= {opposite if opposite in total else (u, v, w)}
        return self._flips.state(self._scheme_of(sorted(total)))

    def _scheme_of(self, rows: Rows) -> Scheme:
        reduce = self.ring.reduce
        u, v, w = (tuple(tuple(map(reduce, row[axis])) for row in rows) for axis in range(3))
        return Scheme(self.problem, self.ring, u, v, w)


def _unit(size: int, *places: int, value: int = 1) -> tuple[int, ...]:
    return tuple(value if place in places else 0 for place in range(size))


def _closure(group: Symmetry, problem: Problem, ring: Ring) -> list[Element]:
    """Return all elements of the group over the ring, the identity first."""
    identity = [np.eye(size, dtype=np.int64) for size in problem.shape]
    prime = ring.characteristic
    generators = []
    for given in group.generators:
        maps = (np.array(matrix, dtype=np.int64) for matrix in given.maps)
        generators.append(Element(given.axes, tuple(m % prime if prime else m for m in maps)))  # type: ignore[arg-type]
    elements = [Element((0, 1, 2), tuple(identity))]  # type: ignore[arg-type]
    known = {elements[0].key}
    for element in elements:
        for generator in generators:
            made = generator.after(element, prime)
            if made.key not in known:
                known.add(made.key)
                elements.append(made)
        if len(elements) > MAX_ORDER:
            raise InputError(f"{group.name}: more than {MAX_ORDER} elements; use a smaller group")
    return elements


def _pairings(indices: tuple[int, ...]) -> Iterator[tuple[tuple[int, int], ...]]:
    """All sets of disjoint pairs."""
    if len(indices) < 2:
        yield ()
        return
    first, rest = indices[0], indices[1:]
    yield from _pairings(rest)
    for number, second in enumerate(rest):
        for pairs in _pairings(rest[:number] + rest[number + 1 :]):
            yield ((first, second), *pairs)
