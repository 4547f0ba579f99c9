"""The closure of a catalogue under transforms."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations_with_replacement
from typing import Any

from flipforge.api._library import Db, open_store, parse_problem
from flipforge.catalogue import OWN, Query, SqliteStore
from flipforge.errors import InputError, ProblemError
from flipforge.problems import MAX_FAMILY, PUBLISHED, Problem, expand, structured
from flipforge.rings import RINGS, Ring
from flipforge.rings import ring as ring_named
from flipforge.schemes import Scheme
from flipforge.search import Closure, ClosureProgress, Entry

__all__ = ["MAX_CLOSURE_RANK", "closure"]

MAX_CLOSURE_RANK = 350
"""Schemes of a higher rank are not made unless asked for."""
_KINDS = ("matmul", "structured")


def closure(
    family: str | None = None,
    *,
    ring: str | None = None,
    max_size: int | None = None,
    max_rank: int = MAX_CLOSURE_RANK,
    origin: str | None = None,
    yes: bool = False,
    db: Db = None,
    on_progress: Callable[[ClosureProgress], None] | None = None,
) -> list[dict[str, Any]]:
    """Apply products, cuts, projections, reorderings and restrictions to the catalogue until no best rank improves.

    What improves the best rank of its problem and ring is stored with its derivation; a second call stores nothing.
    Sizes are those of matrix products with n <= m <= p and of the published structured codes, and of whatever the
    catalogue has, up to ``max_size``.

    Parameters
    ----------
    family
        Improve the members of this family only.
    ring
        This ring only; every ring that the catalogue has schemes over unless given.
    max_size
        Largest size of a format; the largest in the catalogue unless given.
    max_rank
        No scheme of a higher rank is made.
    origin
        Origins of the schemes to begin with, with commas; found and derived unless given. What is made of imported
        schemes is marked as imported.
    yes
        Take more than ten thousand problems.

    Returns
    -------
    list of dict
        Rows of the catalogue for what was stored, each with the ``method`` of its last step and the rank ``before``.

    Raises
    ------
    InputError
        A limit is not positive, or no problem is left within the limits.
    """
    for name, value, least in (("--max-size", max_size, 2), ("--max-rank", max_rank, 1)):
        if value is not None and value < least:
            raise InputError(f"{name} {value}: give at least {least}")
    stored: list[dict[str, Any]] = []
    with open_store(db) as store:
        rows = [
            row
            for row in store.rows(Query(origin=origin or OWN, best=True))
            if row["problem"].partition(":")[0] in _KINDS
        ]
        problems = {name: parse_problem(name) for name in {row["problem"] for row in rows}}
        targets = _targets(family, problems, max_size, yes=yes)
        for over in _rings(ring, rows):
            known = _best(rows, over)
            schemes = [store.scheme(row["id"]) for row in known.values()]
            entries = Closure(over, schemes, targets, max_rank=max_rank, on_progress=on_progress).go()
            marked = _marked(entries, {row["id"] for row in rows if row["origin"] == "imported"})
            new = store.commit(marked)
            rows += [store.row(name) for name in new]
            stored += (_row(store, entry, known) for entry in entries if entry.scheme.id in new)
    return stored


def _rings(ring: str | None, rows: Sequence[dict[str, Any]]) -> list[Ring]:
    if ring is not None:
        return [ring_named(ring)]
    found = {row["ring"] for row in rows}
    return [over for name, over in RINGS.items() if name in found]


def _best(rows: Sequence[dict[str, Any]], over: Ring) -> dict[str, dict[str, Any]]:
    """Return the row of the smallest rank of each problem over a ring, or over one that is contained in it."""
    names = list(RINGS)
    inside = [over.name]
    if not over.characteristic:
        inside = [name for name in names[: names.index(over.name) + 1] if not RINGS[name].characteristic]
    best: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: (row["rank"], names.index(row["ring"]), row["additions"], row["id"])):
        if row["ring"] in inside:
            best.setdefault(row["problem"], row)
    return best


def _targets(family: str | None, stored: dict[str, Problem], max_size: int | None, *, yes: bool) -> list[Problem]:
    """Return the problems to improve, those of the family or those within the largest size."""
    if family is not None:
        members = [parse_problem(name) for name in expand(family, limit=None if yes else MAX_FAMILY)]
        fitting = [problem for problem in members if problem.kind in _KINDS and _within(problem, max_size)]
        if not fitting:
            limit = "" if max_size is None else f" with sizes up to {max_size}"
            raise InputError(f"{family}: no matmul or structured problem{limit} is in it; transforms reach no other")
        return list(dict.fromkeys(fitting))
    sizes = [size for problem in stored.values() for size in problem.dims]
    largest = max_size or max(sizes, default=0)
    names = ["matmul:" + "x".join(map(str, dims)) for dims in combinations_with_replacement(range(2, largest + 1), 3)]
    if len(names) > MAX_FAMILY and not yes:
        raise InputError(f"--max-size {largest}: {len(names)} formats are more than {MAX_FAMILY}; agree with --yes")
    found = dict.fromkeys(map(parse_problem, names))
    for code in PUBLISHED:
        for size in range(2, largest + 1):
            try:
                found[structured(code, size, size, size)] = None
            except ProblemError:
                continue  # every output is zero
    return [*(found | dict.fromkeys(problem for problem in stored.values() if _within(problem, largest)))]


def _within(problem: Problem, max_size: int | None) -> bool:
    return max_size is None or max(problem.dims) <= max_size


def _marked(entries: Sequence[Entry], imported: set[str]) -> list[Entry]:
    """Mark what comes of imported schemes as imported."""
    result = []
    for entry in entries:
        assert entry.lineage is not None
        foreign = not imported.isdisjoint(entry.lineage.parents)
        if foreign:
            imported.add(entry.scheme.id)
        result.append(replace(entry, origin="imported") if foreign else entry)
    return result


def _row(store: SqliteStore, entry: Entry, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    scheme: Scheme = entry.scheme
    assert entry.lineage is not None
    before = known.get(scheme.problem.name)
    return {**store.row(scheme.id), "method": entry.lineage.method, "before": before and before["rank"]}
