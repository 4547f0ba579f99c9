"""The general reduction: against a plain-Python twin, and what it must find and keep."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from flipforge.errors import InputError
from flipforge.flips import reduce_products
from flipforge.problems import matmul
from flipforge.rings import GF2, GF3, GF5, GF7, ZT, Ring
from flipforge.schemes import Scheme, standard_scheme
from flipforge.search import Effort, FlipSpace, Seed
from strategies import schemes

Rows = list[list[int]]
Factors = tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int8]]

MODULI = (2, 3, 5, 7, 0)
WALKED = (GF2, GF3, GF5, GF7, ZT)


def arrays(scheme: Scheme) -> Factors:
    u, v, w = (np.array(rows, dtype=np.int8) for rows in (scheme.u, scheme.v, scheme.w))
    return u, v, w


def dense(u: NDArray[np.int8], v: NDArray[np.int8], w: NDArray[np.int8], p: int) -> NDArray[np.int64]:
    total: NDArray[np.int64] = np.einsum("ri,rj,rk->ijk", *(factor.astype(np.int64) for factor in (u, v, w)))
    return total % p if p else total


# The twin: lists, fractions and residues, no elimination shared with the kernel.


def _solve(columns: Rows, target: list[int], p: int) -> list[Any] | None:
    """Coefficients that make the independent columns the target, or None."""
    rows: list[list[Any]] = [[*map(_exact(p), entries)] for entries in zip(*columns, target, strict=True)]
    for column in range(len(columns)):
        at = next(i for i in range(column, len(rows)) if _value(rows[i][column], p))
        rows[column], rows[at] = rows[at], rows[column]
        scale = rows[column][column]
        rows[column] = [_value(_over(x, scale, p), p) for x in rows[column]]
        for i, row in enumerate(rows):
            if i != column:
                rows[i] = [_value(x - row[column] * y, p) for x, y in zip(row, rows[column], strict=True)]
    if any(row[-1] for row in rows[len(columns) :]):
        return None
    return [row[-1] for row in rows[: len(columns)]]


def _exact(p: int) -> Callable[[int], Any]:
    return int if p else Fraction


def _value(x: Any, p: int) -> Any:
    return x % p if p else x


def _over(x: Any, y: Any, p: int) -> Any:
    return x * pow(int(y), -1, p) if p else x / y


def _lead(row: list[int]) -> int:
    return next(x for x in row if x)


def _group(x: Rows, p: int) -> dict[tuple[Any, ...], list[int]]:
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place, row in enumerate(x):
        if not any(row):
            continue
        key = tuple(_value(_over(_exact(p)(entry), _lead(row), p), p) for entry in row)
        groups.setdefault(key, []).append(place)
    return groups


def _without(scheme: list[Rows], axes: tuple[int, int, int], relation: dict[int, Any], gone: int, p: int) -> bool:
    """Drop a product: its y is minus the others' by the relation."""
    x, _, z = (scheme[axis] for axis in axes)
    changed = {}
    for i, weight in relation.items():
        times = _value(_over(-weight * _lead(x[gone]), relation[gone] * _lead(x[i]), p), p)
        if i != gone:
            changed[i] = [_value(entry + times * other, p) for entry, other in zip(z[i], z[gone], strict=True)]
            if not p and any(entry not in (-1, 0, 1) for entry in changed[i]):
                return False
    for i, row in changed.items():
        z[i] = [int(entry) for entry in row]
    _drop(scheme, gone)
    return True


def _drop(scheme: list[Rows], place: int) -> None:
    for rows in scheme:
        del rows[place]


def _bury(scheme: list[Rows]) -> None:
    for place in reversed(range(len(scheme[0]))):
        if not all(any(rows[place]) for rows in scheme):
            _drop(scheme, place)


def _shrink(scheme: list[Rows], axes: tuple[int, int, int], group: list[int], p: int) -> bool:
    y = scheme[axes[1]]
    for order in (group, group[::-1]):
        basis: list[int] = []
        for turn, place in enumerate(order):
            found = _solve([y[b] for b in basis], y[place], p)
            if found is None:
                basis.append(place)
                continue
            relation = {b: -x for b, x in zip(basis, found, strict=True) if x} | {place: 1}
            for gone in reversed(order[: turn + 1]):
                if gone in relation and _without(scheme, axes, relation, gone, p):
                    return True
    return False


