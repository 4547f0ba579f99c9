"""Lifts from GF(p) to Z and Q: they reduce to what they were lifted from, or there is a proof that nothing does."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import flipforge
from commands import Capture, answer
from flipforge import api
from flipforge.catalogue import SqliteStore, shipped_schemes
from flipforge.errors import InputError, ReplayError, RingError
from flipforge.problems import matmul, parse, tensor_problem
from flipforge.rings import GF2, GF3, GF5, GF7, ZT, HalfZ, Q, Z
from flipforge.schemes import Scheme, magnitudes, standard_scheme
from flipforge.schemes.formats import read_file, write_file
from flipforge.search import FlipSpace, Lineage, lifted, retrace
from flipforge_lifting import HenselLifter
from flipforge_lifting._equations import Equations, flat
from flipforge_lifting._hensel import Hensel
from flipforge_lifting._orders import order
from flipforge_lifting._rescale import rescaled
from oracle import oracle
from strategies import schemes

LIFTER = HenselLifter()


def shipped(pattern: str) -> Scheme:
    """The one scheme of the catalogue's folder whose file has that name."""
    (path,) = shipped_schemes().glob(f"{pattern}.json")
    (scheme,) = read_file(path)
    return scheme


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue without the shipped schemes."""
    (tmp_path / "none").mkdir()
    monkeypatch.setattr("flipforge.catalogue._store.shipped_schemes", lambda: tmp_path / "none")
    return tmp_path / "c.db"


@given(st.data(), schemes([GF2, GF3, GF7], max_size=2))
@settings(max_examples=20)
def test_the_residual_is_what_the_equations_leave(data: st.DataObject, scheme: Scheme) -> None:
    equations = Equations(scheme.problem, scheme.rank)
    large = st.integers(-(10**30), 10**30) if data.draw(st.booleans()) else st.integers(-3, 3)
    values = data.draw(st.lists(large, min_size=equations.unknowns, max_size=equations.unknowns))
    x = np.array(values, dtype=object)
    u, v, w = (part.tolist() for part in equations.factors(x))
    found = equations.residual(x).reshape(scheme.problem.shape)
    for index, value in np.ndenumerate(found):
        i, j, k = index
        target = scheme.problem.tensor.get((i, j, k), 0)
        assert value == sum(a[i] * b[j] * c[k] for a, b, c in zip(u, v, w, strict=True)) - target


@given(schemes([GF2, GF3, GF5], max_size=2), st.integers(0, 10**6))
@settings(max_examples=20)
def test_the_jacobian_is_what_one_more_changes(scheme: Scheme, place: int) -> None:
    # The equations are of degree 1 in each single unknown.
    equations, p = Equations(scheme.problem, scheme.rank), scheme.ring.characteristic
    x = flat(scheme)
    place %= len(x)
    more = x.copy()
    more[place] += 1
    column = equations.jacobian(x, p).dense()[:, place]
    assert ((equations.residual(more) - equations.residual(x)) % p == column).all()


@given(schemes([GF2, GF3, GF5, GF7], max_size=2), st.integers(0, 3))
@settings(max_examples=25)
def test_a_lift_reduces_to_the_scheme(scheme: Scheme, seed: int) -> None:
    lift = LIFTER.lift(scheme, Q, attempts=3, seed=seed)
    assume(lift.outcome == "lifted")
    assert lift.scheme is not None and oracle(lift.scheme)
    assert lift.scheme.over(scheme.ring).canonical == scheme.canonical
    assert LIFTER.again(scheme, lift.arguments) == lift.scheme


def test_strassen_over_many_fields() -> None:
    for ring in (GF2, GF3, GF5, GF7):
        scheme = shipped("matmul-2x2x2_GF2*") if ring == GF2 else LIFTER.lift(shipped("matmul-2x2x2_GF2*")).scheme
        assert scheme is not None
        lift = LIFTER.lift(scheme if ring == GF2 else scheme.over(ring))
        assert lift.scheme is not None and lift.scheme.ring == ZT and lift.attempts == 1


def test_a_scheme_that_needs_a_half() -> None:
    scheme = shipped("structured-ss-2_GF3_r5*")
    lift = LIFTER.lift(scheme, Q)
    assert lift.scheme is not None and (lift.scheme.ring, magnitudes(lift.scheme)[1]) == (HalfZ, 2)
    whole = LIFTER.lift(scheme, Z)
    assert (whole.outcome, whole.scheme) == ("open", None) and "over Z[1/2] with the denominators 2" in whole.reason
    with pytest.raises(RingError, match="denominator is divisible by 2"):
        lift.scheme.over(GF2)


def test_best_takes_the_smallest_of_all_attempts() -> None:
    scheme = shipped("matmul-2x3x5_GF2_r25_0bf55f098108")
    first, best = (LIFTER.lift(scheme, Z, attempts=6, best=best).scheme for best in (False, True))
    assert first is not None and best is not None
    # The first attempt gives 5, a later one less.
    assert magnitudes(best)[0] < magnitudes(first)[0] and best.over(GF2).canonical == scheme


def test_an_obstruction_is_proved_and_stays_whatever_the_order() -> None:
    scheme = obstructed()
    for seed in range(3):
        lift = LIFTER.lift(scheme, Q, seed=seed)
        assert (lift.outcome, lift.scheme, lift.attempts, lift.step) == ("obstructed", None, 1, 1)
        assert lift.obstruction is not None and lift.obstruction.statement["problem"] == scheme.problem.name
    assert not LIFTER.liftable(scheme) and LIFTER.liftable(standard_scheme(matmul(2, 2, 2), GF2))


def obstructed() -> Scheme:
    """x0 y0 + 2 x1 y1 has rank 1 modulo 2, and rank 2 modulo 4."""
    problem = tensor_problem([2, 2, 1], [((0, 0, 0), 1), ((1, 1, 0), 2)])
    return Scheme(problem, GF2, ((1, 0),), ((1, 0),), ((1,),))


def square(power: int) -> Scheme:
    """A scheme of rank 1 modulo 2 for 1 + 2^power, which lifts along every order, and to that number at the end."""
    return Scheme(tensor_problem([1, 1, 1], [((0, 0, 0), 1 + 2**power)]), GF2, ((1,),), ((1,),), ((1,),))


@pytest.mark.parametrize("power", [3, 40, 70, 200])
def test_digits_of_any_number(power: int) -> None:
    scheme = square(power)
    lift = HenselLifter(bits=power + 3).lift(scheme, Z, attempts=1)
    assert lift.scheme is not None and lift.scheme.w == ((1 + 2**power,),) and lift.step == power + 2
    # One digit less, and 1 + 2^power is not the number of smallest absolute value.
    assert HenselLifter(bits=power - 1).lift(scheme, Z, attempts=1).outcome == "open"


def test_fractions_are_recognised_at_their_bound() -> None:
    # With v and w1 left at 1, u v w1 = 3 makes u = 3, and u v w0 = 1 makes w0 = 1/3: known from 2 * 3 * 3 < 2^5 on.
    problem = tensor_problem([1, 1, 2], [((0, 0, 0), 1), ((0, 0, 1), 3)])
    hensel = Hensel(Scheme(problem, GF2, ((1,),), ((1,),), ((1, 1),)))
    places = np.array([0, 2, 1, 3])
    reached = hensel.climb([places], 4)
    assert reached.step == 5 and reached.scheme is not None and oracle(reached.scheme)
    assert hensel.climb([places], 3).scheme is None


def test_mended_steps_are_solutions() -> None:
    """Somewhere among these attempts a step from the third on fails, and going back one step mends it."""
    hensel = Hensel(shipped("matmul-2x3x5_GF2_r25_0bf55f098108"))
    reached = [hensel.climb([order(hensel.start, 0, attempt)], 12) for attempt in (1, 3, 5)]
    assert any(each.mended for each in reached)
    for each in reached:
        assert each.scheme is None or each.scheme.over(GF2).canonical == hensel.scheme


def test_of_several_orders_the_smallest_numbers_are_taken() -> None:
    hensel = Hensel(shipped("structured-wt-5_GF3*"))
    lifts: dict[int, list[Scheme]] = {}
    for width in (1, 8):
        orders = [[order(hensel.start, 0, 8 * k + place) for place in range(width)] for k in range(1, 7)]
        reached = [hensel.climb(each, 12).scheme for each in orders]
        lifts[width] = [scheme for scheme in reached if scheme is not None]
    assert all(scheme.over(GF3).canonical == hensel.scheme for scheme in lifts[8])
    largest = {width: sorted(max(magnitudes(scheme)) for scheme in found) for width, found in lifts.items()}
    assert sum(largest[8]) / len(lifts[8]) < sum(largest[1]) / len(lifts[1])


@given(st.data(), st.sampled_from([(2, 3), (2, -5), (3, -2), (3, 7), (5, -4), (7, 13)]))
@settings(max_examples=20)
def test_rescaling_undoes_a_diagonal_symmetry(data: st.DataObject, units: tuple[int, int]) -> None:
    p, unit = units
    scheme = shipped("matmul-2x2x3_ZT*")
    powers = st.lists(st.integers(-2, 2), min_size=7, max_size=7)
    rows = [Fraction(unit) ** power for power in data.draw(powers)]
    a, b, c = rows[:2], rows[2:4], rows[4:]
    u = [[x * a[i // 2] / b[i % 2] for i, x in enumerate(row)] for row in scheme.u]
    v = [[x * b[i // 3] / c[i % 3] for i, x in enumerate(row)] for row in scheme.v]
    w = [[x / a[i // 3] * c[i % 3] for i, x in enumerate(row)] for row in scheme.w]
    left, right, result = (tuple(map(tuple, part)) for part in (u, v, w))
    scaled = Scheme(scheme.problem, Q, left, right, result)
    assert scaled.verdict().valid
    found = rescaled(scaled, p)
    assert oracle(found) and found.ring == ZT
    ring = {2: GF2, 3: GF3, 5: GF5, 7: GF7}[p]
    assert found.over(ring).canonical == scaled.over(ring).canonical


def test_a_lift_is_rescaled_where_that_saves_denominators() -> None:
    scheme, saved = shipped("structured-wt-5_GF3*"), 0
    for attempt in (0, 4, 6):
        # Lifts that were made before there was a rescaling stay as they are.
        old: dict[str, Any] = {"attempt": attempt, "seed": 0, "bits": 20}
        plain, lifted = LIFTER.again(scheme, old), LIFTER.again(scheme, {**old, "rescaled": True})
        assert lifted == rescaled(plain, 3) and oracle(lifted)
        assert lifted.over(GF3).canonical == scheme
        saved += magnitudes(lifted)[1] < magnitudes(plain)[1]
    assert saved


@pytest.mark.parametrize(
    ("scheme", "changes", "reason"),
    [
        (standard_scheme(matmul(1, 1, 1), ZT), {}, "needs no lift"),
        (standard_scheme(matmul(1, 1, 1), GF2), {"to": GF3}, "not of characteristic 0"),
        (standard_scheme(matmul(1, 1, 1), GF2), {"attempts": 0}, "at least 1"),
        (standard_scheme(parse("commutative:1x1x1"), GF2), {}, "only bilinear schemes"),
        (standard_scheme(parse("border:1:matmul:1x1x1"), GF2), {}, "only bilinear schemes"),
    ],
)
def test_what_cannot_be_lifted_is_refused(scheme: Scheme, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        LIFTER.lift(scheme, **changes)


def test_a_lift_is_kept_with_its_lineage_and_replays(db: Path) -> None:
    found = api.search("matmul:2x2x2", target_rank=7, workers=1, seed=1, db=db)
    assert found.scheme is not None
    result = flipforge.lift(found.scheme, db=db)
    assert result.lift.scheme is not None
    identity = result.lift.scheme.id
    (row,) = [row for row in api.query("matmul:2x2x2", ring="ZT", db=db) if row["id"] == identity]
    assert row["origin"] == "derived"
    assert api.replay_scheme(identity, db=db).flips > 0
    with SqliteStore.open(db) as store:
        chain = store.lineage(identity)
        assert [step.method for step in chain][-1] == "lift" and chain[-1].parents == (found.scheme,)
        scheme = store.scheme(found.scheme)
        for changes, reason in (
            ({"walk_version": "hensel/0"}, "made by hensel/0"),
            ({"arguments": {**chain[-1].arguments, "attempt": "x"}}, "cannot be made again"),
            ({"arguments": {"ring": "GF2"}}, "cannot be made again"),
        ):
            wrong = replace(chain[-1], **changes)
            with pytest.raises(ReplayError, match=reason):
                again(scheme, wrong)


def again(scheme: Scheme, step: Lineage) -> None:
    retrace(scheme.problem, [step], lambda p, s: FlipSpace(p, GF2), lambda i, p, s: scheme, lambda: LIFTER)


def test_a_lift_of_an_import_is_marked_as_imported(db: Path, tmp_path: Path) -> None:
    write_file(shipped("matmul-2x2x2_GF2*"), "flipforge", path := tmp_path / "s.json")
    result = flipforge.lift(path, db=db)
    assert result.lift.scheme is not None
    assert {row["ring"]: row["origin"] for row in api.query(db=db)} == {"GF2": "imported", "ZT": "imported"}


def test_lifted_refuses_what_is_none() -> None:
    scheme = obstructed()
    with pytest.raises(InputError, match="is obstructed, not lifted"):
        lifted(scheme, LIFTER.lift(scheme), LIFTER)
    entry = lifted(square(3), LIFTER.lift(square(3)), LIFTER)
    assert entry.lineage is not None and entry.lineage.arguments["ring"] == "GF2"


def run(capsys: Capture, db: Path, *words: str) -> tuple[int, dict[str, Any]]:
    code, out, _ = answer(capsys, "lift", *words, "--db", str(db), "--json")
    return code, json.loads(out)


def test_the_command_writes_a_lift(db: Path, tmp_path: Path, capsys: Capture) -> None:
    source = next(shipped_schemes().glob("structured-ss-2_GF3*.json"))
    code, row = run(capsys, db, str(source), "--out", str(tmp_path / "out.json"))
    assert code == 0 and row["lifted"] is True and row["outcome"] == "lifted"
    assert (row["ring"], row["max_denominator"], row["obstruction"]) == ("Z[1/2]", 2, None)
    (scheme,) = read_file(row["file"])
    assert scheme.id == row["id"] and any(Fraction(1, 2) in {x, -x} for row in scheme.w for x in row)
    assert api.query(db=db) == []
    code, row = run(capsys, db, str(source), "--to", "Z", "--out", str(tmp_path / "none.json"))
    assert code == 1 and row["outcome"] == "open" and "denominators 2" in row["reason"]
    assert not (tmp_path / "none.json").exists()


def test_the_command_writes_the_proof_that_there_is_no_lift(db: Path, tmp_path: Path, capsys: Capture) -> None:
    write_file(obstructed(), "flipforge", source := tmp_path / "s.json")
    code, row = run(capsys, db, str(source), "--out", str(tmp_path / "proof.json"))
    assert code == 1 and row["outcome"] == "obstructed" and row["obstruction"]["kind"] == "obstruction"
    assert json.loads((tmp_path / "proof.json").read_text()) == row["obstruction"]
    code, out, _ = answer(capsys, "verify", str(tmp_path / "proof.json"), "--db", str(db), "--json")
    assert code == 0 and json.loads(out)[0]["verdict"] == "PROVED"


def test_bad_input_is_one_line(db: Path, tmp_path: Path, capsys: Capture) -> None:
    good = shipped("matmul-2x2x2_GF2*")
    wrong = replace(good, w=((*good.w[0][:3], 1 - int(good.w[0][3])), *good.w[1:]))
    write_file(wrong, "flipforge", tmp_path / "wrong.json")
    write_file(good, "flipforge", path := tmp_path / "good.json")
    text = path.read_text()
    (tmp_path / "modulus.json").write_text(text.replace('"GF2"', '"GF4"'))
    np.savez(tmp_path / "t.npz", shape=[1, 1, 1], coords=[[0, 0, 0]], values=[0.5])
    for words, expected, reason in (
        (("wrong.json",), 1, "the coefficient of"),
        (("modulus.json",), 1, "unknown ring 'GF4'"),
        (("missing.json",), 2, "missing.json"),
        (("good.json", "--to", "GF3"), 2, "not of characteristic 0"),
        (("good.json", "--to", "R"), 2, "unknown ring 'R'"),
        (("good.json", "--attempts", "0"), 2, "at least 1"),
        (("good.json", "--problem", f"tensor:{tmp_path / 't.npz'}"), 2, "integer"),
    ):
        code, out, err = answer(
            capsys,
            "lift",
            *(str(tmp_path / word) if word.endswith(".json") else word for word in words),
            "--db",
            str(db),
        )
        assert (code, out) == (expected, "") and reason in err and err.count("\n") == 1, err
    assert api.query(db=db) == []
