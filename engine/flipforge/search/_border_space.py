"""The space of approximate schemes."""

import numpy as np
import numpy.typing as npt

from flipforge.search._flip_space import Factors, FlipSpace, with_partner
from flipforge.search._protocols import Effort, Outcome, Seed

__all__ = ["BorderSpace"]

Series = npt.NDArray[np.int64]
Approximate = tuple[Series, Series, Series]

_VERSION = 1


class BorderSpace(FlipSpace):
    """Approximate schemes as states: polynomials in eps modulo eps^(h+1) as entries, coefficients side by side.

    A state is in the gauge that `flipforge.flips.compact` gives. The walk is `flipforge.flips.border_walk`; one of its
    steps is a draw, which leads to a move or not.
    """

    @property
    def walk_version(self) -> str:
        """Version of the walk."""
        return f"border-{self.ring.name.lower()}/{_VERSION}"

    def walk(self, state: Factors, effort: Effort, seed: Seed) -> Outcome[Factors]:
        """Walk from a state until the goal or the end of the steps."""
        from flipforge.flips import border_walk, primitive

        p = self.ring.characteristic
        end = border_walk(self._series(state), p, seed=seed.words(), **vars(effort))
        names = ("flips", "plus", "splits", "gauges", "rejected", "reductions", "restarts")
        settled = self._settled(self._packed(end.scheme))
        mobility = with_partner([_flat(factor) for factor in primitive(self._series(settled), p)], p)
        counts = {name: getattr(end, name) for name in names}
        return Outcome(settled, settled.shape[1] <= effort.goal, end.steps, counts, mobility)

    def invariant(self, state: Factors) -> bytes:
        """Return the invariant of the terms of lowest degree (`flipforge.flips.orbit_invariant`)."""
        from flipforge.flips import leading, orbit_invariant

        return orbit_invariant(*leading(self._series(state)), self._formats, self.ring.characteristic)

    def breadth(self, state: Factors) -> int:
        """Return the breadth of the terms of lowest degree (`flipforge.flips.breadth`)."""
        from flipforge.flips import breadth, leading

        return breadth(*leading(self._series(state)), *self._entries, self.ring.characteristic)

    def _settled(self, factors: Factors) -> Factors:
        """Return the one gauge with all powers of eps in w, products in ascending order."""
        from flipforge.flips import compact

        return super()._settled(self._packed(compact(self._series(factors), self.ring.characteristic)))

    def _series(self, state: Factors) -> Approximate:
        """Return the factors as arrays of shape (rank, entries, h + 1), residues or -1, 0, 1."""
        length = self.problem.order + 1
        u, v, w = (matrix.astype(np.int64).reshape(len(matrix), -1, length) for matrix in self._matrices(state))
        return u, v, w

    def _packed(self, scheme: Approximate) -> Factors:
        from flipforge.flips import pack

        return pack([_flat(factor) for factor in scheme], self.ring.name)


def _flat(factor: Series) -> Series:
    return factor.reshape(len(factor), -1)
