"""Arrow tables larger than memory: mapped from a nameless temporary file, and rows taken from them in parts.

The system can take back the pages of a mapped file at any time, so they do not count as memory in use.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from uxla.write_errors import writing

HELD_BYTES = 1 << 23
"""A table up to this size stays in memory."""

GATHERED_BYTES = 1 << 24
"""Rows gathered at a time. More of them mean fewer visits to each batch of the table."""


def table_of(batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, held_bytes: int = HELD_BYTES) -> pa.Table:
    """A table of `batches`: in memory if it is small, else mapped from a temporary file, batch by batch.

    The file has no name, so that even a kill leaves nothing behind; it lives as long as the table. WriteError where the
    folder for temporary files has no room.
    """
    rest = iter(batches)
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in rest:
        held.append(batch)
        size += batch.nbytes
        if size > held_bytes:
            return _mapped(chain(held, rest), schema)
    return pa.Table.from_batches(held, schema)


def rows_at(
    table: pa.Table, indices: npt.NDArray[np.integer], *, gathered_bytes: int = GATHERED_BYTES
) -> Iterator[pa.RecordBatch]:
    """The rows of `table` at `indices` (n,), in that order, as batches.

    `pa.Table.take` would first copy the whole table into one piece. IndexError for an index the table does not have.
    """
    if len(indices) and not 0 <= indices.min() <= indices.max() < table.num_rows:
        raise IndexError(f"indices from {indices.min()} to {indices.max()}, expected 0 to {table.num_rows - 1}")
    batches = table.to_batches()
    starts = np.cumsum([0, *(batch.num_rows for batch in batches)])
    rows = max(gathered_bytes * table.num_rows // max(table.nbytes, 1), 1)
    for first in range(0, len(indices), rows):
        wanted = indices[first : first + rows]
        order = np.argsort(wanted, kind="stable")
        ascending = wanted[order]
        cuts = np.searchsorted(ascending, starts)
        found = pa.concat_batches(
            batches[i].take(pa.array(ascending[cuts[i] : cuts[i + 1]] - starts[i]))
            for i in np.flatnonzero(np.diff(cuts))
        )
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        yield found.take(pa.array(place))


def _mapped(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    with _writing():
        file = tempfile.TemporaryFile(prefix="uxla-")  # noqa: SIM115 (closed below)
    try:
        writer = pa.ipc.new_file(file, schema)
        for batch in batches:  # outside `_writing`: what their source raises is not about this file
            with _writing():
                writer.write_batch(batch)
        with _writing():
            writer.close()
            file.flush()
            pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    finally:
        with suppress(OSError):  # of a full disk, which is an error already
            file.close()
    return pa.ipc.open_file(pa.py_buffer(pages)).read_all()


def _writing() -> AbstractContextManager[None]:
    remedy = "free space, or set TMPDIR to a folder on a larger disk, and run again: finished work is kept"
    return writing(Path(tempfile.gettempdir()), remedy)
