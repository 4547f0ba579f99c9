"""Keys: among the rows of an axis equal ones mean equal factors, however the hashes fall."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from flipforge.flips import RINGS, _kernel, _kinds, pack
from flipforge.flips._kinds import Kind
from flipforge.flips._packing import layout, to_lanes
from flipforge.flips._walk import _slots, aligned
from walks import Matrices, same_as_twin

SLOTS = 32
LIKE = (np.uint32(0),)
LAYOUTS = [("GF3", 16), ("GF2", 512)]
"""One word that is longer than a key, and several words."""

# With these the hash drops most of a word, or all of it: every value has the key 0 or one of a few.
SALTS = [_kernel.SALT, 0, 1, 1 << 15, 1 << 33, 1 << 47]


@numba.njit
def _keys(kind: Any, table: Any, out: Any, salt: Any) -> None:
    for number in range(out.size):
        out[number] = _kinds.key_of(kind, out, _kinds.load(kind, table, np.uint64(number)), salt)


@numba.njit
def _find(table: Any, keys: Any, salts: Any, axis: Any, number: Any, kind: Any, like: Any) -> Any:
    """Find the value that stands last in the table, beyond the slots."""
    return _kernel._find(table, keys, salts, axis, _kinds.load(kind, table, number), kind, like)


@dataclass
class Axes:
    """Rows in the arrays of a kernel, with one value more behind them."""

    ring: str
    matrices: list[NDArray[np.int64]]
    value: NDArray[np.int64]
    salt: int

    def __post_init__(self) -> None:
        width, words = layout(self.ring, self.value.size)
        self.kind = Kind(self.ring, width, words)
        rows = np.zeros((3, SLOTS, words), dtype=f"u{width // 8}")
        rows[:, : len(self.matrices[0])] = to_lanes(pack(self.matrices, self.ring), self.ring, width, words)
        last = to_lanes(pack((self.value[None],) * 3, self.ring), self.ring, width, words)[0]
        self.table = np.concatenate([rows.reshape(-1, words), last.astype(rows.dtype)]).ravel()
        self.keys = aligned(3 * SLOTS, np.uint16)
        self.salts = np.full(3, self.salt, dtype=np.uint64)
        self.sets = np.zeros(3, dtype=np.uint32)
        _kernel._index(self.table, self.keys, self.salts, self.sets, self.kind, LIKE)

    def find(self, axis: int) -> tuple[int, set[int]]:
        key, (group,) = _find(self.table, self.keys, self.salts, np.uint64(axis), np.uint64(3 * SLOTS), self.kind, LIKE)
        return int(key), _members(group)

    def check(self, axis: int) -> None:
        """Keys of live rows are equal just where the factors are, and never 0."""
        keys, matrix = self.keys[axis * SLOTS :][:SLOTS], self.matrices[axis]
        live = len(matrix)
        assert not keys[live:].any()
        assert keys[:live].all()
        equal = (matrix[:, None] == matrix[None]).all(axis=2)
        assert np.array_equal(keys[:live, None] == keys[None, :live], equal)


def _members(group: Any) -> set[int]:
    return {row for row in range(SLOTS) if int(group) >> row & 1}


def _vectors(ring: str, entries: int, count: int, seed: int) -> NDArray[np.int64]:
    """Distinct normalised factors."""
    vectors = np.random.default_rng(seed).integers(0, RINGS[ring], (2 * count + 8, entries))
    vectors[:, 0] = 1
    vectors[::3, 0] = 0
    vectors[::3, 1] = 1
    unique = np.unique(vectors, axis=0)
    return np.random.default_rng(seed).permutation(unique)[:count]


@pytest.mark.parametrize(("ring", "entries"), LAYOUTS)
@settings(max_examples=60)
@given(salt=st.sampled_from(SALTS), rows=st.integers(1, SLOTS), few=st.booleans(), seed=st.integers(0, 2**32))
def test_groups_are_exact_under_any_salt(ring: str, entries: int, salt: int, rows: int, few: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pool = _vectors(ring, entries, 4 if few else 40, seed)
    picked = rng.integers(0, len(pool), (3, rows))
    axes = Axes(ring, [pool[numbers] for numbers in picked], pool[0], salt)
    for axis in range(3):
        axes.check(axis)
        counts = np.bincount(picked[axis], minlength=len(pool))
        assert _members(axes.sets[axis]) == set(np.flatnonzero(counts[picked[axis]] > 1).tolist())
        key, group = axes.find(axis)
        axes.check(axis)
        assert group == set(np.flatnonzero(picked[axis] == 0).tolist())
        assert key != 0
        assert (key in axes.keys[axis * SLOTS :][:SLOTS].tolist()) == bool(group)


def _hashed(ring: str, vectors: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Keys of factors as a walk begins."""
    width, words = layout(ring, vectors.shape[1])
    table = to_lanes(pack((vectors,) * 3, ring), ring, width, words)[0].astype(f"u{width // 8}").ravel()
    keys = np.zeros(len(vectors), dtype=np.uint16)
    _keys(Kind(ring, width, words), table, keys, np.uint64(_kernel.SALT))
    return keys


