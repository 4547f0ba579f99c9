"""The scheme every search starts from."""

from flipforge.problems import Problem
from flipforge.rings import Ring
from flipforge.schemes._scheme import Scheme

__all__ = ["standard_scheme"]


def standard_scheme(problem: Problem, ring: Ring) -> Scheme:
    """Return the standard algorithm over the ring: one product for each coefficient that is nonzero there."""
    u, v, w = problem.standard()
    rows = [
        (a, b, c)
        for a, b, c in ((a, b, tuple(ring.reduce(x) for x in c)) for a, b, c in zip(u, v, w, strict=True))
        if any(c)
    ]
    u_rows, v_rows, w_rows = (tuple(row[axis] for row in rows) for axis in range(3))
    return Scheme(problem, ring, u_rows, v_rows, w_rows, {"method": "standard"})
