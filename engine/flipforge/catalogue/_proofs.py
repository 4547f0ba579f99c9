"""Certificates that stand for themselves: proofs of roots, identities and decompositions that are no schemes."""

import json
import sqlite3
import zlib
from hashlib import sha256
from pathlib import Path
from re import fullmatch
from typing import Any

from flipforge.catalogue._certificates import read_certificate
from flipforge.catalogue._database import transaction, translated
from flipforge.catalogue._records import now
from flipforge.certificates import Certificate, check
from flipforge.errors import CatalogueError, MalformedError, NotFoundError, VerificationError
from flipforge.schemes.formats import certificate_document

__all__ = ["Proofs"]


class Proofs:
    """The certificates of a catalogue that belong to no scheme; each stands once, by what it states and shows.

    What led to a certificate (tool, start, method, seed) is in its provenance, and the file it was made for in its row.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def keep(self, certificate: Certificate, source: str = "") -> str:
        """Check a certificate, keep it, and return its ID.

        Parameters
        ----------
        source
            The file that it was made for, with the hash of its content.

        Raises
        ------
        VerificationError
            It holds neither as a proof nor as evidence; nothing is written.
        """
        verdict = check(certificate)
        if verdict.decision not in ("PROVED", "EVIDENCE"):
            raise VerificationError(f"{certificate.kind}: {verdict.decision}: {verdict.reason}")
        content = [certificate.kind, certificate.statement, certificate.witness]
        identity = sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
        text = json.dumps(certificate_document(certificate))
        row = (identity, certificate.kind, verdict.decision, source, now(), zlib.compress(text.encode()))
        with transaction(self._connection, self._path):
            self._connection.execute("INSERT OR IGNORE INTO proofs VALUES (?, ?, ?, ?, ?, ?)", row)
        return identity

    def find(self, prefix: str) -> Certificate | None:
        """Return a certificate by its ID or a unique prefix of six digits or more; None where there is none.

        Raises
        ------
        NotFoundError
            There are several.
        CatalogueError
            The stored text is damaged.
        """
        folded = prefix.strip().lower()
        rows = []
        if fullmatch(r"[0-9a-f]{6,12}", folded):
            with translated(self._path):
                sql = "SELECT id, data FROM proofs WHERE substr(id, 1, ?) = ?"
                rows = self._connection.execute(sql, (len(folded), folded)).fetchall()
        if len(rows) > 1:
            raise NotFoundError(f"{prefix}: {len(rows)} certificates begin so in {self._path}; give more digits")
        if not rows:
            return None
        try:
            return read_certificate(rows[0]["data"], rows[0]["id"])
        except MalformedError as error:
            raise CatalogueError(f"{self._path}: {error}; restore a copy") from None

    def rows(self) -> list[dict[str, Any]]:
        """Return ``{"id", "kind", "verdict", "source", "created"}`` of all, oldest first."""
        with translated(self._path):
            found = self._connection.execute("SELECT id, kind, verdict, source, created FROM proofs ORDER BY rowid")
            return [{key: row[key] for key in ("id", "kind", "verdict", "source", "created")} for row in found]
