"""The target ``torch``: a self-contained PyTorch module."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flipforge.errors import InputError, RingError
from flipforge.plugins import Check, ExportResult, write_texts
from flipforge.schemes import Scheme
from flipforge_codegen._exporter import Reporting, check_options, written
from flipforge_codegen._form import form_of
from flipforge_codegen._isolated import isolated
from flipforge_codegen._numpy_text import module_name
from flipforge_codegen._torch_text import torch_text

__all__ = ["TorchExporter"]


class TorchExporter(Reporting):
    """Writes ``FastMatmul`` (a `torch.nn.Module`) and ``multiply(a, b)``: batched, with gradients, for any size.

    Schemes over GF(p) become arithmetic modulo p on int64. Denominators other than powers of two are refused.
    """

    def export(self, scheme: Scheme, folder: Path, *, options: Mapping[str, Any]) -> ExportResult:
        """Write the module of a scheme; see `flipforge.plugins.Exporter`. This target has no options."""
        check_options(options, "torch")
        scheme.certify()
        if scheme.problem.kind != "matmul":
            raise InputError(
                f"{scheme.problem}: target torch multiplies matrices; the target numpy takes any bilinear map"
            )
        form = form_of(scheme)
        wrong = [d for d in form.stages.out.denominators if d & (d - 1)]
        if wrong or form.largest >= 2**53:
            reason = f"divides by {wrong[0]}, which is no power of two" if wrong else "has coefficients beyond 2^53"
            raise RingError(f"{scheme.problem}: the scheme {reason}: exact in no float; use the target numpy")
        return ExportResult(write_texts(folder, {f"{_name(scheme)}.py": torch_text(scheme)}))

    def check(self, scheme: Scheme, folder: Path) -> list[Check]:
        """Run the module that `export` wrote for this scheme; see `flipforge.plugins.Exporter`.

        Raises
        ------
        NotFoundError
            The folder does not hold the module.
        InputError
            PyTorch is not installed.
        """
        return isolated("_torch_check", scheme, written(folder, f"{_name(scheme)}.py"))


def _name(scheme: Scheme) -> str:
    """Name the module apart from that of the target numpy, which may stand in the same folder."""
    return f"{module_name(scheme)}_torch"
