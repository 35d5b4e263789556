"""The objects of a JSON file, one a line or all in one array, each with its own characters and its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uxla.data.files import BOM, decode, read_bytes
from uxla.data.json_cells import parse_object, without_repeats
from uxla.data.lines import text_lines
from uxla.errors import DataError

_BLANK = " \t\r\n"
_BLANKS = re.compile(f"[{_BLANK}]*")
_DECODER = json.JSONDecoder(object_pairs_hook=without_repeats)


@dataclass(slots=True)
class Record:
    """One object: its value, its characters, and its line and number, both from 1.

    All `before + raw + after` together are the file: `before` is empty but for the first, and `after` goes up to the
    next one's first character.
    """

    value: dict[str, Any]
    raw: str
    line: int
    number: int
    before: str = ""
    after: str = ""


def is_array(path: Path, encoding: str) -> bool:
    """Whether the first character of a text file is a bracket, as that of an array is."""
    return next((line.lstrip(_BLANK)[0] for line in text_lines(path, encoding) if line.strip(_BLANK)), "") == "["


def json_records(path: Path, encoding: str) -> Iterator[Record]:
    """The objects of the file in order; of JSON lines in bounded memory.

    DataError, with the line, for what is no JSON or no object, and for an object that has a key twice.
    """
    return _of_array(path, encoding) if is_array(path, encoding) else _of_lines(path, encoding)


def _of_lines(path: Path, encoding: str) -> Iterator[Record]:
    held: Record | None = None
    blank, number = "", 0
    for line, text in enumerate(text_lines(path, encoding), start=1):
        raw = text.strip(_BLANK)
        if not raw:
            blank += text
            continue
        start = text.index(raw)
        between = blank + text[:start]
        if held is not None:
            held.after += between
            yield held
        number += 1
        before = between if held is None else ""
        held = Record(parse_object(raw, path, line), raw, line, number, before, text[start + len(raw) :])
        blank = ""
    if held is not None:
        held.after += blank
        yield held


def _of_array(path: Path, encoding: str) -> Iterator[Record]:
    text = decode(read_bytes(path), encoding, file=path).removeprefix(BOM)
    at = _next(text, text.index("[") + 1)
    before, line, counted, number = text[:at], 1, 0, 0
    while text[at : at + 1] != "]":
        line, counted, number = line + text.count("\n", counted, at), at, number + 1
        value, end = _parsed(text, at, path, line, number)
        following = _next(text, end)
        sign = text[following : following + 1]
        start = _next(text, following + 1) if sign == "," else following
        if sign not in (",", "]") or (sign == "," and text[start : start + 1] != "{"):
            message = f"not JSON (no further object behind number {number}); expected an array of objects"
            raise DataError(message, file=path, line=line)
        yield Record(value, text[at:end], line, number, before, text[end : start if sign == "," else None])
        before, at = "", start
    if text[at + 1 :].strip(_BLANK):
        raise DataError("not JSON (something stands behind the array); expected one array", file=path)


def _parsed(text: str, at: int, path: Path, line: int, number: int) -> tuple[dict[str, Any], int]:
    try:
        value, end = _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        message = f"not JSON ({error.msg}); expected an array of objects"
        raise DataError(message, file=path, line=error.lineno) from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"object {number}: not JSON ({error}); expected an array", file=path, line=line) from None
    if not isinstance(value, dict):
        message = f"entry {number} is a JSON {type(value).__name__}, expected an object"
        raise DataError(message, file=path, line=line)
    return value, end


def _next(text: str, at: int) -> int:
    """The place of the next character that is no blank."""
    found = _BLANKS.match(text, at)
    return found.end() if found else at
