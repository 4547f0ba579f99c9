"""The searcher on programs: the space of all ways to share pairs in one part, with its additions as level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.certificates import Certificate
from flipforge.errors import MalformedError, NotFoundError
from flipforge.executors import make_executor
from flipforge.problems import Problem
from flipforge.programs import LinearProgram, Program
from flipforge.schemes import Scheme
from flipforge.search import Effort, Entry, Limits, Lineage, Outcome, Run, RunRecord, Schedule, Seed
from flipforge_codegen.passes._sharing import share_part
from flipforge_codegen.passes._sums import Sums
from flipforge_codegen.passes._transpose import transposed

__all__ = ["SharingSpace", "search_sharing"]

Pairs = npt.NDArray[np.int32]

_PART = "shared_pairs"
_SCHEDULE = Schedule(
    least=4,
    pool=16,
    path=16_000,
    band=0,
    chunk=64_000,
    patience=2_000_000,
    parents=4,
    sift=2,
    dive=0,
    seconds=20.0,
)


@dataclass(frozen=True)
class SharingSpace:
    """States are lists of pairs, shared in order; see `flipforge_codegen.passes._sharing_kernel`.

    All of them compute the map of one part of one program, so the object that the catalogue keeps, the scheme, is the
    same for all; the pairs stand in its provenance.

    Attributes
    ----------
    whole
        The program.
    part
        0, 1, 2 for left, right and out.
    backwards
        Share in the transposed map.
    """

    whole: Program
    part: int
    backwards: bool = False

    @property
    def problem(self) -> Problem:
        """What the program computes."""
        return self.whole.problem

    @property
    def walk_version(self) -> str:
        """Version of the kernel's walk."""
        return "sharing/1"

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The part and the direction."""
        return {"part": self.part, "backwards": self.backwards}

    @property
    def sums(self) -> Sums:
        """The rows that are shared."""
        sums = Sums.of(self.whole.parts[self.part])
        return sums.transposed() if self.backwards else sums

    def start(self, seed: Seed) -> Pairs:
        """Return what a greedy choice gives."""
        return self._improve(np.zeros((0, 3), np.int32), 0, 0, seed)[0]

    def walk(self, state: Pairs, effort: Effort, seed: Seed) -> Outcome[Pairs]:
        """Drop pairs and share again, from the state anew after each path, until the goal or the end of the steps."""
        used, number, best, reached = 0, 0, state, False
        while used < effort.steps and not reached:
            stream = Seed(seed.root, (*seed.key, number))
            best, cost, steps = self._improve(state, min(effort.path, effort.steps - used), effort.goal, stream)
            used, number, reached = used + steps, number + 1, cost <= effort.goal
        return Outcome(best, reached, used, {"paths": number}, len(best))

    def _improve(self, state: Pairs, steps: int, goal: int, seed: Seed) -> tuple[Pairs, int, int]:
        return self.sums.improve(state, steps=steps, goal=goal, seed=int(seed.words()[0]))

    def score(self, state: Pairs) -> tuple[int, ...]:
        """Return the additions of the part, in its transpose where the space is backwards."""
        return (self.sums.program(state).operations.additions,)

    def key(self, state: Pairs) -> bytes:
        """Return the pairs' bytes."""
        return self.encode(state)

    def certify(self, state: Pairs) -> Certificate:
        """Prove that the part's map is unchanged, and the scheme."""
        return self.scheme(state).certify()

    def encode(self, state: Pairs) -> bytes:
        """Write the pairs as little-endian words."""
        return state.astype("<i4").tobytes()

    def decode(self, data: bytes) -> Pairs:
        """Read what `encode` wrote."""
        if len(data) % 12:
            raise MalformedError(f"a state of {len(data)} bytes is no list of pairs")
        return np.frombuffer(data, dtype="<i4").reshape(-1, 3).astype(np.int32)

    def scheme(self, state: Pairs) -> Scheme:
        """Return the scheme by a symbolic run of the program with the shared part."""
        scheme = self.program(state).scheme()
        return replace(scheme, provenance={_PART: state.tolist()})

    def state(self, scheme: Scheme) -> Pairs:
        """Return the pairs of a scheme that `scheme` made; of any other, what a greedy choice gives."""
        pairs = scheme.provenance.get(_PART)
        return self.start(Seed(0)) if pairs is None else np.array(pairs, np.int32).reshape(-1, 3)

    def linear(self, state: Pairs) -> LinearProgram:
        """Return the part that a state is."""
        part = self.sums.program(state)
        return transposed(part) if self.backwards else part

    def program(self, state: Pairs) -> Program:
        """Return the program with the part that a state is, its map compared."""
        parts = list(self.whole.parts)
        parts[self.part] = self.linear(state)
        return self.whole.with_parts(*parts)


