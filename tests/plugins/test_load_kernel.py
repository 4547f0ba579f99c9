"""`flipforge.load_kernel` and its cost model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flipforge
from conformance import divided_strassen, strassen
from flipforge.catalogue import SqliteStore
from flipforge.errors import InputError, NotFoundError, RingError
from flipforge.problems import parse
from flipforge.rings import GF2, ZT
from flipforge.schemes import standard_scheme
from flipforge.schemes.formats import write_file
from flipforge.search import Entry
from flipforge_codegen import fast_kernels, structured_kernels
from flipforge_codegen._model import Rates, Traffic, levels_for, measured, predicted
from flipforge_codegen.fast_kernels import FastKernels
from flipforge_codegen.flipforge_build import MissingCompilerError
from flipforge_codegen.flipforge_structured import clean
from flipforge_codegen.structured_kernels import FastStructured

RATES = Rates((64, 512), (1e9, 8e9), 1e9)
TRAFFIC = Traffic(8, 8, 11)


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path, empty = tmp_path / "catalogue.db", tmp_path / "none"
    empty.mkdir()
    monkeypatch.setattr("flipforge.catalogue._store.shipped_schemes", lambda: empty)
    with SqliteStore.open(path) as store:
        store.commit([Entry(strassen().over(GF2), "imported")])
    return path


@pytest.fixture(autouse=True)
def _known_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (fast_kernels, structured_kernels):
        monkeypatch.setattr(module, "measured", lambda dtype: RATES)


@pytest.mark.parametrize("backend", ["c", "numpy"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_any_size_is_exact_on_integers(dtype: str, backend: str, db: Path) -> None:
    fast = flipforge.load_kernel("matmul:2x2x2", dtype=dtype, backend=backend, levels=2, db=db)
    draw = np.random.default_rng(1)
    for n, m, p in ((8, 8, 8), (7, 9, 5), (1, 6, 1), (5, 1, 4), (3, 3, 17)):
        a, b = draw.integers(-9, 9, (n, m)).astype(dtype), draw.integers(-9, 9, (m, p)).astype(dtype)
        out = np.full((n, p), 77, dtype)
        assert np.array_equal(fast(a, b), a @ b)
        assert fast(a, b, out=out) is not None
        assert np.array_equal(out, a @ b)
    stack = draw.integers(-9, 9, (3, 1, 4, 6)).astype(dtype)
    other = draw.integers(-9, 9, (2, 6, 5)).astype(dtype)
    assert np.array_equal(fast(stack, other), stack @ other)


def test_a_scheme_over_gf2_is_lifted_and_composed(db: Path) -> None:
    fast = flipforge.load_kernel("matmul:4x4x4", dtype="object", levels=1, db=db)
    assert (fast.scheme.rank, fast.scheme.ring.name) == (49, "ZT")
    a = np.array([[10**30 + i * j for j in range(5)] for i in range(6)], dtype=object)
    assert (fast(a, a.T) == a @ a.T).all()


def test_modulo_2_the_scheme_may_hold_there_only(db: Path) -> None:
    fast = flipforge.load_kernel("matmul:2x2x2", dtype="int64", modulus=2, levels=1, db=db)
    assert fast.scheme.ring == GF2
    draw = np.random.default_rng(2)
    a, b = draw.integers(-99, 99, (9, 70)), draw.integers(-99, 99, (70, 5))
    assert np.array_equal(fast(a, b), a @ b % 2)
    seven = flipforge.load_kernel("matmul:2x2x2", dtype="int64", modulus=7, levels=1, db=db)
    assert np.array_equal(seven(a, b), a @ b % 7)


def test_without_a_compiler_numpy_takes_over(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(scheme: Any) -> Any:
        raise MissingCompilerError("no C compiler: install gcc")

    monkeypatch.setattr(fast_kernels, "_built", missing)
    fast = FastKernels().make(strassen(), dtype="float64")
    assert fast.backend == "numpy"
    assert fast(np.eye(4), np.eye(4)).tolist() == np.eye(4).tolist()
    with pytest.raises(InputError, match="install gcc"):
        FastKernels().make(strassen(), dtype="float64", backend="c")
    with pytest.raises(InputError, match="install gcc"):
        FastKernels().make(strassen(), dtype="int64", modulus=5)
    with pytest.raises(InputError, match="over GF\\(5\\) only"):
        FastKernels().make(strassen(), dtype="int64", backend="numpy", modulus=5)


@pytest.mark.parametrize("backend", ["c", "numpy"])
def test_a_result_that_may_not_fit_is_refused(backend: str) -> None:
    fast = FastKernels().make(strassen(), dtype="int64", backend=backend, levels=1)
    big = np.full((4, 4), 2**31)
    assert fast(big[:, :1], big[:1]).tolist() == [[2**62] * 4] * 4
    with pytest.raises(OverflowError, match=r"may exceed int64"):
        fast(big, big)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"dtype": "float16"}, InputError, "use one of float32"),
        ({"dtype": "float64", "backend": "cuda"}, InputError, "backend cuda"),
        ({"dtype": "float64", "threads": 0}, InputError, "at least one thread"),
        ({"dtype": "float64", "levels": -1}, InputError, "no negative levels"),
        ({"dtype": "object", "modulus": 3}, RingError, "object carries no residues"),
        ({"dtype": "object", "backend": "c"}, InputError, "objects are multiplied in NumPy"),
    ],
)
def test_wrong_options(options: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        FastKernels().make(strassen(), **options)


def test_rings_that_a_dtype_cannot_carry() -> None:
    with pytest.raises(RingError, match="holds modulo 2 only"):
        FastKernels().make(strassen().over(GF2), dtype="float64")
    with pytest.raises(RingError, match="divides, int64 cannot"):
        FastKernels().make(divided_strassen(), dtype="int64")
    with pytest.raises(RingError, match="no power of two"):
        FastKernels().make(divided_strassen(), dtype="float64")
    with pytest.raises(InputError, match="kernels multiply matrices"):
        FastKernels().make(standard_scheme(parse("quaternion"), ZT), dtype="float64")


def test_wrong_operands() -> None:
    fast = FastKernels().make(strassen(), dtype="float64", backend="numpy", levels=1)
    with pytest.raises(TypeError, match="this kernel takes float64"):
        fast(np.eye(2, dtype=int), np.eye(2))
    with pytest.raises(ValueError, match="are no"):
        fast(np.ones((2, 3)), np.ones((2, 3)))


def test_names(db: Path, tmp_path: Path) -> None:
    path = tmp_path / "strassen.json"
    write_file(strassen(), "flipforge", path)
    assert flipforge.load_kernel(path, db=db, backend="numpy").scheme.id == strassen().id
    with pytest.raises(NotFoundError, match="flipforge search matmul:3x3x3 --ring ZT finds one"):
        flipforge.load_kernel("matmul:3x3x3", db=db)
    with pytest.raises(InputError, match="kernels multiply matrices"):
        flipforge.load_kernel("quaternion:2x2x2", db=db)


def structured(name: str, db: Path, **options: Any) -> Any:
    write_file(standard_scheme(parse(name), ZT), "flipforge", db.with_name("structured.json"))
    return flipforge.load_kernel(db.with_name("structured.json"), db=db, **options)


@pytest.mark.parametrize("backend", ["c", "numpy"])
@pytest.mark.parametrize("code", ["gt:2x1", "ug:2", "sg:2", "kg:2"])
def test_structured_products_of_any_size_are_exact(code: str, backend: str, db: Path) -> None:
    draw = np.random.default_rng(3)
    for dtype in ("float64", "int64"):
        fast = structured(f"structured:{code}", db, dtype=dtype, backend=backend, levels=1)
        for rows, m, p in ((8, 8, 8), (7, 9, 5), (1, 6, 1), (17, 1, 4)):
            n = rows if code[0] == "g" else m
            a, b = draw.integers(-9, 9, (n, m)).astype(dtype), draw.integers(-9, 9, (m, p)).astype(dtype)
            if code.startswith("gt"):
                out = np.full((n, n), 77, dtype)
                assert np.array_equal(fast(a), np.triu(a @ a.T))
                assert fast(a, out=out) is out
                assert np.array_equal(out, np.triu(a @ a.T) + np.tril(np.full_like(out, 77), -1))
            else:
                assert np.array_equal(fast(a, b), clean(a, code[0]) @ b)


def test_structured_levels_by_the_model(db: Path) -> None:
    """A level where it is worth it, none where it is not: then it is syrk, whose errors of rounding are other ones."""
    fast = structured("structured:gt:2x1", db, dtype="float64", backend="c")
    assert isinstance(fast, FastStructured)
    assert fast.plan(16, 16, 16)["levels"] == 0
    plan = fast.plan(8192, 8192, 8192)
    assert plan["levels"] > 0 and plan["general_levels"] > 0 and plan["seconds"] < plan["plain"]
    for levels in range(3):
        assert fast._seconds(RATES, (512,) * 3, levels) > 0
    many = structured("structured:gt:4", db, dtype="float64", backend="c")  # rank 40: saves nothing
    assert many.plan(256, 256, 256)["levels"] == 0


def test_structured_rings_and_refusals(db: Path) -> None:
    a = np.arange(12).reshape(3, 4)
    seven = structured("structured:gt:2x1", db, dtype="int64", modulus=7, levels=1)
    assert np.array_equal(seven(a), np.triu(a @ a.T % 7))
    wide = structured("structured:gt:2x1", db, dtype="object", levels=1)
    big = np.array([[10**30 + i * j for j in range(4)] for i in range(3)], dtype=object)
    assert wide.backend == "numpy" and (np.triu(big @ big.T) == wide(big)).all()
    two = FastKernels().make(standard_scheme(parse("structured:gt:2"), GF2), dtype="int64", modulus=2, levels=1)
    assert two.backend == "numpy" and np.array_equal(two(a), np.triu(a @ a.T % 2))
    fast = structured("structured:gt:2x1", db, dtype="int64", levels=1)
    with pytest.raises(ValueError, match="takes 1 matrices"):
        fast(a, a.T)
    with pytest.raises(TypeError, match="this kernel takes int64"):
        fast(a.astype(float))
    with pytest.raises(OverflowError, match="may exceed int64"):
        fast(np.full((4, 4), 2**31))
    with pytest.raises(InputError, match="without corners"):
        structured("structured:gt:4:c", db)
    with pytest.raises(InputError, match=r"over GF\(5\) only"):
        structured("structured:gt:2x1", db, dtype="int64", modulus=5, backend="numpy")


class TestModel:
    @given(st.integers(1, 4000), st.integers(1, 4000), st.integers(1, 4000))
    def test_each_level_that_is_taken_is_worth_it_and_the_next_is_not(self, m: int, k: int, n: int) -> None:
        levels = levels_for(RATES, TRAFFIC, (2, 2, 2), 7, (m, k, n))
        costs = [
            predicted(RATES, TRAFFIC, (2, 2, 2), 7, (m, k, n), each) for each in range(7) if min(m, k, n) >= 2**each
        ]
        assert all(costs[i + 1] * 12 <= costs[i] * 11 for i in range(levels))
        assert levels + 1 >= len(costs) or costs[levels + 1] * 12 > costs[levels] * 11

    def test_blas_wins_where_sums_are_slow_or_blocks_small(self) -> None:
        sizes = (2048, 2048, 2048)
        assert levels_for(RATES, TRAFFIC, (2, 2, 2), 7, sizes) > 0
        assert levels_for(Rates((64, 512), (1e9, 8e9), 1e6), TRAFFIC, (2, 2, 2), 7, sizes) == 0
        assert levels_for(RATES, TRAFFIC, (2, 2, 2), 8, sizes) == 0
        assert levels_for(RATES, TRAFFIC, (2, 2, 2), 7, (8, 8, 8)) == 0
        assert levels_for(RATES, TRAFFIC, (1, 1, 1), 1, sizes) == 0

    def test_rates_are_measured_once(self) -> None:
        rates = measured("float32")
        assert rates is measured("float32")
        assert min(rates.operations) > 0 and rates.elements > 0
        assert Rates((100, 400), (1e9, 4e9), 1.0).seconds(200, 200, 200) == pytest.approx(0.008)

    def test_a_kernel_tells_its_plan(self) -> None:
        fast = FastKernels().make(strassen(), dtype="float64", backend="numpy")
        plan = fast.plan(4096, 4096, 4096)
        assert plan["levels"] > 0
        assert plan["seconds"] < plan["plain"]
        assert fast.plan(16, 16, 16)["levels"] == 0
