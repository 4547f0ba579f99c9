"""Commands that walk: search, resume, runs, replay."""

from typing import Annotated

import typer

from flipforge import api
from flipforge.cli._live import LiveLine
from flipforge.cli._options import Db, Json, parse_duration
from flipforge.cli._output import print_json, print_table

__all__ = ["register"]

_RUN_COLUMNS = ("id", "problem", "ring", "state", "rank", "best", "flips", "seconds", "updated")
_BUDGET_ENDED = 3

Target = Annotated[
    int | None, typer.Option("--target-rank", help="Stop at this rank; exit code 3 when the budget ends first.")
]
Workers = Annotated[int | None, typer.Option("--workers", help="Walks at a time; all processors unless given.")]
ExecutorName = Annotated[str | None, typer.Option("--executor", help="inline, process or ray.")]
Address = Annotated[str | None, typer.Option("--address", help="Of a running Ray cluster.")]
Time = Annotated[str | None, typer.Option("--time", metavar="10m", help="Ends the run early.")]
MaxFlips = Annotated[int | None, typer.Option("--max-flips", help="Ends the run reproducibly after so many steps.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (search, resume, runs, replay):
        app.command()(command)


def search(
    problem: Annotated[str, typer.Argument(metavar="PROBLEM", help="e.g. matmul:3x3x3 or tensor:FILE.npz")],
    ring: Annotated[str, typer.Option("--ring", help="Ring to search over.")] = "GF2",
    target_rank: Target = None,
    workers: Workers = None,
    executor: ExecutorName = None,
    address: Address = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Root of all random choices.")] = None,
    time: Time = None,
    max_flips: MaxFlips = None,
    preset: Annotated[str, typer.Option("--preset", help="quick, standard or deep.")] = "standard",
    start: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="ID|FILE", help="Start from this scheme; may stand several times."),
    ] = None,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="Merge results in the order of their chunks (always so inline).")
    ] = False,
    db: Db = None,
    json: Json = False,
) -> None:
    """Search for schemes of low rank, prove each find and keep it in the catalogue."""
    with LiveLine() as line:
        result = api.search(
            problem,
            ring,
            target_rank=target_rank,
            workers=workers,
            executor=executor,
            address=address,
            seed=seed,
            seconds=None if time is None else parse_duration(time),
            max_flips=max_flips,
            preset=preset,
            start=start or (),
            deterministic=True if deterministic else None,
            db=db,
            on_progress=line,
        )
    _report(result, json)


def resume(
    run: Annotated[str, typer.Argument(metavar="RUN")],
    target_rank: Target = None,
    time: Time = None,
    max_flips: MaxFlips = None,
    workers: Workers = None,
    executor: ExecutorName = None,
    address: Address = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Go on with a run from its last checkpoint."""
    with LiveLine() as line:
        result = api.resume(
            run,
            target_rank=target_rank,
            seconds=None if time is None else parse_duration(time),
            max_flips=max_flips,
            workers=workers,
            executor=executor,
            address=address,
            db=db,
            on_progress=line,
        )
    _report(result, json)


def runs(db: Db = None, json: Json = False) -> None:
    """List the runs of the catalogue."""
    rows = api.runs(db=db)
    if json:
        print_json(rows)
    else:
        print_table(rows, _RUN_COLUMNS, "no runs yet: start one with flipforge search")


def replay(scheme: Annotated[str, typer.Argument(metavar="ID")], db: Db = None, json: Json = False) -> None:
    """Walk the chain of ancestors of a stored find again and compare every ID."""
    result = api.replay_scheme(scheme, db=db)
    if json:
        print_json(result.as_dict())
    else:
        print(f"{result.scheme}: rebuilt in {result.flips} steps under {result.walk_version}, every ID equal")


def _report(result: api.SearchResult, json: bool) -> None:
    if json:
        print_json(result.as_dict())
    else:
        rate = result.flips / result.seconds / 1e6 if result.seconds else 0.0
        print(f"{result.problem} over {result.ring}: rank {result.rank}, scheme {result.scheme}, proven and stored")
        print(
            f"run {result.run}: {result.flips} steps in {result.seconds:.1f} s ({rate:.1f} M/s), "
            f"{result.workers} worker{'s' * (result.workers != 1)}, seed {result.seed}, walk {result.walk_version}"
        )
    if result.target_reached is False:
        raise typer.Exit(_BUDGET_ENDED)
