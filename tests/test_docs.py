"""The commands that the documentation shows exist, with the options that it shows."""

import doctest
import os
import re
import subprocess
import sys
from functools import cache
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def shown_commands() -> list[tuple[str, str]]:
    """Page and line of every flipforge command in a fenced block."""
    found = []
    for page in PAGES:
        for block in re.findall(r"^```\w*\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            lines = block.replace("\\\n", " ").splitlines()
            found += [(page.name, line) for line in lines if re.match(r"(\$ )?(\.venv/bin/)?flipforge ", line)]
    return found


@cache
def help_of(command: str) -> set[str]:
    """Options that `flipforge COMMAND --help` names, or the program's own for the empty command."""
    arguments = ["flipforge", *command.split(), "--help"]
    script = f"import sys; from flipforge.cli import main; sys.argv = {arguments!r}; sys.exit(main())"
    # A wide screen, or the help cuts long options short.
    environment = os.environ | {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, f"flipforge {command}: {done.stderr}"
    return set(re.findall(r"--[a-z][a-z-]*", done.stdout))


@pytest.mark.parametrize(("page", "line"), shown_commands())
def test_shown_command_exists_with_its_options(page: str, line: str) -> None:
    words = line.split("#", maxsplit=1)[0].split("flipforge ", 1)[1].split()
    command = "" if words[0].startswith("--") else words[0]
    unknown = {word.split("=")[0] for word in words if word.startswith("--")} - help_of(command)
    assert unknown == set(), f"{page}: {line}"


def shown_examples() -> list[tuple[str, str]]:
    """Page and fenced Python sessions of every page that has some."""
    found = []
    for page in PAGES:
        blocks = re.findall(r"^```python\n(>>> .*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        if blocks:
            found.append((page.name, "\n".join(blocks)))
    return found


@pytest.mark.parametrize(("page", "session"), shown_examples(), ids=[page for page, _ in shown_examples()])
def test_shown_sessions_print_what_they_show(page: str, session: str) -> None:
    test = doctest.DocTestParser().get_doctest(session, {}, page, page, 0)
    assert test.examples
    report = StringIO()
    failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=report.write)
    assert not failed, report.getvalue()
