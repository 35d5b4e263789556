"""What the paper's tables are made of: scores, and a `Table` of them with the strict F1 beside where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uxla.markup import Cell, Figure, Row, Table
from uxla.report.table import STRICT, score_text

Score = Mapping[str, Any]
"""A score as `results.json` has it."""


@dataclass(frozen=True)
class Line:
    """A row: what names it, and for each column a score, a text as it is, or nothing; `own` columns stand out."""

    names: tuple[str, ...]
    values: tuple[Score | str | None, ...]
    section: str = ""
    own: tuple[bool, ...] = ()


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
