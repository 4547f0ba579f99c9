"""How surely and how soon the command line reaches a rank from the standard algorithm, over several seeds.

    python bench/ranks.py
    python bench/ranks.py --seeds 10 --time 5m 4x4x4:49

Each try is one `flipforge search` over GF(2) in processes of its own, with a new catalogue: the times hold what a user
waits for: start-up, search, proofs and writing. CPU seconds are those of the whole process tree.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGETS = ("2x2x2:7", "2x2x3:11", "2x2x4:14", "2x3x3:15", "2x3x4:20", "3x3x3:23", "2x4x4:26", "3x3x4:29")


def attempt(sizes: str, target: int, seed: int, options: argparse.Namespace) -> tuple[int, float, float, int]:
    """Search once; return the rank reached, wall seconds, CPU seconds and steps."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "flipforge.cli", "search", f"matmul:{sizes}", "--ring", "GF2", "--json"]
        words += ["--target-rank", str(target), "--seed", str(seed), "--workers", str(options.workers)]
        words += ["--time", options.time, "--executor", options.executor, "--db", str(Path(folder) / "catalogue.db")]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 3):
        sys.exit(done.stderr)
    result = json.loads(done.stdout)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return result["rank"], wall, cpu, result["flips"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="SIZES:RANK", default=TARGETS)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--time", default="60s")
    parser.add_argument("--executor", default="process")
    options = parser.parse_args()
    print("target     hits   wall s: median    max   CPU s: median    max   Msteps: median   ranks")
    for text in options.targets:
        sizes, _, rank = text.partition(":")
        tries = [attempt(sizes, int(rank), seed, options) for seed in range(1, options.seeds + 1)]
        ranks, walls, cpus, steps = zip(*tries, strict=True)
        hits = sum(reached <= int(rank) for reached in ranks)
        print(
            f"{text:10} {hits:2}/{len(tries):<2}  {statistics.median(walls):14.1f} {max(walls):6.1f}"
            f"  {statistics.median(cpus):14.1f} {max(cpus):6.1f}  {statistics.median(steps) / 1e6:14.2f}"
            f"   {' '.join(map(str, ranks))}",
            flush=True,
        )


if __name__ == "__main__":
    main()
