"""The table of a run: from what `results.json` holds to rows, Markdown and a table for the terminal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from uxla.errors import ArtifactError

VERSION = 2
"""The version of `results.json` that is read here; docs/results-schema.md describes it."""

METHODS = {
    "zero_shot": "zero-shot",
    "penalty": "+ confidence penalty",
    "ensemble": "ensemble of zero-shot",
    "mlm_tuned": "masked LM tuned first",
    "source_vicinity": "source and its vicinity",
    "self_training": "self-training",
    "tri_training": "tri-training",
    "tri_training_paper": "tri-training (the paper's)",
    "no_distillation": "UXLA, no distillation",
    "no_agreement": "UXLA, no agreement",
    "three_heads": "UXLA, three heads",
    "uxla": "UXLA, epoch {}",
    "uxla_ensemble": "UXLA (ensemble)",
    "translate_train": "translate-train",
    "supervised": "supervised (target labels)",
}
"""The methods' names in tables, in the order of their rows."""

_TOGETHER = ", together"
_TITLES = {
    name: title
    for method, own in METHODS.items()
    for name, title in ((method, own), (f"{method}{_TOGETHER}", f"{own} (ensemble)".replace(") (", ", ")))
}
"""The rows of a table: each method, and behind it its three models together where they were scored so."""

WARNING = "Warning: "
"""What a note begins with that is one of the run's warnings."""

_ESTIMATED = {"zero_shot": "zero-shot", "penalty": "+ confidence penalty", "uxla": "UXLA, epoch {}"}
METRICS = {"f1": "Entity F1 (as seqeval and conlleval count)", "accuracy": "Accuracy"}
"""What `mean` in `results.json` is, by the `metric` there."""

STRICT = "strict: F1 where an I- that continues no entity is none; equal to F1 where all labels are valid IOB2, as here"
_MACRO = "macro-F1: the mean of the classes' F1"
_BESIDE = {"strict_f1": ("strict", STRICT), "macro_f1": ("macro-F1", _MACRO)}
"""A second figure of a score: its column's name, and what is said of it below the table."""
_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five"}
_AGREEMENTS = {
    "exact": "peers agree on the whole sentence (agree: exact)",
    "token": "peers agree word by word, on at least {:.0f} % of a sentence (agree: token)",
    "none": "peers need not agree (agree: none)",
    "union": "one of the two peers is enough (agree: union)",
}
_LOUD = (
    "TARGET LABELS WERE USED to select checkpoints (adaptation.selection: target_dev, as in the paper): "
    "these figures are not zero-resource"
)


Cells = tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A method and its figures, one for each column; empty where the method has none."""

    method: str
    cells: Cells


@dataclass(frozen=True)
class Table:
    """One row a method; of each target a column with the main figure and, where scores have a second one, another.

    `notes` say what the figures are, `warning` what makes them unfair.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    warning: str | None


def table(results: Mapping[str, Any]) -> Table:
    """The rows of `results`: methods in the paper's order, the source last. `ArtifactError` for an alien version."""
    if results.get("version") != VERSION:
        got, remedy = results.get("version"), "run `uxla run` again with this version of uxla"
        raise ArtifactError(f"results.json: got version {got!r}, expected {VERSION}; {remedy}")
    targets = tuple(results["targets"])
    scores = list(_scores(results))
    beside = next((name for name in _BESIDE for score in scores if name in score), None)

    def cells(score: Mapping[str, Any] | None) -> tuple[str, ...]:
        return (_cell(score),) if beside is None else (_cell(score), _second(score, beside))

    def estimated_cells(estimate: Mapping[str, float] | None) -> tuple[str, ...]:
        return (_estimated_cell(estimate),) if beside is None else (_estimated_cell(estimate), "")

    methods = tuple(_method_rows(_with_ensembles(results["targets"]), _TITLES, cells))
    estimates = results.get("estimates", {})
    found = {target: estimates.get(target, {}) for target in targets}
    estimated = tuple(_method_rows(found, _ESTIMATED, estimated_cells, mark="estimated, no labels: "))
    source = tuple(_source_rows(results["source"], targets, cells))
    warning = _LOUD if results.get("selection") == "target_dev" else None
    notes = (*_notes(results, scores, beside), *agreement_notes(results), *_doubts(results, estimated=bool(estimated)))
    names = [(target,) if beside is None else (target, f"{target}, {_BESIDE[beside][0]}") for target in targets]
    return Table(tuple(chain.from_iterable(names)), (*methods, *estimated, *source), notes, warning)


def markdown(results: Mapping[str, Any]) -> str:
    """`table.md`: the table, and below it what its figures are."""
    found = table(results)
    lines = [f"**{found.warning}.**", ""] if found.warning else []
    if found.rows:
        lines += [_line("method", *found.columns), _line("---", *["---:"] * len(found.columns))]
        lines += [_line(row.method, *row.cells) for row in found.rows] + [""]
    return "\n".join([*lines, *(f"{note}." for note in found.notes)]) + "\n"


