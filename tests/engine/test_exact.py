"""Exact linear algebra: one suite over every back end and field, beside galois and sympy."""

from fractions import Fraction
from typing import Any

import galois
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from flipforge import exact
from flipforge.errors import InputError

Array = NDArray[Any]

FIELDS = (0, 2, 3, 7, 2**61 - 1)


def backends(p: int) -> list[str]:
    return [name for name, make in exact.BACKENDS.items() if make().supports(p)]


CASES = [(name, p) for p in FIELDS for name in backends(p)]
each_case = pytest.mark.parametrize(("backend", "p"), CASES)


def entries(p: int) -> st.SearchStrategy[int | Fraction]:
    if p:
        return st.integers(-3, 3) | st.integers(0, p - 1)
    fractions = st.fractions(min_value=-5, max_value=5, max_denominator=6)
    return st.integers(-3, 3) | st.integers(-(10**20), 10**20) | fractions


@st.composite
def matrices(draw: st.DrawFn, p: int, most: int = 7) -> Array:
    """Matrices of every shape, empty ones included; many are products, so that the rank is not full."""
    m, n, inner = (draw(st.integers(0, most)) for _ in range(3))

    def table(rows: int, columns: int) -> Array:
        array = np.empty((rows, columns), dtype=object)
        values = st.just(0) | entries(p)
        array.flat[:] = draw(st.lists(values, min_size=rows * columns, max_size=rows * columns))
        return array

    if draw(st.booleans()) or not inner:
        return plain(table(m, n))
    return plain(times(table(m, inner), table(inner, n)))


def plain(array: Array) -> Array:
    numbers = [int(x) if x.denominator == 1 else Fraction(x) for x in array.flat]
    result = np.empty(array.shape, dtype=object)
    result.flat[:] = numbers
    return result


def times(left: Array, right: Array, p: int = 0) -> Array:
    """The product in plain Python numbers."""
    product = np.zeros((left.shape[0], right.shape[1]), dtype=object)
    if left.shape[1]:
        product = left.astype(object) @ right.astype(object)
    return product % p if p else product


def check(f: exact.Factorisation, a: Array, p: int) -> None:
    """What a factorisation says of itself is so."""
    n = a.shape[1]
    r = f.rank
    a = a % p if p else a
    one = np.eye(r, dtype=int)
    minor = a[np.ix_(f.rows, f.columns)]
    assert (times(minor, f.inverse(), p) == one).all()
    assert (times(f.inverse(), minor, p) == one).all()
    reduced = f.echelon()
    kinds = {type(x) for array in (f.inverse(), reduced, f.null_space()) for x in array.flat}
    assert kinds <= ({np.int64} if p else {int, Fraction})
    assert all(type(x) is int or x.denominator > 1 for x in f.inverse().flat if not p)
    assert reduced.shape == (r, n)
    assert (reduced[:, f.columns] == one).all()
    assert (times(a[:, f.columns], reduced, p) == a).all()
    kernel = f.null_space()
    assert kernel.shape == (n - r, n)
    assert not times(a, kernel.T, p).any()
    free = np.setdiff1d(np.arange(n), f.columns)
    assert (kernel[:, free] == np.eye(n - r, dtype=int)).all()


@each_case
@settings(max_examples=60)
@given(data=st.data())
def test_parts_of_a_factorisation(backend: str, p: int, data: st.DataObject) -> None:
    a = data.draw(matrices(p).map(lambda a: a % p if p else a))
    order = data.draw(st.permutations(range(a.shape[1])) | st.none())
    f = exact.factor(a, p, order=order, backend=backend)
    check(f, a, p)
    # The minor's columns are those that depend on none before them in the order.
    chosen = list(range(a.shape[1])) if order is None else order
    ranks = [exact.factor(a[:, chosen[:k]], p, backend="plain").rank for k in range(a.shape[1] + 1)]
    assert f.columns.tolist() == [chosen[k] for k in range(a.shape[1]) if ranks[k + 1] > ranks[k]]


@each_case
@settings(max_examples=60)
@given(data=st.data())
def test_solve_or_prove_that_there_is_no_solution(backend: str, p: int, data: st.DataObject) -> None:
    a = data.draw(matrices(p))
    m, n = a.shape
    b = plain(times(a, np.array([[1, 2]] * n, dtype=object).reshape(n, 2)))
    changed = data.draw(st.integers(0, 1))
    if m:
        b[data.draw(st.integers(0, m - 1)), changed] += data.draw(st.integers(0, 1))
    if not p:
        b = plain(b * data.draw(st.sampled_from([1, Fraction(1, 6)])))
    solution = exact.factor(a, p, backend=backend).solve(b)
    if solution.values is not None:
        assert solution.dual is None
        assert solution.values.shape == (n, 2)
        left = times(a, solution.values, p) - b
        assert not (left % p if p else left).any()
        single = exact.factor(a, p, backend=backend).solve(b[:, 0]).values
        assert single is not None
        assert (single == solution.values[:, 0]).all()
    else:
        assert solution.dual is not None
        assert solution.column == changed
        y = solution.dual[None, :]
        assert not times(y, a, p).any()
        assert times(y, b[:, [changed]], p).any()


