"""Groups: dimensions against the published tables and against brute force, bases against ranks, equivariance."""

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from math import lcm

import numpy as np
import pytest
from flint import nmod_mat

from flipforge import plugins
from flipforge.diagrams import Diagram, Group, HeadedDiagram, PartitionDiagram, SparseMatrix, group, group_names
from flipforge.errors import InputError

PRIME = 2**31 - 1

# Dimensions for m = k + l = 0, 1, ..., computed independently (nullity of generator constraints, orbit counts).
DIMENSIONS: dict[str, tuple[int, ...]] = {
    "S:1": (1, 1, 1, 1, 1, 1, 1),
    "S:2": (1, 1, 2, 4, 8, 16, 32),
    "S:3": (1, 1, 2, 5, 14, 41, 122),
    "S:4": (1, 1, 2, 5, 15, 51, 187),
    "S:5": (1, 1, 2, 5, 15, 52, 202),
    "S:6": (1, 1, 2, 5, 15, 52, 203),
    "S:7": (1, 1, 2, 5, 15, 52, 203),
    "O:1": (1, 0, 1, 0, 1, 0, 1),
    "O:2": (1, 0, 1, 0, 3, 0, 10, 0, 35),
    "O:3": (1, 0, 1, 0, 3, 0, 15, 0, 91),
    "O:4": (1, 0, 1, 0, 3, 0, 15),
    "O:5": (1, 0, 1, 0, 3, 0, 15),
    "O:6": (1, 0, 1, 0, 3, 0, 15),
    "Sp:2": (1, 0, 1, 0, 2, 0, 5, 0, 14),
    "Sp:4": (1, 0, 1, 0, 3, 0, 14, 0, 84),
    "Sp:6": (1, 0, 1, 0, 3, 0, 15, 0, 104),
    "A:1": (1, 1, 1, 1, 1, 1, 1),
    "A:2": (1, 2, 4, 8, 16, 32, 64),
    "A:3": (1, 1, 3, 9, 27, 81, 243),
    "A:4": (1, 1, 2, 6, 22, 86, 342),
    "A:5": (1, 1, 2, 5, 16, 63, 282),
    "A:6": (1, 1, 2, 5, 15, 53, 219),
    "A:7": (1, 1, 2, 5, 15, 52, 204),
    "SO:1": (1, 1, 1, 1, 1, 1, 1),
    "SO:2": (1, 0, 2, 0, 6, 0, 20, 0, 70),
    "SO:3": (1, 0, 1, 1, 3, 6, 15, 36, 91),
    "SO:4": (1, 0, 1, 0, 4, 0, 25),
    "SO:5": (1, 0, 1, 0, 3, 1, 15, 15),
    "SO:6": (1, 0, 1, 0, 3, 0, 16),
    "H:1": (1, 0, 1, 0, 1),
    "H:2": (1, 0, 1, 0, 4),
    "H:3": (1, 0, 1, 0, 4),
    "H:4": (1, 0, 1, 0, 4),
    "B:1": (1, 1, 1, 1, 1, 1),
    "B:2": (1, 1, 2, 4, 8, 16),
    "B:3": (1, 1, 2, 4, 10, 26),
    "SxZ2:3": (1, 0, 2, 0, 14, 0, 122),
    "BxZ2:3": (1, 0, 2, 0, 10),
}


@pytest.fixture(scope="module", autouse=True)
def _connected() -> None:
    plugins.connect()


def rank_of(matrices: Sequence[SparseMatrix]) -> int:
    """The rank of matrices as vectors, modulo a prime: never more than the rank over Q."""
    if not matrices:
        return 0
    rows, cols = matrices[0].shape
    flat = np.zeros((len(matrices), rows * cols), np.int64)
    for row, matrix in zip(flat, matrices, strict=True):
        row[matrix.rows * cols + matrix.cols] = matrix.values
    return int(nmod_mat(flat.tolist(), PRIME).rank())


def power(element: np.ndarray, exponent: int) -> np.ndarray:
    """The Kronecker power of a matrix."""
    return reduce(np.kron, [element] * exponent, np.ones((1, 1), dtype=element.dtype))


def commutes(member: Group, diagram: Diagram, element: np.ndarray) -> bool:
    """Whether the matrix of a diagram commutes with an n x n matrix, exactly."""
    scale = lcm(*(Fraction(x).denominator for x in element.ravel().tolist()))
    integers = np.array([[int(x * scale) for x in row] for row in element.tolist()], dtype=object)
    matrix = member.matrix(diagram).dense().astype(object)
    below, above = (power(integers, size) for size in (diagram.k, diagram.l))
    return bool((above @ matrix * scale**diagram.k == matrix @ below * scale**diagram.l).all())


CELLS = [(name, m, dimension) for name, row in DIMENSIONS.items() for m, dimension in enumerate(row)]


