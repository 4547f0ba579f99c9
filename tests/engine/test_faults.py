"""Runs that are killed, interrupted or crowded: what was stored stays, and the run goes on."""

import json
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from commands import (
    PATIENCE,
    Process,
    all_chunks_are_there,
    command,
    interrupted,
    kill_a_worker,
    launched,
    stored,
    wait_for,
)
from flipforge.catalogue import SqliteStore

LONG = ("search", "matmul:4x4x4", "--ring", "GF2", "--time", "1h", "--preset", "quick", "--seed", "1")


def told(db: Path, *words: str) -> Any:
    done = subprocess.run(command(db, *words, "--json"), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def found(db: Path) -> set[str]:
    """IDs of the finds on disk."""
    return {name for (name,) in stored(db, "SELECT id FROM objects WHERE origin = 'found' AND n = 4")}


def wait_for_finds(db: Path, process: Process, number: int) -> None:
    wait_for(process, lambda: len(found(db)) >= number)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_killed_driver_loses_nothing_and_the_run_goes_on(tmp_path: Path, workers: str) -> None:
    db = tmp_path / "catalogue.db"
    with launched(db, *LONG, "--workers", workers) as process:
        wait_for_finds(db, process, 40)
        process.kill()
        process.communicate()
    before = found(db)
    (run,) = told(db, "runs")
    assert run["state"] == "running" and run["rank"] < 64
    resumed = told(db, "resume", run["id"], "--max-flips", str(run["flips"] + 10_000_000))
    assert resumed["run"] == run["id"] and resumed["rank"] <= run["rank"] and resumed["flips"] > run["flips"]
    assert before <= found(db) and len(found(db)) > len(before)
    assert told(db, "replay", resumed["scheme"])["scheme"] == resumed["scheme"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_writes_a_checkpoint_and_exits_130(tmp_path: Path, number: signal.Signals) -> None:
    db = tmp_path / "catalogue.db"
    with launched(db, *LONG, "--workers", "2") as process:
        wait_for_finds(db, process, 10)
        line = interrupted(process, number)
    (run,) = told(db, "runs")
    assert f"flipforge resume {run['id']}" in line
    assert run["state"] == "stopped" and run["rank"] < 64


def test_two_searches_write_one_catalogue(tmp_path: Path) -> None:
    db = tmp_path / "catalogue.db"
    words = ("search", "matmul:3x3x3", "--max-flips", "2000000", "--workers", "1", "--json")
    results = []
    with ExitStack() as stack:
        both = [stack.enter_context(launched(db, *words, "--seed", seed)) for seed in ("1", "2")]
        for process in both:
            out, err = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, err
            results.append(json.loads(out))
    with SqliteStore.open(db) as store:
        assert {run.id for run in store.runs()} == {result["run"] for result in results}
        for result in results:
            assert store.scheme(result["scheme"]).verdict().valid
            events = store.events(result["run"])
            assert sum(int(event["steps"]) for event in events) == result["flips"]


def test_a_killed_worker_costs_no_chunk(tmp_path: Path) -> None:
    db = tmp_path / "catalogue.db"
    with launched(db, *LONG, "--workers", "2", "--max-flips", "60000000", "--json") as process:
        wait_for_finds(db, process, 10)
        kill_a_worker(process)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    result = json.loads(out)
    assert all_chunks_are_there(db, result["run"]) and result["flips"] == 60_000_000
