"""Simple roots: alpha test and Krawczyk's test on exact rational input, sets of roots, bounds on their number."""

import json
import random
from fractions import Fraction
from itertools import combinations_with_replacement, product
from pathlib import Path
from typing import Any

import pytest
from flint import acb
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge import api
from flipforge.certificates import Certificate, check
from flipforge.certificates._existence import SquareSystem, alpha_defect, krawczyk_defect
from flipforge.certificates._gaussian import Complex
from flipforge.errors import InputError
from flipforge.polynomials import certify_all, certify_root, cyclic, katsura, lines_on_cubic, parse_system
from flipforge.polynomials._alpha import alpha_estimate
from flipforge.polynomials._standard import standard_monomials
from flipforge.polynomials._statements import system_document

ZERO, ONE = Fraction(0), Fraction(1)
ROOT_OF_TWO = SquareSystem(({(2,): ONE, (0,): -2 * ONE},))


def through_json(certificate: Certificate) -> Certificate:
    return Certificate(**json.loads(json.dumps(vars(certificate))))


@pytest.mark.parametrize(
    ("start", "alpha", "accepted"),
    [("3/2", 0.124226, True), ("17/12", 0.00386863, True), ("1", 1.11803, False)],
)
def test_alpha_of_the_root_of_two(start: str, alpha: float, accepted: bool) -> None:
    """The figures of the field's page."""
    point = [(Fraction(start), ZERO)]
    inverse = ROOT_OF_TWO.inverse(point)
    assert inverse is not None
    fault = alpha_defect(ROOT_OF_TWO, point, inverse, Fraction(10))
    assert (fault is None) is accepted
    if fault:
        assert f"{alpha:.4g}" in fault
    system = parse_system({"polynomials": ["x**2 - 2"], "root": [start]})
    assert alpha_estimate(system, system.start())[0] == pytest.approx(alpha, rel=1e-5)


def test_a_double_root_and_a_singular_point_are_refused() -> None:
    double = SquareSystem(({(2,): ONE},))
    point = [(Fraction(1, 10**6), ZERO)]
    inverse = double.inverse(point)
    assert inverse is not None
    assert "0.5" in (alpha_defect(double, point, inverse, ONE) or "")
    assert krawczyk_defect(double, point, inverse, Fraction(1, 10**5))
    assert double.inverse([(ZERO, ZERO)]) is None


def test_the_radius_of_the_alpha_test_is_twice_beta() -> None:
    point = [(Fraction(3, 2), ZERO)]
    inverse = ROOT_OF_TWO.inverse(point)
    assert inverse is not None
    assert alpha_defect(ROOT_OF_TWO, point, inverse, Fraction(1, 6)) is None
    assert alpha_defect(ROOT_OF_TWO, point, inverse, Fraction(1, 6) - Fraction(1, 10**9))
    # Krawczyk: the root is 0.0858 away, and a box that does not hold it is refused.
    assert krawczyk_defect(ROOT_OF_TWO, point, inverse, Fraction(1, 10)) is None
    assert krawczyk_defect(ROOT_OF_TWO, point, inverse, Fraction(8, 100))


def grid(data: st.DataObject) -> tuple[SquareSystem, list[list[Complex]], dict[str, Any]]:
    """A system with the roots of two univariate ones in skew coordinates, all of them known."""
    n = data.draw(st.integers(1, 2))
    small = st.fractions(-3, 3, max_denominator=6)
    values = [data.draw(st.lists(st.tuples(small, small), min_size=1, max_size=2, unique=True)) for _ in range(n)]
    shear = data.draw(st.integers(-2, 2)) if n == 2 else 0
    # Conjugate pairs keep the coefficients rational.
    texts = []
    for j, row in enumerate(values):
        form = "x" if j == 0 else f"(y - ({shear})*x)"
        texts.append("*".join(f"(({form} - ({re}))**2 + ({im})**2)" if im else f"({form} - ({re}))" for re, im in row))
    choices = [[(re, s * im) for re, im in row for s in ((1, -1) if im else (1,))] for row in values]
    roots = []
    for point in product(*choices):
        moved = list(point)
        if n == 2:
            moved[1] = (point[1][0] + shear * point[0][0], point[1][1] + shear * point[0][1])
        roots.append(moved)
    document = {"variables": ["x", "y"][:n], "polynomials": texts}
    system = parse_system(document)
    return SquareSystem(tuple(f.terms for f in system.polynomials)), roots, document


