"""The general reduction: products that share a factor and are linearly dependent on another axis."""

import numpy as np
from numpy.typing import NDArray

from flipforge.errors import InputError

__all__ = ["Factors", "checked", "reduce_products"]

Factors = tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int8]]

_MODULI = (0, 2, 3, 5, 7)


def reduce_products(u: NDArray[np.int8], v: NDArray[np.int8], w: NDArray[np.int8], p: int) -> Factors:
    """Reduce a scheme until no reduction is left.

    Products ``a (x) b_i (x) c_i``, one factor shared up to a unit, whose b_i are linearly dependent can do without one
    of them: with ``b_j = sum x_i b_i`` it goes, and c_i becomes ``c_i + x_i c_j``. Two products that agree on two axes
    are the case of two. Products with a zero factor go first, and wherever one comes up.

    What is done is settled by the arguments alone, so that walks which reduce replay: the axes u, v, w are taken in
    turn, the groups of equal factors by their first product, the b on the next axis, then on the last one, and each
    group until nothing more goes, and all this again until nothing goes at all. Within a group the b are added to a
    basis in the order of the products, and the first that depends on those before goes. Over GF(p) that ends each group
    with as many products as its sum has rank. Over the ternary integers the x_i must leave the c_i ternary; where they
    do not, the other products of the dependence are tried, the latest first, then the further dependences on that
    basis, then those on the basis that starts from the last product. (Dependences that are sums of those are not.)

    Parameters
    ----------
    u, v, w
        int8 of shapes (r, nu), (r, nv), (r, nw): residues for p > 0, -1, 0, 1 for p = 0. They are not changed.
    p
        2, 3, 5 or 7 for GF(p), 0 for the ternary integers.

    Returns
    -------
    tuple
        New u, v, w with the products left, in their order; the sum ``u (x) v (x) w`` is the same.

    Raises
    ------
    InputError
        The arrays disagree in shape, or hold entries that are not of the ring.

    Notes
    -----
    Kauers and Moosbauer, "Flip graphs for matrix multiplication" (2022), definition 5 and section 3.

    Examples
    --------
    Three products share u, and the third v is the sum of the others.

    >>> u, v, w = np.ones((3, 1), np.int8), np.int8([[1, 0], [0, 1], [1, 1]]), np.eye(3, dtype=np.int8)
    >>> reduce_products(u, v, w, 2)[2].tolist()
    [[1, 0, 1], [0, 1, 1]]
    """
    from flipforge.flips import _finite

    factors = checked(u, v, w, p)
    alive = np.ones(len(factors[0]), dtype=np.bool_)
    _finite.settle(factors, alive, p, p or _finite.LARGE)
    a, b, c = (factor[alive] for factor in factors)
    return a, b, c


def checked(u: NDArray[np.int8], v: NDArray[np.int8], w: NDArray[np.int8], p: int) -> Factors:
    """Return contiguous copies of the factors.

    Raises
    ------
    InputError
        The arrays disagree in shape, or hold entries that are not of the ring.
    """
    if p not in _MODULI:
        raise InputError(
            f"the modulus {p} is none of {', '.join(map(str, _MODULI))}; 0 stands for the ternary integers"
        )
    low, high = (0, p - 1) if p else (-1, 1)
    factors: tuple[object, ...] = (u, v, w)
    for name, factor in zip("uvw", factors, strict=True):
        if not isinstance(factor, np.ndarray) or factor.dtype != np.int8 or factor.ndim != 2:
            raise InputError(f"{name} must be an int8 array of shape (rank, entries)")
        if len(factor) != len(u):
            raise InputError(f"u has {len(u)} products, {name} has {len(factor)}: give as many of each")
        if factor.size and not low <= int(factor.min()) <= int(factor.max()) <= high:
            raise InputError(
                f"{name} holds {int(factor.min())} to {int(factor.max())}: entries go from {low} to {high}"
            )
    return np.array(u, order="C"), np.array(v, order="C"), np.array(w, order="C")
