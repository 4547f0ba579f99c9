"""Flips per CPU second of one thread on settled walks, all rings, beside other programs where they are given.

    python bench/flips.py
    python bench/flips.py --rings GF2 ZT --formats 3x3x3 5x5x5 --schemes DIR
    python bench/flips.py --flip-cpd PROGRAM --ternary-flip-graph PROGRAM --markdown

Each format is brought down from the standard algorithm over each ring first, then walked until it has settled; only
then is anything timed, and every program is given that same scheme. Repeats of the programs alternate, each is timed in
CPU seconds of its own process, and medians are compared. What counts is flips made: neither steps that a ring rejects
nor plus transitions. With ``--schemes DIR`` settled schemes are kept there, and read where they are already.

A PROGRAM makes flips with another project's own code, which ships nothing that times them: write a few lines against
the headers of flip-cpd (github.com/khoruzhii/flip-cpd, GF2 and GF3) or ternary_flip_graph
(github.com/dronperminov/ternary_flip_graph, its Z2, Z3 and ZT). Called with RING SCHEMEFILE FLIPS SEED, it makes that
many flips in one thread, checks that they left the tensor as it was, and prints ``FLIPS CPU_SECONDS``: the flips made
and the time of the walk alone. Where it ends with another exit code than 0, the row has no figure of it, but the last
line that it wrote to standard error.

SCHEMEFILE is the text form that ternary_flip_graph reads: ``n m p rank``, then three blocks, u, v and w, one product a
line, entries separated by blanks, -1 to 1 for ZT and residues otherwise; u and v row by row, w column by column.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flipforge.flips import Walk, pack, seed_words, unpack, walk

Packed = NDArray[np.uint64]
Sizes = tuple[int, int, int]

# Ranks that short restarted walks reach within a minute over GF(2); other rings may stop above them.
GOALS = {"3x3x3": 23, "4x4x4": 52, "5x5x5": 108, "4x5x9": 150}
RINGS = ("GF2", "GF3", "ZT", "GF5", "GF7")
PEERS = {"flip-cpd": ("GF2", "GF3"), "ternary_flip_graph": ("GF2", "GF3", "ZT")}

# Short walks keep near the start, where there are reductions to find; longer ones need plus transitions.
_SHORTEST, _LONGEST, _LONG = 3_000, 20_000_000, 100_000
_ROUND, _IDLE = 2_000_000, 50_000


@dataclass(frozen=True)
class Row:
    """Flips per CPU second of each program at one ring and format, repeat by repeat; why not, in ``faults``."""

    ring: str
    format: str
    rank: int
    partnered: int
    rates: dict[str, list[float]]
    faults: dict[str, str]

    def median(self, program: str) -> float | None:
        rates = self.rates.get(program)
        return statistics.median(rates) if rates else None

    def ratio(self) -> float | None:
        """Return our median over that of the faster of the others, if there is one."""
        ours = self.median("flipforge")
        others = [rate for name in PEERS if (rate := self.median(name)) is not None]
        return ours / max(others) if ours is not None and others else None


def fall(rows: list[Row], program: str, ring: str) -> float | None:
    """Return the rate at 5x5x5 over that at 3x3x3."""
    rates = {row.format: row.median(program) for row in rows if row.ring == ring}
    small, large = rates.get("3x3x3"), rates.get("5x5x5")
    return large / small if small and large else None


def sizes_of(text: str) -> Sizes:
    parts = text.split("x")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no format: write it like 3x3x3")
    n, m, p = map(int, parts)
    return n, m, p


def axes_of(sizes: Sizes) -> Sizes:
    n, m, p = sizes
    return n * m, m * p, n * p


def standard(sizes: Sizes, ring: str) -> Packed:
    n, m, p = sizes
    u, v, w = (np.zeros((n * m * p, size), dtype=np.int8) for size in axes_of(sizes))
    for row, (i, j, k) in enumerate(product(range(n), range(m), range(p))):
        u[row, i * m + j] = v[row, j * p + k] = w[row, i * p + k] = 1
    return pack((u, v, w), ring)


def check(factors: Packed, sizes: Sizes, ring: str) -> None:
    """End the script where a walk has left the tensor: its rate would mean nothing."""
    n, m, p = sizes
    u, v, w = (axis.astype(np.int64) for axis in unpack(factors, axes_of(sizes), ring))
    found = ((u[:, :, None] * v[:, None, :]).reshape(len(u), -1).T @ w).reshape(n, m, m, p, n, p)
    wrong = found - np.einsum("ia,jk,lb->ijklab", *(np.eye(size, dtype=np.int64) for size in sizes))
    prime = int(ring[2:]) if ring.startswith("GF") else 0
    if (wrong % prime if prime else wrong).any():
        raise SystemExit(f"{'x'.join(map(str, sizes))} over {ring}: the walk changed the tensor")


def descend(start: Packed, ring: str, goal: int, seconds: float) -> Packed:
    """Restart from the best scheme so far, with walks twice as long whenever a round of them found no lower rank."""
    best, path = start, _SHORTEST
    begun = time.process_time()
    for number in count():
        rank = best.shape[1]
        if rank <= goal or time.process_time() - begun > seconds:
            break
        end = walk(
            best,
            ring=ring,
            goal=rank - 1,
            steps=max(_ROUND, path),
            path=path,
            idle=_IDLE,
            band=2 if path > _LONG else 0,
            seed=seed_words(rank, number),
        )
        if end.reached:
            best = end.factors
        else:
            path = min(2 * path, _LONGEST)
    return best


def write_scheme(path: Path, factors: Packed, sizes: Sizes, ring: str) -> None:
    n, m, p = sizes
    u, v, w = unpack(factors, axes_of(sizes), ring)
    columns = w.reshape(-1, n, p).transpose(0, 2, 1).reshape(len(w), -1)
    blocks = ("\n".join(" ".join(map(str, row)) for row in axis.tolist()) for axis in (u, v, columns))
    path.write_text(f"{n} {m} {p} {len(u)}\n\n" + "\n\n".join(blocks) + "\n", encoding="utf-8")


def read_scheme(path: Path, sizes: Sizes, ring: str) -> Packed:
    head, *blocks = path.read_text(encoding="utf-8").split("\n\n")
    n, m, p, rank = map(int, head.split())
    if (n, m, p) != sizes or len(blocks) != 3:
        raise SystemExit(f"{path}: not a scheme of {sizes} as this script writes them: remove the file")
    u, v, columns = (np.array(block.split(), dtype=np.int8).reshape(rank, -1) for block in blocks)
    return pack((u, v, columns.reshape(rank, p, n).transpose(0, 2, 1).reshape(rank, -1)), ring)


def settle(factors: Packed, ring: str, steps: int) -> Packed:
    return walk(factors, ring=ring, goal=0, steps=steps, path=steps, idle=steps + 1, band=0, seed=seed_words(0)).factors


def ours(factors: Packed, ring: str, steps: int, seed: int) -> tuple[float, Walk]:
    """Return flips per CPU second, and the walk."""
    begun = time.process_time()
    end = walk(factors, ring=ring, goal=0, steps=steps, path=steps, idle=steps + 1, band=0, seed=seed_words(seed))
    return end.flips / (time.process_time() - begun), end


def theirs(program: Path, ring: str, scheme: Path, flips: int, seed: int) -> float | str:
    """Return flips per CPU second, or why there are none."""
    command = [str(program), ring, str(scheme), str(flips), str(seed)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    made, seconds = done.stdout.split()[:2]
    return int(made) / float(seconds) if int(made) else "no flips made"


def measure(ring: str, sizes: Sizes, options: argparse.Namespace, folder: Path) -> Row:
    name = "x".join(map(str, sizes))
    scheme = folder / f"{name}-{ring}.txt"
    if scheme.exists():
        factors = read_scheme(scheme, sizes, ring)
    else:
        best = descend(standard(sizes, ring), ring, GOALS.get(name, 0), options.descent)
        factors = settle(best, ring, options.settle)
        check(factors, sizes, ring)
        write_scheme(scheme, factors, sizes, ring)
    _, end = ours(factors, ring, options.steps, 0)
    check(end.factors, sizes, ring)
    programs = {peer: options.programs[peer] for peer in PEERS if options.programs[peer] and ring in PEERS[peer]}
    rates: dict[str, list[float]] = {"flipforge": [], **{peer: [] for peer in programs}}
    faults: dict[str, str] = {}
    for seed in range(1, options.repeats + 1):
        rates["flipforge"].append(ours(factors, ring, options.steps, seed)[0])
        for peer, program in programs.items():
            rate = theirs(program, ring, scheme, options.steps, seed)
            if isinstance(rate, str):
                faults[peer] = rate
            else:
                rates[peer].append(rate)
    kept = {peer: found for peer, found in rates.items() if peer not in faults}
    return Row(ring, name, factors.shape[1], end.partnered, kept, faults)


def cells(row: Row, spread: bool = True) -> list[str]:
    """Return the row as text: ring, format, rank, partnered, each program's rate in millions, and the ratio."""

    def rate(program: str) -> str:
        if program in row.faults:
            return f"- ({row.faults[program]})"
        median = row.median(program)
        if median is None:
            return "-"
        found = row.rates[program]
        return f"{median / 1e6:.2f}" + (f" ({min(found) / 1e6:.2f} to {max(found) / 1e6:.2f})" if spread else "")

    ratio = row.ratio()
    texts = [row.ring, row.format, str(row.rank), str(row.partnered)]
    return [*texts, *map(rate, ("flipforge", *PEERS)), "-" if ratio is None else f"{ratio:.2f}"]