def rich_table(results: Mapping[str, Any]) -> Group:
    """The same for a terminal; the notes stand below the table, not squeezed to its width."""
    found = table(results)
    below = [Text(f"{note}.") for note in found.notes]
    if found.warning:
        below.insert(0, Text(f"{found.warning}.", style="bold red"))
    if not found.rows:
        return Group(*below)
    shown = RichTable("method")
    for column in found.columns:
        shown.add_column(column, justify="right")
    for row in found.rows:
        shown.add_row(row.method, *row.cells, style="bold" if row.method.startswith("UXLA") else None)
    return Group(shown, *below)


def _with_ensembles(targets: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The scores by method, those of methods' three models together under names of their own."""
    return {
        target: {**found, **{f"{method}{_TOGETHER}": score for method, score in found.get("ensembles", {}).items()}}
        for target, found in targets.items()
    }


def _method_rows(
    targets: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str], cells: Callable[[Any], Cells], mark: str = ""
) -> Iterator[Row]:
    for method, title in titles.items():
        if method == "uxla":
            epochs = zip_longest(*(found.get("uxla", ()) for found in targets.values()))
            for number, scores in enumerate(epochs, start=1):
                yield Row(mark + title.format(number), _joined(map(cells, scores)))
        elif any(method in found for found in targets.values()):
            yield Row(mark + title, _joined(cells(found.get(method)) for found in targets.values()))


def _source_rows(source: Mapping[str, Any], targets: tuple[str, ...], cells: Callable[[Any], Cells]) -> Iterator[Row]:
    if source.get("before") is not None:
        yield Row(f"source ({source['name']}), before", cells(source["before"]) * len(targets))
    if source.get("after"):
        after = _joined(cells(source["after"].get(target)) for target in targets)
        yield Row(f"source ({source['name']}), after", after)


def _joined(cells: Iterable[Cells]) -> Cells:
    return tuple(chain.from_iterable(cells))


def _cell(score: Mapping[str, Any] | None) -> str:
    """`41.20 ± 0.53`; one model has no deviation."""
    if score is None:
        return ""
    mean = f"{score['mean']:.2f}"
    return f"{mean} ± {score['sd']:.2f}" if len(score["models"]) > 1 else mean


def _second(score: Mapping[str, Any] | None, name: str) -> str:
    return "" if score is None or name not in score else f"{score[name]:.2f}"


def _estimated_cell(estimate: Mapping[str, float] | None) -> str:
    """`64 [35, 74]`: whole points, since no estimate is surer than that."""
    return "{score:.0f} [{low:.0f}, {high:.0f}]".format(**estimate) if estimate else ""


def agreement_notes(results: Mapping[str, Any]) -> list[str]:
    """How peers had to agree in the rows of tri-training: the run's way, or the paper's."""
    found, how = list(results["targets"].values()), _AGREEMENTS.get(results.get("agreement", ""))
    notes = []
    if how and any("tri_training" in methods for methods in found):
        epochs = max(len(methods.get("by_epoch", {}).get("tri_training", [0])) for methods in found)
        said = how.format(100 * results.get("min_agreed", 0))
        notes.append(f"{METHODS['tri_training']}: {said}; {epochs} epoch{'s' * (epochs > 1)}")
    if any("tri_training_paper" in methods for methods in found):
        notes.append(f"{METHODS['tri_training_paper']}: {_AGREEMENTS['exact']}; one epoch (Table 5, η = 100 %, ∩)")
    return notes


def _doubts(results: Mapping[str, Any], *, estimated: bool) -> Iterator[str]:
    """What to know of figures that no label has confirmed."""
    if estimated:
        yield (
            "Estimated, no labels: a prediction from the labels that the models give to the target's raw text; in "
            "brackets its 80 % interval. On a target far from the source both can be much too high"
        )
    for target, epoch in results.get("kept_epoch", {}).items():
        kept = f"those of epoch {epoch}" if epoch else "the warm-up's, for no epoch seems better"
        yield f"{target}: by the estimate the models kept are {kept}"
    yield from (f"{WARNING}{warning}" for warning in results.get("warnings", ()))


def _notes(results: Mapping[str, Any], scores: Sequence[Mapping[str, Any]], beside: str | None) -> tuple[str, ...]:
    if not scores:
        return ("No scores: no labelled test set was given (target_data.test, source.test)",)
    size = max(len(score["models"]) for score in scores)
    what = f"{METRICS[results['metric']]} in percent on the test set, mean ± standard deviation of"
    notes = [f"{what} {_COUNTS.get(size, size)} models", "An ensemble is one model: the mean of their probabilities"]
    return tuple(notes if beside is None else [*notes, _BESIDE[beside][1]])


def _scores(results: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for found in results["targets"].values():
        for method, score in found.items():
            if method in METHODS:
                yield from score if method == "uxla" else (score,)
        yield from found.get("ensembles", {}).values()
    source = results["source"]
    yield from (score for score in (source.get("before"), *(source.get("after") or {}).values()) if score)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
