"""Timing exported code: what `flipforge bench DIR` does."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flipforge.errors import FormatError, InputError, NotFoundError, PluginError
from flipforge.plugins._registry import get

__all__ = ["bench"]

MAX_SIZE = 16384


def bench(folder: str | Path, *, size: int = 1024) -> list[dict[str, Any]]:
    """Time the exports that a folder holds, each against what its target is an alternative to.

    An exporter times its code by a method ``bench(folder, names, size)``, which gives rows ``dtype``, ``n``,
    ``levels``, ``seconds``, ``reference``, ``reference_seconds`` and ``ratio``, or
    ``timed`` false with a ``reason`` where the code cannot be run here; of one without the method the row says so.

    Parameters
    ----------
    folder
        Where ``flipforge export`` wrote to; the reports there name the targets and files.
    size
        Rows and columns of the matrices.

    Raises
    ------
    NotFoundError
        The folder holds no report of an export.
    FormatError
        A report cannot be read.
    InputError
        The size is out of range, or what runs the code is not installed.
    """
    folder = Path(folder)
    if not 1 <= size <= MAX_SIZE:
        raise InputError(f"size {size}: give 1 to {MAX_SIZE}")
    reports = sorted(folder.glob("*_report.json"))
    if not reports:
        raise NotFoundError(f"{folder}: no report of an export there; name the folder given to flipforge export --out")
    rows = []
    for path in reports:
        target, names = _stated(path)
        base = {"target": target, "file": names[0]}
        measure = getattr(get("exporters", target), "bench", None)
        if measure is None:
            rows.append({**base, "timed": False, "reason": f"target {target} has no measurement of its own"})
            continue
        try:
            rows += [{**base, "timed": True, **row} for row in measure(folder, names, size)]
        except (ArithmeticError, AttributeError, OSError, RuntimeError, TypeError, ValueError) as error:
            raise PluginError(f"{folder / names[0]}: {type(error).__name__}: {' '.join(str(error).split())}") from error
    return rows


def _stated(path: Path) -> tuple[str, list[str]]:
    """Return the target and the names of the files of a report; files outside its folder are not followed."""
    try:
        document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        target, names = document["target"], [row["name"] for row in document["files"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{path}: no report of an export ({type(error).__name__}); export again") from None
    if not isinstance(target, str) or not names or any(name != Path(str(name)).name for name in names):
        raise FormatError(f"{path}: its target or files are not those of an export; export again")
    return target, names