SHAPES = [
    (0, 0),
    (0, 5),
    (5, 0),
    (1, 1),
    (1, 200),
    (200, 1),
    (64, 64),
    (63, 65),
    (65, 63),
    (128, 192),
    (130, 40),
    (40, 130),
]


@pytest.mark.parametrize("p", [2, 3])
@pytest.mark.parametrize(("m", "n"), SHAPES)
@pytest.mark.parametrize("density", [0.03, 1])
def test_packed_kernels_do_as_their_plain_twin(p: int, m: int, n: int, density: float) -> None:
    """The same rows in the same order, and columns, so the same triangles; then the same answers."""
    rng = np.random.default_rng([p, m, n])
    for inner in (min(m, n) // 3, min(m, n) + 5):
        a = rng.integers(0, p, (m, inner)) @ (rng.integers(0, p, (inner, n)) * (rng.random((inner, n)) < density)) % p
        ours, plainly = (exact.factor(a, p, backend=name) for name in ("packed", "plain"))
        assert ours.rows.tolist() == plainly.rows.tolist()
        assert ours.columns.tolist() == plainly.columns.tolist()
        if m * n < 9000:
            check(ours, a, p)
            right = np.concatenate([a @ rng.integers(0, p, (n, 70)), rng.integers(0, p, (m, 3))], axis=1)
            for b in (right[:, :70], right[:, 0], right[:, 70], right):
                one, other = ours.solve(b), plainly.solve(b)
                assert one.column == other.column
                for mine, theirs in ((one.values, other.values), (one.dual, other.dual)):
                    assert (mine is None) == (theirs is None)
                    assert mine is None or (mine == theirs).all()


@pytest.mark.parametrize("p", [2, 3])
def test_rows_of_several_blocks(p: int) -> None:
    """Rows longer than the kernel's block of words."""
    rng = np.random.default_rng(7)
    a = rng.integers(0, p, (300, 150)) @ rng.integers(0, p, (150, 4500)) % p
    f = exact.factor(a, p)
    assert f.rank == exact.factor(a[:, ::-1], p).rank == exact.factor(a.T, p).rank == 150
    assert (exact.multiply(a[:, f.columns], f.echelon()) % p == a).all()
    assert (f.inverse() @ a[np.ix_(f.rows, f.columns)] % p == np.eye(150)).all()


@each_case
def test_sparse_and_dense_agree(backend: str, p: int) -> None:
    rng = np.random.default_rng(5)
    m, n = 9, 12
    rows, columns, values = rng.integers(0, m, 30), rng.integers(0, n, 30), rng.integers(-3, 4, 30)
    sparse = exact.Sparse((m, n), rows, columns, values)
    dense = np.zeros((m, n), dtype=int)
    for i, j, x in zip(rows, columns, values, strict=True):
        dense[i, j] += x
    assert (sparse.dense() == dense).all()
    order = rng.permutation(n).tolist()
    f, g = (exact.factor(a, p, order=order, backend=backend) for a in (sparse, dense))
    check(f, dense.astype(object), p)
    assert (f.columns == g.columns).all()
    assert (exact.echelon(sparse, p) == exact.echelon(dense, p)).all()
    right = rng.integers(-5, 6, (n, 3))
    assert (exact.multiply(sparse, right) == dense @ right).all()
    for k in range(m):
        unit = np.eye(m, dtype=int)[k]
        answers = [h.solve(unit).dual for h in (f, g)]
        assert (answers[0] is None) == (answers[1] is None)
        if answers[0] is not None:
            assert not times(answers[0][None], dense, p).any()


@pytest.mark.parametrize("p", [2, 3, 7])
def test_beside_galois(p: int) -> None:
    field = galois.GF(p, compile="python-calculate")
    rng = np.random.default_rng(p)
    for m, n, r in ((5, 5, 5), (12, 30, 12), (30, 12, 7), (20, 20, 11)):
        a = rng.integers(0, p, (m, r)) @ rng.integers(0, p, (r, n)) % p
        theirs = field(a)
        assert exact.rank(a, p) == np.linalg.matrix_rank(theirs)
        reduced = theirs.row_reduce().view(np.ndarray)
        assert (exact.echelon(a, p) == reduced[reduced.any(axis=1)]).all()
        # The same space: as large, and inside.
        kernel = exact.null_space(a, p)
        assert kernel.shape == theirs.null_space().shape
    a = rng.integers(0, p, (20, 20))
    while exact.rank(a, p) < 20:
        a = rng.integers(0, p, (20, 20))
    assert (exact.inverse(a, p) == np.linalg.inv(field(a)).view(np.ndarray)).all()


def numbers(matrix: Any) -> list[list[Fraction]]:
    return [[Fraction(int(x.p), int(x.q)) for x in row] for row in matrix.tolist()]


def test_beside_sympy() -> None:
    rng = np.random.default_rng(1)
    for m, n, r in ((3, 3, 3), (4, 7, 3), (7, 4, 2)):
        a = rng.integers(-9, 10, (m, r)) @ rng.integers(-9, 10, (r, n))
        reduced, pivots = sympy.Matrix(a.tolist()).rref()
        assert exact.rank(a, 0) == len(pivots)
        assert exact.echelon(a, 0).tolist() == numbers(reduced)[: len(pivots)]
    a = np.array([[Fraction(1, 2), 3], [5, Fraction(-7, 11)]], dtype=object)
    theirs = sympy.Matrix([[sympy.Rational(x.numerator, x.denominator) for x in row] for row in a])
    assert exact.inverse(a, 0).tolist() == numbers(theirs.inv())


def test_rank_depends_on_the_field() -> None:
    a = [[2, 0], [0, 3]]
    assert [exact.rank(a, p) for p in (0, 2, 3, 5)] == [2, 1, 1, 2]


def test_a_prime_that_divides_a_minor_is_left_for_another() -> None:
    for many in (2**40, 2**31 - 19):
        a = np.array([[1, 0, 2], [0, (2**31 - 1) * many, 0]], dtype=object)
        for matrix in (a, a.T):
            f = exact.factor(matrix, 0, backend="dixon")
            check(f, matrix, 0)
            assert f.rank == 2


def test_large_products_are_exact() -> None:
    for bits in (20, 26, 31, 40, 70):
        a = np.array([[2**bits - 1] * 3] * 2, dtype=object)
        expected = 3 * (2**bits - 1) ** 2
        small = a if bits > 62 else a.astype(np.int64)
        assert exact.multiply(small, small.T).tolist() == [[expected] * 2] * 2
        if bits < 63:
            sparse = exact.Sparse((2, 3), [0, 0, 0, 1, 1, 1], [0, 1, 2] * 2, small.ravel())
            assert exact.multiply(sparse, small.T).tolist() == [[expected] * 2] * 2
    assert exact.multiply(np.array([[-(2**63)]]), np.array([[2]])).tolist() == [[-(2**64)]]


@pytest.mark.parametrize(
    ("matrix", "p", "match"),
    [
        ([[0.5]], 2, "use integers or fractions"),
        ([[True]], 2, "use integers or fractions"),
        ([1, 2], 2, "1 axes where 2"),
        ([[1]], 4, "4 is not a prime"),
        ([[1]], 1, "1 is not a prime"),
        ([[1]], -3, "-3 is not a prime"),
        ([[1]], 2**89 - 1, "below 2\\*\\*63"),
        ([[Fraction(1, 2)]], 2, "divisible by 2"),
        (np.array([["a"]], dtype=object), 2, "other things"),
    ],
)
def test_bad_matrices(matrix: Any, p: int, match: str) -> None:
    with pytest.raises(InputError, match=match):
        exact.factor(matrix, p)


def test_bad_arguments() -> None:
    with pytest.raises(InputError, match="not a permutation of the 2 columns"):
        exact.factor([[1, 0]], 2, order=[0, 0])
    with pytest.raises(InputError, match=r"unknown back end 'm4ri': use one of"):
        exact.factor([[1]], 2, backend="m4ri")
    with pytest.raises(InputError, match="3 rows, the matrix 1"):
        exact.solve([[1]], [1, 2, 3], 2)
    with pytest.raises(InputError, match="rank 1 has no inverse"):
        exact.inverse([[1, 1], [1, 1]], 2)
    with pytest.raises(InputError, match="shape 1 x 2 and rank 1"):
        exact.inverse([[1, 1]], 2)
    with pytest.raises(InputError, match="outside"):
        exact.Sparse((2, 2), [2], [0], [1])
    with pytest.raises(InputError, match="differ in length"):
        exact.Sparse((2, 2), [1], [0, 0], [1])
    with pytest.raises(InputError, match="below 2"):
        exact.Sparse((2, 2), [1], [0], [2**64])
