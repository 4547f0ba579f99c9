"""The C target: what it writes, what it refuses, that its check catches wrong code, and the loader's own promises."""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance import ExporterConformance, divided_strassen, strassen, swapped
from flipforge.errors import InputError, RingError
from flipforge.plugins import Exporter, export
from flipforge.problems import matmul, parse
from flipforge.programs import program
from flipforge.rings import GF2, GF3, ZT, Q, Z
from flipforge.schemes import Scheme, standard_scheme
from flipforge_codegen import flipforge_c
from flipforge_codegen._exactness import MismatchError, all_unit_pairs
from flipforge_codegen._stages import stages
from flipforge_codegen.c_target import CExporter
from flipforge_codegen.flipforge_c import Kernel, residue_ring

pytestmark = pytest.mark.usefixtures("library_cache")
Array = npt.NDArray[Any]


@cache
def kernel(scheme: Scheme) -> Kernel:
    with TemporaryDirectory() as folder:
        return flipforge_c.load(CExporter().export(scheme, Path(folder), options={}).files[0])


class TestCOverZ(ExporterConformance):
    quick = 3

    def exporter(self) -> Exporter:
        return CExporter()

    def schemes(self) -> Sequence[Scheme]:
        return [strassen(), divided_strassen()]

    def mutations(self, text: str) -> Iterable[str]:
        """Signs and indices of the passes of three types, of both lists of steps, and of the recursion."""
        yield swapped(text, "left_f32_0", "a12[j] - a22[j]", "a12[j] + a22[j]")
        yield swapped(text, "right_i64_0", "b12[j] - b22[j]", "b12[j] - b21[j]")
        yield swapped(text, "out_mod_0", "m5[j] - m2[j]", "m5[j] + m2[j]")
        yield swapped(text, "products_0_terms", "{-1, 1, ", "{1, 1, ")
        yield text.replace("in_m, 0), b, block", "0, 0), b, block")
        yield swapped(text, "square_0_terms", "{-1, 1, ", "{1, 1, ")


class TestCOverGF2(ExporterConformance):
    def exporter(self) -> Exporter:
        return CExporter()

    def schemes(self) -> Sequence[Scheme]:
        return [strassen().over(GF2)]

    def mutations(self, text: str) -> Iterable[str]:
        """A sign means nothing modulo 2: coefficients go from 1 to 0 and from 0 to 1, and indices are swapped."""
        yield swapped(text, "left_gf2_0", "a12[j] ^ a22[j]", "a12[j]")
        yield swapped(text, "left_gf2_0", "a12[j] ^ a22[j]", "a12[j] ^ a22[j] ^ a11[j]")
        yield swapped(text, "right_gf2_0", " ^ b22[j]", "")
        yield swapped(text, "out_gf2_0", "m2[j]", "m3[j]")
        yield swapped(text, "out_gf2_0", " ^ m7[j]", "")
        yield swapped(text, "products_0_terms", "{1, 1, 0}", "{1, 1, 1}")
        yield swapped(text, "products_0_steps", "0, 2}", "0, 1}")  # the first sum without its second term
        yield swapped(text, "square_0_terms", "{1, 1, 1}", "{1, 1, 2}")
        yield swapped(text, "leaf_gf2", "& 255", "& 127")  # the last of eight rows of B is left out


@given(
    shape=st.tuples(*[st.integers(0, 11)] * 3),
    levels=st.integers(0, 3),
    threads=st.integers(1, 3),
    mode=st.sampled_from(["streaming", "products", "clobber"]),
    pad=st.sampled_from(["never", "auto", "always"]),
    dtype=st.sampled_from(["float32", "float64", "int32", "int64"]),
    orders=st.tuples(*[st.sampled_from("CF")] * 3),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=80)
def test_any_shape_depth_and_order_gives_the_exact_product(
    shape: tuple[int, int, int], levels: int, threads: int, mode: str, pad: str, dtype: str, orders: Any, seed: int
) -> None:
    random = np.random.default_rng(seed)
    m, k, n = shape
    a = random.integers(-9, 9, (m, k)).astype(dtype, order=orders[0])
    b = random.integers(-9, 9, (k, n)).astype(dtype, order=orders[1])
    out = np.full((m, n), 55, dtype, order=orders[2])
    wanted = a.astype(object) @ b.astype(object)
    given_back = kernel(strassen()).multiply(a, b, out=out, levels=levels, threads=threads, mode=mode, pad=pad)
    assert given_back is out
    assert np.array_equal(out, wanted)


