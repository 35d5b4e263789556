"""What figures on paper have in common: colours the colour-blind tell apart, names, files written whole."""

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
"""Okabe and Ito (2008), without the yellow that white paper swallows."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
FAINT = "#9aa0a6"

STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "uxla",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
_DRAWABLE = re.compile(r"[^\W_][\w .,:+()&/-]*")
_LONGEST = 24


def drawn(name: str, fallback: str) -> str:
    """A user's name as a figure shows it; `fallback` for one that matplotlib or its font would not draw as it is."""
    plain = _DRAWABLE.fullmatch(name) and not right_to_left(name) and all(ord(char) in _glyphs() for char in name)
    if not plain:
        return fallback
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """A figure of `size` inches and its panels in reading order."""
    made = Figure(figsize=size, layout="constrained", facecolor="white")
    return made, list(made.subplots(rows, columns, squeeze=False).ravel())


def write_figure(made: Figure, stem: Path) -> list[Path]:
    """Write `STEM.svg` and `STEM.png` (200 dpi), each whole or not at all; the same figure, the same bytes."""
    files = [stem.with_name(f"{stem.name}.svg"), stem.with_name(f"{stem.name}.png")]
    options: list[dict[str, Any]] = [
        {"format": "svg", "metadata": {"Date": None, "Creator": None}},
        {"format": "png", "dpi": 200, "metadata": {"Software": None}},
    ]
    with rc_context(STYLE):
        for file, option in zip(files, options, strict=True):
            written = io.BytesIO()
            made.savefig(written, **option)
            write_file(file, written.getvalue())
    return files


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())
