"""The command that draws: plot."""

from pathlib import Path
from typing import Annotated

import typer

from flipforge import api
from flipforge.cli._options import Db, Json
from flipforge.cli._output import print_json

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(plot)


def plot(
    run: Annotated[str, typer.Argument(metavar="RUN")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A .svg or .png file; RUN.svg here unless given.")
    ] = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Draw a run: rank against flips, success and pools by level, rate; or the gaps of a family."""
    row = api.plot(run, out, db=db)
    if json:
        print_json(row)
    else:
        print(f"{row['file']}: run {row['run']}, {len(row['panels'])} panels")
