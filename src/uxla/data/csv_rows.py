"""CSV with the usual quoting."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from uxla.data.dialect import OTHERS, REPEATED, Dialect, refuse_sep
from uxla.data.lines import text_lines
from uxla.data.values import TEXT, Batch
from uxla.errors import DataError, setting
from uxla.wording import counted

if TYPE_CHECKING:
    from uxla.data.tables import Table

_ROWS, _LOOKED_AT, _TELLING = 1 << 14, 1000, 10
_LONGEST = 1 << 27
"""Characters of a cell; the module `csv` takes 131,072 unless it is told otherwise."""


def head(table: Table) -> list[str]:
    """The names of the columns."""
    return table.header_of(next((fields for _, fields in _records(table, table.dialect) if fields), []))


def sniffed(table: Table, quote: str | None) -> str | None:
    """The delimiter of a file without commas in its first line, where its columns make sense with another one and every
    row has as many; else None."""
    line = next((line for line in text_lines(table.path, table.encoding) if line.strip()), "")
    if not line or _width(table, Dialect(",", quote)):
        return None
    others = (other for other in OTHERS if other in line)
    return next((other for other in others if _width(table, Dialect(other, quote)) > 1), None)


def _width(table: Table, dialect: Dialect) -> int:
    """How many cells the first rows have, if all have equally many, and those that are needed; else 0."""
    try:
        rows = list(islice((fields for _, fields in _records(table, dialect) if fields), _LOOKED_AT))
        if not rows:
            return 0
        table.places(table.header_of(rows[0]), False)
    except DataError:
        return 0
    telling = table.header or len(rows) >= _TELLING or dialect.delimiter == ","
    return len(rows[0]) if telling and len({len(row) for row in rows}) == 1 else 0


def read(table: Table, labelled: bool | None, whole: bool) -> Iterator[Batch]:
    """A row a record of the file that has anything in it; `records` are the lists of cells."""
    rows = _records(table, table.dialect)
    before: list[int] = []
    for line, first in rows:
        if first:
            break
        before.append(line)
    else:
        return
    refuse_sep(first, table.path, line)
    width, places = len(first), table.places_in(first, labelled, line)
    rows = rows if table.header else chain([(line, first)], rows)
    while some := list(islice(rows, _ROWS)):
        filled = [(line, fields) for line, fields in some if any(fields)]
        for line, fields in filled:
            if len(fields) != width:
                raise _uneven(table, len(fields), width, line)
            if table.header and width > 1 and fields == first:
                raise DataError(REPEATED, file=table.path, line=line)
        columns = {role: pa.array([fields[place] for _, fields in filled], TEXT) for role, place in places.items()}
        batch = Batch(columns, np.array([line for line, _ in filled], dtype=np.int64), table.path)
        if whole:
            blanks = [*before, *(line for line, fields in some if not any(fields))]
            batch = batch.with_columns(columns, [fields for _, fields in filled]).with_blanks(blanks)
            before = []
        yield batch


def _records(table: Table, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """The records, of a blank line an empty one, with the line each begins in. DataError, with that line, for quotes
    that do not pair."""
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
    lines = text_lines(table.path, table.encoding)
    quoting = {"quoting": csv.QUOTE_NONE} if dialect.quote is None else {"quotechar": dialect.quote}
    reader = csv.reader(lines, delimiter=dialect.delimiter, strict=True, **quoting)
    line = 1
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as error:
            remedy = (
                f'close the quotes; a quote in a text is written twice (""); is this TSV ({setting("format", "tsv")})?'
            )
            raise DataError(f"not CSV ({error}); {remedy}", file=table.path, line=line) from None
        if fields is None:
            return
        yield line, fields
        line = reader.line_num + 1


def _uneven(table: Table, got: int, width: int, line: int) -> DataError:
    remedy = f"put a text with {_named(table.dialect)} in quotes" if got > width else "write the cells that are missing"
    found = f"{counted(got, 'field')}, expected {width}"
    return DataError(f"{found}; {remedy}, or set {setting('delimiter')}", file=table.path, line=line)


def _named(dialect: Dialect) -> str:
    return {",": "a comma", ";": "a semicolon", "\t": "a TAB"}.get(dialect.delimiter, repr(dialect.delimiter))
