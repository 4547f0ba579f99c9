"""Sandwiching and the orbit key: what they keep, on matrix products and on structured ones."""

from collections import Counter
from hashlib import blake2b
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from flipforge.errors import InputError
from flipforge.flips import (
    Automorphism,
    elementary_automorphisms,
    fixes,
    matmul_automorphism,
    orbit_invariant,
    random_automorphism,
    random_sandwich,
    sandwiched,
    sparse_sandwich,
    structured_automorphism,
    structured_automorphisms,
)
from flipforge.problems import Problem, matmul, tensor_problem
from flipforge.rings import GF2, GF3, GF5, GF7, ZT
from flipforge.schemes import Scheme, standard_scheme
from oracle import oracle
from strategies import equivalents, schemes

Factors = tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int8]]
Spaces = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

MODULI = (2, 3, 5, 7, 0)
WALKED = (GF2, GF3, GF5, GF7, ZT)
SEEDS = st.integers(0, 2**32 - 1)


def arrays(scheme: Scheme) -> Factors:
    u, v, w = (np.array(rows, dtype=np.int8) for rows in (scheme.u, scheme.v, scheme.w))
    return u, v, w


def valid(problem: Problem, factors: Factors, p: int) -> bool:
    """Whether the factors are a scheme of the problem over the ring; entries outside the ring raise."""
    ring = next(ring for ring in WALKED if ring.characteristic == p)
    u, v, w = (tuple(map(tuple, factor.tolist())) for factor in factors)
    return oracle(Scheme(problem, ring, u, v, w))


def nonzeros(factors: Factors) -> int:
    return sum(int((factor != 0).sum()) for factor in factors)


def formats(problem: Problem) -> tuple[tuple[int, int], ...]:
    n, m, k = problem.dims
    return (n, m), (m, k), (n, k)


def same(one: Factors, other: Factors) -> bool:
    return all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


# Structured operands as a helper of ours: the matrices of the coordinates, in the order of the problem strings.


def space(code: str, n: int) -> NDArray[np.int64]:
    def unit(*entries: tuple[int, int, int]) -> NDArray[np.int64]:
        matrix = np.zeros((n, n), np.int64)
        for i, j, value in entries:
            matrix[i, j] = value
        return matrix

    pairs = [(i, j) for i in range(n) for j in range(n)]
    upper = [(i, j) for i, j in pairs if i <= j]
    made = {
        "g": [unit((i, j, 1)) for i, j in pairs],
        "u": [unit((i, j, 1)) for i, j in upper],
        "s": [unit((i, j, 1), (j, i, 1)) for i, j in upper],
        "k": [unit((i, j, 1), (j, i, -1)) for i, j in upper if i < j],
    }
    return np.array(made[code])


def structured(codes: str, n: int) -> tuple[Spaces, Problem]:
    """The product of two structured matrices with its output, and its tensor by multiplying out."""
    left, right, out = (space(code, n) for code in codes)
    entries: dict[tuple[int, int, int], int] = {}
    for i, j, k in product(*map(range, map(len, (left, right, out)))):
        # Each coordinate of the spaces has an entry of its own, the first nonzero one of its matrix.
        row, column = (int(x[0]) for x in np.nonzero(out[k]))
        if value := int((left[i] @ right[j])[row, column]):
            entries[i, j, k] = value
    shape = (len(left), len(right), len(out))
    labels: Any = tuple(tuple(f"{letter}{i}" for i in range(size)) for letter, size in zip("abc", shape, strict=True))
    problem = Problem(f"structured:{codes}:{n}", "structured", shape, shape, tuple(sorted(entries.items())), labels)
    return (left, right, out), problem


@given(schemes(rings=WALKED), SEEDS)
def test_a_random_sandwich_is_a_scheme(scheme: Scheme, seed: int) -> None:
    p = scheme.ring.characteristic
    moves = elementary_automorphisms(scheme.problem, p)
    got = random_sandwich(*arrays(scheme), p, moves, np.random.default_rng(seed))
    assert valid(scheme.problem, got, p)
    assert same(got, random_sandwich(*arrays(scheme), p, moves, np.random.default_rng(seed)))


@given(schemes(rings=WALKED[:4]), SEEDS)
def test_a_random_automorphism_fixes_the_tensor(scheme: Scheme, seed: int) -> None:
    p = scheme.ring.characteristic
    automorphism = random_automorphism(scheme.problem, p, np.random.default_rng(seed))
    assert automorphism is not None
    assert fixes(scheme.problem, automorphism, p)
    got = sandwiched(*arrays(scheme), automorphism, p)
    assert got is not None
    assert valid(scheme.problem, got, p)


