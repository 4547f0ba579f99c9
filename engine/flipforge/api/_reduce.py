"""Fewer additions: programs of schemes, written to files and counted in the catalogue."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flipforge.api._library import Db, Name, load, open_store, parse_problem
from flipforge.api._terms import reducer
from flipforge.catalogue import Query
from flipforge.errors import InputError
from flipforge.programs import Program, dump_program, dump_reduced, dump_slp
from flipforge.schemes import Scheme, costs
from flipforge.schemes.formats import write_atomically
from flipforge.search import moved

__all__ = ["PROGRAM_FORMATS", "reduce_all", "reduce_scheme"]

_MOVES = 20_000


def _slp_files(program: Program, out: Path) -> dict[Path, bytes]:
    stem = out.with_suffix("")
    return {
        stem.with_name(f"{stem.name}_{letter}.slp"): text.encode()
        for letter, text in zip("LRP", dump_slp(program), strict=True)
    }


PROGRAM_FORMATS: dict[str, Callable[[Program, Path], dict[Path, bytes]]] = {
    "program": lambda program, out: {out: dump_program(program).encode()},
    "reduced": lambda program, out: {out: dump_reduced(program).encode()},
    "slp": _slp_files,
}
"""Formats of program files by name: ours, FastMatrixMultiplication's reduced JSON, PLinOpt's three files."""


def reduce_scheme(
    name: Name,
    *,
    out: Path | None = None,
    to: str = "program",
    moves: int | None = None,
    steps: int = 20_000,
    workers: int = 1,
    seed: int = 0,
    problem: str | None = None,
    ring: str | None = None,
    db: Db = None,
) -> dict[str, Any]:
    """Write a scheme as a program with few additions, proven.

    With ``moves`` the scheme itself may change for another of its rank with fewer additions. With ``out`` the program
    is written. Without, the catalogue keeps its count as ``additions_reduced``, and the scheme that moves lead to as
    derived, with the step from the given one.

    Parameters
    ----------
    out, to
        File, and its format: ``program``, ``reduced`` (matrix products only) or ``slp`` (three files).
    moves
        Flips and changes of basis to try; 20000 unless given, 0 without ``out``.
    steps, workers, seed
        Budget of the search for shared sums, processes, and seed of all choices.

    Returns
    -------
    dict
        ``additions_before`` as written, ``additions_after``, and ``file`` or ``id``.

    Raises
    ------
    InputError
        There is no such scheme or format, or a number is out of range.
    """
    if to not in PROGRAM_FORMATS:
        raise InputError(f"--to {to}: use one of {', '.join(PROGRAM_FORMATS)}")
    _check(steps=steps, moves=moves or 0, workers=workers - 1)
    scheme = load(name, problem=problem, ring=ring, db=db)
    if moves is None:
        moves = 0 if out is None else _MOVES
    if out is None:
        with open_store(db) as store:
            entry = moved(store.scheme(scheme.id), reducer(), moves=moves, seed=seed)
            found = _reduced(entry.scheme, steps, workers, seed)
            if entry.lineage:
                store.commit([entry])
            store.note_reduced(found)
        return _row(scheme, found) | {"id": entry.scheme.id}
    found = _reduced(reducer().moved(scheme, moves=moves, seed=seed), steps, workers, seed)
    row = _row(scheme, found)
    files = PROGRAM_FORMATS[to](found, Path(out))
    write_atomically(files)
    return row | {"file": str(min(files)), "files": [str(path) for path in files]}


def reduce_all(
    problem: str | None = None,
    *,
    steps: int = 20_000,
    workers: int = 1,
    seed: int = 0,
    db: Db = None,
    on_row: Callable[[dict[str, Any]], None] = lambda row: None,
) -> list[dict[str, Any]]:
    """Fill ``additions_reduced`` of each scheme of the catalogue that has none, of one problem or family or of all.

    Returns
    -------
    list of dict
        As `reduce_scheme` gives them; approximate schemes are no programs and left out, as are layers.
    """
    _check(steps=steps, moves=0, workers=workers - 1)
    rows = []
    with open_store(db) as store:
        for each in store.rows(
            Query(problem, where="additions_reduced is null and kind = 'scheme'", order="additions,id")
        ):
            if parse_problem(each["problem"]).order:
                continue
            scheme = store.scheme(each["id"])
            found = _reduced(scheme, steps, workers, seed)
            store.note_reduced(found)
            rows.append(_row(scheme, found) | {"id": scheme.id})
            on_row(rows[-1])
    return rows


def _reduced(scheme: Scheme, steps: int, workers: int, seed: int) -> Program:
    return reducer().reduce(scheme, steps=steps, workers=workers, seed=seed)


def _row(scheme: Scheme, found: Program) -> dict[str, Any]:
    return {
        "problem": scheme.problem.name,
        "ring": found.ring.name,
        "rank": found.rank,
        "additions_before": costs(scheme).additions,
        "additions_after": found.operations.additions,
    }


def _check(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 0:
            raise InputError(f"{name} is too small; give more")
