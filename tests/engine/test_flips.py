"""The walk of the kernel, step for step beside its plain-Python twin."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge.flips import MAX_ROWS, RINGS, Walk, reference, seed_words
from walks import (
    BANDS,
    LAYOUTS,
    PROBLEMS,
    Layout,
    Masks,
    Matrices,
    coincident,
    ended,
    padded,
    run,
    same_as_twin,
    standard,
)

EVERY_PROBLEM = [(ring, text) for ring, texts in PROBLEMS.items() for text in texts]
SMALL = [layout for layout in LAYOUTS if layout.slots <= 64]


@pytest.mark.parametrize(("ring", "text"), EVERY_PROBLEM)
def test_the_kernel_walks_as_the_twin_does(ring: str, text: str) -> None:
    start = standard(text, ring)
    for seed, (idle, path) in enumerate(((5, 70), (40, 1000))):
        same_as_twin(start, ring, seed, steps=200, idle=idle, path=path, band=BANDS[ring])


def _drawn(data: st.DataObject, layout: Layout) -> tuple[Matrices, int]:
    """A start and a band that this layout serves."""
    few = data.draw(st.booleans()) if layout.slots > 64 else False
    most = min(layout.slots, layout.least + 30)
    rows = data.draw(st.integers(1, 20 if few or layout.slots < 64 else most))
    least = max(0, layout.least - rows)
    band = data.draw(st.integers(least, min(least + 4, layout.slots - rows)))
    dimension = data.draw(st.sampled_from([1, 2, 3, 4, 8]))
    return coincident(layout, rows, dimension, data.draw(st.integers(0, 2**32))), band


def _walks_alike(data: st.DataObject, layout: Layout, steps: int) -> Walk:
    start, band = _drawn(data, layout)
    how: dict[str, Any] = {
        "steps": data.draw(st.integers(0, steps)),
        "idle": data.draw(st.sampled_from([1, 3, 10, 30])),
        "path": data.draw(st.sampled_from([1, 7, 25, 1000])),
        "goal": data.draw(st.integers(0, 2)),
    }
    return same_as_twin(start, layout.ring, data.draw(st.integers(0, 2**32)), band=band, **how)


@pytest.mark.parametrize("layout", SMALL, ids=str)
@settings(max_examples=40)
@given(data=st.data())
def test_any_rows_walk_as_the_twin_does(layout: Layout, data: st.DataObject) -> None:
    _walks_alike(data, layout, 100)


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if 64 < layout.slots < MAX_ROWS], ids=str)
@settings(max_examples=8)
@given(data=st.data())
def test_many_rows_walk_as_the_twin_does(layout: Layout, data: st.DataObject) -> None:
    _walks_alike(data, layout, 25)


def test_the_most_rows_walk_as_the_twin_does() -> None:
    (layout,) = (layout for layout in LAYOUTS if layout.slots == MAX_ROWS)
    end = same_as_twin(coincident(layout, MAX_ROWS - 1, 6, 5), layout.ring, 2, steps=4, idle=2, band=1)
    assert (end.steps, end.plus + end.splits) == (4, 1)


def test_rows_beyond_the_first_block_are_filled_by_plus_transitions() -> None:
    (layout,) = (layout for layout in LAYOUTS if layout.slots == 128)
    start = coincident(layout, 3, 8, 1)
    end = same_as_twin(start, layout.ring, 1, steps=200, idle=1, band=100)
    assert end.rank > 64


@pytest.mark.parametrize(("ring", "text"), [("GF2", "matmul:2x2x2"), ("ZT", "group:C5"), ("GF7", "poly:4x5")])
def test_every_prefix_of_a_walk_is_the_twins(ring: str, text: str) -> None:
    for steps in range(50):
        same_as_twin(standard(text, ring), ring, 5, steps=steps, idle=6, path=37, band=2)


@pytest.mark.parametrize("ring", PROBLEMS)
def test_every_kind_of_step_is_seen(ring: str) -> None:
    # Without this the comparisons above might agree on walks in which nothing happens.
    layout = next(layout for layout in SMALL if layout.ring == ring)
    seen = dict.fromkeys(("flips", "plus", "splits", "rejected", "reductions", "restarts"), 0)
    for seed in range(6):
        band = max(3, layout.least - 12)
        end = same_as_twin(coincident(layout, 12, 3, seed), ring, seed, steps=150, idle=4, path=40, band=band)
        for name in seen:
            seen[name] += getattr(end, name)
    assert all(seen[name] for name in seen if name != "rejected"), seen
    assert (seen["rejected"] > 0) == (ring == "ZT")


def test_a_merge_that_the_integers_do_not_hold_is_rejected_and_counted() -> None:
    # Equal on u and v, and the sum of the w holds a 2: the only pair there is, in either order.
    u, v, w = [[1, 0], [1, 0]], [[1, 0], [1, 0]], [[1, 1, 0], [1, 0, 1]]
    start = np.array(u), np.array(v), np.array(w)
    end = same_as_twin(padded(start, "ZT"), "ZT", 0, steps=20, idle=100, band=0)
    assert (end.rejected, end.reductions, end.rank) == (20, 0, 2)
    assert same_as_twin(padded(start, "GF3"), "GF3", 0, goal=1, steps=20, idle=100, band=0).rank == 1


@pytest.mark.parametrize("layout", [each for each in SMALL if each.ring in ("GF2", "GF5", "ZT")], ids=str)
@settings(max_examples=30)
@given(data=st.data())
def test_a_walk_that_holds_coordinates_is_the_twins_and_holds_them(layout: Layout, data: st.DataObject) -> None:
    start, band = _drawn(data, layout)
    chance = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    u, v, w = (np.array(chance.random(matrix.shape[1]) < 0.6) for matrix in start)
    how: dict[str, Any] = {"steps": data.draw(st.integers(0, 100)), "idle": data.draw(st.sampled_from([1, 3, 30]))}
    end = same_as_twin(start, layout.ring, data.draw(st.integers(0, 2**32)), (u, v, w), band=band, **how)
    if not end.reductions:
        after = ended(end, start, layout.ring)
        assert _shown(after, (u, v, w), layout.ring) == _shown(start, (u, v, w), layout.ring)


def _shown(matrices: Matrices, kept: Masks, ring: str) -> Counter[bytes]:
    """What the products show of the coordinates: the outer product of each, those that vanish left out."""
    shown = (matrix[:, mask] for matrix, mask in zip(matrices, kept, strict=True))
    outer = np.einsum("ri,rj,rk->rijk", *shown)
    outer = outer % RINGS[ring] if RINGS[ring] else outer
    return Counter(product.tobytes() for product in outer if product.any())


@pytest.mark.parametrize(
    ("ring", "units"), [("GF2", (1, 1)), ("GF3", (1, 2)), ("GF5", (2, 3)), ("GF7", (3, 4)), ("ZT", (1, -1))]
)
def test_rows_that_cancel_go_both(ring: str, units: tuple[int, int]) -> None:
    u = v = np.array([[0, 1, 1], [0, 1, 1]])
    w = np.array([[1, 0, 1], [1, 0, 1]]) * np.array(units)[:, None]
    end = same_as_twin(padded((u, v, w), ring), ring, 0, steps=10, idle=10, band=0)
    assert (end.rank, end.reductions, end.reached, end.factors.shape[1]) == (0, 2, True, 0)


@pytest.mark.parametrize("ring", PROBLEMS)
def test_a_flip_that_makes_an_equal_row_is_reduced_in_the_same_step(ring: str) -> None:
    # Whichever rows are flipped on the common u, v of one may become that of another: the twin says when.
    u, v, w = (
        np.ones((4, 1), dtype=np.int64),
        np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]]),
        np.eye(4, dtype=int),
    )
    for axes in ((u, v, w), (v, w, u), (w, u, v), (u, w, v)):
        ends = [same_as_twin(padded(axes, ring), ring, seed, steps=1, idle=9, band=0) for seed in range(25)]
        assert {end.reductions for end in ends} == {0, 1}


@pytest.mark.parametrize("ring", PROBLEMS)
def test_rows_without_partners_end_at_once_or_go_up(ring: str) -> None:
    lone = padded([np.eye(3, dtype=np.int64)] * 3, ring)
    stuck = same_as_twin(lone, ring, 0, steps=100, idle=10, band=0)
    assert (stuck.steps, stuck.partnered, stuck.reached, stuck.restarts) == (0, 0, False, 0)
    moved = same_as_twin(lone, ring, 0, steps=100, idle=10, band=2)
    assert moved.plus + moved.splits >= 1
    assert moved.steps == 100


def test_a_walk_that_ends_without_partners_begins_again() -> None:
    # Two rows merge into one, which has no partner; the walk is not over, as the goal is not met.
    start = np.array([[1, 0], [1, 0]]), np.array([[1, 0], [1, 0]]), np.array([[1, 0], [0, 1]])
    end = same_as_twin(start, "GF2", 0, steps=5, idle=100, band=0)
    assert (end.steps, end.restarts, end.reductions) == (5, 4, 5)


def test_restarts_begin_from_the_start_and_forget_records() -> None:
    start = standard("matmul:2x2x2", "GF2")
    end = same_as_twin(start, "GF2", 3, steps=400, idle=30, path=90, band=2)
    assert end.restarts == 4
    at_once = run(start, "GF2", 3, steps=91, idle=30, path=90, band=2)
    assert (at_once.restarts, at_once.steps) == (1, 91)
    never = same_as_twin(start, "GF2", 3, steps=91, idle=30, path=0, band=2)
    assert (never.steps, never.restarts) == (0, 0)


@pytest.mark.parametrize("ring", ["GF3", "GF5", "GF7", "ZT"])
def test_units_of_the_start_move_into_w(ring: str) -> None:
    # Rows equal up to units are partners, and what is left has normalised u and v.
    layout = next(layout for layout in SMALL if layout.ring == ring)
    unit = -1 if ring == "ZT" else 2
    u, v, w = coincident(layout, 8, 2, 7)
    scaled: list[Any] = [matrix.copy() for matrix in (u, v, w)]
    for matrix, rows in zip(scaled, ([0, 1, 4], [1, 5], [0, 6]), strict=True):
        matrix[rows] *= unit
    prime = {"GF3": 3, "GF5": 5, "GF7": 7}.get(ring)
    start = tuple(matrix % prime if prime else matrix for matrix in scaled)
    for seed in range(4):
        same_as_twin((start[0], start[1], start[2]), ring, seed, steps=30, idle=8, band=max(2, layout.least - 8))


def test_the_generator_is_xoshiro256_plus_plus() -> None:
    # First outputs from the words 1, 2, 3, 4, as the reference C code of its authors prints them.
    drawn = reference.Generator([1, 2, 3, 4])
    assert [drawn.next() for _ in range(4)] == [41943041, 58720359, 3588806011781223, 3591011842654386]


def test_seed_words_depend_on_root_and_key() -> None:
    made = {tuple(seed_words(*key).tolist()) for key in ((1,), (2,), (1, 0), (1, 1), (1, 0, 0))}
    assert len(made) == 5
    assert all(any(words) for words in made)
