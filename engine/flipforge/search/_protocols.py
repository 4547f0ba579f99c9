"""What the searcher asks of a kind of object, of an executor, of a store and of a lifter.

Walks are pure functions of (state, effort, seed) under a walk version; everything that makes a run repeatable or
resumable rests on that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from flipforge.certificates import Certificate
from flipforge.flips import seed_words
from flipforge.problems import Problem
from flipforge.programs import Layer
from flipforge.rings import Ring
from flipforge.schemes import Scheme
from flipforge.search._growth import Corner
from flipforge.search._proven import Proven

__all__ = [
    "Breadth",
    "Calling",
    "Effort",
    "Entry",
    "Executor",
    "Failure",
    "Growing",
    "Invariant",
    "Lift",
    "Lifter",
    "Lineage",
    "Outcome",
    "Reducing",
    "RunRecord",
    "Sandwiching",
    "Seed",
    "Space",
    "Store",
    "Stored",
]

State = TypeVar("State")
Stored = Scheme | Layer | Proven
"""What a store keeps: the schemes of bilinear problems, and the programs of layers."""
State_contra = TypeVar("State_contra", contravariant=True)


@dataclass(frozen=True)
class Seed:
    """Names a stream of random words: numpy's ``SeedSequence(root, spawn_key=key)``, the same on every machine."""

    root: int
    key: tuple[int, ...] = ()

    def sequence(self) -> np.random.SeedSequence:
        """Return numpy's seed sequence, from which a `numpy.random.Generator` can be made."""
        return np.random.SeedSequence(self.root, spawn_key=self.key)

    def words(self) -> npt.NDArray[np.uint64]:
        """Return four 64-bit words for a xoshiro256 generator."""
        return seed_words(self.root, *self.key)


@dataclass(frozen=True)
class Effort:
    """How far one walk goes.

    Attributes
    ----------
    steps
        At most so many steps, all paths together.
    path
        Steps after which a walk that has not reached the goal begins again from where it started.
    goal
        Stop as soon as ``score[0]`` is at or below this.
    idle
        Steps without a new record after which a plus transition is made.
    band
        How far above the start's ``score[0]`` plus transitions may lead.
    """

    steps: int
    path: int
    goal: int
    idle: int
    band: int


@dataclass(frozen=True)
class Outcome(Generic[State]):
    """Where a walk ended: its last state, whether the goal was reached, and what it did.

    ``mobility`` counts what can be flipped in the last state; 0 where no flip exists.
    """

    state: State
    reached: bool
    steps: int
    counts: Mapping[str, int]
    mobility: int = 0


