"""Executors: the shared checks over all of them, and what each promises beyond."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

import executor_tasks as tasks
from executor_checks import CHECKS, PATIENCE, REMOTE_CHECKS, Check, gather, until
from flipforge.errors import FlipforgeError, InputError, PluginError
from flipforge.executors import make_executor, names, register_executor
from flipforge.executors._task import warm_up
from flipforge.search import Executor, Failure
from lonely import environment, run_isolated

LONG = 120.0


@pytest.fixture(scope="module")
def inline() -> Iterator[Executor]:
    executor = make_executor("inline", workers=2)
    yield executor
    executor.close()


@pytest.fixture(scope="module")
def process() -> Iterator[Executor]:
    executor = make_executor("process", workers=2, warm=tasks.warm)
    yield executor
    executor.close()


@pytest.fixture
def pair() -> Iterator[Executor]:
    """Two worker processes for one test alone."""
    executor = make_executor("process", workers=2)
    yield executor
    executor.close()


def alive(pid: int) -> bool:
    try:
        # The state follows the name, which may hold anything; a zombie only waits to be read.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def waiting(lock: Path) -> int:
    """Return how many wait for a lock on this file."""
    rows = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return sum(row[1] == "->" and row[-3].endswith(f":{lock.stat().st_ino}") for row in rows)


def pids(folder: Path) -> list[int]:
    return sorted(int(path.name.rpartition("-")[2]) for path in folder.iterdir())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ["inline", "process"])
def test_every_executor(name: str, check: Check, request: pytest.FixtureRequest) -> None:
    check(request.getfixturevalue(name))


@pytest.mark.parametrize("check", REMOTE_CHECKS, ids=lambda check: check.__name__)
def test_worker_processes(check: Check, process: Executor) -> None:
    check(process)


def test_ray(tmp_path: Path) -> None:
    # In a process of its own: Ray changes the one that starts it. Its stdout must hold nothing but the report.
    done = run_isolated("-m", "executor_checks", seconds=LONG)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["faults"] == {}
    assert report["shout"] == "printed by a task"
    assert report["refusals"].keys() == {"nowhere", "127.0.0.1:1", "ray://127.0.0.1:10001", "127.0.0.1:99999", "auto"}
    assert all("\n" not in told for told in report["refusals"].values())
    loopback = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
    assert report["listeners"] and set(report["listeners"]) <= loopback


@pytest.mark.parametrize(
    ("name", "workers", "address", "told"),
    [
        ("threads", 1, None, "inline, process, ray"),
        ("process", 0, None, "0 workers"),
        ("ray", -1, None, "-1 workers"),
        ("inline", 1, "auto", "address"),
        ("process", 1, "127.0.0.1:6379", "address"),
    ],
)
def test_what_cannot_be_made_is_refused(name: str, workers: int, address: str | None, told: str) -> None:
    with pytest.raises(InputError, match=told) as refused:
        make_executor(name, workers=workers, address=address)
    assert "\n" not in str(refused.value)


def test_further_executors(monkeypatch: pytest.MonkeyPatch, inline: Executor) -> None:
    monkeypatch.setattr("flipforge.executors._registry._FACTORIES", {})
    asked: list[object] = []

    def factory(*, workers: int, address: str | None, warm: Callable[[], None] | None) -> Executor:
        asked.append((workers, address, warm))
        return inline

    register_executor("ours", factory)
    assert names() == ("ours",)
    assert make_executor("ours", workers=3, address="somewhere", warm=tasks.warm) is inline
    assert asked == [(3, "somewhere", tasks.warm)]
    with pytest.raises(PluginError, match="ours"):
        register_executor("ours", factory)


def test_inline_runs_one_task_a_wait_in_order(inline: Executor) -> None:
    order: list[int] = []
    for key in (5, 2, 9):
        inline.submit(key, order.append, key)
    assert order == []
    assert [inline.wait(0.0) for _ in range(4)] == [[(5, None)], [(2, None)], [(9, None)], []]
    assert order == [5, 2, 9]


def test_inline_lets_an_interrupt_through_and_keeps_the_task() -> None:
    executor = make_executor("inline", workers=1)
    executor.submit(1, tasks.interrupt, 0)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            executor.wait(0.0)


def test_inline_is_warmed_before_its_first_task() -> None:
    seen: list[str] = []
    executor = make_executor("inline", workers=1, warm=lambda: seen.append("warm"))
    for key in range(2):
        executor.submit(key, seen.append, f"task {key}")
    gather(executor, 2)
    assert seen == ["warm", "task 0", "task 1"]


@pytest.mark.parametrize("name", ["inline", "process"])
def test_a_closed_executor_takes_no_task(name: str) -> None:
    executor = make_executor(name, workers=1)
    executor.submit(1, tasks.nap, 0.0)
    executor.close()
    executor.close()
    assert executor.wait(0.0) == []
    with pytest.raises(RuntimeError, match="closed"):
        executor.submit(2, tasks.square, 1)


def test_the_task_of_a_killed_worker_is_run_again(pair: Executor, tmp_path: Path) -> None:
    for key in range(6):
        # Tasks 0 and 1 sleep in both workers; the others wait behind them, some in the workers already.
        pair.submit(key, tasks.nap_the_first_time, str(tmp_path), key, LONG if key == 0 else 0.5)
    until(lambda: any(tmp_path.glob("0-*")))
    (first,) = tmp_path.glob("0-*")
    killed = int(first.name.partition("-")[2])
    os.kill(killed, signal.SIGKILL)
    assert gather(pair, 6) == {key: key for key in range(6)}
    # Only the task that was cut short ran twice, the second time in another process.
    assert sorted(path.name.partition("-")[0] for path in tmp_path.iterdir()) == ["0", "0", "1", "2", "3", "4", "5"]


def test_a_killed_idle_worker_is_replaced(pair: Executor) -> None:
    pair.submit(0, tasks.pid, 0)
    (killed,) = gather(pair, 1).values()
    os.kill(killed, signal.SIGKILL)
    until(lambda: not alive(killed))
    for key in range(8):
        pair.submit(key, tasks.pid, 0)
    assert killed not in gather(pair, 8).values()


def test_a_task_that_kills_its_workers_is_given_up(pair: Executor, tmp_path: Path) -> None:
    for key in range(9):
        if key == 4:
            pair.submit(key, tasks.die, str(tmp_path))
        else:
            pair.submit(key, tasks.square, key)
    answers = gather(pair, 9)
    poison = answers.pop(4)
    assert isinstance(poison, Failure) and "SIGKILL" in poison.error
    assert answers == {key: key * key for key in range(9) if key != 4}
    assert len(list(tmp_path.iterdir())) == 3


def test_close_kills_what_runs_and_leaves_nothing(tmp_path: Path) -> None:
    # The resource tracker of multiprocessing outlives its first user, with one open file.
    make_executor("process", workers=1).close()
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    executor = make_executor("process", workers=2)
    for key in range(4):
        executor.submit(key, tasks.busy, str(tmp_path), LONG)
    until(lambda: len(pids(tmp_path)) == 2)
    begun = time.monotonic()
    executor.close()
    assert time.monotonic() - begun < LONG / 2
    assert not any(alive(pid) for pid in pids(tmp_path))
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == (threads, files)


def test_a_warm_up_that_fails_is_told(tmp_path: Path) -> None:
    executor = make_executor("process", workers=2, warm=tasks.cold)
    executor.submit(1, tasks.square, 1)
    with pytest.raises(FlipforgeError, match="no compiler here") as told:
        gather(executor, 1)
    assert "\n" not in str(told.value)
    executor.close()


def test_workers_that_die_at_birth_are_told() -> None:
    executor = make_executor("process", workers=2, warm=tasks.stillborn)
    executor.submit(1, tasks.square, 1)
    with pytest.raises(FlipforgeError, match=r"as they start.*SIGKILL"):
        gather(executor, 1)
    executor.close()


def test_what_tasks_print_does_not_reach_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    executor = make_executor("process", workers=1)
    executor.submit(1, tasks.shout, "a message")
    gather(executor, 1)
    executor.close()
    out, err = capfd.readouterr()
    assert out == ""
    assert err == "a message\na message\n"


def test_deaths_at_birth_are_not_the_fault_of_a_task(tmp_path: Path) -> None:
    executor = make_executor("process", workers=1, warm=partial(tasks.warm_at_last, str(tmp_path)))
    executor.submit(1, tasks.die_at_first, str(tmp_path), "task", 2)
    assert gather(executor, 1) == {1: "task"}
    executor.close()


DRIVER = """
import multiprocessing, signal, sys
import executor_tasks as tasks
from executor_checks import gather
from flipforge.executors import make_executor

