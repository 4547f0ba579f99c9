"""Queries: filters, order, and conditions in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalogue_samples import find, record, standard, strassen, variants
from flipforge.catalogue import Query, SqliteStore
from flipforge.catalogue._where import Kind, parse_where
from flipforge.errors import FlipforgeError, InputError, NotFoundError, ProblemError, RingError
from flipforge.problems import parse
from flipforge.rings import GF2, GF3, ZT
from flipforge.search import Entry

COLUMNS: dict[str, Kind] = {"rank": "number", "omega": "number", "ring": "text", "origin": "text"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    folder = tmp_path_factory.mktemp("query")
    (folder / "empty").mkdir()
    with SqliteStore.open(folder / "x.db", shipped=folder / "empty") as opened:
        opened.commit([Entry(standard(f"matmul:{n}x2x3", GF2), "derived") for n in (10, 2, 3)])
        opened.commit([Entry(standard("matmul:2x2x3", ring), "derived") for ring in (ZT, GF3)])
        opened.commit([Entry(strassen(ZT), "imported", source="a.json"), Entry(strassen(GF2), "imported")])
        opened.commit([find(scheme, standard(), "abcdef01") for scheme in variants(5)], record("abcdef01"))
        opened.commit([], record("abcdef02"))
        yield opened


def listed(store: SqliteStore, *names: str, **query: Any) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in store.rows(Query(**query))]


def test_rows_hold_what_the_contract_says(store: SqliteStore) -> None:
    for row in store.rows():
        assert list(row)[:6] == ["id", "problem", "ring", "rank", "additions", "additions_reduced"]
        assert {"omega", "origin", "run", "nonzeros"} <= row.keys()
    assert len(store.rows()) == 12


def test_problems_come_by_their_sizes(store: SqliteStore) -> None:
    assert listed(store, "problem", "ring", "rank", where="rank > 7 and origin = 'derived'") == [
        ("matmul:2x2x3", "GF2", 12),
        ("matmul:2x2x3", "GF3", 12),
        ("matmul:2x2x3", "ZT", 12),
        ("matmul:3x2x3", "GF2", 18),
        ("matmul:10x2x3", "GF2", 60),
    ]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 12),
        ({"problem": "matmul:2x2x3"}, 3),
        ({"problem": "matmul:2..3x2x3"}, 4),
        ({"problem": "matmul:2..3x2x2..3"}, 11),
        ({"problem": "matmul:10,3x2x3"}, 2),
        ({"problem": "matmul:*"}, 12),
        ({"problem": "*"}, 12),
        ({"problem": "*x2x3"}, 5),
        ({"problem": "matmul:*x2x2..3"}, 12),
        ({"problem": "matmul:[12]*"}, 0),
        ({"problem": "matmul:?x2x*"}, 0),
        ({"problem": "matmul:5x5x5"}, 0),
        ({"ring": "gf2"}, 9),
        ({"ring": "Z[1/2]"}, 0),
        ({"max_rank": 10}, 7),
        ({"max_rank": 10**30}, 12),
        ({"max_additions": 6}, 4),
        ({"max_omega": 2.9}, 2),
        ({"origin": "imported"}, 2),
        ({"origin": "found, imported"}, 7),
        ({"run": "abcdef01"}, 5),
        ({"run": "abcdef"}, 5),
        ({"run": "abcdef02"}, 0),
        ({"where": "run is null and n = 2 and m = p"}, 2),
        ({"where": "n = 10 and m = 2 and p = 3"}, 1),
        ({"where": "source = 'a.json'"}, 1),
        ({"where": "problem = 'matmul:2x2x2' and kind = 'scheme' and nonzeros > additions"}, 7),
        ({"limit": 4}, 4),
        ({"limit": 0}, 0),
        ({"ring": "GF2", "max_rank": 12, "origin": "derived", "problem": "matmul:2..9x2x3"}, 1),
    ],
)
def test_filters(store: SqliteStore, query: dict[str, Any], count: int) -> None:
    assert len(store.rows(Query(**query))) == count


def test_order(store: SqliteStore) -> None:
    ranks = [rank for (rank,) in listed(store, "rank", order="-rank")]
    assert ranks == sorted(ranks, reverse=True)
    pairs = listed(store, "rank", "additions", order="rank, -additions")
    assert pairs == sorted(pairs, key=lambda pair: (pair[0], -pair[1]))
    names = [name for (name,) in listed(store, "problem", order="-problem")]
    assert names[0] == "matmul:10x2x3"
    for order in ("run", "-run"):
        assert [run for (run,) in listed(store, "run", order=order)] == ["abcdef01"] * 5 + [None] * 7
    same = [identity for (identity,) in listed(store, "id", order="kind")]
    assert same == sorted(same)


def test_best_of_each_problem_and_ring(store: SqliteStore) -> None:
    assert listed(store, "problem", "ring", "rank", best=True) == [
        ("matmul:2x2x2", "GF2", 7),
        ("matmul:2x2x2", "ZT", 7),
        ("matmul:2x2x3", "GF2", 12),
        ("matmul:2x2x3", "GF3", 12),
        ("matmul:2x2x3", "ZT", 12),
        ("matmul:3x2x3", "GF2", 18),
        ("matmul:10x2x3", "GF2", 60),
    ]
    assert listed(store, "rank", best=True, origin="found", problem="matmul:2x2x2") == [(10,)]


@pytest.mark.parametrize(
    ("query", "kind", "fragment"),
    [
        ({"problem": "matmul:0x2x2"}, ProblemError, "at least 1"),
        ({"problem": "matmul:0..2x2x2"}, ProblemError, "at least 1"),
        ({"problem": "matmul:2..999x999x2"}, ProblemError, "limit"),
        ({"problem": "matmul:3..2x2x2"}, ProblemError, "empty"),
        ({"problem": "matmul:2x2"}, ProblemError, "three sizes"),
        ({"problem": "nothing:2x2"}, ProblemError, "unknown problem kind"),
        ({"problem": "nothing:*"}, ProblemError, "no problems of kind 'nothing'"),
        ({"problem": "tensor:/no/such.npz"}, NotFoundError, "no such tensor file"),
        ({"problem": ""}, ProblemError, "unknown"),
        ({"ring": "GF4"}, RingError, "unknown ring"),
        ({"origin": "stolen"}, InputError, "'stolen' is not one of found, derived, imported"),
        ({"origin": ""}, InputError, "is not one of"),
        ({"run": "nothing"}, NotFoundError, "no such run"),
        ({"order": "size"}, InputError, "unknown column 'size'; there are id"),
        ({"order": ""}, InputError, "unknown column"),
        ({"order": "rank; DROP TABLE objects"}, InputError, "unknown column"),
        ({"order": "--rank"}, InputError, "unknown column '-rank'"),
        ({"limit": -1}, InputError, "-1"),
        ({"where": "data = 'x'"}, InputError, "unknown column 'data'"),
        ({"where": "ring = '\udcff'"}, InputError, "position 9"),
    ],
)
def test_bad_queries(store: SqliteStore, query: dict[str, Any], kind: type[FlipforgeError], fragment: str) -> None:
    with pytest.raises(kind) as error:
        store.rows(Query(**query))
    assert fragment in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2


def test_values_are_never_part_of_the_statement() -> None:
    value = "x' OR '1'='1"
    quoted = value.replace("'", "''")
    statement, values = Query(
        "matmul:*'--", ring="Q", origin="found", run=value, where=f"source = '{quoted}'", limit=7
    ).compile()
    assert "x'" not in statement
    assert "--" not in statement
    assert value in values
    assert statement.count("?") == len(values)


def test_a_path_is_looked_up_by_the_tensor_it_holds(tmp_path: Path, store: SqliteStore) -> None:
    import numpy as np

    path = tmp_path / "t.npy"
    np.save(path, np.array([[0, 0, 0, 2]]))
    problem = parse(f"tensor:{path}")
    assert store.rows(Query(f"tensor:{path}")) == store.rows(Query(problem.name)) == []
    assert Query(f"tensor:{path}").compile() == Query(problem.name).compile()


def test_a_star_finds_codes_that_no_family_names(store: SqliteStore) -> None:
    schemes = [standard(name) for name in ("structured:lg:2", "structured:gt:2", "structured:gt:3:c", "group:C2")]
    store.commit([Entry(scheme, "derived") for scheme in schemes])

    def found(problem: str) -> list[str]:
        return [row["problem"] for row in store.rows(Query(problem))]

    assert found("structured:*:2..3") == ["structured:gt:2", "structured:lg:2"]
    assert found("structured:lg,gt:2") == ["structured:gt:2", "structured:lg:2"]
    assert found("structured:gt:2..3:a,c") == ["structured:gt:3:c"]
    assert found("group:C2..3") == ["group:C2"]


@pytest.mark.parametrize(
    ("start", "around"),
    [
        ("rank > 0", "not ({})"),
        ("rank > 0", "rank = 0 or ({})"),
        ("rank > 0", "rank = 0 or rank > 0 and not ({})"),
        ("rank > 0", "(rank = 0 or rank > 0 and ({}))"),
        ("rank", "0 + 1 * ({})"),
        ("rank", "0 - (- ({}))"),
        ("rank", "- ({})"),
    ],
)
def test_the_deepest_conditions_run(store: SqliteStore, start: str, around: str) -> None:
    """What SQLite's parser could not hold is refused before it gets there."""
    text, levels = start, 0
    while True:
        condition = text if ">" in text else f"{text} <> 0"
        try:
            parse_where(condition, COLUMNS)
        except InputError as error:
            assert "levels of nesting" in str(error)
            break
        assert len(store.rows(Query(where=condition, best=True))) in (0, len(store.rows(Query(best=True))))
        text, levels = around.format(text), levels + 1
    assert levels >= 6
