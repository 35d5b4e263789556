"""JSON lines, one object a line, and a JSON array of objects."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from uxla.data.json_cells import is_empty, json_column, parse_object, refuse_nested
from uxla.data.json_records import is_array, json_records
from uxla.data.lines import text_lines
from uxla.data.values import Batch
from uxla.errors import DataError

if TYPE_CHECKING:
    from uxla.data.tables import Table

_ROWS = 1 << 14


def head(table: Table) -> list[str]:
    """The keys of the first object."""
    return list(next((row for _, row in _objects(table) if row is not None), {}))


def read(table: Table, labelled: bool | None, whole: bool) -> Iterator[Batch]:
    """A row an object, which is its record."""
    objects = _objects(table)
    before: list[tuple[int, dict[str, Any] | None]] = []
    for first in objects:
        before.append(first)
        if first[1] is not None:
            break
    else:
        return
    number, row = first
    names = list(row or {})
    objects = chain(before, objects)
    try:
        roles = {role: names[place] for role, place in table.places(names, labelled, number).items()}
    except DataError:
        refuse_nested([row for _, row in islice(objects, len(before) + 1) if row is not None], table.path, number)
        raise
    while some := list(islice(objects, _ROWS)):
        rows = [(number, row) for number, row in some if row is not None]
        columns = {role: json_column(rows, role, key, table.path) for role, key in roles.items()}
        batch = Batch(columns, np.array([number for number, _ in rows], dtype=np.int64), table.path)
        if whole:
            blanks = [number for number, row in some if row is None]
            batch = batch.with_columns(columns, [row for _, row in rows]).with_blanks(blanks)
        yield batch


def _objects(table: Table) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """The number of each line and its object, None where nothing is in it; of an array the objects and where each
    begins."""
    if is_array(table.path, table.encoding):
        for record in json_records(table.path, table.encoding):
            yield record.line, None if is_empty(record.value) else record.value
        return
    for number, line in enumerate(text_lines(table.path, table.encoding), start=1):
        row = parse_object(line, table.path, number) if line.strip(" \t\r\n") else {}
        yield number, None if is_empty(row) else row
