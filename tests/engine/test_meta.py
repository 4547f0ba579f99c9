"""Searches over a lattice of formats: bandit, archive, moves, what they reach, lineage, resume, bad input."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalogue_samples import strassen
from commands import PATIENCE, ROW_KEYS, Capture, answer
from flipforge import api
from flipforge.api import FamilyProgress
from flipforge.catalogue import SqliteStore
from flipforge.errors import InputError, RunInterrupted
from flipforge.executors import make_executor
from flipforge.problems import matmul, parse
from flipforge.rings import GF2
from flipforge.rings import ring as ring_named
from flipforge.schemes import Scheme, is_invariant, standard_scheme, symmetry
from flipforge.search import Archive, Bandit, Effort, Entry, FlipSpace, Lattice, Limits, Run, Seed, preset

SMALL = "matmul:2..3x2..3x2..3"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.db"


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def searched(db: Path | SqliteStore, family: str = SMALL, **options: Any) -> api.FamilyResult:
    usual: dict[str, Any] = {"workers": 1, "seed": 102, "preset": "quick", "start": ["standard"], "meta": True}
    if "max_flips" not in options:
        usual["seconds"] = PATIENCE
    return api.search_family(family, db=db, **{**usual, **options})


def ranks(result: api.FamilyResult) -> dict[str, int]:
    return {row["problem"].removeprefix("matmul:"): row["rank"] for row in result.rows}


def clockless(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in ("run", "seconds")} for row in rows]


def finds(db: Path, run: str) -> list[tuple[str, str]]:
    return [(row["problem"], row["id"]) for row in api.query(run=run, db=db, order="id")]


# --- the bandit ---


def test_the_bandit_goes_where_ranks_are_gained() -> None:
    bandit = Bandit(1_000)
    bandit.tell((0, "extend"), gained=2, steps=1_000)
    bandit.tell((1, "merge"), gained=0, steps=1_000)
    draws = generator()
    drawn = Counter(bandit.choose({(0, "extend"): 1.0, (1, "merge"): 1.0}, draws) for _ in range(200))
    assert drawn[0, "extend"] > 150 and drawn[1, "merge"] > 0, "the other is not given up"


def test_what_a_move_gave_elsewhere_is_expected_of_it() -> None:
    bandit = Bandit(1_000)
    bandit.tell((0, "extend"), gained=9, steps=1_000)
    bandit.tell((0, "merge"), gained=0, steps=1_000)
    assert bandit.mean((7, "extend")) > bandit.mean((7, "own")) > bandit.mean((7, "merge"))


def test_a_rank_counts_for_what_it_is_worth() -> None:
    bandit, draws = Bandit(1_000), generator()
    drawn = Counter(bandit.choose({(0, "own"): 1 / 7, (1, "own"): 1 / 70}, draws) for _ in range(200))
    assert 150 < drawn[0, "own"] < 200


def test_gains_are_forgotten_and_a_pair_can_begin_anew() -> None:
    bandit = Bandit(1_000)
    bandit.tell((0, "own"), gained=8, steps=1_000)
    high = bandit.mean((0, "own"))
    for _ in range(6):
        bandit.tell((0, "own"), gained=0, steps=1_000)
    low = bandit.mean((0, "own"))
    assert low < high / 5
    bandit.renew((0, "own"))
    assert bandit.mean((0, "own")) == bandit.mean((5, "own")) > low


def test_the_bandit_comes_back_from_json() -> None:
    bandit = Bandit(1_000)
    bandit.tell((0, "own"), gained=3, steps=10)
    bandit.tell((2, "merge"), gained=0, steps=20)
    other = Bandit(1_000)
    other.restore(json.loads(json.dumps(bandit.checkpoint())))
    assert other.checkpoint() == bandit.checkpoint() and other.mean((0, "own")) == bandit.mean((0, "own"))


# --- archive and lattice ---


def test_a_shelf_keeps_the_best_and_what_is_just_above() -> None:
    archive = Archive({})
    archive.take("a", [(9, "x"), (8, "y"), (7, "z"), (8, "y")], generator())
    assert archive.best("a") == (7, "z") and archive.checkpoint() == {"a": [(7, "z"), (8, "y")]}
    archive.take("a", [(7, f"{number}") for number in range(99)], generator())
    shelf = archive.checkpoint()["a"]
    assert len(shelf) == len(set(shelf)) == 24 and {rank for rank, _ in shelf} == {7}
    assert archive.best("b") is None and "b" not in archive
    back = Archive(json.loads(json.dumps(archive.checkpoint())))
    assert back.checkpoint() == archive.checkpoint()


def test_parents_above_the_best_are_drawn_now_and_then() -> None:
    archive = Archive({"a": [(7, "x"), (8, "y")]})
    draws = generator()
    drawn = Counter(archive.draw("a", draws) for _ in range(300))
    assert 150 < drawn["x"] < 250 and drawn["y"] == 300 - drawn["x"]
    assert {archive.draw("a", draws, only_best=True) for _ in range(50)} == {"x"}


def lattice_of(family: Sequence[str], *schemes: Scheme) -> tuple[Lattice, dict[str, Scheme]]:
    known = {scheme.canonical.id: scheme.canonical for scheme in schemes}
    archive = Archive({scheme.problem.name: [(scheme.rank, name)] for name, scheme in known.items()})
    return Lattice([parse(name) for name in family], GF2, archive), known


def test_moves_are_bound_by_what_they_take() -> None:
    lattice, _ = lattice_of(["matmul:2x2x3", "matmul:2x2x4", "matmul:4x4x4", "matmul:2x2x2"], strassen(GF2))
    assert lattice.bounds(matmul(2, 2, 3)) == {"extend": 11, "hold-p": 11}
    assert lattice.bounds(matmul(2, 2, 4)) == {"merge": 14}
    assert lattice.bounds(matmul(4, 4, 4)) == {"tensor": 49}
    assert lattice.bounds(matmul(2, 2, 2)) == {"own": 7}
    assert (lattice.rank(matmul(2, 2, 2)), lattice.rank(matmul(2, 2, 3))) == (7, None)
    lattice, _ = lattice_of(["matmul:2x2x2"], standard_scheme(matmul(2, 3, 2), GF2))
    assert lattice.bounds(matmul(2, 2, 2)) == {"project": 12}
    lattice, _ = lattice_of(["structured:ug:3", "structured:gl:3"], standard_scheme(parse("structured:gl:3"), GF2))
    assert lattice.bounds(parse("structured:ug:3"))["order"] == 18


@pytest.mark.parametrize(
    ("target", "move"), [("2x2x3", "extend"), ("2x2x3", "hold-p"), ("2x2x4", "merge"), ("4x4x4", "tensor")]
)
def test_starts_are_what_the_move_was_bound_to_give(target: str, move: str) -> None:
    lattice, known = lattice_of([f"matmul:{target}"], strassen(GF2))
    problem = parse(f"matmul:{target}")
    entries = lattice.starts(problem, move, generator(), known.__getitem__, run="r", exact=True)
    assert entries and len({entry.scheme.id for entry in entries}) == len(entries) <= 4
    for entry in entries:
        assert entry.scheme.problem == problem and entry.scheme.verdict().valid and entry.origin == "derived"
        assert entry.scheme.rank <= lattice.bounds(problem)[move]
        assert entry.lineage is not None and entry.lineage.run == "r"


def test_blocks_of_general_products_are_taken_as_such() -> None:
    # A general product has a name among the structured ones as well, under which it is not multiplied.
    other = standard_scheme(parse("structured:gg:2"), GF2)
    lattice, known = lattice_of(["matmul:4x4x4"], strassen(GF2), other)
    for number in range(6):
        for exact in (True, False):
            entries = lattice.starts(
                matmul(4, 4, 4), "tensor", generator(number), known.__getitem__, run="", exact=exact
            )
            assert all(entry.scheme.problem == matmul(4, 4, 4) for entry in entries)


def test_what_a_smaller_format_gave_is_held() -> None:
    lattice, known = lattice_of(["matmul:2x2x3", "structured:ug:3"], strassen(GF2))
    problem = matmul(2, 2, 3)
    (entry,) = lattice.starts(problem, "hold-p", generator(), known.__getitem__, run="", exact=True)
    assert lattice.held(problem, "hold-p") == (2, 2, 2) and lattice.held(problem, "extend") is None
    held = {(u, tuple(v[k] for k in (0, 1, 3, 4))) for u, v in zip(entry.scheme.u, entry.scheme.v, strict=True)}
    assert set(zip(strassen(GF2).u, strassen(GF2).v, strict=True)) <= held
    # A structure that ties two sizes is one axis of the two.
    assert lattice.held(parse("structured:ug:3"), "hold-n") == (2, 2, 3)


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Catalogue and ID of a family run that gave every move a turn: over GF(5) no rank is known, at which it ended."""
    db = tmp_path_factory.mktemp("everywhere") / "catalogue.db"
    return db, searched(db, "matmul:2x2x2..3", ring="GF5", seed=2, max_flips=96_000_000).run


