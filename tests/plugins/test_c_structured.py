"""Structured products in C: every code, BLAS signatures, recursion into same and other products, wrong code caught."""

import subprocess
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance import ExporterConformance, strassen, swapped
from flipforge.errors import InputError
from flipforge.plugins import Exporter, export
from flipforge.problems import parse
from flipforge.rings import GF2, GF3, ZT, Ring
from flipforge.schemes import Scheme, standard_scheme
from flipforge_codegen.c_target import CExporter
from flipforge_codegen.flipforge_c_structured import StructuredKernel, load_structured
from flipforge_codegen.flipforge_structured import clean

pytestmark = pytest.mark.usefixtures("library_cache")
Array = npt.NDArray[Any]

SHIPPED = ("gt:2x1", "sg:2", "ug:2", "kg:3", "uu:2", "ul:2", "ut:2")
CODES = ("gt", "sg", "gs", "kg", "gk", "ug", "lg", "gu", "gl", "uu", "ll", "ul", "lu", "ut")


def standard(code: str, ring: Ring = ZT) -> Scheme:
    return standard_scheme(parse(f"structured:{code}"), ring)


@cache
def kernel(blas: bool = True) -> StructuredKernel:
    """Return one file with all codes, whose general products take a level of Strassen's scheme."""
    with TemporaryDirectory() as folder:
        schemes = [*map(standard, SHIPPED), strassen()]
        return load_structured(CExporter().export_levels(schemes, Path(folder)).files[0], blas=blas)


class TestStructuredC(ExporterConformance):
    def exporter(self) -> Exporter:
        return CExporter()

    def schemes(self) -> Sequence[Scheme]:
        return [standard("sg:2"), standard("gt:2"), standard("kg:3", GF3), standard("ug:2")]

    def mutations(self, text: str) -> Iterable[str]:
        yield swapped(text, "out_f64_0", "[j] + m", "[j] - m")
        yield swapped(text, "left_cells_0", "{0, 1}", "{0, 0}")
        yield swapped(text, "static void rests", "skew ? -1 : 1", "-1")
        yield swapped(text, "static void rest_f32", "x[i * rs + j * cs] - x", "x[i * rs + j * cs] + x")


class TestGramC(ExporterConformance):
    def exporter(self) -> Exporter:
        return CExporter()

    def schemes(self) -> Sequence[Scheme]:
        return [detour(), standard("gt:2")]

    def mutations(self, text: str) -> Iterable[str]:
        yield swapped(text, "const task each", "own &&", "0 &&")
        yield swapped(text, "kept[o] = gram &&", "gram &&", "0 &&")
        yield swapped(text, "static void syrk_f64", "order, 121", "order, 122")


def detour() -> Scheme:
    """Return a scheme that uses products of a matrix and its transpose off the diagonal, where all of it is needed."""
    plain = standard("gt:2")
    first, second, both = (1, 0, 0, 0), (0, 1, 0, 0), (1, 1, 0, 0)
    pairs = ((both, both), (first, first), (first, second), (second, first), (second, second))
    more = tuple(zip(*pairs, strict=True))
    return Scheme(plain.problem, ZT, plain.u + more[0], plain.v + more[1], (*plain.w, (0, 1, 0), *[(0, -1, 0)] * 4))


@given(
    code=st.sampled_from(CODES),
    sizes=st.tuples(st.integers(1, 14), st.integers(1, 14), st.integers(1, 14)),
    levels=st.integers(0, 3),
    general=st.integers(0, 2),
    threads=st.integers(1, 3),
    dtype=st.sampled_from(["float32", "int64"]),
    orders=st.tuples(*[st.sampled_from("CF")] * 3),
    blas=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=100)
def test_any_size_depth_and_order_is_exact(
    code: str,
    sizes: tuple[int, int, int],
    levels: int,
    general: int,
    threads: int,
    dtype: str,
    orders: Any,
    blas: bool,
    seed: int,
) -> None:
    draw = np.random.default_rng(seed)
    m, k, n = sizes
    m, k = (k, k) if code[0] != "g" else (m, k)
    n = k if code[1] not in "gt" else n
    a = draw.integers(-9, 9, (m, k)).astype(dtype, order=orders[0])
    b = draw.integers(-9, 9, (k, n)).astype(dtype, order=orders[1])
    left = clean(a, code[0])
    wanted = left @ (left.T if code[1] == "t" else clean(b, code[1]))
    out = np.full(wanted.shape, 55, dtype, order=orders[2])
    other = None if code[1] == "t" else b
    options: dict[str, Any] = {"levels": levels, "general_levels": general, "threads": threads}
    found = kernel(blas).multiply(a, other, code=code, out=out, **options)
    assert found is out
    if code[1] == "t":
        assert (out[np.tril_indices(m, -1)] == 55).all()
        out, wanted = np.triu(out), np.triu(wanted)
    assert np.array_equal(out, wanted)


