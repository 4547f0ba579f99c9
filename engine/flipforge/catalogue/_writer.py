"""What a commit writes inside its transaction: objects with their steps, runs with their events."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flipforge.catalogue._database import translated
from flipforge.catalogue._records import (
    Item,
    derivation_document,
    json_text,
    lineage_document,
    now,
    run_values,
)
from flipforge.catalogue._schema import ORIGINS
from flipforge.errors import CatalogueError
from flipforge.search import Lineage, RunRecord

__all__ = ["Writer"]


class Writer:
    """Writes to an open catalogue; the caller begins and ends the transaction."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def digest(self, identity: str) -> str | None:
        """Return the digest of a stored object."""
        with translated(self._path):
            row = self._connection.execute("SELECT digest FROM objects WHERE id = ?", (identity,)).fetchone()
        return None if row is None else str(row["digest"])

    def put(self, item: Item, proofs: Mapping[str, dict[str, Any]]) -> bool:
        """Write an item, whose row is among the proofs by its digest if it is new; tell whether it is."""
        identity, digest = item.scheme.id, item.scheme.digest
        stored = self.digest(identity)
        if stored is not None and stored != digest:
            raise CatalogueError(
                f"{self._path}: ID {identity} is taken by another scheme ({stored}); "
                f"{digest} cannot be stored beside it"
            )
        if stored is None:
            row = proofs[digest]
            names = ", ".join(row)
            marks = ", ".join(f":{name}" for name in row)
            self._connection.execute(f"INSERT INTO objects ({names}) VALUES ({marks})", row)
            self._connection.execute(
                "INSERT INTO verifications VALUES (?, ?, 'PROVED', ?)", (identity, item.scheme.checker, now())
            )
        traced = [self._record(step) for step in item.steps]
        if stored is not None and traced and all(traced):
            self._strengthen(identity, item)
        return stored is None

    def put_certificate(self, row: Mapping[str, Any]) -> None:
        """Write a certificate about a stored object, in place of an older one of its kind."""
        self._connection.execute("INSERT OR REPLACE INTO certificates VALUES (:object, :kind, :data)", row)

    def put_run(self, run: RunRecord, events: Sequence[Mapping[str, Any]]) -> None:
        """Write the record of a run, and events after those it has."""
        values = run_values(run)
        row = self._connection.execute("SELECT config FROM runs WHERE id = ?", (run.id,)).fetchone()
        if row is not None and json.loads(row["config"]) != json.loads(values["config"]):
            raise CatalogueError(f"{self._path}: run {run.id} is there with another configuration; start a new run")
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        # What defines a run, and when it began, never changes.
        moving = ("state", "checkpoint", "rank", "best", "flips", "seconds", "updated")
        changes = ", ".join(f"{name} = excluded.{name}" for name in moving)
        self._connection.execute(
            f"INSERT INTO runs ({names}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {changes}", values
        )
        rows = [(run.id, json_text(event)) for event in events]
        self._connection.executemany("INSERT OR IGNORE INTO events (run, data) VALUES (?, ?)", rows)

    def _record(self, step: Lineage) -> bool:
        """Record a step unless its child has one; False if it would close a loop."""
        loop = self._connection.execute(
            """
            WITH RECURSIVE ancestors (id) AS (
                SELECT value FROM json_each(:parents)
                UNION SELECT lineage.parent FROM ancestors JOIN lineage ON lineage.child = ancestors.id
                UNION SELECT json_extract(source.value, '$[0]') FROM ancestors
                JOIN lineage ON lineage.child = ancestors.id, json_each(derivation, '$.sources') AS source
            )
            SELECT 1 FROM ancestors WHERE id = :child
            """,
            {"parents": json_text(step.parents), "child": step.child},
        ).fetchone()
        if loop:
            return False
        document = lineage_document(step)
        document |= {"seed": json_text(document["seed"]), "effort": json_text(document["effort"])}
        derivation = derivation_document(step)
        document["derivation"] = json_text(derivation) if derivation else None
        self._connection.execute(
            """
            INSERT OR IGNORE INTO lineage (child, parent, method, seed, effort, walk_version, run, derivation)
            VALUES (:child, :parent, :method, :seed, :effort, :walk_version, :run, :derivation)
            """,
            document,
        )
        return True

    def _strengthen(self, identity: str, item: Item) -> None:
        weaker = ORIGINS[ORIGINS.index(item.origin) + 1 :]
        self._connection.execute(
            f"UPDATE objects SET origin = ?, run = ? WHERE id = ? AND origin IN ({', '.join('?' * len(weaker))})",
            (item.origin, item.run, identity, *weaker),
        )
