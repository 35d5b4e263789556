"""The summary of a grid of runs as people read it: Markdown, and a table for the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from uxla.errors import printable
from uxla.phrases import counted, listed
from uxla.report.compared import Baseline, Cell, Entry, Row, targets
from uxla.report.paired import SEEDS_VARY
from uxla.report.table import METRICS, STRICT, agreement_notes, table

_CLEAR = "*"


def markdown(keys: Sequence[str], cells: Sequence[Cell], rows: Sequence[Row], baseline: Baseline | None) -> str:
    """`grid.md`: one row a setting and method, the score and the difference to the baseline for each target."""
    header, body = _texts(keys, cells, rows, baseline)
    words = len(keys) + 1
    lines = [[*map(_plain, line[:words]), *line[words:]] for line in body]
    lines = [[_plain(name) for name in header], ["---"] * words + ["---:"] * (len(header) - words), *lines]
    loud = [f"**{_plain(warning)}.**\n" for warning in _warnings(cells)]
    below = [f"{_plain(note)}." for note in notes(keys, cells, rows, baseline)]
    return "\n".join([*loud, *(f"| {' | '.join(line)} |" for line in lines), "", *below]) + "\n"


def rich_table(keys: Sequence[str], cells: Sequence[Cell], rows: Sequence[Row], baseline: Baseline | None) -> Group:
    """The same for a terminal; what is clear of zero stands out."""
    header, body = _texts(keys, cells, rows, baseline)
    shown = RichTable()
    for place, name in enumerate(header):
        shown.add_column(Text(printable(name)), justify="left" if place <= len(keys) else "right")
    for line in body:
        shown.add_row(*(Text(printable(text), style="bold" if text.endswith(_CLEAR) else "") for text in line))
    loud = [Text(f"{warning}.", style="bold red") for warning in _warnings(cells)]
    return Group(shown, *loud, *(Text(f"{note}.") for note in notes(keys, cells, rows, baseline)))


def notes(keys: Sequence[str], cells: Sequence[Cell], rows: Sequence[Row], baseline: Baseline | None) -> Iterator[str]:
    """What the figures are, what the intervals rest on, and how many of them chance alone would mark."""
    seeds = sorted({cell.seed for cell in cells})
    metric = METRICS[cells[0].run.results["metric"]]
    over = f"then mean ± standard deviation over seeds {_listed(seeds)}" if len(seeds) > 1 else f"at seed {seeds[0]}"
    yield f"{metric} in percent on the test set: mean of three final models (an ensemble is one), {over}"
    if _strict(rows):
        yield STRICT
    yield from dict.fromkeys(note for cell in cells for note in agreement_notes(cell.run.results))
    doubted = [cell.run.name for cell in cells if cell.run.results.get("warnings")]
    if doubted:
        of = f"{len(doubted)} of {counted(len(cells), 'run')}"
        yield f"Warnings: {of} gave some, told in the run's table.md: {listed(doubted)}"
    intervals = [entry.difference for row in rows for entry in row.entries if entry and entry.difference]
    if baseline is None or not intervals:
        return
    to = f"{baseline.name} in the same run"
    if baseline.key is not None:
        to = f"the same method and seed with {keys[baseline.key]}={baseline.name}"
    yield (
        f"Differences are to {to}, each method as its three models together (the mean of their probabilities: of "
        "zero_shot the ensemble), mean over seeds; in brackets the 95 % interval, with a star where it is clear of zero"
    )
    yield f"Intervals: {_rest(len(seeds), [entry for row in rows for entry in row.entries if entry])}"
    yield f"Of {len(intervals)} such intervals about {0.05 * len(intervals):.1f} are clear of zero by chance alone"


def _rest(seeds: int, entries: Sequence[Entry]) -> str:
    """What the intervals rest on."""
    few = "paired bootstrap over test examples"
    if seeds < SEEDS_VARY:
        return f"{few}; {['one seed', 'two seeds'][seeds - 1]}, so that differences between seeds are not in them"
    said = "Student's t over the seeds, wider where all seeds have the same test examples"
    missing = any(entry.difference and entry.pairs < SEEDS_VARY for entry in entries)
    return f"{said}; where fewer than three have both sides, {few}" if missing else said


def _texts(
    keys: Sequence[str], cells: Sequence[Cell], rows: Sequence[Row], baseline: Baseline | None
) -> tuple[list[str], list[list[str]]]:
    """The header and the rows, as text."""
    seeds = len({cell.seed for cell in cells})
    strict, header = _strict(rows), [*keys, "method"]
    for target in targets(cells):
        header += [target, *([f"{target}, strict"] if strict else [])]
        header += [f"{target} \N{MINUS SIGN} {baseline.name}"] if baseline else []
    body = []
    for row in rows:
        line = [*row.values, row.method]
        for entry in row.entries:
            line += [_score(entry, seeds), *([_strict_score(entry)] if strict else [])]
            difference = "baseline" if row.is_baseline and entry else _difference(entry)
            line += [difference] if baseline else []
        body.append(line)
    return header, body


def _strict(rows: Sequence[Row]) -> bool:
    """Whether any score is of entities."""
    return any(entry is not None and entry.strict is not None for row in rows for entry in row.entries)


def _strict_score(entry: Entry | None) -> str:
    return "" if entry is None or entry.strict is None else f"{entry.strict:.2f}"


def _score(entry: Entry | None, seeds: int) -> str:
    """`61.20 ± 0.53`, and how many seeds where some are missing."""
    if entry is None:
        return ""
    text = f"{entry.mean:.2f}" + (f" ± {entry.sd:.2f}" if entry.sd is not None else "")
    return text if entry.seeds == seeds else f"{text} ({entry.seeds} of {seeds} seeds)"


def _difference(entry: Entry | None) -> str:
    """`+1.24 [0.31, 2.20] *`."""
    if entry is None or entry.difference is None:
        return ""
    found = entry.difference
    text = f"{found.value:+.2f} [{found.low:.2f}, {found.high:.2f}]".replace("-", "\N{MINUS SIGN}")
    return f"{text} {_CLEAR}" if found.sign else text


def _warnings(cells: Sequence[Cell]) -> Iterator[str]:
    """What makes figures unfair, each warning once, with the settings it is about."""
    loud: dict[str, list[str]] = {}
    for cell in cells:
        if warning := table(cell.run.results).warning:
            loud.setdefault(warning, []).append(cell.run.name)
    for warning, names in loud.items():
        about = "all runs" if len(names) == len(cells) else ", ".join(names)
        yield f"{about}: {warning}"


def _plain(text: str) -> str:
    """Text that Markdown takes as it is."""
    return re.sub(r"([\\|<`*])", r"\\\1", printable(text))


def _listed(numbers: Sequence[int]) -> str:
    """`0 to 4`, or each where they do not follow one another."""
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))
