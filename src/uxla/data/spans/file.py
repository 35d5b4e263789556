"""Files with character spans, as annotation tools export them, read as words and tags."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from uxla.data.batch import TEXTS, Batch, Row
from uxla.data.columns import Shape
from uxla.data.formats.json import Record, records_in
from uxla.data.labels.schemes import Scheme, from_iob2
from uxla.data.options import ReadOptions
from uxla.data.spans import brat
from uxla.data.spans.document import Document
from uxla.data.spans.records import document_of, is_spans
from uxla.errors import DataError

_JSON = (".json", ".jsonl", ".ndjson")
_LOOKED_AT = 1000
_ROWS = 4096


class Entry(NamedTuple):
    """A record as it stands in its file, and the text in it."""

    record: Record
    document: Document


@dataclass(frozen=True)
class SpanFile:
    """JSON lines or JSON with spans (doccano, Prodigy, Label Studio), or brat: a .ann beside its .txt, or a folder.

    A sentence is the text of a record, in brat a line of the .txt.
    """

    path: Path
    encoding: str = "utf-8"
    scheme: Scheme = "IOB2"
    shape: Shape = "tagging"
    format = "spans"

    @cached_property
    def is_brat(self) -> bool:
        """Whether it is brat, where texts and annotations are separate files."""
        return os.path.isdir(self.path) or self.path.suffix.lower() in (brat.ANN, brat.TXT)

    def batches(self, *, labelled: bool | None) -> Iterator[Batch]:
        """All sentences that have words, in order, with one tag of `scheme` a word if `labelled`; None: where anything
        is labelled. Texts that nobody labelled, or whose labels were rejected, are left out where labels are asked for.
        DataError, with the line, for whatever is wrong."""
        with_tags = any(each.spans is not None for each in self._documents(True)) if labelled is None else labelled
        rows = 0
        for path, documents in groupby(self._documents(with_tags), key=lambda document: document.file):
            while read := list(islice(documents, _ROWS)):
                known = [each for each in read if not with_tags or each.spans is not None]
                some = [each for each in known if each.words or each.spans]  # a span without a word is an error
                rows += len(some)
                if some:
                    yield self._batch(some, path, with_tags)
        if not rows:
            kind = "labelled text" if with_tags else "text"
            raise DataError(f"no sentence; expected a {kind} with a word in it", file=self.path)

    def entries(self, *, labelled: bool) -> Iterator[Entry]:
        """The records in order, also blank ones, with their spans if `labelled`. Of brat, a line is a record."""
        if not self.is_brat:
            for record in records_in(self.path, self.encoding):
                yield Entry(record, document_of(record, self.path, labelled=labelled))
            return
        for document in self._documents(labelled):
            yield Entry(_record(document), document)

    def count(self) -> int:
        """How many sentences have words; no label is looked at."""
        return sum(len(batch) for batch in self.batches(labelled=False))

    def rows(self) -> Iterator[Row]:
        """The records that have a word, each with its `Entry`; the text is the words with a space between them."""
        for entry in self.entries(labelled=True):
            if entry.document.words:
                yield Row((" ".join(entry.document.cut()),), entry, entry.document.line)

    def is_labelled(self) -> bool:
        """True: labels are what such a file is for."""
        return True

    def left_out(self) -> tuple[int, int]:
        """How many texts have no labels or rejected ones, and how many texts there are."""
        unlabelled = [document.spans is None for document in self._documents(True)]
        return sum(unlabelled), len(unlabelled)

    def _documents(self, labelled: bool) -> Iterator[Document]:
        if not self.is_brat:
            yield from (entry.document for entry in self.entries(labelled=labelled))
            return
        for text, notes in brat.pairs(self.path):
            yield from brat.documents(text, notes, self.encoding, labelled=labelled)

    def _batch(self, documents: list[Document], path: Path, labelled: bool) -> Batch:
        columns = {"tokens": pa.array([document.cut() for document in documents], TEXTS)}
        if labelled:
            tags = [from_iob2(document.tags(), self.scheme) for document in documents]
            columns["tags"] = pa.array(tags, TEXTS)
        return Batch(columns, np.array([document.line for document in documents], dtype=np.int64), path)


def open_spans(path: Path, shape: Shape, options: ReadOptions) -> SpanFile | None:
    """The file or folder, if its content or the format asked for says that it has character spans; else None.

    DataError where that format cannot be.
    """
    if shape != "tagging":
        if options.format == "spans":
            raise DataError("character spans are labels of words; set task: ner, or another format", file=path)
        return None
    file = SpanFile(path, options.encoding, "IOB2" if options.scheme == "auto" else options.scheme)
    if options.format == "spans":
        known = file.is_brat or path.suffix.lower() in _JSON
        if os.path.exists(path) and not known:
            expected = f"{', '.join(_JSON)}, or {brat.ANN} beside {brat.TXT}"
            raise DataError(f"character spans are read from {expected}; rename the file", file=path)
        return file
    if options.format != "auto" or options.columns is not None or not os.path.exists(path):
        return None
    if os.path.isdir(path):
        return file if brat.is_brat_folder(path) else None
    if file.is_brat:
        return file if path.suffix.lower() == brat.ANN or path.with_suffix(brat.ANN).is_file() else None
    return file if path.suffix.lower() in _JSON and _has_spans(path, options.encoding) else None


def _has_spans(path: Path, encoding: str) -> bool:
    """Whether one of the first records has spans, or all of them could have."""
    try:
        found = [is_spans(record.value) for record in islice(records_in(path, encoding), _LOOKED_AT)]
    except DataError:  # whoever reads the file says what is wrong
        return False
    return any(found) or (bool(found) and all(each is None for each in found))


def _record(document: Document) -> Record:
    """A line of brat as a record of doccano."""
    spans = [[span.start, span.end, span.label] for span in document.spans or ()]
    value = {"text": document.text} | ({} if document.spans is None else {"label": spans})
    return Record(value, json.dumps(value, ensure_ascii=False), document.line, document.line, after="\n")