def test_general_products_take_the_levels_of_their_own_schemes() -> None:
    """A level of Strassen's scheme off the diagonal needs memory of its own; without it nothing is needed."""
    a = np.ones((64, 64))
    plain, fast = (kernel().workspace(a, code="gt", general_levels=levels) for levels in (0, 1))
    assert plain == 64 < fast


def test_products_are_shared_out_over_cores() -> None:
    """Each core has memory of its own for the products that it takes."""
    a = np.ones((64, 64))
    one, two = (kernel().workspace(a, code="gt", general_levels=1, threads=threads) for threads in (1, 2))
    assert one < two


def test_the_structured_scheme_is_what_runs() -> None:
    """Errors of rounding tell a scheme from BLAS: the same numbers, other sums."""
    draw = np.random.default_rng(1)
    a, b = draw.uniform(-1, 1, (64, 64)), draw.uniform(-1, 1, (64, 64))
    found = {levels: kernel().multiply(a, b, code="sg", levels=levels) for levels in (0, 1, 2)}
    assert np.allclose(found[0], found[1]) and np.allclose(found[0], found[2])
    assert len({x.tobytes() for x in found.values()}) == 3


def test_refused(tmp_path: Path) -> None:
    for schemes, reason in (
        ([standard("ss:2")], "takes structured products gt, ut"),
        ([standard("gt:4:c")], "without corners"),
        ([standard("gt:2", GF2)], "take the target blas"),
        ([strassen(), standard("gt:2")], "name the structured scheme first"),
    ):
        with pytest.raises(InputError, match=reason):
            export(schemes[0], "c", tmp_path / "out", inner=schemes[1:])
    assert not (tmp_path / "out").exists()
    square, whole = np.eye(4), kernel()
    refusals: tuple[tuple[Callable[[], object], type[Exception], str], ...] = (
        (lambda: whole.multiply(square, square, code="ss"), ValueError, "not for ss"),
        (lambda: whole.multiply(square, square, code="gt"), ValueError, "takes 1 operands"),
        (lambda: whole.multiply(np.ones((2, 3)), square, code="ug"), ValueError, "square where structured"),
        (lambda: whole.multiply(square, np.eye(3), code="ug"), ValueError, "have no product"),
        (lambda: whole.multiply(square, square, code="ug", out=square), ValueError, "overlaps an operand"),
        (lambda: whole.multiply(square, square, code="ug", out=np.eye(3)), ValueError, "out is float64"),
        (lambda: whole.multiply(square, code="gt", depth=1), ValueError, "see the docstring"),
        (lambda: whole.multiply(square, code="gt", levels=-1), ValueError, "0 or more"),
        (
            lambda: whole.multiply(square, code="gt", general_levels=1, workspace=np.zeros(8, np.uint8)),
            ValueError,
            "8 b",
        ),
        (lambda: whole.syrk(square, uplo="X"), ValueError, "give U or L"),
        (lambda: whole.trmm(np.ones(4), square), ValueError, "no packed triangle"),
        (lambda: whole.syrk(np.full((4, 4), 2**31)), OverflowError, "may exceed int64"),
        (lambda: whole.syrk(np.full((4, 4), 2**30), alpha=2**10), OverflowError, "beyond int64"),
        (lambda: whole.syrk(square * 1j), TypeError, "complex128"),
    )
    for wrong, error, said in refusals:
        with pytest.raises(error, match=said):
            wrong()


def test_a_file_without_a_code_says_so(tmp_path: Path) -> None:
    only = load_structured(CExporter().export(standard("gt:2"), tmp_path, options={}).files[0])
    with pytest.raises(ValueError, match="schemes for gt; sg is needed"):
        only.symm(np.eye(2), np.eye(2))
    assert only.syrk(np.eye(3)).tolist() == np.eye(3).tolist()


def test_strict_compilers_have_nothing_to_say(tmp_path: Path) -> None:
    file = CExporter().export_levels([*map(standard, SHIPPED)], tmp_path).files[0]
    strict = ["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fopenmp", "-fsyntax-only", str(file)]
    assert not subprocess.run(strict, capture_output=True, text=True, check=False).stderr
