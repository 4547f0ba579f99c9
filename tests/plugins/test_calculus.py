"""The category of each group: every rule on diagrams is the operation on matrices, with all scalars and signs."""

from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from itertools import permutations, product
from math import factorial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge import plugins
from flipforge.diagrams import (
    PAIRS,
    PARTITIONS,
    Combination,
    Diagram,
    Group,
    HeadedCalculus,
    HeadedDiagram,
    PartitionDiagram,
    Polynomial,
    group,
    partitions,
    symplectic_form,
)
from flipforge.errors import InputError

GROUPS = ("S:2", "S:3", "O:2", "O:3", "Sp:2", "A:2", "A:3", "SO:2", "SO:3", "H:2", "B:3", "SxZ2:2", "BxZ2:2")
ORBITS = ("perm:2341", "Aut:path-3", "perm:213")


@pytest.fixture(scope="module", autouse=True)
def _connected() -> None:
    plugins.connect()


@cache
def named(name: str) -> Group:
    return group(name)


@cache
def everything(name: str, k: int, l: int) -> list[Diagram]:
    return list(named(name).diagrams(k, l))


def dense(member: Group, diagram: Diagram) -> np.ndarray:
    return member.matrix(diagram).dense()


def total(member: Group, terms: Iterable[tuple[Diagram, Polynomial]], like: np.ndarray) -> np.ndarray:
    """The matrix of a sum of diagrams, exactly."""
    found = np.zeros_like(like, dtype=object)
    for diagram, scalar in terms:
        found = found + scalar(member.n) * dense(member, diagram).astype(object)
    return found


@st.composite
def composable(draw: st.DrawFn, names: tuple[str, ...], most: int) -> tuple[str, Diagram, Diagram]:
    """Two diagrams of a group, one above the other; rows of no points come up."""
    name = draw(st.sampled_from(names))
    for _ in range(20):
        k, l, m = (draw(st.integers(0, most)) for _ in range(3))
        above, below = everything(name, l, m), everything(name, k, l)
        if above and below:
            return name, draw(st.sampled_from(above)), draw(st.sampled_from(below))
    return name, everything(name, 0, 0)[0], everything(name, 0, 0)[0]


@settings(max_examples=300)
@given(composable(GROUPS, 3))
def test_composition_is_the_product_of_matrices(drawn: tuple[str, Diagram, Diagram]) -> None:
    name, above, below = drawn
    member = named(name)
    wanted = dense(member, above) @ dense(member, below)
    assert (total(member, member.calculus.compose(above, below).items(), wanted) == wanted).all()


@settings(max_examples=100)
@given(composable(GROUPS, 2))
def test_tensor_and_flip(drawn: tuple[str, Diagram, Diagram]) -> None:
    name, left, right = drawn
    member = named(name)
    wanted = np.kron(dense(member, left), dense(member, right))
    assert (total(member, member.calculus.tensor(left, right).items(), wanted) == wanted).all()
    turned = dense(member, left).T
    assert (total(member, member.calculus.flip(left).items(), turned) == turned).all()


@settings(max_examples=150)
@given(composable((*GROUPS, *ORBITS), 3))
def test_bending_moves_an_index(drawn: tuple[str, Diagram, Diagram]) -> None:
    name, diagram, _ = drawn
    member = named(name)
    n, k, l = member.n, diagram.k, diagram.l
    if not k:
        with pytest.raises(InputError, match="nothing to bend"):
            member.calculus.bend(diagram)
        return
    split = dense(member, diagram).reshape(n**l, n ** (k - 1), n)
    if name.startswith("Sp"):
        split = split @ symplectic_form(n)
    wanted = split.transpose(0, 2, 1).reshape(n ** (l + 1), n ** (k - 1))
    assert (total(member, member.calculus.bend(diagram).items(), wanted) == wanted).all()


@settings(max_examples=60)
@given(composable(ORBITS, 2))
def test_orbits_multiply_by_their_structure_constants(drawn: tuple[str, Diagram, Diagram]) -> None:
    name, above, below = drawn
    member = named(name)
    wanted = dense(member, above) @ dense(member, below)
    assert (total(member, member.calculus.compose(above, below).items(), wanted) == wanted).all()
    if member.n ** (above.k + below.k + above.l + below.l) < 20_000:
        both = np.kron(dense(member, above), dense(member, below))
        assert (total(member, member.calculus.tensor(above, below).items(), both) == both).all()
    turned = dense(member, above).T
    assert (total(member, member.calculus.flip(above).items(), turned) == turned).all()


def combinations(draw: Any, name: str, k: int, l: int) -> Combination:
    member = named(name)
    found = Combination.zero(member.calculus, k, l)
    family = everything(name, k, l)
    for diagram in draw(st.lists(st.sampled_from(family), max_size=3)) if family else ():
        scalar = draw(st.fractions(min_value=-3, max_value=3, max_denominator=4))
        found += Combination.of(member.calculus, diagram, scalar)
    return found


@settings(max_examples=60)
@given(st.data(), st.sampled_from(GROUPS))
def test_combinations_are_a_tensor_category(data: st.DataObject, name: str) -> None:
    sizes = [data.draw(st.integers(0, 2)) for _ in range(3)]
    a = combinations(data.draw, name, sizes[1], sizes[0])
    b, c = (combinations(data.draw, name, sizes[2], sizes[1]) for _ in range(2))
    d = combinations(data.draw, name, 1, sizes[2])
    assert at(name, (a @ b) @ d) == at(name, a @ (b @ d))
    assert at(name, a @ (b + c)) == at(name, a @ b + a @ c)
    assert at(name, (a @ b).flip()) == at(name, b.flip() @ a.flip())
    e = combinations(data.draw, name, 1, 1)
    assert at(name, (a @ b).tensor(e @ e)) == at(name, a.tensor(e) @ b.tensor(e))
    assert (a - a).terms == ()
    assert a + b * 0 == a if (a.k, a.l) == (b.k, b.l) else True
    assert 2 * a == a + a