def twin(u: NDArray[np.int8], v: NDArray[np.int8], w: NDArray[np.int8], p: int) -> list[Rows]:
    scheme = [factor.tolist() for factor in (u, v, w)]
    _bury(scheme)
    rank = -1
    while rank != len(scheme[0]):
        rank = len(scheme[0])
        for axis in range(3):
            for key in list(_group(scheme[axis], p)):
                for axes in ((axis, (axis + 1) % 3, (axis + 2) % 3), (axis, (axis + 2) % 3, (axis + 1) % 3)):
                    while _shrink(scheme, axes, _group(scheme[axis], p).get(key, []), p):
                        _bury(scheme)
    return scheme


@st.composite
def planted(draw: st.DrawFn) -> tuple[Factors, Factors, int, int]:
    """A scheme, the same with dependences planted among products that share a factor, the modulus, and the rank."""
    scheme = draw(schemes(rings=WALKED, max_size=3))
    p = scheme.ring.characteristic
    before = arrays(scheme)
    # What goes into the plant must not be reducible itself, or the rank says nothing.
    rows = [factor.tolist() for factor in before]
    for _ in range(draw(st.integers(1, 3)) if p else 1):
        axis = draw(st.integers(0, 2))
        turn = draw(st.sampled_from([1, 2]))
        _plant(draw, [rows[axis], rows[(axis + turn) % 3], rows[(axis - turn) % 3]], p)
    order = draw(st.permutations(range(len(rows[0]))))
    u, v, w = (np.array([factor[i] for i in order], dtype=np.int8) for factor in rows)
    return before, (u, v, w), p, scheme.rank


def _plant(draw: st.DrawFn, roles: list[Rows], p: int) -> None:
    """Add one product whose y is a combination of those of a group, and take as much off their z."""
    x, y, z = roles
    group = draw(st.sampled_from(sorted(_group(x, p).values())))
    unit = st.integers(1, p - 1) if p else st.sampled_from([1, -1])
    weights = {i: draw(unit) for i in group}
    extra = draw(st.lists(st.integers(0, p - 1) if p else st.integers(-1, 1), min_size=len(z[0]), max_size=len(z[0])))
    top = [sum(weight * y[i][k] for i, weight in weights.items()) for k in range(len(y[0]))]
    rest = {
        i: [
            entry - weight * _lead(x[group[0]]) * _over(1, _lead(x[i]), p) * e
            for entry, e in zip(z[i], extra, strict=True)
        ]
        for i, weight in weights.items()
    }
    made = [top, extra, *rest.values()]
    made = [[int(_value(entry, p)) for entry in row] for row in made]
    if not all(any(row) for row in made) or (not p and any(abs(entry) > 1 for row in made for entry in row)):
        return
    for i, row in zip(rest, made[2:], strict=True):
        z[i] = row
    x.append(list(x[group[0]]))
    y.append(made[0])
    z.append(made[1])


@settings(max_examples=150)
@given(planted())
def test_it_takes_planted_dependences_away_and_keeps_the_tensor(case: tuple[Factors, Factors, int, int]) -> None:
    before, after, p, rank = case
    assert np.array_equal(dense(*before, p), dense(*after, p))
    left = reduce_products(*after, p)
    assert len(left[0]) <= rank
    assert np.array_equal(dense(*left, p), dense(*after, p))


@settings(max_examples=150)
@given(planted())
def test_the_kernel_equals_its_twin(case: tuple[Factors, Factors, int, int]) -> None:
    _, after, p, _ = case
    assert [factor.tolist() for factor in reduce_products(*after, p)] == twin(*after, p)


@st.composite
def tangles(draw: st.DrawFn) -> tuple[Factors, int]:
    """Any products at all, few enough factors that groups are large and much depends."""
    p = draw(st.sampled_from(MODULI))
    entry = st.integers(0, p - 1) if p else st.integers(-1, 1)
    rank = draw(st.integers(0, 12))
    sizes = draw(st.tuples(st.integers(1, 2), st.integers(1, 5), st.integers(1, 5)))
    turn = draw(st.integers(0, 2))
    factors = [
        np.array(draw(st.lists(entry, min_size=rank * n, max_size=rank * n)), np.int8).reshape(rank, n) for n in sizes
    ]
    u, v, w = (factors[(axis + turn) % 3] for axis in range(3))
    return (u, v, w), p