def test_formats_that_are_held_have_their_turns(everywhere: tuple[Path, str]) -> None:
    db, whole = everywhere
    with SqliteStore.open(db) as store:
        held = {run.id: run.config["schedule"]["held"] for run in store.runs(whole) if ".hold-" in run.id}
    assert held == {f"{whole}.1.hold-p": [2, 2, 2]}
    assert any(each["run"] in held and each["steps"] for each in api.run_events(whole, db=db))


@pytest.mark.parametrize(
    ("number", "move", "walked", "group", "order", "rank"),
    [(0, "cyclic", "2x2x2", "Z3", 3, 7), (1, "mirror", "2x3x2", "swap", 2, 11)],
)
def test_symmetric_schemes_are_walked_with_their_symmetry_and_without(
    everywhere: tuple[Path, str], number: int, move: str, walked: str, group: str, order: int, rank: int
) -> None:
    db, whole = everywhere
    problem = parse(f"matmul:{walked}")
    invariant = symmetry(group, problem, ring_named("GF5"))
    with SqliteStore.open(db) as store:
        family, symmetric, relaxed = (
            store.run(f"{whole}{end}") for end in ("", f".{number}.{move}", f".{number}.relax-{move}")
        )
        starts = [store.scheme(member["state"]) for _, member in relaxed.checkpoint["ladder"]["starts"]]
        found = store.scheme(symmetric.best or "")
        lineage = store.lineage(found.id)
    assert symmetric.problem == relaxed.problem == problem.name and relaxed.flips > 0
    assert (symmetric.config["schedule"]["orbit"], relaxed.config["schedule"]["orbit"]) == (order, 0)
    told = {(pair, name): steps for pair, name, _, steps in family.checkpoint["bandit"]["pairs"]}
    assert told[number, move] == order * symmetric.flips > 0, "a flip of an orbit counts as so many"
    # That of 2x3x2 comes no lower with the symmetry than the standard algorithm.
    assert bool(lineage) == (move == "cyclic")
    assert all(step.walk_version.startswith("gf5-sym/") and step.run == symmetric.id for step in lineage)
    assert is_invariant(found, invariant) and api.replay_scheme(found.id, db=db).scheme == found.id
    assert starts and all(is_invariant(start, invariant) for start in starts)
    assert family.checkpoint["archive"][problem.name][0][0] == rank, "in whatever order it is found"