def never_certified(data: st.DataObject) -> None:
    square, roots, document = grid(data)
    near = data.draw(st.sampled_from(roots))
    move = st.fractions(-1, 1, max_denominator=64)
    scale = data.draw(st.sampled_from([ONE, Fraction(1, 50), Fraction(1, 5000), ZERO]))
    point = [(re + scale * data.draw(move), im + scale * data.draw(move)) for re, im in near]
    radius = data.draw(st.sampled_from([Fraction(1, 10), Fraction(1, 100), Fraction(1, 10**4), Fraction(1, 10**9)]))
    statement = {
        "system": system_document(parse_system(document)),
        "roots": [[[str(re), str(im)] for re, im in point]],
        "radius": str(radius),
        "real": [None],
        "rows": None,
        "complete": None,
    }
    for proof in ("alpha", "krawczyk"):
        verdict = check(Certificate("roots", statement, {"proofs": [proof]}, "tests"))
        inside = [
            root
            for root in roots
            if all(abs(x[0] - y[0]) <= radius and abs(x[1] - y[1]) <= radius for x, y in zip(root, point, strict=True))
        ]
        if verdict.valid:
            assert inside, (proof, point)
            assert proof == "alpha" or len(inside) == 1
        if not scale and square.inverse(point) is not None and radius <= Fraction(1, 10**9):
            assert verdict.valid, "an exact simple root has proofs in a small ball"


@settings(max_examples=150)
@given(st.data())
def test_a_ball_without_a_root_is_never_certified(data: st.DataObject) -> None:
    never_certified(data)


@pytest.mark.slow
@settings(max_examples=3000)
@given(st.data())
def test_a_ball_without_a_root_is_never_certified_in_thousands_of_cases(data: st.DataObject) -> None:
    never_certified(data)


def test_a_root_of_high_degree_is_proven_in_a_ball() -> None:
    system = parse_system({"polynomials": ["x**13 - x - 1 + y", "y**3 - x*y - 1"], "root": ["0.968", "1.3145"]})
    found = certify_root(system)
    assert found.certificate is not None
    assert found.certificate.kind == "roots"
    assert (found.multiplicity, found.hilbert_function) == (1, (1,))
    assert found.perturbation == 0
    verdict = check(through_json(found.certificate))
    assert verdict.valid
    assert "by alpha and krawczyk" in verdict.reason
    refused = certify_root(system, 3)
    assert refused.certificate is None
    assert "multiplicity 1, which is proven; 3 is refused" in refused.reason


def test_over_a_field_the_generators_are_unknowns() -> None:
    texts = ["x**13 - sqrt(2)*x - I", "y**2 - x*y - sqrt(2)"]
    found = certify_root(parse_system({"polynomials": texts, "root": ["1.046 + 0.05*I", "1.822 + 0.035*I"]}))
    assert found.certificate is not None
    certificate = through_json(found.certificate)
    assert certificate.statement["system"]["field"][1]["name"] == "sqrt(2)"
    assert len(certificate.statement["roots"][0]) == 4
    assert check(certificate).valid
    # The other square root of 2 has no root there.
    certificate.statement["roots"][0][3][0] = "-" + certificate.statement["roots"][0][3][0]
    assert check(certificate).decision == "REFUTED"


def test_an_overdetermined_system_has_evidence_only_or_is_refuted() -> None:
    texts = ["x**13 - x - 1 + y", "y**3 - x*y - 1"]
    extra = f"({texts[0]})*x + ({texts[1]})*(y - 5)"
    found = certify_root(parse_system({"polynomials": [*texts, extra], "root": ["0.968", "1.3145"]}))
    assert found.certificate is not None
    verdict = check(through_json(found.certificate))
    assert verdict.decision == "EVIDENCE"
    assert "vanish there too is not shown" in verdict.reason
    wrong = through_json(found.certificate)
    wrong.statement["system"]["polynomials"][2].append(["1/1000", [0, 30]])
    left_out = ({0, 1, 2} - {*wrong.statement["rows"]}).pop()
    if left_out == 2:
        assert check(wrong).decision == "REFUTED"
    exact = certify_root(parse_system({"polynomials": ["x - 1", "y - 2", "x*y - 2"], "root": ["1.0001", "2.0001"]}))
    assert exact.certificate is not None
    assert check(exact.certificate).valid


CYCLIC_3 = {"polynomials": ["x + y + z", "x*y + y*z + z*x", "x*y*z - 1"]}


def test_all_roots_by_bezout(tmp_path: Path) -> None:
    source, target = tmp_path / "s.txt", tmp_path / "c.json"
    source.write_text("x**2 + y**2 - 5\nx*y - 2\n")
    row = api.certify(source, every=True, out=target)
    assert row["verdict"] == "PROVED"
    assert "4 distinct simple roots, which are all, 4 of them real" in row["reason"]
    certificate = through_json(certify_all(parse_system(CYCLIC_3)).certificate)
    assert certificate.statement["complete"] == "bezout"
    verdict = check(certificate)
    assert verdict.valid
    assert "6 distinct simple roots, which are all, 0 of them real" in verdict.reason


