"""Table 5, distillation and agreement after epoch 1, and Table 6, adapted models on every language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from uxla.errors import ArtifactError
from uxla.markup import Table
from uxla.report.paper.published import PAPER, Published, published
from uxla.report.paper.runs import (
    Column,
    Entry,
    Line,
    PaperRun,
    columns,
    ensemble_notes,
    figure_table,
    paper_lines,
    paper_notes,
    run_notes,
    warnings,
)
from uxla.report.scores import Score
from uxla.report.table import METHODS

_CLUSTERING, _CONFIDENCE = "clustering", "model confidence"
_AGREEMENTS = {"exact": "∩", "none": "φ", "token": "∩ by word", "union": "∪"}
_BEFORE = "before"


def distillation_table(runs: Sequence[PaperRun]) -> Table:
    """Table 5: a row for each run, and for those of its baselines that differ from it in distillation only."""
    theirs = published(5)
    targets = tuple(dict.fromkeys(target for run in runs for target in run.results["targets"]))
    rows = [row for run in runs for row in _distilled(run, targets) if any(row.values)]
    own = sorted(rows, key=lambda row: row.section != _CLUSTERING)
    beside = list(_paper_distilled(theirs, targets)) if runs[0].task == theirs.task else []
    return figure_table(
        f"Table 5: {theirs.title}",
        ("η", "agreement", "run"),
        targets,
        [*own, *beside],
        notes=(*run_notes(runs), *_other_data(runs), *paper_notes(theirs, targets, runs[0].task)),
        warnings=warnings(runs),
    )


def transfer_table(runs: Sequence[PaperRun]) -> Table:
    """Table 6: a row for each language scored, a column for the warm-up and for each language adapted to."""
    theirs = published(6)
    for run in runs:
        if not run.results.get("transfer"):
            remedy = "expected a run of method uxla with test sets, by this version; run again: finished work is kept"
            raise ArtifactError(f"{run.name}: its models' scores on every language are not in results.json, {remedy}")
    shown = [*_before(runs), *(part for column in columns(_after(runs)) for part in _by_setting(column))]
    found = [next(iter(column.scores.values())) for column in shown]
    spoken = list(dict.fromkeys(language for scores in found for language in scores))
    lines = [
        Line((name,), tuple(scores.get(name) for scores in found), own=tuple(one.language == name for one in shown))
        for name in spoken
    ]
    titles = [column.language for column in shown]
    if runs[0].task == theirs.task and set(spoken) & set(theirs.languages):
        rows = theirs.blocks[""].items()
        lines += [Line((name,), tuple(map(row.get, titles)), PAPER) for name, row in rows if name in spoken]
    return figure_table(
        f"Table 6: {theirs.title}",
        ("scored on",),
        [column.title for column in shown],
        lines,
        notes=(
            *run_notes(runs),
            "Each figure is that of an ensemble",
            *ensemble_notes(runs),
            *paper_notes(theirs, spoken, runs[0].task),
        ),
        warnings=warnings(runs),
    )


def _distilled(run: PaperRun, targets: Sequence[str]) -> Iterator[Line]:
    """A line for each way of distilling in epoch 1, and the scores after it."""
    schedule, agree = run.config["schedule"], run.config["agree"]["kind"]
    agreement = _AGREEMENTS.get(agree, agree)
    stage, threshold = _threshold(schedule[0])
    ways = {
        "uxla": (stage, threshold, agreement),
        "no_agreement": (stage, threshold, _AGREEMENTS["none"]),
        "no_distillation": (_CONFIDENCE, "100 %", agreement),
        "tri_training": (_CONFIDENCE, "100 %", agreement),
        "tri_training_paper": (_CONFIDENCE, "100 %", _AGREEMENTS["exact"]),
    }
    for method, (section, *how) in ways.items():
        scores = [_first(run.results["targets"].get(target, {}), method, len(schedule)) for target in targets]
        name = run.title if method == "uxla" else f"{run.title}, {METHODS[method]}"
        yield Line((*how, name), tuple(scores), section)


def _first(found: Mapping[str, Any], method: str, epochs: int) -> Score | None:
    """The method's score after epoch 1; where it has one epoch only, its final score."""
    scores = found.get("uxla") if method == "uxla" else found.get("by_epoch", {}).get(method)
    one = epochs == 1 or method == "tri_training_paper"
    only: Score | None = found.get(method) if one else None
    return scores[0] if scores else only


def _threshold(plan: Mapping[str, Any]) -> tuple[str, str]:
    select = plan["select"]
    if select["kind"] == "confidence":
        return _CONFIDENCE, f"{100 * select['share']:g} %" + (" of each class" if select["per_class"] else "")
    if select["kind"] == "clustering":
        features = f" ({', '.join(['loss', *select['features']])})" if select["features"] else ""
        return _CLUSTERING, f"{select['threshold']:g}{features}"
    return select["kind"], ""


def _paper_distilled(table: Published, targets: Sequence[str]) -> Iterator[Line]:
    """The paper's rows, whose names are η and the agreement's sign."""
    for line in paper_lines(table, targets, ()):
        yield replace(line, names=(*line.names[0].rsplit(" ", 1), ""))


def _other_data(runs: Sequence[PaperRun]) -> Iterator[str]:
    for run in runs:
        data = run.config["schedule"][0]["data"]
        if set(data) != {"source", "target"}:
            yield f"{run.title}: its epoch 1 trains on {', '.join(data)}, the paper's on source and target"


def _before(runs: Sequence[PaperRun]) -> list[Column]:
    """The warm-ups: one column for all runs whose scores are equal on the languages they share."""
    merged: list[tuple[str, dict[str, Any]]] = []
    for run in runs:
        new = dict(run.results["transfer"]["before"])
        for _, old in merged:
            shared = old.keys() & new.keys()
            if shared and all(old[language] == new[language] for language in shared):
                old.update(new)
                break
        else:
            merged.append((run.title, new))
    titles = [_BEFORE] if len(merged) == 1 else [f"{_BEFORE} ({title})" for title, _ in merged]
    return [Column(title, _BEFORE, {"": scores}) for title, (_, scores) in zip(titles, merged, strict=True)]


def _after(runs: Sequence[PaperRun]) -> Iterator[Entry]:
    for run in runs:
        for target, scores in run.results["transfer"]["after"].items():
            yield Entry(target, target, run, scores)


def _by_setting(column: Column) -> Iterator[Column]:
    """A column for each setting; with several settings each is named, since this table has no sections for them."""
    for setting, scores in column.scores.items():
        title = column.title if len(column.scores) == 1 else f"{column.title} ({setting})"
        yield Column(title, column.language, {setting: scores})
