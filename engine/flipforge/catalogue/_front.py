"""Pareto fronts of rank, recursive calls and additions, with the asymptotic factor of structured schemes.

gamma of a scheme says how many times the operations of general multiplication its recursion takes for large matrices
(`flipforge.schemes.asymptotic_factor`), beside the best known rank of the general product of that size over Z, or over
the GF(p) of the scheme. Calls of another kind count with the best gamma that the catalogue has for that kind over the
same ring or one inside it, and with 1 where it has none.
"""

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any

from flipforge.catalogue._best import best_known
from flipforge.catalogue._query import OWN, Query
from flipforge.catalogue._store import SqliteStore
from flipforge.problems import ProductCode
from flipforge.rings import RINGS
from flipforge.schemes import RecursiveCalls, Scheme, asymptotic_factor, call_codes, recursive_calls

__all__ = ["front"]


def front(
    store: SqliteStore, problem: str | None = None, *, ring: str | None = None, origin: str | None = None
) -> list[dict[str, Any]]:
    """Return the schemes that no other of their problem and ring beats.

    One beats another that is not better in rank, in the number of calls of any kind, or in additions as written, and
    worse in one of them.

    Parameters
    ----------
    problem, ring
        Only these; see `Query`.
    origin
        Origins with commas; found and derived unless given.

    Returns
    -------
    list of dict
        Rows of the catalogue with ``calls`` (such as ``"3-1-2"``, None without structure) and ``gamma``, a fraction as
        text (None where it makes no sense), by rank.

    Raises
    ------
    InputError
        The problem, ring or origin is not known.
    """
    rows = store.rows(Query(problem, ring=ring, origin=origin or OWN))
    groups: dict[tuple[str, str], list[tuple[dict[str, Any], RecursiveCalls | None]]] = {}
    for row in rows:
        structured = row["problem"].startswith("structured:")
        calls = recursive_calls(store.scheme(row["id"])) if structured else None
        groups.setdefault((row["problem"], row["ring"]), []).append((row, calls))
    factors = _Factors(store, origin or OWN) if any(calls for group in groups.values() for _, calls in group) else None
    result = []
    for group in groups.values():
        points = [_point(row, calls) for row, calls in group]
        for place, ((row, calls), point) in enumerate(zip(group, points, strict=True)):
            if any(_beats(other, point) for other in points) or point in points[:place]:
                continue
            factor = None if factors is None or calls is None else factors.of(store.scheme(row["id"]))
            written = None if factor is None else str(factor)
            result.append({**row, "calls": None if calls is None else str(calls), "gamma": written})
    return result


def _point(row: Mapping[str, Any], calls: RecursiveCalls | None) -> tuple[int, ...]:
    counts = (0, 0, 0) if calls is None else (-calls.a, -calls.b, -calls.c)
    return (row["rank"], *counts, row["additions"])


def _beats(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


class _Factors:
    """The best gamma of each code over each ring, from the structured schemes of a catalogue."""

    def __init__(self, store: SqliteStore, origin: str) -> None:
        self._schemes: dict[str, list[Scheme]] = {}
        for row in store.rows(Query("structured:*", origin=origin)):
            self._schemes.setdefault(_mirrored(row["problem"].split(":")[1]), []).append(store.scheme(row["id"]))
        self.kind = cache(self._kind)

    def of(self, scheme: Scheme) -> Fraction | None:
        """Return gamma of a scheme; None where corners are left out, or the matrices are not square."""
        code, calls = ProductCode.of(scheme.problem), recursive_calls(scheme)
        sizes = scheme.problem.name.split(":")[2:]
        if code is None or calls is None or len(sizes) != 1 or not sizes[0].isdigit() or int(sizes[0]) < 2:
            return None
        over = scheme.ring.name if scheme.ring.characteristic else "Z"
        cube = f"matmul:{sizes[0]}x{sizes[0]}x{sizes[0]}"
        # A scheme over Z is one over every GF(p).
        general = best_known(cube, over) or best_known(cube, "Z")
        if general is None:
            return None
        _, *kinds = call_codes(code)
        others = [
            (count, self.kind(_mirrored(kind), scheme.ring.name))
            for count, kind in zip((calls.b, calls.c), kinds, strict=True)
            if kind is not None and count
        ]
        return asymptotic_factor(scheme.rank, calls.a, general.rank, others)

    def _kind(self, code: str, ring: str) -> Fraction:
        names = list(RINGS)
        inside = [ring] if RINGS[ring].characteristic else names[: names.index(ring) + 1]
        found = (self.of(scheme) for scheme in self._schemes.get(code, ()) if scheme.ring.name in inside)
        return min((factor for factor in found if factor is not None), default=Fraction(1))


def _mirrored(code: str) -> str:
    """Return the one name of codes that transposition and reversal turn into each other: gl, lg, gu and ug are ug."""
    if code in ("gt", "tg"):
        return "gt"
    if len(code) == 2 and code.count("g") == 1:
        letter = code.replace("g", "")
        return f"{'u' if letter == 'l' else letter}g"
    return code
