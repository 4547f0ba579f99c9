"""Finding, checking and loading plugins; a broken one is a row with its reason and stops nothing."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flipforge.errors import InputError, PluginError
from flipforge.executors import make_executor
from flipforge.plugins import (
    API_VERSION,
    KINDS,
    ExportResult,
    Manifest,
    PluginInfo,
    available,
    connect,
    export,
    get,
    register,
    write_texts,
)
from flipforge.problems import matmul, parse
from flipforge.rings import ZT
from flipforge.schemes import standard_scheme

GOOD = """
from pathlib import Path
class Target:
    def export(self, scheme, folder, *, options):
        return None
    def check(self, scheme, folder):
        return []
"""

Install = Callable[..., Path]


@pytest.fixture(autouse=True)
def _own_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    for module, name in (
        ("plugins._registry", "_SESSION"),
        ("plugins._registry", "_CONNECTED"),
        ("problems._registry", "_PARSERS"),
        ("executors._registry", "_FACTORIES"),
        ("diagrams._group", "_FACTORIES"),
    ):
        target = importlib.import_module(f"flipforge.{module}")
        monkeypatch.setattr(target, name, getattr(target, name).copy())


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a distribution with entry points and modules on the path, as an installer would."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name: str, points: str, **modules: str) -> Path:
        info = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(points)
        for module, text in modules.items():
            (tmp_path / f"{module}.py").write_text(text)
            monkeypatch.delitem(sys.modules, module, raising=False)
        importlib.invalidate_caches()
        return tmp_path

    return make


def manifest(name: str, target: str, extra: str = "", kind: str = "exporters") -> str:
    return (
        "from flipforge.plugins import Manifest\n"
        f"M = Manifest({name!r}, {kind!r}, 'made for a test', {target!r}, api_version={API_VERSION}{extra})\n"
    )


def row(name: str, kind: str = "exporters", **options: bool) -> PluginInfo:
    (found,) = [info for info in available(kind, **options) if info.name == name]
    return found


def test_shipped_exporter_is_there() -> None:
    info = row("numpy")
    assert (info.status, info.reason) == ("ok", "")
    assert info.origin.startswith("flipforge ")
    assert json.loads(json.dumps(info.as_dict()))["kind"] == "exporters"
    assert type(get("exporters", "numpy")).__name__ == "NumpyExporter"


def test_every_kind_is_listed_and_no_other() -> None:
    assert {info.kind for info in available()} <= set(KINDS)
    assert [info for kind in KINDS for info in available(kind)] == available()
    for ask in (available, lambda kind: get(kind, "numpy")):
        with pytest.raises(PluginError, match="unknown kind of plugin 'exporter': use one of problems, "):
            ask("exporter")


def test_installed_exporter_is_found_loaded_and_used(install: Install) -> None:
    install(
        "good-target",
        "[flipforge.exporters]\ngood = good_manifest:M\n",
        good_manifest=manifest("good", "good_impl:Target"),
        good_impl=GOOD,
    )
    assert row("good") == PluginInfo("exporters", "good", "made for a test", "good-target 1.0", "ok")
    assert type(get("exporters", "good")).__name__ == "Target"


def test_reading_manifests_imports_no_implementation(install: Install) -> None:
    install(
        "lazy-target",
        "[flipforge.exporters]\nlazy = lazy_manifest:M\n",
        lazy_manifest=manifest("lazy", "lazy_impl:Target"),
        lazy_impl=GOOD,
    )
    assert row("lazy", probe=False).summary == "made for a test"
    assert "lazy_impl" not in sys.modules
    assert row("lazy").status == "ok"
    assert "lazy_impl" in sys.modules


BROKEN = {
    "no-module": ({}, "ModuleNotFoundError: No module named 'x_manifest'"),
    "no-attribute": ({"x_manifest": "N = 1\n"}, "AttributeError: module 'x_manifest' has no attribute 'M'"),
    "raises": ({"x_manifest": "raise RuntimeError('first\\nsecond')\n"}, "RuntimeError: first second"),
    "exits": ({"x_manifest": "raise SystemExit(3)\n"}, "SystemExit: 3"),
    "syntax": ({"x_manifest": "def\n"}, "SyntaxError: "),
    "no-manifest": ({"x_manifest": "M = 5\n"}, "x_manifest:M is int, not a flipforge.plugins.Manifest"),
    "other-name": (
        {"x_manifest": manifest("y", "x_impl:Target")},
        "its manifest is of 'y' (exporters); name the entry point alike",
    ),
    "other-kind": (
        {"x_manifest": manifest("x", "x_impl:Target", kind="problems")},
        "its manifest is of 'x' (problems)",
    ),
    "no-target": ({"x_manifest": manifest("x", "")}, "its manifest has no target; write module:attribute"),
    "bad-target": (
        {"x_manifest": manifest("x", "x_impl.Target")},
        "plugin x: target 'x_impl.Target' is not of the form",
    ),
    "old": (
        {"x_manifest": manifest("x", "x_impl:Target").replace(f"version={API_VERSION}", "version=0")},
        "plugin API 0, this flipforge has 1",
    ),
    "requires": (
        {"x_manifest": manifest("x", "x_impl:Target", ", requires=('no-such-dist',)")},
        "it needs no-such-dist: pip install no-such-dist",
    ),
    "requires-text": (
        {"x_manifest": manifest("x", "x_impl:Target", ", requires=('torch')")},
        "must be a tuple of plain distribution names",
    ),
    "impl-missing": ({"x_manifest": manifest("x", "x_impl:Target")}, "ModuleNotFoundError: No module named 'x_impl'"),
    "impl-raises": (
        {"x_manifest": manifest("x", "x_impl:Target"), "x_impl": "import no_such_library\n"},
        "No module named 'no_such_library'",
    ),
    "impl-attribute": ({"x_manifest": manifest("x", "x_impl:Target"), "x_impl": ""}, "has no attribute 'Target'"),
    "protocol-method": (
        {"x_manifest": manifest("x", "x_impl:Target"), "x_impl": GOOD.replace("def check", "def test")},
        "check() is missing or cannot be called",
    ),
    "protocol-signature": (
        {"x_manifest": manifest("x", "x_impl:Target"), "x_impl": GOOD.replace(", *, options", "")},
        "export() cannot be called as its protocol says (got an unexpected keyword argument 'options')",
    ),
    "constructor": (
        {"x_manifest": manifest("x", "x_impl:Target"), "x_impl": GOOD + "    def __init__(self, a): pass\n"},
        "TypeError: ",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_plugin_is_a_row_with_its_reason(case: str, install: Install) -> None:
    modules, reason = BROKEN[case]
    install("x-target", "[flipforge.exporters]\nx = x_manifest:M\n", **modules)
    sys.modules.pop("x_manifest", None), sys.modules.pop("x_impl", None)
    info = row("x")
    assert info.status == "broken"
    assert reason in info.reason
    assert "\n" not in info.reason
    assert row("numpy").status == "ok"
    with pytest.raises(PluginError) as caught:
        get("exporters", "x")
    assert info.reason in str(caught.value)
    assert "x-target 1.0" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_prints_of_a_plugin_do_not_reach_stdout(install: Install, capfd: pytest.CaptureFixture[str]) -> None:
    install(
        "loud-target",
        "[flipforge.exporters]\nloud = loud_manifest:M\n",
        loud_manifest="print('hello')\n" + manifest("loud", "loud_impl:Target"),
        loud_impl="print('hello again')\n" + GOOD,
    )
    assert row("loud").status == "ok"
    assert capfd.readouterr() == ("", "hello\nhello again\n")


def test_unreadable_entry_points_of_anybody_stop_nothing(install: Install) -> None:
    install("damaged-other", "[console_scripts]\nno equals sign\n")
    install("damaged-ours", "[flipforge.exporters]\nno equals sign\n")
    info = row("damaged-ours")
    assert info.status == "broken"
    assert "its entry_points.txt is not readable" in info.reason
    assert "damaged-other" not in {each.name for each in available()}
    assert row("numpy").status == "ok"
    assert get("exporters", "numpy") is not None


def test_name_of_our_own_plugin_cannot_be_taken(install: Install) -> None:
    install(
        "a-usurper",
        "[flipforge.exporters]\nnumpy = u_manifest:M\n",
        u_manifest=manifest("numpy", "u_impl:Target"),
        u_impl=GOOD,
    )
    ours, theirs = sorted(
        (info for info in available("exporters") if info.name == "numpy"), key=lambda info: info.status, reverse=True
    )
    assert (ours.status, ours.origin.split()[0]) == ("ok", "flipforge")
    assert (theirs.status, theirs.origin) == ("broken", "a-usurper 1.0")
    assert theirs.reason == f"the name 'numpy' is already taken by {ours.origin}"
    assert type(get("exporters", "numpy")).__name__ == "NumpyExporter"


def test_first_distribution_by_name_keeps_a_name(install: Install) -> None:
    for name in ("second-dist", "first-dist"):
        install(
            name,
            "[flipforge.exporters]\ntwice = t_manifest:M\n",
            t_manifest=manifest("twice", "t_impl:Target"),
            t_impl=GOOD,
        )
    found = [(info.origin, info.status) for info in available("exporters") if info.name == "twice"]
    assert sorted(found) == [("first-dist 1.0", "ok"), ("second-dist 1.0", "broken")]


@pytest.mark.parametrize("kind", ["spaces", "stores", "importers"])
def test_kind_without_a_use_says_so(kind: str, install: Install) -> None:
    install(
        "early-bird",
        f"[flipforge.{kind}]\nearly = e_manifest:M\n",
        e_manifest=manifest("early", "e_impl:Target", kind=kind),
        e_impl=GOOD,
    )
    assert row("early", kind).reason == f"this version of flipforge has no use for {kind}"


class Target:
    """The least that an exporter must have."""

    def export(self, scheme: Any, folder: Path, *, options: Any) -> ExportResult:
        return ExportResult(write_texts(folder, {"a.txt": scheme.id}))

    def check(self, scheme: Any, folder: Path) -> list[Any]:
        return []


def test_register_in_a_session(tmp_path: Path) -> None:
    register(Manifest("mine", "exporters", "in this session"), Target())
    assert row("mine") == PluginInfo("exporters", "mine", "in this session", "session", "ok")
    scheme = standard_scheme(matmul(1, 2, 1), ZT)
    assert export(scheme, "mine", tmp_path).files == (tmp_path / "a.txt",)
    again = Target()
    register(Manifest("mine", "exporters", "a cell run twice"), again)
    assert get("exporters", "mine") is again


@pytest.mark.parametrize(
    ("card", "implementation", "said"),
    [
        (Manifest("numpy", "exporters", ""), Target(), "already taken by flipforge"),
        (Manifest("matmul", "problems", ""), parse, "already taken by flipforge"),
        (Manifest("ray", "executors", ""), make_executor, "already taken by flipforge"),
        (Manifest("mine", "exporters", ""), object(), "export() is missing"),
        (Manifest("mine", "exporters", ""), None, "neither a target nor an implementation"),
        (Manifest("mine", "exporters", "", "no_such_module:x"), None, "No module named 'no_such_module'"),
        (Manifest("mine", "exporters", "", api_version=99), Target(), "plugin API 99"),
        (Manifest("mine", "problems", ""), lambda: None, "cannot be called as its protocol says"),
        (Manifest("mine", "executors", ""), lambda workers: None, "cannot be called as its protocol says"),
        (Manifest("mine", "groups", ""), lambda: None, "cannot be called as its protocol says"),
        (Manifest("S", "groups", ""), parse, "already taken by flipforge"),
        (Manifest("mine", "spaces", ""), Target(), "has no use for spaces"),
        (Manifest("mine", "lifters", ""), Target(), "liftable() is missing"),
    ],
)
def test_register_refuses_at_once(card: Manifest, implementation: Any, said: str) -> None:
    before = available()
    with pytest.raises(PluginError) as caught:
        register(card, implementation)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert available() == before


@pytest.mark.parametrize(("name", "kind"), [("", "exporters"), ("a b", "exporters"), ("x", "exporter")])
def test_manifest_refuses_names(name: str, kind: str) -> None:
    with pytest.raises(PluginError):
        Manifest(name, kind, "")


def test_unknown_plugin_names_those_there_are() -> None:
    with pytest.raises(PluginError, match=r"there is no plugin 'fortran' among the exporters; installed: .*numpy"):
        get("exporters", "fortran")
    with pytest.raises(PluginError, match="among the stores; installed: none"):
        get("stores", "x")


PROBLEMS = """
from flipforge.errors import ProblemError
from flipforge.problems import Problem, matmul, tensor_problem
def square(body):
    if body == "boom":
        raise RuntimeError("boom")
    if body == "foreign":
        return matmul(1, 1, 1)
    if not body.isdigit():
        raise ProblemError(f"square:{body}: write a number")
    n = int(body)
    t = tensor_problem((n, n, n), [((i, i, i), 1) for i in range(n)])
    return Problem(f"square:{n}", "square", t.shape, (n,), t.entries, t.labels)
