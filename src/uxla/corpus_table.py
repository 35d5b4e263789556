"""The Arrow table of a corpus: its columns, how examples become batches of it, and which rows are meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from uxla.errors import DataError
from uxla.given import shown
from uxla.phrases import counted

SCHEMA = pa.schema(
    [
        pa.field("id", pa.large_string(), nullable=False),
        pa.field("lang", pa.large_string(), nullable=False),
        pa.field("segments", pa.large_list(pa.large_string()), nullable=False),
        pa.field("labels", pa.large_list(pa.int32())),
    ]
)
BATCH_ROWS = 4096

Cells = tuple[str, str, Sequence[str], Sequence[int] | None]
"""The id, the language, the segments and the labels of an example."""


def batches_of(examples: Iterable[Cells], *, classes: int, ignored: int) -> Iterator[pa.RecordBatch]:
    """The examples as batches with the columns of `SCHEMA`.

    DataError, which names the example, for a label that is neither the number of a class, from 0, nor `ignored`.
    """
    rest = iter(examples)
    while rows := list(islice(rest, BATCH_ROWS)):
        columns = dict(zip(SCHEMA.names, map(list, zip(*rows, strict=True)), strict=True))
        batch = pa.RecordBatch.from_pydict(columns, SCHEMA)
        _check_labels(batch, classes, ignored)
        yield batch


def _check_labels(batch: pa.RecordBatch, classes: int, ignored: int) -> None:
    labels = batch.column("labels")
    flat = labels.flatten().to_numpy()
    wrong = flat[((flat < 0) | (flat >= classes)) & (flat != ignored)]
    if len(wrong):
        number = next(i for i, row in enumerate(labels.to_pylist()) if row and wrong[0] in row)
        expected = f"expected 0 to {classes - 1}, places in label_names" if classes else "and label_names is empty"
        raise DataError(f"example {batch.column('id')[number]}: has label {wrong[0]}, {expected}")


def checked_indices(given: Any, length: int) -> npt.NDArray[np.int64]:
    """(n,) the rows that are meant by integers, or by a mask of one boolean a row. DataError for anything else."""
    try:
        found = np.asarray(given)
    except ValueError:  # lists of several lengths
        found = np.asarray(None)
    if found.ndim == 1 and found.dtype == np.bool_:
        if len(found) != length:
            raise DataError(
                f"take: got a mask of {len(found)}, expected one boolean for each of {counted(length, 'example')}"
            )
        return np.flatnonzero(found)
    if found.ndim != 1 or not (np.issubdtype(found.dtype, np.integer) or not len(found)):
        raise DataError(f"take: got {shown(given)}, expected a list of indices, or a mask of booleans")
    return found.astype(np.int64)


def gold_labels(table: pa.Table) -> npt.NDArray[np.int64]:
    """(R,) the labels of all rows, example by example. ValueError, which names the example, where one has none."""
    column = table.column("labels").combine_chunks()
    if column.null_count:
        raise ValueError(f"example {table['id'][column.is_valid().index(False).as_py()]} has no labels to learn from")
    return np.asarray(column.flatten(), dtype=np.int64)


def renumbered(labels: npt.NDArray[np.int64], numbers: Sequence[int], *, ignored: int) -> npt.NDArray[np.int64]:
    """(R,) `numbers[i]` for each label i; `ignored` ones stay."""
    return np.array([*numbers, ignored], dtype=np.int64)[np.where(labels == ignored, len(numbers), labels)]


def names_metadata(label_names: Sequence[str]) -> dict[str, str]:
    """A table's metadata that says what its labels mean."""
    return {"label_names": "\x00".join(label_names)}


def names_in(schema: pa.Schema) -> tuple[str, ...]:
    """What `names_metadata` wrote; nothing where it did not."""
    names = (schema.metadata or {}).get(b"label_names", b"").decode()
    return tuple(names.split("\x00")) if names else ()
