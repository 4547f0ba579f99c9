"""Every committed scheme: found by our own search, proven, one for each problem and ring, replayed from nothing."""

import json
from collections import Counter
from pathlib import Path

import pytest

from flipforge import api
from flipforge.catalogue import SqliteStore, shipped_schemes
from flipforge.schemes.formats import judge_file

FILES = sorted(shipped_schemes().glob("*.json"))


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shipped") / "catalogue.db"
    SqliteStore.open(path).close()
    return path


def test_there_is_one_file_for_each_problem_and_ring() -> None:
    documents = [json.loads(path.read_text()) for path in FILES]
    counts = Counter((document["problem"], document["ring"]) for document in documents)
    assert len(counts) >= 15 and set(counts.values()) == {1}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_committed_scheme_is_proven_and_replays(path: Path, catalogue: Path) -> None:
    (judged,) = judge_file(path)
    assert judged.verdict.valid and judged.scheme is not None
    assert path.stem.endswith(judged.scheme.id) and judged.scheme.provenance["origin"] == "found"
    replayed = api.replay_scheme(judged.scheme.id, db=catalogue)
    assert replayed.scheme == judged.scheme.id and replayed.flips > 0
