"""Checks of native code in a process of their own: wrong code may end the process that runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from flipforge.errors import InputError
from flipforge.plugins import Check
from flipforge.schemes import Scheme
from flipforge.schemes.formats import native_document, read_native_document

__all__ = ["isolated"]

_SECONDS = 1800


def isolated(
    module: str,
    scheme: Scheme,
    path: Path,
    environment: Mapping[str, str] | None = None,
    *,
    inner: Sequence[Scheme] = (),
) -> list[Check]:
    """Run ``run_checks(scheme, path, *inner)`` of a module of this package in a child process.

    A child that dies is a check that is not ok, named ``run``.

    Raises
    ------
    InputError
        What the child raised: no verdict could be formed.
    """
    command = [sys.executable, "-m", "flipforge_codegen._isolated", module, str(path.resolve())]
    try:
        done = subprocess.run(
            command,
            input=json.dumps([native_document(each) for each in (scheme, *inner)]),
            env=os.environ | dict(environment or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return [Check("run", False, f"the code did not end within {_SECONDS} s")]
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[0]
        return [Check("run", False, f"the code ended its process (exit code {done.returncode}) {last[:200]}".strip())]
    answer = json.loads(done.stdout.splitlines()[-1])
    if isinstance(answer, str):
        raise InputError(answer)
    return [Check(**row) for row in answer]


def _main(module: str, path: str) -> None:
    scheme, *inner = (read_native_document(document, "the scheme") for document in json.load(sys.stdin))
    try:
        checks = import_module(f"flipforge_codegen.{module}").run_checks(scheme, Path(path), *inner)
        print(json.dumps([asdict(check) for check in checks]))
    except InputError as error:
        print(json.dumps(str(error)))


if __name__ == "__main__":
    _main(*sys.argv[1:])
