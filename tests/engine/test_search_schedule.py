"""The schedule: courses that settle, pools that stay mixed, and the rule that moves between levels."""

import json
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge.search import Course, Ladder, Member, Paths, Pool, Schedule
from flipforge.search._controller import Idles
from search_bench import SMALL

STEP = Course(1_000, 1_000)


def dice(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def member(name: str, kind: str = "", **more: Any) -> Member:
    return Member(name.encode(), kind or name, **more)


def rate(course: Course, best: Course) -> float:
    """Successes per step: nothing comes of paths much shorter than the best, longer ones and the other kind drift."""
    alike = (course.idle < course.path) == (best.idle < best.path)
    return float(np.exp(-best.path / course.path) / course.path) * (1.0 if alike else 0.2)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(Paths(4_096_000).grid), st.integers(0, 2**32), st.floats(-1, 1))
def test_path_lengths_settle_near_the_best(best: Course, seed: int, ease: float) -> None:
    paths, generator = Paths(4_096_000), dice(seed)
    peak = max(rate(course, best) for course in paths.grid)
    spent = good = 0.0
    for level in range(6):
        hardness = 10**ease / (peak * 10 ** (5 + level / 2))
        spent = good = 0.0
        while spent < 4e7 * 10 ** (level / 2):
            course = paths.choose(generator, 1e9)
            steps = 1_000_000 * 10 ** (level / 2)
            found = int(generator.poisson(steps * hardness * rate(course, best)))
            paths.tell(course, fresh=found, steps=int(steps))
            spent += steps
            good += steps * (rate(course, best) > 0.6 * peak)
        if level == 5:
            assert rate(paths.favourite, best) > 0.6 * peak
        paths.descend()
    assert good > 0.5 * spent


def test_path_lengths_grow_with_what_was_spent() -> None:
    paths = Paths(1_000_000)
    short = {Course(1_000, 1_000), Course(4_000, 4_000), Course(4_000, 100)}
    assert {paths.choose(dice(seed), 5_000) for seed in range(50)} == short
    long = Course(256_000, 6_400)
    paths.tell(long, fresh=30, steps=300_000)
    paths.tell(STEP, fresh=0, steps=300_000)
    paths.descend()
    assert long in {paths.choose(dice(seed), 1_000) for seed in range(50)}


