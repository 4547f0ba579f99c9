"""Straight-line programs: symbolic execution, composition, reference execution, files."""

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance import divided_strassen, strassen
from flipforge.errors import FlipforgeError, FormatError, InputError, MalformedError, RingError, VerificationError
from flipforge.problems import border, commutative, matmul, parse, tensor_problem
from flipforge.programs import (
    Builder,
    LinearProgram,
    Operations,
    Program,
    compose,
    dump_program,
    dump_reduced,
    dump_slp,
    evaluate,
    execute,
    multiply,
    program,
    read_program,
    read_slp,
)
from flipforge.rings import GF2, GF3, GF7, ZT, HalfZ, Q, Ring, Z
from flipforge.schemes import Scheme, standard_scheme, winograd_scheme
from strategies import schemes

Array = npt.NDArray[Any]


def winograd() -> Program:
    """The variant of Strassen's scheme with 15 additions (S. Winograd, 1971), as it is in textbooks."""
    texts = (
        "o0:=i0;\no1:=i1;\no5:=i2+i3;\nt:=o5-i0;\no6:=t;\no3:=i1-t;\no2:=i0-i2;\no4:=i3;",
        "o0:=i0;\no1:=i2;\no5:=i1-i0;\nt:=i3-o5;\no6:=t;\no3:=i3;\no2:=i3-i1;\no4:=t-i2;",
        "o0:=i0+i1;\nu:=i0+i6;\nw:=u+i2;\nx:=u+i5;\no1:=x+i3;\no2:=w-i4;\no3:=w+i5;",
    )
    return read_slp(texts)


def test_textbook_program_of_15_additions_is_proven() -> None:
    found = winograd()
    assert found.problem == matmul(2, 2, 2)
    assert found.operations == Operations(additions=15, scalings=0, products=7)


@given(schemes())
def test_symbolic_execution_gives_the_scheme_back(scheme: Scheme) -> None:
    written = program(scheme)
    assert written.prove() is written
    kept = [q for q in zip(scheme.canonical.u, scheme.canonical.v, scheme.canonical.w, strict=True) if all(map(any, q))]
    assert list(zip(*(getattr(written.scheme(), axis) for axis in "uvw"), strict=True)) == kept


@pytest.mark.parametrize("name", ["left", "right", "out"])
def test_wrong_program_is_refuted_and_a_pass_may_not_change_a_part(name: str) -> None:
    for good in (winograd(), program(strassen()), program(strassen().over(GF3))):
        part = getattr(good, name)
        (x, register), *others = part.outputs[0]
        changed = replace(part, outputs=(((part.ring.reduce(-x), register), *others), *part.outputs[1:]))
        with pytest.raises(VerificationError, match=r"program of 7 products for matmul:2x2x2: the coefficient"):
            replace(good, **{name: changed}).prove()
        parts = {"left": good.left, "right": good.right, "out": good.out}
        with pytest.raises(VerificationError, match=f"a pass changed the map of the part '{name}'"):
            good.with_parts(**{**parts, name: changed})
        assert good.with_parts(**parts).prove().operations == good.operations


def test_program_over_gf2_holds_modulo_2_only() -> None:
    assert program(strassen().over(GF2)).prove().ring == GF2
    u, v, w = (tuple(tuple(map(abs, row)) for row in getattr(strassen(), axis)) for axis in "uvw")
    signless = Scheme(strassen().problem, Z, u, v, w)
    with pytest.raises(VerificationError):
        program(signless).prove()


