"""Ternary lifts of schemes over GF(2): what is found and what is proved agrees with trying all signs."""

import json
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge.certificates import Certificate, brent_defect, check, sign_clauses, sign_places
from flipforge.certificates._unit import follows
from flipforge.errors import VerificationError
from flipforge.problems import matmul, tensor_problem
from flipforge.rings import GF2, GF3, ZT, Q
from flipforge.schemes import Scheme, standard_scheme
from flipforge.schemes.formats import judge_file, write_certificate
from flipforge_lifting import HenselLifter
from flipforge_lifting._signs import signed, signs

Rows = list[list[int]]


def disturbed(seed: int, changes: int) -> Scheme:
    """A scheme modulo 2 for a tensor that is some signed sum, with even changes in a few places."""
    random = Random(seed)
    shape, rank = (random.choice((1, 2)), 2, random.choice((1, 2))), random.choice((2, 3))
    factors = [[[random.choice((0, 1, 1)) for _ in range(size)] for _ in range(rank)] for size in shape]
    signs = [[[random.choice((-1, 1)) * x for x in row] for row in rows] for rows in factors]
    tensor = np.einsum("qi,qj,qk->ijk", *map(np.array, signs))
    for _ in range(changes):
        tensor[tuple(random.randrange(size) for size in shape)] += random.choice((-2, 2))
    tensor[0, 0, 0] += 2 * (not tensor.any())
    problem = tensor_problem(shape, [(index, int(value)) for index, value in np.ndenumerate(tensor) if value])
    u, v, w = (tuple(map(tuple, rows)) for rows in factors)
    return Scheme(problem, GF2, u, v, w)


def possible(scheme: Scheme) -> bool:
    """Try all signs, the first of each u and v aside."""
    form = scheme.canonical
    u, v, w = ([[int(x) for x in row] for row in rows] for rows in (form.u, form.v, form.w))
    places = sign_places(u, v, w)
    firsts = {(axis, q): min(i for a, p, i in places if (a, p) == (axis, q)) for axis, q, _ in places if axis < 2}
    free = [number for (axis, q, i), number in places.items() if firsts.get((axis, q)) != i]
    for choice in product((1, -1), repeat=len(free)):
        sign = dict(zip(free, choice, strict=True))
        lifted = [
            [[x * sign.get(places.get((axis, q, i), 0), 1) for i, x in enumerate(row)] for q, row in enumerate(rows)]
            for axis, rows in enumerate((u, v, w))
        ]
        if brent_defect(scheme.problem.tensor, lifted[0], lifted[1], lifted[2]) is None:
            return True
    return False


@given(st.integers(0, 10**6), st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_it_decides_as_trying_all_signs_does(seed: int, changes: int) -> None:
    scheme = disturbed(seed, changes)
    if not scheme.verdict().valid:
        return
    found = signs(scheme)
    assert (found.negative is not None) == possible(scheme) == HenselLifter().liftable(scheme, ZT)
    if found.negative is None:
        assert found.obstruction is not None and check(found.obstruction).valid
    else:
        lifted = signed(scheme, found.negative)
        assert lifted.verdict().valid and lifted.ring == ZT and lifted.over(GF2).canonical == scheme.canonical


def beyond_parity() -> tuple[Scheme, Certificate]:
    """A scheme whose parity conditions can be met and whose clauses cannot."""
    for seed in range(4000):
        scheme = disturbed(seed, 2)
        if scheme.verdict().valid:
            proof = signs(scheme).obstruction
            if proof is not None and len(proof.witness.get("clauses", ())) > 1:
                return scheme, proof
    raise AssertionError("none among these")


@pytest.fixture(scope="module")
def clausal() -> tuple[Scheme, Certificate]:
    return beyond_parity()


def changed(certificate: Certificate, **witness: Any) -> Certificate:
    return Certificate(certificate.kind, certificate.statement, witness, certificate.checker)


def test_a_proof_by_clauses_is_refuted_after_a_change(clausal: tuple[Scheme, Certificate]) -> None:
    scheme, proof = clausal
    assert check(proof).decision == "PROVED" and not possible(scheme)
    clauses = proof.witness["clauses"]
    assert check(changed(proof, clauses=clauses[:-1])).decision == "REFUTED"
    assert check(changed(proof, clauses=[[]])).decision == "REFUTED"
    assert check(changed(proof, clauses=[])).decision == "REFUTED"
    assert check(changed(proof, clauses=[[0]])).decision == "MALFORMED"
    assert check(changed(proof, clauses=[[True]])).decision == "MALFORMED"
    assert check(changed(proof, clauses=clauses, parity=[])).decision == "MALFORMED"
    assert check(changed(proof)).decision == "MALFORMED"


def test_a_proof_by_parity_is_refuted_after_a_change(tmp_path: Path) -> None:
    problem = tensor_problem([2, 2, 1], [((0, 0, 0), 1), ((0, 1, 0), 1), ((1, 0, 0), 1), ((1, 1, 0), -1)])
    scheme = Scheme(problem, GF2, ((1, 1),), ((1, 1),), ((1,),))
    proof = signs(scheme).obstruction
    assert proof is not None and "parity" in proof.witness and not possible(scheme)
    places = proof.witness["parity"]
    for other in (places[1:], [*places, places[0]], []):
        assert check(changed(proof, parity=other)).decision == "REFUTED"
    assert check(changed(proof, parity=[[0, 0, 7]])).decision == "MALFORMED"
    lost = Certificate("signs", {**proof.statement, "w": [[0]]}, proof.witness, proof.checker)
    assert check(lost).decision == "REFUTED"
    other_ring = Certificate("signs", {**proof.statement, "ring": "GF3"}, proof.witness, proof.checker)
    assert check(other_ring).decision == "MALFORMED"
    write_certificate(proof, path := tmp_path / "p.json")
    (judged,) = judge_file(path)
    assert judged.verdict.decision == "PROVED" and "no ternary scheme reduces to this one" in judged.verdict.reason
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "provenance": {}}))
    assert judge_file(path)[0].verdict.decision == "MALFORMED"


