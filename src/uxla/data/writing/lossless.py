"""Files read row by row with all that is in them, so that the rows can be written again with other texts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol, Unpack

from uxla.data.batch import Row
from uxla.data.columns import Shape
from uxla.data.conll.first_lines import ends_in_labels
from uxla.data.conll.layout import ConllLayout
from uxla.data.conll.sentences import Sentence, open_layout, sentences_in
from uxla.data.formats.table import Table
from uxla.data.lines import text_lines
from uxla.data.load import SUFFIXES, open_table
from uxla.data.options import ReadKeywords, ReadOptions
from uxla.data.spans.file import open_spans
from uxla.errors import DataError

_ROLES: dict[Shape, set[str]] = {"pair": {"first", "second"}, "single": {"text"}, "tagging": {"tokens", "tags"}}
"""The roles that tell the shape of a table, the more telling first."""


class Lossless(Protocol):
    """A file that can be read as often as one likes: a `Table`, a `SpanFile` or a `LosslessConll`."""

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
class LosslessConll:
    """A CoNLL file, read sentence by sentence. A row's record is the sentence's lines without their ends."""

    path: Path
    options: ReadOptions
    shape: Shape = "tagging"

    @cached_property
    def layout(self) -> ConllLayout:
        """Which columns it has. DataError where it plainly is no CoNLL."""
        return open_layout(self._lines, self.path, self.options)

    def count(self) -> int:
        """See `Lossless`."""
        return sum(1 for _ in self._sentences())

    def rows(self) -> Iterator[Row]:
        """See `Lossless`."""
        for sentence in self._sentences():
            yield Row((" ".join(sentence.words),), sentence.lines, sentence.numbers[0])

    def _sentences(self) -> Iterator[Sentence]:
        return sentences_in(self._lines(), self.layout, self.path)

    def _lines(self) -> Iterator[str]:
        return text_lines(self.path, self.options.encoding)


def open_lossless(path: Path, *, shape: Shape | None = None, **keywords: Unpack[ReadKeywords]) -> Lossless:
    """The file at `path`, read as `ReadOptions` says with these keywords; nothing but its first lines is read.

    The format is the one asked for, else by the suffix: what is no table and no .txt is CoNLL, and so is a .tsv whose
    last column holds labels. Where no `shape` is asked for, CoNLL is words, a table what its columns are called like,
    other text single sentences. DataError for a file that cannot be read, or is not what its name or `shape` says.
    """
    options = ReadOptions(**keywords)
    spans = open_spans(path, shape or "tagging", options) if path.is_dir() or path.is_file() else None
    if spans is not None:
        return spans
    is_table = path.suffix.lower() in SUFFIXES if options.format == "auto" else options.word_format == "auto"
    if shape is None and is_table:
        may_be_words = path.suffix.lower() == ".tsv" and options.format == "auto" and options.columns is None
        if may_be_words and ends_in_labels(path, options):
            return LosslessConll(path, options)
        return _with_guessed_shape(path, options)
    table = open_table(path, shape or "tagging", options)
    if isinstance(table, Table):
        raw_words = table.format == "text" and table.shape == "tagging"  # as a text they keep the blanks between them
        return replace(table, shape="single") if raw_words else table
    next(text_lines(path, options.encoding), None)  # what cannot be read at all is refused here
    return LosslessConll(path, options)


def _with_guessed_shape(path: Path, options: ReadOptions) -> Table:
    """The table with a shape that fits the roles that were named, else the names of its columns."""
    table = open_table(path, "single", options)
    assert isinstance(table, Table)
    for shape, roles in _ROLES.items():
        guess = replace(table, shape=shape)
        if options.columns and roles & set(options.columns):
            return guess
        if not options.columns and options.header:
            with suppress(DataError):
                guess.text_columns()
                return guess
    return table
