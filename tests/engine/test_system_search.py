"""The space of roots of a system: its certificates, the space's protocol, runs, catalogue, replay."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import SpaceConformance
from flipforge import api
from flipforge.catalogue import SqliteStore
from flipforge.certificates import Certificate, check
from flipforge.errors import FlipforgeError, ProblemError, RingError
from flipforge.polynomials import (
    Solutions,
    katsura,
    more_solutions,
    parse_system,
    root_bound,
    solutions_certificate,
    solutions_of,
    system_of_statement,
    system_problem,
)
from flipforge.problems import parse
from flipforge.rings import GF2
from flipforge.search import Effort, Proven, Seed, SystemSpace

# Bezout's bound is 27: a root of multiplicity 11, and 16 simple ones.
CUSPS = {"polynomials": ["x**3 - y*z", "y**3 - x*z", "z**3 - x*y"]}


def solved(document: dict[str, Any], seed: int = 0, steps: int = 100_000) -> Certificate:
    """All roots of a system, as they come out of a file."""
    system = system_problem(parse_system(document)).system
    bound = root_bound(system)
    found, _, _ = more_solutions(
        system, Solutions(), wanted=bound.count, steps=steps, generator=np.random.default_rng(seed)
    )
    certificate = solutions_certificate(system, found, bound)
    return Certificate(**json.loads(json.dumps(vars(certificate))))


class TestSimpleRoots(SpaceConformance):
    effort = Effort(steps=400, path=400, goal=0, idle=1, band=0)

    def space(self) -> SystemSpace:
        return SystemSpace(system_problem(parse_system(katsura(4))))


class TestSingularRoots(SpaceConformance):
    effort = Effort(steps=16_000, path=16_000, goal=0, idle=1, band=0)

    def space(self) -> SystemSpace:
        document = {"polynomials": ["(x**2 - 2)**2*(x**2 - 3)**2*(x**5 - x - 1)"]}
        return SystemSpace(system_problem(parse_system(document)))


class TestOverdetermined(SpaceConformance):
    effort = Effort(steps=300, path=300, goal=0, idle=1, band=0)

    def space(self) -> SystemSpace:
        document = {"polynomials": ["x**13 - x - 1 + I*(x - y)", "y**13 - y - 1", "x - y"]}
        return SystemSpace(system_problem(parse_system(document)))


GOLDEN = {"a": {"polynomial": "a**3 - 2", "near": "1.26"}}


@pytest.mark.parametrize(
    ("document", "by", "words"),
    [
        (
            {"polynomials": ["x**2 - sqrt(2)*y", "y**2 - x - 1"]},
            "bezout",
            "4 roots with multiplicity, which are all: 4",
        ),
        (
            {"polynomials": ["(x - I)**2*(x**3 - 2)", "y - I*x"]},
            "bezout",
            "5 roots with multiplicity, which are all: 3 simple, 0 of them real; 1 singular of multiplicity 2",
        ),
        (
            {"polynomials": ["x**3 - a*x**2 + y", "y - a*x"], "field": GOLDEN},
            "bezout",
            "3 roots with multiplicity, which are all: 3 simple, 1 of them real",
        ),
        ({"polynomials": ["x**2 + 1", "x*y - I", "y**2 - 1"]}, "bezout", "at most 2 more: 2 simple and exact"),
        (
            {"polynomials": ["x**2 + y**2 - 25", "x*y - 12", "x + y - 7"]},
            "quotient",
            "which are all: 2 simple and exact",
        ),
        ({"polynomials": ["x**2 - 2", "y**2 - 2", "x*y - 2"]}, "quotient", "which are all: 2 simple and exact"),
        (
            {"polynomials": ["x**2", "x*y", "y**2"]},
            "quotient",
            "which are all: 0 simple, 0 of them real; 1 singular of",
        ),
        ({"polynomials": ["x**2 - 2", "y**2 - 3", "x - y"]}, "quotient", "0 roots with multiplicity, which are all"),
        (katsura(3), "bezout", "8 roots with multiplicity, which are all: 8 simple, 6 of them real"),
        (CUSPS, "bezout", "27 roots with multiplicity, which are all: 16 simple, 4 of them real; 1 singular of mult"),
        ({"polynomials": ["x**2*y - 1", "x*y**2 - 1"]}, "quotient", "3 roots with multiplicity, which are all"),
        ({"polynomials": ["(x**3 - 2)**2", "y - x"]}, "bezout", "3 singular of multiplicity 2, 2, 2"),
    ],
)
def test_all_roots_are_found_and_counted(document: dict[str, Any], by: str, words: str) -> None:
    certificate = solved(document, steps=30_000 if "more" in words else 100_000)
    rank = certificate.statement["rank"]
    assert (certificate.statement["by"], rank > 0) == (by, "more" in words)
    verdict = check(certificate)
    assert verdict.valid
    assert words in verdict.reason
    assert solutions_of(certificate).count == certificate.statement["bound"] - rank
    assert system_problem(system_of_statement(certificate.statement)) == system_problem(parse_system(document))


def test_balls_prove_no_root_of_an_overdetermined_system() -> None:
    """Degree 13 is above what digits are told from, so that no root of these is exact."""
    document = {"polynomials": ["x**13 - x - 1", "y - x", "y**13 - y - 1"]}
    certificate = solved(document, steps=4_000)
    statement, witness = certificate.statement, certificate.witness
    verdict = check(certificate)
    assert verdict.valid and statement["rank"] == statement["bound"] == 13 and not statement["singular"]
    assert f"beside them are {len(statement['open'])} balls" in verdict.reason
    assert "whether the others vanish is not shown" in statement["claim"]
    assert solutions_of(certificate) == solutions_of(Certificate(**json.loads(json.dumps(vars(certificate)))))

    def decision(**parts: Any) -> str:
        return check(replace(certificate, statement={**statement, **parts})).decision

    first, *rest = statement["open"]
    assert decision(open=rest) == "PROVED"
    assert decision(rank=12) == "REFUTED"
    assert decision(open=[first, first]) == "REFUTED"
    assert decision(open=[{**first, "centre": [["1/2", "0"], ["1/2", "0"]]}]) == "REFUTED"
    assert decision(open=[{**first, "rows": [0]}]) == "MALFORMED"
    assert decision(open=5) == "MALFORMED"
    assert decision(roots=[first["centre"]], real=[None], open=rest, rank=12) == "MALFORMED"
    # A third equation that does not vanish there.
    polynomials = [*statement["system"]["polynomials"][:2], [["1", [1, 0]], ["-2", [0, 0]]]]
    other = {**statement["system"], "polynomials": polynomials}
    refused = check(replace(certificate, statement={**statement, "system": other, "open": [{**first, "rows": [0, 1]}]}))
    assert refused.decision == "REFUTED" and "polynomials[2] does not vanish within it" in refused.reason
    assert "alpha" in witness["proofs"]


def test_roots_are_those_of_one_embedding() -> None:
    """The relation of a generator has other roots, and what holds for them proves nothing here."""
    text = "(x - a)**2*(x - 1)*(y + 2)"
    certificate = solved({"polynomials": [text, "y - x"], "field": GOLDEN})
    statement = certificate.statement
    assert check(certificate).valid and "1 singular of multiplicity 2" in check(certificate).reason

    def decision(**parts: Any) -> str:
        return check(replace(certificate, statement={**statement, **parts})).decision

    other = solved(
        {"polynomials": [text, "y - x"], "field": {"a": {"polynomial": "a**3 - 2", "near": "-0.63 + 1.09*I"}}}
    ).statement
    assert other["system"] == statement["system"] and other["generators"] != statement["generators"]
    assert system_of_statement(other) != system_of_statement(statement)
    assert decision(generators=other["generators"]) == "MALFORMED"
    assert decision(singular=other["singular"]) == "MALFORMED"
    assert decision(roots=other["roots"], real=other["real"]) == "MALFORMED"
    assert decision(generators=[]) == "MALFORMED"
    bare = {**statement, "generators": [["6/5", "0"]], "roots": [], "real": [], "singular": []}
    refused = check(replace(certificate, statement=bare, witness={**certificate.witness, "duals": []}))
    assert refused.decision == "REFUTED" and "not shown to hold one root of its relation" in refused.reason
    assert decision(by="quotient") == "MALFORMED"


def test_every_start_leads_to_the_same_digits() -> None:
    first, second = (solved(katsura(3), seed) for seed in (1, 2))
    assert first == second


def test_a_component_of_solutions_is_no_root() -> None:
    """The line x = 0 solves both equations; no point of it is isolated, and none is stated."""
    certificate = solved({"polynomials": ["x*y", "x*y + x"]}, steps=12_000)
    assert (certificate.statement["roots"], certificate.statement["singular"]) == ([], [])
    assert "at most 4 more" in check(certificate).reason


def test_changes_are_refused() -> None:
    certificate = solved({"polynomials": ["(x - 1)**2*(x**3 - 2)"]})
    statement, witness = certificate.statement, certificate.witness

    def decision(shown: Any = witness, **parts: Any) -> str:
        return check(replace(certificate, statement={**statement, **parts}, witness=shown)).decision

    assert decision() == "PROVED"
    (singular,) = statement["singular"]
    moved = [[[str(Fraction(re) + Fraction(1, 10**9)), im] for re, im in point] for point in statement["roots"]]
    assert decision(roots=moved) == "REFUTED"
    real = statement["real"]
    assert decision(roots=[*statement["roots"], statement["roots"][0]], real=[*real, real[0]], rank=-1) == "REFUTED"
    assert decision(roots=statement["roots"][1:], real=statement["real"][1:]) == "REFUTED"
    assert decision(roots=statement["roots"][1:], real=statement["real"][1:], rank=1) == "PROVED"
    assert decision(rank=1) == "REFUTED"
    assert decision(bound=6, rank=1) == "REFUTED"
    assert decision(by="quotient") == "MALFORMED"
    assert decision(by="perhaps") == "MALFORMED"
    assert decision(radius="0") == "MALFORMED"
    assert decision(real=[not flag for flag in statement["real"]]) == "REFUTED"
    twice = {**witness, "duals": witness["duals"] * 2}
    assert decision(twice, singular=[singular, singular], rank=-2) == "REFUTED"
    assert decision(singular=[]) == "MALFORMED"
    assert decision(singular=[{**singular, "multiplicity": 3}], rank=-1) == "REFUTED"
    other = {**singular["system"], "polynomials": [[["1", [2]]]]}
    assert decision(singular=[{**singular, "system": other}]) == "MALFORMED"
    assert decision({**witness, "proofs": []}) == "MALFORMED"


def test_a_singular_root_is_not_counted_as_a_simple_one() -> None:
    certificate = solved({"polynomials": ["(x - 1)**2*(x**3 - 2)"]})
    roots, real = certificate.statement["roots"], certificate.statement["real"]
    parts = {"roots": [*roots, [["1", "0"]]], "real": [*real, True], "singular": [], "rank": 1}
    statement = {**certificate.statement, **parts}
    shown = {**certificate.witness, "duals": []}
    assert check(replace(certificate, statement=statement, witness=shown)).decision == "REFUTED"


@pytest.fixture
def cusps(tmp_path: Path) -> Path:
    path = tmp_path / "cusps.txt"
    path.write_text("\n".join(CUSPS["polynomials"]))
    return path


def test_a_run_finds_stores_replays_and_resumes(cusps: Path, tmp_path: Path, empty: Path) -> None:
    db = tmp_path / "roots.db"
    with SqliteStore.open(db, shipped=empty):
        pass
    assert parse(f"system:{cusps}").proof == "solutions"
    begun = api.search(f"system:{cusps}", workers=1, seed=1, max_flips=1_500, target_rank=3, db=db)
    assert (begun.ring, begun.target_reached, begun.walk_version) == ("Q", False, "system/1")
    assert begun.run is not None
    result = api.resume(begun.run, max_flips=200_000, target_rank=None, db=db)
    assert result.rank is not None and result.rank <= 3
    result = api.search(f"system:{cusps}", workers=1, seed=1, db=db)
    assert (result.rank, result.target_reached) == (0, True)
    assert result.scheme is not None
    with SqliteStore.open(db, shipped=empty) as store:
        stored = store.scheme(result.scheme)
        assert isinstance(stored, Proven)
        assert (stored.rank, stored.provenance["origin"], stored.problem.name) == (0, "found", result.problem)
        assert len(store.lineage(result.scheme)) > 0
    (row,) = api.verify(result.scheme, db=db)
    assert row["verdict"] == "PROVED"
    assert "1 singular of multiplicity 11" in row["reason"]
    assert api.replay_scheme(result.scheme, db=db).scheme == result.scheme
    assert result.scheme in {row["id"] for row in api.query(result.problem, db=db, max_rank=0)}
    assert "27 roots with multiplicity" in api.show(result.scheme, db=db)
    rows = api.dump(tmp_path / "texts", db=db)
    file = next(row["file"] for row in rows if row["id"] == result.scheme)
    assert api.verify(file)[0]["verdict"] == "PROVED"
    again = api.search(f"system:{cusps}", start=[file], workers=1, seed=2, db=db)
    assert (again.rank, again.flips) == (0, 0)


def test_two_workers_find_the_same_set(cusps: Path) -> None:
    inline = api.search(f"system:{cusps}", workers=1, seed=1, db=":memory:")
    spread = api.search(f"system:{cusps}", workers=2, seed=4, target_rank=0, db=":memory:")
    assert (spread.rank, spread.scheme) == (0, inline.scheme)


def test_what_a_search_does_not_take(cusps: Path, tmp_path: Path) -> None:
    problem = system_problem(parse_system(CUSPS))
    with pytest.raises(RingError, match="over Q, not GF2"):
        SystemSpace(problem, GF2)
    space = SystemSpace(problem)
    proven = space.scheme(space.start(Seed(0)))
    with pytest.raises(ProblemError, match="no solutions of system"):
        SystemSpace(system_problem(parse_system(katsura(2)))).state(proven)
    coarse = solved({"polynomials": ["x**2 - 2"]})
    coarse.statement["roots"][0][0][0] = "1/3"
    with pytest.raises(ProblemError, match=r"no multiple of 2\^-128"):
        SystemSpace(system_problem(parse_system({"polynomials": ["x**2 - 2"]}))).state(Proven.of(coarse))
    for text, words in (
        ("x**2 -", "s.txt"),
        ("x*y - 1", "1 equations for 2 variables"),
    ):
        (tmp_path / "s.txt").write_text(text)
        with pytest.raises(FlipforgeError, match=words) as caught:
            api.search(f"system:{tmp_path / 's.txt'}", db=":memory:")
        assert "s.txt" in str(caught.value)
        assert "\n" not in str(caught.value)
    for options, words in (({"ring": "GF2"}, "over Q, not GF2"), ({"symmetry": "Z3"}, "a search for roots takes no")):
        with pytest.raises(FlipforgeError, match=words):
            api.search(f"system:{cusps}", db=":memory:", **options)  # type: ignore[arg-type]
    with pytest.raises(FlipforgeError, match=r"none\.txt"):
        api.search(f"system:{tmp_path / 'none.txt'}", db=":memory:")
