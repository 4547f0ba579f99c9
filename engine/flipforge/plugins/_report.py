"""The report of an export: a JSON document, and the same as Markdown."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from flipforge.programs import Layer
from flipforge.schemes import Scheme, costs

__all__ = ["REPORT_FORMAT", "document_of", "dump", "markdown"]

REPORT_FORMAT = "flipforge-export/1"

_DISTRIBUTIONS = (
    *("numpy", "torch", "pyopencl", "pocl-binary-distribution"),
    *("triton", "cupy", "nvidia-cuda-nvrtc", "nvidia-cuda-nvrtc-cu12"),
)


def document_of(
    schemes: Sequence[Scheme | Layer],
    target: str,
    files: Sequence[Path],
    checks: Sequence[Any],
    *,
    checked: bool,
    options: Mapping[str, Any],
    figures: Mapping[str, Any],
    tools: Mapping[str, str],
    given: Sequence[Scheme | Layer] = (),
) -> dict[str, Any]:
    """Return the JSON document of an export.

    Parameters
    ----------
    schemes
        What the code computes, the first level first.
    given
        What was asked for, where it was composed.
    """
    from flipforge import __version__

    scheme = schemes[0]

    gpu = [check.detail for check in checks if check.name.startswith("GPU")]
    compiled = [check.detail for check in checks if check.name.startswith(("compiled", "not compiled"))]
    ran = [check.name for check in checks if not check.name.startswith(("compiled", "not compiled", "refused"))]
    return {
        "format": REPORT_FORMAT,
        "layer" if isinstance(scheme, Layer) else "scheme": {
            "id": scheme.id,
            "digest": scheme.digest,
            "problem": scheme.problem.name,
            "ring": scheme.ring.name,
            **_counts(scheme),
        },
        **({"levels": [_level(each) for each in schemes]} if len(schemes) > 1 else {}),
        "target": target,
        "options": dict(options),
        "files": [{"name": path.name, "sha256": sha256(path.read_bytes()).hexdigest()} for path in files],
        "checked": checked,
        "checks": [asdict(check) for check in checks],
        "ok": all(check.ok for check in checks),
        "status": {
            "emitted": len(files),
            "compiled": compiled or "not asked for apart from running it",
            "executed": ran if checked else "not run: export with --check",
            "timed": "not timed here: flipforge bench DIR",
            "gpu": gpu or "not run on a GPU",
        },
        "figures": dict(figures),
        "versions": {
            "flipforge": __version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
            **_installed(),
            **tools,
        },
        "command": _command(given or schemes, schemes, target, checked),
    }


def markdown(document: Mapping[str, Any], pictures: Sequence[str] = ()) -> str:
    """Write the document as Markdown: tables of its figures and checks; ``pictures`` are file names beside it."""
    scheme = document["scheme"]
    lines = [
        f"# Export of {scheme['problem']} to {document['target']}",
        "",
        f"Scheme `{scheme['id']}` over {scheme['ring']}, rank {scheme['rank']}, {scheme['additions']} additions as "
        f"written. Made again by `{document['command']}`.",
        "",
    ]
    for key, value in document["figures"].items():
        lines += [f"## {key.replace('_', ' ').capitalize()}", "", *_table(value), ""]
    lines += [f"![figures]({name})\n" for name in pictures]
    lines += ["## Status", "", *_table(document["status"]), "", "## Checks", ""]
    if document["checks"]:
        lines += ["| check | held | what was run |", "| --- | --- | --- |"]
        lines += [
            f"| {_cell(c['name'])} | {'yes' if c['ok'] else 'NO'} | {_cell(c['detail'])} |" for c in document["checks"]
        ]
    else:
        lines.append("None was run.")
    lines += [
        "",
        "## Files and versions",
        "",
        *_table({each["name"]: each["sha256"] for each in document["files"]}),
        "",
    ]
    lines += [*_table(document["versions"]), ""]
    return "\n".join(lines)


def _level(scheme: Scheme | Layer) -> dict[str, Any]:
    return {"id": scheme.id, "problem": scheme.problem.name, "ring": scheme.ring.name, "rank": scheme.rank}


def _command(given: Sequence[Scheme | Layer], made: Sequence[Scheme | Layer], target: str, checked: bool) -> str:
    names = " ".join(each.id for each in given)
    flags = f"{' --compose' if len(made) < len(given) else ''}{' --check' if checked else ''}"
    return f"flipforge export {names} --target {target} --out DIR{flags}"


def _counts(made: Scheme | Layer) -> dict[str, Any]:
    if isinstance(made, Layer):
        program = made.program
        return {"rank": made.rank, "operations": list(program.operations), "weights": program.weights}
    return costs(made).as_dict()


def dump(document: Mapping[str, Any]) -> str:
    """Write the document as JSON."""
    return json.dumps(document, indent=1) + "\n"


def _installed() -> dict[str, str]:
    found = {}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _table(value: Any, prefix: str = "") -> list[str]:
    """Write nested JSON values as rows of a table, a dotted name for each leaf."""
    head = ["| | |", "| --- | --- |"] if not prefix else []
    if not isinstance(value, Mapping):
        return [*head, f"| {prefix or 'value'} | {_cell(value)} |"]
    rows = []
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, Mapping):
            rows += _table(inner, f"{name}, ")
        else:
            rows.append(f"| {_cell(name)} | {_cell(inner)} |")
    return [*head, *rows]


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return " ".join(str(value).split()).replace("|", "\\|")
