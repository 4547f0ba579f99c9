"""The lift command."""

from pathlib import Path
from typing import Annotated

import typer

from flipforge import api
from flipforge.cli._options import Db, Json, ProblemOption, RingOption
from flipforge.cli._output import print_json

__all__ = ["register"]

_NOT_LIFTED = 1


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(lift)


def lift(
    name: Annotated[str, typer.Argument(metavar="ID|FILE")],
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
    problem: ProblemOption = None,
    ring: RingOption = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Lift a scheme over GF(p) to the integers or rationals, or prove that it has no lift."""
    result = api.lift(name, to=to, out=out, attempts=attempts, best=best, seed=seed, problem=problem, ring=ring, db=db)
    row = result.as_dict()
    if json:
        print_json(row)
    elif row["lifted"]:
        where = row["file"] or "kept in the catalogue"
        print(
            f"{row['source']} lifts to {row['ring']}: {row['id']}, numerators up to {row['max_numerator']}, "
            f"denominators up to {row['max_denominator']}; {where}"
        )
    else:
        print(f"{row['source']} is not lifted ({row['outcome']}): {row['reason']}")
    if not row["lifted"]:
        raise typer.Exit(_NOT_LIFTED)
