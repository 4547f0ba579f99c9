"""A run: an ask/tell controller over an executor and a store.

Every find is verified by the store and written with its lineage as it arrives, in one transaction with the checkpoint
that refers to it. A run killed at any moment goes on from its last transaction; chunks delivered twice change
nothing, because inserts are idempotent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from secrets import token_hex
from time import monotonic
from typing import Any

import numpy as np

from flipforge.errors import InputError, RunInterrupted, VerificationError
from flipforge.search._chunk import ChunkResult, Find, describe, run_chunk
from flipforge.search._controller import Course
from flipforge.search._growth import Corner
from flipforge.search._interrupts import interrupts_held
from flipforge.search._ladder import Ladder
from flipforge.search._objectives import Additions, Objective
from flipforge.search._pool import Member
from flipforge.search._protocols import Entry, Executor, Failure, Growing, Lineage, RunRecord, Seed, Space, Store
from flipforge.search._schedule import Schedule
from flipforge.search._statistics import Statistics

__all__ = ["Limits", "Progress", "Run"]

_IN_FLIGHT_PER_WORKER = 2
_COMMIT_SECONDS = 0.5
_COMMIT_ENTRIES = 200
_WAIT_SECONDS = 0.5
_BARREN_CHUNKS = 16
"""Chunks in a row without a step after which a run ends: none of its states has a move."""
_IDLE_CHUNKS, _IDLE_STEPS = 64, 2_000
"""Chunks in a row that end, in so few steps for each attempt, at what is there already: there is no other way on."""
_FAILED_CHUNKS = 20


@dataclass(frozen=True)
class Limits:
    """When a run ends: at the target rank, after the seconds (early), or when the flips are used up (reproducibly)."""

    target: int | None = None
    seconds: float | None = None
    flips: int | None = None


@dataclass(frozen=True)
class Progress:
    """What a live line shows; ``flips`` and ``seconds`` are those of the whole run, ``rate`` that of this session."""

    rank: int
    level: int
    flips: int
    rate: float
    seconds: float
    left: float | None
    pools: Mapping[int, int]


class Run:
    """One search, from its first chunk or from a checkpoint.

    Parameters
    ----------
    space, executor, store
        Implementations of the protocols.
    record
        The run's record; `Run.new` makes one.
    schedule, limits
        How steps are spent, and when to stop.
    objective
        What is better at equal rank; fewer additions unless given.
    deterministic
        Merge results in the order of their chunks: then the run depends on the seed and the number of workers only.
    """

    def __init__(
        self,
        space: Space[Any],
        executor: Executor,
        store: Store,
        record: RunRecord,
        *,
        schedule: Schedule,
        limits: Limits,
        deterministic: bool,
        objective: Objective | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._space, self._executor, self._store = space, executor, store
        self._schedule, self._limits, self._deterministic = schedule, limits, deterministic
        self._objective: Objective = objective or Additions()
        self._on_progress = on_progress or (lambda progress: None)
        self._record = record
        self._root = int(record.config["seed"])
        self._ladder = Ladder(schedule, self._root, self._corners)
        self._names: dict[bytes, str] = {}
        self._entries: list[tuple[Entry, bytes, int]] = []
        self._events: list[dict[str, Any]] = []
        self._next = 0
        self._flights: dict[int, int] = {}
        self._early: dict[int, ChunkResult | Failure] = {}
        self._began = self._committed = monotonic()
        self._earlier_seconds, self._earlier_flips = record.seconds, record.flips
        self._barren = self._idle = self._failed = 0
        self._value = 0.0
        self._statistics = Statistics(record.checkpoint.get("levels", ()), record.checkpoint.get("course", ()))

    @staticmethod
    def new(space: Space[Any], ring: str, config: Mapping[str, Any]) -> RunRecord:
        """Return the record of a run that has not begun; ``config`` must hold ``seed``."""
        now = _now()
        return RunRecord(token_hex(4), space.problem.name, ring, "running", dict(config), created=now, updated=now)

    def begin(self, starts: Sequence[Entry]) -> None:
        """Store the first schemes and seed the pools with them; a run that was under way begins again from these."""
        if not starts:
            raise InputError("a run needs at least one scheme to start from")
        checkpoint = self._record.checkpoint
        # Chunks go on being counted: their numbers are their seeds.
        self._next, self._value = checkpoint.get("next", 0), checkpoint.get("value", 0.0)
        self._record = replace(self._record, state="running")
        first = []
        for entry in starts:
            state = self._space.state(entry.scheme)
            member = describe(self._space, state, self._objective)
            first.append((self._space.score(state)[0], member))
            self._note(entry, member.state, first[-1][0], member.value)
        self._ladder.seed(first, growing=self._grows(first))
        self._commit()

    def resume(self) -> None:
        """Take up the record's checkpoint."""
        checkpoint = self._record.checkpoint
        names = Ladder.names(checkpoint["ladder"])
        states = {name: self._space.encode(self._space.state(self._store.scheme(name))) for name in names}
        self._names = {state: name for name, state in states.items()}
        self._ladder.restore(checkpoint["ladder"], states)
        self._next, self._value = checkpoint["next"], checkpoint["value"]
        self._record = replace(self._record, state="running")

    def go(self) -> RunRecord:
        """Run until a limit; the record that returns is stored.

        Raises
        ------
        RunInterrupted
            On KeyboardInterrupt, after the checkpoint is written.
        """
        try:
            try:
                self._walk()
            finally:
                # A second Ctrl-C, or one as a run ends, does not cost what the last chunks brought.
                with interrupts_held():
                    self._record = replace(self._record, state="done" if self._reached() else "stopped")
                    self._commit()
        except KeyboardInterrupt:
            raise RunInterrupted(self._record.id) from None
        return self._record

    def progress(self) -> Progress:
        """Return the state of the run for display."""
        elapsed = monotonic() - self._began
        limit = self._limits.seconds
        return Progress(
            rank=self._record.rank if self._record.rank is not None else self._ladder.level,
            level=self._ladder.level,
            flips=self._record.flips,
            rate=(self._record.flips - self._earlier_flips) / elapsed if elapsed > 0 else 0.0,
            seconds=self._earlier_seconds + elapsed,
            left=None if limit is None else max(0.0, limit - elapsed),
            pools=self._ladder.sizes(),
        )

    def _walk(self) -> None:
        while not self._over():
            self._submit()
            if not self._flights:
                return
            for number, value in self._executor.wait(self._wait_seconds()):
                # Else a checkpoint might hold half of what a chunk changes.
                with interrupts_held():
                    self._arrive(number, value)
            self._on_progress(self.progress())
            if self._due():
                self._commit()

    def _over(self) -> bool:
        out_of_time = self._limits.seconds is not None and monotonic() - self._began >= self._limits.seconds
        return out_of_time or self._reached() or self._barren >= _BARREN_CHUNKS or self._idle >= _IDLE_CHUNKS

    def _reached(self) -> bool:
        target, rank = self._limits.target, self._record.rank
        if self._objective.required and self._value > 0:
            return False
        return target is not None and rank is not None and rank <= target

    def _submit(self) -> None:
        """Keep at most two chunks in flight per worker, within the flips that are left."""
        most = _IN_FLIGHT_PER_WORKER * self._executor.workers
        while len(self._flights) < most:
            steps = self._schedule.chunk
            if self._limits.flips is not None:
                steps = min(steps, self._limits.flips - self._record.flips - sum(self._flights.values()))
                if steps <= 0:
                    return
            chunk = self._ladder.chunk(self._next, steps, most, self._limits.target)
            self._executor.submit(chunk.number, run_chunk, self._space, chunk, self._objective)
            self._flights[chunk.number] = chunk.steps
            self._next += 1

    def _arrive(self, number: int, value: ChunkResult | Failure) -> None:
        if number not in self._flights:
            return
        if not self._deterministic:
            self._merge(number, value)
            return
        self._early[number] = value
        while self._flights and (first := min(self._flights)) in self._early:
            self._merge(first, self._early.pop(first))
            if self._reached():
                return
            self._submit()

    def _merge(self, number: int, value: ChunkResult | Failure) -> None:
        del self._flights[number]
        if isinstance(value, Failure):
            self._ladder.lose(number)
            self._events.append({"chunk": number, "error": value.error})
            self._failed += 1
            if self._failed >= _FAILED_CHUNKS:
                raise InputError(
                    f"run {self._record.id}: {self._failed} chunks in a row failed, the last with: {value.error}"
                )
            return
        self._failed = 0
        dive = self._ladder.diving(number)
        fresh = sum(self._admit(find, value.level, always=dive) for find in value.finds)
        self._record = replace(self._record, flips=self._record.flips + value.steps)
        self._barren = 0 if value.steps else self._barren + 1
        idle = not fresh and value.steps < min(_IDLE_STEPS, value.effort.steps) * value.attempts
        self._idle = self._idle + 1 if idle else 0
        if dive:
            found = next(((self._rank(find.member.state), find.member) for find in value.finds), None)
            self._ladder.tell_dive(number, found, steps=value.steps)
        else:
            course = Course(value.effort.path, value.effort.idle)
            self._ladder.tell(value.level, course, fresh=fresh, steps=value.steps)
        self._events.append({**_event(value, fresh), "dive": dive, "rank": self._record.rank})
        self._statistics.tell(self._events[-1])

    def _admit(self, find: Find, level: int, *, always: bool) -> bool:
        """Store a find that its pool takes, or ``always``; tell whether it is new there and of a lower level."""
        member = find.member
        rank = self._rank(member.state)
        if self._ladder.holds(rank, member.state):
            return False
        if not (always or self._ladder.takes(rank, member) or self._best(rank, member.value)):
            return rank < level
        scheme = self._space.scheme(self._space.decode(member.state))
        lineage = Lineage(
            child=scheme.id,
            parent=self._name(find.parent),
            method=find.method,
            seed=(find.seed.root, *find.seed.key),
            effort=asdict(find.effort),
            walk_version=self._space.walk_version,
            run=self._record.id,
            arguments=self._space.arguments,
        )
        self._note(Entry(scheme, "found", lineage), member.state, rank, member.value)
        self._ladder.admit(rank, member)
        return rank < level

    def _note(self, entry: Entry, state: bytes, rank: int, value: float) -> None:
        self._entries.append((entry, state, rank))
        self._names[state] = entry.scheme.id
        if self._best(rank, value):
            self._value = value
            self._record = replace(self._record, rank=rank, best=entry.scheme.id)

    def _grows(self, first: Sequence[tuple[int, Member]]) -> bool:
        """Tell whether dives may grow: the space has corners, and the run begins with the state that holds them."""
        if not isinstance(self._space, Growing):
            return False
        standard = self._space.encode(self._space.start(Seed(self._root)))
        return all(member.state == standard for _, member in first)

    def _corners(self, generator: np.random.Generator, after: Corner | None) -> tuple[Corner, ...]:
        return self._space.corners(generator, after) if isinstance(self._space, Growing) else ()

    def _best(self, rank: int, value: float) -> bool:
        """Tell whether a scheme beats the run's best: by rank first, unless the second objective is a must."""
        if self._record.rank is None:
            return True
        now, other = (rank, value), (self._record.rank, self._value)
        return now[::-1] < other[::-1] if self._objective.required else now < other

    def _rank(self, state: bytes) -> int:
        return self._space.score(self._space.decode(state))[0]

    def _name(self, state: bytes) -> str:
        if state not in self._names:
            self._names[state] = self._space.scheme(self._space.decode(state)).id
        return self._names[state]

    def _wait_seconds(self) -> float:
        if self._limits.seconds is None:
            return _WAIT_SECONDS
        return max(0.01, min(_WAIT_SECONDS, self._limits.seconds - (monotonic() - self._began)))

    def _due(self) -> bool:
        return len(self._entries) >= _COMMIT_ENTRIES or monotonic() - self._committed >= _COMMIT_SECONDS

    def _commit(self) -> None:
        """Write finds, events and checkpoint; a find that the store refuses is a defect and ends the run."""
        elapsed = monotonic() - self._began
        self._record = replace(
            self._record,
            checkpoint={
                "next": self._next,
                "value": self._value,
                "ladder": self._ladder.checkpoint(self._names),
                "pools": self._ladder.sizes(),
                "levels": self._statistics.rows(),
                "course": self._statistics.course(),
            },
            seconds=self._earlier_seconds + elapsed,
            updated=_now(),
        )
        try:
            self._store.commit(self._lasting(), self._record, self._events)
        except VerificationError:
            self._entries = []
            raise
        self._entries, self._events = [], []
        self._committed = monotonic()

    def _lasting(self) -> list[Entry]:
        """Return the finds to store: not those that had to leave a pool before anything could start from them."""
        kept: list[Entry] = []
        ancestors = {self._record.best}
        for entry, state, rank in reversed(self._entries):
            if (
                entry.origin != "found"
                or rank >= self._ladder.level
                or entry.scheme.id in ancestors
                or self._ladder.needs(rank, state)
            ):
                kept.append(entry)
                ancestors.add(None if entry.lineage is None else entry.lineage.parent)
        return kept[::-1]


def _event(result: ChunkResult, fresh: int) -> dict[str, Any]:
    return {
        "chunk": result.number,
        "level": result.level,
        "attempts": result.attempts,
        "successes": result.successes,
        "fresh": fresh,
        "path": result.effort.path,
        "idle": result.effort.idle,
        "band": result.effort.band,
        "plateau": result.plateau,
        "steps": result.steps,
        "seconds": round(result.seconds, 6),
        "worker": result.worker,
        **result.counts,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
