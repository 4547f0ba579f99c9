"""Tasks on a Ray cluster: one of our own on this machine, or one that runs already.

Tasks, not actors: the tasks of an actor whose node is gone would wait for a place while other nodes are free. Ray
itself runs a task again, elsewhere, when its worker or node dies.
"""

import logging
import math
import os
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import ray
import ray._private.worker as ray_driver
from ray import cloudpickle
from ray._private import ray_constants
from ray.exceptions import RayError, RayTaskError

from flipforge.errors import FlipforgeError, InputError
from flipforge.executors._task import ATTEMPTS, Warm, answer, failure, loaded, run, warm_up
from flipforge.search import Failure

__all__ = ["RayExecutor"]

# Chunks and their answers are kilobytes; left to itself Ray reserves a third of the machine's memory.
OBJECT_STORE_BYTES = 100 * 2**20
# Ray itself waits for minutes at an address where nothing listens.
CONNECT_SECONDS = 5.0

# Unlike pickle it sends what a script or notebook defines, too.
_dumps: Callable[[Any], bytes] = cloudpickle.dumps


class RayExecutor:
    """Runs tasks on Ray, `workers` at once.

    Without an address a private Ray with `workers` CPUs is started; it listens on the loopback interface alone and ends
    with `close` or with this process. With an address, or where this process is connected already, that cluster is used
    and left running. Nodes of a cluster need this version of flipforge.
    """

    def __init__(self, *, workers: int, address: str | None, warm: Warm | None) -> None:
        self.workers = workers
        self._queue: deque[tuple[int, bytes]] = deque()
        self._keys: set[int] = set()
        self._running: dict[ray.ObjectRef[bytes], int] = {}
        self._closed = False
        self._warm = _dumps(warm)
        self._ours = not ray.is_initialized()
        if not self._ours and address is not None:
            raise InputError(f"this process is connected to Ray already: leave the address {address} out")
        if self._ours:
            _connect(workers, address)
        # A private Ray has `workers` CPUs: given more tasks it queues them, and no CPU waits for the driver. A cluster
        # may have more CPUs and would run them.
        self._room = math.inf if self._ours and address is None else workers
        self._task = ray.remote(_task).options(num_cpus=1, max_retries=ATTEMPTS - 1, name="flipforge")

    def submit(self, key: int, function: Callable[..., Any], *args: Any) -> None:
        """Queue a task."""
        if self._closed:
            raise RuntimeError("the executor is closed")
        if key in self._keys:
            raise ValueError(f"task key {key} is in use")
        self._queue.append((key, _dumps((function, args))))
        self._keys.add(key)
        self._hand_out()

    def wait(self, timeout: float) -> list[tuple[int, Any]]:
        """Return what has finished; nothing at once when no task is left.

        Raises
        ------
        FlipforgeError
            Ray's workers cannot run tasks of ours, or their warm-up fails.
        """
        if not self._running:
            return []
        ready, _ = ray.wait(list(self._running), num_returns=1, timeout=timeout)
        if ready:
            ready, _ = ray.wait(list(self._running), num_returns=len(self._running), timeout=0)
        answers = [(self._running[reference], _value(reference)) for reference in ready]
        for reference in ready:
            self._keys.remove(self._running.pop(reference))
        self._hand_out()
        return answers

    def close(self) -> None:
        """Stop the tasks, and the Ray that was started here."""
        if self._closed:
            return
        self._closed = True
        if self._ours:
            # This ends the job, and with it the tasks, on a cluster too.
            ray.shutdown()
            ray_driver._worker_logs_enabled = True
        else:
            for reference in self._running:
                ray.cancel(reference, force=True)
        self._running.clear()
        self._queue.clear()
        self._keys.clear()

    def _hand_out(self) -> None:
        while self._queue and len(self._running) < self._room:
            key, payload = self._queue.popleft()
            self._running[self._task.remote(self._warm, payload)] = key


_warmed: set[bytes] = set()


def _task(warm: bytes, payload: bytes) -> bytes:
    """Run a task in a Ray worker, which is warmed by the first."""
    if warm not in _warmed:
        function = cloudpickle.loads(warm)
        report = None if function is None else run(warm_up, (function,))
        if isinstance(report, Failure):
            raise RuntimeError(f"the warm-up failed: {report.error}")
        _warmed.add(warm)
    return answer(payload, _dumps)


def _value(reference: "ray.ObjectRef[bytes]") -> Any:
    try:
        return loaded(ray.get(reference))
    except RayTaskError as error:
        # `answer` turns what a task raises into a `Failure`: this comes from around it, and would from every task.
        raise FlipforgeError(f"Ray's workers cannot run tasks: {failure(error.cause).error}") from error
    except RayError as error:
        return failure(error.with_traceback(None))


def _connect(workers: int, address: str | None) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        options |= {
            "address": "local",
            "num_cpus": workers,
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
        }
        trouble = "Ray does not start on this machine (the process executor needs none)"
    else:
        _check_address(address)
        options["address"] = address
        trouble = f"no Ray cluster can be reached at {address}"
    # Ray prints the loss of a worker to stdout, which carries our data, with `log_to_driver` or without.
    ray_driver._worker_logs_enabled = False
    try:
        with _sigterm_kept(), nullcontext() if address else _loopback_only():
            ray.init(**options)
    except Exception as error:
        ray_driver._worker_logs_enabled = True
        raise InputError(f"{trouble}: {failure(error.with_traceback(None)).error}") from error


def _check_address(address: str) -> None:
    """Refuse an address that is malformed or where nothing listens."""
    place = os.environ.get("RAY_ADDRESS", "") or address if address == "auto" else address
    if place == "auto":
        return
    host, _, port = place.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        raise InputError(
            f"{place} is no address of a Ray cluster: write host:port, or auto for the cluster of this machine"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        raise InputError(f"no Ray cluster can be reached at {place}: {error}") from error


@contextmanager
def _loopback_only() -> Iterator[None]:
    """Let Ray do what it does on systems for which it knows no clusters, and not listen on every interface.

    To give it the address 127.0.0.1 is not enough: it replaces that by one that others can reach.
    """
    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


@contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Undo that Ray takes the driver's SIGTERM handler."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
