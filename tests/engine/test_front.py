"""Growth factors of schemes, and Pareto fronts of rank, recursive calls and additions."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from catalogue_samples import strassen, variants
from commands import Capture, answer
from flipforge.catalogue import SqliteStore, dump, front
from flipforge.errors import RingError
from flipforge.problems import matmul, parse
from flipforge.rings import GF2, ZT, Q, Z
from flipforge.schemes import Scheme, costs, growth, standard_scheme, winograd_scheme
from flipforge.search import Entry


def test_growth_of_known_schemes() -> None:
    assert growth(strassen()) == 12
    assert growth(standard_scheme(matmul(3, 4, 5), Z)) == 4
    assert growth(winograd_scheme(parse("commutative:2x2x2"), Z)) > 2
    half = Scheme(matmul(1, 1, 1), Q, ((Fraction(1, 2),),), ((3,),), ((Fraction(2, 3),),))
    assert growth(half) == 1
    with pytest.raises(RingError, match="no growth factor"):
        growth(strassen(GF2))


def test_the_front_keeps_what_none_beats(store: SqliteStore) -> None:
    first, *more = variants(6)
    worse = replace(first, u=(*first.u, first.u[0]), v=(*first.v, first.v[0]), w=(*first.w, (0, 0, 0, 0)))
    few, standard = strassen(GF2), standard_scheme(matmul(2, 2, 2), GF2)
    store.commit([Entry(scheme, "derived") for scheme in (first, *more, worse, few, standard)])
    rows = front(store, "matmul:2x2x2")
    points = {row["id"]: (row["rank"], row["additions"]) for row in rows}
    assert points == {few.id: (7, costs(few).additions), standard.id: (8, 4)}
    assert all(row["calls"] is None and row["gamma"] is None for row in rows)
    assert front(store, "matmul:2x2x2", ring="ZT") == []


def test_a_structured_scheme_with_more_additions_is_beaten(store: SqliteStore) -> None:
    problem = parse("structured:ug:2")
    standard = standard_scheme(problem, ZT)
    # a12 b2 + a11 b1 = (a11 + a12) b2 + a11 (b1 - b2): as many calls, more additions.
    u, v, w = (list(rows) for rows in (standard.u, standard.v, standard.w))
    place = next(q for q, row in enumerate(standard.u) if row == (0, 1, 0))
    u[place] = (1, 1, 0)
    other = next(q for q, row in enumerate(standard.u) if row == (1, 0, 0) and standard.w[q] == standard.w[place])
    v[other] = tuple(a - b for a, b in zip(standard.v[other], standard.v[place], strict=True))
    longer = Scheme(problem, ZT, tuple(u), tuple(v), tuple(w))
    assert longer.verdict().valid and longer.rank == standard.rank
    store.commit([Entry(scheme, "derived") for scheme in (standard, longer)])
    (row,) = front(store, "structured:ug:2", ring="ZT")
    assert (row["id"], row["calls"]) == (standard.id, "4-0-0")
    # 6 products beside the 7 of Strassen: (6 - 4) / (7 - 4).
    assert row["gamma"] == "2/3"


def test_calls_of_another_kind_count_with_the_best_factor_known(store: SqliteStore) -> None:
    triangular = standard_scheme(parse("structured:ul:2"), ZT)
    store.commit([Entry(triangular, "derived")])
    (alone,) = front(store, "structured:ul:2", ring="ZT")
    # 2-1-1 calls of 5 products, and nothing known of products with a general matrix: (5 - 2) / (7 - 2).
    assert (alone["calls"], alone["gamma"]) == ("2-1-1", "3/5")
    store.commit([Entry(standard_scheme(parse("structured:ug:2"), ZT), "derived")])
    (row,) = front(store, "structured:ul:2", ring="ZT")
    # Both ug and gl take 2/3 of a general product: (5 - 2 - 1/3 - 1/3) / (7 - 2).
    assert row["gamma"] == str(Fraction(3 - Fraction(2, 3)) / 5)


def test_the_command(tmp_path: Path, capsys: Capture) -> None:
    words = "structured:ug:2..3", "--front", "--db", str(tmp_path / "c.db")
    code, out, _ = answer(capsys, "best", *words, "--json")
    rows = json.loads(out)
    assert code == 0 and {row["problem"] for row in rows} <= {"structured:ug:2", "structured:ug:3"} and rows
    code, out, _ = answer(capsys, "best", *words)
    assert code == 0 and "gamma" in out.splitlines()[0]


def test_a_larger_ring_is_beaten_by_a_smaller_one(store: SqliteStore) -> None:
    standard = standard_scheme(matmul(2, 2, 2), ZT)
    wide = Scheme(matmul(2, 2, 2), Z, *sheared(strassen(Z)))
    assert wide.verdict().valid and wide.canonical.ring == Z
    store.commit([Entry(scheme, "derived") for scheme in (standard, strassen(), wide)])
    assert {row["id"] for row in front(store, "matmul:2x2x2")} == {standard.id, strassen().id}
    assert [row["id"] for row in front(store, "matmul:2x2x2", only_best=True)] == [strassen().id]
    assert [row["id"] for row in front(store, "matmul:2x2x2", ring="Z")] == [wide.id]


def sheared(scheme: Scheme) -> tuple[Any, Any, Any]:
    """A -> A S, B -> S^-1 B with S = ((1, 2), (0, 1)): coefficients beyond 1 come in."""
    u = tuple((a + 2 * b, b, c + 2 * d, d) for a, b, c, d in ((x[0], x[1], x[2], x[3]) for x in scheme.u))
    v = tuple((a, b, c - 2 * a, d - 2 * b) for a, b, c, d in ((x[0], x[1], x[2], x[3]) for x in scheme.v))
    return u, v, scheme.w


def test_dump_front(store: SqliteStore, tmp_path: Path) -> None:
    store.commit([Entry(scheme, "derived") for scheme in (*variants(3), strassen(GF2), strassen())])
    rows = dump(store, tmp_path, only_front=True)
    assert {row["id"] for row in rows} == {strassen(GF2).id, strassen().id}
    assert len(list(tmp_path.glob("*.json"))) == 2
