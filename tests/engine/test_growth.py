"""Growth: corners of a format, walks inside them, and the dives that go from one to the next."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import prod
from typing import NoReturn

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flipforge.flips import RINGS
from flipforge.problems import Problem, matrix_cells, parse
from flipforge.rings import GF2, GF3, ZT, Ring
from flipforge.rings import ring as ring_named
from flipforge.schemes import Scheme, call_kinds, standard_scheme, symmetry
from flipforge.search import (
    Dives,
    Effort,
    Entry,
    FlipSpace,
    Growing,
    Limits,
    Member,
    Run,
    RunRecord,
    Seed,
    SymmetricSpace,
    objective,
    replay,
    space_for,
)
from flipforge.search._chunk import take
from flipforge.search._dives import Dive
from flipforge.search._growth import Corner, within
from search_bench import SMALL, Bench, MemoryStore

PRODUCTS = ["matmul:2x2x4", "matmul:3x3x3", "matmul:2x3x5", "structured:gt:4", "structured:ug:4", "structured:kk:4"]
WALK = Effort(20_000, 5_000, 0, 1_000, 2)


def dice(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def inside(problem: Problem, row: tuple[int | Fraction, ...], axis: int, rows: int, columns: int) -> bool:
    """Whether every entry of a factor of a matrix operand stands in its first rows and columns, once at least."""
    cells = matrix_cells(problem)[axis].items()
    seen = {coordinate for (i, j), (coordinate, _) in cells if i < rows and j < columns}
    return all(k in seen for k, x in enumerate(row) if x)


@pytest.mark.parametrize("text", PRODUCTS)
@pytest.mark.parametrize("seed", range(5))
def test_corners_grow_by_one_step_at_a_time_up_to_the_whole(text: str, seed: int) -> None:
    problem = parse(text)
    corners = FlipSpace(problem, GF2).corners(dice(seed))
    assert len(corners) > 1 and corners[-1] == problem.dims
    for small, large in pairwise(corners):
        assert all(a <= b for a, b in zip(small, large, strict=True)) and prod(small) < prod(large)


@pytest.mark.parametrize("text", ["matmul:1x2x3", "complex", "poly:3x3", "structured:kk:2"])
def test_what_has_no_corner_does_not_grow(text: str) -> None:
    assert FlipSpace(parse(text), GF2).corners(dice()) == ()


@pytest.mark.parametrize("text", ["commutative:3x3x3", "border:1:matmul:2x2x3"])
def test_other_kinds_of_scheme_do_not_grow(text: str) -> None:
    space = space_for(parse(text), GF2)
    assert not isinstance(space, Growing) or space.corners(dice()) == ()


@given(text=st.sampled_from(PRODUCTS), ring=st.sampled_from([GF2, GF3, ZT]), seed=st.integers(0, 2**32))
def test_a_walk_in_a_corner_holds_the_rest_and_the_tensor(text: str, ring: Ring, seed: int) -> None:
    problem = parse(text)
    space = FlipSpace(problem, ring)
    corners = space.corners(dice(seed))
    n, m, p = corners[seed % len(corners)]
    start = space.start(Seed(0))
    outcome = space.walk_corner(start, (n, m, p), replace(WALK, goal=start.shape[1] - 1), Seed(seed))
    before, after = (space.scheme(state) for state in (start, outcome.state))
    after.certify()
    outside = {
        (u, v)
        for u, v in zip(before.u, before.v, strict=True)
        if not (inside(problem, u, 0, n, m) and inside(problem, v, 1, m, p))
    }
    kept = set(zip(after.u, after.v, strict=True))
    negated = {(tuple(-x for x in u), tuple(-x for x in v)) for u, v in outside}
    assert all(pair in kept for pair in outside) or all(pair in kept | negated for pair in outside)
    assert all(inside(problem, u, 0, n, m) and inside(problem, v, 1, m, p) for u, v in kept - outside - negated)
    assert outcome.reached == (after.rank <= before.rank - 1)


@pytest.mark.parametrize(
    ("text", "ring"),
    [
        (text, ring)
        for text in ("matmul:2x2x4", "structured:ug:4", "structured:sw:3")
        for ring in map(ring_named, RINGS)
    ],
)
@given(seed=st.integers(0, 2**32))
def test_a_walk_beside_a_corner_holds_its_scheme_and_the_tensor(text: str, ring: Ring, seed: int) -> None:
    space = FlipSpace(parse(text), ring)
    corners = space.corners(dice(seed))[:-1]
    corner = corners[seed % len(corners)]
    start = space.start(Seed(0))
    lower = space.walk_corner(start, corner, replace(WALK, goal=start.shape[1] - 1), Seed(seed)).state
    outcome = space.walk_beside(lower, corner, replace(WALK, goal=lower.shape[1] - 1), Seed(seed))
    before, after = (space.scheme(state) for state in (lower, outcome.state))
    after.certify()
    assert outcome.steps and outcome.reached == (after.rank < before.rank)
    held = [_projected(scheme, corner) for scheme in (before, after)]
    assert held[0] and (held[1] == held[0] or (len(held[1]) < len(held[0]) and outcome.reached))


def _projected(scheme: Scheme, corner: Corner) -> set[tuple[tuple[int | Fraction, ...], ...]]:
    """The products as the operands of a corner alone see them, up to units."""
    p = scheme.ring.characteristic
    units = range(1, p) if p else (1, -1)
    masks = within(scheme.problem, corner)
    products = zip(scheme.u, scheme.v, scheme.w, strict=True)
    shown = [tuple(tuple(np.array(f)[mask]) for f, mask in zip(p, masks, strict=True)) for p in products]
    return {
        tuple(max(tuple(unit * x % p if p else unit * x for x in factor) for unit in units) for factor in product)
        for product in shown
        if all(map(any, product))
    }


def run_of(store: MemoryStore, text: str, *, flips: int, target: int = 1) -> Run:
    schedule = replace(SMALL, dive=200_000, path=64_000)
    space = FlipSpace(parse(text))
    record = Run.new(space, "GF2", {"seed": 3})
    return Run(space, Bench(), store, record, schedule=schedule, limits=Limits(target, flips=flips), deterministic=True)


def test_finds_inside_corners_replay_step_by_step() -> None:
    store = MemoryStore()
    run = run_of(store, "matmul:3x3x3", flips=2_000_000)
    space = FlipSpace(parse("matmul:3x3x3"))
    run.begin([Entry(standard_scheme(space.problem, GF2).canonical, "derived")])
    run.go()
    grown = [child for child, step in store.steps.items() if step.method.startswith("walk@")]
    assert grown
    for child in grown[:5]:
        chain = store.lineage(child)
        assert replay(space, store.schemes[chain[0].parent], chain).scheme.id == child


def test_a_run_that_holds_a_smaller_format_replays() -> None:
    space = FlipSpace(parse("matmul:2x2x4"))
    store = MemoryStore()
    schedule = replace(SMALL, dive=0, path=64_000, held=(2, 2, 2))
    record = Run.new(space, "GF2", {"seed": 3})
    limits = Limits(14, flips=1_000_000)
    run = Run(space, Bench(), store, record, schedule=schedule, limits=limits, deterministic=True)
    run.begin([Entry(standard_scheme(space.problem, GF2).canonical, "derived")])
    run.go()
    assert store.steps and {step.method.split("+")[0] for step in store.steps.values()} == {"hold@2x2x2"}
    for child in [*store.steps][:3]:
        chain = store.lineage(child)
        assert replay(space, store.schemes[chain[0].parent], chain).scheme.id == child


@pytest.mark.parametrize("text", ["structured:gt:4:c", "structured:ug:3", "structured:uu:3"])
@given(seed=st.integers(0, 2**32))
def test_a_walk_holds_recursive_calls(text: str, seed: int) -> None:
    space = FlipSpace(parse(text))
    start = space.start(Seed(0))
    goal = start.shape[1] - 2
    outcome = space.walk_calls(start, replace(WALK, goal=goal), Seed(seed))
    after = space.scheme(outcome.state)
    after.certify()
    assert outcome.reached == (after.rank <= goal)
    kinds = call_kinds(space.problem, *space.rows(start))
    assert kinds is not None and 0 < kinds.count("a") < len(kinds)
    products = [set(zip(*space.rows(state), strict=True)) for state in (start, outcome.state)]
    calls = {row for row, kind in zip(zip(*space.rows(start), strict=True), kinds, strict=True) if kind == "a"}
    assert calls <= products[1] and products[0] != products[1]


def test_where_nothing_calls_or_everything_does_all_is_walked() -> None:
    for text in ("matmul:2x2x2", "structured:oo:2"):
        space = FlipSpace(parse(text))
        kinds = call_kinds(space.problem, *space.rows(space.start(Seed(0))))
        assert kinds is None or set(kinds) == {"a"}
        effort = replace(WALK, goal=7)
        walks = [walk(space.start(Seed(0)), effort, Seed(3)) for walk in (space.walk, space.walk_calls)]
        assert walks[0].steps == walks[1].steps and (walks[0].state == walks[1].state).all()


def test_a_run_for_calls_holds_those_there_are_and_replays() -> None:
    space, store = FlipSpace(parse("structured:gt:4:c")), MemoryStore()
    record = Run.new(space, "GF2", {"seed": 3})
    run = Run(
        space,
        Bench(),
        store,
        record,
        schedule=SMALL,
        limits=Limits(28, flips=1_000_000),
        deterministic=True,
        objective=objective("calls"),
    )
    run.begin([Entry(standard_scheme(space.problem, GF2).canonical, "derived")])
    run.go()
    held = [child for child, step in store.steps.items() if step.method.startswith("hold@calls")]
    assert held
    for child in held[:3]:
        chain = store.lineage(child)
        assert replay(space, store.schemes[chain[0].parent], chain).scheme.id == child


def test_a_run_that_begins_elsewhere_does_not_grow() -> None:
    space = FlipSpace(parse("matmul:3x3x3"))
    standard = standard_scheme(space.problem, GF2).canonical
    start = space.start(Seed(0))
    lower = space.walk(start, Effort(100_000, 50_000, 26, 5_000, 2), Seed(1)).state
    store = MemoryStore()
    run = run_of(store, "matmul:3x3x3", flips=500_000)
    run.begin([Entry(standard, "derived"), Entry(space.scheme(lower).canonical, "imported")])
    run.go()
    assert store.steps and not any("@" in step.method for step in store.steps.values())


def test_a_run_stopped_inside_a_corner_resumes_as_if_it_had_not() -> None:
    whole, parts = MemoryStore(), MemoryStore()
    entry = Entry(standard_scheme(parse("matmul:3x3x3"), GF2).canonical, "derived")
    through = run_of(whole, "matmul:3x3x3", flips=600_000)
    through.begin([entry])
    through.go()
    first = run_of(parts, "matmul:3x3x3", flips=200_000)
    first.begin([entry])
    stopped = first.go()
    limits = Limits(1, flips=600_000)
    schedule = replace(SMALL, dive=200_000, path=64_000)
    second = Run(
        FlipSpace(parse("matmul:3x3x3")),
        Bench(),
        parts,
        RunRecord(**{**vars(stopped), "state": "stopped"}),
        schedule=schedule,
        limits=limits,
        deterministic=True,
    )
    second.resume()
    ended = second.go()
    assert ended.flips == 600_000 and any("@" in step.method for step in parts.steps.values())
    open_dives = [dive for dive in ended.checkpoint["ladder"]["dives"]["open"] if dive["corners"]]
    assert all(len(dive["corners"][0]) == 3 for dive in open_dives)


CORNERS = ((2, 2, 2), (2, 2, 3), (2, 3, 3))
ROOT = [(18, Member(b"root", "root"))]


def growing() -> Dives:
    return Dives(1_000, lambda generator, after: CORNERS[CORNERS.index(after) + 1 :] if after else CORNERS)


def next_growth(dives: Dives, number: int) -> Dive:
    """Return the next growth of new dives; plain ones end at once, somewhere below the root."""
    while not (dive := dives.launch(number, ROOT, dice(number))).grows:
        dives.land(number, (17, Member(b"plain", "plain")), 10_000_000)
        dives.launch(number, ROOT, dice(number))
        dives.land(number, None, 10_000_000)
    return dive


def test_a_growth_goes_to_the_next_corner_when_its_patience_ends() -> None:
    dives = growing()
    for number, corners in enumerate((CORNERS, CORNERS[1:], CORNERS[2:])):
        dive = next_growth(dives, number)
        assert dive.corners == corners
        dives.land(number, None, dive.patience - 1)
        again = dives.launch(number, ROOT, dice(number))
        assert again.grows and again.stall == dive.patience - 1
        dives.land(number, None, 1)
    assert not dives.open


def test_what_leaves_a_corner_lowest_begins_there_again() -> None:
    dives = growing()
    dive = next_growth(dives, 0)
    dives.land(0, (17, Member(b"17", "17")), 1)
    dive = next_growth(dives, 0)
    dives.land(0, None, dive.patience)
    dives.land(1, None, next_growth(dives, 1).patience)
    dives.land(2, None, next_growth(dives, 2).patience)
    begun = {dive.began: dive for dive in (next_growth(dives, number) for number in range(3, 9))}
    assert begun[CORNERS[0]].corners == CORNERS[1:] and begun[CORNERS[0]].member.state == b"17"
    assert begun[CORNERS[0]].family == 0 and dives.holds(b"17")


def test_a_corner_keeps_one_growth_of_each_family_and_none_that_came_less_low() -> None:
    dives = growing()
    corner = CORNERS[0]
    for family, (rank, name) in enumerate([(17, b"a"), (16, b"b"), (16, b"c"), (17, b"d")]):
        dives._keep(corner, Dive(18, rank, Member(name, ""), corners=CORNERS, family=family))
    assert [dive.member.state for dive in dives._kept[corner]] == [b"b", b"c"]
    dives._keep(corner, Dive(18, 16, Member(b"e", ""), corners=CORNERS, family=1))
    assert [dive.member.state for dive in dives._kept[corner]] == [b"c", b"e"]


@pytest.mark.parametrize("method", ["walk@", "walk@2x2", "walk@0x2x2", "walk@axbxc", "reduce@2x2x2", "hold", "hold@"])
def test_a_lineage_that_names_no_corner_is_refused(method: str) -> None:
    space = FlipSpace(parse("matmul:3x3x3"))
    with pytest.raises(ValueError, match=r"."):
        take(space, space.start(Seed(0)), method, WALK, Seed(1))


def test_a_space_without_corners_is_not_asked_for_the_state_that_would_hold_them() -> None:
    class Elsewhere(SymmetricSpace):
        def start(self, seed: Seed) -> NoReturn:
            raise AssertionError("a run that is given schemes needs no other start")

    problem = parse("matmul:2x2x2")
    space = Elsewhere(problem, symmetry("Z3", problem, GF2))
    record = Run.new(space, "GF2", {"seed": 3})
    run = Run(space, Bench(), MemoryStore(), record, schedule=SMALL, limits=Limits(7, flips=1_000), deterministic=True)
    run.begin([Entry(standard_scheme(problem, GF2).canonical, "imported")])
