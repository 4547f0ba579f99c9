"""Hensel lifting: from a scheme over GF(p) to Z/p^k, step by step, until integers or fractions are recognised.

Let x be a solution modulo p^k. x + p^k d is one modulo p^(k+1) iff J d = -(F(x) - T)/p^k modulo p, where J is the
Jacobian at x modulo p, the same in all steps: one factorisation serves them all. J is singular, so a step has choices,
and later steps may fail after a wrong one. A factorisation along one order of the unknowns offers one solution; of
those along several orders the one that leaves the smallest numbers is taken, and comes to an end sooner and more often.
A failure of step 1 is no matter of choice: it proves that nothing lifts (`flipforge.certificates`, kind obstruction).
Failures from step 3 on are mended by going back one step, where the next residual depends on the choice by an affine
map.

Source: Kauers and Moosbauer, "Flip Graphs for Matrix Multiplication" (arXiv 2212.01175), section 5, for the algorithm.
To choose among several information sets is how low-weight words of codes are found (Prange 1962).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from flipforge.errors import InputError
from flipforge.exact import Factorisation, Sparse, factor, multiply
from flipforge.exact.padic import centred, reconstruct_all
from flipforge.rings import Q
from flipforge.schemes import Scheme
from flipforge_lifting._equations import Equations, Integers, flat

__all__ = ["Hensel", "Reached", "brent_jacobian"]

_MENDABLE = 3
"""The first step that going back one step can mend by linear algebra."""
_VECTORS_AT_ONCE = 16


@dataclass(frozen=True)
class Reached:
    """How far one attempt came.

    Attributes
    ----------
    step
        The power of p up to which the last x is a solution.
    scheme
        The lift in canonical form, or None.
    dual
        Where the first step has no solution, the vector that proves it, one residue for each equation; None elsewhere.
    mended
        How many steps were mended.
    """

    step: int
    scheme: Scheme | None = None
    dual: npt.NDArray[np.int64] | None = None
    mended: int = 0


class Hensel:
    """The lifts of one scheme over GF(p).

    Raises
    ------
    InputError
        The scheme is not over a prime field, or not bilinear.
    """

    def __init__(self, scheme: Scheme) -> None:
        if not scheme.ring.characteristic:
            raise InputError(f"a scheme over {scheme.ring} needs no lift: only those over GF(p) are lifted")
        self.scheme, self.p = scheme.canonical, scheme.ring.characteristic
        self.equations = Equations(scheme.problem, scheme.rank)
        self.start = flat(self.scheme)

    @cached_property
    def jacobian(self) -> Sparse:
        """The Jacobian modulo p."""
        return self.equations.jacobian(self.start, self.p)

    def climb(self, orders: Sequence[npt.NDArray[np.int64]], steps: int) -> Reached:
        """Lift along orders of the unknowns, up to so many steps; try after each to recognise a lift.

        A step takes, among its solutions along each order, the one that leaves the smallest numbers.
        """
        p, equations = self.p, self.equations
        factors = [factor(self.jacobian, p, order=order.tolist()) for order in orders]
        x, mended, mender = centred(self.start, p), 0, None
        for k in range(1, steps + 1):
            residual = equations.residual(x)
            scheme = self._recognised(x, residual, k)
            if scheme is not None:
                return Reached(k, scheme, mended=mended)
            right = -(residual // p**k)
            solution = factors[0].solve(right)
            if solution.values is None and k >= _MENDABLE:
                mender = mender or _Mender(equations, factors[0], orders[0], x)
                change = mender.change(right)
                if change is not None:
                    x, mended = centred(x + p ** (k - 1) * change, p**k), mended + 1
                    right = -(equations.residual(x) // p**k)
                    solution = factors[0].solve(right)
            if solution.values is None:
                return Reached(k, dual=solution.dual if k == 1 else None, mended=mended)
            digits = [solution.values, *(each.solve(right).values for each in factors[1:])]
            offered = [centred(x + p**k * d.astype(object), p ** (k + 1)) for d in digits if d is not None]
            x = min(offered, key=_bits)
        return Reached(steps + 1, self._recognised(x, equations.residual(x), steps + 1), mended=mended)

    def _recognised(self, x: Integers, residual: Integers, k: int) -> Scheme | None:
        """Return the scheme over Z or Q that x is modulo p^k, where it is one and proves to be."""
        values = x.tolist() if not residual.any() else reconstruct_all(x, self.p**k)
        if values is None:
            return None
        recognised = np.empty(len(values), dtype=object)
        recognised[:] = values
        u, v, w = (tuple(map(tuple, part.tolist())) for part in self.equations.factors(recognised))
        lifted = Scheme(self.scheme.problem, Q, u, v, w)
        return lifted.canonical if lifted.verdict().valid else None


def _bits(x: Integers) -> int:
    return sum(abs(value).bit_length() for value in x.tolist())


def brent_jacobian(scheme: Scheme) -> Sparse:
    """Return the Jacobian of the Brent equations at a scheme over GF(p), modulo p.

    Rows are the coefficients (i, j, k) in lexicographic order, columns the entries of u, then v, then w of the
    canonical scheme.

    Raises
    ------
    InputError
        The scheme is not over a prime field, or not bilinear.

    Examples
    --------
    >>> from flipforge.problems import parse
    >>> from flipforge.rings import GF2
    >>> from flipforge.schemes import standard_scheme
    >>> brent_jacobian(standard_scheme(parse("matmul:2x2x2"), GF2)).shape
    (64, 96)
    """
    return Hensel(scheme).jacobian


class _Mender:
    """What a step back offers, from step 3 on: x + p^(k-1) n with n in the kernel of J modulo p.

    x stays a solution modulo p^k, and the residual changes by p^k (J n / p) modulo p^(k+1), J taken at x modulo p^2,
    because p^(2k-2) is divisible by p^(k+1). So one linear system in n and the next digits decides. Steps from the
    second on do not change x modulo p^2, and one factorisation serves all of them.
    """

    def __init__(
        self, equations: Equations, factored: Factorisation, order: npt.NDArray[np.int64], x: Integers
    ) -> None:
        p, jacobian = factored.p, factored.matrix
        assert isinstance(jacobian, Sparse)
        self._kernel = factored.null_space()
        fine = equations.jacobian(x, p * p)
        parts = [
            multiply(fine, self._kernel[begin : begin + _VECTORS_AT_ONCE].T) // p % p
            for begin in range(0, len(self._kernel), _VECTORS_AT_ONCE)
        ]
        changes = np.concatenate([np.zeros((equations.count, 0), dtype=np.int64), *parts], axis=1)
        places = np.nonzero(changes)
        width = equations.unknowns
        wider = Sparse(
            (equations.count, width + len(self._kernel)),
            np.concatenate([jacobian.rows, places[0]]),
            np.concatenate([jacobian.columns, width + places[1]]),
            np.concatenate([jacobian.values, changes[places]]),
        )
        self._factored = factor(wider, p, order=[*order, *range(width, width + len(self._kernel))])

    def change(self, right: Integers) -> Integers | None:
        """Return n for a step with this right side, or None where no choice of n mends it."""
        values = self._factored.solve(right).values
        if values is None:
            return None
        chosen = values[-len(self._kernel) :] if len(self._kernel) else values[:0]
        return (chosen @ self._kernel % self._factored.p).astype(object)
