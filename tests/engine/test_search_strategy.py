"""The strategy: path lengths that settle, pools that stay mixed, levels, plateaus, breadth, and moves that replay."""

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge import api
from flipforge.api._library import open_store
from flipforge.api._search import schedule_of
from flipforge.cli import main
from flipforge.errors import InputError, ReplayError
from flipforge.plugins import Manifest, register
from flipforge.problems import matmul, parse
from flipforge.rings import GF2, GF3, ZT
from flipforge.schemes import Scheme, standard_scheme
from flipforge.search import (
    Chunk,
    Effort,
    Entry,
    FlipSpace,
    Ladder,
    Limits,
    Lineage,
    Member,
    Outcome,
    Paths,
    Pool,
    Run,
    Schedule,
    Seed,
    objective,
    preset,
    replay,
    run_chunk,
)
from search_bench import SMALL, THREE, Bench, MemoryStore, searched

ADDITIONS = objective("additions")


def square(row: Any) -> Any:
    return np.reshape(row, (3, 3))


def dice(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def member(name: str, kind: str = "", **more: Any) -> Member:
    return Member(name.encode(), kind or name, **more)


def rate(path: int, best: int) -> float:
    """Successes per step: nothing comes of paths much shorter than the best, and longer ones drift away."""
    return float(np.exp(-best / path) / path)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(Paths(4_096_000).grid), st.integers(0, 2**32), st.floats(-1, 1))
def test_path_lengths_settle_near_the_best(best: int, seed: int, ease: float) -> None:
    paths, generator = Paths(4_096_000), dice(seed)
    peak = max(rate(path, best) for path in paths.grid)
    spent = good = 0.0
    for level in range(6):
        hardness = 10**ease / (peak * 10 ** (5 + level / 2))
        spent = good = 0.0
        while spent < 4e7 * 10 ** (level / 2):
            path = paths.choose(generator, 1e9)
            steps = 1_000_000 * 10 ** (level / 2)
            found = int(generator.poisson(steps * hardness * rate(path, best)))
            paths.tell(path, fresh=found, steps=int(steps))
            spent += steps
            good += steps * (rate(path, best) > 0.6 * peak)
        if level == 5:
            assert rate(paths.favourite, best) > 0.6 * peak
        paths.descend()
    assert good > 0.7 * spent


def test_path_lengths_grow_with_what_was_spent() -> None:
    paths = Paths(1_000_000)
    assert {paths.choose(dice(seed), 5_000) for seed in range(50)} == {1_000, 4_000}
    paths.tell(256_000, fresh=30, steps=300_000)
    paths.tell(1_000, fresh=0, steps=300_000)
    paths.descend()
    assert 256_000 in {paths.choose(dice(seed), 1_000) for seed in range(50)}


def test_path_lengths_come_back_from_json() -> None:
    paths = Paths(100_000)
    paths.tell(4_000, fresh=2, steps=7)
    paths.descend()
    paths.tell(1_000, fresh=1, steps=9)
    again = Paths(100_000)
    again.restore(paths.checkpoint())
    assert [again.choose(dice(seed), 1e9) for seed in range(20)] == [
        paths.choose(dice(seed), 1e9) for seed in range(20)
    ]
    assert again.cost == paths.cost == 9.0


def test_a_full_pool_gives_up_its_most_crowded_class() -> None:
    pool = Pool(4)
    for number in range(4):
        pool.admit(member(f"common{number}", "common"), dice())
    for name in ("a", "b", "c"):
        pool.admit(member(name), dice())
    assert pool.kinds == 4 and len(pool) == 4
    assert all(name.encode() in pool for name in "abc")