@given(st.data())
def test_composition_is_the_recursion(data: st.DataObject) -> None:
    """It computes the product of the formats, and gives the values of the recursion with the products of its ranks."""
    ring = data.draw(st.sampled_from([ZT, GF2, Q]))
    levels = [program(data.draw(schemes([ring], max_size=2))) for _ in range(data.draw(st.integers(1, 3)))]
    whole = compose(levels)
    assert whole.prove().rank == np.prod([level.rank for level in levels])
    assert whole.problem.dims == tuple(np.prod([level.problem.dims for level in levels], axis=0))
    draw = np.random.default_rng(data.draw(st.integers(0, 99)))
    n, m, p = (data.draw(st.integers(1, 9)) for _ in range(3))
    a, b = draw.integers(-9, 9, (n, m)).astype(object), draw.integers(-9, 9, (m, p)).astype(object)
    wanted = a @ b % ring.characteristic if ring.characteristic else a @ b
    assert (multiply([whole], a, b) == wanted).all()
    assert (multiply(levels, a, b) == wanted).all()


def test_composition_counts_the_operations_of_the_recursion() -> None:
    fast, wide = winograd(), program(standard_scheme(matmul(2, 3, 4), ZT))
    # 4 + 4 additions of level 1 on each of 6 and 12 blocks of level 2, 7 on each of 8; level 2 for each of 7 products.
    assert compose([fast, wide]).operations.additions == 4 * 6 + 4 * 12 + 7 * 8 + 7 * wide.operations.additions


@pytest.mark.parametrize(
    "name", ["structured:gt:3", "structured:ss:2", "poly:3x2", "quaternion", "commutative:2x3x2", "structured:ug:3"]
)
def test_any_problem_runs_on_numbers(name: str) -> None:
    problem = parse(name)
    made = (winograd_scheme if problem.commutes else standard_scheme)(problem, ZT)
    draw = np.random.default_rng(5)
    left, right, out = problem.shape
    a = draw.integers(-9, 9, (4, left))
    b = a if problem.commutes else draw.integers(-9, 9, (4, right))
    wanted = np.zeros((4, out), dtype=int)
    for (i, j, k), value in problem.entries:
        wanted[:, k] += value * a[:, i] * b[:, j]
    assert np.array_equal(evaluate(program(made).prove(), a, b), wanted)


def test_integers_wrap_floats_round_objects_are_exact() -> None:
    draw = np.random.default_rng(2)
    a, b = draw.integers(-(2**63), 2**63 - 1, (2, 6, 6))
    assert np.array_equal(multiply([winograd()] * 2, a, b), a @ b)
    x = np.array([[Fraction(i + 1, j + 2) for j in range(3)] for i in range(4)], dtype=object)
    divided = program(divided_strassen())
    assert (multiply([divided], x, x.T) == x @ x.T).all()
    y = draw.standard_normal((5, 5)).astype(np.float32)
    result = multiply([divided], y, y)
    assert result.dtype == np.float32
    assert np.allclose(result, y @ y, atol=1e-4)


@pytest.mark.parametrize(
    ("made", "dtype", "said"),
    [
        (program(divided_strassen()), np.int64, "the program divides, int64 cannot"),
        (program(strassen().over(GF2)), np.float64, "over GF2 takes integers, not float64"),
    ],
)
def test_dtype_that_cannot_carry_the_ring_is_refused(made: Program, dtype: Any, said: str) -> None:
    with pytest.raises(RingError, match=said):
        multiply([made], np.ones((2, 2), dtype), np.ones((2, 2), dtype))


