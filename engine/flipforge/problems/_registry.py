"""The registry of problem kinds: each parses the part of a problem string after its name."""

from collections.abc import Callable

from flipforge.errors import ProblemError
from flipforge.problems._algebras import parse_complex, parse_group, parse_poly, parse_quaternion
from flipforge.problems._layer import parse_layer
from flipforge.problems._matmul import parse_matmul
from flipforge.problems._problem import Problem
from flipforge.problems._structured import parse_structured
from flipforge.problems._tensor import parse_tensor
from flipforge.problems._variants import parse_border, parse_commutative

__all__ = ["kinds", "parse", "register_kind"]

Parser = Callable[[str], Problem]

_MAX_LENGTH = 1000
_PARSERS: dict[str, Parser] = {
    "matmul": parse_matmul,
    "structured": parse_structured,
    "poly": parse_poly,
    "complex": parse_complex,
    "quaternion": parse_quaternion,
    "group": parse_group,
    "tensor": parse_tensor,
    "commutative": parse_commutative,
    "layer": parse_layer,
    "border": lambda body: parse_border(body, parse),
}


def parse(text: str) -> Problem:
    """Parse a problem string of the contract.

    Raises
    ------
    ProblemError
        The kind is unknown, or the rest is ill-formed.

    Examples
    --------
    >>> parse("matmul:2x3x4").dims
    (2, 3, 4)
    """
    if len(text) > _MAX_LENGTH or not text.isprintable():
        raise ProblemError(f"{text[:60]!r}: a problem string is printable and at most {_MAX_LENGTH} characters long")
    kind, colon, body = text.partition(":")
    if colon and not body:
        raise ProblemError(f"{text}: nothing stands after the colon")
    if kind in _PARSERS:
        return _PARSERS[kind](body)
    raise ProblemError(f"{text}: unknown problem kind {kind!r}; known are {_known()}")


def register_kind(kind: str, parser: Parser) -> None:
    """Add a kind of problem; ``parser`` takes the text after ``KIND:`` and raises `ProblemError` on bad input."""
    if kind in _PARSERS:
        raise ProblemError(f"problem kind {kind!r} is already registered")
    _PARSERS[kind] = parser


def kinds() -> tuple[str, ...]:
    """Return the kinds that this installation can parse, sorted."""
    return tuple(sorted(_PARSERS))


def _known() -> str:
    return ", ".join(kinds())
