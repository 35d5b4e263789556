"""Tables with one row a word: the rows of a sentence become one row, which still has the records of the words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uxla.data.batch import LISTS, TEXTS, Batch
from uxla.data.columns import SENTENCE
from uxla.data.labels.names import missing
from uxla.errors import DataError, setting

_TELLING = 20
"""So many rows of a single word cannot all be sentences."""


@dataclass(frozen=True)
class Words:
    """The records of the words of a sentence, and their lines."""

    records: Sequence[Any]
    lines: Sequence[int]


def grouped(batches: Iterator[Batch], *, named: bool) -> Iterator[Batch]:
    """The rows of each sentence as one, where there is a column of sentences and each row has one word; `named` says
    that the user named that column. A row without a sentence belongs to the sentence before it.

    DataError for several words in a row of a named column, for a first row without a sentence, and for many rows of one
    word that no column joins.
    """
    rows, single, held = 0, True, None
    for batch in batches:
        if not len(batch):
            yield batch
            continue
        several = pc.greater(pc.list_value_length(batch.columns["tokens"]), 1)
        one_each = not pc.any(several).as_py()
        if SENTENCE in batch.columns and (named or one_each or held is not None):
            batch.fail_where(
                several, "several words in one row, although there is a column of sentences; expected one row a word"
            )
            held = batch if held is None else _joined(held, batch)
            last = _starts(held)[-1]
            if last:
                yield _sentences(_part(held, 0, last))
                held = _part(held, last, len(held))
            continue
        rows, single = rows + len(batch), single and one_each
        yield batch.with_columns(
            {role: batch.columns[role] for role in batch.columns if role != SENTENCE}, batch.records
        )
    if held is not None:
        yield _sentences(held)
    elif single and rows >= _TELLING:
        remedy = f"name the column that tells them ({setting('columns', {SENTENCE: 'NAME'})}), or write text"
        raise DataError(f"each of {rows} rows has one word, so there are no sentences; {remedy}", file=batch.path)


def _starts(batch: Batch) -> list[int]:
    """The positions of the rows that begin a sentence. DataError if the first row does not."""
    keys = ["" if key is None or missing(key) else key for key in batch.columns[SENTENCE].to_pylist()]
    if not keys[0]:
        raise DataError(f"the first row has no {SENTENCE}; fill it", file=batch.path, line=int(batch.lines[0]))
    starts, before = [], ""
    for number, key in enumerate(keys):
        if key and key != before:
            starts.append(number)
            before = key
    return starts


def _sentences(batch: Batch) -> Batch:
    """The batch with one row a sentence. Its rows have to be whole sentences."""
    starts = np.array(_starts(batch), dtype=np.int64)
    ends = [*starts[1:].tolist(), len(batch)]
    offsets = pa.array([*starts.tolist(), len(batch)], pa.int64())
    columns = {
        role: pa.LargeListArray.from_arrays(offsets, column.flatten()).cast(TEXTS)
        for role, column in batch.columns.items()
        if role in LISTS
    }
    records = batch.records
    words = records and [
        Words(records[start:end], batch.lines[start:end].tolist()) for start, end in zip(starts, ends, strict=True)
    ]
    return Batch(columns, batch.lines[starts], batch.path, words, batch.blanks)


def _part(batch: Batch, start: int, end: int) -> Batch:
    columns = {role: column.slice(start, end - start) for role, column in batch.columns.items()}
    records = None if batch.records is None else batch.records[start:end]
    return Batch(columns, batch.lines[start:end], batch.path, records, batch.blanks if start == 0 else ())


def _joined(first: Batch, second: Batch) -> Batch:
    columns = {role: pa.concat_arrays([first.columns[role], second.columns[role]]) for role in first.columns}
    records = None if first.records is None else [*first.records, *(second.records or ())]
    lines = np.concatenate([first.lines, second.lines])
    return Batch(columns, lines, first.path, records, (*first.blanks, *second.blanks))


def rewritten_rows(
    rows: Sequence[dict[str, Any]], words: Sequence[str], changed: Sequence[int], names: tuple[str, str], number: int
) -> Iterator[dict[str, Any]]:
    """The rows of a sentence with other words at the positions in `changed`.

    `number` is that of the sentence in the output; it becomes part of the sentence's name, so that neighbours differ.
    `names` are those of the columns of words and of sentences.
    """
    token, sentence = names
    for place, (row, word) in enumerate(zip(rows, words, strict=True)):
        cells = {**row, token: word} if place in changed else dict(row)
        key = cells.get(sentence)
        if isinstance(key, int):
            cells[sentence] = number
        elif isinstance(key, str) and not missing(key):
            cells[sentence] = f"{key}~{number}"
        yield cells
