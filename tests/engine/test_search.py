"""The searcher against an in-memory store: purity, levels, limits, resume, replay, and a walk that lies."""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue_samples import strassen
from flipforge.errors import InputError, ProblemError, ReplayError, RingError, RunInterrupted, VerificationError
from flipforge.problems import matmul, tensor_problem
from flipforge.rings import GF2, ZT, Z
from flipforge.schemes import standard_scheme
from flipforge.search import (
    Chunk,
    Effort,
    Entry,
    Failure,
    FlipSpace,
    Limits,
    Outcome,
    Run,
    Seed,
    objective,
    preset,
    replay,
    run_chunk,
)
from search_bench import SMALL, THREE, TWO, Bench, Interrupting, MemoryStore, searched


def test_from_nothing_to_a_proven_scheme_with_complete_lineage() -> None:
    store = MemoryStore()
    record = searched(THREE, store, target=23)
    assert (record.state, record.rank) == ("done", 23)
    assert record.best is not None
    best = store.scheme(record.best)
    assert best.rank == 23 and best.verdict().valid
    chain = store.lineage(best.id)
    standard = standard_scheme(THREE.problem, GF2)
    assert chain[0].parent == standard.id and chain[-1].child == best.id
    assert all(step.child in store.schemes and step.parent in store.schemes for step in chain)
    assert replay(THREE, standard, chain).scheme == best


def test_same_seed_same_run_and_another_seed_another() -> None:
    runs = []
    for seed in (5, 5, 6):
        store = MemoryStore()
        record = searched(THREE, store, seed=seed, flips=600_000)
        repeats = {key: record.checkpoint[key] for key in ("next", "ladder", "course")}
        runs.append((record.rank, record.best, record.flips, list(store.schemes), repeats))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@pytest.mark.parametrize("flips", [1, 60_001, 333_333])
def test_flips_are_a_hard_budget(flips: int) -> None:
    assert searched(THREE, MemoryStore(), flips=flips).flips <= flips


def test_budget_of_flips_is_used_up() -> None:
    assert searched(THREE, MemoryStore(), flips=300_000).flips == 300_000


