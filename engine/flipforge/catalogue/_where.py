"""The ``--where`` language: a condition on the columns of the catalogue, turned into SQL with every value a parameter.

::

    condition   and, or, not, parentheses
    comparison  = == != <> < <= > >=    x in (a, b)    x not in (a, b)    x is null    x is not null
    number      column, 12, 2.81, + - * and parentheses
    text        column, 'GF2' or "GF2"; a quote inside is doubled

Text compares with text and numbers with numbers. A comparison with an empty column is neither true nor false: it
selects nothing, and neither does its negation; ``is null`` asks for the empty ones.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final, Literal, NamedTuple

from flipforge.errors import InputError

__all__ = ["Condition", "Kind", "parse_where"]

Kind = Literal["number", "text", "condition"]

MAX_TOKENS = 1000
MAX_DEPTH = 20
_MAX_INTEGER = 2**63 - 1
_COMPARISONS: Final = {"=": "=", "==": "=", "!=": "<>", "<>": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_WORDS: Final = ("and", "or", "not", "in", "is", "null")
_TOKEN: Final = re.compile(
    r"""(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
      | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<sign><=|>=|<>|==|!=|[=<>+*(),-])""",
    re.VERBOSE,
)


class Condition(NamedTuple):
    """SQL text with ``?`` for each value, and the values."""

    sql: str
    values: tuple[int | float | str, ...]


class _Token(NamedTuple):
    kind: str
    text: str
    place: int


@dataclass(frozen=True)
class _Node:
    kind: Kind
    sql: str
    values: tuple[int | float | str, ...] = ()
    depth: int = 0


def parse_where(text: str, columns: Mapping[str, Kind]) -> Condition:
    """Translate a condition.

    Parameters
    ----------
    text
        The condition.
    columns
        What may be named, and whether it holds numbers or text.

    Raises
    ------
    InputError
        The text is not a condition; the message says where (1-based position) and what was expected.

    Examples
    --------
    >>> parse_where("rank <= 23 and ring = 'GF2'", {"rank": "number", "ring": "text"})
    Condition(sql='((rank <= ?) AND (ring = ?))', values=(23, 'GF2'))
    """
    parser = _Parser(text, columns)
    node = parser.condition()
    parser.end()
    return Condition(node.sql, node.values)


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        match = _TOKEN.match(text, place)
        if match is None:
            what = "the text that begins here has no end" if text[place] in "'\"" else f"{text[place]!r} has no meaning"
            raise _error(place, what)
        kind, token = str(match.lastgroup), match.group()
        if kind == "name" and token.lower() in _WORDS:
            kind, token = "word", token.lower()
        yield _Token(kind, token, place)
        place = match.end()


def _error(place: int, what: str) -> InputError:
    return InputError(f"--where, position {place + 1}: {what}")


class _Parser:
    """Recursive descent; each method reads one level of precedence and returns its SQL."""

    def __init__(self, text: str, columns: Mapping[str, Kind]) -> None:
        self.columns = columns
        self.tokens = list(_tokens(text))
        if len(self.tokens) > MAX_TOKENS:
            raise _error(self.tokens[MAX_TOKENS].place, f"the condition has more than {MAX_TOKENS} words; shorten it")
        self.tokens.append(_Token("end", "the end", len(text)))
        self.position = 0
        self.depth = 0

    @property
    def next(self) -> _Token:
        return self.tokens[self.position]

    def accept(self, *texts: str) -> _Token | None:
        """Step over the next token if it is a sign or word of these."""
        token = self.next
        if token.kind not in ("sign", "word") or token.text not in texts:
            return None
        self.position += 1
        return token

    def expect(self, *texts: str) -> None:
        if not self.accept(*texts):
            raise _error(self.next.place, f"expected {' or '.join(map(repr, texts))}, not {self.shown}")

    @property
    def shown(self) -> str:
        return self.next.text if self.next.kind == "end" else repr(self.next.text)

    def end(self) -> None:
        if self.next.kind != "end":
            raise _error(self.next.place, f"expected 'and', 'or' or the end, not {self.shown}")

    def condition(self) -> _Node:
        place = self.next.place
        node = self.disjunction()
        self.want(node, ("condition",), place)
        return node

    def want(self, node: _Node, kinds: Sequence[Kind], place: int) -> None:
        if node.kind not in kinds:
            raise _error(place, f"expected a {' or a '.join(kinds)}, this is a {node.kind}")

    def disjunction(self) -> _Node:
        return self.joined("or", self.conjunction)

    def conjunction(self) -> _Node:
        return self.joined("and", self.negation)

    def joined(self, word: str, part: Callable[[], _Node]) -> _Node:
        place = self.next.place
        nodes = [part()]
        while token := self.accept(word):
            self.want(nodes[0], ("condition",), place)
            place = token.place + len(token.text)
            nodes.append(part())
            self.want(nodes[-1], ("condition",), place)
        if len(nodes) == 1:
            return nodes[0]
        return self.built("condition", f" {word.upper()} ".join(node.sql for node in nodes), nodes)

    def negation(self) -> _Node:
        if not self.accept("not"):
            return self.comparison()
        place = self.next.place
        node = self.nested(self.negation)
        self.want(node, ("condition",), place)
        return self.built("condition", f"NOT {node.sql}", [node])

    def comparison(self) -> _Node:
        place = self.next.place
        left = self.sum()
        token = self.accept(*_COMPARISONS, "in", "not", "is")
        if token is None:
            return left
        self.want(left, ("number", "text"), place)
        if token.text == "is":
            negated = "NOT " if self.accept("not") else ""
            self.expect("null")
            return self.built("condition", f"{left.sql} IS {negated}NULL", [left])
        if token.text == "not":
            self.expect("in")
        if token.text in ("in", "not"):
            return self.membership(left, "NOT IN" if token.text == "not" else "IN")
        right = self.alike(left)
        if again := self.accept(*_COMPARISONS):
            raise _error(again.place, "comparisons do not chain; join two of them with 'and'")
        return self.built("condition", f"{left.sql} {_COMPARISONS[token.text]} {right.sql}", [left, right])

    def membership(self, left: _Node, operator: str) -> _Node:
        self.expect("(")
        members = [self.alike(left)]
        while self.accept(","):
            members.append(self.alike(left))
        self.expect(")")
        sql = ", ".join(member.sql for member in members)
        return self.built("condition", f"{left.sql} {operator} ({sql})", [left, *members])

    def alike(self, left: _Node) -> _Node:
        place = self.next.place
        node = self.sum()
        self.want(node, (left.kind,), place)
        return node

    def sum(self) -> _Node:
        return self.arithmetic(("+", "-"), self.product)

    def product(self) -> _Node:
        return self.arithmetic(("*",), self.atom)

    def arithmetic(self, signs: tuple[str, ...], part: Callable[[], _Node]) -> _Node:
        place = self.next.place
        nodes = [part()]
        sql = nodes[0].sql
        while token := self.accept(*signs):
            self.want(nodes[0], ("number",), place)
            place = self.next.place
            nodes.append(part())
            self.want(nodes[-1], ("number",), place)
            sql += f" {token.text} {nodes[-1].sql}"
        return self.built("number", sql, nodes) if len(nodes) > 1 else nodes[0]

    def atom(self) -> _Node:
        if self.accept("("):
            node = self.nested(self.disjunction)
            self.expect(")")
            return node
        if self.accept("-"):
            place = self.next.place
            node = self.nested(self.atom)
            self.want(node, ("number",), place)
            return self.built("number", f"- {node.sql}", [node])
        token = self.next
        if token.kind not in ("number", "text", "name"):
            raise _error(token.place, f"expected a column or a value, not {self.shown}")
        self.position += 1
        if token.kind == "text":
            quote = token.text[0]
            return _Node("text", "?", (token.text[1:-1].replace(quote * 2, quote),))
        if token.kind == "number":
            return _Node("number", "?", (_number(token),))
        if token.text not in self.columns:
            raise _error(token.place, f"unknown column {token.text!r}; there are {', '.join(self.columns)}")
        return _Node(self.columns[token.text], token.text)

    def built(self, kind: Kind, sql: str, parts: Sequence[_Node]) -> _Node:
        """Put brackets around what is made of parts; SQLite's parser holds about a hundred signs that wait."""
        depth = 1 + max(part.depth for part in parts)
        self.check(depth)
        return _Node(kind, f"({sql})", sum((part.values for part in parts), ()), depth)

    def check(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise _error(self.next.place, f"more than {MAX_DEPTH} levels of nesting; simplify the condition")

    def nested(self, part: Callable[[], _Node]) -> _Node:
        """Read a part that stands inside another."""
        self.check(self.depth + 1)
        self.depth += 1
        node = part()
        self.depth -= 1
        return node


def _number(token: _Token) -> int | float:
    if not token.text.isdigit():
        value = float(token.text)
        if isfinite(value):
            return value
    elif (integer := int(token.text[:20])) <= _MAX_INTEGER and len(token.text) <= 20:
        return integer
    raise _error(token.place, f"{token.text} is beyond the numbers a column can hold")
