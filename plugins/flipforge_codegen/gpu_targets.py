"""The targets ``cuda`` and ``opencl``: one file of kernels each, and the Python file that builds and calls them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from flipforge.errors import InputError, RingError
from flipforge.plugins import Check, ExportResult, write_texts
from flipforge.programs import Program
from flipforge.schemes import Scheme
from flipforge_codegen import flipforge_gpu
from flipforge_codegen._c_text import runtime
from flipforge_codegen._exporter import Reporting, check_options, version_of, written
from flipforge_codegen._form import form_of
from flipforge_codegen._gpu_bench import cuda_rows, opencl_rows
from flipforge_codegen._gpu_text import CUDA, OPENCL, Dialect, gpu_text
from flipforge_codegen._isolated import isolated
from flipforge_codegen._numpy_text import module_name
from flipforge_codegen._nvcc import find_nvcc
from flipforge_codegen._stages import stages

__all__ = ["CudaExporter", "OpenCLExporter", "carried"]


def carried(scheme: Scheme, target: str) -> Program:
    """Prove a scheme and return its program with shared sums, where floats of a GPU can carry it.

    Raises
    ------
    VerificationError
        The scheme does not verify.
    InputError
        The problem is no matrix product.
    RingError
        The scheme holds modulo p only, divides by other than powers of two, or has large coefficients.
    """
    scheme.certify()
    problem, p = scheme.problem, scheme.ring.characteristic
    if problem.kind != "matmul":
        raise InputError(f"{problem}: target {target} multiplies matrices; the target numpy takes any bilinear map")
    if p:
        raise RingError(f"{problem}: the scheme holds modulo {p} only, which floats cannot carry; use c or numpy")
    fast = form_of(scheme).program
    form = stages(fast)
    if any(d & (d - 1) for d in form.out.denominators):
        raise RingError(f"{problem}: a denominator is no power of two, so floats would round; use c or numpy")
    if form.largest >= 2**11:
        raise RingError(f"{problem}: coefficients of 2048 and more are beyond half precision; use c or numpy")
    return fast


class _GpuExporter(Reporting):
    """What both have in common; matrices of float16 (CUDA), float32, float64, int32 and int64, any size and strides."""

    dialect: ClassVar[Dialect]
    suffix: ClassVar[str]

    def export(self, scheme: Scheme, folder: Path, *, options: Mapping[str, Any]) -> ExportResult:
        """Write the files of a scheme; see `flipforge.plugins.Exporter`. This target has no options."""
        target = self.dialect.name
        check_options(options, target)
        fast = carried(scheme, target)
        name = module_name(scheme)
        texts = {f"{name}.{self.suffix}": gpu_text(scheme, fast, name, self.dialect)}
        texts["flipforge_gpu.py"] = Path(flipforge_gpu.__file__).read_text(encoding="utf-8")
        return ExportResult(write_texts(folder, texts | self._companions()))

    def check(self, scheme: Scheme, folder: Path) -> list[Check]:
        """Run the kernels that `export` wrote for this scheme; see `flipforge.plugins.Exporter`.

        Raises
        ------
        NotFoundError
            The folder does not hold the file.
        InputError
            What runs the kernels is not installed.
        """
        return isolated("_gpu_check", scheme, written(folder, f"{module_name(scheme)}.{self.suffix}"))

    def tools(self) -> dict[str, str]:
        """Name the compiler of the CPU shim."""
        try:
            return {"c++": version_of(flipforge_gpu.find_compiler())}
        except flipforge_gpu.MissingError:
            return {"c++": version_of(None)}

    def _companions(self) -> dict[str, str]:
        return {}


class CudaExporter(_GpuExporter):
    """CUDA C++ for nvcc, NVRTC and CuPy; checked on a CPU shim and by nvcc, and on a GPU where there is one."""

    dialect = CUDA
    suffix = "cu"

    def tools(self) -> dict[str, str]:
        """Name the compilers that run and compile the text."""
        return {**super().tools(), "nvcc": version_of(find_nvcc())}

    def bench(self, folder: Path, names: Sequence[str], size: int) -> list[dict[str, Any]]:
        """Time the kernels against cuBLAS; see `flipforge bench`."""
        return cuda_rows(folder / names[0], size)

    def _companions(self) -> dict[str, str]:
        return {"flipforge_shim.h": runtime("flipforge_shim.h")}


class OpenCLExporter(_GpuExporter):
    """OpenCL C, run by PyOpenCL on a GPU or by PoCL on the CPU."""

    dialect = OPENCL
    suffix = "cl"

    def bench(self, folder: Path, names: Sequence[str], size: int) -> list[dict[str, Any]]:
        """Time the kernels against NumPy on the CPU; see `flipforge bench`."""
        return opencl_rows(folder / names[0], size)
