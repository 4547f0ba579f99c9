"""The space of identities: the kernel against its twin, the space's protocol, runs, catalogue, replay."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance import SpaceConformance
from flipforge import api
from flipforge.catalogue import SqliteStore
from flipforge.certificates import check
from flipforge.errors import FlipforgeError, InputError, ProblemError, RingError
from flipforge.exact import factor
from flipforge.flips import seed_words, support_reference, support_walk
from flipforge.polynomials import colouring, graph_named, identity_problem, parse_ideal, pigeonhole
from flipforge.problems import parse
from flipforge.rings import GF2, Q
from flipforge.search import Effort, IdentitySpace, Proven, Seed


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([2, 3, 7, 2**31 - 1]))
def test_the_kernel_walks_as_its_twin(seed: int, p: int) -> None:
    generator = np.random.default_rng(seed)
    rows, columns = generator.integers(1, 7), generator.integers(1, 9)
    matrix = generator.integers(0, min(p, 5), (rows, columns))
    right = matrix @ generator.integers(0, min(p, 5), columns)
    factored = factor(matrix, p)
    values = factored.solve(right).values
    assert values is not None
    outside = np.setdiff1d(np.arange(columns), factored.columns)
    terms = {"goal": 0, "steps": 400, "path": 150, "idle": 20, "band": 2}
    start = (factored.echelon()[:, outside], values[factored.columns], factored.columns, outside)
    words = seed_words(seed)
    end = support_walk(*start, p, seed=words, **terms)  # type: ignore[arg-type]
    found = dict(zip(end.basis.tolist(), end.values.tolist(), strict=True))
    if len(factored.columns) and len(outside):
        table, inside, basis, others = (part.tolist() for part in start)
        solution, steps = support_reference.support_walk(table, inside, basis, others, p, seed=words.tolist(), **terms)
        assert ({j: v for j, v in found.items() if v}, end.steps) == (solution, steps)
    x = np.zeros(columns, dtype=object)
    x[list(found)] = list(found.values())
    assert not ((matrix.astype(object) @ x - right) % p).any()
    assert end.weight == np.count_nonzero(end.values)


def test_what_the_walk_does_not_take() -> None:
    table, row = np.zeros((1, 2), dtype=np.int64), np.zeros(1, dtype=np.int64)
    terms = {"goal": 0, "steps": 1, "path": 1, "idle": 1, "band": 0, "seed": seed_words(0)}
    with pytest.raises(InputError, match="do not fit"):
        support_walk(table, row, row, row, 2, **terms)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="below 2"):
        support_walk(table, row, row, np.zeros(2, dtype=np.int64), 2**31, **terms)  # type: ignore[arg-type]


class TestOverGF2(SpaceConformance):
    effort = Effort(steps=3_000, path=2_000, goal=0, idle=50, band=3)

    def space(self) -> IdentitySpace:
        return IdentitySpace(identity_problem(parse_ideal(colouring(graph_named("wheel-5")))), GF2)


class TestOverQ(SpaceConformance):
    effort = Effort(steps=3_000, path=2_000, goal=0, idle=50, band=3)

    def space(self) -> IdentitySpace:
        return IdentitySpace(identity_problem(parse_ideal(pigeonhole(2))), Q)


def test_walks_find_identities_of_fewer_terms() -> None:
    space = TestOverQ().space()
    start = space.start(Seed(0))
    ends = [space.walk(start, Effort(20_000, 20_000, 0, 200, 3), Seed(s)).state for s in range(4)]
    assert min(space.score(end)[0] for end in ends) < space.score(start)[0]
    assert all(check(space.certify(end)).valid for end in ends)


def test_the_field_is_that_of_the_file() -> None:
    problem = identity_problem(parse_ideal(pigeonhole(1)))
    with pytest.raises(RingError, match="its field is Q, not GF2"):
        IdentitySpace(problem, GF2)
    with pytest.raises(ProblemError, match="no cofactors up to degree"):
        IdentitySpace(identity_problem(parse_ideal({"equations": ["x"]})), Q).start(Seed(0))


@pytest.fixture
def pigeons(tmp_path: Path) -> Path:
    path = tmp_path / "pigeons.json"
    path.write_text(json.dumps(pigeonhole(2)))
    return path


def test_a_run_minimises_stores_replays_and_resumes(pigeons: Path, tmp_path: Path, empty: Path) -> None:
    db = tmp_path / "identities.db"
    with SqliteStore.open(db, shipped=empty):
        pass
    assert parse(f"identity:{pigeons}").proof == "identity"
    terms = {"workers": 1, "seed": 1, "max_flips": 3_000_000, "preset": "quick", "db": db}
    result = api.search(f"identity:{pigeons}", target_rank=11, **terms)  # type: ignore[arg-type]
    assert (result.rank, result.ring, result.target_reached, result.walk_version) == (11, "Q", True, "identity/1")
    assert result.scheme is not None
    with SqliteStore.open(db, shipped=empty) as store:
        stored = store.scheme(result.scheme)
        assert isinstance(stored, Proven)
        assert (stored.rank, stored.provenance["origin"]) == (11, "found")
    with pytest.raises(InputError, match="this takes schemes"):
        api.load(result.scheme, db=db)
    (row,) = api.verify(result.scheme, db=db)
    assert (row["verdict"], row["rank"]) == ("PROVED", 11)
    assert "no lower degree will do" in row["reason"]
    assert api.replay_scheme(result.scheme, db=db).scheme == result.scheme
    (best,) = [row for row in api.query(db=db, max_rank=11) if row["id"] == result.scheme]
    assert best["problem"] == result.problem
    assert result.run is not None
    again = api.resume(result.run, db=db, target_rank=1, max_flips=4_000_000)
    assert again.rank is not None and again.rank <= 11
    assert "degree 2" in api.show(result.scheme, db=db)
    rows = api.dump(tmp_path / "texts", db=db)
    file = next(row["file"] for row in rows if row["id"] == result.scheme)
    assert api.verify(file)[0]["verdict"] == "PROVED"


def test_the_same_seed_gives_the_same_identity(pigeons: Path) -> None:
    terms = {"workers": 1, "seed": 5, "max_flips": 500_000, "preset": "quick", "db": ":memory:"}
    first, second = (api.search(f"identity:{pigeons}", **terms) for _ in range(2))  # type: ignore[arg-type]
    assert (first.scheme, first.rank) == (second.scheme, second.rank)


def test_certificates_are_imported(pigeons: Path, tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    api.certify(pigeons, out=proof, db=tmp_path / "other.db")
    (row,) = api.import_files(proof)
    assert (row["status"], row["origin"]) == ("new", "imported")
    (row,) = api.import_files(proof)
    assert row["status"] == "known"
    started = api.search(f"identity:{pigeons}", start=[row["id"]], max_flips=100_000, workers=1, seed=1)
    assert started.rank is not None and started.rank <= row["rank"]
    document = json.loads(proof.read_text())
    document["statement"]["degree"] = 1
    proof.write_text(json.dumps(document))
    (row,) = api.import_files(proof)
    assert (row["status"], "not what is stated" in row["reason"]) == ("refused", True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ring": "GF3"}, "its field is Q, not GF3"),
        ({"symmetry": "Z3"}, "takes no --symmetry"),
        ({"objective": "calls"}, "no --objective but additions"),
        ({"start": ["0123456789ab"]}, "no scheme with this ID"),
    ],
)
def test_bad_options(pigeons: Path, options: dict[str, object], words: str) -> None:
    with pytest.raises(FlipforgeError, match=words):
        api.search(f"identity:{pigeons}", **options)  # type: ignore[arg-type]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FlipforgeError, match=r"none\.json"):
        api.search(f"identity:{tmp_path / 'none.json'}")
