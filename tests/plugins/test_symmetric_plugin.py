"""The subspace power method: its tables by brute force, what it finds, what it certifies, and what it refuses."""

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance import CertifierConformance
from flipforge import api, plugins
from flipforge.errors import FlipforgeError, InputError
from flipforge.plugins import Certifier, Content
from flipforge_symmetric import _terracini, decompose, rank_bound, read_tensor, sorted_indices, sum_of_powers
from flipforge_symmetric._tables import Floats, Tables, flattening, multiplicities, places


def random_sum(length: int, order: int, rank: int, seed: int) -> tuple[Floats, Floats, Floats]:
    """Weights away from 0, unit vectors, and the coefficients of their sum."""
    generator = np.random.default_rng(seed)
    vectors = generator.standard_normal((rank, length))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    weights = generator.uniform(0.5, 2, rank) * generator.choice([-1, 1], rank)
    return weights, vectors, sum_of_powers(weights, vectors, order)


def dense(weights: Floats, vectors: Floats, order: int) -> Floats:
    total = np.zeros((vectors.shape[1],) * order)
    for w, a in zip(weights, vectors, strict=True):
        term = a
        for _ in range(order - 1):
            term = np.multiply.outer(term, a)
        total += w * term
    return total


@pytest.mark.parametrize(("length", "half"), [(3, 2), (4, 2), (3, 3), (2, 3)])
def test_tables_are_those_of_the_full_tensor(length: int, half: int) -> None:
    weights, vectors, coefficients = random_sum(length, 2 * half, 3, 0)
    tensor = dense(weights, vectors, 2 * half)
    indices = sorted_indices(length, 2 * half)
    assert indices.tolist() == [list(i) for i in combinations_with_replacement(range(length), 2 * half)]
    np.testing.assert_allclose(coefficients, tensor[tuple(indices.T)], atol=1e-12)
    np.testing.assert_array_equal(places(indices[:, ::-1], length), np.arange(len(indices)))
    count = multiplicities(length, 2 * half)
    assert count.tolist() == [len(set(permutations(i))) for i in map(tuple, indices.tolist())]
    # In the scaled coordinates norms and spectra are those of all places.
    values = np.sort(np.linalg.eigvalsh(flattening(coefficients, length, half)))
    square = np.linalg.eigvalsh(tensor.reshape(length**half, -1))
    np.testing.assert_allclose(values[np.abs(values) > 1e-9], np.sort(square[np.abs(square) > 1e-9]), atol=1e-9)
    tables = Tables.of(length, half)
    powers = tables.power(vectors)
    np.testing.assert_allclose((powers**2).sum(axis=1), (vectors**2).sum(axis=1) ** half)
    # Contracting the power of a with b gives (a.b)^(k-1) a.
    rolled = np.roll(vectors, 1, axis=0)
    dots = (vectors * rolled).sum(axis=1)
    np.testing.assert_allclose(tables.contract(powers, rolled), dots[:, None] ** (half - 1) * vectors, atol=1e-12)
    step = 1e-6
    for j, unit in enumerate(np.eye(length)):
        slope = (tables.power(vectors + step * unit) - tables.power(vectors - step * unit)) / (2 * step)
        np.testing.assert_allclose(half * tables.derivative(vectors)[:, :, j], slope, atol=1e-6)


@pytest.mark.parametrize(
    ("length", "order", "rank"), [(2, 4, 1), (5, 4, 8), (10, 4, 30), (10, 4, 45), (20, 4, 100), (5, 6, 20), (6, 6, 50)]
)
def test_random_components_are_found_up_to_the_bound(length: int, order: int, rank: int) -> None:
    weights, vectors, coefficients = random_sum(length, order, rank, 1)
    found = decompose(coefficients, length, order)
    assert rank <= rank_bound(length, order)
    assert (found.rank, found.complete) == (rank, True)
    assert found.error < 1e-12
    match = np.abs(found.vectors @ vectors.T)
    partner = match.argmax(axis=1)
    assert sorted(partner) == list(range(rank))
    np.testing.assert_allclose(match[np.arange(rank), partner], 1, atol=1e-12)
    np.testing.assert_allclose(found.weights, weights[partner], rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-200, 1e120])
def test_the_scale_of_a_tensor_does_not_matter(scale: float) -> None:
    weights, _, coefficients = random_sum(5, 4, 6, 2)
    found = decompose(coefficients * scale, 5, 4)
    assert found.error < 1e-12
    np.testing.assert_allclose(np.sort(found.weights / scale), np.sort(weights), rtol=1e-9)


@pytest.mark.parametrize("noise", [1e-8, 1e-4, 1e-2])
def test_noise_hides_neither_rank_nor_components(noise: float) -> None:
    _, vectors, coefficients = random_sum(8, 4, 10, 3)
    disturbance = np.random.default_rng(4).standard_normal(len(coefficients))
    scale = multiplicities(8, 4)
    disturbance *= noise * np.sqrt((scale @ coefficients**2) / (scale @ disturbance**2))
    found = decompose(coefficients + disturbance, 8, 4)
    assert found.rank == 10
    assert noise / 3 < found.error <= noise
    assert np.abs(found.vectors @ vectors.T).max(axis=1).min() > 1 - 100 * noise**2 - 1e-12


