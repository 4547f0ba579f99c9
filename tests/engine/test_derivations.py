"""Lineage of derived schemes: walks and derivations mixed, stored, in files, replayed; and what does not replay."""

import json
import sqlite3
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from catalogue_samples import find, standard, step, strassen, variants
from flipforge import api
from flipforge.catalogue import SqliteStore, dump
from flipforge.catalogue._database import connect
from flipforge.catalogue._records import lineage_document, read_lineage
from flipforge.catalogue._schema import MIGRATIONS
from flipforge.errors import InputError, ReplayError
from flipforge.problems import Problem, matmul, parse
from flipforge.rings import GF2, GF3, ZT, Z
from flipforge.schemes import Scheme, standard_scheme
from flipforge.schemes.transforms import Kronecker, extend, merge, permute, project
from flipforge.search import Effort, Entry, FlipSpace, Lineage, Seed, derived, retrace


def walked(scheme: Scheme, goal: int, seed: int = 1) -> Entry:
    """A find: walk from a scheme down to a rank."""
    space = FlipSpace(scheme.problem, scheme.ring)
    effort = Effort(steps=2_000_000, path=20_000, goal=goal, idle=2_000, band=1)
    outcome = space.walk(space.state(scheme), effort, Seed(seed, (0, 1)))
    assert outcome.reached
    child = space.scheme(outcome.state)
    lineage = Lineage(
        child.id, scheme.canonical.id, "walk", (seed, 0, 1), asdict(effort), space.walk_version, "run-one"
    )
    return Entry(child, "found", lineage)


def mixed_history(store: SqliteStore) -> list[Entry]:
    """find -> merge of two finds -> walk -> project: nothing of it but the steps leads from one to the next."""
    two = walked(standard_scheme(matmul(2, 2, 2), GF2), 7)
    three = walked(standard_scheme(matmul(2, 2, 3), GF2), 11)
    merged = derived(merge(matmul(2, 2, 2), matmul(2, 2, 3), 2), [two.scheme, three.scheme])
    wider = derived(extend(matmul(2, 2, 5), 0), [merged.scheme])
    lower = walked(wider.scheme, wider.scheme.rank - 1)
    last = derived(project(lower.scheme.problem, 2, 0), [lower.scheme], source="a test")
    entries = [two, three, merged, wider, lower, last]
    for entry in entries:
        store.commit([entry])
    return entries


def test_walks_and_derivations_replay_through_every_parent(store: SqliteStore, tmp_path: Path, empty: Path) -> None:
    entries = mixed_history(store)
    end = entries[-1].scheme
    chain = store.lineage(end.id)
    assert [step.child for step in chain] == [entry.scheme.id for entry in entries]
    assert [step.method for step in chain] == ["walk", "walk", "merge", "extend", "walk", "project"]
    replayed = api.replay_scheme(end.id, db=store)
    assert (replayed.scheme, replayed.run, replayed.seed, replayed.walk_version) == (end.id, None, 1, "transforms/1")
    assert replayed.flips > 0
    assert store.row(end.id)["origin"] == "derived" and store.row(end.id)["source"] == "a test"

    # A file holds all of it: where none of the parents is stored, it replays as well.
    rows = dump(store, tmp_path / "out", problem=end.problem.name)
    assert [row["id"] for row in rows] == [end.id]
    with SqliteStore.open(tmp_path / "other.db", shipped=tmp_path / "out") as other:
        assert len(other.rows()) == 1 and other.lineage(end.id) == chain
    assert api.replay_scheme(end.id, db=tmp_path / "other.db").flips == replayed.flips


