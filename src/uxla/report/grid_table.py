"""The summary of a grid of runs as a table: what `uxla grid` prints, and `grid.md`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from uxla.markup import Cell, Figure, Row, Table
from uxla.methods.registry import title
from uxla.phrases import counted, listed
from uxla.report.grid import Baseline, GridRow, GridRun, SeedMean, targets
from uxla.report.paired import SEEDS_VARY
from uxla.report.table import METHODS, METRICS, STRICT, agreement_notes, unfair


def grid_table(
    keys: Sequence[str], runs: Sequence[GridRun], rows: Sequence[GridRow], baseline: Baseline | None
) -> Table:
    """One row a setting and method; for each target the score and, with a `baseline`, the difference to it."""
    seeds = len({run.seed for run in runs})
    strict = any(entry is not None and entry.strict is not None for row in rows for entry in row.entries)
    columns = [name for target in targets(runs) for name in _columns(target, strict, baseline)]
    return Table(
        (*keys, "method"),
        tuple(columns),
        tuple(Row((*row.values, _title(row.method)), tuple(_cells(row, seeds, strict, baseline))) for row in rows),
        notes=tuple(_notes(keys, runs, rows, baseline, strict)),
        warnings=tuple(_warnings(runs)),
    )


def _columns(target: str, strict: bool, baseline: Baseline | None) -> Iterator[str]:
    yield target
    if strict:
        yield f"{target}, strict"
    if baseline:
        yield f"{target} \N{MINUS SIGN} {_compared_with(baseline)}"


def _title(method: str) -> str:
    return METHODS["uxla_ensemble"] if method == "uxla_ensemble" else title(method)


def _compared_with(baseline: Baseline) -> str:
    return title(baseline.name) if baseline.key is None else baseline.name


def _cells(row: GridRow, seeds: int, strict: bool, baseline: Baseline | None) -> Iterator[Cell]:
    for entry in row.entries:
        yield Figure(_score(entry, seeds))
        if strict:
            yield Figure("" if entry is None or entry.strict is None else f"{entry.strict:.2f}")
        if baseline:
            yield Figure("baseline" if row.is_baseline and entry else _difference(entry))


def _score(entry: SeedMean | None, seeds: int) -> str:
    """`61.20 ± 0.53`; if seeds are missing, also how many there are."""
    if entry is None:
        return ""
    text = f"{entry.mean:.2f}" + (f" ± {entry.sd:.2f}" if entry.sd is not None else "")
    return text if entry.seeds == seeds else f"{text} ({entry.seeds} of {seeds} seeds)"


def _difference(entry: SeedMean | None) -> str:
    """`+1.24 [0.31, 2.20] *`: the star means that the interval excludes zero."""
    if entry is None or entry.difference is None:
        return ""
    found = entry.difference
    text = f"{found.value:+.2f} [{found.low:.2f}, {found.high:.2f}]".replace("-", "\N{MINUS SIGN}")
    return f"{text} *" if found.sign else text


def _notes(
    keys: Sequence[str], runs: Sequence[GridRun], rows: Sequence[GridRow], baseline: Baseline | None, strict: bool
) -> Iterator[str]:
    """What the figures are, how intervals are computed, and how many would exclude zero by chance."""
    seeds = sorted({run.seed for run in runs})
    metric = METRICS[runs[0].run.results["metric"]]
    over = f"then mean ± standard deviation over seeds {_numbers(seeds)}" if len(seeds) > 1 else f"at seed {seeds[0]}"
    yield f"{metric} in percent on the test set: mean of the three final models, {over}"
    if strict:
        yield STRICT
    yield from dict.fromkeys(note for run in runs for note in agreement_notes(run.run.results))
    doubted = [run.run.name for run in runs if run.run.results.get("warnings")]
    if doubted:
        of = f"{len(doubted)} of {counted(len(runs), 'run')}"
        yield f"{of} have warnings, see their table.md: {listed(doubted)}"
    entries = [entry for row in rows for entry in row.entries if entry and entry.difference]
    if baseline is not None and entries:
        yield from _notes_on_intervals(keys, baseline, len(seeds), entries)


def _notes_on_intervals(
    keys: Sequence[str], baseline: Baseline, seeds: int, entries: Sequence[SeedMean]
) -> Iterator[str]:
    to = f"{_compared_with(baseline)} in the same run"
    if baseline.key is not None:
        to = f"the same method and seed with {keys[baseline.key]}={baseline.name}"
    yield (
        f"Differences from {to}: between ensembles of three models, mean over seeds, with a 95 % interval; a star "
        "marks one that excludes zero"
    )
    few = "paired bootstrap over test examples"
    if seeds < SEEDS_VARY:
        rest = f"{few}; {['one seed', 'two seeds'][seeds - 1]}, so how much seeds differ is not in them"
    else:
        rest = "Student's t over the seeds. Seeds that share test examples widen it"
        if any(entry.pairs < SEEDS_VARY for entry in entries):
            rest += f"; where fewer than three have both sides, {few}"
    yield f"Intervals: {rest}"
    yield f"Of {len(entries)} such intervals about {0.05 * len(entries):.1f} exclude zero by chance alone"


def _warnings(runs: Sequence[GridRun]) -> Iterator[str]:
    """Each warning about unfair figures once, with its runs."""
    names: dict[str, list[str]] = {}
    for run in runs:
        for warning in unfair(run.run.results):
            names.setdefault(warning, []).append(run.run.name)
    for warning, about in names.items():
        yield f"{'all runs' if len(about) == len(runs) else ', '.join(about)}: {warning}"


def _numbers(numbers: Sequence[int]) -> str:
    """`0 to 4`; all numbers if they are not consecutive."""
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))
