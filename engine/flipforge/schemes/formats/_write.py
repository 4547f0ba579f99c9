"""Write a scheme to a file of a named format."""

from collections.abc import Callable
from pathlib import Path

from flipforge.errors import FormatError, InputError
from flipforge.rings import MAX_DIGITS, is_too_long
from flipforge.schemes._scheme import Scheme
from flipforge.schemes.formats._atomic import write_atomically
from flipforge.schemes.formats._exp import dump_exp
from flipforge.schemes.formats._fmm import dump_fmm
from flipforge.schemes.formats._native import dump_native
from flipforge.schemes.formats._npz import dump_npz
from flipforge.schemes.formats._products import dump_products
from flipforge.schemes.formats._sms import dump_sms

__all__ = ["WRITERS", "write_file"]

_TEXTS: dict[str, Callable[[Scheme], str]] = {
    "flipforge": dump_native,
    "fmm": dump_fmm,
    "exp": dump_exp,
    "txt": dump_products,
}

WRITERS = ("flipforge", "fmm", "exp", "npz", "sms", "txt")
"""The names ``to`` may have."""


def write_file(scheme: Scheme, to: str, path: str | Path) -> tuple[Path, ...]:
    """Write a scheme, whole or not at all, and return the files written: the path, or the three files of an SMS triple.

    ``fmm``, ``exp`` and ``sms`` keep neither provenance nor unknown keys, ``exp`` not even the ring.

    Raises
    ------
    FormatError
        The format is not one of `WRITERS`.
    InputError
        The format cannot hold the scheme, or the path cannot be written.
    """
    path = Path(path)
    if any(is_too_long(x) for rows in (scheme.u, scheme.v, scheme.w) for row in rows for x in row):
        raise InputError(f"a coefficient has more than {MAX_DIGITS} digits, which no scheme file may hold")
    if to not in WRITERS:
        raise FormatError(f"unknown format {to[:40]!r}: use one of {', '.join(WRITERS)}")
    if scheme.problem.inner and to != "flipforge":
        raise InputError(f"{scheme.problem}: {to} files hold bilinear schemes only; use --to flipforge")
    if to in _TEXTS:
        files = {path: _TEXTS[to](scheme).encode()}
    elif to == "npz":
        files = {path: dump_npz(scheme)}
    else:
        files = dump_sms(scheme, path)
    write_atomically(files)
    return tuple(files)
