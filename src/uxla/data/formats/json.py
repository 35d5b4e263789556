"""JSON lines, one object a line, and a JSON array of objects: the objects, and the characters they stand in."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from uxla.data.batch import Batch
from uxla.data.columns import Place
from uxla.data.files import BOM, decode, read_bytes, split_lines, text_blocks, text_lines
from uxla.data.formats.json_cells import FLAT, json_column
from uxla.errors import DataError, setting

Object = dict[str, Any]
Numbered = tuple[int, Object | None]
"""The line of an object, from 1, and the object; None for a blank line."""

_ROWS = 1 << 14
_BLANK = " \t\r\n"
_BLANKS = re.compile(f"[{_BLANK}]*")


@dataclass(slots=True)
class Record:
    """One object of a file: its value, its characters, and its line and number, both from 1.

    All `before + raw + after` together are the file: `before` is empty except in the first record, and `after` goes up
    to the first character of the next object.
    """

    value: Object
    raw: str
    line: int
    number: int
    before: str = ""
    after: str = ""


def read(
    groups: Iterator[Sequence[Numbered]], path: Path, place: Place, *, whole: bool, empty: bool
) -> Iterator[Batch]:
    """One row an object, which is its record; the objects come in groups, of which each becomes a batch.

    Every object needs the keys of the first; a text may be null if it may be `empty`.
    """
    roles: dict[str, str] | None = None
    for some in groups:
        rows = [(number, row) for number, row in some if row is not None]
        if roles is None and rows:
            number, row = rows[0]
            try:
                roles = {role: list(row)[at] for role, at in place(list(row), number).items()}
            except DataError:
                _refuse_nested([row for _, row in rows], path, number)
                raise
        columns = {role: json_column(rows, role, key, path, empty=empty) for role, key in (roles or {}).items()}
        batch = Batch(columns, np.array([number for number, _ in rows], dtype=np.int64), path)
        if whole:
            blanks = [number for number, row in some if row is None]
            batch = batch.with_columns(columns, [row for _, row in rows]).with_blanks(blanks)
        yield batch


def objects_in(path: Path, encoding: str) -> Iterator[list[Numbered]]:
    """The line and the object of each line, None where it has nothing in it; of an array, those of each object. They
    come in groups: of a file that grows, what is there."""
    if is_array(path, encoding):
        yield from in_groups(_numbered(record.line, record.value) for record in records_in(path, encoding))
        return
    number = 0
    for block in text_blocks(path, encoding):
        lines = list(enumerate(split_lines(block), start=number + 1))
        number += len(lines)
        filled = ((at, _parsed_line(line, path, at) if line.strip(_BLANK) else {}) for at, line in lines)
        yield from in_groups(_numbered(at, row) for at, row in filled)


def in_groups(objects: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    """The objects in groups of some thousand."""
    rest = iter(objects)
    while some := list(islice(rest, _ROWS)):
        yield some


def _numbered(number: int, row: Object) -> Numbered:
    return number, None if _is_empty(row) else row


def records_in(path: Path, encoding: str) -> Iterator[Record]:
    """The objects of the file in order; those of JSON lines in bounded memory.

    DataError, with the line, for what is no JSON or no object, and for an object that has a key twice.
    """
    return _records_of_array(path, encoding) if is_array(path, encoding) else _records_of_lines(path, encoding)


def is_array(path: Path, encoding: str) -> bool:
    """Whether the first character of a text file is a bracket, as that of an array is."""
    return next((line.lstrip(_BLANK)[0] for line in text_lines(path, encoding) if line.strip(_BLANK)), "") == "["


def is_whole(value: object) -> bool:
    """Whether a value is a whole number, and neither true nor false."""
    return isinstance(value, int) and not isinstance(value, bool)


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


def _is_empty(row: Mapping[str, Any]) -> bool:
    """Whether an object has nothing in it: no key, or only null, empty texts, lists and objects."""
    return all(value is None or value in ("", [], {}) for value in row.values())


def _refuse_nested(rows: Sequence[Object], path: Path, line: int) -> None:
    """DataError where the only object has all rows in it, in a list under a key."""
    entries = rows[0].items() if len(rows) == 1 else ()
    lists = [key for key, cell in entries if isinstance(cell, list) and cell and isinstance(cell[0], dict | list)]
    if lists:
        _fail(f"one JSON object with all rows within {lists[0]!r}; write the list alone, or {FLAT}", path, line)


def _without_repeats(pairs: list[tuple[str, Any]]) -> Object:
    """The object of these pairs. ValueError for a key that comes twice, of which only one value would stay."""
    value = dict(pairs)
    if len(value) < len(pairs):
        [(key, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {key!r} twice")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats)


def _parsed_line(line: str, path: Path, number: int) -> Object:
    """The object in `line`. DataError if there is none."""
    try:
        value = json.loads(line, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        reason = str(error).partition(": ")[0] if isinstance(error, json.JSONDecodeError) else str(error)
        goes_on = line.lstrip().startswith("{") and line.rstrip().endswith((",", "[", "{"))
        remedy = " without a line break in it (jq -c . FILE)" if goes_on else ""
        _fail(f"not JSON ({reason}); expected one JSON object a line{remedy}", path, number)
    if not isinstance(value, dict):
        _fail(f"a JSON {type(value).__name__}, expected one JSON object a line", path, number)
    return value


def _records_of_lines(path: Path, encoding: str) -> Iterator[Record]:
    last: Record | None = None
    blank, number = "", 0
    for line, text in enumerate(text_lines(path, encoding), start=1):
        raw = text.strip(_BLANK)
        if not raw:
            blank += text
            continue
        start = text.index(raw)
        between = blank + text[:start]
        if last is not None:
            last.after += between
            yield last
        number += 1
        before = between if last is None else ""
        last = Record(_parsed_line(raw, path, line), raw, line, number, before, text[start + len(raw) :])
        blank = ""
    if last is not None:
        last.after += blank
        yield last


def _records_of_array(path: Path, encoding: str) -> Iterator[Record]:
    text = decode(read_bytes(path), encoding, file=path).removeprefix(BOM)
    at = _after_blanks(text, text.index("[") + 1)
    before, line, counted, number = text[:at], 1, 0, 0
    while text[at : at + 1] != "]":
        line, counted, number = line + text.count("\n", counted, at), at, number + 1
        value, end = _parsed_entry(text, at, path, line, number)
        following = _after_blanks(text, end)
        sign = text[following : following + 1]
        start = _after_blanks(text, following + 1) if sign == "," else following
        if sign not in (",", "]") or (sign == "," and text[start : start + 1] != "{"):
            _fail(f"not JSON (no object after number {number}); expected an array of objects", path, line)
        yield Record(value, text[at:end], line, number, before, text[end : start if sign == "," else None])
        before, at = "", start
    if text[at + 1 :].strip(_BLANK):
        raise DataError("not JSON (there is something after the array); expected one array", file=path)


def _parsed_entry(text: str, at: int, path: Path, line: int, number: int) -> tuple[Object, int]:
    try:
        value, end = _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        _fail(f"not JSON ({error.msg}); expected an array of objects", path, error.lineno)
    except (ValueError, RecursionError) as error:
        _fail(f"object {number}: not JSON ({error}); expected an array", path, line)
    if not isinstance(value, dict):
        _fail(f"entry {number} is a JSON {type(value).__name__}, expected an object", path, line)
    return value, end


def _after_blanks(text: str, at: int) -> int:
    """The place of the next character that is no blank."""
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _fail(message: str, path: Path, line: int) -> NoReturn:
    raise DataError(message, file=path, line=line) from None
