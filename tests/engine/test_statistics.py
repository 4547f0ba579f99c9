"""Statistics of runs: folded from events, kept in the record, printed by `runs RUN`."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import Capture, answer
from flipforge import api
from flipforge.errors import CatalogueError, MalformedError
from flipforge.search import Statistics

CLOCKS = ("seconds", "rate")
COLUMNS = [
    "level",
    "chunks",
    "attempts",
    "successes",
    "fresh",
    "success_rate",
    "steps",
    "seconds",
    "steps_per_success",
    "rate",
]


def event(chunk: int, **changes: Any) -> dict[str, Any]:
    usual = {
        "level": 8,
        "attempts": 4,
        "successes": 1,
        "fresh": 1,
        "steps": 100,
        "seconds": 0.5,
        "rank": 8,
        "worker": 1,
    }
    return {"chunk": chunk, **usual, **changes}


def told(*events: dict[str, Any]) -> Statistics:
    statistics = Statistics()
    for each in events:
        statistics.tell(each)
    return statistics


def test_events_become_one_row_a_level() -> None:
    statistics = told(
        event(0), event(1, attempts=6, successes=4, fresh=3, rank=7), event(2, level=7, successes=0, fresh=0, rank=7)
    )
    above, below = statistics.rows()
    assert above == {
        "level": 8,
        "chunks": 2,
        "attempts": 10,
        "successes": 5,
        "fresh": 4,
        "success_rate": 0.5,
        "steps": 200,
        "seconds": 1.0,
        "steps_per_success": 40.0,
        "rate": 200,
    }
    assert list(below) == COLUMNS
    assert (below["level"], below["success_rate"], below["steps_per_success"], below["rate"]) == (7, 0.0, None, 200)
    assert statistics.course() == [[0, 8], [200, 7]]


def test_a_chunk_that_took_no_time_and_made_no_attempt_divides_by_nothing() -> None:
    (row,) = told(event(0, attempts=0, successes=0, seconds=0.0, steps=0)).rows()
    assert (row["success_rate"], row["rate"], row["steps_per_success"]) == (None, None, None)


def test_an_event_that_is_told_twice_counts_once() -> None:
    events = [event(0), event(1, rank=7), event(2, level=7, rank=7)]
    assert told(*events, *events).rows() == told(*events).rows()
    assert told(*events, *events).course() == told(*events).course()


def test_a_failed_chunk_is_left_out() -> None:
    assert told(event(0), {"chunk": 1, "error": "lost"}).rows() == told(event(0)).rows()


@pytest.mark.parametrize("name", ["chunk", "level", "attempts", "successes", "fresh", "steps", "seconds"])
def test_a_truncated_event_is_refused_and_changes_nothing(name: str) -> None:
    statistics = told(event(0))
    before = statistics.rows()
    broken = {key: value for key, value in event(1).items() if key != name}
    with pytest.raises(MalformedError, match=name):
        statistics.tell(broken)
    assert statistics.rows() == before
    statistics.tell(event(1))
    assert statistics.rows()[0]["chunks"] == 2


EVENTS = st.lists(
    st.builds(
        event,
        st.integers(0, 30),
        level=st.integers(5, 8),
        attempts=st.integers(1, 9),
        successes=st.integers(0, 9),
        steps=st.integers(0, 10**6),
        rank=st.integers(4, 8),
    ),
    unique_by=lambda each: each["chunk"],
)


@given(EVENTS, st.data())
def test_what_was_kept_goes_on_as_if_it_had_never_stopped(events: list[dict[str, Any]], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(events)))
    first = told(*events[:cut])
    kept = json.loads(json.dumps([first.rows(), first.course()]))
    second = Statistics(*kept)
    for each in events[cut:]:
        second.tell(each)
    assert (second.rows(), second.course()) == (told(*events).rows(), told(*events).course())


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.db"


@pytest.fixture
def run(db: Path) -> str:
    result = api.search("matmul:3x3x3", workers=1, seed=1, max_flips=3_000_000, preset="quick", db=db)
    assert result.run is not None
    return result.run


def test_the_record_holds_what_the_events_say(db: Path, run: str) -> None:
    api.resume(run, max_flips=4_000_000, db=db)
    details, events = api.run_details(run, db=db), api.run_events(run, db=db)
    folded = told(*events)
    assert clockless(details["levels"]) == clockless(folded.rows()) and details["course"] == folded.course()
    assert sum(row["steps"] for row in details["levels"]) == details["flips"] == 4_000_000
    assert details["course"][0] == [0, 27] and details["course"][-1][1] == details["rank"]
    ranks = [rank for _, rank in details["course"]]
    assert ranks == sorted(ranks, reverse=True) and len(ranks) > 3


def clockless(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in CLOCKS} for row in rows]


def test_same_seed_same_statistics_but_for_the_clocks(db: Path, run: str) -> None:
    again = api.search("matmul:3x3x3", workers=1, seed=1, max_flips=3_000_000, preset="quick", db=db).run
    assert again is not None and again != run
    first, second = (api.run_details(each, db=db) for each in (run, again))
    assert clockless(first["levels"]) == clockless(second["levels"]) and first["course"] == second["course"]


def test_runs_of_version_0_1_are_folded_from_their_events(db: Path, run: str) -> None:
    from flipforge.catalogue import SqliteStore

    expected = api.run_details(run, db=db)
    with SqliteStore.open(db) as store:
        record = store.run(run)
        checkpoint = {key: record.checkpoint[key] for key in ("next", "ladder")}
        store.commit([], type(record)(**{**vars(record), "checkpoint": checkpoint}))
    old = api.run_details(run, db=db)
    assert clockless(old["levels"]) == clockless(expected["levels"]) and old["course"] == expected["course"]


def test_runs_prints_the_levels_of_a_run(db: Path, run: str, capsys: Capture) -> None:
    code, out, err = answer(capsys, "runs", run, "--db", str(db))
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[1][0] == run and lines[3][:2] == ["level", "attempts"] and lines[4][0] == "27"
    code, out, _ = answer(capsys, "runs", run[:6], "--json", "--db", str(db))
    document = json.loads(out)
    assert code == 0 and document["id"] == run and document["levels"][0]["level"] == 27
    assert list(document["levels"][0]) == COLUMNS


def test_events_are_json_lines(db: Path, run: str, capsys: Capture) -> None:
    code, out, err = answer(capsys, "runs", run, "--events", "--db", str(db))
    events = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "") and [each["chunk"] for each in events] == list(range(len(events)))
    assert {each["run"] for each in events} == {run} and all("\n" not in json.dumps(each) for each in events)
    code, out, _ = answer(capsys, "runs", run, "--events", "--json", "--db", str(db))
    assert json.loads(out) == events


def test_an_event_that_is_stored_twice_is_there_once(db: Path, run: str) -> None:
    from flipforge.catalogue import SqliteStore

    with SqliteStore.open(db) as store:
        before = store.events(run)
        store.commit([], store.run(run), before)
        assert store.events(run) == before


def test_a_damaged_event_is_named(db: Path, run: str, capsys: Capture) -> None:
    with sqlite3.connect(db) as connection:
        connection.execute("UPDATE events SET data = substr(data, 1, 20) WHERE rowid = (SELECT max(rowid) FROM events)")
    connection.close()
    with pytest.raises(CatalogueError, match=f"run {run} is damaged"):
        api.run_events(run, db=db)
    code, out, err = answer(capsys, "runs", run, "--events", "--db", str(db))
    assert (code, out) == (2, "") and str(db) in err and err.count("\n") == 1


def test_events_need_a_run(db: Path, run: str, capsys: Capture) -> None:
    for words in (["runs", "--events"], ["runs", "00000000"], ["runs", "00000000", "--events"]):
        code, out, err = answer(capsys, *words, "--db", str(db))
        assert (code, out) == (2, "") and err.startswith("flipforge: ") and err.count("\n") == 1
