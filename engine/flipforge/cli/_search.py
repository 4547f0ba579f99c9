"""Commands that walk, and what they left: search, resume, replay, runs."""

from typing import Annotated, Any

import typer

from flipforge import api
from flipforge.cli._lift import LIFT_COLUMNS, report_lifts
from flipforge.cli._live import LiveLine, LiveTable, reached_text
from flipforge.cli._options import Address, Db, ExecutorName, Json, Workers, parse_duration
from flipforge.cli._output import print_json, print_json_lines, print_table
from flipforge.errors import InputError
from flipforge.problems import is_family

__all__ = ["register"]

_RUN_COLUMNS = ("id", "problem", "ring", "state", "rank", "best", "flips", "seconds", "updated")
_LEVEL_COLUMNS = (
    "level",
    "attempts",
    "successes",
    "fresh",
    "success_rate",
    "steps",
    "seconds",
    "steps_per_success",
    "rate",
)
_MEMBER_COLUMNS = ("problem", "rank", "best_known", "gap", "scheme", "flips", "seconds", "run")
_BUDGET_ENDED = 3

Target = Annotated[
    int | None, typer.Option("--target-rank", help="Stop at this rank; exit code 3 when the budget ends first.")
]
Time = Annotated[str | None, typer.Option("--time", metavar="10m", help="Ends the run early.")]
MaxFlips = Annotated[int | None, typer.Option("--max-flips", help="Ends the run reproducibly after so many steps.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (search, resume, runs, replay):
        app.command()(command)


def search(
    problem: Annotated[str, typer.Argument(metavar="PROBLEM|FAMILY", help="e.g. matmul:3x3x3 or matmul:2..4x3x2..5")],
    ring: Annotated[
        str | None,
        typer.Option(
            "--ring", help="GF2, GF3, GF5, GF7 or ZT by flips, Q by least squares; GF2 unless given, Z for layers."
        ),
    ] = None,
    target_rank: Target = None,
    workers: Workers = None,
    executor: ExecutorName = None,
    address: Address = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Root of all random choices.")] = None,
    time: Time = None,
    max_flips: MaxFlips = None,
    preset: Annotated[str, typer.Option("--preset", help="quick, standard or deep.")] = "standard",
    objective: Annotated[
        str | None,
        typer.Option("--objective", help="At equal rank: additions (default), flips, calls, few-calls or liftable."),
    ] = None,
    liftable: Annotated[bool, typer.Option("--liftable", help="The same as --objective liftable.")] = False,
    to: Annotated[
        str | None, typer.Option("--to", metavar="RING", help="With --liftable: ZT, Z, Z[1/2] or Q (default).")
    ] = None,
    start: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="ID|RUN|FILE", help="Start from this, or from what a run keeps; repeatable."),
    ] = None,
    symmetry: Annotated[
        str | None,
        typer.Option("--symmetry", metavar="GROUP", help="Only schemes invariant under it: Z3, Z3xZ2, S3 or a file."),
    ] = None,
    cubes: Annotated[
        str | None,
        typer.Option("--cubes", metavar="110,001", help="With --symmetry: the sums of diagonal entries to begin with."),
    ] = None,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="Merge results in the order of their chunks (always so inline).")
    ] = False,
    sorted_only: Annotated[
        bool,
        typer.Option("--sorted", help="Of a family's matrix products that differ in the order of sizes, take one."),
    ] = False,
    meta: Annotated[
        bool,
        typer.Option("--meta", help="Let what is found for one member of a family seed the others; --from is for all."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Take a family of more than ten thousand problems.")] = False,
    db: Db = None,
    json: Json = False,
) -> None:
    """Search for schemes of low rank, prove each find and keep it in the catalogue.

    The members of a family take turns, and each stops at the best rank known for it. With --meta they seed each other.
    """
    if liftable and objective not in (None, "liftable"):
        raise InputError(f"--liftable and --objective {objective} exclude each other: give one")
    if to is not None and not liftable:
        raise InputError(f"--to {to} is the ring that --liftable asks for: give both")
    terms: dict[str, Any] = {
        "workers": workers,
        "executor": executor,
        "address": address,
        "seed": seed,
        "seconds": None if time is None else parse_duration(time),
        "max_flips": max_flips,
        "preset": preset,
        "objective": "liftable" if liftable else objective or "additions",
        "deterministic": True if deterministic else None,
        "db": db,
    }
    if to is not None:
        terms["objective"] += f":{to}"
    if is_family(problem):
        start_here = None if meta else start or None
        single = {"--symmetry": symmetry, "--cubes": cubes, "--target-rank": target_rank, "--from": start_here}
        for option in [name for name, value in single.items() if value is not None]:
            raise InputError(f"{option} is for one problem; the members of {problem} aim at the best known ranks")
        terms |= {"sorted_only": sorted_only, "yes": yes, "meta": meta, "start": start or ()}
        with LiveTable() as table:
            family = api.search_family(problem, ring, on_progress=table, **terms)
        _report_family(family, json)
        return
    for option, given in (("--sorted", sorted_only), ("--meta", meta)):
        if given:
            raise InputError(f"{option} is for families; {problem} is one problem")
    with LiveLine() as line:
        result = api.search(
            problem,
            ring,
            target_rank=target_rank,
            start=start or (),
            symmetry=symmetry,
            cubes=cubes.split(",") if cubes is not None else (),
            on_progress=line,
            **terms,
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
    if api.is_lift_run(run, db=db):
        given = {"--target-rank": target_rank, "--time": time, "--max-flips": max_flips}
        if options := [name for name, value in given.items() if value is not None]:
            raise InputError(f"{options[0]} is for searches; run {run} is a batch of lifts")
        with LiveLine() as line:
            batch = api.resume_lifts(run, workers=workers, executor=executor, address=address, db=db, on_progress=line)
        report_lifts(batch, json)
        return
    terms: dict[str, Any] = {
        "seconds": None if time is None else parse_duration(time),
        "max_flips": max_flips,
        "workers": workers,
        "executor": executor,
        "address": address,
        "db": db,
    }
    if api.is_family_run(run, db=db):
        if target_rank is not None:
            raise InputError(f"--target-rank is for one problem; run {run} is over a family")
        with LiveTable() as table:
            family = api.resume_family(run, on_progress=table, **terms)
        _report_family(family, json)
        return
    with LiveLine() as line:
        result = api.resume(run, target_rank=target_rank, on_progress=line, **terms)
    _report(result, json)


def runs(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="Show the statistics of this run.")] = None,
    events: Annotated[
        bool, typer.Option("--events", help="Print what each chunk of RUN reported, as one JSON object a line.")
    ] = False,
    db: Db = None,
    json: Json = False,
) -> None:
    """List the runs of the catalogue, or show one: its levels, or the members of a family."""
    if run is None:
        if events:
            raise InputError("--events needs a run: flipforge runs RUN --events")
        rows = api.runs(db=db)
        if json:
            print_json(rows)
        else:
            print_table(_with_families(rows), _RUN_COLUMNS, "no runs yet: start one with flipforge search")
    elif events:
        lines = api.run_events(run, db=db)
        (print_json if json else print_json_lines)(lines)
    else:
        row = api.run_details(run, db=db)
        if json:
            print_json(row)
            return
        print_table(_with_families([row]), _RUN_COLUMNS, "")
        print()
        if "rows" in row:
            lifts = "lift" in row["config"]
            print_table(row["rows"], LIFT_COLUMNS if lifts else _MEMBER_COLUMNS, "nothing was lifted yet")
        else:
            print_table(row["levels"], _LEVEL_COLUMNS, "nothing was walked yet")


