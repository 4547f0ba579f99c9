"""The checker of the kind ``symmetric`` against brute force in numpy, and against certificates that do not hold."""

import copy
from fractions import Fraction
from itertools import combinations_with_replacement, permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flipforge.certificates import Certificate, check
from flipforge.certificates._symmetric import (
    least_singular_value_is,
    parallel_pair,
    places,
    squared_distance,
    sum_of_powers,
)
from flipforge.certificates._terracini import _gram, least_singular_value_is_by_floats

Vectors = list[list[Fraction]]


def full(weights: list[Fraction], vectors: Vectors, order: int) -> dict[tuple[int, ...], Fraction]:
    """The sum of powers at every place, from the definition."""
    length = len(vectors[0])
    total = {}
    for index in product(range(length), repeat=order):
        value = Fraction(0)
        for w, a in zip(weights, vectors, strict=True):
            term = w
            for j in index:
                term *= a[j]
            value += term
        total[index] = value
    return total


def terracini(vectors: Vectors, order: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The columns a^(m-1) e_j, symmetrised over all places."""
    length = len(vectors[0])
    columns = []
    for a in np.array(vectors, dtype=np.float64):
        for j in range(length):
            column = np.zeros((length,) * order)
            for place in range(order):
                factors = [np.eye(length)[j] if t == place else a for t in range(order)]
                term = factors[0]
                for factor in factors[1:]:
                    term = np.multiply.outer(term, factor)
                column += term / order
            columns.append(column.ravel())
    return np.array(columns).T


numbers = st.fractions(-3, 3, max_denominator=4)


@st.composite
def sums(draw: st.DrawFn) -> tuple[list[Fraction], Vectors, int]:
    length, rank, order = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(2, 4))
    row = st.lists(numbers, min_size=length, max_size=length)
    weights = draw(st.lists(numbers, min_size=rank, max_size=rank))
    return weights, draw(st.lists(row, min_size=rank, max_size=rank)), order


@given(sums())
def test_the_sum_and_its_distance_are_those_of_all_places(case: tuple[list[Fraction], Vectors, int]) -> None:
    weights, vectors, order = case
    length = len(vectors[0])
    everywhere = full(weights, vectors, order)
    found = dict(sum_of_powers((weights, vectors), length, order))
    assert list(found) == list(combinations_with_replacement(range(length), order))
    assert all(found[tuple(sorted(index))] == value for index, value in everywhere.items())
    assert all(places(index) == len(set(permutations(index))) for index in found)
    other = {(0,) * order: Fraction(1)}
    squared, _ = squared_distance(other, (weights, vectors), length, order)
    assert squared == sum((value - other.get(index, 0)) ** 2 for index, value in everywhere.items())


@pytest.mark.parametrize(("order", "count"), [(4, 3), (6, 2), (3, 2)])
def test_the_least_singular_value_is_that_of_the_terracini_matrix(order: int, count: int) -> None:
    generator = np.random.default_rng(order)
    vectors = [[Fraction(int(x), 8) for x in row] for row in generator.integers(-8, 9, (count, 3))]
    _, values, rows = np.linalg.svd(terracini(vectors, order))
    least, direction = Fraction(float(values[-1])), [Fraction(float(x)) for x in rows[-1]]
    near = Fraction(1, 10**6)
    powers = ([Fraction(1)] * count, vectors)
    assert least_singular_value_is(powers, order, least - near, least + near, direction) is None
    too_high = least_singular_value_is(powers, order, least + near, least + 2 * near, direction)
    assert too_high is not None and "not shown to be at least" in too_high
    too_low = least_singular_value_is(powers, order, Fraction(0), least - near, direction)
    assert too_low is not None and "along the direction" in too_low
    first = [Fraction(float(x)) for x in rows[0]]
    assert least_singular_value_is(powers, order, Fraction(0), least + near, first) is not None


def test_a_decomposition_that_is_not_isolated_has_no_positive_least_singular_value() -> None:
    # Three squares of two variables have a family of decompositions.
    powers = ([Fraction(1)] * 3, [[Fraction(x), Fraction(y)] for x, y in ((1, 0), (0, 1), (1, 1))])
    assert least_singular_value_is(powers, 2, Fraction(1, 10**6), Fraction(2), [Fraction(1)] * 6) is not None
    assert least_singular_value_is(powers, 2, Fraction(0), Fraction(2), [Fraction(1)] * 6) is None


def test_parallel_components_are_seen() -> None:
    one, two = Fraction(1), Fraction(2)
    assert parallel_pair(([one, one], [[one, two], [two, one]])) is None
    assert parallel_pair(([one, one], [[one, two], [-one, -two]])) == (0, 1)
    assert parallel_pair(([one, Fraction(0)], [[one, two], [two, one]])) == (1, 1)
    assert parallel_pair(([one], [[Fraction(0), Fraction(0)]])) == (0, 0)


def certificate() -> Certificate:
    """(x + 2y)^4 / 2 - y^4, with its Terracini matrix left out."""
    weights, vectors = [Fraction(1, 2), Fraction(-1)], [[Fraction(1), Fraction(2)], [Fraction(0), Fraction(1)]]
    entries = [[*index, str(value)] for index, value in sum_of_powers((weights, vectors), 2, 4)]
    statement = {"order": 4, "length": 2, "rank": 2, "entries": entries, "distance": [0, 0], "singular": None}
    witness = {"weights": ["1/2", -1], "vectors": [[1, 2], [0, 1]]}
    return Certificate("symmetric", statement, witness, "flipforge.symmetric/1")


def changed(*path: Any, value: Any) -> str:
    proof = certificate()
    parts: dict[str, Any] = {"statement": copy.deepcopy(proof.statement), "witness": copy.deepcopy(proof.witness)}
    place: Any = parts
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    verdict = check(Certificate("symmetric", parts["statement"], parts["witness"], ""))
    assert verdict.reason and "\n" not in verdict.reason and len(verdict.reason) < 700
    return verdict.decision


def test_an_exact_sum_is_proved_and_a_near_one_is_evidence() -> None:
    assert check(certificate()).decision == "PROVED"
    assert changed("statement", "distance", value=[1, 1]) == "PROVED"
    near = certificate()
    entries = [*near.statement["entries"][1:], [0, 0, 0, 0, "1/4"]]
    statement = {**near.statement, "entries": entries, "distance": ["1/4", "1/1000"]}
    verdict = check(Certificate("symmetric", statement, near.witness, ""))
    assert verdict.decision == "EVIDENCE"
    assert "within 0.251 of the tensor" in verdict.reason


@pytest.mark.parametrize(
    ("path", "value", "decision"),
    [
        (("witness", "weights", 0), "1/3", "REFUTED"),
        (("witness", "vectors", 1, 0), "1/1000000000000", "REFUTED"),
        (("statement", "entries", 0, 4), "1/3", "REFUTED"),
        (("statement", "entries"), [], "REFUTED"),
        (("statement", "distance"), [1, "1/2"], "REFUTED"),
        (("witness", "vectors", 1), ["1/2", 1], "REFUTED"),
        (("witness", "weights", 1), 0, "REFUTED"),
        (("statement", "rank"), 1, "MALFORMED"),
        (("statement", "rank"), True, "MALFORMED"),
        (("statement", "order"), 40, "MALFORMED"),
        (("statement", "length"), 3, "MALFORMED"),
        (("statement", "entries", 0, 0), 2, "MALFORMED"),
        (("statement", "entries", 1, 0), 1, "MALFORMED"),
        (("statement", "entries", 0), [0, 0, 0, 1, 1], "MALFORMED"),
        (("statement", "entries", 0, 4), 0.5, "MALFORMED"),
        (("statement", "distance"), [0], "MALFORMED"),
        (("statement", "distance"), [-1, 2], "MALFORMED"),
        (("statement", "singular"), [1, 1], "MALFORMED"),
        (("witness", "vectors"), [[1, 2]], "MALFORMED"),
        (("witness", "vectors", 0), [1, 2, 3], "MALFORMED"),
        (("witness", "vectors", 0), None, "MALFORMED"),
    ],
)
def test_a_certificate_that_does_not_hold(path: tuple[Any, ...], value: Any, decision: str) -> None:
    assert changed(*path, value=value) == decision


def test_a_huge_claim_is_refused_before_any_work() -> None:
    statement = {**certificate().statement, "order": 12, "length": 200, "rank": 10_000}
    assert "exceed the limit" in check(Certificate("symmetric", statement, certificate().witness, "")).reason


def test_floats_and_integers_bound_the_least_singular_value_alike() -> None:
    generator = np.random.default_rng(1)
    for order, count, length in ((4, 4, 3), (6, 4, 4), (3, 2, 5)):
        rows = generator.integers(-8, 9, (count, length))
        vectors = [[Fraction(int(x), 16) for x in row] for row in rows]
        _, values, directions = np.linalg.svd(terracini(vectors, order))
        least, direction = Fraction(float(values[-1])), [Fraction(float(x)) for x in directions[-1]]
        near, powers = Fraction(1, 10**8), ([Fraction(1)] * count, vectors)
        for low, high, holds in (
            (least - near, least + near, True),
            (least + near, least + 2 * near, False),
            (Fraction(0), least - near, False),
        ):
            exact = least_singular_value_is(powers, order, low, high, direction)
            rounded = least_singular_value_is_by_floats(vectors, order, low, high, direction)
            assert (exact is None, rounded is None) == (holds, holds), (order, low, high)
            assert rounded is None or rounded[:20] == exact[:20]  # type: ignore[index]


@given(st.integers(0, 10**6))
def test_floats_are_charged_for_more_than_they_err(seed: int) -> None:
    """The Gram matrix in floats is within the bound of that in fractions, which the lower bound must make up for."""
    generator = np.random.default_rng(seed)
    count, length, order = (int(x) for x in generator.integers((1, 1, 2), (5, 4, 7)))
    vectors = [[Fraction(float(x)) for x in row] for row in generator.standard_normal((count, length)) / 4]
    found = _gram(vectors, order)
    assert (found == found.T).all()
    longest = max(sum(x**2 for x in row) for row in vectors)
    most = count * longest ** (order - 1) * 7 * Fraction(1, 2**53)
    for i, j in product(range(count * length), repeat=2):
        (p, q), (s, t) = divmod(i, length), divmod(j, length)
        a, b = vectors[p], vectors[s]
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        exact = (dot ** (order - 1) * (q == t) + (order - 1) * dot ** (order - 2) * a[t] * b[q]) / order
        assert abs(Fraction(float(found[i, j])) - exact) <= most


@pytest.mark.parametrize(
    "rows",
    [
        [[1, 0, 0], [0, 1, 0], [1, 0, 0]],  # two equal components
        [[3, 4, 0], [0, 1, 0], ["-3/2", -2, 0]],  # two parallel ones
        [[1, k, k**2 % 7] for k in range(6)],  # 18 columns in a space of 15 dimensions
        [[1, 2, 3], [2, -1, 1], [1, 1, -2], [3, 0, 1], [0, 1, 4]],  # Clebsch's: 15 columns of rank 14
        [[1, k, 0] for k in range(5)],  # five fourth powers of two variables, where three are isolated at most
    ],
)
def test_floats_show_no_local_uniqueness_where_there_is_none(rows: list[list[Any]]) -> None:
    vectors = [[Fraction(x) for x in row] for row in rows]
    longest = max(sum(x**2 for x in row) for row in vectors)
    vectors = [[x / (int(longest) + 1) for x in row] for row in vectors]
    direction = [Fraction(1)] * (3 * len(vectors))
    for bits in (20, 40, 60, 400):
        low = Fraction(1, 1 << bits)
        fault = least_singular_value_is_by_floats(vectors, 4, low, Fraction(2), direction)
        assert fault is not None and "not shown to be at least" in fault
    assert least_singular_value_is_by_floats(vectors, 4, Fraction(0), Fraction(2), direction) is None
    assert least_singular_value_is_by_floats(vectors, 4, Fraction(0), Fraction(2), direction[1:]) is not None


def large(*, moved: bool) -> Certificate:
    """161 random powers of length 4 and order 10, which need 644 columns; exactly the tensor, unless moved."""
    generator = np.random.default_rng(3)
    rows = generator.standard_normal((161, 4))
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    vectors = [[Fraction(round(x * 2**30), 2**30) for x in row] for row in rows.tolist()]
    weights = [Fraction(1)] * len(vectors)
    entries = [[*index, str(value)] for index, value in sum_of_powers((weights, vectors), 4, 10)]
    if moved:
        entries[0][-1] = str(Fraction(str(entries[0][-1])) + Fraction(1, 1000))
    statement = {
        "order": 10,
        "length": 4,
        "rank": 161,
        "entries": entries,
        "distance": ["1/1000" if moved else 0, 0],
        "singular": [100, 100],
    }
    witness = {"weights": [1] * 161, "vectors": [[str(x) for x in row] for row in vectors], "direction": [1] * 644}
    return Certificate("symmetric", statement, witness, "flipforge.symmetric/1")


def test_floats_decide_in_evidence_only_and_are_named() -> None:
    verdict = check(large(moved=True))
    assert verdict.decision == "EVIDENCE" and "its uniqueness is open" in verdict.reason
    assert "LAPACK" in verdict.trusts
    refused = check(large(moved=False))
    assert refused.decision == "MALFORMED" and "644 columns is larger than 640" in refused.reason
    long = large(moved=True)
    long.witness["vectors"][0][0] = 3
    refused = check(Certificate("symmetric", {**long.statement, "distance": [10**9, 10**9]}, long.witness, ""))
    assert refused.decision == "MALFORMED" and "above 2 no bound is computed" in refused.reason
