"""The report on one or several runs: one HTML file that needs no other file and no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from uxla import __version__
from uxla.markup import Figure, Row, Table, csv_text
from uxla.methods.method import Method
from uxla.methods.registry import find
from uxla.phrases import signed
from uxla.report import findings
from uxla.report.about import facts
from uxla.report.charts import Chart, reliability_chart, score_chart
from uxla.report.explorer import explored, packed
from uxla.report.folder import RunFolder, TestSet
from uxla.report.gains import Gains, class_gains, length_gains
from uxla.report.mistakes import MOST, mistakes
from uxla.report.quality import quality_table
from uxla.report.score_table import score_tables
from uxla.report.scores import Score, by_epoch, every_score, final_method_of, own_methods
from uxla.report.scoring import Calibration, Confusion, by_length, calibration, confusion, counts, score
from uxla.report.table import STRICT, WARNING, run_table
from uxla.report.trainings import NOUNS, EpochFlow, flow, trainings_table
from uxla.report.verdict import Verdict, verdict

_WIDEST_CONFUSION = 30


@dataclass(frozen=True)
class TestPart:
    """What the labels of a test set show."""

    __test__ = False  # not pytest's

    compared: tuple[str, str] | None
    """Before and after adaptation: the names of the two methods that `gains` and `mistakes` compare."""
    gains: tuple[tuple[str, Gains, str], ...]
    """By what, the parts of the test set, and what follows."""
    lengths: Table
    mistakes: dict[str, Any]
    confusion: Confusion | None
    confusion_said: str
    labels: int
    """The number of labels: if there are too many, no confusion is shown."""


@dataclass(frozen=True)
class TargetPart:
    """The report's content for one target of one run; None or empty if the run did not save it."""

    name: str
    verdict: Verdict
    scores: tuple[Table, Table]
    """The methods that matter, and the other rows."""
    charts: tuple[tuple[Chart, str], ...]
    """Each with what follows from it."""
    test: TestPart | None
    flow: tuple[EpochFlow, ...]
    flow_said: str
    trainings: Table
    quality: Table | None
    explorer: dict[str, Any] | None


@dataclass(frozen=True)
class RunPart:
    """The report's content for one run; `name` is unique in the report."""

    name: str
    run: RunFolder
    table: Table
    facts: tuple[tuple[str, str], ...]
    targets: tuple[TargetPart, ...]

    @property
    def notes(self) -> list[str]:
        """What the figures are, without the run's warnings, which its verdicts have."""
        shown = {column for target in self.targets for table in target.scores for column in table.columns}
        notes = [note for note in self.table.notes if not note.startswith(WARNING)]
        return [note for note in notes if note != STRICT or "strict" in shown]


def parts(runs: Mapping[str, RunFolder]) -> list[RunPart]:
    """A part of the report for each run. ArtifactError for a run whose files are damaged or do not fit together."""
    return [_part(name, run) for name, run in runs.items()]


def page(found: Sequence[RunPart]) -> str:
    """The HTML of the report. All text of users is escaped or encoded."""
    packed_mistakes = {
        (run.name, target.name): packed(target.test.mistakes | {"methods": target.test.compared or ["predicted"]})
        for run in found
        for target in run.targets
        if target.test is not None and target.test.mistakes["rows"]
    }
    explorers = [
        {
            "run": run.name,
            "target": target.name,
            "tagging": run.run.results["task"] == "ner",
            **target.explorer,
        }
        for run in found
        for target in run.targets
        if target.explorer is not None
    ]
    return (
        _environment()
        .get_template("page.html")
        .render(
            runs=found,
            comparison=_comparison(found) if len(found) > 1 else None,
            explorers=packed(explorers) if explorers else None,
            mistakes=packed_mistakes,
            version=__version__,
        )
    )


def tables_markdown(found: Sequence[RunPart]) -> str:
    """The table of each run, with headings if there are several."""
    if len(found) == 1:
        return found[0].table.markdown()
    return "\n".join(f"## {run.name}\n\n{run.table.markdown()}" for run in found)


def tables_csv(found: Sequence[RunPart]) -> str:
    """One line a score: run, target, method, epoch, mean, sd, strict_f1, macro_f1, models (divided by blanks).

    `source:before` and `source:after` are scores on the source's test set, `estimated:…` estimates without labels.
    """
    figures = ("mean", "sd", "strict_f1", "macro_f1")
    rows = [
        (run.name, target, method, epoch, *map(one.get, figures), " ".join(map(str, one.get("models", ()))))
        for run in found
        for target, method, epoch, one in _scores(run.run.results)
    ]
    return csv_text([("run", "target", "method", "epoch", *figures, "models"), *rows])


