"""Tables and raw text whose rows come back with answers: as they are in the file, or in another format."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from heapq import merge
from itertools import chain
from typing import Any

import pyarrow.parquet as pq

from uxla.data.batch import Batch
from uxla.data.columns import TEXTS, Shape
from uxla.data.files import text_lines
from uxla.data.formats.dialect import TAB, Dialect
from uxla.data.formats.json import is_array, records_in
from uxla.data.formats.table import Table
from uxla.data.word_rows import Words
from uxla.data.writing.cells import raw_rows
from uxla.errors import EmptyError
from uxla.models.batches import chunks
from uxla.models.entities import tags_of
from uxla.models.mentions import Answer
from uxla.predict.parquet_rows import rows_of
from uxla.predict.row import Raw, Row
from uxla.predict.sinks import Object
from uxla.predict.spans import spans
from uxla.raw_text import Place, split_words

PREDICTED = "predicted_"
"""The prefix of the new columns' names where the table has labels, or a column with such a name."""

Values = tuple[Any, ...]
_ROWS = 1 << 12
_BLANKS = " \t\r\n"


@dataclass(frozen=True)
class AnsweredTable:
    """A table, and the kind of answer that stands beside its rows: `tags` of words, `entities` of a running text, or
    the `label` of a text or pair.

    `grows` says that the table is a stream, of which no more is read than what is asked for.
    """

    table: Table
    answer: str
    grows: bool = False
    split: Callable[[str], list[Place]] = split_words
    """The places of the words of a running text."""
    second: bool = False
    """Whether second-best labels stand beside the first."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the new columns, different from those the table has. A label and its confidence, and so the
        second-best label and its share, are called alike."""
        there, names = set(self.columns), list[str]()
        for together in self._usual_names:
            prefix = PREDICTED if self.has_labels else ""
            while there & {prefix + name for name in together}:
                prefix += PREDICTED
            names += [prefix + name for name in together]
        return tuple(names)

    @property
    def _usual_names(self) -> list[tuple[str, ...]]:
        if self.answer != "label":
            return [(self.answer,)]
        return [("label", "confidence"), *([("second", "second_confidence")] if self.second else [])]

    @cached_property
    def has_labels(self) -> bool:
        """Whether the table has labels of its own of the same kind."""
        return self.answer != "entities" and self.table.format != "text" and self.table.is_labelled(self.columns)

    def why_renamed(self) -> str:
        """Why the new columns do not have their usual names; nothing where they have."""
        if self.has_labels:
            return "has labels, which stay"
        taken = next((name for name in chain.from_iterable(self._usual_names) if name in self.columns), None)
        return f"there is a column {taken!r} already, which stays" if taken else ""

    def batches(self) -> Iterator[list[Row]]:
        """The rows in order, in bounded memory; of a stream those that are there. DataError for what is wrong."""
        parts = self._raw()
        with suppress(EmptyError), self._blank_rows() as blank_rows:
            for batch in self.table.batches(labelled=False, whole=True):
                rows = (self._row(*given, parts) for given in _given(batch, self.table.shape))
                yield from chunks(merge(rows, blank_rows(batch.blanks), key=lambda row: row.line), _ROWS)
                last = max(batch.blanks, default=0)
                if self.grows and last > max(batch.lines, default=0):
                    yield [_rest(_until(parts, [(last, None)]))]
        with suppress(EmptyError):
            if rest := [(part, None) for part in parts]:
                yield [_rest(rest)]

    @contextmanager
    def _blank_rows(self) -> Iterator[Callable[[Sequence[int]], Iterable[Row]]]:
        """A function from line numbers to these rows of Parquet, in which nothing stands; nothing of other formats,
        and where rows are chosen by their values."""
        if self.table.format != "parquet" or self.table.options.where:
            yield lambda lines: ()
            return
        with pq.ParquetFile(self.table.path) as file:
            take = rows_of(file)
            yield lambda lines: map(partial(Row, ()), lines, take([line - 1 for line in lines]).to_pylist())

    def _row(self, line: int, record: Any, parts: Sequence[str], raw: Iterator[Raw]) -> Row:
        wanted = list(zip(record.lines, record.records, strict=True)) if isinstance(record, Words) else [(line, record)]
        around = _until(raw, wanted)
        if self.answer != "entities":
            return Row(parts if all(parts) else (), line, record, around)
        [text] = parts
        places = self.split(text)
        return Row([text[start:end] for start, end in places], line, record, around, text, places)

    def _raw(self) -> Iterator[Raw]:
        """All of the file in parts; of Parquet nothing."""
        table = self.table
        path, encoding = table.path, table.options.encoding
        if table.format == "parquet":
            return
        if table.format == "jsonl" and is_array(path, encoding):
            for record in records_in(path, encoding):
                yield Raw(record.line, record.before, record.raw, record.after, record.value)
            return
        if table.format == "jsonl":
            for line, raw in enumerate(text_lines(path, encoding), start=1):
                body = raw.strip(_BLANKS)
                before, _, after = raw.partition(body) if body else ("", "", raw)
                yield Raw(line, before, body, after)
            return
        headed = table.options.header and table.format != "text"
        for line, raw, blank in raw_rows(table, self.dialect):
            body = "" if blank else raw.rstrip("\r\n")
            yield Raw(line, "", body, raw[len(body) :], header=headed and not blank)
            headed = headed and blank

    @cached_property
    def dialect(self) -> Dialect:
        """How the cells of a text table are told apart; raw text is TSV without quotes."""
        return Dialect(TAB, None) if self.table.format == "text" else self.table.dialect

    @cached_property
    def columns(self) -> list[str]:
        """The names of the columns; of JSON lines those of all objects, of a stream of them those of the first.

        Columns without names are called like their roles, or by their numbers.
        """
        if self.table.format == "text":
            return ["id", *TEXTS[self.table.shape]]
        if self.table.format == "jsonl" and not self.grows:
            return list(dict.fromkeys(chain.from_iterable(self.records())))
        names = list(self.table.names)
        if not self.table.has_named_columns:
            for role, place in self.table.places(names, labelled=False).items():
                names[place] = role
        return names

    def records(self) -> Iterator[Any]:
        """The record of each row; where a row is a word, of each word."""
        with suppress(EmptyError):
            for batch in self.table.batches(labelled=False, whole=True):
                for record in batch.records or ():
                    yield from _words_of(record)

    @property
    def no_answer(self) -> Values:
        """The values of the new columns for a text in which nothing stands."""
        return ([],) if self.answer == "entities" else (None,) * len(self.names)

    def values(self, row: Row, answer: Answer) -> list[Values]:
        """The values of the new columns: in a table with a row a word those of each word."""
        if not row.parts:
            return [self.no_answer]
        if self.answer == "label":
            return [(one.label, one.confidence, *(one.second if self.second else ())) for one in answer]
        if self.answer == "entities":
            return [(spans(row, answer, second=self.second),)]
        tags = tags_of(answer, len(row.parts))
        return [(tag,) for tag in tags] if isinstance(row.record, Words) else [(tags,)]

    def named(self, values: Values) -> Object:
        """The values by the names of the new columns."""
        rounded = [round(value, 4) if isinstance(value, float) else value for value in values]
        return dict(zip(self.names, rounded, strict=True))

    def objects(self, row: Row, answer: Answer) -> Iterator[Object]:
        """The row with its answer, by the columns' names; where a row is a word, each of them. Before it come those in
        which nothing stands."""
        answered = [] if row.record is None else self._answered(row, answer)
        if not row.raw:  # of Parquet
            yield from answered
        for part, number in row.raw:
            if number is not None:
                yield answered[number]
            elif self.is_row(part):
                yield self._cells_of(part) | self.named(self.no_answer)

    def is_row(self, part: Raw) -> bool:
        """Whether a part without an answer is a row in which nothing stands; in raw text blank lines are such rows."""
        return self.table.format == "text" or not (part.body == "" or part.header or self.table.options.where)

    def _answered(self, row: Row, answer: Answer) -> list[Object]:
        if self.table.format == "text":
            texts = [row.text] if self.answer == "entities" else row.record  # which a row without an answer has too
            records: list[Any] = [{"id": row.line, **dict(zip(TEXTS[self.table.shape], texts, strict=True))}]
        else:
            records = [one if isinstance(one, dict) else self._by_name(one) for one in _words_of(row.record)]
        values = self.values(row, answer)
        return [record | self.named(one) for record, one in zip(records, values, strict=True)]

    def _by_name(self, cells: Sequence[str]) -> Object:
        return dict(zip(self.columns, cells, strict=True))

    def _cells_of(self, part: Raw) -> Object:
        """The cells of a row in which nothing stands, by the columns' names."""
        if self.table.format == "jsonl":
            return dict(json.loads(part.body))
        return dict.fromkeys(self.columns, "") | ({"id": None} if self.table.format == "text" else {})


def _given(batch: Batch, shape: Shape) -> Iterator[tuple[int, Any, Sequence[str]]]:
    """The line, the record and the parts of each row."""
    columns = [batch.columns[role].to_pylist() for role in TEXTS[shape]] if len(batch) else [[]]
    parts: Iterable[Any] = columns[0] if shape == "tagging" else zip(*columns, strict=True)
    return zip(batch.lines.tolist(), batch.records or (), parts, strict=True)


def _until(parts: Iterator[Raw], wanted: Sequence[tuple[int, Any]]) -> list[tuple[Raw, int | None]]:
    """All parts up to those of the wanted lines, which have their numbers."""
    found: list[tuple[Raw, int | None]] = []
    for number, (line, record) in enumerate(wanted):
        for part in parts:
            own = part.line >= line and part.value in (None, record)
            found.append((part, number if own and part.body else None))
            if own:
                break
    return found


def _rest(parts: Sequence[tuple[Raw, int | None]]) -> Row:
    return Row((), parts[-1][0].line, None, parts)


def _words_of(record: Any) -> Sequence[Any]:
    return record.records if isinstance(record, Words) else [record]
