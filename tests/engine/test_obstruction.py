"""Certificates that a scheme does not lift: what they prove, and that no change of one goes unnoticed."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flipforge.certificates import Certificate, check, obstruction_defect
from flipforge.problems import tensor_problem
from flipforge.schemes.formats import certificate_document, judge_file, write_certificate

# x0 y0 + 2 x1 y1 has rank 1 modulo 2, and rank 2 modulo 4.
DIAGONAL = {(0, 0, 0): 1, (1, 1, 0): 2}
SCHEME: dict[str, Any] = {"u": [[1, 0]], "v": [[1, 0]], "w": [[1]]}


def certificate(dual: list[list[int]] | None = None, **changes: Any) -> Certificate:
    problem = tensor_problem([2, 2, 1], list(DIAGONAL.items()))
    statement = {
        "problem": problem.name,
        "ring": "GF2",
        "rank": 1,
        "shape": [2, 2, 1],
        "tensor": [[*index, value] for index, value in DIAGONAL.items()],
        **SCHEME,
        **changes,
    }
    return Certificate("obstruction", statement, {"dual": dual or [[1, 1, 0, 1]]}, "flipforge.obstruction/1", {"by": 1})


def test_it_is_proved_and_true() -> None:
    assert check(certificate()).decision == "PROVED"
    for digits in product(range(2), repeat=5):
        lift = np.array([1, 0, 1, 0, 1]) + 2 * np.array(digits)
        found = np.einsum("i,j,k->ijk", lift[:2], lift[2:4], lift[4:])
        for index, value in DIAGONAL.items():
            found[index] -= value
        assert (found % 4).any()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (certificate([[0, 0, 0, 1]]), "y J is 1 at u[0][0]"),
        (certificate([[0, 1, 0, 1]]), "y J is 1 at v[0][1]"),
        (certificate([[1, 1, 0, 1], [1, 0, 0, 1]]), "y J is 1 at u[0][1]"),
        (certificate(tensor=[[0, 0, 0, 1], [1, 1, 0, 4]]), "y b is 0"),
        (certificate(tensor=[[0, 0, 0, 1], [1, 1, 0, 3]]), "does not hold modulo 2"),
        (certificate(w=[[0]]), "does not hold modulo 2"),
    ],
)
def test_what_proves_nothing_is_refuted(changed: Certificate, reason: str) -> None:
    verdict = check(changed)
    assert verdict.decision == "REFUTED" and reason in verdict.reason


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (certificate(ring="Z"), "a scheme over GF(p)"),
        (certificate(ring="GF4"), "unknown ring"),
        (certificate(rank=2), "as many as the rank"),
        (certificate(u=[[1, 2]]), "not an element of GF2"),
        (certificate(tensor=[[0, 0, 0, "1/3"]]), "integral"),
        (certificate([[2, 1, 0, 1]]), "outside the shape"),
        (certificate([[1, 1, 0, 2]]), "a value from 1 to 1"),
        (certificate([[1, 1, 0, 1], [1, 1, 0, 1]]), "stand once"),
        (certificate([[1, 1, 0, True]]), "a value from 1 to 1"),
        (certificate([[1, 1, 0]]), "unpack"),
        (Certificate("obstruction", {}, {}, ""), "missing"),
    ],
)
def test_what_cannot_be_is_malformed(changed: Certificate, reason: str) -> None:
    verdict = check(changed)
    assert verdict.decision == "MALFORMED" and reason in verdict.reason


def test_a_file_is_verified(tmp_path: Path) -> None:
    write_certificate(certificate(), path := tmp_path / "c.json")
    (judged,) = judge_file(path)
    assert judged.verdict.decision == "PROVED" and (judged.ring, judged.rank) == ("GF2", 1)
    assert "no scheme modulo 4" in judged.verdict.reason


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["provenance"].update(by=2),
        lambda document: document.update(checker="flipforge.obstruction/2"),
        lambda document: document["statement"].update(note="more"),
        lambda document: document["witness"].update(note="more"),
        lambda document: document.pop("sha256"),
    ],
)
def test_a_change_that_no_equation_sees_is_seen_by_the_hash(tmp_path: Path, change: Callable[[Any], Any]) -> None:
    document = json.loads(json.dumps(certificate_document(certificate())))
    change(document)
    (tmp_path / "c.json").write_text(json.dumps(document))
    (judged,) = judge_file(tmp_path / "c.json")
    assert judged.verdict.decision == "MALFORMED" and "hash" in judged.verdict.reason


def test_it_is_about_the_tensor_of_the_problem_it_names(tmp_path: Path) -> None:
    write_certificate(certificate(problem="matmul:2x2x1"), path := tmp_path / "c.json")
    (judged,) = judge_file(path)
    assert judged.verdict.decision == "REFUTED" and "another tensor than that of matmul:2x2x1" in judged.verdict.reason


def test_modulo_3() -> None:
    tensor = {(0, 0, 0): 1, (1, 1, 0): 3}
    scheme = [[1, 0]], [[1, 0]], [[1]]
    assert obstruction_defect(tensor, *scheme, {(1, 1, 0): 2}, 3) is None
    assert (
        obstruction_defect({**tensor, (1, 1, 0): 9}, *scheme, {(1, 1, 0): 2}, 3)
        == "y b is 0: this vector obstructs nothing"
    )
    # Residues are read as they stand, and so is what they leave: 2 * 2 * 1 = 4 is 1 modulo 3.
    assert obstruction_defect(tensor, [[2, 0]], [[2, 0]], [[1]], {(1, 1, 0): 1}, 3) is None
