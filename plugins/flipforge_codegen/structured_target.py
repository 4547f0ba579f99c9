"""The target ``blas``: structured products with the signatures of BLAS, recursing as the scheme's products say."""

import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from flipforge.errors import InputError
from flipforge.plugins import Check, ExportResult, write_texts
from flipforge.problems import ProductCode, matrix_cells
from flipforge.programs import program
from flipforge.schemes import Scheme
from flipforge_codegen import flipforge_structured, flipforge_triangles
from flipforge_codegen._exporter import Reporting, check_options, standalone, written
from flipforge_codegen._numpy_text import module_name, stated
from flipforge_codegen._stages import stages
from flipforge_codegen._structured_check import run_checks
from flipforge_codegen.flipforge_structured import StructuredProduct

__all__ = ["StructuredExporter", "structured_product"]

_CODES = frozenset(
    [
        *(x + y for x in "gul" for y in "gul"),
        "sg",
        "gs",
        "kg",
        "gk",
        *(x + "t" for x in "gul"),
        *("t" + x for x in "gul"),
    ]
)
"""Codes whose blocks are structured products again; a symmetric operand has no such rule beside a structured one."""

_MODULE = Template('''\
"""Structured product $problem of blocks with $rank products of blocks.

$origin

    $problem over $ring, id $id
    sha256 $digest
    written by flipforge $version

``PRODUCT.multiply(a, b)``, or `syrk`, `trmm` and `symm` of flipforge_structured with PRODUCT first.
"""

from flipforge_structured import StructuredProduct

__all__ = ["PRODUCT"]

PRODUCT = StructuredProduct(
    code=$code,
    dims=$dims,
    left=$left,
    right=$right,
    u=[
$u
    ],
    v=[
$v
    ],
    outputs=[
$outputs
    ],
    modulus=$modulus,
)
''')


def structured_product(scheme: Scheme) -> StructuredProduct:
    """Return the scheme as a product of structured matrices of blocks.

    Raises
    ------
    InputError
        The problem is no such product, or its blocks are not structured like the whole.
    """
    problem, code = scheme.problem, ProductCode.of(scheme.problem)
    if problem.kind != "structured" or code is None:
        raise InputError(f"{problem}: target blas multiplies structured matrices; take c, cuda or numpy")
    if str(code) not in _CODES or problem.name.count(":") > 2:
        raise InputError(
            f"{problem}: blocks of such operands are no products of the same kind; target blas takes "
            f"{', '.join(sorted(_CODES))} without corners, the target numpy any of numbers"
        )
    left, right, out = matrix_cells(problem)
    form = stages(program(scheme))
    listed = [[(i, j, c, sign) for (i, j), (c, sign) in sorted(cells.items())] for cells in (left, right)]
    outputs = [(i, k, list(form.out.rows[c]), form.out.denominators[c]) for (i, k), (c, _) in sorted(out.items())]
    return StructuredProduct(
        str(code), _triple(problem.dims), listed[0], listed[1], [list(row) for row in form.left.rows],
        [list(row) for row in form.right.rows], outputs, scheme.ring.characteristic,
    )  # fmt: skip


class StructuredExporter(Reporting):
    """Writes ``NAME.py`` with the tables of the scheme, and two files that are the same for all schemes."""

    shares = False

    def export(self, scheme: Scheme, folder: Path, *, options: Mapping[str, Any]) -> ExportResult:
        """Write the files of a scheme; see `flipforge.plugins.Exporter`. This target has no options."""
        check_options(options, "blas")
        scheme.certify()
        product, name = structured_product(scheme), module_name(scheme)
        text = _MODULE.substitute(
            stated(scheme), code=json.dumps(product.code), dims=product.dims, left=product.left, right=product.right,
            u=_rows(product.u), v=_rows(product.v), outputs=_rows(product.outputs), modulus=product.modulus,
        )  # fmt: skip
        texts = {f"{name}.py": text, **standalone(flipforge_structured, flipforge_triangles)}
        return ExportResult(write_texts(folder, texts))

    def check(self, scheme: Scheme, folder: Path) -> list[Check]:
        """Run the module that `export` wrote for this scheme; see `flipforge.plugins.Exporter`.

        Raises
        ------
        NotFoundError
            The folder does not hold the module.
        """
        return run_checks(scheme, written(folder, f"{module_name(scheme)}.py"))


def _triple(dims: tuple[int, ...]) -> tuple[int, int, int]:
    n, m, p = dims
    return n, m, p


def _rows(rows: Any) -> str:
    return "\n".join(f"        {row}," for row in rows)
