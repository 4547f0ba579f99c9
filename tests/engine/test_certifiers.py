"""The certifiers that flipforge brings: conformance, and what the catalogue keeps of their certificates."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from conformance import CertifierConformance, strassen
from flipforge import api
from flipforge.api._certify import certified_again
from flipforge.catalogue import SqliteStore
from flipforge.errors import ReplayError
from flipforge.plugins import Certifier, Content, get
from flipforge.search import Lineage, Proven

TRIPLE = {"polynomials": ["Rational(29, 16)*x**3 - 2*x*y", "y - x**2"], "root": ["0.0004", "-0.0002"]}
NEARBY = {"polynomials": ["Rational(29,16)*x**3 - 2*x*y + Rational(1, 10**9)", "y - x**2"], "root": ["3e-4", "-4e-4"]}
EXTRA = {
    "polynomials": ["x**13 - x - 1 + y", "y**3 - x*y - 1", "x*(x**13 - x - 1 + y) + y**3 - x*y - 1"],
    "root": ["0.968", "1.3145"],
}
PARABOLAS = {"polynomials": ["x**2 - y - 1", "x*y - 2"]}
REFUTED = {"equations": ["x*y - 1", "x**2 - 3*y", "y**3 - 7/5"]}
NUMERICAL = {
    "problem": "matmul:2x2x2",
    "u": [[float(x) + 1e-7 for x in row] for row in strassen().u],
    "v": [[float(x) for x in row] for row in strassen().v],
    "w": [[float(x) for x in row] for row in strassen().w],
}


class TestSystems(CertifierConformance):
    def certifier(self) -> Certifier:
        certifier: Certifier = get("certifiers", "system")
        return certifier

    def contents(self) -> Sequence[tuple[Content, Mapping[str, Any], str]]:
        return [
            (TRIPLE, {}, "PROVED"),
            (NEARBY, {"multiplicity": 3}, "PROVED"),
            (EXTRA, {}, "EVIDENCE"),
            (PARABOLAS, {"all": True, "seed": 1}, "PROVED"),
            ({"text": "x**2 - 2\nroot: 1.4"}, {}, "PROVED"),
        ]

    def broken(self) -> Sequence[Content]:
        return [
            {"text": "x**2 -"},
            {"polynomials": ["x*y - 1"], "root": ["1", "1"]},
            {"polynomials": ["x**2 - 2"], "root": ["1", "1"]},
            {"polynomials": ["x**2 - 2"], "root": ["100"]},
            {"polynomials": ["1.5*x**2 - 2"], "root": ["1"]},
            {"polynomials": 5},
        ]


class TestIdentities(CertifierConformance):
    def certifier(self) -> Certifier:
        certifier: Certifier = get("certifiers", "identity")
        return certifier

    def contents(self) -> Sequence[tuple[Content, Mapping[str, Any], str]]:
        return [(REFUTED, {}, "PROVED"), ({"equations": ["x**2 - y"], "field": "GF3"}, {"degree": 1}, "PROVED")]

    def broken(self) -> Sequence[Content]:
        return [{"equations": ["x +"]}, {"equations": []}, {"equations": ["x"], "field": "GF4"}]


class TestNumerical(CertifierConformance):
    def certifier(self) -> Certifier:
        certifier: Certifier = get("certifiers", "numerical")
        return certifier

    def contents(self) -> Sequence[tuple[Content, Mapping[str, Any], str]]:
        return [(NUMERICAL, {}, "PROVED")]

    def broken(self) -> Sequence[Content]:
        return [{**NUMERICAL, "u": [[1]]}, {**NUMERICAL, "v": "x"}, {**NUMERICAL, "problem": 5}]


@pytest.mark.parametrize(
    ("content", "options", "kind"),
    [
        (TRIPLE, {}, "dual_space"),
        (NEARBY, {"multiplicity": 3}, "nearby_root"),
        (PARABOLAS, {"every": True, "seed": 1}, "roots"),
        (REFUTED, {}, "identity"),
        (NUMERICAL, {}, "brent"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_proved_is_kept_with_its_lineage_and_replays(
    content: dict[str, Any], options: dict[str, Any], kind: str, tmp_path: Path, empty: Path
) -> None:
    source, target = tmp_path / "content.json", tmp_path / "proof.json"
    source.write_text(json.dumps(content))
    with SqliteStore.open(tmp_path / "kept.db", shipped=empty) as store:
        row = api.certify(source, out=target, db=store, **options)
        assert row["verdict"] == "PROVED"
        stored = store.scheme(row["id"])
        assert stored.certify().kind == kind
        assert stored.provenance["source"].startswith(f"{source} sha256=")
        (step,) = store.lineage(row["id"])
        assert step.arguments["content"] == content
        assert api.replay_scheme(row["id"], db=store).scheme == row["id"]
        assert [each["id"] for each in api.query(db=store, origin="derived")] == [row["id"]]
        assert api.verify(row["id"], db=store)[0]["verdict"] == "PROVED"
        assert row["id"] in api.show(row["id"], db=store) or kind == "brent"
        # What came out of a file goes into another catalogue with what it says of itself set apart.
        (again,) = api.import_files(target, db=store)
        assert (again["status"], again["id"], again["origin"]) == ("known", row["id"], "derived")


def test_evidence_is_kept_apart(tmp_path: Path, empty: Path) -> None:
    source, target = tmp_path / "content.json", tmp_path / "evidence.json"
    source.write_text(json.dumps(EXTRA))
    with SqliteStore.open(tmp_path / "kept.db", shipped=empty) as store:
        row = api.certify(source, out=target, db=store)
        assert row["verdict"] == "EVIDENCE"
        (entry,) = store.proofs.rows()
        assert (entry["id"], entry["kind"], entry["verdict"]) == (row["id"], "roots", "EVIDENCE")
        assert store.proofs.find("f" * 12) is None
        assert api.query(db=store) == []
        assert api.verify(row["id"], db=store)[0]["verdict"] == "EVIDENCE"
        assert "EVIDENCE" in api.show(row["id"], db=store)


def test_a_certification_that_is_not_made_again_says_why(tmp_path: Path, empty: Path) -> None:
    source = tmp_path / "content.json"
    source.write_text(json.dumps(TRIPLE))
    with SqliteStore.open(tmp_path / "kept.db", shipped=empty) as store:
        row = api.certify(source, out=tmp_path / "proof.json", db=store)
        stored = store.scheme(row["id"])
        assert isinstance(stored, Proven)
        (step,) = store.lineage(row["id"])
    other = {**step.arguments, "content": {**TRIPLE, "polynomials": ["x**3 - 2*x*y", "y - x**2"]}}
    for changes, words in (
        ({"walk_version": "certify/0"}, "made under certify/0"),
        ({"arguments": {}}, "too large to be kept"),
        ({"arguments": {"content": {"polynomials": 5}, "options": {}}}, "cannot be made again"),
        ({"arguments": other}, f"stored is {row['id']}"),
    ):
        with pytest.raises(ReplayError, match=words):
            certified_again(Lineage(**{**vars(step), **changes}))
