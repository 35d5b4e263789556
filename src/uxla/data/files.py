"""Bytes to lines: the only place that opens, decodes and cuts input files, so every format fails in the same words."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from uxla.errors import DataError

BOM = "\ufeff"


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


def write_bytes(path: Path, raw: bytes) -> None:
    """Write all of `raw` or nothing: under a temporary name beside `path`, then renamed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(raw)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        message = f"cannot be written ({error.strerror}); name a place in a folder that exists"
        raise DataError(message, file=path) from None


def decode(raw: bytes, encoding: str, *, file: Path) -> str:
    """`raw` as text, a byte order mark included as its first character. DataError names line and remedy."""
    try:
        codec = codecs.lookup(encoding).name
    except LookupError:
        raise DataError(f"unknown encoding {encoding!r}; expected e.g. utf-8 or latin-1", file=file) from None
    if raw.startswith(codecs.BOM_UTF8) and not codec.startswith("utf"):
        raise DataError(f"starts with the mark of UTF-8, read as {encoding}; set encoding: utf-8", file=file, line=1)
    try:
        return raw.decode("utf-8" if codec == "utf-8-sig" else codec)
    except LookupError:
        raise DataError(f"{encoding!r} is no text encoding; expected e.g. utf-8 or latin-1", file=file) from None
    except UnicodeError as error:
        raise _undecodable(raw, codec, getattr(error, "start", 0), file) from None


def _undecodable(raw: bytes, codec: str, start: int, file: Path) -> DataError:
    other = "latin-1" if codec.startswith("utf-8") else "utf-8"
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        other = "utf-16"
    return DataError(
        f"byte 0x{raw[start : start + 1].hex()} is not {codec}; name the encoding of the file (encoding: {other}?)",
        file=file,
        line=raw.count(b"\n", 0, start) + 1,
    )


def encode(text: str, encoding: str, *, file: Path) -> bytes:
    """`text` as bytes. DataError if the encoding lacks one of its characters; nothing is replaced or dropped."""
    codec = codecs.lookup(encoding).name
    try:
        return text.encode("utf-8" if codec == "utf-8-sig" else codec)
    except UnicodeEncodeError as error:
        character = f"{text[error.start]!r} (U+{ord(text[error.start]):04X})"
        line = text.count("\n", 0, error.start) + 1
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