def test_one_scheme_may_be_two_parents_and_the_start_of_two_walks(store: SqliteStore) -> None:
    root = standard_scheme(matmul(2, 2, 2), GF2)
    first = walked(root, 7, seed=1)
    second = next(other for seed in range(2, 9) if (other := walked(root, 7, seed)).scheme != first.scheme)
    both = derived(merge(matmul(2, 2, 2), matmul(2, 2, 2), 0), [first.scheme, second.scheme])
    square = derived(Kronecker(matmul(2, 2, 2), matmul(2, 2, 2)), [first.scheme, first.scheme])
    for entry in (first, second, both, square):
        store.commit([entry])
        assert api.replay_scheme(entry.scheme.id, db=store).scheme == entry.scheme.id
    assert [link.child for link in store.lineage(both.scheme.id)] == [first.scheme.id, second.scheme.id, both.scheme.id]
    assert [link.child for link in store.lineage(square.scheme.id)] == [first.scheme.id, square.scheme.id]
    assert (both.scheme.rank, square.scheme.rank) == (14, 49)


def test_a_ternary_walk_replays_below_a_scheme_over_the_integers(store: SqliteStore) -> None:
    doubled = Scheme(matmul(1, 1, 1), Z, ((2,), (1,)), ((1,), (1,)), ((1,), (-1,)))
    assert doubled.verdict().valid and doubled.canonical.ring == Z
    seven = walked(standard_scheme(matmul(2, 2, 2), ZT), 7)
    entry = derived(Kronecker(matmul(2, 2, 2), matmul(1, 1, 1)), [seven.scheme, doubled.canonical])
    assert entry.scheme.ring == ZT
    store.commit([seven, Entry(doubled.canonical, "imported", source="by hand"), entry])
    assert api.replay_scheme(entry.scheme.id, db=store).scheme == entry.scheme.id


def test_a_search_that_starts_over_another_ring_replays_elsewhere(
    store: SqliteStore, tmp_path: Path, empty: Path
) -> None:
    ternary = api.search("matmul:2x2x3", "ZT", target_rank=11, workers=1, seed=1, db=tmp_path / "catalogue.db")
    assert ternary.scheme is not None
    # A start of a higher rank, so that steps follow the change of ring.
    wider = derived(extend(matmul(2, 2, 3), 2), [store.scheme(ternary.scheme)])
    store.commit([wider])
    again: dict[str, Any] = {"start": [wider.scheme.id], "workers": 1, "seed": 2, "db": tmp_path / "catalogue.db"}
    found = api.search("matmul:2x2x4", "GF3", target_rank=14, **again)
    assert found.rank == 14 and found.scheme is not None
    methods = [step.method for step in store.lineage(found.scheme)]
    assert methods[:1] == ["walk"] and "extend" in methods
    (change,) = (step for step in store.lineage(found.scheme) if step.method == "over")
    assert (change.parent, change.arguments) == (wider.scheme.id, {"ring": "ZT", "over": "GF3"})
    assert store.scheme(change.child) == wider.scheme.over(GF3).canonical
    lift = api.lift(found.scheme, db=store).lift.scheme
    assert lift is not None

    rows = dump(store, tmp_path / "out", problem="matmul:2x2x4", ring=lift.ring.name, only_best=True)
    assert [row["id"] for row in rows] == [lift.id]
    with SqliteStore.open(tmp_path / "other.db", shipped=tmp_path / "out") as other:
        assert [row["id"] for row in other.rows()] == [lift.id]
        assert api.replay_scheme(lift.id, db=other).flips >= ternary.flips
    residues = api.search("matmul:2x2x3", "GF2", max_flips=10, **{**again, "start": [ternary.scheme]})
    assert store.row(residues.scheme or "")["origin"] == "derived"
    assert [step.method for step in store.lineage(residues.scheme or "")][-1] == "over"


