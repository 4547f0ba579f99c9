"""Reading the size after a group's name."""

from re import fullmatch

from flipforge.errors import InputError

__all__ = ["read_size"]

_LARGEST = 1_000_000


def read_size(name: str, body: str) -> int:
    """Return the n of ``NAME:n``, or raise `InputError`."""
    if not fullmatch(r"[1-9]\d{0,6}", body) or int(body) > _LARGEST:
        raise InputError(f"group {name}:{body[:40]}: write a size from 1 to {_LARGEST}, as in {name}:4")
    return int(body)
