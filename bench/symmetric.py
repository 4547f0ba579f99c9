"""Symmetric tensor decomposition: relative error and CPU time beside tensorly on the same input, in one run.

For each case a random symmetric tensor of that order, length and rank (unit Gaussian vectors, weights +-1 to 2) is
decomposed by `flipforge_symmetric.decompose` and, unless --alone, by tensorly's symmetric power iteration, which is
given the rank. Published times of the subspace power method, where there are any for the case, were measured elsewhere.

    .venv/bin/python bench/symmetric.py [--cases 4x10x30 4x20x120] [--repeats 3] [--alone]

With --certify the first tensor of each case is certified as well: columns of the Terracini matrix, a lower bound on its
least singular value, and CPU seconds to make the certificate and to check it.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from time import process_time
from typing import Any

import numpy as np

from flipforge.certificates import check
from flipforge_symmetric import decompose, rank_bound, sorted_indices, sum_of_powers
from flipforge_symmetric.certifier import SymmetricCertifier

CASES = (
    "4x10x10",
    "4x10x30",
    "4x10x45",
    "4x20x60",
    "4x20x120",
    "4x20x180",
    "4x20x190",
    "4x40x200",
    "6x10x60",
    "6x10x150",
)
# Seconds of a mended port of the authors' Python code, compiled by numba, on the machine of an earlier session.
PORT = {
    "4x10x30": 0.009,
    "4x20x60": 0.22,
    "4x20x120": 0.45,
    "4x20x180": 3.0,
    "4x40x200": 4.7,
    "6x10x60": 1.3,
    "6x10x150": 2.7,
}


@dataclass(frozen=True)
class Case:
    """Order, length and rank."""

    order: int
    length: int
    rank: int

    @classmethod
    def read(cls, text: str) -> "Case":
        """Read e.g. ``4x10x30``; a rank above the bound of the method is refused."""
        try:
            order, length, rank = map(int, text.split("x"))
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r}: write ORDERxLENGTHxRANK, as in 4x10x30") from None
        if order not in (4, 6) or not 2 <= length <= 60 or not 1 <= rank <= rank_bound(length, order):
            raise argparse.ArgumentTypeError(f"{text!r}: order 4 or 6, length 2 to 60, rank up to the method's bound")
        return cls(order, length, rank)

    def __str__(self) -> str:
        return f"{self.order}x{self.length}x{self.rank}"

    def coefficients(self, seed: int) -> Any:
        """Return the coefficients at the sorted indices of the tensor of a seed."""
        generator = np.random.default_rng(seed)
        vectors = generator.standard_normal((self.rank, self.length))
        vectors /= np.linalg.norm(vectors, axis=1)[:, None]
        weights = generator.uniform(1, 2, self.rank) * generator.choice([-1, 1], self.rank)
        return sum_of_powers(weights, vectors, self.order)

    def dense(self, coefficients: Any) -> Any:
        """Return all places."""
        full = np.indices((self.length,) * self.order).reshape(self.order, -1).T
        full.sort(axis=1)
        weights = self.length ** np.arange(self.order - 1, -1, -1)
        places = np.searchsorted(sorted_indices(self.length, self.order) @ weights, full @ weights)
        return coefficients[places].reshape((self.length,) * self.order)


def timed(work: Callable[[], float]) -> tuple[float, float]:
    """Return an error and the CPU seconds it took."""
    began = process_time()
    error = work()
    return error, process_time() - began


def by_tensorly(case: Case, tensor: Any) -> float:
    """Return the relative error of tensorly's decomposition of the given rank."""
    from tensorly.decomposition import symmetric_parafac_power_iteration

    weights, vectors = symmetric_parafac_power_iteration(tensor, rank=case.rank, n_repeat=10, n_iteration=10)
    found = case.dense(sum_of_powers(np.asarray(weights), np.asarray(vectors).T.copy(), case.order))
    return float(np.linalg.norm(found - tensor) / np.linalg.norm(tensor))


def measure(case: Case, repeats: int, alone: bool) -> dict[str, Any]:
    """Decompose tensors of several seeds; times are medians, errors the worst."""
    ours, theirs = [], []
    for seed in range(repeats):
        coefficients = case.coefficients(seed)
        ours.append(timed(lambda c=coefficients, s=seed: decompose(c, case.length, case.order, seed=s).error))  # type: ignore[misc]
        if not alone:
            tensor = case.dense(coefficients)
            theirs.append(timed(lambda t=tensor: by_tensorly(case, t)))  # type: ignore[misc]
    row: dict[str, Any] = {"case": str(case), "error": max(e for e, _ in ours), "seconds": median(t for _, t in ours)}
    if theirs:
        row |= {"tensorly error": max(e for e, _ in theirs), "tensorly seconds": median(t for _, t in theirs)}
        row["ratio"] = row["tensorly seconds"] / row["seconds"]
    row["port seconds"] = PORT.get(str(case))
    return row


def certified(case: Case) -> dict[str, Any]:
    """Certify the decomposition of the tensor of seed 0 and check the certificate, as a file has it."""
    coefficients = case.coefficients(0)
    indices = sorted_indices(case.length, case.order).tolist()
    entries = [[*index, str(Fraction(x))] for index, x in zip(indices, coefficients.tolist(), strict=True)]
    content = {"order": case.order, "length": case.length, "entries": entries}
    began = process_time()
    certificate = SymmetricCertifier().certify(content, options={"rank": case.rank}).certificate
    assert certificate is not None
    made = process_time()
    verdict = check(certificate)
    checked = process_time()
    singular = certificate.statement["singular"]
    least = None if singular is None else float(Fraction(singular[0]) - Fraction(singular[1]))
    return {
        "case": str(case),
        "columns": case.length * case.rank,
        "verdict": verdict.decision,
        "least singular value above": least,
        "seconds to certify": made - began,
        "seconds to check": checked - made,
    }


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", type=Case.read, default=[Case.read(text) for text in CASES])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="without tensorly")
    parser.add_argument("--certify", action="store_true", help="certificates instead of errors and times of finds")
    chosen = parser.parse_args(words)
    if chosen.repeats < 1:
        parser.error("--repeats must be at least 1")
    return chosen


def main() -> None:
    chosen = arguments()
    if not chosen.alone and not chosen.certify:
        try:
            import tensorly  # noqa: F401
        except ImportError:
            sys.exit("tensorly is not installed: pip install tensorly, or give --alone")
    measure(Case(4, 4, 3), 1, True)
    keys = ["case", "error", "seconds", "tensorly error", "tensorly seconds", "ratio", "port seconds"]
    for number, case in enumerate(chosen.cases):
        row = certified(case) if chosen.certify else measure(case, chosen.repeats, chosen.alone)
        keys = [*row] if chosen.certify else keys
        if not number:
            print("| " + " | ".join(keys) + " |\n" + "| --- " * len(keys) + "|")
        cells = [f"{row[key]:.2g}" if isinstance(row.get(key), float) else str(row.get(key) or "") for key in keys]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
