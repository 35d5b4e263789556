"""A table of examples, whatever its format: TSV, CSV, JSON lines, Parquet, raw text, the Hub, or rows in memory.

A table is read a batch of rows at a time. No row is skipped and no field is changed. A line without any character is no
row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from uxla.data.batch import Batch, Row
from uxla.data.columns import LABEL, SENTENCE, TEXTS, Shape, are_names, place_columns
from uxla.data.formats import csv, json, parquet, tsv
from uxla.data.formats.dialect import QUOTE, TAB, Dialect, is_quoted_tsv, refuse_other_delimiter
from uxla.data.formats.list_cells import ListCells, words_in
from uxla.data.hub import split_rows
from uxla.data.labels.schemes import Scheme, detect
from uxla.data.options import DEFAULTS, ReadOptions
from uxla.data.raw_words import RawWords
from uxla.data.row_filter import RowFilter, named_tags
from uxla.data.word_rows import Words, grouped
from uxla.errors import DataError, EmptyError, setting

TableFormat = Literal["text", "tsv", "csv", "jsonl", "parquet"]
"""The formats of a table's file."""

SUFFIXES: dict[str, TableFormat] = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
TEXT_SUFFIXES = (".txt", ".text")

_ROWS = 1 << 14


@dataclass(frozen=True)
class Table:
    """A table and how to read it: a file, a split of the Hub (format `hub`), or `content` (format `memory`).

    `content` is an Arrow table, or mappings, one a row. `path` is what errors call the table. `class_names` are the
    names of the classes of an Arrow table whose schema has none.
    """

    path: Path
    format: TableFormat | Literal["hub", "memory"]
    shape: Shape
    options: ReadOptions = DEFAULTS
    content: pa.Table | Iterable[Mapping[str, Any]] | None = None
    class_names: Sequence[str] | None = None
    empty: bool = False
    """Whether a text may be empty: where it is to be labelled."""

    def batches(self, *, labelled: bool | None, whole: bool = False) -> Iterator[Batch]:
        """All rows, checked, in order; each call reads the table again.

        With `labelled` False labels are not looked at; with None they are read where there are any. `whole` adds each
        row's record and the numbers of the blank lines, and may give a last batch of blank lines only; where a row is a
        word, the record of a sentence is `Words`. DataError, with the line, for whatever is wrong, ConfigError for a
        role in `columns` that the shape does not have.
        """
        rows = self._chosen(labelled, whole)
        if self.shape == "tagging" and self.format != "text":
            return grouped(rows, named=SENTENCE in (self.options.columns or {}))
        return rows

    def count(self) -> int:
        """How many rows there are, all of the table read and checked. DataError as from `batches`."""
        return sum(len(batch) for batch in self.batches(labelled=False))

    def rows(self) -> Iterator[Row]:
        """The rows in order with all that stands in them, in bounded memory; labels are not looked at."""
        columns = self.text_columns()
        for batch in self.batches(labelled=False, whole=True):
            of_words = any(isinstance(record, Words) for record in batch.records or ())
            texts = batch.columns["tokens"].to_pylist() if of_words else [()] * len(batch)
            for tokens, record, line in zip(texts, batch.records or (), batch.lines.tolist(), strict=True):
                if of_words:
                    yield Row((" ".join(tokens),), [self._named(row) for row in record.records], line)
                    continue
                named = self._named(record)
                cells = [words_in(named[column]) if batch.listed else named[column] for column in columns]
                yield Row(tuple(" ".join(cell) if isinstance(cell, list) else cell for cell in cells), named, line)

    def text_columns(self) -> tuple[str, ...]:
        """The names of the columns of the texts. DataError where two columns have one name, or one is missing."""
        if len(set(self.names)) < len(self.names):
            raise DataError("two columns have the same name; rename one", file=self.path, line=1)
        places = self.places(self.names, labelled=False)
        return tuple(self.names[places[role]] for role in TEXTS[self.shape])

    def sentence_column(self) -> str | None:
        """The name of the column that says which words are a sentence; None in a table without a row a word."""
        first = next(batch for batch in self.batches(labelled=False, whole=True) if len(batch))
        if not any(isinstance(record, Words) for record in first.records or ()):
            return None
        return self.names[self.places(self.names, labelled=False)[SENTENCE]]

    @cached_property
    def scheme(self) -> Scheme:
        """The scheme of its tags: the one asked for, else the one that fits them best; the table is read for it."""
        if self.options.scheme != "auto":
            return self.options.scheme
        batches = self.batches(labelled=True)
        return detect(chain.from_iterable(batch.columns["tags"].to_pylist() for batch in batches))

    @cached_property
    def names(self) -> list[str]:
        """The names of the columns: the header's, of JSON lines the keys of the first object, else roles or numbers.

        Only the beginning of the file is read. An empty file has none.
        """
        path, encoding = self.path, self.options.encoding
        if self._is_cut:
            first_row = tsv.first_row if self.dialect.quote is None else csv.first_row
            return self._header_of(first_row(path, encoding, self.dialect))
        if self.format == "text":
            return list(TEXTS[self.shape])
        if self.format == "parquet":
            return parquet.column_names(path)
        if isinstance(self._content, pa.Table):
            return list(self._content.schema.names)
        objects = chain.from_iterable(self._objects())
        return list(next((row for _, row in objects if row is not None), {}))

    def places(self, names: Sequence[str], line: int | None = 1, *, labelled: bool | None) -> dict[str, int]:
        """The position of the column of each role, and of those that `where` names, among the columns' `names`."""
        options = self.options
        places = place_columns(
            names,
            shape=self.shape,
            columns=options.columns,
            named=options.header or not self._is_cut,
            labelled=labelled,
            path=self.path,
            line=line,
            headed=self._is_cut,
        )
        return places | RowFilter(options.where).places(names, self.path, line)

    @cached_property
    def dialect(self) -> Dialect:
        """How the cells of CSV and TSV are told apart: as asked for, else by what stands in the file."""
        path, options = self.path, self.options
        delimiter = TAB if options.delimiter == "tab" else options.delimiter
        quote = None if options.quote == "none" else options.quote
        if self.format == "csv":
            quote = QUOTE if options.quote is None else quote
            return Dialect(delimiter or self._sniffed(quote) or ",", quote)
        if options.quote is None and delimiter in (None, TAB) and is_quoted_tsv(path, options.encoding):
            quote = QUOTE
        return Dialect(delimiter or TAB, quote)

    def is_labelled(self, names: Sequence[str] | None = None) -> bool:
        """Whether one of the columns, called `names` if that is given, is known as that of the labels."""
        label, names = LABEL[self.shape], self.names if names is None else names
        known = bool(names) and (self.has_named_columns or label in (self.options.columns or {}))
        return known and label in self.places(names, labelled=None)

    @property
    def has_named_columns(self) -> bool:
        """Whether the columns have names of their own, not only numbers or roles."""
        return self.format != "text" and (self.options.header or not self._is_cut)

    @property
    def _is_cut(self) -> bool:
        """Whether a row is a line that is cut into cells, so that the first one may be a header."""
        return self.format in ("csv", "tsv")

    @cached_property
    def _content(self) -> Any:
        return split_rows(str(self.path)) if self.format == "hub" else self.content

    def _named(self, record: Any) -> dict[str, Any]:
        """A row's cells by the names of their columns."""
        return record if isinstance(record, dict) else dict(zip(self.names, record, strict=True))

    def _chosen(self, labelled: bool | None, whole: bool) -> Iterator[Batch]:
        """The rows that `where` asks for."""
        empty = True
        row_filter, lists, raw = (
            RowFilter(self.options.where),
            ListCells(),
            RawWords(self.path, self.options, raw=self.format in ("text", "memory")),
        )
        for batch in self._read(labelled, whole, raw):
            chosen = lists.of(row_filter.of(batch))
            empty = empty and not len(chosen)
            if len(chosen) or chosen.blanks:
                yield named_tags(chosen.checked(raw.of, empty=self.empty), self.shape, self.options.tag_names, labelled)
        row_filter.refuse_none()
        if empty:
            words = self.format == "text" and self.shape == "tagging"
            nothing = "no line has a word; expected one sentence" if words else "no row; expected one example"
            raise EmptyError(f"{nothing} a line", file=self.path)

    def _read(self, labelled: bool | None, whole: bool, raw: RawWords) -> Iterator[Batch]:
        """All rows, as they stand."""
        path, shape, options = self.path, self.shape, self.options
        place = partial(self.places, labelled=labelled)
        if self.format == "text":
            self._refuse_labels_of_text(labelled)
            return tsv.read_text(path, options.encoding, TEXTS[shape], raw.of, whole=whole)
        if self._is_cut:
            read = tsv.read if self.dialect.quote is None else csv.read
            place = partial(self._places_in_first_row, labelled=labelled)
            return read(path, options.encoding, self.dialect, place, header=options.header, whole=whole)
        if self.format == "parquet":
            return parquet.read(path, shape, place, whole=whole)
        if isinstance(self._content, pa.Table):
            rows, names = self._content.to_batches(max_chunksize=_ROWS), self.class_names
            return parquet.read_arrow(self._content.schema, rows, path, shape, place, names=names, whole=whole)
        return json.read(self._objects(), path, place, whole=whole, empty=self.empty)

    def _objects(self) -> Iterator[Sequence[json.Numbered]]:
        """The objects of JSON, or in memory, with their lines or numbers, in groups."""
        if self.format == "jsonl":
            return json.objects_in(self.path, self.options.encoding)
        return json.in_groups(enumerate(map(dict, self._content), start=1))

    def _refuse_labels_of_text(self, labelled: bool | None) -> None:
        if labelled:
            words = self.shape == "tagging"
            other = "a CoNLL file" if words else "a table with a column of labels"
            raise DataError(f"raw text has no labels; give {other}, or its {setting('format')}", file=self.path)

    def _places_in_first_row(self, first: Sequence[str], line: int | None, labelled: bool | None) -> dict[str, int]:
        """`places`, where `first` are the cells of the first row of a TSV or CSV file."""
        if not self.options.header and are_names(first, self.shape):
            raise DataError(
                f"the first row has the columns' names; set {setting('header', True)}", file=self.path, line=line
            )
        try:
            return self.places(self._header_of(first), line, labelled=labelled)
        except DataError:
            if len(first) == 1:
                refuse_other_delimiter(first[0], self.path, line)
            raise

    def _header_of(self, first: Sequence[str]) -> list[str]:
        """The names of the columns, where `first` are the cells of the first row."""
        return list(first) if self.options.header else [str(i) for i in range(len(first))]

    def _sniffed(self, quote: str | None) -> str | None:
        def place(first: Sequence[str], line: int | None) -> dict[str, int]:
            return self.places(self._header_of(first), line, labelled=False)

        return csv.sniffed(self.path, self.options.encoding, quote, place, header=self.options.header)