def test_a_target_out_of_reach_needs_no_solver() -> None:
    scheme = Scheme(tensor_problem([1, 1, 1], [((0, 0, 0), 3)]), GF2, ((1,),), ((1,),), ((1,),))
    assert sign_clauses(scheme.problem.tensor, scheme.u, scheme.v, scheme.w) == [[]]  # type: ignore[arg-type]
    proof = signs(scheme).obstruction
    assert proof is not None and check(proof).decision == "PROVED"


@given(st.integers(0, 10**6))
@settings(max_examples=100, deadline=None)
def test_what_follows_by_units_is_implied(seed: int) -> None:
    random = Random(seed)
    variables = range(1, 6)
    clauses = [
        random.sample([x * s for x in variables for s in (1, -1)], random.choice((1, 2, 2, 3))) for _ in range(9)
    ]
    proof = [random.sample([x * s for x in variables for s in (1, -1)], random.choice((1, 2))) for _ in range(3)]
    place = follows(clauses, proof)
    for known in range(len(proof) if place is None else place):
        assert implied([*clauses, *proof[:known]], proof[known])
    # The slow way: propagate over and over.
    for number, clause in enumerate(proof):
        if not propagates([*clauses, *proof[:number]], clause):
            assert place == number
            return
    assert place is None


def implied(clauses: Sequence[Sequence[int]], clause: Sequence[int]) -> bool:
    models = (set(x * s for x, s in zip(range(1, 6), choice, strict=True)) for choice in product((1, -1), repeat=5))
    return all(model & set(clause) for model in models if all(model & set(each) for each in clauses))


def propagates(clauses: Sequence[Sequence[int]], clause: Sequence[int]) -> bool:
    true = {-x for x in clause}
    while True:
        if any(-x in true for x in true):
            return True
        new = set()
        for each in clauses:
            left = [x for x in set(each) if -x not in true]
            if not left:
                return True
            if len(left) == 1:
                new |= set(left)
        if new <= true:
            return False
        true |= new


def test_the_lifter_looks_for_signs() -> None:
    lifter = HenselLifter()
    scheme = standard_scheme(matmul(2, 2, 2), GF2)
    lift = lifter.lift(scheme, ZT)
    assert lift.scheme is not None and lift.scheme.ring == ZT
    assert lifter.again(scheme, json.loads(json.dumps(lift.arguments))) == lift.scheme
    with pytest.raises(VerificationError):
        lifter.again(scheme, {"negative": [1]})
    problem = tensor_problem([1, 1, 1], [((0, 0, 0), 3)])
    three = Scheme(problem, GF2, ((1,),), ((1,),), ((1,),))
    none = lifter.lift(three, ZT)
    assert lifter.liftable(scheme, ZT) and not lifter.liftable(three, ZT)
    assert none.outcome == "obstructed" and none.obstruction is not None and none.obstruction.kind == "signs"
    assert lifter.lift(three, Q, best=True).outcome == "lifted"
    over_3 = lifter.lift(standard_scheme(matmul(2, 2, 2), GF3), ZT)
    assert over_3.scheme is not None and over_3.scheme.ring == ZT


def test_without_a_solver_the_answer_says_so(
    clausal: tuple[Scheme, Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pysat.solvers", None)
    found = signs(clausal[0])
    assert found.obstruction is None and "flipforge[sat]" in found.reason
    assert not HenselLifter().liftable(clausal[0], ZT)
    lift = HenselLifter().lift(clausal[0], ZT, attempts=1)
    assert lift.outcome in ("open", "obstructed") and (lift.outcome == "obstructed" or "flipforge[sat]" in lift.reason)
