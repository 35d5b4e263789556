"""Rows of a table as they stand in its file, and values as text."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from uxla.data.formats.dialect import Dialect
from uxla.data.lines import text_lines

if TYPE_CHECKING:
    from uxla.data.formats.table import Table


def raw_rows(table: Table, dialect: Dialect) -> Iterator[tuple[int, str, bool]]:
    """The line that each row begins in, the row as it stands, its end included, and whether nothing is in it."""
    lines = text_lines(table.path, table.options.encoding)
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


def answer_cell(value: str | float | list[str]) -> str:
    """An answer as text, a confidence with four digits."""
    return f"{value:.4f}" if isinstance(value, float) else cell(value)


def cell(value: Any) -> str:
    """A value as text: words with a space between them, other lists and objects as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(entry, str) and " " not in entry for entry in value):
        return " ".join(value)
    if value is None:
        return ""
    if isinstance(value, dict | list | bool | int | float):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)  # a date of Parquet
