"""Structured products against dense matrix products, with structures written down here once more."""

import pickle
import re
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from flipforge.errors import ProblemError
from flipforge.problems import PUBLISHED, Problem, ProductCode, Structure, matmul, parse, product_code, structured

Matrix = npt.NDArray[Any]
Place = tuple[int, int]

SQUARE = "ulskwc"
BANDED = "gulskwo"


def outermost(text: str) -> tuple[str, int | None, int, str]:
    """Return letter, band, size of the blocks and what is inside."""
    match = re.fullmatch(r"(.)(\d*)(?:\.(\d+)(.+))?", text)
    assert match
    return match[1], int(match[2]) if match[2] else None, int(match[3] or 1), match[4] or ""


def is_square(text: str) -> bool:
    return text[0] in SQUARE


def held(text: str, rows: int, columns: int) -> list[Place]:
    """The places whose entries are the coordinates, row by row."""
    letter, band, size, inside = outermost(text)

    def is_held(i: int, j: int) -> bool:
        of_letter = {
            "g": True,
            "u": i <= j,
            "l": i >= j,
            "s": i <= j,
            "k": i < j,
            "w": i <= j,
            "o": i == 0 or j == 0,
            "h": i == 0 or j == columns // size - 1,
            "c": i == 0,
        }
        return of_letter[letter] and (band is None or abs(i - j) <= band)

    within = set(held(inside, size, size)) if inside else {(0, 0)}
    return [
        (i, j)
        for i, j in product(range(rows), range(columns))
        if is_held(i // size, j // size) and (i % size, j % size) in within
    ]


def fill(text: str, known: Matrix) -> Matrix:
    """Complete a matrix of which only the held places are known, zero elsewhere."""
    letter, _, size, inside = outermost(text)
    n, m = (side // size for side in known.shape)
    blocks = {(i, j): known[i * size : (i + 1) * size, j * size : (j + 1) * size] for i, j in np.ndindex(n, m)}
    if inside:
        blocks = {place: fill(inside, block) for place, block in blocks.items()}
    sources: dict[str, Callable[[int, int], Matrix]] = {
        "g": lambda i, j: blocks[i, j],
        "u": lambda i, j: blocks[i, j],
        "l": lambda i, j: blocks[i, j],
        "s": lambda i, j: blocks[min(i, j), max(i, j)],
        "k": lambda i, j: blocks[i, j] if i < j else -blocks[j, i],
        "w": lambda i, j: blocks[i, j] if i <= j else -blocks[j, i],
        "o": lambda i, j: blocks[max(i - j, 0), max(j - i, 0)],
        "h": lambda i, j: blocks[max(i + j - m + 1, 0), min(i + j, m - 1)],
        "c": lambda i, j: blocks[0, (j - i) % m],
    }
    return np.block([[sources[letter](i, j) for j in range(m)] for i in range(n)])


def operand(text: str, rows: int, columns: int, generator: np.random.Generator) -> tuple[Matrix, list[int]]:
    """Return a random matrix of the structure and its coordinates."""
    known = np.zeros((rows, columns), dtype=np.int64)
    places = held(text, rows, columns)
    for place in places:
        known[place] = generator.integers(1, 10**6) * generator.choice((-1, 1))
    return fill(text, known), [int(known[place]) for place in places]


def apply(problem: Problem, x: list[int], y: list[int]) -> list[int]:
    assert (len(x), len(y)) == problem.shape[:2]
    z = [0] * problem.shape[2]
    for (i, j, k), t in problem.entries:
        z[k] += t * x[i] * y[j]
    return z


def places_of(labels: tuple[str, ...]) -> list[Place]:
    """Read rows and columns off the names of coordinates."""
    found = []
    for label in labels:
        i, j = label[1:].split("_") if "_" in label else (label[1], label[2])
        found.append((int(i) - 1, int(j) - 1))
    return found


def check(problem: Problem, seed: int) -> None:
    """Compare a problem with the dense product of random matrices of its structures."""
    _, code, _, *corner = problem.name.split(":")
    form = product_code(code)
    n, m, p = problem.dims
    generator = np.random.default_rng(seed)
    if form.left and form.right:
        (a, x), (b, y) = (operand(*part, generator) for part in ((str(form.left), n, m), (str(form.right), m, p)))
    elif form.left:
        a, x = operand(str(form.left), n, m, generator)
        b, y = a.T, x
    else:
        b, y = operand(str(form.right), m, p, generator)
        a, x = b.T, y
    dense = a.astype(object) @ b.astype(object)
    held_places = places_of(problem.labels[2])
    assert len(set(held_places)) == problem.shape[2]
    corners = [(0, 0), (n - 1, p - 1)]
    left_out = {"": [], "a": corners[:1], "b": corners[1:], "c": corners}["".join(corner)]
    z = apply(problem, x, y)
    for place, value in zip(held_places, z, strict=True):
        assert value == (0 if place in left_out else dense[place])
    known = {0} | {abs(dense[place]) for place in held_places}
    assert {abs(value) for value in dense.reshape(-1)} <= known
    if form.left is None or form.right is None:
        assert all(i <= k for i, k in held_places)


@pytest.mark.parametrize("code", PUBLISHED)
@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_published_codes(code: str, n: int) -> None:
    problem = parse(f"structured:{code}:{n}")
    check(problem, n)
    triangle, sizes = n * (n + 1) // 2, {"g": n * n, "k": n * (n - 1) // 2}
    left, right = (sizes.get(letter, triangle) for letter in (code if code[1] != "t" else code[0] * 2))
    assert problem.shape == (left, right, triangle if code == "uu" or code[1] == "t" else n * n)
    assert (problem.name, problem.kind, problem.dims) == (f"structured:{code}:{n}", "structured", (n, n, n))
    assert pickle.loads(pickle.dumps(problem)) == problem
    assert pickle.loads(pickle.dumps(problem)).entries == problem.entries


@st.composite
def structures(draw: st.DrawFn, depth: int = 2) -> tuple[str, int]:
    """A structure and the number its sizes are multiples of."""
    letter = draw(st.sampled_from("gulskwohc"))
    band = draw(st.sampled_from(["", "", "0", "1", "2"])) if letter in BANDED else ""
    if depth == 0 or draw(st.booleans()):
        return letter + band, 1
    inside, unit = draw(structures(depth - 1))
    size = unit * draw(st.integers(2, 2 if unit > 1 else 3))
    return f"{letter}{band}.{size}{inside}", size


@st.composite
def products(draw: st.DrawFn) -> Problem:
    (left, a), (right, b) = draw(structures()), draw(structures())
    side = draw(st.sampled_from(["", "", "left", "right"]))
    if side:
        n, m = (a * draw(st.integers(1, max(1, 6 // a))) for _ in range(2))
        if is_square(left):
            m = n
        code, dims = (f"{left}t", (n, m, n)) if side == "left" else (f"t{left}", (n, m, n))
    else:
        m = int(np.lcm(a, b)) * draw(st.integers(1, 2))
        n = m if is_square(left) else a * draw(st.integers(1, max(1, 6 // a)))
        p = m if is_square(right) else b * draw(st.integers(1, max(1, 6 // b)))
        code, dims = left + right, (n, m, p)
    corner = draw(st.sampled_from(["", "", "a", "b", "c"]))
    try:
        return structured(code, *dims, corner)
    except ProblemError as error:
        assert re.search("every output is zero|is zero already", str(error))
        reject()


@given(products(), st.integers(0, 2**32))
def test_any_composition_is_the_dense_product(problem: Problem, seed: int) -> None:
    check(problem, seed)
    again = parse(problem.name)
    assert (again, again.entries, again.labels, again.dims) == (problem, problem.entries, problem.labels, problem.dims)
    form = product_code(problem.name.split(":")[1])
    n, m, p = problem.dims
    left = (str(form.left), n, m) if form.left else (str(form.right), m, p)
    right = (str(form.right), m, p) if form.right else left
    assert places_of(problem.labels[0]) == held(*left)
    assert places_of(problem.labels[1]) == held(*right)


@pytest.mark.parametrize(
    ("text", "shape", "products"),
    [
        # Outputs are packed where the operands prove it, and not where zeros are only seen: uk has one, kk:2 has two.
        ("structured:uk:3", (6, 3, 9), 12),
        ("structured:kk:2", (1, 1, 4), 2),
        ("structured:ll:3", (6, 6, 6), 10),
        ("structured:lt:3", (6, 6, 6), 10),
        ("structured:tl:3", (6, 6, 6), 10),
        ("structured:tu:4", (10, 10, 10), 20),
        ("structured:su:3", (6, 6, 9), 18),
        ("structured:g0u:4", (4, 10, 10), 10),
        ("structured:g0g0:4", (4, 4, 4), 4),
        ("structured:g1g1:5", (13, 13, 19), 35),
        ("structured:g1t:5", (13, 13, 12), 24),
        ("structured:oo:3", (5, 5, 9), 27),
        ("structured:hh:3", (5, 5, 9), 27),
        ("structured:oh:2x3x4", (4, 6, 8), 24),
        ("structured:cc:4", (4, 4, 4), 16),
        ("structured:ct:4", (4, 4, 10), 40),
        ("structured:cg:4x2", (4, 8, 8), 32),
        ("structured:u.2gu.2g:4", (12, 12, 12), 32),
        ("structured:u.2gu:4", (12, 10, 13), 26),
        ("structured:c.2cc.2c:4", (4, 4, 4), 16),
        ("structured:u.2uu.4g:8", (30, 48, 54), 156),
        ("structured:g.2sg:4x2x3", (6, 6, 12), 24),
        ("structured:gt:3x5", (15, 15, 6), 30),
        ("structured:tg:3x5", (15, 15, 15), 45),
        ("structured:ug:3x5", (6, 15, 15), 30),
        ("structured:gu:3x5", (15, 15, 15), 45),
        ("structured:gk:3x5", (15, 10, 15), 60),
        ("structured:gg:2x3x4", (6, 12, 8), 24),
        ("structured:gt:4:a", (16, 16, 10), 36),
        ("structured:gt:4:b", (16, 16, 10), 36),
        ("structured:gt:4:c", (16, 16, 10), 32),
        ("structured:ut:4:c", (10, 10, 10), 15),
        ("structured:ug:3x5:b", (6, 15, 15), 29),
    ],
)
def test_sizes_of_the_tensor(text: str, shape: tuple[int, ...], products: int) -> None:
    problem = parse(text)
    assert (problem.name, problem.shape, len(problem.entries)) == (text, shape, products)
    check(problem, 1)


def test_general_times_general_is_the_matrix_product() -> None:
    assert parse("structured:gg:2x3x4").entries == matmul(2, 3, 4).entries
    assert parse("structured:gg:2x3x4").labels == matmul(2, 3, 4).labels


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("structured:gt:4x4", "structured:gt:4"),
        ("structured:ug:3x3", "structured:ug:3"),
        ("structured:uu:3x3x3", "structured:uu:3"),
        ("structured:gg:2x2", "structured:gg:2"),
        ("structured:tg:2x2:c", "structured:tg:2:c"),
    ],
)
def test_equal_sizes_are_written_once(text: str, name: str) -> None:
    assert parse(text).name == name


def test_coordinates_have_the_names_of_their_places() -> None:
    assert parse("structured:lk:3").labels[:2] == (("a11", "a21", "a22", "a31", "a32", "a33"), ("b12", "b13", "b23"))
    assert parse("structured:ot:2x3").labels[:2] == (("a11", "a12", "a13", "a21"), ("b11", "b12", "b13", "b21"))
    assert parse("structured:tg:2x3").labels == (
        ("a11", "a12", "a13", "a21", "a22", "a23"),
        ("b11", "b12", "b13", "b21", "b22", "b23"),
        ("c11", "c12", "c13", "c22", "c23", "c33"),
    )
    assert parse("structured:g0g:10").labels[0][-1] == "a10_10"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("structured", "not of the form structured:CODE:N"),
        ("structured:gt", "not of the form"),
        ("structured:gt:0", "not of the form"),
        ("structured:gt:04", "not of the form"),
        ("structured:gt:4:d", "not of the form"),
        ("structured:gt:4:c:a", "not of the form"),
        ("structured:gt:4x", "not of the form"),
        ("structured:gt:1x2x3x4", "not of the form"),
        ("structured::3", "not of the form"),
        ("structured:zz:3", "'zz' is not two structures of"),
        ("structured:tt:3", "'tt' is not two structures of"),
        ("structured:g:3", "'g' is not two structures of"),
        ("structured:ggg:3", "'ggg' is not two structures of"),
        ("structured:g01g:3", "'g01g' is not two structures of"),
        ("structured:u.1gg:3", "'u.1gg' is not two structures of"),
        ("structured:u.2tg:4", "'u.2tg' is not two structures of"),
        ("structured:h1g:3", "Hankel operands have no banded form; write h, not h1"),
        ("structured:gc2:3", "circulant operands have no banded form"),
        ("structured:uu:3x4", "upper triangular operands are square; write structured:uu:N"),
        ("structured:st:3x4", "symmetric operands are square; write structured:st:N"),
        ("structured:tw:3x4", "skew with a free diagonal operands are square; write structured:tw:N"),
        ("structured:ug:3x4x5", "upper triangular operands are square; write structured:ug:NxM"),
        ("structured:gg:3x4", "3 sizes are needed; write structured:gg:NxMxP"),
        ("structured:gt:3x4x5", "2 sizes are needed; write structured:gt:NxM"),
        ("structured:u.2gg:3", "blocks of 2 do not fill an operand of 3x3"),
        ("structured:g.4s.3gg:4", "blocks of 3 do not divide blocks of 4 into smaller ones"),
        ("structured:g" + ".2s" * 300 + "g:4", "blocks of 2 do not divide blocks of 2 into smaller ones"),
        ("structured:kg:1", "every output is zero; take a larger size"),
        ("structured:kk:1", "every output is zero"),
        ("structured:k0g:4", "every output is zero"),
        ("structured:gt:1:a", "every output is zero"),
        ("structured:gg:33", "35937 elementary products are more than the limit of 32768"),
        ("structured:gt:999999", "more than the limit of 32768"),
    ],
)
def test_bad_problems_are_answered_in_one_line(text: str, words: str) -> None:
    with pytest.raises(ProblemError, match=re.escape(words)) as caught:
        parse(text)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 100 + 2 * len(text)


def test_a_corner_that_is_no_output_is_refused() -> None:
    with pytest.raises(ProblemError, match=r"output entry \(1, 3\) is zero already; leave 'b' out"):
        structured("g0g1", 2, 2, 4, "b")


def test_sizes_of_functions_are_checked_too() -> None:
    with pytest.raises(ProblemError, match="upper triangular operands are square, 2x3 is not"):
        structured("ug", 2, 3, 4)
    with pytest.raises(ProblemError, match="times its transpose is square, 2x4 is not"):
        structured("gt", 2, 3, 4)


def test_codes_are_values() -> None:
    form = product_code("u1.4s.2gt")
    assert str(form) == "u1.4s.2gt"
    assert form == ProductCode(Structure("u", 1, 4, Structure("s", None, 2, Structure("g"))), None)
    assert ProductCode.of(parse("structured:ul:2")) == product_code("ul")
    assert ProductCode.of(matmul(2, 2, 2)) is None
