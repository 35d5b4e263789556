"""The dialect of a CSV or TSV file: the character between two cells, and the one that quotes a cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from uxla.data.files import read_bytes, text_lines
from uxla.errors import DataError, setting

TAB, QUOTE = "\t", '"'
OTHERS = (";", TAB, "|")
"""The delimiters that are tried if a CSV file has no commas."""
REPEATED = "the header once more, as if files had been joined; delete this line"
_SEP = re.compile("sep=.?", re.IGNORECASE)
_CHUNK = 1 << 22
_LONGEST = 1 << 20  # characters: no cell of a TSV file that is looked at is longer


@dataclass(frozen=True)
class Dialect:
    """The character between two cells, and the one around a cell that contains such characters, if there is one."""

    delimiter: str
    quote: str | None


def refuse_sep(first: Sequence[str], path: Path, line: int) -> None:
    """DataError if the first row is the line that tells Excel the delimiter (`sep=;`)."""
    if _SEP.fullmatch(first[0]) and not any(first[1:]):
        raise DataError("this line (sep=) is only for Excel; delete it", file=path, line=line)


def refuse_other_delimiter(names: str, path: Path, line: int | None) -> None:
    """DataError if the name of the only column contains a delimiter."""
    for other in (*OTHERS, ","):
        if other in names and (other != "," or " " not in names):
            named = {TAB: "TABs", ";": "semicolons", ",": "commas"}.get(other, repr(other))
            remedy = f"set {setting('delimiter', 'tab' if other == TAB else other)}"
            raise DataError(f"the only column has {named} in it; {remedy}", file=path, line=line) from None


def is_quoted_tsv(path: Path, encoding: str) -> bool:
    """Whether a CSV writer wrote the file with TABs: each cell that has a quote begins and ends with one and has those
    inside twice, and there is one that shows it, or all names are quoted. Of a file without quotes only bytes are
    looked at."""
    return _has_quote(path) and _all_well_quoted(text_lines(path, encoding))


def _has_quote(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return any(QUOTE.encode() in chunk for chunk in iter(lambda: file.read(_CHUNK), b""))
    except OSError:
        read_bytes(path)  # the same fault, in words
        raise


def _all_well_quoted(lines: Iterable[str]) -> bool:
    width, shown = 0, False
    parts: list[str] = []
    quotes = size = 0
    for line in lines:
        if not parts and QUOTE not in line:
            filled = line.strip("\r\n")
            width = width or (len(filled.split(TAB)) if filled else 0)
            continue
        parts.append(line)
        quotes, size = quotes + line.count(QUOTE), size + len(line)
        if quotes % 2:  # a cell goes on
            if size > _LONGEST:
                return False
            continue
        held = "".join(parts)
        cells = _cells(held.rstrip("\r\n"))
        if cells is None or len(cells) != (width or len(cells)) or _are_rows(held, len(cells)):
            return False
        shown = shown or any(map(_shows, cells)) or (not width and all(map(_is_quoted, cells)))
        width, quotes, size = len(cells), 0, 0
        parts.clear()
    return shown and not parts


def _are_rows(record: str, width: int) -> bool:
    """Whether the lines of a record are rows by themselves, joined only by two stray quotes."""
    lines = record.rstrip("\r\n").split("\n")
    return len(lines) > 1 and all(len(line.split(TAB)) == width for line in lines if line.strip("\r"))


def _cells(record: str) -> list[str] | None:
    """The cells as they are written, with their quotes; None if a CSV writer would not have quoted them so."""
    cells: list[str] = []
    for part in record.split(TAB):
        if cells and cells[-1].count(QUOTE) % 2:
            cells[-1] += TAB + part
        else:
            cells.append(part)
    sound = (
        QUOTE not in cell or (_is_quoted(cell) and QUOTE not in cell[1:-1].replace(2 * QUOTE, "")) for cell in cells
    )
    return cells if all(sound) else None


def _is_quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == QUOTE


def _shows(cell: str) -> bool:
    """Whether only a CSV writer would write such a cell."""
    return _is_quoted(cell) and any(part in cell[1:-1] for part in (2 * QUOTE, TAB, "\n", "\r"))
