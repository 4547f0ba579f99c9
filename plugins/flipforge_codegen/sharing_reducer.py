"""The reducer ``sharing``: moves on the scheme, and common-subexpression elimination by the searcher."""

from flipforge.programs import Program, program
from flipforge.schemes import Scheme
from flipforge_codegen.passes import MOVES_VERSION, fewer_additions, search_sharing, share

__all__ = ["SharingReducer"]


class SharingReducer:
    """Lowers additions by flips and changes of basis, then shares sums; a step is one shared pair, for each part."""

    @property
    def version(self) -> str:
        """Of the moves."""
        return MOVES_VERSION

    def moved(self, scheme: Scheme, *, moves: int, seed: int) -> Scheme:
        """Return a scheme with fewer additions, or the given one; see `flipforge.plugins.Reducer`."""
        return fewer_additions(scheme, moves=moves, seed=seed)

    def reduce(self, scheme: Scheme, *, steps: int, workers: int, seed: int) -> Program:
        """Return the program with the fewest additions that was found, proven; see `flipforge.plugins.Reducer`."""
        shared = share(program(scheme), steps=steps, seed=seed)
        searched = search_sharing(shared, steps=steps, workers=workers, seed=seed)
        best = min(shared, searched, key=lambda each: each.operations.additions)
        return best.prove()
