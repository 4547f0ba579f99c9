"""Queries: filters, order, and the condition language against a plain evaluator of its own."""

import operator
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue_samples import find, record, standard, strassen, variants
from flipforge.catalogue import Query, SqliteStore
from flipforge.catalogue._where import MAX_DEPTH, MAX_TOKENS, Kind, parse_where
from flipforge.errors import FlipforgeError, InputError, NotFoundError, ProblemError, RingError
from flipforge.problems import parse
from flipforge.rings import GF2, GF3, ZT
from flipforge.search import Entry

COLUMNS: dict[str, Kind] = {"rank": "number", "omega": "number", "ring": "text", "origin": "text"}

Value = int | float | str | None
Row = Mapping[str, Value]


@dataclass(frozen=True)
class Expression:
    """A text of the language, and what it means for a row; None is an empty value, and neither true nor false."""

    text: str
    value: Callable[[Row], Any]


def column(name: str) -> Expression:
    return Expression(name, lambda row: row[name])


def literal(value: int | float | str, quote: str = "'") -> Expression:
    text = f"{quote}{value.replace(quote, quote * 2)}{quote}" if isinstance(value, str) else repr(value)
    return Expression(text, lambda row: value)


def applied(function: Callable[..., Any], template: str, *parts: Expression) -> Expression:
    """Apply a function that knows no empty values; with one, the result is empty."""

    def value(row: Row) -> Any:
        arguments = [part.value(row) for part in parts]
        return None if None in arguments else function(*arguments)

    return Expression(template.format(*(part.text for part in parts)), value)


def both(left: Expression, right: Expression) -> Expression:
    def value(row: Row) -> bool | None:
        values = (left.value(row), right.value(row))
        return False if False in values else None if None in values else True

    return Expression(f"({left.text}) and ({right.text})", value)


def either(left: Expression, right: Expression) -> Expression:
    def value(row: Row) -> bool | None:
        values = (left.value(row), right.value(row))
        return True if True in values else None if None in values else False

    return Expression(f"({left.text}) OR ({right.text})", value)


def among(item: Expression, members: list[Expression], absent: bool) -> Expression:
    def value(row: Row) -> bool | None:
        wanted, values = item.value(row), [member.value(row) for member in members]
        found = None if wanted is None else True if wanted in values else None if None in values else False
        return found if found is None else found is not absent

    listed = ", ".join(member.text for member in members)
    return Expression(f"{item.text} {'not in' if absent else 'IN'} ({listed})", value)


TEXTS = st.sampled_from(["GF2", "ZT", "found", "", "it's", 'a "b"', "é", "%", "rank"])
COMPARISONS = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
NUMBERS = st.recursive(
    st.one_of(
        st.sampled_from(["rank", "omega"]).map(column),
        st.one_of(st.integers(0, 40), st.sampled_from([0.5, 2.25, 2.8, 1e3, 1e-7])).map(literal),
    ),
    lambda inner: st.one_of(
        st.builds(lambda a, b: applied(operator.add, "({} + {})", a, b), inner, inner),
        st.builds(lambda a, b: applied(operator.sub, "({} - {})", a, b), inner, inner),
        st.builds(lambda a, b: applied(operator.mul, "({})*({})", a, b), inner, inner),
        st.builds(lambda a: applied(operator.neg, "-({})", a), inner),
    ),
    max_leaves=5,
)
STRINGS = st.one_of(
    st.sampled_from(["ring", "origin"]).map(column), st.builds(literal, TEXTS, st.sampled_from(["'", '"']))
)


