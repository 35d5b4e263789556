"""Values as cells, cells as lines of CSV, TSV or raw text, and the lines of a file as they are."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from uxla.data.files import text_lines
from uxla.data.formats.dialect import QUOTE, TAB, Dialect
from uxla.data.formats.table import Table
from uxla.errors import DataError

Line = Callable[[Sequence[str], int | None], str]
"""A function from cells, and the line they come from, to a line of a file."""


def line_writer(table: Table, format: str, end: str) -> Line:
    """A function that writes a line of CSV, TSV or raw text, in the table's own dialect if that is its format.

    DataError, with the line the cells come from, for a cell that the output cannot hold.
    """
    plain = Dialect(",", QUOTE) if format == "csv" else Dialect(TAB, None)
    dialect = table.dialect if format == table.format and format in ("csv", "tsv") else plain
    if dialect.quote is None:
        return partial(_unquoted, delimiter=dialect.delimiter, end=end, path=table.path)
    return partial(_quoted, delimiter=dialect.delimiter, quote=dialect.quote, end=end)


def raw_rows(table: Table, dialect: Dialect) -> Iterator[tuple[int, str, bool]]:
    """The line in which each row begins, its text with the line end, and whether it is a blank line, which has no
    cells."""
    lines = text_lines(table.path, table.options.encoding)
    if dialect.quote is None:
        blanks = " \t\r\n" if table.format == "text" else "\r\n"
        yield from ((line, raw, not raw.strip(blanks)) for line, raw in enumerate(lines, start=1))
        return
    taken: list[str] = []

    def noted() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    first = 1
    for cells in csv.reader(noted(), delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True):
        yield first, "".join(taken), not cells
        first += len(taken)
        taken.clear()


def prediction_cell(value: Any) -> str:
    """An answer as text: a confidence with four digits, no entities as an empty list."""
    return f"{value:.4f}" if isinstance(value, float) else "[]" if value == [] else cell(value)


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


def json_line(cells: Mapping[str, Any], end: str = "\n") -> str:
    """An object on one line."""
    line = json.dumps(cells, ensure_ascii=False, default=str)
    try:
        line.encode()
    except UnicodeEncodeError:  # half a surrogate pair in a column that nobody reads: kept as it was written
        line = json.dumps(cells, default=str)
    return line + end


def line_end(path: Path, encoding: str) -> str:
    """How the first line of a file ends."""
    return "\r\n" if next(text_lines(path, encoding), "").endswith("\r\n") else "\n"


def _unquoted(cells: Sequence[str], at: int | None, *, delimiter: str, end: str, path: Path) -> str:
    for text in cells:
        if delimiter in text or "\n" in text or "\r" in text:
            short = " ".join(text.split())[:40]
            what = "a TAB" if delimiter == TAB else repr(delimiter)
            message = f"the text {short!r} has {what} or a line break, which a line of the output cannot hold"
            raise DataError(f"{message}; use --out FILE.csv or FILE.jsonl", file=path, line=at)
    return delimiter.join(cells) + end


def _quoted(cells: Sequence[str], at: int | None, *, delimiter: str, quote: str, end: str) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, quotechar=quote, lineterminator=end).writerow(cells)
    return buffer.getvalue()