def test_wrong_arguments() -> None:
    one = np.ones((2, 2), int)
    with pytest.raises(InputError, match="3 blocks of the left operand, 4 are needed"):
        execute(winograd(), [one] * 3, [one] * 4)
    with pytest.raises(InputError, match=r"are no \(\.\.\., N, M\)"):
        multiply([], np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(InputError, match="is not a matrix product"):
        multiply([program(standard_scheme(parse("quaternion"), ZT))], one, one)
    with pytest.raises(InputError, match=r"are no \(\.\.\., 4\)"):
        evaluate(winograd(), np.ones(3), np.ones(4))
    with pytest.raises(InputError, match="give at least one"):
        compose([])
    with pytest.raises(InputError, match="give one characteristic"):
        compose([winograd(), program(strassen().over(GF2))])
    with pytest.raises(InputError, match="levels are composed of matrix products"):
        compose([program(standard_scheme(parse("quaternion"), ZT))])
    with pytest.raises(InputError, match="approximate"):
        program(standard_scheme(border(1, matmul(1, 1, 1)), ZT))
    assert commutative(2, 2, 2).commutes


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: LinearProgram(ZT, 2, (((1, 2),),), ()), "step 0: register 2 is not one of the 2"),
        (lambda: LinearProgram(ZT, 2, (), (((1, 0), (1, 0)),)), "output 0: a register stands twice"),
        (lambda: LinearProgram(ZT, 2, (), (((2, 0),),)), "2 is zero or not an element of ZT"),
        (lambda: LinearProgram(GF2, 2, (), (((0, 0),),)), "0 is zero or"),
        (lambda: replace(winograd(), problem=matmul(1, 2, 2)), "has sizes"),
        (lambda: replace(winograd(), left=program(strassen().over(GF3)).left), "over one ring"),
        (lambda: replace(winograd(), out=LinearProgram(ZT, 6, (), ((),) * 4)), "for each product"),
    ],
)
def test_program_that_cannot_be_is_refused(made: Any, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        made()


@given(st.lists(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 3)), max_size=5), max_size=5), st.booleans())
def test_builder_shares_equal_sums_up_to_a_constant(rows: list[list[tuple[int, int]]], modular: bool) -> None:
    ring = GF7 if modular else Z
    builder = Builder(ring, 4)
    reduced = [[(ring.reduce(x), i) for x, i in row] for row in rows]
    written = builder.program([builder.sum(row) for row in reduced])
    wanted = [[sum(x for x, i in row if i == j) for j in range(4)] for row in rows]
    assert [list(row) for row in written.rows] == [[ring.reduce(x) for x in row] for row in wanted]
    lines = {max(tuple(row), tuple(-x for x in row)) for row in wanted if sum(map(bool, row)) > 1}
    assert len(written.steps) <= len(lines)


RINGS: list[tuple[Scheme, Ring | None]] = [
    (strassen(), None),
    (divided_strassen(), None),
    (strassen().over(GF2), GF2),
    (strassen().over(GF3), GF3),
    (standard_scheme(matmul(2, 1, 3), ZT), None),
]


@pytest.mark.parametrize(("scheme", "ring"), RINGS)
def test_files_give_the_program_back(scheme: Scheme, ring: Ring | None) -> None:
    written = program(scheme)
    assert read_program(dump_program(written)) == written
    if ring != GF3:
        assert read_program(dump_reduced(written)) == written
    again = read_slp(dump_slp(written), ring=ring)
    assert again.scheme() == written.scheme()
    assert again.operations.additions == written.operations.additions
    shared = compose([winograd(), winograd()])
    assert read_program(dump_reduced(shared)) == read_program(dump_program(shared)) == shared


def test_reduced_json_states_its_counts() -> None:
    document = json.loads(dump_reduced(winograd()))
    assert document["complexity"] == {"naive": 24, "reduced": 15}
    assert len(document["w"]) == 4


def test_a_tensor_is_embedded() -> None:
    problem = tensor_problem((2, 1, 1), [((0, 0, 0), 3), ((1, 0, 0), -2)])
    written = program(standard_scheme(problem, Z))
    assert read_program(dump_program(written)) == written
    with pytest.raises(InputError, match="reduced JSON holds matrix products"):
        dump_reduced(written)
    lying = dump_program(written).replace("[0, 0, 0, 3]", "[0, 0, 0, 4]")
    with pytest.raises(MalformedError, match="key 'tensor' holds"):
        read_program(lying)