def _scores(results: Mapping[str, Any]) -> Iterator[tuple[str | None, str, int | None, Score]]:
    """Every score, and each estimate as one that has a mean only."""
    yield from every_score(results)
    for target, estimates in results.get("estimates", {}).items():
        for method, epoch, found in by_epoch(estimates):
            yield target, f"estimated:{method}", epoch, {"mean": found["score"]}


def _part(name: str, run: RunFolder) -> RunPart:
    targets = tuple(_target(run, target) for target in run.targets)
    return RunPart(name, run, run_table(run.results), tuple(facts(run)), targets)


def _target(run: RunFolder, target: str) -> TargetPart:
    results, test, traced = run.results, run.test_set(target), run.trace(target)
    trainings, known = results.get("trainings", ()), own_methods(results)
    final = test.final if test else final_method_of(results)
    said, epochs = verdict(run, target, test), flow(trainings, target, final)
    before = said.comparisons[0].method if said.comparisons else None
    return TargetPart(
        name=target,
        verdict=said,
        scores=score_tables(results, target, final),
        charts=tuple(_charts(results["targets"][target], None if test is None else calibration(test))),
        test=None if test is None else _tested(test, before, known, spans=results["task"] == "ner"),
        flow=epochs,
        flow_said=findings.of_flow(epochs),
        trainings=trainings_table(trainings, target, results["task"], known),
        quality=None if traced is None else quality_table(*traced, target),
        explorer=None if traced is None else explored(*traced, run.path / "trace" / f"{target}.parquet"),
    )


def _tested(test: TestSet, before: str | None, known: Sequence[Method], *, spans: bool) -> TestPart:
    confused = confusion(test, spans=spans, widest=_WIDEST_CONFUSION)
    return TestPart(
        compared=None if before is None else (find(before, known).spoken, find(test.final, known).spoken),
        gains=() if before is None else tuple(_gains(test, before, spans=spans)),
        lengths=_length_table(test, known, spans=spans),
        mistakes=mistakes(test, before, spans=spans),
        confusion=confused,
        confusion_said=findings.of_confusion(confused) if confused else "",
        labels=len(test.label_names),
    )


def _charts(scores: Mapping[str, Any], sure: Calibration | None) -> Iterator[tuple[Chart, str]]:
    if chart := score_chart(scores):
        yield chart, findings.of_scores(scores)
    if sure is not None:
        yield reliability_chart(sure), findings.of_calibration(sure)


def _gains(test: TestSet, before: str, *, spans: bool) -> Iterator[tuple[str, Gains, str]]:
    of_classes, of_lengths = class_gains(test, before, spans=spans), length_gains(test, before, spans=spans)
    title, parts = ("entity type", "entity types") if spans else ("class", "classes")
    yield title, of_classes, findings.of_gains(of_classes, parts)
    yield "length", of_lengths, findings.of_gains(of_lengths, "groups")


def _length_table(test: TestSet, known: Sequence[Method], *, spans: bool) -> Table:
    """Every method's score by length: a row a method, a column a group of lengths."""
    groups, rows = by_length(test, spans=spans), []
    for method in test.labels:
        found = counts(test, method, spans=spans)
        rows.append(Row((find(method, known).title,), tuple(Figure(f"{score(found[i]):.1f}") for i in groups.values())))
    return Table(("method",), tuple(groups), tuple(rows))


def _comparison(found: Sequence[RunPart]) -> dict[str, list[Verdict | None]]:
    """By target, the verdict of each run that has it."""
    names = dict.fromkeys(target.name for run in found for target in run.targets)
    of_run = [{target.name: target.verdict for target in run.targets} for run in found]
    return {name: [verdicts.get(name) for verdicts in of_run] for name in names}


@cache
def _environment() -> Environment:
    loader = PackageLoader("uxla.report")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals |= {"widest": _WIDEST_CONFUSION, "most_mistakes": MOST, "nouns": NOUNS}
    made.globals["asset"] = lambda name: Markup(loader.get_source(made, name)[0])
    made.filters["count"] = lambda value: f"{value:,.0f}"
    made.filters["signed"] = signed
    made.filters["inline"] = lambda chart: Markup(chart.inline())
    made.filters["html"] = lambda table: Markup(table.html())
    return made
