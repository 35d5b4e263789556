"""Bytes to lines: the only place that opens, decodes and cuts input files, so that every format fails alike."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uxla.data.growing import grows, opened
from uxla.data.signatures import HEAD, is_foreign, other_encoding, refuse_foreign
from uxla.errors import DataError, EmptyError, setting
from uxla.records import Ints

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
        raise EmptyError("the file is empty; expected at least one sentence", file=path)
    return raw


def refuse_pipe(path: Path) -> None:
    """DataError for something that can be read only once, such as `<(zcat FILE)` in a shell."""
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):  # a long name raises in Path
        raise DataError(
            "is not a regular file, and it has to be read more than once; save the data in a file", file=path
        )


def decode(raw: bytes, encoding: str, *, file: Path) -> str:
    """`raw` as text, with a byte order mark as its first character if it has one. DataError with line and remedy."""
    codec = text_codec(encoding)
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


def text_codec(encoding: str) -> str:
    """The name of the codec for `encoding`; for UTF-8 the one that keeps a byte order mark."""
    codec = codecs.lookup(encoding).name
    return "utf-8" if codec == "utf-8-sig" else codec


def wrongly_marked(raw: bytes, codec: str) -> bool:
    """Whether the bytes begin with the mark of UTF-8, but `codec` is another."""
    return raw.startswith(codecs.BOM_UTF8) and codec != "utf-8"


def has_half_pair(text: str, codec: str) -> bool:
    """Whether `text` has half a surrogate pair, which cannot be encoded. Only rare codecs (utf-7) yield such text."""
    return codec != "utf-8" and _HALF_PAIR.search(text) is not None


def refuse_inner_cr(text: str, *, file: Path, first_line: int = 1) -> None:
    """DataError at the first CR that is not before a LF: with old Mac line ends, many rows would become one."""
    if "\r" in text and _INNER_CR.search(text):
        message = "a CR within the line; expected lines to end in LF or CR LF, write such a file again with LF"
        raise DataError(message, file=file, line=first_line - 1 + _line_at(text, _INNER_CR))


def _line_at(text: str, found: re.Pattern[str]) -> int:
    """The line, from 1, of the first match of `found` in `text`."""
    match = found.search(text)
    return text.count("\n", 0, match.start() if match else 0) + 1


def _undecodable(raw: bytes, codec: str, start: int, file: Path) -> DataError:
    other = setting("encoding", other_encoding(raw, codec))
    return DataError(
        f"byte 0x{raw[start : start + 1].hex()} is not {codec}; name the encoding of the file ({other}?)",
        file=file,
        line=raw.count(b"\n", 0, start) + 1,
    )


def marks(path: Path, encoding: str) -> int:
    """With how many byte order marks the text of a file begins that its codec does not take away."""
    decoder = codecs.getincrementaldecoder(text_codec(encoding))("replace")
    with path.open("rb") as file:
        head = decoder.decode(file.read(HEAD))
    return len(head) - len(head.lstrip(BOM))


def first_lines(path: Path, encoding: str, most: int) -> list[str]:
    """The first lines of a file with their ends; of one that grows those that are there."""
    lines = text_lines(path, encoding)
    if grows(path):
        raw = path.read_bytes()
        lines = split_lines(decode(raw[: raw.rfind(b"\n") + 1] or raw, encoding, file=path).removeprefix(BOM))
    return list(islice(lines, most))


def encode(text: str, encoding: str, *, file: Path) -> bytes:
    """`text` as bytes. DataError if the encoding lacks one of its characters; none is replaced or dropped."""
    return Encoder(encoding, file)(text, final=True)


class Encoder:
    """`encode` for a text that comes in parts: what a codec puts at the beginning of a text stands there alone."""

    def __init__(self, encoding: str, file: Path) -> None:
        self._codec, self._file, self._lines = text_codec(encoding), file, 0
        self._encoder = codecs.getincrementalencoder(self._codec)()

    def __call__(self, text: str, *, final: bool = False) -> bytes:
        """The next part as bytes; DataError as from `encode`."""
        try:
            raw = self._encoder.encode(text, final)
        except UnicodeEncodeError as error:
            raise self._fault(text, error.start) from None
        self._lines += text.count("\n")
        return raw

    def _fault(self, text: str, start: int) -> DataError:
        character = f"{text[start]!r} (U+{ord(text[start]):04X})"
        line = self._lines + text.count("\n", 0, start) + 1
        return DataError(f"{self._codec} has no {character}; use encoding: utf-8", file=self._file, line=line)


def split_lines(text: str) -> Iterator[str]:
    """The lines of `text` with their ends, which `"".join` gives back. Only \\n ends a line: `str.splitlines` would
    also cut at U+0085 and U+2028, which are characters of words."""
    start = 0
    while (end := text.find("\n", start) + 1) > 0:
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


_BLOCK_BYTES = 1 << 22


def text_blocks(path: Path, encoding: str) -> Iterator[str]:
    """The text of the file in blocks of whole lines, without the byte order mark.

    DataError as from `files.decode`, and for a file that is missing or empty.
    """
    codec = text_codec(encoding)
    try:
        yield from _blocks(path, codec)
    except (OSError, UnicodeError) as error:
        decode(read_bytes(path), encoding, file=path)  # the same fault again, with its line
        order = setting("encoding", "utf-16-le")
        raise DataError(f"cannot be read ({error}); name the byte order ({order}?)", file=path) from None


def text_lines(path: Path, encoding: str) -> Iterator[str]:
    """The lines of the file with their ends; only \\n ends a line."""
    return chain.from_iterable(split_lines(block) for block in text_blocks(path, encoding))


def arrow_lines(path: Path, encoding: str) -> Iterator[tuple[pa.LargeStringArray, Ints, Ints]]:
    """The lines that are not empty, without \\n or \\r\\n, the number of each in the file, from 1, and the numbers of
    the empty ones; in batches. DataError for a CR within a line."""
    first = 1
    for block in text_blocks(path, encoding):
        refuse_inner_cr(block, file=path, first_line=first)
        whole = pa.array([block.removesuffix("\n")], pa.large_string())
        lines = pc.split_pattern(whole, "\n").flatten()
        if "\r" in block:
            lines = pc.utf8_rtrim(lines, "\r")
        numbers = np.arange(first, first + len(lines), dtype=np.int64)
        first += len(lines)
        filled = pc.not_equal(lines, "")
        mask = filled.to_numpy(zero_copy_only=False)
        yield lines.filter(filled), numbers[mask], numbers[~mask]


def _blocks(path: Path, codec: str) -> Iterator[str]:
    with opened(path) as read:
        chunk = read(_BLOCK_BYTES)
        if not chunk or wrongly_marked(chunk[:HEAD], codec) or is_foreign(chunk[:HEAD], codec):
            raise UnicodeError("empty, no text, or marked as UTF-8: `decode` knows the words")
        decoder = codecs.getincrementaldecoder(codec)()
        rest = decoder.decode(chunk).removeprefix(BOM)
        while chunk:
            end = rest.rfind("\n") + 1
            if end:
                yield _whole(rest[:end], codec)
                rest = rest[end:]
            chunk = read(_BLOCK_BYTES)
            rest += decoder.decode(chunk, final=not chunk)
        if rest:
            yield _whole(rest, codec)


def _whole(text: str, codec: str) -> str:
    if has_half_pair(text, codec):
        raise UnicodeError("half a surrogate pair: `decode` knows the words")
    return text
