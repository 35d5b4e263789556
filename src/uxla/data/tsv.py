"""Raw text and TSV, which have no quoting: a quote is a character like any other (XNLI and PAWS-X have single ones)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uxla.data.columns import TEXTS
from uxla.data.dialect import REPEATED, TAB
from uxla.data.lines import arrow_lines
from uxla.data.values import Batch, split_words
from uxla.errors import DataError, setting
from uxla.wording import counted

if TYPE_CHECKING:
    from uxla.data.tables import Table

_WORD_ROWS = 1 << 12


def text_head(table: Table) -> list[str]:
    """The names of raw text's columns: the roles."""
    return list(TEXTS[table.shape])


def head(table: Table) -> list[str]:
    """The names of the columns."""
    first = next((lines[0].as_py() for lines, _, _ in arrow_lines(table.path, table.encoding) if len(lines)), None)
    return [] if first is None else table.header_of(first.split(table.dialect.delimiter))


def read_text(table: Table, labelled: bool | None, whole: bool) -> Iterator[Batch]:
    """One text a line, two with a TAB between them, or words; each one's record is its cells."""
    if labelled:
        other = (
            "a CoNLL file (format: conll)" if table.shape == "tagging" else "a table that has (format: tsv, csv, ...)"
        )
        raise DataError(f"raw text has no labels; name {other}", file=table.path)
    roles = TEXTS[table.shape]
    for lines, numbers, blanks in arrow_lines(table.path, table.encoding):
        filled = pc.invert(pc.match_substring_regex(lines, r"\A[ \t]*\z"))
        kept = filled.to_numpy(zero_copy_only=False)
        batch = Batch({}, numbers[kept], table.path)
        if whole:
            batch = batch.with_blanks([*blanks, *numbers[~kept]])
        texts = lines.filter(filled)
        if len(roles) == 2:
            columns, records = _cut(texts, batch, 2, range(2), whole)
            yield batch.with_columns(dict(zip(roles, columns, strict=True)), records)
            continue
        records = [[text] for text in texts.to_pylist()] if whole else None
        if table.shape == "single":
            yield batch.with_columns({"text": texts}, records)
        else:
            yield from _words(texts, batch.with_columns({}, records))


def _words(texts: pa.Array, batch: Batch) -> Iterator[Batch]:
    """The words of each text, not so many rows at a time: a word takes more memory than its characters."""
    if batch.blanks:
        yield Batch({}, batch.lines[:0], batch.path, [], batch.blanks)
    for start in range(0, len(texts), _WORD_ROWS):
        part = slice(start, start + _WORD_ROWS)
        records = None if batch.records is None else batch.records[part]
        yield Batch({"tokens": split_words(texts[part])}, batch.lines[part], batch.path, records)


def read_tsv(table: Table, labelled: bool | None, whole: bool) -> Iterator[Batch]:
    """A row a line; its record is the list of its cells."""
    delimiter = table.dialect.delimiter
    width: int | None = None
    header = ""
    places: dict[str, int] = {}
    for lines, numbers, blanks in arrow_lines(table.path, table.encoding):
        if len(lines) and width is None:
            header = lines[0].as_py()
            first = header.split(delimiter)
            width, places = len(first), table.places_in(first, labelled, int(numbers[0]))
            lines, numbers = lines[table.header :], numbers[table.header :]
        batch = Batch({}, numbers, table.path)
        if whole:
            batch = batch.with_blanks(blanks)
        if table.header and (width or 0) > 1:
            batch.fail_where(pc.equal(lines, header), REPEATED)
        columns, records = _cut(lines, batch, width or 0, list(places.values()), whole, delimiter)
        yield batch.with_columns(dict(zip(places, columns, strict=True)), records)


def _cut(
    lines: pa.Array, batch: Batch, width: int, wanted: Iterable[int], whole: bool, delimiter: str = TAB
) -> tuple[list[pa.Array], list[list[str]] | None]:
    """The fields at each place `wanted` (of 10⁵ columns, two), and if `whole` all fields of each line. DataError at the
    first line without `width` fields."""
    fields = pc.split_pattern(lines, delimiter)
    counts = pc.list_value_length(fields).to_numpy(zero_copy_only=False)
    wrong = counts != width
    if wrong.any():
        got = int(counts[wrong][0])
        between = "TAB" if delimiter == TAB else repr(delimiter)
        fields_ = f"{counted(got, 'field')}, expected {width} with one {between} between them"
        more = f"replace {between}s within a text by spaces"
        remedy = more if got > width else f"write what is missing, with a {between} before it"
        batch.fail_where(wrong, f"{fields_}; {remedy}, or is this CSV ({setting('format', 'csv')})?")
    flat = fields.flatten()
    columns = [flat.take(pa.array(np.arange(i, len(flat), width))) for i in wanted]
    return columns, fields.to_pylist() if whole else None
