"""Singular roots of systems nearby: the deflated square system, its proof in balls, bounds of the change."""

import json
from fractions import Fraction
from typing import Any

import pytest
from flint import acb

from flipforge.certificates import Certificate, check
from flipforge.polynomials import certify_root, dual_space, parse_system

# One root of multiplicity 2 with coordinates of degree 39, which no guess reaches.
HIGH_DEGREE = {"polynomials": ["(x**13 - x - 1 + y)**2", "y**3 - x*y - 1"], "root": ["0.968", "1.3145"]}
# Griewank and Osborne's triple root, destroyed by a change of 10^-9.
CHANGED = {
    "polynomials": ["Rational(29,16)*x**3 - 2*x*y + Rational(1, 10**9)", "y - x**2"],
    "root": ["0.0003", "-0.0004"],
}
# The structure is parametrised up to multiplicity 24, and this is 27; its coordinates have degree 13.
TWENTY_SEVEN = {
    "polynomials": ["(x**13 - x - 1)**3", "(y - x)**3", "(z - x)**3"],
    "root": ["1.05705", "1.0571", "1.05702"],
}


def proven(document: dict[str, Any], multiplicity: int | None = None) -> Certificate:
    certificate = certify_root(parse_system(document), multiplicity).certificate
    assert certificate is not None
    return Certificate(**json.loads(json.dumps(vars(certificate))))


@pytest.mark.parametrize(
    ("document", "expected", "order", "change"),
    [(HIGH_DEGREE, None, 2, 1e-18), (CHANGED, 3, 3, 1.01e-9), (CHANGED, None, 3, 1.01e-9)],
)
def test_a_nearby_system_is_proven(document: dict[str, Any], expected: int | None, order: int, change: float) -> None:
    found = certify_root(parse_system(document), expected)
    assert found.certificate is not None
    assert found.certificate.kind == "nearby_root"
    assert (found.multiplicity, found.hilbert_function) == (order, (1,) * order)
    assert found.perturbation is not None
    assert 0 < found.perturbation < change
    verdict = check(Certificate(**json.loads(json.dumps(vars(found.certificate)))))
    assert verdict.valid
    assert "a system whose coefficients differ" in verdict.reason


def test_the_system_nearby_has_the_root_exactly_where_it_is_rational() -> None:
    """Put the changes into the system: rounded to the rational ones that they are, the dual space is as claimed."""
    certificate = proven(CHANGED, 3)
    centre = [[round(Fraction(part), 15) for part in entry] for entry in certificate.statement["centre"]]
    assert len(certificate.statement["places"]) == 2
    texts = list(CHANGED["polynomials"])
    variable = ["x", "y"][certificate.statement["along"]]
    for (i, q), (change, _) in zip(certificate.statement["places"], centre[-2:], strict=True):
        texts[i] += f" - Rational({change.numerator}, {change.denominator})*{variable}**{q}"
    system = parse_system({"polynomials": texts, "root": ["0", "0"]})
    assert system.root is not None
    assert dual_space(system, system.root).hilbert_function == (1, 1, 1)


def test_over_a_field_that_is_not_real() -> None:
    texts = ["(x**13 - sqrt(2)*x - I)**2", "y**2 - x*y - sqrt(2)"]
    certificate = proven({"polynomials": texts, "root": ["1.046 + 0.05*I", "1.822 + 0.035*I"]})
    assert certificate.kind == "nearby_root"
    assert check(certificate).valid


def test_changes_are_refused() -> None:
    certificate = proven(CHANGED, 3)

    def verdict(**parts: Any) -> str:
        return check(Certificate("nearby_root", {**certificate.statement, **parts}, {}, "tests")).decision

    statement = certificate.statement
    assert verdict() == "PROVED"
    assert verdict(perturbation="1/10000000000") == "REFUTED"
    assert verdict(hilbert_function=[1, 2]) == "REFUTED"
    assert verdict(centre=[["1/1000", "0"], *statement["centre"][1:]]) == "REFUTED"
    assert verdict(radius="1/1000000000000000000000000000000000000000000000000000000000000000000000") == "REFUTED"
    assert verdict(along=7) == "MALFORMED"
    assert verdict(places=statement["places"][:1]) == "MALFORMED"
    assert verdict(places=[statement["places"][0]] * 2) == "MALFORMED"
    assert verdict(multiplicity=2) == "MALFORMED"
    system = {**statement["system"]}
    system["polynomials"] = [[["5", [0, 0]], *system["polynomials"][0][1:]], system["polynomials"][1]]
    assert verdict(system=system) == "REFUTED"


def test_a_higher_multiplicity_is_not_passed_off_as_a_lower_one() -> None:
    """On the way to a quadruple root the conditions for a triple one hold as well; the end condition must fail."""
    system = {"variables": ["x"], "field": [], "polynomials": [[["1", [4]]]]}
    statement = {
        "system": system,
        "multiplicity": 3,
        "hilbert_function": [1, 1, 1],
        "along": 0,
        "base": "0",
        "places": [[0, 0], [0, 1]],
        "centre": [["0", "0"], ["0", "0"], ["0", "0"]],
        "radius": "1/1000000",
        "perturbation": "1/1000",
    }
    refused = check(Certificate("nearby_root", statement, {}, "tests"))
    assert refused.decision == "REFUTED"
    cubic = {**system, "polynomials": [[["1", [4]], ["1", [3]]]]}
    assert check(Certificate("nearby_root", {**statement, "system": cubic}, {}, "tests")).valid


def test_without_a_structure_there_is_evidence() -> None:
    found = certify_root(parse_system(TWENTY_SEVEN))
    assert found.multiplicity is None
    certificate = proven(TWENTY_SEVEN)
    verdict = check(certificate)
    assert verdict.decision == "EVIDENCE"
    assert "no root is proven" in verdict.reason
    x = acb(certificate.statement["centre"][0][0].partition("/")[0]) / acb(
        certificate.statement["centre"][0][0].partition("/")[2]
    )
    assert abs(x**13 - x - 1) < 1e-10
    certificate.statement["centre"][0][0] = "21/20"
    assert check(certificate).decision == "REFUTED"
