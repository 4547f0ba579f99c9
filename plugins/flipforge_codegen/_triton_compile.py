"""Compiling an exported Triton module ahead of time, without a GPU."""

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from flipforge.plugins import Check
from flipforge.schemes import Scheme
from flipforge_codegen._exactness import MismatchError, checked
from flipforge_codegen._triton_check import load_module

__all__ = ["run_checks"]

_MATRIX = re.compile(r"wgmma\.mma_async|tcgen05\.mma|mma\.sync|\bfma\.rn\.f\d+")
_WANTED = {("fp16", 80): "mma.sync", ("fp16", 90): "wgmma.mma_async", ("fp16", 100): "tcgen05.mma"}
_RUNS = (("fp16", 80), ("fp16", 90), ("fp16", 100), ("fp32", 90), ("fp64", 90))


def run_checks(scheme: Scheme, path: Path) -> list[Check]:
    """Compile every kernel; half precision for three architectures, float and double for one."""
    module = load_module(path)
    kernels = [module.combine_left, module.combine_right, module.batched, module.combine_out, *module.PRODUCTS]
    return [checked(f"compiled, {dtype} sm_{arch}", partial(_compiled, kernels, dtype, arch)) for dtype, arch in _RUNS]


def _compiled(kernels: Iterable[Any], dtype: str, architecture: int) -> str:
    import triton.language as tl

    found, shared, count = set(), 0, 0
    total = tl.float64 if dtype == "fp64" else tl.float32
    for kernel in kernels:
        multiplies = "TK" in kernel.arg_names
        tile = {"TM": 64, "TN": 64, "TK": 32} if multiplies else {"TM": 1, "TN": 256}  # as multiply() has them
        made = _compile(kernel, dtype, architecture, {"ACC": total, **tile})
        used = set(_MATRIX.findall(made.asm["ptx"]))
        wanted = _WANTED.get((dtype, architecture))
        if multiplies and wanted and wanted not in used:
            raise MismatchError(f"{kernel.__name__}: PTX holds {sorted(used)} and no {wanted}")
        if not made.asm["cubin"]:
            raise MismatchError(f"{kernel.__name__}: no cubin")
        found |= used if multiplies else set()
        shared, count = max(shared, made.metadata.shared), count + 1
    return f"{count} kernels; products by {', '.join(sorted(found))}; {shared} bytes shared at most; not run on a GPU"


def _compile(kernel: Any, dtype: str, architecture: int, constants: dict[str, Any]) -> Any:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    signature = {}
    for name in kernel.arg_names:
        stride = name.endswith(("rs", "cs"))
        pointer = name in ("a", "b", "c", "x", "s", "t", "p")
        signature[name] = "constexpr" if name in constants else f"*{dtype}" if pointer else "i64" if stride else "i32"
    given = {name: value for name, value in constants.items() if name in kernel.arg_names}
    source = ASTSource(fn=kernel, signature=signature, constexprs=given)
    return triton.compile(source, target=GPUTarget("cuda", architecture, 32), options={"num_warps": 4})
