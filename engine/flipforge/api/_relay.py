"""One executor for the runs of a family, one after another."""

from collections import deque
from collections.abc import Callable
from typing import Any

from flipforge.search import Executor

__all__ = ["Relay"]

_CHUNKS_IN_FLIGHT = 2


class Relay:
    """Passes the tasks of one run after another to one executor, each under a key of its own.

    What `renew` leaves behind of an earlier run is not handed out any more, and its answers are dropped.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._queue: deque[tuple[int, Callable[..., Any], tuple[Any, ...]]] = deque()
        self._out: dict[int, int | None] = {}
        self._count = 0

    @property
    def workers(self) -> int:
        """How many tasks run at a time."""
        return self._executor.workers

    def renew(self) -> None:
        """Forget the tasks of the run so far."""
        self._queue.clear()
        self._out = dict.fromkeys(self._out)

    def submit(self, key: int, function: Callable[..., Any], *args: Any) -> None:
        """Take a task in; it is handed out where there is room."""
        self._queue.append((key, function, args))
        # A single worker may be this very process, which walks what it was given to the end, wanted or not: it gets
        # one task when its answer is waited for.
        if self.workers > 1:
            self._hand_out(_CHUNKS_IN_FLIGHT * self.workers)

    def wait(self, timeout: float) -> list[tuple[int, Any]]:
        """Return the answers that have come, those of the run so far alone."""
        self._hand_out(1)
        answers = [(self._out.pop(key), value) for key, value in self._executor.wait(timeout)]
        return [(key, value) for key, value in answers if key is not None]

    def close(self) -> None:
        """Close the executor."""
        self._executor.close()

    def _hand_out(self, room: int) -> None:
        while self._queue and len(self._out) < room:
            key, function, args = self._queue.popleft()
            self._out[self._count] = key
            self._executor.submit(self._count, function, *args)
            self._count += 1
