"""Every committed scheme: found or derived by us, proven, one for each problem and ring, replayed from nothing."""

import json
from collections import Counter
from pathlib import Path

import pytest

from flipforge import api
from flipforge.catalogue import SqliteStore, shipped_schemes
from flipforge.schemes.formats import judge_file

LARGE = 70
"""Schemes of a higher rank are replayed by the slow tests."""
FILES = sorted(shipped_schemes().rglob("*.json"))


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shipped") / "catalogue.db"
    SqliteStore.open(path).close()
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "catalogue.db"
    SqliteStore.open(path, shipped=shipped_schemes() / "large").close()
    return path


def test_there_is_one_file_for_each_problem_and_ring() -> None:
    documents = [json.loads(path.read_text()) for path in FILES]
    counts = Counter((document["problem"], document["ring"]) for document in documents)
    assert len(counts) >= 15 and set(counts.values()) == {1}


def _rank(path: Path) -> int:
    return int(json.loads(path.read_text())["rank"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_committed_scheme_is_proven(path: Path) -> None:
    (judged,) = judge_file(path)
    assert judged.verdict.valid and judged.scheme is not None
    assert path.stem.endswith(judged.scheme.id) and judged.scheme.provenance["origin"] in ("found", "derived")


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.slow] * (_rank(path) > LARGE)) for path in FILES],
    ids=lambda path: path.stem,
)
def test_a_committed_scheme_replays(path: Path, request: pytest.FixtureRequest) -> None:
    catalogue = request.getfixturevalue("large" if path.parent.name == "large" else "catalogue")
    document = json.loads(path.read_text())
    identity = path.stem.rpartition("_")[2]
    replayed = api.replay_scheme(identity, db=catalogue)
    assert replayed.scheme == identity
    assert replayed.flips > 0 or document["provenance"]["origin"] == "derived"
