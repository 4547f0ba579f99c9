"""What tests of the searcher share: a store in memory, an executor that picks its tasks, and a short run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flipforge.problems import matmul
from flipforge.schemes import Scheme, standard_scheme
from flipforge.search import Entry, FlipSpace, Limits, Lineage, Run, RunRecord, Schedule

SMALL = Schedule(
    least=3, pool=6, path=16_000, band=2, chunk=60_000, patience=2_000_000, parents=3, sift=2, dive=0, seconds=60.0
)
THREE = FlipSpace(matmul(3, 3, 3))
TWO = FlipSpace(matmul(2, 2, 2))


@dataclass
class MemoryStore:
    schemes: dict[str, Scheme] = field(default_factory=dict)
    steps: dict[str, Lineage] = field(default_factory=dict)
    record: RunRecord | None = None
    log: list[Mapping[str, Any]] = field(default_factory=list)

    def commit(
        self, entries: Sequence[Entry], run: RunRecord | None = None, events: Sequence[Mapping[str, Any]] = ()
    ) -> list[str]:
        for entry in entries:
            entry.scheme.certify()
        new = [entry.scheme.id for entry in entries if entry.scheme.id not in self.schemes]
        for entry in entries:
            self.schemes.setdefault(entry.scheme.id, entry.scheme)
            if entry.lineage is not None:
                self.steps.setdefault(entry.scheme.id, entry.lineage)
        self.record, self.log = run, [*self.log, *events]
        return new

    def scheme(self, prefix: str) -> Scheme:
        return self.schemes[prefix]

    def lineage(self, prefix: str) -> list[Lineage]:
        chain: list[Lineage] = []
        while prefix in self.steps:
            chain.append(self.steps[prefix])
            prefix = chain[-1].parent
        return chain[::-1]

    def run(self, prefix: str) -> RunRecord:
        assert self.record is not None
        return self.record

    def runs(self) -> list[RunRecord]:
        return [] if self.record is None else [self.record]

    def events(self, prefix: str) -> list[Mapping[str, Any]]:
        return self.log

    def close(self) -> None:
        """Nothing is held."""


class Bench:
    """An executor that runs the queued task of its choice: ``pick`` gets the number of tasks and names one."""

    def __init__(self, workers: int = 1, pick: Callable[[int], int] = lambda waiting: 0) -> None:
        self.workers, self.pick = workers, pick
        self.tasks: list[tuple[int, Callable[..., Any], tuple[Any, ...]]] = []
        self.most = 0

    def submit(self, key: int, function: Callable[..., Any], *args: Any) -> None:
        self.tasks.append((key, function, args))
        self.most = max(self.most, len(self.tasks))

    def wait(self, timeout: float) -> list[tuple[int, Any]]:
        key, function, args = self.tasks.pop(self.pick(len(self.tasks)))
        return [(key, function(*args))]

    def close(self) -> None:
        """Nothing is held."""


class Interrupting(Bench):
    """A bench that is interrupted before chunk 3."""

    def wait(self, timeout: float) -> list[tuple[int, Any]]:
        if self.tasks[0][0] == 3:
            raise KeyboardInterrupt
        return super().wait(timeout)


def searched(
    space: FlipSpace, store: MemoryStore, bench: Any = None, *, seed: int = 1, deterministic: bool = True, **limits: Any
) -> RunRecord:
    run = Run(
        space,
        bench or Bench(),
        store,
        Run.new(space, "GF2", {"seed": seed}),
        schedule=SMALL,
        limits=Limits(**limits),
        deterministic=deterministic,
    )
    run.begin([Entry(standard_scheme(space.problem, space.ring).canonical, "derived")])
    return run.go()
