"""Parquet, and other rows that are in Arrow already."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from uxla.data.columns import LABEL, TEXTS
from uxla.data.files import read_bytes
from uxla.data.signatures import HEAD, foreign
from uxla.data.values import Batch, class_names, is_list, with_names
from uxla.errors import DataError

if TYPE_CHECKING:
    from uxla.data.tables import Table

_ROWS, _WHOLE_ROWS = 1 << 14, 1 << 12


def head(table: Table) -> list[str]:
    """The names of the columns."""
    with _opened(table.path) as file:
        return list(file.schema_arrow.names)


def read(table: Table, labelled: bool | None, whole: bool) -> Iterator[Batch]:
    """A row a row; its record has all columns by name. A row in which nothing stands is a blank line."""
    with _opened(table.path) as file:
        blank: pa.Array | None = None
        schema, missing = file.schema_arrow, file.metadata.num_rows
        wanted = [schema.names[place] for place in table.places(schema.names, labelled, None).values()]
        rows = file.iter_batches(_WHOLE_ROWS) if whole else file.iter_batches(_ROWS, columns=wanted)
        for batch in arrow_batches(table, schema, map(_sound, rows), labelled=labelled, whole=whole):
            missing -= len(batch)
            if pc.any(_all_empty([batch.columns[role] for role in TEXTS[table.shape]])).as_py():
                blank = _blank_rows(table.path) if blank is None else blank
                batch = _without(batch, blank.take(pa.array(batch.lines - 1)), whole)
            yield batch
        if missing:
            raise OSError(f"{missing} rows fewer than its footer says")


def arrow_batches(
    table: Table,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    *,
    labelled: bool | None,
    names: Sequence[str] | None = None,
    whole: bool = False,
) -> Iterator[Batch]:
    """Rows that are in Arrow already (Parquet, the Hub), classes as their names: those the schema has, else `names`.

    A batch may have all columns of `schema`, or those of the roles only.
    """
    places = table.places(schema.names, labelled, None)
    for name in (schema.names[place] for place in places.values()):
        if schema.names.count(name) > 1:
            raise DataError(f"two columns are called {name!r}; rename one", file=table.path)
    label = LABEL[table.shape]
    first = 1
    for batch in batches:
        columns = {role: batch.column(schema.names[place]) for role, place in places.items()}
        if label in columns:
            own = class_names(schema.field(places[label]), schema.metadata)
            columns[label] = with_names(columns[label], names if own is None else own)
        lines = np.arange(first, first + batch.num_rows, dtype=np.int64)
        yield Batch(columns, lines, table.path, batch.to_pylist() if whole else None)
        first += batch.num_rows


def _blank_rows(path: Path) -> pa.Array:
    """(rows,) whether nothing stands in a row, in any column."""
    with pq.ParquetFile(path) as file:
        return pa.concat_arrays([_all_empty(batch.columns) for batch in file.iter_batches(_ROWS)])


def _without(batch: Batch, blank: pa.Array, whole: bool) -> Batch:
    kept = batch.filtered(pc.invert(blank))
    return kept.with_blanks(batch.lines[np.asarray(blank)]) if whole else kept


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
    """The open file; whatever Arrow says against it, also later, is a DataError."""
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
        reason = str(error).partition("\n")[0]
        message = f"cannot be read as Parquet ({reason}); write it again, or set format"
        raise DataError(message, file=path) from None


def _sound(batch: pa.RecordBatch) -> pa.RecordBatch:
    batch.validate(full=True)
    return batch
