"""Options that several commands share, and the words of their arguments."""

from re import fullmatch
from typing import Annotated

import typer

from flipforge.errors import InputError

__all__ = ["Address", "Db", "ExecutorName", "Json", "ProblemOption", "RingOption", "Workers", "parse_duration"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value on stdout.")]
Db = Annotated[
    str | None,
    typer.Option(
        "--db", metavar="URL", help="Catalogue: a path or sqlite:///...; $FLIPFORGE_DB or the user's own unless given."
    ),
]
ProblemOption = Annotated[
    str | None,
    typer.Option("--problem", metavar="PROBLEM", help="Decides the problem of a file that does not state it."),
]
RingOption = Annotated[
    str | None, typer.Option("--ring", metavar="RING", help="Decides the ring of a file that does not state it.")
]
Workers = Annotated[int | None, typer.Option("--workers", help="Walks at a time; all processors unless given.")]
ExecutorName = Annotated[str | None, typer.Option("--executor", help="inline, process or ray.")]
Address = Annotated[str | None, typer.Option("--address", help="Of a running Ray cluster.")]

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> float:
    """Read ``90``, ``90s``, ``10m``, ``1.5h`` or ``2d`` as seconds.

    Examples
    --------
    >>> parse_duration("10m")
    600.0
    """
    match = fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if not match:
        raise InputError(f"--time {text}: write a number with s, m, h or d, as in 10m")
    return float(match[1]) * _SECONDS[match[2]]
