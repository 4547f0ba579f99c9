"""Opening a catalogue file: where it is, whether it is ours, and how its errors are told."""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flipforge.catalogue._schema import APPLICATION_ID, MIGRATIONS
from flipforge.errors import CatalogueError, NotFoundError
from flipforge.search import interrupts_held

__all__ = ["connect", "default_path", "locate", "migrate", "transaction", "translated"]

BUSY_SECONDS = 30.0
MEMORY = Path(":memory:")
_MAGIC = b"SQLite format 3\0"
_MEANINGS = (
    ("disk is full", "the disk is full; free some space and repeat, nothing of this write was kept"),
    ("locked", f"another process has held the catalogue for {BUSY_SECONDS:.0f} seconds; repeat when it is done"),
    ("readonly", "the catalogue cannot be written; name another file with --db or FLIPFORGE_DB"),
    ("unable to open", "the catalogue cannot be opened for writing; name another file with --db or FLIPFORGE_DB"),
    ("malformed", "the database is damaged; restore a copy, or name a new file with --db or FLIPFORGE_DB"),
    ("not a database", "the database is damaged; restore a copy, or name a new file with --db or FLIPFORGE_DB"),
)


def default_path() -> Path:
    """Return the user's own catalogue: ``flipforge/catalogue.db`` in XDG_DATA_HOME, or in ``~/.local/share``."""
    data = os.environ.get("XDG_DATA_HOME", "")
    # The XDG base directory specification says to ignore a relative path.
    folder = Path(data) if Path(data).is_absolute() else Path.home() / ".local" / "share"
    return folder / "flipforge" / "catalogue.db"


def locate(url: str | Path | None) -> Path:
    """Return the absolute path a catalogue is kept at.

    Parameters
    ----------
    url
        A path, ``sqlite:///PATH`` (four slashes for an absolute one), ``:memory:`` for a catalogue that ends with the
        process, or None for FLIPFORGE_DB, then `default_path`.

    Raises
    ------
    CatalogueError
        The URL names another kind of store, or no file.
    """
    if url is None:
        url = os.environ.get("FLIPFORGE_DB") or default_path()
    text = str(url)
    kind, separator, rest = text.partition("://")
    if separator:
        if kind != "sqlite" or not rest.startswith("/"):
            raise CatalogueError(f"{text}: not a catalogue this version opens; write a path or sqlite:///PATH")
        text = rest[1:]
    if not text:
        raise CatalogueError("the catalogue's name is empty; write a path or sqlite:///PATH")
    return MEMORY if text == str(MEMORY) else Path(text).expanduser().absolute()


def connect(path: Path, *, create: bool = True, steps: Sequence[Sequence[str]] = MIGRATIONS) -> sqlite3.Connection:
    """Open the catalogue in WAL mode with full synchronisation, bringing its schema up to date.

    The header is judged before SQLite touches the file, so one that is refused stays as it is.

    Raises
    ------
    NotFoundError
        There is no such file and ``create`` is false.
    CatalogueError
        The file is not a catalogue, is newer than this version, or cannot be written.
    """
    if path != MEMORY and _is_new(path, len(steps)):
        if not create:
            raise NotFoundError(f"{path}: no such catalogue; a search or an import makes it")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CatalogueError(f"{path}: no folder for it ({error.strerror}); name another file with --db") from None
    with translated(path):
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")
            migrate(connection, path, steps)
            _use_wal(connection)
        except BaseException:
            connection.close()
            raise
        connection.row_factory = sqlite3.Row
        return connection


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[Sequence[str]]) -> None:
    """Take the steps the file has not taken, all in one transaction with the new version number."""
    if _version(connection, path, len(steps)) == len(steps):
        return
    with transaction(connection, path):
        # Another process may have taken them while this one waited for the lock.
        for step in steps[_version(connection, path, len(steps)) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Write all that is done inside or nothing; the lock is taken at once, so writers queue and never fail halfway.

    Interrupts wait for the end: one between BEGIN and the block would leave the transaction open.
    """
    with translated(path), interrupts_held():
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            # SQLite itself rolls back on some errors, a full disk among them.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into one line that names the file and the mend."""
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        meaning = next((meaning for part, meaning in _MEANINGS if part in text), f"SQLite says: {text}")
        raise CatalogueError(f"{path}: {meaning}") from error


def _is_new(path: Path, known: int) -> bool:
    """Tell whether there is no catalogue yet; raise if there is something else."""
    try:
        with path.open("rb") as stream:
            header = stream.read(100)
    except FileNotFoundError:
        return True
    except IsADirectoryError:
        raise CatalogueError(f"{path}: is a folder; name a file in it") from None
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read ({error.strerror}); name another file with --db") from None
    if not header:
        return True
    if len(header) < 100 or not header.startswith(_MAGIC):
        raise CatalogueError(f"{path}: not a SQLite database; name another file with --db")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise CatalogueError(f"{path}: a SQLite database, but not a flipforge catalogue; name another file with --db")
    _check_version(path, int.from_bytes(header[60:64], "big"), known)
    return False


def _version(connection: sqlite3.Connection, path: Path, known: int) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    _check_version(path, version, known)
    return version


def _check_version(path: Path, version: int, known: int) -> None:
    if version > known:
        raise CatalogueError(
            f"{path}: catalogue version {version} is newer than {known}, the last one known here; upgrade flipforge"
        )


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log; SQLite does not wait for other processes here, so this does."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
