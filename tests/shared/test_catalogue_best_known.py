"""The shipped table of known ranks holds every rank of the reference table, and no other."""

import csv
from pathlib import Path

from flipforge.catalogue import best_known, shipped_schemes
from flipforge.errors import RingError
from flipforge.rings import GF2, GF3
from flipforge.schemes.formats import read_file


def test_known_ranks_are_those_of_the_reference_table(shared: Path) -> None:
    with (shared / "data" / "best_known_ranks.csv").open(encoding="utf-8", newline="") as stream:
        reference = {
            (f"matmul:{row['n']}x{row['m']}x{row['p']}", ring): row[f"rank_{ring}"]
            for row in csv.DictReader(stream)
            for ring in ("GF2", "ZT", "Z", "Q")
            if row[f"rank_{ring}"]
        }
    shipped = {(row["problem"], row["ring"]): row["rank"] for row in _shipped()}
    assert {key: rank for key, rank in shipped.items() if key[0].startswith("matmul:")} == reference


def test_known_structured_ranks_are_those_of_the_reference_table(shared: Path) -> None:
    with (shared / "data" / "structured_ranks.csv").open(encoding="utf-8", newline="") as stream:
        reference = {
            _problem(row["code"], row["n"]): (int(row["rank_Z"]), int(row["rank_Q"])) for row in csv.DictReader(stream)
        }
    names = {row["problem"] for row in _shipped() if row["problem"].startswith("structured:")}
    assert names == reference.keys()
    for name, (integer, rational) in reference.items():
        ranks = {row["ring"]: int(row["rank"]) for row in _shipped() if row["problem"] == name}
        if name.startswith("structured:gg:"):
            assert ranks["Z"] <= integer
            assert ranks["Q"] <= rational
        else:
            ternary = ranks.pop("ZT", integer)
            assert ternary >= integer
            assert ranks == {"GF2": integer, "GF3": rational, "Z": integer, "Z[1/2]": rational, "Q": rational}


def test_known_structured_ranks_over_other_rings_are_those_of_the_files(shared: Path) -> None:
    files = [
        file for file in (shared / "data" / "schemes" / "structured_flipcpd").glob("*.npy") if file.name[:2] != "gg"
    ]
    assert len(files) == 94
    for file in files:
        (scheme,) = read_file(file)
        for ring in (GF2, GF3):
            try:
                reduced = scheme.over(ring)
            except RingError:
                continue
            assert reduced.verdict().valid
            known = best_known(scheme.problem.name, ring.name)
            assert known is not None
            assert known.rank <= reduced.rank
        known = best_known(scheme.problem.name, scheme.canonical.ring.name)
        assert known is not None
        assert known.rank <= scheme.rank


def _shipped() -> list[dict[str, str]]:
    with (shipped_schemes() / "best_known.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _problem(code: str, n: str) -> str:
    return f"structured:{code[:2]}:{n}" + (f":{code[2]}" if code[2:] else "")
