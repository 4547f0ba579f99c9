"""Commands that make programs and code, and time it: export, reduce, bench."""

from pathlib import Path
from typing import Annotated

import typer

from flipforge import api
from flipforge.cli._options import Db, Json, ProblemOption, RingOption
from flipforge.cli._output import print_json, print_table
from flipforge.errors import InputError

__all__ = ["register"]

_CHECK_FAILED = 1
_REDUCE_COLUMNS = ("id", "problem", "ring", "rank", "additions_before", "additions_after")


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    for command in (export, reduce, bench):
        app.command()(command)


def export(
    names: Annotated[
        list[str], typer.Argument(metavar="ID|FILE...", help="A scheme, or one for each level of recursion.")
    ],
    target: Annotated[str, typer.Option("--target", help="numpy, or the name of an exporter plugin.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR")],
    check: Annotated[bool, typer.Option("--check", help="Run the generated code against exact references.")] = False,
    compose: Annotated[
        bool, typer.Option("--compose", help="Make one scheme of all levels, also where the target recurses.")
    ] = False,
    problem: ProblemOption = None,
    ring: RingOption = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Ship a proven scheme as code; several are one for each level of recursion, the first outermost."""
    report = api.export_scheme(names, target, out, check=check, composed=compose, problem=problem, ring=ring, db=db)
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


def reduce(
    name: Annotated[str | None, typer.Argument(metavar="[ID|FILE]")] = None,
    every: Annotated[
        str | None,
        typer.Option("--all", metavar="PROBLEM", help="Count for all schemes of a problem or family: matmul:*, or *."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the program; the scheme may change then.")
    ] = None,
    to: Annotated[str, typer.Option("--to", help="program, reduced or slp.")] = "program",
    moves: Annotated[
        int | None,
        typer.Option(
            "--moves", help="Flips and changes of basis to try; 20000 with --out, else 0. What they lead to is kept."
        ),
    ] = None,
    steps: Annotated[int, typer.Option("--steps", help="Budget of the search for shared sums.")] = 20_000,
    workers: Annotated[int, typer.Option("--workers")] = 1,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    problem: ProblemOption = None,
    ring: RingOption = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Write a scheme as a program with few additions, and keep their number in the catalogue."""
    if every is not None:
        if name is not None or out is not None or moves:
            raise InputError("--all counts for the catalogue's rows; leave ID, --out and --moves out")
        rows = api.reduce_all(every, steps=steps, workers=workers, seed=seed, db=db)
        if json:
            print_json(rows)
        else:
            print_table(rows, _REDUCE_COLUMNS, "every scheme of them has its count")
        return
    if name is None:
        raise InputError("reduce takes an ID or a file, or --all PROBLEM; give one of them")
    row = api.reduce_scheme(
        name,
        out=out,
        to=to,
        moves=moves,
        steps=steps,
        workers=workers,
        seed=seed,
        problem=problem,
        ring=ring,
        db=db,
    )
    if json:
        print_json(row)
    else:
        where = ", ".join(row["files"]) if out else f"kept for {row['id']}"
        print(f"{row['additions_before']} additions as written, {row['additions_after']} shared: {where}")


def bench(
    folder: Annotated[Path, typer.Argument(metavar="DIR")],
    size: Annotated[int, typer.Option("--size", metavar="N", help="Rows and columns of the matrices.")] = 1024,
    json: Json = False,
) -> None:
    """Time exported code against what it is an alternative to, in CPU seconds of one thread."""
    from flipforge.plugins import bench as measure

    rows = measure(folder, size=size)
    if json:
        print_json(rows)
        return
    for row in rows:
        if not row["timed"]:
            print(f"{row['target']:8} {row['file']}: not timed, {row['reason']}")
        else:
            tier = f" {row['tier']}" if "tier" in row else ""
            print(
                f"{row['target']:8} {row['file']} {row['dtype']} n={row['n']} levels={row['levels']}{tier}: "
                f"{row['seconds']:.4f} s, {row['reference']} {row['reference_seconds']:.4f} s, ratio {row['ratio']:.3f}"
            )
