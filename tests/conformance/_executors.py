"""Conformance of executors. Tasks are functions of the standard library, so that a worker anywhere can import them."""

import operator
import time
from collections.abc import Iterator
from typing import Any

import pytest

from flipforge.search import Executor, Failure

__all__ = ["ExecutorConformance"]

_PATIENCE = 120.0


class ExecutorConformance:
    """Tests of an `Executor`; a subclass gives `executor`."""

    @classmethod
    def executor(cls, workers: int) -> Executor:
        """Return a running executor; it may have fewer workers than asked for."""
        raise NotImplementedError("a subclass returns its executor")

    @pytest.fixture(scope="class")
    @classmethod
    def running(cls) -> Iterator[Executor]:
        """One executor for the tests of a class: starting workers takes long."""
        executor = cls.executor(2)
        yield executor
        executor.close()

    def answers(self, executor: Executor, count: int) -> dict[int, Any]:
        """Wait for so many answers; each key answers once."""
        found: dict[int, Any] = {}
        end = time.monotonic() + _PATIENCE
        while len(found) < count and time.monotonic() < end:
            for key, value in executor.wait(1.0):
                assert key not in found
                found[key] = value
        return found

    def test_has_workers(self, running: Executor) -> None:
        assert running.workers in (1, 2)

    def test_every_task_answers_once_under_its_key(self, running: Executor) -> None:
        for key in range(20):
            running.submit(key, pow, key, 3, 101)
        assert self.answers(running, 20) == {key: pow(key, 3, 101) for key in range(20)}
        assert running.wait(0.0) == []

    def test_exception_is_a_failure_and_others_go_on(self, running: Executor) -> None:
        running.submit(1, operator.truediv, 1, 0)
        running.submit(2, operator.add, b"a", b"b")
        found = self.answers(running, 2)
        assert isinstance(found[1], Failure)
        assert "ZeroDivisionError" in found[1].error
        assert found[2] == b"ab"

    def test_key_can_be_used_again_after_its_answer(self, running: Executor) -> None:
        for value in (1, 2):
            running.submit(7, operator.neg, value)
            assert self.answers(running, 1) == {7: -value}

    def test_wait_without_tasks_returns(self, running: Executor) -> None:
        assert running.wait(0.05) == []

    def test_close_drops_what_is_queued_and_may_be_repeated(self) -> None:
        executor = self.executor(1)
        for key in range(50):
            executor.submit(key, time.sleep, 0.2)
        begun = time.monotonic()
        executor.close()
        executor.close()
        assert time.monotonic() - begun < 50 * 0.2
