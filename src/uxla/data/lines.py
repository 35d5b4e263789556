"""A text file in blocks of whole lines: bounded memory however long the file, errors with the line all the same."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uxla.data.files import (
    BOM,
    decode,
    has_half_pair,
    read_bytes,
    refuse_inner_cr,
    split_lines,
    text_codec,
    wrongly_marked,
)
from uxla.data.signatures import HEAD, is_foreign
from uxla.errors import DataError, setting
from uxla.records import Ints

_BLOCK_BYTES = 1 << 22


def text_blocks(path: Path, encoding: str) -> Iterator[str]:
    """The text of the file in pieces that end where a line ends, without the byte order mark.

    DataError as from `files.decode`, and for a file that is missing or empty.
    """
    codec = text_codec(encoding, file=path)
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
        kept = filled.to_numpy(zero_copy_only=False)
        yield lines.filter(filled), numbers[kept], numbers[~kept]


def _blocks(path: Path, codec: str) -> Iterator[str]:
    with path.open("rb") as file:
        head = file.peek(HEAD)
        if not head or wrongly_marked(head, codec) or is_foreign(head, codec):
            raise UnicodeError("empty, no text, or marked as UTF-8: `decode` knows the words")
        decoder = codecs.getincrementaldecoder(codec)()
        rest = decoder.decode(file.read(_BLOCK_BYTES)).removeprefix(BOM)
        while chunk := file.read(_BLOCK_BYTES):
            rest += decoder.decode(chunk)
            end = rest.rfind("\n") + 1
            if end:
                yield _whole(rest[:end], codec)
                rest = rest[end:]
        rest += decoder.decode(b"", final=True)
        if rest:
            yield _whole(rest, codec)


def _whole(text: str, codec: str) -> str:
    if has_half_pair(text, codec):
        raise UnicodeError("half a surrogate pair: `decode` knows the words")
    return text
