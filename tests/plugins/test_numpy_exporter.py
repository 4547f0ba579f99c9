"""The NumPy target: what it writes, what it refuses, and that its check catches wrong code."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance import ExporterConformance, divided_strassen, strassen
from flipforge.errors import InputError, VerificationError
from flipforge.plugins import Exporter, Manifest, export, register
from flipforge.problems import matmul, tensor_problem
from flipforge.rings import GF2, GF3, GF7, ZT, HalfZ, Q, Ring, Z
from flipforge.schemes import Scheme, standard_scheme
from flipforge_codegen.manifest import NUMPY
from flipforge_codegen.numpy_target import NumpyExporter
from flipforge_codegen.passes import fewer_additions

Array = npt.NDArray[Any]

TENSOR = tensor_problem((2, 3, 4), [((0, 0, 0), 1), ((0, 1, 2), 7), ((1, 0, 2), 300), ((1, 2, 3), -2)])


def written(scheme: Scheme, folder: Path) -> tuple[Path, str]:
    (path,) = NumpyExporter().export(scheme, folder, options={}).files
    return path, path.read_text(encoding="utf-8")


@cache
def module(scheme: Scheme) -> Any:
    """The generated module, run from its text alone."""
    with TemporaryDirectory() as folder:
        names: dict[str, Any] = {"__name__": "generated"}
        exec(compile(written(scheme, Path(folder))[1], "generated", "exec"), names)
    return SimpleNamespace(**names)


def failed(scheme: Scheme, path: Path) -> list[str]:
    return [check.name for check in NumpyExporter().check(scheme, path.parent) if not check.ok]


def mutated(text: str, *, signs: bool) -> Iterable[str]:
    """Every sign flipped, term dropped and name swapped in the straight-line code, one at a time."""
    names = {letter: ["11", "12", "21", "22"] for letter in "ab"} | {"m": list("1234567")}
    begin, end = text.index("    m1 = "), text.index("    return [c11")
    for match in re.finditer(r" ([+-]) (?=\w+)", text[begin:end]):
        if signs:
            yield spliced(text, begin, match.span(), " - " if match[1] == "+" else " + ")
    for match in re.finditer(r" [+-] \w+", text[begin:end]):
        yield spliced(text, begin, match.span(), "")
    for match in re.finditer(r"\b([abm])(\d+)\b(?! =)", text[begin:end]):
        others = names[match[1]]
        yield spliced(text, begin, match.span(), match[1] + others[(others.index(match[2]) + 1) % len(others)])


def spliced(text: str, begin: int, span: tuple[int, int], new: str) -> str:
    return text[: begin + span[0]] + new + text[begin + span[1] :]


class TestNumpyOverZ(ExporterConformance):
    quick = 18 + 18 + 36

    def exporter(self) -> Exporter:
        return NumpyExporter()

    def schemes(self) -> Sequence[Scheme]:
        standard = [standard_scheme(matmul(*sizes), ZT) for sizes in ((2, 3, 4), (1, 1, 1), (1, 3, 1), (3, 1, 2))]
        return [strassen(), *standard, divided_strassen(), standard_scheme(TENSOR, Z)]

    def mutations(self, text: str) -> Iterable[str]:
        found = list(mutated(text, signs=True))
        assert len(found) == 18 + 18 + 36
        return found


class TestNumpyModulo2(ExporterConformance):
    quick = 18 + 36

    def exporter(self) -> Exporter:
        return NumpyExporter()

    def schemes(self) -> Sequence[Scheme]:
        return [strassen().over(GF2), standard_scheme(TENSOR, GF2)]

    def mutations(self, text: str) -> Iterable[str]:
        found = list(mutated(text, signs=False))
        assert len(found) == 18 + 36
        return found


class TestNumpyModuloOddPrimes(ExporterConformance):
    def exporter(self) -> Exporter:
        return NumpyExporter()

    def schemes(self) -> Sequence[Scheme]:
        return [strassen().over(GF3), standard_scheme(TENSOR, GF7), divided_strassen().over(GF7)]


@pytest.mark.parametrize(
    ("scheme", "old", "new", "caught"),
    [
        (strassen(), "return _recurse(left, right, depth, base)", "return left @ right", "recursion"),
        (strassen(), "_recurse(x, y, depth - 1, base)", "_recurse(x, y, depth, base)", "recursion"),
        (strassen(), "padded = np.zeros(", "padded = np.ones(", "int64"),
        (strassen(), "[..., :rows, :columns]", "", "int64"),
        (strassen(), "i * height : (i + 1) * height, j * width", "j * height : (i + 1) * height, j * width", "int64"),
        (strassen(), "return [c11, c12, c21, c22]", "return [c11, c21, c12, c22]", "unit pairs"),
        (
            strassen(),
            "    a11, a12, a21, a22 = a\n",
            "    a11, a12, a21, a22 = a\n    a11[...] = a11 + 1\n",
            "inputs unchanged",
        ),
        (
            strassen(),
            "        return base(a, b)",
            "        return base(a, b) if a.dtype != 'f8' else (a.astype('f4') @ b.astype('f4')).astype('f8')",
            "float64",
        ),
        (
            strassen(),
            "        return base(a, b)",
            "        return np.asarray(a.astype('f8') @ b.astype('f8')).astype(a.dtype)",
            "object integers",
        ),
        (
            strassen(),
            "np.block([blocks[i : i + 2] for i in range(0, 4, 2)])",
            "np.block([blocks[i : i + 2] for i in range(0, 4, 2)]).reshape(-1, 2 * blocks[0].shape[-1])",
            "stacked operands",
        ),
        (strassen(), "        return base(a, b)", "        return base(a, b).astype(object)", "int64"),
        (strassen(), "        return base(a, b)", "        return base(a, b)[np.newaxis]", "int64"),
        (divided_strassen(), "2 * a21 - a22", "3 * a21 - a22", "unit pairs"),
        (divided_strassen(), ", 3)", ", 2)", "object fractions"),
        (divided_strassen(), "x * Fraction(1, denominator) if x.dtype == object else ", "", "object integers"),
        (divided_strassen(), 'if dtype.kind in "iu":', "if False:", "refused dtypes"),
        (strassen().over(GF2), "return base(a, b) % 2", "return base(a, b)", "int64"),
        (strassen().over(GF3), "(x % 3).astype", "x.astype", "int64"),
        (strassen().over(GF2), 'x.dtype.kind in "iu"', 'x.dtype.kind in "iuf"', "refused dtypes"),
        (strassen().over(GF3), "index(entry) % 3", "index(entry) % 5", "object integers"),
        (standard_scheme(TENSOR, Z), "300 * m", "299 * m", "unit pairs"),
        (standard_scheme(TENSOR, Z), "c2 = zero", "c2 = zero + m1", "unit pairs"),
        (standard_scheme(TENSOR, Z), "np.asarray(a)", "np.asarray(a)[:1]", "stacked operands"),
    ],
)
def test_check_catches_wrong_code(scheme: Scheme, old: str, new: str, caught: str, tmp_path: Path) -> None:
    path, text = written(scheme, tmp_path)
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert caught in failed(scheme, path)


def test_module_that_cannot_be_imported_is_a_failed_check(tmp_path: Path) -> None:
    path, text = written(strassen(), tmp_path)
    for broken in (text.replace("import numpy as np", "import numpyy as np"), "def", "raise SystemExit(0)"):
        path.write_text(broken, encoding="utf-8")
        assert failed(strassen(), path) == ["import"]


def test_check_reads_the_text_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit of equal length within the same second is seen, and no bytecode is left beside the module."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path, text = written(strassen(), tmp_path)
    assert failed(strassen(), path) == []
    path.write_text(text.replace("c12 = m5 + m7", "c12 = m5 - m7"), encoding="utf-8")
    assert "unit pairs" in failed(strassen(), path)
    assert list(tmp_path.iterdir()) == [path]


RINGS: list[tuple[Scheme, int]] = [(strassen(), 0), (strassen().over(GF2), 2), (strassen().over(GF3), 3)]


@given(st.data())
def test_any_shape_and_integer_dtype(data: st.DataObject) -> None:
    """Results and dtypes are those of a @ b, overflow included; residues modulo p for a scheme over GF(p)."""
    scheme, modulus = data.draw(st.sampled_from([*RINGS, (standard_scheme(matmul(2, 1, 3), ZT), 0)]))
    n, m, p = (data.draw(st.integers(0, 9)) for _ in range(3))
    kinds = [data.draw(st.sampled_from("bBhiqQ")) for _ in range(2)]
    draw = np.random.default_rng(data.draw(st.integers(0, 99)))
    limits = [np.iinfo(kind) for kind in kinds]
    a = draw.integers(limits[0].min, limits[0].max, (n, m), dtype=kinds[0], endpoint=True)
    b = draw.integers(limits[1].min, limits[1].max, (m, p), dtype=kinds[1], endpoint=True)
    result = module(scheme).multiply(a, b, depth=data.draw(st.integers(0, 4)))
    if modulus:
        exact = [[sum(int(a[i, j]) * int(b[j, k]) for j in range(m)) % modulus for k in range(p)] for i in range(n)]
        assert result.dtype == np.int64
        assert result.shape == (n, p)
        assert result.tolist() == exact
    elif np.result_type(a, b).kind in "iu":
        wanted = a @ b
        assert result.dtype == wanted.dtype
        assert np.array_equal(result, wanted)
    else:
        assert result.dtype == np.float64  # int64 and uint64 have no common integer dtype in NumPy
        assert result.shape == (n, p)


@pytest.mark.parametrize("kind", "bBhHiIqQ")
def test_every_integer_dtype_wraps_as_in_numpy(kind: str) -> None:
    """Unsigned ones too: no negative constant may meet them."""
    limit = np.iinfo(kind)
    a, b = np.random.default_rng(3).integers(limit.min, limit.max, (2, 7, 7), dtype=kind, endpoint=True)
    result = module(strassen()).multiply(a, b, depth=2)
    assert result.dtype == kind
    assert np.array_equal(result, a @ b)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64, np.complex128])
def test_floats_keep_their_dtype(dtype: Any) -> None:
    draw = np.random.default_rng(1)
    a, b = draw.integers(-4, 5, (7, 5)).astype(dtype), draw.integers(-4, 5, (5, 6)).astype(dtype)
    for scheme in (strassen(), divided_strassen()):
        result = module(scheme).multiply(a, b, depth=2)
        assert result.dtype == dtype
        assert np.allclose(result, a @ b, atol=2e-1 if dtype is np.float16 else 1e-4)
    assert np.array_equal(module(strassen()).multiply(a, b, depth=2), a @ b)


def test_objects_of_another_ring() -> None:
    """Gaussian integers, as an example of a ring that knows nothing of NumPy; zeros come from padding."""
    a = np.array([[complex(i, j) for j in range(3)] for i in range(5)], dtype=object)
    assert (module(strassen()).multiply(a, a[:3].T, depth=2) == a @ a[:3].T).all()


def test_divided_scheme_is_exact_on_integers_and_fractions() -> None:
    a = np.array([[Fraction(i + 1, j + 2) for j in range(3)] for i in range(5)], dtype=object)
    result = module(divided_strassen()).multiply(a, a.T, depth=2)
    assert all(type(x) is Fraction for x in result.flat)
    assert (result == a @ a.T).all()
    with pytest.raises(TypeError, match="the scheme divides, int64 cannot") as caught:
        module(divided_strassen()).multiply([[1]], [[1]])
    assert "\n" not in str(caught.value)


def test_own_base_multiplies_the_innermost_blocks() -> None:
    seen: list[tuple[int, ...]] = []

    def base(a: Array, b: Array) -> Array:
        seen.append(a.shape)
        return np.asarray(a @ b)

    a = np.arange(8 * 12).reshape(8, 12)
    assert np.array_equal(module(strassen()).multiply(a, a.T, depth=2, base=base), a @ a.T)
    assert seen == [(2, 3)] * 49


@pytest.mark.parametrize(
    ("a", "b", "depth", "error", "said"),
    [
        ([1, 2], [[1], [2]], 1, ValueError, "are no (..., N, M) and (..., M, P)"),
        ([[1, 2]], [[1, 2]], 1, ValueError, "shapes (1, 2) and (1, 2)"),
        ([[1]], [[1]], -1, ValueError, "depth is -1; give 0 or more"),
        ([[1]], [[1]], 0.5, TypeError, "'float' object cannot be interpreted as an integer"),
        ([[True]], [[1]], 1, TypeError, "cannot compute with bool and int64"),
        ([["x"]], [[1]], 1, TypeError, "cannot compute with <U1"),
    ],
)
def test_wrong_arguments_are_one_line(a: Any, b: Any, depth: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        module(strassen()).multiply(a, b, depth=depth)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("entry", [0.5, 1.0, Fraction(1, 2), "1", None, True + 0j])
def test_modulo_p_takes_integers_only(entry: Any) -> None:
    for operand in (np.array([[entry]]), np.array([[entry]], dtype=object)):
        with pytest.raises(TypeError):
            module(strassen().over(GF2)).multiply(operand, [[1]])


def test_coefficients_beyond_a_dtype_are_refused_for_it() -> None:
    generated = module(standard_scheme(TENSOR, Z))
    with pytest.raises(TypeError, match="coefficients reach 300, too much for int8"):
        generated.apply(np.ones(2, np.int8), np.ones(3, np.int8))
    assert generated.apply(np.ones(2, np.int16), np.ones(3, np.int16)).tolist() == [1, 0, 307, -2]


def test_coefficients_beyond_64_bits(tmp_path: Path) -> None:
    scheme = standard_scheme(tensor_problem((1, 1, 2), [((0, 0, 0), 2**70 + 1), ((0, 0, 1), 1)]), Z)
    written(scheme, tmp_path)
    checks = NumpyExporter().check(scheme, tmp_path)
    assert [check for check in checks if not check.ok] == []
    assert {check.name for check in checks} >= {"object integers", "refused dtypes"}
    assert module(scheme).apply(np.array([3], object), np.array([5], object)).tolist() == [15 * (2**70 + 1), 15]


def test_tensor_that_vanishes_modulo_p(tmp_path: Path) -> None:
    scheme = standard_scheme(tensor_problem((2, 1, 2), [((0, 0, 0), 2), ((1, 0, 1), 4)]), GF2)
    assert scheme.rank == 0
    path, _ = written(scheme, tmp_path)
    assert failed(scheme, path) == []
    assert module(scheme).apply([1, 1], [1]).tolist() == [0, 0]


def test_zero_products_and_order_do_not_matter(tmp_path: Path) -> None:
    plain = strassen()
    padded = replace(
        plain, u=(*plain.u[::-1], (0, 0, 0, 0)), v=(*plain.v[::-1], (1, 0, 0, 0)), w=(*plain.w[::-1], (0, 0, 0, 1))
    )
    path, text = written(padded, tmp_path)
    body = re.compile(r"def _scheme.*?return", re.DOTALL)
    assert body.findall(text) == body.findall(written(plain, tmp_path)[1])
    assert failed(padded, path) == []


@pytest.mark.parametrize("ring", [ZT, Z, HalfZ, Q])
def test_text_is_that_of_the_smallest_ring(ring: Ring, tmp_path: Path) -> None:
    assert written(strassen().over(ring), tmp_path)[1] == written(strassen(), tmp_path)[1]


def test_text_is_unrolled_and_states_its_scheme(tmp_path: Path) -> None:
    path, text = written(strassen(), tmp_path)
    assert path.name == f"matmul_2x2x2_r7_{strassen().id}.py"
    for stated in ("matmul:2x2x2", "Ring ZT", "rank 7", strassen().id, "flipforge 0.", "method=strassen"):
        assert stated in text
    assert "    m7 = product(a11 + a12, b22)\n" in text
    tree = ast.parse(text)
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert called.isdisjoint({"exec", "eval", "compile", "__import__"})
    straight = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in ("_scheme", "_level")]
    assert len(straight) == 2
    assert not any(isinstance(node, ast.For | ast.While) for each in straight for node in ast.walk(each))
    assert max(map(len, text.splitlines())) <= 120


def test_foreign_provenance_cannot_leave_the_docstring(tmp_path: Path) -> None:
    evil = {'k"""\nraise SystemExit\n"""': '"""\nimport os\\', "x": "\\", "y": "é\u2028\ud800", "deep": {"a": 1}}
    scheme = replace(strassen(), provenance=evil)
    path, text = written(scheme, tmp_path)
    bodies = [ast.dump(ast.Module(ast.parse(t).body[1:], [])) for t in (text, written(strassen(), tmp_path / "b")[1])]
    assert bodies[0] == bodies[1]
    assert text.isascii()
    assert failed(scheme, path) == []