def test_a_family_starts_from_what_another_keeps(db: Path) -> None:
    first = searched(db, "matmul:2x2x2..3", max_flips=4_000_000)
    second = searched(db, "matmul:2x2..3x3", start=[first.run], max_flips=500_000)
    with SqliteStore.open(db) as store:
        before, after = (store.run(run).checkpoint["archive"] for run in (first.run, second.run))
        begun = store.run(second.run).config["begun"]
    assert begun == {name: shelf[0][0] for name, shelf in before.items()}
    assert before["matmul:2x2x2"] == after["matmul:2x2x2"]
    assert ranks(second)["2x2x3"] == 11
    alone = api.search("matmul:2x2x3", start=[first.run], max_flips=1, workers=1, seed=1, db=db)
    with SqliteStore.open(db) as store:
        starts = store.run(alone.run or "").checkpoint["ladder"]["starts"]
    assert {member["state"] for _, member in starts} == {key for _, key in before["matmul:2x2x3"]}
    with pytest.raises(InputError, match="keeps no schemes of matmul:3x3x3"):
        api.search("matmul:3x3x3", start=[first.run], max_flips=1, workers=1, seed=1, db=db)


def test_all_schemes_of_one_rank_have_their_turn_as_parents() -> None:
    space = FlipSpace(matmul(2, 2, 2))
    end = space.walk(space.start(Seed(0)), Effort(2_000_000, 20_000, 7, 2_000, 1), Seed(3))
    known = {scheme.id: scheme for scheme in (strassen(GF2).canonical, space.scheme(end.state))}
    assert len(known) == 2
    lattice = Lattice([matmul(2, 2, 3)], GF2, Archive({"matmul:2x2x2": [(7, name) for name in known]}))
    parents = set()
    for number in range(5):
        for entry in lattice.starts(
            matmul(2, 2, 3), "extend", generator(number), known.__getitem__, run="", exact=True
        ):
            assert entry.lineage is not None
            parents |= set(entry.lineage.parents)
    assert parents > set(known)


