"""The target ``triton``: a Python module of Triton kernels for torch tensors."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flipforge.errors import InputError
from flipforge.plugins import Check, ExportResult, write_texts
from flipforge.schemes import Scheme
from flipforge_codegen._exporter import Reporting, check_options, written
from flipforge_codegen._gpu_bench import triton_rows
from flipforge_codegen._isolated import isolated
from flipforge_codegen._numpy_text import module_name
from flipforge_codegen._triton_text import triton_text
from flipforge_codegen.gpu_targets import carried

__all__ = ["TritonExporter"]


class TritonExporter(Reporting):
    """Writes ``NAME_triton.py`` with ``multiply(a, b)`` for float16, float32 and float64, any size and strides."""

    def export(self, scheme: Scheme, folder: Path, *, options: Mapping[str, Any]) -> ExportResult:
        """Write the module of a scheme; see `flipforge.plugins.Exporter`. This target has no options."""
        check_options(options, "triton")
        fast = carried(scheme, "triton")
        return ExportResult(write_texts(folder, {f"{module_name(scheme)}_triton.py": triton_text(scheme, fast)}))

    def bench(self, folder: Path, names: Sequence[str], size: int) -> list[dict[str, Any]]:
        """Time the kernels; see `flipforge bench`."""
        return triton_rows(folder / names[0], size)

    def check(self, scheme: Scheme, folder: Path) -> list[Check]:
        """Run the kernels in Triton's interpreter, and compile them for three architectures without a GPU.

        Raises
        ------
        NotFoundError
            The folder does not hold the module.
        InputError
            Triton or torch is not installed.
        """
        path = written(folder, f"{module_name(scheme)}_triton.py")
        missing = [name for name in ("triton", "torch") if find_spec(name) is None]
        if missing:
            raise InputError(
                f"{path} is written and not checked: no {' and no '.join(missing)}; pip install 'flipforge[triton]'; "
                "the targets numpy, c and cuda need neither"
            )
        with TemporaryDirectory() as cache:
            variables = {"TRITON_CACHE_DIR": cache}
            ran = isolated("_triton_check", scheme, path, variables | {"TRITON_INTERPRET": "1"})
            if not all(check.ok for check in ran):
                return ran
            return ran + isolated("_triton_compile", scheme, path, variables | {"TRITON_INTERPRET": "0"})
