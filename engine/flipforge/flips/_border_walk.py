"""The boundary of the walk of approximate schemes: checks the arguments and lays the factors out for the kernel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flipforge.errors import InputError
from flipforge.flips._epsilon import Approximate
from flipforge.flips._walk import MAX_ROWS

__all__ = ["BorderWalk", "border_walk"]

_PRIMES = (0, 2, 3, 5, 7)


@dataclass(frozen=True)
class BorderWalk:
    """What a walk came to.

    Attributes
    ----------
    scheme
        The scheme at the end, in some gauge; no product of it vanishes.
    steps
        Draws, whether they led to a move or not; never more than asked for.
    flips, plus, splits, gauges, rejected
        How many of each were made, or were not for want of a ternary result.
    reductions
        Products that flips took away.
    restarts
        How often the walk began again from its start.
    """

    scheme: Approximate
    steps: int
    flips: int
    plus: int
    splits: int
    gauges: int
    rejected: int
    reductions: int
    restarts: int


def border_walk(
    scheme: Approximate, p: int, *, goal: int, steps: int, path: int, idle: int, band: int, seed: NDArray[np.uint64]
) -> BorderWalk:
    """Walk among the approximate schemes that flips, changes of gauge, plus transitions and splits lead to.

    A pure function. Each step draws two numbers of 63 bits, x and y (the upper bits of words of xoshiro256++), of which
    12 bits make a number below n as their product with n, shifted right by 12. From x: bits 0 to 11 choose the axis, 12
    to 23 the row q, 24 to 35 the row t among the others, in cyclic order after q; bits 36 to 39 are flags, bits 48 to
    59 choose k from 1 to h. The low bits of y choose a unit z. Once the walk has begun or begun again:

    * If ``idle`` steps were made since the last record or plus transition and the rank is below that of the start and
      the band: a plus transition, or where flag 36 is set a split by a multiple of the factor of row t; with eps^k
      where flag 37 is set, eps^0 otherwise.
    * Else, where bits 60 to 62 are zero, a change of gauge: between the factor of row q on the axis and that on another
      (flag 36), a power of eps where flag 37 is set or the ring is ZT, else a unit 1 - z eps^k.
    * Else, where the factors of q and t on the axis agree up to powers of eps and a constant, in all degrees that
      matter, they are made equal, the surplus of powers on the axes that flags 38 and 39 name, and a flip is made: z
      eps^k times the factor of t is added to that of q on the axis that flag 36 names, and the reverse on the third.
      Products that vanish go; if none did, first q, then t, is merged with the first row that agrees on two axes.

    `flipforge.flips.border_reference` is the same in plain Python.

    Parameters
    ----------
    scheme
        u, v and w of shapes (rank, entries, h + 1), residues for p > 0, -1, 0, 1 for p = 0.
    p
        2, 3, 5 or 7 for GF(p), 0 for the ternary integers.
    goal, steps, path, idle, band
        As in `flipforge.flips.walk`; steps are draws.
    seed
        Four words; see `flipforge.flips.seed_words`.

    Raises
    ------
    InputError
        The factors disagree in shape or hold what is no element of the ring, a product vanishes, or the scheme is
        larger than `MAX_ROWS`.
    """
    from flipforge.flips import _border

    rows, width = _rows(scheme, p, band)
    rank = len(scheme[0])
    tally = np.zeros(len(_border.TALLY), dtype=np.int64)
    limits = np.array([goal, steps, path, idle, band], dtype=np.int64)
    _border.run(rows, rank, rows.copy(), seed.copy(), tally, width, p, limits)
    end, taken, *counts = (int(count) for count in tally)
    length = scheme[0].shape[2]
    kept = rows[:, :end].reshape(3, end, length, width).astype(np.int64)
    u, v, w = (kept[axis, :, :, : scheme[axis].shape[1]].transpose(0, 2, 1) for axis in range(3))
    return BorderWalk((u, v, w), taken, *counts)


def _rows(scheme: Approximate, p: int, band: int) -> tuple[NDArray[np.int8], int]:
    """Return the factors degree by degree, with room for plus transitions, and how many entries a degree has."""
    rank, _, length = scheme[0].shape
    if p not in _PRIMES or any(len(factor) != rank or factor.shape[2] != length for factor in scheme) or length < 2:
        raise InputError(
            "give u, v and w of shapes (rank, entries, h + 1), h >= 1, over GF(2), GF(3), GF(5), GF(7) or ZT"
        )
    if not 1 <= rank <= MAX_ROWS - band:
        raise InputError(f"{rank} products and {band} by plus transitions: a walk holds 1 to {MAX_ROWS} in all")
    low, high = (0, p - 1) if p else (-1, 1)
    if any(factor.size and not low <= factor.min() <= factor.max() <= high for factor in scheme):
        raise InputError(f"a coefficient is none of {low} to {high}")
    width = max(factor.shape[1] for factor in scheme)
    rows = np.zeros((3, rank + band, length, width), dtype=np.int8)
    for axis, factor in enumerate(scheme):
        rows[axis, :rank, :, : factor.shape[1]] = factor.transpose(0, 2, 1)
    return rows.reshape(3, rank + band, length * width), width
