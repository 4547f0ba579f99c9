"""What is shipped: metadata that agrees, pins that cover the requirements, wheels that hold the product and no more."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import flipforge
from flipforge.catalogue import shipped_schemes

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_catalogue_of_the_editable_install_is_the_one_of_the_tree() -> None:
    folder = Path(str(shipped_schemes()))
    assert folder.resolve() == ROOT / "schemes"
    assert (folder / "best_known.csv").is_file()


def test_one_version_everywhere() -> None:
    citation = re.search(r'^version: "?([^"\n]+)"?$', (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    changelog = re.search(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert citation is not None
    assert changelog is not None
    assert {version("flipforge"), citation[1], changelog[1]} == {flipforge.__version__}


def test_every_package_is_named_in_the_wheel_and_is_typed(pyproject: dict[str, Any]) -> None:
    packages = {init.parent for top in ("engine", "plugins") for init in (ROOT / top).glob("*/__init__.py")}
    named = set(pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) - {"schemes"}
    assert named == {str(package.relative_to(ROOT)) for package in packages}
    assert [package.name for package in packages if not (package / "py.typed").is_file()] == []


def test_installed_entry_points_are_those_declared_and_load(pyproject: dict[str, Any]) -> None:
    declared = {
        (group, name): target
        for group, names in pyproject["project"]["entry-points"].items()
        for name, target in names.items()
    }
    installed = {(point.group, point.name): point for group, _ in declared for point in entry_points(group=group)}
    for key, target in declared.items():
        assert installed[key].value == target
        assert installed[key].load() is not None


def test_constraints_pin_all_requirements_within_their_bounds(pyproject: dict[str, Any]) -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9.-]+==[0-9][0-9a-z.]*", line)] == []
    pins = dict(line.split("==") for line in lines)
    project = pyproject["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    for requirement in map(Requirement, wanted):
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def check_wheel(*wheels: Path) -> subprocess.CompletedProcess[str]:
    """Run the wheel's judge of .ci/run."""
    command = [sys.executable, str(ROOT / ".ci" / "check_wheel.py"), *map(str, wheels)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_wheel_without_catalogue_or_with_tests_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "flipforge-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("flipforge/__init__.py", "")
        archive.writestr("tests/test_packaging.py", "")
    done = check_wheel(wheel, wheel)
    assert done.returncode == 1, done.stderr
    assert "flipforge/_catalogue/best_known.csv is missing" in done.stdout
    assert "flipforge/py.typed is missing" in done.stdout
    assert "tests/test_packaging.py does not belong there" in done.stdout


@pytest.mark.slow
def test_sdist_and_tree_build_the_same_complete_wheel(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", str(ROOT), "--outdir"]
    for command in ([*build, str(tmp_path / "sdist")], [*build, str(tmp_path / "tree"), "--wheel"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    done = check_wheel(*(tmp_path / "tree").glob("*.whl"), *(tmp_path / "sdist").glob("*.whl"))
    assert done.returncode == 0, done.stdout + done.stderr