def atoms(values: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    def compared(left: Expression, sign: str, right: Expression) -> Expression:
        return applied(COMPARISONS[sign], "{} " + sign + " {}", left, right)

    def empty(item: Expression, negated: bool) -> Expression:
        return Expression(
            f"{item.text} is {'not ' * negated}null", lambda row: (item.value(row) is None) is not negated
        )

    return st.one_of(
        st.builds(compared, values, st.sampled_from(sorted(COMPARISONS)), values),
        st.builds(among, values, st.lists(values, min_size=1, max_size=3), st.booleans()),
        st.builds(empty, values, st.booleans()),
    )


CONDITIONS = st.recursive(
    st.one_of(atoms(NUMBERS), atoms(STRINGS)),
    lambda inner: st.one_of(
        st.builds(both, inner, inner),
        st.builds(either, inner, inner),
        st.builds(lambda a: applied(operator.not_, "not ({})", a), inner),
    ),
    max_leaves=6,
)
ROWS = st.fixed_dictionaries(
    {
        "rank": st.one_of(st.none(), st.integers(-3, 40)),
        "omega": st.one_of(st.none(), st.sampled_from([0.0, 0.5, 2.25, 2.8, 3.0])),
        "ring": st.one_of(st.none(), TEXTS),
        "origin": st.one_of(st.none(), TEXTS),
    }
)


def selected(text: str, rows: list[dict[str, Value]]) -> list[int]:
    """Numbers of the rows that SQLite selects."""
    condition = parse_where(text, COLUMNS)
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE TABLE t (number INTEGER, rank INTEGER, omega REAL, ring TEXT, origin TEXT)")
        values = [{"number": number, **row} for number, row in enumerate(rows)]
        connection.executemany("INSERT INTO t VALUES (:number, :rank, :omega, :ring, :origin)", values)
        sql = f"SELECT number FROM t WHERE {condition.sql} ORDER BY number"
        return [number for (number,) in connection.execute(sql, condition.values)]
    finally:
        connection.close()


@given(CONDITIONS, st.lists(ROWS, min_size=1, max_size=8))
def test_a_condition_means_what_it_says(condition: Expression, rows: list[dict[str, Value]]) -> None:
    assert selected(condition.text, rows) == [number for number, row in enumerate(rows) if condition.value(row) is True]


def test_precedence() -> None:
    rows: list[dict[str, Value]] = [
        {"rank": rank, "omega": omega, "ring": ring, "origin": "found"}
        for rank in (1, 2, 7)
        for omega in (2.0, 3.0)
        for ring in ("GF2", "ZT")
    ]

    def those(meaning: Callable[[Any, Any, Any], bool]) -> list[int]:
        return [n for n, row in enumerate(rows) if meaning(row["rank"], row["omega"], row["ring"])]

    assert selected("ring = 'ZT' or rank = 1 and omega = 3", rows) == those(
        lambda rank, omega, ring: ring == "ZT" or (rank == 1 and omega == 3)
    )
    assert selected("not rank = 1 and omega = 3", rows) == those(lambda rank, omega, ring: rank != 1 and omega == 3)
    assert selected("not not rank = 1", rows) == those(lambda rank, omega, ring: rank == 1)
    assert selected("1 + 2*rank - omega - 1 = 2", rows) == those(lambda rank, omega, ring: 2 * rank - omega == 2)
    assert selected("-rank*2 < -4", rows) == those(lambda rank, omega, ring: rank > 2)
    assert selected("rank - -1 = 2", rows) == those(lambda rank, omega, ring: rank == 1)
    assert selected("(rank)=(((1)))", rows) == those(lambda rank, omega, ring: rank == 1)
    assert selected("rank=.2e1and omega>=2.and ring!='ZT'", rows) == those(
        lambda rank, omega, ring: rank == 2 and ring != "ZT"
    )


def test_quotes_inside_text_are_doubled() -> None:
    texts = ["it's", 'a "b"', "'", "", '"']
    rows: list[dict[str, Value]] = [{"rank": 1, "omega": 2.0, "ring": text, "origin": None} for text in texts]
    for number, text in enumerate(texts):
        for quote in ("'", '"'):
            assert selected(f"ring = {quote}{text.replace(quote, quote * 2)}{quote}", rows) == [number]


@pytest.mark.parametrize(
    ("text", "place", "fragment"),
    [
        ("", 1, "expected a column or a value, not the end"),
        ("   ", 4, "not the end"),
        ("size < 3", 1, "unknown column 'size'; there are rank, omega, ring, origin"),
        ("rank < 3 and Rank > 1", 14, "unknown column 'Rank'"),
        ("rank", 1, "expected a condition, this is a number"),
        ("rank < 3 and ring", 13, "expected a condition, this is a text"),
        ("not rank", 5, "expected a condition"),
        ("rank <", 7, "not the end"),
        ("rank < < 3", 8, "not '<'"),
        ("rank < 'x'", 8, "expected a number, this is a text"),
        ("ring = 3", 8, "expected a text, this is a number"),
        ("ring in ('GF2', 3)", 17, "expected a text"),
        ("rank in ()", 10, "not ')'"),
        ("rank in 3", 9, "expected '('"),
        ("rank not 3", 10, "expected 'in'"),
        ("rank is 3", 9, "expected 'null'"),
        ("ring + 1 = 2", 1, "expected a number, this is a text"),
        ("rank * ring = 2", 8, "expected a number"),
        ("-ring = 2", 2, "expected a number"),
        ("1 < rank < 3", 10, "join two of them with 'and'"),
        ("(rank < 3) = (rank < 4)", 1, "expected a number or a text, this is a condition"),
        ("rank < 3)", 9, "expected 'and', 'or' or the end, not ')'"),
        ("(rank < 3", 10, "expected ')', not the end"),
        ("rank < 3; DROP TABLE objects", 9, "';' has no meaning"),
        ("rank < 3 -- and more", 13, "expected a column or a value, not 'and'"),
        ("rank / 2 = 1", 6, "'/' has no meaning"),
        ("ring = 'GF2", 8, "has no end"),
        ('ring = "GF2', 8, "has no end"),
        ("rank < 3 rank", 10, "expected 'and', 'or' or the end"),
        ("abs(rank) = 3", 1, "unknown column 'abs'"),
        ("rank < 9223372036854775808", 8, "beyond the numbers"),
        ("rank < 1e999", 8, "beyond the numbers"),
        (f"rank < {'9' * 5000}", 8, "beyond the numbers"),
        ("rank < ٣", 8, "has no meaning"),
        ("null", 1, "not 'null'"),
        ("rank = null", 8, "not 'null'"),
        ("(" * 200 + "rank < 3" + ")" * 200, MAX_DEPTH + 2, "levels of nesting"),
        ("not " * 200 + "rank < 3", 4 * MAX_DEPTH + 5, "levels of nesting"),
        ("rank < " + "-" * 200 + "3", 8 + MAX_DEPTH + 1, "levels of nesting"),
        (" or ".join(["rank < 3"] * 300), 3001, "more than 1000 words"),
    ],
)
def test_a_wrong_condition_says_where(text: str, place: int, fragment: str) -> None:
    with pytest.raises(InputError) as error:
        parse_where(text, COLUMNS)
    message = str(error.value)
    assert fragment in message
    assert f"position {place}:" in message
    assert "\n" not in message


def test_the_longest_conditions_run() -> None:
    row: dict[str, Value] = {"rank": 1, "omega": None, "ring": "GF2", "origin": ""}
    chain = " or ".join(["rank = 0"] * (MAX_TOKENS // 4 - 1) + ["rank = 1"])
    deep = "(" * MAX_DEPTH + "rank = 1" + ")" * MAX_DEPTH
    sums = "rank = 1" + " + 0" * (MAX_TOKENS // 2 - 2)
    many = f"rank in ({', '.join(['0'] * (MAX_TOKENS // 2 - 3))}, 1)"
    for text in (chain, deep, sums, many, "rank < 9223372036854775807"):
        assert selected(text, [row]) == [0]


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


TOKENS = ["rank", "omega", "ring", "'GF2'", '"x"', "3", "2.5", "and", "or", "not", "in", "is", "null"]
SIGNS = ["=", "<", ">=", "!=", "(", ")", ",", "+", "-", "*"]


@given(st.one_of(st.text(), st.lists(st.sampled_from(TOKENS + SIGNS), max_size=12).map(" ".join)))
def test_any_text_is_a_condition_that_runs_or_one_line(text: str) -> None:
    try:
        selected(text, [{"rank": 1, "omega": 2.5, "ring": "GF2", "origin": None}])
    except InputError as error:
        assert "position" in str(error)
        assert "\n" not in str(error)


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
