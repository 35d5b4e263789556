"""Parquet, and other rows that are in Arrow already."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from uxla.data.batch import Batch, class_names, is_list, with_class_names
from uxla.data.columns import LABEL, TEXTS, Place, Shape
from uxla.data.files import read_bytes
from uxla.data.signatures import HEAD, foreign
from uxla.errors import DataError
from uxla.phrases import first_line

_ROWS, _WHOLE_ROWS = 1 << 14, 1 << 12


def column_names(path: Path) -> list[str]:
    """The names of the columns."""
    with _opened(path) as file:
        return list(file.schema_arrow.names)


def read(path: Path, shape: Shape, place: Place, *, whole: bool) -> Iterator[Batch]:
    """One row a row; its record has all columns by name. A row in which nothing stands is a blank line."""
    with _opened(path) as file:
        blank: pa.Array | None = None
        schema, missing = file.schema_arrow, file.metadata.num_rows
        wanted = [schema.names[at] for at in place(schema.names, None).values()]
        rows = file.iter_batches(_WHOLE_ROWS) if whole else file.iter_batches(_ROWS, columns=wanted)
        for batch in read_arrow(schema, map(_sound, rows), path, shape, place, whole=whole):
            missing -= len(batch)
            if pc.any(_all_empty([batch.columns[role] for role in TEXTS[shape]])).as_py():
                blank = _blank_rows(path) if blank is None else blank
                empty = blank.take(pa.array(batch.lines - 1))
                blanks = batch.lines[np.asarray(empty)] if whole else ()
                batch = batch.filtered(pc.invert(empty)).with_blanks(blanks)
            yield batch
        if missing:
            raise OSError(f"{missing} rows fewer than its footer says")


def read_arrow(
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    path: Path,
    shape: Shape,
    place: Place,
    *,
    names: Sequence[str] | None = None,
    whole: bool = False,
) -> Iterator[Batch]:
    """Rows that are in Arrow already, with the names of classes in place of their numbers.

    The names are those the schema has, else `names`. A batch may have all columns of `schema`, or those of the roles
    only.
    """
    places = place(schema.names, None)
    for name in (schema.names[at] for at in places.values()):
        if schema.names.count(name) > 1:
            raise DataError(f"two columns are called {name!r}; rename one", file=path)
    label = LABEL[shape]
    first = 1
    for batch in batches:
        columns = {role: batch.column(schema.names[at]) for role, at in places.items()}
        lines = np.arange(first, first + batch.num_rows, dtype=np.int64)
        rows = Batch(columns, lines, path, batch.to_pylist() if whole else None)
        own = class_names(schema.field(places[label]), schema.metadata) if label in columns else None
        yield with_class_names(rows, label, names if own is None else own)
        first += batch.num_rows


def _blank_rows(path: Path) -> pa.Array:
    """(rows,) whether a row is empty in all columns."""
    with pq.ParquetFile(path) as file:
        return pa.concat_arrays([_all_empty(batch.columns) for batch in file.iter_batches(_ROWS)])


def _all_empty(columns: Sequence[pa.Array]) -> pa.Array:
    """(n,) whether a row has null, an empty text or an empty list in all of the columns."""
    empty = pa.array(np.ones(len(columns[0]), dtype=bool))
    for column in columns:
        kind, nothing = column.type, pc.is_null(column)
        if is_list(kind):
            nothing = pc.or_(nothing, pc.fill_null(pc.equal(pc.list_value_length(column), 0), True))
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            nothing = pc.or_(nothing, pc.fill_null(pc.equal(column, ""), True))
        empty = pc.and_(empty, nothing)
    return empty


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    """The open file. Any error of Arrow inside the block becomes a DataError."""
    if not os.path.isfile(path):  # Path.is_file raises for a name that is too long
        read_bytes(path)  # the same words for a missing file as everywhere
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        with path.open("rb") as raw:
            other = foreign(raw.read(HEAD))
        if other is not None and other[0] != "Parquet":
            raise DataError(f"{other[0]}, not Parquet; {other[1]}", file=path) from None
        message = f"cannot be read as Parquet ({first_line(error)}); write it again, or set format"
        raise DataError(message, file=path) from None


def _sound(batch: pa.RecordBatch) -> pa.RecordBatch:
    batch.validate(full=True)
    return batch
