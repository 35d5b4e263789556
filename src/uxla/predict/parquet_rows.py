"""Rows of a Parquet file by their numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.parquet as pq


def rows_of(file: pq.ParquetFile) -> Callable[[Sequence[int]], pa.Table]:
    """A function from ascending row numbers, from 0, to these rows; each call begins behind the one before."""
    batches, held, first = file.iter_batches(), file.schema_arrow.empty_table(), 0

    def take(rows: Sequence[int]) -> pa.Table:
        nonlocal held, first
        if not rows:
            return held.slice(0, 0)
        while first + len(held) <= rows[-1]:
            held = pa.concat_tables([held, pa.Table.from_batches([next(batches)], held.schema)])
        chosen = held.take([row - first for row in rows])
        held, first = held.slice(rows[-1] + 1 - first), rows[-1] + 1
        return chosen

    return take
