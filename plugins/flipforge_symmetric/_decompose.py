"""Decompose a symmetric tensor of order 4 or 6: rank, components, weights."""

from dataclasses import dataclass

import numpy as np

from flipforge.errors import InputError
from flipforge_symmetric._power import Subspace, climb, distinct, polish
from flipforge_symmetric._tables import Floats, Tables, flattening, multiplicities, sorted_indices, sum_of_powers

__all__ = ["MAX_LENGTH", "ORDERS", "Decomposition", "decompose", "norm", "rank_bound"]

ORDERS = (4, 6)
MAX_LENGTH = 60

_EXACT = 1e-18
"""How far below 1 a maximum stays by rounding alone; the angle to the component is the root of it."""
_NOISE = 10.0
_LOOSEST = 0.25
_GAP = 8.0
"""Ratio of neighbouring singular values below which no rank is read off."""
_STARTS = 64
_FRUITLESS = 12


@dataclass(frozen=True)
class Decomposition:
    """T is nearly sum w_i a_i^m.

    Attributes
    ----------
    weights
        Shape (r,).
    vectors
        Shape (r, length), unit rows.
    error
        |T - sum| / |T|, in floating-point numbers.
    rank
        That of the flattening.
    """

    order: int
    weights: Floats
    vectors: Floats
    error: float
    rank: int

    @property
    def complete(self) -> bool:
        """Whether there are as many components as the rank of the flattening says."""
        return len(self.weights) == self.rank


def rank_bound(length: int, order: int) -> int:
    """Return up to which rank generic components are the only powers in the space (Kileel and Pereira, theorem 3.1).

    Examples
    --------
    >>> rank_bound(10, 4)
    45
    """
    return len(sorted_indices(length, order // 2)) - length


def norm(coefficients: Floats, length: int, order: int) -> float:
    """Return the norm over all places of a tensor given at the sorted indices."""
    return float(np.sqrt(multiplicities(length, order) @ coefficients**2))


def decompose(
    coefficients: Floats, length: int, order: int, *, rank: int | None = None, seed: int = 0
) -> Decomposition:
    """Write a symmetric tensor as a sum of powers, by the subspace power method.

    Parameters
    ----------
    coefficients
        Shape (C(length + order - 1, order),): those at the sorted indices, in lexicographic order.
    rank
        Of the flattening; found where its singular values fall steepest unless given.
    seed
        Of the starts.

    Returns
    -------
    Decomposition
        With fewer components than the rank where the method found no more.

    Raises
    ------
    InputError
        The order is not 4 or 6, the tensor is zero or not finite, or its rank is not to be seen or is above the bound.

    Examples
    --------
    >>> import numpy as np
    >>> coefficients = sum_of_powers(np.array([2.0, -1.0]), np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0]]), 4)
    >>> found = decompose(coefficients, 3, 4)
    >>> found.rank, found.error < 1e-12
    (2, True)
    """
    if order not in ORDERS:
        raise InputError(f"order {order}: the subspace power method is here for order 4 and 6")
    if not 2 <= length <= MAX_LENGTH:
        raise InputError(f"length {length}: use 2 to {MAX_LENGTH}")
    if not np.isfinite(coefficients).all() or not coefficients.any():
        raise InputError("the tensor is zero, or not finite; there is nothing to decompose")
    # Without this the squares of tiny or huge coefficients would under- or overflow.
    unit = coefficients / np.abs(coefficients).max()
    values, columns = np.linalg.eigh(flattening(unit, length, order // 2))
    falling = np.argsort(-np.abs(values), kind="stable")
    values, columns = values[falling], columns[:, falling]
    bound = rank_bound(length, order)
    if rank is None:
        rank = _visible_rank(np.abs(values), bound)
    elif not 1 <= rank <= bound:
        raise InputError(f"rank {rank}: for order {order} and length {length} the method takes 1 to {bound}")
    rest = abs(values[rank]) / abs(values[rank - 1])
    space = Subspace(
        np.ascontiguousarray(columns[:, :rank]), np.ascontiguousarray(columns[:, rank:]), np.diag(1 / values[:rank])
    )
    vectors = _components(space, Tables.of(length, order // 2), min(_LOOSEST, max(_EXACT, (_NOISE * rest) ** 2)), seed)
    weights = _weights(unit, vectors, order)
    error = norm(sum_of_powers(weights, vectors, order) - unit, length, order) / norm(unit, length, order)
    return Decomposition(order, weights * np.abs(coefficients).max(), vectors, error, rank)


def _visible_rank(falling: Floats, bound: int) -> int:
    """Return after how many singular values the next is smallest against its neighbour."""
    floor = len(falling) * np.finfo(np.float64).eps * falling[0]
    values = np.maximum(falling, floor)[: bound + 1]
    ratios = values[:-1] / values[1:]
    rank = int(np.argmax(ratios)) + 1
    if ratios[rank - 1] < _GAP:
        raise InputError(
            f"the singular values of the flattening fall nowhere by more than {ratios[rank - 1]:.3g} "
            f"up to rank {bound}: the rank is above what the method can do, or noise hides it; in that case give it"
        )
    return rank


def _components(space: Subspace, tables: Tables, tolerance: float, seed: int) -> Floats:
    generator = np.random.default_rng(seed)
    full, fruitless = space, 0
    vectors = np.empty((0, tables.length))
    while space.rank and fruitless < _FRUITLESS:
        starts = generator.standard_normal((max(4, min(_STARTS, space.rank)), tables.length))
        starts /= np.linalg.norm(starts, axis=1)[:, None]
        arrived = climb(space, tables, starts, max(1, len(starts) // 2), tolerance)
        polished, lost = polish(full, tables, arrived)
        new = distinct(polished[lost <= tolerance], vectors)[: space.rank]
        fruitless = 0 if len(new) else fruitless + 1
        vectors = np.concatenate([vectors, new])
        if len(new):
            space = space.without(tables.power(new))
    return vectors


def _weights(coefficients: Floats, vectors: Floats, order: int) -> Floats:
    """Return the best weights in the least-squares sense over all places."""
    indices = sorted_indices(vectors.shape[1], order)
    scaled = coefficients * multiplicities(vectors.shape[1], order)
    right = np.zeros(len(vectors))
    step = max(1, 2**21 // max(1, len(vectors) * order))
    for start in range(0, len(indices), step):
        part = slice(start, start + step)
        right += vectors[:, indices[part]].prod(axis=2) @ scaled[part]
    weights, *_ = np.linalg.lstsq((vectors @ vectors.T) ** order, right, rcond=None)
    return np.asarray(weights)
