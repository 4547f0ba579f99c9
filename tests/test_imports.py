"""The floors of the house: what is imported when, by whom, and what is public."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("numba", "ray", "sympy", "galois", "networkx", "matplotlib")

# Each part of flipforge and what it stands on; a part may import itself and whatever is below it, nothing beside it.
FLOORS: dict[str, tuple[str, ...]] = {
    "errors": (),
    "rings": ("errors",),
    "jit": (),
    "exact": ("rings", "jit"),
    "certificates": ("exact",),
    "problems": ("certificates",),
    "schemes": ("problems",),
    "diagrams": ("problems",),
    "polynomials": ("schemes",),
    "flips": ("schemes",),
    "programs": ("flips", "diagrams"),
    "search": ("programs", "polynomials"),
    "executors": ("search",),
    "catalogue": ("search", "programs"),
    "plugins": ("executors", "catalogue", "programs", "polynomials", "diagrams"),
    "api": ("plugins",),
    "cli": ("api",),
}
# The package's own face: its names resolve on demand, so it may name the API.
FACE = "flipforge"

LIGHT_PARTS = ("cli", "problems", "schemes", "certificates", "catalogue", "search")


class Import(NamedTuple):
    """One imported module, `name` from it where there is one, and the line that imports it."""

    module: str
    name: str | None
    where: str


def below(part: str) -> set[str]:
    """All parts that `part` may import, itself left out."""
    return {lower for direct in FLOORS[part] for lower in (direct, *below(direct))}


def imports_of(path: Path, package: str) -> Iterator[Import]:
    """Every import statement of a file, wherever it stands, with relative names made absolute."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, None, where) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (Import(module, alias.name, where) for alias in node.names)


def sources(top: str) -> Iterator[tuple[Path, str]]:
    """Each Python file under a source root and the package it stands in."""
    for path in sorted((ROOT / top).rglob("*.py")):
        yield path, ".".join(path.parent.relative_to(ROOT / top).parts)


def parts_named(item: Import) -> set[str]:
    """Name the part of flipforge that an import reaches; nothing for third-party modules and for the version."""
    names = item.module.split(".")
    if names[0] != "flipforge":
        return set()
    if len(names) > 1:
        return {names[1]}
    if item.name in FLOORS:
        return {item.name}
    return set() if item.name == "__version__" else {"api"}


def part_of(path: Path) -> str:
    """Name the part of flipforge that a file belongs to."""
    inside = path.relative_to(ROOT / "engine" / "flipforge")
    return FACE if inside.name == "__init__.py" and len(inside.parts) == 1 else inside.parts[0].removesuffix(".py")


def upward(source: str, imported: str) -> bool:
    """Tell whether a part of flipforge may not import another."""
    if source == FACE:
        return imported == "cli"
    return imported != source and imported not in below(source)


def plugin_packages() -> list[str]:
    return sorted(init.parent.name for init in (ROOT / "plugins").glob("*/__init__.py"))


def test_every_part_stands_on_a_floor() -> None:
    parts = {part_of(path) for path, _ in sources("engine")} - {FACE, "__main__"}
    assert parts <= FLOORS.keys(), f"give {sorted(parts - FLOORS.keys())} a floor"


@pytest.mark.parametrize(
    ("source", "imported", "expected"),
    [
        ("search", "flips", False),
        ("search", "search", False),
        ("catalogue", "errors", False),
        ("search", "executors", True),
        ("rings", "certificates", True),
        ("executors", "catalogue", True),
        ("catalogue", "executors", True),
        (FACE, "api", False),
        (FACE, "cli", True),
    ],
)
def test_upward(source: str, imported: str, expected: bool) -> None:
    assert upward(source, imported) is expected


def test_imports_are_found_wherever_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    file = tmp_path / "module.py"
    lines = [
        "import ray.util",
        "def f():",
        " from ..search import Run",
        " from . import _pool",
        " from flipforge import load",
    ]
    file.write_text("\n".join(lines))
    found = list(imports_of(file, "flipforge.executors"))
    assert [(item.module, item.name) for item in found] == [
        ("ray.util", None),
        ("flipforge.search", "Run"),
        ("flipforge.executors", "_pool"),
        ("flipforge", "load"),
    ]
    assert [parts_named(item) for item in found] == [set(), {"search"}, {"executors"}, {"api"}]


def test_engine_imports_go_down_only() -> None:
    faults = [
        f"{item.where}: {part_of(path)} imports {part}"
        for path, package in sources("engine")
        for item in imports_of(path, package)
        for part in parts_named(item)
        if part_of(path) != "__main__" and upward(part_of(path), part)
    ]
    assert faults == []


def test_engine_imports_no_plugin() -> None:
    plugins = set(plugin_packages())
    faults = [
        item.where
        for path, package in sources("engine")
        for item in imports_of(path, package)
        if item.module.split(".")[0] in plugins or item.module.startswith("flipforge_")
    ]
    assert faults == []


def test_search_never_imports_ray() -> None:
    users = {
        part_of(path)
        for path, package in sources("engine")
        for item in imports_of(path, package)
        if item.module.split(".")[0] == "ray"
    }
    assert users <= {"executors"}


def test_plugins_import_public_names_only() -> None:
    plugins = set(plugin_packages())
    faults = []
    for path, package in sources("plugins"):
        for item in imports_of(path, package):
            top = item.module.split(".")[0]
            if top in plugins and top != package.split(".")[0]:
                faults.append(f"{item.where}: a plugin imports the plugin {top}")
            if top != "flipforge":
                continue
            exported = getattr(importlib.import_module(item.module), "__all__", ())
            private = any(name.startswith("_") for name in item.module.split("."))
            if private or item.name not in exported or "cli" in parts_named(item):
                faults.append(f"{item.where}: {item.module} does not export {item.name} to plugins")
    assert faults == []


def public_modules() -> list[str]:
    """Name every module of the engine and the plugins without an underscore in its path."""
    names = (
        package if path.stem == "__init__" else f"{package}.{path.stem}"
        for top in ("engine", "plugins")
        for path, package in sources(top)
    )
    return [name for name in names if not any(part.startswith("_") for part in name.split("."))]


@pytest.mark.parametrize("name", public_modules())
def test_exported_names_exist(name: str) -> None:
    module = importlib.import_module(name)
    assert hasattr(module, "__all__"), f"{name} does not say what it exports"
    assert [exported for exported in module.__all__ if not hasattr(module, exported)] == []


def heavy_after(code: str) -> list[str]:
    """Name the heavy libraries that a fresh interpreter has loaded after running `code`."""
    probe = f"{code}\nimport sys\nprint('heavy:', *sorted(set(sys.modules) & set({HEAVY!r})))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize("module", ["flipforge", *(f"flipforge.{part}" for part in LIGHT_PARTS)])
def test_import_is_light(module: str) -> None:
    assert heavy_after(f"import {module}") == []


def test_help_is_light() -> None:
    script = """
import sys
from flipforge.cli import main
sys.argv = ["flipforge", "--help"]
try:
    sys.exit(main())
except SystemExit as end:
    assert not end.code, end.code
"""
    assert heavy_after(script) == []


def test_the_probe_sees_a_heavy_import() -> None:
    assert heavy_after("import networkx") == ["networkx"]
