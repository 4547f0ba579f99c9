"""Judge built wheels: `check_wheel.py TREE_WHEEL SDIST_WHEEL`.

The wheel built from the tree and the one built through the sdist must hold the same files, and these must be the
packages with their types, the catalogue, and nothing else. Prints one line for each fault.
"""

import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def expected_files(root: Path) -> set[str]:
    """Names that the wheel must hold: every package of the two source roots, and the catalogue."""
    packages = [init.parent for top in ("engine", "plugins") for init in (root / top).glob("*/__init__.py")]
    folders = {package: package.name for package in packages} | {root / "schemes": "flipforge/_catalogue"}
    return {
        f"{target}/{path.relative_to(folder).as_posix()}"
        for folder, target in folders.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def contents(wheel: Path) -> dict[str, int]:
    """Name and CRC of each file of a wheel, without the metadata that records the build."""
    with zipfile.ZipFile(wheel) as archive:
        files = archive.infolist()
    return {info.filename: info.CRC for info in files if not info.filename.endswith(("/RECORD", "/WHEEL"))}


def faults(wheel: Path, expected: Iterable[str]) -> list[str]:
    """What is wrong with one wheel."""
    names = {name for name in contents(wheel) if ".dist-info/" not in name}
    needed = set(expected) | {"flipforge/py.typed", "flipforge_codegen/py.typed", "flipforge/_catalogue/best_known.csv"}
    found = [f"{wheel.name}: {name} is missing" for name in sorted(needed - names)]
    found += [f"{wheel.name}: {name} does not belong there" for name in sorted(names - needed)]
    if not any(name.startswith("flipforge/_catalogue/") and name.endswith(".json") for name in names):
        found.append(f"{wheel.name}: the catalogue holds no scheme")
    return found


def main(arguments: list[str]) -> int:
    """Print the faults of the two wheels and return the exit code."""
    tree_wheel, sdist_wheel = (Path(argument) for argument in arguments)
    found = faults(tree_wheel, expected_files(ROOT))
    tree, sdist = contents(tree_wheel), contents(sdist_wheel)
    found += [
        f"{name} differs between the wheel of the tree and the wheel of the sdist"
        for name in sorted(tree.keys() | sdist.keys())
        if tree.get(name) != sdist.get(name)
    ]
    for line in found:
        print(line)
    if not found:
        print(f"{tree_wheel.name}: {len(tree)} files, the same from the tree and from the sdist")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
