"""Rows of a table as text: as they stand in the file, and cells joined to new ones."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from uxla.data.dialect import QUOTE, TAB, Dialect
from uxla.data.lines import text_lines
from uxla.errors import DataError

if TYPE_CHECKING:
    from uxla.data.tables import Table


def raw_rows(table: Table, dialect: Dialect) -> Iterator[tuple[int, str, bool]]:
    """The line that each row begins in, the row as it stands, its end included, and whether nothing is in it."""
    lines = text_lines(table.path, table.encoding)
    if dialect.quote is None:
        yield from (
            (line, raw, not raw.strip(" \t\r\n" if table.format == "text" else "\r\n"))
            for line, raw in enumerate(lines, start=1)
        )
        return
    taken: list[str] = []

    def noted() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    first = 1
    for cells in csv.reader(noted(), delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True):
        yield first, "".join(taken), not any(cells)
        first += len(taken)
        taken.clear()


def line_of(cells: Sequence[str], form: str, table: Table, line: int) -> str:
    """The cells as a line of TSV, or as a record of CSV. DataError, with the row's line, for one that TSV cannot
    hold."""
    csv_ = form == "csv"
    return joined(cells, Dialect(",", QUOTE) if csv_ else Dialect(TAB, None), table, line) + ("\r\n" if csv_ else "\n")


def joined(cells: Sequence[str], dialect: Dialect, table: Table, line: int) -> str:
    """The cells as they stand in a line. DataError for one that would break it."""
    if dialect.quote is not None:
        buffer = io.StringIO(newline="")
        csv.writer(buffer, delimiter=dialect.delimiter, quotechar=dialect.quote, lineterminator="").writerow(cells)
        return buffer.getvalue()
    odd = next((cell for cell in cells if any(char in cell for char in f"{dialect.delimiter}\r\n")), None)
    if odd is not None:
        raise unholdable(odd, table, line)
    return dialect.delimiter.join(cells)


def unholdable(text: str, table: Table, line: int) -> DataError:
    """The error for a text that a line cannot hold."""
    message = f"the text {' '.join(text.split())[:40]!r} has a TAB or a line break, which TSV cannot hold"
    return DataError(f"{message}; use --out FILE.csv or FILE.jsonl", file=table.path, line=line)


def answer_cell(value: str | float | list[str]) -> str:
    """An answer as text, a confidence with four digits."""
    return f"{value:.4f}" if isinstance(value, float) else cell(value)


def cell(value: Any) -> str:
    """A value as text: words with a space between them, other lists and objects as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(entry, str) and " " not in entry for entry in value):
        return " ".join(value)
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)
