"""CPU milliseconds of the rare moves: the general reduction, the orbit key, one sandwich and the climb to few nonzeros.

    python bench/moves.py
    python bench/moves.py --from scheme.json ...

Standard algorithms and the shipped 4x4x4:49, and the scheme files given, over every ring that holds them.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from flipforge import load
from flipforge.errors import RingError
from flipforge.flips import (
    elementary_automorphisms,
    orbit_invariant,
    random_sandwich,
    reduce_products,
    sparse_sandwich,
)
from flipforge.problems import matmul
from flipforge.rings import GF2, GF3, ZT, Q
from flipforge.schemes import Scheme, standard_scheme

SHIPPED = Path(__file__).resolve().parent.parent / "schemes"


def milliseconds(call: Callable[[], object], repeats: int) -> float:
    call()
    begun = time.process_time()
    for _ in range(repeats):
        call()
    return (time.process_time() - begun) / repeats * 1e3


def report(scheme: Scheme) -> None:
    p, (n, m, k) = scheme.ring.characteristic, scheme.problem.dims
    u, v, w = (np.array(rows, dtype=np.int8) for rows in (scheme.u, scheme.v, scheme.w))
    formats = ((n, m), (m, k), (n, k))
    moves = elementary_automorphisms(scheme.problem, p)
    rng = np.random.default_rng(0)
    mixed = random_sandwich(u, v, w, p, moves, rng, steps=30)
    sparse = sparse_sandwich(*mixed, p, moves, rng)
    counts = [sum(int(np.count_nonzero(factor)) for factor in one) for one in ((u, v, w), mixed, sparse)]
    reduce = milliseconds(lambda: reduce_products(u, v, w, p), 100)
    key = milliseconds(lambda: orbit_invariant(u, v, w, formats, p), 100)
    sandwich = milliseconds(lambda: random_sandwich(u, v, w, p, moves, rng, steps=1), 30)
    climb = milliseconds(lambda: sparse_sandwich(*mixed, p, moves, np.random.default_rng(0)), 3)
    name = f"{scheme.problem.name.partition(':')[2]} {scheme.ring} r={scheme.rank}"
    print(f"{name:20}{reduce:10.3f}{key:10.3f}{sandwich:10.3f}{climb:10.1f}   {' -> '.join(map(str, counts))}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--from", dest="files", nargs="*", type=Path, default=[], help="scheme files of matrix products"
    )
    files = [*SHIPPED.glob("matmul-4x4x4_*_r49_*.json"), *parser.parse_args().files]
    print(f"{'':20}{'reduction':>10}{'key':>10}{'sandwich':>10}{'climb':>10}   nonzeros: given, mixed, climbed")
    for start in [standard_scheme(matmul(n, n, n), Q) for n in (4, 5)] + [load(str(file)) for file in files]:
        for ring in (GF2, GF3, ZT):
            try:
                report(start.over(ring))
            except RingError:
                continue


if __name__ == "__main__":
    main()
