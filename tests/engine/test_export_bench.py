"""`flipforge bench DIR`: what it reads, what it refuses; no figure is judged."""

import json
from pathlib import Path

import pytest

from conformance import strassen
from flipforge.errors import FormatError, InputError, NotFoundError
from flipforge.plugins import bench, export
from flipforge.problems import parse
from flipforge.rings import ZT
from flipforge.schemes import standard_scheme


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CC", "cc -O1")


def test_rows_for_what_can_be_timed_and_what_cannot(tmp_path: Path) -> None:
    for target in ("c", "numpy", "cuda"):
        export(strassen(), target, tmp_path / "code")
    export(standard_scheme(parse("structured:gt:2"), ZT), "c", tmp_path / "code")
    rows = bench(tmp_path / "code", size=64)
    kinds = [("float32", 1), ("float32", 2), ("float64", 1), ("float64", 2)]
    assert [(row["dtype"], row["levels"]) for row in rows if row["timed"]] == kinds * 3
    assert all(row["ratio"] == row["reference_seconds"] / row["seconds"] for row in rows if row["timed"])
    (other,) = (row for row in rows if not row["timed"])
    assert other["target"] == "cuda"


def test_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no report of an export"):
        bench(tmp_path)
    with pytest.raises(InputError, match="give 1 to"):
        bench(tmp_path, size=0)
    report = tmp_path / "c_0_report.json"
    for document in ("{", "[]", {"target": "c", "files": []}, {"target": "c", "files": [{"name": "../x.c"}]}):
        report.write_text(document if isinstance(document, str) else json.dumps(document))
        with pytest.raises(FormatError, match="export again"):
            bench(tmp_path)
