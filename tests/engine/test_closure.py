"""The closure of a catalogue: what it reaches, its lineage, its limits, that it ends, and bad input."""

import json
from pathlib import Path
from typing import Any

import pytest

from catalogue_samples import strassen
from flipforge import api
from flipforge.catalogue import SqliteStore
from flipforge.cli import main
from flipforge.errors import InputError
from flipforge.problems import Problem, matmul, parse
from flipforge.rings import GF2, ZT, Z
from flipforge.schemes import Scheme, standard_scheme
from flipforge.schemes.transforms import extend, project
from flipforge.search import Closure, ClosureProgress, Effort, Entry, FlipSpace, Seed, derived

FORMATS = ("2x2x2", "2x2x3", "2x2x4", "2x3x3", "2x3x4", "2x4x4", "3x3x3", "3x3x4", "3x4x4", "4x4x4")


def filled(store: SqliteStore, *schemes: Scheme, origin: str = "derived") -> SqliteStore:
    store.commit([Entry(scheme.canonical, origin, source="a test") for scheme in schemes])
    return store


def walked(problem: Problem, goal: int) -> Scheme:
    space = FlipSpace(problem)
    end = space.walk(space.start(Seed(0)), Effort(2_000_000, 20_000, goal, 2_000, 1), Seed(3))
    assert end.reached
    return space.scheme(end.state)


