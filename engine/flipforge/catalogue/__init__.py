"""The catalogue: every proved object with origin and lineage, in one SQLite file."""

from flipforge.catalogue._best import BestKnown, best, best_known
from flipforge.catalogue._database import default_path
from flipforge.catalogue._dump import dump
from flipforge.catalogue._front import front, own_factor
from flipforge.catalogue._query import OWN, Query
from flipforge.catalogue._shipped import shipped_schemes
from flipforge.catalogue._store import SqliteStore

__all__ = [
    "OWN",
    "BestKnown",
    "Query",
    "SqliteStore",
    "best",
    "best_known",
    "default_path",
    "dump",
    "front",
    "own_factor",
    "shipped_schemes",
]
