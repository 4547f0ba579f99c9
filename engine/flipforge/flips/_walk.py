"""The boundary: checks the arguments, lays the factors out in lanes, and makes a value of what the kernel leaves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flipforge.errors import InputError
from flipforge.flips._packing import (
    MAX_WORDS,
    RINGS,
    Packed,
    entries_of,
    from_lanes,
    holds,
    layout,
    max_entries,
    pack,
    packed_words,
    to_lanes,
)

__all__ = ["MAX_ROWS", "Walk", "aligned", "check_limits", "seed_words", "walk", "walk_version", "warm"]

_VERSIONS = {"GF2": 2, "GF3": 1, "GF5": 1, "GF7": 1, "ZT": 1}

MAX_ROWS = 1024
"""Most products of a scheme on a walk, plus transitions included."""

_WORD = 64
_ALIGNMENT = 64
_SEED_WORDS = 4
_BLOCKS = (1, 2, 3, 4, 6, 8, 12, 16)
_SHORT_KEYS = 128
"""Up to so many rows keys have 16 bits; among more, two factors would too often share one. Factors of 32 bits are their
own keys among up to 64 rows, where longer keys cost less than a hash."""


@dataclass(frozen=True)
class Walk:
    """What a walk came to.

    Attributes
    ----------
    factors
        The scheme at the end, packed, of shape (3, rank, words), rows in slot order; u and v are normalised (their
        first nonzero entry is 1) and w carries the unit.
    rank
        Its number of products.
    steps
        Flips, plus transitions, splits and rejected flips; never more than asked for.
    flips, plus, splits, rejected
        How many of each. A flip is rejected where the ternary integers do not hold its result.
    reductions
        Products that reductions took away.
    restarts
        How often the walk began again from its start.
    reached
        Whether the rank is the goal or below.
    partnered
        How many (axis, row) have a partner at the end: 0 where no flip exists.
    """

    factors: Packed
    rank: int
    steps: int
    flips: int
    plus: int
    splits: int
    rejected: int
    reductions: int
    restarts: int
    reached: bool
    partnered: int


def walk_version(ring: str) -> str:
    """Return the name of the walk's rules over a ring; another name may give other walks from the same seed.

    Examples
    --------
    >>> walk_version("GF2")
    'gf2/2'
    """
    if ring not in _VERSIONS:
        raise InputError(f"no walk over {ring}: use one of {', '.join(RINGS)}")
    return f"{ring.lower()}/{_VERSIONS[ring]}"


def seed_words(root: int, *key: int) -> NDArray[np.uint64]:
    """Return the four generator words of a seed and a spawn key, by NumPy's `SeedSequence`.

    Examples
    --------
    >>> seed_words(1, 7).shape
    (4,)
    """
    words = np.random.SeedSequence(root, spawn_key=key).generate_state(_SEED_WORDS, np.uint64)
    return words.astype(np.uint64, copy=False)


def walk(
    factors: Packed,
    *,
    ring: str = "GF2",
    goal: int,
    steps: int,
    path: int | None = None,
    idle: int,
    band: int,
    seed: NDArray[np.uint64],
    kept: Packed | None = None,
) -> Walk:
    """Walk the flip graph of a scheme until a rank, a budget or a dead end.

    A pure function: the same arguments give the same answer on every machine, within one `walk_version`. The package's
    docstring says what a step does.

    Parameters
    ----------
    factors
        uint64 of shape (3, rank, words), packed as `pack` does for the ring. No factor may be zero.
    ring
        GF2, GF3, GF5, GF7, or ZT for the integers -1, 0, 1.
    goal
        The walk ends as soon as the rank is at most this.
    steps
        Most steps, over all restarts.
    path
        After so many steps the walk begins again from its start; never unless given.
    idle
        A plus transition is due after so many steps since the last record of the rank or the last time one was due.
    band
        The rank never exceeds that of the start by more than this; 0 means no plus transitions.
    seed
        Four uint64 words, not all zero; see `seed_words`.
    kept
        Coordinates of each axis, as a uint64 array of shape (3, 1, words) with all bits set that code an entry there:
        what the products show of these stays as it is, but for reductions.

    Raises
    ------
    InputError
        An argument has the wrong type or shape, is out of range, or the scheme is larger than the kernels hold.
    """
    from flipforge.flips import _kernel

    path = steps if path is None else path
    _check(factors, ring, goal=goal, steps=steps, path=path, idle=idle, band=band, seed=seed)
    rank = factors.shape[1]
    if kept is not None and (kept.dtype != np.uint64 or kept.shape != (3, 1, factors.shape[2])):
        raise InputError(f"kept must be a uint64 array of shape (3, 1, {factors.shape[2]})")
    table = _Table(factors, ring, rank + band, kept)
    tally = np.zeros(len(_kernel.TALLY), dtype=np.int64)
    tally[_kernel.RANK] = rank
    _kernel.run(
        table.words,
        table.scalars,
        table.keys,
        table.sets,
        table.words.copy(),
        table.scalars.copy(),
        seed,
        tally,
        goal,
        steps,
        path,
        idle,
        band,
        table.kept,
        table.kind,
        table.empty,
    )
    end, taken, plus, splits, rejected, reductions, restarts, partnered = (int(count) for count in tally)
    flips = taken - plus - splits - rejected
    return Walk(
        table.factors(), end, taken, flips, plus, splits, rejected, reductions, restarts, end <= goal, partnered
    )


def warm(ring: str, entries: int, rank: int, *, band: int = 0) -> None:
    """Compile the kernel that a walk of this size will use, or load it from the cache.

    Parameters
    ----------
    ring
        Of the walk.
    entries
        Of the longest factor.
    rank, band
        As the walk will have them.
    """
    if not 1 <= entries <= max_entries(ring):
        raise InputError(f"factors over {ring} have 1 to {max_entries(ring)} entries, not {entries}")
    # A walk goes down to about two thirds of its first rank, and each number of blocks is a kernel of its own.
    for slots in {_slots(rank + band), _slots(max(1, rank * 2 // 3))}:
        unit = np.zeros((slots, entries), dtype=np.int8)
        unit[:, -1] = 1
        walk(pack((unit, unit, unit), ring), ring=ring, goal=0, steps=0, idle=1, band=0, seed=seed_words(0))


def _slots(rows: int) -> int:
    """Return the slots of the kernel that holds so many rows."""
    if rows <= _WORD // 2:
        return _WORD // 2
    return _WORD * next(count for count in _BLOCKS if count * _WORD >= rows)


class _Table:
    """The arrays of a walk."""

    def __init__(self, factors: Packed, ring: str, slots: int, kept: Packed | None = None) -> None:
        from flipforge.flips import _kernel
        from flipforge.flips._kinds import Kind

        self._ring, self._shape = ring, factors.shape
        used = factors if kept is None else np.concatenate([factors, kept], axis=1)
        width, words = layout(ring, _entries(used, ring))
        slots = _slots(slots)
        block: type[np.unsignedinteger] = np.uint32 if slots < _WORD else np.uint64
        blocks = slots // (np.dtype(block).itemsize * 8)
        self.kind = Kind(ring, width, words)
        self.empty = (block(0),) * blocks
        self.scalars = np.zeros(slots, dtype=np.uint8)
        self.sets = np.zeros(3 * blocks, dtype=block)
        short = slots <= _SHORT_KEYS and not (width == 32 and slots <= _WORD)
        self.keys = aligned(3 * slots, np.uint16 if short else np.uint32)
        self.words = np.zeros(3 * slots * words, dtype=f"u{width // 8}")
        self._view = self.words.reshape(3, slots, words)
        self._view[:, : factors.shape[1]] = to_lanes(factors, ring, width, words)
        self.kept = None if kept is None else to_lanes(kept, ring, width, words).astype(self.words.dtype).ravel()
        _kernel.normalise(self.words, self.scalars, self.kind)

    def factors(self) -> Packed:
        """Return the live rows, packed as they came."""
        live = self._view[0].any(axis=1)
        packed = from_lanes(self._view[:, live], self._ring, self._shape[2])
        scalars = self.scalars[live]
        if self._ring == "GF2":
            return packed
        if RINGS[self._ring] > 3:
            size = packed.shape[2] * 16
            w = entries_of(packed[2], size, self._ring).astype(np.int64) * scalars[:, None] % RINGS[self._ring]
            packed[2] = pack((w, w, w), self._ring)[2]
            return packed
        half = packed.shape[2] // 2
        packed[2] = np.where(scalars[:, None] == 1, np.roll(packed[2], half, axis=1), packed[2])
        return packed


def _entries(factors: Packed, ring: str) -> int:
    """Return how many entries the factors use."""
    used = np.bitwise_or.reduce(factors, axis=(0, 1))
    if RINGS[ring] in (0, 3):
        used = used[: len(used) // 2] | used[len(used) // 2 :]
    word = int(np.flatnonzero(used)[-1])
    bits = word * _WORD + int(used[word]).bit_length()
    return -(-bits // 4) if RINGS[ring] > 3 else bits


def _check(factors: object, ring: str, *, goal: int, steps: int, path: int, idle: int, band: int, seed: object) -> None:
    if ring not in RINGS:
        raise InputError(f"no walk over {ring}: use one of {', '.join(RINGS)}")
    if not isinstance(factors, np.ndarray) or factors.dtype != np.uint64 or factors.ndim != 3:
        raise InputError("factors must be a uint64 array of shape (3, rank, words)")
    axes, rank, words = factors.shape
    step = packed_words(ring, 1)
    if axes != 3 or rank < 1 or not step <= words <= MAX_WORDS or words % step:
        raise InputError(
            f"factors have shape {factors.shape}: give (3, rank, words) with at least one row and 1 to "
            f"{max_entries(ring)} entries over {ring}"
        )
    if not holds(factors, ring):
        raise InputError(f"a word of the factors codes no element of {ring}: make them with pack")
    if rank + band > MAX_ROWS:
        raise InputError(f"{rank} products and {band} by plus transitions: a walk holds {MAX_ROWS} in all")
    zero = np.argwhere(~factors.any(axis=2))
    if len(zero):
        raise InputError(f"factor {'uvw'[zero[0][0]]} of row {zero[0][1]} is zero: leave such rows out")
    check_limits(goal=goal, steps=steps, path=path, idle=idle, band=band, seed=seed)


def check_limits(*, goal: int, steps: int, path: int, idle: int, band: int, seed: object) -> None:
    """Raise `InputError` where a limit of a walk is out of range, or the seed is none."""
    limits = (("goal", goal, 0), ("steps", steps, 0), ("path", path, 0), ("idle", idle, 1), ("band", band, 0))
    for name, value, least in limits:
        if value < least:
            raise InputError(f"{name} is {value}: give at least {least}")
    if not isinstance(seed, np.ndarray) or seed.dtype != np.uint64 or seed.shape != (_SEED_WORDS,) or not seed.any():
        raise InputError(f"the seed must be {_SEED_WORDS} uint64 words, not all zero: seed_words makes them")


def aligned(size: int, dtype: type[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
    """Zeros that start where the vector loads of the kernel want them."""
    length = size * np.dtype(dtype).itemsize
    raw = np.zeros(length + _ALIGNMENT, dtype=np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + length].view(dtype)
