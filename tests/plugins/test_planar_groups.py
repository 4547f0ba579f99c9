"""Free quantum groups: planar diagrams, their numbers, and that composition, tensor and flip keep them planar."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flipforge import plugins
from flipforge.certificates import check
from flipforge.certificates._dimensions import dimension_by_characters
from flipforge.diagrams import Group, PartitionDiagram, group
from flipforge.errors import InputError

LETTERS = ("S", "O", "H", "B", "SxZ2", "BxZ2")


@pytest.fixture(scope="module", autouse=True)
def _connected() -> None:
    plugins.connect()


@pytest.mark.parametrize("letters", LETTERS)
def test_they_are_the_planar_diagrams_of_the_classical_group(letters: str) -> None:
    free, classical = group(f"{letters}+:4"), group(f"{letters}:4")
    for m in range(8):
        for k in {0, m // 2, m}:
            wanted = [d for d in classical.diagrams(k, m - k) if isinstance(d, PartitionDiagram) and d.is_planar]
            assert list(free.diagrams(k, m - k)) == wanted
            assert free.count(k, m - k) == free.dimension(k, m - k) == len(wanted)


@pytest.mark.parametrize("m", range(9))
def test_dimensions(m: int) -> None:
    catalan = comb(2 * m, m) // (m + 1)
    assert [group(f"S+:{n}").dimension(m // 2, m - m // 2) for n in (4, 5, 50)] == [catalan] * 3
    assert group("O+:2").dimension(m, m) == catalan
    motzkin = (1, 1, 2, 4, 9, 21, 51, 127, 323)
    assert group("B+:3").dimension(m, 0) == motzkin[m]
    ternary = (1, 1, 3, 12, 55, 273, 1428, 7752, 43263)
    assert group("H+:4").dimension(m, m) == ternary[m]


@given(st.data(), st.sampled_from(LETTERS))
def test_the_operations_keep_them(data: st.DataObject, letters: str) -> None:
    free: Group = group(f"{letters}+:4")
    sizes = [data.draw(st.integers(0, 3)) for _ in range(3)]
    families = [list(free.diagrams(sizes[i + 1], sizes[i])) for i in range(2)]
    if all(families):
        a, b = (data.draw(st.sampled_from(family)) for family in families)
        results = [*free.calculus.compose(a, b), *free.calculus.tensor(a, b), *free.calculus.flip(a)]
        assert all(free.contains(diagram) for diagram in results)


def test_small_sizes_are_classical_with_a_planar_basis() -> None:
    for name, m in (("S+:3", 5), ("S+:2", 4), ("B+:2", 5), ("O+:1", 6)):
        free, classical = group(name), group(name.replace("+", ""))
        assert free.dimension(m - 2, 2) == classical.dimension(m - 2, 2) < free.count(m - 2, 2)
        assert all(isinstance(d, PartitionDiagram) and d.is_planar for d in free.basis(m - 2, 2))
        assert check(free.certificate(m - 2, 2)).valid


@pytest.mark.parametrize(
    ("n", "dimensions"),
    [(2, (1, 0, 1, 0, 3, 0, 10, 0, 35)), (3, (1, 0, 1, 0, 3, 0, 12, 0, 55, 0, 271))],
)
def test_hyperoctahedral_ones_that_are_not_classical(n: int, dimensions: tuple[int, ...]) -> None:
    """Ranks of Gram matrices against moments of the character; H_2^+ is a twist of O(2) (Bichon, 2003)."""
    member = group(f"H+:{n}")
    for m, dimension in enumerate(dimensions):
        assert dimension_by_characters("H+", n, m) == dimension
        basis = member.basis(m // 2, m - m // 2)
        assert len(basis) == member.dimension(m // 2, m - m // 2) == dimension
        assert all(isinstance(d, PartitionDiagram) and d.is_planar for d in basis)
        if dimension <= 200:
            assert check(member.certificate(m // 2, m - m // 2)).valid
    assert dimension_by_characters("H+", 3, 12) == 1396


def test_bad_input() -> None:
    with pytest.raises(InputError, match="7752 diagrams are too many for a Gram matrix"):
        group("H+:3").dimension(7, 7)
    crossing = PartitionDiagram(2, 2, (0, 1, 1, 0))
    assert not group("S+:4").contains(crossing)
    with pytest.raises(InputError, match="no planar diagram"):
        group("S+:4").matrix(crossing)
    with pytest.raises(InputError, match="not negative"):
        group("S+:4").dimension(-1, 1)
    with pytest.raises(InputError, match="do not fit"):
        group("S+:4").basis(10, 10)
    with pytest.raises(InputError, match="Gram determinants are computed up to"):
        group("S+:3").certificate(4, 4)
    large = group("S+:9").certificate(4, 4)
    assert large.witness["method"] == "rule"
    assert check(large).valid