def test_a_sifting_pool_keeps_the_broadest_and_a_plateau_the_best() -> None:
    pool = Pool(2, broad=True)
    for number in (5, 9, 7, 1):
        pool.admit(member(str(number), breadth=number), dice())
    assert sorted(m.breadth for m in pool.members) == [7, 9]
    pool.admit(member("cheap", breadth=0, value=-1.0), dice(), by_value=True)
    pool.admit(member("dear", breadth=99, value=9.0), dice(), by_value=True)
    assert b"cheap" in pool and b"dear" not in pool


def test_classes_are_drawn_alike_and_isolated_members_only_if_all_are() -> None:
    pool = Pool(100)
    for number in range(30):
        pool.admit(member(f"common{number}", "common", partnered=4), dice())
    pool.admit(member("rare", partnered=4), dice())
    pool.admit(member("stuck", partnered=0), dice())
    firsts = [pool.draw(1, dice(seed))[0].kind for seed in range(400)]
    assert 150 < firsts.count("rare") < 250 and "stuck" not in firsts
    busy = Pool(9)
    busy.admit(member("few", "one", partnered=1), dice())
    busy.admit(member("many", "one", partnered=9), dice())
    assert sum(busy.draw(1, dice(seed))[0].state == b"many" for seed in range(200)) > 150
    alone = Pool(5)
    alone.admit(member("x", partnered=0), dice())
    assert alone.isolated and [m.state for m in alone.draw(3, dice())] == [b"x"]


def ladder_at(*ranks: int, schedule: Schedule = SMALL) -> Ladder:
    ladder = Ladder(schedule, 1)
    ladder.seed([(rank, member(f"start{rank}")) for rank in ranks])
    return ladder


def fill(ladder: Ladder, rank: int, count: int) -> None:
    for number in range(count):
        ladder.admit(rank, member(f"{rank}-{number}"))


def test_the_run_goes_down_when_the_pool_below_has_what_it_needs() -> None:
    ladder = ladder_at(10)
    fill(ladder, 9, SMALL.least)
    assert ladder.holds(9, b"9-0") and not ladder.holds(8, b"9-0")
    ladder.tell(10, 1_000, fresh=SMALL.least - 1, steps=100)
    assert ladder.level == 10
    ladder.tell(10, 1_000, fresh=1, steps=100)
    assert (ladder.level, ladder.fresh, ladder.lowest) == (9, 0, 9)
    ladder.tell(10, 1_000, fresh=1, steps=100)
    assert (ladder.level, ladder.fresh) == (9, 0)


def test_more_members_are_wanted_where_they_are_dear() -> None:
    ladder = ladder_at(10)
    assert ladder.wanted == SMALL.least
    ladder.tell(10, 1_000, fresh=0, steps=1_000_000)
    assert ladder.wanted == SMALL.pool


def test_sifting_takes_more_finds_than_it_keeps() -> None:
    ladder = ladder_at(10)
    ladder.sifting = True
    assert ladder.chunk(0, 100).wanted == SMALL.pool * SMALL.sift
    for number in range(SMALL.pool * SMALL.sift):
        ladder.admit(9, member(str(number), breadth=number))
    assert not ladder.takes(9, member("narrow", breadth=0)) and ladder.takes(9, member("broad", breadth=99))
    ladder.tell(10, 1_000, fresh=SMALL.pool * SMALL.sift - 1, steps=1)
    assert ladder.level == 10
    ladder.tell(10, 1_000, fresh=1, steps=1)
    assert ladder.level == 9 and ladder.sizes()[9] == SMALL.pool
    assert ladder.holds(9, b"11") and not ladder.holds(9, b"5")


def test_a_stuck_run_climbs_higher_each_time_and_sifts_from_the_root() -> None:
    ladder = ladder_at(10)
    for rank in (9, 8, 7):
        fill(ladder, rank, SMALL.least)
        ladder.tell(ladder.level, 1_000, fresh=SMALL.least, steps=1)
    levels = []
    for _ in range(3):
        ladder.tell(ladder.level, 1_000, fresh=0, steps=SMALL.patience)
        levels.append(ladder.level)
        assert min(ladder.sizes()) == ladder.level
    assert levels == [8, 9, 10] and ladder.sifting and ladder.holds(10, b"start10")
    assert ladder.chunk(0, 100).sifted