def test_random_automorphisms_are_uniform() -> None:
    # GL(2, 2) has 6 elements and GL(1, 2) one: X alone is drawn here.
    rng = np.random.default_rng(1)
    seen: Counter[bytes] = Counter()
    for _ in range(600):
        drawn = random_automorphism(matmul(2, 1, 1), 2, rng)
        assert drawn is not None
        seen[drawn.a.tobytes()] += 1
    assert len(seen) == 6
    assert min(seen.values()) > 60


@settings(max_examples=30)
@given(schemes(rings=WALKED), SEEDS)
def test_a_sparse_sandwich_is_a_scheme_with_no_more_nonzeros(scheme: Scheme, seed: int) -> None:
    p = scheme.ring.characteristic
    moves = elementary_automorphisms(scheme.problem, p)
    before = random_sandwich(*arrays(scheme), p, moves, np.random.default_rng(seed))
    got = sparse_sandwich(*before, p, moves, np.random.default_rng(seed))
    assert valid(scheme.problem, got, p)
    assert nonzeros(got) <= nonzeros(before)
    # A local optimum: no move lowers it.
    results = [sandwiched(*got, move, p) for move in moves]
    assert all(result is None or nonzeros(result) >= nonzeros(got) for result in results)
    assert same(got, sparse_sandwich(*before, p, moves, np.random.default_rng(seed)))
    assert same(before, sparse_sandwich(*before, p, moves, np.random.default_rng(seed), trials=0))


@pytest.mark.parametrize("p", MODULI)
def test_a_sparse_sandwich_undoes_a_shear(p: int) -> None:
    ring = next(ring for ring in WALKED if ring.characteristic == p)
    plain = arrays(standard_scheme(matmul(3, 3, 3), ring))
    moves = elementary_automorphisms(matmul(3, 3, 3), p)
    for move in moves:
        dense = sandwiched(*plain, move, p)
        assert dense is not None
        assert nonzeros(dense) > nonzeros(plain)
        assert nonzeros(sparse_sandwich(*dense, p, moves, np.random.default_rng(0))) == nonzeros(plain)


@pytest.mark.parametrize("p", MODULI)
def test_elementary_automorphisms_fix_the_tensor(p: int) -> None:
    problem = matmul(2, 3, 1)
    moves = elementary_automorphisms(problem, p)
    assert len(moves) == (2 + 6) * (p - 1 if p else 2)
    assert all(fixes(problem, move, p) for move in moves)
    one, two, three = (np.eye(size, dtype=np.int64) for size in problem.shape)
    assert fixes(problem, Automorphism(one, two, three), p)
    assert not fixes(problem, Automorphism(one[::-1], two, three), p)
    assert not fixes(problem, Automorphism(one, two, one), p)


def test_ternary_results_only() -> None:
    one = np.eye(1, dtype=np.int64)
    move = matmul_automorphism(np.array([[1, 1], [0, 1]]), one, one, 0)
    u, v, w = np.array([[1, 1]], np.int8), np.array([[1]], np.int8), np.array([[1, -1]], np.int8)
    assert sandwiched(u, v, w, move, 0) is None
    assert sandwiched(u, v, w, move, 3) is not None


def test_unknown_kinds_have_no_automorphisms() -> None:
    problem = tensor_problem((1, 1, 1), [((0, 0, 0), 1)])
    assert elementary_automorphisms(problem, 2) == ()
    assert random_automorphism(problem, 2, np.random.default_rng(0)) is None
    assert random_automorphism(matmul(2, 2, 2), 0, np.random.default_rng(0)) is None
    one = np.ones((1, 1), np.int8)
    assert same((one, one, one), random_sandwich(one, one, one, 2, (), np.random.default_rng(0)))
    assert same((one, one, one), sparse_sandwich(one, one, one, 2, (), np.random.default_rng(0)))


@given(st.sampled_from(MODULI), SEEDS)
def test_full_spaces_give_the_same_as_the_formula(p: int, seed: int) -> None:
    sizes = np.random.default_rng(seed).integers(1, 4, size=3)
    n, m, k = (int(size) for size in sizes)
    spaces = tuple(np.eye(a * b, dtype=np.int64).reshape(-1, a, b) for a, b in ((n, m), (m, k), (n, k)))
    x, y, z = (unimodular(size, seed) for size in (n, m, k))
    got = structured_automorphism((spaces[0], spaces[1], spaces[2]), x, y, z, p)
    want = matmul_automorphism(x, y, z, p)
    assert got is not None
    assert all(np.array_equal(getattr(got, axis), getattr(want, axis)) for axis in "abc")


