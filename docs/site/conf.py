"""Settings of Sphinx; `docs/site/build.py` says what the pages are."""

import re
from typing import Any

import uxla

project, author, release = "uxla", "uxla contributors", uxla.__version__
html_title = f"uxla {release}"
html_theme = "furo"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_show_sourcelink = html_copy_source = False
extensions = ["myst_parser", "sphinx.ext.autodoc"]
autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]
"""An example that has `…` in it is no Python."""


def literal(_app: Any, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Code in a docstring is marked as in Markdown; Sphinx wants two backticks, and a word's end behind them."""
    lines[:] = re.sub(r"`([^`]+)`", r"``\1``\\ ", "\n".join(lines)).split("\n")


def setup(app: Any) -> None:
    """What Sphinx calls first."""
    app.connect("autodoc-process-docstring", literal)
