"""The normal equations of the least squares over the factors of a scheme, compiled.

With J the derivatives of sum_q u_q (x) v_q (x) w_q by all entries, J'J has a closed form in the products of rows, so
that J is never made: the cost is the square of the number of entries, whatever the size of the tensor.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.jit import kernel

__all__ = ["normal_equations"]

Floats = NDArray[np.float64]


@kernel
def normal_equations(u: Floats, v: Floats, w: Floats, difference: Floats) -> tuple[Floats, Floats]:
    """Return J'J and J'd for a difference d of shape (a, b, c); entries are those of u, then v, then w, row by row."""
    r = u.shape[0]
    a, b, c = u.shape[1], v.shape[1], w.shape[1]
    normal = np.zeros((r * (a + b + c), r * (a + b + c)))
    uu, vv, ww = _gram(u), _gram(v), _gram(w)
    _same(normal, 0, a, vv * ww)
    _same(normal, r * a, b, uu * ww)
    _same(normal, r * (a + b), c, uu * vv)
    _cross(normal, 0, u, r * a, v, ww)
    _cross(normal, 0, u, r * (a + b), w, vv)
    _cross(normal, r * a, v, r * (a + b), w, uu)
    gradient = np.zeros(r * (a + b + c))
    for i in range(a):
        for j in range(b):
            for k in range(c):
                d = difference[i, j, k]
                for q in range(r):
                    gradient[q * a + i] += d * v[q, j] * w[q, k]
                    gradient[r * a + q * b + j] += d * u[q, i] * w[q, k]
                    gradient[r * (a + b) + q * c + k] += d * u[q, i] * v[q, j]
    return normal, gradient


@kernel
def _gram(x: Any) -> Any:
    """Products of all rows; numba's own needs scipy."""
    result = np.zeros((x.shape[0], x.shape[0]))
    for q in range(x.shape[0]):
        for s in range(x.shape[0]):
            for i in range(x.shape[1]):
                result[q, s] += x[q, i] * x[s, i]
    return result


@kernel
def _same(normal: Any, start: Any, size: Any, grams: Any) -> None:
    """Two entries of one factor: they meet where they stand at one coordinate."""
    for q in range(len(grams)):
        for s in range(len(grams)):
            for i in range(size):
                normal[start + q * size + i, start + s * size + i] = grams[q, s]


@kernel
def _cross(normal: Any, first: Any, x: Any, second: Any, y: Any, grams: Any) -> None:
    """Entries of two factors: each row is met by the other product's row."""
    m, n = x.shape[1], y.shape[1]
    for q in range(len(grams)):
        for s in range(len(grams)):
            for i in range(m):
                for j in range(n):
                    value = x[s, i] * y[q, j] * grams[q, s]
                    normal[first + q * m + i, second + s * n + j] = value
                    normal[second + s * n + j, first + q * m + i] = value
