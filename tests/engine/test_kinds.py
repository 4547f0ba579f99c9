"""Arithmetic of factors in lanes against plain integers: every ring, every layout."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from flipforge.flips import RINGS, _kinds, pack, unpack
from flipforge.flips._kinds import Kind
from flipforge.flips._packing import from_lanes, layout, to_lanes

# One length for each layout: words of 16, 32 and 64 bits, two words (planes of one each over GF(3) and ZT), and eight.
LENGTHS = {
    "GF2": (16, 32, 64, 512),
    "GF3": (8, 16, 32, 64, 256),
    "GF5": (4, 8, 16, 128),
    "GF7": (4, 8, 16, 128),
    "ZT": (8, 16, 32, 64, 256),
}
KINDS = [(ring, entries) for ring, lengths in LENGTHS.items() for entries in lengths]


@numba.njit
def _each(x: Any, y: Any, scales: Any, out: Any, leads: Any, exist: Any, kind: Any) -> None:
    for number in range(scales.size):
        at = np.uint64(number)
        left, right = _kinds.load(kind, x, at), _kinds.load(kind, y, at)
        total, leads[number], exist[number] = _kinds.combine(kind, left, right, scales[number])
        _kinds.store(kind, out, at, total)


@numba.njit
def _tables(kind: Any, products: Any, quotients: Any, negatives: Any) -> None:
    count = _kinds.units(kind)
    for i in range(count):
        s = _kinds.unit(kind, np.uint64(i))
        negatives[i] = _kinds.negate(kind, s)
        for j in range(count):
            t = _kinds.unit(kind, np.uint64(j))
            products[i, j] = _kinds.times(kind, s, t)
            quotients[i, j] = _kinds.divide(kind, s, t)


@numba.njit
def _facts(kind: Any, x: Any, y: Any) -> Any:
    left, right = _kinds.load(kind, x, np.uint64(0)), _kinds.load(kind, y, np.uint64(0))
    return _kinds.same(left, right), _kinds.is_zero(left), _kinds.is_zero(_kinds.zero(kind)), _kinds.words(kind)


@numba.njit
def _keys(kind: Any, table: Any, out: Any, salt: Any) -> Any:
    for number in range(out.size):
        out[number] = _kinds.key_of(kind, out, _kinds.load(kind, table, np.uint64(number)), salt)
    return _kinds.is_own_key(kind, out)


@dataclass(frozen=True)
class Lanes:
    """Vectors of integers to lane words of a layout, and back."""

    ring: str
    entries: int

    @property
    def kind(self) -> Kind:
        return Kind(self.ring, *layout(self.ring, self.entries))

    def words(self, vectors: NDArray[np.int64]) -> NDArray[np.unsignedinteger]:
        packed = pack((vectors, vectors, vectors), self.ring)
        width, words = layout(self.ring, self.entries)
        lanes: NDArray[np.unsignedinteger] = to_lanes(packed, self.ring, width, words)[0].astype(f"u{width // 8}")
        return lanes.ravel()

    def vectors(self, words: NDArray[np.unsignedinteger], size: int) -> NDArray[np.int64]:
        kept = np.stack([words.reshape(-1, self.kind.words)] * 3)
        return unpack(from_lanes(kept, self.ring, size), (self.entries,) * 3, self.ring)[0].astype(np.int64)


def _values(ring: str) -> list[int]:
    return list(range(RINGS[ring])) or [-1, 0, 1]


def _units(ring: str) -> list[int]:
    """The units in the order in which they are counted."""
    return {"GF2": [1], "GF3": [1, 2], "ZT": [1, -1]}.get(ring) or list(range(1, RINGS[ring]))


def _codes(ring: str) -> dict[int, int]:
    """Unit to code."""
    return {unit: number + (RINGS[ring] > 3) for number, unit in enumerate(_units(ring))}


def _samples(ring: str, entries: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Every pair of entries under every unit, before and after zeros and other entries, at both ends and between."""
    rng = np.random.default_rng(entries)
    # Two entries of x and of y in all ways, at two places: they decide which one leads.
    cases = list(product(*[_values(ring)] * 4, _units(ring)))
    if len(cases) > 6000:
        cases = [cases[number] for number in rng.choice(len(cases), 6000, replace=False)]
    grid = np.array(cases)
    # Most places are random; the first ones take the two ends, and the seam between words or planes.
    places = np.sort(np.array([rng.choice(entries, 2, replace=False) for _ in cases]), axis=1)
    places[: len(cases) // 4] = (0, entries - 1)
    x, y = np.zeros((len(cases), entries), dtype=np.int64), np.zeros((len(cases), entries), dtype=np.int64)
    every = np.arange(len(cases))
    for place in range(2):
        x[every, places[:, place]], y[every, places[:, place]] = grid[:, place], grid[:, 2 + place]
    dense_x, dense_y = (rng.choice(_values(ring), (400, entries)) for _ in range(2))
    if ring == "ZT":
        # Dense random sums hardly ever exist: half of these have disjoint supports.
        dense_y[::2] *= dense_x[::2] == 0
    scales = np.concatenate([grid[:, 4], rng.choice(_units(ring), 400)])
    return np.vstack([x, dense_x]), np.vstack([y, dense_y]), scales


@pytest.mark.parametrize(("ring", "entries"), KINDS)
def test_combine_is_the_normalised_sum(ring: str, entries: int) -> None:
    lanes, prime, codes = Lanes(ring, entries), RINGS[ring], _codes(ring)
    x, y, scales = _samples(ring, entries)
    out = np.zeros_like(lanes.words(x))
    leads, exist = np.zeros(len(x), dtype=np.uint64), np.zeros(len(x), dtype=np.bool_)
    coded = np.array([codes[int(scale)] for scale in scales], dtype=np.uint64)
    _each(lanes.words(x), lanes.words(y), coded, out, leads, exist, lanes.kind)
    total = x + scales[:, None] * y
    total = total % prime if prime else total
    held = np.ones(len(x), dtype=bool) if prime else (np.abs(total) <= 1).all(axis=1)
    assert np.array_equal(exist, held)
    assert held.any()
    assert held.all() == (ring != "ZT")
    first = np.where(total.any(axis=1), total[np.arange(len(x)), (total != 0).argmax(axis=1)], 1)
    inverse = np.array([pow(int(lead), -1, prime) if prime else int(lead) for lead in first * held + ~held])
    want = total * inverse[:, None]
    found = lanes.vectors(out, pack((x, x, x), ring).shape[2])
    assert np.array_equal(found[held], (want % prime if prime else want)[held])
    assert leads[held].tolist() == [codes[int(lead)] for lead in first[held]]


@pytest.mark.parametrize(("ring", "entries"), [(ring, lengths[-1]) for ring, lengths in LENGTHS.items()])
def test_units_multiply_divide_and_change_sign(ring: str, entries: int) -> None:
    prime, units, codes = RINGS[ring], _units(ring), _codes(ring)
    products, quotients = (np.zeros((len(units), len(units)), dtype=np.uint64) for _ in range(2))
    negatives = np.zeros(len(units), dtype=np.uint64)
    _tables(Lanes(ring, entries).kind, products, quotients, negatives)

    def code(value: int) -> int:
        return codes[value % prime if prime else value]

    for i, s in enumerate(units):
        assert negatives[i] == code(-s)
        for j, t in enumerate(units):
            assert products[i, j] == code(s * t)
            assert quotients[i, j] == code(s * pow(t, -1, prime) if prime else s * t)


@pytest.mark.parametrize(("ring", "entries"), [("GF2", 512), ("GF3", 64), ("GF5", 8)])
def test_factors_are_compared_in_every_word(ring: str, entries: int) -> None:
    lanes = Lanes(ring, entries)
    kind = lanes.kind
    none = lanes.words(np.zeros((1, entries), dtype=np.int64))
    assert _facts(kind, none, none) == (True, True, True, kind.words)
    for place in range(0, entries, 5):
        one = np.zeros((1, entries), dtype=np.int64)
        one[0, place] = RINGS[ring] - 1
        assert _facts(kind, lanes.words(one), none) == (False, False, True, kind.words)
        assert _facts(kind, none, lanes.words(one))[0] is False
        assert _facts(kind, lanes.words(one), lanes.words(one))[0] is True


@pytest.mark.parametrize(
    ("ring", "entries", "bits", "own"),
    [
        ("GF2", 16, 16, True),
        ("GF2", 16, 32, True),
        ("GF5", 8, 32, True),
        ("GF3", 16, 16, False),
        ("GF7", 16, 32, False),
        ("ZT", 64, 16, False),
        ("GF2", 512, 32, False),
    ],
)
def test_keys_are_the_factors_where_they_fit_and_else_spread(ring: str, entries: int, bits: int, own: bool) -> None:
    from flipforge.flips._kernel import SALT

    lanes = Lanes(ring, entries)
    vectors = np.random.default_rng(1).choice(_values(ring), (1000, entries))
    # The last ones differ in one entry only, each in another.
    vectors[-entries:] = vectors[-1]
    vectors[-entries:][np.eye(entries, dtype=bool)] = vectors[-1] == 0
    table = lanes.words(np.unique(vectors, axis=0))
    count = table.size // lanes.kind.words
    keys, others = (np.zeros(count, dtype=f"u{bits // 8}") for _ in range(2))
    assert _keys(lanes.kind, table, keys, np.uint64(SALT)) is own
    _keys(lanes.kind, table, others, np.uint64(SALT * 3 & (1 << 64) - 1))
    assert np.array_equal(keys, others) is own
    if own:
        assert np.array_equal(keys, table)
    else:
        # By chance two of n values share a key of b bits in about n^2 / 2^(b + 1) pairs.
        assert count - len(np.unique(keys)) <= 3 * count * count / 2 ** (bits + 1) + 1