"""


def test_problem_kind_of_a_plugin(install: Install) -> None:
    install(
        "square-problems",
        "[flipforge.problems]\nsquare = s_manifest:M\nsquared = s_manifest:M\n",
        s_manifest=manifest("square", "s_impl:square", kind="problems"),
        s_impl=PROBLEMS,
    )
    with pytest.raises(InputError, match="unknown problem kind"):
        parse("square:3")
    connect()
    connect()
    assert "s_impl" not in sys.modules
    assert parse("square:3").shape == (3, 3, 3)
    with pytest.raises(InputError, match="square:x: write a number"):
        parse("square:x")
    with pytest.raises(PluginError, match="problem plugin 'square' failed on 'boom': RuntimeError: boom"):
        parse("square:boom")
    with pytest.raises(PluginError, match="not a problem of its kind"):
        parse("square:foreign")
    with pytest.raises(PluginError, match=r"plugin 'squared' .* is broken: its manifest is of 'square'"):
        parse("squared:3")
    assert row("square", "problems").status == "ok"


def test_problem_kind_of_flipforge_cannot_be_taken(install: Install) -> None:
    install(
        "bad-problems",
        "[flipforge.problems]\nmatmul = b_manifest:M\n",
        b_manifest=manifest("matmul", "s_impl:square", kind="problems"),
    )
    connect()
    assert parse("matmul:2x2x2") == matmul(2, 2, 2)
    assert row("matmul", "problems").reason == "the name 'matmul' is already taken by flipforge"


def test_executor_of_a_plugin(install: Install) -> None:
    implementation = """
