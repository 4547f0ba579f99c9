"""The measuring script of layers: its help, and a small run of each part; no clock decides a test."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from flipforge import plugins

SCRIPT = Path(__file__).resolve().parent.parent / "bench" / "equivariant.py"


def test_help() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("bench_equivariant", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    plugins.connect()
    module.compare("S", 4, 2, 2, 2, 1)
    module.compare("O", 3, 2, 2, 9, 1)
    monkeypatch.setattr(module, "COUNTED", ["S:20:2:2"])
    monkeypatch.setattr(module, "SMALL", ["O:2:3:3"])
    module.counts(200_000)
    lines = capsys.readouterr().out.splitlines()
    assert "S_4 2->2     batch  2" in lines[0]
    assert "6n^2 + 13n + 4   PROVED   page: 7n^2 + 14n + 4" in lines[2]
    assert "found     50 = n^3 + 6n^2 + 9n  least of all 50" in lines[3]