def unimodular(size: int, seed: int) -> NDArray[np.int64]:
    rng = np.random.default_rng((seed, size))
    matrix = np.eye(size, dtype=np.int64)[rng.permutation(size)]
    for _ in range(4 if size > 1 else 0):
        i, j = rng.choice(size, 2, replace=False)
        matrix[i] += rng.integers(-1, 2) * matrix[j]
    return matrix


@pytest.mark.parametrize("p", MODULI)
@pytest.mark.parametrize("codes", ["ggg", "ugg", "uuu", "sgg", "kgg", "gsg", "ssg", "skg", "ukg"])
def test_structured_automorphisms_fix_the_tensor(codes: str, p: int) -> None:
    spaces, problem = structured(codes, 3)
    found = structured_automorphisms(spaces, p)
    assert found
    assert all(fixes(problem, move, p) for move in found)
    identity = [np.eye(size, dtype=np.int64) for size in problem.shape]
    assert not any(same_matrices(move, Automorphism(*identity)) for move in found)


def same_matrices(one: Automorphism, other: Automorphism) -> bool:
    return all(np.array_equal(getattr(one, axis), getattr(other, axis)) for axis in "abc")


def test_structured_automorphisms_of_full_matrices_are_the_transvections() -> None:
    spaces, _ = structured("ggg", 2)
    found = {tuple(getattr(move, axis).tobytes() for axis in "abc") for move in structured_automorphisms(spaces, 3)}
    want = {
        tuple(getattr(move, axis).tobytes() for axis in "abc") for move in elementary_automorphisms(matmul(2, 2, 2), 3)
    }
    assert found == want


def test_what_breaks_the_structure_gives_none() -> None:
    spaces, _ = structured("sgg", 2)
    shear, one = np.array([[1, 1], [0, 1]]), np.eye(2, dtype=np.int64)
    assert structured_automorphism(spaces, shear, one, one, 0) is None
    congruence = structured_automorphism(spaces, shear, np.array([[1, 0], [-1, 1]]), one, 0)
    assert congruence is not None
    # (a b; b c) becomes (a + 2b + c, b + c; b + c, c): the forms of the new entries in the old ones.
    assert congruence.a.tolist() == [[1, 2, 1], [0, 1, 1], [0, 0, 1]]


def test_bad_matrices_are_named() -> None:
    spaces, _ = structured("sgg", 2)
    one = np.eye(2, dtype=np.int64)
    with pytest.raises(InputError, match="not invertible over GF2"):
        matmul_automorphism(2 * one, one, one, 2)
    with pytest.raises(InputError, match="not invertible over Z"):
        matmul_automorphism(2 * one, one, one, 0)
    with pytest.raises(InputError, match="not invertible over Z"):
        structured_automorphism(spaces, one, one, np.ones((2, 3), np.int64), 0)
    with pytest.raises(InputError, match="linearly dependent"):
        structured_automorphism((np.repeat(spaces[0], 2, axis=0), *spaces[1:]), one, one, one, 0)


# The orbit key.


@given(st.data(), schemes(rings=WALKED), SEEDS)
def test_one_orbit_has_one_key(data: st.DataObject, scheme: Scheme, seed: int) -> None:
    p = scheme.ring.characteristic
    moves = elementary_automorphisms(scheme.problem, p)
    other = random_sandwich(*arrays(data.draw(equivalents(scheme))), p, moves, np.random.default_rng(seed))
    drawn = random_automorphism(scheme.problem, p, np.random.default_rng(seed))
    if drawn is not None:
        other = sandwiched(*other, drawn, p) or other
    for shapes in (formats(scheme.problem), None):
        assert orbit_invariant(*arrays(scheme), shapes, p) == orbit_invariant(*other, shapes, p)


@pytest.mark.parametrize("p", MODULI)
@pytest.mark.parametrize("codes", ["ugg", "sgg", "ukg"])
def test_structured_orbits_have_one_key(codes: str, p: int) -> None:
    spaces, problem = structured(codes, 3)
    ring = next(ring for ring in WALKED if ring.characteristic == p)
    plain = arrays(standard_scheme(problem, ring))
    moves = structured_automorphisms(spaces, p)
    for seed in range(5):
        other = random_sandwich(*plain, p, moves, np.random.default_rng(seed))
        assert valid(problem, other, p)
        assert not same(plain, other)
        assert orbit_invariant(*plain, None, p) == orbit_invariant(*other, None, p)


