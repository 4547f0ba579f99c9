"""Recursive calls counted by hand."""

from fractions import Fraction

import pytest

from flipforge.errors import InputError
from flipforge.problems import parse, product_code
from flipforge.rings import GF3, Q, Z
from flipforge.schemes import (
    RecursiveCalls,
    Scheme,
    asymptotic_factor,
    call_codes,
    call_kinds,
    recursive_calls,
    standard_scheme,
)


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        # Two entries of the diagonal, each with a row of two.
        ("structured:ug:2", "4-0-0"),
        ("structured:gl:3", "9-0-0"),
        ("structured:ug:2x5", "10-0-0"),
        ("structured:gu:5x2", "10-0-0"),
        ("structured:gg:2", "0-0-0"),
        ("structured:kg:3", "0-0-0"),
        ("structured:gk:3", "0-0-0"),
        # u11 l11, u22 l22; u12 l22; u12 l21 with no structured operand; u22 l21.
        ("structured:ul:2", "2-1-1"),
        ("structured:us:2", "2-2-1"),
        ("structured:sk:2", "0-2-0"),
        ("structured:ks:2", "0-0-2"),
        ("structured:ss:2", "2-4-0"),
        ("structured:uu:3", "3-6-0"),
        ("structured:kk:3", "0-0-0"),
        # x11 x11, x22 x22 of the kind; x11 x12 and x12 x22 mixed; x12 x12 twice.
        ("structured:st:2", "2-2-2"),
        ("structured:ts:2", "2-2-2"),
        ("structured:ut:2", "2-1-1"),
        ("structured:tl:3", "3-3-3"),
        ("structured:kt:3", "0-0-0"),
        ("structured:gt:3x2", "6-0-0"),
        ("structured:tg:3x2", "6-0-0"),
        ("structured:oo:2", "8-0-0"),
        ("structured:og:2x3x4", "24-0-0"),
        ("structured:ol:2", "4-2-0"),
        ("structured:hk:2", "0-4-0"),
        ("structured:ot:2", "4-2-0"),
        ("structured:gt:2:c", "0-0-0"),
    ],
)
def test_standard_algorithms(name: str, calls: str) -> None:
    assert str(recursive_calls(standard_scheme(parse(name), Z))) == calls


@pytest.mark.parametrize(
    "name", ["matmul:2x2x2", "complex", "structured:cc:2", "structured:gc:2", "structured:g1u:3", "structured:tu.2g:4"]
)
def test_where_blocks_do_not_have_the_structure_nothing_is_counted(name: str) -> None:
    assert recursive_calls(standard_scheme(parse(name), Z)) is None


def test_proportional_factors_are_a_matrix_and_its_transpose() -> None:
    problem = parse("structured:gt:1x2")
    scheme = Scheme(problem, Q, ((2, 0), (0, -1)), ((Fraction(1, 3), 0), (0, 1)), ((Fraction(3, 2),), (-1,)))
    assert scheme.verdict().valid
    assert recursive_calls(scheme) == RecursiveCalls(2, 0, 0)
    modular = Scheme(problem, GF3, ((2, 0), (0, 1)), ((1, 0), (0, 2)), ((2,), (2,)))
    assert modular.verdict().valid
    assert recursive_calls(modular) == RecursiveCalls(2, 0, 0)


def test_one_triangle_of_a_product_that_only_the_diagonal_uses() -> None:
    """Strassen's sum (x1 + x2) x3^T + ... : what stands on the diagonal alone may be any two matrices."""
    problem = parse("structured:gt:2x1")
    # x1 x1^T = x1 (x1 + x2)^T - x1 x2^T: the first product is used by c11 alone, the second by c12 too.
    u, v = ((1, 0), (1, 0), (0, 1)), ((1, 1), (0, 1), (0, 1))
    w = ((1, 0, 0), (-1, 1, 0), (0, 0, 1))
    scheme = Scheme(problem, Z, u, v, w)
    assert scheme.verdict().valid and recursive_calls(scheme) == RecursiveCalls(1, 1, 0)
    form = scheme.canonical
    kinds = call_kinds(problem, form.u, form.v, form.w)
    assert kinds is not None and sorted(map(str, kinds)) == ["None", "a", "b"]


@pytest.mark.parametrize("rank", [27, 34, 40])
def test_what_one_triangle_costs_is_what_a_triangular_operand_costs(rank: int) -> None:
    """12 calls of 34 give 22/37, as many true ones as may be among them, where a triangle has that factor too."""
    own = asymptotic_factor(rank, 12, 49)
    for triangles in range(12):
        assert asymptotic_factor(rank, 12 - triangles, 49, [(triangles, own)]) == own


def test_a_product_that_is_zero_calls_nothing() -> None:
    problem = parse("structured:ut:1")
    scheme = Scheme(problem, Z, ((1,), (0,)), ((1,), (0,)), ((1,), (1,)))
    assert recursive_calls(scheme) == RecursiveCalls(1, 0, 0)


@pytest.mark.parametrize(
    ("rank", "calls", "general", "factor"),
    [(34, 8, 49, Fraction(26, 41)), (34, 10, 49, Fraction(8, 13)), (34, 12, 49, Fraction(22, 37)), (7, 0, 7, 1)],
)
def test_published_factors(rank: int, calls: int, general: int, factor: Fraction) -> None:
    assert asymptotic_factor(rank, calls, general) == factor


def test_factors_with_several_kinds_of_calls() -> None:
    # ut, 4 blocks: 19 products, 1 of the kind, 8 triangular times general (25/38 of a general product each), 1 of gt.
    others = [(8, Fraction(25, 38)), (1, Fraction(26, 41))]
    factor = asymptotic_factor(19, 1, 49, others)
    assert factor == (19 - 1 - 8 * (1 - Fraction(25, 38)) - (1 - Fraction(26, 41))) / Fraction(48)
    # It is what the recursion says: g R products' worth of work at one level is that of its products at the next.
    assert 49 * factor == factor * 1 + 8 * Fraction(25, 38) + Fraction(26, 41) + (19 - 1 - 8 - 1)
    assert asymptotic_factor(19, 1, 49, [(8, Fraction(1))]) == asymptotic_factor(19, 1, 49)
    with pytest.raises(InputError, match="20 calls of 19"):
        asymptotic_factor(19, 1, 49, [(19, Fraction(1, 2))])


@pytest.mark.parametrize(
    ("code", "kinds"),
    [
        ("ug", ("ug", None, None)),
        ("gg", ("gg", None, None)),
        ("ss", ("ss", "sg", None)),
        ("sk", ("sk", "sg", "gk")),
        ("ut", ("ut", "ug", "gt")),
        ("tl", ("tl", "lg", "tg")),
        ("tg", ("tg", "ug", None)),
    ],
)
def test_codes_of_calls(code: str, kinds: tuple[str | None, ...]) -> None:
    assert call_codes(product_code(code)) == kinds


@pytest.mark.parametrize(("rank", "calls", "general"), [(7, 8, 49), (7, -1, 49), (50, 49, 49), (3, 3, 2)])
def test_counts_of_no_scheme(rank: int, calls: int, general: int) -> None:
    with pytest.raises(InputError, match=f"{calls} calls of {rank} products beside {general}"):
        asymptotic_factor(rank, calls, general)
