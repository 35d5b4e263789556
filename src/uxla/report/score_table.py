"""The page's table of scores: a row a method, with single models, ensemble and estimate side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uxla.markup import Figure, Row, Table
from uxla.methods import registry
from uxla.methods.method import Method
from uxla.report.scores import Score, by_epoch, ensembles, last_states, of_methods, own_methods
from uxla.report.table import ESTIMATE, SECOND, SINGLE, score_text


@dataclass(frozen=True)
class _Scored:
    """A row: its name, the score of single models, of the ensemble, and the estimate; None where there is none."""

    name: str
    single: Score | None
    together: Score | None = None
    estimate: Mapping[str, float] | None = None
    unlabelled: bool = True
    """Whether it had no labels of the target, so that it can be the best."""


def score_tables(results: Mapping[str, Any], target: str, final: str) -> tuple[Table, Table]:
    """The methods that matter: the run's, its baselines and those with target labels; and all other rows.

    The best score of each column without target labels stands out.
    """
    found, epoch = results["targets"][target], results.get("kept_epoch", {}).get(target)
    singles, together = last_states(found, epoch), ensembles(found)
    estimated = results.get("estimates", {}).get(target, {})
    estimates = last_states(estimated, epoch)
    names = {*singles, *together, *estimates} - {"ensemble", "uxla_ensemble"}
    methods = registry.ordered(names, own_methods(results))
    rows = {
        name: _Scored(method.title, singles.get(name), together.get(name), estimates.get(name), not method.needs)
        for name, method in methods.items()
    }
    main = [name for name, method in methods.items() if name == final or method.baseline or method.needs]
    more = [row for name, row in rows.items() if name not in main]
    more += [*_epochs(found, estimated, methods), *_source(results, target)]
    second = _second_figure([*rows.values(), *more])
    shown = [row for name in main for row in (rows[name], *(_single(found) if name == final else ()))]
    return _table(shown, second), _table(more, second)


def _single(found: Mapping[str, Any]) -> Iterator[_Scored]:
    """The one model in place of the run's three."""
    for kind, title in SINGLE.items():
        if kind in found.get("single", {}):
            yield _Scored(title, found["single"][kind])


def _epochs(found: Mapping[str, Any], estimated: Mapping[str, Any], methods: Mapping[str, Method]) -> Iterator[_Scored]:
    """Each epoch of the methods that have epochs."""
    estimates = {(method, epoch): one for method, epoch, one in by_epoch(estimated)}
    for method, epoch, score in by_epoch({**of_methods(found), **found.get("by_epoch", {})}):
        if epoch is not None:
            yield _Scored(f"{methods[method].title}, epoch {epoch}", score, estimate=estimates.get((method, epoch)))


def _source(results: Mapping[str, Any], target: str) -> Iterator[_Scored]:
    source = results["source"]
    for when, score in (("before", source.get("before")), ("after", (source.get("after") or {}).get(target))):
        if score:
            yield _Scored(f"{source['name']} (source), {when} adaptation", score, unlabelled=False)


def _table(rows: Sequence[_Scored], second: str | None) -> Table:
    """The columns that any row fills; `second` is the key of a second figure."""
    columns = {
        "ensemble": _column(rows, [row.together for row in rows]),
        "single models": _column(rows, [row.single for row in rows]),
    }
    if second is not None:
        scores = [row.together or row.single or {} for row in rows]
        columns[SECOND[second][0]] = [Figure(f"{one[second]:.2f}" if second in one else "") for one in scores]
    columns["estimated, no labels"] = [Figure(ESTIMATE.format(**one.estimate) if one.estimate else "") for one in rows]
    shown = {name: cells for name, cells in columns.items() if any(cell.text for cell in cells)}
    lines = [Row((row.name,), tuple(cells[i] for cells in shown.values())) for i, row in enumerate(rows)]
    return Table(("method",), tuple(shown), tuple(lines))


def _column(rows: Sequence[_Scored], scores: Sequence[Score | None]) -> list[Figure]:
    """The scores, of which the best without target labels stands out if there are several."""
    both = list(zip(rows, scores, strict=True))
    rivals = [score["mean"] for row, score in both if row.unlabelled and score]
    best = max(rivals) if len(rivals) > 1 else None
    return [
        Figure(score_text(score), row.unlabelled and score["mean"] == best) if score else Figure("")
        for row, score in both
    ]


def _second_figure(rows: Sequence[_Scored]) -> str | None:
    """The key of a second figure that tells anything the first does not."""
    scores = [score for row in rows for score in (row.single, row.together) if score]
    return next((key for key in SECOND if any(one.get(key, one["mean"]) != one["mean"] for one in scores)), None)
