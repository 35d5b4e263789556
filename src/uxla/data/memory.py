"""What a program has in memory as rows of a table: texts, tuples, dictionaries, data frames, data sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from numbers import Integral
from typing import Any

import pyarrow as pa

from uxla import given
from uxla.data.columns import Shape
from uxla.errors import DataError
from uxla.phrases import counted

_FRAMES = {
    *(("pandas", "DataFrame"), ("polars", "DataFrame"), ("polars", "LazyFrame")),
    *(("datasets", "Dataset"), ("pyarrow", "Table"), ("pyarrow", "RecordBatch")),
}
_CHUNK = 1 << 12
_SHAPES: dict[tuple[str, ...], Shape] = {
    ("tokens",): "tagging",
    ("tokens", "tags"): "tagging",
    ("text",): "single",
    ("text", "label"): "single",
    ("first", "second"): "pair",
    ("first", "second", "label"): "pair",
}
"""What an example is, by the roles of its record's parts."""
_EXPECTED: dict[Shape | None, str] = {
    "tagging": "a str, a list of words, or (words, tags)",
    "single": "a str, or (text, label)",
    "pair": "(first, second), or (first, second, label)",
    None: "a str, a list of words, (words, tags), (text, label) or (first, second, label)",
}


def rows_in_memory(data: Any, name: str, shape: Shape | None = None) -> pa.Table | Iterator[Mapping[str, Any]]:
    """The rows of `data` under their columns' names: an Arrow table, or a mapping for each.

    `data` is a data frame (pandas, polars), a `datasets.Dataset`, an Arrow table, a mapping of columns, or any iterable
    of records: texts (str), sentences as lists of words, (words, tags), (text, label), (first, second, label), or
    mappings; all are like the first one. Two texts are a text and its label, unless the `shape` is a pair's; of texts
    the blank ones are left out. DataError, with `name` and the number of the row, from 1, for anything else.
    """
    if isinstance(data, Mapping):
        if any(map(_is_frame, data.values())):
            raise DataError(f"{name}: holds {', '.join(map(str, data))}; give one of them")
        return _arrow(partial(pa.table, dict(data)), name)
    if _is_frame(data):
        if _schema(data) is not None and data.format["type"] == "custom":  # its Arrow table has the rows without it
            raise DataError("has a transform, which rows get one by one; give `list(data)`, or use map", file=name)
        return _arrow(partial(_table, data), name)
    given.check_list(data, name, "examples")
    if (schema := _schema(data)) is not None:  # a streamed data set
        return _arrow(lambda: pa.Table.from_pylist(list(data), schema), name)
    return _mappings(map(given.plain, data), name, shape)


def _is_frame(data: Any) -> bool:
    return any((cls.__module__.partition(".")[0], cls.__name__) in _FRAMES for cls in type(data).__mro__)


def _schema(data: Any) -> pa.Schema | None:
    """The schema of a data set of `datasets`, which has the names of its classes."""
    return getattr(getattr(data, "features", None), "arrow_schema", None)


def _table(frame: Any) -> pa.Table:
    if isinstance(frame, pa.Table):
        return frame
    if isinstance(frame, pa.RecordBatch):
        return pa.Table.from_batches([frame])
    frame = frame.collect() if hasattr(frame, "collect") else frame
    if (schema := _schema(frame)) is not None:
        parts = frame.with_format("arrow").iter(batch_size=_CHUNK)
        return pa.concat_tables([schema.empty_table(), *(part.cast(schema) for part in parts)])
    return frame.to_arrow() if hasattr(frame, "to_arrow") else pa.Table.from_pandas(frame, preserve_index=False)


def _arrow(make: Any, name: str) -> pa.Table:
    try:
        return make()
    except (pa.ArrowException, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        message = f"cannot be read as a table ({reason}); give each column one type, or leave it out"
        raise DataError(message, file=name) from None


def _mappings(records: Iterator[Any], name: str, shape: Shape | None) -> Iterator[Mapping[str, Any]]:
    rows = ((i, row) for i, row in enumerate(records, start=1) if not (isinstance(row, str) and not row.strip()))
    for number, first in rows:
        roles = () if isinstance(first, Mapping) else _roles(first, shape)
        found = _SHAPES.get(roles)
        if not isinstance(first, Mapping) and (found is None or shape not in (None, found)):
            raise DataError(f"got {given.shown(first)}, expected {_EXPECTED[shape]}", file=name, line=number)
        for i, row in chain([(number, first)], rows):
            yield _mapping(row, roles, f"{name}:{i}")


def _roles(record: Any, shape: Shape | None) -> tuple[str, ...]:
    """What the parts of a record are; nothing where it is none."""
    if isinstance(record, str):
        return ("tokens",) if shape == "tagging" else ("text",)
    if isinstance(record, list):
        return ("tokens",)
    if not isinstance(record, tuple) or len(record) not in (2, 3):
        return ()
    if len(record) == 3:
        return ("first", "second", "label")
    if not isinstance(record[0], str):
        return ("tokens", "tags")
    return ("first", "second") if shape == "pair" else ("text", "label")


def _mapping(record: Any, roles: tuple[str, ...], place: str) -> Mapping[str, Any]:
    """One record's parts by their roles. DataError where it is not what the first record is."""
    if not roles and isinstance(record, Mapping):
        return record
    if isinstance(record, list) and len(record) == 2 and isinstance(record[0], str) and " " in record[0].strip():
        remedy = "a text with its label is a tuple, (text, label)"
        raise DataError(f"{place}: got {given.shown(record)}, expected a list of words; {remedy}")
    parts = record if isinstance(record, tuple) else (record,)
    if len(parts) != len(roles):
        expected = f"({', '.join(roles)})" if roles else "a mapping"
        raise DataError(f"{place}: got {given.shown(record)}, expected {expected}, as the first is")
    found = {role: _part(part, role, place) for role, part in zip(roles, parts, strict=True)}
    if "tags" in found and len(found["tags"]) != len(found["tokens"]):
        words, tags = counted(len(found["tokens"]), "word"), counted(len(found["tags"]), "tag")
        raise DataError(f"{place}: {words} and {tags}; give each word one tag")
    return found


def _part(part: Any, role: str, place: str) -> Any:
    if role == "tokens":
        return part.strip() if isinstance(part, str) else given.words(part, place, first=1)
    if role == "tags":
        tags = given.items(part, f"{place}, tags", "tags")
        return [_label(tag, f"{place}, tag {number}") for number, tag in enumerate(tags, start=1)]
    if role == "label":
        return None if given.is_missing(part) else _label(part, f"{place}, label")
    given.check_text(part, place if role == "text" else f"{place}, {role}")
    return part.rstrip("\r\n")


def _label(label: Any, place: str) -> str:
    if isinstance(label, Integral):  # True and False, too
        return str(label).lower()
    given.check_text(label, place)
    return str(label)
