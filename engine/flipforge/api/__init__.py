"""The Python API: what the command line does, as functions that return values."""

from flipforge.api._basis import basis, parse_group
from flipforge.api._certify import certify
from flipforge.api._closure import MAX_CLOSURE_RANK, closure
from flipforge.api._family import is_family_run, resume_family, search_family
from flipforge.api._kernel import load_kernel
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
from flipforge.api._lift import ATTEMPTS, LiftResult, lift
from flipforge.api._lift_all import LiftBatch, LiftProgress, is_lift_run, lift_all, resume_lifts
from flipforge.api._plot import plot
from flipforge.api._reduce import PROGRAM_FORMATS, reduce_all, reduce_scheme
from flipforge.api._rounds import FamilyProgress, FamilyResult, Member
from flipforge.api._search import SearchResult, replay_scheme, resume, search
from flipforge.api._tables import best, dump, front, plugins, query, run_details, run_events, runs

__all__ = [
    "ATTEMPTS",
    "MAX_CLOSURE_RANK",
    "PROGRAM_FORMATS",
    "Batch",
    "FamilyProgress",
    "FamilyResult",
    "LiftBatch",
    "LiftProgress",
    "LiftResult",
    "Member",
    "SearchResult",
    "basis",
    "best",
    "certify",
    "closure",
    "compare_schemes",
    "convert",
    "document",
    "dump",
    "export_scheme",
    "front",
    "import_files",
    "is_family_run",
    "is_lift_run",
    "lift",
    "lift_all",
    "load",
    "load_kernel",
    "parse_group",
    "plot",
    "plugins",
    "query",
    "reduce_all",
    "reduce_scheme",
    "replay_scheme",
    "resume",
    "resume_family",
    "resume_lifts",
    "run_details",
    "run_events",
    "runs",
    "search",
    "search_family",
    "show",
    "verify",
]