def test_ordered_merging_does_not_depend_on_the_order_of_arrival() -> None:
    results = []
    for pick in (lambda waiting: 0, lambda waiting: waiting - 1, lambda waiting: waiting // 2):
        store = MemoryStore()
        record = searched(THREE, store, Bench(3, pick), flips=500_000)
        order = [event["chunk"] for event in store.log]
        assert order == sorted(order)
        results.append((record.best, record.flips, sorted(store.schemes)))
    assert results[0] == results[1] == results[2]


def test_merging_on_arrival_logs_the_order() -> None:
    store = MemoryStore()
    searched(THREE, store, Bench(2, lambda waiting: waiting - 1), deterministic=False, flips=400_000)
    order = [event["chunk"] for event in store.log]
    assert order != sorted(order) and len(set(order)) == len(order)


def test_at_most_two_chunks_in_flight_per_worker() -> None:
    bench = Bench(3)
    searched(THREE, MemoryStore(), bench, flips=500_000)
    assert bench.most == 6


def test_resume_goes_on_where_the_last_commit_stood() -> None:
    store = MemoryStore()
    stopped = searched(THREE, store, flips=20_000)
    assert stopped.state == "stopped" and stopped.checkpoint["next"] > 0
    known = set(store.schemes)
    run = Run(THREE, Bench(), store, stopped, schedule=SMALL, limits=Limits(target=23), deterministic=True)
    run.resume()
    record = run.go()
    assert record.id == stopped.id and record.state == "done" and record.rank == 23
    assert known <= set(store.schemes) and record.flips > stopped.flips
    numbers = [event["chunk"] for event in store.log]
    assert len(numbers) == len(set(numbers))


def test_interrupt_writes_a_checkpoint() -> None:
    store = MemoryStore()
    with pytest.raises(RunInterrupted) as caught:
        searched(THREE, store, Interrupting(), flips=10_000_000)
    assert store.record is not None and caught.value.run == store.record.id
    assert store.record.state == "stopped" and store.record.checkpoint["next"] >= 3


def test_a_failed_chunk_is_recorded_and_the_run_goes_on() -> None:
    class Failing(Bench):
        def wait(self, timeout: float) -> list[tuple[int, Any]]:
            key, value = super().wait(timeout)[0]
            return [(key, Failure("lost") if key % 2 else value)]

    store = MemoryStore()
    record = searched(THREE, store, Failing(), target=24, seconds=60)
    assert record.state == "done"
    assert {"chunk": 1, "error": "lost"} in store.log


def test_a_run_whose_chunks_all_fail_ends_with_the_reason() -> None:
    class Broken(Bench):
        def wait(self, timeout: float) -> list[tuple[int, Any]]:
            return [(self.tasks.pop(0)[0], Failure("no numba here"))]

    with pytest.raises(InputError, match="no numba here"):
        searched(THREE, MemoryStore(), Broken(), target=23)


@dataclass(frozen=True)
class LyingSpace(FlipSpace):
    """Claims a drop of the rank by leaving a product out."""

    def walk(self, state: Any, effort: Effort, seed: Seed) -> Outcome[Any]:
        return Outcome(np.ascontiguousarray(state[:, 1:]), True, 1, {})


def test_the_store_refuses_what_a_lying_walk_finds() -> None:
    store = MemoryStore()
    with pytest.raises(VerificationError):
        searched(LyingSpace(matmul(2, 2, 2)), store, target=7)
    assert [scheme.rank for scheme in store.schemes.values()] == [8]


def test_a_space_without_moves_ends() -> None:
    record = searched(FlipSpace(matmul(1, 1, 1)), MemoryStore(), target=1)
    assert record.state == "done" and record.rank == 1
    stuck = searched(FlipSpace(matmul(1, 1, 1)), MemoryStore())
    assert stuck.state == "stopped" and stuck.rank == 1


@dataclass(frozen=True)
class Falling(FlipSpace):
    """A space where all walks fall to one scheme at once, from which none leads on."""

    def walk(self, state: Any, effort: Effort, seed: Seed) -> Outcome[Any]:
        end = self.state(strassen(GF2))
        falls = effort.steps > 0 and self.score(state)[0] > 7
        return Outcome(end if falls else state, falls and effort.goal >= 7, int(falls), {}, 1)


@pytest.mark.parametrize("dive", [0, 1_000_000])
def test_a_run_that_finds_what_is_there_at_once_ends(dive: int) -> None:
    space, store = Falling(matmul(2, 2, 2)), MemoryStore()
    run = Run(
        space,
        Bench(),
        store,
        Run.new(space, "GF2", {"seed": 1}),
        schedule=replace(SMALL, dive=dive),
        limits=Limits(target=6, seconds=600.0),
        deterministic=True,
        objective=objective("additions"),
    )
    run.begin([Entry(standard_scheme(space.problem, GF2).canonical, "derived")])
    record = run.go()
    assert (record.state, record.rank) == ("stopped", 7)
    assert 64 <= len(store.log) < 200, "it goes on for a while, for other walks may find other schemes"


def test_replay_refuses_what_does_not_rebuild() -> None:
    store = MemoryStore()
    record = searched(TWO, store, target=7)
    assert record.best is not None
    root, chain = standard_scheme(TWO.problem, GF2), store.lineage(record.best)
    step = chain[-1]
    wrong_seed = (step.seed[0] + 1, *step.seed[1:])
    for broken, words in (
        (replace(step, seed=wrong_seed), "gives"),
        (replace(step, child="0" * 12), "stored is 000000000000"),
        (replace(step, walk_version="gf2/0"), "gf2/0"),
        (replace(step, method="merge"), "made by 'merge'"),
        (replace(step, parent="0" * 12), "starts from"),
    ):
        with pytest.raises(ReplayError, match=words):
            replay(TWO, root, [*chain[:-1], broken])


def chunk_at(space: FlipSpace, **changes: Any) -> Chunk:
    start = space.encode(space.start(Seed(0)))
    effort = Effort(steps=20_000, path=20_000, goal=space.start(Seed(0)).shape[1] - 1, idle=1000, band=1)
    return replace(Chunk(4, (start,), effort, 50_000, 5, 9), **changes)


def test_a_chunk_is_a_pure_function_and_keeps_its_budget() -> None:
    first, second = (run_chunk(THREE, chunk_at(THREE), objective("additions")) for _ in range(2))
    assert replace(first, seconds=0.0) == replace(second, seconds=0.0)
    assert first.steps <= 50_000 and 1 <= len(first.finds) <= 5
    for find in first.finds:
        outcome = THREE.walk(THREE.decode(find.parent), find.effort, find.seed)
        assert THREE.encode(outcome.state) == find.member.state
        THREE.certify(outcome.state)


def test_a_chunk_ends_when_no_parent_has_a_move() -> None:
    found = run_chunk(TWO, chunk_at(TWO), objective("additions")).finds[-1].member.state
    stuck = TWO.walk(TWO.decode(found), Effort(100_000, 100_000, 7, 100, 2), Seed(0)).state
    assert stuck.shape[1] == 7
    ends = chunk_at(TWO, parents=(TWO.encode(stuck),) * 3, effort=Effort(10, 10, 6, 10, 0))
    result = run_chunk(TWO, ends, objective("additions"))
    assert (result.attempts, result.steps) == (3, 0)


@given(st.randoms(use_true_random=False), st.integers(0, 2**32))
def test_a_state_is_canonical(random: Random, seed: int) -> None:
    start = TWO.walk(TWO.start(Seed(0)), Effort(50, 50, 1, 10, 3), Seed(seed)).state
    scheme = TWO.scheme(start)
    assert scheme == scheme.canonical and scheme.verdict().valid
    shuffled = start[:, random.sample(range(start.shape[1]), start.shape[1])]
    again = TWO.state(TWO.scheme(shuffled))
    assert TWO.key(again) == TWO.key(start) and TWO.scheme(again).id == scheme.id
    assert np.array_equal(TWO.decode(TWO.encode(start)), start)


def test_factors_of_several_words_keep_every_bit() -> None:
    space = FlipSpace(matmul(2, 9, 9))
    state = space.start(Seed(0))
    assert state.shape == (3, 162, 2)
    assert space.scheme(state) == standard_scheme(space.problem, GF2).canonical


def test_states_of_integer_schemes_are_their_residues() -> None:
    integer = standard_scheme(TWO.problem, ZT)
    assert np.array_equal(TWO.state(integer), TWO.start(Seed(0)))


def test_spaces_that_cannot_be_walked_are_refused() -> None:
    with pytest.raises(RingError, match=r"over Z: search over GF2, GF3, GF5, GF7, ZT"):
        FlipSpace(matmul(2, 2, 2), Z)
    with pytest.raises(ProblemError, match=r"289 entries, the kernel holds up to 256 over ZT"):
        FlipSpace(matmul(17, 17, 1), ZT)
    with pytest.raises(ProblemError, match=r"1331 products, the kernel holds up to 1024"):
        FlipSpace(matmul(11, 11, 11))
    with pytest.raises(ProblemError, match="zero over GF2"):
        FlipSpace(tensor_problem((1, 1, 1), [((0, 0, 0), 2)]))
    with pytest.raises(InputError, match="quick"):
        preset("slow")
