"""The figures of a grid of runs: every score as a tidy row, and a summary over seeds with differences to a baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import pyarrow as pa

from uxla import progress
from uxla.report.folder import RunFolder
from uxla.report.paired import Counted, Difference, Pair, counted, difference, pair
from uxla.report.scores import Score, every_score, last_states

Setting = tuple[str, ...]
"""The values of the varied keys, as they were written."""

_MODELS = ("model_1", "model_2", "model_3")
_FIGURES = pa.schema(
    {"seed": pa.int64(), "target": pa.string(), "method": pa.string(), "epoch": pa.int16()}
    | dict.fromkeys(("score", "sd", "strict_f1", *_MODELS), pa.float64())
)


@dataclass(frozen=True)
class GridRun:
    """One run of a grid."""

    values: Setting
    seed: int
    run: RunFolder


@dataclass(frozen=True)
class Baseline:
    """What others are compared with: the method `name` of the same run or, with a `key`, the same method in the run in
    which that key has the value `name`.

    `key` is an index into the varied keys.
    """

    name: str
    key: int | None = None

    def of(self, values: Setting, method: str) -> tuple[Setting, str]:
        """The setting and method that `method` with `values` is compared with."""
        if self.key is None:
            return values, self.name
        return (*values[: self.key], self.name, *values[self.key + 1 :]), method


@dataclass(frozen=True)
class SeedMean:
    """One setting, method and target: the mean over `seeds` runs and their deviation (None for one run).

    `strict` is the mean of the strict F1, None for tasks without spans.
    `difference` to the baseline is of the three models together; None where there is nothing to compare with, and for
    `ensemble` and `uxla_ensemble`, which are zero-shot's and UXLA's three models together.
    """

    mean: float
    sd: float | None
    seeds: int
    difference: Difference | None
    pairs: int
    """From how many seeds the difference is."""
    strict: float | None = None


@dataclass(frozen=True)
class GridRow:
    """One setting and method, an entry for each target (None: no score); `is_baseline`: others are compared with it."""

    values: Setting
    method: str
    entries: tuple[SeedMean | None, ...]
    is_baseline: bool


def tidy(keys: Sequence[str], runs: Sequence[GridRun]) -> pa.Table:
    """One row a run, target, method and epoch (null: the method's final models): score, sd, strict F1 (null for tasks
    without spans), and each model's score.

    A varied key is a column of its name, of numbers where all its values are; `target` and `seed` are there anyway.
    """
    rows = [(one, row) for one in runs for row in _rows(one.run)]
    columns = {
        key: _column([one.values[place] for one, _ in rows])
        for place, key in enumerate(keys)
        if key not in _FIGURES.names
    }
    figures = pa.Table.from_pylist([{"seed": one.seed, **row} for one, row in rows], _FIGURES)
    return pa.table(columns | dict(zip(figures.column_names, figures.columns, strict=True)))


def summary(runs: Sequence[GridRun], baseline: Baseline | None) -> list[GridRow]:
    """One row for each setting and method, in the order of the runs, with an entry for each of `targets(runs)`."""
    read = {(one.values, one.seed): _Run(_finals(one.run), counted(one.run) if baseline else {}) for one in runs}
    order = dict.fromkeys((values, method) for (values, _), run in read.items() for _, method in run.scores)
    rows = []
    with progress.bar("computing intervals", len(order)) as bar:
        for values, method in order:
            other = baseline.of(values, method) if baseline else (values, method)
            entries = [_entry(read, (values, method), other, target) for target in targets(runs)]
            rows.append(GridRow(values, method, tuple(entries), baseline is not None and other == (values, method)))
            bar.advance()
    return rows


def targets(runs: Sequence[GridRun]) -> tuple[str, ...]:
    """The targets of all runs, in order of appearance."""
    return tuple(dict.fromkeys(target for one in runs for target in one.run.targets))


@dataclass(frozen=True)
class _Run:
    """What a summary needs of a run: final scores by target and method, test sets by target."""

    scores: Mapping[tuple[str, str], Score]
    tests: Mapping[str, Counted]


def _entry(
    runs: Mapping[tuple[Setting, int], _Run], one: tuple[Setting, str], other: tuple[Setting, str], target: str
) -> SeedMean | None:
    """The entry of setting and method `one`, compared with `other` run by run of the same seed."""
    values, method = one
    mine = {seed: run for (its, seed), run in runs.items() if its == values and (target, method) in run.scores}
    if not mine:
        return None
    scores = [run.scores[target, method] for run in mine.values()]
    means, strict = ([score[key] for score in scores if key in score] for key in ("mean", "strict_f1"))
    pairs: list[Pair] = []
    for seed, run in mine.items():
        theirs = runs.get((other[0], seed))
        if one != other and theirs is not None:
            pairs += pair(run.tests.get(target), method, theirs.tests.get(target), other[1])
    sd = stdev(means) if len(means) > 1 else None
    return SeedMean(fmean(means), sd, len(means), difference(pairs), len(pairs), fmean(strict) if strict else None)


def _rows(run: RunFolder) -> Iterator[dict[str, Any]]:
    """All that was scored on the targets' test sets; the last models' rows have no epoch."""
    last = [(target, method, None, one) for (target, method), one in _finals(run).items() if method == "uxla"]
    for target, method, epoch, one in [*every_score(run.results), *last]:
        if not method.startswith("source:"):
            named = {"target": target, "method": method, "epoch": epoch}
            figures = {"score": one["mean"], "sd": one["sd"], "strict_f1": one.get("strict_f1")}
            yield named | figures | dict(zip(_MODELS, one["models"], strict=False))


def _finals(run: RunFolder) -> dict[tuple[str, str], Score]:
    """The score of each method's final models, by target and method; of UXLA those of the epoch chosen."""
    kept = run.results.get("kept_epoch", {})
    states = {target: last_states(found, kept.get(target)) for target, found in run.results["targets"].items()}
    return {(target, method): one for target, found in states.items() for method, one in found.items()}


def _column(texts: Sequence[str]) -> pa.Array:
    """Numbers if all texts are numbers or null, else the texts."""
    values = pa.array([None if text == "null" else text for text in texts], pa.string())
    for kind in (pa.int64(), pa.float64()):
        with suppress(pa.ArrowInvalid):
            return values.cast(kind)
    return pa.array(texts, pa.string())
