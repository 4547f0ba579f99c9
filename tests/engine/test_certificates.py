import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given

from flipforge.certificates import Certificate, brent_defect, check, register_checker
from flipforge.errors import FormatError, VerificationError
from flipforge.problems import matmul
from flipforge.rings import GF2, ZT
from flipforge.schemes import Scheme, standard_scheme
from strategies import schemes


def certificate(**changes: Any) -> Certificate:
    proof = standard_scheme(matmul(2, 1, 2), ZT).certify()
    statement = {**proof.statement, **{k: v for k, v in changes.items() if k in proof.statement}}
    witness = {**proof.witness, **{k: v for k, v in changes.items() if k in proof.witness}}
    return Certificate("brent", statement, witness, proof.checker)


@given(schemes())
def test_every_valid_scheme_has_a_certificate_that_survives_json(scheme: Scheme) -> None:
    proof = scheme.certify()
    copy = Certificate(proof.kind, json.loads(json.dumps(proof.statement)), json.loads(json.dumps(proof.witness)), "")
    assert check(copy).decision == "PROVED"


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({"u": [[1, 0], [1, 0], [0, 1], [1, 1]]}, "REFUTED"),
        ({"tensor": []}, "REFUTED"),
        ({"u": [[1, 0], [1, 0], [0, 1]]}, "MALFORMED"),
        ({"u": [[1, 0], [1, 0], [0, 1], [0]]}, "MALFORMED"),
        ({"u": ["10", "10", "01", "01"]}, "MALFORMED"),
        ({"u": [[1, 0], [1, 0], [0, 1], [0, 1.0]]}, "MALFORMED"),
        ({"u": [[2, 0], [1, 0], [0, 1], [0, 1]]}, "MALFORMED"),
        ({"ring": "GF4"}, "MALFORMED"),
        ({"ring": 5}, "MALFORMED"),
        ({"rank": 4.0}, "MALFORMED"),
        ({"shape": [2, 2]}, "MALFORMED"),
        ({"tensor": [[0, 0, 0, 1], [0, 0, 0, 1]]}, "MALFORMED"),
        ({"tensor": [[0, 0, 9, 1]]}, "MALFORMED"),
        ({"tensor": [[0.0, 0, 0, 1]]}, "MALFORMED"),
        ({"tensor": 7}, "MALFORMED"),
    ],
)
def test_a_certificate_that_does_not_hold(changes: dict[str, Any], decision: str) -> None:
    assert check(certificate()).decision == "PROVED"
    verdict = check(certificate(**changes))
    assert verdict.decision == decision
    assert verdict.reason and "\n" not in verdict.reason


def test_missing_keys_and_unknown_kinds() -> None:
    assert check(Certificate("brent", {}, {}, "")).decision == "MALFORMED"
    with pytest.raises(FormatError, match=r"unknown certificate kind 'ball'.*brent"):
        check(Certificate("ball", {}, {}, ""))
    with pytest.raises(FormatError, match="already has a checker"):
        register_checker("brent", check)


def test_defect_names_the_smallest_failing_equation() -> None:
    tensor = {(0, 0, 0): 1, (1, 1, 1): 1}
    assert brent_defect(tensor, [[1, 0]], [[1, 0]], [[1, 0]]) == ((1, 1, 1), 1, 0)
    assert brent_defect({}, [[1]], [[1]], [[Fraction(1, 3)]]) == ((0, 0, 0), 0, Fraction(1, 3))


def test_denominators_have_no_residue() -> None:
    # 1/2 * 2 = 1 over Q; modulo 2 the half does not exist, and the equation must not be called true.
    assert brent_defect({(0, 0, 0): 1}, [[Fraction(1, 2)]], [[2]], [[1]]) is None
    with pytest.raises(ValueError, match="divisible by 2"):
        brent_defect({(0, 0, 0): 0}, [[Fraction(1, 2)]], [[1]], [[1]], characteristic=2)
    assert brent_defect({(0, 0, 0): 2}, [[Fraction(1, 2)]], [[1]], [[1]], characteristic=3) is None


def test_no_size_overflows() -> None:
    big = 2**63
    assert brent_defect({(0, 0, 0): big**3}, [[big]], [[big]], [[big]]) is None
    assert brent_defect({(0, 0, 0): 0}, [[2**32]], [[2**32]], [[1]]) is not None
    digits = 10**5000
    scheme = Scheme(matmul(1, 1, 1), ZT.__class__("Z"), ((digits,),), ((digits,),), ((1,),))
    verdict = scheme.verdict()
    assert verdict.decision == "REFUTED"
    assert len(verdict.reason) < 200


def test_a_refuted_scheme_has_no_certificate() -> None:
    scheme = standard_scheme(matmul(2, 2, 2), GF2)
    wrong = Scheme(scheme.problem, GF2, scheme.u, scheme.v, scheme.w[1:] + scheme.w[:1])
    with pytest.raises(
        VerificationError, match=r"the coefficient of a11\*b11 in c11 is 0, matmul:2x2x2 wants 1 over GF2"
    ):
        wrong.certify()
