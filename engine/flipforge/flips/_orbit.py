"""A cheap invariant of a scheme under sandwiching, for telling orbits apart."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from flipforge.errors import InputError
from flipforge.flips._dependence import checked

__all__ = ["orbit_invariant"]

_ROUNDS = 3


def orbit_invariant(
    u: NDArray[np.int8],
    v: NDArray[np.int8],
    w: NDArray[np.int8],
    formats: Sequence[tuple[int, int]] | None,
    p: int,
) -> bytes:
    """Return a key that all schemes of an orbit share; schemes with different keys lie in different orbits.

    Orbits are those of sandwiching, of the order of products and of units that move between factors. The key is a hash
    of the multiset of products, each with the ranks of its three matrices, refined three times by the products with
    which it shares a factor and by the dimensions that the other factors of such a group span: as vectors, by their
    rows and by their columns. With ``formats`` None the matrices are left out, and what stays is kept by any change of
    basis on each of the axes. Schemes of different orbits may share a key.

    Parameters
    ----------
    u, v, w
        int8 of shapes (r, nu), (r, nv), (r, nw), as in `reduce_products`.
    formats
        Rows and columns of the matrices that u, v and w stand for, e.g. ((n, m), (m, p), (n, p)) for a matrix product;
        None for what is not a product of full matrices.
    p
        2, 3, 5 or 7 for GF(p), 0 for the ternary integers.

    Returns
    -------
    bytes
        16 bytes.

    Raises
    ------
    InputError
        The arrays disagree in shape or with the formats, or hold entries that are not of the ring.

    Notes
    -----
    The ranks are those of de Groote, "On varieties of optimal algorithms for the computation of bilinear mappings"
    (1978); the refinement is that of Weisfeiler and Leman on the graph of shared factors. Ternary ranks are taken
    modulo a prime, where unimodular matrices keep them as well.

    Examples
    --------
    >>> one, two = np.int8([[1, 0], [0, 1]]), np.int8([[0, 1], [1, 0]])
    >>> orbit_invariant(one, one, one, None, 2) == orbit_invariant(two, two, two, None, 2)
    True
    """
    from flipforge.flips import _finite

    factors = checked(u, v, w, p)
    shapes = np.zeros((3, 2), dtype=np.int64)
    if formats is not None:
        shapes[:] = formats
        for name, factor, (rows, columns) in zip("uvw", factors, formats, strict=True):
            if rows * columns != factor.shape[1] or rows < 1:
                raise InputError(f"{name} has {factor.shape[1]} entries, which make no {rows} x {columns} matrix")
    colours = _finite.colours(factors, shapes, _ROUNDS, p or _finite.LARGE)
    header = f"{p} {shapes.tolist()} {[factor.shape for factor in factors]}".encode()
    return blake2b(header + np.sort(colours).astype("<u8").tobytes(), digest_size=16).digest()
