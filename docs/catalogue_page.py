"""Writes docs/catalogue.md from the shipped schemes: `python docs/catalogue_page.py`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flipforge import api
from flipforge.catalogue import best_known
from flipforge.rings import RINGS

PAGE = Path(__file__).resolve().parent / "catalogue.md"
SHOWN = {"GF2": ("GF2",), "GF3": ("GF3",), "Z": ("ZT", "Z"), "Q": ("ZT", "Z", "Z[1/2]", "Q")}
"""The columns, each with the rings whose schemes are schemes over its ring too, smallest first."""
FIGURES = ("ring", "rank", "calls", "gamma", "gamma_own", "additions")
LARGEST = 5
TEXT = """# The catalogue

flipforge comes with what its own searches found, lifted where a lift was found, one file for each Pareto point of the
best rank. `flipforge best` prints it beside the best ranks known elsewhere, and the tables below are made of its
answer. In brackets stands the gap to the best known rank over that very ring, `=` where there is none; nothing stands
where no rank is known for it. What holds over a smaller ring holds over a larger one too, so that a ring is named where
it is smaller than that of the column; Q is shown where less is known or found than over Z. Each scheme replays
(`flipforge replay ID`): the walk over GF(p) or ZT from the standard algorithm, transforms, and the lift.

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
are counted, and what gamma is, is told under [](lifting.md); gamma_own is by calls of the same kind alone.

{front}

## Equivariant layers

Programs that touch the fewest elements, as [](equivariant-layers.md) counts them; `flipforge best 'layer:*'`.

{layers}
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
            *(row[key] for key in FIGURES),
            f"`{row['id']}`",
        ]
        for row in api.front(f"structured:*:2..{LARGEST}", db=db)
        if row["calls"] not in (None, "0-0-0") and not RINGS[row["ring"]].characteristic
    ]
    ranks = [[f"`{name}`", *_cells(name, rows)] for name, rows in best.items()]
    tables = {
        kind: _table(["problem", *SHOWN], [line for line in ranks if line[0].startswith(f"`{kind}:")])
        for kind in ("matmul", "structured")
    }
    layers = [
        [f"`{row['problem']}`", row["rank"], row["additions"], f"`{row['id']}`"]
        for row in api.best("layer:*", db=db)
        if row["id"]
    ]
    tables["layers"] = _table(["problem", "elements", "instructions", "ID"], layers)
    return TEXT.format(**tables, front=_table(["problem", *FIGURES, "ID"], calls))


def _small(problem: str) -> bool:
    kind, *parts = problem.split(":")
    sizes = parts[0].split("x") if kind == "matmul" else parts[1].split("x") if kind == "structured" else ["x"]
    return all(size.isdigit() and int(size) <= LARGEST for size in sizes)


def _cells(problem: str, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the ranks of a problem over each ring shown, with the gap and the ring that carries the scheme."""
    cells = {ring: _cell(problem, ring, [rows[inside] for inside in SHOWN[ring] if inside in rows]) for ring in SHOWN}
    # Over Q the same scheme at the same gap says nothing new.
    return [*(cells[ring] for ring in SHOWN if ring != "Q"), "" if cells["Q"] == cells["Z"] else cells["Q"]]


def _cell(problem: str, ring: str, rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    row = min(rows, key=lambda row: row["rank"])
    known = best_known(problem, ring)
    gap = "" if known is None else f" ({row['rank'] - known.rank:+d})".replace("+0", "=")
    return f"{row['rank']}{gap}{'' if row['ring'] in (ring, 'Z') else ' ' + row['ring']}"


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
