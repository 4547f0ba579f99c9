"""The figures of an export: additions, traffic, workspace, growth, errors, exact ranges; and plots of them."""

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.programs import Program, multiply, program
from flipforge.schemes import Scheme
from flipforge_codegen._form import Form, form_of
from flipforge_codegen._model import Traffic
from flipforge_codegen._numpy_basis import basis_of
from flipforge_codegen._rounding import error_bound
from flipforge_codegen.passes import MODES, schedule

__all__ = ["figures", "plots"]

_LEVELS = (0, 1, 2, 3)
_UNITS = {"float32": 2.0**-24, "float64": 2.0**-53}
_EXACT = {"float16": 2**11, "float32": 2**24, "float64": 2**53, "int32": 2**31, "int64": 2**63}
_INNER = 1024
_MEASURED_SIZE = 96
_MEASURED_ROUNDS = 3
_ORDERS = 20
_ORDER = 4096


def figures(scheme: Scheme, *, shares: bool = True) -> dict[str, Any]:
    """Return what can be said of the program that a target prints, as JSON values.

    Parameters
    ----------
    shares
        Whether the target prints the shared sums, or all sums in one pass as the scheme writes them.
    """
    written = program(scheme)
    shared = form_of(scheme)
    form = shared if shares else Form(written)
    whole = form.program
    result: dict[str, Any] = {
        "additions": {
            name: {"written": before.operations.additions, "shared": after.operations.additions}
            for name, before, after in zip(("left", "right", "out"), written.parts, shared.program.parts, strict=True)
        }
        | {"printed": "shared" if shares else "as written, in one pass"},
        "operations_per_level": {
            "products": whole.rank,
            "additions": whole.operations.additions,
            "scalings": whole.operations.scalings,
        },
        "workspace_blocks": _workspace(whole),
    }
    found = basis_of(scheme)
    if found is not None:
        before, after = found.before, found.after
        result["alternative_basis"] = {
            "additions_per_level": found.operations.additions,
            "additions_of_changes_per_level": {
                name: part.operations.additions for name, part in zip("ABC", (*before, after), strict=True)
            },
            "printed": "multiply_in_basis, by the target numpy",
        }
    if scheme.problem.kind == "matmul":
        result |= _matrix_figures(scheme, form, result["workspace_blocks"])
    return result


def _workspace(whole: Program) -> dict[str, Any]:
    """Buffers of a block of A, of B and of C in each mode, of the shared program and of one that shares nothing."""
    if whole.problem.commutes:
        return {}
    found = {mode: list(schedule(whole, mode, tries=_ORDERS).buffers) for mode in MODES}
    flat = program(whole.scheme())
    return found | {"product, nothing shared": list(schedule(flat, "product", tries=_ORDERS).buffers)}


def _by_levels(
    form: Form, traffic: Traffic, dims: Sequence[int], buffers: Mapping[str, Sequence[int]]
) -> dict[str, Any]:
    """Return operations, bytes and workspace of one to three levels, for square matrices of order `_ORDER`.

    A level works on blocks, whose number is multiplied by the rank, and its buffers come on top of those before it.
    """
    n, m, p = dims
    square = _ORDER**2
    operations, rows = form.program.operations, []
    additions = moved = 0.0
    parts = list(
        zip((n * m, m * p, n * p), (traffic.left, traffic.right, traffic.out), form.program.parts, strict=True)
    )
    for level in range(1, _LEVELS[-1] + 1):
        calls = operations.products ** (level - 1)
        additions += calls * sum(part.operations.additions * square / blocks**level for blocks, _, part in parts)
        moved += calls * sum(blocks_moved * square / blocks**level for blocks, blocks_moved, _ in parts)
        rows.append({
            "products_of_blocks": operations.products**level,
            "additions": round(additions),
            "multiplications": round(operations.products**level * _ORDER**3 / (n * m * p) ** level),
            "bytes_float64": round(8 * moved),
            "workspace_matrices": {
                mode: sum(
                    count / blocks**deep
                    for deep in range(1, level + 1)
                    for count, (blocks, _, _) in zip(counts, parts, strict=True)
                )
                for mode, counts in buffers.items()
            },
        })  # fmt: skip
    return {"order": _ORDER} | {f"{number} level{'s'[: number - 1]}": row for number, row in enumerate(rows, 1)}


