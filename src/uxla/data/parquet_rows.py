"""Parquet, and other rows that are in Arrow already."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from uxla.data.columns import LABEL
from uxla.data.files import read_bytes
from uxla.data.signatures import HEAD, foreign
from uxla.data.values import Batch, class_names, with_names
from uxla.errors import DataError

if TYPE_CHECKING:
    from uxla.data.tables import Table

_ROWS, _WHOLE_ROWS = 1 << 14, 1 << 12


def head(table: Table) -> list[str]:
    """The names of the columns."""
    with _opened(table.path) as file:
        return list(file.schema_arrow.names)


def read(table: Table, labelled: bool | None, whole: bool) -> Iterator[Batch]:
    """A row a row; its record has all columns by name."""
    with _opened(table.path) as file:
        schema, missing = file.schema_arrow, file.metadata.num_rows
        wanted = [schema.names[place] for place in table.places(schema.names, labelled, None).values()]
        rows = file.iter_batches(_WHOLE_ROWS) if whole else file.iter_batches(_ROWS, columns=wanted)
        for batch in arrow_batches(table, schema, map(_sound, rows), labelled=labelled, whole=whole):
            missing -= len(batch)
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
