"""Passes on programs: sharing, transposition, normalisation; each leaves the map as it was, or transposes it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance import divided_strassen, strassen
from flipforge.errors import InputError, MalformedError, VerificationError
from flipforge.problems import Problem, matmul, parse, tensor_problem
from flipforge.programs import Builder, LinearProgram, Operations, Program, compose, program, read_slp
from flipforge.rings import GF2, GF3, GF7, ZT, HalfZ, Q, Ring, Z
from flipforge.schemes import standard_scheme
from flipforge.search import Effort, Seed
from flipforge_codegen.passes import METHODS, normalised, rotated, search_sharing, share, share_part, transposed
from flipforge_codegen.passes._sharing_space import SharingSpace
from flipforge_codegen.passes._sums import Sums
from flipforge_codegen.passes.reference import improve
from strategies import elements, schemes

RINGS = (GF2, GF3, GF7, ZT, Z, HalfZ, Q)


def winograd() -> Program:
    return read_slp(
        (
            "o0:=i0;\no1:=i1;\no5:=i2+i3;\no6:=o5-i0;\no3:=i1-o6;\no2:=i0-i2;\no4:=i3;",
            "o0:=i0;\no1:=i2;\no5:=i1-i0;\no6:=i3-o5;\no3:=i3;\no2:=i3-i1;\no4:=o6-i2;",
            "o0:=i0+i1;\nu:=i0+i6;\nw:=u+i2;\nx:=u+i5;\no1:=x+i3;\no2:=w-i4;\no3:=w+i5;",
        )
    )


def raw(ring: Ring, rows: list[list[Any]]) -> LinearProgram:
    width = len(rows[0])
    sums = tuple(tuple((x, i) for i, x in enumerate(row) if x) for row in rows)
    return LinearProgram(ring, width, (), sums)


def _plain(x: Any) -> Any:
    return int(x) if x == int(x) else x


@st.composite
def maps(draw: st.DrawFn, most: int = 7) -> LinearProgram:
    ring = draw(st.sampled_from(RINGS))
    width = draw(st.integers(1, most))
    few = st.sampled_from([ring.reduce(x) for x in (0, 0, 1, 1, -1)]) | elements(ring).map(_plain)
    row = st.lists(few, min_size=width, max_size=width)
    return raw(ring, draw(st.lists(row, min_size=1, max_size=most)))


@given(maps(), st.integers(0, 2**64 - 1), st.integers(-1, 3), st.sampled_from([0, 30]))
@settings(max_examples=60)
def test_kernel_is_its_plain_twin(part: LinearProgram, seed: int, weight: int, steps: int) -> None:
    sums = Sums.of(part)
    pairs, cost, used = sums.improve(steps=steps, weight=weight, seed=seed)
    again = improve(sums.codes.tolist(), sums.table.tolist(), [], steps=steps, goal=0, weight=weight, seed=seed)
    assert ([tuple(pair) for pair in pairs.tolist()], cost, used) == again
    assert sums.program(pairs).operations.additions <= cost


@given(maps(), st.sampled_from(sorted(METHODS)))
def test_every_method_keeps_the_map_and_adds_nothing(part: LinearProgram, method: str) -> None:
    found = share_part(part, method, steps=50)
    assert found.matrix == part.matrix
    assert found.operations.additions <= part.operations.additions


@given(schemes(max_size=2))
@settings(max_examples=30)
def test_shared_and_normalised_programs_are_proven(scheme: Any) -> None:
    whole = program(scheme)
    for found in (share(whole, "pair"), normalised(whole)):
        assert found.prove().scheme() == whole.scheme()
        assert all(len(output) <= 1 for part in found.parts for output in part.outputs)


def test_normalisation_makes_views_and_merges_multiples() -> None:
    part = raw(Z, [[2, -2, 0], [-1, 1, 0], [0, 0, 5], [0, 0, 0]])
    one = raw(Z, [[1], [1], [1], [1]])
    whole = Program(_tensor(), part, one, raw(Z, [[1, 0, 0, 0], [0, 1, 1, 1]]))
    left = normalised(whole).left
    assert left.steps == (((1, 0), (-1, 1)),)
    assert left.outputs == (((2, 3),), ((-1, 3),), ((5, 2),), ())


def _tensor() -> Problem:
    return tensor_problem((3, 1, 2), [((0, 0, 0), 2), ((1, 0, 0), -2), ((0, 0, 1), -1), ((1, 0, 1), 1), ((2, 0, 1), 5)])


def test_counts_of_the_literature() -> None:
    """Winograd's 15; Strassen's own products have nothing to share; the square 159, as published for 4x4x4."""
    assert share(program(winograd().scheme())).operations == Operations(15, 0, 7)
    assert share(program(strassen())).operations.additions == 18
    square = compose([winograd(), winograd()])
    assert square.operations.additions == 165
    assert share(square).operations.additions <= 159


def test_transpose_helps_where_the_rows_are_few() -> None:
    """Two sums of six equal terms up to signs: forwards and backwards are counted alike."""
    part = raw(ZT, [[1, 1, 1, 1, 1, 1], [1, 1, 1, -1, -1, -1]])
    assert share_part(part, "pair").operations.additions == 6


@given(maps())
def test_transposition_is_tellegens(part: LinearProgram) -> None:
    shared = share_part(part, "pair")
    turned = transposed(shared)
    assert [list(row) for row in turned.rows] == [list(column) for column in zip(*part.rows, strict=True)]
    used_rows = sum(map(any, part.rows))
    used_columns = sum(map(any, zip(*part.rows, strict=True)))
    wanted = shared.operations.additions + used_rows - used_columns
    assert turned.operations.additions <= wanted
    assert transposed(turned).matrix == part.matrix


@given(schemes(max_size=3))
@settings(max_examples=30)
def test_rotation_has_order_three(scheme: Any) -> None:
    whole = program(scheme)
    once = rotated(whole)
    n, m, p = whole.problem.dims
    assert once.problem == matmul(m, p, n)
    assert rotated(rotated(once)).scheme().id == whole.scheme().id


def test_wrong_transposition_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Builder.scaled
    monkeypatch.setattr(Builder, "scaled", lambda self, term, by: honest(self, term, -by))
    with pytest.raises(VerificationError, match="transposition changed"):
        transposed(winograd().out)


def test_wrong_sharing_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Sums.program

    def wrong(self: Sums, pairs: Any) -> LinearProgram:
        found = honest(self, pairs)
        return LinearProgram(found.ring, found.inputs, found.steps, found.outputs[::-1])

    monkeypatch.setattr(Sums, "program", wrong)
    with pytest.raises(VerificationError, match="a pass changed the map"):
        share(program(winograd().scheme()), "pair")


def test_rational_coefficients_are_shared_up_to_constants() -> None:
    part = raw(Q, [[2, 3, 1], [-4, -6, 5], [1, 1, 1]])
    found = share_part(part, "pair")
    assert found.operations.additions == 5
    assert found.matrix == part.matrix
    divided = share(program(divided_strassen())).prove()
    assert divided.operations.additions <= program(divided_strassen()).operations.additions


def test_wrong_arguments() -> None:
    with pytest.raises(InputError, match="unknown method 'best': use one of pair, potential"):
        share(winograd(), "best")
    with pytest.raises(InputError, match="only matrix products are turned"):
        rotated(program(standard_scheme(parse("quaternion"), ZT)))
    wide = raw(ZT, [[1] * 12_000])
    with pytest.raises(InputError, match="too many to share"):
        share_part(wide)


class TestSearch:
    def test_it_finds_what_a_greedy_choice_does_not(self) -> None:
        """A random map over GF(2), on which greedy pairs stop early."""
        draw = np.random.default_rng(5)
        part = raw(GF2, draw.integers(0, 2, (24, 12)).tolist())
        ones = raw(GF2, [[1]] * 24)
        problem = _problem_of(part)
        whole = Program(problem, part, ones, raw(GF2, np.eye(24, dtype=int).tolist()))
        greedy = share(whole, "pair").left.operations.additions
        found = search_sharing(whole, steps=4_000, seed=1)
        assert found.prove().left.operations.additions < greedy
        assert search_sharing(whole, steps=4_000, seed=1) == found

    def test_walks_are_pure_and_states_come_back(self) -> None:
        space = SharingSpace(winograd(), 2)
        state = space.start(Seed(3))
        assert space.score(state) == (7,)
        effort = Effort(steps=300, path=100, goal=0, idle=1, band=0)
        first, second = (space.walk(state, effort, Seed(1, (2,))) for _ in range(2))
        assert np.array_equal(first.state, second.state)
        assert first.steps >= 300
        assert not first.reached
        assert space.key(space.decode(space.encode(state))) == space.key(state)
        assert np.array_equal(space.state(space.scheme(state)), state)
        assert space.certify(state).kind == "brent"
        with pytest.raises(MalformedError):
            space.decode(b"12345")


def _problem_of(part: LinearProgram) -> Problem:
    entries = [((i, 0, q), 1) for q, row in enumerate(part.rows) for i, x in enumerate(row) if x]
    return tensor_problem((part.inputs, 1, len(part.outputs)), entries)
