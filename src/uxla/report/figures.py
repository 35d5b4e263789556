"""Shared by all figures: colours for the colour-blind, names that the font can show, saving."""

from __future__ import annotations

import io
import re
from functools import cache
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from uxla.files import write_file
from uxla.markup import right_to_left

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito (2008), without the yellow, which is hard to see on white."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
FAINT = "#9aa0a6"

BASIS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "uxla",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
"""Text stays text in an SVG, and the same figure gives the same bytes."""

STYLE: Any = BASIS | {"font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 10, "legend.frameon": False}
"""Of the paper's figures."""

_SHOWN = re.compile(r"[^\W_][\w .,:+()&/-]*")
_LONGEST = 24


def legible(name: str, fallback: str) -> str:
    """A user's name as a figure shows it; `fallback` if matplotlib or its font cannot show it."""
    plain = _SHOWN.fullmatch(name) and not right_to_left(name) and all(ord(char) in _glyphs() for char in name)
    if not plain:
        return fallback
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def panels(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """A figure of `size` inches and its panels in reading order."""
    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    return figure, list(figure.subplots(rows, columns, squeeze=False).ravel())


def svg_of(figure: Figure, style: Any = STYLE, **options: Any) -> str:
    """The figure as SVG."""
    written = io.StringIO()
    with rc_context(style):
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None}, **options)
    return written.getvalue()


def figure_paths(stem: Path) -> list[Path]:
    """`STEM.svg` and `STEM.png`."""
    return [stem.with_name(f"{stem.name}{suffix}") for suffix in (".svg", ".png")]


def write_figure(figure: Figure, stem: Path, style: Any = STYLE, **svg_options: Any) -> list[Path]:
    """Write `STEM.svg` and `STEM.png` (200 dpi), each whole or not at all."""
    svg, png = figure_paths(stem)
    pixels = io.BytesIO()
    with rc_context(style):
        figure.savefig(pixels, format="png", dpi=200, metadata={"Software": None})
    write_file(svg, svg_of(figure, style, **svg_options))
    write_file(png, pixels.getvalue())
    return [svg, png]


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())
