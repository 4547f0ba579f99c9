"""Polynomials from text: the arithmetic part of sympy's syntax, by a parser of its own.

::

    sum     = ["+" | "-"] product {("+" | "-") product}
    product = signed {("*" | "/") signed}
    signed  = {"+" | "-"} power
    power   = atom [("**" | "^") whole number]
    atom    = number | name | "(" sum ")" | "sqrt(" sum ")" | "Rational(" sum ["," sum] ")"

Nothing is evaluated but numbers, and every fault is reported with its place.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from re import ASCII
from re import compile as regex
from typing import TypeVar

from flipforge.errors import InputError
from flipforge.polynomials._field import Field, Generator, square_root_field
from flipforge.polynomials._terms import MAX_DEGREE, Polynomial, Terms, add, constant, multiply, power, scale, variable

__all__ = ["Parsed", "is_name", "parse_texts"]

MAX_LENGTH = 1_000_000
_MAX_DEPTH = 60
_MAX_DIGITS = 1000
_TOKEN = regex(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<symbol>\*\*|[-+*/^(),]))",
    ASCII,
)
_RESERVED = ("I", "sqrt", "Rational")
_MAX_BITS = 40_000

Result = TypeVar("Result")


class _Fault(Exception):
    """A fault in a text, and the position where it stands."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(reason)
        self.at = at


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


@dataclass(frozen=True)
class _Node:
    """A node of the tree: its operation, its place, its text and its operands."""

    kind: str
    at: int
    text: str = ""
    operands: tuple["_Node", ...] = ()


@dataclass(frozen=True)
class Parsed:
    """Texts as polynomials in the variables and, after them, the generators of the field."""

    variables: tuple[str, ...]
    field: Field
    polynomials: tuple[Polynomial, ...]


def is_name(text: str) -> bool:
    """Tell whether a text can be the name of a variable."""
    match = _TOKEN.fullmatch(text)
    return bool(match and match["name"] == text and text not in _RESERVED)


def parse_texts(
    texts: Mapping[str, str],
    variables: Sequence[str] | None = None,
    *,
    declared: Sequence[Generator] = (),
    decimals: Sequence[str] = (),
) -> Parsed:
    """Parse polynomials over the smallest field that holds their square roots and the declared generators.

    Parameters
    ----------
    texts
        Polynomials by a label that error messages use.
    variables
        Names in the order of the exponents; None means those that occur, sorted.
    declared
        Further generators, which texts call by their names.
    decimals
        Labels of the texts in which a decimal number may stand; it is read as the fraction it is.

    Raises
    ------
    InputError
        A text is no polynomial over such a field; the message names label and character.

    Examples
    --------
    >>> parsed = parse_texts({"f": "x**2*y - 1/2"})
    >>> parsed.variables, parsed.polynomials[0].degree
    (('x', 'y'), 3)
    """
    trees = {label: _placed(label, text, partial(_parse, text)) for label, text in texts.items()}
    generator_names = tuple(g.name for g in declared)
    if variables is None:
        names = {node.text for tree in trees.values() for node in _walk(tree) if node.kind == "name"}
        variables = sorted(names - {*_RESERVED, *generator_names})
    radicands: list[Fraction] = []
    for label, tree in trees.items():
        radicands += _placed(label, texts[label], partial(list[Fraction], _radicands(tree)))
    imaginary = any(node.kind == "name" and node.text == "I" for tree in trees.values() for node in _walk(tree))
    field = square_root_field(radicands, imaginary, declared)
    polynomials = []
    for label, tree in trees.items():
        build = _Builder(tuple(variables), field, label in decimals)
        terms = _placed(label, texts[label], partial(build, tree))
        polynomials.append(Polynomial.of(terms))
    return Parsed(tuple(variables), field, tuple(polynomials))


def _parse(text: str) -> _Node:
    return _Reader(text).read()


