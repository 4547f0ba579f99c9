"""The boundary: checks the arguments, picks a kernel, and makes a value of what it leaves."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flipforge.errors import InputError

__all__ = ["MAX_BITS", "WALK_VERSION", "Walk", "seed_words", "walk", "warm"]

WALK_VERSION = "gf2/1"

MAX_BITS = 256

Kernel = Literal["mask", "wide"]

_WORD_BITS = 64
_MAX_BLOCKS = 4
_ALIGNMENT = 64
_TALLY = 4
_SEED_WORDS = 4


@dataclass(frozen=True)
class Walk:
    """What a walk came to.

    Attributes
    ----------
    factors
        The scheme at the end, uint64 of shape (3, rank, words), rows in slot order.
    rank
        Its number of products.
    steps
        Flips and plus transitions made; never more than asked for.
    flips, plus, reductions
        How many of each; a reduction takes one product away.
    reached
        Whether the rank is the goal or below.
    partnered
        How many (axis, row) have a partner at the end: 0 where no flip exists.
    """

    factors: NDArray[np.uint64]
    rank: int
    steps: int
    flips: int
    plus: int
    reductions: int
    reached: bool
    partnered: int


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
    factors: NDArray[np.uint64],
    *,
    goal: int,
    steps: int,
    idle: int,
    band: int,
    seed: NDArray[np.uint64],
    kernel: Kernel | None = None,
) -> Walk:
    """Walk the flip graph of a scheme over GF(2) until a rank, a budget or a dead end.

    A pure function: the same arguments give the same answer on every machine and from either kernel, within one
    `WALK_VERSION`. The package's docstring says what a step does.

    Parameters
    ----------
    factors
        uint64 of shape (3, rank, words) with 1 to 4 words: bit k of a factor is bit k % 64 of word k // 64. No factor
        may be zero.
    goal
        The walk ends as soon as the rank is at most this.
    steps
        Most flips and plus transitions together.
    idle
        A plus transition is due after so many flips since the last record of the rank or the last time one was due.
    band
        The rank never exceeds that of the start by more than this; 0 means no plus transitions.
    seed
        Four uint64 words, not all zero; see `seed_words`.
    kernel
        For tests and measurements: which kernel to use. By default the faster one.

    Raises
    ------
    InputError
        An argument has the wrong type or shape, is out of range, or the forced kernel has no room for the scheme.
    """
    _check(factors, goal=goal, steps=steps, idle=idle, band=band, seed=seed)
    rank = factors.shape[1]
    slots = rank + band
    bits = _bits(factors)
    fits = bits <= _WORD_BITS and slots <= _MAX_BLOCKS * _WORD_BITS
    if kernel == "mask" and not fits:
        raise InputError(
            f"the mask kernel has no room for {slots} rows of {bits} bits: leave the choice of the kernel open"
        )
    tally = np.array([rank, 0, 0, 0], dtype=np.int64)
    budget = (goal, steps, idle, slots)
    run = _run_mask if fits and kernel != "wide" else _run_wide
    left = run(factors, bits, slots, seed, tally, budget)
    end, taken, plus, partnered = (int(count) for count in tally)
    return Walk(left, end, taken, taken - plus, plus, rank + plus - end, end <= goal, partnered)


def warm(bits: int, rank: int, *, band: int = 0) -> None:
    """Compile the kernel that a walk of this size will use, or load it from the cache.

    Parameters
    ----------
    bits
        Entries of the longest factor, 1 to `MAX_BITS`.
    rank, band
        As the walk will have them.
    """
    if not 1 <= bits <= MAX_BITS:
        raise InputError(f"factors have 1 to {MAX_BITS} entries, not {bits}")
    words = -(-bits // _WORD_BITS)
    factors = np.zeros((3, max(rank, 1), words), dtype=np.uint64)
    factors[:, :, -1] = np.uint64(1 << (bits - 1) % _WORD_BITS)
    walk(factors, goal=0, steps=0, idle=1, band=band, seed=seed_words(0))


def _check(factors: object, *, goal: int, steps: int, idle: int, band: int, seed: object) -> None:
    if not isinstance(factors, np.ndarray) or factors.dtype != np.uint64 or factors.ndim != 3:
        raise InputError("factors must be a uint64 array of shape (3, rank, words)")
    axes, rank, words = factors.shape
    if axes != 3 or rank < 1 or not 1 <= words * _WORD_BITS <= MAX_BITS:
        raise InputError(
            f"factors have shape {factors.shape}: "
            f"give (3, rank, words) with at least one row and 1 to {MAX_BITS // _WORD_BITS} words"
        )
    zero = np.argwhere(~factors.any(axis=2))
    if len(zero):
        raise InputError(f"factor {'uvw'[zero[0][0]]} of row {zero[0][1]} is zero: leave such rows out")
    for name, value, least in (("goal", goal, 0), ("steps", steps, 0), ("idle", idle, 1), ("band", band, 0)):
        if value < least:
            raise InputError(f"{name} is {value}: give at least {least}")
    if not isinstance(seed, np.ndarray) or seed.dtype != np.uint64 or seed.shape != (_SEED_WORDS,) or not seed.any():
        raise InputError(f"the seed must be {_SEED_WORDS} uint64 words, not all zero: seed_words makes them")


def _bits(factors: NDArray[np.uint64]) -> int:
    used = np.bitwise_or.reduce(factors, axis=(0, 1))
    word = int(np.flatnonzero(used)[-1])
    return word * _WORD_BITS + int(used[word]).bit_length()


def _aligned(size: int, dtype: type[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
    """Zeros that start where the vector loads of the mask kernel want them."""
    length = size * np.dtype(dtype).itemsize
    raw = np.zeros(length + _ALIGNMENT, dtype=np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + length].view(dtype)


def _run_mask(
    factors: NDArray[np.uint64],
    bits: int,
    slots: int,
    seed: NDArray[np.uint64],
    tally: NDArray[np.int64],
    budget: tuple[int, int, int, int],
) -> NDArray[np.uint64]:
    from flipforge.flips import _mask

    block: type[np.unsignedinteger] = np.uint32 if slots <= 32 else np.uint64
    width = np.dtype(block).itemsize * 8
    empty = (block(0),) * -(-slots // width)
    lane: type[np.unsignedinteger] = np.uint16 if bits <= 16 else np.uint32 if bits <= 32 else np.uint64
    lanes = _aligned(3 * len(empty) * width, lane)
    table = lanes.reshape(3, len(empty) * width, 1)
    table[:, : factors.shape[1], 0] = factors[:, :, 0]
    sets = np.zeros(3 * len(empty), dtype=block)
    _mask.run(table, lanes, sets, seed, tally, *budget, empty)
    left = np.zeros((3, int(tally[0]), factors.shape[2]), dtype=np.uint64)
    left[:, :, 0] = table[:, table[0, :, 0] != 0, 0]
    return left


def _run_wide(
    factors: NDArray[np.uint64],
    bits: int,
    slots: int,
    seed: NDArray[np.uint64],
    tally: NDArray[np.int64],
    budget: tuple[int, int, int, int],
) -> NDArray[np.uint64]:
    from flipforge.flips import _wide

    table = np.zeros((3, slots, factors.shape[2]), dtype=np.uint64)
    table[:, : factors.shape[1]] = factors
    heads = np.empty((3, 1 << (2 * slots - 1).bit_length()), dtype=np.int32)
    chain = np.empty((3, slots), dtype=np.int32)
    have = np.zeros((3, -(-slots // _WORD_BITS)), dtype=np.uint64)
    sizes, group = np.zeros(3, dtype=np.int64), np.empty(slots, dtype=np.int64)
    _wide.run(table, heads, chain, have, seed, tally, sizes, group, *budget)
    return table[:, table[0].any(axis=1)]
