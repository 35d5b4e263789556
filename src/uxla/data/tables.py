"""TSV, CSV, JSON lines, Parquet and raw text, a batch of rows at a time: no row is skipped, no field is changed.

Each format has one reader, in a module of its own. A line without any character is no row; raw text also skips lines
of white space only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

from uxla.data import csv_rows, json_lines, parquet_rows, tsv
from uxla.data.columns import SENTENCE, Shape, are_names, place_columns
from uxla.data.dialect import NO_QUOTE, QUOTE, TAB, Dialect, is_quoted_tsv, refuse_other_delimiter, sign
from uxla.data.list_cells import ListCells
from uxla.data.selection import Selection, named_tags
from uxla.data.values import Batch
from uxla.data.word_rows import grouped
from uxla.errors import DataError, setting

TableFormat = Literal["text", "tsv", "csv", "jsonl", "parquet"]

_READERS = {"text": tsv.read_text, "jsonl": json_lines.read, "parquet": parquet_rows.read}
_HEADS = {"text": tsv.text_head, "jsonl": json_lines.head, "parquet": parquet_rows.head}


class Reader(Protocol):
    """What reads a format."""

    def __call__(self, table: Table, labelled: bool | None, whole: bool) -> Iterator[Batch]:
        """All rows, as they stand."""


@dataclass(frozen=True)
class Table:
    """A file of rows and how to read it. `batches` can be called as often as one likes; it reads the file anew."""

    path: Path
    format: TableFormat
    shape: Shape
    columns: Mapping[str, str | int] | None = None
    header: bool = True
    encoding: str = "utf-8"
    delimiter: str | None = None
    quote: str | None = None
    where: Mapping[str, Sequence[str | int]] | None = None
    tag_names: Sequence[str] | None = None

    def batches(self, *, labelled: bool | None, whole: bool = False) -> Iterator[Batch]:
        """All rows, checked, in order; with `labelled` False labels are not even looked at, with None they are read
        where there are any. `whole` adds each row's record and the numbers of the blank lines, and may give a last
        batch of blank lines only; where a row is a word, the record of a sentence is `Words`. DataError, with the
        line, for whatever is wrong, ConfigError for a role in `columns` that the shape does not have."""
        rows = self._rows(labelled, whole)
        if self.shape == "tagging" and self.format != "text":
            return grouped(rows, named=SENTENCE in (self.columns or {}))
        return rows

    def _rows(self, labelled: bool | None, whole: bool) -> Iterator[Batch]:
        empty = True
        asked, lists = Selection(self.where), ListCells()
        for batch in self._reader(self, labelled, whole):
            chosen = lists.of(asked.of(batch))
            empty = empty and not len(chosen)
            if len(chosen) or chosen.blanks:
                yield named_tags(chosen.checked(), self.shape, self.tag_names, labelled)
        asked.refuse_none()
        if empty:
            words = self.format == "text" and self.shape == "tagging"
            nothing = "no line has a word; expected one sentence" if words else "no row; expected one example"
            raise DataError(f"{nothing} a line", file=self.path)

    def names(self) -> list[str]:
        """The columns' names: the header's, of JSON lines the first object's keys, else roles or numbers from 0; only
        the beginning is read. Of a file without a line: none."""
        if self.format in ("csv", "tsv"):
            return tsv.head(self) if self.dialect.quote is None else csv_rows.head(self)
        return _HEADS[self.format](self)

    @cached_property
    def dialect(self) -> Dialect:
        """How cells are told apart, of CSV and TSV: as asked for, else by what stands in the file."""
        delimiter = sign("delimiter", self.delimiter)
        quote = None if self.quote == NO_QUOTE else sign("quote", self.quote)
        if self.format == "csv":
            quote = QUOTE if self.quote is None else quote
            return Dialect(delimiter or csv_rows.sniffed(self, quote) or ",", quote)
        if self.quote is None and delimiter in (None, TAB) and is_quoted_tsv(self.path, self.encoding):
            quote = QUOTE
        return Dialect(delimiter or TAB, quote)

    @property
    def _reader(self) -> Reader:
        if self.format in ("csv", "tsv"):
            return tsv.read_tsv if self.dialect.quote is None else csv_rows.read
        return _READERS[self.format]

    def places(self, names: Sequence[str], labelled: bool | None, line: int | None = 1) -> dict[str, int]:
        """The position of each role's column, and of those that `where` names, where `names` are those of the file's
        columns."""
        cut = self.format in ("csv", "tsv")
        places = place_columns(
            names,
            shape=self.shape,
            columns=self.columns,
            named=self.header or not cut,
            labelled=labelled,
            path=self.path,
            line=line,
            headed=cut,
        )
        return places | Selection(self.where).places(names, self.path, line)

    def places_in(self, first: Sequence[str], labelled: bool | None, line: int) -> dict[str, int]:
        """The same where `first` are the cells of a TSV or CSV file's first line."""
        if not self.header and are_names(first, self.shape):
            raise DataError(f"the columns' names; set {setting('header', True)}", file=self.path, line=line)
        try:
            return self.places(self.header_of(first), labelled, line)
        except DataError:
            if len(first) == 1:
                refuse_other_delimiter(first[0], self.path, line)
            raise

    def header_of(self, first: Sequence[str]) -> list[str]:
        """The columns' names, where `first` are the cells of a TSV or CSV file's first line."""
        return list(first) if self.header else [str(i) for i in range(len(first))]
