"""The rounds of a run over a family: whose turn it is, for how long, and what is kept in between."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import numpy as np

from flipforge.api._library import parse_problem
from flipforge.api._relay import Relay
from flipforge.api._search import SearchResult
from flipforge.api._spaces import AnySpace, search_space, starts_of
from flipforge.api._terms import objective_named
from flipforge.catalogue import SqliteStore, best_known
from flipforge.errors import RunInterrupted
from flipforge.rings import ring as ring_named
from flipforge.search import Executor, Limits, Progress, Run, RunRecord, Schedule, interrupts_held

__all__ = ["FamilyProgress", "FamilyResult", "Member", "OnFamilyProgress", "Rounds", "member_rows", "member_seed"]

_CHUNKS_OF_TURN = 8
"""Chunks of a worker in a turn, so that a turn that time cuts short loses little of what is under way."""
_SHORTEST_TURN = 0.5
"""Seconds below which nothing comes of a turn: it is not cut shorter than that."""


@dataclass(frozen=True)
class Member:
    """One problem of a family and how far it is.

    Attributes
    ----------
    run
        ID of the member's own run.
    best_known
        Best known rank over the ring, at which the member is done; None where none is known.
    rank, scheme, level
        Best rank so far and a scheme that has it, and the rank that is worked at; None before the first turn.
    flips, seconds
        Of the member's own run.
    done
        Its run ended at its target.
    stuck
        Its schemes have no move left.
    """

    run: str
    problem: str
    best_known: int | None
    rank: int | None = None
    scheme: str | None = None
    level: int | None = None
    flips: int = 0
    seconds: float = 0.0
    done: bool = False
    stuck: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the best known rank is reached; None where none is known.

        Neither rank nor run tells alone: a required objective may want more than the rank, and a run that was resumed
        by itself may have had another target.
        """
        if self.best_known is None:
            return None
        return self.done and self.rank is not None and self.rank <= self.best_known

    @property
    def gap(self) -> int | None:
        """Rank above the best known one."""
        return None if self.rank is None or self.best_known is None else self.rank - self.best_known


@dataclass(frozen=True)
class FamilyProgress:
    """What a live table shows: all members, the number of the one whose turn it is, and the time."""

    members: Sequence[Member]
    active: int
    rate: float
    seconds: float
    left: float | None


OnFamilyProgress = Callable[[FamilyProgress], None]


