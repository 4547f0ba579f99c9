"""Identities: found by degree, excluded by forms, checked exactly; sympy and colourings by hand as the oracles."""

import copy
import json
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge import api
from flipforge.certificates import Certificate, check
from flipforge.errors import FlipforgeError, InputError
from flipforge.polynomials import colouring, find_identity, graph_named, parse_ideal, pigeonhole

RATIONAL = {
    "equations": ["x + y + z - 1", "x*y + y*z + z*x - 1/2", "x*y*z - 1/7", "x**3 + y**3 + z**3 - 5"],
    "variables": ["x", "y", "z"],
}


def expands(certificate: Certificate) -> bool:
    """Expand the identity by sympy."""
    statement = certificate.statement
    names = sympy.symbols(statement["variables"])
    p = {"Q": 0}.get(statement["ring"]) if statement["ring"] == "Q" else int(statement["ring"][2:])

    def read(rows: list[Any]) -> Any:
        terms = (sympy.Rational(c) * sympy.prod(v**e for v, e in zip(names, es, strict=True)) for c, es in rows)
        return sum(terms, sympy.Integer(0))

    pairs = zip(certificate.witness["cofactors"], statement["equations"], strict=True)
    rest = sympy.expand(sum(read(q) * read(f) for q, f in pairs) - read(statement["target"]))
    return rest == 0 if not p else all(c % p == 0 for c in sympy.Poly(rest, *names).coeffs())


def colourable(edges: list[tuple[int, int]], colours: int) -> bool:
    vertices = sorted({v for edge in edges for v in edge})
    return any(
        all(chosen[u] != chosen[v] for u, v in edges)
        for values in product(range(colours), repeat=len(vertices))
        for chosen in [dict(zip(vertices, values, strict=True))]
    )


@pytest.mark.parametrize("name", ["complete-4", "wheel-5", "wheel-7", "wheel-9", "grotzsch"])
def test_graphs_without_a_colouring_are_refuted_in_degree_one_exactly(name: str) -> None:
    edges = graph_named(name)
    certificate = find_identity(parse_ideal(colouring(edges)), 1)
    assert certificate.kind == "identity"
    assert (certificate.statement["degree"], certificate.statement["least"]) == (1, True)
    verdict = check(certificate)
    assert verdict.decision == "PROVED"
    assert "no common zero over any field that contains GF2" in verdict.reason
    assert "no lower degree will do" in verdict.reason
    assert expands(certificate)
    assert find_identity(parse_ideal(colouring(edges)), 0).kind == "no_identity"


@pytest.mark.parametrize("name", ["wheel-4", "wheel-6", "cycle-5", "petersen"])
def test_graphs_with_a_colouring_have_no_refutation(name: str) -> None:
    assert name == "petersen" or colourable(graph_named(name), 3)
    certificate = find_identity(parse_ideal(colouring(graph_named(name))), 1)
    assert (certificate.kind, certificate.statement["degree"]) == ("no_identity", 1)
    assert check(certificate).decision == "PROVED"


@settings(max_examples=20)
@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda e: e[0] < e[1]), min_size=4))
def test_refutations_of_random_graphs_agree_with_their_colourings(edges: set[tuple[int, int]]) -> None:
    found = find_identity(parse_ideal(colouring(sorted(edges), 3, "GF2")), 1)
    assert check(found).decision == "PROVED"
    if found.kind == "identity":
        assert not colourable(sorted(edges), 3)
    two = find_identity(parse_ideal(colouring(sorted(edges), 2, "GF3")), 3)
    assert (two.kind == "identity") <= (not colourable(sorted(edges), 2))


def test_a_rational_system_is_refuted_with_exact_fractions() -> None:
    certificate = find_identity(parse_ideal(RATIONAL), 4)
    assert (certificate.kind, certificate.statement["degree"]) == ("identity", 2)
    assert check(certificate).decision == "PROVED"
    assert expands(certificate)
    assert any("/71" in str(c) for q in certificate.witness["cofactors"] for c, _ in q)