@pytest.mark.parametrize("size", [30, 40])
def test_long_lines_are_folded(size: int, tmp_path: Path) -> None:
    rows = [tuple(int(i == q) for i in range(size)) for q in range(size)]
    sums = [tuple(int(i in (0, q)) for i in range(size)) for q in range(size)]
    full = [((q, q, k), sums[q][k]) for q in range(size) for k in range(size)]
    scheme = Scheme(tensor_problem((size, size, size), full), ZT, tuple(rows), tuple(rows), tuple(sums))
    path, text = written(scheme, tmp_path)
    assert max(map(len, text.splitlines())) <= 120
    assert re.search(r"\(\n        m\d+ \+ m\d+ \+ m", text)
    assert failed(scheme, path) == []


def test_export_reports(tmp_path: Path) -> None:
    report = export(strassen(), "numpy", tmp_path, check=True)
    document = report.as_dict()
    assert document == json.loads(json.dumps(document))
    assert set(document) == {"target", "files", "checks", "ok", "report"}
    assert (document["target"], document["ok"]) == ("numpy", True)
    assert {"unit pairs", "recursion", "int64", "object integers", "float64"} <= {
        row["name"] for row in document["checks"]
    }
    stem = Path(document["report"]).stem
    beside = [str(path) for path in tmp_path.glob(f"{stem}*") if path.suffix in (".md", ".svg")]
    assert len(beside) == 2
    assert sorted(map(str, tmp_path.iterdir())) == sorted([*document["files"], document["report"], *beside])
    kept = json.loads(Path(document["report"]).read_text())
    assert (kept["scheme"]["id"], kept["scheme"]["rank"], kept["checked"], kept["ok"]) == (strassen().id, 7, True, True)


