"""Families: problem strings with ranges ``2..5``, lists ``2,4,7``, or ``*`` for the published structured codes."""

from collections.abc import Iterator
from itertools import product
from math import prod
from re import compile as regex
from re import search

from flipforge.errors import ProblemError
from flipforge.problems._structured import PUBLISHED, is_member

__all__ = ["MAX_FAMILY", "expand", "is_family"]

MAX_FAMILY = 10_000
"""Families with more members are refused unless the caller agrees."""

_SLOT = regex(r"\d+(?:\.\.\d+|(?:,\d+)+)")
_PATHS = ("tensor", "identity", "system")
_NAMED = ("structured", "group")
"""Kinds with fields that are names, of which a list makes a family too."""


def is_family(text: str) -> bool:
    """Tell whether a problem string has a range or a list in it, or ``structured:*:`` before its sizes.

    Paths are never families.
    """
    kind, _, body = text.partition(":")
    if kind in _PATHS or (kind == "border" and body.partition(":")[2].partition(":")[0] in _PATHS):
        return False
    return bool(_SLOT.search(text)) or (kind in _NAMED and "," in body) or text.startswith("structured:*:")


def expand(text: str, *, limit: int | None = MAX_FAMILY, pattern: bool = False) -> list[str]:
    """Return the members of a family in the order of its text; a plain problem gives itself.

    Members of ``structured:*:SIZES`` that do not exist, because a structure needs a square operand or every output is
    zero, are left out.

    Parameters
    ----------
    limit
        Refuse more members; None takes any number.
    pattern
        Leave ``*`` as it is, for a catalogue that gives it a meaning of its own.

    Raises
    ------
    ProblemError
        A range is empty, no member exists, or there are more than ``limit`` members.

    Examples
    --------
    >>> expand("matmul:2..3x2x2,4")
    ['matmul:2x2x2', 'matmul:2x2x4', 'matmul:3x2x2', 'matmul:3x2x4']
    """
    if not is_family(text):
        return [text]
    stands_for_codes = text.startswith("structured:*:") and not pattern
    fields = [_Field(part, text) for part in text.split(":")]
    if stands_for_codes:
        fields[1] = _Field(",".join(PUBLISHED), text)
    count = prod(field.count for field in fields)
    if limit is not None and count > limit:
        raise ProblemError(f"{text}: {count} problems are more than {limit}; narrow the ranges, or agree with --yes")
    names = map(":".join, product(*(field.choices() for field in fields)))
    if not stands_for_codes:
        return list(names)
    members = [name for name in names if is_member(name.partition(":")[2])]
    if not members:
        raise ProblemError(f"{text}: no published code has problems of these sizes")
    return members


class _Field:
    """The text between two colons: alternatives with commas, each with ranges and lists of numbers in it."""

    def __init__(self, field: str, text: str) -> None:
        # A comma between numbers belongs to their slot, one between names parts the field.
        has_names = text.partition(":")[0] in _NAMED and search(r"[^\d.,x]", field)
        self.alternatives = [_split(part, text) for part in (field.split(",") if has_names else [field])]
        self.count = sum(prod(map(len, slots)) for _, slots in self.alternatives)

    def choices(self) -> Iterator[str]:
        """Yield what the field may be, in order."""
        for parts, slots in self.alternatives:
            for choice in product(*slots):
                yield "".join(part + str(size) for part, size in zip(parts, (*choice, ""), strict=True))


def _split(field: str, text: str) -> tuple[list[str], list[range | list[int]]]:
    """Return the fixed parts of a field and the slots between them."""
    parts, slots, position = [], [], 0
    for match in _SLOT.finditer(field):
        parts.append(field[position : match.start()])
        slots.append(_choices(match.group(), text))
        position = match.end()
    return [*parts, field[position:]], slots


def _choices(slot: str, text: str) -> range | list[int]:
    if "," in slot:
        return [int(size) for size in slot.split(",")]
    low, high = map(int, slot.split(".."))
    if low > high:
        raise ProblemError(f"{text}: the range {slot} is empty")
    return range(low, high + 1)
