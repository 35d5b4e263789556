"""Files read row by row with all that is in them kept, so that rows can be written again with other texts.

What is wrong in a file is found by the strict readers, in a first pass that counts; the second pass reads the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, Unpack

from uxla.data.batch import Batch
from uxla.data.columns import SENTENCE, TEXTS, Shape
from uxla.data.conll.first_lines import ends_in_labels
from uxla.data.conll.layout import ConllLayout
from uxla.data.conll.sentences import Sentence, open_layout, sentences_in
from uxla.data.formats.list_cells import words_in
from uxla.data.formats.table import Table
from uxla.data.lines import text_lines
from uxla.data.load import open_table
from uxla.data.options import ReadKeywords, ReadOptions
from uxla.data.spans.file import SpanFile, open_spans
from uxla.data.word_rows import Words
from uxla.errors import DataError

_TABLES = (".tsv", ".csv", ".jsonl", ".ndjson", ".json", ".parquet")
_ROLES: dict[Shape, set[str]] = {"pair": {"first", "second"}, "single": {"text"}, "tagging": {"tokens", "tags"}}
"""What tells the shape of a table, the more telling first."""


@dataclass(frozen=True, slots=True)
class Row:
    """One example: its text, or the two of a pair, and all of it as it stands in the file.

    `record` is a CoNLL sentence's lines without their ends, or a table row's cells by the names of their columns. Words
    in a list are joined by one space to be a text. `line` is where the row begins, from 1 (of Parquet the row).
    """

    texts: tuple[str, ...]
    record: Any
    line: int | None = None


class Kept(Protocol):
    """A file that can be read as often as one likes."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def shape(self) -> Shape:
        """What one row is."""

    def count(self) -> int:
        """How many rows there are, all of it read and checked. DataError, with the line, for whatever is wrong."""

    def rows(self) -> Iterator[Row]:
        """The rows in order, in bounded memory; of a file that `count` found sound."""


@dataclass(frozen=True)
class KeptConll:
    """A CoNLL file: sentences of one word a line."""

    path: Path
    options: ReadOptions
    shape: Shape = "tagging"

    @cached_property
    def layout(self) -> ConllLayout:
        """Which columns it has. DataError where it plainly is no CoNLL."""
        return open_layout(self._lines, self.path, self.options)

    def count(self) -> int:
        """See `Kept`."""
        return sum(1 for _ in self._sentences())

    def rows(self) -> Iterator[Row]:
        """See `Kept`."""
        for sentence in self._sentences():
            yield Row((" ".join(sentence.words),), sentence.lines, sentence.numbers[0])

    def _sentences(self) -> Iterator[Sentence]:
        return sentences_in(self._lines(), self.layout, self.path)

    def _lines(self) -> Iterator[str]:
        return text_lines(self.path, self.options.encoding)


