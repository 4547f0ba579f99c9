import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given

from flipforge.problems import matmul, tensor_problem
from flipforge.rings import ZT, Q
from flipforge.schemes import Scheme, describe, describe_latex, standard_scheme
from strategies import schemes


def halves() -> Scheme:
    u = ((1, Fraction(-1, 2)), (0, Fraction(1, 2)))
    return Scheme(matmul(1, 2, 1), Q, u, ((1, 0), (1, 2)), ((1,), (1,)))


def test_lines_read_like_the_field_writes_them() -> None:
    text = describe(halves())
    assert text.splitlines() == [
        f"matmul:1x2x1 over Q: rank 2, 3 additions, 8 nonzeros, omega 3.0000, ID {halves().id}",
        "",
        "m1 = (a11 - 1/2a12)(b11)",
        "m2 = (1/2a12)(b11 + 2b21)",
        "",
        "c11 = m1 + m2",
    ]


def test_zero_rows_and_tensors_without_omega() -> None:
    problem = tensor_problem((1, 2, 2), [((0, 1, 0), 3)])
    scheme = Scheme(problem, Q, ((1,), (0,)), ((0, 3), (0, 0)), ((1, 0), (0, 0)))
    lines = describe(scheme).splitlines()
    assert "omega" not in lines[0]
    assert lines[2:] == ["m1 = (a1)(3b2)", "m2 = (0)(0)", "", "c1 = m1", "c2 = 0"]


@given(schemes(max_size=2))
def test_the_printed_formulas_compute_the_product(scheme: Scheme) -> None:
    """Evaluate the printed text itself, on matrices of numbers."""
    n, m, p = scheme.problem.dims
    values = {f"a{i}{j}": 3 * i + 7 * j for i in range(1, n + 1) for j in range(1, m + 1)}
    values |= {f"b{i}{j}": 5 * i - 11 * j for i in range(1, m + 1) for j in range(1, p + 1)}
    for line in filter(None, describe(scheme).splitlines()[2:]):
        name, formula = (part.strip() for part in line.split(" = "))
        formula = formula.replace(")(", ")*(")
        formula = re.sub(r"(?<![a-z\d])(\d+(?:/\d+)?)(?=[abm]\d)", r"Fraction('\1')*", formula)
        values[name] = eval(formula, {"Fraction": Fraction}, dict(values))
    for i in range(1, n + 1):
        for k in range(1, p + 1):
            error = values[f"c{i}{k}"] - sum(values[f"a{i}{j}"] * values[f"b{j}{k}"] for j in range(1, m + 1))
            assert error % scheme.ring.characteristic == 0 if scheme.ring.characteristic else error == 0


def test_latex_names_entries_by_row_and_column() -> None:
    text = describe_latex(halves())
    assert r"m_{1} &= (a_{1,1} - \tfrac{1}{2}a_{1,2}) \cdot b_{1,1} \\" in text
    assert r"c_{1,1} &= m_{1} + m_{2}" in text
    wide = describe_latex(standard_scheme(matmul(1, 1, 10), ZT))
    assert r"b_{1,10}" in wide
    assert "b1_10" not in wide


@pytest.mark.parametrize("scheme", [halves(), standard_scheme(matmul(3, 10, 3), ZT)], ids=["halves", "long sums"])
def test_latex_is_a_balanced_document(scheme: Scheme, tmp_path: Path) -> None:
    text = describe_latex(scheme)
    assert text.count("{") == text.count("}")
    assert re.findall(r"\\(begin|end)\{([a-z*]+)\}", text) == [
        ("begin", "document"),
        ("begin", "align*"),
        ("end", "align*"),
        ("end", "document"),
    ]
    body = text.split("\\begin{align*}\n")[1].split("\n\\end{align*}")[0]
    rows = re.split(r" \\\\\n", body)
    assert all(row.count("&") == 1 for row in rows)
    assert max(map(len, rows)) < 300
    assert not body.endswith("\\\\")
    if compiler := shutil.which("pdflatex"):
        (tmp_path / "scheme.tex").write_text(text)
        command = [compiler, "-interaction=nonstopmode", "-halt-on-error", "scheme.tex"]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
