"""What holds of every executor.

Run as a script it checks a private Ray and reports on stdout, as flipforge does: one JSON value.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

import executor_tasks as tasks
from flipforge.errors import InputError
from flipforge.executors import make_executor
from flipforge.search import Executor, Failure

__all__ = ["CHECKS", "PATIENCE", "REMOTE_CHECKS", "Check", "gather", "until"]

Check = Callable[[Executor], None]
_Value = TypeVar("_Value")

PATIENCE = 60.0
MEBIBYTE = 2**20


def until(condition: Callable[[], _Value], seconds: float = PATIENCE) -> _Value:
    """Wait for what is to come true, and return it."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)
    return value


def gather(executor: Executor, count: int) -> dict[int, Any]:
    """Wait for so many answers; a key that answers twice is a fault."""
    answers: dict[int, Any] = {}
    end = time.monotonic() + PATIENCE
    while len(answers) < count:
        assert time.monotonic() < end, f"{len(answers)} of {count} answers in time"
        for key, value in executor.wait(1.0):
            assert key not in answers
            answers[key] = value
    return answers


def values_come_back_under_their_keys(executor: Executor) -> None:
    keys = [7, 0, 3, 10**12, 5, 6]
    for key in keys:
        executor.submit(key, tasks.square, key)
    assert gather(executor, len(keys)) == {key: key * key for key in keys}
    assert executor.wait(0.0) == []


def a_used_key_is_refused(executor: Executor) -> None:
    executor.submit(1, tasks.square, 2)
    with pytest.raises(ValueError, match="key 1 "):
        executor.submit(1, tasks.square, 3)
    assert gather(executor, 1) == {1: 4}
    executor.submit(1, tasks.square, 3)
    assert gather(executor, 1) == {1: 9}


def what_raises_is_a_failure_in_one_line(executor: Executor) -> None:
    executor.submit(1, tasks.scale, 0)
    executor.submit(2, tasks.square, 2)
    answers = gather(executor, 2)
    assert answers[2] == 4
    assert isinstance(answers[1], Failure)
    assert answers[1].error.startswith("ValueError: the scale is zero (executor_tasks.py:")


def an_error_that_does_not_pickle_is_a_failure(executor: Executor) -> None:
    executor.submit(1, tasks.sealed, 1)
    (answer,) = gather(executor, 1).values()
    assert isinstance(answer, Failure)
    assert "SealedError: sealed 2" in answer.error


def large_arguments_and_values_pass(executor: Executor) -> None:
    # Both directions at once, beyond what any pipe holds: driver and worker must not wait for each other.
    block = np.arange(4 * MEBIBYTE, dtype=np.uint64)
    for key in range(4):
        executor.submit(key, tasks.echo, block, key)
    for value in gather(executor, 4).values():
        np.testing.assert_array_equal(value, block)


def a_value_that_does_not_come_back_is_a_failure(executor: Executor) -> None:
    executor.submit(1, tasks.bomb, 0)
    (answer,) = gather(executor, 1).values()
    assert isinstance(answer, Failure) and "the scale is zero" in answer.error


def a_value_that_does_not_pickle_is_a_failure(executor: Executor) -> None:
    executor.submit(1, tasks.lock, 0)
    (answer,) = gather(executor, 1).values()
    assert isinstance(answer, Failure) and "pickle" in answer.error


def what_does_not_pickle_is_not_queued(executor: Executor) -> None:
    with pytest.raises(TypeError, match="pickle"):
        executor.submit(1, tasks.identity, tasks.lock(0))
    assert executor.wait(0.0) == []
    executor.submit(1, tasks.square, 2)
    assert gather(executor, 1) == {1: 4}


def workers_are_other_processes_and_stay(executor: Executor) -> None:
    for key in range(20):
        executor.submit(key, tasks.pid, key)
    pids = set(gather(executor, 20).values())
    assert os.getpid() not in pids
    assert 1 <= len(pids) <= executor.workers


def each_worker_is_warmed_once(executor: Executor) -> None:
    """For an executor that was made with ``warm=tasks.warm``."""
    for _ in range(2):
        for key in range(6):
            executor.submit(key, tasks.warmed, key)
        for own, *warmed in gather(executor, 6).values():
            assert warmed == [own]


CHECKS: tuple[Check, ...] = (
    values_come_back_under_their_keys,
    a_used_key_is_refused,
    what_raises_is_a_failure_in_one_line,
    an_error_that_does_not_pickle_is_a_failure,
    large_arguments_and_values_pass,
)
REMOTE_CHECKS: tuple[Check, ...] = (
    a_value_that_does_not_come_back_is_a_failure,
    a_value_that_does_not_pickle_is_a_failure,
    what_does_not_pickle_is_not_queued,
    workers_are_other_processes_and_stay,
    each_worker_is_warmed_once,
)


def refusals() -> dict[str, str]:
    """Return what Ray addresses of which none will do are told."""
    told = {}
    # Else `auto` would find a Ray of somebody else on this machine.
    os.environ["RAY_ADDRESS"] = "127.0.0.1:1"
    for address in ("nowhere", "127.0.0.1:1", "ray://127.0.0.1:10001", "127.0.0.1:99999", "auto"):
        try:
            make_executor("ray", workers=1, address=address)
        except InputError as error:
            told[address] = str(error)
    del os.environ["RAY_ADDRESS"]
    return told


def listeners() -> list[str]:
    """Return the local addresses, in the kernel's hexadecimal notation, on which this network namespace listens."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return sorted({local.partition(":")[0] for _, local, _, state, *_ in rows if state == "0A"})


def report_on_ray() -> dict[str, Any]:
    """Run all checks on a private Ray."""
    report: dict[str, Any] = {"refusals": refusals(), "faults": {}}
    executor = make_executor("ray", workers=2, warm=tasks.warm)
    try:
        report["listeners"] = listeners()
        for check in (*CHECKS, *REMOTE_CHECKS):
            try:
                check(executor)
            except AssertionError as fault:
                report["faults"][check.__name__] = str(fault)
        executor.submit(1, tasks.shout, "printed by a task")
        report["shout"] = gather(executor, 1)[1]
        executor.submit(2, tasks.nap, PATIENCE)
    finally:
        executor.close()
        executor.close()
    return report


if __name__ == "__main__":
    print(json.dumps(report_on_ray()))
