"""The report: one HTML file about one or several runs, which loads nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from uxla import __version__
from uxla.errors import ArtifactError
from uxla.markup import Figure, Row, Table, csv_text
from uxla.methods.registry import find
from uxla.metrics import SpanCounts
from uxla.report.charts import Chart, reliability_chart, score_chart
from uxla.report.explorer import explored, packed
from uxla.report.folder import MADE_BY_RUN, RunFolder
from uxla.report.quality import quality_table
from uxla.report.scores import Score, by_epoch, every_score
from uxla.report.scoring import Calibration, Confusion, Group, by_class, by_length, calibration, confusion
from uxla.report.table import WARNING, run_table
from uxla.report.trainings import EpochFlow, flow, trainings_table
from uxla.report.verdict import Verdict, final_method, verdict

_WIDEST_CONFUSION = 30


@dataclass(frozen=True)
class TargetPart:
    """What the report has on one target of one run; None or empty where the run did not save it."""

    name: str
    verdict: Verdict
    flow: tuple[EpochFlow, ...]
    trainings: Table
    charts: tuple[Chart, ...]
    classes: Table
    lengths: Table
    confusion: Confusion | None
    labels: int
    """How many there are: of too many no confusion is shown."""
    calibration: Calibration | None
    quality: Table | None
    explorer: dict[str, Any] | None


@dataclass(frozen=True)
class RunPart:
    """What the report has on one run; `name` is unique in the report."""

    name: str
    run: RunFolder
    table: Table
    targets: tuple[TargetPart, ...]

    @property
    def notes(self) -> list[str]:
        """What the table's figures are; the run's warnings stand in its verdicts."""
        return [note for note in self.table.notes if not note.startswith(WARNING)]


def parts(runs: Mapping[str, RunFolder]) -> list[RunPart]:
    """A part of the report for each run. ArtifactError for a run whose files are damaged or do not fit together."""
    return [_part(name, run) for name, run in runs.items()]


def page(found: Sequence[RunPart]) -> str:
    """The HTML of the report. All text of users is escaped or encoded."""
    explorers = [
        {
            "run": run.name,
            "target": target.name,
            "tagging": run.run.results["task"] == "ner",
            "agreement": run.run.agreement,
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
            version=__version__,
        )
    )


def tables_markdown(found: Sequence[RunPart]) -> str:
    """The table of each run; with several, under its name."""
    if len(found) == 1:
        return found[0].table.markdown()
    return "\n".join(f"## {run.name}\n\n{run.table.markdown()}" for run in found)


def tables_csv(found: Sequence[RunPart]) -> str:
    """One line a score: run, target, method, epoch, mean, sd, strict_f1, macro_f1, models (divided by blanks).

    `source:before` and `source:after` are scores on the source's test set, `estimated:…` estimates without labels.
    """
    figures = ("mean", "sd", "strict_f1", "macro_f1")
    rows = [
        (run.name, target, method, epoch, *map(score.get, figures), " ".join(map(str, score.get("models", ()))))
        for run in found
        for target, method, epoch, score in _scores(run.run.results)
    ]
    return csv_text([("run", "target", "method", "epoch", *figures, "models"), *rows])


def _scores(results: Mapping[str, Any]) -> Iterator[tuple[str | None, str, int | None, Score]]:
    """Every score, and each estimate as one that has a mean only."""
    yield from every_score(results)
    for target, estimates in results.get("estimates", {}).items():
        for method, epoch, found in by_epoch(estimates):
            yield target, f"estimated:{method}", epoch, {"mean": found["score"]}


def _part(name: str, run: RunFolder) -> RunPart:
    try:
        targets = tuple(_target(run, target) for target in run.targets)
        return RunPart(name, run, run_table(run.results), targets)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        message = f"its files do not fit together ({type(error).__name__}: {error}), {MADE_BY_RUN}"
        raise ArtifactError(f"{run.path}: {message}; run again to rebuild them") from error


def _target(run: RunFolder, target: str) -> TargetPart:
    test, spans = run.test_set(target), run.results["task"] == "ner"
    traced, trainings = run.trace(target), run.results.get("trainings", ())
    sure = None if test is None else calibration(test)
    charts = (score_chart(run.results["targets"][target]), reliability_chart(sure))
    return TargetPart(
        target,
        verdict(run, target, test),
        flow(trainings, target, final_method(run.results, target, test)),
        trainings_table(trainings, target, run.results["task"]),
        tuple(chart for chart in charts if chart is not None),
        _class_table([] if test is None else by_class(test, spans=spans)),
        _length_table([] if test is None else by_length(test, spans=spans), "words" if spans else "characters"),
        None if test is None else confusion(test, spans=spans, widest=_WIDEST_CONFUSION),
        0 if test is None else len(test.label_names),
        sure,
        None if traced is None else quality_table(*traced, target, run.agreement),
        None if traced is None else explored(*traced, run.path / "trace" / f"{target}.parquet"),
    )


def _class_table(classes: Sequence[tuple[str, SpanCounts]]) -> Table:
    rows = [
        (name, f"{one.gold:,}", *(f"{x:.1f}" for x in (one.precision, one.recall, one.f1))) for name, one in classes
    ]
    return Table(("class",), ("gold", "precision", "recall", "F1"), tuple(map(_row, rows)))


def _length_table(groups: Sequence[Group], unit: str) -> Table:
    methods = [find(method).spoken for method in groups[0].scores] if groups else []
    rows = [(one.name, f"{one.examples:,}", *(f"{score:.1f}" for score in one.scores.values())) for one in groups]
    return Table((unit,), ("examples", *methods), tuple(map(_row, rows)))


def _row(texts: Sequence[str]) -> Row:
    return Row((texts[0],), tuple(map(Figure, texts[1:])))


def _comparison(found: Sequence[RunPart]) -> dict[str, list[Verdict | None]]:
    """By target, the verdict of each run that has it."""
    names = dict.fromkeys(target.name for run in found for target in run.targets)
    of_run = [{target.name: target.verdict for target in run.targets} for run in found]
    return {name: [verdicts.get(name) for verdicts in of_run] for name in names}


@cache
def _environment() -> Environment:
    loader = PackageLoader("uxla.report")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals |= {"widest": _WIDEST_CONFUSION}
    made.globals["asset"] = lambda name: Markup(loader.get_source(made, name)[0])
    made.filters["count"] = lambda value: f"{value:,.0f}"
    made.filters["signed"] = lambda value: f"{value:+.1f}".replace("-", "\N{MINUS SIGN}")
    made.filters["inline"] = lambda chart: Markup(chart.inline())
    made.filters["html"] = lambda table: Markup(table.html())
    return made