@pytest.mark.parametrize(("name", "m", "dimension"), CELLS)
def test_dimensions(name: str, m: int, dimension: int) -> None:
    member = group(name)
    for k in {0, m // 2, m}:
        assert member.dimension(k, m - k) == dimension
        basis = member.basis(k, m - k)
        assert len(basis) == dimension
        assert list(basis) == [each for each in member.diagrams(k, m - k) if each in set(basis)]  # one order
        assert all(member.contains(diagram) and (diagram.k, diagram.l) == (k, m - k) for diagram in basis)
        assert member.count(k, m - k) == sum(1 for _ in member.diagrams(k, m - k)) >= dimension


@pytest.mark.parametrize(("name", "m"), [(name, m) for name, m, _ in CELLS if int(name.split(":")[1]) ** m <= 800])
def test_bases_are_independent_and_span_all_diagrams(name: str, m: int) -> None:
    member = group(name)
    basis = member.basis(m // 2, m - m // 2)
    assert rank_of([member.matrix(diagram) for diagram in basis]) == len(basis)
    everything = [member.matrix(diagram) for diagram in member.diagrams(m // 2, m - m // 2)]
    assert rank_of(everything) == len(basis)


SHAPES = {
    "S:3": [(2, 2)],
    "S:4": [(1, 2)],
    "O:3": [(2, 2)],
    "Sp:2": [(3, 3)],
    "Sp:4": [(1, 3)],
    "A:2": [(0, 3)],
    "A:3": [(1, 2), (4, 0)],
    "A:4": [(2, 1)],
    "SO:2": [(1, 3)],
    "SO:3": [(2, 1), (2, 2)],
    "SO:4": [(0, 4)],
    "H:3": [(2, 2)],
    "B:3": [(1, 3)],
    "SxZ2:3": [(1, 3)],
    "BxZ2:3": [(2, 2)],
}


@pytest.mark.parametrize(("name", "k", "l"), [(name, *shape) for name, row in SHAPES.items() for shape in row])
def test_matrices_commute_with_random_elements(name: str, k: int, l: int) -> None:
    member, rng = group(name), np.random.default_rng(1)
    for _ in range(3):
        element = member.element(rng)
        assert all(commutes(member, diagram, element) for diagram in member.basis(k, l))


def test_random_elements_are_not_special() -> None:
    rng = np.random.default_rng(2)
    orthogonal = group("O:4").element(rng)
    assert (orthogonal @ orthogonal.T == np.eye(4, dtype=int)).all()
    assert any(isinstance(x, Fraction) and x.denominator > 1 for x in orthogonal.ravel())
    assert not commutes(group("Sp:4"), PartitionDiagram(2, 2, (0, 0, 1, 1)), orthogonal)
    assert not commutes(group("O:4"), PartitionDiagram(2, 2, (0, 0, 1, 1)), group("Sp:4").element(rng))
    assert commutes(group("Sp:4"), PartitionDiagram(2, 2, (0, 1, 1, 0)), orthogonal)  # no pair in a row
    assert not commutes(group("S:4"), PartitionDiagram(2, 2, (0, 0, 1, 1)), orthogonal + 1)
    assert not commutes(group("S:4"), PartitionDiagram(1, 1, (0, 1)), orthogonal)


def test_heads_see_the_determinant() -> None:
    swap, reflection = np.eye(3, dtype=int)[[1, 0, 2]], np.diag([1, -1, 1])
    for name, element in (("A:3", swap), ("SO:3", reflection)):
        member = group(name)
        heads = [d for d in member.basis(2, 1) if isinstance(d, HeadedDiagram)]
        assert heads
        for diagram in heads:
            assert not commutes(member, diagram, element)
            matrix = member.matrix(diagram).dense()
            assert (element @ matrix == -matrix @ np.kron(element, element)).all()


@pytest.mark.parametrize(("name", "k", "l", "size"), [("S:50", 4, 4, 4140), ("Sp:50", 5, 5, 945), ("SO:6", 5, 5, 1296)])
def test_large_bases(name: str, k: int, l: int, size: int) -> None:
    assert len(group(name).basis(k, l)) == size


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("E:8", "unknown group 'E:8': known are"),
        ("S", "write S:SIZE"),
        ("S:", "write S:SIZE"),
        ("S:0", "from 1 to"),
        ("O:2.5", "from 1 to"),
        ("S:99999999", "from 1 to"),
        ("Sp:3", "even dimension; write Sp:4 or O:3"),
    ],
)
def test_bad_names(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        group(text)


def test_bad_shapes_and_sizes() -> None:
    bodies = {"perm": "231", "Aut": "path-3"}
    for name in group_names():
        member = group(f"{name}:{bodies.get(name, '4')}")
        for method in (member.dimension, member.basis, member.count, member.diagrams):
            with pytest.raises(InputError, match="not negative"):
                method(-1, 2)
    with pytest.raises(InputError, match="1382958545 diagrams do not fit"):
        group("S:20").basis(7, 8)
    assert group("S:20").dimension(7, 8) == 1382958545
    with pytest.raises(InputError, match="no diagram of O:3"):
        group("O:3").matrix(PartitionDiagram(1, 1, (0, 1)))
