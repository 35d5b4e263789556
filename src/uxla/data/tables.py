"""TSV, CSV, JSON lines, Parquet and raw text, a batch of rows at a time: no row is skipped, no field is changed.

TSV has no quoting: a quote is a character like any other (XNLI and PAWS-X have single ones). CSV has the usual
quoting. A line without any character is no row; raw text also skips lines of white space only.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from uxla.data.columns import LABEL, TEXTS, Shape, place_columns
from uxla.data.files import read_bytes
from uxla.data.json_cells import json_column, parse_object
from uxla.data.lines import arrow_lines, text_lines
from uxla.data.values import TEXT, Batch, class_names, split_words, with_names
from uxla.errors import DataError

TableFormat = Literal["text", "tsv", "csv", "jsonl", "parquet"]

_ROWS, _WORD_ROWS = 1 << 14, 1 << 12


@dataclass(frozen=True)
class Table:
    """A file of rows and how to read it. `batches` can be called as often as one likes; it reads the file anew."""

    path: Path
    format: TableFormat
    shape: Shape
    columns: Mapping[str, str | int] | None = None
    header: bool = True
    encoding: str = "utf-8"

    def batches(self, *, labelled: bool | None) -> Iterator[Batch]:
        """All rows, checked, in order; with `labelled` False labels are not even looked at, with None they are read
        where there are any. DataError, with the line, for whatever is wrong, ConfigError for a role in
        `columns` that the shape does not have."""
        read = {"text": _text, "tsv": _tsv, "csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[self.format]
        empty = True
        for batch in read(self, labelled):
            if len(batch):
                empty = False
                yield batch.checked()
        if empty:
            words = self.format == "text" and self.shape == "tagging"
            nothing = "no line has a word; expected one sentence" if words else "no row; expected one example"
            raise DataError(f"{nothing} a line", file=self.path)

    def places(self, names: Sequence[str], labelled: bool | None, line: int | None = 1) -> dict[str, int]:
        """The position of each role's column, where `names` are those of the file's columns."""
        named = self.header or self.format in ("jsonl", "parquet")
        return place_columns(
            names,
            shape=self.shape,
            columns=self.columns,
            named=named,
            labelled=labelled,
            path=self.path,
            line=line,
        )


def arrow_batches(
    table: Table,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    *,
    labelled: bool | None,
    names: Sequence[str] | None = None,
) -> Iterator[Batch]:
    """Rows that are in Arrow already (Parquet, the Hub), classes as their names: those the schema has, else `names`.

    A batch may have all columns of `schema`, or those of the roles only.
    """
    places = table.places(schema.names, labelled, None)
    for name in (schema.names[place] for place in places.values()):
        if schema.names.count(name) > 1:
            raise DataError(f"two columns are called {name!r}; rename one", file=table.path)
    label = LABEL[table.shape]
    first = 1
    for batch in batches:
        columns = {role: batch.column(schema.names[place]) for role, place in places.items()}
        if label in columns:
            own = class_names(schema.field(places[label]), schema.metadata)
            columns[label] = with_names(columns[label], names if own is None else own)
        yield Batch(columns, np.arange(first, first + batch.num_rows, dtype=np.int64), table.path)
        first += batch.num_rows


def _text(table: Table, labelled: bool | None) -> Iterator[Batch]:
    """One text a line, two with a TAB between them, or words."""
    if labelled:
        other = (
            "a CoNLL file (format: conll)" if table.shape == "tagging" else "a table that has (format: tsv, csv, ...)"
        )
        raise DataError(f"raw text has no labels; name {other}", file=table.path)
    roles = TEXTS[table.shape]
    for lines, numbers in arrow_lines(table.path, table.encoding):
        filled = pc.invert(pc.match_substring_regex(lines, r"\A[ \t]*\z"))
        batch = Batch({}, numbers[filled.to_numpy(zero_copy_only=False)], table.path)
        texts = lines.filter(filled)
        if table.shape == "tagging":
            yield from _words(texts, batch)
            continue
        columns = [texts] if len(roles) == 1 else _cut(texts, batch, len(roles), range(len(roles)))
        yield Batch(dict(zip(roles, columns, strict=True)), batch.lines, table.path)


def _words(texts: pa.Array, batch: Batch) -> Iterator[Batch]:
    """The words of each text, not so many rows at a time: a word takes more memory than its characters."""
    for start in range(0, len(texts), _WORD_ROWS):
        part = slice(start, start + _WORD_ROWS)
        yield Batch({"tokens": split_words(texts[part])}, batch.lines[part], batch.path)


def _tsv(table: Table, labelled: bool | None) -> Iterator[Batch]:
    width: int | None = None
    places: dict[str, int] = {}
    for lines, numbers in arrow_lines(table.path, table.encoding):
        if len(lines) == 0:
            continue
        if width is None:
            names = lines[0].as_py().split("\t")
            width, places = len(names), table.places(_header(table, names), labelled, int(numbers[0]))
            lines, numbers = lines[table.header :], numbers[table.header :]
        batch = Batch({}, numbers, table.path)
        columns = _cut(lines, batch, width, list(places.values()))
        yield Batch(dict(zip(places, columns, strict=True)), numbers, table.path)


def _cut(lines: pa.Array, batch: Batch, width: int, wanted: Iterable[int]) -> list[pa.Array]:
    """The fields at each place `wanted` (of 10⁵ columns, two). DataError at the first line without `width` fields."""
    fields = pc.split_pattern(lines, "\t")
    counts = pc.list_value_length(fields).to_numpy(zero_copy_only=False)
    wrong = counts != width
    if wrong.any():
        got = int(counts[wrong][0])
        fields_ = f"{got} field{'s' * (got != 1)}, expected {width} with one TAB between them"
        batch.fail_where(wrong, f"{fields_}; replace TABs within a text by spaces, or is this CSV (format: csv)?")
    flat = fields.flatten()
    return [flat.take(pa.array(np.arange(i, len(flat), width))) for i in wanted]


def _csv(table: Table, labelled: bool | None) -> Iterator[Batch]:
    records = _csv_records(table)
    first = next(records, None)
    if first is None:
        return
    line, names = first
    width, places = len(names), table.places(_header(table, names), labelled, line)
    rows = records if table.header else chain([first], records)
    while some := list(islice(rows, _ROWS)):
        lines = np.array([line for line, _ in some], dtype=np.int64)
        for line, fields in some:
            if len(fields) != width:
                got = f"{len(fields)} field{'s' * (len(fields) != 1)}, expected {width}"
                remedy = "put a text with a comma in quotes, or is this TSV (format: tsv)?"
                raise DataError(f"{got}; {remedy}", file=table.path, line=line)
        columns = {role: pa.array([fields[place] for _, fields in some], TEXT) for role, place in places.items()}
        yield Batch(columns, lines, table.path)


def _csv_records(table: Table) -> Iterator[tuple[int, list[str]]]:
    """The records with the line each begins in. DataError, with that line, for quotes that do not pair."""
    reader = csv.reader(text_lines(table.path, table.encoding), strict=True)
    line = 1
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as error:
            remedy = 'close the quotes; a quote in a text is written twice (""); is this TSV (format: tsv)?'
            raise DataError(f"not CSV ({error}); {remedy}", file=table.path, line=line) from None
        if fields is None:
            return
        if fields:
            yield line, fields
        line = reader.line_num + 1


def _header(table: Table, names: list[str]) -> list[str]:
    """The columns' names: the first line, or the numbers from 0."""
    return names if table.header else [str(i) for i in range(len(names))]