def replay(scheme: Annotated[str, typer.Argument(metavar="ID")], db: Db = None, json: Json = False) -> None:
    """Walk the chain of ancestors of a stored find again and compare every ID."""
    result = api.replay_scheme(scheme, db=db)
    if json:
        print_json(result.as_dict())
    else:
        print(f"{result.scheme}: rebuilt in {result.flips} steps under {result.walk_version}, every ID equal")


_WORDS = {
    "layer": ("operations", "program"),
    "identity": ("terms", "certificate"),
    "system": ("roots not found at most", "certificate"),
}
"""What rank means for problems that have no schemes, and what is found."""


def _with_families(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say in place of the rank of a family run how many of its members are at the best known rank."""
    return [{**row, "rank": f"{row['reached']}/{row['members']}"} if row["members"] else row for row in rows]


def _report_family(result: api.FamilyResult, json: bool) -> None:
    if json:
        print_json(result.as_dict())
    else:
        print_table(result.rows, _MEMBER_COLUMNS, "")
        reached = reached_text([row["target_reached"] for row in result.rows])
        print(
            f"run {result.run} over {result.ring}: {reached}; "
            f"{result.flips} steps in {result.seconds:.1f} s, "
            f"{result.workers} worker{'s' * (result.workers != 1)}, seed {result.seed}"
        )
    if result.target_reached is False:
        raise typer.Exit(_BUDGET_ENDED)


def _report(result: api.SearchResult, json: bool) -> None:
    if json:
        print_json(result.as_dict())
    else:
        rate = result.flips / result.seconds / 1e6 if result.seconds else 0.0
        what, kind = _WORDS.get(result.problem.partition(":")[0], ("rank", "scheme"))
        print(f"{result.problem} over {result.ring}: {what} {result.rank}, {kind} {result.scheme}, proven and stored")
        print(
            f"run {result.run}: {result.flips} steps in {result.seconds:.1f} s ({rate:.1f} M/s), "
            f"{result.workers} worker{'s' * (result.workers != 1)}, seed {result.seed}, walk {result.walk_version}"
        )
    if result.target_reached is False:
        raise typer.Exit(_BUDGET_ENDED)
