"""The tables of the catalogue, and the steps that lead to them from every older version."""

from typing import Final

__all__ = ["APPLICATION_ID", "MIGRATIONS", "ORIGINS"]

APPLICATION_ID: Final = 0x666C6970
"""``flip`` in ASCII; SQLite keeps it in the file's header, so that a database of another program is told apart."""

ORIGINS: Final = ("found", "derived", "imported")
"""Where an object comes from, strongest first: a row only ever moves to the left."""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        f"""
        CREATE TABLE objects (
            id TEXT PRIMARY KEY NOT NULL,
            digest TEXT NOT NULL,
            kind TEXT NOT NULL,
            problem TEXT NOT NULL,
            n INTEGER,
            m INTEGER,
            p INTEGER,
            ring TEXT NOT NULL,
            rank INTEGER NOT NULL,
            additions INTEGER NOT NULL,
            additions_reduced INTEGER,
            nonzeros INTEGER NOT NULL,
            omega REAL,
            origin TEXT NOT NULL CHECK (origin IN {ORIGINS}),
            run TEXT,
            source TEXT,
            created TEXT NOT NULL,
            data BLOB NOT NULL
        )
        """,
        "CREATE INDEX objects_by_problem ON objects (problem, ring, rank, additions)",
        "CREATE INDEX objects_by_run ON objects (run)",
        # A child or parent need not be an object of this catalogue: shipped files bring whole chains.
        """
        CREATE TABLE lineage (
            child TEXT PRIMARY KEY NOT NULL,
            parent TEXT NOT NULL,
            method TEXT NOT NULL,
            seed TEXT NOT NULL,
            effort TEXT NOT NULL,
            walk_version TEXT NOT NULL,
            run TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE runs (
            id TEXT PRIMARY KEY NOT NULL,
            problem TEXT NOT NULL,
            ring TEXT NOT NULL,
            state TEXT NOT NULL,
            config TEXT NOT NULL,
            checkpoint BLOB NOT NULL,
            rank INTEGER,
            best TEXT,
            flips INTEGER NOT NULL,
            seconds REAL NOT NULL,
            created TEXT NOT NULL,
            updated TEXT NOT NULL
        )
        """,
        "CREATE TABLE events (run TEXT NOT NULL REFERENCES runs (id), data TEXT NOT NULL, UNIQUE (run, data))",
        """
        CREATE TABLE verifications (
            object TEXT NOT NULL REFERENCES objects (id),
            checker TEXT NOT NULL,
            verdict TEXT NOT NULL,
            decided TEXT NOT NULL,
            PRIMARY KEY (object, checker)
        )
        """,
        "CREATE TABLE notes (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)",
    ),
    # Arguments and sources of a derivation, as JSON; a step of a walk has none.
    ("ALTER TABLE lineage ADD COLUMN derivation TEXT",),
    # What is proved of an object beside its statement, such as that it has no lift; each as the text of its file.
    (
        """
        CREATE TABLE certificates (
            object TEXT NOT NULL REFERENCES objects (id),
            kind TEXT NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (object, kind)
        )
        """,
    ),
    # Certificates that are about no scheme; each as the text of its file.
    (
        """
        CREATE TABLE proofs (
            id TEXT PRIMARY KEY NOT NULL,
            kind TEXT NOT NULL,
            verdict TEXT NOT NULL,
            source TEXT NOT NULL,
            created TEXT NOT NULL,
            data BLOB NOT NULL
        )
        """,
    ),
)
"""Step k leads from version k to k + 1; ``user_version`` says how many were taken. A step that was released stays."""
