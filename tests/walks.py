"""Starts for walks of every ring and layout, and the comparison of a walk with its plain-Python twin."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flipforge.flips import RINGS, Walk, pack, reference, seed_words, unpack, walk
from flipforge.problems import parse

Matrices = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
Masks = tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]


@dataclass(frozen=True)
class Layout:
    """What one compiled kernel serves: a ring, the entries of the longest factor, and slots.

    ``least`` is the smallest number of rows, band included, that has so many slots.
    """

    ring: str
    entries: int
    slots: int
    least: int = 1

    def __str__(self) -> str:
        return f"{self.ring}-{self.entries}-{self.slots}"


# Each kernel costs about five seconds to compile, so these few have to cover every ring, one to eight words of 16, 32
# and 64 bits, keys of 16 and 32 bits that are hashes or not, and one block of 32 rows to sixteen of 64.
LAYOUTS = (
    Layout("GF2", 16, 32),
    Layout("GF2", 512, 192, 129),
    Layout("GF3", 16, 32),
    Layout("GF3", 64, 1024, 769),
    Layout("GF5", 4, 32),
    Layout("GF5", 8, 256, 193),
    Layout("GF7", 16, 32),
    Layout("GF7", 128, 128, 65),
    Layout("ZT", 8, 32),
    Layout("ZT", 256, 64, 33),
)

PROBLEMS = {
    "GF2": ("matmul:2x2x2", "matmul:3x3x3", "quaternion", "poly:3x3", "group:C5", "structured:ug:3"),
    "GF3": ("matmul:3x3x3", "poly:4x5", "structured:ug:3", "structured:kg:3"),
    "GF5": ("matmul:2x2x2", "quaternion", "structured:ss:2", "complex"),
    "GF7": ("matmul:3x3x3", "poly:4x5", "structured:ug:3", "matmul:2x3x4"),
    "ZT": ("matmul:2x2x2", "quaternion", "poly:3x3", "group:C5", "complex", "structured:ug:2"),
}
"""Problems whose walks need no further kernels than those of `LAYOUTS`, with the bands of `BANDS`."""

BANDS = {"GF2": 4, "GF3": 2, "GF5": 4, "GF7": 2, "ZT": 4}


def standard(text: str, ring: str) -> Matrices:
    """The standard algorithm of a problem, as integer matrices over the ring."""
    factors = [np.array(matrix, dtype=np.int64) for matrix in parse(text).standard()]
    prime = RINGS[ring]
    u, v, w = (matrix % prime if prime else matrix for matrix in factors)
    live = w.any(axis=1)
    return u[live], v[live], w[live]


def coincident(layout: Layout, rows: int, dimension: int, seed: int) -> Matrices:
    """Random rows, often equal up to a unit: the factors of each axis lie in a space of small dimension."""
    rng = np.random.default_rng(seed)
    prime = RINGS[layout.ring]
    low, high = (0, prime) if prime else (-1, 2)
    matrices = []
    for axis in range(3):
        entries = layout.entries if axis == seed % 3 else int(rng.integers(1, layout.entries + 1))
        basis = rng.integers(low, high, (dimension, entries))
        if not prime:
            # Disjoint supports let sums exist; some overlap all the same.
            basis *= (rng.integers(0, dimension, entries) == np.arange(dimension)[:, None]) | (
                rng.random(entries) < 0.1
            )
        basis[~basis.any(axis=1), -1] = 1
        basis[0, -1] = 1
        matrix = rng.integers(low, high, (rows, dimension)) @ basis
        matrix = matrix % prime if prime else matrix
        bad = ~matrix.any(axis=1) | (np.abs(matrix) >= high).any(axis=1)
        matrix[bad] = basis[rng.integers(0, dimension, int(bad.sum()))]
        matrix[0] = basis[0]
        matrices.append(matrix)
    u, v, w = matrices
    return u, v, w


def padded(matrices: Sequence[NDArray[np.int64]], ring: str) -> Matrices:
    """Factors with zeros before them, as long as those of the ring's first layout."""
    entries = next(layout.entries for layout in LAYOUTS if layout.ring == ring)
    u, v, w = (np.pad(matrix, ((0, 0), (entries - matrix.shape[1], 0))) for matrix in matrices)
    return u, v, w


def tensor(matrices: Sequence[NDArray[np.integer]], ring: str) -> NDArray[np.int64]:
    """The dense tensor, a plain sum of outer products of integers, modulo the characteristic."""
    u, v, w = (np.asarray(matrix, dtype=np.int64) for matrix in matrices)
    total: NDArray[np.int64] = np.einsum("ri,rj,rk->ijk", u, v, w, optimize=True)
    return total % RINGS[ring] if RINGS[ring] else total


def run(matrices: Matrices, ring: str, seed: int, kept: Masks | None = None, **how: int) -> Walk:
    """A walk of the kernel."""
    goal, steps, idle, band = how.pop("goal", 0), how.pop("steps"), how.pop("idle"), how.pop("band")
    path = how.pop("path", None)
    assert not how
    return walk(
        pack(matrices, ring),
        ring=ring,
        goal=goal,
        steps=steps,
        path=path,
        idle=idle,
        band=band,
        seed=seed_words(seed),
        kept=None if kept is None else _all_bits(kept, matrices, ring),
    )


def _all_bits(kept: Masks, matrices: Matrices, ring: str) -> NDArray[np.uint64]:
    """Masks packed with all bits of an entry set."""
    units = (1, -1) if RINGS[ring] in (0, 3) else range(1, RINGS[ring])
    longest = max(matrix.shape[1] for matrix in matrices)
    wide = [np.pad(mask.astype(np.int64), (0, longest - len(mask)))[None, :] for mask in kept]
    bits: NDArray[np.uint64] = np.bitwise_or.reduce([pack([unit * mask for mask in wide], ring) for unit in units])
    return bits


def ended(end: Walk, matrices: Matrices, ring: str) -> Matrices:
    """Where the walk from the matrices came to."""
    u, v, w = unpack(end.factors, [matrix.shape[1] for matrix in matrices], ring)
    return u.astype(np.int64), v.astype(np.int64), w.astype(np.int64)


def same_as_twin(matrices: Matrices, ring: str, seed: int, kept: Masks | None = None, **how: int) -> Walk:
    """Walk with the kernel and with its twin; fail where rows or counts differ."""
    got = run(matrices, ring, seed, kept, **how)
    want = reference.walk(
        list(zip(*(matrix.tolist() for matrix in matrices), strict=True)),
        ring=ring,
        goal=how.get("goal", 0),
        steps=how["steps"],
        path=how.get("path"),
        idle=how["idle"],
        band=how["band"],
        seed=[int(word) for word in seed_words(seed)],
        kept=None if kept is None else [mask.tolist() for mask in kept],
    )
    u, v, w = (map(tuple, matrix.tolist()) for matrix in ended(got, matrices, ring))
    assert list(zip(u, v, w, strict=True)) == want.rows
    for name in ("steps", "plus", "splits", "rejected", "reductions", "restarts", "reached", "partnered"):
        assert getattr(got, name) == getattr(want, name), name
    assert got.rank == len(want.rows)
    assert got.flips == got.steps - got.plus - got.splits - got.rejected
    return got
