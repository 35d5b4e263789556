"""The table of a run: from what `results.json` holds to rows, Markdown and a table for the terminal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from uxla.errors import ArtifactError

VERSION = 1
"""The version of `results.json` that is read here; docs/results-schema.md describes it."""

METHODS = {
    "zero_shot": "zero-shot",
    "penalty": "+ confidence penalty",
    "ensemble": "ensemble of zero-shot",
    "mlm_tuned": "masked LM tuned first",
    "source_vicinity": "source and its vicinity",
    "self_training": "self-training",
    "tri_training": "tri-training",
    "no_distillation": "UXLA, no distillation",
    "no_agreement": "UXLA, no agreement",
    "three_heads": "UXLA, three heads",
    "uxla": "UXLA, epoch {}",
    "uxla_ensemble": "UXLA (ensemble)",
    "translate_train": "translate-train",
    "supervised": "supervised (target labels)",
}
"""The methods' names in tables, in the order of their rows."""

WARNING = "Warning: "
"""What a note begins with that is one of the run's warnings."""

_ESTIMATED = {"zero_shot": "zero-shot", "penalty": "+ confidence penalty", "uxla": "UXLA, epoch {}"}
_METRICS = {"ner": "Strict entity F1", "nli": "Accuracy", "paraphrase": "Accuracy", "classification": "Accuracy"}
_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five"}
_LOUD = (
    "TARGET LABELS WERE USED to select checkpoints (adaptation.selection: target_dev, as in the paper): "
    "these figures are not zero-resource"
)


@dataclass(frozen=True)
class Row:
    """A method and its figure for each target; empty where the method has none."""

    method: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One row a method, one column a target; `notes` say what the figures are, `warning` what makes them unfair."""

    targets: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    warning: str | None


def table(results: Mapping[str, Any]) -> Table:
    """The rows of `results`: methods in the paper's order, the source last. `ArtifactError` for an alien version."""
    if results.get("version") != VERSION:
        got, remedy = results.get("version"), "run `uxla run` again with this version of uxla"
        raise ArtifactError(f"results.json: got version {got!r}, expected {VERSION}; {remedy}")
    targets = tuple(results["targets"])
    methods = tuple(_method_rows(results["targets"], METHODS, _cell))
    estimates = results.get("estimates", {})
    found = {target: estimates.get(target, {}) for target in targets}
    estimated = tuple(_method_rows(found, _ESTIMATED, _estimated_cell, mark="estimated, no labels: "))
    source = tuple(_source_rows(results["source"], targets))
    warning = _LOUD if results.get("selection") == "target_dev" else None
    notes = (*_notes(results, scored=bool(methods or source)), *_doubts(results, estimated=bool(estimated)))
    return Table(targets, (*methods, *estimated, *source), notes, warning)


def markdown(results: Mapping[str, Any]) -> str:
    """`table.md`: the table, and below it what its figures are."""
    found = table(results)
    lines = [f"**{found.warning}.**", ""] if found.warning else []
    if found.rows:
        lines += [_line("method", *found.targets), _line("---", *["---:"] * len(found.targets))]
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
    for target in found.targets:
        shown.add_column(target, justify="right")
    for row in found.rows:
        shown.add_row(row.method, *row.cells, style="bold" if row.method.startswith("UXLA") else None)
    return Group(shown, *below)


def _method_rows(
    targets: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str], cell: Callable[[Any], str], mark: str = ""
) -> Iterator[Row]:
    for method, title in titles.items():
        if method == "uxla":
            epochs = zip_longest(*(found.get("uxla", ()) for found in targets.values()))
            for number, scores in enumerate(epochs, start=1):
                yield Row(mark + title.format(number), tuple(map(cell, scores)))
        elif any(method in found for found in targets.values()):
            yield Row(mark + title, tuple(cell(found.get(method)) for found in targets.values()))


def _source_rows(source: Mapping[str, Any], targets: tuple[str, ...]) -> Iterator[Row]:
    if source.get("before") is not None:
        yield Row(f"source ({source['name']}), before", (_cell(source["before"]),) * len(targets))
    if source.get("after"):
        cells = tuple(_cell(source["after"].get(target)) for target in targets)
        yield Row(f"source ({source['name']}), after", cells)


def _cell(score: Mapping[str, Any] | None) -> str:
    """`41.20 ± 0.53`; one model has no deviation; conlleval's figure only where it differs."""
    if score is None:
        return ""
    mean, conlleval = f"{score['mean']:.2f}", score.get("conlleval")
    text = f"{mean} ± {score['sd']:.2f}" if len(score["models"]) > 1 else mean
    if "macro_f1" in score:
        return f"{text} (macro-F1 {score['macro_f1']:.2f})"
    return text if conlleval is None or f"{conlleval:.2f}" == mean else f"{text} (conlleval {conlleval:.2f})"


def _estimated_cell(estimate: Mapping[str, float] | None) -> str:
    """`64 [35, 74]`: whole points, since no estimate is surer than that."""
    return "{score:.0f} [{low:.0f}, {high:.0f}]".format(**estimate) if estimate else ""


def _doubts(results: Mapping[str, Any], *, estimated: bool) -> Iterator[str]:
    """What to know of figures that no label has confirmed."""
    if estimated:
        yield (
            "Estimated, no labels: what models that saw no target sentence hold of the labels given to its raw text, "
            "read against the source's dev set; in brackets the interval meant to hold the true score in 4 of 5 cases"
        )
    for target, epoch in results.get("kept_epoch", {}).items():
        kept = f"those of epoch {epoch}" if epoch else "the warm-up's, for no epoch seems better"
        yield f"{target}: by the estimate the models kept are {kept}"
    yield from (f"{WARNING}{warning}" for warning in results.get("warnings", ()))


def _notes(results: Mapping[str, Any], *, scored: bool) -> tuple[str, ...]:
    if not scored:
        return ("No scores: no labelled test set was given (target_data.test, source.test)",)
    size = max((len(score["models"]) for score in _scores(results)), default=1)
    what = f"{_METRICS.get(results['task'], 'Score')} in percent on the test set, mean ± standard deviation of"
    notes = [f"{what} {_COUNTS.get(size, size)} models", "An ensemble is one model: the mean of their probabilities"]
    if any(
        f"{score['mean']:.2f}" != f"{score['conlleval']:.2f}" for score in _scores(results) if _has_conlleval(score)
    ):
        notes.append("conlleval: F1 as the CoNLL script counts (an I- may begin an entity), where it differs")
    return tuple(notes)


def _has_conlleval(score: Mapping[str, Any]) -> bool:
    return score.get("conlleval") is not None


def _scores(results: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for found in results["targets"].values():
        for method, score in found.items():
            if method in METHODS:
                yield from score if method == "uxla" else (score,)
    source = results["source"]
    yield from (score for score in (source.get("before"), *(source.get("after") or {}).values()) if score)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
