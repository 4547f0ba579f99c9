"""The boundary of the walk of orbits: checks, layout, and the ordinary scheme of what the kernel leaves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flipforge.errors import InputError
from flipforge.flips._action import Action
from flipforge.flips._packing import Packed
from flipforge.flips._walk import aligned, check_limits

__all__ = ["MAX_ORBITS", "SYMMETRIC_WALK_VERSION", "SymmetricWalk", "symmetric_walk"]

SYMMETRIC_WALK_VERSION = "gf2-sym/1"

MAX_ORBITS = 256
"""Most orbits of a scheme on a walk, those of plus transitions included."""

_BLOCKS = (1, 3, 6, 16)
_ROWS_PER_BLOCK = 16


@dataclass(frozen=True)
class SymmetricWalk:
    """What a walk of orbits came to.

    Attributes
    ----------
    factors
        The ordinary scheme at the end, packed, of shape (3, rank, 1), in ascending order of products.
    rank
        Its number of products.
    steps
        Flips of orbits, plus transitions and thaws; never more than asked for.
    flips, plus, thawed
        How many of each.
    reductions
        Products that reductions took away.
    restarts
        How often the walk began again from its start.
    reached
        Whether the rank is the goal or below.
    partnered
        How many (axis, orbit) have a partner at the end: 0 where no flip exists.
    """

    factors: Packed
    rank: int
    steps: int
    flips: int
    plus: int
    thawed: int
    reductions: int
    restarts: int
    reached: bool
    partnered: int


def symmetric_walk(
    factors: Packed,
    action: Action,
    *,
    goal: int,
    steps: int,
    path: int | None = None,
    idle: int,
    band: int,
    seed: NDArray[np.uint64],
) -> SymmetricWalk:
    """Walk the flip graph of schemes that a group leaves as they are; the package's docstring says how.

    A pure function of its arguments, within one `SYMMETRIC_WALK_VERSION`.

    Parameters
    ----------
    factors
        uint64 of shape (3, rank, 1), packed over GF(2); products that stand twice cancel.
    action
        The group.
    goal, steps, path, idle, seed
        As for `flipforge.flips.walk`.
    band
        The rank never exceeds that of the start by more than this many orbits of full length.

    Raises
    ------
    InputError
        The scheme is not invariant, larger than the kernel holds, or an argument is out of range.
    """
    from flipforge.flips import _symmetric_kernel as kernel

    path = steps if path is None else path
    if factors.dtype != np.uint64 or factors.ndim != 3 or factors.shape[0] != 3 or factors.shape[2] != 1:
        raise InputError("factors must be a uint64 array of shape (3, rank, 1)")
    check_limits(goal=goal, steps=steps, path=path, idle=idle, band=band, seed=seed)
    orbits = action.orbits(action.inward(factors[:, :, 0]))
    if len(orbits) + band > MAX_ORBITS:
        raise InputError(f"{len(orbits)} orbits and {band} by plus transitions: a walk holds {MAX_ORBITS} in all")
    blocks = next(count for count in _BLOCKS if count * _ROWS_PER_BLOCK >= len(orbits) + band)
    table = np.zeros(4 * blocks * _ROWS_PER_BLOCK, dtype=np.uint64)
    rows = np.zeros((2, blocks * _ROWS_PER_BLOCK), dtype=np.int64)
    for row, (product, length) in enumerate(orbits):
        table[4 * row : 4 * row + 3] = product
        rows[kernel.STATUS, row] = kernel.WALKED if length == action.order else kernel.FROZEN
        rows[kernel.LENGTH, row] = length
    start = sum(length for _, length in orbits)
    tally = np.zeros(len(kernel.TALLY), dtype=np.int64)
    kernel.run(
        table,
        rows,
        aligned(len(table), action.key_type),
        table.copy(),
        rows.copy(),
        seed,
        tally,
        goal,
        steps,
        path,
        idle,
        start + band * action.order,
        action.arrays(),
        (np.uint64(0),) * blocks,
    )
    _, taken, plus, thawed, reductions, restarts, partnered = (int(count) for count in tally)
    places = table.reshape(-1, 4)[:, :3].T
    walked, frozen = (rows[kernel.STATUS] == status for status in (kernel.WALKED, kernel.FROZEN))
    end = action.outward(action.expand(places[:, walked], places[:, frozen]))
    end = end[:, np.lexsort(end[::-1])]
    rank = end.shape[1]
    flips = taken - plus - thawed
    return SymmetricWalk(
        np.ascontiguousarray(end)[:, :, None],
        rank,
        taken,
        flips,
        plus,
        thawed,
        reductions,
        restarts,
        rank <= goal,
        partnered,
    )
