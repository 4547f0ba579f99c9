"""Sphinx configuration."""

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
