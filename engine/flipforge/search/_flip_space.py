"""The space of bilinear schemes over a finite field, walked by the flip kernels."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from flipforge.certificates import Certificate
from flipforge.errors import MalformedError, ProblemError, RingError
from flipforge.problems import Problem
from flipforge.rings import GF2, Ring
from flipforge.schemes import Scheme, standard_scheme
from flipforge.search._protocols import Effort, Outcome, Seed

__all__ = ["FlipSpace"]

Factors = npt.NDArray[np.uint64]

_WORD = 64


@dataclass(frozen=True)
class FlipSpace:
    """Schemes of a problem over GF(2) as states; a step is a flip (`flipforge.flips`).

    A state is a uint64 array of shape (3, rank, words), bit i of a factor its entry i, products in ascending order:
    equal schemes are equal arrays.

    Raises
    ------
    RingError
        No kernel walks over the ring.
    ProblemError
        A factor has more entries than the kernels hold, or the tensor vanishes over the ring.
    """

    problem: Problem
    ring: Ring = GF2

    def __post_init__(self) -> None:
        from flipforge.flips import MAX_BITS

        if self.ring != GF2:
            raise RingError(f"no search kernel walks over {self.ring}: search over GF2")
        if max(self.problem.shape) > MAX_BITS:
            raise ProblemError(
                f"{self.problem}: a factor has {max(self.problem.shape)} entries, the kernels hold up to {MAX_BITS}"
            )
        if not any(value % 2 for _, value in self.problem.entries):
            raise ProblemError(f"{self.problem}: the tensor is zero over {self.ring}; there is nothing to search")

    @property
    def walk_version(self) -> str:
        """Version of the kernel's walk."""
        from flipforge.flips import WALK_VERSION

        return WALK_VERSION

    @cached_property
    def _words(self) -> int:
        return -(-max(self.problem.shape) // _WORD)

    def start(self, seed: Seed) -> Factors:
        """Return the standard algorithm, whatever the seed."""
        del seed
        return self.state(standard_scheme(self.problem, self.ring))

    def walk(self, state: Factors, effort: Effort, seed: Seed) -> Outcome[Factors]:
        """Walk from a state until the goal, the end of the steps, or a dead end."""
        from flipforge.flips import walk

        end = walk(state, goal=effort.goal, steps=effort.steps, idle=effort.idle, band=effort.band, seed=seed.words())
        counts = {"flips": end.flips, "plus": end.plus, "reductions": end.reductions, "partnered": end.partnered}
        return Outcome(_ordered(end.factors), end.reached, end.steps, counts)

    def score(self, state: Factors) -> tuple[int, ...]:
        """Return the rank, then the number of nonzero coefficients."""
        return int(state.shape[1]), int(np.bitwise_count(state).sum())

    def key(self, state: Factors) -> bytes:
        """Return the state's bytes: it is canonical."""
        return state.tobytes()

    def certify(self, state: Factors) -> Certificate:
        """Prove the state by the exact Brent check of its scheme."""
        return self.scheme(state).certify()

    def encode(self, state: Factors) -> bytes:
        """Write the words in little-endian order."""
        return state.astype("<u8").tobytes()

    def decode(self, data: bytes) -> Factors:
        """Read what `encode` wrote."""
        if len(data) % (3 * self._words * _WORD // 8):
            raise MalformedError(f"a state of {len(data)} bytes is not a scheme of {self.problem}")
        words = np.frombuffer(data, dtype="<u8")
        return words.astype(np.uint64).reshape(3, -1, self._words)

    def scheme(self, state: Factors) -> Scheme:
        """Return the canonical scheme of a state."""
        bits = np.unpackbits(np.ascontiguousarray(state, dtype="<u8").view(np.uint8), axis=-1, bitorder="little")
        u, v, w = (tuple(map(tuple, bits[axis, :, :size].tolist())) for axis, size in enumerate(self.problem.shape))
        return Scheme(self.problem, self.ring, u, v, w).canonical

    def state(self, scheme: Scheme) -> Factors:
        """Pack a scheme over this ring, or one of characteristic 0 reduced into it; vanishing products are dropped."""
        reduced = scheme.over(self.ring)
        packed = np.zeros((3, reduced.rank, self._words * _WORD), dtype=np.uint8)
        for axis, (rows, size) in enumerate(zip((reduced.u, reduced.v, reduced.w), self.problem.shape, strict=True)):
            packed[axis, :, :size] = np.array(rows, dtype=np.uint8).reshape(reduced.rank, size)
        words = np.packbits(packed, axis=-1, bitorder="little").view("<u8").astype(np.uint64)
        return _ordered(words[:, words.any(axis=2).all(axis=0)])


def _ordered(factors: Factors) -> Factors:
    """Sort the products by u, then v, then w, most significant word first."""
    words = factors.shape[2]
    keys = [factors[axis, :, word] for axis in (2, 1, 0) for word in range(words)]
    return np.ascontiguousarray(factors[:, np.lexsort(keys)])
