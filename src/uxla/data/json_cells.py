"""JSON objects to Arrow: of their values only what can be text, a label, words or tags."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa

from uxla.data.columns import ROLES, TEXT_ROLES
from uxla.data.values import LISTS, TEXT, TEXTS
from uxla.errors import DataError, setting

_FLAT = "write one flat object a line (pandas: to_json(orient='records', lines=True))"


def parse_object(line: str, path: Path, number: int) -> dict[str, Any]:
    """The object in `line`. DataError if there is none, or one with a key twice, of which only one value would stay."""
    try:
        value = json.loads(line, object_pairs_hook=without_repeats)
    except (ValueError, RecursionError) as error:
        reason = str(error).partition(": ")[0] if isinstance(error, json.JSONDecodeError) else str(error)
        goes_on = line.lstrip().startswith("{") and line.rstrip().endswith((",", "[", "{"))
        remedy = " without a line break in it (jq -c . FILE)" if goes_on else ""
        _fail(f"not JSON ({reason}); expected one JSON object a line{remedy}", path, number)
    if not isinstance(value, dict):
        _fail(f"a JSON {type(value).__name__}, expected one JSON object a line", path, number)
    return value


def refuse_nested(rows: Sequence[dict[str, Any]], path: Path, number: int) -> None:
    """DataError where the only object has all rows in it, in a list under a key."""
    entries = rows[0].items() if len(rows) == 1 else ()
    lists = [key for key, cell in entries if isinstance(cell, list) and cell and isinstance(cell[0], dict | list)]
    if lists:
        _fail(f"one JSON object with all rows within {lists[0]!r}; write the list alone, or {_FLAT}", path, number)


def refuse_objects(lines: Iterable[str], path: Path) -> None:
    """DataError if all of the `lines`, those of words or sentences, are JSON objects, or an array begins with them."""
    filled = [line.strip() for line in lines if line.strip()]
    array = re.match(r'\[\s*\{\s*("|$)', "".join(filled[:2]))
    if array or (filled and all(map(_is_object, filled))):
        what = "a JSON array" if array else "every line is a JSON object"
        raise DataError(f"{what}, not text; set {setting('format', 'jsonl')}", file=path, line=1)


def _is_object(line: str) -> bool:
    if not (line.startswith("{") and line.endswith("}")):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def is_empty(row: Mapping[str, Any]) -> bool:
    """Whether an object has nothing in it: no key, or only null, empty texts, lists and objects."""
    return all(value is None or value in ("", [], {}) for value in row.values())


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs. ValueError for a key that comes twice."""
    value = dict(pairs)
    if len(value) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice!r} twice")
    return value


def json_column(rows: Sequence[tuple[int, dict[str, Any]]], role: str, key: str, path: Path) -> pa.Array:
    """The values of `key` in the objects, each with its line, as (n,) texts or, for words and tags, lists of texts."""
    cells: list[str | list[str] | None] = []
    for number, row in rows:
        if (role == "label" and key in row and _is_nothing(row[key])) or (role not in ROLES and row.get(key) is None):
            cells.append(None)
            continue
        if row.get(key) is None:
            _fail(f"no value for {key!r}; every object needs the same keys", path, number)
        cells.append(_cell(row[key], role, path, number))
    if role in LISTS and not all(isinstance(cell, str) for cell in cells):
        cells = [split_text(cell) if isinstance(cell, str) else cell for cell in cells]
    try:
        return pa.array(cells, TEXTS if cells and isinstance(cells[0], list) else TEXT)
    except UnicodeEncodeError:
        lone = next(number for number, row in rows if not _encodes(row[key]))
        _fail(f"{key!r} has half a surrogate pair (\\ud800 to \\udfff); write the character itself", path, lone)


def _cell(value: Any, role: str, path: Path, number: int) -> str | list[str]:
    """A text; a label also from a number or boolean; words and tags from a list of such, or from one text."""
    if isinstance(value, list) and role in LISTS:
        return [_scalar(entry, role, path, number) for entry in value]
    return _scalar(value, role, path, number)


def split_text(text: str) -> list[str]:
    """The words between ASCII spaces, TABs and line ends."""
    for space in "\t\r\n":
        text = text.replace(space, " ")
    return [word for word in text.split(" ") if word]


def _scalar(value: Any, role: str, path: Path, number: int) -> str:
    if isinstance(value, str):
        return value
    if role not in TEXT_ROLES and isinstance(value, int):
        return str(value).lower()  # true and false as Arrow writes them
    if role not in TEXT_ROLES and isinstance(value, float) and value.is_integer():
        return str(int(value))  # as pandas writes whole numbers beside a missing one
    if role not in ROLES and isinstance(value, float):
        return str(value)  # of a column by which rows are chosen
    flat = f", or {_FLAT}" if isinstance(value, dict) else ""
    _fail(f"{role} has a JSON {type(value).__name__}, expected text; set {setting('columns')}{flat}", path, number)


def _is_nothing(value: Any) -> bool:
    return value is None or value != value  # NaN, which Python reads though it is no JSON


def _encodes(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _fail(message: str, path: Path, line: int) -> NoReturn:
    raise DataError(message, file=path, line=line)