@settings(max_examples=300)
@given(tangles())
def test_tangles(case: tuple[Factors, int]) -> None:
    factors, p = case
    copies = [factor.copy() for factor in factors]
    left = reduce_products(*factors, p)
    assert all(np.array_equal(*pair) for pair in zip(factors, copies, strict=True))
    assert [factor.tolist() for factor in left] == twin(*factors, p)
    assert np.array_equal(dense(*left, p), dense(*factors, p))
    again = reduce_products(*left, p)
    assert all(np.array_equal(*pair) for pair in zip(left, again, strict=True))
    if p:
        _nothing_depends(left, p)


def _nothing_depends(left: Factors, p: int) -> None:
    """Every group has independent factors on both other axes."""
    rows = [factor.tolist() for factor in left]
    for axis in range(3):
        for group in _group(rows[axis], p).values():
            for other in ((axis + 1) % 3, (axis + 2) % 3):
                for turn, place in enumerate(group):
                    assert _solve([rows[other][i] for i in group[:turn]], rows[other][place], p) is None


@pytest.mark.parametrize("p", MODULI)
def test_a_dependence_of_four_without_two_equal_factors(p: int) -> None:
    # b_4 = b_1 + b_2 + b_3 with one a and independent c: no flip makes a zero at once.
    u = np.ones((4, 1), np.int8)
    v = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], np.int8)
    w = np.eye(4, dtype=np.int8)
    left = reduce_products(u, v, w, p)
    assert left[1].tolist() == v[:3].tolist()
    assert left[2].tolist() == [[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]]


def test_ternary_takes_another_product_where_the_last_would_leave_twos() -> None:
    # v_3 = v_1 + v_2; dropping the third needs w_1 + w_3 = 2, dropping the second leaves w_3 + w_2 and w_1 - w_2.
    u = np.ones((3, 1), np.int8)
    v = np.array([[1, 0], [0, 1], [1, 1]], np.int8)
    w = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1]], np.int8)
    left = reduce_products(u, v, w, 0)
    assert [factor.tolist() for factor in left] == [[[1], [1]], [[1, 0], [1, 1]], [[1, -1, 0], [1, 1, 1]]]


def test_ternary_leaves_what_no_ternary_scheme_can_be() -> None:
    u, v, w = np.ones((2, 1), np.int8), np.ones((2, 1), np.int8), np.array([[1, 1], [1, 0]], np.int8)
    assert len(reduce_products(u, v, w, 0)[0]) == 2
    assert len(reduce_products(u, v, w, 3)[0]) == 1


def test_ternary_dependence_with_a_half_is_taken_by_its_double() -> None:
    # v_1 + v_2 = 2 v_3: v_3 has halves, v_1 = 2 v_3 - v_2 has not, and w_3 + 2 w_1 is ternary.
    u = np.ones((3, 1), np.int8)
    v = np.array([[1, 1], [1, -1], [1, 0]], np.int8)
    w = np.array([[1, 0], [0, 1], [-1, 0]], np.int8)
    left = reduce_products(u, v, w, 0)
    assert left[0].tolist() == [[1], [1]]
    assert np.array_equal(dense(*left, 0), dense(u, v, w, 0))


def test_the_standard_algorithm_has_no_reduction() -> None:
    ring: Ring
    for ring in WALKED:
        factors = arrays(standard_scheme(matmul(3, 2, 4), ring))
        left = reduce_products(*factors, ring.characteristic)
        assert all(np.array_equal(*pair) for pair in zip(factors, left, strict=True))


def test_bad_input_is_named() -> None:
    good = np.ones((2, 3), np.int8)
    for arguments, words in (
        ((good, good, good, 4), "modulus 4"),
        ((good, good[:1], good, 2), "v has 1"),
        ((good, good, good * 2, 2), "w holds 2 to 2"),
        ((good, good, -good, 3), "w holds -1 to -1"),
        ((good, good.astype(np.int64), good, 2), "v must be an int8 array"),
    ):
        with pytest.raises(InputError, match=words):
            reduce_products(*arguments)


@pytest.mark.parametrize("ring", WALKED, ids=lambda ring: ring.name)
def test_a_reduced_state_is_the_one_that_a_replay_starts_from(ring: Ring) -> None:
    space, reduced = FlipSpace(matmul(2, 2, 2), ring), 0
    start = space.start(Seed(0))
    for number in range(20):
        wide = space.walk(start, Effort(steps=60, path=60, goal=0, idle=5, band=6), Seed(0, (number,))).state
        less = space.reduce(wide)
        reduced += less.shape[1] < wide.shape[1]
        assert np.array_equal(less, space.state(space.scheme(less)))
    assert reduced
