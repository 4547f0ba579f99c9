"""The C target's levels and memory: a scheme a level, and three modes whose workspace is what is said."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from commands import Capture, answer
from conformance import divided_strassen, strassen
from flipforge.errors import InputError
from flipforge.plugins import export
from flipforge.problems import matmul, parse
from flipforge.rings import GF2, ZT
from flipforge.schemes import Scheme, standard_scheme
from flipforge.schemes.formats import write_file
from flipforge_codegen import flipforge_c
from flipforge_codegen.c_target import CExporter
from flipforge_codegen.flipforge_c import MODES, Kernel

pytestmark = pytest.mark.usefixtures("library_cache")
Array = npt.NDArray[Any]

STANDARD = standard_scheme(matmul(1, 3, 2), ZT)


def built(schemes: Sequence[Scheme], folder: Path) -> Kernel:
    return flipforge_c.load(CExporter().export_levels(schemes, folder).files[0])


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Kernel:
    return built([strassen(), STANDARD], tmp_path_factory.mktemp("mixed"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_each_level_runs_its_own_scheme(mixed: Kernel, mode: str, levels: int) -> None:
    draw = np.random.default_rng(1)
    for m, k, n in ((2, 18, 8), (5, 19, 9), (3, 17, 7), (6, 6, 1), (4, 1, 4)):
        a, b = draw.integers(-9, 9, (m, k)), draw.integers(-9, 9, (k, n))
        wanted = a @ b
        for dtype in ("float32", "int64"):
            x, y = a.astype(dtype), b.astype(dtype)
            assert np.array_equal(mixed.multiply(x, y, levels=levels, mode=mode, pad="never"), wanted)


def test_levels_are_cut_as_the_formats_say(mixed: Kernel) -> None:
    """Two levels cut 2x2x2 and 1x3x2 blocks; the last scheme goes on."""
    assert [row["dims"] for row in mixed.facts["levels"]] == [[2, 2, 2], [1, 3, 2]]
    assert mixed.levels(4, 4, 4, smallest=2) == 1
    assert mixed.levels(4, 36, 16, smallest=2) == 3
    assert mixed.levels(4, 35, 16, smallest=2) == 2


def test_export_of_a_list_recurses_in_c_and_composes_elsewhere(tmp_path: Path) -> None:
    small = standard_scheme(matmul(1, 2, 1), ZT)
    report = export(strassen(), "c", tmp_path, inner=[small], check=True)
    assert report.ok
    document = json.loads(report.report.read_text(encoding="utf-8"))
    assert [row["problem"] for row in document["levels"]] == ["matmul:2x2x2", "matmul:1x2x1"]
    assert document["command"] == f"flipforge export {strassen().id} {small.id} --target c --out DIR --check"
    assert any(check.name.startswith("unit pairs of all levels") for check in report.checks)
    for target in ("numpy", "c"):
        whole = export(strassen(), target, tmp_path, inner=[small], composed=True)
        document = json.loads(whole.report.read_text(encoding="utf-8"))
        assert (document["scheme"]["problem"], document["scheme"]["rank"]) == ("matmul:2x4x2", 14)
        assert "--compose" in document["command"]


def test_command_takes_a_list(tmp_path: Path, capsys: Capture) -> None:
    files = []
    for number, scheme in enumerate((strassen(), STANDARD)):
        files.append(str(tmp_path / f"{number}.json"))
        write_file(scheme, "flipforge", Path(files[-1]))
    where = ["--out", str(tmp_path / "code"), "--json"]
    code, out, _ = answer(capsys, "export", *files, "--target", "c", *where)
    assert code == 0
    report = json.loads(out)
    assert Path(report["files"][0]).name.startswith("levels_2x2x2_1x3x2_")
    code, out, _ = answer(capsys, "export", *files, "--target", "numpy", *where)
    report = json.loads(out)
    assert Path(report["files"][0]).name.startswith("matmul_2x6x4_r42_")
    stated = ["--out", str(tmp_path / "no"), "--problem", "matmul:2x2x2"]
    code, _, err = answer(capsys, "export", *files, "--target", "c", *stated)
    assert code == 2 and "levels state their own" in err
    assert not (tmp_path / "no").exists()


def test_levels_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    quaternions = standard_scheme(parse("quaternion"), ZT)
    for target in ("c", "numpy"):
        with pytest.raises(InputError, match="one characteristic"):
            export(strassen(), target, tmp_path / "out", inner=[strassen().over(GF2)])
        with pytest.raises(InputError, match=r"matrix products|multiplies matrices"):
            export(strassen(), target, tmp_path / "out", inner=[quaternions])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("levels", "size"), [(1, (128, 128, 128)), (2, (128, 128, 128)), (2, (96, 192, 128))])
def test_workspace_is_used_to_its_end_and_no_further(
    tmp_path: Path, mode: str, levels: int, size: tuple[int, int, int]
) -> None:
    kernel = built([strassen()], tmp_path)
    m, k, n = size
    draw = np.random.default_rng(2)
    a, b = draw.uniform(1, 2, (m, k)), draw.uniform(1, 2, (k, n))
    out, exact = np.empty((m, n)), a @ b
    told = kernel.workspace(a, b, out, levels=levels, mode=mode) - 64
    space = np.full(told + 8192, 0xA5, np.uint8)
    kernel.multiply(a, b, out=out, levels=levels, mode=mode, workspace=space[: told + 64])
    assert np.allclose(out, exact)
    assert (space[told + 64 :] == 0xA5).all()
    written = np.flatnonzero(space != 0xA5)
    # Buffers are rounded to pages and set apart by some cache lines.
    assert (written[-1] if written.size else 0) >= told - 4096 - 64 * 37


def test_workspace_of_the_modes_in_matrices(tmp_path: Path) -> None:
    """All at once about 4.25 matrices at a level, a product at a time 0.75, with square operands overwritten none."""
    kernel, n = built([strassen()], tmp_path), 4096
    a = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (n, n), (4 * n, 4))
    wanted = {("streaming", 1): 4.25, ("products", 1): 0.75, ("products", 2): 0.9375, ("clobber", 1): 0.0}
    for (mode, levels), matrices in wanted.items():
        assert abs(kernel.workspace(a, a, a, levels=levels, mode=mode) / a.nbytes - matrices) < 0.01
    deep = [kernel.workspace(a, a, a, levels=3, mode=mode) for mode in MODES]
    assert deep == sorted(deep, reverse=True) and deep[2] < 0.25 * a.nbytes


def test_clobber_refuses_operands_that_must_stay(tmp_path: Path) -> None:
    kernel = built([strassen()], tmp_path)
    a, fixed = np.eye(4), np.eye(4)
    fixed.flags.writeable = False
    for x, y in ((fixed, a), (a, fixed), (a, a)):
        with pytest.raises(ValueError, match="overwrites a and b"):
            kernel.multiply(x, y, levels=1, mode="clobber")


def test_denominators_other_than_powers_of_two_are_cleared_in_every_mode(tmp_path: Path) -> None:
    kernel = built([divided_strassen(), strassen()], tmp_path)
    draw = np.random.default_rng(3)
    for mode in MODES:
        a, b = draw.integers(0, 251, (9, 8)), draw.integers(0, 251, (8, 11))
        wanted = a @ b % 251
        assert np.array_equal(kernel.multiply(a, b, levels=2, modulus=251, mode=mode), wanted)


def test_the_report_tells_the_workspace_that_is_taken(tmp_path: Path) -> None:
    kernel, n = built([strassen()], tmp_path), 4096
    a = np.lib.stride_tricks.as_strided(np.zeros(1, np.float64), (n, n), (8 * n, 8))
    told = CExporter().figures(strassen())["by_levels"]
    assert told["order"] == n
    for levels in (1, 2, 3):
        row = told[f"{levels} level{'s'[: levels - 1]}"]
        assert row["products_of_blocks"] == 7**levels
        for mode, key in (("streaming", "all"), ("products", "product")):
            taken = kernel.workspace(a, a, a, levels=levels, mode=mode) / a.nbytes
            assert abs(row["workspace_matrices"][key] - taken) < 0.005 * taken
        clobbered = kernel.workspace(a, a, a, levels=levels, mode="clobber") / a.nbytes
        assert clobbered <= row["workspace_matrices"]["clobber"]
    # A level of Strassen's products as written: 18 additions of quarters.
    assert told["1 level"]["additions"] == 18 * (n // 2) ** 2
    assert told["2 levels"]["additions"] == 18 * (n // 2) ** 2 + 7 * 18 * (n // 4) ** 2
