"""The published structured schemes in ../shared are proved against our problems, in both formats, by name."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from flipforge import api
from flipforge.schemes import compare, recursive_calls
from flipforge.schemes.formats import Judged, judge_file

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "schemes" / "structured_flipcpd"
NAME = re.compile(r"(\w\w)-(\d)\2\2([abc]?)-rank(\d+)-rec-(\d+-\d+-\d+)-([zq])")
FILES = [pytest.param(file, id=file.name) for file in sorted(FOLDER.glob("*-rank*")) if not file.name.startswith("gg-")]

# A factor of theirs is a multiple of its partner, and they count equal ones only.
PROPORTIONAL = {"gt-555-rank74-rec-6-0-0-q": "7-0-0", "ut-444-rank19-rec-0-8-2-q": "0-8-3"}


@cache
def judge(file: Path) -> Judged:
    (judged,) = judge_file(file)
    return judged


def stated(file: Path) -> tuple[str, str, int, str, str]:
    """Read problem, size, rank, calls and ring off a name."""
    match = NAME.match(file.name)
    assert match
    code, n, corner, rank, calls, ring = match.groups()
    return f"structured:{code}:{n}" + (f":{corner}" if corner else ""), n, int(rank), calls, ring


@pytest.mark.parametrize("file", FILES)
def test_it_is_proved_as_named(file: Path) -> None:
    judged = judge(file)
    assert judged.verdict.decision == "PROVED", judged.verdict.reason
    problem, _, rank, calls, ring = stated(file)
    assert (judged.problem, judged.rank) == (problem, rank)
    assert judged.ring in {"z": ("ZT", "Z"), "q": ("Z[1/2]", "Q")}[ring]
    assert judged.scheme is not None
    counted, expected = recursive_calls(judged.scheme), PROPORTIONAL.get(file.stem, calls)
    assert counted is not None
    if problem.startswith("structured:gt:"):
        # Their names give true calls; where there is a number at the end, it counts triangles as well.
        assert str(replace(counted, b=0)) == expected
        assert counted.a + counted.b == int(file.stem.rpartition("-")[2]) if file.stem[-1].isdigit() else True
    else:
        assert str(counted) == expected


@pytest.mark.parametrize("file", [file for file in FILES if str(file.id).endswith(".npy")])
def test_both_formats_hold_the_same_scheme(file: Path) -> None:
    first, second = judge(file).scheme, judge(file.with_suffix(".txt")).scheme
    assert first is not None
    assert second is not None
    assert compare(first, second).equal


def test_every_file_is_seen() -> None:
    assert len(FILES) == 2 * 94


def test_a_stated_problem_reads_a_file_without_a_name(tmp_path: Path) -> None:
    for suffix in (".npy", ".txt"):
        copy = tmp_path / f"copy{suffix}"
        copy.write_bytes((FOLDER / f"ul-333-rank13-rec-0-2-5-z{suffix}").read_bytes())
        (row,) = api.verify(copy, problem="structured:ul:3")
        assert (row["verdict"], row["rank"]) == ("PROVED", 13)


def test_import_keeps_them(tmp_path: Path) -> None:
    files = [FOLDER / f"{stem}.npy" for stem in ("ul-333-rank13-rec-0-2-5-z", "gt-444c-rank26-rec-2-0-0-z-4")]
    rows = api.import_files(*files, db=tmp_path / "x.db")
    assert [(row["problem"], row["rank"], row["status"]) for row in rows] == [
        ("structured:ul:3", 13, "new"),
        ("structured:gt:4:c", 26, "new"),
    ]
    again = api.query("structured:*:3..4", origin="imported", db=tmp_path / "x.db")
    assert [row["problem"] for row in again] == ["structured:ul:3"]
    best = api.best("structured:gt:4:c", origin="imported", db=tmp_path / "x.db")
    assert [(row["ring"], row["rank"]) for row in best] == [("Z", 26)]
