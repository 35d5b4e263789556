"""The options of reading a data file or data set, with the same names wherever one is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

from uxla.choices import Format
from uxla.data.labels.schemes import Scheme

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

    With `format` `auto` the suffix and the first lines decide, with `scheme` `auto` the labels.

    For tables: `columns` says which column has which role, by name or by position from 0. The roles are `tokens` and
    `tags` for tagging, `text` and `label` for single texts, and `first`, `second` and `label` for pairs; others are
    found by their usual names. `header` says whether the first row has the names. `delimiter` and `quote` are for CSV
    and TSV. Only rows with the values of `where` are read. `tag_names` are the names of numbers that stand for labels.

    For CoNLL: `token_column` and `label_column` count from 0, or from the end if negative. `comment` is the prefix of
    comments; with `auto` they are recognised by their look, and None or `none` means that there are none.
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
