"""The space of layer programs of a group."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.certificates import LAYER_GROUPS, MOST_DEPENDENT, MOST_ELEMENTS, MOST_LEGS, Certificate
from flipforge.diagrams import Group, PartitionDiagram, TiedGroup, Wiring, compose, group, tied, ties_of
from flipforge.errors import InputError, MalformedError, RingError
from flipforge.flips import LAYER_WALK_VERSION, LayerTables
from flipforge.problems import LayerProblem, layer
from flipforge.programs import Core, Fixed, Layer, LayerProgram, assemble, cores, halves, remaining
from flipforge.rings import Ring, Z
from flipforge.search._layer_basis import coordinates as coordinates_in
from flipforge.search._layer_basis import rebased
from flipforge.search._protocols import Effort, Outcome, Seed

__all__ = ["LayerSpace"]

Flags = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

_MOST_DIAGRAMS = 30_000
_LARGEST_COST = 2**62
_FIXED = 2


class LayerSpace:
    """Layer programs as states: which intermediates there are, and where diagrams are dependent, which are the basis.

    A state is an array of flags: one for each core of the input, then of the output, then for each diagram of the
    group. The program is `flipforge.programs.assemble` of it. A state has no intermediate that saves nothing. The walk
    is `flipforge.flips.layer_walk`; one of its steps is a part of a move.

    Raises
    ------
    InputError
        The group is none whose programs are checked, or the problem is too large.
    RingError
        The ring is not Z.
    """

    def __init__(self, problem: LayerProblem, ring: Ring = Z) -> None:
        if ring != Z:
            raise RingError(f"{problem}: a layer program has integer factors; leave the ring out, or give {Z}")
        self.problem = problem
        self.ring = ring
        name = problem.group.partition(":")[0]
        if name not in LAYER_GROUPS:
            raise InputError(f"{problem}: programs are searched for the groups {', '.join(LAYER_GROUPS)}")
        made = group(problem.group)
        if made.name != problem.group:  # a file of edges has the name of its graph
            self.problem = problem = layer(made.name, problem.k, problem.l)
        self.n, self.symplectic = made.n, name == "Sp"
        self._values: Integers | None = None
        if isinstance(made, TiedGroup):
            if made.order > MOST_ELEMENTS:
                raise InputError(
                    f"{problem}: the group has {made.order} elements; programs are checked for up to {MOST_ELEMENTS}"
                )
            family = made.tied_family(problem.k, problem.l)
            self.diagrams, self._first, self._values = family.diagrams, family.basis, family.values
            self.fixed: Fixed | None = Fixed(made.n, made.generators, made.edges)
        else:
            self.diagrams, self._first = self._listed(made)
            self.fixed = Fixed(made.n) if any(map(ties_of, self.diagrams)) else None
        self._check_size()

    def _listed(self, made: Group) -> tuple[tuple[Wiring, ...], Integers]:
        """Return all diagrams of a group, and which of them are its basis."""
        k, l = self.problem.dims
        count = made.count(k, l)
        if not 0 < count <= _MOST_DIAGRAMS:
            why = "there is nothing to apply" if not count else f"at most {_MOST_DIAGRAMS} can be searched"
            raise InputError(f"{self.problem}: the group has {count} diagrams; {why}")
        diagrams = tuple(map(tied, made.diagrams(k, l)))
        number = {diagram: place for place, diagram in enumerate(diagrams)}
        return diagrams, np.array([number[tied(diagram)] for diagram in made.basis(k, l)], np.int64)

    def _check_size(self) -> None:
        """Refuse counts that leave 64 bits, and what is too large for the checker."""
        if self._values is None and self.fixed is not None and self.n > MOST_LEGS:
            raise InputError(f"{self.problem}: heads of {self.n} legs; programs are checked for up to {MOST_LEGS}")
        if sum(self.n**diagram.size for diagram in self.diagrams) >= _LARGEST_COST:
            raise InputError(
                f"{self.problem}: counts leave 64 bits; take a smaller n, from k + l on programs are alike"
            )
        chosen, count = len(self._first), len(self.diagrams)
        ruled = self.problem.group.partition(":")[0] in ("S", "H", "A")
        if chosen < count and chosen > MOST_DEPENDENT and not ruled:
            raise InputError(
                f"{self.problem}: {chosen} of {count} dependent diagrams are more than the {MOST_DEPENDENT} whose "
                "independence is checked; take a larger n"
            )

    @property
    def walk_version(self) -> str:
        """Version of the walk."""
        return f"layer/{LAYER_WALK_VERSION}"

    @property
    def arguments(self) -> Mapping[str, Any]:
        """None: the problem is all there is."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        # Workers need no plugin: the diagrams go along, what is worked out from them does not.
        names = ("problem", "ring", "n", "diagrams", "_first", "_values", "symplectic", "fixed")
        return {name: self.__dict__[name] for name in names}

    @cached_property
    def _cores(self) -> tuple[tuple[Core, ...], tuple[Core, ...]]:
        """The whole tensor, what diagrams need, and the intermediates that may help: input, then output."""
        sides = (cores(self.problem.k), cores(self.problem.l))
        source, sink = (
            tuple(core for core in side if core == side[0] or core in wanted or self._helps(core, wanted))
            for side, wanted in zip(sides, self._needed, strict=True)
        )
        return source, sink

    @cached_property
    def _needed(self) -> tuple[frozenset[Core], frozenset[Core]]:
        source, sink = zip(*map(halves, self.diagrams), strict=True)
        return frozenset(source), frozenset(sink)

    def _helps(self, core: Core, wanted: Collection[Core]) -> bool:
        """Tell whether a core saves a diagram a sum or a broadcast; for Sp(n) only whole pairs are summed."""
        sizes = [core.labels.count(block) - (block in core.kept) for block in range(core.blocks)]
        if self.symplectic and any(size not in (0, 2) for size in sizes):
            return False
        if core.order == core.blocks:
            return False
        return any(remaining(core, want) is not None for want in wanted)

    @cached_property
    def tables(self) -> LayerTables:
        source, sink = self._cores
        places = [{core: place for place, core in enumerate(side)} for side in self._cores]
        cells = [[side[half] for side, half in zip(places, halves(d), strict=True)] for d in self.diagrams]
        largest = self.problem.k + self.problem.l + 1
        powers = [self.n**e if self.n**e < _LARGEST_COST else 0 for e in range(largest)]
        return LayerTables(
            (_sums(source), _sums(sink)),
            tuple(np.array([core.order for core in side], np.int8) for side in self._cores),  # type: ignore[arg-type]
            np.array(cells, np.int64),
            np.array([self._joint(diagram) for diagram in self.diagrams], np.int64),
            np.array(powers, np.int64),
        )

    def _joint(self, diagram: Wiring) -> int:
        """Return the elements that joining the cores of a diagram touches: of all choices of values that reach both."""
        below, above = halves(diagram)
        program = assemble([diagram], [below], [above], k=diagram.k, l=diagram.l, fixed=self.fixed)
        (joint,) = (step for step in program.steps if step.weight is not None)
        alone = LayerProgram(
            (joint.diagram.k, joint.diagram.l), (joint._replace(target=1, source=0, weight=0),), fixed=self.fixed
        )
        return alone.cost(self.n)

    @cached_property
    def useful(self) -> Flags:
        """0 for an intermediate that saves some diagram a sum or a broadcast, 2 for one that cannot."""
        sides = zip(self._cores, self._needed, strict=True)
        flags = [0 if self._helps(core, wanted) else _FIXED for side, wanted in sides for core in side]
        return np.array(flags, np.uint8)

    @cached_property
    def coordinates(self) -> Integers:
        """Coordinates of all diagrams in the first basis modulo the prime; square where no swaps are made."""
        rows = len(self._first)
        if rows == len(self.diagrams) or rows > MOST_DEPENDENT:
            return np.eye(rows, dtype=np.int64)
        if self._values is not None:
            return rebased(self._values, self._first)
        return coordinates_in(self.diagrams, self._first, self.n, symplectic=self.symplectic)

    def start(self, seed: Seed) -> Flags:
        """Return the program without intermediates and with the group's own basis, whatever the seed."""
        del seed
        basis = np.zeros(len(self.diagrams), np.uint8)
        basis[self._first] = 1
        return np.concatenate([np.zeros(len(self.useful), np.uint8), basis])

    def walk(self, state: Flags, effort: Effort, seed: Seed) -> Outcome[Flags]:
        """Walk from a state until the goal is reached and nothing better comes, or the end of the steps."""
        from flipforge.flips import layer_walk

        on, basis = self._parted(state)
        tableau = self.coordinates
        if tableau.shape[1] > len(tableau) and not np.array_equal(basis, self._first):
            tableau = rebased(tableau, basis)
        walked = on | self.useful
        limits = {**vars(effort), "seed": seed.words()}
        end = layer_walk(self.tables, walked, basis, tableau, **limits)
        names = ("moves", "accepted", "swaps", "plus", "restarts")
        after = self._joined(np.where(end.on == 1, 1, 0).astype(np.uint8), end.basis)
        counts = {name: getattr(end, name) for name in names}
        return Outcome(after, end.cost <= effort.goal, end.steps, counts, int((self.useful == 0).sum()))

    def score(self, state: Flags) -> tuple[int, ...]:
        """Return the elements touched at the problem's n, then the number of instructions."""
        program = self.program(state)
        return program.cost(self.n), len(program.steps)

    def key(self, state: Flags) -> bytes:
        """Return the state's bytes."""
        return state.tobytes()

    def certify(self, state: Flags) -> Certificate:
        """Prove the program: symbolic execution, a basis, and dense comparison at small n."""
        return self.scheme(state).certify()

    def encode(self, state: Flags) -> bytes:
        """Write the flags as bits."""
        return np.packbits(state).tobytes()

    def decode(self, data: bytes) -> Flags:
        """Read what `encode` wrote."""
        size = len(self.useful) + len(self.diagrams)
        if len(data) != -(-size // 8):
            raise MalformedError(f"a state of {len(data)} bytes is no layer program of {self.problem}")
        return np.unpackbits(np.frombuffer(data, np.uint8), count=size)

    def program(self, state: Flags) -> LayerProgram:
        """Return the program of a state."""
        on, basis = self._parted(state)
        source, _ = self._cores
        chosen = [
            [side[place] for place in np.flatnonzero(part)]
            for side, part in zip(self._cores, np.split(on, [len(source)]), strict=True)
        ]
        return assemble(
            [self.diagrams[place] for place in basis],
            *chosen,
            k=self.problem.k,
            l=self.problem.l,
            symplectic=self.symplectic,
            fixed=self.fixed,
        )

    def scheme(self, state: Flags) -> Layer:
        """Return the program of a state as the object the catalogue keeps."""
        return Layer(self.problem, self.program(state))

    def state(self, made: Layer) -> Flags:
        """Return the state of a program that was assembled from intermediates.

        Raises
        ------
        InputError
            The program has another form.
        """
        number = {diagram: place for place, diagram in enumerate(self.diagrams)}
        flags = np.zeros(len(self.useful) + len(self.diagrams), np.uint8)
        offset = len(self._cores[0])
        flags[[offset + len(self._cores[1]) + number[diagram] for diagram in made.program.diagrams]] = 1
        for program, side, first in ((made.program, 0, 0), (made.program.transposed(), 1, offset)):
            places = {core: place for place, core in enumerate(self._cores[side])}
            for core in _intermediates(program):
                flags[first + places[core]] = 1
        if self.program(flags) != made.program:
            raise InputError(f"layer {made.id}: is not made of cores and accumulators; no search starts from it")
        return flags

    def _parted(self, state: Flags) -> tuple[Flags, Integers]:
        """Return the flags of the intermediates and the numbers of the basis."""
        on, basis = np.split(state, [len(self.useful)])
        return on, np.flatnonzero(basis).astype(np.int64)

    def _joined(self, on: Flags, basis: Integers) -> Flags:
        chosen = np.zeros(len(self.diagrams), np.uint8)
        chosen[basis] = 1
        return np.concatenate([on, chosen])


def _sums(side: Sequence[Core]) -> npt.NDArray[np.int8]:
    ways = [[remaining(have, want) for want in side] for have in side]
    return np.array([[-1 if way is None else way for way in row] for row in ways], np.int8)


def _intermediates(program: LayerProgram) -> list[Core]:
    """Return the cores that the registers before the weights hold: the diagrams from the input to each of them."""
    k = program.k
    contents = {0: PartitionDiagram(k, k, (*range(k), *range(k)))}
    for step in program.steps:
        if step.weight is None and step.source in contents and isinstance(step.diagram, PartitionDiagram):
            contents[step.target] = compose(step.diagram, contents[step.source])[0]
    return [halves(diagram)[0] for register, diagram in contents.items() if register]