def test_paths_are_walked_with_and_without_plus_transitions_but_for_the_shortest_and_the_longest() -> None:
    grid = Paths(5_000_000).grid
    lengths = [1_000 * 4**power for power in range(7)]
    assert [course.path for course in grid if course.idle == course.path] == lengths[:-1]
    assert [(c.path, c.idle) for c in grid if c.idle < c.path] == [(path, path // 40) for path in lengths[1:]]
    for path in (1_000, 5_000, 64_000):
        assert Paths(100_000).no_longer(grid[-1], path).path == max(c.path for c in grid if c.path <= path)
    assert Paths(100_000).no_longer(grid[0], 64_000) == grid[0]


def test_path_lengths_come_back_from_json() -> None:
    paths = Paths(100_000)
    paths.tell(Course(4_000, 100), fresh=2, steps=7)
    paths.descend()
    paths.tell(STEP, fresh=1, steps=9)
    again = Paths(100_000)
    again.restore(paths.checkpoint())
    assert [again.choose(dice(seed), 1e9) for seed in range(20)] == [
        paths.choose(dice(seed), 1e9) for seed in range(20)
    ]
    assert again.cost == paths.cost == 9.0
    again.restore({"profile": [1.0, 0.5], "fresh": [0.0, 3.0], "steps": [9.0, 9.0]})
    assert again.cost == 9.0 and again.choose(dice(), 1e9) in again.grid


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
    ladder.tell(10, STEP, fresh=SMALL.least - 1, steps=100)
    assert ladder.level == 10
    ladder.tell(10, STEP, fresh=1, steps=100)
    assert (ladder.level, ladder.fresh, ladder.lowest) == (9, 0, 9)
    ladder.tell(10, STEP, fresh=1, steps=100)
    assert (ladder.level, ladder.fresh) == (9, 0)


def test_more_members_are_wanted_where_they_are_dear() -> None:
    ladder = ladder_at(10)
    assert ladder.wanted == SMALL.least
    ladder.tell(10, STEP, fresh=0, steps=1_000_000)
    assert ladder.wanted == SMALL.pool


def test_sifting_takes_more_finds_than_it_keeps() -> None:
    ladder, wanted = ladder_at(10), SMALL.pool * SMALL.sift
    ladder.sifting = True
    assert ladder.chunk(0, 100).wanted == wanted
    for number in range(wanted):
        ladder.admit(9, member(str(number), breadth=number))
    assert not ladder.takes(9, member("narrow", breadth=0)) and ladder.takes(9, member("broad", breadth=99))
    ladder.tell(10, STEP, fresh=wanted - 1, steps=1)
    assert ladder.level == 10
    ladder.tell(10, STEP, fresh=1, steps=1)
    assert ladder.level == 9 and ladder.sizes()[9] == SMALL.pool
    assert ladder.holds(9, b"11") and not ladder.holds(9, b"5")


def test_a_descent_that_sifts_begins_again_where_finds_leave_no_choice() -> None:
    few = SMALL.pool // 2 - 1
    for sifting, fresh, level in ((False, 0, 9), (False, 1, 7), (True, 0, 10), (True, few, 10), (True, few + 1, 7)):
        ladder = ladder_at(10)
        for rank in (9, 8):
            fill(ladder, rank, SMALL.pool)
            ladder.tell(rank + 1, STEP, fresh=SMALL.pool, steps=1)
        ladder.sifting = sifting
        fill(ladder, 7, fresh)
        ladder.tell(8, STEP, fresh=fresh, steps=SMALL.patience)
        assert ladder.level == min(ladder.sizes()) == level and ladder.sizes()[10] == 1


def test_a_stuck_run_climbs_higher_each_time_and_sifts_from_the_root() -> None:
    ladder = ladder_at(10)
    for rank in (9, 8, 7):
        fill(ladder, rank, SMALL.least)
        ladder.tell(ladder.level, STEP, fresh=SMALL.least, steps=1)
    levels = []
    for _ in range(3):
        ladder.tell(ladder.level, STEP, fresh=0, steps=SMALL.patience)
        levels.append(ladder.level)
        assert min(ladder.sizes()) == ladder.level
    assert levels == [8, 9, 10] and ladder.sifting and ladder.holds(10, b"start10")
    assert ladder.chunk(0, 100).sifted


def test_a_dead_end_is_left_sooner() -> None:
    cases = [(False, "one", 0, 10), (False, "", 0, 10), (False, "one", 1, 9), (True, "one", 0, 10), (True, "", 0, 9)]
    for sifting, kind, partnered, level in cases:
        ladder = ladder_at(10)
        for number in range(SMALL.least):
            ladder.admit(9, member(f"end{number}", kind, partnered=partnered))
        ladder.tell(10, STEP, fresh=SMALL.least, steps=1)
        ladder.sifting = sifting
        assert ladder.level == 9
        ladder.tell(9, STEP, fresh=0, steps=SMALL.patience // 10)
        assert ladder.level == level


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
        effort = ladder.chunk(number, 10**9).effort
        course = Course(effort.path, effort.idle)
        ladder.tell(ladder.level, course, fresh=found, steps=SMALL.patience // 5)
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


def test_dives_learn_when_to_make_plus_transitions_and_begin_a_rank_with_what_is_known_above() -> None:
    idles, generator = Idles((10, 1_000)), dice(1)
    assert {idles.choose(9, generator) for _ in range(50)} == {10, 1_000}
    for _ in range(20):
        idles.tell(9, 10, found=True, steps=1_000)
        idles.tell(9, 1_000, found=False, steps=1_000_000)
    assert {idles.choose(8, generator) for _ in range(50)} == {10}
    for _ in range(20):
        idles.tell(8, 10, found=False, steps=1_000_000)
        idles.tell(8, 1_000, found=True, steps=10)
    assert {idles.choose(8, generator) for _ in range(50)} == {1_000}
    assert {idles.choose(9, generator) for _ in range(50)} == {10}
    again = Idles((10, 1_000))
    again.restore(json.loads(json.dumps(idles.checkpoint())))
    assert [again.choose(rank, dice(2)) for rank in (7, 8, 9)] == [idles.choose(rank, dice(2)) for rank in (7, 8, 9)]


def test_a_run_of_the_version_before_goes_on_without_what_it_did_not_learn() -> None:
    ladder = Ladder(SMALL, 1)
    ladder.seed([(10, member("start"))])
    written = ladder.checkpoint({b"start": "start"})
    del written["idles"]
    again = Ladder(SMALL, 1)
    again.restore(written, {"start": b"start"})
    assert again.chunk(1, 10**9) == ladder.chunk(1, 10**9)
