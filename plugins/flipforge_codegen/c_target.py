"""The target ``c``: a C file with BLAS inside, and the Python file that builds and calls it."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flipforge.errors import InputError
from flipforge.plugins import Check, ExportResult, levels_id, write_texts
from flipforge.problems import ProductCode
from flipforge.schemes import Scheme
from flipforge_codegen import flipforge_build, flipforge_c, flipforge_c_structured
from flipforge_codegen._c_structured import CODES
from flipforge_codegen._c_text import c_text
from flipforge_codegen._exporter import Reporting, check_options, standalone, timed, version_of, written
from flipforge_codegen._isolated import isolated
from flipforge_codegen._numpy_text import module_name

__all__ = ["CExporter"]

_WAIT = {"OMP_WAIT_POLICY": "passive"}
"""Threads that wait leave the core to others: the matrices of a check are small, and there may be few cores."""


class CExporter(Reporting):
    """Writes ``NAME.c``, and ``flipforge_c.py`` with ``flipforge_build.py``, the loader that is the same for all.

    Several schemes are one for each level of the recursion.

    Matrices of any size and strides in float32, float64, int32, int64, or modulo p through float64; a scheme that holds
    modulo 2 only becomes arithmetic on packed bits. Combinations are taken in one streaming pass, innermost blocks
    multiplied by BLAS, products shared out over cores by OpenMP.
    """

    shares = False

    def export(self, scheme: Scheme, folder: Path, *, options: Mapping[str, Any]) -> ExportResult:
        """Write the files of a scheme; see `flipforge.plugins.Exporter`. This target has no options."""
        check_options(options, "c")
        return self.export_levels([scheme], folder)

    def export_levels(self, schemes: Sequence[Scheme], folder: Path) -> ExportResult:
        """Write the files of a scheme for each level, the first outermost."""
        for scheme in schemes:
            scheme.certify()
            _carried(scheme)
            if scheme.ring.characteristic != schemes[0].ring.characteristic:
                raise InputError(f"levels over {schemes[0].ring} and {scheme.ring}: give one characteristic")
        if len({scheme.problem.kind for scheme in schemes}) > 1 and schemes[0].problem.kind == "matmul":
            raise InputError("name the structured scheme first, then those of the products it recurses into")
        name = _name(schemes)
        texts = {f"{name}.c": c_text(schemes, name), **standalone(flipforge_c, flipforge_build)}
        if schemes[0].problem.kind != "matmul":
            texts |= standalone(flipforge_c_structured)
        return ExportResult(write_texts(folder, texts))

    def tools(self) -> dict[str, str]:
        """Name the compiler."""
        found = os.environ.get("CC") or next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
        return {"cc": version_of(found)}

    def check(self, scheme: Scheme, folder: Path) -> list[Check]:
        """Build and run the file that `export` wrote for this scheme; see `flipforge.plugins.Exporter`.

        Raises
        ------
        NotFoundError
            The folder does not hold the file.
        InputError
            There is no C compiler.
        """
        return self.check_levels([scheme], folder)

    def check_levels(self, schemes: Sequence[Scheme], folder: Path) -> list[Check]:
        """Build and run the file of a scheme for each level."""
        module = "_c_check" if schemes[0].problem.kind == "matmul" else "_c_structured_check"
        return isolated(module, schemes[0], written(folder, f"{_name(schemes)}.c"), _WAIT, inner=schemes[1:])

    def bench(self, folder: Path, names: Sequence[str], size: int) -> list[dict[str, Any]]:
        """Time float32 and float64 at one and two levels against the BLAS inside, interleaved; see `flipforge bench`.

        Raises
        ------
        InputError
            There is no C compiler, or no BLAS to compare with.
        """
        structured = "flipforge_c_structured.py" in names
        load: Any = flipforge_c_structured.load_structured if structured else flipforge_c.load
        try:
            kernel = load(folder / names[0])
        except flipforge_build.MissingCompilerError as error:
            raise InputError(str(error)) from None
        blas = flipforge_build.find_blas()
        if blas is None or blas.set_threads is None or "f32" not in kernel.facts["domains"]:
            raise InputError(f"{folder / names[0]}: no BLAS to compare with, or a scheme that floats do not carry")

        gram = structured and kernel.facts["structured"][0]["code"][1] == "t"

        def ours(a: Any, b: Any, out: Any, levels: int) -> None:
            kernel.multiply(a, None if gram else b, out=out, levels=levels)

        def theirs(a: Any, b: Any, out: Any) -> None:
            ours(a, b, out, 0)  # without levels it is BLAS: syrk, trmm, symm or gemm

        with flipforge_build.one_thread(blas):
            return timed(ours, theirs, size, "BLAS")


def _carried(scheme: Scheme) -> None:
    """Refuse what C has no code for."""
    problem, code = scheme.problem, ProductCode.of(scheme.problem)
    if problem.kind == "matmul":
        return
    if problem.kind != "structured" or code is None:
        raise InputError(f"{problem}: target c multiplies matrices; the target numpy takes any bilinear map")
    if str(code) not in CODES or problem.name.count(":") > 2:
        raise InputError(
            f"{problem}: target c takes structured products {', '.join(CODES)} without corners; see the targets blas "
            "and numpy"
        )
    if scheme.ring.characteristic == 2:
        raise InputError(f"{problem} over GF2: words of 64 columns have no triangles; take the target blas")


def _name(schemes: Sequence[Scheme]) -> str:
    """Name the file: the module name of a scheme, or the formats of several and a hash of them."""
    if len(schemes) == 1:
        return module_name(schemes[0])
    formats = "_".join("x".join(map(str, scheme.problem.dims)) for scheme in schemes)
    return f"levels_{formats}_{levels_id(schemes)}"
