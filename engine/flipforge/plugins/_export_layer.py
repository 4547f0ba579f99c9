"""Export of layer programs: written by the engine's printers, checked against dense matrices."""

from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np

from flipforge.diagrams import PartitionDiagram, symplectic_matrix, tied_matrix
from flipforge.errors import InputError, PluginError
from flipforge.plugins._export import Check, ExportReport, write_texts
from flipforge.plugins._report import document_of, dump
from flipforge.programs import LAYER_TARGETS, Layer, LayerTarget, apply_layer, layer_source

__all__ = ["check_layer_code", "export_layer", "layer_target"]

_DENSE_ENTRIES = 1_000_000


def layer_target(target: str) -> LayerTarget:
    """Return a target of layer programs, or raise `InputError`."""
    found = next((name for name in LAYER_TARGETS if name == target), None)
    if found is None:
        raise InputError(f"layer programs are exported to {' and '.join(LAYER_TARGETS)}, not to {target!r}")
    return found


def check_layer_code(layer: Layer, target: LayerTarget, path: Path) -> Sequence[Check]:
    """Run the written code on integers and compare it with the dense matrix, exactly."""
    module = _loaded(path)
    program, symplectic = layer.program, layer.program.symplectic
    points = program.k + program.l
    small = (2, 4) if symplectic else (2, 3) if program.fixed is None else (program.fixed.n,)
    sizes = [n for n in small if n**points <= _DENSE_ENTRIES]
    generators = () if program.fixed is None else program.fixed.generators
    rng = np.random.default_rng(0)
    weights = rng.integers(-5, 6, program.weights)
    checks = []
    for n in sizes:
        matrix = np.zeros((n**program.l, n**program.k), np.int64)
        for weight, diagram in zip(weights, program.diagrams, strict=True):
            if symplectic and isinstance(diagram, PartitionDiagram):
                part = symplectic_matrix(diagram, n)
            else:
                part = tied_matrix(diagram, n, generators)
            np.add.at(matrix, (part.rows, part.cols), weight * part.values)
        x = rng.integers(-9, 10, (2, *([n] * program.k)))
        wanted = (x.reshape(2, -1) @ matrix.T).reshape(2, *([n] * program.l))
        checks.append(_compared(module, target, x, weights, wanted, f"dense matrix, n = {n}"))
    n = layer.n
    if n**program.k <= _DENSE_ENTRIES and n**program.l <= _DENSE_ENTRIES:
        x = np.asfortranarray(rng.integers(-9, 10, (3, *([n] * program.k))))
        wanted = apply_layer(program, x, weights, n=n, engine="numpy")
        checks.append(_compared(module, target, x, weights, wanted, f"reference by views, n = {n}"))
    return checks


def _loaded(path: Path) -> Any:
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _compared(module: Any, target: LayerTarget, x: Any, weights: Any, wanted: Any, name: str) -> Check:
    before = x.copy()
    n = wanted.shape[-1] if wanted.ndim > 1 else x.shape[-1] if x.ndim > 1 else 2
    if target == "torch":
        import torch

        found = module.apply(torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(weights), n=n).numpy()
    else:
        found = module.apply(x, weights, n=n)
    wrong = int((np.asarray(found) != wanted).sum())
    ok = not wrong and np.array_equal(x, before)
    return Check(name, ok, f"{wanted.size} entries, {wrong} differ; integers, shape {x.shape}")


def export_layer(layer: Layer, target: str, folder: str | Path, *, check: bool = False) -> ExportReport:
    """Prove a layer program again, write code for it, and check that code by running it.

    Raises
    ------
    VerificationError
        The program does not compute its layer; nothing is written.
    InputError
        There is no such target for layer programs, or the folder cannot be written.
    PluginError
        The code of PyTorch is to be checked, and there is none.
    """
    folder, printer = Path(folder), layer_target(target)
    if check and printer == "torch":
        _need_torch()
    layer.certify()
    files = write_texts(folder, {f"layer_{printer}_{layer.id}.py": layer_source(layer, printer)})
    checks = tuple(check_layer_code(layer, printer, files[0])) if check else ()
    name = f"layer_{printer}_{layer.id}_report.json"
    document = document_of((layer,), printer, files, checks, checked=check, options={}, figures={}, tools={})
    write_texts(folder, {name: dump(document)})
    return ExportReport(printer, files, checks, folder / name)


def _need_torch() -> None:
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise PluginError("the code needs PyTorch to be checked: install flipforge[torch], or leave --check out")