def _placed(label: str, text: str, work: Callable[[], Result]) -> Result:
    """Do some work on a text; say where its fault stands."""
    try:
        return work()
    except _Fault as fault:
        excerpt = text[max(0, fault.at - 15) : fault.at + 15].strip()
        raise InputError(f"{label}, character {fault.at + 1}: {fault}, near {excerpt!r}") from None
    except InputError as error:
        raise InputError(f"{label}: {error}") from None


class _Reader:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_LENGTH:
            raise _Fault(f"longer than {MAX_LENGTH} characters", 0)
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def read(self) -> _Node:
        tree = self._sum()
        token = self._peek()
        if token.kind != "end":
            raise _Fault(f"unexpected {token.text!r}", token.at)
        return tree

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, *symbols: str) -> _Token | None:
        token = self._peek()
        if token.kind == "symbol" and token.text in symbols:
            self._next += 1
            return token
        return None

    def _expect(self, symbol: str) -> None:
        if not self._take(symbol):
            token = self._peek()
            raise _Fault(f"{symbol!r} is missing", token.at)

    def _sum(self) -> _Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _Fault(f"parentheses deeper than {_MAX_DEPTH}", self._peek().at)
        terms = [self._signed_product()]
        while sign := self._take("+", "-"):
            term = self._product()
            terms.append(_Node("negative", sign.at, operands=(term,)) if sign.text == "-" else term)
        self._depth -= 1
        return terms[0] if len(terms) == 1 else _Node("sum", terms[0].at, operands=tuple(terms))

    def _signed_product(self) -> _Node:
        sign = self._take("+", "-")
        term = self._product()
        return _Node("negative", sign.at, operands=(term,)) if sign and sign.text == "-" else term

    def _product(self) -> _Node:
        factors = [self._signed()]
        while operator := self._take("*", "/"):
            factor = self._signed()
            factors.append(_Node("inverse", operator.at, operands=(factor,)) if operator.text == "/" else factor)
        return factors[0] if len(factors) == 1 else _Node("product", factors[0].at, operands=tuple(factors))

    def _signed(self) -> _Node:
        negative = None
        while sign := self._take("+", "-"):
            negative = sign if sign.text == "-" and negative is None else None if sign.text == "-" else negative
        result = self._power()
        return result if negative is None else _Node("negative", negative.at, operands=(result,))

    def _power(self) -> _Node:
        base = self._atom()
        if not (operator := self._take("**", "^")):
            return base
        wrapped = self._take("(")
        token = self._peek()
        if token.kind != "number" or not token.text.isdigit():
            raise _Fault("an exponent must be a whole number from 0 on", token.at)
        if len(token.text) > 6 or int(token.text) > MAX_DEGREE:
            raise _Fault(f"an exponent above {MAX_DEGREE}", token.at)
        self._next += 1
        if wrapped:
            self._expect(")")
        if again := self._take("**", "^"):
            raise _Fault("a power of a power needs parentheses", again.at)
        return _Node("power", operator.at, token.text, (base,))

    def _atom(self) -> _Node:
        token = self._peek()
        self._next += 1
        if token.kind == "number":
            return _Node("number", token.at, token.text)
        if token.kind == "name" and token.text in ("sqrt", "Rational"):
            self._expect("(")
            arguments = [self._sum()]
            if token.text == "Rational" and (comma := self._take(",")):
                arguments.append(_Node("inverse", comma.at, operands=(self._sum(),)))
            self._expect(")")
            return _Node("sqrt" if token.text == "sqrt" else "product", token.at, operands=tuple(arguments))
        if token.kind == "name":
            following = self._peek()
            if following.text == "(":
                raise _Fault(f"{token.text} is no known function; sqrt and Rational are", token.at)
            return _Node("name", token.at, token.text)
        if token.text == "(":
            inner = self._sum()
            self._expect(")")
            return inner
        raise _Fault("the text ends too early" if token.kind == "end" else f"unexpected {token.text!r}", token.at)


