"""The export command."""

from pathlib import Path
from typing import Annotated

import typer

from flipforge import api
from flipforge.cli._options import Db, Json, ProblemOption, RingOption
from flipforge.cli._output import print_json

__all__ = ["register"]

_CHECK_FAILED = 1


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(export)


def export(
    name: Annotated[str, typer.Argument(metavar="ID|FILE")],
    target: Annotated[str, typer.Option("--target", help="numpy, or the name of an exporter plugin.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR")],
    check: Annotated[bool, typer.Option("--check", help="Run the generated code against exact references.")] = False,
    problem: ProblemOption = None,
    ring: RingOption = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Ship a proven scheme as code."""
    report = api.export_scheme(name, target, out, check=check, problem=problem, ring=ring, db=db)
    if json:
        print_json(report.as_dict())
    else:
        for path in report.files:
            print(f"wrote {path}")
        for row in report.checks:
            print(f"{'ok  ' if row.ok else 'FAIL'} {row.name}: {row.detail}")
        if not check:
            print("not run: add --check")
    if not report.ok:
        raise typer.Exit(_CHECK_FAILED)
