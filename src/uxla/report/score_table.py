"""The page's table of scores: a row a method, with single models, ensemble and estimate side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uxla.markup import Figure, Row, Table
from uxla.methods import registry
from uxla.report.scores import Score, by_epoch, ensembles, last_states
from uxla.report.table import SECOND, SINGLE, score_text


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
    rows = {
        name: _Scored(method.title, singles.get(name), together.get(name), estimates.get(name), not method.needs)
        for name, method in registry.ordered(names).items()
    }
    main = [name for name in rows if name == final or registry.find(name).baseline or registry.find(name).needs]
    more = [row for name, row in rows.items() if name not in main]
    more += [*_epochs(found, estimated), *_source(results, target)]
    every = [*rows.values(), *more]
    shown = [row for name in main for row in (rows[name], *(_single(found) if name == final else ()))]
    return _table(shown, every), _table(more, every)


def _single(found: Mapping[str, Any]) -> Iterator[_Scored]:
    """The one model in place of the run's three."""
    for kind, title in SINGLE.items():
        if kind in found.get("single", {}):
            yield _Scored(title, found["single"][kind])


def _epochs(found: Mapping[str, Any], estimated: Mapping[str, Any]) -> Iterator[_Scored]:
    """Each epoch of the methods that have several."""
    estimates = {(method, epoch): one for method, epoch, one in by_epoch(estimated)}
    several = {method: scores for method, scores in {**found, **found.get("by_epoch", {})}.items() if _many(scores)}
    for method, epoch, score in by_epoch(several):
        yield _Scored(f"{registry.title(method)}, epoch {epoch}", score, estimate=estimates.get((method, epoch)))


def _many(scores: object) -> bool:
    return isinstance(scores, list) and len(scores) > 1


def _source(results: Mapping[str, Any], target: str) -> Iterator[_Scored]:
    source = results["source"]
    for when, score in (("before", source.get("before")), ("after", (source.get("after") or {}).get(target))):
        if score:
            yield _Scored(f"{source['name']} (source), {when} adaptation", score, unlabelled=False)


def _table(rows: Sequence[_Scored], every: Sequence[_Scored]) -> Table:
    """The columns that any of `every` row has, filled for `rows`."""
    second = next((key for key in SECOND if any(_differs(row, key) for row in every)), None)
    columns = {
        "ensemble": [_cell(row.together, rows, "together", row) for row in rows],
        "single models": [_cell(row.single, rows, "single", row) for row in rows],
        SECOND[second][0] if second else "": [_second(row, second) for row in rows],
        "estimated, no labels": [_estimate(row.estimate) for row in rows],
    }
    shown = {name: cells for name, cells in columns.items() if name and any(cell.text for cell in cells)}
    lines = [Row((row.name,), tuple(cells[i] for cells in shown.values())) for i, row in enumerate(rows)]
    return Table(("method",), tuple(shown), tuple(lines))


def _cell(score: Score | None, rows: Sequence[_Scored], key: str, row: _Scored) -> Figure:
    if score is None:
        return Figure("")
    rivals = [getattr(one, key)["mean"] for one in rows if one.unlabelled and getattr(one, key)]
    return Figure(score_text(score), strong=row.unlabelled and len(rivals) > 1 and score["mean"] == max(rivals))


def _differs(row: _Scored, key: str) -> bool:
    """Whether a second figure tells anything that the first does not."""
    scores = [score for score in (row.single, row.together) if score is not None]
    return any(score.get(key, score["mean"]) != score["mean"] for score in scores)


def _second(row: _Scored, key: str | None) -> Figure:
    found = (row.together or row.single or {}).get(key or "")
    return Figure("" if found is None else f"{found:.2f}")


def _estimate(found: Mapping[str, float] | None) -> Figure:
    return Figure("{score:.0f} [{low:.0f}, {high:.0f}]".format(**found) if found else "")