def test_pigeons_need_degree_two() -> None:
    certificate = find_identity(parse_ideal(pigeonhole(2)), 2)
    assert (certificate.kind, certificate.statement["degree"]) == ("identity", 2)
    assert check(certificate).decision == "PROVED"
    assert check(find_identity(parse_ideal(pigeonhole(2)), 1)).decision == "PROVED"


monomials = st.tuples(st.integers(0, 2), st.integers(0, 2))
polynomials = st.dictionaries(monomials, st.fractions(-9, 9, max_denominator=9).filter(bool), min_size=1, max_size=3)


def text(terms: dict[tuple[int, int], Fraction]) -> str:
    return " + ".join(f"({c})*x**{a}*y**{b}" for (a, b), c in terms.items())


@settings(max_examples=30)
@given(st.lists(polynomials, min_size=1, max_size=3), st.data(), st.sampled_from(["Q", "GF5", "GF7"]))
def test_members_of_an_ideal_are_found(equations: list[dict[tuple[int, int], Fraction]], data: Any, field: str) -> None:
    cofactors = [data.draw(polynomials) for _ in equations]
    pairs = zip(cofactors, equations, strict=True)
    target = sympy.expand(sum(sympy.sympify(text(q)) * sympy.sympify(text(f)) for q, f in pairs))
    texts = [text(f) for f in equations]
    document = {"equations": texts, "target": str(target), "field": field, "variables": ["x", "y"]}
    try:
        ideal = parse_ideal(document)
    except InputError as error:
        # A denominator that the field does not have, or nothing left of a polynomial.
        assert "residue" in str(error) or "is zero over" in str(error)
        return
    certificate = find_identity(ideal, max(a + b for q in cofactors for a, b in q))
    assert certificate.kind == "identity"
    assert check(certificate).decision == "PROVED"
    assert expands(certificate)


def test_large_fractions_are_lifted_over_many_digits() -> None:
    # x = 10^9 + 7 and x = 1/(10^9 + 9) contradict each other; the cofactors are constants of 18 digits.
    document = {"equations": ["x - 1000000007", "x**2 - x*1000000007 + x - 1/1000000009"]}
    certificate = find_identity(parse_ideal(document), 2)
    assert check(certificate).decision == "PROVED"
    assert expands(certificate)


def changed(certificate: Certificate, *path: Any, value: Any) -> str:
    parts: dict[str, Any] = {
        "statement": copy.deepcopy(dict(certificate.statement)),
        "witness": copy.deepcopy(dict(certificate.witness)),
    }
    place: Any = parts
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    verdict = check(Certificate(certificate.kind, parts["statement"], parts["witness"], ""))
    assert verdict.reason and "\n" not in verdict.reason
    return verdict.decision


@pytest.mark.parametrize(
    ("path", "value", "decision"),
    [
        (("witness", "cofactors", 3, 0, 0), "13/71", "REFUTED"),
        (("witness", "cofactors", 3, 0, 1), [0, 0, 1], "REFUTED"),
        (("witness", "cofactors", 0), [], "REFUTED"),
        (("statement", "equations", 2, 0, 0), 5, "REFUTED"),
        (("statement", "target"), [[2, [0, 0, 0]]], "REFUTED"),
        (("statement", "ring"), "GF2", "MALFORMED"),
        (("statement", "ring"), "Z", "MALFORMED"),
        (("statement", "degree"), 1, "REFUTED"),
        (("statement", "rank"), 12, "REFUTED"),
        (("statement", "least"), False, "PROVED"),
        (("statement", "least"), 1, "MALFORMED"),
        (("witness", "form"), [], "REFUTED"),
        (("witness", "form", 0, 0), 99, "REFUTED"),
        (("witness", "cofactors"), [[]], "MALFORMED"),
        (("witness", "cofactors", 0), None, "MALFORMED"),
        (("witness", "cofactors", 0, 0, 0), 0.5, "MALFORMED"),
        (("witness", "cofactors", 0, 0, 0), 0, "MALFORMED"),
        (("witness", "cofactors", 0, 0, 1), [0, 0], "MALFORMED"),
        (("witness", "cofactors", 0, 0, 1), [0, 0, -1], "MALFORMED"),
        (("statement", "variables"), "xyz", "MALFORMED"),
    ],
)
def test_an_identity_that_does_not_hold(path: tuple[Any, ...], value: Any, decision: str) -> None:
    assert changed(find_identity(parse_ideal(RATIONAL), 2), *path, value=value) == decision


