"""A row's cells as a line of CSV, TSV or raw text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from uxla.data.formats.dialect import QUOTE, TAB, Dialect
from uxla.data.formats.table import Table
from uxla.errors import DataError

Line = Callable[[Sequence[str], int | None], str]


def line_writer(table: Table, form: str, end: str) -> Line:
    """What makes a line of cells and the line they come from, in the delimiter and quoting of the file itself where
    `form` is its format. DataError, with that line, for a cell that the output cannot hold."""
    plain = Dialect(",", QUOTE) if form == "csv" else Dialect(TAB, None)
    dialect = table.dialect if form == table.format and form in ("csv", "tsv") else plain
    if dialect.quote is None:
        return partial(_unquoted, delimiter=dialect.delimiter, end=end, path=table.path)
    return partial(_quoted, delimiter=dialect.delimiter, quote=dialect.quote, end=end)


def _unquoted(cells: Sequence[str], at: int | None, *, delimiter: str, end: str, path: Path) -> str:
    for cell in cells:
        if delimiter in cell or "\n" in cell or "\r" in cell:
            short = " ".join(cell.split())[:40]
            what = "a TAB" if delimiter == TAB else repr(delimiter)
            message = f"the text {short!r} has {what} or a line break, which a line of the output cannot hold"
            raise DataError(f"{message}; use --out FILE.csv or FILE.jsonl", file=path, line=at)
    return delimiter.join(cells) + end


def _quoted(cells: Sequence[str], at: int | None, *, delimiter: str, quote: str, end: str) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, quotechar=quote, lineterminator=end).writerow(cells)
    return buffer.getvalue()
