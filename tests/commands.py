"""What tests of the command line share: commands in this process, in one that is interrupted, and on a terminal."""

import fcntl
import os
import pty
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from executor_checks import until
from flipforge.catalogue import SqliteStore
from flipforge.cli import main

__all__ = [
    "PATIENCE",
    "ROW_KEYS",
    "SEARCH_KEYS",
    "Capture",
    "Process",
    "all_chunks_are_there",
    "answer",
    "command",
    "interrupted",
    "kill_a_worker",
    "launched",
    "on_a_terminal",
    "stored",
    "wait_for",
]

Capture = pytest.CaptureFixture[str]
Process = subprocess.Popen[str]

SEARCH_KEYS = [
    "run",
    "problem",
    "ring",
    "rank",
    "target_reached",
    "scheme",
    "flips",
    "seconds",
    "workers",
    "seed",
    "walk_version",
]
ROW_KEYS = [*SEARCH_KEYS, "best_known", "gap"]

# Only a test that fails ever waits so long: a crowded machine compiles a kernel for minutes.
PATIENCE = 600.0


def answer(capsys: Capture, *words: str) -> tuple[int, str, str]:
    """Run a command in this process; return its code, stdout and stderr."""
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    out, err = capsys.readouterr()
    return int(caught.value.code or 0), out, err


def command(db: Path, *words: str) -> list[str]:
    """Return what runs a command on a catalogue in another process."""
    return [sys.executable, "-m", "flipforge.cli", *words, "--db", str(db)]


@contextmanager
def launched(db: Path, *words: str) -> Iterator[Process]:
    """Start a command that leads a group, as one in a terminal does; it does not outlive the block."""
    pipe = subprocess.PIPE
    # One that a failed test left running would fail a later one too: Python warns when it drops the process.
    with subprocess.Popen(command(db, *words), stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: Process, ready: Callable[[], bool]) -> None:
    """Wait for what a running command is to bring about."""

    def came_about() -> bool:
        if ready():
            return True
        assert process.poll() is None, process.communicate()
        return False

    until(came_about, PATIENCE)


def stored(db: Path, query: str) -> list[tuple[Any, ...]]:
    """Read a catalogue past the store; nothing where it is not yet made."""
    if not db.exists():
        return []
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.DatabaseError:  # it is being made
            return []


def interrupted(process: Process, number: signal.Signals) -> str:
    """Interrupt a command and its workers; return the one line in which it says how to go on."""
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and out == "" and err.count("\n") == 1, (process.returncode, err)
    return err.rstrip()


def kill_a_worker(process: Process) -> None:
    """Kill one of the worker processes of a command."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    workers = [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    os.kill(workers[0], signal.SIGKILL)


def all_chunks_are_there(db: Path, run: str) -> bool:
    """Tell whether a run has each of its chunks once, and none that failed."""
    with SqliteStore.open(db) as store:
        events = store.events(run)
    chunks = sorted(int(event["chunk"]) for event in events)
    return chunks == list(range(len(chunks))) and not any("error" in event for event in events)


def on_a_terminal(words: Sequence[str], lines: int = 24) -> tuple[int, bytes, bytes]:
    """Run a command whose standard error is a terminal of so many lines; return its code, stdout and what it showed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, 100, 0, 0))
    environment = {**os.environ, "TERM": "xterm"}
    for name in ("LINES", "COLUMNS", "NO_COLOR"):
        environment.pop(name, None)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux says EIO when the last writer has closed the terminal
                break
            if not part:
                break
            shown += part
        out, _ = process.communicate()
    os.close(ours)
    return process.returncode, out, shown