def test_a_form_that_shows_nothing_is_refused() -> None:
    certificate = find_identity(parse_ideal(colouring(graph_named("wheel-4"))), 1)
    assert changed(certificate, "statement", "degree", value=0) == "PROVED"
    assert changed(certificate, "witness", "form", value=[]) == "REFUTED"
    assert changed(certificate, "witness", "form", value=certificate.witness["form"][1:]) == "REFUTED"
    complete = find_identity(parse_ideal(colouring(graph_named("complete-4"))), 0)
    assert changed(complete, "statement", "degree", value=0) == "PROVED"
    assert changed(complete, "statement", "degree", value=1) == "REFUTED"
    assert changed(certificate, "statement", "degree", value=-1) == "MALFORMED"
    assert changed(certificate, "statement", "degree", value=60) == "MALFORMED"


def test_identities_are_certified_and_verified_from_files(tmp_path: Path) -> None:
    path, out = tmp_path / "k4.json", tmp_path / "k4.certificate.json"
    path.write_text(json.dumps(colouring(graph_named("complete-4"))))
    row = api.certify(path, out=out)
    assert (row["verdict"], row["certificate"]) == ("PROVED", str(out))
    (verified,) = api.verify(out)
    assert (verified["verdict"], verified["ring"], verified["rank"]) == ("PROVED", "GF2", 10)
    assert verified["problem"].startswith("identity:sha256=")
    document = json.loads(out.read_text())
    next(filter(None, document["witness"]["cofactors"]))[0][1][0] += 1
    out.write_text(json.dumps(document))
    assert api.verify(out)[0]["verdict"] == "REFUTED"
    path.write_text(json.dumps(colouring(graph_named("wheel-4"))))
    row = api.certify(path, degree=1, out=out)
    assert row["verdict"] == "PROVED"
    assert row["reason"].startswith("there are no cofactors of degree at most 1 over GF2")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"equations": []}, "equations must be a list"),
        ({"equations": ["x"], "target": 1}, "target must be a polynomial as a text"),
        ({"equations": ["x"], "field": "R"}, "field 'R': use one of Q, GF2"),
        ({"equations": ["x +"], "variables": ["x"]}, r"equations\[0\], character"),
        ({"equations": ["x*q"], "variables": ["x"]}, r"equations\[0\].*q"),
        ({"equations": ["0.5*x"]}, r"equations\[0\]"),
        ({"equations": ["2*x"], "field": "GF2"}, r"equations\[0\]: '2\*x' is zero over GF2"),
        ({"equations": ["x/2"], "field": "GF2"}, r"equations\[0\]: 1/2 has no residue"),
        ({"equations": ["x"], "target": "0"}, "target: '0' is zero"),
        ({"equations": ["x - sqrt(2)"]}, "coefficients in"),
        ({"equations": ["x"], "variables": ["x", "x"]}, "stands twice"),
        ({"equations": ["x"], "variables": "x"}, "variables must be a list"),
    ],
)
def test_bad_input_names_file_and_place(document: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = tmp_path / "ideal.json"
    path.write_text(json.dumps(document))
    with pytest.raises(FlipforgeError, match=words) as caught:
        api.certify(path, out=tmp_path / "out.json")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "out.json").exists()


def test_families_refuse_what_they_cannot_make() -> None:
    for call in (
        lambda: colouring([(1, 1)]),
        lambda: colouring([(0, 1)], 2, "GF2"),
        lambda: graph_named("wheel-2"),
        lambda: graph_named("moebius"),
        lambda: pigeonhole(0),
    ):
        with pytest.raises(InputError):
            call()
    assert len(graph_named("grotzsch")) == 20
    assert len(graph_named("wheel-5")) == 10
