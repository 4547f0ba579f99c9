"""The shipped table of known ranks holds every rank of the reference table, and no other."""

import csv
from pathlib import Path

from flipforge.catalogue import shipped_schemes


def test_known_ranks_are_those_of_the_reference_table(shared: Path) -> None:
    with (shared / "data" / "best_known_ranks.csv").open(encoding="utf-8", newline="") as stream:
        reference = {
            (f"matmul:{row['n']}x{row['m']}x{row['p']}", ring): row[f"rank_{ring}"]
            for row in csv.DictReader(stream)
            for ring in ("GF2", "ZT", "Z", "Q")
            if row[f"rank_{ring}"]
        }
    with (shipped_schemes() / "best_known.csv").open(encoding="utf-8", newline="") as stream:
        shipped = {(row["problem"], row["ring"]): row["rank"] for row in csv.DictReader(stream)}
    assert shipped == reference
