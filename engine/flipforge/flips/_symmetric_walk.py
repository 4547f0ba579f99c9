"""The boundary of the walk of orbits: checks, layout, and the ordinary scheme of what the kernel leaves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flipforge.errors import InputError
from flipforge.flips._action import Action, Orbits
from flipforge.flips._packing import Packed, packed_words
from flipforge.flips._walk import aligned, check_limits

__all__ = ["MAX_ORBITS", "SymmetricWalk", "symmetric_walk", "symmetric_walk_version"]

_VERSION = 1

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
        The ordinary scheme at the end, packed, of shape (3, rank, words), u and v normalised and the unit in w.
    rank
        Its number of products.
    steps
        Flips of orbits, plus transitions, thaws and rejected flips; never more than asked for.
    flips, plus, thawed, rejected
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
    rejected: int
    reductions: int
    restarts: int
    reached: bool
    partnered: int


def symmetric_walk_version(ring: str) -> str:
    """Return the name of the walk's rules over a ring; bumped when the same arguments may give another answer."""
    return f"{ring.lower()}-sym/{_VERSION}"


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

    A pure function of its arguments, within one `symmetric_walk_version`.

    Parameters
    ----------
    factors
        uint64 of shape (3, rank, words), packed over the ring of the action; equal products are added up.
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
    from flipforge.flips import _symmetric_rows as kernel_rows
    from flipforge.flips._kinds import Kind

    path = steps if path is None else path
    words = packed_words(action.ring, max(action.sizes))
    if factors.dtype != np.uint64 or factors.ndim != 3 or factors.shape[0] != 3 or factors.shape[2] != words:
        raise InputError(f"factors must be a uint64 array of shape (3, rank, {words})")
    check_limits(goal=goal, steps=steps, path=path, idle=idle, band=band, seed=seed)
    orbits = action.orbits(factors)
    count = len(orbits.units)
    if count + band > MAX_ORBITS:
        raise InputError(f"{count} orbits and {band} by plus transitions: a walk holds {MAX_ORBITS} in all")
    blocks = next(size for size in _BLOCKS if size * _ROWS_PER_BLOCK >= count + band)
    slots = blocks * _ROWS_PER_BLOCK
    places = np.zeros((slots, 4, action.words), dtype=f"u{action.width // 8}")
    places[:count, :3] = action.lanes(orbits.factors).transpose(1, 0, 2)
    table, scalars = places.reshape(-1), np.zeros(slots, dtype=np.uint8)
    scalars[:count] = action.codes(orbits.units)
    scalars[count:] = action.codes(np.ones(slots - count, dtype=np.int64))
    rows = np.zeros((2, slots), dtype=np.int64)
    rows[kernel_rows.STATUS, :count] = np.where(orbits.lengths == action.order, kernel_rows.WALKED, kernel_rows.FROZEN)
    rows[kernel_rows.LENGTH, :count] = orbits.lengths
    tally = np.zeros(len(kernel.TALLY), dtype=np.int64)
    kernel.run(
        table,
        scalars,
        rows,
        aligned(4 * slots, action.key_type),
        table.copy(),
        scalars.copy(),
        rows.copy(),
        seed,
        tally,
        goal,
        steps,
        path,
        idle,
        int(orbits.lengths.sum()) + band * action.order,
        action.arrays(),
        Kind(action.ring, action.width, action.words),
        (np.uint64(0),) * blocks,
    )
    _, taken, plus, thawed, rejected, reductions, restarts, partnered = (int(number) for number in tally)
    live = rows[kernel_rows.STATUS] != kernel_rows.FREE
    left = Orbits(
        action.entries(places[live, :3].transpose(1, 0, 2)),
        action.units(scalars[live]),
        rows[kernel_rows.LENGTH, live],
    )
    end = action.expand(left)
    flips = taken - plus - thawed - rejected
    return SymmetricWalk(
        end,
        end.shape[1],
        taken,
        flips,
        plus,
        thawed,
        rejected,
        reductions,
        restarts,
        end.shape[1] <= goal,
        partnered,
    )
