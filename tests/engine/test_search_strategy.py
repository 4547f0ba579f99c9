"""Beyond the schedule: breadth, plateaus, objectives, and moves that replay."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import Capture, answer
from flipforge import api
from flipforge.api._library import open_store
from flipforge.api._terms import schedule_of
from flipforge.errors import InputError, ReplayError
from flipforge.plugins import Manifest, register
from flipforge.problems import matmul, parse
from flipforge.rings import GF2, GF3, ZT, Q, Ring, Z
from flipforge.schemes import Scheme, standard_scheme
from flipforge.search import (
    Chunk,
    Course,
    Effort,
    Entry,
    FlipSpace,
    Lift,
    Limits,
    Lineage,
    Outcome,
    Paths,
    Run,
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


@dataclass
class Asked:
    """A required objective that says the same of every state, and counts the questions."""

    answer: float
    required: bool = True
    questions: int = 0

    def value(self, space: Any, state: Any) -> float:
        self.questions += 1
        return self.answer


@pytest.mark.parametrize(("answer", "questions"), [(0.0, 1), (1.0, 5)])
def test_a_plateau_asks_little_of_what_is_dear_to_answer(answer: float, questions: int) -> None:
    # Of paths so short that none leaves the rank.
    start, effort = THREE.encode(THREE.start(Seed(0))), Effort(3, 3, 26, 3, 0)
    asked = Asked(answer)
    result = run_chunk(THREE, Chunk(0, (start,), effort, 4_000_000, 1_000, 7, plateau=True), asked)
    assert not result.finds and asked.questions == questions and result.attempts > 1


class Judge:
    """A lifter that lifts nothing."""

    version = "judge/1"

    def lift(self, scheme: Scheme, to: Ring, *, attempts: int, seed: int, best: bool) -> Lift:
        return Lift("open", reason="this lifter only judges")

    def again(self, scheme: Scheme, arguments: Mapping[str, Any]) -> Scheme:
        raise ReplayError("this lifter only judges")


@dataclass(frozen=True)
class EvenLifter(Judge):
    """Says yes to schemes with an even number of nonzero coefficients in u."""

    def liftable(self, scheme: Scheme, to: Ring = Q) -> bool:
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


def test_a_search_may_ask_for_lifts_over_a_ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flipforge.plugins._registry._SESSION", {})
    asked: list[Ring] = []

    class Particular(Judge):
        def liftable(self, scheme: Scheme, to: Ring = Q) -> bool:
            asked.append(to)
            return to == Q

    register(Manifest("particular", "lifters", "", api_version=1), Particular())
    usual: dict[str, Any] = {"target_rank": 7, "workers": 1, "seed": 1, "max_flips": 200_000, "db": tmp_path / "c.db"}
    assert api.search("matmul:2x2x2", objective="liftable", **usual).target_reached is True and {*asked} == {Q}
    asked.clear()
    result = api.search("matmul:2x2x2", objective="liftable:Z", **usual)
    assert result.target_reached is False and {*asked} == {Z} and result.run is not None
    assert api.resume(result.run, max_flips=300_000, db=usual["db"]).target_reached is False and Q not in asked


def test_events_tell_how_far_walks_went() -> None:
    store = MemoryStore()
    searched(THREE, store, flips=400_000)
    for event in store.log:
        assert Course(event["path"], event["idle"]) in Paths(SMALL.path).grid and event["band"] == SMALL.band


def test_objectives_on_the_command_line(tmp_path: Any, capsys: Capture) -> None:
    words = ["search", "matmul:2x2x2", "--seed", "1", "--workers", "1", "--db", str(tmp_path / "c.db"), "--json"]
    for option, reason in (
        (["--objective", "beauty"], "unknown objective 'beauty'"),
        (["--liftable", "--objective", "flips"], "exclude each other"),
        (["--to", "Z"], "--to Z is the ring that --liftable asks for"),
        (["--liftable", "--to", "GF3"], "GF3 is not of characteristic 0"),
        (["--liftable", "--to", "R"], "unknown ring 'R'"),
    ):
        code, _, err = answer(capsys, *words, *option)
        assert code == 2 and reason in err
    assert not (tmp_path / "c.db").exists()
    code, out, _ = answer(capsys, *words, "--objective", "flips", "--target-rank", "7")
    assert code == 0
    run = json.loads(out)["run"]
    with open_store(tmp_path / "c.db") as store:
        assert store.run(run).config["objective"] == "flips"


def test_without_a_lifter_nothing_is_searched_for_lifts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("flipforge.plugins._registry._installed", lambda kind: [])
    code, _, err = answer(capsys, "search", "matmul:2x2x2", "--liftable", "--db", str(tmp_path / "c.db"))
    assert code == 2 and "no lifter is installed" in err


def test_a_lifter_among_the_plugins_is_found(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flipforge.plugins._registry._SESSION", {})
    register(Manifest("even", "lifters", "", api_version=1), EvenLifter())
    result = api.search("matmul:3x3x3", target_rank=24, objective="liftable", workers=1, seed=2, db=tmp_path / "c.db")
    with open_store(tmp_path / "c.db") as store:
        assert result.scheme is not None and EvenLifter().liftable(store.scheme(result.scheme))


def test_what_lifts_seeds_other_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("flipforge.plugins._registry._SESSION", {})
    register(Manifest("even", "lifters", "", api_version=1), EvenLifter())
    db = tmp_path / "c.db"
    usual: dict[str, Any] = {"workers": 1, "seed": 2, "max_flips": 3_000_000, "meta": True, "db": db}
    result = api.search_family("matmul:2x2x2..4", objective="liftable", start=["standard"], **usual)
    other = api.search_family("matmul:2x2x2..4", objective="liftable", **usual)
    with open_store(db) as store:
        for run in (result.run, other.run):
            shelves = store.run(run).checkpoint["archive"]
            held = [key for shelf in shelves.values() for _, key in shelf]
            assert held and all(EvenLifter().liftable(store.scheme(key)) for key in held)
        odd = [row["id"] for row in api.query("matmul:*", ring="GF2", db=db)]
        odd = [key for key in odd if not EvenLifter().liftable(store.scheme(key))]
    words = ("--meta", "--liftable", "--from", odd[0], "--db", str(db))
    code, out, err = answer(capsys, "search", "matmul:2x2x2..4", *words)
    assert (code, out) == (2, "") and "does not lift" in err and err.count("\n") == 1


class HalfLifter(Judge):
    """Says yes to schemes of every other ID."""

    def liftable(self, scheme: Scheme, to: Ring = Q) -> bool:
        return int(scheme.id, 16) % 2 == 0


def test_of_what_a_run_keeps_that_which_does_not_lift_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("flipforge.plugins._registry._SESSION", {})
    db = tmp_path / "c.db"
    usual: dict[str, Any] = {"workers": 1, "seed": 2, "meta": True, "db": db}
    free = api.search_family("matmul:2x2x2..4", start=["standard"], max_flips=3_000_000, **usual)
    register(Manifest("half", "lifters", "", api_version=1), HalfLifter())
    result = api.search_family("matmul:2x2x2..4", objective="liftable", start=[free.run], max_flips=1, **usual)
    with open_store(db) as store:
        given, held = (
            {key for shelf in store.run(run).checkpoint["archive"].values() for _, key in shelf}
            for run in (free.run, result.run)
        )
        lifts = {key for key in given if HalfLifter().liftable(store.scheme(key))}
        assert lifts <= held and not (given - lifts) & held and 0 < len(lifts) < len(given)
    register(Manifest("half", "lifters", "", api_version=1), NoLifter())
    code, out, err = answer(
        capsys, "search", "matmul:2x2x2..4", "--meta", "--liftable", "--from", free.run, "--db", str(db)
    )
    assert (code, out) == (2, "") and f"{free.run}: keeps nothing that lifts" in err and err.count("\n") == 1


class NoLifter(Judge):
    """Says no to every scheme."""

    def liftable(self, scheme: Scheme, to: Ring = Q) -> bool:
        return False


def test_a_rank_without_a_liftable_scheme_is_no_target_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("flipforge.plugins._registry._SESSION", {})
    db = tmp_path / "c.db"
    usual: dict[str, Any] = {"workers": 1, "seed": 1, "max_flips": 200_000, "db": db}
    goal = "matmul:2x2x2", "--target-rank", "7"
    words = ("--liftable", "--workers", "1", "--seed", "1", "--max-flips", "200000", "--db", str(db), "--json")
    register(Manifest("none", "lifters", "", api_version=1), NoLifter())
    result = api.search("matmul:2x2x2", target_rank=7, objective="liftable", **usual)
    assert (result.rank, result.flips, result.target_reached) == (7, 200_000, False) and result.run is not None
    assert api.resume(result.run, max_flips=300_000, db=db).target_reached is False
    assert api.search("matmul:2x2x2", objective="liftable", **usual).target_reached is None
    family = api.search_family("matmul:2x2x2..3", objective="liftable", **usual)
    assert [(row["gap"], row["target_reached"]) for row in family.rows] == [(0, False), (0, False)]
    assert family.flips == 200_000 and family.target_reached is False
    assert api.run_details(family.run, db=db)["rows"] == list(family.rows)
    for search in (goal, ("matmul:2x2x2..3",)):
        code, out, _ = answer(capsys, "search", *search, *words)
        assert code == 3
        code, _, _ = answer(capsys, "resume", json.loads(out)["run"], "--max-flips", "300000", "--db", str(db))
        assert code == 3


def test_a_run_that_is_done_is_done_when_it_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("flipforge.plugins._registry._SESSION", {})
    register(Manifest("even", "lifters", "", api_version=1), EvenLifter())
    db = tmp_path / "c.db"
    done = api.search("matmul:3x3x3", target_rank=24, objective="liftable", workers=1, seed=2, db=db)
    assert done.target_reached is True and done.run is not None
    again = api.resume(done.run, db=db)
    assert (again.target_reached, again.flips, again.scheme) == (True, done.flips, done.scheme)
    assert answer(capsys, "resume", done.run, "--db", str(db))[0] == 0
    # Another target is another question: 20 is not reached, and 24 still is.
    assert api.resume(done.run, target_rank=20, max_flips=done.flips + 1000, db=db).target_reached is False
    assert api.resume(done.run, db=db).target_reached is True


def test_a_run_of_another_strategy_is_refused_in_one_line(tmp_path: Any) -> None:
    result = api.search("matmul:2x2x2", target_rank=7, workers=1, seed=1, db=tmp_path / "c.db")
    assert result.run is not None
    with open_store(tmp_path / "c.db") as store:
        record = store.run(result.run)
    assert schedule_of(record) == preset("standard")
    with pytest.raises(InputError, match="earlier version"):
        schedule_of(replace(record, config={**record.config, "schedule": {"pool": 50, "idle": 50_000}}))
