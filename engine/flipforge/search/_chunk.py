"""The unit of distributed work: several walks from the parents of one level."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import count
from os import getpid
from time import thread_time
from typing import Any

from flipforge.search._growth import Corner, read_corner, write_corner
from flipforge.search._objectives import Calls, Objective, partnered
from flipforge.search._pool import Member
from flipforge.search._protocols import (
    Breadth,
    Calling,
    Effort,
    Growing,
    Invariant,
    Outcome,
    Reducing,
    Sandwiching,
    Seed,
    Space,
)

__all__ = ["Chunk", "ChunkResult", "Find", "describe", "run_chunk", "take"]

_ATTEMPT_COST = 2_000
"""Steps that an attempt is charged at least, so that a chunk of walks that end at once ends too."""
_ANSWER_COST = 1_000_000
"""Steps that asking a required objective is charged on a plateau: it takes longer than a path."""
_DIGEST_BYTES = 8
HOLD_CALLS = "hold@calls"
"""How `take` knows walks that keep recursive calls; every other walk does where more of them are wanted."""


@dataclass(frozen=True)
class Chunk:
    """Walks to make: attempt number a starts from parent ``a % len(parents)`` with the seed ``(root, number, a + 1)``.

    Attributes
    ----------
    number
        The chunk's number in its run.
    parents
        Encoded states of one level.
    effort
        Of each single walk.
    steps
        Budget of all walks together.
    wanted
        Stop after so many distinct finds.
    plateau
        Keep also states of the parents' level that are better than their parent by the second objective.
    sifted
        Whether the breadth of the finds is asked for.
    sandwich
        Begin at a random state of the parent's orbit, where the space offers it.
    corner
        Walk only the products inside it.
    held
        Walk so that what the products show of it stays as it is.
    """

    number: int
    parents: tuple[bytes, ...]
    effort: Effort
    steps: int
    wanted: int
    root: int
    plateau: bool = False
    sifted: bool = False
    sandwich: bool = False
    corner: Corner | None = None
    held: Corner | None = None

    @property
    def method(self) -> str:
        """How `take` knows its walks."""
        if self.held is not None:
            return f"hold@{write_corner(self.held)}"
        return "walk" if self.corner is None else f"walk@{write_corner(self.corner)}"


@dataclass(frozen=True)
class Find:
    """A state worth keeping, with what is needed to come there again; ``method`` is one that `take` knows."""

    member: Member
    parent: bytes
    method: str
    effort: Effort
    seed: Seed


@dataclass(frozen=True)
class ChunkResult:
    """What came of a chunk; ``seconds`` is CPU time of the worker's thread."""

    number: int
    level: int
    effort: Effort
    plateau: bool
    finds: tuple[Find, ...]
    attempts: int
    successes: int
    steps: int
    seconds: float
    worker: int
    counts: Mapping[str, int]


def take(space: Space[Any], state: Any, method: str, effort: Effort, seed: Seed) -> Outcome[Any]:
    """Take one step of a lineage: a pure function of its arguments.

    ``method`` joins the names of moves by plus signs, to be made in this order: ``sandwich``, ``walk``, ``reduce``;
    ``walk@2x3x4`` walks inside that corner, ``hold@2x3x4`` so that what shows of it stays, and
    ``hold@calls`` so that recursive calls do.

    Raises
    ------
    ValueError
        The name is not known, or the space does not offer the move.
    """
    outcome: Outcome[Any] = Outcome(state, False, 0, {})
    for move in method.split("+"):
        name, _, corner = move.partition("@")
        if move == "walk":
            outcome = space.walk(outcome.state, effort, seed)
        elif name == "walk" and isinstance(space, Growing):
            outcome = space.walk_corner(outcome.state, read_corner(corner), effort, seed)
        elif move == HOLD_CALLS and isinstance(space, Calling):
            outcome = space.walk_calls(outcome.state, effort, seed)
        elif name == "hold" and isinstance(space, Growing):
            outcome = space.walk_beside(outcome.state, read_corner(corner), effort, seed)
        elif move == "reduce" and isinstance(space, Reducing):
            outcome = replace(outcome, state=space.reduce(outcome.state))
        elif move == "sandwich" and isinstance(space, Sandwiching):
            # A stream of its own: the walk that follows uses the seed as it stands.
            outcome = replace(outcome, state=space.sandwich(outcome.state, Seed(seed.root, (*seed.key, 0))))
        else:
            raise ValueError(method)
    return outcome


