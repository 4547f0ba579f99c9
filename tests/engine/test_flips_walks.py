"""What every walk must keep: the tensor, its budget, its record; and the arguments it refuses."""

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge.errors import InputError
from flipforge.flips import MAX_ROWS, RINGS, max_entries, pack, seed_words, walk, walk_version, warm
from walks import BANDS, PROBLEMS, ended, run, standard, tensor

EVERY_PROBLEM = [(ring, text) for ring, texts in PROBLEMS.items() for text in texts]


@pytest.mark.parametrize(("ring", "text"), EVERY_PROBLEM)
@settings(max_examples=4)
@given(idle=st.integers(1, 3000), path=st.integers(1, 20_000), seed=st.integers(0, 2**32))
def test_a_walk_keeps_the_tensor(ring: str, text: str, idle: int, path: int, seed: int) -> None:
    start = standard(text, ring)
    band = BANDS[ring]
    end = run(start, ring, seed, steps=30_000, idle=idle, path=path, band=band)
    assert end.rank <= len(start[0]) + band
    assert end.steps <= 30_000
    assert end.rank == end.factors.shape[1]
    u, v, w = ended(end, start, ring)
    assert all(matrix.any(axis=1).all() for matrix in (u, v, w))
    first = [matrix[np.arange(len(matrix)), (matrix != 0).argmax(axis=1)] for matrix in (u, v)]
    assert all((leads == 1).all() for leads in first)
    assert np.array_equal(tensor((u, v, w), ring), tensor(start, ring))


@pytest.mark.parametrize("ring", RINGS)
def test_the_budget_is_kept_to_the_step(ring: str) -> None:
    start = standard(PROBLEMS[ring][0], ring)
    for steps in (0, 1, 2, 999):
        end = run(start, ring, 3, steps=steps, idle=100, path=70, band=2)
        assert end.steps == steps
        assert end.flips + end.plus + end.splits + end.rejected == steps
        assert end.restarts == max(0, steps - 1) // 70


@pytest.mark.parametrize(
    ("ring", "text", "goal"),
    [
        ("GF2", "matmul:2x2x2", 7),
        ("GF2", "matmul:3x3x3", 23),
        ("GF3", "matmul:3x3x3", 23),
        ("GF5", "matmul:2x2x2", 7),
        ("ZT", "matmul:2x2x2", 7),
    ],
)
def test_the_walk_stops_at_its_goal(ring: str, text: str, goal: int) -> None:
    start = standard(text, ring)
    end = run(start, ring, 1, goal=goal, steps=5_000_000, path=1_000_000, idle=50_000, band=2)
    assert end.reached
    assert end.rank == end.factors.shape[1] == goal
    assert end.steps < 5_000_000
    assert np.array_equal(tensor(ended(end, start, ring), ring), tensor(start, ring))


def test_a_goal_that_is_met_at_the_start_costs_nothing() -> None:
    start = standard("matmul:2x2x2", "GF2")
    end = run(start, "GF2", 0, goal=8, steps=100, idle=10, band=0)
    assert (end.reached, end.steps) == (True, 0)
    assert np.array_equal(end.factors, pack(start, "GF2"))


def test_the_same_arguments_give_the_same_answer_and_are_left_alone() -> None:
    start, seed = pack(standard("matmul:3x3x3", "GF7"), "GF7"), seed_words(11, 2)
    before = start.copy(), seed.copy()
    how: dict[str, Any] = {"ring": "GF7", "goal": 0, "steps": 100_000, "idle": 1000, "path": 30_000, "band": 3}
    first, again = (walk(start, seed=seed, **how) for _ in range(2))
    other = walk(start, seed=seed_words(11, 3), **how)
    assert np.array_equal(first.factors, again.factors)
    assert not np.array_equal(first.factors, other.factors)
    assert np.array_equal(start, before[0])
    assert np.array_equal(seed, before[1])


def test_words_beyond_the_entries_change_nothing() -> None:
    # Lanes follow from the entries in use; the words that came go out again.
    for ring in ("GF2", "GF3", "GF7"):
        u, v, w = standard(PROBLEMS[ring][1], ring)
        wide = pack((np.pad(u, ((0, 0), (0, max_entries(ring) - u.shape[1]))), v, w), ring)
        narrow = pack((u, v, w), ring)
        ends = [
            walk(factors, ring=ring, goal=0, steps=5000, path=2000, idle=300, band=2, seed=seed_words(1))
            for factors in (narrow, wide)
        ]
        assert ends[1].factors.shape == (3, ends[0].rank, 8)
        moved = (0, 4) if ring == "GF3" else (0,)
        assert np.array_equal(ends[1].factors[:, :, moved], ends[0].factors)


RECORDED = {
    "GF2": ("gf2/2", "84368ce4ef0b894a"),
    "GF3": ("gf3/1", "7cf97a650cf832e4"),
    "GF5": ("gf5/1", "ed7d7155e19590eb"),
    "GF7": ("gf7/1", "b1336adfc23df7ba"),
    "ZT": ("zt/1", "bbe257aedcbe993f"),
}
"""Version and digest of three walks of 100,000 steps with restarts, over each ring."""


