"""Approximate schemes: problem, proof, gauge, walk, files, search and export rule."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge import api
from flipforge.certificates import Certificate, border_defect, check
from flipforge.errors import InputError, MalformedError, ProblemError, RingError, VerificationError
from flipforge.flips import border_walk, compact, seed_words
from flipforge.flips.border_reference import border_walk as slow_walk
from flipforge.plugins import export
from flipforge.problems import border, matmul, parse, standard_omega, tensor_problem
from flipforge.rings import GF2, GF3, GF7, ZT, HalfZ, Q, Ring, Z, ring
from flipforge.schemes import Scheme, compare, costs, describe, describe_latex, standard_scheme
from flipforge.schemes.formats import WRITERS, judge_file, read_file, write_certificate, write_file
from flipforge.search import BorderSpace, Effort, Seed, space_for
from oracle import oracle
from search_bench import Bench, MemoryStore, searched
from strategies import equivalents

BINI = "border:1:structured:ug:2"
EFFORT = Effort(steps=3_000, path=2_000, goal=0, idle=200, band=2)
WALKED = [(BINI, GF2), ("border:2:matmul:1x2x2", GF3), ("border:2:matmul:2x1x2", ZT), ("border:3:poly:2x1", GF7)]


def derivative() -> Scheme:
    """x^2 y as a limit: eps T = (x + eps y)^3 - x^3, the classic tensor of border rank 2 and rank 3."""
    tensor = tensor_problem((2, 2, 2), [((0, 0, 1), 1), ((0, 1, 0), 1), ((1, 0, 0), 1)])
    line, point, minus = (1, 0, 0, 1), (1, 0, 0, 0), (-1, 0, 0, 0)
    return Scheme(border(1, tensor), ZT, (line, point), (line, point), (line, minus))


def walked(name: str, over: Ring, seed: int = 1, effort: Effort = EFFORT) -> tuple[BorderSpace, Any]:
    space = space_for(parse(name), over)
    assert isinstance(space, BorderSpace)
    return space, space.walk(space.start(Seed(0)), effort, Seed(seed))


def test_the_problem_states_itself() -> None:
    problem = parse("border:2:matmul:2x2x3")
    assert (problem.name, problem.kind, problem.order) == ("border:2:matmul:2x2x3", "border", 2)
    assert problem.shape == (4, 6, 6) and problem.widths == (12, 18, 18)
    assert problem.bilinear == matmul(2, 2, 3) and not problem.commutes
    assert standard_omega(problem, 10) == standard_omega(matmul(2, 2, 3), 10)
    assert standard_omega(parse(BINI), 5) is None
    assert parse(BINI).bilinear.labels[0] == ("a11", "a12", "a22")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("border:0:matmul:2x2x2", "the order is 0; give one from 1 to 31"),
        ("border:32:matmul:2x2x2", "give one from 1"),
        ("border:1", "as in border:1:matmul"),
        ("border:1:border:1:matmul:2x2x2", "no approximate form"),
        ("border:1:commutative:2x2x2", "commutative problems have no approximate form"),
        ("border:1:structured:kk:1", "zero"),
    ],
)
def test_bad_problems(text: str, words: str) -> None:
    with pytest.raises(ProblemError, match=words):
        parse(text)


def test_a_zero_tensor_has_no_approximate_scheme() -> None:
    zero = replace(matmul(1, 1, 1), entries=())
    with pytest.raises(ProblemError, match="tensor is zero"):
        border(1, zero)
    even = border(1, tensor_problem((1, 1, 1), [((0, 0, 0), 2)]))
    assert standard_scheme(even, GF3).verdict().valid
    with pytest.raises(RingError, match="tensor is zero over GF2"):
        standard_scheme(even, GF2)
    proof = standard_scheme(even, GF3).certify()
    verdict = check(
        replace(proof, statement={**proof.statement, "ring": "GF2", "rank": 0}, witness={axis: [] for axis in "uvw"})
    )
    assert verdict.decision == "MALFORMED" and "zero over GF2" in verdict.reason
    with pytest.raises(InputError, match="zero over GF2"):
        space_for(even, GF2)


@pytest.mark.parametrize("over", [GF2, GF3, ZT, Z, HalfZ, Q])
@pytest.mark.parametrize("text", [BINI, "border:3:matmul:1x2x1", "border:2:group:C2"])
def test_the_standard_algorithm_is_one(text: str, over: Ring) -> None:
    scheme = standard_scheme(parse(text), over)
    assert oracle(scheme) and check(scheme.certify()).valid
    assert scheme.rank == standard_scheme(parse(text).bilinear, over).rank


def test_border_rank_two_of_a_tensor_of_rank_three() -> None:
    scheme = derivative()
    assert scheme.verdict().valid and oracle(scheme)
    for over in (GF2, GF3, Q):
        assert scheme.over(over).verdict().valid
    # As a certificate, read back from its own text.
    proof = scheme.certify()
    assert (proof.kind, proof.statement["order"], proof.witness["u"][0]) == ("border", 1, [[1, 0], [0, 1]])
    copy = Certificate(proof.kind, json.loads(json.dumps(proof.statement)), json.loads(json.dumps(proof.witness)), "")
    assert check(copy).valid


def test_every_mutation_is_refuted_with_its_place() -> None:
    """The coefficients that cannot matter are those of degree h beside factors divisible by eps; here are none such."""
    scheme = derivative()
    for axis, q, i in product("uvw", range(2), range(4)):
        rows = [list(row) for row in getattr(scheme, axis)]
        rows[q][i] = 1 if rows[q][i] != 1 else 0
        changed = with_rows(scheme, axis, rows)
        verdict = changed.verdict()
        assert verdict.valid == oracle(changed)
        assert verdict.decision == "REFUTED" and "coefficient of eps^" in verdict.reason and " in c" in verdict.reason
        assert check(certificate(changed)).decision == "REFUTED"


@given(st.data())
def test_a_changed_entry_is_judged_as_the_oracle_does(data: st.DataObject) -> None:
    name, over = data.draw(st.sampled_from(WALKED))
    space, end = walked(name, over, data.draw(st.integers(0, 3)))
    scheme = space.scheme(end.state)
    axis = data.draw(st.sampled_from("uvw"))
    rows = [list(row) for row in getattr(scheme, axis)]
    q = data.draw(st.integers(0, scheme.rank - 1))
    i = data.draw(st.integers(0, len(rows[q]) - 1))
    rows[q][i] = over.reduce(rows[q][i] + 1) if over != ZT else (0 if rows[q][i] else 1)
    changed = with_rows(scheme, axis, rows)
    assert changed.verdict().valid == oracle(changed) == check(certificate(changed)).valid


def test_lower_degrees_must_vanish() -> None:
    one = [[[1, 0]]]
    assert border_defect({(0, 0, 0): 1}, 1, one, one, [[[0, 1]]]) is None
    assert border_defect({(0, 0, 0): 1}, 1, one, one, [[[1, 1]]]) == (0, (0, 0, 0), 0, 1)
    assert border_defect({(0, 0, 0): 1}, 1, one, one, [[[0, 2]]]) == (1, (0, 0, 0), 1, 2)
    assert border_defect({(0, 0, 0): 1}, 1, one, one, [[[2, 3]]], 2) is None
    for order, rows in ((0, one), (2, one)):
        with pytest.raises(ValueError, match="order"):
            border_defect({(0, 0, 0): 1}, order, rows, rows, rows)
    with pytest.raises(ValueError, match="as many rows"):
        border_defect({}, 1, one, one, [])


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("order", 0, "order is 0"),
        ("order", True, "order is True"),
        ("order", 2, "lists of 3 coefficients"),
        ("u", [[[1, 0], 1], [[1, 0], [0, 0]]], "lists of 2 coefficients"),
        ("u", [[[1, 0], [0, 0.5]], [[1, 0], [0, 0]]], "not a coefficient"),
        ("u", [[[1, 0]], [[1, 0], [0, 0]]], "list of 2 entries"),
        ("u", [[[1, 0], [0, 2]], [[1, 0], [0, 0]]], "not an element of ZT"),
    ],
)
def test_malformed_certificates(key: str, value: Any, words: str) -> None:
    proof = derivative().certify()
    statement = {**proof.statement, **({key: value} if key == "order" else {})}
    witness = {**proof.witness, **({key: value} if key == "u" else {})}
    verdict = check(replace(proof, statement=statement, witness=witness))
    assert verdict.decision == "MALFORMED" and words in verdict.reason


def test_files_hold_it_and_others_refuse(tmp_path: Path) -> None:
    scheme = derivative()
    write_file(scheme, "flipforge", tmp_path / "x.json")
    assert "[[1, 0], [0, 1]]" in (tmp_path / "x.json").read_text()
    (again,) = read_file(tmp_path / "x.json")
    assert again == scheme and again.problem.bilinear.entries == scheme.problem.bilinear.entries
    write_certificate(scheme.certify(), tmp_path / "c.json")
    assert read_file(tmp_path / "c.json")[0] == scheme
    for to in set(WRITERS) - {"flipforge"}:
        with pytest.raises(InputError, match=f"{to} files hold bilinear schemes only"):
            write_file(scheme, to, tmp_path / "y")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.json", "x.json"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[[1, 0], [0, 1]]", "[[1, 0], [0, 1, 0]]", "u[0] must hold lists of 2 coefficients"),
        ("[[1, 0], [0, 1]]", "[1, 0, 0, 1]", "u[0] must hold lists of 2 coefficients"),
        ("border:1:", "border:2:", "u[0] must hold lists of 3 coefficients"),
        ("border:1:", "border:0:", "the order is 0"),
        ("border:1:", "border:99:", "give one from 1 to 31"),
        ("border:1:", "", "not a coefficient"),
    ],
)
def test_file_faults_are_named(old: str, new: str, words: str, tmp_path: Path) -> None:
    write_file(derivative(), "flipforge", tmp_path / "x.json")
    text = (tmp_path / "x.json").read_text()
    assert old in text
    (tmp_path / "x.json").write_text(text.replace(old, new, 1))
    (item,) = judge_file(tmp_path / "x.json")
    assert item.verdict.decision == "MALFORMED" and words in item.verdict.reason


def test_it_is_printed_with_powers_of_eps() -> None:
    text = describe(derivative())
    assert "m1 = (a1 + eps*a2)(b1 + eps*b2)" in text and "eps*c2 = eps*m1" in text and "eps*c1 = m1 - m2" in text
    assert costs(derivative()).additions == 3
    square = describe(standard_scheme(parse("border:2:matmul:1x2x1"), Z))
    assert "eps^2*c11 = eps^2*m1 + eps^2*m2" in square and "omega 3.0000" in square
    assert "\\epsilon c_{2} &= \\epsilon m_{1}" in describe_latex(derivative())
    assert "a_{1,2}" in describe_latex(standard_scheme(parse("border:2:matmul:1x2x1"), Z))


def test_no_exact_code_comes_of_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="only up to eps; there is no exact code"):
        export(derivative(), "numpy", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@given(st.sampled_from(WALKED), st.integers(0, 5), st.data())
@settings(deadline=None)
def test_states_do_not_depend_on_the_gauge(case: tuple[str, Ring], seed: int, data: st.DataObject) -> None:
    """Order, constants, units and powers of eps, and coefficients that do not matter, leave a state as it is."""
    space, end = walked(*case, seed)
    scheme = space.scheme(end.state)
    assert oracle(scheme)
    assert space.key(space.state(data.draw(equivalents(scheme)))) == space.key(end.state)
    u, v, w = space._series(end.state)
    moved = u.copy()
    divisible = (w[:, :, 0] == 0).all(axis=1)
    moved[divisible] = np.roll(u[divisible], 1, axis=2)
    moved[divisible, :, 0] = 0
    lowered = w.copy()
    lowered[divisible] = np.roll(w[divisible], -1, axis=2)
    assert space.key(space._settled(space._packed((moved, v, lowered)))) == space.key(end.state)
    if space.ring.characteristic:
        times = np.array([1, 1] + [0] * (u.shape[2] - 2))
        inverse = np.array([(-1) ** k for k in range(u.shape[2])])
        p = space.ring.characteristic
        changed = convolved(u, times, p), v, convolved(w, inverse, p)
        assert space.key(space._settled(space._packed(changed))) == space.key(end.state)


@given(st.sampled_from(WALKED), st.integers(0, 2**32))
@settings(deadline=None)
def test_every_walk_ends_in_a_scheme(case: tuple[str, Ring], seed: int) -> None:
    space, end = walked(*case, seed)
    assert end.counts["flips"] > 0 and end.counts["gauges"] > 0
    assert oracle(space.scheme(end.state)) and oracle(space.scheme(space.reduce(end.state)))
    assert end.steps == EFFORT.steps


@pytest.mark.parametrize(("name", "over"), WALKED)
def test_the_kernel_walks_as_its_twin_does(name: str, over: Ring) -> None:
    space = space_for(parse(name), over)
    assert isinstance(space, BorderSpace)
    start = space._series(space.start(Seed(0)))
    names = ("steps", "flips", "plus", "splits", "gauges", "rejected", "reductions", "restarts")
    seen: dict[str, int] = dict.fromkeys(names, 0)
    for seed in range(6):
        words = seed_words(seed)
        limits = {"goal": 2, "steps": 1_200, "path": 700, "idle": 60, "band": 2}
        end = border_walk(start, over.characteristic, seed=words, **limits)
        twin = slow_walk(
            [factor.tolist() for factor in start], over.characteristic, seed=[int(word) for word in words], **limits
        )
        assert [factor.tolist() for factor in end.scheme] == [
            [item[axis] for item in twin.products] for axis in range(3)
        ]
        for key in names:
            assert getattr(end, key) == twin.counts.get(key, 0)
            seen[key] += getattr(end, key)
    assert all(seen[key] for key in names if key != "rejected") and bool(seen["rejected"]) == (over == ZT)


def test_compact_drops_what_vanishes() -> None:
    zero = np.zeros((1, 1, 2), dtype=np.int64)
    eps, one = zero.copy(), zero.copy()
    eps[0, 0, 1], one[0, 0, 0] = 1, 1
    assert len(compact((eps, eps, one), 2)[0]) == 0
    u, v, w = compact((eps, one, one), 2)
    assert (u.tolist(), v.tolist(), w.tolist()) == ([[[1, 0]]], [[[1, 0]]], [[[0, 1]]])


def test_walks_refuse_what_they_cannot_hold() -> None:
    one = np.ones((1, 1, 2), dtype=np.int64)
    limits: dict[str, Any] = {"goal": 0, "steps": 1, "path": 1, "idle": 1, "band": 1, "seed": seed_words(1)}
    for scheme, p in [
        ((one, one, one[:, :, :1]), 2),
        ((one, one, one), 4),
        ((one, one, 2 * one), 2),
        ((one, one, 2 * one), 0),
    ]:
        with pytest.raises(InputError):
            border_walk(scheme, p, **limits)
    with pytest.raises(InputError, match="1024 in all"):
        border_walk((one, one, one), 2, **{**limits, "band": 1024})


@pytest.mark.parametrize("over", [GF2, GF3, ZT])
def test_five_products_for_binis_partial_product(over: Ring) -> None:
    """Bini, Capovani, Lotti and Romani (1979): one entry of A zero, 5 products in place of 6."""
    store = MemoryStore()
    space = space_for(parse(BINI), over)
    record = searched(space, store, Bench(), target=5)
    assert record.rank == 5 and record.best is not None
    scheme = store.scheme(record.best)
    assert oracle(scheme) and compare(scheme, scheme).equal


def test_search_resume_replay_and_catalogue(tmp_path: Path) -> None:
    db = tmp_path / "c.db"
    first = api.search(BINI, target_rank=4, max_flips=2_000, workers=1, seed=1, db=db)
    assert first.walk_version == "border-gf2/1" and first.run is not None
    second = api.resume(first.run, target_rank=5, max_flips=20_000_000, db=db)
    assert second.rank == 5 and second.scheme is not None
    assert api.replay_scheme(second.scheme, db=db).rank == 5
    assert api.verify(second.scheme, db=db)[0]["verdict"] == "PROVED"
    row = next(row for row in api.best(BINI, db=db) if row["ring"] == "GF2")
    assert (row["rank"], row["omega"], row["best_known"]) == (5, None, 5)


def test_a_tensor_is_searched_without_its_file(tmp_path: Path) -> None:
    path = tmp_path / "w.npy"
    np.save(path, np.array([[0, 0, 1, 1], [0, 1, 0, 1], [1, 0, 0, 1]]))
    db = tmp_path / "c.db"
    first = api.search(f"border:1:tensor:{path}", max_flips=50_000, target_rank=2, workers=1, seed=2, db=db)
    path.unlink()
    assert first.rank == 2 and first.problem.startswith("border:1:tensor:sha256=") and first.scheme is not None
    assert api.replay_scheme(first.scheme, db=db).scheme == first.scheme


def test_wrong_ones_never_enter_a_catalogue(tmp_path: Path) -> None:
    wrong = replace(derivative(), w=((1, 0, 0, 1), (0, 0, 0, 0)))
    with pytest.raises(VerificationError, match=r"coefficient of eps\^0\*a1\*b1 in c1 is 1"):
        wrong.certify()
    write_file(wrong, "flipforge", tmp_path / "x.json")
    assert api.import_files(tmp_path / "x.json", db=tmp_path / "c.db").exit_code == 1


def test_rows_are_as_long_as_the_order_says() -> None:
    with pytest.raises(MalformedError, match=r"u\[0\] has 2 entries; border:1:.* needs 4"):
        Scheme(derivative().problem, ZT, ((1, 0),), ((1, 0, 0, 0),), ((1, 0, 0, 0),))


def with_rows(scheme: Scheme, axis: str, rows: Sequence[Sequence[Any]]) -> Scheme:
    factors = {name: getattr(scheme, name) for name in "uvw"} | {axis: tuple(map(tuple, rows))}
    return Scheme(scheme.problem, scheme.ring, factors["u"], factors["v"], factors["w"])


def certificate(scheme: Scheme) -> Certificate:
    """Write a certificate for a scheme whether it holds or not."""
    good = standard_scheme(scheme.problem, ring(scheme.ring.name)).certify()
    step = scheme.problem.order + 1
    witness = {
        axis: [[list(row[i : i + step]) for i in range(0, len(row), step)] for row in getattr(scheme, axis)]
        for axis in "uvw"
    }
    return replace(good, statement={**good.statement, "rank": scheme.rank}, witness=witness)


def convolved(factor: Any, series: Any, p: int) -> Any:
    length = factor.shape[2]
    result = np.zeros_like(factor)
    for i, j in product(range(length), repeat=2):
        if i + j < length:
            result[:, :, i + j] += factor[:, :, i] * series[j]
    return result % p