if __name__ == "__main__":
    kind, folder, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    interrupts = []
    signal.signal(signal.SIGINT, lambda *_: interrupts.append(1))
    executor = make_executor("process", workers=2)
    for key in range(4):
        task = tasks.busy if kind == "busy" else tasks.nap_the_first_time
        executor.submit(key, task, folder, *([] if kind == "busy" else [key]), seconds)
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    gather(executor, 4)
    executor.close()
    print(len(interrupts))
"""


def driver(tmp_path: Path, kind: str, seconds: float) -> "tuple[subprocess.Popen[str], Path, set[int]]":
    """Start a driver with two workers, whose numbers it prints; it leads a group, as a command in a terminal does."""
    folder = tmp_path / "tasks"
    folder.mkdir()
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    command = [sys.executable, "-W", "error", str(script), kind, str(folder), str(seconds)]
    started = subprocess.Popen(
        command,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert started.stdout is not None
    workers = {int(pid) for pid in started.stdout.readline().split()}
    assert len(workers) == 2, started.communicate()
    return started, folder, workers


def test_workers_end_with_a_killed_driver(tmp_path: Path) -> None:
    with driver(tmp_path, "busy", LONG)[0] as started:
        folder = tmp_path / "tasks"
        until(lambda: len(pids(folder)) == 2)
        workers = pids(folder)
        started.kill()
        # They compute for two minutes more, if nobody stops them.
        until(lambda: not any(alive(pid) for pid in workers))


def test_ctrl_c_is_the_drivers_own(tmp_path: Path) -> None:
    started, folder, workers = driver(tmp_path, "nap", 1.0)

    def at_work_after_an_interrupt() -> bool:
        os.killpg(started.pid, signal.SIGINT)
        return len(pids(folder)) >= 2

    # From the moment the workers are born, while they import their code, until they run tasks.
    until(at_work_after_an_interrupt)
    out, err = started.communicate(timeout=PATIENCE)
    assert (err, started.returncode) == ("", 0)
    assert int(out) >= 2
    # A worker that had died would have been replaced, and its task run again.
    assert len(pids(folder)) == 4
    assert set(pids(folder)) == workers


def test_a_script_without_a_main_guard_is_told(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(
        "import executor_tasks as tasks\n"
        "from executor_checks import gather\n"
        "from flipforge.executors import make_executor\n"
        "executor = make_executor('process', workers=1)\n"
        "executor.submit(1, tasks.square, 1)\n"
        "gather(executor, 1)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 1
    assert "FlipforgeError: worker processes end as they start (exit code 1)" in done.stderr.splitlines()[-1]


def test_one_process_of_a_machine_warms_up_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[str] = []
    entered = threading.Event()
    ahead_may_end = threading.Event()

    def ahead() -> None:
        entered.set()
        ahead_may_end.wait(PATIENCE)
        seen.append("ahead")

    # Locks of one process held through different open files exclude each other, as those of different processes do.
    threads = [threading.Thread(target=warm_up, args=(ahead,))]
    threads[0].start()
    assert entered.wait(PATIENCE)
    together = threading.Barrier(2, timeout=PATIENCE)

    def follow() -> None:
        # Passes only when both are here: those who waited do not wait for each other.
        together.wait()
        seen.append("follow")

    for _ in range(2):
        threads.append(threading.Thread(target=warm_up, args=(follow,)))
        threads[-1].start()
    (lock,) = tmp_path.iterdir()
    with lock.open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    until(lambda: waiting(lock) == 2)
    assert seen == []
    ahead_may_end.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert seen == ["ahead", "follow", "follow"]


def test_a_machine_without_room_for_a_lock_warms_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    seen: list[str] = []
    warm_up(lambda: seen.append("warm"))
    assert seen == ["warm"]