HEAD = ["ring", "format", "rank", "partnered", "flipforge", *PEERS, "ratio"]


def line(texts: list[str], markdown: bool) -> str:
    if markdown:
        return f"| {' | '.join(texts)} |"
    widths = (5, 7, 5, 10, 24, 24, 24, 6)
    return " ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip()


def falls(rows: list[Row]) -> list[str]:
    """Return the lines "rate at 5x5x5 over rate at 3x3x3", one for each ring and program with both."""
    rings = dict.fromkeys(row.ring for row in rows)
    found = [(ring, name, fall(rows, name, ring)) for ring in rings for name in ("flipforge", *PEERS)]
    return [f"rate at 5x5x5 over rate at 3x3x3, {ring}, {name}: {value:.2f}" for ring, name, value in found if value]


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--formats", nargs="+", type=sizes_of, default=[sizes_of(name) for name in GOALS])
    parser.add_argument("--rings", nargs="+", choices=RINGS, default=RINGS)
    for peer in PEERS:
        parser.add_argument(f"--{peer.replace('_', '-')}", type=Path, metavar="PROGRAM", dest=peer)
    parser.add_argument("--steps", type=int, default=5_000_000, help="of ours, and flips of theirs, per repeat")
    parser.add_argument("--settle", type=int, default=5_000_000, help="steps between the descent and the first repeat")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--descent", type=float, default=60.0, metavar="SECONDS", help="most CPU seconds of a descent")
    parser.add_argument("--schemes", type=Path, metavar="DIR", help="settled schemes, kept from one run to the next")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true")
    form.add_argument("--json", action="store_true", help="print one JSON value")
    options = parser.parse_args(words)
    options.programs = {peer: getattr(options, peer) for peer in PEERS}
    if min(options.steps, options.settle, options.repeats) < 1:
        parser.error("--steps, --settle and --repeats are at least 1")
    return options


def main() -> None:
    options = arguments()
    rows = []
    with tempfile.TemporaryDirectory(prefix="flipforge-bench-") as made:
        folder = options.schemes or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        if not options.json:
            print(line(HEAD, options.markdown))
            if options.markdown:
                print(line(["---"] * len(HEAD), True), flush=True)
        for ring, sizes in product(options.rings, options.formats):
            rows.append(measure(ring, sizes, options, folder))
            if not options.json:
                print(line(cells(rows[-1]), options.markdown), flush=True)
    if options.json:
        results = [vars(row) | {"ratio": row.ratio()} for row in rows]
        print(json.dumps({"steps": options.steps, "results": results}))
    else:
        print("\n" + "\n".join(falls(rows)))


if __name__ == "__main__":
    main()
