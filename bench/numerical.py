"""Numerical schemes: how many starts come to a scheme in floats, how many of these are made exact, and CPU seconds.

.venv/bin/python bench/numerical.py [--cases 2x2x2:7 2x3x3:15] [--seeds 10]
"""

import argparse
from collections import Counter
from time import process_time

from flipforge.problems import parse
from flipforge.schemes.numerical import find_numerical, make_exact

CASES = ("2x2x2:7", "2x2x3:11", "2x3x3:15")


def measure(case: str, seeds: int, starts: int) -> dict[str, object]:
    """Look for a scheme from so many starts for each seed, and make exact what was found."""
    size, _, rank = case.partition(":")
    found = []
    began = process_time()
    for seed in range(seeds):
        scheme = find_numerical(parse(f"matmul:{size}"), int(rank), seed=seed, starts=starts)
        found += [] if scheme is None else [scheme]
    between = process_time()
    exact = [made for scheme in found if (made := make_exact(scheme, thorough=True)) is not None]
    assert all(made.verdict().valid for made in exact)
    seconds = [(between - began) / seeds, (process_time() - between) / max(1, len(found))]
    rings = Counter(made.ring.name for made in exact)
    return {
        "case": case,
        "seeds": seeds,
        "found": len(found),
        "exact": len(exact),
        "rings": ", ".join(f"{name} {count}" for name, count in sorted(rings.items())),
        "seconds to find": f"{seconds[0]:.2g}",
        "seconds to make exact": f"{seconds[1]:.2g}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=list(CASES), metavar="NxMxP:RANK")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--starts", type=int, default=20, help="for each seed, at the most")
    chosen = parser.parse_args()
    # Compiles the kernel.
    measure("1x1x1:1", 1, 1)
    for number, case in enumerate(chosen.cases):
        row = measure(case, chosen.seeds, chosen.starts)
        if not number:
            print("| " + " | ".join(row) + " |\n" + "| --- " * len(row) + "|")
        print("| " + " | ".join(map(str, row.values())) + " |", flush=True)


if __name__ == "__main__":
    main()
