"""What the paper's tables have in common: their runs, lines and columns, the paper's own rows, notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from uxla.errors import ArtifactError
from uxla.markup import Cell, Figure, Row, Table, shortened
from uxla.report.paper.published import PAPER, Published
from uxla.report.scores import Score
from uxla.report.table import ENSEMBLE, METRICS, STRICT, agreement_notes, score_text, unfair

Scores = Mapping[str, Any]
"""Scores of `results.json` by method, or by language."""

_TABLE_OF = {"ner": "1 or 2", "nli": "3", "paraphrase": "4"}


@dataclass(frozen=True)
class PaperRun:
    """A run with a unique name, its results and its configuration."""

    name: str
    results: Mapping[str, Any]
    config: Mapping[str, Any]

    @property
    def task(self) -> str:
        """The task's name in configurations."""
        return str(self.results["task"])

    @property
    def title(self) -> str:
        """The name, short enough for a table."""
        return shortened(self.name)

    @property
    def setting(self) -> str:
        """How much of the source's training data it used: `100 %`, `5 %`."""
        source = self.config["source"]
        share = f"{100 * source['share']:g} %"
        return share if source["take"] is None else f"{share}, at most {source['take']} examples"


@dataclass(frozen=True)
class Line:
    """A row: what names it, and for each column a score, a text as it is, or nothing; `own` columns stand out."""

    names: tuple[str, ...]
    values: tuple[Score | str | None, ...]
    section: str = ""
    own: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Column:
    """One language under a title; its scores by setting, so that one column serves a run at 5 % and one at 100 %."""

    title: str
    language: str
    scores: Mapping[str, Scores]


@dataclass(frozen=True)
class Entry:
    """One run's scores for one column."""

    title: str
    language: str
    run: PaperRun
    scores: Scores


def figure_table(
    title: str,
    names: tuple[str, ...],
    columns: Sequence[str],
    lines: Sequence[Line],
    *,
    notes: Sequence[str],
    warnings: tuple[str, ...],
) -> Table:
    """The lines as a table, with the strict F1 in a column beside each where any score has one."""
    strict = any(isinstance(value, Mapping) and value.get("strict_f1") for line in lines for value in line.values)
    heads = [head for column in columns for head in ((column, f"{column}, strict") if strict else (column,))]
    rows = [Row(one.names, tuple(_cells(one, strict)), one.section) for one in lines]
    notes = (*notes, STRICT) if strict else notes
    return Table(names, tuple(heads), tuple(rows), title, tuple(notes), warnings, shortens=True)


def columns(entries: Iterable[Entry]) -> list[Column]:
    """A column for each title in the order of their first appearance; of several runs that gave the same language in
    the same setting, one for each run. Entries that say the same twice count once."""
    found: list[Column] = []
    listed = list(entries)
    order = list(dict.fromkeys(entry.title for entry in listed))
    listed.sort(key=lambda entry: order.index(entry.title))
    for title, group in groupby(listed, key=lambda entry: entry.title):
        unlike: list[Entry] = []
        for entry in group:
            if not any((e.run.setting, e.scores) == (entry.run.setting, entry.scores) for e in unlike):
                unlike.append(entry)
        if len({entry.run.setting for entry in unlike}) == len(unlike):
            found.append(Column(title, unlike[0].language, {entry.run.setting: entry.scores for entry in unlike}))
        else:
            found += [Column(f"{title} ({e.run.title})", e.language, {e.run.setting: e.scores}) for e in unlike]
    return found


def settings(runs: Sequence[PaperRun]) -> list[str]:
    """The distinct settings of the runs; those with all source data come first."""
    return sorted({run.setting for run in runs}, key=lambda setting: (setting != "100 %", setting))


def paper_lines(table: Published, languages: Sequence[str], shares: Sequence[str]) -> Iterator[Line]:
    """The paper's rows for `languages`, of those blocks that hold for one of `shares`; none where it has none of the
    languages."""
    if not set(languages) & set(table.languages):
        return
    for block, rows in table.blocks.items():
        share = block.rpartition(", ")[2]
        if share.endswith(" %") and share not in shares:
            continue
        title = f"{PAPER}: {block}" if block else PAPER
        for name, cells in rows.items():
            yield Line((name,), tuple(map(cells.get, languages)), title)


def require_task(number: int, table: Published, runs: Sequence[PaperRun]) -> None:
    """ArtifactError for a run of another task than the table's."""
    for run in runs:
        if run.task != table.task:
            fitting = (
                f"table {_TABLE_OF[run.task]} is for it" if run.task in _TABLE_OF else "the paper has no table of it"
            )
            expected = f"task {run.task!r}, expected {table.task!r} for table {number} ({table.title})"
            raise ArtifactError(f"{run.name}: {expected}; give runs of that task, or another number: {fitting}")


def require_one_task(runs: Sequence[PaperRun]) -> None:
    """ArtifactError for runs of different tasks, whose scores cannot be compared."""
    for run in runs[1:]:
        if run.task != runs[0].task:
            message = f"task {run.task!r}, expected {runs[0].task!r} as {runs[0].name} has"
            raise ArtifactError(f"{run.name}: {message}; give runs of one task")


def paper_notes(table: Published, languages: Sequence[str], task: str) -> list[str]:
    """Notes on the paper's own figures, or that it has none for these languages."""
    if task != table.task:
        return [f"The paper has this table for {table.task} only, so its figures are not shown"]
    if set(languages) & set(table.languages):
        return [f"The paper: {note}" for note in table.notes]
    return [f"The paper has figures for other languages only: {', '.join(table.languages)}"]


def run_notes(runs: Sequence[PaperRun]) -> list[str]:
    """What the runs' figures are, and which runs have warnings."""
    metric = METRICS[runs[0].results["metric"]]
    notes = [f"{metric} in percent on the test set, mean ± standard deviation of a method's models"]
    for run in runs:
        notes += [f"{run.title}: {note}" for note in agreement_notes(run.results)]
        if doubts := len(run.results.get("warnings", ())):
            notes.append(f"{run.title}: {doubts} warning{'s' * (doubts > 1)}, see its table.md")
    return notes


def ensemble_notes(runs: Sequence[PaperRun]) -> list[str]:
    """What an ensemble is and, where an estimate chose the epoch, from which epoch its models come."""
    notes = [ENSEMBLE]
    for run in runs:
        for target, epoch in run.results.get("kept_epoch", {}).items():
            chosen = f"epoch {epoch}" if epoch else "the warm-up"
            notes.append(f"{run.title}, {target}: UXLA's ensemble is that of {chosen}, which the estimate chose")
    return notes


def warnings(runs: Sequence[PaperRun]) -> tuple[str, ...]:
    """What makes figures unfair, by run."""
    return tuple(f"{run.title}: {warning}" for run in runs for warning in unfair(run.results))


def _cells(line: Line, strict: bool) -> Iterator[Cell]:
    for value, own in zip(line.values, line.own or [False] * len(line.values), strict=True):
        if value is None or isinstance(value, str):
            yield value or ""
        else:
            sd = float(value["sd"]) if len(value["models"]) > 1 else None
            yield Figure(score_text(value), own, (float(value["mean"]), sd))
        if strict:
            second = value.get("strict_f1") if isinstance(value, Mapping) else None
            yield "" if second is None else Figure(f"{second:.2f}", values=(second, None))
