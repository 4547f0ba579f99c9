"""CPU seconds of ranks modulo 2 and 3, of random and of Brent matrices, beside python-flint, galois and passagemath.

    python bench/exact.py
    python bench/exact.py --from 555.json --repeats 5
    python bench/exact.py --peers linbox --large

A Brent matrix is the Jacobian of the Brent equations of a scheme at the scheme, the matrix of a Hensel step: the square
of Strassen's algorithm gives 4096 x 2352, a 5x5x5:97 given with ``--from`` 15625 x 7275. A rank counts from the numpy
array of bytes that we are given, packing included; for the others the time of making their own matrix is left out. What
cannot be compared in the same process is not: passagemath's random matrices are its own. Peers that are not installed
are left out, and so are all of them above 4096 x 2352, where they take up to hours: ``--large`` includes them.
"""

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge import exact, load
from flipforge.errors import RingError
from flipforge.problems import matmul
from flipforge.rings import GF2, GF3, ZT
from flipforge.schemes import Scheme
from flipforge.schemes.transforms import Kronecker

Matrix = NDArray[np.uint8]

SHAPES = ("4096x2352", "15625x7275")
_LARGEST = 4096 * 2352


@dataclass
class Row:
    """CPU seconds of the ranks of one matrix, by program."""

    name: str
    p: int
    shape: tuple[int, int]
    density: float
    rank: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


def strassen() -> Scheme:
    """Return Strassen's algorithm (1969), with this house's order of the result."""
    u = ((1, 0, 0, 1), (0, 0, 1, 1), (1, 0, 0, 0), (0, 0, 0, 1), (1, 1, 0, 0), (-1, 0, 1, 0), (0, 1, 0, -1))
    v = ((1, 0, 0, 1), (1, 0, 0, 0), (0, 1, 0, -1), (-1, 0, 1, 0), (0, 0, 0, 1), (1, 1, 0, 0), (0, 0, 1, 1))
    w = ((1, 0, 0, 1), (0, 0, 1, -1), (0, 1, 0, 1), (1, 0, 1, 0), (-1, 1, 0, 0), (0, 0, 0, 1), (1, 0, 0, 0))
    return Scheme(matmul(2, 2, 2), ZT, u, v, w)


def jacobian(scheme: Scheme) -> Matrix:
    """Return the derivatives of the Brent equations modulo the scheme's prime: one row an equation."""
    p, sizes = scheme.ring.characteristic, scheme.problem.shape
    factors = [np.array(rows, dtype=np.uint8) for rows in (scheme.u, scheme.v, scheme.w)]
    parts = []
    for axis, size in enumerate(sizes):
        first, second = (factors[other] for other in range(3) if other != axis)
        part = np.zeros((scheme.rank, size, *sizes), dtype=np.uint8)
        pairs = first[:, :, None] * second[:, None, :] % p
        for entry in range(size):
            np.moveaxis(part, axis + 2, 2)[:, entry, entry] = pairs
        parts.append(part.reshape(scheme.rank * size, -1))
    return np.ascontiguousarray(np.concatenate(parts).T)


def timed(call: Callable[[], int]) -> tuple[int, float]:
    begun = time.process_time()
    value = call()
    return value, time.process_time() - begun


def with_flint(matrix: Matrix, p: int, random: bool) -> tuple[int | None, float]:
    import flint

    m, n = matrix.shape
    theirs = flint.nmod_mat(m, n, matrix.ravel().tolist(), p)
    return timed(theirs.rank)


def with_galois(matrix: Matrix, p: int, random: bool) -> tuple[int | None, float]:
    import galois

    numbers = galois.GF(p)
    np.linalg.matrix_rank(numbers(matrix[:9, :9]))
    theirs = numbers(matrix)
    return timed(lambda: int(np.linalg.matrix_rank(theirs)))


def with_linbox(matrix: Matrix, p: int, random: bool) -> tuple[int | None, float]:
    """M4RI modulo 2 and LinBox modulo 3; there is no quick way to hand over a dense matrix."""
    from sage.matrix.constructor import matrix as build
    from sage.matrix.special import random_matrix
    from sage.rings.finite_rings.finite_field_constructor import GF

    if random:
        return None, timed(random_matrix(GF(p), *matrix.shape).rank)[1]
    theirs = build(GF(p), *matrix.shape)
    for i, j in zip(*map(np.ndarray.tolist, np.nonzero(matrix)), strict=True):
        theirs[i, j] = int(matrix[i, j])
    return timed(lambda: int(theirs.rank()))


