"""Tables of the catalogue: query, best, runs, dump; and the plugins."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from flipforge import catalogue
from flipforge import plugins as plugin_registry
from flipforge.api._library import Db, open_store

__all__ = ["best", "dump", "plugins", "query", "runs"]


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


def runs(*, db: Db = None) -> list[dict[str, Any]]:
    """Return the runs of the catalogue, oldest first."""
    with open_store(db) as store:
        rows = [asdict(record) for record in store.runs()]
    for row in rows:
        del row["checkpoint"]
    return rows


def dump(
    folder: str | Path,
    *,
    problem: str | None = None,
    origin: str | None = None,
    only_best: bool = False,
    db: Db = None,
) -> list[dict[str, Any]]:
    """Write schemes as canonical text files with their lineage; return a row for each file."""
    with open_store(db) as store:
        return catalogue.dump(store, Path(folder), problem=problem, origin=origin, only_best=only_best)


def plugins() -> list[dict[str, Any]]:
    """Return the plugins, broken ones with their reason."""
    return [asdict(info) for info in plugin_registry.available()]
