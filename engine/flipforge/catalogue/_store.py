"""The store behind the catalogue's file: objects, lineage, runs and verifications in SQLite."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from re import fullmatch
from types import TracebackType
from typing import Any, Self

from flipforge.catalogue._certificates import proven_row, read_certificate
from flipforge.catalogue._database import connect, locate, transaction, translated
from flipforge.catalogue._proofs import Proofs
from flipforge.catalogue._query import COLUMNS, Query
from flipforge.catalogue._records import (
    Item,
    item_of_entry,
    lineage_document,
    prove,
    read_data,
    read_lineage,
    read_run,
)
from flipforge.catalogue._shipped import shipped_certificates, shipped_items, shipped_schemes, shipped_stamp
from flipforge.catalogue._writer import Writer
from flipforge.certificates import Certificate
from flipforge.errors import CatalogueError, InputError, MalformedError, NotFoundError
from flipforge.programs import Program
from flipforge.search import Entry, Lineage, RunRecord

__all__ = ["SqliteStore"]

_ID_LENGTH = 12
_MIN_PREFIX = 6
_STAMP = "shipped"


class SqliteStore:
    """The catalogue in one SQLite file; implements `flipforge.search.Store`.

    Every write is one transaction. Several processes may use one file at once: writers queue, readers never wait. A
    store belongs to the thread that opened it.

    An object stands once, whoever found it how often. Of the origins stated for it the strongest counts (found, then
    derived, then imported), but a row becomes stronger only with the step that shows how the object was reached: an
    import never weakens a find, a find of what was imported makes the row a find, and to start a run from an import
    leaves it one. The first lineage that is recorded for an object stays, and a step that would make an object its own
    ancestor is not recorded.

    Examples
    --------
    >>> with SqliteStore.open("catalogue.db") as store:  # doctest: +SKIP
    ...     store.rows(Query("matmul:3x3x3", ring="GF2", max_rank=23))
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._writer = Writer(connection, path)
        self.path = path

    @classmethod
    def open(
        cls,
        url: str | Path | None = None,
        *,
        create: bool = True,
        shipped: Path | None = None,
        problem: str | None = None,
    ) -> Self:
        """Open a catalogue, and load into it what the shipped folder has that it has not seen.

        Parameters
        ----------
        url
            A path or ``sqlite:///PATH``; None means FLIPFORGE_DB, or the user's own catalogue.
        create
            Make the file where there is none.
        shipped
            Folder of scheme files to load; None means `shipped_schemes`.
        problem
            Load only the files of this problem, for a use that concerns no other: to prove all takes a second or more.

        Raises
        ------
        NotFoundError
            There is no such file and ``create`` is false.
        CatalogueError
            The file is no catalogue, is newer than this version, is damaged, or cannot be written; it stays as it was.
        VerificationError
            A file of the shipped folder is wrong.
        """
        path = locate(url)
        store = cls(connect(path, create=create), path)
        try:
            store._load(shipped_schemes() if shipped is None else shipped, problem)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Release the file. Every commit is on disk when it returns, so there is nothing to finish."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def commit(
        self, entries: Sequence[Entry], run: RunRecord | None = None, events: Sequence[Mapping[str, Any]] = ()
    ) -> list[str]:
        """Prove each scheme as it will be stored; write all, the run's record and its events in one transaction.

        Parameters
        ----------
        entries
            Objects; those already there change nothing but an origin that becomes stronger.
        run
            The run's record; replaces the one of the same ID, whose configuration must be the same.
        events
            JSON objects that tell what the run did, added to those it has.

        Returns
        -------
        list of str
            IDs that were not in the catalogue before, in the order given.

        Raises
        ------
        VerificationError
            A scheme is wrong; nothing is written.
        CatalogueError
            The write failed (a full disk, a lock that was not released); nothing is written.
        """
        if events and run is None:
            raise InputError("events belong to a run; commit them with its record")
        return self._write([item_of_entry(entry, run) for entry in entries], run, events)

    def scheme(self, prefix: str) -> Any:
        """Return the scheme or layer program of an ID or unique prefix.

        Its provenance holds origin, run, source and all its lineage.

        Raises
        ------
        NotFoundError
            The prefix is too short, unknown, or stands for several schemes.
        CatalogueError
            The stored text is not what was stored.
        """
        identity = self._resolve(prefix)
        with translated(self.path):
            row = self._connection.execute("SELECT * FROM objects WHERE id = ?", (identity,)).fetchone()
        try:
            scheme = read_data(row["data"], identity)
        except MalformedError as error:
            raise CatalogueError(f"{self.path}: {error}; restore a copy") from None
        if scheme.digest != row["digest"]:
            raise CatalogueError(f"{self.path}: the scheme stored as {identity} is {scheme.id}; restore a copy")
        steps = self.lineage(identity)
        provenance: dict[str, Any] = {key: row[key] for key in ("origin", "run", "source") if row[key] is not None}
        provenance |= scheme.provenance
        if steps:
            provenance["lineage"] = [lineage_document(step) for step in steps]
        return replace(scheme, provenance=provenance)

    def lineage(self, prefix: str) -> list[Lineage]:
        """Return the steps that lead to a scheme, each after those of its parents; empty when none is known.

        Raises
        ------
        NotFoundError
            As `scheme` does.
        """
        steps: list[Lineage] = []
        seen: set[str] = set()
        waiting: list[str | Lineage] = [self._resolve(prefix)]
        with translated(self.path):
            while waiting:
                child = waiting.pop()
                if isinstance(child, Lineage):
                    steps.append(child)
                elif child not in seen:
                    seen.add(child)
                    row = self._connection.execute("SELECT * FROM lineage WHERE child = ?", (child,)).fetchone()
                    if row is not None:
                        step = read_lineage(_decoded(row))
                        waiting += [step, *reversed(step.parents)]
        return steps

    def run(self, prefix: str) -> RunRecord:
        """Return a run's record by its ID or a unique prefix of six characters or more.

        Raises
        ------
        NotFoundError
            There is no such run, or there are several.
        """
        begins = "substr(id, 1, length(:prefix)) = :prefix" if len(prefix) >= _MIN_PREFIX else "id = :prefix"
        # The members of a family run begin like the run itself: a prefix without a dot means none of them.
        sql = f"SELECT * FROM runs WHERE {begins} AND (instr(id, '.') = 0 OR instr(:prefix, '.')) ORDER BY id"
        with translated(self.path):
            rows = self._connection.execute(sql, {"prefix": prefix}).fetchall()
        if len(rows) == 1 or (rows and rows[0]["id"] == prefix):
            return read_run(rows[0])
        why = f"{len(rows)} runs begin so; give more of the ID" if rows else "no such run; see `flipforge runs`"
        raise NotFoundError(f"{prefix}: {why}")

    def runs(self, family: str | None = None) -> list[RunRecord]:
        """Return all runs, oldest first, without the members of family runs; or the members of one, in their order.

        Parameters
        ----------
        family
            The ID of a run over a family; the IDs of its members are this, a dot and a number.
        """
        condition = "instr(id, '.') = 0" if family is None else "substr(id, 1, length(:family) + 1) = :family || '.'"
        with translated(self.path):
            sql = f"SELECT * FROM runs WHERE {condition} ORDER BY rowid"
            rows = self._connection.execute(sql, {"family": family}).fetchall()
        return [read_run(row) for row in rows]

    def events(self, prefix: str) -> list[Mapping[str, Any]]:
        """Return the events of a run in the order in which they were committed.

        Raises
        ------
        NotFoundError
            As `run` does.
        CatalogueError
            The stored text of an event is damaged.
        """
        run = self.run(prefix).id
        return [event for _, event in self._logged("run = ?", run)]

    def family_events(self, prefix: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the events of all runs of a family, each with its run's ID, in the order in which they were committed.

        Raises
        ------
        NotFoundError, CatalogueError
            As `events` does.
        """
        return self._logged("run LIKE ? || '.%'", self.run(prefix).id)

    def _logged(self, condition: str, run: str) -> list[tuple[str, Mapping[str, Any]]]:
        statement = f"SELECT run, data FROM events WHERE {condition} ORDER BY rowid"
        with translated(self.path):
            rows = self._connection.execute(statement, (run,)).fetchall()
        try:
            return [(row["run"], json.loads(row["data"])) for row in rows]
        except ValueError as error:
            raise CatalogueError(f"{self.path}: an event of run {run} is damaged ({error}); restore a copy") from None

    def rows(self, query: Query | None = None) -> list[dict[str, Any]]:
        """Return the catalogue's rows that a query selects, as JSON objects.

        Raises
        ------
        InputError
            The query names an unknown problem, ring, origin or column, or its expression is wrong.
        NotFoundError
            The query names a run that is not there.
        """
        query = query or Query()
        sql, values = query.compile()
        if query.run is not None:
            self._check_run(query.run)
        with translated(self.path):
            rows = self._connection.execute(sql, values).fetchall()
        return [{column: row[column] for column in COLUMNS} for row in rows]

    def note_reduced(self, program: Program) -> None:
        """Keep the additions of a program, proven, as ``additions_reduced`` of its scheme, unless fewer are known.

        Raises
        ------
        VerificationError
            The program computes something else.
        NotFoundError
            Its scheme is not in the catalogue.
        """
        values = {"new": program.operations.additions, "id": self._resolve(program.prove().scheme().id)}
        least = "min(ifnull(additions_reduced, :new), :new)"
        with transaction(self._connection, self.path):
            self._connection.execute(f"UPDATE objects SET additions_reduced = {least} WHERE id = :id", values)

    def attach(self, certificate: Certificate) -> None:
        """Check a certificate about a stored scheme and keep it with that scheme, in place of an older one of its kind.

        Raises
        ------
        VerificationError
            It does not hold, or is not about a scheme; nothing is written.
        NotFoundError
            Its scheme is not stored.
        """
        row = proven_row(certificate)
        self._resolve(row["object"])
        with transaction(self._connection, self.path):
            self._writer.put_certificate(row)

    @property
    def proofs(self) -> Proofs:
        """The certificates that belong to no scheme."""
        return Proofs(self._connection, self.path)

    def certificates(self, prefix: str) -> list[Certificate]:
        """Return what is proved of a scheme beside its equations.

        Raises
        ------
        NotFoundError
            As `scheme` does.
        CatalogueError
            A stored text is damaged.
        """
        identity = self._resolve(prefix)
        with translated(self.path):
            sql = "SELECT data FROM certificates WHERE object = ? ORDER BY kind"
            rows = self._connection.execute(sql, (identity,)).fetchall()
        try:
            return [read_certificate(row["data"], identity) for row in rows]
        except MalformedError as error:
            raise CatalogueError(f"{self.path}: {error}; restore a copy") from None

    def derived_from(self, prefix: str, method: str) -> list[str]:
        """Return the IDs of the stored schemes that a step of this method makes of a scheme first of all.

        Raises
        ------
        NotFoundError
            As `scheme` does.
        """
        identity = self._resolve(prefix)
        sql = "SELECT child FROM lineage JOIN objects ON id = child WHERE parent = ? AND method = ? ORDER BY child"
        with translated(self.path):
            return [str(row["child"]) for row in self._connection.execute(sql, (identity, method))]

    def row(self, prefix: str) -> dict[str, Any]:
        """Return the row of one scheme, by its ID or a unique prefix.

        Raises
        ------
        NotFoundError
            As `scheme` does.
        """
        return self.rows(Query(where=f"id = '{self._resolve(prefix)}'"))[0]

    def _load(self, folder: Path, problem: str | None) -> None:
        stamp = shipped_stamp(folder)
        names = [_STAMP] if problem is None else [_STAMP, f"{_STAMP} {problem}"]
        with translated(self.path):
            sql = f"SELECT value FROM notes WHERE name IN ({', '.join('?' * len(names))})"
            seen = {row["value"] for row in self._connection.execute(sql, names)}
        if stamp not in seen:
            attached = [proven_row(certificate) for certificate in shipped_certificates(folder, problem)]
            self._write(list(shipped_items(folder, problem)), note=(names[-1], stamp), attached=attached)

    def _write(
        self,
        items: Sequence[Item],
        run: RunRecord | None = None,
        events: Sequence[Mapping[str, Any]] = (),
        note: tuple[str, str] | None = None,
        attached: Sequence[Mapping[str, Any]] = (),
    ) -> list[str]:
        # Proofs take longer than writes: they are made before the lock is taken.
        proofs = self._prove_new(items)
        with transaction(self._connection, self.path):
            new = [item.scheme.id for item in items if self._writer.put(item, proofs)]
            if run is not None:
                self._writer.put_run(run, events)
            for certificate in attached:
                self._writer.put_certificate(certificate)
            if note is not None:
                self._connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", note)
        return new

    def _prove_new(self, items: Iterable[Item]) -> dict[str, dict[str, Any]]:
        """Return the row of each item whose very digest is not stored yet."""
        proofs: dict[str, dict[str, Any]] = {}
        for item in items:
            digest = item.scheme.digest
            if digest not in proofs and self._writer.digest(item.scheme.id) != digest:
                proofs[digest] = prove(item)
        return proofs

    def _resolve(self, prefix: str) -> str:
        folded = prefix.strip().lower()
        if not fullmatch(r"[0-9a-f]+", folded) or not _MIN_PREFIX <= len(folded) <= 64:
            raise NotFoundError(f"{prefix!r}: not an ID; write {_MIN_PREFIX} to {_ID_LENGTH} of its hex digits")
        short = folded[:_ID_LENGTH]
        with translated(self.path):
            rows = self._connection.execute(
                "SELECT id, digest FROM objects WHERE id >= ? AND id < ? ORDER BY id", (short, short + "g")
            ).fetchall()
        found = [str(row["id"]) for row in rows if row["digest"].startswith(folded)]
        if len(found) == 1:
            return found[0]
        if found:
            examples = f"{found[0]}, {found[1]}{', ...' if len(found) > 2 else ''}"
            raise NotFoundError(f"{prefix}: {len(found)} schemes begin so ({examples}); give more digits")
        raise NotFoundError(f"{prefix}: no scheme with this ID in {self.path}")

    def _check_run(self, prefix: str) -> None:
        everywhere = "SELECT id AS run FROM runs UNION ALL SELECT run FROM objects"
        sql = f"SELECT 1 FROM ({everywhere}) WHERE substr(run, 1, ?) = ? LIMIT 1"
        with translated(self.path):
            if self._connection.execute(sql, (len(prefix), prefix)).fetchone() is None:
                raise NotFoundError(f"{prefix}: no such run in {self.path}; see `flipforge runs`")


def _decoded(row: sqlite3.Row) -> dict[str, Any]:
    """Return a row of the lineage table with its JSON read."""
    derivation = json.loads(row["derivation"]) if row["derivation"] else {}
    return {**row, "seed": json.loads(row["seed"]), "effort": json.loads(row["effort"]), **derivation}
