"""Text with character spans that comes back with those that were found beside its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import BinaryIO

from uxla.data.conll.file import conll_lines
from uxla.data.files import BOM, Encoder, marks
from uxla.data.formats.json import is_array
from uxla.data.formats.json_places import with_entries
from uxla.data.spans.file import SpanFile
from uxla.data.spans.records import PREDICTED
from uxla.models.entities import entities, tags_of
from uxla.models.mentions import Answer
from uxla.predict.row import Raw, Row, Write
from uxla.predict.sinks import WORDS, Object, labelled_words, open_objects, open_text

_ROWS = 1 << 12


@dataclass(frozen=True)
class AnsweredSpans:
    """A file, or a folder of brat, whose records come back with their answers."""

    file: SpanFile
    second: bool = False
    """Whether second-best labels stand beside the first."""

    def batches(self) -> Iterator[list[Row]]:
        """The records in order, in bounded memory; of a stream those that are there. DataError for what is wrong."""
        entries = self.file.entries(labelled=self.file.is_brat)
        while some := list(islice(entries, _ROWS)):
            yield [
                Row(
                    document.cut(),
                    record.line,
                    record.value,
                    [(Raw(record.line, record.before, record.raw, record.after), 0)],
                    document.text,
                    document.words,
                )
                for record, document in some
            ]

    def open_writer(self, form: str, sink: BinaryIO) -> AbstractContextManager[Write]:
        """Inside the block rows can be written into `sink` in the format `form`."""
        encode = Encoder("utf-8", self.file.path)
        if form == "conll":
            lines = conll_lines()
            return open_text(sink, lambda row, answer: lines(row.parts, tags_of(answer, len(row.parts))), encode)
        if form not in ("jsonl", "json"):
            return open_objects(sink, form, labelled_words, WORDS)
        if self.file.is_brat:
            return open_text(sink, self._beside, Encoder(self.file.encoding, self.file.path))
        if form == "jsonl" and is_array(self.file.path, self.file.encoding):
            return open_objects(sink, form, self._records, WORDS)
        marked = marks(self.file.path, self.file.encoding)
        return open_text(sink, self._beside, Encoder(self.file.encoding, self.file.path), head=BOM * min(1, marked))

    def _beside(self, row: Row, answer: Answer) -> str:
        [(part, _)] = row.raw
        return f"{part.before}{with_entries(part.body, self._found(row, answer))}{part.after}"

    def _records(self, row: Row, answer: Answer) -> Iterator[Object]:
        yield row.record | self._found(row, answer)

    def _found(self, row: Row, answer: Answer) -> Object:
        return {self._name: spans(row, answer, second=self.second)}

    @cached_property
    def _name(self) -> str:
        """The key of what was found: one that no record has."""
        keys = set[str]()
        for entry in self.file.entries(labelled=self.file.is_brat):
            keys.update(entry.record.value)
        name = PREDICTED
        while name in keys:
            name = f"predicted_{name}"
        return name


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
