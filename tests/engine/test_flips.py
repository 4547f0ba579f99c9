"""The walk: both kernels against the plain-Python twin, and what every walk must keep."""

from functools import cache
from itertools import product
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from flipforge.errors import InputError
from flipforge.flips import MAX_BITS, Walk, reference, seed_words, walk, warm

Factors = NDArray[np.uint64]
Kernel = Literal["mask", "wide"]
KERNELS: tuple[Kernel, ...] = ("mask", "wide")


@cache
def standard(n: int, m: int, p: int) -> Factors:
    """The standard algorithm of n x m times m x p, row-major."""
    words = -(-max(n * m, m * p, n * p) // 64)
    factors = np.zeros((3, n * m * p, words), dtype=np.uint64)
    for row, (i, j, k) in enumerate(product(range(n), range(m), range(p))):
        for axis, bit in enumerate((i * m + j, j * p + k, i * p + k)):
            factors[axis, row, bit // 64] = np.uint64(1 << bit % 64)
    factors.setflags(write=False)
    return factors


def rows(factors: Factors) -> list[tuple[int, int, int]]:
    whole = [[sum(int(word) << 64 * k for k, word in enumerate(row)) for row in axis] for axis in factors]
    return list(zip(*whole, strict=True))


def tensor(factors: Factors) -> NDArray[np.uint8]:
    """The dense tensor mod 2, by a plain sum of outer products."""
    u, v, w = (np.unpackbits(axis.view(np.uint8), axis=1, bitorder="little").astype(np.int64) for axis in factors)
    total: NDArray[np.int64] = np.einsum("ri,rj,rk->ijk", u, v, w, optimize=True)
    return (total % 2).astype(np.uint8)


def same_as_twin(factors: Factors, kernel: Kernel | None, seed: int, **how: int) -> Walk:
    words = seed_words(seed)
    got = walk(
        factors, seed=words, kernel=kernel, goal=how["goal"], steps=how["steps"], idle=how["idle"], band=how["band"]
    )
    want = reference.walk(
        rows(factors),
        seed=[int(x) for x in words],
        goal=how["goal"],
        steps=how["steps"],
        idle=how["idle"],
        band=how["band"],
    )
    assert rows(got.factors) == want.rows
    counts = (got.rank, got.steps, got.plus, got.reductions, got.reached, got.partnered)
    assert counts == (len(want.rows), want.steps, want.plus, want.reductions, want.reached, want.partnered)
    assert got.flips == got.steps - got.plus
    return got


# Lanes of 16, 32 and 64 bits; one block of 32 and one to four of 64 rows.
MASK_CASES = [
    ((1, 1, 1), 50, 5, 3),
    ((2, 2, 2), 900, 9, 4),
    ((2, 3, 4), 900, 60, 2),
    ((3, 3, 3), 900, 1, 4),
    ((4, 4, 4), 400, 100, 8),
    ((3, 4, 6), 300, 20, 3),
    ((1, 6, 6), 200, 10, 3),
    ((5, 5, 5), 100, 30, 5),
    ((6, 6, 6), 40, 10, 2),
]
WIDE_CASES = [
    ((9, 8, 2), 120, 30, 2),
    ((1, 1, 65), 200, 5, 2),
    ((3, 43, 3), 30, 5, 1),
    ((16, 1, 16), 60, 9, 2),
    ((7, 7, 7), 30, 9, 2),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("size", "steps", "idle", "band"), MASK_CASES)
def test_both_kernels_walk_as_the_twin_does(
    size: tuple[int, int, int], steps: int, idle: int, band: int, kernel: Kernel, seed: int
) -> None:
    same_as_twin(standard(*size), kernel, seed, goal=0, steps=steps, idle=idle, band=band)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("size", "steps", "idle", "band"), WIDE_CASES)
def test_long_factors_and_many_rows_walk_as_the_twin_does(
    size: tuple[int, int, int], steps: int, idle: int, band: int, seed: int
) -> None:
    same_as_twin(standard(*size), None, seed, goal=0, steps=steps, idle=idle, band=band)


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_prefix_of_a_walk_is_the_twins(kernel: Kernel) -> None:
    for steps in range(120):
        same_as_twin(standard(2, 2, 2), kernel, 5, goal=0, steps=steps, idle=6, band=3)


@st.composite
def schemes(draw: st.DrawFn) -> Factors:
    """Random rows, often equal on some axis: duplicates, cancelling rows and merges included."""
    bits = draw(st.sampled_from([2, 3, 16, 17, 33, 64, 65, 130, 256]))
    pool = draw(st.lists(st.integers(1, 2**bits - 1), min_size=2, max_size=5))
    picked = draw(st.lists(st.tuples(*[st.sampled_from(pool)] * 3), min_size=1, max_size=40))
    factors = np.zeros((3, len(picked), -(-bits // 64)), dtype=np.uint64)
    for row, triple in enumerate(picked):
        for axis, factor in enumerate(triple):
            for word in range(factors.shape[2]):
                factors[axis, row, word] = np.uint64(factor >> 64 * word & (2**64 - 1))
    return factors


@settings(deadline=None, max_examples=150)
@given(schemes(), st.integers(0, 60), st.integers(1, 20), st.integers(0, 4), st.integers(0, 3), st.integers(0, 2**32))
def test_any_scheme_walks_as_the_twin_does_and_keeps_its_sum(
    factors: Factors, steps: int, idle: int, band: int, goal: int, seed: int
) -> None:
    narrow = not factors[:, :, 1:].any()
    for kernel in KERNELS if narrow else (None,):
        end = same_as_twin(factors, kernel, seed, goal=goal, steps=steps, idle=idle, band=band)
        assert end.factors.any(axis=2).all()
        if factors.shape[2] == 1:
            assert _xor_of_products(end.factors) == _xor_of_products(factors)


def _xor_of_products(factors: Factors) -> dict[tuple[int, int], int]:
    """The sum as a map from (bit of u, bit of v) to w, zeros left out."""
    total: dict[tuple[int, int], int] = {}
    for u, v, w in rows(factors):
        for i, j in product(range(u.bit_length()), range(v.bit_length())):
            if u >> i & 1 and v >> j & 1:
                total[i, j] = total.get((i, j), 0) ^ w
    return {place: w for place, w in total.items() if w}


@settings(deadline=None, max_examples=25)
@given(st.tuples(*[st.integers(1, 4)] * 3), st.integers(1, 3000), st.integers(0, 4), st.integers(0, 2**32))
def test_a_walk_keeps_the_tensor(size: tuple[int, int, int], idle: int, band: int, seed: int) -> None:
    start = standard(*size)
    end = walk(start, goal=0, steps=20_000, idle=idle, band=band, seed=seed_words(seed))
    assert np.array_equal(tensor(end.factors), tensor(start))
    assert end.rank <= start.shape[1] + band
    assert end.steps <= 20_000


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_budget_is_kept_to_the_step(kernel: Kernel) -> None:
    for steps in (0, 1, 2, 999):
        end = walk(standard(3, 3, 3), goal=0, steps=steps, idle=100, band=2, seed=seed_words(3), kernel=kernel)
        assert (end.steps, end.flips + end.plus) == (steps, steps)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("size", "goal"), [((2, 2, 2), 7), ((3, 3, 3), 23), ((2, 3, 4), 20)])
def test_the_walk_stops_at_its_goal(size: tuple[int, int, int], goal: int, kernel: Kernel) -> None:
    start = standard(*size)
    end = walk(start, goal=goal, steps=20_000_000, idle=50_000, band=2, seed=seed_words(1), kernel=kernel)
    assert end.reached
    assert end.rank == end.factors.shape[1] == goal
    assert end.steps < 20_000_000
    assert np.array_equal(tensor(end.factors), tensor(start))


def test_a_goal_that_is_met_at_the_start_costs_nothing() -> None:
    start = standard(2, 2, 2)
    end = walk(start, goal=8, steps=100, idle=10, band=0, seed=seed_words(0))
    assert end.reached
    assert end.steps == 0
    assert np.array_equal(end.factors, start)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_scheme_without_flips_ends_at_once_or_goes_up(kernel: Kernel) -> None:
    lone = np.array([[[1], [2], [4]], [[1], [2], [4]], [[1], [2], [4]]], dtype=np.uint64)
    stuck = walk(lone, goal=0, steps=100, idle=10, band=0, seed=seed_words(0), kernel=kernel)
    assert (stuck.steps, stuck.partnered, stuck.reached) == (0, 0, False)
    moved = same_as_twin(lone, kernel, 0, goal=0, steps=100, idle=10, band=1)
    assert moved.plus >= 1
    assert moved.steps == 100


@pytest.mark.parametrize("kernel", KERNELS)
def test_equal_rows_cancel(kernel: Kernel) -> None:
    twice = np.ones((3, 2, 1), dtype=np.uint64)
    end = walk(twice, goal=0, steps=10, idle=10, band=0, seed=seed_words(0), kernel=kernel)
    assert (end.rank, end.reductions, end.reached, end.factors.shape) == (0, 2, True, (3, 0, 1))


def test_the_same_arguments_give_the_same_answer_and_are_left_alone() -> None:
    start, seed = standard(4, 4, 4).copy(), seed_words(11, 2)
    before = start.copy(), seed.copy()
    first, again = (walk(start, goal=0, steps=200_000, idle=1000, band=3, seed=seed) for _ in range(2))
    other = walk(start, goal=0, steps=200_000, idle=1000, band=3, seed=seed_words(11, 3))
    assert np.array_equal(first.factors, again.factors)
    assert not np.array_equal(first.factors, other.factors)
    assert np.array_equal(start, before[0])
    assert np.array_equal(seed, before[1])


def test_a_long_walk_of_the_kernels_is_one_walk() -> None:
    ends = [
        walk(standard(4, 4, 4), goal=0, steps=300_000, idle=500, band=3, seed=seed_words(4), kernel=k) for k in KERNELS
    ]
    assert np.array_equal(ends[0].factors, ends[1].factors)
    assert (ends[0].plus, ends[0].reductions) == (ends[1].plus, ends[1].reductions)
    assert ends[0].reductions > 3


def test_the_generator_is_xoshiro256_plus_plus() -> None:
    # First outputs from the words 1, 2, 3, 4, as the reference C code of its authors prints them.
    drawn = reference.Generator([1, 2, 3, 4])
    assert [drawn.next() for _ in range(4)] == [41943041, 58720359, 3588806011781223, 3591011842654386]


def test_seed_words_depend_on_root_and_key() -> None:
    made = {tuple(seed_words(*key).tolist()) for key in ((1,), (2,), (1, 0), (1, 1), (1, 0, 0))}
    assert len(made) == 5
    assert all(any(words) for words in made)


def test_warm_takes_every_size() -> None:
    for bits, rank in ((1, 1), (64, 3), (MAX_BITS, 2)):
        warm(bits, rank, band=1)
    with pytest.raises(InputError, match="1 to 256 entries"):
        warm(MAX_BITS + 1, 3)


GOOD: dict[str, Any] = {"goal": 1, "steps": 1, "idle": 1, "band": 1, "seed": seed_words(0)}


@pytest.mark.parametrize(
    ("factors", "changed", "message"),
    [
        (np.ones((3, 2), dtype=np.uint64), {}, "uint64 array of shape"),
        (np.ones((3, 2, 1), dtype=np.int64), {}, "uint64 array of shape"),
        ([[[1]], [[1]], [[1]]], {}, "uint64 array of shape"),
        (np.ones((2, 2, 1), dtype=np.uint64), {}, r"shape \(2, 2, 1\)"),
        (np.ones((3, 0, 1), dtype=np.uint64), {}, "at least one row"),
        (np.ones((3, 2, 5), dtype=np.uint64), {}, "1 to 4 words"),
        (np.array([[[1], [1]], [[1], [0]], [[1], [1]]], dtype=np.uint64), {}, "factor v of row 1 is zero"),
        (standard(2, 2, 2), {"goal": -1}, "goal is -1"),
        (standard(2, 2, 2), {"steps": -1}, "steps is -1"),
        (standard(2, 2, 2), {"idle": 0}, "idle is 0"),
        (standard(2, 2, 2), {"band": -1}, "band is -1"),
        (standard(2, 2, 2), {"seed": np.zeros(4, dtype=np.uint64)}, "not all zero"),
        (standard(2, 2, 2), {"seed": np.ones(3, dtype=np.uint64)}, "4 uint64 words"),
        (standard(9, 8, 1), {"kernel": "mask"}, "no room for"),
    ],
)
def test_wrong_arguments_are_refused(factors: Any, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        walk(factors, **(GOOD | changed))
    assert "\n" not in str(caught.value)