def search_sharing(
    program: Program, *, steps: int, workers: int = 1, executor: str | None = None, seed: int = 0
) -> Program:
    """Search each part, forwards and backwards, by the searcher, with the number of additions as score.

    Parameters
    ----------
    steps
        Pairs to share in each of the six runs; they end reproducibly with one worker.
    workers, executor
        As in `flipforge.search`.

    Examples
    --------
    >>> from flipforge.problems import matmul
    >>> from flipforge.programs import program
    >>> from flipforge.rings import ZT
    >>> from flipforge.schemes import standard_scheme
    >>> search_sharing(program(standard_scheme(matmul(2, 2, 2), ZT)), steps=10).operations.additions
    4
    """
    name = executor or ("inline" if workers == 1 else "process")
    running = make_executor(name, workers=workers)
    try:
        parts = [_searched(program, part, running, steps, seed) for part in range(3)]
    finally:
        running.close()
    return program.with_parts(*parts)


def _searched(program: Program, part: int, running: Any, steps: int, seed: int) -> LinearProgram:
    best = share_part(program.parts[part], "pair", seed=seed)
    for backwards in (False, True):
        space = SharingSpace(program, part, backwards)
        keeper = _Keeper(space)
        record = Run.new(space, program.ring.name, {"seed": seed})
        run = Run(
            space,
            running,
            keeper,
            record,
            schedule=_SCHEDULE,
            limits=Limits(flips=steps),
            deterministic=running.workers == 1,
        )
        run.begin([Entry(space.scheme(space.start(Seed(seed))), "found")])
        run.go()
        best = min(best, *keeper.found, key=lambda each: each.operations.additions)
    return best


class _Keeper:
    """A store in memory: all finds are one scheme to a catalogue, so it keeps the programs themselves."""

    def __init__(self, space: SharingSpace) -> None:
        self.space = space
        self.found: list[LinearProgram] = []
        self.kept: dict[str, Scheme] = {}
        self.record: RunRecord | None = None
        self.happened: list[Mapping[str, Any]] = []

    def commit(
        self, entries: Sequence[Entry], run: RunRecord | None = None, events: Sequence[Mapping[str, Any]] = ()
    ) -> list[str]:
        new = []
        for entry in entries:
            entry.scheme.certify()
            self.found.append(self.space.linear(self.space.state(entry.scheme)))
            new += [] if entry.scheme.id in self.kept else [entry.scheme.id]
            self.kept[entry.scheme.id] = entry.scheme
        self.record = run or self.record
        self.happened += events
        return new

    def scheme(self, prefix: str) -> Scheme:
        found = [scheme for name, scheme in self.kept.items() if name.startswith(prefix)]
        if not found:
            raise NotFoundError(f"{prefix}: no such scheme in this run")
        return found[0]

    def lineage(self, prefix: str) -> list[Lineage]:
        return []

    def run(self, prefix: str) -> RunRecord:
        if self.record is None or not self.record.id.startswith(prefix):
            raise NotFoundError(f"{prefix}: no such run")
        return self.record

    def runs(self) -> list[RunRecord]:
        return [self.record] if self.record else []

    def events(self, prefix: str) -> list[Mapping[str, Any]]:
        return self.happened

    def close(self) -> None:
        pass
