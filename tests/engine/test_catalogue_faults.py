"""The store when things go wrong: killed writers, two writers, a full disk, and files that are not ours."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

import catalogue_samples
import flipforge.catalogue._database as database
from catalogue_samples import find, record, standard, strassen, variants, wrong
from flipforge.catalogue import SqliteStore
from flipforge.catalogue._database import connect
from flipforge.catalogue._schema import APPLICATION_ID, MIGRATIONS
from flipforge.catalogue._writer import Writer
from flipforge.errors import CatalogueError, FlipforgeError, VerificationError
from flipforge.rings import GF2
from flipforge.schemes.formats import dump_native
from flipforge.search import Entry

SCRIPT = Path(catalogue_samples.__file__)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "catalogue"
    folder.mkdir()
    return folder / "x.db"


def writer(*arguments: object) -> subprocess.Popen[str]:
    """Start a process that runs `catalogue_samples.write_batches`."""
    return subprocess.Popen([sys.executable, str(SCRIPT), *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> list[int]:
    """Wait for a writer; return how many IDs were new in each batch."""
    with process:
        assert process.stdout is not None
        counts = [int(line) for line in process.stdout]
    assert process.returncode == 0
    return counts


def refusal(path: Path, empty: Path, kind: type[FlipforgeError] = CatalogueError) -> str:
    """Open a file that must be refused; it and its folder must stay as they were."""
    before = {file: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}
    with pytest.raises(kind) as error:
        SqliteStore.open(path, shipped=empty)
    assert {file: file.read_bytes() for file in path.parent.iterdir() if file.is_file()} == before
    assert error.value.exit_code == 2
    text = str(error.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text


def test_a_killed_writer_loses_nothing_it_was_told_is_stored(path: Path, empty: Path) -> None:
    size = 3
    with writer(path, empty, "run-one", 0, 200, size) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(4)]
        process.kill()
    assert told == [size] * 4
    with SqliteStore.open(path, shipped=empty) as store:
        batches = store.run("run-one").checkpoint["batches"]
        assert 4 <= batches < 200
        assert {row["id"] for row in store.rows()} == {scheme.id for scheme in variants(600)[: batches * size]}
        assert store.events("run-one") == [{"batch": number} for number in range(batches)]
        later = variants(600)[-size:]
        assert len(store.commit([find(scheme, standard()) for scheme in later], record())) == size


def test_a_writer_killed_inside_a_transaction_leaves_the_catalogue_as_it_was(path: Path, empty: Path) -> None:
    with SqliteStore.open(path, shipped=empty) as store:
        store.commit([Entry(standard(), "derived")])
        before = store.rows()
    code = f"""
import sys, time
sys.path.insert(0, {str(SCRIPT.parent)!r})
from catalogue_samples import write_batches
from flipforge.catalogue._writer import Writer
from functools import partial
from pathlib import Path
honest = Writer.put_run
def stopped(self, run, events):
    honest(self, run, events)
    print("inside", flush=True)
    time.sleep(60)
Writer.put_run = stopped
write_batches(Path({str(path)!r}), Path({str(empty)!r}), "run-one", 0, 1, 20)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        process.kill()
    with SqliteStore.open(path, shipped=empty) as store:
        assert store.rows() == before
        assert store.runs() == []
        assert len(store.commit([find(scheme, standard()) for scheme in variants(20)], record())) == 20


def test_two_processes_make_and_write_one_catalogue(path: Path, empty: Path) -> None:
    runs = ("run-one", "run-two")
    processes = [writer(path, empty, run, 0, 15, 4) for run in runs]
    counts = [finish(process) for process in processes]
    assert [len(count) for count in counts] == [15, 15]
    assert sum(map(sum, counts)) == 60
    with SqliteStore.open(path, shipped=empty) as store:
        assert {row["id"] for row in store.rows()} == {scheme.id for scheme in variants(60)}
        assert all(store.lineage(row["id"])[0].run == row["run"] for row in store.rows())
        for run in runs:
            assert store.run(run).checkpoint == {"batches": 15}
            assert len(store.events(run)) == 15
        assert store._connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_reader_does_not_wait_for_a_writer(path: Path, empty: Path) -> None:
    with SqliteStore.open(path, shipped=empty) as store, SqliteStore.open(path, shipped=empty) as reader:
        store.commit([Entry(standard(), "derived")])
        store._connection.execute("BEGIN IMMEDIATE")
        assert len(reader.rows()) == 1
        store._connection.execute("ROLLBACK")


