"""The target for structured products: every code, BLAS signatures, recursion into same and other products."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance import ExporterConformance, strassen, swapped
from flipforge.errors import InputError
from flipforge.plugins import Exporter
from flipforge.problems import parse
from flipforge.rings import GF2, GF3, ZT, Ring
from flipforge.schemes import Scheme, recursive_calls, standard_scheme
from flipforge_codegen.flipforge_structured import clean, pack, symm, syrk, trmm, unpack
from flipforge_codegen.structured_target import StructuredExporter, structured_product

Array = npt.NDArray[Any]

# Every code that the target takes, with sizes that are not square where the code allows them.
CODES = (
    *("gg:2x1x3", "gt:2x3", "tg:3x2", "ug:2x3", "gu:3x2", "lg:2x1", "gl:1x2", "sg:2x3", "gs:2x3", "kg:3x2", "gk:2x3"),
    *("uu:2", "ul:3", "lu:2", "ll:2", "ut:2", "tu:2", "lt:2", "tl:3"),
)


def standard(code: str, ring: Ring = ZT) -> Scheme:
    return standard_scheme(parse(f"structured:{code}"), ring)


class TestStructured(ExporterConformance):
    def exporter(self) -> Exporter:
        return StructuredExporter()

    def schemes(self) -> Sequence[Scheme]:
        return [standard("sg:2"), standard("gt:2"), standard("kg:3", GF3), standard("ug:2", GF2)]

    def mutations(self, text: str) -> Iterable[str]:
        yield text.replace("[(1, 1)],", "[(-1, 1)],", 1)
        yield text.replace("[(1, 1)],", "[(1, 0)],", 1)
        yield text.replace('code="sg"', 'code="kg"')


class TestStructuredModulo2(ExporterConformance):
    def exporter(self) -> Exporter:
        return StructuredExporter()

    def schemes(self) -> Sequence[Scheme]:
        return [standard("ug:2", GF2)]

    def mutations(self, text: str) -> Iterable[str]:
        """Coefficients that are 0 and become 1, in each of the three factors, and an index."""
        for factor in ("u=[", "v=[", "outputs=["):
            yield swapped(text, factor, "[(1, 1)]", "[(1, 0), (1, 1)]")
        yield swapped(text, "v=[", "[(1, 1)]", "[(1, 0)]")


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_right_at_depth_two(code: str) -> None:
    product = structured_product(standard(code))
    random = np.random.default_rng(3)
    n, m, p = (2 * d * d + 1 for d in product.dims)
    letters, shapes = product.code, [(n, m), (m, p)]
    if "t" in letters:
        shapes = [shapes[0] if letters[1] == "t" else shapes[1]]
    operands = [random.integers(-9, 9, shape) for shape in shapes]
    whole = [clean(x, letter) for x, letter in zip(operands, letters.replace("t", ""), strict=True)]
    if "t" in letters:
        whole = [whole[0], whole[0].T] if letters[1] == "t" else [whole[0].T, whole[0]]
    assert np.array_equal(product.multiply(*operands, depth=2), whole[0] @ whole[1])


def test_products_recurse_as_the_scheme_says() -> None:
    """The counts of `recursive_calls` are the calls that are made: the general ones are seen by the hook."""
    scheme = standard("ug:3")
    calls = recursive_calls(scheme)
    assert calls is not None
    seen = []

    def general(x: Array, y: Array, out: Array | None = None) -> Array:
        seen.append(bool((np.tril(x, -1) == 0).all()))
        return np.matmul(x, y, out=out)

    a, b = np.arange(1, 82).reshape(9, 9), np.ones((9, 9), dtype=int)
    structured_product(scheme).multiply(a, b, general=general)
    assert seen.count(True) == calls.a
    assert len(seen) == scheme.rank


def test_other_products_are_recursed_into() -> None:
    fast = structured_product(standard("sg:2"))
    counted = {"lg": 0, "ug": 0}
    products = {}
    for code in counted:
        products[code] = structured_product(standard(f"{code}:2"))
    a, b = np.arange(64).reshape(8, 8), np.arange(64).reshape(8, 8)
    wanted = clean(a, "s") @ b
    seen: list[tuple[int, ...]] = []

    def general(x: Array, y: Array, out: Array | None = None) -> Array:
        seen.append(x.shape)
        return np.matmul(x, y, out=out)

    assert np.array_equal(fast.multiply(a, b, depth=2, others=products, general=general), wanted)
    assert set(seen) == {(2, 2)}
    seen.clear()
    assert np.array_equal(fast.multiply(a, b, depth=2, general=general), wanted)
    assert set(seen) == {(2, 2), (4, 4)}


@given(n=st.integers(0, 12))
@settings(max_examples=20)
def test_packing_is_undone_by_unpacking(n: int) -> None:
    x = np.arange(n * n).reshape(n, n)
    for letter in "usk":
        assert np.array_equal(unpack(pack(x), letter), clean(x, letter))
    assert np.array_equal(unpack(pack(x, lower=True), "l"), np.tril(x))


def test_gram_hook_writes_the_upper_triangle_alone() -> None:
    def gram(x: Array, out: Array) -> None:
        out[...] = -777
        upper = np.triu_indices(len(x))
        out[upper] = (x @ x.T)[upper]

    a = np.arange(35).reshape(7, 5)
    for code in ("gt:2x1", "gt:2", "gt:3x2"):
        result = structured_product(standard(code)).multiply(a, gram=gram)
        assert np.array_equal(result, a @ a.T)


def test_refused(tmp_path: Path) -> None:
    for scheme, reason in (
        (strassen(), "multiplies structured matrices"),
        (standard("ss:2"), "the target numpy any of numbers"),
        (standard("gt:4:c"), "without corners"),
    ):
        with pytest.raises(InputError, match=reason):
            StructuredExporter().export(scheme, tmp_path / "out", options={})
    assert not (tmp_path / "out").exists()
    gram, square = structured_product(standard("gt:2")), np.eye(2)
    with pytest.raises(ValueError, match="takes 1 operands"):
        gram.multiply(square, square)
    with pytest.raises(ValueError, match="square where it is structured"):
        structured_product(standard("ug:2")).multiply(np.ones((2, 3)), np.ones((3, 2)))
    with pytest.raises(TypeError, match="give integers"):
        structured_product(standard("gt:2", GF2)).multiply(square)
    with pytest.raises(ValueError, match="code gt, ug is needed"):
        trmm(gram, square, square)
    with pytest.raises(ValueError, match="sg or kg"):
        symm(gram, square, square)
    with pytest.raises(ValueError, match="no packed triangle"):
        unpack(np.ones(4))
    assert syrk(gram, square).tolist() == [[1, 0], [0, 1]]


def test_integers_that_may_not_fit_are_refused() -> None:
    gram, big = structured_product(standard("gt:2")), np.full((4, 4), 2**31)
    with pytest.raises(OverflowError, match="may exceed int64"):
        gram.multiply(big)
    assert (gram.multiply(big.astype(object)) == 2**64).all()
    edge = np.full((2, 1), 2**31)
    assert gram.multiply(edge).tolist() == [[2**62] * 2] * 2
    upper = np.array([[1, 2**40], [2**40, 1]])  # what stands below the diagonal is not read
    assert structured_product(standard("ug:2")).multiply(upper, np.eye(2, dtype=np.int64)).tolist() == [
        [1, 2**40],
        [0, 1],
    ]
