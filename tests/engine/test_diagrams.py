"""Partition and Brauer diagrams against brute force: counts, order, matrices, composition, tensor, flip, bending."""

from itertools import pairwise, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flipforge.diagrams import (
    ANY,
    EVEN,
    PAIRS,
    SMALL,
    Blocks,
    PartitionDiagram,
    compose,
    compose_symplectic,
    diagram_matrix,
    identity,
    orbit_matrix,
    partitions,
    symplectic_form,
    symplectic_matrix,
)
from flipforge.errors import InputError, MalformedError

BELL = (1, 1, 2, 5, 15, 52, 203, 877, 4140)


@st.composite
def diagrams(draw: st.DrawFn, k: int | None = None, l: int | None = None, brauer: bool = False) -> PartitionDiagram:
    """Random diagrams, small ones of no points included."""
    k = draw(st.integers(0, 4)) if k is None else k
    above = draw(st.integers(0, 4)) if l is None else l
    if brauer:
        if (k + above) % 2:
            above += 1 if l is None else 0
        order = draw(st.permutations(range(k + above)))
        return PartitionDiagram.of_blocks(k, above, list(zip(order[::2], order[1::2], strict=True)))
    labels = draw(st.lists(st.integers(0, 5), min_size=k + above, max_size=k + above))
    return PartitionDiagram.of_blocks(k, above, [[p for p, x in enumerate(labels) if x == y] for y in set(labels)])


def dense(diagram: PartitionDiagram, n: int) -> np.ndarray:
    """The matrix by its definition: indices constant on blocks."""
    points = list(product(range(n), repeat=diagram.l + diagram.k))
    values = [all(len({x[p] for p in block}) == 1 for block in diagram.blocks) for x in points]
    return np.array(values, int).reshape(n**diagram.l, n**diagram.k)


def dense_symplectic(diagram: PartitionDiagram, n: int) -> np.ndarray:
    """The matrix by its definition: the form in rows, left before right, the identity between them."""
    form, values = symplectic_form(n), []
    for x in product(range(n), repeat=diagram.l + diagram.k):
        value = 1
        for a, b in diagram.blocks:
            value *= int(form[x[a], x[b]]) if (a < diagram.l) == (b < diagram.l) else int(x[a] == x[b])
        values.append(value)
    return np.array(values, int).reshape(n**diagram.l, n**diagram.k)


def set_partitions(points: list[int]) -> list[list[list[int]]]:
    """All set partitions, by an independent recursion."""
    if not points:
        return [[]]
    first, rest = points[0], points[1:]
    found = []
    for smaller in set_partitions(rest):
        found.append([[first], *smaller])
        found.extend([*smaller[:i], [first, *smaller[i]], *smaller[i + 1 :]] for i in range(len(smaller)))
    return found


