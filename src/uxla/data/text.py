"""Raw text out of a stream, one sentence a line; of a file it is read in parts, by `tables`."""

from __future__ import annotations

from pathlib import Path

from uxla.data.files import BOM, decode, refuse_inner_cr, split_lines
from uxla.errors import DataError


def parse_text(raw: bytes, *, path: Path, encoding: str = "utf-8") -> list[list[str]]:
    """The words of each line that has any.

    Words are what lies between ASCII spaces and TABs, a run of them counting as one; every other character, NBSP and
    U+3000 among them, stays in its word. DataError for bytes that are not `encoding`, a CR within a
    line, or if no line has a word.
    """
    text = decode(raw, encoding, file=path).removeprefix(BOM)
    refuse_inner_cr(text, file=path)
    rows = ([word for word in _body(line).split(" ") if word] for line in split_lines(text))
    sentences = [words for words in rows if words]
    if not sentences:
        raise DataError("no line has a word; expected one sentence a line", file=path)
    return sentences


def _body(line: str) -> str:
    return line.rstrip("\r\n").replace("\t", " ")
