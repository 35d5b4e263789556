"""Rows of a table in batches: one Arrow array of plain text, or of lists of texts, for each role.

Every type that can mean text, words, a label or tags is converted; any other is an error. A row that cannot be read is
an error with its line; it is never skipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uxla.data.columns import SENTENCE
from uxla.errors import DataError, setting
from uxla.records import IGNORED, Ints

TEXT = pa.large_string()
TEXTS = pa.large_list(TEXT)
LISTS = ("tokens", "tags")
"""The roles whose cells are lists. The cells of other roles are single texts."""
NO_CLASS = (-1, IGNORED)
"""Numbers that data sets have in place of the class of a row, or of a word, that has none."""
_BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\u2060\ufeff"
"""Invisible characters that may stand around a label."""


@dataclass(frozen=True, slots=True)
class Row:
    """One example with all that stands in its file: its text, or the two of a pair.

    `record` is a table row's cells by the names of their columns (of a table with a row a word the list of those of the
    sentence), the lines of a CoNLL sentence without their ends, or an `Entry` of a file with character spans. Words in
    a list are joined by one space to be a text. `line` is where the row begins, from 1 (of Parquet the row).
    """

    texts: tuple[str, ...]
    record: Any
    line: int | None = None


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows: for each role (n,) texts or lists of texts, and the (n,) line, from 1, each stands in.

    Of Parquet and the Hub the line is the row's number, from 1. Where whole rows were asked for, `records` has each row
    with all that stands in it, a list of cells or a dictionary, and `blanks` the numbers of the lines near it that
    are blank. `listed` are the roles whose cells are lists written as text. Of CoNLL `word_line` gives the line of a
    word by its row and number, and `iob2` the tags as IOB2.
    """

    columns: dict[str, pa.Array]
    lines: Ints
    path: Path
    records: Sequence[Any] | None = None
    blanks: tuple[int, ...] = ()
    listed: frozenset[str] = frozenset()
    word_line: Callable[[int, int], int] | None = None
    iob2: Callable[[], list[list[str]]] | None = None

    def __len__(self) -> int:
        return len(self.lines)

    def line_of(self, row: int, word: int) -> int:
        """The line of a word: that of its row, or in CoNLL the word's own."""
        return int(self.lines[row]) if self.word_line is None else self.word_line(row, word)

    def with_columns(self, columns: dict[str, pa.Array], records: Sequence[Any] | None) -> Batch:
        """The same rows with these columns and records."""
        return replace(self, columns=columns, records=records)

    def filtered(self, mask: pa.Array) -> Batch:
        """The rows for which `mask` (n,) is true."""
        if pc.all(mask).as_py():
            return self
        chosen = mask.to_numpy(zero_copy_only=False).astype(bool)
        records = None if self.records is None else list(compress(self.records, chosen))
        columns = {role: column.filter(mask) for role, column in self.columns.items()}
        return replace(self, columns=columns, lines=self.lines[chosen], records=records)

    def with_blanks(self, lines: Iterable[int]) -> Batch:
        """The same rows, with the numbers of the blank lines near them."""
        return replace(self, blanks=tuple(map(int, lines)))

    def fail_where(self, faulty: pa.Array | np.ndarray, message: str) -> None:
        """DataError at the first row for which `faulty` (n,) is true, if there is one."""
        found = np.flatnonzero(np.asarray(faulty))
        if len(found):
            raise DataError(message, file=self.path, line=int(self.lines[found[0]]))

    def checked(self, words_of: Callable[[pa.Array], pa.Array], *, empty: bool = False) -> Batch:
        """The same rows with every cell as text or list of texts; `words_of` cuts texts into words.

        DataError for an empty or missing cell, unless texts may be `empty`; for a type that is no text, a word with
        white space, or if a row has not as many tags as words.
        """
        if {"tags", SENTENCE} & self.columns.keys():  # tags in a text stand between blanks, and so do its words
            words_of = split_at_blanks
        columns = {role: _cells(self, role, column, words_of, empty) for role, column in self.columns.items()}
        if len(columns.keys() & set(LISTS)) == len(LISTS):
            words, tags = (pc.list_value_length(columns[role]) for role in LISTS)
            self.fail_where(pc.not_equal(words, tags), "words and tags differ in number; expected one tag a word")
        return replace(self, columns=columns)


def class_names(field: pa.Field, metadata: dict[bytes, bytes] | None) -> Sequence[str] | None:
    """The names of the classes in an integer column, or a column of lists of integers; None if there are none.

    `datasets` keeps them in the metadata of the schema.
    """
    try:
        feature = json.loads((metadata or {})[b"huggingface"])["info"]["features"][field.name]
        while isinstance(feature, list):  # a list of features is written as a list of one by older versions
            feature = feature[0]
        names = feature.get("feature", feature)["names"]
        return pa.array(names, pa.string()).to_pylist() or None
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError):
        return None