def test_a_dead_end_is_left_sooner() -> None:
    ladder = ladder_at(10)
    for number in range(SMALL.least):
        ladder.admit(9, member(f"same{number}", "same", partnered=0))
    ladder.tell(10, 1_000, fresh=SMALL.least, steps=1)
    assert ladder.level == 9
    ladder.tell(9, 1_000, fresh=0, steps=SMALL.patience // 10)
    assert ladder.level == 10


def test_one_find_is_wanted_at_the_target_and_a_share_elsewhere() -> None:
    ladder = ladder_at(10)
    assert ladder.chunk(0, 100, share=4, target=9).wanted == 1
    assert ladder.chunk(0, 100, share=2, target=8).wanted == 2
    assert ladder.chunk(0, 100).wanted == SMALL.least


def test_a_ladder_comes_back_from_its_checkpoint_at_any_moment() -> None:
    ladder, seen = ladder_at(10), 0
    generator = dice(7)
    for number in range(60):
        found = int(generator.integers(3)) if number < 20 else 0
        for count in range(found):
            ladder.admit(ladder.level - 1, member(f"{number}.{count}", breadth=number))
        ladder.tell(ladder.level, ladder.chunk(number, 10**9).effort.path, fresh=found, steps=SMALL.patience // 5)
        names = {bytes(m.state): m.state.decode() for pool in ladder._pools.values() for m in pool.members}
        names[b"start10"] = "start10"
        written = ladder.checkpoint(names)
        again = Ladder(SMALL, 1)
        again.restore(written, {name: state for state, name in names.items()})
        kept = ("level", "fresh", "spent", "stalls", "lowest", "sifting")
        assert [getattr(again, name) for name in kept] == [getattr(ladder, name) for name in kept]
        assert Ladder.names(written) <= set(names.values())
        assert again.checkpoint(names) == written and again.chunk(number, 10**9) == ladder.chunk(number, 10**9)
        seen += ladder.sifting
        ladder = again
    assert seen


@pytest.mark.parametrize(("problem", "expected"), [("matmul:2x3x4", 24 * (4 + 2 + 3)), ("matmul:2x2x2", 48)])
@pytest.mark.parametrize("ring", [GF2, GF3, ZT])
def test_breadth_of_the_standard_algorithm(problem: str, expected: int, ring: Any) -> None:
    space = FlipSpace(parse(problem), ring)
    assert space.breadth(space.start(Seed(0))) == expected


@given(st.integers(0, 2**32))
def test_breadth_does_not_change_with_the_basis(seed: int) -> None:
    state = THREE.walk(THREE.start(Seed(0)), Effort(300, 300, 1, 40, 2), Seed(seed)).state
    scheme = THREE.scheme(state)
    generator = dice(seed)
    change = (np.triu(generator.integers(0, 2, (3, 3)), 1) + np.eye(3, dtype=int)) % 2
    back = np.linalg.inv(change).round().astype(int) % 2
    u = [tuple((change @ square(row) % 2).ravel().tolist()) for row in scheme.u]
    w = [tuple((back.T @ square(row) % 2).ravel().tolist()) for row in scheme.w]
    moved = Scheme(scheme.problem, GF2, tuple(u), scheme.v, tuple(w))
    assert moved.verdict().valid
    ranks = [_rank2(square(row)) for rows in (scheme.u, scheme.v, scheme.w) for row in rows]
    assert THREE.breadth(THREE.state(moved)) == THREE.breadth(state) == 3 * sum(ranks)


def _rank2(matrix: Any) -> int:
    """Rank over GF(2) by counting the rows' span."""
    span = {0}
    for row in matrix:
        word = int("".join(map(str, row)), 2)
        span |= {word ^ other for other in span}
    return len(span).bit_length() - 1


def test_calls_are_counted_either_way() -> None:
    space = FlipSpace(parse("structured:ul:2"))
    start = space.start(Seed(0))
    assert objective("calls").value(space, start) == -4 and objective("few-calls").value(space, start) == 4
    assert objective("calls").value(THREE, THREE.start(Seed(0))) == 0


@pytest.mark.parametrize("name", ["additions", "flips"])
def test_a_plateau_improves_the_objective_and_its_lineage_replays(name: str) -> None:
    goal = objective(name)
    store = MemoryStore()
    run = Run(
        THREE,
        Bench(),
        store,
        Run.new(THREE, "GF2", {"seed": 3}),
        schedule=replace(SMALL, patience=8_000_000),
        limits=Limits(flips=6_000_000),
        deterministic=True,
        objective=goal,
    )
    run.begin([Entry(standard_scheme(THREE.problem, GF2).canonical, "derived")])
    record = run.go()
    assert record.best is not None and record.rank == 23
    values = {key: goal.value(THREE, THREE.state(scheme)) for key, scheme in store.schemes.items()}
    level = [step for step in store.steps.values() if store.schemes[step.parent].rank == store.schemes[step.child].rank]
    assert level and all(values[step.child] < values[step.parent] for step in level)
    best = min(value for key, value in values.items() if store.schemes[key].rank == 23)
    assert values[record.best] == best
    last = next(step for step in level if store.schemes[step.child].rank == 23)
    root = standard_scheme(THREE.problem, GF2)
    assert replay(THREE, root, store.lineage(last.child)).scheme == store.schemes[last.child]


@dataclass(frozen=True)
class EvenLifter:
    """Says yes to schemes with an even number of nonzero coefficients in u."""

    def liftable(self, scheme: Scheme) -> bool:
        return sum(map(sum, scheme.u)) % 2 == 0


def test_a_run_for_liftable_schemes_goes_on_until_one_lifts() -> None:
    goal = objective("liftable", EvenLifter())
    for seed in range(4):
        store = MemoryStore()
        run = Run(
            THREE,
            Bench(),
            store,
            Run.new(THREE, "GF2", {"seed": seed}),
            schedule=SMALL,
            limits=Limits(target=24),
            deterministic=True,
            objective=goal,
        )
        run.begin([Entry(standard_scheme(THREE.problem, GF2).canonical, "derived")])
        record = run.go()
        assert record.best is not None and record.state == "done"
        assert EvenLifter().liftable(store.scheme(record.best)) and store.scheme(record.best).rank <= 24


def test_objectives_that_cannot_be_met_are_refused() -> None:
    with pytest.raises(InputError, match="no lifter"):
        objective("liftable")
    with pytest.raises(InputError, match="additions"):
        objective("beauty")


@dataclass(frozen=True)
class Moving(FlipSpace):
    """Offers a sandwich by a permutation of the rows of the left matrix, and a reduction by a short greedy walk."""

    def sandwich(self, state: Any, seed: Seed) -> Any:
        scheme = self.scheme(state)
        order = dice(int(seed.words()[0] % 2**32)).permutation(3)
        u: Any = tuple(tuple(square(row)[order].ravel().tolist()) for row in scheme.u)
        w: Any = tuple(tuple(square(row)[order].ravel().tolist()) for row in scheme.w)
        return self.state(Scheme(scheme.problem, scheme.ring, u, scheme.v, w))

    def reduce(self, state: Any) -> Any:
        return super().walk(state, Effort(3_000, 3_000, state.shape[1] - 1, 9_000, 0), Seed(5)).state

    def walk(self, state: Any, effort: Effort, seed: Seed) -> Outcome[Any]:
        return super().walk(state, replace(effort, goal=0, steps=min(effort.steps, 2_000), band=0), seed)


def test_moves_beyond_the_walk_replay() -> None:
    space = Moving(matmul(3, 3, 3))
    start = THREE.walk(space.start(Seed(0)), Effort(500, 500, 26, 9_000, 0), Seed(1)).state
    assert start.shape[1] == 27
    chunk = Chunk(3, (space.encode(start),), Effort(2_000, 2_000, 26, 99_999, 0), 60_000, 3, 11, sandwich=True)
    result = run_chunk(space, chunk, ADDITIONS)
    # One permutation in six leaves everything where it is, and is left out.
    assert {find.method for find in result.finds} | {"walk+reduce"} == {"sandwich+walk+reduce", "walk+reduce"}
    root = space.scheme(start)
    for find in result.finds:
        child = space.scheme(space.decode(find.member.state))
        key = (find.seed.root, *find.seed.key)
        step = Lineage(child.id, root.id, find.method, key, dict(vars(find.effort)), space.walk_version, "run")
        assert replay(space, root, [step]).scheme == child
        with pytest.raises(ReplayError, match="does not offer"):
            replay(space, root, [replace(step, method="sandwich+leap")])


def test_a_chunk_told_twice_changes_nothing() -> None:
    class Twice(Bench):
        def wait(self, timeout: float) -> list[tuple[int, Any]]:
            return super().wait(timeout) * 2

    for ordered in (True, False):
        once, twice = MemoryStore(), MemoryStore()
        first = searched(THREE, once, flips=400_000, deterministic=ordered)
        second = searched(THREE, twice, Twice(), flips=400_000, deterministic=ordered)
        assert (first.best, first.flips, list(once.schemes)) == (second.best, second.flips, list(twice.schemes))
        assert [event["chunk"] for event in once.log] == [event["chunk"] for event in twice.log]


def test_events_tell_how_far_walks_went() -> None:
    store = MemoryStore()
    searched(THREE, store, flips=400_000)
    for event in store.log:
        assert event["path"] in Paths(SMALL.path).grid and event["idle"] >= 1 and event["band"] == SMALL.band


def test_objectives_on_the_command_line(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["search", "matmul:2x2x2", "--seed", "1", "--workers", "1", "--db", str(tmp_path / "c.db"), "--json"]
    for option, reason in (
        (["--objective", "beauty"], "unknown objective 'beauty'"),
        (["--liftable", "--objective", "flips"], "exclude each other"),
        (["--liftable"], "no lifter is installed"),
    ):
        with pytest.raises(SystemExit) as left:
            main([*words, *option])
        assert left.value.code == 2 and reason in capsys.readouterr().err
    assert not (tmp_path / "c.db").exists()
    with pytest.raises(SystemExit) as left:
        main([*words, "--objective", "flips", "--target-rank", "7"])
    assert not left.value.code
    run = json.loads(capsys.readouterr().out)["run"]
    with open_store(tmp_path / "c.db") as store:
        assert store.run(run).config["objective"] == "flips"


def test_a_lifter_among_the_plugins_is_found(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flipforge.plugins._registry._SESSION", {})
    register(Manifest("even", "lifters", "", api_version=1), EvenLifter())
    result = api.search("matmul:3x3x3", target_rank=24, objective="liftable", workers=1, seed=2, db=tmp_path / "c.db")
    with open_store(tmp_path / "c.db") as store:
        assert result.scheme is not None and EvenLifter().liftable(store.scheme(result.scheme))


def test_a_run_of_another_strategy_is_refused_in_one_line(tmp_path: Any) -> None:
    result = api.search("matmul:2x2x2", target_rank=7, workers=1, seed=1, db=tmp_path / "c.db")
    assert result.run is not None
    with open_store(tmp_path / "c.db") as store:
        record = store.run(result.run)
    assert schedule_of(record) == preset("standard")
    with pytest.raises(InputError, match="earlier version"):
        schedule_of(replace(record, config={**record.config, "schedule": {"pool": 50, "idle": 50_000}}))