class Space(Protocol[State]):
    """What the searcher needs to know of a kind of object."""

    @property
    def problem(self) -> Problem:
        """What the states compute."""

    @property
    def walk_version(self) -> str:
        """Name of the walk's semantics; bumped whenever the same arguments may give another answer."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """JSON values from which the space is made again beside problem and ring; most need none."""

    def start(self, seed: Seed) -> State:
        """Return a state to begin from."""

    def walk(self, state: State, effort: Effort, seed: Seed) -> Outcome[State]:
        """Walk; the same arguments give the same answer."""

    def score(self, state: State) -> tuple[int, ...]:
        """Smaller is better; ``[0]`` is the level of the pool."""

    def key(self, state: State) -> bytes:
        """Return equal bytes iff the states are the same object."""

    def certify(self, state: State) -> Certificate:
        """Prove the state exactly, or raise `VerificationError`."""

    def encode(self, state: State) -> bytes:
        """Write the state; states with one key have one encoding."""

    def decode(self, data: bytes) -> State:
        """Read what `encode` wrote."""

    def scheme(self, state: State) -> Any:
        """Return the state as the object the catalogue keeps, one of `Stored`, in canonical form."""

    def state(self, scheme: Any) -> State:
        """Return the state of a catalogue object."""


@runtime_checkable
class Invariant(Protocol[State_contra]):
    """A space that tells classes of states apart: equal for equivalent states, seldom equal for others."""

    def invariant(self, state: State_contra) -> bytes:
        """Return what does not change along the orbit of the state."""


@runtime_checkable
class Breadth(Protocol[State_contra]):
    """A space that measures how far its states are from a sum of small pieces."""

    def breadth(self, state: State_contra) -> int:
        """Return a number that does not change along the orbit of the state; larger is less special."""


@runtime_checkable
class Reducing(Protocol[State]):
    """A space that finds reductions which a walk does not see."""

    def reduce(self, state: State) -> State:
        """Return a state of a lower level, or an equal one where there is none."""


@runtime_checkable
class Sandwiching(Protocol[State]):
    """A space whose states move along their orbits."""

    def sandwich(self, state: State, seed: Seed) -> State:
        """Return a random state of the same orbit."""


@dataclass(frozen=True)
class Lift:
    """What came of lifting a scheme over GF(p) to characteristic 0.

    Attributes
    ----------
    outcome
        ``lifted``, ``obstructed`` (proved impossible) or ``open`` (not found).
    scheme
        The lift in canonical form, over the smallest ring that carries it; None unless lifted.
    obstruction
        The proof that this scheme has no lift; None unless obstructed.
    attempts
        How many ways were tried.
    step
        The power of p up to which the attempt that came farthest was a solution.
    arguments
        JSON values from which `Lifter.again` makes the same lift.
    reason
        What stands between this outcome and a lift, in words; empty when lifted.
    """

    outcome: Literal["lifted", "obstructed", "open"]
    scheme: Scheme | None = None
    obstruction: Certificate | None = None
    attempts: int = 0
    step: int = 1
    arguments: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@runtime_checkable
class Growing(Protocol[State]):
    """A space whose first state holds those of smaller problems, its corners."""

    def corners(self, generator: np.random.Generator, after: Corner | None = None) -> tuple[Corner, ...]:
        """Return corners to walk one after another, those that follow one that was walked, the whole last."""

    def walk_corner(self, state: State, corner: Corner, effort: Effort, seed: Seed) -> Outcome[State]:
        """Walk the products inside a corner and keep the others; the goal of the effort counts all of them."""

    def walk_beside(self, state: State, corner: Corner, effort: Effort, seed: Seed) -> Outcome[State]:
        """Walk so that what the products show of a corner stays as it is, but for reductions."""


@runtime_checkable
class Calling(Protocol[State]):
    """A space of schemes some of whose products are recursive calls."""

    def walk_calls(self, state: State, effort: Effort, seed: Seed) -> Outcome[State]:
        """Walk so that products which call the same kind of product stay as they are."""


@runtime_checkable
class Lifter(Protocol):
    """Lifts schemes to characteristic 0; the caller finds one among the plugins and hands it to the run.

    It pickles, and its methods are pure functions: tasks in other processes call them.
    """

    @property
    def version(self) -> str:
        """Name of what the lifter does; bumped whenever it may give another lift for the same arguments."""

    def liftable(self, scheme: Scheme, to: Ring) -> bool:
        """Tell whether a scheme over a finite field lifts to a ring of characteristic 0, or to a smaller one."""

    def lift(self, scheme: Scheme, to: Ring, *, attempts: int, seed: int, best: bool) -> Lift:
        """Lift a scheme over a finite field to a ring of characteristic 0, or a smaller one.

        Parameters
        ----------
        attempts
            How many ways are tried at most; the first that leads to the ring is taken, or with ``best`` the lift of
            the smallest ring, coefficients and costs.
        """

    def again(self, scheme: Scheme, arguments: Mapping[str, Any]) -> Scheme:
        """Make a lift again from its `Lift.arguments`.

        Raises
        ------
        ReplayError
            They lead to no lift.
        """


class Mover(Protocol):
    """Moves on a scheme that lower its additions; a reducer has them."""

    @property
    def version(self) -> str:
        """Raised whenever the same moves give another scheme."""

    def moved(self, scheme: Scheme, *, moves: int, seed: int) -> Scheme:
        """Return a scheme of the same problem, ring and rank with fewer additions after sharing, or the given one.

        Parameters
        ----------
        moves
            Changes to try.
        seed
            The same arguments give the same scheme.
        """


@dataclass(frozen=True)
class Lineage:
    """One step of an object's history: how ``child`` came from ``parent``, by moves of a walk or by a derivation.

    Attributes
    ----------
    child, parent
        IDs; the parent of a first step is the ID of the scheme that started the run, that of a derivation the first of
        its sources.
    method
        How: a name that `replay` or `retrace` knows.
    seed
        ``(root, *key)`` of the `Seed`.
    effort
        ``{"steps", "path", "goal", "idle", "band"}`` of the `Effort`.
    walk_version
        Version the step was walked under, or of the transforms.
    run
        ID of the run that made the step; empty where none did.
    arguments
        JSON values from which the transform of a derivation is made again, or, beside problem and ring, the space of a
        walk.
    sources
        Of a derivation: ID and problem of each scheme that it takes. A step of a walk has none.
    """

    child: str
    parent: str
    method: str
    seed: tuple[int, ...]
    effort: Mapping[str, int]
    walk_version: str
    run: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[tuple[str, str], ...] = ()

    @property
    def parents(self) -> tuple[str, ...]:
        """IDs of all schemes that the child was made from."""
        return tuple(identity for identity, _ in self.sources) or (self.parent,)


@dataclass(frozen=True)
class Entry:
    """An object on its way into a store, one of `Stored`; ``origin`` is found, derived or imported."""

    scheme: Any
    origin: str
    lineage: Lineage | None = None
    source: str = ""


@dataclass(frozen=True)
class RunRecord:
    """A run as the store keeps it.

    Attributes
    ----------
    state
        ``running``, ``stopped`` (budget, interrupt) or ``done`` (target reached). A killed run still says ``running``.
    config
        JSON values that define the run; never changed after it began.
    checkpoint
        JSON values from which `resume` goes on; written in one transaction with the finds it refers to.
    best
        ID of the best scheme so far.
    """

    id: str
    problem: str
    ring: str
    state: str
    config: Mapping[str, Any]
    checkpoint: Mapping[str, Any] = field(default_factory=dict)
    rank: int | None = None
    best: str | None = None
    flips: int = 0
    seconds: float = 0.0
    created: str = ""
    updated: str = ""


@runtime_checkable
class Store(Protocol):
    """Keeps objects, lineage and runs. Writes are atomic and idempotent by ID."""

    def commit(
        self, entries: Sequence[Entry], run: RunRecord | None = None, events: Sequence[Mapping[str, Any]] = ()
    ) -> list[str]:
        """Verify each entry again and write all of them, the run's record and its new events in one transaction.

        Returns the IDs that are new. An event that is there already is not written again.
        """

    def scheme(self, prefix: str) -> Any:
        """Return the object of an ID or unique prefix (six characters or more), one of `Stored`, with provenance."""

    def lineage(self, prefix: str) -> list[Lineage]:
        """Return the steps that lead to a scheme, each after those of its parents; empty when it has none."""

    def run(self, prefix: str) -> RunRecord:
        """Return a run's record."""

    def runs(self) -> list[RunRecord]:
        """Return all runs, oldest first."""

    def events(self, prefix: str) -> list[Mapping[str, Any]]:
        """Return the events of a run in the order in which they were committed."""

    def close(self) -> None:
        """Finish pending writes and release the store."""


@dataclass(frozen=True)
class Failure:
    """A task that raised; the run records it and goes on."""

    error: str


class Executor(Protocol):
    """Runs pure functions somewhere. Tasks may be executed more than once after a fault; each answers once."""

    @property
    def workers(self) -> int:
        """How many tasks run at a time."""

    def submit(self, key: int, function: Callable[..., Any], *args: Any) -> None:
        """Queue ``function(*args)`` under a key that is not in use; function and arguments must pickle."""

    def wait(self, timeout: float) -> list[tuple[int, Any]]:
        """Return finished ``(key, value)`` pairs, a `Failure` for what raised; wait at most ``timeout`` seconds."""

    def close(self) -> None:
        """Stop workers; unfinished tasks are dropped."""
