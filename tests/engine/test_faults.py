"""Runs that are killed, interrupted or crowded: what was stored stays, and the run goes on."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from flipforge.catalogue import SqliteStore

LONG = ("search", "matmul:4x4x4", "--ring", "GF2", "--time", "120s", "--preset", "quick", "--seed", "1")
PATIENCE = 60.0


def command(db: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "flipforge.cli", *words, "--db", str(db)]


def launch(db: Path, *words: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(command(db, *words), stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def answer(db: Path, *words: str, code: int = 0) -> Any:
    done = subprocess.run(command(db, *words, "--json"), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def found(db: Path) -> set[str]:
    """IDs of the finds on disk, read past the store."""
    if not db.exists():
        return set()
    connection = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    try:
        return {name for (name,) in connection.execute("SELECT id FROM objects WHERE origin = 'found' AND n = 4")}
    except sqlite3.OperationalError:
        return set()
    finally:
        connection.close()


def wait_for_finds(db: Path, process: "subprocess.Popen[str]", number: int) -> None:
    end = time.monotonic() + PATIENCE
    while len(found(db)) < number:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "no finds in time"
        time.sleep(0.05)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_killed_driver_loses_nothing_and_the_run_goes_on(tmp_path: Path, workers: str) -> None:
    db = tmp_path / "catalogue.db"
    process = launch(db, *LONG, "--workers", workers)
    wait_for_finds(db, process, 40)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    stored = found(db)
    (run,) = answer(db, "runs")
    assert run["state"] == "running" and run["rank"] < 64
    resumed = answer(db, "resume", run["id"], "--max-flips", str(run["flips"] + 10_000_000))
    assert resumed["run"] == run["id"] and resumed["rank"] <= run["rank"] and resumed["flips"] > run["flips"]
    assert stored <= found(db) and len(found(db)) > len(stored)
    assert answer(db, "replay", resumed["scheme"])["scheme"] == resumed["scheme"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_writes_a_checkpoint_and_exits_130(tmp_path: Path, number: signal.Signals) -> None:
    db = tmp_path / "catalogue.db"
    process = launch(db, *LONG, "--workers", "2")
    wait_for_finds(db, process, 10)
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=PATIENCE)
    (run,) = answer(db, "runs")
    assert process.returncode == 130 and out == "" and f"flipforge resume {run['id']}" in err and err.count("\n") == 1
    assert run["state"] == "stopped" and run["rank"] < 64


def test_two_searches_write_one_catalogue(tmp_path: Path) -> None:
    db = tmp_path / "catalogue.db"
    words = ("search", "matmul:3x3x3", "--max-flips", "2000000", "--workers", "1", "--json")
    both = [launch(db, *words, "--seed", seed) for seed in ("1", "2")]
    results = []
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
    process = launch(db, *LONG, "--workers", "2", "--max-flips", "60000000", "--json")
    wait_for_finds(db, process, 10)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    workers = [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    os.kill(workers[0], signal.SIGKILL)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    result = json.loads(out)
    with SqliteStore.open(db) as store:
        chunks = [int(event["chunk"]) for event in store.events(result["run"])]
    assert sorted(chunks) == list(range(len(chunks))) and result["flips"] == 60_000_000
