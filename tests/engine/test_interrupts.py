"""Interrupts that come at the worst moment: inside a transaction, while a chunk is merged, as a run ends."""

import signal
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from flipforge import api
from flipforge.catalogue._database import connect, transaction
from flipforge.errors import RunInterrupted
from flipforge.search import Entry, Ladder, Limits, Run, RunRecord, interrupts_held
from search_bench import SMALL, THREE, Bench, Interrupting, MemoryStore, searched

NUMBERS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def _terminated() -> Iterator[None]:
    """SIGTERM interrupts, as on the command line."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("number", NUMBERS)
def test_what_is_held_comes_at_the_end(number: signal.Signals) -> None:
    handlers = [signal.getsignal(each) for each in NUMBERS]
    reached = []
    with pytest.raises(KeyboardInterrupt):
        with interrupts_held():
            with interrupts_held():
                signal.raise_signal(number)
                reached.append("inner")
            reached.append("outer")
        reached.append("too far")
    assert reached == ["inner", "outer"]
    assert [signal.getsignal(each) for each in NUMBERS] == handlers


def test_an_error_stands_for_what_was_held_and_handlers_come_back() -> None:
    handlers = [signal.getsignal(each) for each in NUMBERS]
    with pytest.raises(ValueError, match="the scale"), interrupts_held():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("the scale is zero")
    assert [signal.getsignal(each) for each in NUMBERS] == handlers


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_have_nothing_to_hold() -> None:
    handler, seen = signal.getsignal(signal.SIGINT), []

    def hold() -> None:
        with interrupts_held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = Thread(target=hold)
    thread.start()
    thread.join()
    assert seen == [handler]


class Interrupted(sqlite3.Connection):
    """A connection that is interrupted while it takes the lock."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        cursor = super().execute(sql, *values)
        if sql.startswith("BEGIN"):
            signal.raise_signal(signal.SIGINT)
        return cursor


def test_an_interrupt_inside_a_transaction_leaves_none_open(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    connect(path).close()
    connection = sqlite3.connect(path, isolation_level=None, factory=Interrupted)
    for name in ("first", "second"):
        with pytest.raises(KeyboardInterrupt), transaction(connection, path):
            connection.execute("INSERT INTO notes VALUES (?, '')", (name,))
        assert not connection.in_transaction
    assert connection.execute("SELECT name FROM notes").fetchall() == [("first",), ("second",)]
    connection.close()


def run_of(search: Callable[[], object]) -> str:
    """Return the run that a search names when it is interrupted."""
    with pytest.raises((RunInterrupted, KeyboardInterrupt)) as caught:
        search()
    assert isinstance(caught.value, RunInterrupted)
    return caught.value.run


class Impatient(MemoryStore):
    """A store in memory whose user presses Ctrl-C as it writes a run that is over."""

    def commit(
        self, entries: Sequence[Entry], run: RunRecord | None = None, events: Sequence[Mapping[str, Any]] = ()
    ) -> list[str]:
        if run is not None and run.state != "running":
            signal.raise_signal(signal.SIGINT)
        return super().commit(entries, run, events)


def test_an_interrupt_as_a_run_ends_waits_for_the_checkpoint() -> None:
    store = Impatient()
    run = run_of(lambda: searched(THREE, store, target=24, flips=50_000_000))
    assert store.record is not None and run == store.record.id
    assert store.record.state == "done" and store.record.best in store.schemes


def test_a_second_interrupt_does_not_cost_the_checkpoint() -> None:
    store = Impatient()
    run_of(lambda: searched(THREE, store, Interrupting(), flips=50_000_000))
    assert store.record is not None and store.record.state == "stopped"
    assert [event["chunk"] for event in store.log] == [0, 1, 2]


def test_a_chunk_is_merged_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Ladder.tell

    def tell(ladder: Ladder, *words: Any, **more: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        honest(ladder, *words, **more)

    monkeypatch.setattr(Ladder, "tell", tell)
    store = MemoryStore()
    run_of(lambda: searched(THREE, store, flips=50_000_000))
    (event,) = store.log
    assert store.record is not None and store.record.flips == event["steps"] > 0
    monkeypatch.undo()
    flips = store.record.flips + 200_000
    run = Run(THREE, Bench(), store, store.record, schedule=SMALL, limits=Limits(flips=flips), deterministic=True)
    run.resume()
    assert run.go().flips == flips


def test_a_family_that_is_interrupted_as_it_ends_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flipforge.api import _rounds

    honest = _rounds.Rounds._commit

    def commit(rounds: _rounds.Rounds, state: str) -> None:
        if state != "running":
            signal.raise_signal(signal.SIGINT)
        honest(rounds, state)

    monkeypatch.setattr(_rounds.Rounds, "_commit", commit)
    db = tmp_path / "catalogue.db"
    run = run_of(lambda: api.search_family("matmul:2x2x2..3", workers=1, seed=1, max_flips=50_000_000, db=db))
    (row,) = api.runs(db=db)
    assert (row["id"], row["state"], row["reached"]) == (run, "done", 2)