@pytest.mark.parametrize("ring", RINGS)
def test_recorded_walks_are_walked_again(ring: str) -> None:
    start = standard(PROBLEMS[ring][1], ring)
    digest = hashlib.sha256()
    for seed in range(3):
        end = run(start, ring, seed, steps=100_000, idle=2000, path=40_000, band=BANDS[ring])
        counts = (end.rank, end.steps, end.plus, end.splits, end.rejected, end.reductions, end.restarts, end.partnered)
        digest.update(repr(counts).encode() + end.factors.astype("<u8").tobytes())
    assert (walk_version(ring), digest.hexdigest()[:16]) == RECORDED[ring], (
        f"the walk over {ring} is another one than was recorded: raise its number in flips/_walk.py, record the digest "
        f"here, and make the committed schemes/ anew (or the change is a mistake)"
    )


@pytest.mark.parametrize("ring", RINGS)
def test_walk_versions_name_the_ring(ring: str) -> None:
    name, number = walk_version(ring).split("/")
    assert name == ring.lower()
    assert int(number) >= 1


def test_warm_compiles_what_a_walk_uses_and_takes_only_what_fits() -> None:
    for ring in RINGS:
        for entries in (0, max_entries(ring) + 1):
            with pytest.raises(
                InputError, match=f"factors over {ring} have 1 to {max_entries(ring)} entries"
            ) as caught:
                warm(ring, entries, 3)
            assert "\n" not in str(caught.value)
    from flipforge.flips import _kernel

    dispatcher: Any = _kernel.run
    warm("GF2", 16, 27, band=4)
    known = len(dispatcher.signatures)
    run(standard("matmul:3x3x3", "GF2"), "GF2", 0, steps=10, idle=10, band=4)
    assert len(dispatcher.signatures) == known


def _rings_refused(ask: Any) -> None:
    with pytest.raises(InputError, match="no walk over Z: use one of GF2, GF3, GF5, GF7, ZT") as caught:
        ask()
    assert "\n" not in str(caught.value)


def test_other_rings_are_refused_everywhere() -> None:
    _rings_refused(lambda: walk(np.ones((3, 2, 1), dtype=np.uint64), **(GOOD | {"ring": "Z"})))
    _rings_refused(lambda: walk_version("Z"))
    _rings_refused(lambda: warm("Z", 3, 3))


GOOD: dict[str, Any] = {"goal": 1, "steps": 1, "idle": 1, "band": 1, "seed": seed_words(0)}
ONES = np.ones((3, 2, 1), dtype=np.uint64)
HOLED = ONES.copy()
HOLED[1, 1] = 0


@pytest.mark.parametrize(
    ("factors", "changed", "message"),
    [
        (np.ones((3, 2), dtype=np.uint64), {}, "uint64 array of shape"),
        (np.ones((3, 2, 1), dtype=np.int64), {}, "uint64 array of shape"),
        ([[[1]], [[1]], [[1]]], {}, "uint64 array of shape"),
        (np.ones((2, 2, 1), dtype=np.uint64), {}, r"shape \(2, 2, 1\)"),
        (np.ones((3, 0, 1), dtype=np.uint64), {}, "at least one row"),
        (np.ones((3, 2, 9), dtype=np.uint64), {}, "1 to 512 entries over GF2"),
        (np.ones((3, 2, 3), dtype=np.uint64), {"ring": "GF3"}, "1 to 256 entries over GF3"),
        (np.ones((3, 2, 9), dtype=np.uint64), {"ring": "GF7"}, "1 to 128 entries over GF7"),
        (np.ones((3, MAX_ROWS, 1), dtype=np.uint64), {}, "1024 products and 1 by plus transitions: a walk holds 1024"),
        (HOLED, {}, "factor v of row 1 is zero"),
        (np.ones((3, 2, 2), dtype=np.uint64), {"ring": "ZT"}, "codes no element of ZT"),
        (np.full((3, 2, 1), 0x50, dtype=np.uint64), {"ring": "GF5"}, "codes no element of GF5"),
        (ONES, {"goal": -1}, "goal is -1"),
        (ONES, {"steps": -1}, "steps is -1"),
        (ONES, {"path": -1}, "path is -1"),
        (ONES, {"idle": 0}, "idle is 0"),
        (ONES, {"band": -1}, "band is -1"),
        (ONES, {"seed": np.zeros(4, dtype=np.uint64)}, "not all zero"),
        (ONES, {"seed": np.ones(3, dtype=np.uint64)}, "4 uint64 words"),
        (ONES, {"seed": [1, 2, 3, 4]}, "4 uint64 words"),
    ],
)
def test_wrong_arguments_are_refused(factors: Any, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        walk(factors, **(GOOD | changed))
    assert "\n" not in str(caught.value)
