"""Exported C code against OpenBLAS, python-flint and NumPy: ratios of CPU time, one process, interleaved.

Every figure is the other's time divided by ours, the median over repetitions after one run of each that is not counted.
Both use the BLAS that NumPy ships, on one thread but for the part ``threads``.

    python bench/export.py                                   # quick: sizes of 1024 and 2048
    python bench/export.py --sizes 4096 --repeat 3
    python bench/export.py --parts float --sizes 8192 --levels 2,3 --repeat 1
    python bench/export.py --parts cuda --scheme schemes/matmul-4x4x4_ZT_r49_0e13bae54b79.json
"""

import argparse
import importlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.problems import matmul, parse
from flipforge.rings import ZT
from flipforge.schemes import Scheme, standard_scheme
from flipforge.schemes.formats import judge_file
from flipforge_codegen import flipforge_build, flipforge_c
from flipforge_codegen._nvcc import ARCHITECTURES, compiled, find_nvcc
from flipforge_codegen._nvrtc import compiled_by_nvrtc, find_nvrtc
from flipforge_codegen.c_target import CExporter
from flipforge_codegen.flipforge_c import Kernel
from flipforge_codegen.flipforge_c_structured import StructuredKernel, load_structured
from flipforge_codegen.flipforge_gpu import TYPES
from flipforge_codegen.gpu_targets import CudaExporter

Array = npt.NDArray[Any]
Row = dict[str, Any]
Action = Callable[[], object]

# Strassen, "Gaussian elimination is not optimal" (1969).
_U = ((1, 0, 0, 1), (0, 0, 1, 1), (1, 0, 0, 0), (0, 0, 0, 1), (1, 1, 0, 0), (-1, 0, 1, 0), (0, 1, 0, -1))
_V = ((1, 0, 0, 1), (1, 0, 0, 0), (0, 1, 0, -1), (-1, 0, 1, 0), (0, 0, 0, 1), (1, 1, 0, 0), (0, 0, 1, 1))
_W = ((1, 0, 0, 1), (0, 0, 1, -1), (0, 1, 0, 1), (1, 0, 1, 0), (-1, 1, 0, 0), (0, 0, 0, 1), (1, 0, 0, 0))


GRAMS = [Path(__file__).parents[1] / "schemes" / "structured-gt-4_ZT_r34_c31abdad2b33.json"]


def strassen() -> Scheme:
    return Scheme(matmul(2, 2, 2), ZT, _U, _V, _W)


def kernel(scheme: Scheme, folder: Path) -> Kernel:
    return flipforge_c.load(CExporter().export(scheme, folder, options={}).files[0], cache_dir=folder)


def seconds(action: Action) -> float:
    begin = time.process_time()
    action()
    return time.process_time() - begin


def interleaved(other: Action, ours: list[Action], repeat: int) -> tuple[float, list[float]]:
    """Return the other's median time, and for each of ours the median of the ratios of one round."""
    rounds = []
    for number in range(repeat + 1):
        base = seconds(other)
        rounds.append([base, *(base / max(seconds(action), 1e-9) for action in ours)])
        if number == 0:  # the first touches memory and loads code
            rounds.pop()
    columns = list(zip(*rounds, strict=True))
    return statistics.median(columns[0]), [statistics.median(column) for column in columns[1:]]


def worst_error(result: Array, a: Array, b: Array) -> float:
    """Return the largest error in eight rows, relative to the largest entry, against long double."""
    rows = np.linspace(0, len(a) - 1, 8).astype(int)
    exact = np.empty((8, b.shape[1]), np.longdouble)
    wide = np.longdouble
    for first in range(0, b.shape[1], 512):  # long double has no BLAS: in pieces, so that memory stays small
        piece = b[:, first : first + 512].astype(wide)
        exact[:, first : first + 512] = [(a[row].astype(wide)[:, None] * piece).sum(0) for row in rows]
    return float(abs(result[rows] - exact).max() / abs(exact).max())


def floats(fast: Kernel, options: argparse.Namespace) -> Iterator[Row]:
    random = np.random.default_rng(1)
    for name in options.dtypes:
        for n in options.sizes:
            a, b = (random.uniform(-1, 1, (n, n)).astype(name) for _ in range(2))
            out, plain = np.empty_like(a), np.empty_like(a)

            def ours(levels: int, mode: str) -> Action:
                return lambda: fast.multiply(a, b, out=out, levels=levels, mode=mode)  # noqa: B023

            runs = [(levels, mode) for mode in options.modes for levels in options.levels]
            actions = [ours(*run) for run in runs]
            base, ratios = interleaved(lambda: np.matmul(a, b, out=plain), actions, options.repeat)  # noqa: B023
            reference = worst_error(plain, a, b)
            for (levels, mode), ratio, action in zip(runs, ratios, actions, strict=True):
                action()
                work = fast.workspace(a, b, out, levels=levels, mode=mode) / a.nbytes
                yield {
                    "part": "float", "dtype": name, "n": n, "levels": levels, "mode": mode, "gemm_s": base,
                    "ratio": ratio, "error_ratio": worst_error(out, a, b) / reference, "workspace": work,
                }  # fmt: skip


