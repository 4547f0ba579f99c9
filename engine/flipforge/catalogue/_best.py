"""The best scheme of each problem and ring, beside the best rank known elsewhere."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from re import fullmatch
from typing import Any

from flipforge import rings
from flipforge.catalogue._query import COLUMNS, OWN, Query, members
from flipforge.catalogue._shipped import shipped_schemes
from flipforge.catalogue._store import SqliteStore
from flipforge.problems import expand

__all__ = ["BestKnown", "best", "best_known"]


@dataclass(frozen=True)
class BestKnown:
    """A published rank with its source, and a proved lower bound where a source gives one."""

    rank: int
    source: str
    lower_bound: int | None = None
    lower_bound_source: str | None = None


def best_known(problem: str, ring: str) -> BestKnown | None:
    """Return the best published rank of a problem over a ring, None where the table has none for that very ring.

    The rank of a matrix product does not depend on the order of its sizes (Hopcroft and Musinski, "Duality applied to
    the complexity of matrix multiplication", 1973).

    Examples
    --------
    >>> best_known("matmul:3x2x2", "GF2").rank
    11
    """
    return _table(shipped_schemes() / "best_known.csv").get((_sorted_sizes(problem), ring))


def best(
    store: SqliteStore, problem: str | None = None, *, ring: str | None = None, origin: str | None = None
) -> list[dict[str, Any]]:
    """Return the scheme of smallest rank, and among those of fewest additions, for each problem and ring.

    Parameters
    ----------
    problem
        A problem, family or pattern; named problems without a scheme are listed too, with ``id`` and ``rank`` None,
        and so are those that ``structured:*:SIZES`` stands for.
    ring
        This ring only.
    origin
        Origins with commas; found and derived unless given.

    Returns
    -------
    list of dict
        Rows of the catalogue with ``best_known``, ``gap`` (rank - best_known), ``source`` of the best known rank,
        ``lower_bound`` and ``lower_bound_source``; None where nothing is known.

    Raises
    ------
    InputError
        The problem, ring or origin is not known.
    """
    rows = store.rows(Query(problem, ring=ring, origin=origin or OWN, best=True))
    names = [] if problem is None else expand(problem) if "*" in problem else members(problem)
    if not names or "*" in names[0]:
        return [_compared(row) for row in rows]
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["problem"], []).append(row)
    asked = [rings.ring(ring).name] if ring else list(rings.RINGS)
    return [
        _compared(row)
        for name in dict.fromkeys([*names, *found])
        for row in found.get(name) or _absent(name, asked, stated=ring is not None)
    ]


def _absent(problem: str, asked: list[str], *, stated: bool) -> list[dict[str, Any]]:
    """Return the rows of a problem without a scheme: one for each ring with a known rank, or one with no ring."""
    names: list[str | None] = [name for name in asked if stated or best_known(problem, name)]
    return [{**dict.fromkeys(COLUMNS), "problem": problem, "ring": name} for name in names or [None]]


def _compared(row: dict[str, Any]) -> dict[str, Any]:
    known = best_known(row["problem"], row["ring"])
    gap = None if known is None or row["rank"] is None else row["rank"] - known.rank
    return {
        **row,
        "best_known": known and known.rank,
        "gap": gap,
        "source": known and known.source,
        "lower_bound": known and known.lower_bound,
        "lower_bound_source": known and known.lower_bound_source,
    }


def _sorted_sizes(problem: str) -> str:
    match = fullmatch(r"matmul:(\d+)x(\d+)x(\d+)", problem)
    return "matmul:" + "x".join(map(str, sorted(map(int, match.groups())))) if match else problem


@cache
def _table(path: Path) -> Mapping[tuple[str, str], BestKnown]:
    with path.open(encoding="utf-8", newline="") as stream:
        return {
            (row["problem"], row["ring"]): BestKnown(
                int(row["rank"]),
                row["source"],
                int(row["lower_bound"]) if row["lower_bound"] else None,
                row["lower_bound_source"] or None,
            )
            for row in csv.DictReader(stream)
        }
