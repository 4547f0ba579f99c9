"""Commands on single objects: show, verify, import, convert, compare."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from flipforge import api
from flipforge.cli._options import Db, Json, ProblemOption, RingOption
from flipforge.cli._output import print_json, print_table

__all__ = ["register"]

_VERIFY_COLUMNS = ("source", "problem", "ring", "rank", "verdict", "reason")
_IMPORT_COLUMNS = ("source", "id", "problem", "ring", "rank", "additions", "status", "reason")

Name = Annotated[str, typer.Argument(metavar="ID|FILE")]
Names = Annotated[list[str], typer.Argument(metavar="ID|FILE...")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (show, verify, convert, compare):
        app.command()(command)
    app.command("import")(import_files)


def show(
    name: Name,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX.")] = False,
    problem: ProblemOption = None,
    ring: RingOption = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Print a scheme as its products and outputs."""
    if json:
        print_json(api.document(name, problem=problem, ring=ring, db=db))
    else:
        print(api.show(name, latex=latex, problem=problem, ring=ring, db=db))


def verify(
    names: Names, problem: ProblemOption = None, ring: RingOption = None, db: Db = None, json: Json = False
) -> None:
    """Check schemes and certificates exactly, by code that shares nothing with the search."""
    _answer(api.verify(*names, problem=problem, ring=ring, db=db), _VERIFY_COLUMNS, json)


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...")],
    problem: ProblemOption = None,
    ring: RingOption = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Prove schemes from files and keep them in the catalogue, marked as imported."""
    _answer(api.import_files(*files, problem=problem, ring=ring, db=db), _IMPORT_COLUMNS, json)


def convert(
    name: Name,
    to: Annotated[str, typer.Option("--to", help="flipforge, fmm, exp, npz, sms or txt.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE")],
    problem: ProblemOption = None,
    ring: RingOption = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Write a proven scheme in another format."""
    row = api.convert(name, to, out, problem=problem, ring=ring, db=db)
    if json:
        print_json(row)
    else:
        for path in row["files"]:
            print(f"{path}: {row['problem']} over {row['ring']}, rank {row['rank']}, as {row['format']}")


def compare(
    first: Name, second: Name, problem: ProblemOption = None, ring: RingOption = None, db: Db = None, json: Json = False
) -> None:
    """Decide whether two schemes are equal up to permutation and rescaling; give invariants beyond."""
    row = api.compare_schemes(first, second, problem=problem, ring=ring, db=db)
    if json:
        print_json(row)
    else:
        print(f"{'equal' if row['equal'] else 'not equal'}: {row['reason']}")
        for key, value in row["invariants"].items():
            print(f"  {key}: {value}")


def _answer(batch: api.Batch, columns: Sequence[str], json: bool) -> NoReturn:
    """Print the rows of a batch and exit with the worst of their codes."""
    if json:
        print_json(batch)
    else:
        print_table(batch, columns, "")
    raise typer.Exit(batch.exit_code)
