"""The rows of a table with predictions beside them, as they are in the file or in another format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from uxla.data.columns import TEXTS, Shape
from uxla.data.conll.file import conll_text
from uxla.data.files import BOM, decode, encode, read_bytes
from uxla.data.formats.dialect import TAB, Dialect
from uxla.data.formats.json import is_array, records_in
from uxla.data.formats.json_places import with_entries
from uxla.data.formats.table import Table
from uxla.data.word_rows import Words
from uxla.data.writing.cells import cell, line_writer, prediction_cell, raw_rows
from uxla.errors import DataError

NAMES: dict[Shape, tuple[str, ...]] = {
    "tagging": ("tags",),
    "single": ("label", "confidence"),
    "pair": ("label", "confidence"),
}
"""The names of the columns of predictions."""
PREDICTED = "predicted_"
"""The prefix of those names if the table has labels, or a column with such a name."""

Prediction = tuple[str | float | list[str], ...]


class TableRow(NamedTuple):
    """A row: its line, its record (the cells in order, or by name), and its words, or its one or two texts.

    A blank line of raw text has no texts, and its record is None.
    """

    line: int
    record: Any
    texts: Sequence[str]


def read_rows(table: Table) -> list[TableRow]:
    """All rows in order; of raw text also the blank lines. DataError as from `Table.batches`."""
    rows: list[TableRow] = []
    for batch in table.batches(labelled=False, whole=True):
        columns = [batch.columns[role].to_pylist() for role in TEXTS[table.shape]] if len(batch) else [[]]
        texts = columns[0] if table.shape == "tagging" else zip(*columns, strict=True)
        rows += map(TableRow, batch.lines.tolist(), batch.records or (), texts)
        if table.format == "text":
            rows += (TableRow(line, None, ()) for line in batch.blanks)
    return sorted(rows, key=lambda row: row.line) if table.format == "text" else rows


@dataclass(frozen=True)
class PredictedTable:
    """A table, its rows, and in the same order the predictions for those that are not blank."""

    table: Table
    rows: Sequence[TableRow]
    predictions: Sequence[Prediction]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns of predictions, different from those the table has."""
        there, names = set(self._columns), NAMES[self.table.shape]
        labelled = self.table.format != "text" and self.table.is_labelled(self._columns)
        while labelled or there & set(names):
            names, labelled = tuple(f"{PREDICTED}{name}" for name in names), False
        return names

    def written(self, format: str) -> bytes:
        """The file with the predictions, in this format.

        In its own format (for raw text TSV) everything stays byte for byte, and predictions stand at the ends of rows.
        DataError, with the line, for what the format or the encoding cannot hold.
        """
        if format != "conll" and any(isinstance(row.record, Words) for row in self.rows):
            return self._by_word().written(format)
        own = self.table.format
        if format == own == "parquet":
            return self._columns_beside()
        if format == own or (format, own) == ("tsv", "text"):
            return self._beside()
        if format == "conll":
            tags: list[Any] = [prediction[0] if prediction else [] for _, prediction in self._pairs()]
            return conll_text([row.texts for row in self.rows], tags).encode()
        if format in ("jsonl", "parquet"):
            return as_table(list(self._objects()), format, self.table.path)
        return encode("".join(self._lines(format)), "utf-8", file=self.table.path)

    def _by_word(self) -> PredictedTable:
        """The same for a table with one row a word: each row gets a label."""
        sentences = [(row, row.record.records, row.record.lines) for row in self.rows]
        rows = [
            TableRow(line, record, [word])
            for row, records, lines in sentences
            for word, record, line in zip(row.texts, records, lines, strict=True)
        ]
        found: list[Any] = [prediction[0] for prediction in self.predictions]
        labels: list[Prediction] = [(label,) for tags in found for label in tags]
        return PredictedTable(self.table, rows, labels)

    @cached_property
    def _columns(self) -> list[str]:
        """The names of the columns; of JSON lines those of all objects."""
        if self.table.format == "jsonl":
            return list(dict.fromkeys(chain.from_iterable(row.record for row in self.rows)))
        return self.table.names

    def _pairs(self) -> Iterator[tuple[TableRow, Prediction]]:
        """Each row and its prediction, which is empty for a blank line."""
        predictions = iter(self.predictions)
        return ((row, () if row.record is None else next(predictions)) for row in self.rows)

    def _named(self, prediction: Prediction) -> dict[str, Any]:
        rounded = [round(value, 4) if isinstance(value, float) else value for value in prediction]
        return dict(zip(self.names, rounded, strict=True))

    def _beside(self) -> bytes:
        table = self.table
        text = "".join(self._objects_beside() if table.format == "jsonl" else self._cells_beside())
        if table.format == "text":  # a mark that is a part of the text needs one before it
            return (BOM * text.startswith(BOM) + text).encode()
        marked = decode(read_bytes(table.path), table.options.encoding, file=table.path).startswith(BOM)
        return encode(BOM * marked + text, table.options.encoding, file=table.path)

    def _objects_beside(self) -> Iterator[str]:
        """The objects with their predictions. Without `where` everything between them stays, too."""
        pairs = self._pairs()
        row, prediction = next(pairs, (None, ()))
        chosen: list[str] = []
        for record in records_in(self.table.path, self.table.options.encoding):
            raw = record.raw
            asked = row is not None and (row.line, row.record) == (record.line, record.value)
            if asked:
                raw = with_entries(raw, self._named(prediction))
                row, prediction = next(pairs, (None, ()))
            if not self.table.options.where:
                yield f"{record.before}{raw}{record.after}"
            elif asked:
                chosen.append(raw)
        if self.table.options.where:
            array = is_array(self.table.path, self.table.options.encoding)
            yield f"[{','.join(chosen)}]\n" if array else "".join(f"{raw}\n" for raw in chosen)

    def _cells_beside(self) -> Iterator[str]:
        table, format = self.table, self.table.format
        dialect = Dialect(TAB, None) if format == "text" else table.dialect
        joined = line_writer(table, "tsv" if format == "text" else format, "")
        predictions: dict[int, Any] = {row.line: prediction for row, prediction in self._pairs() if prediction}
        header = table.options.header and format != "text"
        for line, raw, blank in raw_rows(table, dialect):
            body = raw.rstrip("\r\n")
            prediction = self.names if header and body else predictions.get(line)
            header = header and not body
            if prediction and format == "text" and table.shape != "pair":
                joined([body], line)  # which refuses a TAB
            if prediction:
                cells = [prediction_cell(value) for value in prediction]
                yield body + dialect.delimiter + joined(cells, line) + raw[len(body) :]
            elif blank:
                yield raw[len(body) :] if format == "text" else raw

    def _columns_beside(self) -> bytes:
        table = pq.read_table(self.table.path).take([row.line - 1 for row in self.rows])
        label = pa.list_(pa.string()) if isinstance(self.predictions[0][0], list) else pa.string()
        types = [label] if self.table.shape == "tagging" else [label, pa.float64()]
        for name, type_, values in zip(self.names, types, zip(*self.predictions, strict=True), strict=True):
            table = table.append_column(pa.field(name, type_), pa.array(values, type_))
        return _parquet(table)

    def _objects(self) -> Iterator[dict[str, Any]]:
        """The rows as objects. Columns without names are called like their roles."""
        names = list(self._columns)
        if not self.table.options.header and self.table.format in ("tsv", "csv"):
            for role, place in self.table.places(names, labelled=False).items():
                names[place] = role
        raw_words = (self.table.format, self.table.shape) == ("text", "tagging")
        for row, prediction in self._pairs():
            cells = [list(row.texts)] if raw_words else [""] * len(names) if row.record is None else row.record
            values = cells if isinstance(cells, dict) else dict(zip(names, cells, strict=True))
            nothing: dict[str, Any] = dict.fromkeys(self.names, [] if raw_words else None)
            yield {**values, **(self._named(prediction) if prediction else nothing)}

    def _lines(self, format: str) -> Iterator[str]:
        """The rows in TSV or CSV, after the names of the columns if the table has a header."""
        names, line = self._columns, line_writer(self.table, format, "\r\n" if format == "csv" else "\n")
        if self.table.options.header:
            yield line([*names, *self.names], 1)
        for row, prediction in self._pairs():
            values = row.record or [""] * len(names)
            cells = [values.get(name) for name in names] if isinstance(values, dict) else values
            added = map(prediction_cell, prediction) if prediction else [""] * len(self.names)
            yield line([*map(cell, cells), *added], row.line)


def as_table(rows: Sequence[dict[str, Any]], format: str, file: Path) -> bytes:
    """Objects as CSV with a header, JSON lines or Parquet, in UTF-8; `file` is where they come from, for errors.

    DataError for what Parquet cannot hold: a column with values of several types.
    """
    names = list(dict.fromkeys(chain.from_iterable(rows)))
    if format == "parquet":
        return _parquet(pa.table({name: _column(name, rows, file) for name in names}))
    if format == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows).encode()
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([names, *([cell(row.get(name)) for name in names] for row in rows)])
    return buffer.getvalue().encode()


def _column(name: str, rows: Sequence[dict[str, Any]], file: Path) -> pa.Array:
    try:
        return pa.array([row.get(name) for row in rows])
    except (pa.ArrowException, OverflowError, UnicodeError) as error:
        message = f"column {name!r} does not go into Parquet ({str(error).splitlines()[0]}); use --out FILE.jsonl"
        raise DataError(message, file=file) from None


def _parquet(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()
