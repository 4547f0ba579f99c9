"""Packed factors: there and back, and what is refused."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge.errors import InputError
from flipforge.flips import RINGS, entries_of, max_entries, pack, packed_words, unpack
from flipforge.flips._packing import from_lanes, layout, to_lanes
from flipforge.flips._walk import _entries

SIZES = (1, 4, 5, 8, 9, 16, 17, 32, 33, 64, 65, 128)


def _elements(ring: str) -> list[int]:
    return list(range(RINGS[ring])) or [-1, 0, 1]


@pytest.mark.parametrize("ring", RINGS)
@settings(max_examples=30)
@given(sizes=st.tuples(*[st.sampled_from(SIZES)] * 3), rank=st.integers(0, 5), seed=st.integers(0, 2**32))
def test_what_is_packed_is_unpacked(ring: str, sizes: tuple[int, int, int], rank: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrices = [rng.choice(_elements(ring), (rank, size)) for size in sizes]
    packed = pack(matrices, ring)
    assert packed.dtype == np.uint64
    assert packed.shape == (3, rank, packed_words(ring, max(sizes)))
    for matrix, back, axis in zip(matrices, unpack(packed, sizes, ring), packed, strict=True):
        assert back.dtype == np.int8
        assert np.array_equal(back, matrix)
        assert np.array_equal(entries_of(axis, matrix.shape[1], ring), matrix)


@pytest.mark.parametrize(
    ("ring", "row", "words"),
    [
        ("GF2", [1, 0, 1], [0b101]),
        ("GF2", [0] * 64 + [1], [0, 1]),
        ("GF3", [1, 2, 0, 1], [0b1001, 0b0010]),
        ("ZT", [1, -1, 0, 1], [0b1001, 0b0010]),
        ("ZT", [-1] + [0] * 64 + [1], [0, 0b10, 1, 0]),
        ("GF5", [1, 4, 0, 3], [0x3041]),
        ("GF7", [0] * 16 + [6, 5], [0, 0x56]),
    ],
)
def test_words_are_laid_out_as_documented(ring: str, row: list[int], words: list[int]) -> None:
    assert pack(([row], [row], [row]), ring).tolist() == [[words]] * 3


@pytest.mark.parametrize("ring", RINGS)
def test_lanes_hold_factors_of_every_length(ring: str) -> None:
    longest = max_entries(ring)
    rng = np.random.default_rng(longest)
    for entries in {1, 2, 4, 5, 8, 9, 16, 17, 32, 33, 64, 65, 100, longest} & set(range(1, longest + 1)):
        width, words = layout(ring, entries)
        assert (words == 1) or (width == 64 and words <= 8)
        matrices = [rng.choice(_elements(ring), (7, entries)) for _ in range(3)]
        matrices[1][:, -1] = 1
        packed = pack(matrices, ring)
        assert _entries(packed, ring) == entries
        lanes = to_lanes(packed, ring, width, words)
        assert lanes.shape == (3, 7, words)
        assert int(lanes.max()) < 1 << width
        assert np.array_equal(from_lanes(lanes.astype(f"u{width // 8}"), ring, packed.shape[2]), packed)


def test_shorter_factors_take_narrower_lanes() -> None:
    found = {ring: [layout(ring, n) for n in (4, 8, 16, 32, 64)] for ring in RINGS}
    signed = [(16, 1), (16, 1), (32, 1), (64, 1), (64, 2)]
    nibbles = [(16, 1), (32, 1), (64, 1), (64, 2), (64, 4)]
    assert found == {
        "GF2": [(16, 1), (16, 1), (16, 1), (32, 1), (64, 1)],
        "GF3": signed,
        "ZT": signed,
        "GF5": nibbles,
        "GF7": nibbles,
    }
    assert {ring: max_entries(ring) for ring in RINGS} == {"GF2": 512, "GF3": 256, "GF5": 128, "GF7": 128, "ZT": 256}


ONE = np.ones((2, 3), dtype=int)


@pytest.mark.parametrize(
    ("factors", "ring", "message"),
    [
        ((ONE, ONE, ONE), "GF4", "no walk over GF4: use one of GF2, GF3, GF5, GF7, ZT"),
        ((ONE, ONE), "GF2", "give three matrices of equal rank"),
        ((ONE, ONE, ONE[:1]), "GF2", "give three matrices of equal rank"),
        ((ONE, ONE, ONE[0]), "GF2", "give three matrices of equal rank"),
        ((ONE, ONE, 2 * ONE), "GF2", "factors over GF2 have entries from 0 to 1"),
        ((ONE, -ONE, ONE), "GF3", "factors over GF3 have entries from 0 to 2"),
        ((ONE, 5 * ONE, ONE), "GF5", "factors over GF5 have entries from 0 to 4"),
        ((7 * ONE, ONE, ONE), "GF7", "factors over GF7 have entries from 0 to 6"),
        ((ONE, 2 * ONE, ONE), "ZT", "factors over ZT have entries from -1 to 1"),
        ((ONE, ONE, -2 * ONE), "ZT", "factors over ZT have entries from -1 to 1"),
    ],
)
def test_what_cannot_be_packed_is_refused(factors: Any, ring: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        pack(factors, ring)
    assert "\n" not in str(caught.value)


def test_no_other_ring_has_words() -> None:
    for ask in (
        lambda: max_entries("Q"),
        lambda: packed_words("Q", 3),
        lambda: unpack(pack((ONE,) * 3, "GF2"), (3,) * 3, "Q"),
    ):
        with pytest.raises(InputError, match="no walk over Q"):
            ask()
