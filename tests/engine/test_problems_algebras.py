"""Products in algebras against direct arithmetic."""

import pickle
from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flipforge.errors import ProblemError
from flipforge.problems import Problem, complex_product, group_algebra, matmul, parse, poly, quaternion_product
from flipforge.rings import ZT
from flipforge.schemes import standard_scheme

Matrix = npt.NDArray[Any]

sizes = st.integers(1, 3)
seeds = st.integers(0, 2**32)


def numbers(count: int, generator: np.random.Generator) -> list[int]:
    return [int(x) for x in generator.integers(-(10**6), 10**6, count)]


def apply(problem: Problem, x: list[int], y: list[int]) -> list[int]:
    z = [0] * problem.shape[2]
    for (i, j, k), t in problem.entries:
        z[k] += t * x[i] * y[j]
    return z


@given(st.integers(1, 7), st.integers(1, 7), seeds)
def test_polynomials(first: int, second: int, seed: int) -> None:
    problem = poly(first, second)
    generator = np.random.default_rng(seed)
    x, y = numbers(first + 1, generator), numbers(second + 1, generator)
    assert apply(problem, x, y) == np.convolve(np.array(x, object), np.array(y, object)).tolist()
    assert parse(f"poly:{first}x{second}") == problem


def units_of(kind: str) -> list[Matrix]:
    """The basis as matrices of integers: multiplication by it, written down as rotations."""
    i2 = np.array([[0, -1], [1, 0]])
    one = np.eye(2, dtype=int)
    if kind == "complex":
        return [one, i2]
    flip = np.diag([1, -1])
    i4, j4 = np.kron(one, i2), np.kron(i2, flip)
    return [np.eye(4, dtype=int), i4, j4, i4 @ j4]


@given(st.sampled_from(["complex", "quaternion"]), sizes, sizes, sizes, seeds)
def test_matrices_of_complex_numbers_and_quaternions(kind: str, n: int, m: int, p: int, seed: int) -> None:
    problem = parse(f"{kind}:{n}x{m}x{p}")
    assert problem == {"complex": complex_product, "quaternion": quaternion_product}[kind](n, m, p)
    units = units_of(kind)
    d = len(units)
    generator = np.random.default_rng(seed)
    x, y = numbers(n * m * d, generator), numbers(m * p * d, generator)

    def matrix(values: list[int], rows: int, columns: int) -> Matrix:
        parts = np.array(values, object).reshape(rows, columns, d)
        blocks = [
            [sum(part * unit for part, unit in zip(parts[i, j], units, strict=True)) for j in range(columns)]
            for i in range(rows)
        ]
        return np.block(blocks)

    assert np.array_equal(matrix(apply(problem, x, y), n, p), matrix(x, n, m) @ matrix(y, m, p))


def test_units_are_those_of_hamilton() -> None:
    one, i, j, k = units_of("quaternion")
    for unit in (i, j, k):
        assert np.array_equal(unit @ unit, -one)
    assert np.array_equal(i @ j @ k, -one)


def test_numbers_are_matrices_of_one_entry() -> None:
    assert parse("complex:1x1x1").name == "complex"
    assert parse("complex").shape == (2, 2, 2)
    assert parse("quaternion:1x1x1").name == "quaternion"
    assert parse("quaternion").labels[1] == ("br", "bi", "bj", "bk")
    assert parse("complex:1x2x1").labels[0] == ("a11r", "a11i", "a12r", "a12i")
    assert len(parse("quaternion:2x2x2").entries) == 16 * 8


def table(problem: Problem) -> list[list[int]]:
    """The group's table, read off the tensor."""
    order = problem.shape[0]
    assert len(problem.entries) == order**2
    assert all(value == 1 for _, value in problem.entries)
    result = [[-1] * order for _ in range(order)]
    for (i, j, k), _ in problem.entries:
        result[i][j] = k
    return result


ORDERS = {
    "C1": {1: 1},
    "C5": {1: 1, 5: 4},
    "C6": {1: 1, 2: 1, 3: 2, 6: 2},
    "D1": {1: 1, 2: 1},
    "D2": {1: 1, 2: 3},
    "D4": {1: 1, 2: 5, 4: 2},
    "D5": {1: 1, 2: 5, 5: 4},
    "S1": {1: 1},
    "S3": {1: 1, 2: 3, 3: 2},
    "S4": {1: 1, 2: 9, 3: 8, 4: 6},
    "Q8": {1: 1, 2: 1, 4: 6},
}


