"""Tables and raw text whose rows come back with answers: as they are in the file, or in another format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import merge
from itertools import chain
from typing import Any

from uxla.data.batch import Batch
from uxla.data.columns import SENTENCE, TEXTS, Shape
from uxla.data.files import text_lines
from uxla.data.formats.dialect import TAB, Dialect
from uxla.data.formats.json import is_array, records_in
from uxla.data.formats.list_cells import values_of
from uxla.data.formats.table import Table
from uxla.data.word_rows import Words
from uxla.data.writing.cells import raw_rows
from uxla.errors import DataError, EmptyError
from uxla.models.batches import chunks
from uxla.models.entities import entities, tags_of
from uxla.models.mentions import Answer
from uxla.predict.row import Raw, Row
from uxla.predict.sinks import Object
from uxla.raw_text import Place, split_words

PREDICTED = "predicted_"
"""The prefix of the new columns' names where the table has labels, or a column with such a name."""

Values = tuple[Any, ...]
_ROWS = 1 << 12
_WORD_COLUMNS = {"tokens", "words", "word", "token"}
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
        """The names of the new columns, different from those the table has."""
        names: tuple[str, ...] = ("label", "confidence") if self.answer == "label" else (self.answer,)
        if self.answer == "label" and self.second:
            names += ("second", "second_confidence")
        there, table = set(self.columns), self.table
        labelled = self.answer != "entities" and table.format != "text" and table.is_labelled(self.columns)
        while labelled or there & set(names):
            names, labelled = tuple(f"{PREDICTED}{name}" for name in names), False
        return names

    def batches(self) -> Iterator[list[Row]]:
        """The rows in order, in bounded memory; of a stream those that are there. DataError for what is wrong."""
        parts = self._raw()
        with suppress(EmptyError):
            for batch in self.table.batches(labelled=False, whole=True):
                rows = (self._row(*given, parts) for given in _given(batch, self.table.shape))
                if self.table.format == "parquet":
                    rows = merge(rows, (Row((), line) for line in batch.blanks), key=lambda row: row.line)
                yield from chunks(rows, _ROWS)
                last = max(batch.blanks, default=0)
                if self.grows and last > max(batch.lines, default=0):
                    yield [_rest(_until(parts, [(last, None)]))]
        with suppress(EmptyError):
            if rest := [(part, None) for part in parts]:
                yield [_rest(rest)]

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
        for line, raw, blank in raw_rows(table, self.dialect):
            body = "" if blank else raw.rstrip("\r\n")
            yield Raw(line, "", body, raw[len(body) :])

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

    def values(self, row: Row, answer: Answer) -> list[Values]:
        """The values of the new columns: in a table with a row a word those of each word; of an empty text none."""
        if not row.parts and self.answer != "entities":
            return [(None,) * len(self.names)]
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
        """The row with its answer, by the columns' names; where a row is a word, each of them."""
        if self.table.format == "text":
            for part, number in row.raw:
                yield self._text_object(part.line, row, answer) if number is not None else self._nothing
        elif row.record is not None:
            for record, values in zip(_words_of(row.record), self.values(row, answer), strict=True):
                cells = record if isinstance(record, dict) else dict(zip(self.columns, record, strict=True))
                yield {**cells, **self.named(values)}
        elif not row.raw:
            yield self._nothing

    def _text_object(self, line: int, row: Row, answer: Answer) -> Object:
        texts = [row.text] if self.answer == "entities" else row.record  # which a row without an answer has too
        [values] = self.values(row, answer)
        return {"id": line, **dict(zip(TEXTS[self.table.shape], texts, strict=True)), **self.named(values)}

    @cached_property
    def _nothing(self) -> Object:
        """What stands for a blank line."""
        raw = self.table.format == "text"
        cells: Object = dict.fromkeys(self.columns, "" if raw else None) | ({"id": None} if raw else {})
        return cells | dict.fromkeys(self.names, [] if self.answer == "entities" else None)


def spans(row: Row, answer: Answer, *, second: bool = False) -> list[Object]:
    """The entities of a running text as they are written, with `second` also what each would be else."""
    written = []
    for one in entities(row.text, row.places, answer):
        place = {"start": one.start, "end": one.end, "text": one.text}
        found = place | _guess(one.label, one.confidence)
        written.append(found | ({"second": _guess(*one.second)} if second else {}))
    return written


def _guess(label: str, confidence: float) -> Object:
    return {"label": label, "confidence": round(confidence, 4)}


def running_text(table: Table) -> Table | None:
    """A table of words with its rows read as running text, if that is what they are: raw text, a column that is called
    text, or one that was named as `text`. None if its columns have words."""
    named, single = table.options.columns or {}, replace(table, shape="single")
    if table.format == "text" or "text" in named:
        return single
    names = {name.strip().casefold() for name in table.names} if table.has_named_columns else set()
    if "tokens" in named or names & _WORD_COLUMNS:
        return None
    with suppress(DataError):
        if SENTENCE in table.places(table.names, labelled=False):
            return None
    try:
        [text, *_] = next(single.batches(labelled=False)).columns["text"].to_pylist()
    except DataError:
        return None
    return None if values_of(text) is not None else single


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
