"""The report of an export: figures, status, Markdown, plots."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import divided_strassen, strassen
from flipforge.plugins import Check, export
from flipforge.plugins._report import document_of, markdown
from flipforge.problems import commutative, matmul, parse
from flipforge.programs import multiply, program
from flipforge.rings import GF2, ZT
from flipforge.schemes import Scheme, standard_scheme, winograd_scheme
from flipforge_codegen._report import figures, plots
from flipforge_codegen.passes import fewer_additions

WINOGRAD = fewer_additions(strassen(), moves=300, seed=6)


def test_an_export_leaves_json_markdown_and_plots(tmp_path: Path) -> None:
    report = export(WINOGRAD, "numpy", tmp_path, check=True)
    document = json.loads(report.report.read_text(encoding="utf-8"))
    assert document["figures"]["operations_per_level"] == {"products": 7, "additions": 15, "scalings": 0}
    assert document["figures"]["leading_coefficient"] == 6
    assert document["status"]["gpu"] == "not run on a GPU"
    assert "unit pairs" in document["status"]["executed"]
    assert document["command"] == f"flipforge export {WINOGRAD.id} --target numpy --out DIR --check"
    assert document["versions"]["numpy"] == np.__version__
    text = report.report.with_suffix(".md").read_text(encoding="utf-8")
    for told in (WINOGRAD.id, "rank 7", "| products | 7 |", "not run on a GPU", "| unit pairs | yes |", "figures.svg"):
        assert told in text
    assert (tmp_path / f"{report.report.stem}_figures.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    ("target", "scheme"),
    [
        *((target, strassen()) for target in ("c", "torch", "cuda", "opencl", "triton")),
        ("blas", standard_scheme(parse("structured:gt:2"), ZT)),
    ],
)
def test_every_target_reports_figures_and_plots(target: str, scheme: Scheme, tmp_path: Path) -> None:
    report = export(scheme, target, tmp_path).report
    figures = json.loads(report.read_text(encoding="utf-8"))["figures"]
    wanted = {"additions", "operations_per_level", "workspace_blocks"}
    if scheme.problem.kind == "matmul":
        wanted |= {"by_levels", "traffic_per_level", "growth", "error", "exact_entries"}
    assert wanted <= figures.keys()
    assert "figures.svg" in report.with_suffix(".md").read_text(encoding="utf-8")


def test_unchecked_export_says_what_was_not_run(tmp_path: Path) -> None:
    document = json.loads(export(strassen(), "numpy", tmp_path).report.read_text(encoding="utf-8"))
    assert document["status"]["executed"] == "not run: export with --check"
    assert document["checks"] == []


def test_measured_errors_are_within_their_bounds_and_grow() -> None:
    error = figures(WINOGRAD)["error"]
    for name, unit in (("float32", 2**-24), ("float64", 2**-53)):
        measured, bound = error["measured"]["largest_error"][name], error["bound"][name]
        assert 0 < measured[0] < measured[1] < measured[2]
        # The bounds are for longer sums than what was measured.
        assert all(0 < x < y for x, y in zip(measured, bound, strict=False))
        assert bound == sorted(bound)
        assert measured[0] > unit


@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize("levels", [1, 2])
def test_largest_exact_entry_is_exact(name: str, levels: int) -> None:
    """Products of entries of that size are exact in the type; the limit itself is that of a proof, not of luck."""
    entry = figures(WINOGRAD)["exact_entries"]["largest"][name][levels]
    assert entry > 1
    signs = np.random.default_rng(0).choice([-1, 1], size=(2, 16, 16))
    a, b = (np.asarray(entry * x, name) for x in signs)
    wanted = a.astype(object) @ b.astype(object)
    found = multiply([program(WINOGRAD)] * levels, a, b)
    assert (found.astype(object) == wanted).all()


def test_workspace_by_mode_is_that_of_proven_schedules() -> None:
    found = figures(WINOGRAD)["workspace_blocks"]
    assert sum(found["product"]) <= 4 < sum(found["all"])
    assert sum(found["clobber"]) <= sum(found["product"])


@pytest.mark.parametrize(
    "scheme",
    [
        strassen().over(GF2),
        divided_strassen(),
        standard_scheme(matmul(1, 3, 2), ZT),
        standard_scheme(parse("structured:gt:3"), ZT),
        winograd_scheme(commutative(2, 2, 2), ZT),
    ],
)
@pytest.mark.parametrize("shares", [True, False])
def test_any_scheme_has_figures(scheme: Scheme, shares: bool) -> None:
    found = figures(scheme, shares=shares)
    assert json.loads(json.dumps(found)) == found
    assert plots(found)["figures.svg"].startswith("<?xml")
    assert ("error" in found) == (scheme.problem.kind == "matmul" and not scheme.ring.characteristic)


def test_markdown_escapes_and_tells_failures() -> None:
    checks = [Check("a|b", False, "x\ny"), Check("compiled", True, "sm_80"), Check("GPU, float32", True, "on X")]
    document: dict[str, Any] = document_of(
        [strassen()], "c", [], checks, checked=True, options={}, figures={"some": {"deep": {"x": 1.23456789}}}, tools={}
    )
    assert not document["ok"]
    assert document["status"]["compiled"] == ["sm_80"]
    assert document["status"]["gpu"] == ["on X"]
    text = markdown(document)
    assert "| a\\|b | NO | x y |" in text
    assert "| deep, x | 1.235 |" in text
