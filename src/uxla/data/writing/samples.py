"""Writing rows with other texts, as `uxla augment` does: each with the number of its original and of changed words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from uxla.data.batch import Row
from uxla.data.conll.cells import with_cell, with_cells_before
from uxla.data.conll.file import ConllFile
from uxla.data.conll.layout import ConllLayout
from uxla.data.corpus import DataSource
from uxla.data.formats.list_cells import replaced
from uxla.data.formats.table import SUFFIXES, TEXT_SUFFIXES, Table
from uxla.data.spans.file import SpanFile
from uxla.data.spans.rewrite import rewritten, spans_in, spans_written_as
from uxla.data.word_rows import rewritten_rows
from uxla.data.writing.cells import json_line, line_end, line_writer
from uxla.data.writing.derived_columns import copied_column, offset_column
from uxla.errors import ConfigError, DataError
from uxla.phrases import first_line

ADDED = ("parent", "changed")
"""The columns that a table gets at its end."""
_BY_SUFFIX = SUFFIXES | dict.fromkeys(TEXT_SUFFIXES, "text")
_SUFFIX = {"text": ".txt", "tsv": ".tsv", "csv": ".csv", "jsonl": ".jsonl", "parquet": ".parquet"}
_FITTING = {
    "conll": ("conll",),
    "text": tuple(_SUFFIX),
    "tsv": tuple(_SUFFIX),
    "csv": tuple(_SUFFIX),
    "jsonl": ("jsonl", "text"),
    "parquet": ("parquet", "text"),
}
"""The formats in which each format can be written without loss. Only raw text has the sentences alone."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """`row` with other texts, made from row number `parent`; `changed` are the positions of changed words in each."""

    row: Row
    texts: tuple[str, ...]
    parent: int
    changed: Sequence[Sequence[int]]


Write = Callable[[Iterable[Rewritten]], None]
"""A function that writes rows, in order."""


def written_as(source: DataSource, out: Path) -> str:
    """The format of `out` by its suffix, `array` for one of JSON, else that of the source. ConfigError if it cannot
    hold all of the source."""
    if isinstance(source, SpanFile):
        return spans_written_as(source, out)
    own = source.format if isinstance(source, Table) else "conll"
    suffix = out.suffix.lower()
    asked = own if suffix == source.path.suffix.lower() else _BY_SUFFIX.get(suffix, own)
    if own == "conll" and suffix in (".txt", ".tsv"):  # CoNLL files often have such names
        return own
    if asked not in _FITTING[own]:
        known = "another suffix for CoNLL" if own == "conll" else " or ".join(_SUFFIX[form] for form in _FITTING[own])
        raise ConfigError(f"--out {out}: {suffix} does not hold all that {own} can; expected {known}")
    return "array" if asked == "jsonl" and suffix == ".json" else asked


def refuse_offsets(source: DataSource, row: Row) -> None:
    """DataError for a row with offsets into its text that cannot be moved along with another text."""
    if isinstance(source, SpanFile):
        spans_in(row.record)
    elif isinstance(source, Table):
        first = row.record[0] if isinstance(row.record, list) else row.record  # a row a word
        name = offset_column(first, source.text_columns())
        if name is not None:
            remedy = "--task ner moves those of entities; else leave it out, or rename it if it is something else"
            message = f"column {name!r} has offsets, which would not fit another text; {remedy}"
            raise DataError(message, file=source.path, line=row.line)


def column_of_text(source: DataSource, row: Row) -> str | None:
    """The name of a column that was derived from the text and will not fit another; None if there is none."""
    if not isinstance(source, Table) or not isinstance(row.record, dict):
        return None
    return copied_column(row.record, dict(zip(source.text_columns(), row.texts, strict=True)))


def open_writer(source: DataSource, format: str, stream: BinaryIO) -> AbstractContextManager[Write]:
    """Inside the block rows of `source` can be written into `stream`, in UTF-8, in the format that `written_as` gave.

    CoNLL gets two columns before its last one (words alone, and rows of several lengths: behind word and label): the
    parent's number, and 1 where the word changed, else 0; lines that are no words are left out. Tables get `parent` and
    `changed` at their end, the latter with the positions of the words: in TSV and CSV `2 5`, of a pair `2 5|0`,
    elsewhere lists. Raw text gets nothing. DataError, here or when a row is written, for a table that has such columns
    already, and for texts that TSV or raw text cannot hold.
    """
    if isinstance(source, ConllFile):
        end = line_end(source.path, source.options.encoding)
        return _lines(stream, partial(_conll, layout=source.layout, end=end))
    if isinstance(source, SpanFile):
        if format == "array":
            return _array(stream, partial(_record, path=source.path, end=""))
        return _lines(stream, partial(_record, path=source.path))
    assert isinstance(source, Table)
    if format != "text":
        refuse_added(source.names, source.path, None)
    cells = _Cells(source)
    if format == "parquet":
        return _parquet(stream, source, cells)
    end = "\n" if source.format == "parquet" else line_end(source.path, source.options.encoding)
    if format == "array":
        return _array(stream, lambda new: ",\n".join(json_line(row, "") for row in cells.of(new)))
    if format == "jsonl":
        return _lines(stream, lambda new: "".join(json_line(row, end) for row in cells.of(new)))
    line = line_writer(source, format, end)
    if format == "text":
        return _lines(stream, lambda new: line(new.texts, new.row.line))
    if source.options.header:
        stream.write(line([*source.names, *ADDED], 1).encode())
    return _lines(stream, lambda new: "".join(line(_as_text(row), new.row.line) for row in cells.of(new)))


@contextmanager
def _lines(stream: BinaryIO, line: Callable[[Rewritten], str]) -> Iterator[Write]:
    """Writes a text format in which each row stands by itself."""

    def write(rows: Iterable[Rewritten]) -> None:
        stream.write("".join(map(line, rows)).encode())

    yield write


@contextmanager
def _array(stream: BinaryIO, entry: Callable[[Rewritten], str]) -> Iterator[Write]:
    """Writes one JSON array of all rows."""
    written = 0

    def write(rows: Iterable[Rewritten]) -> None:
        nonlocal written
        for row in rows:
            stream.write(((",\n" if written else "[\n") + entry(row)).encode())
            written += 1

    yield write
    stream.write(b"\n]\n" if written else b"[]\n")


@contextmanager
def _parquet(stream: BinaryIO, source: Table, cells: _Cells) -> Iterator[Write]:
    """Writes Parquet, a row group at a time. Every column of a Parquet source keeps its type."""
    strings = pa.schema([(name, pa.string()) for name in source.names])
    schema = pq.read_schema(source.path) if source.format == "parquet" else strings
    positions: pa.DataType = pa.list_(pa.int32())
    positions = positions if len(cells.columns) == 1 else pa.list_(positions)
    positions = positions if cells.sentence is None else pa.int32()
    schema = schema.append(pa.field(ADDED[0], pa.int64())).append(pa.field(ADDED[1], positions))
    with pq.ParquetWriter(stream, schema) as writer:

        def write(rows: Iterable[Rewritten]) -> None:
            group = [row for new in rows for row in cells.of(new)]
            try:
                writer.write_batch(pa.RecordBatch.from_pylist(group, schema))
            except pa.ArrowException as error:
                message = f"a column cannot be written back ({first_line(error)}); leave it out of the file"
                raise DataError(message, file=source.path) from None

        yield write


def _record(new: Rewritten, *, path: Path, end: str | None = None) -> str:
    """A record with character spans as text. Its line ends like the original, or with `end`."""
    record = new.row.record.record
    refuse_added(record.value, path, new.parent)
    added = {"parent": new.parent, "changed": list(new.changed[0])}
    text = rewritten(new.row.record, new.texts[0].split(" "), added)
    if end is None:
        end = "\r\n" if record.after.startswith("\r") else "\n"
    return text + end


def _conll(rewritten: Rewritten, *, layout: ConllLayout, end: str) -> str:
    [changed], lines = rewritten.changed, rewritten.row.record
    words, numbers = rewritten.texts[0].split(" "), set(changed)
    place = max(layout.token, layout.label or 0) + 1 if layout.uneven or layout.filled == 1 else layout.filled - 1
    written = []
    for number, (line, word) in enumerate(zip(lines, words, strict=True)):
        new = with_cell(line, layout.prefix + word, layout.token) if number in numbers else line
        written.append(with_cells_before(new, (f"{rewritten.parent}", f"{int(number in numbers)}"), place) + end)
    return "".join(written) + end


class _Cells:
    """The cells of rewritten rows, with those that are added. A sentence in a table with a row a word has several."""

    def __init__(self, source: Table) -> None:
        self.columns, self.sentence, self._path = source.text_columns(), source.sentence_column(), source.path
        self._numbers = count(1)

    def of(self, new: Rewritten) -> Iterator[dict[str, Any]]:
        """The rows to write. DataError for one that already has a column that would be added."""
        positions = [list(each) for each in new.changed]
        if isinstance(new.row.record, list):
            words, number = new.texts[0].split(" "), next(self._numbers)
            names = self.columns[0], self.sentence or ""
            rows = rewritten_rows(new.row.record, words, positions[0], names, number)
            for place, row in enumerate(rows):
                yield self._added(row, new.parent, int(place in positions[0]))
            return
        row = dict(new.row.record)
        for place, (column, text) in enumerate(zip(self.columns, new.texts, strict=True)):
            row[column] = _cell(row[column], text, new.row.texts[place])
        yield self._added(row, new.parent, positions if len(positions) > 1 else positions[0])

    def _added(self, row: dict[str, Any], parent: int, changed: Any) -> dict[str, Any]:
        refuse_added(row, self._path, parent)
        return row | dict(zip(ADDED, (parent, changed), strict=True))


def _cell(cell: Any, text: str, before: str) -> Any:
    """The cell with `text` in place of `before`. It may be a list of words, also one that is written as text."""
    if isinstance(cell, list):
        return text.split(" ")
    return text if cell == before else replaced(cell, text.split(" "))


def refuse_added(names: Iterable[str], path: Path, row: int | None) -> None:
    """DataError if a table, or one of its rows, already has a column that is to be added."""
    for name in sorted(set(names).intersection(ADDED)):
        where = "" if row is None else f"row {row}: "
        raise DataError(f"{where}there is a column {name!r} already, which augment adds; rename it", file=path)


def _as_text(cells: dict[str, Any]) -> list[str]:
    """A row of `_Cells` as the cells of a line of TSV or CSV."""
    *own, parent, changed = cells.values()
    if isinstance(changed, int):
        return ["" if cell is None else str(cell) for cell in (*own, parent, changed)]
    nested = changed if changed and isinstance(changed[0], list) else [changed]
    return [*own, str(parent), "|".join(" ".join(map(str, positions)) for positions in nested)]