def with_class_names(batch: Batch, role: str, names: Sequence[str] | None) -> Batch:
    """The rows with the names of classes in place of integers in the column of `role`, also in lists.

    `NO_CLASS` in place of a label are null. DataError, with the row, for any other integer without a name. A column of
    something else stays as it is.
    """
    if names is None or role not in batch.columns:
        return batch
    column = batch.columns[role]
    flat = column.flatten() if is_list(column.type) else column
    if not pa.types.is_integer(flat.type):
        return batch
    number = flat.cast(pa.int64())
    known = pc.and_(pc.greater_equal(number, 0), pc.less(number, len(names)))
    rows = np.arange(len(batch))
    if flat is not column:
        rows = np.repeat(rows, pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False))
    allowed = pc.or_(known, pc.is_in(number, value_set=pa.array(NO_CLASS))) if role == "label" else known
    _refuse_numbers(Batch({}, batch.lines[rows], batch.path), role, number, pc.invert(allowed), len(names))
    flat = pa.array(names, TEXT).take(pc.if_else(known, number, None))
    if is_list(column.type):
        flat = pa.LargeListArray.from_arrays(_starts(column), flat, mask=pc.is_null(column))
    return batch.with_columns({**batch.columns, role: flat}, batch.records)


def _refuse_numbers(values: Batch, role: str, numbers: pa.Array, wrong: pa.Array, classes: int) -> None:
    """DataError at the first of the numbers that is `wrong`, if there is one."""
    if pc.any(wrong).as_py():
        first = numbers.filter(wrong)[0].as_py()
        remedy = "that is no tag; give the word one" if first in NO_CLASS else "correct the row, or leave it out"
        message = f"{role} has {first}, expected the number of a class, 0 to {classes - 1}; {remedy}"
        values.fail_where(pc.fill_null(wrong, False), message)


def _starts(lists: pa.Array) -> pa.Array:
    """(n + 1,) where each list begins in the flattened column."""
    ends = pc.cumulative_sum(pc.fill_null(pc.list_value_length(lists), 0).cast(pa.int64()))
    return pa.concat_arrays([pa.array([0], pa.int64()), ends])


def is_list(type_: pa.DataType) -> bool:
    """Whether cells of this type are lists of any length."""
    return bool(pa.types.is_list(type_) or pa.types.is_large_list(type_))


def _cells(
    batch: Batch, role: str, column: pa.Array, words_of: Callable[[pa.Array], pa.Array], empty: bool
) -> pa.Array:
    if role in ("label", SENTENCE) and not is_list(column.type):  # a row without a label may be left out
        return pc.utf8_trim(_as_text(batch, role, column), characters=_BLANKS)
    if not empty:
        batch.fail_where(pc.is_null(column), f"no value for {role}; fill it, or leave the row out")
    if not is_list(column.type):
        text = pc.fill_null(_as_text(batch, role, column), "")
        blank = pc.or_(pc.equal(text, ""), pc.utf8_is_space(text))
        if not empty:
            batch.fail_where(blank, f"{role} is empty; fill it, or leave the row out")
        if role not in LISTS:
            return pc.if_else(blank, "", text)
        return pc.if_else(blank, pa.scalar([], TEXTS), words_of(text))
    if role not in LISTS:
        batch.fail_where(np.ones(len(batch)), f"the column of {role} has lists ({column.type}); expected text")
    if empty:
        column = pc.fill_null(column, pa.scalar([], column.type))
    else:
        batch.fail_where(pc.equal(pc.list_value_length(column), 0), f"{role} is an empty list; leave the row out")
    flat = column.flatten()
    rows = np.repeat(np.arange(len(column)), pc.list_value_length(column).to_numpy(zero_copy_only=False))
    values = _as_text(Batch({}, batch.lines[rows], batch.path), role, flat)
    if role == "tags":
        values = pc.utf8_trim(values, characters=_BLANKS)
    spaced = pc.fill_null(pc.or_(pc.equal(values, ""), pc.match_substring_regex(values, r"[ \t\r\n]")), True)
    cells = Batch({}, batch.lines[rows], batch.path)
    cells.fail_where(spaced, f"{role} has an entry that is null, empty or has a space; write one word an entry")
    offsets = np.concatenate([[0], np.cumsum(pc.list_value_length(column))])
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), values)


def _as_text(batch: Batch, role: str, column: pa.Array) -> pa.Array:
    types = pa.types
    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    allowed = [types.is_string, types.is_large_string, types.is_string_view, types.is_null]
    if role in ("label", "tags", SENTENCE):
        allowed += [types.is_integer, types.is_boolean]
        if types.is_floating(kind):
            column, kind = _whole_numbers(batch, role, column), pa.int64()
    if not any(allows(kind) for allows in allowed):
        batch.fail_where(
            np.ones(len(batch)), f"the column of {role} has {kind}; expected text, set {setting('columns')}"
        )
    return column.cast(TEXT)


def _whole_numbers(batch: Batch, role: str, column: pa.Array) -> pa.Array:
    """The integers in a column of floats, which is how pandas stores them beside a missing value; NaN becomes null."""
    column = column.cast(pa.float64())
    column = pc.if_else(pc.is_nan(column), None, column)
    broken = pc.fill_null(pc.not_equal(pc.round(column), column), False)
    batch.fail_where(broken, f"{role} has a number that is not whole; expected text, set {setting('columns')}")
    return column.cast(pa.int64())


def split_at_blanks(text: pa.Array) -> pa.Array:
    """(n,) lists of words. Words are separated by ASCII spaces, TABs and line ends, and by no other character."""
    return pc.split_pattern_regex(pc.ascii_trim(text, " \t\r\n"), "[ \t\r\n]+").cast(TEXTS)
