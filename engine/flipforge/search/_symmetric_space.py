"""The space of bilinear schemes over GF(2) that a group leaves as they are, walked by flips of orbits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product as choices
from typing import Any

import numpy as np

from flipforge.certificates import Certificate
from flipforge.errors import InputError, ProblemError, RingError, VerificationError
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
_COUNTED = ("flips", "plus", "thawed", "reductions", "restarts")


@dataclass(frozen=True)
class SymmetricSpace:
    """Schemes of a problem over GF(2) that a group permutes the products of; a step is a flip of orbits.

    A state is that of `FlipSpace`: the ordinary scheme, packed. The level of the pool is its rank.

    Attributes
    ----------
    cubes
        Diagonal entries whose sums are the fixed cubes that a search begins with, as zeros and ones, ``110`` for a (x)
        a (x) a with a = e11 + e22 of three; single entries need not be named. Drawn by the seed unless given.

    Raises
    ------
    RingError
        The ring is not GF(2).
    ProblemError
        The format exceeds the representation.
    InputError
        The group does not fix the tensor, or has more than `MAX_ORDER` elements; there are no such cubes.
    """

    problem: Problem
    symmetry: Symmetry
    ring: Ring = GF2
    cubes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        from flipforge.flips import MAX_SYMMETRIC_ENTRIES

        if self.ring != GF2:
            raise RingError(f"no symmetric search over {self.ring}: search over GF2")
        largest = max(self.problem.shape)
        if largest > MAX_SYMMETRIC_ENTRIES:
            raise ProblemError(
                f"{self.problem}: a factor has {largest} entries, the symmetric kernel holds {MAX_SYMMETRIC_ENTRIES}"
            )
        _ = self._flips
        self.symmetry.check(self.problem, self.ring)
        _ = self._action
        if self.cubes:
            _ = self._chosen

    @property
    def walk_version(self) -> str:
        """Version of the kernel's walk."""
        from flipforge.flips import SYMMETRIC_WALK_VERSION

        return SYMMETRIC_WALK_VERSION

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
        return Action(_closure(self.symmetry, self.problem))

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
            return _sum(state, self._chosen)
        if not self._zeros:
            return state
        generator = np.random.Generator(np.random.PCG64(seed.sequence()))
        drawn = self._zeros[int(generator.integers(len(self._zeros)))]
        return _sum(state, drawn[int(generator.integers(len(drawn)))])

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
    def _chosen(self) -> Factors:
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
    def _zeros(self) -> list[list[Factors]]:
        """Sums of products that are zero and put other cubes in, by the number of pairs that become one cube."""
        if self.problem.kind != "matmul" or len(set(self.problem.dims)) > 1:
            return []
        kinds: dict[int, list[Factors]] = {}
        for pairs in _pairings(tuple(range(self.problem.dims[0]))):
            cubes = self._cubes(pairs)
            if cubes is not None:
                kinds.setdefault(len(pairs), []).append(cubes)
        return [kinds[number] for number in sorted(kinds)]

    def starts(self, root: int) -> list[Factors]:
        """Return the distinct states among some starts drawn by the seeds of a root: not every one leads far."""
        drawn = [self.start(Seed(root, (number,))) for number in range(_STARTS)]
        return list({self.key(state): state for state in drawn}.values())

    def every_start(self) -> list[Factors]:
        """Return all states that `start` may give, whatever the seed."""
        if self.cubes or not self._zeros:
            return [self.start(Seed(0))]
        return [_sum(self._standard, zero) for zeros in self._zeros for zero in zeros]

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

    def _cubes(self, sets: Sequence[tuple[int, ...]]) -> Factors | None:
        """Return a sum of products that is zero: the cubes of sets, those of their single indices, and the rest.

        None where the group does not leave them as they are.
        """
        n = self.problem.dims[0]
        rows: list[tuple[int, ...]] = []
        for indices in sets:
            if len(indices) < 2:
                continue
            bits = [1 << (i * n + i) for i in indices]
            rows.append((sum(bits), sum(bits), sum(bits)))
            rows.extend(choices(bits, repeat=3))
        factors = np.array(rows, dtype=np.uint64).reshape(-1, 3).T[:, :, None]
        scheme = self._flips.scheme(ordered(factors))
        return factors if is_invariant(scheme, self.symmetry) else None


def _closure(group: Symmetry, problem: Problem) -> list[Element]:
    """Return all elements of the group modulo 2, the identity first."""
    identity = [np.eye(size, dtype=np.uint8) for size in problem.shape]
    generators = [
        Element(g.axes, tuple(np.array(matrix, dtype=np.int64) % 2 for matrix in g.maps))  # type: ignore[arg-type]
        for g in group.generators
    ]
    elements = [Element((0, 1, 2), tuple(identity))]  # type: ignore[arg-type]
    known = {elements[0].key}
    for element in elements:
        for generator in generators:
            made = generator.after(element)
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


def _sum(state: Factors, more: Factors) -> Factors:
    """Return the products of both in order; what stands in both cancels."""
    odd: set[tuple[int, ...]] = set()
    for product in [*state[:, :, 0].T.tolist(), *more[:, :, 0].T.tolist()]:
        odd ^= {tuple(product)}
    return np.ascontiguousarray(np.array(sorted(odd), dtype=np.uint64).T)[:, :, None]