def test_the_same_seed_gives_the_same_answer() -> None:
    _, _, coefficients = random_sum(6, 4, 8, 5)
    first, second = (decompose(coefficients, 6, 4, seed=7) for _ in range(2))
    np.testing.assert_array_equal(first.vectors, second.vectors)


@pytest.mark.parametrize(
    ("coefficients", "length", "order", "rank", "words"),
    [
        (np.zeros(5), 2, 4, None, "zero, or not finite"),
        (np.array([1, 0, np.nan, 0, 0]), 2, 4, None, "zero, or not finite"),
        (np.ones(4), 2, 3, None, "order 4 and 6"),
        (np.ones(5), 1, 4, None, "length 1"),
        (np.ones(15), 3, 4, 9, "takes 1 to 3"),
        (random_sum(3, 4, 6, 0)[2], 3, 4, None, "fall nowhere"),
    ],
)
def test_what_cannot_be_decomposed(coefficients: Floats, length: int, order: int, rank: int | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        decompose(coefficients, length, order, rank=rank)


def exact_document(weights: list[Fraction], vectors: list[list[Fraction]], order: int) -> dict[str, Any]:
    length, entries = len(vectors[0]), []
    for index in combinations_with_replacement(range(length), order):
        value = Fraction(0)
        for w, a in zip(weights, vectors, strict=True):
            term = w
            for j in index:
                term *= a[j]
            value += term
        entries.append([*index, str(value)])
    return {"order": order, "length": length, "entries": entries}


def certified(content: Any, folder: Path, **options: Any) -> dict[str, Any]:
    path = folder / ("tensor.npy" if isinstance(content, np.ndarray) else "tensor.json")
    if isinstance(content, np.ndarray):
        np.save(path, content)
    else:
        path.write_text(json.dumps(content))
    return api.certify(path, out=folder / "certificate.json", **options)


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([4, 6]))
def test_rational_components_are_proved(
    tmp_path_factory: pytest.TempPathFactory, seed: int, rank: int, order: int
) -> None:
    generator, folder = np.random.default_rng(seed), tmp_path_factory.mktemp("exact")
    vectors = [
        [Fraction(int(x), int(y)) for x, y in zip(*generator.integers(1, 6, (2, 5)), strict=True)] for _ in range(rank)
    ]
    vectors = [[x * int(s) for x, s in zip(row, generator.choice([-1, 1], 5), strict=True)] for row in vectors]
    directions = {tuple(x / row[0] for x in row) for row in vectors}
    vectors = [list(row) for row in sorted(directions)]
    weights = [Fraction(int(generator.integers(1, 9)), int(generator.integers(1, 9))) for _ in vectors]
    document = exact_document(weights, vectors, order)
    row = certified(document, folder)
    assert (row["verdict"], row["perturbation"]) == ("PROVED", 0.0)
    (verified,) = api.verify(folder / "certificate.json")
    assert (verified["verdict"], verified["rank"]) == ("PROVED", len(vectors))


def test_what_is_not_exactly_a_sum_is_evidence(tmp_path: Path) -> None:
    row = certified(dense(*random_sum(6, 4, 10, 6)[:2], 4), tmp_path)
    assert row["verdict"] == "EVIDENCE"
    assert 0 < row["perturbation"] < 1e-10
    assert "locally unique" in row["reason"]
    # An exact tensor of rank 3 with one coefficient moved a little is not of rank 3, and is not called so.
    document = exact_document(
        [Fraction(1)] * 3, [[Fraction(x) for x in row] for row in ((1, 2, 0, 1), (0, 1, 3, 1), (1, 1, 1, -2))], 4
    )
    document["entries"][5][-1] = str(Fraction(document["entries"][5][-1]) + Fraction(1, 10**9))
    row = certified(document, tmp_path)
    assert row["verdict"] == "EVIDENCE"
    assert row["perturbation"] > 1e-10


def test_local_uniqueness_is_claimed_only_where_it_is_shown(tmp_path: Path) -> None:
    row = certified(dense(*random_sum(6, 4, 15, 0)[:2], 4), tmp_path)
    assert row["verdict"] == "EVIDENCE"
    statement = json.loads((tmp_path / "certificate.json").read_text())["statement"]
    middle, radius = map(Fraction, statement["singular"])
    assert ("so that it is locally unique" in row["reason"]) == (middle > radius)


