"""Commutative schemes: problem, proof, canonical form, files, search and export."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flipforge import api
from flipforge.catalogue import best_known
from flipforge.certificates import Certificate, brent_defect, check
from flipforge.errors import InputError, MalformedError, VerificationError
from flipforge.plugins import export
from flipforge.problems import commutative, parse, standard_omega
from flipforge.rings import GF2, GF3, ZT, Element, Q, Ring, Z
from flipforge.schemes import (
    Scheme,
    compare,
    costs,
    describe,
    first_schemes,
    recursive_calls,
    standard_scheme,
    winograd_scheme,
)
from flipforge.schemes.formats import WRITERS, judge_file, read_file, write_certificate, write_file
from flipforge.search import CommutativeSpace, Effort, FlipSpace, Seed, space_for
from oracle import oracle
from search_bench import Bench, MemoryStore, searched
from strategies import equivalents, schemes

SMALL = [commutative(1, 2, 1), commutative(2, 1, 2), commutative(2, 2, 1)]
EFFORT = Effort(steps=2_000, path=1_500, goal=0, idle=200, band=1)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**32))
def test_the_forms_multiply_matrices(n: int, m: int, p: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    a, b = generator.integers(-9, 9, (n, m)), generator.integers(-9, 9, (m, p))
    x = np.concatenate([a.reshape(-1), b.reshape(-1)])
    for scheme in first_schemes(commutative(n, m, p), Z):
        u, v, w = (np.array(rows) for rows in (scheme.u, scheme.v, scheme.w))
        assert np.array_equal(((u @ x) * (v @ x)) @ w, (a @ b).reshape(-1))


def test_the_problem_states_itself() -> None:
    problem = parse("commutative:2x3x1")
    assert (problem.name, problem.dims, problem.shape) == ("commutative:2x3x1", (2, 3, 1), (9, 9, 2))
    assert problem.labels[0] == problem.labels[1] == ("a11", "a12", "a13", "a21", "a22", "a23", "b11", "b21", "b31")
    assert problem.commutes and problem.bilinear == parse("matmul:2x3x1")
    assert standard_omega(problem, 5) is None and costs(standard_scheme(problem, GF2)).omega is None
    assert recursive_calls(standard_scheme(problem, GF2)) is None
    assert not parse("matmul:2x3x1").commutes


@pytest.mark.parametrize("ring", [GF2, GF3, ZT, Q])
def test_winograd_holds_with_the_products_he_counts(ring: Ring) -> None:
    for n, m, p in [(2, 2, 2), (3, 3, 3), (2, 5, 3), (1, 1, 1), (4, 4, 4)]:
        scheme = winograd_scheme(commutative(n, m, p), ring)
        assert scheme.rank == (n * p + n + p) * (m // 2) + n * p * (m % 2)
        assert check(scheme.certify()).valid and (n * m * p > 40 or oracle(scheme))


def test_a_commutative_scheme_is_no_bilinear_one() -> None:
    scheme = winograd_scheme(commutative(1, 2, 1), Z)
    tensor = scheme.problem.tensor
    assert brent_defect(tensor, scheme.u, scheme.v, scheme.w, commuting=True) is None
    assert brent_defect(tensor, scheme.u, scheme.v, scheme.w) is not None


@given(schemes(problem=st.sampled_from(SMALL)))
def test_proof_canonical_form_and_certificate(scheme: Scheme) -> None:
    assert oracle(scheme)
    proof = scheme.certify()
    assert proof.kind == "commutative"
    copy = Certificate(proof.kind, json.loads(json.dumps(proof.statement)), json.loads(json.dumps(proof.witness)), "")
    assert check(copy).valid
    swapped = replace(scheme, u=(scheme.v[0], *scheme.u[1:]), v=(scheme.u[0], *scheme.v[1:]))
    assert swapped.verdict().valid and swapped.id == scheme.id and swapped.canonical == scheme.canonical
    assert compare(swapped, scheme).equal


@given(schemes(problem=st.sampled_from(SMALL)), st.data())
def test_a_changed_entry_is_judged_as_the_oracle_does(scheme: Scheme, data: st.DataObject) -> None:
    axis = data.draw(st.sampled_from("uvw"))
    rows = [list(row) for row in getattr(scheme, axis)]
    q = data.draw(st.integers(0, scheme.rank - 1))
    i = data.draw(st.integers(0, len(rows[q]) - 1))
    value = rows[q][i]
    rows[q][i] = scheme.ring.reduce(value + 1) if scheme.ring != ZT else (1 if value == 0 else 0)
    changed = with_rows(scheme, axis, rows)
    assert changed.verdict().valid == oracle(changed) == check(_certificate(changed)).valid


def test_every_mutation_of_winograd_is_refuted_with_its_place() -> None:
    scheme = winograd_scheme(commutative(2, 2, 2), GF2)
    changes = [(axis, q, i) for axis in "uvw" for q, row in enumerate(getattr(scheme, axis)) for i in range(len(row))]
    for axis, q, i in changes:
        rows = [list(row) for row in getattr(scheme, axis)]
        rows[q][i] = 1 - rows[q][i]
        verdict = with_rows(scheme, axis, rows).verdict()
        assert verdict.decision == "REFUTED" and verdict.reason.startswith("the coefficient of ")
        assert " in c" in verdict.reason and "commutative:2x2x2 wants" in verdict.reason


def test_characteristic_two_keeps_squares_and_drops_commutators() -> None:
    """x x is not zero, x y + y x is; and x y alone is neither."""
    x, y, one = (1, 0), (0, 1), (1,)
    assert brent_defect({}, [x], [x], [one], 2, commuting=True) == ((0, 0, 0), 0, 1)
    assert brent_defect({}, [x, y], [y, x], [one, one], 2, commuting=True) is None
    assert brent_defect({}, [x, y], [y, x], [one, one], 3, commuting=True) == ((0, 1, 0), 0, 2)
    assert brent_defect({}, [y], [x], [one], 2, commuting=True) == ((0, 1, 0), 0, 1)
    # (x + y)^2 = x^2 + y^2 modulo 2 and nowhere else.
    squares = {(0, 0, 0): 1, (1, 1, 0): 1}
    assert brent_defect(squares, [(1, 1)], [(1, 1)], [one], 2, commuting=True) is None
    assert brent_defect(squares, [(1, 1)], [(1, 1)], [one], 3, commuting=True) == ((0, 1, 0), 0, 2)
    # A target given below the diagonal means the same monomial.
    assert brent_defect({(1, 0, 0): 1}, [x], [y], [one], commuting=True) is None


def test_certificates_that_state_another_kind_are_refused(tmp_path: Path) -> None:
    proof = winograd_scheme(commutative(1, 2, 1), Z).certify()
    assert check(replace(proof, kind="brent")).decision == "REFUTED"
    malformed = check(replace(proof, statement={**proof.statement, "shape": [5, 4, 1]}))
    assert malformed.decision == "MALFORMED" and "same variables" in malformed.reason
    standard = standard_scheme(commutative(1, 2, 1), Z).certify()
    write_certificate(replace(standard, kind="brent"), tmp_path / "x.json")
    (item,) = judge_file(tmp_path / "x.json")
    assert item.verdict.decision == "REFUTED" and "another order or kind" in item.verdict.reason
    write_certificate(standard, tmp_path / "y.json")
    assert read_file(tmp_path / "y.json")[0].problem == commutative(1, 2, 1)


def test_files_hold_it_and_others_refuse(tmp_path: Path) -> None:
    scheme = winograd_scheme(commutative(2, 2, 1), ZT)
    write_file(scheme, "flipforge", tmp_path / "x.json")
    (again,) = read_file(tmp_path / "x.json")
    assert again == scheme and again.id == scheme.id
    for to in WRITERS:
        if to != "flipforge":
            with pytest.raises(InputError, match=f"commutative:2x2x1: {to} files hold bilinear schemes only"):
                write_file(scheme, to, tmp_path / "y")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
    assert "(a12 + b11)(a11 + b21)" in describe(scheme.canonical)


def test_a_bilinear_file_is_no_commutative_scheme(tmp_path: Path) -> None:
    write_file(standard_scheme(parse("matmul:2x1x2"), Z), "txt", tmp_path / "x.txt")
    with pytest.raises(MalformedError, match="commutative:2x1x2 has flat ones"):
        read_file(tmp_path / "x.txt", problem=commutative(2, 1, 2))


def test_code_multiplies_numbers_and_is_checked(tmp_path: Path) -> None:
    for ring in (ZT, GF3):
        report = export(winograd_scheme(commutative(2, 2, 3), ring), "numpy", tmp_path, check=True)
        assert report.ok and len(report.checks) > 5
    text = report.files[0].read_text()
    assert "Entries of a and b must commute" in text and "def multiply" not in text


def test_targets_that_do_not_say_so_refuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flipforge_codegen.numpy_target import NumpyExporter

    monkeypatch.setattr(NumpyExporter, "commutative", False)
    with pytest.raises(InputError, match="blocks do not commute"):
        export(winograd_scheme(commutative(2, 2, 3), ZT), "numpy", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("ring", [GF2, GF3, ZT])
def test_every_move_keeps_the_scheme(ring: Ring) -> None:
    space = space_for(commutative(2, 2, 2), ring)
    assert isinstance(space, CommutativeSpace)
    for number, start in enumerate(first_schemes(space.problem, ring)):
        state = space.state(start)
        end = space.walk(state, EFFORT, Seed(5, (number,)))
        assert end.counts["gauges"] >= 2 and end.counts["flips"] > 0
        for moved in (end.state, space.reduce(end.state), space._regauged(end.state, np.random.default_rng(1))):
            assert oracle(space.scheme(moved))


@given(
    schemes(rings=(GF2, GF3), problem=st.sampled_from(SMALL)).flatmap(lambda s: st.tuples(st.just(s), equivalents(s)))
)
def test_states_do_not_depend_on_order_scale_or_sides(pair: tuple[Scheme, Scheme]) -> None:
    scheme, other = pair
    other = replace(other, u=other.v, v=other.u)
    space = CommutativeSpace(scheme.problem, scheme.ring)
    first, second = space.state(scheme), space.state(other)
    assert space.key(first) == space.key(second)
    assert space.key(space._settled(space._regauged(first, np.random.default_rng(2)))) == space.key(first)
    assert space.invariant(first) == space.invariant(space._regauged(first, np.random.default_rng(3)))
    assert space.breadth(first) == space.breadth(space._regauged(first, np.random.default_rng(3)))


def test_products_of_several_words_are_ordered_alike() -> None:
    space = CommutativeSpace(commutative(5, 7, 5), GF2)
    state = space.start(Seed(1))
    assert state.shape[2] == 2
    end = space.walk(state, replace(EFFORT, steps=500), Seed(1))
    again = space.state(space.scheme(end.state))
    assert space.key(again) == space.key(end.state)


def test_mobility_sees_factors_on_either_side() -> None:
    space = CommutativeSpace(commutative(1, 1, 2), GF2)
    state = space.state(standard_scheme(space.problem, GF2))
    idle = replace(EFFORT, steps=0)
    assert space.walk(state, idle, Seed(0)).mobility == 2
    assert CommutativeSpace(commutative(1, 1, 1), GF2).walk(state[:, :1], idle, Seed(0)).mobility == 0
    swapped = state.copy()
    swapped[0, 0], swapped[1, 0] = state[1, 0], state[0, 0]
    assert space.walk(swapped, idle, Seed(0)).mobility == 2


def test_strassens_rank_is_found_and_deterministic() -> None:
    space = CommutativeSpace(commutative(2, 2, 2), GF2)
    runs = [searched(space, MemoryStore(), target=7) for _ in range(2)]
    assert runs[0].rank == 7 and (runs[0].best, runs[0].flips) == (runs[1].best, runs[1].flips)


def test_fewer_products_than_any_bilinear_scheme_has() -> None:
    """2x2x3 takes 11 products where entries do not commute (Alekseyev), and 10 where they do."""
    store = MemoryStore()
    record = searched(CommutativeSpace(commutative(2, 2, 3), GF2), store, Bench(), target=10)
    assert record.rank == 10 and record.best is not None
    assert oracle(store.scheme(record.best))


def test_search_resume_replay_and_catalogue(tmp_path: Path) -> None:
    db = tmp_path / "c.db"
    first = api.search("commutative:2x2x3", target_rank=9, max_flips=2_000, workers=1, seed=1, db=db)
    assert first.walk_version == "commutative/1+gf2/2" and first.run is not None
    second = api.resume(first.run, target_rank=10, max_flips=20_000_000, db=db)
    assert second.rank == 10 and second.scheme is not None
    assert api.replay_scheme(second.scheme, db=db).rank == 10
    row = next(row for row in api.best("commutative:2x2x3", db=db) if row["ring"] == "GF2")
    assert (row["rank"], row["omega"], row["best_known"]) == (10, None, 10)
    assert api.verify(second.scheme, db=db)[0]["verdict"] == "PROVED"


def test_known_ranks_lie_between_half_the_standard_algorithm_and_all_of_it() -> None:
    for n, m, p in product(range(2, 6), repeat=3):
        known = best_known(f"commutative:{n}x{m}x{p}", "GF2")
        if known:
            assert n * m * p / 2 < known.rank < n * m * p
            assert known == best_known(f"commutative:{p}x{m}x{n}", "GF2")


def test_a_wrong_scheme_never_enters_a_catalogue(tmp_path: Path) -> None:
    scheme = winograd_scheme(commutative(2, 2, 1), ZT)
    wrong = replace(scheme, w=((0, 1), *scheme.w[1:]))
    with pytest.raises(VerificationError, match="coefficient of a"):
        wrong.certify()
    write_file(wrong, "flipforge", tmp_path / "x.json")
    batch = api.import_files(tmp_path / "x.json", db=tmp_path / "c.db")
    assert batch.exit_code == 1 and batch[0]["status"] == "refused"


def test_other_spaces_are_chosen_as_before() -> None:
    assert type(space_for(parse("matmul:2x2x2"), GF2)) is FlipSpace


def with_rows(scheme: Scheme, axis: str, rows: Sequence[Sequence[Element]]) -> Scheme:
    """Return the scheme with other rows on an axis."""
    factors = {name: getattr(scheme, name) for name in "uvw"} | {axis: tuple(map(tuple, rows))}
    return Scheme(scheme.problem, scheme.ring, factors["u"], factors["v"], factors["w"])


def _certificate(scheme: Scheme) -> Certificate:
    """Write a certificate for a scheme whether it holds or not."""
    good = standard_scheme(scheme.problem, scheme.ring).certify()
    witness = {
        axis: [[x if isinstance(x, int) else str(x) for x in row] for row in getattr(scheme, axis)] for axis in "uvw"
    }
    return replace(good, statement={**good.statement, "rank": scheme.rank}, witness=witness)
