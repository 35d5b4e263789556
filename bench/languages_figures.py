"""The pictures of docs/results.md about real languages, as SVG, from finished cells of `bench/languages.py`."""

from collections.abc import Sequence

from languages_records import Finished
from languages_scores import by_key, difference
from languages_tables import CORPORA, estimate_rows, gain_rows, language, name
from matplotlib import rc_context

from uxla.report.figures import COLOURS, FAINT, MARKERS, STYLE, panels, svg_of

METHODS = ("penalty", "snapshots", "weight_mean", "self_training", "tri_training", "uxla", "uxla_ensemble")


def gains(cells: Sequence[Finished]) -> str:
    """The gain of each method over zero-shot, by language, with 95 % intervals."""
    languages = by_key(cells)
    methods = [row for row in METHODS if any(row in cell.counted for cell in cells)]
    with rc_context(STYLE):
        figure, [axes] = panels(1, 1, (7.5, 1.2 + 0.13 * len(languages) * (len(methods) + 1)))
        for place, method in enumerate(methods):
            found = [(y, difference([of], method, "zero_shot")) for y, of in enumerate(languages.values())]
            there = [(y, one) for y, one in found if one is not None]
            heights = [y + (place - (len(methods) - 1) / 2) / (len(methods) + 1) for y, _ in there]
            ends = [[one.value - one.low for _, one in there], [one.high - one.value for _, one in there]]
            style = {"color": COLOURS[place], "marker": MARKERS[place], "markersize": 3.5, "linewidth": 1}
            axes.errorbar(
                [one.value for _, one in there], heights, xerr=ends, label=name(method), linestyle="", **style
            )
        axes.axvline(0, color=FAINT, linewidth=0.8)
        axes.set_yticks(range(len(languages)), [language(key) for key in languages])
        axes.set_ylim(len(languages) - 0.5, -0.5)
        axes.set_xlabel("points over zero-shot, 95 % interval")
        figure.legend(loc="outside lower center", ncols=4)
        return svg_of(figure)


def estimates(cells: Sequence[Finished]) -> str:
    """The estimate without labels against the truth, a point a state."""
    with rc_context(STYLE):
        figure, [axes] = panels(1, 1, (4.5, 4.2))
        for place, corpus in enumerate(dict.fromkeys(CORPORA.get(cell.key[0], cell.key[0]) for cell in cells)):
            of = [row for row in estimate_rows(cells) if CORPORA.get(row[0][0], row[0][0]) == corpus]
            style = {"color": COLOURS[place % 7], "marker": MARKERS[place % 7], "s": 12}
            axes.scatter([row[3] for row in of], [row[2] for row in of], label=corpus, **style)
        axes.plot([0, 100], [0, 100], color=FAINT, linewidth=0.8)
        axes.set_xlabel("true score")
        axes.set_ylabel("estimate without labels")
        axes.legend()
        return svg_of(figure)


def explained(cells: Sequence[Finished]) -> str:
    """UXLA's gain against zero-shot quality, the distance to the source's score, and the amount of raw text."""
    rows = [*gain_rows(cells)]
    labels = ("zero-shot score", "points below the source", "raw sentences there are")
    with rc_context(STYLE):
        figure, axes = panels(1, 3, (9, 3))
        for place, (one, label) in enumerate(zip(axes, labels, strict=True)):
            one.scatter(
                [values[place] for _, values in rows], [values[3] for _, values in rows], s=12, color=COLOURS[0]
            )
            for key, values in rows:
                one.annotate(
                    key[1][:3], (values[place], values[3]), fontsize=6, xytext=(2, 2), textcoords="offset points"
                )
            one.axhline(0, color=FAINT, linewidth=0.8)
            one.set_xlabel(label)
        axes[2].set_xscale("log")
        axes[0].set_ylabel("gain of UXLA in points")
        return svg_of(figure)
