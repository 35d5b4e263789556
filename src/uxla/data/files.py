"""Bytes to lines: the only place that opens, decodes and cuts input files, so every format fails in the same words."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from pathlib import Path

from uxla.data.signatures import other_encoding, refuse_foreign
from uxla.errors import DataError, setting

BOM = "\ufeff"

_HALF_PAIR = re.compile("[\ud800-\udfff]")
_INNER_CR = re.compile("\r(?=[^\r\n])")


def read_bytes(path: Path) -> bytes:
    """The whole file. DataError if it is missing, not readable or empty."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"no such file; check the path (it is looked up from {Path.cwd()})", file=path) from None
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror}); expected a readable file", file=path) from None
    if not raw:
        raise DataError("the file is empty; expected at least one sentence", file=path)
    return raw


def refuse_pipe(path: Path) -> None:
    """DataError for what can be read only once, as `<(zcat FILE)` in a shell."""
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):  # a long name raises in Path
        raise DataError("is no regular file, and it is read more than once; save the data in one", file=path)


def decode(raw: bytes, encoding: str, *, file: Path) -> str:
    """`raw` as text, a byte order mark included as its first character. DataError names line and remedy."""
    codec = text_codec(encoding, file=file)
    refuse_foreign(raw, codec, file=file)
    if wrongly_marked(raw, codec):
        raise DataError(
            f"starts with the mark of UTF-8, read as {encoding}; set {setting('encoding', 'utf-8')}", file=file, line=1
        )
    try:
        text = raw.decode(codec)
    except UnicodeError as error:
        raise _undecodable(raw, codec, getattr(error, "start", 0), file) from None
    if has_half_pair(text, codec):
        line = _line_at(text, _HALF_PAIR)
        raise DataError("half a surrogate pair; write the file as utf-8", file=file, line=line)
    return text


def text_codec(encoding: str, *, file: Path) -> str:
    """The codec that `encoding` names; that of UTF-8 leaves the mark in. DataError for a name of none, or of no text's
    (`hex`)."""
    try:
        codec = codecs.lookup(encoding).name
        b" ".decode(codec)
    except UnicodeDecodeError:  # one byte is half a character of UTF-16
        return codec
    except (LookupError, ValueError) as error:
        known = "text encoding" in str(error)  # hex, zlib, ...: from bytes to bytes
        wrong = f"{encoding!r} is no text encoding" if known else f"unknown encoding {encoding!r}"
        raise DataError(f"{wrong}; expected e.g. utf-8 or latin-1", file=file) from None
    return "utf-8" if codec == "utf-8-sig" else codec


def wrongly_marked(raw: bytes, codec: str) -> bool:
    """Whether the bytes begin as UTF-8 does and `codec` is another."""
    return raw.startswith(codecs.BOM_UTF8) and codec != "utf-8"


def has_half_pair(text: str, codec: str) -> bool:
    """Whether `text` has a code point that no encoding writes again; only odd codecs (utf-7) read such a thing."""
    return codec != "utf-8" and _HALF_PAIR.search(text) is not None


def refuse_inner_cr(text: str, *, file: Path, first_line: int = 1) -> None:
    """DataError at the first CR that does not stand before LF: old Mac line ends, which would make one row of many."""
    if "\r" in text and _INNER_CR.search(text):
        message = "a CR within the line; expected lines to end in LF or CR LF, write such a file again with LF"
        raise DataError(message, file=file, line=first_line - 1 + _line_at(text, _INNER_CR))


def _line_at(text: str, found: re.Pattern[str]) -> int:
    """The line, from 1, of the first place `found` in `text`."""
    match = found.search(text)
    return text.count("\n", 0, match.start() if match else 0) + 1


def _undecodable(raw: bytes, codec: str, start: int, file: Path) -> DataError:
    other = setting("encoding", other_encoding(raw, codec))
    return DataError(
        f"byte 0x{raw[start : start + 1].hex()} is not {codec}; name the encoding of the file ({other}?)",
        file=file,
        line=raw.count(b"\n", 0, start) + 1,
    )


def encode(text: str, encoding: str, *, file: Path) -> bytes:
    """`text` as bytes. DataError if the encoding lacks one of its characters; nothing is replaced or dropped."""
    codec = codecs.lookup(encoding).name
    try:
        return text.encode("utf-8" if codec == "utf-8-sig" else codec)
    except UnicodeError as error:
        start = getattr(error, "start", None)
        if start is None:  # idna, which is for names of one line
            raise DataError(f"{codec} cannot write this text; use encoding: utf-8", file=file) from None
        character = f"{text[start]!r} (U+{ord(text[start]):04X})"
        line = text.count("\n", 0, start) + 1
        raise DataError(f"{codec} has no {character}; use encoding: utf-8", file=file, line=line) from None


def split_lines(text: str) -> Iterator[str]:
    """The lines of `text` with their ends, which `"".join` gives back. Only \\n ends a line: `str.splitlines` would
    also cut at U+0085 and U+2028, which are characters of words."""
    start = 0
    while (end := text.find("\n", start) + 1) > 0:
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]
