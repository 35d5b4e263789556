"""CSV with the usual quoting."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from uxla.data.lines import text_lines
from uxla.data.values import TEXT, Batch
from uxla.errors import DataError, setting

if TYPE_CHECKING:
    from uxla.data.tables import Table

_ROWS = 1 << 14


def head(table: Table) -> list[str]:
    """The names of the columns."""
    return table.header_of(next((fields for _, fields in _records(table) if fields), []))


def read(table: Table, labelled: bool | None, whole: bool) -> Iterator[Batch]:
    """A row a record of the file that has anything in it; `records` are the lists of cells."""
    rows = _records(table)
    before: list[int] = []
    for line, first in rows:
        if first:
            break
        before.append(line)
    else:
        return
    width, places = len(first), table.places(table.header_of(first), labelled, line)
    rows = rows if table.header else chain([(line, first)], rows)
    while some := list(islice(rows, _ROWS)):
        filled = [(line, fields) for line, fields in some if any(fields)]
        for line, fields in filled:
            if len(fields) != width:
                got = f"{len(fields)} field{'s' * (len(fields) != 1)}, expected {width}"
                remedy = f"put a text with a comma in quotes, or is this TSV ({setting('format', 'tsv')})?"
                raise DataError(f"{got}; {remedy}", file=table.path, line=line)
        columns = {role: pa.array([fields[place] for _, fields in filled], TEXT) for role, place in places.items()}
        batch = Batch(columns, np.array([line for line, _ in filled], dtype=np.int64), table.path)
        if whole:
            blanks = [*before, *(line for line, fields in some if not any(fields))]
            batch = batch.with_columns(columns, [fields for _, fields in filled]).with_blanks(blanks)
            before = []
        yield batch


def _records(table: Table) -> Iterator[tuple[int, list[str]]]:
    """The records, of a blank line an empty one, with the line each begins in. DataError, with that line, for quotes
    that do not pair."""
    reader = csv.reader(text_lines(table.path, table.encoding), strict=True)
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
