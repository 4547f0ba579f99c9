"""Ray with workers, nodes and drivers that are killed, each in a network namespace of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from executor_checks import until
from flipforge import api
from lonely import environment, isolated, run_isolated

pytestmark = pytest.mark.chaos

LONG = 300.0


def drill(name: str, folder: Path) -> Any:
    done = run_isolated("-m", "ray_drills", name, str(folder), seconds=LONG, new_session=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def namespace(pid: int | str) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except OSError:
        return None


def inhabitants(network: str) -> Iterator[tuple[int, list[str]]]:
    """Give each process of a network namespace and its command; a process that ended belongs to none."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and namespace(entry.name) == network:
            yield int(entry.name), (entry / "cmdline").read_text().split("\0")


def worker_of(driver: subprocess.Popen[str]) -> int:
    """Wait for a worker of a command in a namespace of its own, and return its process."""
    until(lambda: namespace(driver.pid) not in (None, namespace("self")))
    network = str(namespace(driver.pid))

    def at_work() -> list[int]:
        return [pid for pid, command in inhabitants(network) if command[0] == "ray::flipforge"]

    return until(at_work, LONG)[0]


def test_the_task_of_a_killed_worker_is_run_again(tmp_path: Path) -> None:
    report = drill("killed_worker", tmp_path)
    assert report["answers"] == [[key, key] for key in range(6)]
    assert report["runs"] == {"0": 2, "1": 1, "2": 1, "3": 1, "4": 1, "5": 1}


def test_a_task_that_kills_its_workers_is_given_up(tmp_path: Path) -> None:
    report = drill("poison", tmp_path)
    assert report["error"] is not None and "\n" not in report["error"]
    assert report["answers"] == [[key, key * key] for key in (0, 1, 2, 4, 5)]
    assert report["runs"] == {"death": 3}


def test_a_warm_up_that_fails_is_told(tmp_path: Path) -> None:
    name, told = drill("failed_warm_up", tmp_path)
    assert name == "FlipforgeError"
    assert "no compiler here" in told and "\n" not in told


def test_the_tasks_of_a_lost_node_are_run_elsewhere(tmp_path: Path) -> None:
    report = drill("lost_node", tmp_path)
    assert report["answers"] == [[key, key] for key in range(6)]
    assert report["runs"] == {"0": 2, "1": 2, "2": 1, "3": 1, "4": 1, "5": 1}
    # The cluster was not the executor's to stop.
    assert report["left"] == [None]


def test_no_more_run_at_once_than_asked_for(tmp_path: Path) -> None:
    assert drill("bounded", tmp_path) == {"most": 2, "connected": True}


def test_ctrl_c_is_the_drivers_own(tmp_path: Path) -> None:
    report = drill("ctrl_c", tmp_path)
    assert report["interrupts"] == 1
    assert report["answers"] == [[key, key] for key in range(4)]
    assert report["runs"] == {str(key): 1 for key in range(4)}


def test_a_private_ray_ends_with_a_killed_driver(tmp_path: Path) -> None:
    ours = namespace("self")
    command = isolated(sys.executable, "-W", "error", "-m", "ray_drills", "killed_driver", str(tmp_path))
    driver = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until(lambda: driver.poll() is not None or len(list(tmp_path.iterdir())) == 2)
    network = namespace(driver.pid)
    assert network not in (None, ours), driver.communicate()

    def ray_processes() -> set[str]:
        # Two helpers of Ray's look for the lost control service for a minute or two before they give up too.
        named = {Path(command[0]).name for _, command in inhabitants(str(network))}
        return named - {"ray::DashboardAgent", "ray::RuntimeEnvAgent"}

    assert {"raylet", "gcs_server", "ray::flipforge"} <= ray_processes()
    driver.kill()
    driver.communicate()
    until(lambda: not ray_processes())


def test_a_search_goes_on_when_a_worker_is_killed(tmp_path: Path) -> None:
    words = ["search", "matmul:4x4x4", "--ring", "GF2", "--target-rank", "52", "--time", "4m", "--seed", "1"]
    words += ["--executor", "ray", "--workers", "2", "--json", "--db", str(tmp_path / "catalogue.db")]
    search = subprocess.Popen(
        isolated(sys.executable, "-m", "flipforge.cli", *words),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.kill(worker_of(search), signal.SIGKILL)
    out, err = search.communicate(timeout=LONG)
    assert search.returncode == 0, err
    answer = json.loads(out)
    assert answer["target_reached"] is True and answer["rank"] <= 52


def test_a_batch_of_lifts_goes_on_when_a_worker_and_then_the_driver_are_killed(tmp_path: Path) -> None:
    db, family = tmp_path / "catalogue.db", "matmul:2..3x3..4x3..4"
    sources = {row["id"] for row in api.query(family, ring="GF2", db=db)}

    def started(*words: str) -> "subprocess.Popen[str]":
        command = isolated(
            sys.executable, "-m", "flipforge.cli", *words, "--executor", "ray", "--db", str(db), "--json"
        )
        pipe = subprocess.PIPE
        # Ray's workers give way to all other processes unless told not to: on a busy machine a lift takes minutes then.
        variables = {**environment(), "RAY_worker_niceness": "0"}
        return subprocess.Popen(command, env=variables, stdout=pipe, stderr=pipe, text=True)

    def rows() -> list[Any]:
        return [row for run in api.runs(db=db) for row in api.run_details(run["id"], db=db)["rows"]]

    # None of them has a ternary lift, so that all attempts are made.
    batch = started("lift", "--all", family, "--best", "--attempts", "80", "--workers", "2")
    os.kill(worker_of(batch), signal.SIGKILL)
    before = until(rows, 2 * LONG)
    batch.kill()
    batch.communicate()
    (run,) = api.runs(db=db)
    assert run["state"] == "running" and len(before) < len(sources)

    resumed = started("resume", run["id"], "--workers", "1")
    out, err = resumed.communicate(timeout=2 * LONG)
    assert resumed.returncode == 0, err
    after = json.loads(out)["rows"]
    assert {row["source"] for row in after} == sources and all(row["outcome"] == "lifted" for row in after)
    assert [row for row in after if row["source"] in {old["source"] for old in before}] == before
    assert api.runs(db=db)[0]["state"] == "done"
