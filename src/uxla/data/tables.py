"""TSV, CSV, JSON lines, Parquet and raw text, a batch of rows at a time: no row is skipped, no field is changed.

Each format has one reader, in a module of its own. A line without any character is no row; raw text also skips lines
of white space only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from uxla.data import csv_rows, json_lines, parquet_rows, tsv
from uxla.data.columns import Shape, place_columns
from uxla.data.values import Batch
from uxla.errors import DataError

TableFormat = Literal["text", "tsv", "csv", "jsonl", "parquet"]

_READERS = {
    "text": tsv.read_text,
    "tsv": tsv.read_tsv,
    "csv": csv_rows.read,
    "jsonl": json_lines.read,
    "parquet": parquet_rows.read,
}
_HEADS = {
    "text": tsv.text_head,
    "tsv": tsv.head,
    "csv": csv_rows.head,
    "jsonl": json_lines.head,
    "parquet": parquet_rows.head,
}


@dataclass(frozen=True)
class Table:
    """A file of rows and how to read it. `batches` can be called as often as one likes; it reads the file anew."""

    path: Path
    format: TableFormat
    shape: Shape
    columns: Mapping[str, str | int] | None = None
    header: bool = True
    encoding: str = "utf-8"

    def batches(self, *, labelled: bool | None, whole: bool = False) -> Iterator[Batch]:
        """All rows, checked, in order; with `labelled` False labels are not even looked at, with None they are read
        where there are any. `whole` adds each row's record and the numbers of the blank lines, and may give a last
        batch of blank lines only. DataError, with the line, for whatever is wrong, ConfigError for a role in `columns`
        that the shape does not have."""
        empty = True
        for batch in _READERS[self.format](self, labelled, whole):
            empty = empty and not len(batch)
            if len(batch) or batch.blanks:
                yield batch.checked()
        if empty:
            words = self.format == "text" and self.shape == "tagging"
            nothing = "no line has a word; expected one sentence" if words else "no row; expected one example"
            raise DataError(f"{nothing} a line", file=self.path)

    def names(self) -> list[str]:
        """The columns' names: the header's, of JSON lines the first object's keys, else roles or numbers from 0; only
        the beginning is read. Of a file without a line: none."""
        return _HEADS[self.format](self)

    def places(self, names: Sequence[str], labelled: bool | None, line: int | None = 1) -> dict[str, int]:
        """The position of each role's column, where `names` are those of the file's columns."""
        named = self.header or self.format in ("jsonl", "parquet")
        return place_columns(
            names,
            shape=self.shape,
            columns=self.columns,
            named=named,
            labelled=labelled,
            path=self.path,
            line=line,
        )

    def header_of(self, first: Sequence[str]) -> list[str]:
        """The columns' names, where `first` are the cells of a TSV or CSV file's first line."""
        return list(first) if self.header else [str(i) for i in range(len(first))]
