"""Closure: what transforms make of the best schemes of many problems, applied until nothing improves."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from flipforge.errors import InputError
from flipforge.problems import Problem, matmul
from flipforge.rings import RINGS, Ring
from flipforge.schemes import Scheme, standard_rank, standard_scheme
from flipforge.schemes.transforms import Part, Placement, Transform, restrict
from flipforge.search._derivation import derived
from flipforge.search._neighbours import cuts, placed, projections, standing, tensors
from flipforge.search._protocols import Entry

__all__ = ["Closure", "ClosureProgress"]


@dataclass(frozen=True)
class ClosureProgress:
    """What a live line shows: the sweep over all targets, how far it is, and how many schemes improved so far."""

    ring: str
    sweep: int
    done: int
    targets: int
    improved: int


class Closure:
    """The best schemes of one ring, and what transforms make of them.

    Every target is tried in turn, small ones first: other orders and structures of the same sizes, products cut in two,
    tensor products, and one index less of the next size. Sweeps over the targets go on until one changes nothing. The
    standard algorithm stands in where there is no scheme. What comes out depends on the arguments only.

    Parameters
    ----------
    ring
        Schemes of this ring are made; in characteristic 0, of smaller rings too.
    schemes
        The best scheme of each problem.
    targets
        Problems to improve.
    max_rank
        No scheme of a higher rank is made.
    """

    def __init__(
        self,
        ring: Ring,
        schemes: Collection[Scheme],
        targets: Sequence[Problem],
        *,
        max_rank: int,
        on_progress: Callable[[ClosureProgress], None] | None = None,
    ) -> None:
        self._ring, self._max_rank = ring, max_rank
        self._best = {scheme.problem.name: scheme for scheme in schemes}
        self._targets = sorted(targets, key=lambda problem: (len(problem.entries), problem.name))
        self._made: dict[str, Entry] = {}
        self._improved: dict[str, str] = {}
        self._tried: set[tuple[Transform, tuple[str, ...]]] = set()
        self._on_progress = on_progress or (lambda progress: None)

    def go(self) -> list[Entry]:
        """Return what improves the best scheme of a target, each after the entries that it is made from."""
        sweep, before = 0, -1
        while before != len(self._made):
            before, sweep = len(self._made), sweep + 1
            for done, target in enumerate(self._targets):
                self._on_progress(
                    ClosureProgress(self._ring.name, sweep, done, len(self._targets), len(self._improved))
                )
                self._improve(target)
        return self._needed()

    def _improve(self, target: Problem) -> None:
        """Make the best of what has a rank known beforehand, then all that may fall below its bound."""
        exact = [*self._orders(target), *map(self._placed, cuts(target)), *map(self._placed, tensors(target))]
        if exact:
            self._make(min(exact, key=self._bound), at_bound=True)
        for transform in (*self._projections(target), *self._restrictions(target)):
            self._make(transform)

    def _make(self, transform: Transform, *, at_bound: bool = False) -> None:
        """Apply a transform to the best schemes of its sources and keep what improves its problem's best."""
        target = transform.problem
        if at_bound and self._bound(transform) >= min(self._rank(target), self._max_rank + 1):
            return
        parents = [self._scheme(source) for source in transform.sources]
        key = (transform, tuple(parent.id for parent in parents))
        if key in self._tried:
            return
        self._tried.add(key)
        try:
            entry = derived(transform, parents)
        except InputError:
            return  # what has the structure over another ring, or nowhere
        scheme = entry.scheme
        if scheme.rank < self._rank(target) and scheme.rank <= self._max_rank and self._holds(scheme.ring):
            self._made[scheme.id] = entry
            self._best[target.name], self._improved[target.name] = scheme, scheme.id

    def _orders(self, target: Problem) -> Iterator[Transform]:
        """Yield the best scheme of a problem that is the same in another order."""
        best = self._best_part(target)
        if best.problem != target:
            yield Placement("permute", target, (best,))

    def _projections(self, target: Problem) -> Iterator[Transform]:
        """Yield the target as the next size without one index, for sizes of which a scheme is known."""
        for move in projections(target):
            if self._best_part(move.sources[0]).problem.name in self._best:
                yield self._placed(move)

    def _restrictions(self, target: Problem) -> Iterator[Transform]:
        """Yield a structured target as one with less structure, or with one that is the same over the ring."""
        if target.kind == "structured":
            same = [scheme.problem for scheme in self._best.values() if scheme.problem.dims == target.dims]
            for source in dict.fromkeys([matmul(*target.dims), *same]):
                if source != target:
                    yield self._placed(restrict(source, target))

    def _placed(self, move: Transform) -> Transform:
        return placed(move, self._best_part)

    def _best_part(self, problem: Problem) -> Part:
        """Return where in a problem the best scheme stands that is one of it, up to the order of sizes or indices."""
        return min(standing(problem, self._best), key=lambda part: self._rank(part.problem))

    def _scheme(self, problem: Problem) -> Scheme:
        return self._best.get(problem.name) or standard_scheme(problem, self._ring).canonical

    def _rank(self, problem: Problem) -> int:
        scheme = self._best.get(problem.name)
        return scheme.rank if scheme else standard_rank(problem, self._ring)

    def _bound(self, transform: Transform) -> int:
        return transform.rank_bound(*map(self._rank, transform.sources))

    def _holds(self, ring: Ring) -> bool:
        names = list(RINGS)
        smaller = names.index(ring.name) <= names.index(self._ring.name)
        return smaller if not self._ring.characteristic else ring == self._ring

    def _needed(self) -> list[Entry]:
        """Return the improvements and their ancestors, in the order in which they were made."""
        needed: set[str] = set()
        waiting = list(self._improved.values())
        while waiting:
            entry = self._made.get(waiting.pop())
            if entry and entry.lineage and entry.scheme.id not in needed:
                needed.add(entry.scheme.id)
                waiting += entry.lineage.parents
        return [entry for name, entry in self._made.items() if name in needed]
