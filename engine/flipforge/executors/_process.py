"""Tasks in worker processes of this machine.

Each worker has a connection of its own, so the death of one touches no other (a ``ProcessPoolExecutor`` breaks as a
whole). A worker answers its tasks in the order in which it got them: what it had not answered when its connection ended
is lost, and the oldest of these is the task it was running.
"""

import multiprocessing
import pickle
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import connection, resource_tracker
from multiprocessing.context import SpawnProcess
from typing import Any

from flipforge.errors import FlipforgeError
from flipforge.executors._task import ATTEMPTS, Warm, loaded
from flipforge.executors._worker import work
from flipforge.search import Failure

__all__ = ["ProcessExecutor"]

# Tasks a worker holds: one to run and one to go on with while the driver is busy.
HELD = 2


@dataclass
class _Task:
    payload: bytes
    deaths: int = 0


@dataclass
class _Worker:
    process: SpawnProcess
    link: connection.Connection
    held: deque[int] = field(default_factory=deque)
    ready: bool = False


class ProcessExecutor:
    """Runs tasks in `workers` spawned processes; for use from one thread.

    A task whose worker dies is run again in another, three times at the most. Workers ignore Ctrl-C, and exit when the
    driver is gone. After an exception out of `wait` (Ctrl-C in the driver, workers that cannot start) only `close` is
    left to do.
    """

    def __init__(self, *, workers: int, warm: Warm | None) -> None:
        self.workers = workers
        self._warm = warm
        self._tasks: dict[int, _Task] = {}
        self._queue: deque[int] = deque()
        self._answers: list[tuple[int, Any]] = []
        self._failed_starts = 0
        self._pool: list[_Worker] = []
        self._closed = False
        try:
            for _ in range(workers):
                self._pool.append(self._start())
        except BaseException:
            self.close()
            raise

    def submit(self, key: int, function: Callable[..., Any], *args: Any) -> None:
        """Queue a task; the function must be importable by its name in another process."""
        if self._closed:
            raise RuntimeError("the executor is closed")
        if key in self._tasks:
            raise ValueError(f"task key {key} is in use")
        self._tasks[key] = _Task(pickle.dumps((function, args)))
        self._queue.append(key)
        self._hand_out()

    def wait(self, timeout: float) -> list[tuple[int, Any]]:
        """Return what has finished; nothing at once when no task is left.

        Raises
        ------
        FlipforgeError
            Workers cannot start, or their warm-up fails.
        """
        deadline = time.monotonic() + timeout
        while self._tasks and not self._answers:
            workers = {worker.link: worker for worker in self._pool}
            ready = connection.wait(list(workers), max(0.0, deadline - time.monotonic()))
            if not ready:
                break
            for link in ready:
                self._read(workers[link])  # type: ignore[index]
            self._hand_out()
        answers, self._answers = self._answers, []
        for key, _ in answers:
            del self._tasks[key]
        return answers

    def close(self) -> None:
        """Kill the workers; tasks are pure, so nothing but their answers is lost."""
        self._closed = True
        for worker in self._pool:
            worker.process.kill()
        while self._pool:
            worker = self._pool.pop()
            worker.process.join()
            worker.process.close()
            worker.link.close()
        self._tasks.clear()
        self._queue.clear()
        self._answers.clear()

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, self._warm), name="flipforge-worker", daemon=True)
        # multiprocessing starts its tracker with the first process and lets Ctrl-C through again, too early for us.
        resource_tracker.ensure_running()
        # A worker is born deaf to Ctrl-C: it could not say so itself before it has imported its code.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return _Worker(process, ours)

    def _hand_out(self) -> None:
        while self._queue:
            worker = min(self._pool, key=lambda each: len(each.held))
            if len(worker.held) >= HELD:
                return
            key = self._queue.popleft()
            worker.held.append(key)
            try:
                worker.link.send_bytes(self._tasks[key].payload)
            except OSError:
                # It died; its connection tells so in `wait`, once its last answers have been read.
                return

    def _read(self, worker: _Worker) -> None:
        try:
            message = worker.link.recv_bytes()
        except (EOFError, OSError):
            self._replace(worker)
            return
        if worker.ready:
            self._answers.append((worker.held.popleft(), loaded(message)))
            return
        report = pickle.loads(message)
        if isinstance(report, Failure):
            raise FlipforgeError(f"the warm-up of a worker process failed: {report.error}")
        worker.ready = True
        self._failed_starts = 0

    def _replace(self, worker: _Worker) -> None:
        worker.process.kill()
        worker.process.join()
        code = worker.process.exitcode or 0
        end = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        worker.process.close()
        worker.link.close()
        if worker.ready and worker.held:
            running = self._tasks[worker.held[0]]
            running.deaths += 1
            if running.deaths >= ATTEMPTS:
                self._answers.append(
                    (worker.held.popleft(), Failure(f"its worker process ended {ATTEMPTS} times ({end})"))
                )
        self._queue.extendleft(reversed(worker.held))
        self._pool.remove(worker)
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= ATTEMPTS:
                raise FlipforgeError(
                    f"worker processes end as they start ({end}); a script that searches needs "
                    "`if __name__ == '__main__':` around its first call, or the inline executor"
                )
        self._pool.append(self._start())
