"""Raw text: one sentence a line, or a pair of texts with a TAB between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from uxla.data.batch import Batch
from uxla.data.files import arrow_lines
from uxla.data.formats.dialect import TAB
from uxla.data.formats.tsv import cut

_WORD_ROWS = 1 << 12


def read(
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
            columns, records = cut(texts, batch, 2, range(2), TAB, whole=whole)
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
