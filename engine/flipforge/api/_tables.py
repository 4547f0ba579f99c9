"""Tables of the catalogue: query, best, runs, dump; and the plugins."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from flipforge import catalogue
from flipforge import plugins as plugin_registry
from flipforge.api._library import Db, open_store
from flipforge.api._rounds import member_rows
from flipforge.search import RunRecord, Statistics

__all__ = ["best", "dump", "front", "plugins", "query", "run_details", "run_events", "runs"]


def query(
    problem: str | None = None,
    *,
    ring: str | None = None,
    max_rank: int | None = None,
    max_additions: int | None = None,
    max_omega: float | None = None,
    origin: str | None = None,
    run: str | None = None,
    where: str | None = None,
    order: str = catalogue.Query.order,
    limit: int | None = None,
    db: Db = None,
) -> list[dict[str, Any]]:
    """Return the catalogue's rows that fit all that is given.

    Parameters
    ----------
    problem
        A problem, a family such as ``matmul:2..3x3x3``, or a pattern such as ``matmul:*``.
    where
        An expression over the columns, e.g. ``rank <= 23 and additions < 100``.
    order
        Column names with commas, a minus for descending; problem, ring, rank and additions unless given.

    Examples
    --------
    >>> import flipforge
    >>> flipforge.query("matmul:2x2x2", origin="imported", db=":memory:")
    []
    """
    with open_store(db) as store:
        return store.rows(
            catalogue.Query(
                problem,
                ring=ring,
                max_rank=max_rank,
                max_additions=max_additions,
                max_omega=max_omega,
                origin=origin,
                run=run,
                where=where,
                order=order,
                limit=limit,
            )
        )


def best(problem: str | None = None, *, origin: str | None = None, db: Db = None) -> list[dict[str, Any]]:
    """Return the best scheme of each problem and ring, with ``best_known``, ``gap``, ``lower_bound`` and ``source``."""
    with open_store(db) as store:
        return catalogue.best(store, problem, origin=origin)


def front(problem: str | None = None, *, origin: str | None = None, db: Db = None) -> list[dict[str, Any]]:
    """Return the schemes of each problem and ring that none beats in rank, recursive calls and additions together.

    Rows have ``calls``, ``gamma`` (`flipforge.schemes.asymptotic_factor`) and ``gamma_own``, what it is by calls of the
    same kind alone, where the problem is structured.
    """
    with open_store(db) as store:
        return catalogue.front(store, problem, origin=origin)


def runs(*, db: Db = None) -> list[dict[str, Any]]:
    """Return the runs of the catalogue, oldest first; a run over a family is one row.

    Its row says how many ``members`` it has and how many of them ``reached`` the best known rank; None for other runs.
    """
    with open_store(db) as store:
        return [_run_row(record) for record in store.runs()]


def run_details(run: str, *, db: Db = None) -> dict[str, Any]:
    """Return the row of a run with its statistics, or with its members where it is over a family.

    Returns
    -------
    dict
        The row of `runs` with ``levels`` and ``course`` (see `flipforge.search.Statistics`), or with ``rows``: those of
        the search over the family, or of the batch of lifts.

    Raises
    ------
    NotFoundError
        The catalogue has no such run.
    """
    with open_store(db) as store:
        record = store.run(run)
        row = _run_row(record)
        if "members" in record.config:
            return {**row, "rows": member_rows(record, store)}
        if "lift" in record.config:
            return {**row, "rows": [*record.checkpoint.get("rows", {}).values()]}
        if "levels" in record.checkpoint:
            return {**row, "levels": record.checkpoint["levels"], "course": record.checkpoint["course"]}
        # Runs of version 0.1 kept their events alone.
        statistics = Statistics()
        for event in store.events(record.id):
            statistics.tell(event)
        return {**row, "levels": statistics.rows(), "course": statistics.course()}


def run_events(run: str, *, db: Db = None) -> list[dict[str, Any]]:
    """Return what each chunk of a run reported, in the order of the log; of a family run member by member.

    Raises
    ------
    NotFoundError
        The catalogue has no such run.
    """
    with open_store(db) as store:
        record = store.run(run)
        own = store.runs(record.id) if "members" in record.config else [record]
        return [{"run": each.id, **event} for each in own for event in store.events(each.id)]


def _run_row(record: RunRecord) -> dict[str, Any]:
    row = asdict(record)
    checkpoint = row.pop("checkpoint")
    family = "members" in record.config
    members = len(record.config["members"]) if family else None
    return {**row, "members": members, "reached": checkpoint.get("reached", 0) if family else None}


def dump(
    folder: str | Path,
    *,
    problem: str | None = None,
    origin: str | None = None,
    only_best: bool = False,
    only_front: bool = False,
    db: Db = None,
) -> list[dict[str, Any]]:
    """Write schemes as canonical text files with their lineage; return a row for each file.

    With ``only_best`` one scheme of each problem and ring, with ``only_front`` those of the smallest rank that none
    beats in recursive calls and additions.
    """
    with open_store(db) as store:
        return catalogue.dump(
            store, Path(folder), problem=problem, origin=origin, only_best=only_best, only_front=only_front
        )


def plugins() -> list[dict[str, Any]]:
    """Return the plugins, broken ones with their reason."""
    return [asdict(info) for info in plugin_registry.available()]