def test_a_lock_that_is_not_released(path: Path, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with SqliteStore.open(path, shipped=empty) as store, SqliteStore.open(path, shipped=empty) as other:
        other._connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(CatalogueError, match="another process") as error:
            store.commit([Entry(standard(), "derived")])
        assert "\n" not in str(error.value)
        other._connection.execute("ROLLBACK")
        assert store.rows() == []
        assert store.commit([Entry(standard(), "derived")]) == [standard().id]


def test_the_switch_to_a_log_waits_for_readers(path: Path, empty: Path) -> None:
    with SqliteStore.open(path, shipped=empty) as store:
        store.commit([Entry(standard(), "derived")])
        store._connection.execute("PRAGMA journal_mode = DELETE")
    reader = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM objects").fetchall()
    end = Timer(0.3, reader.execute, ["COMMIT"])
    end.start()
    with SqliteStore.open(path, shipped=empty) as store:
        assert len(store.rows()) == 1
        assert store._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    end.join()
    reader.close()


class Reluctant(sqlite3.Connection):
    """Refuses the switch to a log twice, as SQLite may while another process makes the same (3 of 1500 times here)."""

    refusals = 2

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if "journal_mode" in sql and self.refusals:
            self.refusals -= 1
            raise sqlite3.OperationalError("database is locked")
        return super().execute(sql, parameters)


def test_the_switch_to_a_log_is_tried_again(path: Path, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flipforge.catalogue._database.sqlite3.connect", partial(sqlite3.connect, factory=Reluctant))
    with SqliteStore.open(path, shipped=empty) as store:
        assert store._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    monkeypatch.setattr(Reluctant, "refusals", 10**6)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with pytest.raises(CatalogueError, match="another process"):
        SqliteStore.open(path, shipped=empty)


def test_a_full_disk_changes_nothing(path: Path, empty: Path) -> None:
    with SqliteStore.open(path, shipped=empty) as store:
        store.commit([Entry(standard(), "derived")], record(checkpoint={"at": 1}))
        before = store.rows(), store.runs()
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        entries = [find(scheme, standard()) for scheme in variants(200)]
        with pytest.raises(CatalogueError, match="disk is full") as error:
            store.commit(entries, record(checkpoint={"at": 2}), [{"chunk": 0}])
        assert str(error.value).startswith(f"{path}: ")
        assert "\n" not in str(error.value)
        assert (store.rows(), store.runs(), store.events("run-one")) == (*before, [])
        assert store.lineage(standard().id) == []
        store._connection.execute("PRAGMA max_page_count = 1000000")
        assert len(store.commit(entries, record(checkpoint={"at": 2}))) == 200
        assert store.run("run-one").checkpoint == {"at": 2}


def test_an_interrupt_inside_a_commit_changes_nothing(path: Path, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with SqliteStore.open(path, shipped=empty) as store:
        monkeypatch.setattr(Writer, "put_run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.commit([Entry(standard(), "derived")], record())
        monkeypatch.undo()
        assert store.rows() == []
        assert store.commit([Entry(standard(), "derived")], record()) == [standard().id]


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no file be opened by SQLite: what a header tells is judged before."""

    def connect(*_: object, **__: object) -> None:
        pytest.fail("SQLite was given the file")

    monkeypatch.setattr("flipforge.catalogue._database.sqlite3.connect", connect)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("content", [b"not a database", b"SQLite format 3\0", b"x" * 5000])
def test_a_file_that_is_no_database(path: Path, empty: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "not a SQLite database" in refusal(path, empty)


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_database_of_another_program(path: Path, empty: Path, mode: str, request: pytest.FixtureRequest) -> None:
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA journal_mode = {mode}")
    other.execute("CREATE TABLE objects (id TEXT)")
    other.commit()
    other.close()
    request.getfixturevalue("untouched")
    assert "not a flipforge catalogue" in refusal(path, empty)


def test_a_catalogue_of_a_later_version(path: Path, empty: Path, request: pytest.FixtureRequest) -> None:
    connect(path, steps=(*MIGRATIONS, ("CREATE TABLE later (name TEXT)",))).close()
    request.getfixturevalue("untouched")
    text = refusal(path, empty)
    assert f"version {len(MIGRATIONS) + 1} is newer than {len(MIGRATIONS)}" in text
    assert "upgrade" in text


def test_a_later_version_that_is_still_in_the_log(path: Path, empty: Path) -> None:
    SqliteStore.open(path, shipped=empty).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    assert int.from_bytes(path.read_bytes()[60:64], "big") == len(MIGRATIONS)
    with pytest.raises(CatalogueError, match="is newer than"):
        SqliteStore.open(path, shipped=empty)
    other.close()


def test_a_truncated_catalogue(path: Path, empty: Path) -> None:
    with SqliteStore.open(path, shipped=empty) as store:
        store.commit([Entry(scheme, "derived") for scheme in variants(50)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "damaged" in refusal(path, empty)


def test_an_overwritten_page(path: Path, empty: Path) -> None:
    with SqliteStore.open(path, shipped=empty) as store:
        store.commit([Entry(scheme, "derived") for scheme in variants(200)])
    content = bytearray(path.read_bytes())
    content[4096 : len(content)] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    assert "damaged" in refusal(path, empty)


def test_an_empty_file_becomes_a_catalogue(path: Path, empty: Path) -> None:
    path.touch()
    with SqliteStore.open(path, shipped=empty) as store:
        assert store.commit([Entry(standard(), "derived")]) == [standard().id]
    assert int.from_bytes(path.read_bytes()[68:72], "big") == APPLICATION_ID


def test_a_folder_is_no_catalogue(path: Path, empty: Path) -> None:
    path.mkdir()
    assert "is a folder" in refusal(path, empty)


def test_a_file_in_the_way_of_the_folder(path: Path, empty: Path) -> None:
    path.write_text("a file")
    for below in (path / "x.db", path / "folder" / "x.db"):
        with pytest.raises(CatalogueError, match="--db") as error:
            SqliteStore.open(below, shipped=empty)
        assert "\n" not in str(error.value)
    assert path.read_text() == "a file"


@pytest.fixture
def readonly() -> Iterator[Path]:
    """Give a folder that this process may not write to, as root too."""
    with tempfile.TemporaryDirectory(prefix="flipforge-test-") as folder:
        with SqliteStore.open(Path(folder) / "x.db", shipped=Path(folder) / "empty") as store:
            store.commit([Entry(standard(), "derived")])
        for file in (Path(folder) / "x.db", Path(folder)):
            file.chmod(0o555 if file.is_dir() else 0o444)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            if root:
                os.seteuid(0)
            Path(folder).chmod(0o755)


def test_a_folder_that_cannot_be_written(readonly: Path) -> None:
    for name in ("x.db", "new.db", "folder/new.db"):
        text = refusal_of(readonly / name)
        assert "--db" in text
    assert sorted(file.name for file in readonly.iterdir()) == ["x.db"]


def refusal_of(path: Path) -> str:
    with pytest.raises(CatalogueError) as error:
        SqliteStore.open(path, shipped=path.parent / "empty")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_wrong_scheme_among_the_shipped_files(path: Path, tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    for name, scheme in (("right", strassen(GF2)), ("wrong", wrong())):
        text = (
            dump_native(scheme).replace('"provenance": {', '"provenance": {"origin": "derived", ').replace(", }", "}")
        )
        (shipped / f"{name}.json").write_text(text)
    with pytest.raises(VerificationError, match=str(shipped / "wrong.json")) as error:
        SqliteStore.open(path, shipped=shipped)
    assert "\n" not in str(error.value)
    (shipped / "wrong.json").unlink()
    with SqliteStore.open(path, shipped=shipped) as store:
        assert [row["id"] for row in store.rows()] == [strassen(GF2).id]
