"""The paper's Figures 2, 3 and 4 drawn from runs, each with all its panels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from uxla.errors import ArtifactError
from uxla.records import Bools, Ints
from uxla.report.figures import COLOURS, FAINT, MARKERS, STYLE, legible, panels
from uxla.report.folder import RunFolder
from uxla.report.paper.warmup import COMPARED, Points, WarmUp, points

_PANELS = "abcd"
_SIZE = (8.4, 7.4)
_BINS = 30
_DEV, _TEST = "dev", "test"
_ACCURATE = {True: "accurate: at most two labels are wrong", False: "accurate: the label is right"}
"""By whether the task is tagging."""


@dataclass(frozen=True)
class Curve:
    """Scores by epoch of one target: `places` are epochs, 0 the warm-up; `models` each model's own score."""

    name: str
    data: str
    """The data set scored: `dev` or `test`."""
    places: tuple[int, ...]
    means: tuple[float, ...]
    models: tuple[tuple[float, ...], ...]


def curves(runs: Mapping[str, RunFolder]) -> list[Curve]:
    """A curve for each target of each run (by name), on its dev set where that was scored. ArtifactError where there
    is none."""
    found = list(_curves(runs))
    if not found:
        names = ", ".join(runs)
        expected = "expected a run of method uxla with target_data.dev or target_data.test"
        raise ArtifactError(f"{names}: no scores by epoch, {expected}; give one and run again: finished work is kept")
    return found


def score_figure(found: Sequence[Curve], task: str) -> Figure:
    """Figure 2: the score after the warm-up and after each epoch."""
    with rc_context(STYLE):
        made, (axes,) = panels(1, 1, (7.0, max(3.4, 0.6 + 0.21 * len(found))))
        mixed = len({curve.data for curve in found}) > 1
        ranked = sorted(range(len(found)), key=lambda place: -found[place].means[-1])
        for place in ranked:  # the legend has the order in which curves end
            _draw_curve(axes, found[place], place, mixed=mixed)
        epochs = sorted({epoch for curve in found for epoch in curve.places})
        axes.set_xticks(epochs, ["warm-up" if epoch == 0 else f"epoch {epoch}" for epoch in epochs])
        data = f"{_DEV} or {_TEST} set, as named" if mixed else f"{found[0].data} set"
        axes.set_ylabel(f"{'entity F1' if task == 'ner' else 'accuracy'} on the target's {data}, percent")
        axes.grid(axis="y", lw=0.5, color="#e3e6e9")
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), borderaxespad=0)
    return made


def penalty_figure(found: WarmUp) -> Figure:
    """Figure 3: (a-b) target classes by t-SNE, (c-d) losses of accurate and noisy examples."""
    placed = points(found)
    with rc_context(STYLE):
        made, axes = panels(2, 2, _SIZE)
        for place, method in enumerate(COMPARED):
            _title(axes, place, method)
            _draw_points(axes[place], placed, method)
            _draw_losses(axes[2 + place], found.losses(method), found.accurate(method))
        _legends(axes[2:])
        if len(placed.classes):
            axes[1].legend(loc="center left", bbox_to_anchor=(1.02, 0.5), markerscale=1.8, borderaxespad=0)
        _caption(
            made,
            f"(a-b) t-SNE (perplexity {placed.perplexity:g}, seed 0) of a model's log probabilities for {placed.said}, "
            f"by gold class. (c-d) Mean loss of an example against the model's own labels; {_ACCURATE[found.tagging]}.",
        )
    return made


def length_figure(found: WarmUp, share: float, *, chosen: str) -> Figure:
    """Figure 4: (a-b) loss against length, (c-d) lengths of all and of the `share` selected by confidence.

    `chosen` says where `share` is from.
    """
    with rc_context(STYLE):
        made, axes = panels(2, 2, _SIZE)
        for place, method in enumerate(COMPARED):
            _title(axes, place, method)
            _draw_scatter(axes[place], found, method)
            _draw_lengths(axes[2 + place], found, found.most_confident(method, share))
        _same_span(axes[:2])
        _legends(axes)
        axes[0].set_ylabel("mean loss against own labels, nats")
        axes[2].set_ylabel("test examples")
        _caption(
            made,
            f"(a-b) Mean loss of an example against the model's own labels, by its length; {_ACCURATE[found.tagging]}. "
            "Both panels span equally many nats; points are spread sideways within their length. "
            f"(c-d) Kept are the {100 * share:g} % that the model is surest of: {chosen}.",
        )
    return made


def confident_share(config: Mapping[str, object]) -> tuple[float, str]:
    """The η that Figure 4 shows, and where it is from: the first epoch that distils by confidence, else a half."""
    schedule = config.get("schedule")
    for number, plan in enumerate(schedule if isinstance(schedule, list) else [], start=1):
        select = plan.get("select") if isinstance(plan, dict) else None
        if isinstance(select, dict) and select.get("kind") == "confidence":
            return float(select["share"]), f"η of epoch {number}"
    return 0.5, "a half, since no epoch of this run distils by confidence"


def _curves(runs: Mapping[str, RunFolder]) -> Iterator[Curve]:
    for number, (name, run) in enumerate(runs.items(), start=1):
        start = f"{legible(name, f'run {number}')}: " if len(runs) > 1 else ""
        for place, (target, found) in enumerate(run.results["targets"].items(), start=1):
            data, scores = (_DEV, found[_DEV]) if found.get(_DEV) else (_TEST, found)
            if scores.get("uxla"):
                yield _curve(start + legible(target, f"target {place}"), data, scores)


