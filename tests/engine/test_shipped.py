"""Every committed scheme: found or derived by us, proven, a Pareto point, replayed from nothing."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from flipforge import api
from flipforge.catalogue import SqliteStore, shipped_schemes
from flipforge.certificates import check
from flipforge.programs import is_layer_file, read_layer_file
from flipforge.rings import RINGS
from flipforge.schemes.formats import judge_file, parse_certificate, read_file
from flipforge_lifting import HenselLifter

LARGE = 70
"""Schemes of a higher rank are replayed by the slow tests."""
CERTIFICATES = sorted(shipped_schemes().rglob("certificates/*.json"))
FILES = sorted({*shipped_schemes().rglob("*.json")} - {*CERTIFICATES})


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


def test_files_of_one_problem_and_ring_are_of_one_rank() -> None:
    documents = [json.loads(path.read_text()) for path in FILES]
    ranks: dict[tuple[str, str], set[int]] = {}
    for document in documents:
        ranks.setdefault((document["problem"], document["ring"]), set()).add(document["rank"])
    assert len(ranks) >= 200 and all(len(found) == 1 for found in ranks.values())
    assert sum(path.stat().st_size for path in shipped_schemes().rglob("*")) < 20 * 2**20


def _rank(path: Path) -> int:
    return int(json.loads(path.read_text())["rank"])


def _last_step(path: Path) -> dict[str, Any]:
    steps = json.loads(path.read_text())["provenance"].get("lineage", [{}])
    return dict(steps[-1]) if steps else {}


def _slow(path: Path) -> bool:
    """Lifts, and what is derived of them, begin with walks that the files of their parents replay."""
    if is_layer_file(path):
        return False
    return _rank(path) > LARGE or json.loads(path.read_text())["ring"] in ("ZT", "Z", "Z[1/2]", "Q")


LIFTED = [path for path in FILES if _last_step(path).get("method") == "lift"]
PARENTS = {path.stem.rpartition("_")[2]: path for path in FILES}


@pytest.mark.parametrize("path", LIFTED, ids=lambda path: path.stem)
def test_a_committed_lift_reduces_to_its_parent_and_is_made_again(path: Path) -> None:
    step = _last_step(path)
    (scheme,) = read_file(path)
    ring = RINGS[step["arguments"]["ring"]]
    assert scheme.over(ring).canonical.id == step["parent"]
    parent = PARENTS.get(step["parent"])
    if parent is not None:
        assert HenselLifter().again(read_file(parent)[0], step["arguments"]).id == step["child"]


def test_most_parents_of_lifts_are_committed_too() -> None:
    assert len(LIFTED) >= 80
    assert sum(_last_step(path)["parent"] in PARENTS for path in LIFTED) >= 0.8 * len(LIFTED)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_committed_scheme_is_proven(path: Path) -> None:
    if is_layer_file(path):
        layer = read_layer_file(path)
        assert layer.verdict().valid
        assert path.stem.endswith(layer.id) and layer.provenance["origin"] == "found"
        return
    (judged,) = judge_file(path)
    assert judged.verdict.valid and judged.scheme is not None
    assert path.stem.endswith(judged.scheme.id) and judged.scheme.provenance["origin"] in ("found", "derived")


def test_the_best_recursions_at_four_are_those_told_of(catalogue: Path) -> None:
    rows = [row for code in ("gt", "ug") for row in api.front(f"structured:{code}:4", db=catalogue)]
    figures = {row["id"]: tuple(row[key] for key in ("rank", "calls", "gamma", "gamma_own")) for row in rows}
    assert figures["c4972f115759"] == (34, "10-2-0", "22/37", "8/13")
    assert figures["555e558ba71e"] == (34, "12-0-0", "22/37", "22/37")
    shown = api.show("c4972f115759", db=catalogue).splitlines()
    assert shown[1] == "recursive calls 10-2-0, gamma 8/13 by those of the same kind alone"
    # True calls are products of a combination of blocks with its own transpose, with nothing left to count by rule.
    scheme = api.load("c4972f115759", db=catalogue)
    assert sum(u == v for u, v in zip(scheme.u, scheme.v, strict=True)) == 10 and scheme.ring.name == "ZT"


def test_committed_certificates_hold_of_the_schemes_they_are_named_after(catalogue: Path) -> None:
    assert any(path.name.startswith("matmul-4x4x4_GF2_r47") for path in CERTIFICATES)
    with SqliteStore.open(catalogue) as store:
        for path in CERTIFICATES:
            stem, kind, _ = path.name.rsplit(".", 2)
            assert path.parents[1] / f"{stem}.json" in FILES
            document = json.loads(path.read_text())
            assert check(parse_certificate(document)).valid and document["kind"] == kind
            assert kind in {held.kind for held in store.certificates(stem.rpartition("_")[2])}


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.slow] * _slow(path)) for path in FILES],
    ids=lambda path: path.stem,
)
def test_a_committed_scheme_replays(path: Path, request: pytest.FixtureRequest) -> None:
    catalogue = request.getfixturevalue("large" if path.parent.name == "large" else "catalogue")
    document = json.loads(path.read_text())
    identity = path.stem.rpartition("_")[2]
    replayed = api.replay_scheme(identity, db=catalogue)
    assert replayed.scheme == identity
    assert replayed.flips > 0 or document["provenance"]["origin"] == "derived"


def test_layers_of_every_kind_of_group_are_committed() -> None:
    layers = [read_layer_file(path) for path in FILES if is_layer_file(path)]
    assert {layer.problem.group.partition(":")[0] for layer in layers} >= {"S", "O", "Sp", "A", "SO", "Aut"}
    counts = {layer.problem.name: layer.rank for layer in layers}
    # 13 n^3 and 25 n^4 were to be reached, at n = 20.
    assert counts["layer:S:20:3:3"] < 13 * 20**3 + 93 * 20**2 + 111 * 20 + 25
    assert counts["layer:O:20:4:4"] < 25 * 20**4 + 18 * 20**3 + 81 * 20**2 + 9


def test_the_page_of_the_catalogue_is_what_best_says(catalogue: Path) -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    spec = importlib.util.spec_from_file_location("catalogue_page", docs / "catalogue_page.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = script.page(catalogue)
    assert text == (docs / "catalogue.md").read_text(encoding="utf-8"), "python docs/catalogue_page.py writes it anew"
    readme = (docs.parent / "README.md").read_text(encoding="utf-8")
    assert script.readme(readme, script.readme_table(catalogue)) == readme, "python docs/catalogue_page.py writes it"
