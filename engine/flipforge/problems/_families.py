"""Families: problem strings whose sizes are ranges ``2..5`` or lists ``2,4,7``."""

from itertools import product
from math import prod
from re import compile as regex

from flipforge.errors import ProblemError

__all__ = ["MAX_FAMILY", "expand", "is_family"]

MAX_FAMILY = 10_000
"""Families with more members are refused unless the caller agrees."""

_SLOT = regex(r"\d+(?:\.\.\d+|(?:,\d+)+)")


def is_family(text: str) -> bool:
    """Tell whether a problem string has a range or a list in it. Paths are never families."""
    return text.partition(":")[0] not in {"tensor", "identity", "system"} and bool(_SLOT.search(text))


def expand(text: str, *, limit: int | None = MAX_FAMILY) -> list[str]:
    """Return the members of a family in lexicographic order of their sizes; a plain problem gives itself.

    Raises
    ------
    ProblemError
        A range is empty, or there are more than ``limit`` members.

    Examples
    --------
    >>> expand("matmul:2..3x2x2,4")
    ['matmul:2x2x2', 'matmul:2x2x4', 'matmul:3x2x2', 'matmul:3x2x4']
    """
    if not is_family(text):
        return [text]
    parts, slots, position = [], [], 0
    for match in _SLOT.finditer(text):
        parts.append(text[position : match.start()])
        slots.append(_choices(match.group(), text))
        position = match.end()
    parts.append(text[position:])
    count = prod(len(slot) for slot in slots)
    if limit is not None and count > limit:
        raise ProblemError(f"{text}: {count} problems are more than {limit}; narrow the ranges, or agree with --yes")
    return [
        "".join(part + str(size) for part, size in zip(parts, (*choice, ""), strict=True)) for choice in product(*slots)
    ]


def _choices(slot: str, text: str) -> range | list[int]:
    if "," in slot:
        return [int(size) for size in slot.split(",")]
    low, high = map(int, slot.split(".."))
    if low > high:
        raise ProblemError(f"{text}: the range {slot} is empty")
    return range(low, high + 1)