def test_what_comes_of_imported_schemes_is_marked(store: SqliteStore) -> None:
    store.commit([Entry(strassen(GF2).canonical, "imported", source="a test")])
    lattice, _ = lattice_of(["matmul:2x2x3"], strassen(GF2))
    (entry, *_) = lattice.starts(matmul(2, 2, 3), "extend", generator(), store.scheme, run="", exact=True)
    assert entry.origin == "imported"


# --- runs ---


def test_from_nothing_every_small_format_gets_to_its_rank(db: Path) -> None:
    result = searched(db)
    assert ranks(result) == {"2x2x2": 7, "2x2x3": 11, "2x3x3": 15, "3x3x3": 23}
    assert list(result.rows[0]) == ROW_KEYS and result.target_reached is True
    assert result.flips == sum(row["flips"] for row in result.rows)
    for row in result.rows:
        assert api.load(row["scheme"], db=db).verdict().valid
        assert api.replay_scheme(row["scheme"], db=db).scheme == row["scheme"]
    (row,) = api.runs(db=db)
    assert (row["id"], row["state"], row["members"], row["reached"]) == (result.run, "done", 4, 4)
    assert api.run_details(result.run, db=db)["rows"] == list(result.rows)


def test_a_find_seeds_its_neighbours_and_all_of_it_replays(db: Path) -> None:
    result = searched(db, "matmul:2x2x2..4", max_flips=40_000_000)
    assert ranks(result) == {"2x2x2": 7, "2x2x3": 11, "2x2x4": 14}
    with SqliteStore.open(db) as store:
        chains = {row["problem"]: store.lineage(row["scheme"]) for row in result.rows}
        methods = {name: {step.method for step in chain} for name, chain in chains.items()}
        assert any(not method.isdisjoint({"split", "project"}) for method in methods.values()), methods
        assert all(step.run.startswith(result.run) for chain in chains.values() for step in chain)
    stored = api.query("matmul:2x2x2..4", ring="GF2", run=result.run, db=db)
    derived = [row for row in stored if row["origin"] == "derived" and row["rank"] < 16]
    assert derived
    for row in derived:
        assert api.replay_scheme(row["id"], db=db).scheme == row["id"]


