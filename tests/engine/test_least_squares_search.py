"""Searches over Q: least squares find schemes in numbers, what is kept is exact and can be made again."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import flipforge
from flipforge import api
from flipforge.errors import MalformedError, ProblemError, RingError
from flipforge.problems import matmul, parse, tensor_problem
from flipforge.rings import GF2, Q
from flipforge.schemes import Scheme, standard_scheme
from flipforge.search import Effort, LeastSquaresSpace, Seed

ONE_STEP = Effort(steps=1, path=1, goal=7, idle=1, band=0)


def dense(scheme: Scheme) -> np.ndarray[Any, np.dtype[np.object_]]:
    """Sum of all products, by numpy on fractions."""
    u, v, w = (np.array([[Fraction(x) for x in row] for row in rows]) for rows in (scheme.u, scheme.v, scheme.w))
    total: np.ndarray[Any, np.dtype[np.object_]] = np.einsum("ri,rj,rk->ijk", u, v, w)
    return total


def test_a_search_over_q_finds_what_needs_one_half_and_replays(tmp_path: Path) -> None:
    db = tmp_path / "c.db"
    found = flipforge.search("structured:ss:2", "Q", target_rank=5, seed=1, workers=1, max_flips=20, db=db)
    assert (found.rank, found.target_reached, found.ring) == (5, True, "Q") and found.scheme
    scheme = flipforge.load(found.scheme, db=db)
    # Over Z the rank is 6: an odd denominator would give a scheme over GF(2) too.
    assert scheme.ring.name in ("Z[1/2]", "Q")
    expected = np.zeros(scheme.problem.shape, dtype=object)
    for index, value in scheme.problem.entries:
        expected[index] = Fraction(value)
    assert (dense(scheme) == expected).all()
    assert api.replay_scheme(found.scheme, db=db).scheme == found.scheme


def test_without_a_target_the_rank_goes_down_step_by_step(tmp_path: Path) -> None:
    found = flipforge.search("matmul:2x2x2", "Q", seed=3, workers=1, max_flips=8, db=tmp_path / "c.db")
    assert found.rank == 7


def test_a_run_goes_on_and_a_family_is_searched(tmp_path: Path) -> None:
    db = tmp_path / "c.db"
    begun = flipforge.search("matmul:2x2x2", "Q", target_rank=6, seed=1, workers=1, max_flips=3, db=db)
    assert begun.target_reached is False and begun.run
    gone_on = api.resume(begun.run, max_flips=5, db=db)
    assert (gone_on.flips, gone_on.target_reached) == (5, False)
    family = api.search_family("matmul:1..2x2x2", "Q", seed=1, workers=1, max_flips=30, db=db)
    assert {row["problem"]: row["rank"] for row in family.rows} == {"matmul:1x2x2": 4, "matmul:2x2x2": 7}


def test_a_walk_is_a_pure_function_of_its_arguments() -> None:
    space = LeastSquaresSpace(matmul(2, 2, 2), aim=7)
    start = space.start(Seed(0))
    once, twice = (space.walk(start, ONE_STEP, Seed(5, (1,))) for _ in range(2))
    assert once.reached and once.steps == 1 and once.state.rank == 7
    assert space.key(once.state) == space.key(twice.state)
    assert space.decode(space.encode(once.state)) == once.state
    assert space.score(once.state)[0] < space.score(start)[0]
    assert space.certify(once.state).statement["rank"] == 7
    with pytest.raises(MalformedError, match="no scheme of matmul:2x2x2"):
        space.decode(b"[]")


def test_no_step_is_made_below_what_the_tensor_needs() -> None:
    space = LeastSquaresSpace(matmul(2, 2, 2))
    ended = space.walk(space.start(Seed(0)), Effort(3, 3, 3, 1, 0), Seed(0))
    assert (ended.steps, ended.reached) == (0, False)


def test_coordinates_that_always_come_together_need_no_products_of_their_own() -> None:
    """(x1 + x2) y z has two coordinates on an axis, and rank 1."""
    problem = tensor_problem((2, 1, 1), [((0, 0, 0), 1), ((1, 0, 0), 1)])
    space = LeastSquaresSpace(problem)
    ended = space.walk(space.start(Seed(0)), Effort(3, 3, 1, 1, 0), Seed(0))
    assert (ended.reached, ended.state.rank) == (True, 1)


def test_what_least_squares_cannot_search_is_refused() -> None:
    with pytest.raises(RingError, match="not GF2"):
        LeastSquaresSpace(matmul(2, 2, 2), GF2)
    with pytest.raises(ProblemError, match="are for bilinear problems"):
        LeastSquaresSpace(parse("commutative:2x2x2"))
    with pytest.raises(ProblemError, match="has 400 products or more, least squares take up to 2"):
        LeastSquaresSpace(matmul(20, 20, 20))
    with pytest.raises(RingError, match="leave --symmetry out"):
        flipforge.search("matmul:2x2x2", "Q", symmetry="Z3", db=":memory:")
    space = LeastSquaresSpace(matmul(2, 2, 2))
    with pytest.raises(ProblemError, match="lift it to Q first"):
        space.state(standard_scheme(matmul(2, 2, 2), GF2))
    with pytest.raises(ProblemError, match="not of matmul:2x2x2"):
        space.state(standard_scheme(matmul(2, 2, 3), Q))
