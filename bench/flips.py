"""Steps per CPU second of one thread, on schemes near the best known ranks, and beside flip-cpd where it is given.

    python bench/flips.py
    python bench/flips.py --flip-cpd PROGRAM --from 5x5x5=scheme.json

Each format is brought down from the standard algorithm first (or read from a scheme file, mod 2), then walked until it
has settled; only then is anything timed. Repeats of both programs alternate, each is timed in CPU seconds of its own
process, and medians are compared.

PROGRAM makes flips with flip-cpd's own code (github.com/khoruzhii/flip-cpd), which ships none that times them: write a
few lines against its headers. Called with SCHEME FLIPS SEED, where SCHEME is a text file with one product ``u v w``
a line as decimal bit masks, makes that many flips over GF(2), and prints ``FLIPS CPU_SECONDS``.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import count, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flipforge.flips import WALK_VERSION, seed_words, walk

Factors = NDArray[np.uint64]

# Ranks that a single walk, or short restarted ones at 5x5x5, reach within a minute.
FORMATS = {"3x3x3": 23, "4x4x4": 52, "5x5x5": 108}


def standard(n: int, m: int, p: int) -> Factors:
    rows = [(1 << i * m + j, 1 << j * p + k, 1 << i * p + k) for i, j, k in product(range(n), range(m), range(p))]
    return np.array(rows, dtype=np.uint64).T[:, :, None].copy()


def read(path: Path) -> Factors:
    """Read a flipforge scheme file, its integers mod 2."""
    content = json.loads(path.read_text(encoding="utf-8"))
    axes = [[sum((int(x) & 1) << bit for bit, x in enumerate(row)) for row in content[axis]] for axis in "uvw"]
    if max(len(row) for axis in "uvw" for row in content[axis]) > 64:
        sys.exit(f"{path}: factors of more than 64 entries: this benchmark compares formats up to 8x8")
    return np.array(axes, dtype=np.uint64)[:, :, None].copy()


def descend(start: Factors, goal: int, seconds: float) -> Factors:
    """Restart from the best scheme so far, first with short walks, then longer ones with plus transitions."""
    best, path, failures = start, 3000, 0
    begun = time.process_time()
    for number in count():
        rank = best.shape[1]
        if rank <= goal or time.process_time() - begun > seconds:
            return best
        long = path > 100_000
        end = walk(best, goal=rank - 1, steps=path, idle=50_000, band=2 if long else 0, seed=seed_words(rank, number))
        if end.reached:
            best, failures = end.factors, 0
        else:
            failures += 1
            if failures * path > 2_000_000:
                path, failures = min(2 * path, 20_000_000), 0
    raise AssertionError("unreachable: the loop above only ends by returning")


def ours(factors: Factors, steps: int, seed: int) -> float:
    begun = time.process_time()
    end = walk(factors, goal=0, steps=steps, idle=steps + 1, band=0, seed=seed_words(seed))
    return end.steps / (time.process_time() - begun)


def theirs(program: Path, scheme: Path, steps: int, seed: int) -> float:
    done = subprocess.run(
        [str(program), str(scheme), str(steps), str(seed)], check=True, capture_output=True, text=True
    )
    flips, seconds = done.stdout.split()[:2]
    return int(flips) / float(seconds)


def spread(rates: list[float]) -> dict[str, float]:
    millions = [rate / 1e6 for rate in rates]
    return {
        "median": round(statistics.median(millions), 2),
        "min": round(min(millions), 2),
        "max": round(max(millions), 2),
    }


def measure(
    name: str, factors: Factors, options: argparse.Namespace, program: Path | None, folder: Path
) -> dict[str, object]:
    settled = walk(factors, goal=0, steps=options.settle, idle=options.settle + 1, band=0, seed=seed_words(0))
    if not settled.partnered:
        sys.exit(f"{name}: a scheme of rank {settled.rank} without any flip; give one that has some")
    scheme = folder / f"{name}.txt"
    lines = (" ".join(str(int(mask)) for mask in row) for row in settled.factors[:, :, 0].T)
    scheme.write_text("\n".join(lines) + "\n", encoding="utf-8")
    mine, peer = [], []
    for seed in range(1, options.repeats + 1):
        mine.append(ours(settled.factors, options.steps, seed))
        if program is not None:
            peer.append(theirs(program, scheme, options.steps, seed))
    row: dict[str, object] = {
        "format": name,
        "rank": settled.rank,
        "partnered": settled.partnered,
        "flipforge": spread(mine),
    }
    if peer:
        row |= {"flip_cpd": spread(peer), "ratio": round(statistics.median(mine) / statistics.median(peer), 2)}
    return row


def show(row: dict[str, object]) -> str:
    def rate(name: str) -> str:
        numbers = row[name]
        assert isinstance(numbers, dict)
        return f"{numbers['median']:6.2f} M/s ({numbers['min']:.2f} to {numbers['max']:.2f})"

    text = f"{row['format']} rank {row['rank']:<3} flipforge {rate('flipforge')}"
    return text + (f"   flip-cpd {rate('flip_cpd')}   ratio {row['ratio']}" if "ratio" in row else "")


def main() -> None:
    parser = argparse.ArgumentParser(description="Steps per CPU second of one thread.")
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=f"any of {' '.join(FORMATS)} (all)")
    parser.add_argument("--flip-cpd", type=Path, metavar="PATH", help="a program that speaks the protocol above")
    parser.add_argument(
        "--from", dest="files", action="append", default=[], metavar="FORMAT=FILE", help="start from a scheme file"
    )
    parser.add_argument("--steps", type=int, default=5_000_000, help="steps per repeat")
    parser.add_argument("--settle", type=int, default=5_000_000, help="steps before the first repeat")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument(
        "--descent", type=float, default=60.0, metavar="SECONDS", help="most CPU seconds spent on reaching the rank"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    options = parser.parse_args()
    files = dict(item.split("=", 1) for item in options.files)
    for name in (*options.formats, *files):
        if name not in FORMATS:
            parser.error(f"unknown format {name!r}: use {', '.join(FORMATS)}")
    results = []
    with tempfile.TemporaryDirectory(prefix="flipforge-bench-") as made:
        folder = Path(made)
        program = options.flip_cpd
        for name in options.formats or FORMATS:
            n, m, p = map(int, name.split("x"))
            start = (
                read(Path(files[name])) if name in files else descend(standard(n, m, p), FORMATS[name], options.descent)
            )
            results.append(measure(name, start, options, program, folder))
            if not options.json:
                print(show(results[-1]), flush=True)
    if options.json:
        print(json.dumps({"walk_version": WALK_VERSION, "steps": options.steps, "results": results}))


if __name__ == "__main__":
    main()
