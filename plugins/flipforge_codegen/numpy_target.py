"""The target ``numpy``: a self-contained module of unrolled, readable NumPy code."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from flipforge.errors import InputError
from flipforge.plugins import Check, ExportResult, write_texts
from flipforge.schemes import Scheme
from flipforge_codegen._exporter import Reporting, check_options, timed, written
from flipforge_codegen._numpy_check import load_module, run_checks
from flipforge_codegen._numpy_text import module_name, module_text

__all__ = ["NumpyExporter"]


class NumpyExporter(Reporting):
    """Writes ``multiply(a, b, *, depth=1, base=np.matmul)`` for a matrix product, ``apply(a, b)`` for any other map.

    A commutative scheme becomes an ``apply`` of the entries of A and B, which are numbers: blocks would not commute.
    A scheme over GF(p) becomes arithmetic modulo p. Denominators are cleared: outputs are divided, nothing else.
    """

    commutative = True

    def export(self, scheme: Scheme, folder: Path, *, options: Mapping[str, Any]) -> ExportResult:
        """Write the module of a scheme; see `flipforge.plugins.Exporter`. This target has no options."""
        check_options(options, "numpy")
        scheme.certify()
        return ExportResult(write_texts(folder, {f"{module_name(scheme)}.py": module_text(scheme)}))

    def check(self, scheme: Scheme, folder: Path) -> list[Check]:
        """Run the module that `export` wrote for this scheme; see `flipforge.plugins.Exporter`.

        Raises
        ------
        NotFoundError
            The folder does not hold the module.
        """
        return run_checks(scheme, written(folder, f"{module_name(scheme)}.py"))

    def bench(self, folder: Path, names: Sequence[str], size: int) -> list[dict[str, Any]]:
        """Time ``multiply_into`` in float32 and float64 at one and two levels against NumPy's product, interleaved.

        Both use the BLAS and the threads of NumPy.

        Raises
        ------
        InputError
            The module has no ``multiply_into``: it is no matrix product, or its scheme is exact in no float.
        """
        module = load_module(written(folder, names[0]))
        if not hasattr(module, "multiply_into"):
            raise InputError(f"{folder / names[0]}: it has no multiply_into, which is what is timed")

        def ours(a: Any, b: Any, out: Any, levels: int) -> None:
            module.multiply_into(out, a, b, depth=levels)

        return timed(ours, np.matmul, size, "numpy.matmul")