@pytest.mark.parametrize("m", range(8))
@pytest.mark.parametrize("blocks", [ANY, EVEN, PAIRS, SMALL])
def test_enumeration_is_all_of_the_family_in_order(m: int, blocks: Blocks) -> None:
    found = list(partitions(m - m // 2, m // 2, blocks))
    everything = [PartitionDiagram.of_blocks(m - m // 2, m // 2, each) for each in set_partitions(list(range(m)))]
    assert len(everything) == BELL[m]
    assert found == sorted(diagram for diagram in everything if blocks.allows(diagram))
    assert all(a < b for a, b in pairwise(found))


@pytest.mark.parametrize("most", range(6))
def test_enumeration_stops_at_a_number_of_blocks(most: int) -> None:
    assert list(partitions(2, 3, most=most)) == [d for d in partitions(2, 3) if d.size <= most]
    assert list(partitions(2, 4, EVEN, most=most)) == [d for d in partitions(2, 4, EVEN) if d.size <= most]


def test_enumeration_is_lazy() -> None:
    assert next(partitions(20, 20)).size == 1  # of about 10^35


@pytest.mark.parametrize("m", range(8))
def test_planar_diagrams_are_counted_by_catalan_numbers(m: int) -> None:
    for k in {0, m // 2, m}:
        assert sum(d.is_planar for d in partitions(k, m - k)) == comb(2 * m, m) // (m + 1)


@given(diagrams(), st.integers(1, 3))
def test_matrices_have_their_definition(diagram: PartitionDiagram, n: int) -> None:
    if n ** (diagram.k + diagram.l) > 1000:
        n = 2
    wanted = dense(diagram, n)
    found = diagram_matrix(diagram, n)
    assert found.dense().tolist() == wanted.tolist()
    assert len(found.values) == np.count_nonzero(wanted)  # each entry once
    coarser = [d for d in partitions(diagram.k, diagram.l) if is_coarser(d, diagram)]
    assert np.sum([orbit_matrix(d, n).dense() for d in coarser], axis=0).tolist() == wanted.tolist()


def is_coarser(coarse: PartitionDiagram, fine: PartitionDiagram) -> bool:
    return all(len({coarse.labels[point] for point in block}) == 1 for block in fine.blocks)


@given(diagrams(brauer=True), st.sampled_from([2, 4]))
def test_symplectic_matrices_have_their_definition(diagram: PartitionDiagram, n: int) -> None:
    if n ** (diagram.k + diagram.l) > 5000:
        n = 2
    assert symplectic_matrix(diagram, n).dense().tolist() == dense_symplectic(diagram, n).tolist()


@given(st.data(), st.integers(1, 3))
def test_composition_is_the_product_of_matrices(data: st.DataObject, n: int) -> None:
    above = data.draw(diagrams())
    below = data.draw(diagrams(l=above.k))
    result, loops = compose(above, below)
    product = diagram_matrix(above, n).dense() @ diagram_matrix(below, n).dense()
    assert (result.k, result.l) == (below.k, above.l)
    assert product.tolist() == (n**loops * diagram_matrix(result, n).dense()).tolist()


@given(st.data())
def test_symplectic_composition_is_the_product_of_matrices(data: st.DataObject) -> None:
    above = data.draw(diagrams(brauer=True))
    below = data.draw(diagrams(l=above.k, k=above.k % 2 + 2 * data.draw(st.integers(0, 2)), brauer=True))
    result, loops, sign = compose_symplectic(above, below)
    n = 2 if max(above.k, above.l, below.k) > 3 else data.draw(st.sampled_from([2, 4]))
    product = symplectic_matrix(above, n).dense() @ symplectic_matrix(below, n).dense()
    assert product.tolist() == (sign * n**loops * symplectic_matrix(result, n).dense()).tolist()


def test_symplectic_signs_matter() -> None:
    pairs = list(product(partitions(3, 3, PAIRS), repeat=2))
    negative = sum(compose_symplectic(a, b)[2] < 0 for a, b in pairs)
    assert 0 < negative < len(pairs) / 2


@given(diagrams(), diagrams(), st.integers(1, 2))
def test_tensor_and_flip_on_matrices(a: PartitionDiagram, b: PartitionDiagram, n: int) -> None:
    matrix = diagram_matrix(a, n).dense()
    assert diagram_matrix(a.flip(), n).dense().tolist() == matrix.T.tolist()
    assert a.flip().flip() == a
    if max(a.k + b.k, a.l + b.l) <= 5:
        both = np.kron(matrix, diagram_matrix(b, n).dense())
        assert diagram_matrix(a.tensor(b), n).dense().tolist() == both.tolist()


@given(diagrams(brauer=True), diagrams(brauer=True))
def test_tensor_and_flip_on_symplectic_matrices(a: PartitionDiagram, b: PartitionDiagram) -> None:
    matrix = symplectic_matrix(a, 2).dense()
    assert symplectic_matrix(a.flip(), 2).dense().tolist() == matrix.T.tolist()
    if max(a.k + b.k, a.l + b.l) <= 5:
        both = np.kron(matrix, symplectic_matrix(b, 2).dense())
        assert symplectic_matrix(a.tensor(b), 2).dense().tolist() == both.tolist()


@given(st.data())
def test_interchange_and_associativity(data: st.DataObject) -> None:
    a, c = data.draw(diagrams()), data.draw(diagrams())
    b, d = data.draw(diagrams(l=a.k)), data.draw(diagrams(l=c.k))
    (ab, p), (cd, q) = compose(a, b), compose(c, d)
    assert compose(a.tensor(c), b.tensor(d)) == (ab.tensor(cd), p + q)
    e = data.draw(diagrams(l=b.k))
    (be, r), (ab_e, s) = compose(b, e), compose(ab, e)
    assert compose(a, be)[0] == ab_e
    assert r + compose(a, be)[1] == p + s
    assert compose(identity(a.l), a) == (a, 0) == compose(a, identity(a.k))
    assert compose(b.flip(), a.flip()) == (ab.flip(), p)


@given(diagrams(), st.integers(1, 2))
def test_bending_reshapes_the_matrix(diagram: PartitionDiagram, n: int) -> None:
    if diagram.k:
        bent = diagram.bend()
        flat = diagram_matrix(diagram, n).dense().reshape(n**diagram.l, n ** (diagram.k - 1), n)
        wanted = flat.transpose(0, 2, 1).reshape(n ** (diagram.l + 1), -1)
        assert diagram_matrix(bent, n).dense().tolist() == wanted.tolist()
        assert bent.unbend() == diagram


def test_worked_examples() -> None:
    cap = symplectic_matrix(PartitionDiagram(2, 0, (0, 0)), 2).dense()
    assert (cap.T @ cap).tolist() == [[0, 0, 0, 0], [0, 1, -1, 0], [0, -1, 1, 0], [0, 0, 0, 0]]
    cup_cap = PartitionDiagram(2, 2, (0, 0, 1, 1))
    assert compose(cup_cap, cup_cap) == (cup_cap, 1)
    assert compose(PartitionDiagram(2, 2, (0, 1, 2, 3)), PartitionDiagram(2, 2, (0, 1, 2, 3)))[1] == 2
    assert compose(PartitionDiagram(2, 2, (0, 0, 0, 1)), PartitionDiagram(2, 2, (0, 1, 1, 1))) == (cup_cap, 0)


@pytest.mark.parametrize(
    ("k", "l", "labels"),
    [(1, 1, (1, 0)), (1, 1, (0,)), (0, 2, (0, 2)), (0, 1, (-1,)), (1, 0, ()), (0, 2, (0, -1))],
)
def test_labels_that_are_no_growth_string_are_refused(k: int, l: int, labels: tuple[int, ...]) -> None:
    with pytest.raises(MalformedError, match="restricted growth string"):
        PartitionDiagram(k, l, labels)


def test_bad_input() -> None:
    with pytest.raises(InputError, match="negative"):
        PartitionDiagram(-1, 1, ())
    for blocks in ([[0]], [[0, 0], [1]], [[0, 1], []], [[0, 2]]):
        with pytest.raises(MalformedError, match="once"):
            PartitionDiagram.of_blocks(1, 1, blocks)
    with pytest.raises(InputError, match="must agree"):
        compose(identity(2), identity(3))
    with pytest.raises(InputError, match="pairs only"):
        compose_symplectic(PartitionDiagram(1, 1, (0, 1)), identity(1))
    with pytest.raises(InputError, match="neither a pair"):
        _ = PartitionDiagram(1, 2, (0, 0, 0)).partners
    with pytest.raises(InputError, match="10000000000 entries"):
        diagram_matrix(identity(5), 10).dense()
    with pytest.raises(InputError, match="1000000000 nonzero entries"):
        diagram_matrix(PartitionDiagram(2, 1, (0, 1, 2)), 1000)
    with pytest.raises(InputError, match="too long for an index"):
        diagram_matrix(PartitionDiagram(30, 0, (0,) * 30), 10)