def test_all_roots_by_the_quotient_and_only_then(tmp_path: Path) -> None:
    # Two parabolas with a common point at infinity: three roots, where Bezout's bound is four.
    system = parse_system({"polynomials": ["x**2 - y - 1", "x*y - 2"]})
    found = certify_all(system)
    assert (found.count, found.complete) == (3, True)
    certificate = through_json(found.certificate)
    assert certificate.statement["complete"] == "quotient"
    assert check(certificate).valid
    steps = certificate.witness["steps"]
    assert steps
    steps[0][0][0] = "5/7"
    assert check(certificate).decision == "REFUTED"
    steps.clear()
    verdict = check(certificate)
    assert verdict.decision == "REFUTED"
    assert "the bound on their number" in verdict.reason
    # A double root is not among the simple ones, so nothing says that the others are all.
    part = certify_all(parse_system({"polynomials": ["(x - 1)**2*(x - 2)"]}))
    assert (part.count, part.complete) == (1, False)
    assert check(part.certificate).valid
    with pytest.raises(InputError, match="square system"):
        certify_all(parse_system({"polynomials": ["x", "x - x**2"]}))
    (tmp_path / "s.txt").write_text("x**2 - 2\n")
    with pytest.raises(InputError, match="no option 'multiplicity'"):
        api.certify(tmp_path / "s.txt", every=True, multiplicity=1)


@pytest.mark.parametrize(
    ("texts", "count"), [(["x**2 - y", "y**3 - x"], 6), (["x*y - 1", "x**2 + y**2 - 4"], 4), (["x*y", "x*y + x"], None)]
)
def test_counts_of_standard_monomials(texts: list[str], count: int | None) -> None:
    found = standard_monomials(parse_system({"polynomials": texts}))
    assert (found and found.count) == count


def test_changes_of_a_set_of_roots_are_refused() -> None:
    certificate = through_json(certify_all(parse_system({"polynomials": ["x**2 + y**2 - 5", "x*y - 2*y"]})).certificate)

    def changed(**parts: Any) -> str:
        return check(Certificate("roots", {**certificate.statement, **parts}, certificate.witness, "tests")).decision

    roots, real = certificate.statement["roots"], certificate.statement["real"]
    assert changed() == "PROVED"
    moved = [[[str(Fraction(roots[0][0][0]) + Fraction(1, 10**6)), "0"], *roots[0][1:]], *roots[1:]]
    assert changed(roots=moved) == "REFUTED"
    assert changed(roots=[roots[0], *roots[:-1]]) == "REFUTED"
    assert changed(roots=roots[1:], real=real[1:]) == "REFUTED"
    assert changed(real=[not flag for flag in real]) == "REFUTED"
    assert changed(radius="1") == "REFUTED"
    assert changed(radius="0") == "MALFORMED"
    assert changed(real=[1] * len(real)) == "MALFORMED"
    assert changed(rows=[0]) == "MALFORMED"
    assert changed(complete="perhaps") == "MALFORMED"
    polynomial = [["-51/10" if c == "-5" else c, e] for c, e in certificate.statement["system"]["polynomials"][0]]
    system = {**certificate.statement["system"]}
    system["polynomials"] = [polynomial, *system["polynomials"][1:]]
    assert changed(system=system) == "REFUTED"


def random_cubic(seed: int) -> list[int]:
    draw = random.Random(seed)
    return [draw.randint(-3, 3) for _ in range(20)]


@pytest.mark.parametrize(
    ("document", "count", "real", "why"),
    [
        pytest.param(katsura(6), 64, 32, "bezout", id="katsura-6"),
        pytest.param(cyclic(5), 70, 10, "quotient", id="cyclic-5"),
        pytest.param(lines_on_cubic(random_cubic(1)), 27, 3, "quotient", id="lines"),
    ],
)
def test_all_roots_of_classical_systems(document: dict[str, Any], count: int, real: int, why: str) -> None:
    found = certify_all(parse_system(document))
    certificate = through_json(found.certificate)
    assert certificate.statement["complete"] == why
    assert (found.count, found.real, found.complete) == (count, real, True)
    verdict = check(certificate)
    assert verdict.valid
    assert f"{count} distinct simple roots, which are all, {real} of them real" in verdict.reason


def test_the_equations_of_lines_are_those_of_the_surface() -> None:
    """Points of a line with the coordinates of a root lie on the surface."""
    coefficients = random_cubic(5)
    system = parse_system(lines_on_cubic(coefficients))
    draw = random.Random(0)
    a, b, c, d = (acb(draw.randint(-4, 4)) for _ in range(4))
    values = system.values([a, b, c, d])
    for s, t in ((2, 3), (-1, 5), (7, 1)):
        point = [acb(s), acb(t), a * s + b * t, c * s + d * t]
        monomials = combinations_with_replacement(range(4), 3)
        terms = zip(coefficients, monomials, strict=True)
        on_surface = sum((k * point[i] * point[j] * point[m] for k, (i, j, m) in terms), acb(0))
        assert on_surface == sum((v * s ** (3 - i) * t**i for i, v in enumerate(values)), acb(0))