def threads(fast: Kernel, options: argparse.Namespace) -> Iterator[Row]:
    """Two threads: wall time and CPU time of both; only what a quiet machine says is worth anything."""
    blas = flipforge_build.find_blas()
    random = np.random.default_rng(2)
    if blas is None or blas.set_threads is None:
        return
    for n in options.sizes:
        a, b = (random.uniform(-1, 1, (n, n)).astype(np.float32) for _ in range(2))
        out = np.empty_like(a)
        for levels in options.levels:
            walls = []
            actions: list[Action] = [
                lambda: np.matmul(a, b, out=out),  # noqa: B023
                lambda: fast.multiply(a, b, out=out, levels=levels, threads=2),  # noqa: B023
            ]
            for action in actions:
                blas.set_threads(2)
                action()
                begin, cpu = time.perf_counter(), seconds(action)
                walls.append((time.perf_counter() - begin, cpu))
            blas.set_threads(1)
            yield {
                "part": "threads", "dtype": "float32", "n": n, "levels": levels, "threads": 2,
                "wall_ratio": walls[0][0] / walls[1][0], "cpu_ratio": walls[0][1] / walls[1][1],
            }  # fmt: skip


def residues(fast: Kernel, options: argparse.Namespace) -> Iterator[Row]:
    """Modulo p against FLINT; the time to convert from and to int64 is ours, FLINT's matrices are made beforehand."""
    nmod_mat: Any = importlib.import_module("flint").nmod_mat

    random = np.random.default_rng(3)
    for p in (65521, 1048573):
        for n in options.sizes:
            a, b = (random.integers(0, p, (n, n)) for _ in range(2))
            x, y = nmod_mat(n, n, a.ravel().tolist(), p), nmod_mat(n, n, b.ravel().tolist(), p)
            result: list[Any] = [None, None]

            def theirs(x: Any = x, y: Any = y, result: list[Any] = result) -> None:
                result[0] = x * y

            def ours(levels: int, a: Array = a, b: Array = b, p: int = p, result: list[Any] = result) -> Any:
                def run() -> None:
                    result[1] = fast.multiply(a, b, levels=levels, modulus=p)

                return run

            base, ratios = interleaved(theirs, [ours(levels) for levels in options.levels], options.repeat)
            rows = np.linspace(0, n - 1, 8).astype(int)
            equal = all(int(result[0][int(i), int(j)]) == int(result[1][i, j]) for i in rows for j in range(n))
            for levels, ratio in zip(options.levels, ratios, strict=True):
                yield {
                    "part": "residues", "p": p, "n": n, "levels": levels, "flint_s": base, "ratio": ratio,
                    "equal": equal,
                }  # fmt: skip


def integers(fast: Kernel, options: argparse.Namespace) -> Iterator[Row]:
    """Entries within +-1000 in int64 against NumPy's own product."""
    random = np.random.default_rng(4)
    for n in [n for n in options.sizes if n <= 2048]:
        a, b = (random.integers(-1000, 1001, (n, n)) for _ in range(2))
        result: list[Any] = [None, None]

        def theirs(a: Array = a, b: Array = b, result: list[Any] = result) -> None:
            result[0] = a @ b

        def ours(levels: int, a: Array = a, b: Array = b, result: list[Any] = result) -> Any:
            def run() -> None:
                result[1] = fast.multiply(a, b, levels=levels)

            return run

        base, ratios = interleaved(theirs, [ours(levels) for levels in options.levels], min(1, options.repeat))
        for levels, ratio in zip(options.levels, ratios, strict=True):
            equal = bool((result[0] == result[1]).all())
            yield {
                "part": "integers", "n": n, "levels": levels, "numpy_s": base, "ratio": ratio, "equal": equal,
            }  # fmt: skip


