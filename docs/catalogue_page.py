"""Writes docs/catalogue.md and a table of README.md from the shipped schemes: `python docs/catalogue_page.py`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from re import fullmatch
from tempfile import TemporaryDirectory
from typing import Any

from flipforge import api
from flipforge.catalogue import best_known, shipped_schemes
from flipforge.rings import RINGS

PAGE = Path(__file__).resolve().parent / "catalogue.md"
README = PAGE.parent.parent / "README.md"
BEGIN, END = "<!-- written by python docs/catalogue_page.py -->\n", "\n<!-- end of what it writes -->"
SHOWN = {"GF2": ("GF2",), "GF3": ("GF3",), "Z": ("ZT", "Z"), "Q": ("ZT", "Z", "Z[1/2]", "Q")}
"""The columns, each with the rings whose schemes are schemes over its ring too, smallest first."""
FIGURES = ("ring", "rank", "calls", "gamma", "gamma_own", "additions")
LARGEST = 5
BEYOND = (6, 7, 8)
"""Sizes that README.md shows over GF(2), from the folder of large schemes."""
EXACT = ("Z", "Q")
Best = Mapping[str, Mapping[str, Mapping[str, Any]]]
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

The last two columns are the best published ranks over Z and over Q, as `schemes/best_known.csv` has them with their
sources.

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
    best = _best(db)
    calls = [
        [
            f"`{row['problem']}`",
            *(row[key] for key in FIGURES),
            f"`{row['id']}`",
        ]
        for row in api.front(f"structured:*:2..{LARGEST}", db=db)
        if row["calls"] not in (None, "0-0-0") and not RINGS[row["ring"]].characteristic
    ]
    ranks = {kind: [name for name in best if name.startswith(f"{kind}:")] for kind in ("matmul", "structured")}
    tables = {
        "matmul": _table(["problem", *SHOWN], [[f"`{name}`", *_cells(name, best[name])] for name in ranks["matmul"]]),
        "structured": _table(
            ["problem", *SHOWN, *(f"published {ring}" for ring in EXACT)],
            [[f"`{name}`", *_cells(name, best[name]), *_published(name)] for name in ranks["structured"]],
        ),
    }
    layers = [
        [f"`{row['problem']}`", row["rank"], row["additions"], f"`{row['id']}`"]
        for row in api.best("layer:*", db=db)
        if row["id"]
    ]
    tables["layers"] = _table(["problem", "elements", "instructions", "ID"], layers)
    return TEXT.format(**tables, front=_table(["problem", *FIGURES, "ID"], calls))


def readme_table(db: Path) -> str:
    """Return the ranks of structured products over Z and Q by code and size, and over GF(2) beyond."""
    best, beyond = _best(db), _large()
    codes = dict.fromkeys(name.split(":")[1] for name in best if name.startswith("structured:"))
    header = ["code", *(f"n = {n}" for n in range(2, LARGEST + 1)), *(f"n = {n}, GF(2)" for n in BEYOND)]
    lines = [
        [
            code,
            *(_exact(f"structured:{code}:{n}", best) for n in range(2, LARGEST + 1)),
            *(beyond.get((code, n)) for n in BEYOND),
        ]
        for code in codes
    ]
    return _table(header, lines)


def _best(db: Path) -> Best:
    best: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in api.best(db=db):
        if row["id"] and _small(row["problem"]):
            best.setdefault(row["problem"], {})[row["ring"]] = row
    return best


def _large() -> Mapping[tuple[str, int], int]:
    """Return the smallest rank over GF(2) of each code and size among the files of large schemes, by their names.

    A product of square matrices is one of general ones.
    """
    found: dict[tuple[str, int], int] = {}
    for path in (shipped_schemes() / "large").glob("*_GF2_*.json"):
        if match := fullmatch(r"(?:structured-(\w+)-(\d+)|matmul-(\d+)x\3x\3)_GF2_r(\d+)_\w+", path.stem):
            key, rank = (match[1] or "gg", int(match[2] or match[3])), int(match[4])
            found[key] = min(rank, found.get(key, rank))
    return found


def _exact(name: str, best: Best) -> str:
    """Return our ranks over Z and, where it is lower or differs from the published one, over Q; bold are best known."""
    cells = []
    for ring in EXACT:
        rows = [row for inside, row in best.get(name, {}).items() if inside in SHOWN[ring]]
        if not rows:
            continue
        rank, known = min(row["rank"] for row in rows), best_known(name, ring)
        published = "" if known is None or known.rank == rank else f" ({known.rank})"
        cells.append(f"**{rank}**" if known and rank <= known.rank else f"{rank}{published}")
    return " / ".join(dict.fromkeys(cells))


def _published(name: str) -> list[int | None]:
    return [known and known.rank for known in (best_known(name, ring) for ring in EXACT)]


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


def readme(text: str, table: str) -> str:
    """Return the text of README.md with the table in its place."""
    before, rest = text.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{table}\n{END}{rest.split(END, 1)[1]}"


def main() -> None:
    with TemporaryDirectory() as folder:
        db = Path(folder) / "catalogue.db"
        PAGE.write_text(page(db), encoding="utf-8")
        README.write_text(readme(README.read_text(encoding="utf-8"), readme_table(db)), encoding="utf-8")


if __name__ == "__main__":
    main()
