"""Searches over families that are killed or interrupted: what was stored stays, and the family goes on."""

import json
import signal
from pathlib import Path

import pytest

from commands import PATIENCE, all_chunks_are_there, interrupted, kill_a_worker, launched, stored, wait_for
from flipforge import api

LONG = ("search", "matmul:3x4..5x4..5", "--seed", "101", "--preset", "quick", "--time", "1h")


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.db"


def begun(db: Path) -> int:
    """Members with a find on disk."""
    rows = stored(
        db,
        "SELECT DISTINCT run FROM objects WHERE origin = 'found' AND run IN (SELECT id FROM runs WHERE id LIKE '%.%')",
    )
    return len(rows)


def finds(db: Path, run: str) -> set[str]:
    return {row["id"] for row in api.query(run=run, db=db)}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_family_killed_at_any_moment_goes_on(db: Path, workers: str) -> None:
    with launched(db, *LONG, "--workers", workers) as process:
        wait_for(process, lambda: begun(db) >= 2)
        process.kill()
        process.communicate()
    (row,) = api.runs(db=db)
    before, known = api.run_details(row["id"], db=db)["rows"], finds(db, row["id"])
    assert row["state"] == "running" and sum(each["rank"] is not None for each in before) >= 2
    done = sum(each["flips"] for each in before)
    resumed = api.resume_family(row["id"], max_flips=done + 8_000_000, db=db)
    assert done < resumed.flips <= done + 8_000_000
    assert known <= finds(db, row["id"]) and len(api.runs(db=db)) == 1
    for old, new in zip(before, resumed.rows, strict=True):
        assert new["rank"] is not None and (old["rank"] is None or new["rank"] <= old["rank"])
        assert new["flips"] >= old["flips"] and new["seed"] == old["seed"]
        events = api.run_events(new["run"], db=db)
        assert len({each["chunk"] for each in events}) == len(events)
        assert sum(each["steps"] for each in events) == new["flips"]
        assert api.replay_scheme(new["scheme"], db=db).scheme == new["scheme"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_exits_130_and_names_the_family(db: Path, number: signal.Signals) -> None:
    with launched(db, *LONG, "--workers", "2") as process:
        wait_for(process, lambda: begun(db) >= 2)
        line = interrupted(process, number)
    (row,) = api.runs(db=db)
    assert line.endswith(f"flipforge resume {row['id']}") and row["state"] == "stopped"


def test_a_killed_worker_costs_no_chunk(db: Path) -> None:
    with launched(db, *LONG, "--workers", "2", "--max-flips", "20000000", "--json") as process:
        wait_for(process, lambda: begun(db) >= 1)
        kill_a_worker(process)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3, err
    assert all(all_chunks_are_there(db, row["run"]) for row in json.loads(out)["rows"])
