"""Which space a problem is searched in."""

from flipforge.errors import ProblemError
from flipforge.problems import LayerProblem, Problem
from flipforge.rings import GF2, Ring
from flipforge.search._border_space import BorderSpace
from flipforge.search._commutative_space import CommutativeSpace
from flipforge.search._flip_space import FlipSpace

__all__ = ["space_for"]

_SPACES: dict[str, type[FlipSpace]] = {"brent": FlipSpace, "commutative": CommutativeSpace, "border": BorderSpace}
"""By the kind of proof that the problem's schemes have."""


def space_for(problem: Problem, ring: Ring = GF2) -> FlipSpace:
    """Return the space of the problem's schemes over a ring.

    Raises
    ------
    RingError, ProblemError
        As `FlipSpace`.

    Examples
    --------
    >>> from flipforge.problems import parse
    >>> space_for(parse("commutative:2x2x2")).walk_version
    'commutative/1+gf2/2'
    """
    if isinstance(problem, LayerProblem):
        raise ProblemError(f"{problem}: layers have programs, not schemes; search for one layer at a time")
    return _SPACES[problem.proof](problem, ring)