@pytest.mark.parametrize("p", MODULI)
def test_keys_tell_ranks_and_sharing_apart(p: int) -> None:
    square = ((2, 2), (2, 2), (2, 2))
    full, thin = np.array([[1, 0, 0, 1]], np.int8), np.array([[1, 0, 0, 0]], np.int8)
    keys = {orbit_invariant(u, v, w, square, p) for u, v, w in product((full, thin), repeat=3)}
    assert len(keys) == 8
    assert orbit_invariant(full, full, full, None, p) == orbit_invariant(thin, thin, thin, None, p)
    # Who shares with whom: four products on a path and on a square, each factor shared at most once per axis.
    apart = np.eye(4, dtype=np.int8)
    pairs, crossed = apart[[0, 0, 2, 2]], apart[[0, 1, 1, 0]]
    assert orbit_invariant(pairs, crossed, apart, None, p) != orbit_invariant(pairs, pairs, apart, None, p)
    # What a group spans: a row of matrices, a column of them, or neither.
    alike = apart[[0, 0]]
    second = {"row": [0, 1, 0, 0], "column": [0, 0, 1, 0], "both": [0, 0, 0, 1]}
    groups = [np.array([[1, 0, 0, 0], entries], np.int8) for entries in second.values()]
    assert len({orbit_invariant(alike, group, apart[:2], square, p) for group in groups}) == 3


def test_keys_hold_zero_products_and_none() -> None:
    zero, one = np.zeros((1, 2), np.int8), np.ones((1, 2), np.int8)
    assert orbit_invariant(zero, one, one, None, 2) != orbit_invariant(one, one, one, None, 2)
    assert len(orbit_invariant(zero[:0], one[:0], one[:0], None, 2)) == 16


def test_formats_must_fit() -> None:
    one = np.ones((1, 4), np.int8)
    with pytest.raises(InputError, match="v has 4 entries, which make no 2 x 3 matrix"):
        orbit_invariant(one, one, one, ((2, 2), (2, 3), (2, 2)), 2)


# The twin of the key: the same definition over sets of rows, with ranks by another elimination.


def rank_of(rows: list[list[int]], q: int) -> int:
    rank = 0
    left = [[x % q for x in row] for row in rows]
    while left := [row for row in left if any(row)]:
        pivot = left.pop()
        rank += 1
        at = next(k for k, x in enumerate(pivot) if x)
        left = [[(pivot[at] * x - row[at] * y) % q for x, y in zip(row, pivot, strict=True)] for row in left]
    return rank


def mixed(state: int, word: int) -> int:
    mask = 2**64 - 1
    x = ((state ^ word) * 0x9E3779B97F4A7C15 + 0xD1B54A32D192ED03) & mask
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & mask
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & mask
    return x ^ (x >> 31)


def trace(rows: list[list[int]], shape: tuple[int, int] | None, q: int) -> int:
    state = mixed(len(rows), rank_of(rows, q))
    if shape is not None:
        n, m = shape
        state = mixed(state, rank_of([row[i * m : (i + 1) * m] for row in rows for i in range(n)], q))
        state = mixed(state, rank_of([row[j::m] for row in rows for j in range(m)], q))
    return state


def twin_key(factors: Factors, shapes: tuple[tuple[int, int], ...] | None, p: int) -> bytes:
    q = p or 2**31 - 1
    rows = [factor.tolist() for factor in factors]
    forms = shapes or (None, None, None)
    numbers = range(len(rows[0]))
    groups = [[[b for b in numbers if proportional(x[a], x[b], q)] for a in numbers] for x in rows]
    colour = [0 for _ in numbers]
    for axis in range(3):
        colour = [mixed(colour[a], trace([rows[axis][a]], forms[axis], q)) for a in numbers]
    for _ in range(3):
        sums = [[sum(mixed(colour[b], axis) for b in groups[axis][a]) % 2**64 for a in numbers] for axis in range(3)]
        for axis in range(3):
            for a in numbers:
                if groups[axis][a]:
                    span = 0
                    for other in ((axis + 1) % 3, (axis + 2) % 3):
                        span = mixed(span, trace([rows[other][b] for b in groups[axis][a]], forms[other], q))
                    colour[a] = mixed(mixed(colour[a], sums[axis][a]), span)
    sizes = [list(form or (0, 0)) for form in forms]
    header = f"{p} {sizes} {[factor.shape for factor in factors]}".encode()
    return blake2b(header + b"".join(c.to_bytes(8, "little") for c in sorted(colour)), digest_size=16).digest()


def proportional(one: list[int], other: list[int], q: int) -> bool:
    """Whether neither is zero and each is a multiple of the other."""
    return any(one) and any(other) and rank_of([one, other], q) == 1


@given(schemes(rings=WALKED))
def test_the_key_equals_its_twin(scheme: Scheme) -> None:
    p = scheme.ring.characteristic
    for shapes in (formats(scheme.problem), None):
        assert orbit_invariant(*arrays(scheme), shapes, p) == twin_key(arrays(scheme), shapes, p)