def _tokens(text: str) -> Iterator[_Token]:
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if not match:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise _Fault(f"unexpected {text[at]!r}", at)
        kind = match.lastgroup or ""
        if kind == "number" and len(match[kind]) > _MAX_DIGITS:
            raise _Fault(f"a number of more than {_MAX_DIGITS} digits", match.start(kind))
        yield _Token(kind, match[kind], match.start(kind))
        at = match.end()
    yield _Token("end", "", end)


def _walk(node: _Node) -> Iterator[_Node]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.operands


def _radicands(tree: _Node) -> Iterator[Fraction]:
    """Yield the numbers under square roots."""
    for node in _walk(tree):
        if node.kind == "sqrt":
            terms = _Builder((), Field(), False, "the square root of what is no rational number; declare a field")(
                node.operands[0]
            )
            yield terms.get((), Fraction(0))


class _Builder:
    """Turns a tree into a polynomial in the variables and the generators of a field."""

    def __init__(self, variables: tuple[str, ...], field: Field, decimals: bool, unknown: str = "") -> None:
        self._names = (*variables, *(g.name for g in field.generators))
        self._field, self._decimals, self._count = field, decimals, len(variables)
        self._unknown = unknown

    def __call__(self, node: _Node) -> Terms:
        size = len(self._names)
        if node.kind in ("number", "name"):
            return self._leaf(node)
        if node.kind == "sqrt":
            return self._square_root(node)
        values = [self(operand) for operand in node.operands]
        if node.kind == "sum":
            return add(*values)
        if node.kind == "negative":
            return scale(-1, values[0])
        if node.kind == "product":
            result = constant(1, size)
            for value in values:
                result = self._field.reduce(multiply(result, value))
            return result
        return self._inverse(node, values[0]) if node.kind == "inverse" else self._power(node, values[0])

    def _leaf(self, node: _Node) -> Terms:
        if node.kind == "name":
            if node.text not in self._names:
                known = ", ".join(self._names) or "none"
                raise _Fault(self._unknown or f"{node.text!r} is not one of the variables ({known})", node.at)
            return variable(self._names.index(node.text), len(self._names))
        if not node.text.isdigit() and not self._decimals:
            mend = f"write the fraction it stands for, as in Rational({Fraction('0.5')})".replace("/", ", ")
            raise _Fault(f"the floating coefficient {node.text} where an exact one is needed; {mend}", node.at)
        _, _, exponent = node.text.lower().partition("e")
        if exponent and abs(int(exponent)) > _MAX_DIGITS:
            raise _Fault(f"a number of more than {_MAX_DIGITS} digits", node.at)
        return constant(Fraction(node.text), len(self._names))

    def _square_root(self, node: _Node) -> Terms:
        value = next(_radicands(node))
        root = self._field.square_root(value)
        if root is None:
            raise _Fault(self._unknown or "a root within a root; declare a field", node.at)
        return {(0,) * self._count + e: c for e, c in root.items() if c}

    def _power(self, node: _Node, base: Terms) -> Terms:
        exponent = int(node.text)
        degree = max((sum(e[: self._count]) for e in base), default=0)
        bits = max((max(c.numerator.bit_length(), c.denominator.bit_length()) for c in base.values()), default=0)
        if degree * exponent > MAX_DEGREE:
            raise _Fault(f"a degree above {MAX_DEGREE}", node.at)
        if bits * exponent > _MAX_BITS:
            raise _Fault(f"a number of more than {_MAX_BITS} bits", node.at)
        return self._field.reduce(power(base, exponent, constant(1, len(self._names))))

    def _inverse(self, node: _Node, value: Terms) -> Terms:
        if any(any(e[: self._count]) for e in value):
            raise _Fault("division by a polynomial; only numbers divide", node.at)
        if not value:
            raise _Fault("division by zero", node.at)
        inverse = self._field.inverse({e[self._count :]: c for e, c in value.items()})
        return {(0,) * self._count + e: c for e, c in inverse.items()}
