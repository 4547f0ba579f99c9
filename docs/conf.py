"""Sphinx configuration."""

import doctest
import re
from io import StringIO
from pathlib import Path
from typing import Any

from sphinx.errors import ExtensionError

import flipforge

project = "flipforge"
author = "The flipforge developers"
project_copyright = "2026, The flipforge developers"
version = release = flipforge.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
napoleon_google_docstring = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"

html_theme = "furo"
html_title = f"flipforge {release}"
exclude_patterns = ["_build"]

RUN = ("equivariant-layers.md",)
"""Pages whose sessions are run, from top to bottom, when the documentation is built."""


def run_sessions(app: Any) -> None:
    """Stop the build where a session prints something else than its page shows."""
    for name in RUN:
        text = (Path(app.srcdir) / name).read_text(encoding="utf-8")
        session = "\n".join(re.findall(r"^```python\n(>>> .*?)^```", text, re.MULTILINE | re.DOTALL))
        test = doctest.DocTestParser().get_doctest(session, {}, name, name, 0)
        report = StringIO()
        failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=report.write)
        if failed or not test.examples:
            raise ExtensionError(f"{name}: {report.getvalue() or 'has no session'}")


def setup(app: Any) -> None:
    app.connect("builder-inited", run_sessions)