def test_an_imported_parent_is_a_root(store: SqliteStore) -> None:
    entry = derived(permute(matmul(2, 2, 2), (2, 1, 0)), [strassen(ZT).canonical])
    store.commit([Entry(strassen(ZT), "imported", source="strassen.json"), entry])
    assert api.replay_scheme(entry.scheme.id, db=store).scheme == entry.scheme.id


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"walk_version": "transforms/0"}, "made under transforms/0, this version makes transforms/1"),
        ({"method": "tensor"}, "'tensor' cannot be made again"),
        ({"arguments": {}}, "'merge' cannot be made again"),
        ({"arguments": {"problem": "matmul:2x2x5", "parts": 5, "complete": False}}, "cannot be made again"),
        ({"child": "0" * 12}, "stored is 000000000000"),
    ],
)
def test_what_does_not_derive_again_is_told(store: SqliteStore, changes: dict[str, object], words: str) -> None:
    entry = mixed_history(store)[2]
    assert entry.lineage is not None
    (*before, link) = store.lineage(entry.scheme.id)

    def root_of(name: str, problem: Problem, step: Lineage) -> Scheme:
        return standard_scheme(problem, GF2).canonical

    def space_of(problem: Problem, step: Lineage) -> FlipSpace:
        return FlipSpace(problem, GF2)

    assert retrace(entry.scheme.problem, [*before, link], space_of, root_of).scheme == entry.scheme
    with pytest.raises(ReplayError, match=words):
        retrace(entry.scheme.problem, [*before, replace(link, **changes)], space_of, root_of)  # type: ignore[arg-type]
    with pytest.raises(ReplayError, match="starts from"):
        retrace(entry.scheme.problem, [replace(before[0], parent="0" * 12), before[1], link], space_of, root_of)
    with pytest.raises(ReplayError, match="leads to nothing"):
        retrace(entry.scheme.problem, [replace(before[0], child="0" * 12), before[1], link], space_of, root_of)


def test_no_scheme_descends_from_itself_by_way_of_a_second_parent(store: SqliteStore) -> None:
    first, second, third = variants(3)
    sources = ((first.id, "matmul:2x2x2"), (second.id, "matmul:2x2x2"))
    link = replace(step(third, first, method="merge"), sources=sources, arguments={"x": 1})
    store.commit([Entry(third, "derived", link), find(second, third), find(first, standard())])
    assert store.lineage(second.id) == []
    assert [each.child for each in store.lineage(third.id)] == [first.id, third.id]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sources": [["a", 5]]}, "not those"),
        ({"sources": [["a", "b"]], "arguments": 5}, "not those"),
        ({"sources": [["a", "b"]]}, "the first source"),
        ({"sources": [["a"]]}, "unpack"),
    ],
)
def test_a_derivation_that_a_file_gets_wrong_is_refused(changes: dict[str, object], words: str) -> None:
    entry = derived(permute(matmul(2, 2, 2), (2, 1, 0)), [strassen(ZT).canonical])
    assert entry.lineage is not None
    document = json.loads(json.dumps(lineage_document(entry.lineage)))
    assert read_lineage(document) == entry.lineage
    with pytest.raises(ValueError, match=words):
        read_lineage({**document, **changes})


def test_a_catalogue_of_version_1_opens_and_keeps_its_lineage(tmp_path: Path, empty: Path) -> None:
    old = tmp_path / "old.db"
    first, second = variants(2)
    connection = connect(old, steps=MIGRATIONS[:1])
    assert connection.execute("PRAGMA user_version").fetchone()[0] == 1
    values = (
        second.id,
        first.id,
        "walk",
        "[5, 0, 2]",
        '{"steps": 10, "goal": 7, "idle": 3, "band": 2}',
        "v1",
        "run-one",
    )
    connection.execute("INSERT INTO lineage VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    connection.close()
    with SqliteStore.open(old, shipped=empty) as store:
        store.commit([Entry(second, "derived")])
        assert store.lineage(second.id) == [step(second, first)]
        mixed_history(store)
    raw = sqlite3.connect(old)
    assert raw.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS) > 1
    raw.close()


def test_a_transform_takes_schemes_of_its_problems_only() -> None:
    with pytest.raises(InputError, match="takes schemes of"):
        derived(project(matmul(2, 2, 2), 0, 0), [standard_scheme(parse("matmul:2x2x3"), GF2)])
