"""The lift command."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flipforge import api
from flipforge.cli._live import LiveLine
from flipforge.cli._options import Address, Db, ExecutorName, Json, ProblemOption, RingOption, Workers
from flipforge.cli._output import print_json, print_table
from flipforge.errors import InputError

__all__ = ["LIFT_COLUMNS", "register", "report_lifts"]

LIFT_COLUMNS = (
    "source",
    "problem",
    "rank",
    "outcome",
    "ring",
    "max_numerator",
    "max_denominator",
    "id",
    "attempts",
    "step",
    "reason",
)
_NOT_LIFTED = 1


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(lift)


def lift(
    name: Annotated[str | None, typer.Argument(metavar="[ID|FILE]")] = None,
    family: Annotated[
        str | None,
        typer.Option("--all", metavar="PROBLEM", help="Lift what the catalogue has of a problem, family or pattern."),
    ] = None,
    to: Annotated[str, typer.Option("--to", metavar="RING", help="Largest that will do: ZT, Z, Z[1/2] or Q.")] = "Q",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the lift, or the proof that there is none, to this file."),
    ] = None,
    attempts: Annotated[int, typer.Option("--attempts", help="How many ways are tried at most.")] = api.ATTEMPTS,
    best: Annotated[
        bool, typer.Option("--best", help="Try them all and take the smallest ring and coefficients.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Root of all random choices.")] = 0,
    origin: Annotated[
        str | None, typer.Option("--origin", help="With --all: this origin only; found and derived unless given.")
    ] = None,
    workers: Workers = None,
    executor: ExecutorName = None,
    address: Address = None,
    problem: ProblemOption = None,
    ring: RingOption = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Lift schemes over GF(p) to the integers or rationals, or prove that they have no lift.

    The catalogue keeps lifts with their lineage, and proofs with their schemes. --all spreads the work over workers and
    can be resumed.
    """
    terms: dict[str, Any] = {"to": to, "attempts": attempts, "best": best, "seed": seed, "db": db}
    if (name is None) == (family is None):
        raise InputError("give either an ID or file, or --all PROBLEM")
    if family is not None:
        _refuse("one scheme", {"--out": out, "--problem": problem, "--ring": ring})
        with LiveLine() as line:
            batch = api.lift_all(
                family,
                origin=origin,
                workers=workers,
                executor=executor,
                address=address,
                on_progress=line,
                **terms,
            )
        report_lifts(batch, json)
        return
    assert name is not None
    _refuse("--all", {"--origin": origin, "--workers": workers, "--executor": executor, "--address": address})
    row = api.lift(name, out=out, problem=problem, ring=ring, **terms).as_dict()
    if json:
        print_json(row)
    elif row["lifted"]:
        print(
            f"{row['source']} lifts to {row['ring']}: {row['id']}, numerators up to {row['max_numerator']}, "
            f"denominators up to {row['max_denominator']}; {row['file'] or 'kept in the catalogue'}"
        )
    else:
        print(f"{row['source']} is not lifted ({row['outcome']}): {row['reason']}")
    if not row["lifted"]:
        raise typer.Exit(_NOT_LIFTED)


def report_lifts(batch: api.LiftBatch, json: bool) -> None:
    """Print what came of a batch and exit with the worst of its codes."""
    if json:
        print_json(batch.as_dict())
    else:
        print_table(batch.rows, LIFT_COLUMNS, "")
        lifts = sum(row["lifted"] for row in batch.rows)
        print(f"run {batch.run}: {lifts} of {len(batch.rows)} lifted")
    if batch.exit_code:
        raise typer.Exit(batch.exit_code)


def _refuse(what: str, options: dict[str, Any]) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise InputError(f"{given[0]} is for {what}")
