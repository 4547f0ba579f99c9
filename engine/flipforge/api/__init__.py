"""The Python API: what the command line does, as functions that return values."""

from flipforge.api._library import (
    Batch,
    compare_schemes,
    convert,
    document,
    export_scheme,
    import_files,
    load,
    show,
    verify,
)
from flipforge.api._search import SearchResult, replay_scheme, resume, search
from flipforge.api._tables import best, dump, plugins, query, runs

__all__ = [
    "Batch",
    "SearchResult",
    "best",
    "compare_schemes",
    "convert",
    "document",
    "dump",
    "export_scheme",
    "import_files",
    "load",
    "plugins",
    "query",
    "replay_scheme",
    "resume",
    "runs",
    "search",
    "show",
    "verify",
]