PEERS: dict[str, tuple[str, Callable[[Matrix, int, bool], tuple[int | None, float]]]] = {
    "flint": ("flint", with_flint),
    "galois": ("galois", with_galois),
    "linbox": ("passagemath_linbox", with_linbox),
}


def measure(name: str, matrix: Matrix, p: int, options: argparse.Namespace) -> Row:
    """Time all programs on one matrix; the median of the repeats is ours.

    Raises
    ------
    SystemExit
        Two programs disagree about the rank.
    """
    row = Row(name, p, matrix.shape, np.count_nonzero(matrix) / matrix.size)
    exact.rank(matrix[:9, :9], p)
    ours = [timed(lambda: exact.rank(matrix, p)) for _ in range(options.repeats)]
    row.rank, row.seconds["flipforge"] = ours[0][0], statistics.median(seconds for _, seconds in ours)
    if matrix.size <= _LARGEST or options.large:
        for peer in options.peers:
            rank, row.seconds[peer] = PEERS[peer][1](matrix, p, name == "random")
            if rank not in (None, row.rank):
                raise SystemExit(f"{name} modulo {p}: our rank is {row.rank}, that of {peer} {rank}")
    return row


def matrices(options: argparse.Namespace) -> Any:
    """Yield (name, matrix, p)."""
    rng = np.random.default_rng(options.seed)
    schemes = [Kronecker(matmul(2, 2, 2), matmul(2, 2, 2)).apply(strassen(), strassen())] if options.strassen else []
    schemes += [load(str(file)) for file in options.files]
    for p, ring in ((2, GF2), (3, GF3)):
        for m, n in options.shapes:
            yield "random", rng.integers(0, p, (m, n), dtype=np.uint8), p
        for scheme in schemes:
            try:
                residues = scheme.over(ring)
            except RingError:
                continue
            yield f"{scheme.problem.name.partition(':')[2]}:{scheme.rank}", jacobian(residues), p


def cells(row: Row, peers: list[str]) -> list[str]:
    ours = row.seconds["flipforge"]
    texts = [
        row.name,
        str(row.p),
        "{}x{}".format(*row.shape),
        f"{100 * row.density:.2f}%",
        str(row.rank),
        f"{ours:.3f}",
    ]
    for peer in peers:
        theirs = row.seconds.get(peer)
        texts.append("" if theirs is None else f"{theirs:.3f} ({theirs / ours:.1f})")
    return texts


def shape_of(text: str) -> tuple[int, int]:
    m, times, n = text.partition("x")
    if not times or not m.isdecimal() or not n.isdecimal() or not int(m) * int(n):
        raise argparse.ArgumentTypeError(f"{text!r} is not a shape such as 4096x2352")
    return int(m), int(n)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    installed = [name for name, (module, _) in PEERS.items() if importlib.util.find_spec(module)]
    parser.add_argument("--shapes", nargs="*", type=shape_of, default=[shape_of(text) for text in SHAPES])
    parser.add_argument("--from", dest="files", nargs="*", type=Path, default=[], help="scheme files")
    parser.add_argument("--no-strassen", dest="strassen", action="store_false", help="leave out Strassen's square")
    parser.add_argument("--peers", nargs="*", choices=installed, default=installed)
    parser.add_argument("--large", action="store_true", help="peers above 4096x2352 as well: minutes to hours")
    parser.add_argument("--repeats", type=int, default=3, help="of ours; the median counts")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(words)
    if options.repeats < 1:
        parser.error("--repeats must be at least 1")
    return options


def main() -> None:
    options = arguments()
    head = [
        "matrix",
        "mod",
        "shape",
        "density",
        "rank",
        "flipforge s",
        *(f"{peer} s (ratio)" for peer in options.peers),
    ]
    print("| " + " | ".join(head) + " |")
    print("| --- " * len(head) + "|")
    for name, matrix, p in matrices(options):
        print("| " + " | ".join(cells(measure(name, matrix, p, options), options.peers)) + " |", flush=True)


if __name__ == "__main__":
    main()