@given(st.data())
@settings(max_examples=60)
def test_residues_of_large_entries(data: st.DataObject) -> None:
    p = data.draw(st.sampled_from([3, 5, 8191, 2**26 - 5]))
    shape = [data.draw(st.integers(1, 9)) for _ in range(3)]
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    a, b = (random.integers(-(2**63), 2**63 - 1, size) for size in (shape[:2], shape[1:]))
    levels, mode = data.draw(st.integers(0, 2)), data.draw(st.sampled_from(["streaming", "products"]))
    result = kernel(strassen()).multiply(a, b, modulus=p, levels=levels, mode=mode)
    assert np.array_equal(result, (a.astype(object) @ b.astype(object)) % p)


def test_sums_modulo_a_large_prime_are_cut_where_they_would_reach_the_limit() -> None:
    p = 2**26 - 5
    long = kernel(strassen())
    assert residue_ring(long.facts["levels"], [1] * 4, p, 40, {"mode": 0, "levels": 1})["chunk"] < 10
    a, b = np.full((3, 40), p // 2), np.full((40, 3), p // 2)
    assert np.array_equal(long.multiply(a, b, modulus=p, levels=0), np.full((3, 3), 40 * (p // 2) ** 2 % p))


def test_integers_are_exact_or_refused() -> None:
    fast = kernel(strassen())
    edge = 2**31 - 1
    a, b = np.array([[edge, 0], [0, 0]], np.int32), np.array([[1, 0], [0, 0]], np.int32)
    with pytest.raises(OverflowError, match="may exceed int32"):
        fast.multiply(a, b, levels=1)
    assert fast.multiply(a.astype(np.int64), b.astype(np.int64), levels=1)[0, 0] == edge
    low = np.full((2, 2), -(2**63))
    assert np.array_equal(fast.multiply(low, np.zeros((2, 2), np.int64), levels=1), np.zeros((2, 2)))
    with pytest.raises(OverflowError):
        fast.multiply(low, np.eye(2, dtype=np.int64), levels=1)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_no_value_on_the_way_exceeds_the_bound(levels: int) -> None:
    """Extreme entries of every sign pattern of one block, run through the program with Python integers."""
    scheme, size = strassen(), 2**levels
    form, fast = stages(program(scheme)), kernel(scheme)
    random = np.random.default_rng(levels)
    largest = 0

    def run(a: Array, b: Array, depth: int) -> Array:
        nonlocal largest
        largest = max(largest, abs(a).max(), abs(b).max())
        if not depth:
            largest = max(largest, (abs(a) @ abs(b)).max())
            return np.asarray(a @ b)
        half = len(a) // 2
        x, y = ([z[i : i + half, j : j + half] for i in (0, half) for j in (0, half)] for z in (a, b))
        products = [
            run(np.asarray(sum(c * x[q] for c, q in u)), np.asarray(sum(c * y[q] for c, q in v)), depth - 1)
            for u, v in zip(form.left.rows, form.right.rows, strict=True)
        ]
        blocks = []
        for row in form.out.rows:
            total = 0 * products[0]
            for c, q in row:
                total = total + c * products[q]
                largest = max(largest, abs(total).max())
            blocks.append(total)
        return np.block([blocks[:2], blocks[2:]])

    for _ in range(30):
        a, b = (random.choice([-7, 7], (size, size)).astype(object) for _ in range(2))
        run(a, b, levels)
    assert 7 * 7 * size <= largest <= fast.bound(7, 7, size, levels)


def test_workspace_by_products_is_about_one_matrix() -> None:
    n = 4096
    a = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (n, n), (4 * n, 4))
    for levels in (1, 2, 3, 4):
        size = kernel(strassen()).workspace(a, a, a, levels=levels, mode="products")
        assert 0.75 * 4 * n * n <= size <= 1.2 * 4 * n * n


def test_refused() -> None:
    fast = kernel(strassen())
    square = np.eye(2)
    with pytest.raises(ValueError, match="not those of two matrices"):
        fast.multiply(square, np.eye(3))
    with pytest.raises(ValueError, match="odd prime below"):
        fast.multiply(np.eye(2, dtype=int), np.eye(2, dtype=int), modulus=9)
    with pytest.raises(ValueError, match="workspace has 8 bytes"):
        fast.multiply(square, square, levels=1, workspace=np.zeros(8, np.uint8))
    with pytest.raises(ValueError, match="out is float32"):
        fast.multiply(square, square, out=np.eye(2, dtype=np.float32))
    with pytest.raises(TypeError, match="complex128"):
        fast.multiply(square * 1j, square * 1j)
    with pytest.raises(TypeError, match="modulo 2 only"):
        kernel(strassen().over(GF2)).multiply(np.eye(2, dtype=int), np.eye(2, dtype=int), modulus=3)
    with pytest.raises(TypeError, match="multiple of 3"):
        kernel(divided_strassen()).multiply(np.eye(2, dtype=int), np.eye(2, dtype=int), modulus=3)


def test_result_that_overlaps_an_operand_is_written_apart() -> None:
    a = np.arange(16.0).reshape(4, 4)
    wanted = a @ a
    assert np.array_equal(kernel(strassen()).multiply(a, a, out=a, levels=1), wanted)


def test_scheme_over_gf3_computes_modulo_3() -> None:
    fast = kernel(standard_scheme(matmul(2, 2, 2), GF3))
    a = np.arange(30).reshape(5, 6)
    assert np.array_equal(fast.multiply(a, a.T, levels=1), (a @ a.T) % 3)


def test_other_problems_and_huge_coefficients_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the target numpy takes any bilinear map"):
        export(standard_scheme(parse("complex"), ZT), "c", tmp_path / "out")
    one = matmul(1, 1, 1)
    huge = Scheme(one, Z, ((1,), (1,)), ((1,), (1,)), ((10**30,), (1 - 10**30,)))
    with pytest.raises(RingError, match="beyond 2\\^53"):
        export(huge, "c", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_compiler_is_no_verdict_and_names_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(InputError, match=r"install gcc or clang .* the target numpy needs none"):
        export(strassen(), "c", tmp_path / "out", check=True)
    monkeypatch.setenv("CC", str(tmp_path / "no-such-compiler"))
    with pytest.raises(InputError, match="no-such-compiler cannot be run"):
        export(strassen(), "c", tmp_path / "out", check=True)


def test_files_need_neither_flipforge_nor_warnings(tmp_path: Path) -> None:
    files = CExporter().export(strassen(), tmp_path, options={}).files
    run = (
        f"import numpy, flipforge_c, sys; k = flipforge_c.load({files[0].name!r}); a = numpy.eye(5); "
        "print(float(k.multiply(a, a, levels=1).sum()), any('flipforge' == m for m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", run], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["5.0", "False"]
    strict = ["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fopenmp", "-fsyntax-only", str(files[0])]
    done = subprocess.run(strict, capture_output=True, text=True, check=False)
    assert not done.stderr


def test_denominators_are_divided_at_the_outputs() -> None:
    """A half is exact in floats, a third is not: such a scheme stays with residues."""
    halves = Scheme(matmul(1, 1, 1), Q, ((1,), (1,)), ((1,), (1,)), ((Fraction(1, 2),), (Fraction(1, 2),)))
    fast = kernel(halves)
    assert fast.facts["domains"] == ["f32", "f64", "mod"]
    a = np.array([[3.0, 5.0]])
    for mode in ("streaming", "products"):
        assert fast.multiply(a, a.T, levels=2, mode=mode) == 34
        assert fast.multiply(a.astype(int), a.T.astype(int), levels=2, mode=mode, modulus=7) == 6
    with pytest.raises(TypeError, match="divides"):
        fast.multiply(a.astype(int), a.T.astype(int), levels=1)
    with pytest.raises(TypeError, match="not exact in float64"):
        kernel(divided_strassen()).multiply(np.eye(2), np.eye(2), levels=1)


def test_sweep_sees_a_single_wrong_entry() -> None:
    def almost(a: Any, b: Any) -> Array:
        result: Array = a @ b
        result[3, 5] += 1
        return result

    all_unit_pairs(np.matmul, matmul(2, 3, 2))
    with pytest.raises(MismatchError, match="1 of 144 entries are wrong"):
        all_unit_pairs(almost, matmul(2, 3, 2))


def test_check_sees_memory_that_is_not_its_own(tmp_path: Path) -> None:
    path = CExporter().export(strassen(), tmp_path, options={}).files[0]
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("(bytes + 4095) & ~(size_t)4095", "bytes / 2"), encoding="utf-8")
    checks = CExporter().check(strassen(), tmp_path)
    assert any(
        "memory behind" in check.detail or "wrong" in check.detail or check.name == "run"
        for check in checks
        if not check.ok
    )
