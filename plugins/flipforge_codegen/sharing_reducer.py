"""The reducer ``sharing``: moves on the scheme, then common-subexpression elimination by the searcher."""

from flipforge.programs import Program, program
from flipforge.schemes import Scheme
from flipforge_codegen.passes import fewer_additions, search_sharing, share

__all__ = ["SharingReducer"]


class SharingReducer:
    """Lowers additions by flips and changes of basis, then shares sums; a step is one shared pair, for each part."""

    def reduce(self, scheme: Scheme, *, moves: int, steps: int, workers: int, seed: int) -> Program:
        """Return the program with the fewest additions that was found, proven; see `flipforge.plugins.Reducer`."""
        moved = fewer_additions(scheme, moves=moves, seed=seed)
        shared = share(program(moved), steps=steps, seed=seed)
        searched = search_sharing(shared, steps=steps, workers=workers, seed=seed)
        best = min(shared, searched, key=lambda each: each.operations.additions)
        return best.prove()
