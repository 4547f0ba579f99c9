"""The Triton target; all but its text needs the extra ``triton``, and minutes."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from conformance import ExporterConformance, divided_strassen, strassen, swapped
from flipforge.errors import InputError, RingError
from flipforge.plugins import Exporter
from flipforge.rings import GF2
from flipforge.schemes import Scheme
from flipforge_codegen import triton_target
from flipforge_codegen._isolated import isolated
from flipforge_codegen.triton_target import TritonExporter

needs_triton = pytest.mark.skipif(
    find_spec("triton") is None or find_spec("torch") is None, reason="no triton: pip install 'flipforge[triton]'"
)


@needs_triton
@pytest.mark.slow
class TestTriton(ExporterConformance):
    def exporter(self) -> Exporter:
        return TritonExporter()

    def schemes(self) -> Sequence[Scheme]:
        return [strassen()]

    def mutations(self, text: str) -> Iterable[str]:
        """Signs, indices and masks; barriers are Triton's own."""
        yield swapped(text, "def combine_left", "a12 - a22", "a12 + a22")
        yield swapped(text, "def combine_right", "b11 - b21", "b11 + b21")
        yield swapped(text, "def combine_out", "m5 + m7", "m5 - m7")
        yield swapped(text, "def combine_out", "put(c, i, j + n,", "put(c, i, j,")
        yield swapped(text, "def batched", "left = at(s, i, q,", "left = at(s, i, q + 1,")
        yield swapped(text, "def product_1", "-(total)", "total")
        yield swapped(text, "def product_2", "i + m, q,", "i, q + k,")
        yield swapped(text, "def product_3", ", True)", ", False)")
        yield text.replace("mask=inside & (i < rows) & (j < cols), other=0", "mask=inside & (i < rows), other=0")


@needs_triton
@pytest.mark.slow
def test_half_precision_multiplies_by_the_matrix_units(tmp_path: Path) -> None:
    path = TritonExporter().export(strassen(), tmp_path, options={}).files[0]
    checks = {check.name: check.detail for check in isolated("_triton_compile", strassen(), path)}
    assert "wgmma.mma_async" in checks["compiled, fp16 sm_90"]
    path.write_text(
        path.read_text().replace(
            "total = tl.dot(left, right, total", "total += tl.dot(left.to(tl.float32), right.to(tl.float32)"
        )
    )
    assert any(not check.ok for check in isolated("_triton_compile", strassen(), path))


@needs_triton
@pytest.mark.slow
def test_arguments_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = TritonExporter().export(strassen(), tmp_path, options={}).files[0]
    script = f"""
import {path.stem} as k, torch
def told(*arguments, **options):
    try:
        k.multiply(*arguments, **options)
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error)
square = torch.eye(2)
told(square, torch.eye(3)); told(square, square.double()); told(square, square, tier="fast")
print(k.multiply(torch.ones(3, 0), torch.ones(0, 2)).tolist())
"""
    variables = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=variables, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert "not those of two matrices" in lines[0]
    assert "give two of float16" in lines[1]
    assert "tier 'fast'" in lines[2]
    assert lines[3] == str([[0.0] * 2] * 3)


def test_text_is_python_with_a_kernel_for_each_product(tmp_path: Path) -> None:
    path = TritonExporter().export(strassen(), tmp_path, options={}).files[0]
    functions = {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}
    assert functions >= {"multiply", "batched", "combine_left", "combine_right", "combine_out"}
    assert {f"product_{number}" for number in range(1, 8)} <= functions


def test_rings_that_floats_cannot_carry_are_refused(tmp_path: Path) -> None:
    for scheme in (strassen().over(GF2), divided_strassen()):
        with pytest.raises(RingError):
            TritonExporter().export(scheme, tmp_path / "out", options={})
    assert not (tmp_path / "out").exists()


@pytest.fixture
def without_triton(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(triton_target, "find_spec", lambda name: None)
    yield


def test_missing_library_names_the_mend(tmp_path: Path, without_triton: None) -> None:
    TritonExporter().export(strassen(), tmp_path, options={})
    with pytest.raises(
        InputError, match=r"no triton and no torch; pip install 'flipforge\[triton\]'; the targets numpy"
    ):
        TritonExporter().check(strassen(), tmp_path)