def test_export_without_check_says_so(tmp_path: Path) -> None:
    report = export(strassen(), "numpy", tmp_path)
    assert report.checks == ()
    assert json.loads(report.report.read_text())["checked"] is False


def test_export_of_wrong_code_is_not_ok(tmp_path: Path) -> None:
    class Wrong(NumpyExporter):
        def export(self, scheme: Scheme, folder: Path, *, options: Any) -> Any:
            result = super().export(scheme, folder, options=options)
            text = result.files[0].read_text(encoding="utf-8")
            result.files[0].write_text(text.replace("c12 = m5 + m7", "c12 = m5 - m7"), encoding="utf-8")
            return result

    register(Manifest("wrong-numpy", "exporters", "wrong on purpose"), Wrong())
    report = export(strassen(), "wrong-numpy", tmp_path, check=True)
    assert not report.ok
    assert json.loads(report.report.read_text())["ok"] is False


def test_export_proves_before_any_plugin_sees_the_scheme(tmp_path: Path) -> None:
    class Careless(NumpyExporter):
        def export(self, scheme: Scheme, folder: Path, *, options: Any) -> Any:
            raise AssertionError("the scheme was not proven first")

    register(Manifest("careless-numpy", "exporters", "never reached"), Careless())
    wrong = replace(strassen(), w=strassen().w[::-1])
    with pytest.raises(VerificationError):
        export(wrong, "careless-numpy", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        export(strassen(), "numpy", tmp_path / "new" / "out")
    assert list(tmp_path.iterdir()) == []


def test_manifest_is_light() -> None:
    code = (
        "import flipforge_codegen.manifest, sys; print(any(m.startswith('flipforge_codegen.num') for m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert NUMPY.target == "flipforge_codegen.numpy_target:NumpyExporter"


def test_leading_axes_broadcast() -> None:
    """As in a @ b, also where they differ in number."""
    draw = np.random.default_rng(2)
    for lead_a, lead_b in product([(), (2,), (3, 1)], repeat=2):
        a, b = draw.integers(-9, 9, (*lead_a, 3, 5)), draw.integers(-9, 9, (*lead_b, 5, 2))
        assert np.array_equal(module(strassen()).multiply(a, b, depth=2), a @ b)


@pytest.mark.slow
def test_text_is_typed_and_clean(tmp_path: Path) -> None:
    for scheme in (strassen(), divided_strassen(), strassen().over(GF3), standard_scheme(TENSOR, Z)):
        path, _ = written(scheme, tmp_path)
        for command in (["mypy", "--strict"], ["ruff", "check", "--isolated", "--line-length", "120"]):
            done = subprocess.run(
                [sys.executable, "-m", *command, str(path)], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout


def test_code_shares_sums(tmp_path: Path) -> None:
    """The text of Winograd's scheme adds 15 times, as the program does, and every wrong sign in it is caught."""
    scheme = fewer_additions(strassen(), moves=300, seed=1)
    path, text = written(scheme, tmp_path)
    (body,) = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == "_scheme")
    added = [node for node in ast.walk(body) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)]
    assert len(added) == 15
    assert failed(scheme, path) == []
    begin, end = text.index("def _scheme"), text.index("    return [c11")
    signs = list(re.finditer(r" ([+-]) (?=\w+)", text[begin:end]))
    for match in signs:
        path.write_text(spliced(text, begin, match.span(), " - " if match[1] == "+" else " + "), encoding="utf-8")
        assert "unit pairs" in failed(scheme, path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("np.subtract(", "np.add("),
        ("out=whole)", "out=whole.copy())"),
        ("base(a[rows:], b, out[rows:])", "base(a[rows:], b, out[:1])"),
        ("depth - 1, base, space)", "depth - 1, base, np.empty(0))"),
        ("space = _buffers(", "spare = _buffers("),
    ],
)
def test_check_catches_wrong_code_in_place(old: str, new: str, tmp_path: Path) -> None:
    path, text = written(strassen(), tmp_path)
    begin = text.index("def multiply_into")
    assert old in text[begin:]
    path.write_text(text[:begin] + text[begin:].replace(old, new, 1), encoding="utf-8")
    assert failed(strassen(), path) == ["in place"]


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float32, np.complex128])
def test_in_place_takes_any_dtype_and_strides(dtype: Any) -> None:
    draw = np.random.default_rng(4)
    a, b = draw.integers(0, 4, (2, 9, 14)).astype(dtype)[:, :, ::2]
    out = np.zeros((7, 9), dtype).T
    for depth in (0, 1, 2):
        assert module(strassen()).multiply_into(out[:, :7], a, b[:7], depth=depth) is not None
        assert np.array_equal(out, a @ b[:7])


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"out": np.zeros((3, 3))}, ValueError, "shapes (3, 3), (4, 4) and (4, 4) are no N x P"),
        ({"b": np.zeros((4, 4), np.float32)}, TypeError, "cannot compute float64 from float64 and float32"),
        ({"depth": -1}, ValueError, "depth is -1; give 0 or more"),
        ({"workspace": np.zeros(3)}, ValueError, "the workspace must hold"),
    ],
)
def test_wrong_arguments_in_place(change: dict[str, Any], error: type[Exception], said: str) -> None:
    given_all: dict[str, Any] = {"out": np.zeros((4, 4)), "a": np.ones((4, 4)), "b": np.ones((4, 4))}
    with pytest.raises(error, match=re.escape(said)):
        module(strassen()).multiply_into(**{**given_all, **change})
    with pytest.raises(ValueError, match="overlaps an operand"):
        module(strassen()).multiply_into(given_all["a"], given_all["a"], given_all["b"])


def test_schemes_that_have_no_place_form() -> None:
    assert not hasattr(module(strassen().over(GF2)), "multiply_into")
    assert not hasattr(module(divided_strassen()), "multiply_into")


def test_deep_recursion_in_other_bases_is_printed_counted_and_checked(tmp_path: Path) -> None:
    """Strassen's products come to 12 additions a level there (Karstadt and Schwartz), one less than which is wrong."""
    report = export(strassen(), "numpy", tmp_path, check=True)
    assert any(check.name == "alternative basis" for check in report.checks)
    told = json.loads(report.report.read_text(encoding="utf-8"))["figures"]["alternative_basis"]
    assert told["additions_per_level"] == 12
    path = report.files[0]
    text = path.read_text(encoding="utf-8")
    for after in ("def _scheme_in_basis", "def _basis_of_a", "def _basis_of_c"):
        place = text.index(" + ", text.index(after))
        path.write_text(text[:place] + " - " + text[place + 3 :], encoding="utf-8")
        wrong = [check.name for check in NumpyExporter().check(strassen(), tmp_path) if not check.ok]
        assert wrong == ["alternative basis"]
