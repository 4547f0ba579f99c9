"""Figures of runs: the numbers they show, their files, and bad input."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commands import Capture, answer
from flipforge import api
from flipforge.api import _plot
from flipforge.catalogue import SqliteStore
from flipforge.problems import matmul
from flipforge.search import FlipSpace, Run

pytest.importorskip("matplotlib")

PANELS = ["Rank against flips", "Success by level", "Schemes by rank", "Rate over the run"]


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue with a run of one problem, one over a family, and one that walked nothing."""
    path = tmp_path_factory.mktemp("plot") / "catalogue.db"
    usual: dict[str, Any] = {"workers": 1, "seed": 1, "preset": "quick", "db": path}
    api.search("matmul:3x3x3", target_rank=24, max_flips=4_000_000, **usual)
    api.search_family("matmul:2..3x3x3..4", max_flips=3_000_000, **usual)
    api.search("matmul:1x1x1", target_rank=1, **usual)
    return path


@pytest.fixture
def runs(db: Path) -> list[str]:
    return [row["id"] for row in api.runs(db=db)]


def drawn(db: Path, run: str) -> Any:
    with SqliteStore.open(db) as store:
        record = store.run(run)
        if "members" in record.config:
            return _plot._draw_family(record, api.run_details(run, db=db)["rows"], _plot._courses(record, store))[0]
        return _plot._draw_run(record, store.events(run))[0]


def test_the_four_panels_show_the_numbers_of_the_run(db: Path, runs: list[str]) -> None:
    details = api.run_details(runs[0], db=db)
    course, success, schemes, rate = drawn(db, runs[0]).axes
    assert [axes.get_title(loc="left") for axes in (course, success, schemes, rate)] == PANELS
    steps = course.lines[0]
    assert list(steps.get_ydata()) == [*(rank for _, rank in details["course"]), details["rank"]]
    assert list(steps.get_xdata())[1:-1] == [flips for flips, _ in details["course"][1:]]
    assert steps.get_xdata()[-1] == details["flips"]
    assert {line.get_label(): line.get_ydata()[0] for line in course.lines[1:]} == {
        "best known, 23": 23,
        "target, 24": 24,
    }
    bars = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in success.patches}
    assert bars == pytest.approx({row["level"]: 100 * row["success_rate"] for row in details["levels"]})
    with SqliteStore.open(db) as store:
        pools = store.run(runs[0]).checkpoint["pools"]
    found, held = schemes.containers
    assert sum(bar.get_height() for bar in found) == sum(row["fresh"] for row in details["levels"])
    assert sorted(bar.get_height() for bar in held) == sorted(pools.values()) and len(pools) > 1
    values, edges = rate.patches[0].get_data()[:2]
    events = api.run_events(runs[0], db=db)
    assert edges[-1] == pytest.approx(sum(event["seconds"] for event in events))
    assert (values * np.diff(edges)).sum() * 1e6 == pytest.approx(details["flips"])


def test_a_family_shows_gap_and_flips_of_each_member(db: Path, runs: list[str]) -> None:
    rows = api.run_details(runs[1], db=db)["rows"]
    assert {row["gap"] for row in rows} > {0}, "the test needs a member that is not there yet"
    gaps, flips, _ = drawn(db, runs[1]).axes
    assert [label.get_text() for label in gaps.get_yticklabels()] == [row["problem"] for row in rows]
    assert [line.get_xdata()[-1] for line in gaps.lines[:-1:2]] == [row["gap"] for row in rows]
    assert [text.get_text() for text in gaps.texts] == [str(row["rank"]) for row in rows]
    assert [bar.get_width() for bar in flips.patches] == [row["flips"] for row in rows]


def test_a_family_that_walked_nothing_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    run = api.search_family("matmul:1x1x1..1", workers=1, max_flips=1, db=path).run
    assert len(api.plot(run, tmp_path / "family.svg", db=path)["panels"]) == 3


def test_a_family_shows_how_the_gaps_came_down(db: Path, runs: list[str]) -> None:
    rows = {row["problem"]: row for row in api.run_details(runs[1], db=db)["rows"]}
    falls = drawn(db, runs[1]).axes[2]
    lines = {line.get_label().split(",")[0]: line for line in falls.lines[:-1]}
    assert lines.keys() == rows.keys()
    for problem, line in lines.items():
        seconds, gaps = list(line.get_xdata()), list(line.get_ydata())
        assert seconds == sorted(seconds) and gaps == sorted(gaps, reverse=True) and len(set(gaps)) > 1
        assert gaps[-1] == rows[problem]["gap"] and seconds[0] == 0
        with SqliteStore.open(db) as store:
            events = [event for run in store.runs(runs[1]) for event in store.events(run.id)]
            whole = sum(each["seconds"] for each in events)
    assert sum(line.get_xdata()[-1] for line in lines.values()) == pytest.approx(whole)


