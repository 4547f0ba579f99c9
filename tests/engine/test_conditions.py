"""The condition language of queries, against a plain evaluator of its own."""

import operator
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flipforge.catalogue._where import MAX_DEPTH, MAX_TOKENS, Kind, parse_where
from flipforge.errors import InputError

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


TOKENS = ["rank", "omega", "ring", "'GF2'", '"x"', "3", "2.5", "and", "or", "not", "in", "is", "null"]
SIGNS = ["=", "<", ">=", "!=", "(", ")", ",", "+", "-", "*"]


@given(st.one_of(st.text(), st.lists(st.sampled_from(TOKENS + SIGNS), max_size=12).map(" ".join)))
def test_any_text_is_a_condition_that_runs_or_one_line(text: str) -> None:
    try:
        selected(text, [{"rank": 1, "omega": 2.5, "ring": "GF2", "origin": None}])
    except InputError as error:
        assert "position" in str(error)
        assert "\n" not in str(error)