def test_one_worker_and_a_seed_repeat_the_whole_run(tmp_path: Path) -> None:
    runs = []
    for name, seed in (("a.db", 3), ("b.db", 3), ("c.db", 4)):
        result = searched(tmp_path / name, "matmul:2..4x3..4x3..4", seed=seed, max_flips=16_000_000)
        events = [
            {key: value for key, value in each.items() if key not in ("run", "seconds", "worker")}
            for each in api.run_events(result.run, db=tmp_path / name)
        ]
        runs.append((clockless(result.rows), finds(tmp_path / name, result.run), events))
    assert runs[0] == runs[1] and runs[0][1] != runs[2][1] and len(runs[0][1]) > 30


def test_the_catalogue_is_where_it_begins_unless_told_otherwise(store: SqliteStore) -> None:
    store.commit([Entry(strassen(GF2).canonical, "derived", source="a test")])
    result = searched(store, "matmul:2x2x2..3", start=(), max_flips=4_000_000)
    assert [(row["rank"], row["flips"]) for row in result.rows] == [(7, 0), (11, 0)]
    (step,) = store.lineage(result.rows[1]["scheme"])
    assert step.method == "split" and strassen(GF2).canonical.id in step.parents


def test_files_to_begin_with(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "strassen.json"
    with SqliteStore.open(tmp_path / "other.db") as other:
        name = other.commit([Entry(strassen(GF2).canonical, "derived", source="a test")])
        identity = name[0] if name else strassen(GF2).canonical.id
        api.convert(identity, "flipforge", file, db=other)
    result = searched(db, "matmul:2x2x2..3", start=[file], max_flips=4_000_000)
    assert [(row["rank"], row["flips"]) for row in result.rows] == [(7, 0), (11, 0)]


def test_a_run_that_begins_again_counts_its_chunks_on(store: SqliteStore) -> None:
    space = FlipSpace(matmul(3, 3, 3))
    start = Entry(standard_scheme(space.problem, GF2).canonical, "derived", source="standard algorithm")
    record = Run.new(space, "GF2", {"seed": 1})
    for flips in (400_000, 800_000):
        executor = make_executor("inline", workers=1)
        schedule = replace(preset("quick"), dive=0, chunk=100_000)
        run = Run(space, executor, store, record, schedule=schedule, limits=Limits(flips=flips), deterministic=True)
        run.begin([start])
        record = run.go()
        executor.close()
    chunks = [each["chunk"] for each in store.events(record.id)]
    assert record.flips == 800_000 and len(chunks) == len(set(chunks)) > 7, "seeds are never used twice"


def test_resume_goes_on_and_what_is_done_stays(db: Path) -> None:
    first = searched(db, "matmul:3x3..4x3..4", seed=1, max_flips=8_000_000)
    assert first.flips == 8_000_000 and first.target_reached is False
    known = finds(db, first.run)
    second = api.resume_family(first.run, max_flips=60_000_000, db=db)
    assert second.run == first.run and second.flips > first.flips
    assert set(known) <= set(finds(db, first.run))
    assert all(ranks(second)[name] <= rank for name, rank in ranks(first).items())
    assert sum(ranks(second).values()) < sum(ranks(first).values())
    events = api.run_events(first.run, db=db)
    assert sum(each["steps"] for each in events) == second.flips
    chunks = Counter((each["run"], each["chunk"]) for each in events)
    assert max(chunks.values()) == 1, "a run that begins again counts on"


def test_resume_in_the_middle_of_a_turn(db: Path) -> None:
    seen: list[FamilyProgress] = []

    def press(progress: FamilyProgress) -> None:
        seen.append(progress)
        if len(seen) == 12:
            raise KeyboardInterrupt

    with pytest.raises(RunInterrupted) as caught:
        searched(db, "matmul:3x3..4x3..4", on_progress=press)
    (row,) = api.runs(db=db)
    assert caught.value.run == row["id"] and row["state"] == "stopped" and row["flips"] > 0
    with SqliteStore.open(db) as store:
        turn = store.run(row["id"]).checkpoint["open"]
    assert turn["afresh"] is False, "it does not begin again with what it has put into the archive since"
    order: list[int] = []
    resumed = api.resume_family(
        row["id"], db=db, max_flips=row["flips"] + 9_000_000, on_progress=lambda each: order.append(each.active)
    )
    assert order[0] == seen[-1].active, "the turn that was interrupted goes on"
    assert resumed.flips == row["flips"] + 9_000_000
    for each in resumed.rows:
        if each["flips"]:
            assert api.replay_scheme(each["scheme"], db=db).scheme == each["scheme"]


def test_two_workers(db: Path) -> None:
    result = searched(db, "matmul:3x3x3..4", seed=1, workers=2, max_flips=30_000_000)
    assert len({each["worker"] for each in api.run_events(result.run, db=db)}) == 2
    assert result.flips <= 30_000_000 and ranks(result)["3x3x3"] < 27


def test_structured_products_seed_each_other(db: Path) -> None:
    result = searched(db, "structured:ss,sw:2..3", max_flips=8_000_000)
    rows = {row["problem"]: row["rank"] for row in result.rows}
    assert rows["structured:ss:2"] == rows["structured:sw:2"] <= 6 and rows["structured:ss:3"] < 27
    methods = {row["origin"] for row in api.query(run=result.run, db=db)}
    assert "derived" in methods


# --- the command line ---


def test_the_command_gives_the_json_of_a_family(db: Path, capsys: Capture) -> None:
    words = ("search", SMALL, "--meta", "--from", "standard", "--workers", "1", "--seed", "102", "--preset", "quick")
    code, out, err = answer(capsys, *words, "--time", "10m", "--json", "--db", str(db))
    document = json.loads(out)
    assert (code, err) == (0, "") and list(document) == ["run", "rows"] and list(document["rows"][0]) == ROW_KEYS
    assert [row["rank"] for row in document["rows"]] == [7, 11, 15, 23]
    code, out, _ = answer(capsys, "resume", document["run"], "--db", str(db), "--json")
    assert code == 0 and clockless(json.loads(out)["rows"]) == clockless(document["rows"])
    code, out, _ = answer(capsys, "runs", document["run"], "--db", str(db))
    assert code == 0 and "matmul:3x3x3" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("matmul:2x2x2", "--meta"), "--meta is for families; matmul:2x2x2 is one problem"),
        (("matmul:2x2x2,2", "--meta"), "no move leads from one format to another in a single problem"),
        (("group:C2..4", "--meta"), "no move leads from one format to another in its 3 problems"),
        (("matmul:30..31x30x30", "--meta"), "no member can be searched"),
        (("matmul:2..3x2x2", "--meta", "--target-rank", "7"), "--target-rank is for one problem"),
        (("matmul:2..3x2x2", "--meta", "--from", "0123456789ab"), "no scheme with this ID"),
        (("matmul:2..3x2x2", "--from", "0123456789ab"), "--from is for one problem"),
    ],
)
def test_bad_input_is_one_line_and_code_2(db: Path, capsys: Capture, words: Sequence[str], says: str) -> None:
    code, out, err = answer(capsys, "search", *words, "--db", str(db))
    assert (code, out) == (2, "") and err.startswith("flipforge: ") and err.count("\n") == 1
    assert re.search(says, err), err
    if db.exists():
        assert api.runs(db=db) == []


def test_a_scheme_without_moves_is_refused(store: SqliteStore) -> None:
    scheme = standard_scheme(parse("complex"), GF2).canonical
    store.commit([Entry(scheme, "derived", source="a test")])
    with pytest.raises(InputError, match="from which no move leads"):
        searched(store, "matmul:2x2x2..3", start=[scheme.id])