@dataclass(frozen=True)
class KeptTable:
    """TSV, CSV, JSON lines, Parquet, or raw text as a table of one column (of two for pairs)."""

    table: Table

    @property
    def path(self) -> Path:
        """See `Kept`."""
        return self.table.path

    @property
    def shape(self) -> Shape:
        """See `Kept`."""
        return self.table.shape

    @cached_property
    def names(self) -> list[str]:
        """The names of the columns, see `Table.names`."""
        return self.table.names()

    def text_columns(self) -> tuple[str, ...]:
        """The names of the columns that hold the texts. DataError or ConfigError as from `place_columns`."""
        names = self.names
        if len(set(names)) < len(names):
            raise DataError("two columns have the same name; rename one", file=self.path, line=1)
        places = self.table.places(names, labelled=False)
        return tuple(names[places[role]] for role in TEXTS[self.shape])

    def sentence_column(self) -> str | None:
        """The name of the column that tells sentences, in a table with a row a word."""
        first = next(batch for batch in self.table.batches(labelled=False, whole=True) if len(batch))
        if not any(isinstance(record, Words) for record in first.records or ()):
            return None
        return self.names[self.table.places(self.names, labelled=False)[SENTENCE]]

    def count(self) -> int:
        """See `Kept`."""
        return sum(len(batch) for batch in self.table.batches(labelled=False))

    def rows(self) -> Iterator[Row]:
        """See `Kept`."""
        columns = self.text_columns()
        for batch in self.table.batches(labelled=False, whole=True):
            if any(isinstance(record, Words) for record in batch.records or ()):
                yield from self._sentences(batch)
                continue
            for record, line in zip(batch.records or (), batch.lines.tolist(), strict=True):
                named = record if isinstance(record, dict) else dict(zip(self.names, record, strict=True))
                cells = [named[column] for column in columns]
                words = map(words_in, cells) if batch.listed else cells
                texts = tuple(" ".join(cell) if isinstance(cell, list) else cell for cell in words)
                yield Row(texts, named, line)

    def _sentences(self, batch: Batch) -> Iterator[Row]:
        """The sentences of a table with a row a word; `record` is the list of its rows' cells by their names."""
        sentences = zip(batch.columns["tokens"].to_pylist(), batch.records or (), batch.lines.tolist(), strict=True)
        for tokens, words, line in sentences:
            rows = [row if isinstance(row, dict) else dict(zip(self.names, row, strict=True)) for row in words.records]
            yield Row((" ".join(tokens),), rows, line)

    def blanks(self) -> list[int]:
        """The numbers of the lines that are no row, as they are blank."""
        return [line for batch in self.table.batches(labelled=False, whole=True) for line in batch.blanks]


@dataclass(frozen=True)
class KeptSpans:
    """A file with character spans; a row is a record that has a word, its text the words with a space between them."""

    file: SpanFile
    shape: Shape = "tagging"

    @property
    def path(self) -> Path:
        """See `Kept`."""
        return self.file.path

    def count(self) -> int:
        """See `Kept`; no label is looked at."""
        return sum(len(batch) for batch in self.file.batches(labelled=False))

    def rows(self) -> Iterator[Row]:
        """See `Kept`; a row's record is an `Entry`."""
        for entry in self.file.entries(labelled=True):
            if entry.document.words:
                yield Row((" ".join(entry.document.cut()),), entry, entry.document.line)


def open_kept(
    path: Path,
    *,
    shape: Shape | None = None,
    **how: Unpack[ReadKeywords],
) -> Kept:
    """The file at `path`, read as `ReadOptions` says with these keywords; nothing but its first lines is read.

    The format is the one asked for, else by the suffix: what is no table and no .txt is CoNLL, and so is a .tsv whose
    last column holds labels. Where no `shape` is asked for, CoNLL is words, a table what its columns are called like,
    other text single sentences. DataError for a file that cannot be read, or is not what its name or `shape` says.
    """
    options = ReadOptions(**how)
    spans = open_spans(path, shape or "tagging", options) if path.is_dir() or path.is_file() else None
    if spans is not None:
        return KeptSpans(spans)
    is_table = path.suffix.lower() in _TABLES if options.format == "auto" else options.word_format == "auto"
    if shape is None and is_table:
        may_be_words = path.suffix.lower() == ".tsv" and options.format == "auto" and options.columns is None
        return KeptConll(path, options) if may_be_words and ends_in_labels(path, options) else _guessed(path, options)
    table = open_table(path, shape or "tagging", options)
    if isinstance(table, Table):
        raw_words = table.format == "text" and table.shape == "tagging"  # as a text they keep the blanks between them
        return KeptTable(replace(table, shape="single") if raw_words else table)
    next(text_lines(path, options.encoding), None)  # what cannot be read at all is refused here
    return KeptConll(path, options)


def _guessed(path: Path, options: ReadOptions) -> KeptTable:
    """A table, its shape by the roles that were given, else by what its columns are called."""
    table = open_table(path, "single", options)
    assert isinstance(table, Table)
    asked = options.columns
    for shape, roles in _ROLES.items():
        guess = KeptTable(replace(table, shape=shape))
        if asked and roles & set(asked):
            return guess
        if not asked and options.header:
            with suppress(DataError):
                guess.text_columns()
                return guess
    return KeptTable(table)