@pytest.mark.parametrize("name", ORDERS)
def test_groups(name: str) -> None:
    multiply = table(parse(f"group:{name}"))
    elements = range(len(multiply))
    assert multiply[0] == [row[0] for row in multiply] == list(elements)
    assert all(sorted(row) == list(elements) for row in multiply)
    for a, b, c in product(elements, repeat=3):
        assert multiply[multiply[a][b]][c] == multiply[a][multiply[b][c]]

    def order(element: int) -> int:
        power, count = element, 1
        while power:
            power, count = multiply[power][element], count + 1
        return count

    assert Counter(map(order, elements)) == ORDERS[name]
    commutes = all(multiply[a][b] == multiply[b][a] for a, b in product(elements, repeat=2))
    assert commutes == (name[0] == "C" or name in ("D1", "D2", "S1"))


def test_elements_of_groups_have_names() -> None:
    multiply, names = table(group_algebra("D4")), [label[1:] for label in group_algebra("D4").labels[0]]
    assert names == ["[r0]", "[r1]", "[r2]", "[r3]", "[r0s]", "[r1s]", "[r2s]", "[r3s]"]
    assert names[multiply[names.index("[r0s]")][names.index("[r1]")]] == "[r3s]"
    multiply, names = table(group_algebra("Q8")), [label[1:] for label in group_algebra("Q8").labels[0]]
    assert names[multiply[names.index("[i]")][names.index("[j]")]] == "[k]"
    assert names[multiply[names.index("[-k]")][names.index("[j]")]] == "[i]"
    multiply, names = table(group_algebra("S3")), [label[1:] for label in group_algebra("S3").labels[0]]
    # The right factor acts first: 1 -> 2 -> 3, 2 -> 1 -> 1, 3 -> 3 -> 2.
    assert names[multiply[names.index("[132]")][names.index("[213]")]] == "[312]"
    assert parse("group:C3").labels[2] == ("c0", "c1", "c2")


@pytest.mark.parametrize("name", ["poly:2x3", "complex", "complex:2x1x2", "quaternion", "group:S3", "group:Q8"])
def test_standard_schemes_hold(name: str) -> None:
    problem = parse(name)
    assert problem.name == name
    assert standard_scheme(problem, ZT).verdict().valid
    again = pickle.loads(pickle.dumps(problem))
    assert (again, again.entries, again.labels) == (problem, problem.entries, problem.labels)


def test_cyclic_groups_are_circulant_products() -> None:
    circulant, cyclic = parse("structured:cc:5"), parse("group:C5")
    assert circulant.entries == cyclic.entries
    assert parse("complex").entries != matmul(1, 2, 1).entries


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("poly", "write two degrees"),
        ("poly:2", "write two degrees"),
        ("poly:2x2x2", "write two degrees"),
        ("poly:0x2", "every degree must be at least 1"),
        ("poly:999x999", "1000000 elementary products are more than the limit of 32768"),
        ("complex:", "nothing stands after the colon"),
        ("complex:2x2", "write complex alone, or three sizes"),
        ("complex:0x2x2", "every size must be at least 1"),
        ("complex:30x30x30", "108000 elementary products"),
        ("quaternion:2", "write quaternion alone, or three sizes"),
        ("quaternion:13x13x13", "35152 elementary products"),
        ("group", "write Cn, Dn, Sn or Q8"),
        ("group:A5", "write Cn, Dn, Sn or Q8"),
        ("group:C0", "write Cn, Dn, Sn or Q8"),
        ("group:C03", "write Cn, Dn, Sn or Q8"),
        ("group:Q16", "write Cn, Dn, Sn or Q8"),
        ("group:C182", "the square of its order is more than the limit"),
        ("group:D91", "the square of its order is more than the limit"),
        ("group:S6", "the square of its order is more than the limit"),
        ("group:S999999", "the square of its order is more than the limit"),
    ],
)
def test_bad_problems_are_answered_in_one_line(text: str, words: str) -> None:
    with pytest.raises(ProblemError, match=words) as caught:
        parse(text)
    assert str(caught.value).startswith(text)
    assert len(str(caught.value)) < 160
