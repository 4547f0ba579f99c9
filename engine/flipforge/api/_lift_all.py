"""Lifts of all schemes of a problem or family, spread over workers; a run that can be interrupted and resumed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from secrets import token_hex
from time import monotonic
from typing import Any

from flipforge.api._library import Db, open_store
from flipforge.api._lift import ATTEMPTS, LiftResult, keep
from flipforge.api._terms import executor_for, lifter, staff_of
from flipforge.catalogue import OWN, Query, SqliteStore
from flipforge.errors import InputError, NotFoundError, RunInterrupted
from flipforge.rings import RINGS, ZT
from flipforge.rings import ring as ring_named
from flipforge.schemes import Scheme, magnitudes
from flipforge.search import LIFTED, Executor, Failure, Lifter, RunRecord, interrupts_held

__all__ = ["LiftBatch", "LiftProgress", "is_lift_run", "lift_all", "resume_lifts"]

_IN_FLIGHT_PER_WORKER = 2
_WAIT_SECONDS = 0.5


@dataclass(frozen=True)
class LiftProgress:
    """What a live line shows: how many schemes are done, of how many, and how many of these are lifted."""

    done: int
    total: int
    lifted: int


OnLiftProgress = Callable[[LiftProgress], None]


@dataclass(frozen=True)
class LiftBatch:
    """What came of lifting many schemes; `as_dict` is the JSON of the contract.

    Attributes
    ----------
    run
        ID by which the batch is resumed and listed.
    rows
        One for each scheme, as of `LiftResult.as_dict`; without a certificate's text, which the catalogue keeps.
    """

    run: str
    rows: tuple[Mapping[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract."""
        return {"run": self.run, "rows": [dict(row) for row in self.rows]}

    @property
    def exit_code(self) -> int:
        """0 where all are lifted, 1 where one is not, 2 where one failed."""
        return max(({"lifted": 0, "failed": 2}.get(row["outcome"], 1) for row in self.rows), default=0)


def lift_all(
    problem: str,
    *,
    to: str = "Q",
    attempts: int = ATTEMPTS,
    best: bool = False,
    seed: int = 0,
    origin: str | None = None,
    workers: int | None = None,
    executor: str | None = None,
    address: str | None = None,
    db: Db = None,
    on_progress: OnLiftProgress | None = None,
) -> LiftBatch:
    """Lift every scheme over a GF(p) of a problem, family or pattern that the catalogue has.

    A scheme whose lift over the ring, or whose proof that there is none, is in the catalogue already is not lifted
    again, unless ``best`` asks for a better one.

    Parameters
    ----------
    problem
        A problem, a family such as ``matmul:2..3x3x3``, or a pattern such as ``structured:*``.
    to, attempts, best, seed
        As for `lift`.
    origin
        Origins with commas; found and derived unless given.
    workers, executor, address
        As for `search`.

    Raises
    ------
    InputError
        The catalogue has no such scheme, or an argument cannot be met.
    RunInterrupted
        On KeyboardInterrupt; what was done is stored, and `resume_lifts` goes on.
    """
    ring_named(to)
    count, name = staff_of(workers, executor)
    with open_store(db) as store:
        sources = [
            row["id"]
            for row in store.rows(Query(problem, origin=origin or OWN))
            if RINGS[row["ring"]].characteristic and not row["problem"].startswith(("commutative:", "border:"))
        ]
        if not sources:
            raise InputError(f"{problem}: the catalogue has no scheme over a GF(p) to lift; search for one first")
        config = {
            "lift": {"to": to, "attempts": attempts, "best": best},
            "sources": sources,
            "seed": seed,
            "workers": count,
            "executor": name,
        }
        now = _now()
        record = RunRecord(token_hex(4), problem, to, "running", config, created=now, updated=now)
        return _drive(store, record, (count, name), address, on_progress)


def resume_lifts(
    run: str,
    *,
    workers: int | None = None,
    executor: str | None = None,
    address: str | None = None,
    db: Db = None,
    on_progress: OnLiftProgress | None = None,
) -> LiftBatch:
    """Go on with a batch of lifts.

    Raises
    ------
    NotFoundError
        The catalogue has no such run.
    InputError
        The run is a search.
    """
    with open_store(db) as store:
        record = store.run(run)
        if "lift" not in record.config:
            raise InputError(f"run {record.id} is a search; resume goes on with it")
        configured = record.config["workers"], record.config["executor"]
        staff = configured if workers is None and executor is None else staff_of(workers, executor)
        return _drive(store, record, staff, address, on_progress)


def is_lift_run(run: str, *, db: Db = None) -> bool:
    """Tell whether a run is a batch of lifts.

    Raises
    ------
    NotFoundError
        The catalogue has no such run.
    """
    with open_store(db) as store:
        return "lift" in store.run(run).config


