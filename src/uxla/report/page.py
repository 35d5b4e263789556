"""The report: one HTML file about one or several runs that asks for nothing from outside itself."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from uxla import __version__
from uxla.errors import ArtifactError
from uxla.metrics import SpanCounts
from uxla.report.charts import Chart, reliability_chart, score_chart
from uxla.report.explorer import explored, packed
from uxla.report.flow import EpochFlow, flow
from uxla.report.folder import MADE_BY_RUN, RunFolder
from uxla.report.quality import Quality, quality
from uxla.report.scoring import Calibration, Confusion, Group, by_class, by_length, calibration, confusion
from uxla.report.table import Table, markdown, table
from uxla.report.verdict import METHODS, Verdict, verdict

_WIDEST_CONFUSION = 30


@dataclass(frozen=True)
class TargetPart:
    """All that is said about one target of one run; what a run did not keep is None or empty."""

    name: str
    verdict: Verdict
    flow: tuple[EpochFlow, ...]
    charts: tuple[Chart, ...]
    classes: list[tuple[str, SpanCounts]]
    lengths: list[Group]
    confusion: Confusion | None
    calibration: Calibration | None
    quality: list[Quality]
    explorer: dict[str, Any] | None


@dataclass(frozen=True)
class RunPart:
    """All that is said about one run."""

    name: str
    run: RunFolder
    table: Table
    targets: tuple[TargetPart, ...]


def parts(runs: Sequence[RunFolder]) -> list[RunPart]:
    """What there is to say about each run. ArtifactError for a run whose files are damaged or do not fit together."""
    return [_part(run) for run in runs]


def page(found: Sequence[RunPart]) -> str:
    """The HTML of the report. All text of users' is escaped, or data that no parser of HTML looks into."""
    explorers = [
        {"run": run.name, "target": target.name, "tagging": run.run.results["task"] == "ner", **target.explorer}
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
        return markdown(found[0].run.results)
    return "\n".join(f"## {run.name}\n\n{markdown(run.run.results)}" for run in found)


def tables_csv(found: Sequence[RunPart]) -> str:
    """One line a score: run, target, method, epoch, mean, sd, conlleval, macro_f1, models (divided by blanks)."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(["run", "target", "method", "epoch", "mean", "sd", "conlleval", "macro_f1", "models"])
    for run in found:
        for target, methods in run.run.results["targets"].items():
            for method, epoch, score in _scores(methods):
                figures = [score["mean"], score["sd"], score.get("conlleval"), score.get("macro_f1")]
                models = " ".join(map(str, score["models"]))
                writer.writerow([run.name, target, method, epoch, *figures, models])
    return written.getvalue()


def _scores(methods: Mapping[str, Any]) -> Iterator[tuple[str, int | None, Mapping[str, Any]]]:
    for method, found in methods.items():
        if isinstance(found, list):
            yield from ((method, epoch, score) for epoch, score in enumerate(found, start=1))
        elif "models" in found:
            yield method, None, found


def _part(run: RunFolder) -> RunPart:
    try:
        targets = tuple(_target(run, target) for target in run.targets)
        return RunPart(run.name, run, table(run.results), targets)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        message = f"its files do not fit together ({type(error).__name__}: {error}), {MADE_BY_RUN}"
        raise ArtifactError(f"{run.path}: {message}; run again: they are written anew") from error


def _target(run: RunFolder, target: str) -> TargetPart:
    test, spans = run.test_set(target), run.results["task"] == "ner"
    traced = run.trace(target)
    sure = None if test is None else calibration(test)
    charts = (score_chart(run.results["targets"][target]), reliability_chart(sure))
    return TargetPart(
        target,
        verdict(run, target, test),
        flow(run.events, target),
        tuple(chart for chart in charts if chart is not None),
        [] if test is None else by_class(test, spans=spans),
        [] if test is None else by_length(test, spans=spans),
        None if test is None or len(test.label_names) > _WIDEST_CONFUSION else confusion(test),
        sure,
        [] if traced is None else quality(*traced, target),
        None if traced is None else explored(*traced, run.path / "trace" / f"{target}.parquet"),
    )


def _comparison(found: Sequence[RunPart]) -> dict[str, list[Verdict | None]]:
    """By target, the verdict of each run that has it."""
    names = dict.fromkeys(target.name for run in found for target in run.targets)
    of_run = [{target.name: target.verdict for target in run.targets} for run in found]
    return {name: [verdicts.get(name) for verdicts in of_run] for name in names}


@cache
def _environment() -> Environment:
    loader = PackageLoader("uxla.report")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals["methods"] = METHODS
    made.globals["asset"] = lambda name: Markup(loader.get_source(made, name)[0])
    made.filters["count"] = lambda value: f"{value:,.0f}"
    made.filters["signed"] = lambda value: f"{value:+.1f}".replace("-", "\N{MINUS SIGN}")
    made.filters["inline"] = lambda chart: Markup(chart.inline())
    return made