def _jsonl(table: Table, labelled: bool | None) -> Iterator[Batch]:
    numbered = enumerate(text_lines(table.path, table.encoding), start=1)
    objects = ((number, parse_object(line, table.path, number)) for number, line in numbered if line.strip("\r\n"))
    first = next(objects, None)
    if first is None:
        return
    names = list(first[1])
    roles = {role: names[place] for role, place in table.places(names, labelled, first[0]).items()}
    rows = chain([first], objects)
    while some := list(islice(rows, _ROWS)):
        lines = np.array([number for number, _ in some], dtype=np.int64)
        columns = {role: json_column(some, role, key, table.path) for role, key in roles.items()}
        yield Batch(columns, lines, table.path)


def _parquet(table: Table, labelled: bool | None) -> Iterator[Batch]:
    if not os.path.isfile(table.path):  # Path.is_file raises for a name that is too long
        read_bytes(table.path)  # the same words for a missing file as everywhere
    try:
        with pq.ParquetFile(table.path, page_checksum_verification=True) as file:
            schema, missing = file.schema_arrow, file.metadata.num_rows
            wanted = [schema.names[place] for place in table.places(schema.names, labelled, None).values()]
            batches = map(_sound, file.iter_batches(_ROWS, columns=wanted))
            for batch in arrow_batches(table, schema, batches, labelled=labelled):
                missing -= len(batch)
                yield batch
            if missing:
                raise OSError(f"{missing} rows fewer than its footer says")
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).partition("\n")[0]
        message = f"cannot be read as Parquet ({reason}); write it again, or set format"
        raise DataError(message, file=table.path) from None


def _sound(batch: pa.RecordBatch) -> pa.RecordBatch:
    batch.validate(full=True)
    return batch
