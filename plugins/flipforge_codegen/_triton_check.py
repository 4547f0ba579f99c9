"""Running an exported Triton module in the interpreter against exact references."""

import importlib.util
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.plugins import Check
from flipforge.programs import program
from flipforge.schemes import Scheme
from flipforge_codegen._exactness import Call, all_unit_pairs, checked, exact_products, sizes
from flipforge_codegen._stages import stages

__all__ = ["load_module", "run_checks"]

Array = npt.NDArray[Any]

_EXACT = {"float16": 2**11, "float32": 2**24, "float64": 2**53}


def load_module(path: Path) -> ModuleType:
    """Import a file under its own name."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded as a module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_checks(scheme: Scheme, path: Path) -> list[Check]:
    """Run every tier in every dtype; the process must have TRITON_INTERPRET=1."""
    try:
        module = load_module(path)
        _hide_what_is_not_written()
    except (Exception, SystemExit) as error:
        return [Check("import", False, f"{type(error).__name__}: {' '.join(str(error).split())}")]
    checks = [Check("import", True, path.name)]
    for dtype in _EXACT:
        checks.append(checked(f"interpreter, {dtype}", partial(_exact, scheme, module, dtype)))
        if not checks[-1].ok:
            break
    return checks


def _exact(scheme: Scheme, module: ModuleType, dtype: str) -> str:
    n, m, p = scheme.problem.dims
    calls = [(tier, _call(module, dtype, tier)) for tier in module.TIERS]
    for _, call in calls:
        told = all_unit_pairs(call, scheme.problem)
    growth = stages(program(scheme)).growth
    shapes = [*sizes(scheme.problem, 1)[1:], (17 * n, 33 * m - 1, 18 * p)]
    fitting = [shape for shape in shapes if growth.whole * -(-shape[1] // m) <= _EXACT[dtype]]
    return f"{told}; {exact_products(calls, fitting, 1)}"


def _call(module: ModuleType, dtype: str, tier: str) -> Call:
    import torch

    def call(a: Array, b: Array) -> Array:
        x, y = (_tensor(torch, z).to(getattr(torch, dtype)) for z in (a, b))
        kept = x.clone(), y.clone()
        result = module.multiply(x, y, tier=tier, tile=(16, 16, 16))
        if not (torch.equal(x, kept[0]) and torch.equal(y, kept[1])):
            raise ValueError(f"{tier}: an operand was written to")
        return np.asarray(result.to(torch.float64).numpy())

    return call


def _tensor(torch: Any, x: Array) -> Any:
    """Return a tensor with the strides of the array; writing to it is seen by comparison."""
    whole = torch.full((x.shape[0] * 2, x.shape[1] * 3), 77, dtype=torch.float64)
    if 1 in (step // x.itemsize for step in x.strides):
        return torch.from_numpy(x.astype(np.float64, order="K"))
    whole[::2, ::3] = torch.from_numpy(np.ascontiguousarray(x).astype(np.float64))
    return whole[::2, ::3]


def _hide_what_is_not_written() -> None:
    """Let fresh tensors hold NaN."""
    import torch

    plain = torch.empty

    def empty(*arguments: Any, **options: Any) -> Any:
        return plain(*arguments, **options).fill_(float("nan"))

    torch.empty = empty
