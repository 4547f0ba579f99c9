"""How many more steps several workers make than one, on each executor, and what the machine itself allows.

    python bench/scaling.py [--workers 2] [--executors process ray] [--repeats 5] [--chunks 8] [--steps 10000000]

All walk the same kernel on 4x4x4 over GF(2). ``plain`` is the control: independent processes without any executor. On
an idle machine its ratio is the best that an executor can reach; far below the number of workers, it says that the
machine is not idle. One worker and several take turns within each repeat, so that a drift of the machine meets both.
Rates are steps per second of wall time over all workers; the CPU column is per second of CPU time in the workers, and
falls where they disturb each other.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.executors import make_executor
from flipforge.flips import seed_words, walk
from flipforge.search import Failure

SIDE = 4
IDLE = 50_000
BAND = 4
SETTLING_STEPS = 20_000_000


@dataclass(frozen=True)
class Rate:
    """Steps of all workers together, per second of wall time and per second of their CPU time."""

    wall: float
    cpu: float


def standard(side: int) -> NDArray[np.uint64]:
    """Return the standard algorithm for square matrices, as the kernel takes it."""
    i, j, k = (axis.ravel() for axis in np.indices((side, side, side)))
    places = np.stack([i * side + j, j * side + k, i * side + k]).astype(np.uint64)
    return (np.uint64(1) << places)[:, :, np.newaxis]


def chunk(factors: NDArray[np.uint64], steps: int, number: int) -> tuple[int, float]:
    """Walk once; return the steps made and the CPU seconds they took."""
    before = time.process_time()
    made = walk(factors, goal=0, steps=steps, idle=IDLE, band=BAND, seed=seed_words(1, number)).steps
    return made, time.process_time() - before


def plain(factors: NDArray[np.uint64], workers: int, chunks: int, steps: int) -> Rate:
    """Let independent processes walk, started together once all are warm."""
    command = [sys.executable, __file__, "--alone", "--chunks", str(chunks), "--steps", str(steps)]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(workers)]
    for number, process in enumerate(processes):
        _tell(process, json.dumps([number, factors.tolist()]))
    for process in processes:
        _line(process)
    begun = time.perf_counter()
    for process in processes:
        _tell(process, "go")
    results = [json.loads(_line(process)) for process in processes]
    wall = time.perf_counter() - begun
    for process in processes:
        process.communicate()
    return _rate(results, wall)


def alone(chunks: int, steps: int) -> None:
    """Be one of the processes of `plain`."""
    number, rows = json.loads(sys.stdin.readline())
    factors = np.array(rows, dtype=np.uint64)
    chunk(factors, steps, 0)
    print("ready", flush=True)
    sys.stdin.readline()
    results = [chunk(factors, steps, number * chunks + each) for each in range(chunks)]
    print(json.dumps([sum(made for made, _ in results), sum(cpu for _, cpu in results)]), flush=True)


def on_executor(name: str, factors: NDArray[np.uint64], workers: int, chunks: int, steps: int) -> Rate:
    """Let an executor walk as a search does, with two chunks in flight per worker."""
    executor = make_executor(name, workers=workers)
    try:
        # As long as the others, so that every worker gets one and is warm.
        _drive(executor, factors, workers, 2 * workers, steps)
        begun = time.perf_counter()
        results = _drive(executor, factors, workers, chunks * workers, steps)
        return _rate(results, time.perf_counter() - begun)
    finally:
        executor.close()


def _drive(executor: Any, factors: NDArray[np.uint64], workers: int, chunks: int, steps: int) -> list[Any]:
    results: list[Any] = []
    submitted = 0
    while len(results) < chunks:
        while submitted < min(chunks, len(results) + 2 * workers):
            executor.submit(submitted, chunk, factors, steps, submitted)
            submitted += 1
        for _, value in executor.wait(1.0):
            if isinstance(value, Failure):
                sys.exit(f"a walk failed: {value.error}")
            results.append(value)
    return results


def _rate(results: list[Any], wall: float) -> Rate:
    steps = sum(made for made, _ in results)
    return Rate(steps / wall, steps / sum(cpu for _, cpu in results))


def _tell(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def measure(options: argparse.Namespace) -> None:
    """Print each measurement, then the ratios."""
    # A walk that has settled: the first steps from the standard algorithm are not those a search spends its time on.
    settled = walk(standard(SIDE), goal=0, steps=SETTLING_STEPS, idle=IDLE, band=BAND, seed=seed_words(0)).factors
    kinds = ["plain", *options.executors]
    rates: dict[tuple[str, int], list[Rate]] = {}
    print(f"{SIDE}x{SIDE}x{SIDE} over GF(2), settled at rank {settled.shape[1]}; million steps per second")
    print(f"{'':10}{'workers':>8}{'wall':>8}{'CPU':>8}")
    for _ in range(options.repeats):
        for kind in kinds:
            for workers in (1, options.workers):
                run = (settled, workers, options.chunks, options.steps)
                rate = plain(*run) if kind == "plain" else on_executor(kind, *run)
                rates.setdefault((kind, workers), []).append(rate)
                print(f"{kind:10}{workers:8}{rate.wall / 1e6:8.2f}{rate.cpu / 1e6:8.2f}", flush=True)
    print(f"\n{options.workers} workers against 1: median of {options.repeats} ratios (least to most)")
    for kind in kinds:
        pairs = list(zip(rates[kind, options.workers], rates[kind, 1], strict=True))
        wall = sorted(many.wall / one.wall for many, one in pairs)
        cpu = statistics.median(many.cpu / one.cpu for many, one in pairs)
        spread = f"({wall[0]:.2f} to {wall[-1]:.2f})"
        print(f"{kind:10}{statistics.median(wall):6.2f} {spread}; per worker and CPU second {cpu:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--executors", nargs="+", default=["process", "ray"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--chunks", type=int, default=8, help="chunks a worker walks in one measurement")
    parser.add_argument("--steps", type=int, default=10_000_000, help="steps of a chunk")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        alone(options.chunks, options.steps)
    else:
        measure(options)


if __name__ == "__main__":
    main()
