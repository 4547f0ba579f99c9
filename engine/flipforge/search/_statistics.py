"""Statistics of a run: its events folded into one row for each level, and the course of its rank."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flipforge.errors import MalformedError

__all__ = ["Statistics"]

_COUNTED = ("attempts", "successes", "fresh", "steps", "seconds")


class Statistics:
    """Folds the events of chunks; an event that is told twice counts once.

    Parameters
    ----------
    rows, course
        What `rows` and `course` of an earlier session gave.

    Examples
    --------
    >>> statistics = Statistics()
    >>> event = {"chunk": 0, "level": 8, "attempts": 4, "successes": 1, "fresh": 1, "steps": 90, "seconds": 0.5}
    >>> statistics.tell({**event, "rank": 7})
    >>> statistics.rows()[0]["steps_per_success"], statistics.course()
    (90.0, [[0, 8], [90, 7]])
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]] = (), course: Iterable[Sequence[int]] = ()) -> None:
        self._sums = {row["level"]: {name: row[name] for name in ("chunks", *_COUNTED)} for row in rows}
        self._course = [list(point) for point in course]
        self._steps = sum(sums["steps"] for sums in self._sums.values())
        self._told: set[int] = set()

    def tell(self, event: Mapping[str, Any]) -> None:
        """Count the event of a chunk; that of a chunk that failed has no level and is left out.

        Raises
        ------
        MalformedError
            The event lacks what every chunk reports.
        """
        number = event.get("chunk")
        if "error" in event or number in self._told:
            return
        missing = [name for name in ("chunk", "level", *_COUNTED) if not isinstance(event.get(name), int | float)]
        if missing:
            raise MalformedError(f"the event of chunk {number} says nothing of {', '.join(missing)}")
        self._told.add(event["chunk"])
        sums = self._sums.setdefault(event["level"], dict.fromkeys(("chunks", *_COUNTED), 0))
        sums["chunks"] += 1
        for name in _COUNTED:
            sums[name] += event[name]
        if not self._course:
            self._course.append([0, event["level"]])
        self._steps += event["steps"]
        if event.get("rank", event["level"]) < self._course[-1][1]:
            self._course.append([self._steps, event["rank"]])

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each level that was walked from, highest first, as JSON values.

        Returns
        -------
        list of dict
            ``level``, ``chunks``, ``attempts``, ``successes``, ``fresh`` (finds that were new to the pool),
            ``success_rate`` (successes by attempts), ``steps``, ``seconds`` (CPU time of the workers),
            ``steps_per_success`` (None without one) and ``rate`` (steps by second; None where no time was measured).
        """
        return [_row(level, self._sums[level]) for level in sorted(self._sums, reverse=True)]

    def course(self) -> list[list[int]]:
        """Return ``[steps, rank]`` at the start and at each fall of the lowest rank, steps of the whole run."""
        return [list(point) for point in self._course]


def _row(level: int, sums: Mapping[str, Any]) -> dict[str, Any]:
    attempts, successes, steps, seconds = (sums[name] for name in ("attempts", "successes", "steps", "seconds"))
    return {
        "level": level,
        "chunks": sums["chunks"],
        "attempts": attempts,
        "successes": successes,
        "fresh": sums["fresh"],
        "success_rate": round(successes / attempts, 6) if attempts else None,
        "steps": steps,
        "seconds": round(seconds, 6),
        "steps_per_success": round(steps / successes, 1) if successes else None,
        "rate": round(steps / seconds) if seconds else None,
    }