def _curve(name: str, data: str, scores: Mapping[str, Any]) -> Curve:
    before = [scores["penalty"]] if scores.get("penalty") else []
    shown = [*before, *scores["uxla"]]
    return Curve(
        name,
        data,
        tuple(range(1 - len(before), 1 + len(scores["uxla"]))),
        tuple(float(score["mean"]) for score in shown),
        tuple(tuple(score["models"]) for score in shown),
    )


def _draw_curve(axes: Axes, curve: Curve, place: int, *, mixed: bool) -> None:
    colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
    dashes = ("-", "--", ":")[place // len(COLOURS) % 3]
    for epoch, models in zip(curve.places, curve.models, strict=True):
        axes.plot([epoch] * len(models), models, marker, ms=3, mew=0, color=colour, alpha=0.35)
    name = f"{curve.name} ({curve.data})" if mixed else curve.name
    axes.plot(curve.places, curve.means, marker=marker, ls=dashes, lw=1.8, ms=5, color=colour, label=name)


def _draw_points(axes: Axes, placed: Points, method: str) -> None:
    sizes = np.bincount(placed.classes, minlength=len(placed.names))
    ranked = [place for place in np.argsort(-sizes, kind="stable") if sizes[place] and placed.names[place] != "O"]
    named, rest = ranked[: len(COLOURS)], ranked[len(COLOURS) :]
    outside = [place for place, name in enumerate(placed.names) if name == "O"]
    for places, label in ((outside, "O"), (rest, f"{len(rest)} rarer classes")):
        _scatter(axes, placed.places[method][np.isin(placed.classes, places)], label, FAINT, ".")
    for place, (colour, marker) in zip(named, zip(COLOURS, MARKERS, strict=True), strict=False):
        name = legible(placed.names[place], f"class {place + 1}")
        _scatter(axes, placed.places[method][placed.classes == place], name, colour, marker)
    axes.set_xticks([])
    axes.set_yticks([])


def _scatter(axes: Axes, places: npt.NDArray[np.float64], label: str, colour: str, marker: str) -> None:
    if len(places):
        axes.scatter(places[:, 0], places[:, 1], s=9, c=colour, marker=marker, linewidths=0, alpha=0.75, label=label)


def _draw_losses(axes: Axes, losses: npt.NDArray[np.float64], accurate: Bools) -> None:
    edges = [float(edge) for edge in np.histogram_bin_edges(losses, _BINS)]
    for chosen, label, colour in _quality(accurate):
        axes.hist(losses[chosen], edges, histtype="stepfilled", alpha=0.25, color=colour)
        axes.hist(losses[chosen], edges, histtype="step", lw=1.6, color=colour, label=label)
    axes.set_xlabel("mean loss against own labels, nats")
    axes.set_ylabel("test examples")


def _draw_scatter(axes: Axes, found: WarmUp, method: str) -> None:
    losses = found.losses(method)
    places = found.lengths + np.random.default_rng(0).uniform(-0.3, 0.3, len(losses))
    for (chosen, label, colour), marker in zip(_quality(found.accurate(method)), "ox", strict=True):
        shown: dict[str, Any] = {"s": 10, "c": colour, "marker": marker, "linewidths": 0.9 if marker == "x" else 0}
        axes.scatter(places[chosen], losses[chosen], alpha=0.55, label=label, **shown)
    _by_words(axes)


def _draw_lengths(axes: Axes, found: WarmUp, selected: Bools) -> None:
    edges = _whole_edges(found.lengths)
    axes.hist(found.lengths, edges, color="#d4d7da", label=f"all ({len(selected):,})")
    label = f"kept ({int(selected.sum()):,})"
    axes.hist(found.lengths[selected], edges, histtype="step", lw=1.8, color=COLOURS[0], label=label)
    _by_words(axes)


def _quality(accurate: Bools) -> list[tuple[Bools, str, str]]:
    """The accurate and the noisy examples, each with its label and colour."""
    parts = ((accurate, "accurate", COLOURS[0]), (~accurate, "noisy", COLOURS[1]))
    return [(chosen, f"{name} ({int(chosen.sum()):,})", colour) for chosen, name, colour in parts]


def _title(axes: Sequence[Axes], place: int, method: str) -> None:
    for panel in (place, 2 + place):
        axes[panel].set_title(f"({_PANELS[panel]}) {COMPARED[method]}", loc="left")


def _by_words(axes: Axes) -> None:
    axes.set_xlabel("words")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _whole_edges(lengths: Ints) -> list[float]:
    """Edges of up to 30 bins, each as many lengths wide as any other."""
    low, high = (int(lengths.min()), int(lengths.max())) if len(lengths) else (0, 0)
    step = -(-(high + 1 - low) // _BINS)
    return [edge - 0.5 for edge in range(low, high + step + 1, step)]


def _same_span(panels: Sequence[Axes]) -> None:
    """Give all panels a scale of the same length, each around its own values, so that spreads can be compared."""
    limits = [axes.get_ylim() for axes in panels]
    span = max(high - low for low, high in limits)
    for axes, (low, _) in zip(panels, limits, strict=True):
        axes.set_ylim(low, low + span)


def _legends(panels: Sequence[Axes]) -> None:
    """Draw legends above the data, not over it."""
    for axes in panels:
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.12 * (high - low))
        axes.legend(loc="upper right", ncols=2, borderaxespad=0, columnspacing=1.2)


def _caption(made: Figure, text: str) -> None:
    made.supxlabel(fill(text, 125), fontsize=8, x=0.01, ha="left")
