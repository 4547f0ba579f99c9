"""Commands on the catalogue: query, best, closure, dump, plugins."""

from pathlib import Path
from typing import Annotated

import typer

from flipforge import api
from flipforge.catalogue import Query
from flipforge.cli._live import LiveLine
from flipforge.cli._options import Db, Json
from flipforge.cli._output import print_csv, print_json, print_table
from flipforge.errors import InputError

__all__ = ["register"]

_QUERY_COLUMNS = (
    "id",
    "problem",
    "ring",
    "rank",
    "additions",
    "additions_reduced",
    "nonzeros",
    "omega",
    "origin",
    "run",
)
_BEST_COLUMNS = (
    "problem",
    "ring",
    "rank",
    "best_known",
    "gap",
    "lower_bound",
    "id",
    "additions",
    "omega",
    "origin",
    "source",
)
_FRONT_COLUMNS = (
    "problem",
    "ring",
    "rank",
    "calls",
    "gamma",
    "gamma_own",
    "additions",
    "additions_reduced",
    "id",
    "origin",
)
_CLOSURE_COLUMNS = ("id", "problem", "ring", "rank", "before", "method", "origin")
_DUMP_COLUMNS = ("id", "problem", "ring", "rank", "file")
_PLUGIN_COLUMNS = ("kind", "name", "status", "summary", "reason")

Problem = Annotated[
    str | None, typer.Argument(metavar="[PROBLEM]", help="A problem, a family such as matmul:2..3x3x3, or matmul:*")
]
Format = Annotated[str, typer.Option("--format", help="table, json or csv.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (query, best, closure, dump, plugins):
        app.command()(command)


def query(
    problem: Problem = None,
    ring: Annotated[str | None, typer.Option("--ring")] = None,
    max_rank: Annotated[int | None, typer.Option("--max-rank")] = None,
    max_additions: Annotated[int | None, typer.Option("--max-additions")] = None,
    max_omega: Annotated[float | None, typer.Option("--max-omega")] = None,
    origin: Annotated[str | None, typer.Option("--origin", help="found, derived or imported.")] = None,
    run: Annotated[str | None, typer.Option("--run")] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="EXPR", help="e.g. 'rank <= 23 and additions < 100 and n == m'")
    ] = None,
    order: Annotated[
        str, typer.Option("--order", metavar="KEY", help="Columns, a minus for descending: rank,-additions")
    ] = Query.order,
    limit: Annotated[int | None, typer.Option("--limit", help="At most so many rows.")] = None,
    output: Format = "table",
    db: Db = None,
    json: Json = False,
) -> None:
    """List the schemes of the catalogue."""
    rows = api.query(
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
        db=db,
    )
    if json or output == "json":
        print_json(rows)
    elif output == "csv":
        print_csv(rows, _QUERY_COLUMNS)
    elif output == "table":
        print_table(rows, _QUERY_COLUMNS, "no scheme of the catalogue fits")
    else:
        raise InputError(f"--format {output}: use table, json or csv")


def best(
    problem: Problem = None,
    origin: Annotated[
        str | None, typer.Option("--origin", help="Take this origin only; found and derived unless given.")
    ] = None,
    front: Annotated[
        bool, typer.Option("--front", help="All schemes that none beats in rank, recursive calls and additions.")
    ] = False,
    db: Db = None,
    json: Json = False,
) -> None:
    """Show the best scheme of each problem and ring beside the best known rank."""
    rows = (api.front if front else api.best)(problem, origin=origin, db=db)
    if json:
        print_json(rows)
    elif front:
        print_table(rows, _FRONT_COLUMNS, "the catalogue has no such scheme")
    else:
        print_table(rows, _BEST_COLUMNS, "the catalogue has no such scheme, and no rank is known")


def closure(
    problem: Problem = None,
    ring: Annotated[str | None, typer.Option("--ring", help="This ring only.")] = None,
    max_size: Annotated[
        int | None, typer.Option("--max-size", help="Largest size of a format; that of the catalogue unless given.")
    ] = None,
    max_rank: Annotated[
        int, typer.Option("--max-rank", help="Make no scheme of a higher rank.")
    ] = api.MAX_CLOSURE_RANK,
    origin: Annotated[
        str | None, typer.Option("--origin", help="Begin with this origin only; found and derived unless given.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take more than ten thousand problems.")] = False,
    db: Db = None,
    json: Json = False,
) -> None:
    """Make of the catalogue's schemes what products, cuts, projections and restrictions give, until nothing improves.

    What improves the best rank of its problem and ring is stored, with its derivation.
    """
    with LiveLine() as line:
        rows = api.closure(
            problem,
            ring=ring,
            max_size=max_size,
            max_rank=max_rank,
            origin=origin,
            yes=yes,
            db=db,
            on_progress=line,
        )
    if json:
        print_json(rows)
    else:
        print_table(rows, _CLOSURE_COLUMNS, "nothing improves")


def dump(
    folder: Annotated[Path, typer.Argument(metavar="DIR")],
    problem: Annotated[str | None, typer.Option("--problem", help="A problem or family.")] = None,
    origin: Annotated[
        str | None, typer.Option("--origin", help="Take this origin only; found and derived unless given.")
    ] = None,
    only_best: Annotated[bool, typer.Option("--best", help="Only the best of each problem and ring.")] = False,
    only_front: Annotated[
        bool, typer.Option("--front", help="Of the best rank, only what none beats in recursive calls and additions.")
    ] = False,
    db: Db = None,
    json: Json = False,
) -> None:
    """Write the schemes of the catalogue as canonical text files with their lineage."""
    if only_best and only_front:
        raise InputError("--best and --front exclude each other: give one")
    rows = api.dump(folder, problem=problem, origin=origin, only_best=only_best, only_front=only_front, db=db)
    if json:
        print_json(rows)
    else:
        print_table(rows, _DUMP_COLUMNS, "nothing to write: no scheme of the catalogue fits")


def plugins(json: Json = False) -> None:
    """List the plugins, broken ones with their reason."""
    rows = api.plugins()
    if json:
        print_json(rows)
    else:
        print_table(rows, _PLUGIN_COLUMNS, "no plugins are installed")
