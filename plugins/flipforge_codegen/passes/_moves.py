"""Moves on the scheme itself that lower the additions: flips at equal rank, and changes of basis.

Additions after sharing depend on the representative as much as on the sharing: Strassen's and Winograd's schemes are in
one orbit, with 18 and 15 additions.
"""

import numpy as np

from flipforge.errors import FlipforgeError
from flipforge.flips import elementary_automorphisms, sandwiched
from flipforge.programs import LinearProgram, program
from flipforge.rings import ZT, Ring
from flipforge.schemes import Scheme
from flipforge.search import Effort, FlipSpace, Seed, space_for
from flipforge_codegen.passes._sums import Sums

__all__ = ["fewer_additions"]

_LENGTHS = (1, 1, 2, 4, 16, 64)
"""Flips of one move."""
_UPHILL = (0, 0, 0, 0, 1, 1, 2, 4)
"""Additions by which a move may be worse, drawn anew for each."""


def fewer_additions(scheme: Scheme, *, moves: int, seed: int = 0) -> Scheme:
    """Return a scheme of the same problem, ring and rank with fewer additions after greedy sharing, or the given one.

    Works over GF(p) and on ternary coefficients. Over other rings, and for problems without a walk, the scheme comes
    back: no flip is known to keep its denominators.

    Parameters
    ----------
    moves
        Moves that are tried, each a few flips or one change of basis.

    Examples
    --------
    >>> from flipforge.problems import matmul
    >>> from flipforge.schemes import standard_scheme
    >>> fewer_additions(standard_scheme(matmul(2, 2, 2), ZT), moves=5).rank
    8
    """
    ring = _walking_ring(scheme)
    if ring is None or not moves:
        return scheme
    space = space_for(scheme.problem, ring)
    draw = np.random.Generator(np.random.PCG64(Seed(seed, (0,)).sequence()))
    best = current = space.scheme(space.state(scheme))
    if best.rank != scheme.rank:
        return scheme
    lowest = cost = additions(current)
    for number in range(moves):
        tried = _moved(space, current, draw, Seed(seed, (number + 1,)))
        if tried is None or tried.rank != scheme.rank or tried == current:
            continue
        found = additions(tried)
        if found <= cost + _UPHILL[draw.integers(len(_UPHILL))]:
            current, cost = tried, found
            if cost < lowest:
                best, lowest = current, cost
    if lowest >= additions(scheme):
        return scheme
    best.certify()
    return best


def additions(scheme: Scheme) -> int:
    """Count additions after a greedy choice of pairs."""
    return sum(_greedy(part) for part in program(scheme).parts)


def _greedy(part: LinearProgram) -> int:
    return Sums.of(part).improve(weight=2)[1]


def _walking_ring(scheme: Scheme) -> Ring | None:
    ring = scheme.ring if scheme.ring.characteristic else scheme.canonical.ring
    if scheme.problem.order or not (ring.characteristic or ring == ZT):
        return None
    try:
        space_for(scheme.problem, ring)
    except FlipforgeError:
        return None
    return ring


def _moved(space: FlipSpace, scheme: Scheme, draw: np.random.Generator, seed: Seed) -> Scheme | None:
    p = space.ring.characteristic
    bases = elementary_automorphisms(space.problem, p) if not space.problem.commutes else ()
    if bases and draw.integers(2):
        u, v, w = (np.array(rows, np.int8) for rows in (scheme.u, scheme.v, scheme.w))
        found = sandwiched(u, v, w, bases[draw.integers(len(bases))], p)
        if found is None:
            return None
        left, right, out = map(_rows, found)
        return Scheme(scheme.problem, scheme.ring, left, right, out).canonical
    steps = _LENGTHS[draw.integers(len(_LENGTHS))]
    effort = Effort(steps=steps, path=steps, goal=0, idle=steps + 1, band=0)
    return space.scheme(space.walk(space.state(scheme), effort, seed).state)


def _rows(factor: np.ndarray[tuple[int, ...], np.dtype[np.int8]]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in factor.tolist())
