"""Commands on single objects: show, verify, certify, import, convert, compare."""

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
    for command in (show, verify, certify, convert, compare):
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


def certify(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    multiplicity: Annotated[int | None, typer.Option("--multiplicity", help="Of a root: refuse any other.")] = None,
    rank: Annotated[int | None, typer.Option("--rank", help="Of a tensor; found unless given.")] = None,
    degree: Annotated[int | None, typer.Option("--degree", help="Of an identity: look so far; 3 unless given.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Of a system: all roots, from random starts.")] = False,
    max_order: Annotated[
        int | None, typer.Option("--max-order", metavar="N", help="Of a root: highest order of its dual space.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where the certificate goes.")] = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Find a certificate for what a file holds, check it, write it, and keep it in the catalogue."""
    row = api.certify(
        file,
        multiplicity=multiplicity,
        every=every,
        max_order=max_order,
        rank=rank,
        degree=degree,
        seed=seed,
        out=out,
        db=db,
    )
    if json:
        print_json(row)
    else:
        print(f"{row['verdict']}: {row['reason']}")
        for key in ("multiplicity", "hilbert_function", "radius", "perturbation", "certificate"):
            if row[key] is not None:
                print(f"  {key.replace('_', ' ')}: {row[key]}")
    raise typer.Exit(0 if row["verdict"] == "PROVED" else 1)


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
