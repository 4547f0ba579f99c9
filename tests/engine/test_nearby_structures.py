"""Multiplicity structures of any breadth: exact points of the punctual Hilbert scheme, and systems nearby."""

import json
import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, permutations
from math import comb, prod
from re import search
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge.certificates import Certificate, check
from flipforge.polynomials import DualSpace, Exponents, Polynomial, certify_root, dual_space, parse_system
from flipforge.polynomials._nearby_structure import exact_structure
from flipforge.polynomials._statements import dual_space_certificate
from flipforge.polynomials._structure import Deflated

# Coordinates of degree 13 and 15, which no guess reaches.
P, Q = "(x**5 - x - 1)", "(y**3 - x*y - 1)"
SQUARES = {"polynomials": ["(x**13 - x - 1)**2", "(y - x)**2"], "root": ["1.0571", "1.0569"]}
FAT = {"polynomials": [f"{P}**2", f"{P}*{Q}", f"{Q}**2"], "root": ["1.1675", "1.3761"]}
COMPLEX = {"polynomials": ["(x**13 - x - 1)**2", "(y - x)**2"], "root": ["0.9237 + 0.5084*I", "0.9236 + 0.5085*I"]}
OVER_FIELD = {"polynomials": ["(x**13 - sqrt(2)*x - I)**2", "(y - x)**2"], "root": ["1.046 + 0.05*I"] * 2}
# Roots of multiplicity 11 and 4, destroyed by changes of 10^-9 and 3 10^-8.
CUSPS = {
    "polynomials": ["x**3 - y*z + Rational(1, 10**9)", "y**3 - x*z - Rational(1, 10**9)*x", "z**3 - x*y"],
    "root": ["0.0004", "-0.0002", "0.0001"],
}
SPHERES = {
    "polynomials": [
        "x**3 + y**2 + z**2 - 1 + Rational(1, 10**8)",
        "x**2 + y**3 + z**2 - 1",
        "x**2 + y**2 + z**3 - 1 - Rational(3, 10**8)",
    ],
    "root": ["0.0003", "0.9998", "0.0002"],
}

# Only its number of variables is of interest.
TRIVIAL = {"polynomials": ["x", "y"]}


def proven(document: dict[str, Any], multiplicity: int | None = None) -> Certificate:
    certificate = certify_root(parse_system(document), multiplicity).certificate
    assert certificate is not None
    return Certificate(**json.loads(json.dumps(vars(certificate))))


@pytest.mark.parametrize(
    ("document", "expected", "counts", "change"),
    [
        (SQUARES, None, (1, 2, 1), 1e-45),
        (FAT, None, (1, 2), 1e-45),
        (COMPLEX, None, (1, 2, 1), 1e-40),
        (OVER_FIELD, None, (1, 2, 1), 1e-40),
        (CUSPS, 11, (1, 3, 3, 3, 1), 2e-9),
        (SPHERES, 4, (1, 2, 1), 5e-8),
    ],
    ids=["squares", "fat", "complex", "field", "cusps", "spheres"],
)
def test_a_nearby_system_is_proven(
    document: dict[str, Any], expected: int | None, counts: tuple[int, ...], change: float
) -> None:
    found = certify_root(parse_system(document), expected)
    assert found.certificate is not None
    assert found.certificate.kind == "nearby_structure"
    assert (found.multiplicity, found.hilbert_function) == (sum(counts), counts)
    assert found.perturbation is not None and 0 < found.perturbation < change
    assert found.radius is not None and found.radius < 1e-30
    verdict = check(Certificate(**json.loads(json.dumps(vars(found.certificate)))))
    assert verdict.valid
    assert "a system that differs by at most" in verdict.reason


def test_the_changed_system_has_the_root_by_the_other_method() -> None:
    """Put the changes into the texts: integration finds at the stated point what the certificate claims."""
    certificate = proven(CUSPS, 11)
    centre = [Fraction(re) for re, _ in certificate.statement["centre"]]
    point = {"root": [str(x) for x in centre]}
    system = parse_system({**CUSPS, **point})
    texts = list(CUSPS["polynomials"])
    for k, f in enumerate(system.polynomials):
        for rows, b in zip(certificate.witness["functionals"], certificate.witness["monomials"], strict=True):
            change = sum((Fraction(c) * taylor(f, centre, a) for c, a in rows), Fraction(0))
            powers = "*".join(f"({v} - ({p}))**{e}" for v, p, e in zip("xyz", centre, b, strict=True))
            texts[k] += f" - ({change})*{powers}"
    changed = parse_system({"polynomials": texts, **point})
    assert changed.root is not None
    assert dual_space(changed, changed.root).hilbert_function == (1, 3, 3, 3, 1)


