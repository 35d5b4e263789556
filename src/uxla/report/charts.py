"""The report's charts: inline in the page, in its light or dark colours, and as PNG and SVG files.

They contain no text of the user: matplotlib could read it as markup, and its fonts could lack the letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from uxla.report.figures import BASIS, figure_paths, svg_of, write_figure
from uxla.report.scoring import Calibration

Colours = Mapping[str, str]
"""Colours by role: `ink`, `faint` and `accent`."""

_PRINTED = {"ink": "#24292f", "faint": "#8c959f", "accent": "#0b63c4"}
_INLINE = {"ink": "#010101", "faint": "#020202", "accent": "#030303"}
"""Colours that stand for the page's own: replaced by `var(--NAME)` in the SVG."""

_LEVELS = {"zero_shot": "zero-shot", "ensemble": "ensemble", "tri_training": "tri-training", "supervised": "supervised"}


@dataclass(frozen=True)
class Chart:
    """One chart: `name` for its files, `title` for the page, and what draws it."""

    name: str
    title: str
    draw: Callable[[Axes, Colours], None]

    def figure(self, colours: Colours) -> Figure:
        """The matplotlib figure."""
        with rc_context(BASIS):
            figure = Figure(figsize=(4.8, 3.0), layout="constrained")
            axes = figure.add_subplot()
            self.draw(axes, colours)
            axes.tick_params(colors=colours["ink"], length=3)
            for part in (axes.xaxis.label, axes.yaxis.label):
                part.set_color(colours["ink"])
            for spine in axes.spines.values():
                spine.set_color(colours["faint"])
        return figure

    def inline(self) -> str:
        """SVG markup in the page's colours, as wide as there is room."""
        svg = svg_of(self.figure(_INLINE), BASIS, transparent=True)
        svg = svg[svg.index("<svg") :]
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
        svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', rf'\1 role="img" aria-label="{self.title}"', svg, count=1)
        svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
        svg = re.sub(r'<g id="[^"]*">', "<g>", svg)  # ids of a page are unique, and nothing refers to these
        for name, colour in _INLINE.items():
            svg = svg.replace(colour, f"var(--{name})")
        return svg

    def paths(self, stem: Path) -> list[Path]:
        """`STEM-NAME.svg` and `.png`."""
        return figure_paths(stem.with_name(f"{stem.name}-{self.name}"))

    def write(self, stem: Path) -> None:
        """Write both `paths`, each whole or not at all."""
        write_figure(self.figure(_PRINTED), stem.with_name(f"{stem.name}-{self.name}"), BASIS, transparent=True)


def score_chart(found: Mapping[str, Any]) -> Chart | None:
    """The score by epoch of UXLA's models, with the baselines as horizontal lines; None where UXLA was not scored."""
    return Chart("scores", "Score by epoch, single models", partial(_draw_scores, found)) if found.get("uxla") else None


def reliability_chart(found: Calibration) -> Chart:
    """The share of right labels by the models' confidence."""
    return Chart("reliability", "Reliability", partial(_draw_reliability, found))


def _draw_scores(found: Mapping[str, Any], axes: Axes, colours: Colours) -> None:
    start = [found["penalty"]] if "penalty" in found else []
    scores = [*start, *found["uxla"]]
    places = list(range(1 - len(start), 1 - len(start) + len(scores)))
    for place, score in zip(places, scores, strict=True):
        axes.plot([place] * len(score["models"]), score["models"], "o", ms=4, mew=0, color=colours["accent"], alpha=0.4)
    means = [score["mean"] for score in scores]
    axes.plot(places, means, "-o", lw=2, ms=6, color=colours["accent"], label="UXLA")
    _name_ends(axes, places[-1], [("UXLA", means[-1], "accent"), *_levels(axes, found, colours)], colours)
    axes.set_xticks(places, ["warm-up" if place == 0 else f"epoch {place}" for place in places])
    axes.set_ylabel("score, percent")
    axes.set_xlim(places[0] - 0.3, places[-1] + 0.15)


def _levels(axes: Axes, found: Mapping[str, Any], colours: Colours) -> list[tuple[str, float, str]]:
    levels = [(name, found[method]["mean"], "faint") for method, name in _LEVELS.items() if method in found]
    for _, value, _ in levels:
        axes.axhline(value, lw=1, ls=(0, (4, 3)), color=colours["faint"], zorder=0)
    return levels


def _name_ends(axes: Axes, place: float, ends: Sequence[tuple[str, float, str]], colours: Colours) -> None:
    """Write names at the right ends of the lines, far enough apart to be read."""
    low, high = axes.get_ylim()
    room, last = 0.065 * (high - low), low - (high - low)
    for name, value, colour in sorted(ends, key=lambda end: end[1]):
        last = max(value, last + room)
        axes.annotate(name, (1.01, last), xycoords=("axes fraction", "data"), va="center", color=colours[colour])


def _draw_reliability(found: Calibration, axes: Axes, colours: Colours) -> None:
    sure, right, sizes = zip(*found.bins, strict=True)
    axes.plot([0, 1], [0, 1], lw=1, ls=(0, (4, 3)), color=colours["faint"])
    largest = max(sizes)
    areas = [12 + 240 * size / largest for size in sizes]
    axes.plot(sure, right, lw=1.5, color=colours["accent"])
    axes.scatter(sure, right, areas, color=colours["accent"], linewidths=0)
    axes.set_xlabel("how sure the models are")
    axes.set_ylabel("how often they are right")
    axes.set_xlim(0, 1.03)
    axes.set_ylim(0, 1.03)