def test_the_moves_of_a_family_are_drawn_in_the_order_of_their_turns(tmp_path: Path) -> None:
    config = {"members": ["matmul:3x3x3"], "begun": {"matmul:3x3x3": 26}}
    record = Run.new(FlipSpace(matmul(3, 3, 3)), "GF2", config)
    turns = [("own", 26, 25, 1.0), ("cyclic", 27, 26, 2.0), ("own", 25, 24, 4.0)]
    with SqliteStore.open(tmp_path / "catalogue.db") as store:
        store.commit([], record)
        for move, level, rank, seconds in turns:
            events = [{"level": level, "rank": rank, "seconds": seconds}]
            store.commit([], replace(record, id=f"{record.id}.0.{move}"), events)
        courses = _plot._courses(record, store)
    assert courses == {"matmul:3x3x3": [(0.0, 26), (1.0, 25), (7.0, 24), (7.0, 24)]}


def test_a_large_family_shows_the_members_that_are_farthest(
    db: Path, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_plot, "_MOST_MEMBERS", 2)
    rows = api.run_details(runs[1], db=db)["rows"]
    figure = drawn(db, runs[1])
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    worst = sorted(row["gap"] for row in rows)[-2:]
    assert sorted(row["gap"] for row in rows if row["problem"] in shown) == worst and len(shown) == 2
    assert "the 2 farthest shown" in figure.get_suptitle()


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(("suffix", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG\r\n\x1a\n"), ("SVG", b"<?xml")])
def test_the_same_run_gives_the_same_file(
    db: Path, runs: list[str], tmp_path: Path, number: int, suffix: str, magic: bytes
) -> None:
    import matplotlib as mpl

    files = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    row = api.plot(runs[number], files[0], db=db)
    with mpl.rc_context({"axes.labelsize": 20.0, "svg.hashsalt": "other", "lines.markersize": 9.0}):
        api.plot(runs[number][:6], files[1], db=db)
    first, second = (file.read_bytes() for file in files)
    assert first == second and first.startswith(magic) and len(first) > 10_000
    assert row["run"] == runs[number] and row["file"] == str(files[0]) and row["format"] == suffix.lower()
    assert not re.search(rb"<dc:date>", first)


def test_the_command_writes_an_svg_here_unless_told_otherwise(
    db: Path, runs: list[str], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = answer(capsys, "plot", runs[0], "--db", str(db), "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"run": runs[0], "file": f"{runs[0]}.svg", "format": "svg", "panels": PANELS}
    assert (tmp_path / f"{runs[0]}.svg").is_file()
    code, out, _ = answer(capsys, "plot", runs[1], "--out", "figure.png", "--db", str(db))
    assert code == 0 and "figure.png" in out and (tmp_path / "figure.png").is_file()


def test_a_member_is_drawn_like_any_run(db: Path, runs: list[str], tmp_path: Path) -> None:
    row = api.plot(f"{runs[1]}.0", tmp_path / "member.svg", db=db)
    assert row["panels"] == PANELS


def test_a_run_of_version_0_1_without_a_find_is_drawn(db: Path, runs: list[str], tmp_path: Path) -> None:
    with SqliteStore.open(db) as store:
        record = replace(store.run(runs[0]), id="0123cafe", checkpoint={"next": 1, "ladder": {}})
        event = {"chunk": 0, "level": 27, "attempts": 1, "successes": 0, "fresh": 0, "steps": 9, "seconds": 0.0}
        store.commit([], record, [event])
    assert api.plot("0123cafe", tmp_path / "run.svg", db=db)["panels"] == PANELS


def test_failed_chunks_do_not_stand_in_the_way(db: Path, runs: list[str], tmp_path: Path) -> None:
    with SqliteStore.open(db) as store:
        store.commit([], store.run(runs[0]), [{"chunk": 9999, "error": "lost"}])
    assert api.plot(runs[0], tmp_path / "run.svg", db=db)["panels"] == PANELS


@pytest.mark.parametrize("name", ["run.pdf", "run", "run.svg.gz", "no/such/folder/run.svg"])
def test_bad_files_are_one_line_and_write_nothing(
    db: Path, runs: list[str], tmp_path: Path, capsys: Capture, name: str
) -> None:
    code, out, err = answer(capsys, "plot", runs[0], "--out", str(tmp_path / name), "--db", str(db))
    assert (code, out) == (2, "") and name in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_bad_runs_are_one_line(db: Path, runs: list[str], capsys: Capture) -> None:
    for run, says in (("00000000", "no such run"), (runs[2], "walked nothing")):
        code, out, err = answer(capsys, "plot", run, "--db", str(db))
        assert (code, out) == (2, "") and says in err and err.count("\n") == 1


def test_without_matplotlib_one_line_says_what_to_install(
    db: Path, runs: list[str], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = answer(capsys, "plot", runs[0], "--out", str(tmp_path / "run.svg"), "--db", str(db))
    assert (code, out) == (2, "") and "pip install 'flipforge[plot]'" in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
