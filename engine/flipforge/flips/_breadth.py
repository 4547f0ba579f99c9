"""How far a scheme is from one that is made of small pieces."""

import numpy as np
from numpy.typing import NDArray

from flipforge.flips._dependence import checked

__all__ = ["breadth"]


def breadth(
    u: NDArray[np.int8],
    v: NDArray[np.int8],
    w: NDArray[np.int8],
    indices: NDArray[np.int64],
    values: NDArray[np.int64],
    p: int,
) -> int:
    """Return the sum of the ranks of all factors as combinations of slices of the tensor.

    A factor u of a product names a combination of the slices of the tensor along its axis, the matrix sum_i u_i T_i.
    Its rank tells how much of the other two axes the factor meets. For a matrix product that is the rank of the factor
    as a matrix times the side that it does not touch, and sandwiching does not change it.

    Random walks downwards end in narrow schemes, which are easy to reach and lead nowhere: on 4x4x4 over GF(2) all
    finds at rank 49 were Strassen's algorithm applied twice, whose factors have rank 1.3 on average, while those of the
    schemes of rank 47 have 2. To choose for breadth on the way down leads past them.

    Parameters
    ----------
    u, v, w
        int8 of shapes (r, nu), (r, nv), (r, nw), as in `reduce_products`.
    indices, values
        The nonzero entries of the tensor: int64 of shapes (n, 3) and (n,).
    p
        2, 3, 5 or 7 for GF(p); 0 for the ternary integers, where ranks are taken modulo a large prime.

    Examples
    --------
    >>> one = np.ones((1, 1), np.int8)
    >>> breadth(one, one, one, np.zeros((1, 3), np.int64), np.ones(1, np.int64), 2)
    3
    """
    from flipforge.flips import _finite

    q = p or _finite.LARGE
    shape = np.array([factor.shape[1] for factor in (u, v, w)], dtype=np.int64)
    return int(_finite.breadth(checked(u, v, w, p), shape, np.ascontiguousarray(indices), values % q, q))