@pytest.mark.parametrize(("length", "order", "rank"), [(4, 4, 6), (4, 4, 9), (3, 6, 5), (12, 4, 60)])
def test_the_least_eigenvalue_is_found_without_the_others(
    length: int, order: int, rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine powers of length 4 have 36 columns in a space of 35 dimensions; sixty of length 12 fill two blocks."""
    _, vectors, _ = random_sum(length, order, rank, 3)
    low, high, _ = _terracini.least_singular_value(vectors, order)
    monkeypatch.setattr(_terracini, "_MAX_SPECTRUM", 0)
    below, above, direction = _terracini.least_singular_value(vectors, order)
    assert below <= high and low <= above <= high * 1.001 + 1e-6
    assert (below > 0) == (low > 0) == ((length, order, rank) != (4, 4, 9))
    assert len(direction) == length * rank and abs(np.linalg.norm(direction) - 1) < 1e-9


def test_many_components_are_locally_unique_by_floats(tmp_path: Path) -> None:
    """1024 columns: more than integers are for, and more than all eigenvalues are computed of."""
    coefficients = random_sum(16, 4, 64, 3)[2]
    entries = [
        [*index, str(Fraction(x))]
        for index, x in zip(sorted_indices(16, 4).tolist(), coefficients.tolist(), strict=True)
    ]
    row = certified({"order": 4, "length": 16, "entries": entries}, tmp_path)
    assert row["verdict"] == "EVIDENCE" and "locally unique" in row["reason"]
    (verified,) = api.verify(tmp_path / "certificate.json")
    assert verified["verdict"] == "EVIDENCE" and "LAPACK" in verified["reason"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"order": 3, "length": 3, "entries": []}, "use order 4 or 6"),
        ({"order": 4, "length": True, "entries": []}, "length True"),
        ({"order": 4, "length": 3, "entries": []}, "tensor is zero"),
        ({"order": 4, "length": 3, "entries": 5}, "entries must be a list"),
        ({"order": 4, "length": 3, "entries": [[0, 0, 0, 1]]}, r"entries\[0\] must be 4 indices and a value"),
        ({"order": 4, "length": 3, "entries": [[0, 0, 0, 3, 1]]}, r"entries\[0\]: indices are integers from 0 to 2"),
        ({"order": 4, "length": 3, "entries": [[0, 0, 0, 1, 0.5]]}, r"entries\[0\]: 0.5 is not a coefficient"),
        ({"order": 4, "length": 3, "entries": [[0, 0, 0, 1, 1], [1, 0, 0, 0, 1]]}, r"entries\[1\].*stands twice"),
        ({"other": 1}, "nothing certifies"),
        (np.ones((3, 3)), "nothing certifies"),
        (np.arange(16.0).reshape(2, 2, 2, 2), "is not symmetric"),
        (np.full((2, 2, 2, 2), np.inf), "not a finite number"),
        (np.ones((2, 2, 2, 2), dtype=np.uint8) * 0, "tensor is zero"),
    ],
)
def test_bad_input_is_one_line_that_names_the_file(content: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(FlipforgeError, match=words) as caught:
        certified(content, tmp_path)
    assert "tensor." in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "certificate.json").exists()


class TestSymmetric(CertifierConformance):
    def certifier(self) -> Certifier:
        certifier: Certifier = plugins.get("certifiers", "symmetric")
        return certifier

    def contents(self) -> Sequence[tuple[Content, Mapping[str, Any], str]]:
        vectors = [[Fraction(x) for x in row] for row in ((1, 2, -1), (3, 1, 1))]
        exact = exact_document([Fraction(1), Fraction(2, 3)], vectors, 4)
        return [(exact, {}, "PROVED"), (dense(*random_sum(6, 4, 10, 6)[:2], 4), {"seed": 1}, "EVIDENCE")]

    def broken(self) -> Sequence[Content]:
        return [{"order": 4, "length": 3, "entries": 5}, np.arange(16.0).reshape(2, 2, 2, 2)]


def test_a_proved_array_replays_from_the_catalogue(tmp_path: Path) -> None:
    row = certified(dense(np.ones(1), np.array([[1.0, -2.0, 0.5]]), 4), tmp_path)
    assert row["verdict"] == "PROVED"
    assert api.replay_scheme(row["id"]).scheme == row["id"]


def test_options_and_missing_components(tmp_path: Path) -> None:
    tensor = dense(*random_sum(5, 4, 4, 8)[:2], 4)
    with pytest.raises(InputError, match="no option 'multiplicity'"):
        certified(tensor, tmp_path, multiplicity=2)
    # x^3 y has a flattening of rank 2, and is no sum of two powers.
    with pytest.raises(InputError, match=r"[01] of 2 components were found"):
        certified({"order": 4, "length": 3, "entries": [[0, 0, 0, 1, 1]]}, tmp_path)
    row = certified(tensor, tmp_path, rank=3)
    assert row["verdict"] == "EVIDENCE"
    assert row["perturbation"] > 0.1
    with pytest.raises(InputError, match="no such file"):
        api.certify(tmp_path / "none.json")


def test_integers_and_floats_are_read_exactly() -> None:
    array = np.zeros((2, 2, 2, 2))
    array[0, 0, 0, 0] = 0.1
    assert read_tensor(array).entries == {(0, 0, 0, 0): Fraction(0.1)}
    assert read_tensor(array.astype(np.int64)).entries == {}


def test_the_plugin_is_listed() -> None:
    rows = {(row.kind, row.name): row.status for row in plugins.available("certifiers")}
    assert rows["certifiers", "symmetric"] == "ok"
