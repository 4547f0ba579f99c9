"""The subspace power method on several starts at once.

The flattening of T = sum w_i a_i^(2k) is a matrix whose column space is spanned by the powers a_i^k, for generic a_i of
no more than a certain number. So the unit vectors x with x^k in that space are the components, and they are the maxima
of the squared norm f(x) of the projection of x^k, whose greatest possible value is known to be 1. A step is
x <- P(x^k) x^(k-1) + g x, normalised, with the shift g = c_k sqrt(f (1 - f)) that Kileel and Pereira prove enough.

Components found are taken out of the flattening M by Wedderburn's rank reduction: with M = V E V^T, v = V alpha, what
is left has the column space of V restricted to the complement of E^-1 alpha. Unlike theirs, this one takes a whole set
at a time: the E^-1 alpha of a decomposition are independent, and the complement of all of them is what is left.

Where the space is more than half of all, its complement is projected on instead: fewer products, and 1 - f is a sum of
squares.

Source: Kileel and Pereira, "Subspace power method for symmetric tensor decomposition", arXiv 1912.04007v5.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from flipforge_symmetric._tables import Floats, Tables

__all__ = ["Subspace", "climb", "distinct", "polish"]

_NEAR = 1e-4
"""From here Gauss-Newton steps do the rest; near the bound of the rank power steps would take thousands."""
_STALLED = 1e-9
_STEPS = 4000
_POLISH = 40
_SAME = 1e-9
_CELLS = 2**22


@dataclass(frozen=True)
class Subspace:
    """The column space of a flattening, and the inverse of its core.

    Attributes
    ----------
    basis
        Shape (D, r), orthonormal columns.
    rest
        Shape (D, D - r): the orthonormal complement.
    inverse
        Shape (r, r): E^-1.
    """

    basis: Floats
    rest: Floats
    inverse: Floats

    @property
    def rank(self) -> int:
        """Dimension."""
        return int(self.basis.shape[1])

    def project(self, tensors: Floats) -> tuple[Floats, Floats]:
        """Return the projections of rows, and the squared norms of what is lost."""
        if self.rest.shape[1] < self.basis.shape[1]:
            lost = tensors @ self.rest
            return tensors - lost @ self.rest.T, np.einsum("ij,ij->i", lost, lost)
        kept = (tensors @ self.basis) @ self.basis.T
        lost = tensors - kept
        return kept, np.einsum("ij,ij->i", lost, lost)

    def without(self, tensors: Floats) -> "Subspace":
        """Take the components with these k-th powers out."""
        found = self.inverse @ (self.basis.T @ tensors.T)
        rotation, _ = np.linalg.qr(found, mode="complete")
        taken, left = rotation[:, : len(tensors)], rotation[:, len(tensors) :]
        rest = np.concatenate([self.rest, self.basis @ taken], axis=1)
        return Subspace(self.basis @ left, rest, left.T @ self.inverse @ left)


def climb(space: Subspace, tables: Tables, starts: Floats, wanted: int, tolerance: float) -> Floats:
    """Climb from each start until enough of them are near a component; return those as rows.

    Parameters
    ----------
    starts
        Shape (n, length), unit rows.
    wanted
        Stop when so many have arrived; stragglers are given up.
    tolerance
        How far below 1 the maximum may stay by noise.

    Returns
    -------
    ndarray
        Shape (at most n, length); empty where all ended at other maxima.
    """
    x, arrived = starts, []
    shift = sqrt(2 * (tables.half - 1) / tables.half) if tables.half <= 4 else (2 - sqrt(2)) * sqrt(tables.half)
    for _ in range(_STEPS):
        kept, lost = space.project(tables.power(x))
        loss = np.minimum(lost, 1.0)
        moved = tables.contract(kept, x) + (shift * np.sqrt(loss * (1 - loss)))[:, None] * x
        moved /= np.linalg.norm(moved, axis=1)[:, None]
        near = lost < max(tolerance, _NEAR)
        stalled = np.linalg.norm(moved - x, axis=1) < _STALLED
        arrived += list(moved[near])
        x = moved[~(near | stalled)]
        if len(arrived) >= wanted or not len(x):
            break
    return np.array(arrived).reshape(-1, tables.length)


def polish(space: Subspace, tables: Tables, vectors: Floats) -> tuple[Floats, Floats]:
    """Move vectors to maxima of the full space by Gauss-Newton steps on what the projection loses.

    Returns the unit vectors, and how far below 1 the maxima are. Deflation errs a little more with each component; what
    this returns does not depend on it.
    """
    if not len(vectors):
        return vectors, np.empty(0)
    size = max(1, _CELLS // (len(tables.powers) * tables.length))
    parts = [_polish(space, tables, vectors[i : i + size]) for i in range(0, len(vectors), size)]
    return np.concatenate([x for x, _ in parts]), np.concatenate([lost for _, lost in parts])


def _polish(space: Subspace, tables: Tables, x: Floats) -> tuple[Floats, Floats]:
    short = space.rest.shape[1] < space.basis.shape[1]
    side = space.rest if short else space.basis
    best, lowest = x, np.full(len(x), np.inf)
    for _ in range(_POLISH):
        power = tables.power(x)
        kept, lost = space.project(power)
        better = lost < lowest
        best, lowest = np.where(better[:, None], x, best), np.where(better, lost, lowest)
        if not better.any():
            break
        derivative = tables.derivative(x)
        half = side.T @ derivative
        normal = half.transpose(0, 2, 1) @ half
        if not short:
            normal = derivative.transpose(0, 2, 1) @ derivative - normal
        # Along x nothing changes but the norm.
        normal += x[:, :, None] * x[:, None, :]
        gradient = tables.contract(power - kept, x)
        x = x - np.linalg.solve(normal, gradient[:, :, None])[:, :, 0] / tables.half
        x /= np.linalg.norm(x, axis=1)[:, None]
    return best, lowest


def distinct(vectors: Floats, known: Floats) -> Floats:
    """Drop rows that are equal, up to sign, to an earlier one or to one of those known."""
    before = len(known)
    everything = np.concatenate([known, vectors])
    close = np.abs(everything @ everything.T) > 1 - _SAME
    return vectors[[not close[i, :i].any() for i in range(before, len(everything))]]