@pytest.mark.parametrize(
    ("old", "new", "error", "said"),
    [
        ('"flipforge-program/1"', '"flipforge-program/9"', FormatError, "known is flipforge-program/1"),
        ('"format"', '"formula"', FormatError, "not a program"),
        ('"problem": "matmul:2x2x2"', '"problem": "matmul:0x2x2"', MalformedError, "problem or ring"),
        ('"ring": "ZT"', '"ring": "R"', MalformedError, "problem or ring: unknown ring"),
        ('"rank": 7', '"rank": -7', MalformedError, "key 'rank'"),
        ('"rank": 7', '"rank": 99999999', MalformedError, "out: 11 sums of 99999999 inputs exceed"),
        ('"steps"', '"stops"', MalformedError, "key 'left' must hold"),
        ("[1, 0]", "[1.5, 0]", MalformedError, "left.steps: a term cannot be read"),
        ("[1, 0]", "[1, 0.0]", MalformedError, "left.steps: a term cannot be read"),
        ("[1, 0]", "[1, 44]", MalformedError, "left: step"),
        ("[1, 0]", "[2, 0]", MalformedError, "left: 2 is not an element of ZT"),
        ("[1, 0]", "[-1, 0]", VerificationError, "wants"),
        ("{", "", MalformedError, "not JSON"),
    ],
)
def test_bad_program_file(old: str, new: str, error: type[FlipforgeError], said: str) -> None:
    text = dump_program(winograd())
    assert old in text
    with pytest.raises(error) as caught:
        read_program(text.replace(old, new, 1))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"n": [2, 2, 2]', '"n": [2, 2]', "key 'n' must hold three sizes"),
        ('"index": 3', '"index": true', "a term cannot be read"),
        ('"index": 3', '"inde": 3', "a term cannot be read"),
        ('"m": 7', '"m": 8', "rows, 8 are needed"),
    ],
)
def test_bad_reduced_file(old: str, new: str, said: str) -> None:
    text = dump_reduced(winograd())
    assert old in text
    with pytest.raises(MalformedError, match=said):
        read_program(text.replace(old, new, 1))


def test_doubling_beyond_any_size_is_malformed() -> None:
    steps = tuple(((2, i),) for i in range(4000))
    one = ((((1, 0),)),)
    chain = LinearProgram(Z, 1, steps, (((1, 4000),),))
    with pytest.raises(MalformedError, match="more than 1000 digits"):
        Program(matmul(1, 1, 1), chain, LinearProgram(Z, 1, (), one), LinearProgram(Z, 1, (), one)).prove()


def test_slp_of_plinopt_style() -> None:
    """Temporaries written twice, brackets, fractions, comments and lines that assign nothing."""
    left = "# a comment\nt1:=i0;\nt1 := -(t1*4 - 2*i1*0)/2 ; tail\no0:=t1;\nnothing"
    found = read_slp((left, "o0:=-i0;", "o0:=i0/2;"), problem=tensor_problem((2, 1, 1), [((0, 0, 0), 1)]))
    assert found.scheme().u == ((-2, 0),)
    assert found.ring == HalfZ


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("o0:=i0*i0;", "L, line 1: a product or quotient of two variables"),
        ("o0:=1/i0;", "two variables"),
        ("o0:=i0/0;", "division by zero"),
        ("o0:=i0+1;", "a constant is added"),
        ("o0:=x;", "'x' has no value yet"),
        ("o0:=(i0;", "a bracket is not closed"),
        ("o0:=i0 $;", "'$' is no part"),
        ("o0:=;", "ends too early"),
        ("o0:=i0);", "')' is not expected"),
        ("o 0:=i0;", "is no variable"),
        ("o1:=i0;", "output o0 is missing"),
        ("o0:=" + "(" * 60 + "i0" + ")" * 60, "nests too deeply"),
        ("o0:=i7;", "input i7 is used, there are 1"),
    ],
)
def test_bad_slp(line: str, said: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_slp((line, "o0:=i0;", "o0:=i0;"), problem=matmul(1, 1, 1))
    assert said in str(caught.value)


def test_slp_of_no_matrix_product() -> None:
    with pytest.raises(InputError, match="are no matrix product"):
        read_slp(("o0:=i1;", "o0:=i0;", "o0:=i0;"))
