"""Low ranks with many recursive calls.

    python bench/recursive_calls.py structured:gt:4:c --rank 26 --seed 41 --db FILE

Pools keep what leads down, and that has few calls. Here every level is a population, and parents are drawn by the
number of their calls: each number that occurs has a share, larger ones a larger one. Most walks from a scheme with
calls hold these (`hold@calls`) and move the other products. Finds are kept in the catalogue with their lineage, so that
`flipforge replay` makes them again.
"""

import argparse
import time
from collections import Counter
from dataclasses import asdict, dataclass

import numpy as np

from flipforge import api
from flipforge.catalogue import SqliteStore
from flipforge.problems import parse
from flipforge.rings import ring as ring_named
from flipforge.schemes import call_kinds, recursive_calls, standard_scheme
from flipforge.search import HOLD_CALLS, Effort, Entry, FlipSpace, Lineage, Seed, take

LIKING = 0.5
"""How much likelier one call more makes a parent."""
MOST = 5
"""Numbers of calls from which on no difference is made."""
HOLDING = 0.6
IDLE, BAND, PATH = (1_000, 5_000, 20_000), (1, 2, 3, 4), (20_000, 100_000, 300_000)


@dataclass(frozen=True)
class Found:
    """A state with the number of its calls, and how it was come by: from which other one, by which walk."""

    state: np.ndarray
    calls: int
    parent: "Found | None" = None
    method: str = ""
    effort: Effort | None = None
    seed: Seed | None = None


def descend(space: FlipSpace, rank: int, tries: int, last: int, root: int) -> list[Found]:
    """Return the distinct states of a rank that a population comes to."""
    generator = np.random.default_rng(root)
    first = space.state(standard_scheme(space.problem, space.ring))
    population = [Found(first, calls_of(space, first))]
    for goal in range(first.shape[1] - 1, rank - 1, -1):
        begun, found = time.process_time(), dict[bytes, Found]()
        classes: dict[int, list[Found]] = {}
        for each in population:
            classes.setdefault(min(each.calls, MOST), []).append(each)
        for number in range(tries if goal > rank else last):
            child = walked(space, drawn(classes, generator), goal, Seed(root, (goal, number)), generator)
            if child is not None:
                found.setdefault(space.encode(child.state), child)
        population = list(found.values())
        counts = sorted(Counter(each.calls for each in population).items())
        print(f"rank {goal}: (calls, schemes) {counts}, {time.process_time() - begun:.1f} s", flush=True)
    return population


def drawn(classes: dict[int, list[Found]], generator: np.random.Generator) -> Found:
    """Draw a number of calls, then one of those that have it."""
    numbers = sorted(classes)
    weights = np.exp(LIKING * np.array(numbers))
    chosen = classes[numbers[generator.choice(len(numbers), p=weights / weights.sum())]]
    return chosen[generator.integers(len(chosen))]


def walked(space: FlipSpace, parent: Found, goal: int, seed: Seed, generator: np.random.Generator) -> Found | None:
    """Walk once from a parent, with the step that tells how; None where the goal is not reached."""
    holds = bool(0 < parent.calls <= MOST and generator.random() < HOLDING)
    idle, band, path = (int(generator.choice(choices)) for choices in (IDLE, BAND, PATH))
    effort, method = Effort(path, path, goal, idle, band), HOLD_CALLS if holds else "walk"
    outcome = take(space, parent.state, method, effort, seed)
    if not outcome.reached:
        return None
    return Found(outcome.state, calls_of(space, outcome.state), parent, method, effort, seed)


def history(space: FlipSpace, found: Found) -> list[Entry]:
    """Return a find as a catalogue takes it, after those that lead to it."""
    if found.parent is None or found.effort is None or found.seed is None:
        return []
    child, before = space.scheme(found.state), space.scheme(found.parent.state)
    word, effort = (found.seed.root, *found.seed.key), asdict(found.effort)
    step = Lineage(child.id, before.id, found.method, word, effort, space.walk_version, "", space.arguments)
    return [*history(space, found.parent), Entry(child, "found", step)]


def calls_of(space: FlipSpace, state: np.ndarray) -> int:
    """Return the number of calls of the same kind."""
    kinds = call_kinds(space.problem, *space.rows(state))
    return 0 if kinds is None else kinds.count("a")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("problem")
    parser.add_argument("--ring", default="GF2")
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tries", type=int, default=1_200, help="walks for each rank on the way")
    parser.add_argument("--last", type=int, default=3_000, help="walks for the rank asked for")
    parser.add_argument("--keep", type=int, default=10, help="how many of those with the most calls are kept")
    parser.add_argument("--db", help="catalogue; nothing is kept without one")
    arguments = parser.parse_args()
    space = FlipSpace(parse(arguments.problem), ring_named(arguments.ring))
    found = descend(space, arguments.rank, arguments.tries, arguments.last, arguments.seed)
    found.sort(key=lambda each: -each.calls)
    for each in found[: arguments.keep]:
        print(f"{space.scheme(each.state).id}: {recursive_calls(space.scheme(each.state))}")
        if arguments.db:
            with SqliteStore.open(arguments.db) as store:
                store.commit(history(space, each))
            api.replay_scheme(space.scheme(each.state).id, db=arguments.db)


if __name__ == "__main__":
    main()
