"""The unit of distributed work: several walks from the parents of one level."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from os import getpid
from time import thread_time
from typing import Any

from flipforge.search._protocols import Effort, Seed, Space

__all__ = ["Chunk", "ChunkResult", "Find", "run_chunk"]

_ATTEMPT_COST = 2_000
"""Steps that an attempt is charged at least, so that a chunk of walks that end at once ends too."""


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
    """

    number: int
    parents: tuple[bytes, ...]
    effort: Effort
    steps: int
    wanted: int
    root: int


@dataclass(frozen=True)
class Find:
    """A state that reached its goal, with what is needed to walk there again."""

    state: bytes
    parent: bytes
    effort: Effort
    seed: Seed


@dataclass(frozen=True)
class ChunkResult:
    """What came of a chunk; ``seconds`` is CPU time of the worker's thread."""

    number: int
    level: int
    finds: tuple[Find, ...]
    attempts: int
    successes: int
    steps: int
    seconds: float
    worker: int
    counts: Mapping[str, int]


def run_chunk(space: Space[Any], chunk: Chunk) -> ChunkResult:
    """Make the walks of a chunk; a pure function but for ``seconds`` and ``worker``."""
    began = thread_time()
    finds: dict[bytes, Find] = {}
    counts: dict[str, int] = {}
    steps = charged = attempts = successes = 0
    for attempt in count():
        if charged >= chunk.steps or len(finds) >= chunk.wanted:
            break
        parent = chunk.parents[attempt % len(chunk.parents)]
        effort = replace(chunk.effort, steps=min(chunk.effort.steps, chunk.steps - charged))
        seed = Seed(chunk.root, (chunk.number, attempt + 1))
        outcome = space.walk(space.decode(parent), effort, seed)
        attempts += 1
        steps += outcome.steps
        charged += max(outcome.steps, _ATTEMPT_COST)
        for name, number in outcome.counts.items():
            counts[name] = counts.get(name, 0) + number
        if outcome.reached:
            successes += 1
            finds.setdefault(space.key(outcome.state), Find(space.encode(outcome.state), parent, effort, seed))
    return ChunkResult(
        chunk.number,
        chunk.effort.goal + 1,
        tuple(finds.values()),
        attempts,
        successes,
        steps,
        thread_time() - began,
        getpid(),
        counts,
    )
