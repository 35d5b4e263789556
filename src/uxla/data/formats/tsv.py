"""Lines as rows: TSV without quoting, where a quote is a character like any other (XNLI and PAWS-X have single ones),
and raw text, a sentence a line or a pair of texts with a TAB between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uxla.data.batch import Batch
from uxla.data.columns import Place
from uxla.data.files import arrow_lines
from uxla.data.formats.dialect import REPEATED, TAB, Dialect
from uxla.errors import setting
from uxla.phrases import counted

_WORD_ROWS = 1 << 12


def first_row(path: Path, encoding: str, dialect: Dialect) -> list[str]:
    """The cells of the first line that is not empty; none in a file without such a line."""
    first = next((lines[0].as_py() for lines, _, _ in arrow_lines(path, encoding) if len(lines)), None)
    return [] if first is None else first.split(dialect.delimiter)


def read(path: Path, encoding: str, dialect: Dialect, place: Place, *, header: bool, whole: bool) -> Iterator[Batch]:
    """One row a line; the record of a row is the list of its cells."""
    delimiter = dialect.delimiter
    width: int | None = None
    names = ""
    places: dict[str, int] = {}
    for lines, numbers, _ in arrow_lines(path, encoding):
        if len(lines) and width is None:
            names = lines[0].as_py()
            first = names.split(delimiter)
            width, places = len(first), place(first, int(numbers[0]))
            lines, numbers = lines[header:], numbers[header:]
        batch = Batch({}, numbers, path)
        if header and (width or 0) > 1:
            batch.fail_where(pc.equal(lines, names), REPEATED)
        columns, records = _cut(lines, batch, width or 0, list(places.values()), delimiter, whole=whole)
        yield batch.with_columns(dict(zip(places, columns, strict=True)), records)


def read_text(
    path: Path, encoding: str, roles: Sequence[str], words_of: Callable[[pa.Array], pa.Array], *, whole: bool
) -> Iterator[Batch]:
    """One text a line, two where there are two `roles`, or its words; the record of a row is its cells.

    Lines of white space only are blank lines.
    """
    for lines, numbers, blanks in arrow_lines(path, encoding):
        filled = pc.invert(pc.match_substring_regex(lines, r"\A[ \t]*\z"))
        chosen = filled.to_numpy(zero_copy_only=False)
        batch = Batch({}, numbers[chosen], path)
        if whole:
            batch = batch.with_blanks([*blanks, *numbers[~chosen]])
        texts = lines.filter(filled)
        if len(roles) == 2:
            columns, records = _cut(texts, batch, 2, range(2), TAB, whole=whole)
            yield batch.with_columns(dict(zip(roles, columns, strict=True)), records)
            continue
        records = [[text] for text in texts.to_pylist()] if whole else None
        if roles[0] == "tokens":
            yield from _words(texts, batch.with_columns({}, records), words_of)
        else:
            yield batch.with_columns({roles[0]: texts}, records)


def _words(texts: pa.Array, batch: Batch, words_of: Callable[[pa.Array], pa.Array]) -> Iterator[Batch]:
    """The words of each text, fewer rows at a time: a word takes more memory than its characters."""
    if batch.blanks:
        yield Batch({}, batch.lines[:0], batch.path, [], batch.blanks)
    for start in range(0, len(texts), _WORD_ROWS):
        part = slice(start, start + _WORD_ROWS)
        records = None if batch.records is None else batch.records[part]
        yield Batch({"tokens": words_of(texts[part])}, batch.lines[part], batch.path, records)


def _cut(
    lines: pa.Array, batch: Batch, width: int, wanted: Iterable[int], delimiter: str, *, whole: bool
) -> tuple[list[pa.Array], list[list[str]] | None]:
    """The fields at each place in `wanted` (of 10⁵ columns, two), and all fields of each line if `whole`.

    DataError at the first line without `width` fields.
    """
    fields = pc.split_pattern(lines, delimiter)
    counts = pc.list_value_length(fields).to_numpy(zero_copy_only=False)
    wrong = counts != width
    if wrong.any():
        got = int(counts[wrong][0])
        between = "TAB" if delimiter == TAB else repr(delimiter)
        more = f"replace {between}s within a text by spaces"
        remedy = more if got > width else f"write what is missing, with a {between} before it"
        found = f"{counted(got, 'field')}, expected {width} with one {between} between them"
        batch.fail_where(wrong, f"{found}; {remedy}, or is this CSV ({setting('format', 'csv')})?")
    flat = fields.flatten()
    columns = [flat.take(pa.array(np.arange(i, len(flat), width))) for i in wanted]
    return columns, fields.to_pylist() if whole else None