def _drive(
    store: SqliteStore,
    record: RunRecord,
    staff: tuple[int, str],
    address: str | None,
    on_progress: OnLiftProgress | None,
) -> LiftBatch:
    executor = executor_for(staff, address, _nothing)
    try:
        return _Batch(store, executor, record, lifter(), on_progress or (lambda progress: None)).go()
    finally:
        executor.close()


class _Batch:
    """The controller: at most two schemes in flight for each worker, every answer stored with the record."""

    def __init__(
        self,
        store: SqliteStore,
        executor: Executor,
        record: RunRecord,
        worker: Lifter,
        on_progress: OnLiftProgress,
    ) -> None:
        self._store, self._executor, self._worker, self._on_progress = store, executor, worker, on_progress
        self._record = replace(record, state="running")
        self._rows: dict[str, dict[str, Any]] = dict(record.checkpoint.get("rows", {}))
        self._began, self._earlier = monotonic(), record.seconds
        terms = record.config["lift"]
        self._to, self._best = ring_named(terms["to"]), bool(terms["best"])
        self._lift = partial(worker.lift, attempts=terms["attempts"], seed=record.config["seed"], best=terms["best"])

    def go(self) -> LiftBatch:
        sources: list[str] = self._record.config["sources"]
        self._commit()
        try:
            try:
                self._work([number for number, name in enumerate(sources) if name not in self._rows])
            finally:
                with interrupts_held():
                    done = len(self._rows) == len(sources)
                    self._record = replace(self._record, state="done" if done else "stopped")
                    self._commit()
        except KeyboardInterrupt:
            raise RunInterrupted(self._record.id) from None
        return LiftBatch(self._record.id, tuple(self._rows[name] for name in sources))

    def _work(self, waiting: list[int]) -> None:
        sources: list[str] = self._record.config["sources"]
        flights: dict[int, Scheme] = {}
        waiting.reverse()
        while waiting or flights:
            while waiting and len(flights) < _IN_FLIGHT_PER_WORKER * self._executor.workers:
                number = waiting.pop()
                scheme = self._unlifted(sources[number])
                if scheme is not None:
                    flights[number] = scheme
                    self._executor.submit(number, self._lift, scheme, self._to)
            for number, value in self._executor.wait(_WAIT_SECONDS):
                with interrupts_held():
                    self._arrive(flights.pop(number), value)
            lifts = sum(row["lifted"] for row in self._rows.values())
            self._on_progress(LiftProgress(len(self._rows), len(sources), lifts))

    def _unlifted(self, name: str) -> Scheme | None:
        """Return a scheme to lift; where the catalogue knows what comes of it, note that and return None."""
        try:
            scheme: Scheme = self._store.scheme(name)
        except NotFoundError as error:
            self._rows[name] = {"source": name, "lifted": False, "outcome": "failed", "reason": str(error)}
            return None
        proofs = ("obstruction", "signs") if self._to == ZT else ("obstruction",)
        if any(certificate.kind in proofs for certificate in self._store.certificates(name)):
            self._rows[name] = {**_row(scheme, "obstructed"), "reason": "the catalogue has the proof"}
            return None
        if self._best:
            return scheme
        inside = [ring for ring, over in RINGS.items() if not over.characteristic]
        inside = inside[: inside.index(self._to.name) + 1]
        rows = [self._store.row(child) for child in self._store.derived_from(name, LIFTED)]
        known = next((row for ring in inside for row in rows if row["ring"] == ring), None)
        if known is None:
            return scheme
        numerator, denominator = magnitudes(self._store.scheme(known["id"]))
        sizes = {"max_numerator": numerator, "max_denominator": denominator}
        self._rows[name] = {**_row(scheme, "lifted"), "ring": known["ring"], "id": known["id"], **sizes}
        return None

    def _arrive(self, scheme: Scheme, value: Any) -> None:
        if isinstance(value, Failure):
            self._rows[scheme.id] = {**_row(scheme, "failed"), "reason": value.error}
        else:
            keep(self._store, scheme, value, self._worker)
            row = LiftResult(scheme, value).as_dict()
            self._rows[scheme.id] = {key: cell for key, cell in row.items() if key not in ("file", "obstruction")}
        self._commit()

    def _commit(self) -> None:
        seconds = self._earlier + monotonic() - self._began
        self._record = replace(self._record, checkpoint={"rows": dict(self._rows)}, seconds=seconds, updated=_now())
        self._store.commit([], self._record)


def _row(scheme: Scheme, outcome: str) -> dict[str, Any]:
    return {
        "source": scheme.id,
        "problem": scheme.problem.name,
        "rank": scheme.rank,
        "lifted": outcome == "lifted",
        "outcome": outcome,
    }


def _nothing() -> None:
    """Warm nothing up: what lifts compile is cached on disk, and few tasks need it."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
