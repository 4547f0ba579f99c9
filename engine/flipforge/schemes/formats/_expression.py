"""A recursive-descent parser of products of linear forms: the text of ``.exp`` files and of ``m1 = (...)(...)`` lines.

Grammar, left to right::

    sum    = ["+" | "-"] term { ("+" | "-") term }
    term   = factor { ["*"] factor | "/" factor }
    factor = number | entry | "(" sum ")"
    entry  = letter index,  index = digits | digits "_" digits | "[" digits "," digits "]"

Every value is a scalar times at most one linear form a letter, so a product of three brackets is read in linear time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from re import Match
from re import compile as regex

from flipforge.errors import MalformedError
from flipforge.rings import MAX_DIGITS, Element, is_too_long

__all__ = ["Entry", "Value", "parse_line"]

Entry = int | tuple[int, int]
ReadIndex = Callable[[str], Entry]

MAX_DEPTH = 64
_TOKEN = regex(r"\s*(?:([0-9]+)|([a-z])([0-9]+_[0-9]+|\[\s*[0-9]+\s*,\s*[0-9]+\s*\]|[0-9]+)|([-+*/()])|(\S))")


@dataclass
class Value:
    """A scalar times the product of its linear forms, one a letter."""

    scalar: Element = 1
    forms: dict[str, dict[Entry, Element]] = field(default_factory=dict)


def parse_line(text: str, number: int, read_index: ReadIndex) -> Value:
    """Parse one line.

    Parameters
    ----------
    number
        The line's number in its file, for messages.
    read_index
        Turns the text after an entry's letter into an index, or raises `MalformedError`.

    Raises
    ------
    MalformedError
        The text is not of the grammar; the message gives line and column.
    """
    return _Parser(text, number, read_index).line()


class _Parser:
    def __init__(self, text: str, number: int, read_index: ReadIndex) -> None:
        self.text, self.number, self.read_index = text, number, read_index
        self.tokens: list[Match[str]] = [match for match in _TOKEN.finditer(text)]
        self.position = 0

    def line(self) -> Value:
        value = self.sum(0)
        if self.position < len(self.tokens):
            raise self.error(f"unexpected {self.peek()!r}")
        return value

    def peek(self) -> str:
        """Return the next token as written, empty at the end of the line."""
        return self.tokens[self.position].group().strip()[:20] if self.position < len(self.tokens) else ""

    def error(self, reason: str) -> MalformedError:
        if self.position < len(self.tokens):
            match = self.tokens[self.position]
            column = match.end() - len(match.group().lstrip()) + 1
        else:
            column = len(self.text.rstrip()) + 1
        return MalformedError(f"line {self.number}, column {column}: {reason}")

    def sum(self, depth: int) -> Value:
        sign = self.sign()
        first = self.term(depth)
        first.scalar *= sign or 1
        if self.peek() not in ("+", "-"):
            return first
        total = Value(0 if not first.forms else 1)
        letter = self.letter(first)
        form = total.forms.setdefault(letter, {}) if letter else {}
        self.add(total, form, first)
        while sign := self.sign():
            term = self.term(depth)
            if self.letter(term) != letter:
                raise self.error(f"the sum mixes {letter or 'numbers'} with {self.letter(term) or 'numbers'}")
            term.scalar *= sign
            self.add(total, form, term)
        return total

    def sign(self) -> int:
        """Consume a sign and return it, 0 where there is none."""
        sign = {"+": 1, "-": -1}.get(self.peek(), 0)
        self.position += bool(sign)
        return sign

    def letter(self, value: Value) -> str:
        if len(value.forms) > 1:
            raise self.error("a product of several factors stands inside a sum")
        return next(iter(value.forms), "")

    def add(self, total: Value, form: dict[Entry, Element], term: Value) -> None:
        if not term.forms:
            total.scalar = self.bounded(total.scalar + term.scalar)
        for terms in term.forms.values():
            for entry, x in terms.items():
                form[entry] = self.bounded(form.get(entry, 0) + term.scalar * x)

    def bounded(self, x: Element) -> Element:
        if is_too_long(x):
            raise self.error(f"a coefficient of more than {MAX_DIGITS} digits")
        return x

    def term(self, depth: int) -> Value:
        value = self.factor(depth)
        while token := self.peek():
            if token in "+-)":
                break
            if token in "*/":
                self.position += 1
            if token == "/":
                self.divide(value, self.factor(depth))
                continue
            other = self.factor(depth)
            if twice := value.forms.keys() & other.forms.keys():
                raise self.error(f"the product has two factors in {min(twice)}")
            value.scalar = self.bounded(value.scalar * other.scalar)
            value.forms.update(other.forms)
        return value

    def divide(self, value: Value, divisor: Value) -> None:
        if divisor.forms or not divisor.scalar:
            self.position -= 1
            raise self.error("only a number that is not zero may stand after '/'")
        quotient = self.bounded(Fraction(value.scalar) / divisor.scalar)
        value.scalar = quotient.numerator if quotient.denominator == 1 else quotient

    def factor(self, depth: int) -> Value:
        if self.position == len(self.tokens):
            raise self.error("the line ends where a factor is wanted")
        digits, letter, index, mark, _ = self.tokens[self.position].groups()
        if digits:
            if len(digits) > MAX_DIGITS:
                raise self.error(f"a number of more than {MAX_DIGITS} digits")
            self.position += 1
            return Value(int(digits))
        if letter:
            try:
                entry = self.read_index(index)
            except MalformedError as error:
                raise self.error(f"{letter}{index[:20]}: {error}") from None
            self.position += 1
            return Value(1, {letter: {entry: 1}})
        if mark != "(":
            raise self.error(f"unexpected {self.peek()!r} where a factor is wanted")
        if depth == MAX_DEPTH:
            raise self.error(f"brackets nest deeper than {MAX_DEPTH}")
        self.position += 1
        value = self.sum(depth + 1)
        if self.peek() != ")":
            raise self.error("a closing bracket is missing")
        self.position += 1
        return self.folded(value)

    @staticmethod
    def folded(value: Value) -> Value:
        """Give the number in ``(-b11)`` to the one entry; that in ``(3*(a11+a12))`` stays with the product."""
        if len(value.forms) == 1:
            (form,) = value.forms.values()
            if len(form) == 1:
                (entry,) = form
                form[entry] *= value.scalar
                value.scalar = 1
        return value
