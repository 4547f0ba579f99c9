"""Printing integer combinations as Python expressions."""

from collections.abc import Iterable, Sequence
from textwrap import fill

__all__ = ["assignment", "call", "combination", "name_lines", "reduced", "tuple_of", "unpacking"]

_WIDTH = 110
_GLUE = "\N{NO-BREAK SPACE}"


def combination(terms: Sequence[tuple[int, int]], names: Sequence[str]) -> str:
    """Write a sum of terms with a positive one first: an unsigned array must not meet a negative number.

    Examples
    --------
    >>> combination([(-1, 0), (2, 1)], ["a11", "a12"])
    '2 * a12 - a11'
    >>> combination([(-1, 0), (-2, 1)], ["a11", "a12"])
    '-(a11 + 2 * a12)'
    """
    lead = next((term for term in terms if term[0] > 0), None)
    if lead is None:
        inner = combination([(-coefficient, position) for coefficient, position in terms], names)
        return f"-{inner}" if inner.isidentifier() else f"-({inner})"
    text = _monomial(*lead, names)
    for term in terms:
        if term is not lead:
            text += f" {'+' if term[0] > 0 else '-'} {_monomial(abs(term[0]), term[1], names)}"
    return text


def reduced(expression: str, modulus: int) -> str:
    """Write the residue of an expression of residues; a single name is one already."""
    if not modulus or expression.isidentifier():
        return expression
    return f"({expression}) % {modulus}"


def tuple_of(names: Iterable[str]) -> str:
    """Write a tuple, with the comma that one of length 1 needs."""
    names = list(names)
    return f"{names[0]}," if len(names) == 1 else ", ".join(names)


def assignment(target: str, expression: str) -> str:
    """Write ``target = expression`` in a function body, in parentheses over several lines where one is too short."""
    line = f"    {target} = {expression}"
    return line if len(line) <= _WIDTH else f"    {target} = (\n{_folded(expression)}\n    )"


def call(target: str, function: str, arguments: Sequence[str]) -> str:
    """Write ``target = function(arguments)`` in a function body, an argument a line where one line is too short."""
    line = f"    {target} = {function}({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        return line
    return f"    {target} = {function}(\n" + "".join(f"{_folded(argument)},\n" for argument in arguments) + "    )"


def unpacking(names: Sequence[str], operand: str) -> str:
    """Write the line that unpacks a list into names in a function body."""
    line = f"    {tuple_of(names)} = {operand}"
    return line if len(line) <= _WIDTH else "    (\n" + name_lines(names) + f"\n    ) = {operand}"


def name_lines(names: Sequence[str]) -> str:
    """Write names with commas, over several lines where one is too short."""
    return fill(", ".join(names) + ",", _WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 8)


def _folded(expression: str) -> str:
    # A no-break space keeps a sign with its term, so that lines break in front of signs.
    glued = expression.replace("+ ", f"+{_GLUE}").replace("- ", f"-{_GLUE}").replace(" * ", f"{_GLUE}*{_GLUE}")
    indent = " " * 8
    text = fill(
        glued, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return text.replace(_GLUE, " ")


def _monomial(coefficient: int, position: int, names: Sequence[str]) -> str:
    return names[position] if coefficient == 1 else f"{coefficient} * {names[position]}"
