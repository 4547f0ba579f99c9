"""Tasks in the driver's own process, one after the other."""

from collections.abc import Callable
from typing import Any

from flipforge.executors._task import Warm, run

__all__ = ["InlineExecutor"]


class InlineExecutor:
    """Runs one task a `wait`, in the order of submission, so that a driver can stop between two tasks.

    Whatever number of workers is asked for, there is one: this process.
    """

    def __init__(self, *, warm: Warm | None) -> None:
        self.workers = 1
        self._warm = warm
        self._tasks: dict[int, tuple[Callable[..., Any], tuple[Any, ...]]] = {}
        self._closed = False

    def submit(self, key: int, function: Callable[..., Any], *args: Any) -> None:
        """Queue a task."""
        if self._closed:
            raise RuntimeError("the executor is closed")
        if key in self._tasks:
            raise ValueError(f"task key {key} is in use")
        self._tasks[key] = (function, args)

    def wait(self, timeout: float) -> list[tuple[int, Any]]:
        """Run the oldest task to its end, however long it takes, and return its answer."""
        if not self._tasks:
            return []
        if self._warm is not None:
            self._warm()
            self._warm = None
        key, (function, args) = next(iter(self._tasks.items()))
        value = run(function, args)
        # Only now: a task that Ctrl-C cuts short stays queued.
        del self._tasks[key]
        return [(key, value)]

    def close(self) -> None:
        """Drop queued tasks."""
        self._tasks.clear()
        self._closed = True