def at(name: str, combination: Combination) -> list[list[Fraction]]:
    """The matrix: two heads may be written in more than one way, so sums are compared as maps."""
    member = named(name)
    return combination.matrix(member.n, member.matrix).tolist()  # type: ignore[no-any-return]


def test_scalars_are_polynomials_for_all_n() -> None:
    cup_cap = Combination.of(PARTITIONS, PartitionDiagram(2, 2, (0, 0, 1, 1)))
    one = Combination.of(PARTITIONS, PartitionDiagram(2, 2, (0, 1, 0, 1)))
    square = (cup_cap + one * 2) @ (cup_cap + one * 2)
    identity = PartitionDiagram(2, 2, (0, 1, 0, 1))
    assert {diagram: str(scalar) for diagram, scalar in square.terms} == {cup_cap.terms[0][0]: "n + 4", identity: "4"}


@given(st.lists(st.integers(-5, 5), max_size=4), st.lists(st.integers(-5, 5), max_size=4), st.integers(-4, 4))
def test_polynomials(a: list[int], b: list[int], n: int) -> None:
    p, q = (Polynomial(tuple(map(Fraction, row))) for row in (a, b))
    assert (p + q)(n) == p(n) + q(n)
    assert (p - q)(n) == p(n) - q(n)
    assert (p * q)(n) == p(n) * q(n)
    assert bool(p) == any(a)
    assert p + 1 == 1 + p
    assert str(Polynomial((Fraction(-1, 2), Fraction(-1)))) == "-n - 1/2"
    assert str(Polynomial()) == "0"


def test_worked_examples_with_heads() -> None:
    head = HeadedDiagram(1, 1, 3, (0, 1), (0, 1))
    terms = HeadedCalculus(3).compose(head, head)
    assert {d.labels: c(0) for d, c in terms.items() if isinstance(d, PartitionDiagram)} == {(0, 0): -3, (0, 1): 1}
    quarter = HeadedDiagram(1, 1, 2, (0, 1), (0, 1))
    (turned,) = HeadedCalculus(2).compose(quarter, quarter).items()
    assert turned == (PartitionDiagram(1, 1, (0, 0)), Polynomial.power(0, -1))


@pytest.mark.parametrize("n", [3, 4, 5])
def test_joined_legs_leave_a_factorial(n: int) -> None:
    legs = tuple(range(n))
    top, bottom = HeadedDiagram(0, n, n, legs, legs), HeadedDiagram(n, 0, n, legs, legs)
    ((scalar, value),) = HeadedCalculus(n).compose(bottom, top).items()
    assert (scalar, value) == (PartitionDiagram(0, 0, ()), Polynomial.power(0, factorial(n)))
    assert len(HeadedCalculus(n).compose(top, bottom)) == factorial(n)


# Relations: each of these sums is exactly zero, and no shorter one of its kind is.


@pytest.mark.parametrize(("n", "points"), [(1, 3), (2, 3), (2, 4), (3, 4)])
def test_mobius_relation(n: int, points: int) -> None:
    member = named(f"S:{n}")
    for fine in partitions(0, points):
        combination = Combination.zero(PARTITIONS, 0, points)
        for coarse in partitions(0, points):
            if all(len({coarse.labels[p] for p in block}) == 1 for block in fine.blocks):
                sizes = [len({fine.labels[p] for p in block}) for block in coarse.blocks]
                scalar = np.prod([(-1) ** (s - 1) * factorial(s - 1) for s in sizes], dtype=object)
                combination += Combination.of(PARTITIONS, coarse, int(scalar))
        assert (not combination.matrix(n, member.matrix).any()) == (fine.size > n)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_determinant_relation(n: int) -> None:
    for size in (n, n + 1):
        combination = Combination.zero(PARTITIONS, 0, 2 * size)
        for order in permutations(range(size)):
            sign = round(np.linalg.det(np.eye(size)[list(order)]))
            pairs = [(i, size + order[i]) for i in range(size)]
            combination += Combination.of(PARTITIONS, PartitionDiagram.of_blocks(0, 2 * size, pairs), sign)
        assert combination.matrix(n, named(f"O:{n}").matrix).any() == (size == n)


@pytest.mark.parametrize("n", [2, 4])
def test_pfaffian_relation(n: int) -> None:
    member = named(f"Sp:{n}")
    for points in (n, n + 2):
        total_ = Combination.zero(member.calculus, 0, points)
        for matching in partitions(0, points, PAIRS):
            order = [point for block in matching.blocks for point in block]
            total_ += Combination.of(member.calculus, matching, round(np.linalg.det(np.eye(points)[order])))
        assert total_.matrix(n, member.matrix).any() == (points == n)


def test_bad_input() -> None:
    a, b = (Combination.of(PARTITIONS, PartitionDiagram(k, 1, (0,) * (k + 1))) for k in (1, 2))
    with pytest.raises(InputError, match="do not meet"):
        _ = b @ a
    with pytest.raises(InputError, match="cannot be added"):
        _ = a + b
    head = HeadedDiagram(1, 1, 2, (0, 1), (0, 1))
    for name, other in product(("S:3", "Sp:2", "SO:3", "perm:213", "Aut:path-3"), [head]):
        with pytest.raises(InputError):
            named(name).calculus.compose(other, other)
    wide = HeadedDiagram(0, 9, 9, tuple(range(9)), tuple(range(9)))
    with pytest.raises(InputError, match="362880 diagrams"):
        HeadedCalculus(9).tensor(wide, wide)