def ranks(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {row["problem"]: row["rank"] for row in rows}


def test_strassen_alone_gives_what_cuts_and_tensor_products_make_of_it(store: SqliteStore) -> None:
    filled(store, strassen(GF2))
    rows = api.closure("matmul:2..4x2..4x2..4", db=store)
    found = ranks(rows)
    # 2x2x3 is 7 + 4; 3x3x3 is 2x3x3 and a row; 4x4x4 is 7 * 7, and what is projected from it may be lower still.
    assert [found[f"matmul:{sizes}"] for sizes in FORMATS[1:6]] == [11, 14, 17, 22, 28]
    assert found["matmul:4x4x4"] == 49
    for sizes, bound in (("3x3x3", 26), ("3x3x4", 34), ("3x4x4", 44)):
        assert found[f"matmul:{sizes}"] <= bound
    assert {f"matmul:{sizes}" for sizes in FORMATS[:1]}.isdisjoint(found)
    assert found["matmul:4x2x3"] == 22 and len(rows) == 26
    methods = {row["problem"]: row["method"] for row in rows}
    assert (methods["matmul:2x2x3"], methods["matmul:4x4x4"]) == ("split", "tensor")
    for row in rows:
        assert (row["origin"], row["before"]) == ("derived", None)
        assert store.scheme(row["id"]).verdict().valid


def test_a_second_call_stores_nothing_and_another_catalogue_comes_to_the_same(tmp_path: Path, empty: Path) -> None:
    names = []
    for number in range(2):
        with SqliteStore.open(tmp_path / f"{number}.db", shipped=empty) as store:
            filled(store, walked(matmul(2, 2, 2), 7), walked(matmul(2, 3, 3), 15))
            rows = api.closure(max_size=3, db=store)
            assert rows and api.closure(max_size=3, db=store) == []
            assert len(store.rows()) >= len(rows) + 2
            names.append([row["id"] for row in rows])
    assert names[0] == names[1]


def test_all_that_is_stored_replays(store: SqliteStore) -> None:
    filled(store, walked(matmul(2, 2, 2), 7))
    rows = api.closure(max_size=4, db=store)
    assert {row["method"] for row in rows} >= {"split", "tensor", "restrict", "permute"}
    assert ranks(rows)["structured:gg:4"] == 49
    for row in rows:
        assert api.replay_scheme(row["id"], db=store).scheme == row["id"]


def test_what_improves_is_stored_and_nothing_else(store: SqliteStore) -> None:
    filled(store, strassen(GF2), standard_scheme(matmul(2, 2, 4), GF2), walked(matmul(3, 3, 3), 23))
    rows = api.closure("matmul:2..3x2..3x2..4", db=store)
    before = {row["problem"]: row["before"] for row in rows}
    assert before["matmul:2x2x4"] == 16 and before["matmul:2x2x3"] is None
    assert "matmul:3x3x3" not in before and "matmul:2x2x2" not in before
    best = {row["problem"]: row["rank"] for row in api.best("matmul:*", db=store)}
    assert all(best[row["problem"]] == row["rank"] for row in rows)


def test_one_index_less_of_a_good_scheme(store: SqliteStore) -> None:
    filled(store, walked(matmul(2, 2, 3), 11))
    (row,) = api.closure("matmul:2x2x2", db=store)
    assert (row["rank"], row["method"]) == (7, "project")


def test_over_gf2_skew_is_symmetric(store: SqliteStore) -> None:
    filled(store, walked(parse("structured:ss:3"), 15))
    rows = api.closure("structured:ss,sw,ww,us,gg:3", ring="GF2", db=store)
    found = ranks(rows)
    assert found["structured:sw:3"] == found["structured:ww:3"] == 15 and "structured:ss:3" not in found
    odd = filled(store, standard_scheme(parse("structured:ss:3"), ZT))
    assert ranks(api.closure("structured:ss,sw:3", ring="ZT", db=odd)).get("structured:sw:3", 27) > 15


def test_rings_of_characteristic_0_contain_each_other(store: SqliteStore) -> None:
    doubled = Scheme(matmul(1, 1, 1), Z, ((1,), (1,)), ((1,), (1,)), ((2,), (-1,)))
    filled(store, strassen(ZT), doubled)
    rows = api.closure("matmul:2x2x2..4", ring="Z", db=store)
    assert {(row["ring"], row["rank"]) for row in rows} == {("ZT", 11), ("ZT", 14)}
    assert api.closure("matmul:2x2x2..4", db=store) == []
    assert api.closure("matmul:2x2x2..4", ring="GF3", db=store) == []


def test_what_is_not_of_the_ring_is_not_kept() -> None:
    ternary = strassen(ZT)
    # Another basis of the inner index: A gains twice its first column in the second, B loses twice its second row.
    u = tuple((a, b + 2 * a, c, d + 2 * c) for a, b, c, d in ternary.u)
    v = tuple((a - 2 * c, b - 2 * d, c, d) for a, b, c, d in ternary.v)
    sheared = Scheme(matmul(2, 2, 2), Z, u, v, ternary.w).canonical
    assert sheared.verdict().valid and sheared.ring == Z
    (entry,) = Closure(Z, [sheared], [matmul(2, 2, 3)], max_rank=99).go()
    assert (entry.scheme.rank, entry.scheme.ring) == (11, Z)
    assert Closure(ZT, [sheared], [matmul(2, 2, 3)], max_rank=99).go() == []


def test_imported_schemes_are_left_out_or_leave_their_mark(store: SqliteStore) -> None:
    filled(store, strassen(GF2), origin="imported")
    assert api.closure("matmul:2x2x2..4", ring="GF2", db=store) == []
    rows = api.closure("matmul:2x2x2..4", origin="found,derived,imported", db=store)
    assert {(row["problem"], row["rank"], row["origin"]) for row in rows} == {
        ("matmul:2x2x3", 11, "imported"),
        ("matmul:2x2x4", 14, "imported"),
    }
    assert api.best("matmul:2x2x3", db=store)[0]["rank"] is None


def test_ancestors_that_were_improved_on_meanwhile_are_kept_with_what_came_of_them() -> None:
    closure = Closure(GF2, [], [], max_rank=99)
    first = derived(extend(matmul(2, 2, 2), 0), [strassen(GF2).canonical])
    second = derived(project(matmul(3, 2, 2), 1, 0), [first.scheme])
    aside = derived(extend(matmul(2, 2, 2), 1), [strassen(GF2).canonical])
    closure._made = {entry.scheme.id: entry for entry in (first, aside, second)}
    closure._improved = {second.scheme.problem.name: second.scheme.id}
    assert closure.go() == [first, second]


def test_limits(store: SqliteStore) -> None:
    filled(store, strassen(GF2))
    assert max(row["rank"] for row in api.closure(max_rank=14, max_size=4, db=store)) <= 14
    assert {
        max(map(int, row["problem"].split(":")[1].split("x")))
        for row in api.closure("matmul:2x2x2..9", max_size=5, db=store)
    } == {5}
    seen: list[ClosureProgress] = []
    assert api.closure(max_size=3, db=store, on_progress=seen.append) is not None
    assert seen[0].sweep == 1 and seen[0].done == 0 and seen[0].ring == "GF2" and seen[0].targets > 10


def test_nothing_comes_of_nothing(store: SqliteStore) -> None:
    assert api.closure(db=store) == []
    assert Closure(GF2, [], [matmul(2, 2, 2)], max_rank=99).go() == []


@pytest.mark.parametrize(
    ("family", "options", "message"),
    [
        ("poly:2..3x2", {}, "poly:2..3x2: no matmul or structured problem is in it"),
        ("matmul:4..5x4x4", {"max_size": 3}, "with sizes up to 3 is in it"),
        (None, {"max_size": 1}, "--max-size 1: give at least 2"),
        (None, {"max_rank": 0}, "--max-rank 0: give at least 1"),
        (None, {"ring": "GF4"}, "unknown ring"),
        (None, {"max_size": 40}, "agree with --yes"),
        ("matmul:1..30x1..30x1..30", {}, "agree with --yes"),
        ("matmul:2x2", {}, "write three sizes"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    family: str | None, options: dict[str, Any], message: str, store: SqliteStore
) -> None:
    before = filled(store, strassen(GF2)).rows()
    with pytest.raises(InputError, match=message) as caught:
        api.closure(family, db=store, **options)
    assert caught.value.exit_code == 2 and "\n" not in str(caught.value)
    assert store.rows() == before


def test_the_command_prints_rows_as_query_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = str(tmp_path / "catalogue.db")
    for expected in (1, 0):
        with pytest.raises(SystemExit) as caught:
            main(["closure", "matmul:7x2x2", "--ring", "GF2", "--json", "--db", db])
        out, err = capsys.readouterr()
        assert (caught.value.code or 0, err) == (0, "")
        rows = json.loads(out)
        assert len(rows) == expected
        assert all({"id", "problem", "ring", "rank", "additions", "omega", "origin"} <= row.keys() for row in rows)
    for words, code, shown in (
        (["matmul:7x2x2", "--ring", "GF2"], 0, ("nothing improves\n", "")),
        (
            ["poly:2x2"],
            2,
            ("", "flipforge: poly:2x2: no matmul or structured problem is in it; transforms reach no other\n"),
        ),
    ):
        with pytest.raises(SystemExit) as caught:
            main(["closure", *words, "--db", db])
        assert (caught.value.code or 0, tuple(capsys.readouterr())) == (code, shown)
