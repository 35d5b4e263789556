"""The options of reading a data file or data set, with the same names wherever one is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

from uxla.data.labels.schemes import Scheme

Format = Literal["auto", "conll", "text", "tsv", "csv", "jsonl", "parquet", "spans"]
WordFormat = Literal["auto", "conll", "text"]


class ReadKeywords(TypedDict, total=False):
    """The fields of `ReadOptions`, as keywords."""

    format: Format
    columns: Mapping[str, str | int] | None
    header: bool
    encoding: str
    delimiter: str | None
    quote: str | None
    where: Mapping[str, Sequence[str | int]] | None
    tag_names: Sequence[str] | None
    token_column: int
    label_column: int
    scheme: Scheme | Literal["auto"]
    comment: str | None


@dataclass(frozen=True)
class ReadOptions:
    """The options of reading a file.

    `format` `auto` goes by the suffix and the first lines, `scheme` `auto` by the labels. `columns` says which column
    of a table is what, by name or by position from 0: `tokens` and `tags` for tagging, `text` and `label` for single
    texts, `first`, `second` and `label` for pairs; what it leaves out is found by the usual names. `delimiter` and
    `quote` are those of CSV and TSV; of a table only the rows are read whose columns have the values of `where`, and
    `tag_names` are what the numbers in its column of labels stand for. `token_column` and `label_column` are
    CoNLL's, from 0, or from the end if negative. `comment` is how CoNLL's comments begin; `auto` goes by their look,
    None or `none` is for a file that has none.
    """

    format: Format = "auto"
    columns: Mapping[str, str | int] | None = None
    header: bool = True
    encoding: str = "utf-8"
    delimiter: str | None = None
    quote: str | None = None
    where: Mapping[str, Sequence[str | int]] | None = None
    tag_names: Sequence[str] | None = None
    token_column: int = 0
    label_column: int = -1
    scheme: Scheme | Literal["auto"] = "auto"
    comment: str | None = "auto"

    @property
    def comment_prefix(self) -> str | None:
        """`comment`, or None if the file has no comments."""
        return None if self.comment == "none" else self.comment

    @property
    def word_format(self) -> WordFormat:
        """`format` if it is one for words (CoNLL or raw text), else `auto`."""
        return self.format if self.format in ("conll", "text") else "auto"


DEFAULTS = ReadOptions()
"""The default options: the suffix and the first lines decide."""