def _matrix_figures(scheme: Scheme, form: Form, buffers: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    traffic = Traffic.streaming(form.stages)
    left, right, out = scheme.problem.shape
    growth = form.stages.growth
    result: dict[str, Any] = {
        "traffic_per_level": {
            "unit": "matrices of the size of the operand or result, read or written in one streaming pass",
            "left": traffic.left / left,
            "right": traffic.right / right,
            "out": traffic.out / out,
            "bytes_float64_n_1024": 8 * 1024**2 * (traffic.left / left + traffic.right / right + traffic.out / out),
        },
        "by_levels": _by_levels(form, traffic, scheme.problem.dims, buffers),
        "growth": {"left": growth.left, "right": growth.right, "out": growth.out, "whole": growth.whole},
        "leading_coefficient": _leading(form),
    }
    if form.modulus:
        return result
    result["error"] = {
        "inner": _INNER,
        "bound": {
            name: [error_bound(form.stages, _INNER, scheme.problem.dims[1], depth, unit) for depth in _LEVELS]
            for name, unit in _UNITS.items()
        },
        "measured": _errors(form.program, scheme.problem.dims),
    }
    result["exact_entries"] = {"inner": _INNER, "largest": _ranges(form, scheme.problem.dims[1])}
    return result


def _leading(form: Form) -> float | None:
    """Return the constant of n^omega for square formats: products and additions of all levels, down to 1 x 1."""
    n, m, p = form.program.problem.dims
    rank, blocks = form.rank, n * n
    if not n == m == p or rank <= blocks:
        return None
    return 1 + form.program.operations.additions / (rank - blocks)


def _ranges(form: Form, split: int) -> dict[str, list[int]]:
    """Return for each type and number of levels the largest entry of both operands for which all values are exact."""
    growth = form.stages.growth
    found: dict[str, list[int]] = {}
    for name, limit in _EXACT.items():
        # An integer of fixed width may wrap on the way: only the result must fit it.
        whole = name.startswith("int")
        found[name] = [
            _largest(limit, 0 if whole else level, growth.left, growth.right, growth.whole, split) for level in _LEVELS
        ]
    if form.fractional:
        found = {name: ranges for name, ranges in found.items() if name.startswith("float")}
    return found


def _largest(limit: int, levels: int, left: int, right: int, whole: int, split: int) -> int:
    def fits(entry: int) -> bool:
        a = b = entry
        inner, worst = _INNER, a * b * _INNER
        for _ in range(levels):
            inner = -(-inner // split)
            worst = max(worst, whole * a * b * inner)
            a, b = a * left, b * right
            worst = max(worst, a, b, a * b * inner)
        return worst < limit

    low, high = 0, limit
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _errors(whole: Program, dims: Sequence[int]) -> dict[str, Any]:
    """Compare with products in long double, for entries drawn from -1 to 1; the reference execution of the program."""
    draw = np.random.default_rng(7)
    sizes = [max(size, _MEASURED_SIZE // size * size) for size in dims]
    rows: dict[str, list[float]] = {name: [0.0] * 3 for name in _UNITS}
    for _ in range(_MEASURED_ROUNDS):
        a, b = draw.uniform(-1, 1, (sizes[0], sizes[1])), draw.uniform(-1, 1, (sizes[1], sizes[2]))
        for name in _UNITS:
            x, y = a.astype(name), b.astype(name)
            exact = x.astype(np.longdouble) @ y.astype(np.longdouble)
            for level in range(3):
                found = multiply([whole] * level, x, y)
                rows[name][level] = max(rows[name][level], float(abs(found - exact).max()))
    return {
        "sizes": sizes,
        "largest_error": rows,
        "ratio_to_plain": {name: [each / row[0] if row[0] else None for each in row] for name, row in rows.items()},
        "reference": f"NumPy long double of {np.finfo(np.longdouble).nmant + 1} bits",
    }


def plots(found: Mapping[str, Any]) -> dict[str, str]:
    """Return plots as SVG texts by the end of their file names: error bounds and errors, and workspace by mode.

    None where matplotlib, of the extra ``plot``, is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        return {}
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots(1, 2)
    names = list(found["workspace_blocks"])
    bottoms: npt.NDArray[np.float64] = np.zeros(len(names))
    for i, letter in enumerate("ABC"):
        values = np.array([found["workspace_blocks"][name][i] for name in names], float)
        axes[0].barh(names, values, left=bottoms, label=f"of {letter}")
        bottoms += values
    axes[0].set_xlabel("buffers of a block")
    if names:
        axes[0].legend()
    error: Any = found.get("error")
    for name, bound in error["bound"].items() if error else ():
        axes[1].semilogy(_LEVELS, bound, "--", marker=".", label=f"{name}, bound at {error['inner']}")
        measured = error["measured"]["largest_error"][name]
        axes[1].semilogy(range(len(measured)), measured, marker="o", label=f"{name}, measured")
    axes[1].set_xlabel("levels")
    axes[1].set_ylabel("largest error, entries up to 1")
    if error:
        axes[1].legend(fontsize="small")
    text = StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "flipforge"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return {"figures.svg": text.getvalue()}