@cache
def _colliding(ring: str, entries: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct factors with the key 0, and distinct ones of which each shares its key with another."""
    vectors = _vectors(ring, entries, 60_000 if entries < 100 else 3000, 3)
    keys = _hashed(ring, vectors)
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    shared = np.flatnonzero((counts[inverse] > 1) & (keys != 0))
    order = shared[np.argsort(keys[shared], kind="stable")]
    return vectors[keys == 0], vectors[order[:12]]


def test_a_value_that_shares_its_key_with_another_row_gets_other_keys() -> None:
    for ring, entries in LAYOUTS:
        _, shared = _colliding(ring, entries)
        assert len(set(_hashed(ring, shared).tolist())) < len(shared)
        one, other = next(
            (shared[i], shared[i + 1]) for i in range(11) if len(set(_hashed(ring, shared[i : i + 2]))) == 1
        )
        axes = Axes(ring, [one[None]] * 3, other, _kernel.SALT)
        assert axes.keys[0] == _hashed(ring, one[None])[0]
        assert axes.salts[0] == _kernel.SALT
        key, group = axes.find(0)
        assert group == set()
        assert key not in (0, axes.keys[0])
        assert axes.salts[0] != _kernel.SALT
        assert axes.salts[1] == _kernel.SALT
        axes.check(0)


def test_a_value_with_the_key_of_dead_rows_gets_another() -> None:
    none, _ = _colliding("GF3", 16)
    assert len(none) >= 1
    axes = Axes("GF3", [_vectors("GF3", 16, 1, 9)] * 3, none[0], _kernel.SALT)
    key, group = axes.find(2)
    assert key != 0
    assert group == set()
    axes.check(2)
    Axes("GF3", [none[:1]] * 3, none[0], _kernel.SALT).check(0)


@pytest.mark.parametrize("seed", range(6))
def test_walks_with_colliding_keys_are_the_twins(seed: int) -> None:
    none, shared = _colliding("GF3", 16)
    pool = np.vstack([none[:2], shared])
    rng = np.random.default_rng(seed)
    start: Matrices = (pool[rng.integers(0, 6, 22)], pool[rng.integers(0, 8, 22)], pool[rng.integers(0, len(pool), 22)])
    same_as_twin(start, "GF3", seed, steps=150, idle=20, path=60, band=4)


@pytest.mark.parametrize("seed", range(3))
def test_many_long_factors_share_keys_by_chance_and_walk_as_the_twins(seed: int) -> None:
    # 120 values under 65536 keys: two of them share one in every tenth index, and an index is made at each reduction.
    rng = np.random.default_rng(seed)
    pool = rng.integers(0, 7, (100, 128))
    start = pool[rng.integers(0, 12, 120)], pool[rng.integers(0, 60, 120)], pool[rng.integers(0, 100, 120)]
    assert _slots(122) == 128
    same_as_twin(start, "GF7", seed, steps=40, idle=10, path=10, band=2)


def test_keys_have_more_bits_where_there_are_more_rows() -> None:
    # The kernel is compiled for both; the twin tests walk over them.
    from flipforge.flips._walk import _Table

    factors = pack((np.ones((2, 17), dtype=int),) * 3, "GF3")
    assert [_Table(factors, "GF3", slots).keys.dtype.itemsize for slots in (32, 128, 129, 1024)] == [2, 2, 4, 4]
    # Factors of 32 bits are their own keys among few rows.
    short = pack((np.ones((2, 9), dtype=int),) * 3, "GF3")
    assert [_Table(short, "GF3", slots).keys.dtype.itemsize for slots in (32, 64, 65)] == [4, 4, 2]
    assert all(_Table(factors, "GF3", slots).keys.ctypes.data % 64 == 0 for slots in (32, 129))


def _next_salt(axes: Axes, salt: int) -> int:
    axes.salts[0] = salt
    _kernel._rekey(axes.table, axes.keys, axes.salts, np.uint64(0), axes.kind, LIKE)
    return int(axes.salts[0])


def test_keys_are_made_again_until_they_differ() -> None:
    pool = _vectors("GF3", 16, 20, 4)
    lone = Axes("GF3", [pool[:1]] * 3, pool[0], _kernel.SALT)
    # Salts follow each other linearly: from two answers comes the one before 0, under which all keys are equal.
    add = _next_salt(lone, 0)
    factor = _next_salt(lone, 1) - add
    before = -add * pow(factor, -1, 1 << 64) % (1 << 64)
    many = Axes("GF3", [pool] * 3, pool[0], _kernel.SALT)
    assert _next_salt(many, before) == add
    many.check(0)
