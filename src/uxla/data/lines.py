"""A text file in blocks of whole lines: bounded memory however long the file, errors with the line all the same."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uxla.data.files import BOM, decode, read_bytes, split_lines
from uxla.errors import DataError
from uxla.records import Ints

_BLOCK_BYTES = 1 << 22


def text_blocks(path: Path, encoding: str) -> Iterator[str]:
    """The text of the file in pieces that end where a line ends, without the byte order mark.

    DataError as from `files.decode`, and for a file that is missing or empty.
    """
    try:
        yield from _blocks(path, encoding)
    except (OSError, LookupError, UnicodeError) as error:
        decode(read_bytes(path), encoding, file=path)  # the same fault again, with its line
        raise DataError(f"cannot be read ({error}); name the byte order (encoding: utf-16-le?)", file=path) from None


def text_lines(path: Path, encoding: str) -> Iterator[str]:
    """The lines of the file with their ends; only \\n ends a line."""
    return chain.from_iterable(split_lines(block) for block in text_blocks(path, encoding))


def arrow_lines(path: Path, encoding: str) -> Iterator[tuple[pa.LargeStringArray, Ints]]:
    """The lines that are not empty, without \\n or \\r\\n, and the number of each in the file, from 1; in batches."""
    first = 1
    for block in text_blocks(path, encoding):
        try:
            whole = pa.array([block.removesuffix("\n")], pa.large_string())
        except UnicodeEncodeError:
            raise DataError("half a surrogate pair; write the file as utf-8", file=path, line=first) from None
        lines = pc.split_pattern(whole, "\n").flatten()
        if "\r" in block:
            lines = pc.replace_substring_regex(lines, r"\r\z", "")
        numbers = np.arange(first, first + len(lines), dtype=np.int64)
        first += len(lines)
        filled = pc.not_equal(lines, "")
        yield lines.filter(filled), numbers[filled.to_numpy(zero_copy_only=False)]


def _blocks(path: Path, encoding: str) -> Iterator[str]:
    with path.open("rb") as file:
        head = file.peek(len(codecs.BOM_UTF8))
        if not head or (head.startswith(codecs.BOM_UTF8) and not codecs.lookup(encoding).name.startswith("utf")):
            raise UnicodeError("empty, or marked as UTF-8: `decode` knows the words")
        decoder = codecs.getincrementaldecoder(encoding)()
        rest = decoder.decode(file.read(_BLOCK_BYTES)).removeprefix(BOM)
        while chunk := file.read(_BLOCK_BYTES):
            rest += decoder.decode(chunk)
            end = rest.rfind("\n") + 1
            if end:
                yield rest[:end]
                rest = rest[end:]
        rest += decoder.decode(b"", final=True)
        if rest:
            yield rest
