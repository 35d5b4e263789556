"""CSV with the usual quoting."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from uxla.data.batch import TEXT, Batch
from uxla.data.columns import Place
from uxla.data.files import text_lines
from uxla.data.formats.dialect import OTHERS, REPEATED, Dialect, refuse_sep
from uxla.errors import DataError, setting
from uxla.phrases import counted

_ROWS, _LOOKED_AT, _TELLING = 1 << 14, 1000, 10
_LONGEST = 1 << 27
"""The most characters a cell may have; without it the module `csv` takes 131,072."""


def first_row(path: Path, encoding: str, dialect: Dialect) -> list[str]:
    """The cells of the first row that is not empty; none in a file without such a row."""
    return next((cells for _, cells in _records(path, encoding, dialect) if cells), [])


def sniffed(path: Path, encoding: str, quote: str | None, place: Place, *, header: bool) -> str | None:
    """The delimiter of a file that has no comma in its first line, or None.

    It is one of `OTHERS` with which the columns make sense and all rows have equally many cells.
    """

    def width(delimiter: str) -> int:
        """How many cells the first rows have, if all have equally many, among them those that are needed; else 0."""
        try:
            records = _records(path, encoding, Dialect(delimiter, quote))
            rows = list(islice((cells for _, cells in records if cells), _LOOKED_AT))
            if not rows:
                return 0
            place(rows[0], 1)
        except DataError:
            return 0
        telling = header or len(rows) >= _TELLING or delimiter == ","
        return len(rows[0]) if telling and len({len(row) for row in rows}) == 1 else 0

    line = next((line for line in text_lines(path, encoding) if line.strip()), "")
    if not line or width(","):
        return None
    return next((other for other in OTHERS if other in line and width(other) > 1), None)


def read(path: Path, encoding: str, dialect: Dialect, place: Place, *, header: bool, whole: bool) -> Iterator[Batch]:
    """A row for each record of the file that has anything in it; the record of a row is the list of its cells."""
    rows = _records(path, encoding, dialect)
    line, first = next(((line, cells) for line, cells in rows if cells), (0, []))
    if not first:
        return
    refuse_sep(first, path, line)
    width, places = len(first), place(first, line)
    rows = rows if header else chain([(line, first)], rows)
    while some := list(islice(rows, _ROWS)):
        filled = [(line, cells) for line, cells in some if any(cells)]
        for line, cells in filled:
            if len(cells) != width:
                raise _uneven(path, dialect, len(cells), width, line)
            if header and width > 1 and cells == first:
                raise DataError(REPEATED, file=path, line=line)
        columns = {role: pa.array([cells[at] for _, cells in filled], TEXT) for role, at in places.items()}
        batch = Batch(columns, np.array([line for line, _ in filled], dtype=np.int64), path)
        yield batch.with_columns(columns, [cells for _, cells in filled] if whole else None)


def _records(path: Path, encoding: str, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """The line in which each record begins, and its cells; a blank line has none.

    DataError, with that line, for quotes that do not pair.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
    quoting = {"quoting": csv.QUOTE_NONE} if dialect.quote is None else {"quotechar": dialect.quote}
    reader = csv.reader(text_lines(path, encoding), delimiter=dialect.delimiter, strict=True, **quoting)
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            remedy = 'close the quotes; a quote in a text is written twice ("")'
            message = f"not CSV ({error}); {remedy}; is this TSV ({setting('format', 'tsv')})?"
            raise DataError(message, file=path, line=line) from None
        if cells is None:
            return
        yield line, cells
        line = reader.line_num + 1


def _uneven(path: Path, dialect: Dialect, got: int, width: int, line: int) -> DataError:
    named = {",": "a comma", ";": "a semicolon", "\t": "a TAB"}.get(dialect.delimiter, repr(dialect.delimiter))
    remedy = f"put a text with {named} in quotes" if got > width else "write the cells that are missing"
    found = f"{counted(got, 'field')}, expected {width}"
    return DataError(f"{found}; {remedy}, or set {setting('delimiter')}", file=path, line=line)
