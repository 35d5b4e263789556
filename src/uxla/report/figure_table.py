"""A table of figures in named sections, and its three forms: Markdown, CSV, and a table for the terminal.

Names in it come from run folders, which may be a stranger's: none becomes markup or reorders what stands around it.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from uxla.errors import printable
from uxla.report.table import STRICT

_LONGEST = 40
_RIGHT_TO_LEFT = ("R", "AL", "AN")
_MARKUP = re.compile(r"([\\|<`*\[\]])")


@dataclass(frozen=True)
class Figure:
    """A score in percent and its deviation over several models (None for one model); `own` ones stand out.

    `strict` is the strict F1, None for tasks without spans.
    """

    mean: float
    sd: float | None = None
    own: bool = False
    strict: float | None = None

    @classmethod
    def of(cls, score: Mapping[str, Any] | None, *, own: bool = False) -> Figure | None:
        """The figure of a score in `results.json`; None for none."""
        if score is None:
            return None
        sd = float(score["sd"]) if len(score["models"]) > 1 else None
        return cls(float(score["mean"]), sd, own, score.get("strict_f1"))

    def __str__(self) -> str:
        return f"{self.mean:.2f}" if self.sd is None else f"{self.mean:.2f} ± {self.sd:.2f}"


Cell = Figure | str | None
"""A figure, a text as it is, or nothing."""


@dataclass(frozen=True)
class Line:
    """A row: as many labels as the sheet has, as many cells as it has columns."""

    labels: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Section:
    """Rows under a title of their own."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Sheet:
    """A titled table. `labels` head what names a row, `columns` its figures; `warnings` come first and loudly."""

    title: str
    labels: tuple[str, ...]
    columns: tuple[str, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def with_strict(sheet: Sheet) -> Sheet:
    """The sheet with the strict F1 in a column beside each, where any figure has one."""
    lines = [line for section in sheet.sections for line in section.lines]
    if not any(isinstance(cell, Figure) and cell.strict is not None for line in lines for cell in line.cells):
        return sheet
    sections = tuple(
        Section(one.title, tuple(Line(line.labels, tuple(_beside(line.cells))) for line in one.lines))
        for one in sheet.sections
    )
    columns = tuple(name for column in sheet.columns for name in (column, f"{column}, strict"))
    return replace(sheet, columns=columns, sections=sections, notes=(*sheet.notes, STRICT))


def _beside(cells: Iterable[Cell]) -> Iterator[Cell]:
    for cell in cells:
        yield cell
        yield Figure(cell.strict) if isinstance(cell, Figure) and cell.strict is not None else None


def markdown(sheet: Sheet) -> str:
    """The sheet as Markdown, its notes below it."""
    head = [_line(*map(plain, (*sheet.labels, *sheet.columns)))]
    rule = _line(*["---"] * len(sheet.labels), *["---:"] * len(sheet.columns))
    rows = [row for section in sheet.sections for row in _markdown_rows(section, sheet)]
    table = [*head, rule, *rows, ""] if rows else []
    loud = [text for warning in sheet.warnings for text in (f"**{plain(warning)}.**", "")]
    notes = [f"- {plain(note)}." for note in sheet.notes]
    return "\n".join([*loud, f"**{plain(sheet.title)}**", "", *table, *notes]) + "\n"


def tidy_csv(sheet: Sheet) -> str:
    """One line a cell that is not empty: the section, what names the row, the column, the value unrounded, its sd."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(["section", *sheet.labels, "column", "value", "sd"])
    for section in sheet.sections:
        for line in section.lines:
            for column, cell in zip(sheet.columns, line.cells, strict=True):
                if cell is not None:
                    figures = (cell.mean, cell.sd) if isinstance(cell, Figure) else (cell, None)
                    writer.writerow([section.title, *line.labels, column, *figures])
    return written.getvalue()


def rich_sheet(sheet: Sheet) -> Group:
    """The same for a terminal."""
    shown = RichTable(title=Text(sheet.title), title_justify="left")
    for label in sheet.labels:
        shown.add_column(Text(shortened(label)), overflow="fold")
    for column in sheet.columns:
        shown.add_column(Text(column), justify="right", overflow="fold")
    for section in sheet.sections:
        if section.title:
            shown.add_row(Text(section.title, style="italic"))
        for line in section.lines:
            shown.add_row(*(Text(shortened(label)) for label in line.labels), *map(_rich_cell, line.cells))
        shown.add_section()
    below = [Text(f"{printable(note)}.") for note in sheet.notes]
    loud = [Text(f"{printable(warning)}.", style="bold red") for warning in sheet.warnings]
    return Group(*loud, *([shown] if sheet.sections else [Text(sheet.title)]), *below)


def shortened(name: str) -> str:
    """A user's name on one line, of at most 40 characters."""
    flat = printable(name)
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + "…"


def right_to_left(text: str) -> bool:
    """Whether any of its letters is written from right to left."""
    return any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in text)


def _markdown_rows(section: Section, sheet: Sheet) -> Iterator[str]:
    if section.title:
        empty = [""] * (len(sheet.labels) + len(sheet.columns) - 1)
        yield _line(f"*{plain(section.title)}*", *empty)
    for line in section.lines:
        yield _line(*(plain(shortened(label)) for label in line.labels), *map(_markdown_cell, line.cells))


def _markdown_cell(cell: Cell) -> str:
    if isinstance(cell, Figure):
        return f"**{cell}**" if cell.own else str(cell)
    return plain(shortened(cell or ""))


def _rich_cell(cell: Cell) -> Text:
    if isinstance(cell, Figure):
        return Text(str(cell), style="bold" if cell.own else "")
    return Text(shortened(cell or ""))


def plain(text: str) -> str:
    """Text that Markdown shows as it is; what runs from right to left is kept apart from what stands around it."""
    escaped = _MARKUP.sub(r"\\\1", printable(text))
    return f"\N{FIRST STRONG ISOLATE}{escaped}\N{POP DIRECTIONAL ISOLATE}" if right_to_left(text) else escaped


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
