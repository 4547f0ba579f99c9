"""Equations over the integers: solved, or proved to have no solution, and the lattice of those without right side."""

from fractions import Fraction
from itertools import combinations
from math import gcd
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge.errors import InputError
from flipforge.exact import Sparse, integer_kernel, rank, solve_integers

System = tuple[list[list[int]], list[int]]


@st.composite
def systems(draw: st.DrawFn) -> System:
    m, n = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    row = st.lists(st.integers(-6, 6), min_size=n, max_size=n)
    right = st.lists(st.integers(-20, 20), min_size=m, max_size=m)
    return draw(st.lists(row, min_size=m, max_size=m)), draw(right)


def divisor(table: list[list[int]]) -> tuple[int, int]:
    """Return the rank and the greatest common divisor of all minors of that size, by sympy."""
    matrix = sympy.Matrix(table)
    r = matrix.rank()
    rows, columns = (list(combinations(range(size), r)) for size in matrix.shape)
    return r, gcd(*(int(matrix.extract(list(a), list(b)).det()) for a in rows for b in columns))


@given(systems())
@settings(max_examples=60)
def test_a_solution_or_a_proof_that_there_is_none(system: System) -> None:
    table, right = system
    solution = solve_integers(table, right)
    # A solution exists iff b as a further column changes neither rank nor divisor (Heger 1858, Smith 1861).
    solvable = divisor(table) == divisor([[*row, x] for row, x in zip(table, right, strict=True)])
    assert (solution.values is not None) == solvable
    matrix: Any = np.array(table, dtype=object)
    if solution.values is not None:
        assert all(type(x) is int for x in solution.values) and (matrix @ solution.values == right).all()
    else:
        assert solution.dual is not None
        assert all(x.denominator == 1 for x in solution.dual @ matrix)
        assert (solution.dual @ np.array(right, dtype=object)).denominator > 1


@given(systems())
@settings(max_examples=30)
def test_the_kernel_is_all_of_it(system: System) -> None:
    table, _ = system
    basis = integer_kernel(table)
    n = len(table[0])
    assert basis.shape == (n - rank(table, 0), n)
    assert not len(basis) or not (np.array(table, dtype=object) @ basis.T).any()
    # It holds all integers of its span: its largest minors have no common divisor.
    assert not len(basis) or divisor(basis.tolist()) == (len(basis), 1)


def test_numbers_of_any_size_and_sparse_matrices() -> None:
    large = 10**40
    assert solve_integers([[large, large + 1]], [7]).values is not None
    x = solve_integers(Sparse((2, 2), [0, 1, 1], [0, 0, 1], [2, 1, 5]), np.array([4, 12])).values
    assert x is not None and x.tolist() == [2, 2]
    assert solve_integers(np.zeros((0, 2), dtype=int), []).values is not None
    assert solve_integers(np.zeros((2, 0), dtype=int), [0, 0]).values is not None
    assert solve_integers(np.zeros((2, 0), dtype=int), [0, 1]).dual is not None
    assert integer_kernel([[1, 0], [0, 1]]).shape == (0, 2)


def test_what_is_no_system_of_integers() -> None:
    with pytest.raises(InputError, match="has 1 rows, the matrix 2"):
        solve_integers([[1], [2]], [1])
    with pytest.raises(InputError, match="integers alone"):
        solve_integers(np.array([[Fraction(1, 2)]], dtype=object), [1])
    with pytest.raises(InputError, match="use integers or fractions"):
        solve_integers([[0.5]], [1])
