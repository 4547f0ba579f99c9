"""Queries: what to select from the catalogue, as one parameterised SQL statement."""

import json
from dataclasses import dataclass
from typing import Any, Final

from flipforge import rings
from flipforge.catalogue._schema import ORIGINS
from flipforge.catalogue._where import Kind, parse_where
from flipforge.errors import InputError, ProblemError
from flipforge.problems import expand, is_family, kinds, parse

__all__ = ["COLUMNS", "OWN", "Query", "members"]

COLUMNS: Final = (
    "id",
    "problem",
    "ring",
    "rank",
    "additions",
    "additions_reduced",
    "nonzeros",
    "omega",
    "origin",
    "run",
    "source",
    "created",
    "verified",
)
"""Keys of a row, in order."""

OWN: Final = "found,derived"
"""Origins that ``best`` and ``dump`` take unless told otherwise."""

_NAMES: Final[dict[str, Kind]] = {
    "id": "text",
    "kind": "text",
    "problem": "text",
    "n": "number",
    "m": "number",
    "p": "number",
    "ring": "text",
    "rank": "number",
    "additions": "number",
    "additions_reduced": "number",
    "nonzeros": "number",
    "omega": "number",
    "origin": "text",
    "run": "text",
    "source": "text",
    "created": "text",
}
_NATURAL_ORDER: Final = ("kind", "n", "m", "p", "problem")
_VERIFIED = "(SELECT max(decided) FROM verifications WHERE object = objects.id AND verdict = 'PROVED') AS verified"
_MAX_INTEGER = 2**63 - 1


@dataclass(frozen=True)
class Query:
    """What to select; None leaves a filter out.

    Attributes
    ----------
    problem
        A problem, a family such as ``matmul:2..3x3x3``, or a pattern with ``*`` for any text, such as ``matmul:*``.
    ring
        Name of a ring.
    max_rank, max_additions, max_omega
        Largest values taken.
    origin
        One origin, or several with commas.
    run
        ID of a run, or its first characters.
    where
        A condition on the columns, such as ``rank <= 23 and (ring = 'GF2' or additions < 100)``.
    order
        Columns with commas, each with ``-`` before it for descending; empty values last. Problems come by their sizes.
    limit
        At most so many rows.
    best
        Of what the filters leave, only the smallest rank of each problem and ring, ties by additions.

    Examples
    --------
    >>> Query("matmul:2..4x3x3", ring="GF2", where="additions < 10*rank", order="rank,-additions").limit is None
    True
    """

    problem: str | None = None
    ring: str | None = None
    max_rank: int | None = None
    max_additions: int | None = None
    max_omega: float | None = None
    origin: str | None = None
    run: str | None = None
    where: str | None = None
    order: str = "problem,ring,rank,additions"
    limit: int | None = None
    best: bool = False

    def compile(self) -> tuple[str, tuple[Any, ...]]:
        """Return SQL and the values of its parameters.

        Raises
        ------
        InputError, ProblemError, RingError
            A filter names what is not known.
        """
        conditions: list[str] = []
        values: list[Any] = []

        def add(sql: str, *parameters: Any) -> None:
            conditions.append(sql)
            values.extend(parameters)

        if self.problem is not None:
            names = members(self.problem)
            operator = "GLOB" if "*" in self.problem else "="
            patterns = list(map(_glob, names)) if "*" in self.problem else names
            add(f"EXISTS (SELECT 1 FROM json_each(?) WHERE problem {operator} json_each.value)", json.dumps(patterns))
        if self.ring is not None:
            add("ring = ?", rings.ring(self.ring).name)
        for column, bound in (("rank", self.max_rank), ("additions", self.max_additions), ("omega", self.max_omega)):
            if bound is not None:
                add(f"{column} <= ?", min(bound, _MAX_INTEGER))
        if self.origin is not None:
            add("origin IN (SELECT value FROM json_each(?))", json.dumps(_origins(self.origin)))
        if self.run is not None:
            add("substr(run, 1, ?) = ?", len(self.run), self.run)
        if self.where is not None:
            condition = parse_where(_encodable(self.where), _NAMES)
            add(condition.sql, *condition.values)
        return self._statement(conditions or ["1"]), (*values, -1 if self.limit is None else _limit(self.limit))

    def _statement(self, conditions: list[str]) -> str:
        columns = ", ".join([*(column for column in COLUMNS if column != "verified"), "kind", "n", "m", "p"])
        inner = f"SELECT {columns}, {_VERIFIED} FROM objects WHERE {' AND '.join(conditions)}"
        if self.best:
            place = "row_number() OVER (PARTITION BY problem, ring ORDER BY rank, additions, nonzeros, id)"
            inner = f"SELECT * FROM (SELECT *, {place} AS place FROM ({inner})) WHERE place = 1"
        return f"SELECT * FROM ({inner}) ORDER BY {', '.join(_order(self.order))} LIMIT ?"


def members(text: str) -> list[str]:
    """Return the names a problem, family or pattern stands for, a pattern standing for itself.

    Raises
    ------
    ProblemError
        The kind is unknown, a size is out of range, or a member is ill-formed.
    """
    kind = text.partition(":")[0]
    if text.startswith(f"{kind}:sha256="):
        return [text]
    if "*" in text:
        if "*" not in kind and kind not in kinds():
            raise ProblemError(f"{text}: no problems of kind {kind!r} here; known are {', '.join(kinds())}")
        return expand(text, pattern=True)
    if not is_family(text):
        return [parse(text).name]
    names = expand(text)
    for name in (names[0], names[-1]):
        parse(name)
    return names


def _origins(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in ORIGINS:
            raise InputError(f"--origin: {name!r} is not one of {', '.join(ORIGINS)}")
    return names


def _order(text: str) -> list[str]:
    terms = []
    for name in map(str.strip, text.split(",")):
        direction = " DESC" if name.startswith("-") else ""
        column = name.removeprefix("-")
        if column not in _NAMES:
            raise InputError(f"--order: unknown column {column!r}; there are {', '.join(_NAMES)}")
        for key in _NATURAL_ORDER if column == "problem" else (column,):
            terms += [f"{key} IS NULL", f"{key}{direction}"]
    return [*terms, "id"]


def _limit(limit: int) -> int:
    if not 0 <= limit <= _MAX_INTEGER:
        raise InputError(f"--limit: {limit} is not a number of rows; write 0 or more")
    return limit


def _glob(pattern: str) -> str:
    """Leave ``*`` its meaning and take those of GLOB's other signs away."""
    return "".join(f"[{sign}]" if sign in "[?" else sign for sign in pattern)


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"--where, position {error.start + 1}: not valid UTF-8") from None
    return text
