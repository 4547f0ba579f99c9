"""The CUDA and OpenCL targets: what they write and refuse, and that their checks catch wrong code."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from ctypes import c_void_p
from fractions import Fraction
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from conformance import ExporterConformance, divided_strassen, strassen, swapped
from flipforge.errors import InputError, RingError
from flipforge.plugins import Exporter, bench, export
from flipforge.problems import matmul, parse
from flipforge.programs import program
from flipforge.rings import GF2, ZT, HalfZ
from flipforge.schemes import Scheme, standard_scheme
from flipforge.schemes.formats import judge_file
from flipforge_codegen import _gpu_bench, flipforge_gpu
from flipforge_codegen._gpu_check import run_checks
from flipforge_codegen._gpu_text import CUDA, gpu_text
from flipforge_codegen._nvcc import ARCHITECTURES, Compiled, compiled, find_nvcc
from flipforge_codegen._nvrtc import compiled_by_nvrtc, find_nvrtc
from flipforge_codegen._order import peak, statements
from flipforge_codegen._scalars import Scalar
from flipforge_codegen._stages import Stage
from flipforge_codegen.gpu_targets import CudaExporter, OpenCLExporter

HALVES = Scheme(matmul(1, 1, 1), HalfZ, ((1,), (1,)), ((1,), (1,)), ((Fraction(1, 2),), (Fraction(1, 2),)))

NVCC = find_nvcc() or ""
NVRTC = find_nvrtc() or ""
needs_nvrtc = pytest.mark.skipif(not NVRTC, reason="no NVRTC: pip install 'flipforge[cuda]'")
needs_nvcc = pytest.mark.skipif(not NVCC, reason="no nvcc")
needs_opencl = pytest.mark.skipif(find_spec("pyopencl") is None, reason="no pyopencl: pip install 'flipforge[opencl]'")


@pytest.fixture(scope="module", autouse=True)
def shim_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Libraries stay out of the user's cache; nvcc and NVRTC take their time and are asked for by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("NVCC", "")
        patch.setenv("NVRTC", "")
        yield


def mutants(text: str, barrier: str) -> Iterable[str]:
    """Signs in kernels of both kinds and each map, indices, both barriers of both kinds of kernels that have them."""
    yield swapped(text, "combine_out(", "m5 + m7", "m5 - m7")
    yield swapped(text, "product_2(", "AT(a, i + m, j,", "AT(a, i, j + k,")
    for kernel in ("batched(", "product_3("):
        yield swapped(text, kernel, f"    {barrier};\n", "")
        summing = text.index("for (int q = 0", text.index(kernel))
        yield text[:summing] + swapped(text[summing:], "for (int q = 0", f"    {barrier};\n", "")
    yield swapped(text, "product_2(", "(VALUE)(-(total[u][v]))", "(VALUE)(total[u][v])")
    yield swapped(text, "combine_left(", "a12 - a22", "a12 + a22")
    yield swapped(text, "combine_right(", "b11 - b21", "b11 + b21")
    yield swapped(text, "combine_out(", "c[(i) * rs + (j + n) * cs]", "c[(i) * rs + (j) * cs]")


class TestCuda(ExporterConformance):
    quick = 7

    def exporter(self) -> Exporter:
        return CudaExporter()

    def schemes(self) -> Sequence[Scheme]:
        return [strassen()]

    def mutations(self, text: str) -> Iterable[str]:
        yield from mutants(text, "__syncthreads()")
        yield text.replace("if (i + m < rows && j < cols) c[", "if (j < cols) c[")


@needs_opencl
@pytest.mark.slow
class TestOpenCL(ExporterConformance):
    def exporter(self) -> Exporter:
        return OpenCLExporter()

    def mutations(self, text: str) -> Iterable[str]:
        yield from mutants(text, "barrier(CLK_LOCAL_MEM_FENCE)")


@pytest.mark.parametrize("exporter", [CudaExporter(), OpenCLExporter()])
def test_rings_that_floats_cannot_carry_are_refused(exporter: Exporter, tmp_path: Path) -> None:
    for scheme, error, reason in (
        (strassen().over(GF2), RingError, "modulo 2 only"),
        (divided_strassen(), RingError, "no power of two"),
        (standard_scheme(parse("complex"), ZT), InputError, "takes any bilinear map"),
    ):
        with pytest.raises(error, match=reason):
            exporter.export(scheme, tmp_path / "out", options={})
    assert not (tmp_path / "out").exists()


def test_halves_are_for_floats_alone(tmp_path: Path) -> None:
    path = CudaExporter().export(HALVES, tmp_path, options={}).files[0]
    kernels = flipforge_gpu.load(path, "float32", "shim")
    a = np.array([[3.0, 5.0]], np.float32)
    assert [kernels.multiply(a, a.T, tier=tier).item() for tier in flipforge_gpu.TIERS] == [34, 34, 34]
    with pytest.raises(TypeError, match="divides"):
        flipforge_gpu.load(path, "int32", "shim")


def test_arguments_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = CudaExporter().export(strassen(), tmp_path, options={}).files[0]
    kernels = flipforge_gpu.load(path, "int32", "shim")
    square = np.eye(2, dtype=np.int32)
    with pytest.raises(ValueError, match="not those of two matrices"):
        kernels.multiply(square, np.eye(3, dtype=np.int32))
    with pytest.raises(TypeError, match="built for int32"):
        kernels.multiply(square, np.eye(2))
    with pytest.raises(ValueError, match="tier 'fast'"):
        kernels.multiply(square, square, tier="fast")
    with pytest.raises(OverflowError, match="may exceed int32"):
        kernels.multiply(square * 2**20, square * 2**20)
    with pytest.raises(TypeError, match="float16, float32"):
        flipforge_gpu.load(path, "complex64", "shim")
    assert kernels.multiply(np.zeros((3, 0), np.int32), np.zeros((0, 2), np.int32)).tolist() == [[0, 0]] * 3


def test_half_precision_of_the_shim_is_that_of_numpy(tmp_path: Path) -> None:
    """Every half there is goes to float and back, and floats between them are rounded to even."""
    path = tmp_path / "half.cu"
    path.write_text(
        'extern "C" void to_float(const half_value *x, float *y, int n) { while (n--) y[n] = (float)x[n]; }\n'
        'extern "C" void to_half(const float *x, half_value *y, int n) { while (n--) y[n] = (half_value)x[n]; }\n'
    )
    device: Any = flipforge_gpu.ShimDevice(path, "float16")
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    floats, back = np.empty(2**16, np.float32), np.empty(2**16, np.float16)
    device._library.to_float(*map(pointer, (halves, floats)), 2**16)
    assert np.array_equal(floats, halves.astype(np.float32), equal_nan=True)
    with np.errstate(over="ignore"):
        between = np.concatenate([floats, floats * np.float32(1.0004), np.linspace(-7e4, 7e4, 2**16, dtype=np.float32)])
        wanted = between.astype(np.float16)
    back = np.empty(len(between), np.float16)
    device._library.to_half(*map(pointer, (between, back)), len(between))
    assert np.array_equal(back, wanted, equal_nan=True)


def pointer(x: Any) -> Any:
    return x.ctypes.data_as(c_void_p)


def test_threads_that_disagree_at_a_barrier_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "odd.cu"
    path.write_text('extern "C" __global__ void odd() { if (threadIdx.x == 3) __syncthreads(); }\n')
    device = flipforge_gpu.ShimDevice(path, "float32")
    with pytest.raises(RuntimeError, match="disagree at a barrier"):
        device.launch("odd", (1, 1, 1), ())


def test_missing_tools_name_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(InputError, match=r"install g\+\+ .* the target numpy needs none"):
        export(strassen(), "cuda", tmp_path / "out", check=True)
    monkeypatch.setitem(sys.modules, "pyopencl", None)
    path = OpenCLExporter().export(strassen(), tmp_path, options={}).files[0]
    with pytest.raises(InputError, match=r"pip install 'flipforge\[opencl\]'"):
        run_checks(strassen(), path)
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(flipforge_gpu.MissingError, match="device='shim'"):
        flipforge_gpu.load(tmp_path / path.name, "float32", "cupy")


def test_files_run_without_flipforge(tmp_path: Path) -> None:
    files = CudaExporter().export(strassen(), tmp_path, options={}).files
    run = (
        f"import numpy, flipforge_gpu, sys; k = flipforge_gpu.load({files[0].name!r}, 'float64', 'shim'); "
        "a = numpy.eye(5); print(float(k.multiply(a, a).sum()), any('flipforge' == m for m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", run], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["5.0", "False"]


@pytest.mark.parametrize(
    "compiler",
    [
        pytest.param(partial(compiled, NVCC), marks=needs_nvcc, id="nvcc"),
        pytest.param(partial(compiled_by_nvrtc, NVRTC), marks=needs_nvrtc, id="nvrtc"),
    ],
)
def test_text_compiles_without_spills_and_the_log_tells_what_a_kernel_takes(
    tmp_path: Path, compiler: Callable[[Path, str, str], list[Compiled]]
) -> None:
    path = tmp_path / "kernels.cu"
    text = gpu_text(HALVES, program(HALVES), "kernels", CUDA)
    path.write_text(text)
    for architecture in ARCHITECTURES:
        rows = compiler(path, "float64", architecture)
        assert {row.kernel for row in rows} == {
            "combine_left", "combine_right", "batched", "combine_out", "product_1", "product_2"
        }  # fmt: skip
        assert all(row.spilled == 0 and 16 <= row.registers <= 128 for row in rows)
        assert {row.shared for row in rows} == {0, 2 * 16 * 65 * 8}
    assert {row.spilled for row in compiler(path, "float16", "sm_80")} == {0}
    path.write_text(text.replace("launch_bounds__(256, 2)", "launch_bounds__(256, 8)"))
    assert any(row.spilled for row in compiler(path, "float64", "sm_90"))
    path.write_text(text.replace("SUM total", "SUM totals"))
    with pytest.raises(ValueError, match="total"):
        compiler(path, "float32", "sm_90")


@needs_nvrtc
@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    ("name", "dtypes"),
    [
        ("matmul-4x4x4_ZT_r49_0e13bae54b79", tuple(flipforge_gpu.TYPES)),
        ("matmul-5x5x5_ZT_r93_1c38f2568052", ("float64", "int64")),
    ],
)
def test_whole_texts_of_large_schemes_spill_nothing(
    name: str, dtypes: tuple[str, ...], architecture: str, root: Path, tmp_path: Path
) -> None:
    """All tiers; of the largest, the types whose values take two registers (bench/export.py --parts cuda has all)."""
    scheme = judge_file(root / "schemes" / f"{name}.json")[0].scheme
    assert scheme
    path = CudaExporter().export(scheme, tmp_path, options={}).files[0]
    for dtype in dtypes:
        rows = compiled_by_nvrtc(NVRTC, path, dtype, architecture)
        assert len(rows) == scheme.rank + 4
        assert [row.kernel for row in rows if row.spilled] == []


def test_a_text_that_no_compiler_saw_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NVRTC", "")
    CudaExporter().export(HALVES, tmp_path, options={})
    told = {check.name: check.detail for check in CudaExporter().check(HALVES, tmp_path)}
    assert "flipforge[cuda]" in told["not compiled"]
    assert not any(name.startswith("compiled") for name in told)


def wide(inputs: int, steps: bool) -> Stage:
    """All sums of inputs 0 to i, of the last first: each is a step of the one before, or written out."""
    rows = tuple(tuple((1, place) for place in range(number + 1)) for number in range(1, inputs))
    made = tuple(((1, inputs + number - 1 if number else 0), (1, number + 1)) for number in range(inputs - 1))
    slots = tuple(((1, inputs + number),) for number in range(inputs - 1)) if steps else rows
    order = tuple(-1 - number for number in reversed(range(inputs - 1)))
    return Stage(inputs, made if steps else (), slots, order, rows[::-1], (1,) * (inputs - 1), inputs)


def test_shared_sums_stand_in_kernels_as_long_as_registers_last() -> None:
    scalar = Scalar("sum", "SUM", "")
    for inputs, shares in ((20, True), (200, False)):
        stage = wide(inputs, steps=True)
        names, loads = ([f"{letter}{place}" for place in range(inputs)] for letter in "ay")
        told = list(statements(stage, names, loads, scalar))
        assert any(target == "x1" for target, _ in told) == shares
        values: dict[str, int] = {load: 3**place for place, load in enumerate(loads)}
        results = {}
        for target, value in told:
            found = eval(value, {}, values)
            if isinstance(target, int):
                results[target] = found
            elif target not in loads:
                values[target] = found
        assert [results[number] for number in range(inputs - 1)] == [
            sum(3**place for _, place in row) for row in stage.rows
        ]
        assert peak(stage) == inputs + 1


def test_a_write_outside_of_the_memory_of_a_kernel_is_seen(tmp_path: Path) -> None:
    path = CudaExporter().export(strassen(), tmp_path, options={}).files[0]
    text = path.read_text()
    last = text.rindex("if (i + m < rows && j + n < cols)")
    path.write_text(text[:last] + text[last:].replace("j + n < cols", "true", 1))
    assert any("outside of its memory" in check.detail for check in run_checks(strassen(), path) if not check.ok)


class _Mirror(flipforge_gpu.ShimDevice):
    """Stands in for a GPU, as far as a measurement goes."""

    name, on_cpu = "mirror", True


def test_bench_times_where_there_is_a_device_and_says_so_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "pyopencl", None)
    for target in ("cuda", "opencl", "triton"):
        export(strassen(), target, tmp_path)
    rows = {row["target"]: row for row in bench(tmp_path, size=8)}
    assert [rows[target]["timed"] for target in ("cuda", "opencl", "triton")] == [False] * 3
    assert "not run on a GPU" in rows["cuda"]["reason"]
    assert "flipforge[opencl]" in rows["opencl"]["reason"]
    assert "flipforge[triton]" in rows["triton"]["reason"]
    (path,) = tmp_path.glob("*.cl")
    monkeypatch.setattr(_gpu_bench, "OpenCLDevice", lambda text, dtype: _Mirror(path, dtype))
    timed = [row for row in bench(tmp_path, size=8) if row["timed"]]
    assert [(row["dtype"], row["tier"]) for row in timed] == [
        (dtype, tier) for dtype in ("float32", "float64") for tier in flipforge_gpu.TIERS
    ]
    assert all(row["seconds"] > 0 and "not on a GPU" in row["reference"] for row in timed)


def _cupy_on_the_shim(folder: Path, asked: list[Any]) -> Any:
    """CuPy as far as `CupyDevice` calls it, on NumPy and the shim; ``asked`` takes the options and the arguments."""

    def module(code: str, options: tuple[str, ...], backend: str) -> Any:
        assert backend == "nvrtc"
        path = folder / "module.cu"
        path.write_text(code)
        shim = flipforge_gpu.ShimDevice(path, "float64")
        asked.append(options)

        def function(name: str) -> Any:
            def launch(grid: tuple[int, int, int], group: tuple[int, int, int], arguments: tuple[Any, ...]) -> None:
                assert group == (16, 16, 1)
                asked.append([type(each) for each in arguments])
                shim.launch(name, grid, arguments)

            return launch

        return SimpleNamespace(get_function=function)

    return SimpleNamespace(RawModule=module, asarray=np.asarray, empty=np.empty, asnumpy=np.asarray, matmul=np.matmul)


def test_cupy_is_given_the_same_text_and_arguments_of_the_kernels_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = CudaExporter().export(strassen(), tmp_path, options={}).files[0]
    asked: list[Any] = []
    monkeypatch.setitem(sys.modules, "cupy", _cupy_on_the_shim(tmp_path, asked))
    kernels = flipforge_gpu.load(path, "float64")
    random = np.random.default_rng(3)
    a, b = (random.integers(-3, 4, shape).astype(np.float64) for shape in ((5, 7), (7, 3)))
    for tier in flipforge_gpu.TIERS:
        assert np.array_equal(kernels.multiply(a, b, tier=tier), a @ b)
    assert (tmp_path / "module.cu").read_bytes() == path.read_bytes()
    assert asked[0] == ("-DVALUE=double", "-DSUM=double", "-DFLIPFORGE_DOUBLE", "-std=c++17")
    # A pointer, 32 bits for sizes, 64 for strides: CuPy passes arguments as they are.
    assert asked[1] == [np.ndarray] * 2 + [np.int32] * 4 + [np.int64] * 2
