"""Files that get what comes from a stream while they are read, so that a stream is read as files are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import BinaryIO

_MOST = 1 << 22
_GROWING: dict[Path, Callable[[], None]] = {}


def grows(path: Path) -> bool:
    """Whether a file gets more while it is read."""
    return path in _GROWING


@contextmanager
def growing(path: Path, stream: BinaryIO) -> Iterator[None]:
    """Inside the block the file `path` gets what comes from `stream`: who reads it as text waits at its end for more,
    and receives what is there without waiting for a whole block."""
    with path.open("ab") as file:

        def grow() -> None:
            file.write(at_hand(stream))
            file.flush()

        _GROWING[path] = grow
        try:
            yield
        finally:
            del _GROWING[path]


def at_hand(stream: BinaryIO) -> bytes:
    """What can be read without waiting, or what comes first; nothing at the end."""
    raw = chunk = _read1(stream, _MOST)
    while chunk and len(raw) < _MOST and _is_more(stream):
        raw += (chunk := _read1(stream, _MOST - len(raw)))
    return raw


def _read1(stream: BinaryIO, most: int) -> bytes:
    return stream.read1(most)  # type: ignore[attr-defined, no-any-return]  # which all buffered streams have


def _is_more(stream: BinaryIO) -> bool:
    """Whether more can be read at once; where the system cannot say, no."""
    try:
        return bool(select([stream], [], [], 0)[0])
    except (OSError, ValueError):
        return False


@contextmanager
def opened(path: Path) -> Iterator[Callable[[int], bytes]]:
    """A function that reads so many bytes of a file, or fewer where it grows."""
    with path.open("rb") as file:
        if path not in _GROWING:
            yield file.read
            return

        def read(size: int) -> bytes:
            if chunk := file.read(size):
                return chunk
            _GROWING[path]()
            return file.read(size)

        yield read
