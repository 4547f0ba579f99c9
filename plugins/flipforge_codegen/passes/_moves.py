"""Moves on the scheme itself that lower the additions: flips at equal rank, and changes of basis.

Additions after sharing depend on the representative as much as on the sharing: Strassen's and Winograd's schemes are in
one orbit, with 18 and 15 additions.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.flips import elementary_automorphisms
from flipforge.problems import Problem
from flipforge.rings import ZT
from flipforge.schemes import Scheme
from flipforge.search import Seed

__all__ = ["MOVES_VERSION", "Annealed", "fewer_additions"]

Array = npt.NDArray[Any]

MOVES_VERSION = "moves/1"
"""Raised whenever the same moves give another scheme."""


class Annealed:
    """A scheme over GF(p), or a ternary one for p = 0, as `_moves_kernel` and its twin take it.

    Attributes
    ----------
    factors
        (3, rank, width) int8, padded with zeros.
    inverse
        Inverses of coefficients.
    shears, starts
        The terms of each elementary automorphism, and where it begins.
    constant
        What is added to the cost of the three factors to give the additions.
    """

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        self.p = p = scheme.ring.characteristic
        given = (scheme.u, scheme.v, scheme.w)
        self.widths = [len(factor[0]) for factor in given]
        self.factors = np.zeros((3, scheme.rank, max(self.widths)), np.int8)
        for axis, factor in enumerate(given):
            self.factors[axis, :, : self.widths[axis]] = np.array(factor, np.int8)
        self.inverse = np.array([0, 1, -1] if not p else [0, *(pow(x, -1, p) for x in range(1, p)), 0][: max(p, 3)])
        self.inverse = self.inverse.astype(np.int8)
        self.shears, self.starts = _shears(scheme.problem, p)
        used = sum(any(row[column] for row in scheme.w) for column in range(self.widths[2]))
        self.constant = scheme.rank - used

    def anneal(self, moves: int, seed: Seed) -> tuple[Scheme, int]:
        """Return the cheapest scheme of a walk and its additions after greedy sharing."""
        from flipforge_codegen.passes._moves_kernel import anneal

        word = seed.words()[:1].astype(np.uint64)
        best, cost = anneal(self.factors, self.inverse, self.p, self.shears, self.starts, moves, word)
        left, right, out = (
            tuple(tuple(row[:width]) for row in factor.tolist())
            for factor, width in zip(best, self.widths, strict=True)
        )
        return Scheme(self.scheme.problem, self.scheme.ring, left, right, out), int(cost) + self.constant


def fewer_additions(scheme: Scheme, *, moves: int, seed: int = 0) -> Scheme:
    """Return a scheme of the same problem, ring and rank with fewer additions after greedy sharing, or the given one.

    Works over GF(p) and on ternary coefficients. Over other rings the scheme comes back: no flip is known to keep its
    denominators.

    Parameters
    ----------
    moves
        Moves that are tried, each a flip or one change of basis.

    Examples
    --------
    >>> from flipforge.problems import matmul
    >>> from flipforge.schemes import standard_scheme
    >>> fewer_additions(standard_scheme(matmul(2, 2, 2), ZT), moves=5).rank
    8
    """
    given = scheme if scheme.ring.characteristic else scheme.canonical
    if not moves or scheme.problem.order or not (given.ring.characteristic or given.ring == ZT):
        return scheme
    start = Annealed(given)
    found, cost = start.anneal(moves, Seed(seed))
    if cost >= start.anneal(0, Seed(seed))[1]:
        return scheme
    found.certify()
    return found.canonical


def _shears(problem: Problem, p: int) -> tuple[Array, Array]:
    """Return the terms (axis, column, column it takes from, times) of elementary automorphisms, and their starts."""
    terms, starts = [], [0]
    for automorphism in () if problem.commutes else elementary_automorphisms(problem, p):
        for axis, matrix in enumerate((automorphism.a, automorphism.b, automorphism.c)):
            rest = matrix - np.eye(len(matrix), dtype=np.int64)
            terms += [(axis, column, row, rest[row, column]) for row, column in zip(*np.nonzero(rest), strict=True)]
        starts.append(len(terms))
    return np.array(terms, np.int16).reshape(-1, 4), np.array(starts, np.int64)