from flipforge.executors import make_executor
def make(*, workers, address, warm):
    return make_executor("inline", workers=workers, address=address, warm=warm)
"""
    install(
        "own-executor",
        "[flipforge.executors]\nown = o_manifest:M\n",
        o_manifest=manifest("own", "o_impl:make", kind="executors"),
        o_impl=implementation,
    )
    connect()
    assert "o_impl" not in sys.modules
    executor = make_executor("own", workers=1)
    executor.submit(3, pow, 2, 5)
    assert executor.wait(1.0) == [(3, 32)]
    executor.close()


def test_exporter_that_raises_is_one_line(tmp_path: Path) -> None:
    class Raising(Target):
        def check(self, scheme: Any, folder: Path) -> list[Any]:
            raise ZeroDivisionError("one\ntwo")

    register(Manifest("raising", "exporters", ""), Raising())
    with pytest.raises(PluginError) as caught:
        export(standard_scheme(matmul(1, 1, 1), ZT), "raising", tmp_path, check=True)
    assert str(caught.value) == "exporter 'raising' failed: ZeroDivisionError: one two"


def test_write_texts_writes_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a" / "b"
    assert write_texts(folder, {"x": "1\n", "y": "é"}) == (folder / "x", folder / "y")
    assert (folder / "y").read_bytes() == "é".encode()
    calls = []

    def second_fails(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", second_fails)
    with pytest.raises(InputError, match="No space left on device"):
        write_texts(folder, {"x": "new", "y": "new"})
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == {"x": "1\n", "y": "é"}


def test_listing_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom flipforge.plugins import available\navailable(probe=False)\n"
        "heavy = ('numba', 'ray', 'sympy', 'galois', 'networkx', 'flipforge_codegen.numpy_target')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
