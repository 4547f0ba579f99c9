"""The Brent equations of a scheme as arrays: residual over the integers, Jacobian modulo p.

Unknowns are the entries of u, then v, then w, product by product; equations are the coefficients (i, j, k) of the
target in lexicographic order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.errors import InputError
from flipforge.exact import Sparse
from flipforge.problems import Problem
from flipforge.schemes import Scheme

__all__ = ["Equations", "Integers", "flat", "integers"]

Integers = npt.NDArray[Any]
"""Of dtype int64, or object where the values are too large."""

_SAFE_BITS = 62


@dataclass(frozen=True)
class Equations:
    """The equations sum_q u_qi v_qj w_qk = t_ijk of a problem for schemes of one rank.

    Raises
    ------
    InputError
        The problem is commutative or approximate.
    """

    problem: Problem
    rank: int

    def __post_init__(self) -> None:
        if self.problem.inner is not None:
            raise InputError(f"{self.problem}: only bilinear schemes are lifted, not commutative or approximate ones")

    @property
    def count(self) -> int:
        """Number of equations."""
        return prod(self.problem.shape)

    @property
    def unknowns(self) -> int:
        """Number of entries of u, v and w."""
        return self.rank * sum(self.problem.shape)

    @cached_property
    def target(self) -> Integers:
        """The coefficients of the tensor, one for each equation, as Python integers."""
        dense = np.zeros(self.problem.shape, dtype=object)
        for index, value in self.problem.entries:
            dense[index] = value
        return dense.reshape(-1)

    def factors(self, x: Integers) -> tuple[Integers, Integers, Integers]:
        """Part the unknowns into u, v and w, r rows each."""
        sizes = [self.rank * size for size in self.problem.shape]
        parts = np.split(x, [sizes[0], sizes[0] + sizes[1]])
        u, v, w = (part.reshape(self.rank, size) for part, size in zip(parts, self.problem.shape, strict=True))
        return u, v, w

    def residual(self, x: Integers) -> Integers:
        """Return sum_q u_q (x) v_q (x) w_q - T exactly, as Python integers.

        Examples
        --------
        >>> from flipforge.problems import parse
        >>> Equations(parse("matmul:1x1x1"), 1).residual(np.array([2, 3, 5])).tolist()
        [29]
        """
        u, v, w = self.factors(integers(x.tolist()))
        bits = sum(_largest(part).bit_length() for part in (u, v, w)) + self.rank.bit_length()
        if bits > _SAFE_BITS:
            u, v, w = (part.astype(object) for part in (u, v, w))
        pairs = (u[:, :, None] * v[:, None, :]).reshape(self.rank, -1)
        return (pairs.T @ w).reshape(-1).astype(object) - self.target

    def jacobian(self, x: Integers, modulus: int) -> Sparse:
        """Return the derivatives of the left sides, modulo ``modulus`` (below 2**31); one column for each unknown."""
        u, v, w = self.factors((x % modulus).astype(np.int64))
        sizes, offset = self.problem.shape, 0
        rows, columns, values = [], [], []
        strides = (sizes[1] * sizes[2], sizes[2], 1)
        for axis, (first, second) in enumerate(((v, w), (u, w), (u, v))):
            others = [stride for place, stride in enumerate(strides) if place != axis]
            pairs = first[:, :, None] * second[:, None, :] % modulus
            q, a, b = np.nonzero(pairs)
            entry = np.arange(sizes[axis])[:, None]
            rows.append((entry * strides[axis] + a * others[0] + b * others[1]).reshape(-1))
            columns.append((offset + q * sizes[axis] + entry).reshape(-1))
            values.append(np.tile(pairs[q, a, b], sizes[axis]))
            offset += self.rank * sizes[axis]
        return Sparse((self.count, self.unknowns), *map(np.concatenate, (rows, columns, values)))


def flat(scheme: Scheme) -> Integers:
    """Return the integer entries of a scheme in the order of the unknowns."""
    return integers([x for rows in (scheme.u, scheme.v, scheme.w) for row in rows for x in row])


def integers(values: Sequence[Any]) -> Integers:
    """Return an array of int64 where the values fit well, of Python integers otherwise."""
    if all(-(2**_SAFE_BITS) < value < 2**_SAFE_BITS for value in values):
        return np.array(values, dtype=np.int64)
    return np.array(values, dtype=object)


def _largest(part: Integers) -> int:
    return int(max(abs(part.max(initial=0)), abs(part.min(initial=0))))