def syrk(fast: Kernel, options: argparse.Namespace) -> Iterator[Row]:
    """A times its transpose, upper triangle, against syrk of BLAS: exported C, recursing as each scheme says.

    ``gt:2x1`` splits the rows in two: one general product off the diagonal, in ``general`` levels of the scheme at
    hand, and two of the same kind, split again where ``levels`` is 2. The other schemes are files, one level each.
    """
    del fast
    if flipforge_build.find_blas() is None:
        return
    random = np.random.default_rng(5)
    grams = [standard_scheme(parse("structured:gt:2x1"), ZT), *map(read, options.grams)]
    with tempfile.TemporaryDirectory() as folder:
        kernels = [gram_kernel([gram, options.inner], Path(folder)) for gram in grams]
        for name in options.dtypes:
            for n in options.sizes:
                a = random.uniform(-1, 1, (n, n)).astype(name)
                plain, out = np.zeros_like(a), np.zeros_like(a)
                runs = [(0, 1, general) for general in options.levels] + [(0, 2, max(options.levels))]
                runs += [(number, 1, general) for number in range(1, len(kernels)) for general in (0, 1)]

                def action(number: int, levels: int, general: int, a: Array = a, out: Array = out) -> Action:
                    return lambda: kernels[number].multiply(a, out=out, levels=levels, general_levels=general)

                actions = [action(*run) for run in runs]
                blas = partial(kernels[0].multiply, a, out=plain, levels=0)  # no level is syrk itself
                base, ratios = interleaved(blas, actions, options.repeat)
                for (number, levels, general), ratio, run in zip(runs, ratios, actions, strict=True):
                    run()
                    difference = float(abs(np.triu(out) - np.triu(plain)).max() / abs(plain).max())
                    work = kernels[number].workspace(a, levels=levels, general_levels=general) / a.nbytes
                    yield {
                        "part": "syrk", "scheme": grams[number].problem.name, "rank": grams[number].rank, "dtype": name,
                        "n": n, "levels": levels, "general_levels": general, "syrk_s": base, "ratio": ratio,
                        "workspace": work, "equal": difference < 1e-3,
                    }  # fmt: skip


def cuda(fast: Kernel, options: argparse.Namespace) -> Iterator[Row]:
    """Registers and spills of the whole CUDA text of the scheme, as the compiler's log tells them; no GPU is needed."""
    del fast
    nvrtc, nvcc = find_nvrtc(), find_nvcc()
    if not nvrtc and not nvcc:
        raise SystemExit("no NVRTC and no nvcc: pip install 'flipforge[cuda]'")
    by = partial(compiled_by_nvrtc, nvrtc) if nvrtc else partial(compiled, str(nvcc))
    with tempfile.TemporaryDirectory() as folder:
        path = CudaExporter().export(options.inner, Path(folder), options={}).files[0]
        for name in TYPES:
            for architecture in ARCHITECTURES:
                rows = by(path, name, architecture)
                yield {
                    "part": "cuda", "by": "NVRTC" if nvrtc else "nvcc", "dtype": name, "architecture": architecture,
                    "kernels": len(rows), "registers": max(row.registers for row in rows),
                    "spilled": sum(row.spilled for row in rows), "shared": max(row.shared for row in rows),
                }  # fmt: skip


def gram_kernel(schemes: list[Scheme], folder: Path) -> StructuredKernel:
    return load_structured(CExporter().export_levels(schemes, folder).files[0], cache_dir=folder)


def read(path: Path) -> Scheme:
    scheme = judge_file(path)[0].scheme
    if scheme is None:
        raise SystemExit(f"{path} holds no scheme that verifies")
    return scheme


PARTS = {"syrk": syrk, "float": floats, "threads": threads, "residues": residues, "integers": integers, "cuda": cuda}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default="float,residues,integers", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--scheme", type=Path, help="file of a scheme over Z; Strassen's unless given")
    parser.add_argument("--sizes", default="1024,2048", type=_numbers)
    parser.add_argument("--levels", default="1,2", type=_numbers)
    parser.add_argument("--dtypes", default="float32,float64", type=lambda text: text.split(","))
    parser.add_argument("--modes", default="streaming,products", type=lambda text: text.split(","))
    parser.add_argument("--repeat", default=2, type=int)
    parser.add_argument("--grams", nargs="*", type=Path, default=GRAMS, help="files of schemes for part syrk")
    options = parser.parse_args()
    options.inner = scheme = read(options.scheme) if options.scheme else strassen()
    blas = flipforge_build.find_blas()
    if blas and blas.set_threads:
        blas.set_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        fast = kernel(scheme, Path(folder))
        print(json.dumps({"scheme": scheme.id, "rank": scheme.rank, "blas": Path(blas.path).name if blas else None}))
        for part in options.parts.split(","):
            for row in PARTS[part](fast, options):
                rounded = {key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()}
                print(json.dumps(rounded), flush=True)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