@dataclass(frozen=True)
class FamilyResult:
    """What a search over a family came to; `as_dict` is the JSON of the contract.

    Attributes
    ----------
    rows
        One for each member: the JSON object of a `SearchResult` with ``best_known`` and ``gap``.
    """

    run: str
    family: str
    ring: str
    rows: tuple[dict[str, Any], ...]
    flips: int
    seconds: float
    workers: int
    seed: int

    @property
    def target_reached(self) -> bool | None:
        """Whether every member with a best known rank has reached it; None where no member has one."""
        verdicts = [row["target_reached"] for row in self.rows if row["target_reached"] is not None]
        return all(verdicts) if verdicts else None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract."""
        return {"run": self.run, "rows": list(self.rows)}


class Rounds:
    """Gives the members of a family their turns until all are done or the budget has ended.

    In round k every member that is not done walks ``2**k`` times as many steps as in the first. Where what is left of
    the budget is less, the members that still wait in the round share it equally, down to half a second. Between two
    turns all there is to know stands in the store: the members' own records, and in the family's the number of the
    turn.
    """

    def __init__(
        self,
        store: SqliteStore,
        executor: Executor,
        record: RunRecord,
        *,
        schedule: Schedule,
        limits: Limits,
        on_progress: OnFamilyProgress | None,
    ) -> None:
        self._store, self._relay, self._record = store, Relay(executor), record
        self._schedule, self._limits = schedule, limits
        self._on_progress = on_progress or (lambda progress: None)
        self._ring = ring_named(record.ring)
        self._members = members_of(record, store)
        self._turn: int = record.checkpoint.get("turn", 0)
        self._began = monotonic()
        self._flips = sum(member.flips for member in self._members)
        self._earlier_seconds, self._earlier_flips = record.seconds, self._flips

    def go(self) -> FamilyResult:
        """Run until a limit.

        Raises
        ------
        RunInterrupted
            On KeyboardInterrupt, after the checkpoints of the family and of the member are written.
        """
        try:
            self._commit("running")
            try:
                self._take_turns()
            finally:
                with interrupts_held():
                    self._settle()
                    self._members = members_of(self._record, self._store)
                    self._flips = sum(member.flips for member in self._members)
                    self._commit("done" if all(member.reached for member in self._members) else "stopped")
        except (KeyboardInterrupt, RunInterrupted):
            raise RunInterrupted(self._record.id) from None
        return self._result()

    def _take_turns(self) -> None:
        size = len(self._members)
        while not self._over():
            round_number, first = divmod(self._turn, size)
            waiting = [number for number in range(first, size) if self._wants(number)]
            if not waiting and first == 0:
                return
            for served, number in enumerate(waiting):
                self._turn = round_number * size + number
                self._take_turn(number, round_number, len(waiting) - served)
                if self._over():
                    return  # in the middle of a turn, which goes on when the run is resumed
                self._turn += 1
                self._commit("running")
            self._turn = (round_number + 1) * size

    def _take_turn(self, number: int, round_number: int, waiting: int) -> None:
        member = self._members[number]
        limits = self._share(member, round_number, waiting)
        before = monotonic()
        ended = self._open(number, limits, round_number).go()
        in_time = limits.seconds is None or monotonic() - before < limits.seconds
        # A turn that ends early although nothing was walked: there is no move.
        stuck = in_time and ended.flips == member.flips
        self._put(number, replace(_joined(self._members[number], [ended]), stuck=stuck))

    def _share(self, member: Member, round_number: int, waiting: int) -> Limits:
        """Return the limits of a turn: those of its round, or an equal share of what is left."""
        steps = self._steps(round_number)
        if self._limits.flips is not None:
            steps = min(steps, max(1, (self._limits.flips - self._flips) // waiting))
        seconds = None
        if (left := self._seconds_left()) is not None:
            seconds = min(left, max(left / waiting, _SHORTEST_TURN))
        return Limits(member.best_known, seconds, member.flips + steps)

    def _open(self, number: int, limits: Limits, round_number: int) -> Run:
        """Return a member's run for one turn, taken up where it stood or begun."""
        member = self._members[number]
        space = search_space(parse_problem(member.problem), self._ring, None, aim=member.best_known)
        begun = member.scheme is not None
        seed = member_seed(self._record.config["seed"], number)
        record = self._store.run(member.run) if begun else self._new(space, number, member.run, seed, self._schedule)
        run = self._run(space, number, record, limits, self._steps(round_number))
        if begun:
            run.resume()
        else:
            run.begin(starts_of(space, (), self._store))
        return run

    def _run(self, space: AnySpace, number: int, record: RunRecord, limits: Limits, steps: int) -> Run:
        """Return a run of a member for a turn of so many steps."""
        schedule = Schedule(**record.config["schedule"])
        # A dive among symmetric schemes is one walk, which is not cut: see `of_orbits`.
        chunk = schedule.chunk if schedule.orbit else steps // (_CHUNKS_OF_TURN * self._relay.workers)
        self._relay.renew()
        return Run(
            space,
            self._relay,
            self._store,
            record,
            schedule=replace(schedule, chunk=min(schedule.chunk, chunk)),
            limits=limits,
            deterministic=self._record.config["deterministic"],
            objective=objective_named(self._record.config["objective"]),
            on_progress=lambda progress: self._show(number, progress),
        )

    def _new(self, space: AnySpace, number: int, name: str, seed: int, schedule: Schedule) -> RunRecord:
        config = self._record.config
        own = {key: config[key] for key in ("workers", "executor", "deterministic", "preset", "objective")}
        limits = Limits(self._members[number].best_known, self._schedule.seconds)
        own |= {"schedule": asdict(schedule), "seed": seed, "limits": asdict(limits), "start": []}
        return replace(Run.new(space, self._ring.name, own), id=name)

    def _show(self, number: int, progress: Progress) -> None:
        self._put(number, self._shown(self._members[number], progress))
        elapsed = monotonic() - self._began
        self._on_progress(
            FamilyProgress(
                members=self._members,
                active=number,
                rate=(self._flips - self._earlier_flips) / elapsed if elapsed > 0 else 0.0,
                seconds=self._earlier_seconds + elapsed,
                left=self._seconds_left(),
            )
        )

    def _shown(self, member: Member, progress: Progress) -> Member:
        """Return a member while its run is under way."""
        return replace(member, rank=progress.rank, level=progress.level, flips=progress.flips, seconds=progress.seconds)

    def _wants(self, number: int) -> bool:
        member = self._members[number]
        return not member.reached and not member.stuck

    def _put(self, number: int, member: Member) -> None:
        self._flips += member.flips - self._members[number].flips
        self._members[number] = member

    def _over(self) -> bool:
        out_of_time = self._limits.seconds is not None and monotonic() - self._began >= self._limits.seconds
        return out_of_time or (self._limits.flips is not None and self._flips >= self._limits.flips)

    def _seconds_left(self) -> float | None:
        if self._limits.seconds is None:
            return None
        return max(0.0, self._limits.seconds - (monotonic() - self._began))

    def _steps(self, round_number: int) -> int:
        """Return the length of a turn: half a chunk of the schedule for each worker, doubled in every round."""
        return max(_CHUNKS_OF_TURN, self._schedule.chunk // 2) * self._relay.workers << round_number

    def _commit(self, state: str) -> None:
        self._record = replace(
            self._record,
            state=state,
            checkpoint=self._checkpoint(),
            flips=self._flips,
            seconds=self._earlier_seconds + monotonic() - self._began,
            updated=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self._store.commit([], self._record)

    def _checkpoint(self) -> dict[str, Any]:
        return {"turn": self._turn, "reached": sum(bool(member.reached) for member in self._members)}

    def _settle(self) -> None:
        """Take in what a turn that was cut short has brought."""

    def _result(self) -> FamilyResult:
        record = self._record
        return FamilyResult(
            run=record.id,
            family=record.problem,
            ring=record.ring,
            rows=tuple(member_rows(record, self._store, self._relay.workers)),
            flips=record.flips,
            seconds=round(record.seconds, 3),
            workers=self._relay.workers,
            seed=record.config["seed"],
        )


def members_of(record: RunRecord, store: SqliteStore) -> list[Member]:
    """Return the members of a family run as the store has them; those of a search over formats have several runs."""
    shelves = record.checkpoint.get("archive", {})
    begun: dict[str, list[RunRecord]] = {}
    for run in store.runs(record.id):
        begun.setdefault(".".join(run.id.split(".")[:2]), []).append(run)
    members = []
    for number, problem in enumerate(record.config["members"]):
        known = best_known(problem, record.ring)
        member = Member(f"{record.id}.{number}", problem, known.rank if known else None)
        members.append(_joined(member, begun.get(member.run, ()), shelves.get(problem, ())))
    return members


def member_rows(record: RunRecord, store: SqliteStore, workers: int | None = None) -> list[dict[str, Any]]:
    """Return the JSON row of each member: that of a search, with ``best_known`` and ``gap``."""
    members = record.config["members"]
    walk_version = search_space(parse_problem(members[0]), ring_named(record.ring), None).walk_version
    rows = []
    for number, member in enumerate(members_of(record, store)):
        result = SearchResult(
            run=member.run,
            problem=member.problem,
            ring=record.ring,
            rank=member.rank,
            target_reached=member.reached,
            scheme=member.scheme,
            flips=member.flips,
            seconds=round(member.seconds, 3),
            workers=workers or record.config["workers"],
            seed=member_seed(record.config["seed"], number),
            walk_version=walk_version,
        )
        rows.append({**result.as_dict(), "best_known": member.best_known, "gap": member.gap})
    return rows


def member_seed(root: int, *key: int) -> int:
    """Return the root of a member's own random choices."""
    return int(np.random.SeedSequence(root, spawn_key=key).generate_state(1)[0])


def _joined(member: Member, runs: Sequence[RunRecord], shelf: Sequence[Sequence[Any]] = ()) -> Member:
    """Return what several runs and the archive say of a member."""
    found = [(run.rank, run.best) for run in runs if run.rank is not None]
    found += [(rank, name) for rank, name in shelf]
    rank, scheme = min(found, key=lambda each: each[0], default=(None, None))
    given = bool(shelf) and rank is not None and member.best_known is not None and rank <= member.best_known
    return replace(
        member,
        rank=rank,
        scheme=scheme,
        flips=sum(run.flips for run in runs),
        seconds=sum(run.seconds for run in runs),
        done=given or any(run.state == "done" for run in runs),
    )
