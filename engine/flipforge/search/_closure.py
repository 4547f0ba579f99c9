"""Closure: what transforms make of the best schemes of many problems, applied until nothing improves."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations, product

from flipforge.errors import InputError, ProblemError
from flipforge.problems import Problem, ProductCode, matmul, parse, structured
from flipforge.rings import RINGS, Ring
from flipforge.schemes import Scheme, standard_scheme
from flipforge.schemes.transforms import (
    AS_GIVEN,
    Kronecker,
    Order,
    Part,
    Placement,
    Places,
    Transform,
    permute,
    project,
    resized,
    restrict,
    reverse,
    split,
    tied,
)
from flipforge.search._derivation import derived
from flipforge.search._protocols import Entry

__all__ = ["Closure", "ClosureProgress"]

_At = tuple[Places, Places, Places]


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
        exact = [*self._orders(target), *self._cuts(target), *self._tensors(target)]
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

    def _cuts(self, target: Problem) -> Iterator[Transform]:
        """Yield the products cut in two along each axis, or along those that a structure ties, at each place."""
        for axes in _groups(target):
            size = target.dims[min(axes)]
            # The two sides of a cut through a general product change places.
            last = size // 2 if len(axes) == 1 else size - 1
            for cut in range(1, last + 1):
                try:
                    yield self._placed(split(target, *_changed(target.dims, axes, cut - size)))
                except InputError:
                    return  # operands that are not cut into blocks

    def _tensors(self, target: Problem) -> Iterator[Transform]:
        if target.kind != "matmul":
            return
        n, m, p = target.dims
        for a, b, c in product(_divisors(n), _divisors(m), _divisors(p)):
            if 1 < a * b * c < n * m * p:
                outer, inner = (self._best_part(matmul(*dims)) for dims in ((a, b, c), (n // a, m // b, p // c)))
                yield Kronecker(outer.problem, inner.problem, (outer.order, inner.order))

    def _projections(self, target: Problem) -> Iterator[Transform]:
        """Yield the target as the next size without one index, for sizes of which a scheme is known."""
        for axes in _groups(target):
            try:
                larger = resized(target, _changed(target.dims, axes, 1))
            except ProblemError:
                continue  # too large
            if self._best_part(larger).problem.name in self._best:
                for index in range(larger.dims[min(axes)]):
                    yield self._placed(project(larger, min(axes), index))

    def _restrictions(self, target: Problem) -> Iterator[Transform]:
        """Yield a structured target as one with less structure, or with one that is the same over the ring."""
        if target.kind == "structured":
            same = [scheme.problem for scheme in self._best.values() if scheme.problem.dims == target.dims]
            for source in dict.fromkeys([matmul(*target.dims), *same]):
                if source != target:
                    yield self._placed(restrict(source, target))

    def _placed(self, move: Placement) -> Placement:
        """Let each part be the best scheme of its problem in any order."""
        parts = tuple(self._best_part(part.problem).inside(part) for part in move.parts)
        return Placement(move.name, move.problem, parts, move.complete)

    def _best_part(self, problem: Problem) -> Part:
        """Return where in a problem the best scheme stands that is one of it, up to the order of sizes or indices."""
        parts = [restrict(problem, problem).parts[0]]
        for name, at, order in _same(problem.name):
            if name in self._best:
                parts.append(Part(self._best[name].problem, at, order))
        return min(parts, key=lambda part: self._rank(part.problem))

    def _scheme(self, problem: Problem) -> Scheme:
        return self._best.get(problem.name) or standard_scheme(problem, self._ring).canonical

    def _rank(self, problem: Problem) -> int:
        scheme = self._best.get(problem.name)
        p = self._ring.characteristic
        return scheme.rank if scheme else sum(1 for _, value in problem.entries if not p or value % p)

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


def _groups(problem: Problem) -> list[frozenset[int]]:
    """Return the axes of a problem, those together that a structure ties."""
    return list(dict.fromkeys(tied(problem, axis) for axis in range(3)))


def _changed(dims: Sequence[int], axes: frozenset[int], change: int) -> tuple[int, int, int]:
    n, m, p = (size + change * (axis in axes) for axis, size in enumerate(dims))
    return n, m, p


def _divisors(size: int) -> list[int]:
    return [d for d in range(1, size + 1) if size % d == 0]


@lru_cache(maxsize=100_000)
def _same(name: str) -> tuple[tuple[str, _At, Order], ...]:
    """Return where other problems stand in this one that are the same in another order of sizes or indices."""
    problem = parse(name)
    code = ProductCode.of(problem)
    if code is None or (str(code) == "gg" and name.count(":") == 2):
        return tuple(_general_orders(problem))
    found = [reverse(reverse(problem).problem).parts[0]]
    if code.left and code.right:
        turned = permute(problem, (2, 1, 0)).problem
        part = permute(turned, (2, 1, 0)).parts[0]
        found += [part, reverse(reverse(turned).problem).parts[0].inside(part)]
    return tuple((part.problem.name, part.at, part.order) for part in found)


def _general_orders(problem: Problem) -> Iterator[tuple[str, _At, Order]]:
    n, m, p = problem.dims
    at = (tuple(range(n)), tuple(range(m)), tuple(range(p)))
    for first, second, third in permutations(AS_GIVEN):
        order = (first, second, third)
        sizes = [problem.dims[order.index(axis)] for axis in AS_GIVEN]
        yield f"matmul:{'x'.join(map(str, sizes))}", at, order
    yield structured("gg", n, m, p).name, at, AS_GIVEN
