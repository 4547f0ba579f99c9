"""The space of commutative schemes."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from flipforge.search._flip_space import Factors, Matrix, with_partner
from flipforge.search._gauge_space import GaugeSpace

__all__ = ["CommutativeSpace"]

Rows = npt.NDArray[np.bool_]


class CommutativeSpace(GaugeSpace):
    """Commutative schemes as states: tensors in V (x) V (x) W, with V all entries of A and B, up to f (x) g = g (x) f.

    What is kept is the class of the tensor modulo the span of the x (x) y - y (x) x in the first two places. Flips keep
    the tensor itself and so the class; the gauge is the order of the two factors of each product, which flips do not
    change and which decides what products share. (Squares f (x) f are not zero, in characteristic 2 either.)
    """

    gauge = "commutative/1"
    burst = 1000

    def invariant(self, state: Factors) -> bytes:
        """Return the invariant of the products taken in both orders (`flipforge.flips.orbit_invariant`)."""
        from flipforge.flips import orbit_invariant

        u, v, w = self._matrices(state)
        both = np.concatenate([u, v]), np.concatenate([v, u]), np.concatenate([w, w])
        return orbit_invariant(*both, None, self.ring.characteristic)

    @cached_property
    def _entries(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Each entry in both orders, so that the breadth does not depend on the gauge."""
        indices, values = super()._entries
        return np.concatenate([indices, indices[:, [1, 0, 2]]]), np.concatenate([values, values])

    def _regauged(self, state: Factors, generator: np.random.Generator) -> Factors:
        return _swapped(state, generator.integers(0, 2, size=(state.shape[1],), dtype=np.bool_))

    def _mobility(self, state: Factors) -> int:
        u, v, w = self._matrices(state)
        factors: Matrix = np.concatenate([u, v])
        return with_partner([factors, w], self.ring.characteristic)

    def _settled(self, factors: Factors) -> Factors:
        """Put the lesser factor of each product first, then order the products."""
        pairs = zip(factors[0].tolist(), factors[1].tolist(), strict=True)
        swap = np.array([u[::-1] > v[::-1] for u, v in pairs], dtype=np.bool_)
        return super()._settled(_swapped(factors, swap))


def _swapped(factors: Factors, rows: Rows) -> Factors:
    swapped = factors.copy()
    swapped[0, rows], swapped[1, rows] = factors[1, rows], factors[0, rows]
    return swapped
