"""The archive of a search over formats: the best schemes of each, and what its moves make of them.

A move yields starts for walks of one problem from schemes of others. Which schemes it takes is drawn anew each time,
among those of the lowest ranks, for a start that is not the best may lead lower after a walk.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from flipforge.errors import FlipforgeError
from flipforge.problems import Problem, matmul
from flipforge.rings import Ring
from flipforge.schemes import Scheme, standard_rank, standard_scheme
from flipforge.schemes.transforms import Kronecker, Part, Placement, Transform, restrict
from flipforge.search._derivation import derived
from flipforge.search._growth import Corner
from flipforge.search._neighbours import cuts, extensions, placed, projections, standing, tensors
from flipforge.search._protocols import Entry

__all__ = ["HOLDS", "Archive", "Lattice", "linked", "unchanged"]

HOLDS = ("hold-n", "hold-m", "hold-p")
"""Moves that extend a smaller format by an index of an axis and hold it."""

Found = tuple[int, str]
"""Rank and ID."""

_SHELF = 24
"""Schemes kept of a problem."""
_ABOVE = 1
"""How far above the lowest rank of a problem schemes are kept."""
_TRIES = 8
"""Starts that are made before the best are taken: what a projection leaves depends on the index."""
_STARTS = 4


class Archive:
    """Rank and ID of the best schemes of every problem."""

    def __init__(self, shelves: Mapping[str, Sequence[Sequence[Any]]]) -> None:
        self._shelves = {name: [(int(rank), str(key)) for rank, key in found] for name, found in shelves.items()}

    def __contains__(self, name: object) -> bool:
        return name in self._shelves

    def best(self, name: str) -> Found | None:
        """Return rank and ID of a best scheme; None where the problem has none."""
        return self._shelves[name][0] if name in self._shelves else None

    def take(self, name: str, found: Iterable[Found], generator: np.random.Generator) -> None:
        """Put schemes in; a shelf that is full keeps those of the lowest rank, of which some are drawn."""
        held = dict.fromkeys([*self._shelves.get(name, ()), *found])
        if not held:
            return
        least = min(rank for rank, _ in held)
        near = [each for each in held if each[0] <= least + _ABOVE]
        lots = generator.permutation(len(near))
        chosen = sorted(range(len(near)), key=lambda i: (near[i][0], lots[i]))[:_SHELF]
        self._shelves[name] = sorted((near[i] for i in sorted(chosen)), key=lambda each: each[0])

    def draw(self, name: str, generator: np.random.Generator, *, only_best: bool = False) -> str:
        """Return the ID of a scheme, one of a higher rank half as likely for each rank."""
        least = self._shelves[name][0][0]
        shelf = [each for each in self._shelves[name] if each[0] == least or not only_best]
        weights = np.array([2.0 ** (least - rank) for rank, _ in shelf])
        return shelf[int(generator.choice(len(shelf), p=weights / weights.sum()))][1]

    def checkpoint(self) -> dict[str, list[Found]]:
        """Return the state as JSON values."""
        return {name: list(shelf) for name, shelf in self._shelves.items()}


class Lattice:
    """The problems of a search and the moves between them.

    ``own`` starts from schemes of the problem itself; ``extend`` and ``merge`` from products cut in two, where one side
    is a single index and where none is; ``tensor`` from blocks; ``project`` from the next size; ``restrict`` from a
    problem with less structure; ``order`` from the same problem in another order of sizes or indices. Those of `HOLDS`
    start from the next smaller size along an axis and the standard products of what is added, and hold the former.

    Parameters
    ----------
    targets
        Problems to search for.
    archive
        Schemes to begin with; the lattice reads it, others write.
    """

    def __init__(self, targets: Sequence[Problem], ring: Ring, archive: Archive) -> None:
        self._ring, self._archive = ring, archive
        self._moves = {target.name: dict(_moves(target, targets)) for target in targets}
        self._ranks: dict[str, int | None] = {}
        self._bounds: dict[str, dict[str, int]] = {}
        self._takers: dict[str, set[str]] = {}
        for name, moves in self._moves.items():
            for source in {source for made in moves.values() for move in made for source in move.sources}:
                self._takers.setdefault(source.name, set()).add(name)

    def changed(self, problem: Problem) -> None:
        """Read anew what the archive has of a problem, in whatever order of its sizes."""
        self._bounds.pop(problem.name, None)
        for part in standing(problem, _Everything()):
            self._ranks.pop(part.problem.name, None)
            for name in self._takers.get(part.problem.name, ()):
                self._bounds.pop(name, None)

    def rank(self, problem: Problem) -> int | None:
        """Return the lowest rank in the archive of a problem, in whatever order of its sizes, if it has one."""
        if problem.name not in self._ranks:
            found = [self._archive.best(part.problem.name) for part in standing(problem, self._archive)]
            self._ranks[problem.name] = min((best[0] for best in found if best), default=None)
        return self._ranks[problem.name]

    def standard_rank(self, problem: Problem) -> int:
        """Return the rank of the standard algorithm."""
        return standard_rank(problem, self._ring)

    def bounds(self, target: Problem) -> dict[str, int]:
        """Return the moves that can be made and the lowest rank that each is known to give beforehand."""
        if target.name not in self._bounds:
            found = {}
            if own := self._archive.best(target.name):
                found["own"] = own[0]
            for move in self._moves[target.name]:
                if options := self._options(target, move):
                    found[move] = min(bound for bound, _ in options)
            self._bounds[target.name] = found
        return self._bounds[target.name]

    def held(self, target: Problem, move: str) -> Corner | None:
        """Return the corner that the walks of a move hold; None where they hold none."""
        if move not in HOLDS:
            return None
        (extension,) = self._moves[target.name][move]
        return extension.parts[0].dims if isinstance(extension, Placement) else None

    def starts(
        self,
        target: Problem,
        move: str,
        generator: np.random.Generator,
        scheme_of: Callable[[str], Scheme],
        *,
        run: str,
        exact: bool,
    ) -> list[Entry]:
        """Return a few schemes that a move gives, of the lowest ranks that came of one draw of its sources.

        Parameters
        ----------
        scheme_of
            Gives the scheme of an ID.
        run
            For the lineage.
        exact
            Take the sources and schemes by which the move is bound to give what `bounds` says.
        """
        if move == "own":
            names = [self._archive.draw(target.name, generator, only_best=True) for _ in range(_STARTS)]
            return [unchanged(scheme) for scheme in map(scheme_of, dict.fromkeys(names))]
        options = self._options(target, move)
        least = min(bound for bound, _ in options)
        if exact:
            options = [option for option in options if option[0] == least]
        weights = np.array([2.0 ** (least - bound) for bound, _ in options])
        transforms = options[int(generator.choice(len(options), p=weights / weights.sum()))][1]
        made: dict[str, Entry] = {}
        for number in range(_TRIES):
            if number % len(transforms) == 0:
                lots = generator.permutation(len(transforms))
            transform = transforms[int(lots[number % len(transforms)])]
            if move != "order":
                transform = self._placed(transform, generator)
            parents = [self._parent(source, scheme_of, generator, exact) for source in transform.sources]
            entry = self._made(transform, parents, run)
            if entry and entry.scheme.rank < self.standard_rank(target):
                made[entry.scheme.id] = entry
        return sorted(made.values(), key=lambda entry: entry.scheme.rank)[:_STARTS]

    def _placed(self, transform: Transform, generator: np.random.Generator) -> Transform:
        """Let each source be one of the best of its orders."""

        def choose(problem: Problem) -> Part:
            parts = standing(problem, self._archive)
            if isinstance(transform, Kronecker):
                parts = [part for part in parts if part.problem.kind == "matmul"]
            least = min(self._stored(part.problem) for part in parts)
            best = [part for part in parts if self._stored(part.problem) == least]
            return best[int(generator.integers(len(best)))]

        return placed(transform, choose)

    def _parent(
        self, problem: Problem, scheme_of: Callable[[str], Scheme], generator: np.random.Generator, exact: bool
    ) -> Scheme:
        if problem.name in self._archive:
            return scheme_of(self._archive.draw(problem.name, generator, only_best=exact))
        return standard_scheme(problem, self._ring).canonical

    def _made(self, transform: Transform, parents: Sequence[Scheme], run: str) -> Entry | None:
        try:
            entry = derived(transform, parents, run)
            entry.scheme.over(self._ring)
        except FlipforgeError:
            return None  # over another ring only
        return replace(entry, origin=_origin(parents))

    def _options(self, target: Problem, move: str) -> list[tuple[int, list[Transform]]]:
        """Return the transforms of a move that take something of the archive, by their sources, with their bound."""
        found: dict[tuple[str, ...], tuple[int, list[Transform]]] = {}
        for transform in self._moves[target.name][move]:
            sources = transform.sources
            if move == "order":
                ranks = [best[0] if (best := self._archive.best(source.name)) else None for source in sources]
            else:
                ranks = [self.rank(source) for source in sources]
            held = [rank is not None for rank in ranks]
            if all(held) if move == "tensor" else any(held):
                full = (self.standard_rank(s) if rank is None else rank for s, rank in zip(sources, ranks, strict=True))
                names = tuple(sorted(source.name for source in sources))
                found.setdefault(names, (transform.rank_bound(*full), []))[1].append(transform)
        return list(found.values())

    def _stored(self, problem: Problem) -> int:
        best = self._archive.best(problem.name)
        return best[0] if best else self.standard_rank(problem)


def unchanged(scheme: Scheme) -> Entry:
    """Return a scheme of the catalogue as a start."""
    return Entry(scheme, _origin([scheme]))


def linked(targets: Sequence[Problem]) -> bool:
    """Tell whether some move leads from a problem to another one."""
    names = {target.name for target in targets}
    return any(
        any(part.problem.name in names - {target.name} for part in standing(source, names))
        for target in targets
        for _, transforms in _moves(target, targets)
        for transform in transforms
        for source in transform.sources
    )


def _moves(target: Problem, targets: Sequence[Problem]) -> Iterator[tuple[str, list[Transform]]]:
    """Yield the moves that lead to a target, each with its transforms."""
    if target.kind not in ("matmul", "structured"):
        return
    everything = [*cuts(target)]
    single = [cut for cut in everything if any(_is_single(part, target) for part in cut.parts)]
    yield "extend", [*single]
    yield "merge", [cut for cut in everything if cut not in single]
    yield "tensor", [*tensors(target)]
    yield "project", [*projections(target)]
    same = [problem for problem in targets if problem.dims == target.dims and problem.kind == "structured"]
    covers = [matmul(*target.dims), *same] if target.kind == "structured" else []
    yield "restrict", [restrict(source, target) for source in covers if source != target]
    orders = [part for part in standing(target, _Everything()) if part.problem != target]
    yield "order", [Placement("permute", target, (part,)) for part in orders]
    for axis, extension in extensions(target):
        yield HOLDS[axis], [extension]


def _is_single(part: Part, target: Problem) -> bool:
    """Tell whether a part is what a single index adds."""
    return any(here == 1 < there for here, there in zip(part.dims, target.dims, strict=True))


def _origin(parents: Sequence[Scheme]) -> str:
    """Return how the catalogue marks what comes of schemes: as imported, where one is."""
    return "imported" if any(parent.provenance.get("origin") == "imported" for parent in parents) else "derived"


class _Everything:
    def __contains__(self, name: object) -> bool:
        return True
