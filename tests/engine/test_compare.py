from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flipforge.problems import matmul, tensor_problem
from flipforge.rings import GF2, GF3, ZT, Q, Z
from flipforge.schemes import Scheme, compare, standard_scheme
from flipforge.schemes._compare import matrix_rank
from strategies import equivalents, schemes


def sandwiched(scheme: Scheme) -> Scheme:
    """Change the basis of the inner dimension by an integer shear: another scheme of the same GL orbit."""
    n, m, p = scheme.problem.dims
    u = tuple(
        tuple(row[r * m + j] + (row[r * m] if j == 1 else 0) for r in range(n) for j in range(m)) for row in scheme.u
    )
    v = tuple(
        tuple(row[j * p + c] - (row[p + c] if j == 0 else 0) for j in range(m) for c in range(p)) for row in scheme.v
    )
    return replace(scheme.over(Z), u=u, v=v)


@given(st.data())
def test_permutation_and_rescaling_make_no_difference(data: st.DataObject) -> None:
    scheme = data.draw(schemes())
    outcome = compare(scheme, data.draw(equivalents(scheme)))
    assert outcome.equal
    assert outcome.invariants["a"]["factor_ranks"] == outcome.invariants["b"]["factor_ranks"]


def test_a_change_of_basis_is_undecided() -> None:
    scheme = standard_scheme(matmul(2, 2, 2), Z)
    other = sandwiched(scheme)
    assert other.verdict().valid
    outcome = compare(scheme, other)
    assert not outcome.equal
    assert "undecided" in outcome.reason
    assert outcome.invariants["a"]["nonzeros"] != outcome.invariants["b"]["nonzeros"]


def test_gl_invariants_tell_apart() -> None:
    standard = standard_scheme(matmul(2, 2, 2), Z)
    u = ((1, 0, 0, 1), (-1 + 1, 0, 0, -1), *standard.u[1:])
    split = Scheme(standard.problem, Z, u, (standard.v[0],) * 2 + standard.v[1:], (standard.w[0],) * 2 + standard.w[1:])
    assert split.verdict().valid
    other = Scheme(standard.problem, Z, ((2, 0, 0, 0), (-1, 0, 0, 0), *standard.u[1:]), split.v, split.w)
    assert other.verdict().valid
    outcome = compare(split, other)
    assert not outcome.equal
    assert outcome.reason.startswith("not equivalent under the GL action, because")
    assert "matrices of other ranks" in outcome.reason
    assert outcome.invariants["a"]["factor_ranks"] == {"1,1,1": 8, "2,1,1": 1}
    assert outcome.invariants["b"]["factor_ranks"] == {"1,1,1": 9}
    assert "their ranks differ" in compare(split, standard).reason


def test_flips_count_pairs_of_proportional_factors() -> None:
    invariants = compare(standard_scheme(matmul(2, 3, 4), GF2), standard_scheme(matmul(2, 3, 4), GF2)).invariants["a"]
    assert invariants["distinct_factors"] == {"u": 6, "v": 12, "w": 8}
    assert invariants["flips"] == {"u": 6 * 6, "v": 12 * 1, "w": 8 * 3}
    scheme = Scheme(matmul(1, 2, 1), Q, ((1, 0), (0, Fraction(1, 2))), ((1, 0), (0, 2)), ((1,), (1,)))
    assert compare(scheme, scheme).invariants["a"]["flips"] == {"u": 0, "v": 0, "w": 1}


def test_different_rings_are_told() -> None:
    scheme = standard_scheme(matmul(2, 2, 2), ZT)
    assert "the one over ZT reduces to the other modulo 2" in compare(scheme, scheme.over(GF2)).reason
    assert "the one over ZT reduces to the other modulo 3" in compare(scheme.over(GF3), scheme).reason
    assert "does not reduce to the other modulo 3" in compare(sandwiched(scheme), scheme.over(GF3)).reason
    assert compare(scheme.over(GF2), scheme.over(GF3)).reason == "different rings: GF2 and GF3"
    problem = tensor_problem((1, 1, 1), [((0, 0, 0), 1)])
    halves = Scheme(problem, Q, ((1,), (1,)), ((1,), (1,)), ((Fraction(1, 2),), (Fraction(1, 2),)))
    assert "no residues modulo 2" in compare(halves, standard_scheme(problem, GF2)).reason
    assert not compare(scheme, scheme.over(GF2)).equal


def test_different_problems() -> None:
    outcome = compare(standard_scheme(matmul(2, 2, 3), Z), standard_scheme(matmul(2, 3, 2), Z))
    assert not outcome.equal
    assert "different problems: matmul:2x2x3 and matmul:2x3x2" in outcome.reason


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32), st.sampled_from([0, 2, 3, 7]))
def test_rank_agrees_with_flint(rows: int, columns: int, seed: int, p: int) -> None:
    flint = pytest.importorskip("flint")
    generator = np.random.default_rng(seed)
    entries = generator.integers(0, p, (rows, columns)) if p else generator.integers(-2, 3, (rows, columns))
    matrix = entries.tolist()
    known = flint.nmod_mat(matrix, p) if p else flint.fmpz_mat(matrix)
    assert matrix_rank(matrix, p) == known.rank()
