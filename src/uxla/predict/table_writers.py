"""How tables with answers are written: beside their rows, where the format stays, or in another format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from uxla.data.conll.file import conll_lines
from uxla.data.files import BOM, Encoder, marks
from uxla.data.formats.json import is_array
from uxla.data.formats.json_places import with_entries
from uxla.data.word_rows import Words
from uxla.data.writing.cells import cell, line_writer, prediction_cell
from uxla.errors import DataError, EmptyError
from uxla.models.batches import chunks
from uxla.models.entities import tags_of
from uxla.models.mentions import Answer
from uxla.predict.parquet_rows import rows_of
from uxla.predict.row import Raw, Row, Write
from uxla.predict.sinks import Object, merged_schema, open_objects, open_parquet, open_text
from uxla.predict.tables import AnsweredTable, Values

_TEXT, _WORDS, _NUMBER = pa.string(), pa.list_(pa.string()), pa.float64()
_GUESS = [("label", _TEXT), ("confidence", _NUMBER)]
_ENTITY = [("start", pa.int64()), ("end", pa.int64()), ("text", _TEXT), *_GUESS]

_ROWS = 1 << 12


def open_writer(source: AnsweredTable, form: str, sink: BinaryIO) -> AbstractContextManager[Write]:
    """Inside the block rows can be written into `sink` in the format `form`. DataError, with the line, for what it
    cannot hold. In the table's own format (raw text in TSV) everything stays byte for byte, and answers stand at the
    ends of rows."""
    table = source.table
    own = "json" if table.format == "jsonl" and is_array(table.path, table.options.encoding) else table.format
    if form == own == "parquet":
        return _columns_beside(source, sink)
    if form == "conll":
        return _sentences(source, sink)
    if form == own and table.format == "jsonl":
        return _objects_beside(source, sink)
    if form == own or (form, own) == ("tsv", "text"):
        return _cells_beside(source, sink)
    if form in ("tsv", "csv"):
        return _lines(source, form, sink)
    return open_objects(sink, form, source.objects, _schema(source, form))


def _sentences(source: AnsweredTable, sink: BinaryIO) -> AbstractContextManager[Write]:
    """One word a line; a row in which nothing stands is a sentence without words, but not where a row is a word."""
    lines = conll_lines()

    def text(row: Row, answer: Answer) -> str:
        blank = sum(number is None and source.is_row(part) for part, number in row.raw)
        blank = 0 if isinstance(row.record, Words) else blank
        words = lines(row.parts, tags_of(answer, len(row.parts))) if row.record is not None else ""
        return "".join(lines((), ()) for _ in range(blank)) + words

    return open_text(sink, text, Encoder("utf-8", source.table.path))


def _objects_beside(source: AnsweredTable, sink: BinaryIO) -> AbstractContextManager[Write]:
    """The objects with their answers. Without `where` everything between them stays, too."""
    path, options = source.table.path, source.table.options
    chosen, before = bool(options.where), "["
    array = chosen and is_array(path, options.encoding)

    def chosen_ones(bodies: Iterable[str]) -> str:
        nonlocal before
        found = ""
        for body in bodies:
            found, before = found + (before + body if array else f"{body}\n"), ","
        return found

    def text(row: Row, answer: Answer) -> str:
        if source.grows and row.record and (name := next((name for name in source.names if name in row.record), None)):
            message = f"has a key {name!r}, as the answer; rename it, or give a file in place of standard input"
            raise DataError(message, file=path, line=row.line)
        values = [source.named(each) for each in source.values(row, answer)]
        if chosen:
            return chosen_ones(
                with_entries(part.body, values[number]) for part, number in row.raw if number is not None
            )
        return "".join(part.before + body(part, number, values) + part.after for part, number in row.raw)

    def body(part: Raw, number: int | None, values: Sequence[Object]) -> str:
        if number is not None:
            return with_entries(part.body, values[number])
        return with_entries(part.body, source.named(source.no_answer)) if source.is_row(part) else part.body

    head = BOM * min(1, marks(path, options.encoding))
    return open_text(sink, text, Encoder(options.encoding, path), head=head, tail=lambda: "]\n" if array else "")


def _cells_beside(source: AnsweredTable, sink: BinaryIO) -> AbstractContextManager[Write]:
    table, raw = source.table, source.table.format == "text"
    joined = line_writer(table, "tsv" if raw else table.format, "")

    def beside(part: Raw, values: Values) -> str:
        if raw and table.shape != "pair":
            joined([part.body], part.line)  # which refuses a TAB
        cells = joined([prediction_cell(value) for value in values], part.line)
        return part.body + source.dialect.delimiter + cells + part.after

    def text(row: Row, answer: Answer) -> str:
        values, found = source.values(row, answer), ""
        for part, number in row.raw:
            if number is not None:
                found += beside(part, values[number])
            elif not part.body:
                found += part.after.lstrip(" \t") if raw else part.after
            elif part.header or source.is_row(part):
                found += beside(part, source.names if part.header else source.no_answer)
        return found

    encoding, marked = table.options.encoding, marks(table.path, table.options.encoding)
    head = BOM * (marked > raw)  # a mark that is a part of the text needs one before it
    return open_text(sink, text, Encoder("utf-8" if raw else encoding, table.path), head=head)


@contextmanager
def _columns_beside(source: AnsweredTable, sink: BinaryIO) -> Iterator[Write]:
    with pq.ParquetFile(source.table.path) as file:
        fields, take = _fields(source), rows_of(file)

        def table(rows: Sequence[Row], answers: Sequence[Answer]) -> pa.Table:
            lines, values = zip(*_by_line(source, rows, answers), strict=True)
            found = take([line - 1 for line in lines])
            for field, column in zip(fields, zip(*values, strict=True), strict=True):
                found = found.append_column(field, pa.array(column, field.type))
            return found

        with open_parquet(sink, _with_fields(file.schema_arrow, fields), table) as write:
            yield write


def _by_line(source: AnsweredTable, rows: Sequence[Row], answers: Sequence[Answer]) -> Iterator[tuple[int, Values]]:
    """Each row's number and the values for it; where a row is a word, each word's."""
    for row, answer in zip(rows, answers, strict=True):
        values = source.values(row, answer)
        yield from zip(row.record.lines if isinstance(row.record, Words) else [row.line], values, strict=True)


def _lines(source: AnsweredTable, form: str, sink: BinaryIO) -> AbstractContextManager[Write]:
    """The rows in TSV or CSV, after the names of the columns if the table has a header."""
    line = line_writer(source.table, form, "\r\n" if form == "csv" else "\n")

    def text(row: Row, answer: Answer) -> str:
        rows = source.objects(row, answer)
        cells = ([*(cell(found.get(name)) for name in source.columns), *_predicted(found)] for found in rows)
        return "".join(line(each, row.line) for each in cells)

    def _predicted(found: dict[str, Any]) -> list[str]:
        return [prediction_cell(found[name]) for name in source.names]

    head = line([*source.columns, *source.names], 1) if source.table.options.header else ""
    return open_text(sink, text, Encoder("utf-8", source.table.path), head=head)


def _schema(source: AnsweredTable, form: str) -> pa.Schema:
    """The columns of objects; their types count only in Parquet."""
    table, schema = source.table, pa.schema([(name, _TEXT) for name in source.columns])
    if table.format == "text":
        schema = schema.set(0, pa.field("id", pa.int64()))
    elif table.format == "jsonl" and form == "parquet":
        schema = pa.schema([])
        for records in chunks(source.records(), _ROWS):
            schema = merged_schema(schema, records, table.path)
    return _with_fields(schema, _fields(source))


def _fields(source: AnsweredTable) -> list[pa.Field]:
    words = _TEXT if source.answer == "tags" and _has_row_a_word(source) else _WORDS
    entity = [*_ENTITY, *([("second", pa.struct(_GUESS))] if source.second else [])]
    types = {"label": [_TEXT, _NUMBER] * 2, "entities": [pa.list_(pa.struct(entity))], "tags": [words]}[source.answer]
    return [pa.field(name, type_) for name, type_ in zip(source.names, types, strict=False)]


def _has_row_a_word(source: AnsweredTable) -> bool:
    with suppress(EmptyError):
        return source.table.sentence_column() is not None
    return False


def _with_fields(schema: pa.Schema, fields: Iterable[pa.Field]) -> pa.Schema:
    for field in fields:
        schema = schema.append(field)
    return schema