def describe(
    space: Space[Any], state: Any, objective: Objective, *, sifted: bool = False, flips: int | None = None
) -> Member:
    """Return a state as a member of a pool; ``flips`` saves counting them where that was done."""
    orbit = space.invariant(state) if isinstance(space, Invariant) else space.key(state)
    return Member(
        space.encode(state),
        blake2b(orbit, digest_size=_DIGEST_BYTES).hexdigest(),
        space.breadth(state) if sifted and isinstance(space, Breadth) else 0,
        partnered(space, state) if flips is None else flips,
        objective.value(space, state),
    )


def run_chunk(space: Space[Any], chunk: Chunk, objective: Objective) -> ChunkResult:
    """Make the walks of a chunk; a pure function but for ``seconds`` and ``worker``."""
    began = thread_time()
    level = chunk.effort.goal + 1
    finds: dict[bytes, Find] = {}
    values: dict[bytes, float] = {}
    counts: dict[str, int] = {}
    steps = charged = attempts = successes = dead = 0
    holds = isinstance(objective, Calls) and not objective.few and isinstance(space, Calling)
    for attempt in count():
        if charged >= chunk.steps or len(finds) >= chunk.wanted or dead == len(chunk.parents):
            break
        parent = chunk.parents[attempt % len(chunk.parents)]
        effort = replace(chunk.effort, steps=min(chunk.effort.steps, chunk.steps - charged))
        seed = Seed(chunk.root, (chunk.number, attempt + 1))
        before = space.decode(parent)
        method = chunk.method
        if method == "walk" and holds and attempt % 2:
            method = HOLD_CALLS
        if chunk.sandwich and _moves(space, before, effort, seed):
            method = "sandwich+walk"
        outcome = take(space, before, method, effort, seed)
        attempts += 1
        dead = 0 if outcome.steps else dead + 1
        steps += outcome.steps
        charged += max(outcome.steps, _ATTEMPT_COST)
        for name, number in outcome.counts.items():
            counts[name] = counts.get(name, 0) + number
        flips: int | None = outcome.mobility
        if not outcome.reached and isinstance(space, Reducing):
            reduced = space.reduce(outcome.state)
            if space.score(reduced)[0] < level:
                outcome, method, flips = replace(outcome, state=reduced, reached=True), method + "+reduce", None
        successes += outcome.reached
        better = False
        if chunk.plateau and space.score(outcome.state)[0] == level:
            if parent not in values:
                values[parent] = objective.value(space, before)
            # Where the answer is yes already there is nothing to ask.
            if values[parent] or not objective.required:
                better = objective.value(space, outcome.state) < values[parent]
                charged += _ANSWER_COST if objective.required else 0
        if outcome.reached or better:
            member = describe(space, outcome.state, objective, sifted=chunk.sifted, flips=flips)
            finds.setdefault(member.state, Find(member, parent, method, effort, seed))
    return ChunkResult(
        chunk.number,
        level,
        chunk.effort,
        chunk.plateau,
        tuple(finds.values()),
        attempts,
        successes,
        steps,
        thread_time() - began,
        getpid(),
        counts,
    )


def _moves(space: Space[Any], state: Any, effort: Effort, seed: Seed) -> bool:
    """Tell whether there is a sandwich and it leads elsewhere."""
    if not isinstance(space, Sandwiching):
        return False
    return bool(space.key(take(space, state, "sandwich", effort, seed).state) != space.key(state))
