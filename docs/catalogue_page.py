"""Writes docs/catalogue.md from the shipped schemes: `python docs/catalogue_page.py`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flipforge import api
from flipforge.rings import RINGS

PAGE = Path(__file__).resolve().parent / "catalogue.md"
SHOWN = ("GF2", "GF3", "ZT", "Z", "Z[1/2]", "Q")
FIGURES = ("ring", "rank", "calls", "gamma", "additions")
LARGEST = 5
TEXT = """# The catalogue

flipforge comes with what its own searches found, lifted where a lift was found, one file for each Pareto point of the
best rank. `flipforge best` prints it beside the best ranks known elsewhere, and the tables below are made of its
answer. In brackets stands the gap to the best known rank over that very ring, `=` where there is none; nothing stands
where no rank is known for it. A smaller ring counts for a larger one too, and is not shown again. Each scheme replays
(`flipforge replay ID`): the walk over GF(p) from the standard algorithm, transforms, and the lift.

```console
flipforge best 'matmul:2..5x2..5x2..5'
flipforge best 'structured:*:2..5' --front
```

This page is written by `python docs/catalogue_page.py`.

## Matrix products

{matmul}

## Structured products

{structured}

## Recursive calls

What `flipforge best 'structured:*:2..5' --front` shows in characteristic 0 of schemes with recursive calls. How calls
are counted, and what gamma is, is told under [](lifting.md).

{front}
"""


def page(db: Path) -> str:
    """Return the text for a catalogue that holds the shipped schemes alone."""
    best: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in api.best(db=db):
        if row["id"] and _small(row["problem"]):
            best.setdefault(row["problem"], {})[row["ring"]] = row
    calls = [
        [
            f"`{row['problem']}`",
            *(row[key] for key in ("ring", "rank", "calls", "gamma", "additions")),
            f"`{row['id']}`",
        ]
        for row in api.front(f"structured:*:2..{LARGEST}", db=db)
        if row["calls"] not in (None, "0-0-0") and not RINGS[row["ring"]].characteristic
    ]
    ranks = [[f"`{name}`", *(_cell(rows.get(ring)) for ring in SHOWN)] for name, rows in best.items()]
    tables = {
        kind: _table(["problem", *SHOWN], [line for line in ranks if line[0].startswith(f"`{kind}:")])
        for kind in ("matmul", "structured")
    }
    return TEXT.format(**tables, front=_table(["problem", *FIGURES, "ID"], calls))


def _small(problem: str) -> bool:
    kind, *parts = problem.split(":")
    sizes = parts[0].split("x") if kind == "matmul" else parts[1].split("x") if kind == "structured" else ["x"]
    return all(size.isdigit() and int(size) <= LARGEST for size in sizes)


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    gap = "" if row["gap"] is None else f" ({row['gap']:+d})" if row["gap"] else " (=)"
    return f"{row['rank']}{gap}"


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        f"| {' | '.join('' if cell is None else str(cell) for cell in line)} |".replace("  ", " ") for line in lines
    )


def main() -> None:
    with TemporaryDirectory() as folder:
        PAGE.write_text(page(Path(folder) / "catalogue.db"), encoding="utf-8")


if __name__ == "__main__":
    main()