def taylor(f: Polynomial, point: Sequence[Fraction], a: Sequence[int]) -> Fraction:
    """The coefficient of (x - point)^a in a polynomial."""
    total = Fraction(0)
    for exponents, c in f:
        factors = [comb(e, k) * p ** (e - k) if k <= e else 0 for e, p, k in zip(exponents, point, a, strict=True)]
        total += c * prod(factors)
    return total


@settings(max_examples=60)
@given(st.integers(0, 10**6))
def test_exact_structures_have_commuting_matrices(seed: int) -> None:
    """From parameters of a scheme's point that are off by 1e-6, whatever is free is kept and the rest solved for."""
    draw = random.Random(seed)
    shape = draw.choice(
        [["x**2", "x*y", "y**2"], ["x**3", "x*y - x**2", "y**2 - 3*x**2"], ["x**2 - y**2", "x*y", "z - x**2"]]
    )
    n = 3 if "z" in "".join(shape) else 2
    texts = list(shape)
    # A change of coordinates gives the parameters values.
    a, b, c = (Fraction(draw.randint(-4, 4), draw.randint(1, 4)) for _ in range(3))
    moved = {"x": f"(x + ({a})*y*y)", "y": f"(y + ({b})*x + ({c})*x*x)", "z": f"(z + ({a})*x + ({c})*y)"}
    for k, text in enumerate(texts):
        texts[k] = "".join(moved.get(letter, letter) for letter in text)
    system = parse_system({"variables": ["x", "y", "z"][:n], "polynomials": texts, "root": ["0"] * n})
    assert system.root is not None
    dual = dual_space(system, system.root)
    deflated = Deflated(system, dual.monomials)
    exact = {(i, a): dict(dual.functionals[i]).get(a, Fraction(0)) for i, a in deflated.unknowns}
    near = {place: (x + Fraction(draw.randint(-9, 9), 10**7), Fraction(0)) for place, x in exact.items()}
    functionals = exact_structure(dual.monomials, near)
    assert functionals is not None
    values = [functionals[i].get(a, (Fraction(0), Fraction(0))) for i, a in deflated.unknowns]
    assert not any(im for _, im in values)
    assert all(abs(x[0] - exact[place]) < 1e-4 for place, x in zip(deflated.unknowns, values, strict=True))
    for one, other in combinations(matrices(dual.monomials, functionals), 2):
        assert not (one.dot(other) - other.dot(one)).any()


def matrices(monomials: Sequence[Exponents], functionals: Sequence[Any]) -> list[Any]:
    """Multiplication by each variable, in rational numbers."""
    tables = []
    for j in range(len(monomials[0])):
        raised = [(*b[:j], b[j] + 1, *b[j + 1 :]) for b in monomials]
        rows = [[each.get(a, (Fraction(0),))[0] for a in raised] for each in functionals]
        tables.append(np.array(rows, dtype=object))
    return tables


def test_what_later_functionals_ask_of_earlier_ones() -> None:
    """With (1, 2, 1, 1) the quadratic functional must be a square: its parameters are w and w^2."""
    monomials = [(0, 0), (1, 0), (0, 1), (2, 0), (3, 0)]
    unknowns = Deflated(parse_system(TRIVIAL), monomials).unknowns
    w = Fraction(1, 3) + Fraction(1, 10**9)
    near = {place: (Fraction(0), Fraction(0)) for place in unknowns}
    near[3, (1, 1)], near[3, (0, 2)] = (w, Fraction(0)), (Fraction(1, 9), Fraction(0))
    near[4, (2, 1)] = (Fraction(1, 3), Fraction(0))
    functionals = exact_structure(monomials, near)
    assert functionals is not None
    taken = functionals[3][1, 1][0]
    assert taken in (w, Fraction(1, 3))
    assert functionals[3][0, 2][0] == taken**2
    one, other = matrices(monomials, functionals)
    assert not (one.dot(other) - other.dot(one)).any()


def test_no_structure_is_made_up_where_none_is_near() -> None:
    monomials = [(0, 0), (1, 0), (0, 1), (2, 0), (3, 0)]
    near = {place: (Fraction(0), Fraction(0)) for place in Deflated(parse_system(TRIVIAL), monomials).unknowns}
    near[3, (1, 1)] = near[4, (2, 1)] = (Fraction(1, 3), Fraction(0))
    near[3, (0, 2)] = (Fraction(1, 2), Fraction(0))
    assert exact_structure(monomials, near) is None


