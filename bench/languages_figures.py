"""The pictures of docs/results.md about real languages, as SVG, from finished cells of `bench/languages.py`."""

from collections.abc import Sequence

from languages_descriptions import estimate_rows, gains_of
from languages_names import CORPORA, TASKS, language, name
from languages_records import Finished
from languages_scores import by_key, common_seeds, difference
from matplotlib import rc_context
from matplotlib.axes import Axes

from uxla.report.figures import COLOURS, FAINT, MARKERS, STYLE, panels, svg_of

BLUE, VERMILION, GREEN, PINK, ORANGE, SKY, BLACK = COLOURS
METHODS = {
    "penalty": (FAINT, "o"),
    "snapshots": (FAINT, "s"),
    "weight_mean": (FAINT, "^"),
    "mlm_tuned": (PINK, "P"),
    "self_training": (ORANGE, "D"),
    "tri_training_paper": (ORANGE, "v"),
    "tri_training": (VERMILION, "s"),
    "uxla, epoch 1": (SKY, "o"),
    "uxla, epoch 2": (SKY, "s"),
    "uxla": (BLUE, "o"),
    "averaged": (GREEN, "^"),
    "supervised": (BLACK, "X"),
    "ensemble": (FAINT, "o"),
    "tri_training_ensemble": (VERMILION, "s"),
    "uxla_ensemble": (BLUE, "o"),
}
"""The colour and the marker of each row."""
TOGETHER = ("ensemble", "tri_training_ensemble", "uxla_ensemble")
"""Rows of three models together: hollow markers."""


def gains(cells: Sequence[Finished]) -> str:
    """The gain of each method over zero-shot's single models, by language, with 95 % intervals, a panel a task."""
    tasks = [[cell for cell in cells if cell.facts["task"] == task] for task in TASKS]
    tasks = [of for of in tasks if of]
    methods = [row for row in METHODS if any(row in cell.counted for cell in cells)]
    rows = max(len(by_key(of)) for of in tasks)
    with rc_context(STYLE):
        figure, axes = panels(1, len(tasks), (9, 1.6 + 0.1 * rows * (len(methods) + 1)))
        for one, of in zip(axes, tasks, strict=True):
            _gains(one, of, methods)
        drawn = [pair for one in axes for pair in zip(*one.get_legend_handles_labels(), strict=True)]
        handles = {label: handle for handle, label in drawn}
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)
        return svg_of(figure)


def _gains(axes: Axes, cells: Sequence[Finished], methods: Sequence[str]) -> None:
    languages = by_key(cells)
    for place, method in enumerate(methods):
        colour, marker = METHODS[method]
        hollow = {"markerfacecolor": "white"} if method in TOGETHER else {}
        found = [(y, difference([of], method, "zero_shot")) for y, of in enumerate(languages.values())]
        there = [(y, one) for y, one in found if one is not None]
        heights = [y + (place - (len(methods) - 1) / 2) / (len(methods) + 1) for y, _ in there]
        ends = [[one.value - one.low for _, one in there], [one.high - one.value for _, one in there]]
        style = {"color": colour, "marker": marker, "markersize": 3.5, "linewidth": 0.9, "linestyle": "", **hollow}
        axes.errorbar([one.value for _, one in there], heights, xerr=ends, label=_label(method, cells), **style)
    axes.axvline(0, color=FAINT, linewidth=0.8)
    for y in range(1, len(languages)):
        axes.axhline(y - 0.5, color=FAINT, linewidth=0.3)
    axes.set_xlabel("points over zero-shot's single models, 95 % interval")
    axes.set_title(TASKS[cells[0].facts["task"]])
    axes.set_yticks(range(len(languages)), [language(key) for key in languages])
    axes.set_ylim(len(languages) - 0.5, -0.5)


def _label(method: str, cells: Sequence[Finished]) -> str:
    """The row's name, and over how many seeds it is where other rows have more."""
    languages = [*by_key(cells).values()]
    both, every = len(common_seeds(languages, method, "zero_shot")), max(map(len, languages))
    return name(method) + f" ({both} of {every} seeds)" * (0 < both < every)


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
    """UXLA's gain against zero-shot quality and the distance from English."""
    labels = ("zero-shot score", "distance of the grammar from English")
    with rc_context(STYLE):
        figure, axes = panels(1, 2, (8, 3.2))
        for number, (task, title) in enumerate(TASKS.items()):
            rows = gains_of([cell for cell in cells if cell.facts["task"] == task])
            for place, one in enumerate(axes):
                style = {"s": 14, "color": COLOURS[number], "marker": MARKERS[number], "label": title}
                if rows:
                    one.scatter([values[place] for values in rows.values()], [v.gain for v in rows.values()], **style)
                for key, values in rows.items():
                    where = {"fontsize": 6, "xytext": (3, 2), "textcoords": "offset points"}
                    one.annotate(key[1][:3], (values[place], values.gain), **where)
        for one, label in zip(axes, labels, strict=True):
            one.axhline(0, color=FAINT, linewidth=0.8)
            one.set_xlabel(label)
        axes[0].set_ylabel("gain of UXLA in points")
        axes[0].legend()
        return svg_of(figure)
