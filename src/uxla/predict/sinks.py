"""Where rows with answers go: text, or objects as JSON lines, CSV or Parquet, written as they come."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from uxla.data.files import Encoder
from uxla.data.writing.cells import cell, json_line
from uxla.errors import DataError
from uxla.models.entities import tags_of
from uxla.models.mentions import Answer
from uxla.phrases import first_line
from uxla.predict.row import Row, Write

Object = dict[str, Any]
WORDS = pa.schema([("tokens", pa.list_(pa.string())), ("tags", pa.list_(pa.string()))])
"""The columns of sentences as words and labels."""


def labelled_words(row: Row, answer: Answer) -> list[Object]:
    """The one object of a sentence, with the columns of `WORDS`."""
    return [{"tokens": list(row.parts), "tags": tags_of(answer, len(row.parts))}]


@contextmanager
def open_text(
    sink: BinaryIO,
    text: Callable[[Row, Answer], str],
    encode: Encoder,
    *,
    head: str = "",
    tail: Callable[[], str] = str,
) -> Iterator[Write]:
    """Writes the `text` of each row between `head` and `tail`."""
    sink.write(encode(head))

    def write(rows: Sequence[Row], answers: Sequence[Answer]) -> None:
        sink.write(encode("".join(map(text, rows, answers))))

    yield write
    sink.write(encode(tail(), final=True))


def open_objects(
    sink: BinaryIO, form: str, objects: Callable[[Row, Answer], Iterable[Object]], schema: pa.Schema
) -> AbstractContextManager[Write]:
    """Writes the `objects` of each row, in UTF-8: as JSON lines, as CSV with a header, or as Parquet."""
    encode = Encoder("utf-8", Path())
    if form == "jsonl":
        return open_text(sink, lambda row, answer: "".join(map(json_line, objects(row, answer))), encode)
    if form == "csv":
        names = schema.names

        def lines(row: Row, answer: Answer) -> str:
            return _csv([[cell(found.get(name)) for name in names] for found in objects(row, answer)])

        return open_text(sink, lines, encode, head=_csv([names]))

    def table(rows: Sequence[Row], answers: Sequence[Answer]) -> pa.Table:
        return pa.Table.from_pylist(list(chain.from_iterable(map(objects, rows, answers))), schema)

    return open_parquet(sink, schema, table)


@contextmanager
def open_parquet(
    sink: BinaryIO, schema: pa.Schema, table: Callable[[Sequence[Row], Sequence[Answer]], pa.Table]
) -> Iterator[Write]:
    """Writes the `table` of some rows as a row group."""
    with pq.ParquetWriter(sink, schema) as writer:
        yield lambda rows, answers: writer.write_table(table(rows, answers))


def merged_schema(schema: pa.Schema, objects: Sequence[Mapping[str, Any]], file: Path) -> pa.Schema:
    """The schema with the columns of more objects. DataError for a column with values of several types."""
    for name in dict.fromkeys(chain.from_iterable(objects)):
        try:
            own = pa.schema([(name, pa.array([row.get(name) for row in objects]).type)])
            schema = pa.unify_schemas([schema, own], promote_options="permissive")
        except (pa.ArrowException, OverflowError, UnicodeError) as error:
            message = f"column {name!r} does not go into Parquet ({first_line(error)}); use --out FILE.jsonl"
            raise DataError(message, file=file) from None
    return schema


def _csv(rows: Iterable[Sequence[str]]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()
