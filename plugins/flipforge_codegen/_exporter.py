"""What the exporters of this plugin have in common."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from time import process_time
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from flipforge.errors import InputError, NotFoundError
from flipforge.schemes import Scheme
from flipforge_codegen import _report

__all__ = ["Reporting", "check_options", "standalone", "timed", "version_of", "written"]


class Reporting:
    """The figures of an exporter and their plots; see `flipforge.plugins.Exporter`."""

    shares: ClassVar[bool] = True
    """Whether the target prints the shared sums, or all sums in one pass as the scheme writes them."""

    def figures(self, scheme: Scheme) -> dict[str, Any]:
        """Return the figures of the report."""
        return _report.figures(scheme, shares=self.shares)

    def plots(self, found: Mapping[str, Any]) -> dict[str, str]:
        """Return plots of the figures."""
        return _report.plots(found)


def check_options(options: Mapping[str, Any], target: str) -> None:
    """Refuse any option of a target that has none."""
    if options:
        raise InputError(f"target {target} has no option {min(options)!r}; leave it out")


def written(folder: Path, name: str) -> Path:
    """Return the path of a file that an export wrote, or raise `NotFoundError`."""
    path = folder / name
    if not path.is_file():
        raise NotFoundError(f"{path}: no such file; export the scheme first")
    return path


def version_of(command: str | None) -> str:
    """Return what a compiler says of its version: the line with its release, or the first; "none" without compiler."""
    if command is None:
        return "none"
    try:
        done = subprocess.run([command.split()[0], "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{command} cannot be run ({error.strerror})"
    lines = done.stdout.splitlines()
    return next((line for line in lines if "release" in line), (lines or [command])[0])


def standalone(*modules: ModuleType) -> dict[str, str]:
    """Return the texts of modules by file name, as they stand beside exported code: importing each other from there."""
    paths = [Path(str(module.__file__)) for module in modules]
    return {path.name: path.read_text(encoding="utf-8").replace("from flipforge_codegen.", "from ") for path in paths}


def timed(
    ours: Callable[[Any, Any, Any, int], object],
    theirs: Callable[[Any, Any, Any], object],
    size: int,
    reference: str,
) -> list[dict[str, Any]]:
    """Time ``ours(a, b, out, levels)`` and ``theirs(a, b, out)``, interleaved, in float32 and float64.

    Times are medians of the CPU seconds of three products each, after one that is not counted.
    """
    random, rows = np.random.default_rng(1), []
    for name in ("float32", "float64"):
        a, b = (random.uniform(-1, 1, (size, size)).astype(name) for _ in range(2))
        out = np.empty_like(a)
        for levels in (1, 2):
            pairs: list[tuple[float, float]] = []
            for _ in range(4):
                begin = process_time()
                ours(a, b, out, levels)
                middle = process_time()
                theirs(a, b, out)
                pairs.append((max(middle - begin, 1e-9), max(process_time() - middle, 1e-9)))
            mine, other = (median(column) for column in zip(*pairs[1:], strict=True))
            rows.append({
                "dtype": name, "n": size, "levels": levels, "seconds": mine, "reference": reference,
                "reference_seconds": other, "ratio": other / mine,
            })  # fmt: skip
    return rows
