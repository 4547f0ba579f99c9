"""Layer programs as code: what is written, and the check that runs it."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from commands import Capture, answer
from flipforge import plugins
from flipforge.diagrams import PAIRS, partitions
from flipforge.errors import InputError, VerificationError
from flipforge.plugins import export_layer
from flipforge.problems import layer
from flipforge.programs import (
    FixedLayer,
    Layer,
    LayerProgram,
    LayerTarget,
    apply_layer,
    assemble,
    cores,
    dense_is_faster,
    dump_layer,
    layer_source,
)

TARGETS = [
    "numpy",
    pytest.param(
        "torch",
        marks=pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"),
    ),
]


SHAPES = [("S:6", 2, 2), ("S:4", 3, 0), ("S:4", 0, 2), ("O:4", 3, 3), ("Sp:6", 3, 3)]


def made(group: str, k: int, l: int) -> Layer:
    blocks = PAIRS if group[0] == "O" or group.startswith("Sp") else None
    diagrams = list(partitions(k, l, blocks) if blocks else partitions(k, l))
    program = assemble(diagrams, cores(k), cores(l), k=k, l=l, symplectic=group.startswith("Sp"))
    return Layer(layer(group, k, l), program)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("group", "k", "l"), [("S:6", 2, 2), ("S:4", 3, 0), ("S:4", 0, 2), ("O:4", 3, 3), ("Sp:6", 3, 3)]
)
def test_written_code_is_checked_against_dense(group: str, k: int, l: int, target: str, tmp_path: Path) -> None:
    report = export_layer(made(group, k, l), target, tmp_path, check=True)
    assert report.ok
    assert len(report.checks) >= 2
    kept = json.loads(report.report.read_text())
    assert (kept["layer"]["problem"], kept["checked"]) == (f"layer:{group}:{k}:{l}", True)


def test_the_check_sees_wrong_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(layer: Layer, target: LayerTarget) -> str:
        return layer_source(layer, target).replace("weights[1]", "weights[0]")

    monkeypatch.setattr("flipforge.plugins._export_layer.layer_source", wrong)
    report = export_layer(made("S:3", 1, 1), "numpy", tmp_path, check=True)
    assert not report.ok
    assert all(not check.ok for check in report.checks)


def test_nothing_is_written_for_a_wrong_program(tmp_path: Path) -> None:
    good = made("S:3", 1, 1)
    bad = Layer(good.problem, LayerProgram(good.program.orders, good.program.steps[:-1]))
    with pytest.raises(VerificationError):
        export_layer(bad, "numpy", tmp_path / "out")
    with pytest.raises(InputError, match="numpy and torch, not to 'c'"):
        export_layer(good, "c", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_export_from_the_command_line(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "layer.json"
    path.write_text(dump_layer(made("S:5", 2, 1)))
    code, out, _ = answer(capsys, "export", str(path), "--target", "numpy", "--out", str(tmp_path), "--check", "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)
    (module,) = tmp_path.glob("layer_numpy_*.py")
    namespace: dict[str, object] = {}
    exec(module.read_text(), namespace)
    with pytest.raises(ValueError, match="must have one length"):
        namespace["apply"](np.zeros((2, 3)), np.zeros(5))  # type: ignore[operator]
    with pytest.raises(ValueError, match="weights are given"):
        namespace["apply"](np.zeros((3, 3)), np.zeros(4))  # type: ignore[operator]


def test_fixed_weights_choose_the_dense_matrix_where_it_is_faster() -> None:
    plugins.connect()
    rng = np.random.default_rng(0)
    for k, l in ((2, 2), (1, 2), (0, 1), (2, 0)):
        program = made("S:5", k, l).program
        weights = rng.normal(size=program.weights)
        for n in (2, 5, 20):
            fixed = FixedLayer(program, weights, n)
            for batch in (1, 64):
                x = rng.normal(size=(batch, *([n] * k)))
                assert np.allclose(fixed(x), apply_layer(program, x, weights, n=n))
    program = made("S:5", 2, 2).program
    assert [dense_is_faster(program, n, 64) for n in (4, 8, 12, 30)] == [True, True, False, False]
    assert not dense_is_faster(program, 1000, 64)
    with pytest.raises(InputError, match="give 15 floats"):
        FixedLayer(program, np.zeros(3), 4)
    with pytest.raises(InputError, match="must all have length"):
        FixedLayer(program, np.zeros(15), 4)(np.zeros((2, 3, 4)))
