"""Rescaling by diagonal symmetries of the tensor: a lift with the same residues and fewer, smaller numbers.

If a_i b_j c_k = 1 for all places (i, j, k) where the tensor is not zero, then u_i -> a_i u_i, v_j -> b_j v_j,
w_k -> c_k w_k makes a scheme of a scheme: for matrix products, rows and columns of the three matrices are scaled. Where
all factors are 1 modulo p the residues stay. The factors here are powers of a prime each, up to sign, and which are
best is a matter of the exponents of that prime in the entries.
"""

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.exact import Sparse, integer_kernel
from flipforge.problems import Problem
from flipforge.rings import Q
from flipforge.schemes import Scheme

__all__ = ["rescaled"]

_PRIMES = (2, 3, 5, 7, 11, 13)
_DENOMINATOR = 1000
"""How much worse a prime factor of a denominator is than one of a numerator."""
_MOVES = 200

Exponents = npt.NDArray[np.int64]


def rescaled(scheme: Scheme, p: int) -> Scheme:
    """Return the canonical scheme, rescaled where that saves prime factors of its entries; residues modulo p stay.

    Parameters
    ----------
    scheme
        Over a ring of characteristic 0, with denominators prime to p.

    Examples
    --------
    >>> from flipforge.problems import matmul
    >>> factors = ((Fraction(1, 3), 0), (0, 1)), ((3, 0), (0, 1)), ((1,), (1,))
    >>> rescaled(Scheme(matmul(1, 2, 1), Q, *factors), 2).ring.name
    'ZT'
    """
    scheme = scheme.canonical
    for q in _PRIMES:
        if q != p and any(x.numerator % q == 0 or x.denominator % q == 0 for x in _entries(scheme)):
            scheme = _Scaling(scheme, q, p).best()
    return scheme


class _Scaling:
    """The diagonal symmetries with powers of one prime, on one scheme."""

    def __init__(self, scheme: Scheme, q: int, p: int) -> None:
        self._scheme, self._q = scheme, q
        self._unit, self._step = _unit(q, p)
        rows = (self._scheme.u, self._scheme.v, self._scheme.w)
        self._used = [np.array([[x != 0 for x in row] for row in part]) for part in rows]
        self._exponents = [np.array([[_exponent(x, q) for x in row] for row in part]) for part in rows]

    def best(self) -> Scheme:
        """Return the scheme after the moves of steepest descent."""
        moves = [sign * self._step * move for move in _moves(self._scheme.problem) for sign in (1, -1)]
        total = np.zeros(sum(self._scheme.problem.shape), dtype=np.int64)
        cost = self._cost(total)
        for _ in range(_MOVES):
            costs = [self._cost(total + move) for move in moves]
            least = min(costs, default=cost)
            if least >= cost:
                break
            total, cost = total + moves[costs.index(least)], least
        return self._moved(total) if total.any() else self._scheme

    def _cost(self, total: Exponents) -> int:
        """Return the prime factors of all entries in canonical form, where u and v are primitive."""
        parts = np.split(total, np.cumsum(self._scheme.problem.shape)[:2])
        u, v, w = (exponents + part for exponents, part in zip(self._exponents, parts, strict=True))
        shift = np.zeros(len(u), dtype=np.int64)
        cost = 0
        for exponents, used in zip((u, v), self._used[:2], strict=True):
            least = np.where(used, exponents, np.iinfo(np.int64).max).min(axis=1)
            shift += least
            cost += int(((exponents - least[:, None]) * used).sum())
        scaled = (w + shift[:, None]) * self._used[2]
        return cost + int(scaled[scaled > 0].sum()) - _DENOMINATOR * int(scaled[scaled < 0].sum())

    def _moved(self, total: Exponents) -> Scheme:
        factors = [Fraction(self._unit) ** int(power // self._step) for power in total]
        parts = np.split(np.array(factors, dtype=object), np.cumsum(self._scheme.problem.shape)[:2])
        u, v, w = (
            tuple(tuple(x * factor for x, factor in zip(row, part, strict=True)) for row in rows)
            for rows, part in zip((self._scheme.u, self._scheme.v, self._scheme.w), parts, strict=True)
        )
        return Scheme(self._scheme.problem, Q, u, v, w).canonical


def _moves(problem: Problem) -> list[Exponents]:
    """Return a short basis of the exponents (a, b, c) with a_i + b_j + c_k = 0 where the tensor is not zero."""
    places = np.array([index for index, _ in problem.entries], dtype=np.int64)
    offsets = np.array([0, problem.shape[0], problem.shape[0] + problem.shape[1]])
    rows = np.repeat(np.arange(len(places)), 3)
    matrix = Sparse((len(places), sum(problem.shape)), rows, (places + offsets).reshape(-1), np.ones_like(rows))
    return [row.astype(np.int64) for row in integer_kernel(matrix)]


def _unit(q: int, p: int) -> tuple[int, int]:
    """Return the least power of a prime that is 1 modulo p up to sign, with that sign, and its exponent.

    Examples
    --------
    >>> _unit(2, 3), _unit(3, 2), _unit(2, 5)
    ((-2, 1), (3, 1), (-4, 2))
    """
    step = next(e for e in range(1, p + 1) if q**e % p in (1, p - 1))
    return (q**step if q**step % p == 1 else -(q**step)), step


def _exponent(x: Any, q: int) -> int:
    """Return the exponent of a prime in a number, 0 in zero."""
    exponent, numerator, denominator = 0, x.numerator, x.denominator
    while numerator and numerator % q == 0:
        exponent, numerator = exponent + 1, numerator // q
    while denominator % q == 0:
        exponent, denominator = exponent - 1, denominator // q
    return exponent


def _entries(scheme: Scheme) -> set[Any]:
    return {x for rows in (scheme.u, scheme.v, scheme.w) for row in rows for x in row if x}
