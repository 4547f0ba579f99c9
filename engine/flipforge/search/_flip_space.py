"""The space of schemes over a finite field or the ternary integers, walked by the flip kernel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.certificates import Certificate
from flipforge.errors import MalformedError, ProblemError, RingError
from flipforge.problems import Problem
from flipforge.rings import GF2, Ring
from flipforge.schemes import Rows, Scheme, call_kinds, standard_rank, standard_scheme
from flipforge.search._growth import Corner, corner_sequence, within
from flipforge.search._protocols import Effort, Outcome, Seed

__all__ = ["Factors", "FlipSpace", "Matrix", "ordered", "with_partner"]

Factors = npt.NDArray[np.uint64]
Matrix = npt.NDArray[np.int8]

_WORD_BYTES = 8
_COUNTED = ("flips", "plus", "splits", "rejected", "reductions", "restarts")


@dataclass(frozen=True)
class FlipSpace:
    """Schemes of a problem over GF(2), GF(3), GF(5), GF(7) or ZT as states; a step is a flip (`flipforge.flips`).

    A state is a uint64 array of shape (3, rank, words), packed as `flipforge.flips.pack` does: u and v normalised, the
    unit in w, products in ascending order. Equal schemes are equal arrays.

    Raises
    ------
    RingError
        No kernel walks over the ring.
    ProblemError
        A factor has more entries or the standard algorithm more products than the kernel holds, or the tensor vanishes
        over the ring.
    """

    problem: Problem
    ring: Ring = GF2

    def __post_init__(self) -> None:
        from flipforge.flips import MAX_ROWS, RINGS, max_entries

        if self.ring.name not in RINGS:
            raise RingError(f"no search kernel walks over {self.ring}: search over {', '.join(RINGS)}")
        largest, most = max(self.problem.widths), max_entries(self.ring.name)
        if largest > most:
            raise ProblemError(
                f"{self.problem}: a factor has {largest} entries, the kernel holds up to {most} over {self.ring}"
            )
        products = standard_rank(self.problem, self.ring)
        if not products:
            raise ProblemError(f"{self.problem}: the tensor is zero over {self.ring}; there is nothing to search")
        if products > MAX_ROWS:
            raise ProblemError(
                f"{self.problem}: the standard algorithm has {products} products, the kernel holds up to {MAX_ROWS}"
            )

    @property
    def walk_version(self) -> str:
        """Version of the kernel's walk."""
        from flipforge.flips import walk_version

        return walk_version(self.ring.name)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """None: problem and ring are all there is."""
        return {}

    @cached_property
    def _words(self) -> int:
        from flipforge.flips import packed_words

        return packed_words(self.ring.name, max(self.problem.widths))

    def start(self, seed: Seed) -> Factors:
        """Return the standard algorithm, whatever the seed."""
        del seed
        return self.state(standard_scheme(self.problem, self.ring))

    def walk(self, state: Factors, effort: Effort, seed: Seed) -> Outcome[Factors]:
        """Walk from a state until the goal, the end of the steps, or a dead end."""
        return self._walked(state, effort, seed, None)

    def _walked(self, state: Factors, effort: Effort, seed: Seed, kept: Factors | None) -> Outcome[Factors]:
        from flipforge.flips import walk

        end = walk(state, ring=self.ring.name, seed=seed.words(), kept=kept, **vars(effort))
        counts = {name: getattr(end, name) for name in _COUNTED}
        return Outcome(self._settled(end.factors), end.reached, end.steps, counts, end.partnered)

    def corners(self, generator: np.random.Generator, after: Corner | None = None) -> tuple[Corner, ...]:
        """Return a growth of the standard algorithm of a bilinear matrix product; none for another problem."""
        return () if self.problem.proof != "brent" else corner_sequence(self.problem, generator, after or (1, 1, 1))

    def walk_corner(self, state: Factors, corner: Corner, effort: Effort, seed: Seed) -> Outcome[Factors]:
        """Walk the products whose left and right factors lie inside a corner; the outcome is again the whole."""
        u, v, _ = self._matrices(state)
        left, right, _ = within(self.problem, corner)
        moving = np.logical_not(u[:, ~left].any(axis=1) | v[:, ~right].any(axis=1))
        return self._walked_in(state, np.asarray(moving), effort, seed)

    def walk_beside(self, state: Factors, corner: Corner, effort: Effort, seed: Seed) -> Outcome[Factors]:
        """Hold what the products show of a corner, a scheme of the smaller format, and walk on."""
        from flipforge.flips import pack

        masks = [mask[None, :].astype(np.int8) for mask in within(self.problem, corner)]
        units = range(1, self.ring.characteristic) if self.ring.characteristic else (1, -1)
        packed = [pack([unit * mask for mask in masks], self.ring.name) for unit in units]
        return self._walked(state, effort, seed, np.bitwise_or.reduce(packed))

    def walk_calls(self, state: Factors, effort: Effort, seed: Seed) -> Outcome[Factors]:
        """Hold the recursive calls of a structured product and walk the others."""
        kinds = call_kinds(self.problem, *self.rows(state)) or []
        moving = np.array([kind != "a" for kind in kinds], dtype=np.bool_)
        if not moving.any() or moving.all():
            return self.walk(state, effort, seed)
        return self._walked_in(state, moving, effort, seed)

    def _walked_in(self, state: Factors, moving: npt.NDArray[np.bool_], effort: Effort, seed: Seed) -> Outcome[Factors]:
        """Walk some of the products, beside the others; the goal of the effort counts all."""
        held = state[:, ~moving]
        inner = replace(effort, goal=effort.goal - held.shape[1])
        outcome = self.walk(np.ascontiguousarray(state[:, moving]), inner, seed)
        whole = self._settled(np.concatenate([outcome.state, held], axis=1))
        return replace(outcome, state=whole, mobility=with_partner(self._matrices(whole), self.ring.characteristic))

    def score(self, state: Factors) -> tuple[int, ...]:
        """Return the rank, then the number of nonzero coefficients."""
        return int(state.shape[1]), sum(int(np.count_nonzero(axis)) for axis in self._matrices(state))

    def key(self, state: Factors) -> bytes:
        """Return the state's bytes: it is canonical."""
        return state.tobytes()

    def certify(self, state: Factors) -> Certificate:
        """Prove the state by the exact Brent check of its scheme."""
        return self.scheme(state).certify()

    def invariant(self, state: Factors) -> bytes:
        """Return what sandwiching does not change (`flipforge.flips.orbit_invariant`)."""
        from flipforge.flips import orbit_invariant

        return orbit_invariant(*self._matrices(state), self._formats, self.ring.characteristic)

    def breadth(self, state: Factors) -> int:
        """Return the sum of the ranks of all factors (`flipforge.flips.breadth`)."""
        from flipforge.flips import breadth

        return breadth(*self._matrices(state), *self._entries, self.ring.characteristic)

    def reduce(self, state: Factors) -> Factors:
        """Make the reductions in general form (`flipforge.flips.reduce_products`)."""
        from flipforge.flips import pack, reduce_products

        reduced = pack(reduce_products(*self._matrices(state), self.ring.characteristic), self.ring.name)
        # Its factors have any unit before them; a replay starts from the canonical form, and so must whoever walks on.
        return self.state(self.scheme(reduced))

    def sandwich(self, state: Factors, seed: Seed) -> Factors:
        """Move a ternary scheme of a matrix product along its orbit.

        Over GF(p) nothing is gained by that and the state comes back: flips go along with a change of basis. Over the
        ternary integers it changes which sums exist.
        """
        from flipforge.flips import elementary_automorphisms, pack, random_sandwich

        if self.ring.characteristic or self.problem.kind != "matmul":
            return state
        moves = elementary_automorphisms(self.problem, 0)
        generator = np.random.Generator(np.random.PCG64(seed.sequence()))
        return self._settled(pack(random_sandwich(*self._matrices(state), 0, moves, generator), self.ring.name))

    def encode(self, state: Factors) -> bytes:
        """Write the words in little-endian order."""
        return state.astype("<u8").tobytes()

    def decode(self, data: bytes) -> Factors:
        """Read what `encode` wrote."""
        if len(data) % (3 * self._words * _WORD_BYTES):
            raise MalformedError(f"a state of {len(data)} bytes is not a scheme of {self.problem}")
        words = np.frombuffer(data, dtype="<u8")
        return words.astype(np.uint64).reshape(3, -1, self._words)

    def scheme(self, state: Factors) -> Scheme:
        """Return the canonical scheme of a state."""
        return Scheme(self.problem, self.ring, *self.rows(state)).canonical

    def rows(self, state: Factors) -> tuple[Rows, Rows, Rows]:
        """Return the factors of a state, product by product: u and v normalised, in the order of the state."""
        u, v, w = (tuple(map(tuple, matrix.tolist())) for matrix in self._matrices(state))
        return u, v, w

    def state(self, scheme: Scheme) -> Factors:
        """Pack a scheme over this ring, or one of characteristic 0 reduced into it; vanishing products are dropped."""
        from flipforge.flips import pack

        form = scheme.over(self.ring).canonical
        kept = [row for row in zip(form.u, form.v, form.w, strict=True) if any(row[0])]
        matrices = [
            np.array([row[axis] for row in kept], dtype=np.int64).reshape(len(kept), size)
            for axis, size in enumerate(self.problem.widths)
        ]
        return self._settled(pack(matrices, self.ring.name))

    @cached_property
    def _entries(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        indices, values = zip(*self.problem.entries, strict=True)
        return np.array(indices, dtype=np.int64), np.array(values, dtype=np.int64)

    @property
    def _formats(self) -> tuple[tuple[int, int], ...] | None:
        """Rows and columns of the matrices that the factors stand for; None where they are none."""
        product = self.problem.bilinear
        if product.kind != "matmul" or self.problem.commutes:
            return None
        n, m, p = product.dims
        return (n, m), (m, p), (n, p)

    def _settled(self, factors: Factors) -> Factors:
        """Return the one form of a state, u and v normalised already: products in ascending order."""
        return ordered(factors)

    def _matrices(self, state: Factors) -> tuple[Matrix, Matrix, Matrix]:
        from flipforge.flips import unpack

        return unpack(state, self.problem.widths, self.ring.name)


def ordered(factors: Factors) -> Factors:
    """Sort the products by u, then v, then w, most significant word first."""
    words = factors.shape[2]
    keys = [factors[axis, :, word] for axis in (2, 1, 0) for word in range(words)]
    return np.ascontiguousarray(factors[:, np.lexsort(keys)])


def with_partner(matrices: Sequence[npt.NDArray[np.signedinteger]], p: int) -> int:
    """Return how many rows have another one in their matrix that is equal to it up to a unit of GF(p), or of ZT."""
    total = 0
    for matrix in matrices:
        if not len(matrix):
            continue
        lead = np.take_along_axis(matrix, np.argmax(matrix != 0, axis=1)[:, None], axis=1).astype(np.int64)
        # x^(p - 2) is the inverse of x; over ZT a unit is its own.
        scaled = matrix * (lead ** (p - 2) % p if p > 2 else lead)
        _, counts = np.unique(scaled % p if p else scaled, axis=0, return_counts=True)
        total += int(counts[counts > 1].sum())
    return total
