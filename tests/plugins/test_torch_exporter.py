"""The PyTorch target: what it writes and refuses; where PyTorch is installed, that wrong code fails its checks."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from conformance import divided_strassen, strassen
from flipforge.errors import InputError, NotFoundError, RingError
from flipforge.problems import matmul, parse
from flipforge.rings import GF2, GF3, ZT
from flipforge.schemes import Scheme, standard_scheme
from flipforge_codegen import torch_target
from flipforge_codegen.torch_target import TorchExporter

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed (pip install torch==2.13.0)"
)


def written(scheme: Scheme, folder: Path) -> Path:
    (path,) = TorchExporter().export(scheme, folder, options={}).files
    return path


def failed(scheme: Scheme, path: Path) -> list[str]:
    return [check.name for check in TorchExporter().check(scheme, path.parent) if not check.ok]


@pytest.mark.parametrize("scheme", [strassen(), strassen().over(GF2), standard_scheme(matmul(2, 1, 3), ZT)])
def test_text_is_python_and_states_its_scheme(scheme: Scheme, tmp_path: Path) -> None:
    path = written(scheme, tmp_path)
    text = path.read_text(encoding="utf-8")
    compile(text, path.name, "exec")
    assert path.name.endswith("_torch.py")
    assert scheme.id in text and scheme.problem.name in text
    assert text == written(scheme, tmp_path / "again").read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 120


def test_what_it_refuses(tmp_path: Path) -> None:
    with pytest.raises(RingError, match="divides by 3, which is no power of two"):
        written(divided_strassen(), tmp_path)
    with pytest.raises(InputError, match="target torch multiplies matrices"):
        written(standard_scheme(parse("quaternion"), ZT), tmp_path)
    with pytest.raises(InputError, match="no option 'fast'"):
        TorchExporter().export(strassen(), tmp_path, options={"fast": 1})
    with pytest.raises(NotFoundError, match="export the scheme first"):
        TorchExporter().check(strassen(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_torch_the_mend_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    from flipforge_codegen import _torch_check

    monkeypatch.setattr(_torch_check, "import_module", missing)
    monkeypatch.setattr(torch_target, "isolated", lambda module, scheme, path: _torch_check.run_checks(scheme, path))
    written(strassen(), tmp_path)
    with pytest.raises(InputError, match="pip install torch; the targets numpy and c work without it"):
        TorchExporter().check(strassen(), tmp_path)


@needs_torch
@pytest.mark.parametrize(
    "scheme", [strassen(), strassen().over(GF2), strassen().over(GF3), standard_scheme(matmul(2, 3, 4), ZT)]
)
def test_all_checks_hold(scheme: Scheme, tmp_path: Path) -> None:
    written(scheme, tmp_path)
    checks = TorchExporter().check(scheme, tmp_path)
    assert [check for check in checks if not check.ok] == []
    assert {"unit pairs", "recursion", "batched", "torch.compile", "refused"} <= {check.name for check in checks}


@needs_torch
@pytest.mark.parametrize(
    ("old", "new", "caught"),
    [
        ("m7 = product(a11 + a12", "m7 = product(a11 - a12", "unit pairs"),
        ("c12 = m5 + m7", "c12 = m5 - m7", "unit pairs"),
        ("m2 = product(a21 + a22, b11)", "m2 = product(a21 + a22, b12)", "unit pairs"),
        ("dim=-1", "dim=-2", "unit pairs"),
        ("return _recurse(a, b, depth, base)", "return torch.matmul(a, b)", "recursion"),
        ("a.dtype != b.dtype or a.dtype == torch.bool", "False", "refused"),
        ("return multiply(a, b, depth=self.depth)", "return multiply(a.detach(), b)", "gradients"),
        ("[..., :rows, :columns]", "", "exact float64"),
    ],
)
def test_check_catches_wrong_code(old: str, new: str, caught: str, tmp_path: Path) -> None:
    path = written(strassen(), tmp_path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert caught in failed(strassen(), path)


@needs_torch
def test_a_flipped_coefficient_modulo_2_is_caught(tmp_path: Path) -> None:
    path = written(strassen().over(GF2), tmp_path)
    text = path.read_text(encoding="utf-8")
    match = re.search(r"c12 = \((m\d) \+ m\d\)", text)
    assert match
    path.write_text(text.replace(match[0], f"c12 = ({match[1]})"), encoding="utf-8")
    assert "unit pairs" in failed(strassen().over(GF2), path)
