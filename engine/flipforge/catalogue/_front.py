"""Pareto fronts of rank, recursive calls and additions, with the asymptotic factor of structured schemes.

gamma of a scheme says how many times the operations of general multiplication its recursion takes for large matrices
(`flipforge.schemes.asymptotic_factor`), beside the best known rank of the general product of that size over Z, or over
the GF(p) of the scheme. Calls of another kind count with the best gamma that the catalogue has for that kind over the
same ring or one inside it (over Z for ternary schemes), and with 1 where it has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Any

from flipforge.catalogue._best import best_known
from flipforge.catalogue._query import OWN, Query
from flipforge.catalogue._store import SqliteStore
from flipforge.problems import ProductCode
from flipforge.rings import RINGS
from flipforge.schemes import RecursiveCalls, Scheme, asymptotic_factor, call_codes, recursive_calls

__all__ = ["front", "own_factor"]


def front(
    store: SqliteStore,
    problem: str | None = None,
    *,
    ring: str | None = None,
    origin: str | None = None,
    only_best: bool = False,
) -> list[dict[str, Any]]:
    """Return the schemes that no other of their problem beats, over the same ring or one inside it.

    One beats another that is not better in rank, in the number of calls of any kind, or in additions as written, and
    worse in one of them or over a larger ring.

    Parameters
    ----------
    problem, ring
        Only these; see `Query`.
    origin
        Origins with commas; found and derived unless given.
    only_best
        Only those of the smallest rank over their ring or one inside it.

    Returns
    -------
    list of dict
        Rows of the catalogue with ``calls`` (such as ``"3-1-2"``, None without structure), ``gamma``, a fraction as
        text (None where it makes no sense), and ``gamma_own``, what it is by calls of the same kind alone; by rank.

    Raises
    ------
    InputError
        The problem, ring or origin is not known.
    """
    rows = store.rows(Query(problem, ring=ring, origin=origin or OWN))
    groups: dict[tuple[str, int], list[_Point]] = {}
    for row in rows:
        structured = row["problem"].startswith("structured:")
        counted = recursive_calls(store.scheme(row["id"])) if structured else None
        group = groups.setdefault((row["problem"], RINGS[row["ring"]].characteristic), [])
        group.append(_Point(row, counted))
    points = [point for group in groups.values() for point in group]
    factors = _Factors(store, origin or OWN) if any(point.calls for point in points) else None
    result = []
    for group in groups.values():
        # A point that stands twice stands for itself over the smallest ring, once.
        group.sort(key=lambda point: (point.ring, point.values, point.row["id"]))
        kept: list[_Point] = []
        for point in group:
            if not any(other.beats(point) for other in group) and not any(other.equals(point) for other in kept):
                kept.append(point)
        for point in sorted(kept, key=lambda point: (point.values, point.ring)):
            if only_best and any(other.ring <= point.ring and other.values[0] < point.values[0] for other in kept):
                continue
            scheme = None if factors is None or point.calls is None else store.scheme(point.row["id"])
            factor = scheme and factors and factors.of(scheme)
            values = {"calls": point.calls, "gamma": factor, "gamma_own": scheme and own_factor(scheme)}
            result.append({**point.row, **{key: None if x is None else str(x) for key, x in values.items()}})
    return result


@dataclass(frozen=True)
class _Point:
    """A row of the catalogue among those of its problem and characteristic."""

    row: Mapping[str, Any]
    calls: RecursiveCalls | None

    @cached_property
    def ring(self) -> int:
        """Place of the ring in the order of inclusion."""
        return list(RINGS).index(self.row["ring"])

    @cached_property
    def values(self) -> tuple[int, ...]:
        """What is to be small."""
        counts = (0, 0, 0) if self.calls is None else (-self.calls.a, -self.calls.b, -self.calls.c)
        return (self.row["rank"], *counts, self.row["additions"])

    def beats(self, other: "_Point") -> bool:
        """Tell whether this one makes the other superfluous."""
        return self.ring <= other.ring and self.values != other.values and self._within(other)

    def equals(self, other: "_Point") -> bool:
        """Tell whether nothing but perhaps a larger ring tells the other apart."""
        return self.ring <= other.ring and self.values == other.values

    def _within(self, other: "_Point") -> bool:
        return all(a <= b for a, b in zip(self.values, other.values, strict=True))


class _Factors:
    """The best gamma of each code over each ring, from the structured schemes of a catalogue."""

    def __init__(self, store: SqliteStore, origin: str) -> None:
        self._schemes: dict[str, list[Scheme]] = {}
        for row in store.rows(Query("structured:*", origin=origin)):
            self._schemes.setdefault(_mirrored(row["problem"].split(":")[1]), []).append(store.scheme(row["id"]))
        self.kind = cache(self._kind)

    def of(self, scheme: Scheme) -> Fraction | None:
        """Return gamma of a scheme; None where `own_factor` gives none."""
        code, calls, general = ProductCode.of(scheme.problem), recursive_calls(scheme), _general_rank(scheme)
        if code is None or calls is None or general is None:
            return None
        _, *kinds = call_codes(code)
        others = [
            (count, self.kind(_mirrored(kind), scheme.ring.name))
            for count, kind in zip((calls.b, calls.c), kinds, strict=True)
            if kind is not None and count
        ]
        return asymptotic_factor(scheme.rank, calls.a, general, others)

    def _kind(self, code: str, ring: str) -> Fraction:
        names = list(RINGS)
        # What calls a ternary scheme does for integers anyway.
        widest = "Z" if ring == "ZT" else ring
        inside = [ring] if RINGS[ring].characteristic else names[: names.index(widest) + 1]
        found = (self.of(scheme) for scheme in self._schemes.get(code, ()) if scheme.ring.name in inside)
        return min((factor for factor in found if factor is not None), default=Fraction(1))


def own_factor(scheme: Scheme) -> Fraction | None:
    """Return gamma of a structured scheme by its calls of the same kind alone.

    None where the problem has no such calls, corners are left out, or the matrices are not square.
    """
    calls, general = recursive_calls(scheme), _general_rank(scheme)
    return None if calls is None or general is None else asymptotic_factor(scheme.rank, calls.a, general)


def _general_rank(scheme: Scheme) -> int | None:
    """Return the best known rank of the general product of the size of a structured one of square matrices."""
    sizes = scheme.problem.name.split(":")[2:]
    if scheme.problem.kind != "structured" or len(sizes) != 1 or not sizes[0].isdigit() or int(sizes[0]) < 2:
        return None
    over = scheme.ring.name if scheme.ring.characteristic else "Z"
    cube = f"matmul:{sizes[0]}x{sizes[0]}x{sizes[0]}"
    # A scheme over Z is one over every GF(p).
    known = best_known(cube, over) or best_known(cube, "Z")
    return None if known is None else known.rank


def _mirrored(code: str) -> str:
    """Return the one name of codes that transposition and reversal turn into each other: gl, lg, gu and ug are ug."""
    if code in ("gt", "tg"):
        return "gt"
    if len(code) == 2 and code.count("g") == 1:
        letter = code.replace("g", "")
        return f"{'u' if letter == 'l' else letter}g"
    return code
