"""Values of JSON objects as Arrow: only what can be text, a label, words or tags."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa

from uxla.data.batch import LISTS, TEXT, TEXTS
from uxla.data.columns import ROLES, TEXT_ROLES
from uxla.errors import DataError, setting
from uxla.raw_text import AT_SPACES

FLAT = "write one flat object a line (pandas: to_json(orient='records', lines=True))"
"""The remedy for objects within objects."""


def json_column(
    rows: Sequence[tuple[int, Mapping[str, Any]]], role: str, key: str, path: Path, *, empty: bool
) -> pa.Array:
    """The values of `key` in the objects, each with its line, as (n,) texts or, for words and tags, lists of texts.

    Null stays null where it is no label, and where texts may be `empty`; else it is a DataError, with the line.
    """
    cells: list[str | list[str] | None] = []
    for number, row in rows:
        value = row.get(key)
        nothing = value is None or value != value  # NaN, which Python reads although it is no JSON
        may_miss = role not in ROLES or (empty and key in row)
        if (role == "label" and key in row and nothing) or (may_miss and value is None):
            cells.append(None)
            continue
        if value is None:
            remedy = "fill it, or leave the row out" if key in row else "every object needs the same keys"
            _fail(f"no value for {key!r}; {remedy}", path, number)
        listed = isinstance(value, list) and role in LISTS
        texts = [_text(each, role, key, path, number) for each in (value if listed else [value])]
        cells.append(texts if listed else texts[0])
    lists = any(isinstance(cell, list) for cell in cells)
    if lists:
        cells = [AT_SPACES.findall(cell) if isinstance(cell, str) else cell for cell in cells]
    try:
        return pa.array(cells, TEXTS if lists else TEXT)
    except UnicodeEncodeError:
        lone = next(number for number, row in rows if not _encodes(row[key]))
        _fail(f"{key!r} has half a surrogate pair (\\ud800 to \\udfff); write the character itself", path, lone)


def _text(value: Any, role: str, key: str, path: Path, number: int) -> str:
    """A text as it is; of a label, a tag and a column by which rows are chosen also a number or a boolean."""
    if isinstance(value, str):
        return value
    if role not in TEXT_ROLES and isinstance(value, int):
        return str(value).lower()  # true and false as Arrow writes them
    if role not in TEXT_ROLES and isinstance(value, float) and value.is_integer():
        return str(int(value))  # as pandas writes whole numbers beside a missing one
    if role not in ROLES and isinstance(value, float):
        return str(value)
    flat = f", or {FLAT}" if isinstance(value, dict) else ""
    _fail(f"{key!r} has a JSON {type(value).__name__}, expected text; set {setting('columns')}{flat}", path, number)


def _encodes(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _fail(message: str, path: Path, line: int) -> NoReturn:
    raise DataError(message, file=path, line=line)
