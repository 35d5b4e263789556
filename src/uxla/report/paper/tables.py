"""The paper's Tables 1 to 8 made from runs, with the paper's own figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from uxla.markup import Table
from uxla.methods import registry
from uxla.report.paper.ablations import distillation_table, transfer_table
from uxla.report.paper.published import published
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
    require_one_task,
    require_task,
    run_notes,
    settings,
    warnings,
)
from uxla.report.paper.settings import settings_table
from uxla.report.scores import last_states
from uxla.report.table import METHODS

Groups = Mapping[str, Mapping[str, str]]
"""Titles of rows by group and method."""

_OWN = METHODS | {"uxla": "UXLA", "penalty_ensemble": "+ confidence penalty (ensemble)"}


def _group(*methods: str) -> Mapping[str, str]:
    return {method: _OWN[method] for method in methods}


def _of_group(group: str) -> Mapping[str, str]:
    found = [method.name for method in registry.METHODS.values() if method.group == group]
    return _group(*found, *(["uxla_ensemble"] if "uxla" in found else []))


_RESULTS: Groups = {
    "supervised": _of_group("supervised"),
    "zero-resource baseline": _of_group("baseline"),
    "the paper's method": _of_group("uxla"),
    "not in the paper's table": _of_group("extension"),
}
_ENSEMBLES: Groups = {"": _group("penalty", "penalty_ensemble", "uxla", "uxla_ensemble", "mlm_tuned")}


def paper_table(number: int, runs: Sequence[PaperRun]) -> Table:
    """Table `number`, 1 to 8, from at least one run. ArtifactError for runs it cannot be made from."""
    match number:
        case 5 | 6:
            require_one_task(runs)
            return distillation_table(runs) if number == 5 else transfer_table(runs)
        case 7:
            require_one_task(runs)
            return _methods_table(7, runs, _ENSEMBLES)
        case 8:
            return settings_table(runs)
    require_task(number, published(number), runs)
    return _methods_table(number, runs, _RESULTS)


def _methods_table(number: int, runs: Sequence[PaperRun], groups: Groups) -> Table:
    """Tables 1 to 4 and 7: a row a method, a column a language."""
    theirs = published(number)
    source = columns(_source_entries(runs)) if number < 5 else []
    shown = [*source, *columns(_target_entries(runs))]
    languages, shares = [column.language for column in shown], settings(runs)
    named = len(shares) > 1 or number in (3, 4)  # the paper has both shares for XNLI and PAWS-X
    own = [line for share in shares for line in _lines(groups, shown, share, named=named)]
    beside = list(paper_lines(theirs, languages, shares)) if runs[0].task == theirs.task else []
    notes = ["No scores: no labelled test set was given (target_data.test)"]
    if own:
        notes = [*run_notes(runs), *ensemble_notes(runs), "UXLA: after its last epoch"]
    return figure_table(
        f"Table {number}: {theirs.title}",
        ("method",),
        [column.title for column in shown],
        [*own, *beside],
        notes=(*notes, *paper_notes(theirs, languages, runs[0].task)),
        warnings=warnings(runs),
    )


def _lines(groups: Groups, shown: Sequence[Column], share: str, *, named: bool) -> Iterator[Line]:
    for group, methods in groups.items():
        section = ", ".join([part for part in (group, share if named else "") if part])
        for method, title in methods.items():
            scores = [column.scores.get(share, {}).get(method) for column in shown]
            if any(scores):
                yield Line((title,), tuple(scores), section)


def _target_entries(runs: Sequence[PaperRun]) -> Iterator[Entry]:
    for run in runs:
        before = run.results.get("transfer", {}).get("before", {})
        for target, found in run.results["targets"].items():
            yield Entry(target, target, run, {**last_states(found), "penalty_ensemble": before.get(target)})


def _source_entries(runs: Sequence[PaperRun]) -> Iterator[Entry]:
    """The source language itself, of which runs know the score before adaptation."""
    for run in runs:
        source = run.results["source"]
        if source.get("before") is not None:
            yield Entry(f"{source['name']}, source", source["name"], run, {"penalty": source["before"]})
