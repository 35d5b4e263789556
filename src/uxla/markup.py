"""Foreign text made safe for Markdown, terminals and HTML; tables in these three forms and as CSV.

Names come from configurations, data files and run folders that a stranger may have written: none becomes markup or
changes the order of the text around it.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any

from uxla.errors import printable

if TYPE_CHECKING:
    from rich.console import Group

_LONGEST = 40
_RIGHT_TO_LEFT = ("R", "AL", "AN")
_MARKUP = re.compile(r"([\\|<`*\[\]])")


def code_span(text: str) -> str:
    """`text` as a code span of Markdown. Characters that do not print are written as escapes."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text).strip(" ")
    shown = shown[:200] or "(empty)"
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    edge = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{fence}{edge}{shown}{edge}{fence}"


def escaped(text: str) -> str:
    """`text` with Markdown's markup escaped; right-to-left text is isolated from the text around it."""
    shown = _MARKUP.sub(r"\\\1", printable(text))
    return f"\N{FIRST STRONG ISOLATE}{shown}\N{POP DIRECTIONAL ISOLATE}" if right_to_left(text) else shown


def shortened(name: str) -> str:
    """A name on one line, of at most 40 characters."""
    flat = printable(name)
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + "…"


def right_to_left(text: str) -> bool:
    """Whether any of its letters is written from right to left."""
    return any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in text)


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """The rows as CSV; lines end in LF."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue()


@dataclass(frozen=True)
class Figure:
    """A cell of our own text, shown as it is; CSV has its `values`."""

    text: str
    strong: bool = False
    values: tuple[Any, ...] = ()

    @property
    def stands_out(self) -> bool:
        """Whether it is bold on a terminal."""
        return self.strong or self.text.endswith("*")


Cell = Figure | str
"""A figure, or foreign text."""


@dataclass(frozen=True)
class Row:
    """The names of the row and a cell for each column. Rows of the same `section` are shown under that title."""

    names: tuple[str, ...]
    cells: tuple[Cell, ...] = ()
    section: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """A table. `names` are the heads of the rows' names, `columns` those of the cells; a table may have no heads.

    `warnings` are shown first, in bold; `notes` below the table, as a list if it has a `title`.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    title: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    shortens: bool = False
    """Whether names and foreign text are cut to 40 characters, except in CSV."""

    def markdown(self) -> str:
        """Warnings, title, table and notes, as Markdown."""
        loud = [text for warning in self.warnings for text in (f"**{escaped(warning)}.**", "")]
        title = [f"**{escaped(self.title)}**", ""] if self.title else []
        table = [*self._markdown_rows(), ""] if self.rows else []
        notes = [f"{'- ' if self.title else ''}{escaped(note)}." for note in self.notes]
        return "\n".join([*loud, *title, *table, *notes]).rstrip("\n") + "\n"

    def __rich__(self) -> Group:
        """What rich prints of it."""
        return self.rich()

    def rich(self, *, frame: bool = True) -> Group:
        """The same for a terminal."""
        from rich.console import Group
        from rich.text import Text

        loud = [Text(f"{printable(warning)}.", style="bold red") for warning in self.warnings]
        shown = [self._rich(frame)] if self.rows else [Text(printable(self.title))] if self.title else []
        return Group(*loud, *shown, *(Text(f"{printable(note)}.") for note in self.notes))

    def html(self) -> str:
        """The table itself as an element, each name isolated from the direction of the text around it."""
        heads = [f"<th>{_bdi(name)}</th>" for name in self.names]
        heads += [f'<th class="number">{_bdi(name)}</th>' for name in self.columns]
        body = "\n".join(map(_html_row, self.rows))
        return f'<table class="figures">\n<thead><tr>{"".join(heads)}</tr></thead>\n<tbody>\n{body}\n</tbody></table>'

    def csv(self) -> str:
        """One line for each cell that is not empty: section, names of the row, column, values."""
        lines: list[Sequence[Any]] = [["section", *self.names, "column", "value", "sd"]]
        for row in self.rows:
            for column, cell in zip(self.columns, row.cells, strict=True):
                if cell != "":
                    values = cell.values if isinstance(cell, Figure) else (cell, None)
                    lines.append([row.section, *row.names, column, *values])
        return csv_text(lines)

    def _sections(self) -> Iterator[tuple[str, Iterator[Row]]]:
        return groupby(self.rows, lambda row: row.section)

    def _markdown_rows(self) -> Iterator[str]:
        yield _line(*map(escaped, (*self.names, *self.columns)))
        yield _line(*["---"] * len(self.names), *["---:"] * len(self.columns))
        for title, rows in self._sections():
            if title:
                yield _line(f"*{escaped(title)}*", *[""] * (len(self.names) + len(self.columns) - 1))
            for row in rows:
                yield _line(*(escaped(self._shown(name)) for name in row.names), *map(self._markdown_cell, row.cells))

    def _rich(self, frame: bool) -> Any:
        from rich import box
        from rich.table import Table as RichTable
        from rich.text import Text

        shown = RichTable(box=box.HEAVY_HEAD if frame else None, pad_edge=frame, title_justify="left")
        shown.title = Text(printable(self.title)) if self.title else None
        shown.show_header = any((*self.names, *self.columns))
        for place, head in enumerate((*self.names, *self.columns)):
            side: Any = "left" if place < len(self.names) else "right"
            shown.add_column(Text(printable(head)), justify=side, overflow="fold")
        for title, rows in self._sections():
            if title:
                shown.add_row(Text(printable(title), style="italic"))
            for row in rows:
                cells = [Figure(self._shown(cell)) if isinstance(cell, str) else cell for cell in row.cells]
                figures = [Text(cell.text, style="bold" if cell.stands_out else "") for cell in cells]
                names = [Text(self._shown(name)) for name in row.names]
                shown.add_row(*names, *figures, style="bold" if row.strong else None)
            shown.add_section()
        return shown

    def _markdown_cell(self, cell: Cell) -> str:
        if isinstance(cell, str):
            return escaped(self._shown(cell))
        return f"**{cell.text}**" if cell.strong else cell.text

    def _shown(self, text: str) -> str:
        return shortened(text) if self.shortens else printable(text)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _html_row(row: Row) -> str:
    names = "".join(f'<th scope="row">{_bdi(name)}</th>' for name in row.names)
    cells = "".join(
        f'<td class="number">{escape(cell) if isinstance(cell, str) else _html_figure(cell)}</td>' for cell in row.cells
    )
    start = '<tr class="own">' if row.strong else "<tr>"
    return f"{start}{names}{cells}</tr>"


def _html_figure(figure: Figure) -> str:
    return f"<strong>{escape(figure.text)}</strong>" if figure.strong else escape(figure.text)


def _bdi(text: str) -> str:
    return f"<bdi>{escape(text)}</bdi>" if text else ""