def test_a_structure_beyond_the_limit_is_evidence_and_says_so() -> None:
    """Multiplicity 25, destroyed by a change of the coefficients."""
    document = {
        "polynomials": ["x**5 + Rational(1, 10**10)", "y**5 - Rational(3, 10**10)"],
        "root": ["0.0001", "0.0002"],
    }
    for expected, words in ((25, "multiplicity 25 is not looked for in systems nearby, .* up to 24"), (None, "digits")):
        found = certify_root(parse_system(document), expected)
        assert found.certificate is not None and found.multiplicity is None
        assert check(found.certificate).decision == "EVIDENCE"
        assert search(words, found.reason)


def test_changes_are_refused() -> None:
    certificate = proven(CUSPS, 11)
    statement, witness = certificate.statement, certificate.witness

    def decision(shown: Any = witness, **parts: Any) -> str:
        return check(Certificate("nearby_structure", {**statement, **parts}, shown, "tests")).decision

    assert decision() == "PROVED"
    assert decision(perturbation="1/10000000000") == "REFUTED"
    assert decision(perturbation="-1") == "MALFORMED"
    assert decision(multiplicity=10) == "REFUTED"
    assert decision(hilbert_function=[1, 3, 3, 4]) == "REFUTED"
    assert decision(centre=[["1/1000", "0"], *statement["centre"][1:]]) == "REFUTED"
    functionals = witness["functionals"]
    assert decision({**witness, "functionals": functionals[:-1]}) == "MALFORMED"
    less = {"monomials": witness["monomials"][:-1], "functionals": functionals[:-1]}
    assert decision(less, multiplicity=10, hilbert_function=[1, 3, 3, 3]) == "REFUTED"
    turned = [*functionals[:-1], [[str(2 * Fraction(c)), e] for c, e in functionals[-1]]]
    assert decision({**witness, "functionals": turned}) == "REFUTED"
    # As a claim about the system itself it is refused.
    assert check(Certificate("dual_space", statement, witness, "tests")).decision == "REFUTED"
    system = {**statement["system"]}
    system["polynomials"] = [[["5", [0, 0, 0]], *system["polynomials"][0][1:]], *system["polynomials"][1:]]
    assert decision(system=system) == "REFUTED"


def test_another_multiplicity_is_refused() -> None:
    refused = certify_root(parse_system(SQUARES), 3)
    assert refused.certificate is None
    assert "multiplicity 4, which is proven; 3 is refused" in refused.reason


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_equations_and_variables_does_not_matter(order: tuple[int, ...]) -> None:
    for document, counts in ((CUSPS, (1, 3, 3, 3, 1)), (SPHERES, (1, 2, 1))):
        turned = {
            "variables": ["xyz"[j] for j in order],
            "polynomials": [document["polynomials"][k] for k in order[::-1]],
            "root": [document["root"][j] for j in order],
        }
        found = certify_root(parse_system(turned), sum(counts))
        assert found.hilbert_function == counts
        assert found.certificate is not None
        assert (found.certificate.kind, check(found.certificate).decision) == ("nearby_structure", "PROVED")


def never_certified(data: st.DataObject) -> None:
    """State a point with the trivial functional, as a simple root of a system with known roots, or of one nearby."""
    small = st.fractions(-2, 2, max_denominator=4)
    (a, b), (c, d) = roots = [(data.draw(small), data.draw(small)) for _ in range(2)]
    texts = [
        f"(x - ({a}))*(x - ({c})) + (y - ({b}))*(y - ({d})) + x**3*(x - ({a}))",
        f"(x - ({a}))*(y - ({d})) - ({data.draw(small)})*(y - ({b}))",
    ]
    system = parse_system({"variables": ["x", "y"], "polynomials": texts})
    point = data.draw(st.one_of(st.just(roots[0]), st.tuples(small, small)))
    values = [taylor(f, point, (0, 0)) for f in system.polynomials]
    (p, q), (r, s) = ([taylor(f, point, e) for e in ((1, 0), (0, 1))] for f in system.polynomials)
    trivial = DualSpace(((0, 0),), (Polynomial.of({(0, 0): Fraction(1)}),), True)
    root = tuple(Polynomial.of({(0, 0): x}) for x in point)
    stated = dual_space_certificate(system, root, trivial, {})
    assert check(stated).valid == (p * s != q * r and not any(values))
    change = data.draw(st.fractions(0, 4, max_denominator=64))
    near = Certificate("nearby_structure", {**stated.statement, "perturbation": str(change)}, stated.witness, "tests")
    assert check(near).valid == (p * s != q * r and max(map(abs, values)) <= change)


@settings(max_examples=100)
@given(st.data())
def test_a_point_that_is_no_root_is_never_certified(data: st.DataObject) -> None:
    never_certified(data)


@pytest.mark.slow
@settings(max_examples=4000)
@given(st.data())
def test_a_point_that_is_no_root_is_never_certified_in_thousands_of_cases(data: st.DataObject) -> None:
    never_certified(data)
