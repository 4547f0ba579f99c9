"""Dives: what begins at the root, what goes on, what is given up, and how the pools take over."""

from dataclasses import replace

import numpy as np

from flipforge.schemes import standard_scheme
from flipforge.search import Course, Dives, Entry, Ladder, Limits, Member, Run, RunRecord, of_orbits, replay
from search_bench import SMALL, THREE, Bench, MemoryStore

PATIENCE = 1_000
ROOT = [(10, Member(b"root", "root"))]
DIVING = replace(SMALL, dive=PATIENCE)


def dice(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def find(rank: int) -> tuple[int, Member]:
    return rank, Member(str(rank).encode(), str(rank))


def test_a_dive_goes_on_from_its_find_until_it_finds_nothing_for_too_long() -> None:
    dives = Dives(PATIENCE)
    assert dives.launch(0, ROOT, dice()).rank == 10 and dives.flying(0)
    dives.land(0, find(9), 50)
    assert not dives.flying(0) and dives.holds(b"9") and not dives.holds(b"root")
    assert dives.launch(1, ROOT, dice()).member == find(9)[1]
    dives.land(1, None, PATIENCE - 1)
    assert dives.launch(2, ROOT, dice()).stall == PATIENCE - 1
    dives.land(2, None, 1)
    assert dives.launch(3, ROOT, dice()).member == ROOT[0][1]
    assert (dives.lowest, dives.spent, dives.failed) == (9, PATIENCE + 50, False)


def test_dives_side_by_side_do_not_mix() -> None:
    dives = Dives(PATIENCE)
    dives.launch(0, ROOT, dice())
    dives.launch(1, ROOT, dice())
    dives.land(1, find(9), 1)
    dives.land(0, None, 1)
    assert [dives.launch(number, ROOT, dice()).rank for number in (2, 3, 4)] == [9, 10, 10]


def test_a_find_starts_the_patience_anew_and_patience_grows_with_what_was_spent() -> None:
    dives = Dives(PATIENCE)
    for number, rank in enumerate(range(9, 4, -1)):
        dives.launch(number, ROOT, dice())
        dives.land(number, find(rank), 10 * PATIENCE)
    dives.launch(5, ROOT, dice())
    dives.land(5, None, 10 * PATIENCE)
    assert dives.holds(b"5")
    dives.launch(6, ROOT, dice())
    dives.land(6, None, 10 * PATIENCE)
    assert not dives.open and not dives.failed


def test_a_dive_that_never_left_the_root_ends_the_time_of_dives_alone() -> None:
    ladder = Ladder(DIVING, 1)
    ladder.seed(ROOT)
    assert len(ladder.chunk(0, 100).parents) == 1 and ladder.diving(0)
    ladder.tell_dive(0, None, steps=PATIENCE)
    ladder.chunk(1, 100)
    assert not ladder.diving(1)


def test_dives_come_first_then_share_with_the_pools_and_yield_to_lower_ones() -> None:
    shares = []
    for pools_lead in (False, True):
        ladder = Ladder(DIVING, 1)
        ladder.seed(ROOT)
        dived = walked = number = 0
        while number < 400:
            chunk = ladder.chunk(number, 100)
            if ladder.diving(number):
                alone = not walked
                found = None
                if number == 0:
                    ladder.admit(*find(9))
                    found = find(9)
                ladder.tell_dive(number, found, steps=PATIENCE // 2)
                dived += 0 if alone else PATIENCE // 2
            else:
                if pools_lead and not walked:
                    ladder.admit(*find(8))
                    ladder.tell(9, Course(chunk.effort.path, chunk.effort.idle), fresh=SMALL.pool, steps=0)
                ladder.tell(ladder.level, Course(chunk.effort.path, chunk.effort.idle), fresh=0, steps=PATIENCE // 2)
                walked += PATIENCE // 2
            number += 1
        assert walked
        shares.append(dived / (dived + walked))
    even, behind = shares
    assert 0.3 < even < 0.6 and behind < 0.2


def test_pools_take_over_at_the_lowest_rank_a_dive_reached() -> None:
    ladder = Ladder(DIVING, 1)
    ladder.seed(ROOT)
    for number, rank in enumerate((9, 8, 7)):
        ladder.chunk(number, 100)
        ladder.admit(*find(rank))
        ladder.tell_dive(number, find(rank), steps=10)
    assert (ladder.level, ladder.lowest, ladder.spent) == (7, 7, 0)


def run_of(store: MemoryStore, *, seed: int = 1, target: int = 23, flips: int | None = None) -> Run:
    schedule = replace(DIVING, dive=200_000, path=64_000)
    record = Run.new(THREE, "GF2", {"seed": seed})
    return Run(THREE, Bench(), store, record, schedule=schedule, limits=Limits(target, flips=flips), deterministic=True)


def begun(store: MemoryStore, **changes: int) -> RunRecord:
    run = run_of(store, **changes)
    run.begin([Entry(standard_scheme(THREE.problem, THREE.ring).canonical, "derived")])
    return run.go()


def test_every_find_of_a_dive_is_stored_and_replays() -> None:
    store = MemoryStore()
    record = begun(store)
    assert record.state == "done" and record.best is not None
    assert any(event["dive"] for event in store.log)
    chain = store.lineage(record.best)
    assert len(chain) == 27 - 23
    root = store.schemes[chain[0].parent]
    assert replay(THREE, root, chain).scheme.id == record.best


def test_a_run_of_dives_resumes_and_repeats() -> None:
    first, second = MemoryStore(), MemoryStore()
    stopped, other = (begun(store, target=20, flips=300_000) for store in (first, second))
    assert (stopped.rank, stopped.best, stopped.flips) == (other.rank, other.best, other.flips)
    assert first.schemes.keys() == second.schemes.keys()
    again = Run(
        THREE,
        Bench(),
        first,
        replace(stopped, state="stopped"),
        schedule=replace(DIVING, dive=200_000, path=64_000),
        limits=Limits(20, flips=600_000),
        deterministic=True,
    )
    again.resume()
    assert again.go().flips == 600_000


def test_dives_begin_mostly_where_they_led_lowest() -> None:
    starts = [(10, Member(b"ten", "ten")), (12, Member(b"twelve", "twelve"))]
    dives, generator = Dives(PATIENCE), dice()
    dives.growing = False
    begun: list[int] = []
    spent = 1
    for number in range(200):
        begun.append(dives.launch(number, starts, generator).root)
        dives.land(number, (8 if begun[-1] == 10 else 6, Member(str(number).encode(), "")), 0)
        while dives.open:
            spent *= 2
            dives.launch(number, starts, generator)
            dives.land(number, None, spent)
        spent = 1 + dives.spent
    assert set(begun[:20]) == {10, 12}
    assert 0.75 < begun[100:].count(12) / len(begun[100:]) < 0.98


def test_a_dive_of_orbits_may_climb_as_high_as_the_standard_algorithm() -> None:
    ladder = Ladder(of_orbits(DIVING, 3, 64), 1)
    ladder.seed([(30, Member(b"root", "root"))])
    assert ladder.chunk(0, 100).effort.band == (64 - 30) // 3
    ladder.tell_dive(0, (18, Member(b"18", "18")), steps=10)
    assert ladder.chunk(1, 100).effort.band == (64 - 18) // 3
    # A start above the standard algorithm, for the sake of its cubes, is not where it goes back to.
    ladder = Ladder(of_orbits(DIVING, 3, 27), 1)
    ladder.seed([(30, Member(b"root", "root"))])
    assert ladder.chunk(0, 100).effort.band == DIVING.band


def test_half_of_the_dives_of_orbits_begin_where_earlier_ones_ended_low_at_each_place_as_often() -> None:
    dives, generator = Dives(PATIENCE, renewed=False), dice()
    dives.growing = False
    ends = [(rank, Member(name.encode(), name)) for rank, name in ((3, "a"), (4, "b"), (4, "c"), (9, "d"))]
    begun: list[str] = []
    for number in range(200):
        if number == 100:
            names = {name: name.decode() for name in (b"root", b"a", b"b", b"c", b"d", b"10")}
            checkpoint = dives.checkpoint(names)
            dives = Dives(PATIENCE, renewed=False)
            dives.restore(checkpoint, {name: state for state, name in names.items()})
        begun.append(dives.launch(number, ROOT, generator).member.state.decode())
        # Each end is reached once from the root; what begins there again finds nothing.
        found = ends.pop() if begun[-1] == "root" and ends else find(10) if begun[-1] == "root" else None
        dives.land(number, found, PATIENCE)
        if dives.open:
            dives.launch(number, ROOT, generator)
            dives.land(number, None, PATIENCE)
    counts = [begun.count(name) for name in ("a", "b", "c", "d")]
    assert 75 < begun.count("root") < 125 and sum(counts) == 200 - begun.count("root")
    assert max(counts) - min(counts) <= 1


def test_dives_begin_again_at_the_six_lowest_ranks() -> None:
    dives = Dives(PATIENCE, renewed=False)
    dives.growing = False
    for rank in range(9, 1, -1):
        number = 0
        while dives.launch(number, ROOT, dice(number)).again:
            dives.land(number, None, PATIENCE)
            number += 1
        dives.land(number, find(rank), PATIENCE)
        if dives.open:
            dives.launch(number, ROOT, dice())
            dives.land(number, None, PATIENCE)
    assert [rank for rank in range(10) if dives.holds(str(rank).encode())] == [2, 3, 4, 5, 6, 7]
    assert not dives.failed, "what is found to lead nowhere says nothing of the root"


def test_a_dive_of_orbits_has_its_steps_once_unless_none_came_lower() -> None:
    dives = Dives(PATIENCE, renewed=False)
    for number, (found, steps, lasts) in enumerate(
        [(6, 900, True), (None, 999, True), (None, 1, False), (8, 600, True), (7, 399, True), (7, 1, False)]
    ):
        dives.launch(number, ROOT, dice())
        dives.land(number, None if found is None else find(found), steps)
        assert bool(dives.open) == lasts, number
    dives.launch(6, ROOT, dice())
    dives.land(6, find(5), 5 * PATIENCE)
    assert dives.holds(b"5")


def test_a_search_of_orbits_makes_dives_alone_of_the_steps_each_has_left() -> None:
    ladder = Ladder(of_orbits(DIVING, 3, 64), 1)
    ladder.seed(ROOT)
    for number in range(100):
        chunk = ladder.chunk(number, 10 * PATIENCE)
        assert ladder.diving(number)
        assert chunk.steps == (PATIENCE if number < 2 or number % 2 == 0 else PATIENCE - 300)
        ladder.tell_dive(number, find(9) if number % 2 == 0 else None, steps=300 if number % 2 == 0 else PATIENCE)
    assert not ladder.sifting


def test_a_dive_at_a_dead_end_is_given_up_and_other_starts_are_not() -> None:
    dives = Dives(PATIENCE)
    dives.launch(0, ROOT, dice())
    dives.land(0, None, 0)
    assert not dives.open and not dives.failed
    dives.launch(1, ROOT, dice())
    dives.lose(1)
    assert dives.launch(2, ROOT, dice()).stall == 0 and not dives.open[1:]
