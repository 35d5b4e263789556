"""Writing files and folders whole or not at all.

Both ways write under another name in the same folder, flush to disk and rename. So nobody reads a half-written file,
and a kill or a full disk leaves the earlier version.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from errno import ENOLCK, ENOSYS, EOPNOTSUPP
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from uxla import signals
from uxla.errors import BeingWrittenError, ConfigError, WriteError, in_python
from uxla.write_errors import REMEDY, writing

if TYPE_CHECKING:
    import pyarrow as pa

HASHED = "hashed"
"""A fact of an artifact: the files whose `files_digest`, with config.json, is the fact `weights`. The store does not
read them once more."""


_NO_LOCKS = {ENOLCK, ENOSYS, EOPNOTSUPP}
_ABANDONED = 3600
"""Seconds without a write after which an unfinished file or folder is what a killed process left."""


@contextmanager
def atomic_file(path: Path, remedy: str = REMEDY) -> Iterator[Path]:
    """Gives the path of a file to write, which takes the place of `path` when the block ends without an error.

    WriteError, with `remedy`, where it cannot be written, and where another process is writing it. What a killed
    process left is removed by a later write, after an hour. An error that is not about this file comes out as it is.
    """
    check_file(path)
    unfinished = _new_unfinished(path)
    with alone(path, remedy), writing(path, remedy, path, unfinished):
        try:
            yield unfinished
            with signals.postponed(), writing(path, remedy):
                flush(unfinished)
                os.replace(unfinished, path)
                flush(path.parent)
        finally:
            _remove(unfinished)


@contextmanager
def atomic_folder(
    place: Path,
    remedy: str = REMEDY,
    *,
    unfinished: Path | None = None,
    unless: Callable[[Path, Path], bool] = lambda place, unfinished: False,
) -> Iterator[Path]:
    """Gives an empty folder to fill, which takes the place of `place` when the block ends without an error.

    `unfinished` names it; by default it stands beside `place`. A folder that is there stays where `unless` says so of
    it and the filled one. Only one process at a time may replace a folder: the caller has a lock. Errors as for
    `atomic_file`.
    """
    unfinished = unfinished or _new_unfinished(place)
    with writing(place, remedy, place, unfinished):
        try:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            yield unfinished
            with signals.postponed(), writing(place, remedy):
                _flush_all(unfinished)
                _replace_folder(place, unfinished, unless)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def check_file(path: Path, *suffixes: str, source: Path | None = None) -> None:
    """WriteError where no file can be written to `path`, so that it can be said before any work.

    It must be a file in a folder that exists, with one of the `suffixes`, if any, and not the file `source` that is
    read.
    """
    if path.is_dir():
        raise WriteError(path, "it is a folder", "give the name of a file")
    if (path.exists() and not path.is_file()) or str(path.absolute().parent) in ("/dev", "/dev/fd"):
        raise WriteError(path, "it is a device or a pipe", "give the name of a file")
    if suffixes and path.suffix not in suffixes:
        raise WriteError(path, f"its name does not end in {' or '.join(suffixes)}", "rename it")
    if not path.absolute().parent.is_dir():
        raise WriteError(path, f"no such folder {path.absolute().parent}", "create it, or name another place")
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise WriteError(path, "it is the input file", "name another one")


def check_new(folder: Path) -> None:
    """ConfigError if the folder, which is to be made, is there already."""
    if folder.exists():
        option = "" if in_python() else "--out "
        raise ConfigError(f"{option}{folder}: exists already; give the name of a new folder")


def write_file(path: Path, content: str | bytes, remedy: str = REMEDY) -> None:
    """`atomic_file` for content at hand; a text is written as UTF-8."""
    with atomic_file(path, remedy) as file:
        file.write_bytes(content.encode("utf-8", "replace") if isinstance(content, str) else content)


def write_table(path: Path, table: pa.Table, remedy: str = REMEDY) -> None:
    """`atomic_file` for a table, as Parquet."""
    import pyarrow.parquet as pq  # late, as below

    with atomic_file(path, remedy) as file:
        pq.write_table(table, file, compression="zstd")


def link_or_copy(file: Path, place: Path) -> None:
    """Give `file` a second name, `place`, that takes no room; or copy it where the file system has no links.

    Neither may be written in place afterwards, but replaced. Raises OSError.
    """
    try:
        os.link(file, place)
    except OSError:  # another file system, or one without links, or too many of them
        shutil.copyfile(file, place)


def leftovers(place: Path) -> list[Path]:
    """What a kill while `place` was written may have left beside it."""
    return [*_unfinished(place), *(_beside(place, what) for what in ("replaced", "lock"))]


def restore_folder(place: Path) -> None:
    """Restore `place` if a kill interrupted its replacement, and remove what the kill left behind."""
    replaced = _beside(place, "replaced")
    if replaced.exists() and not place.exists():
        os.replace(replaced, place)
    shutil.rmtree(replaced, ignore_errors=True)


@contextmanager
def alone(path: Path, remedy: str = REMEDY, *, lock: Path | None = None) -> Iterator[None]:
    """Keep a file or folder to this process; `lock` is by default a hidden file beside it.

    WriteError at once where another process has it, and where there can be no lock.
    """
    lock = lock or _beside(path, "lock")
    with ExitStack() as held:
        with writing(path, remedy):
            ours = held.enter_context(vacant(lock))
        if not ours:
            raise BeingWrittenError(path)
        held.callback(_remove, lock)
        yield


@contextmanager
def vacant(lock: Path) -> Iterator[bool]:
    """Whether the lock was free; if so, it is held inside the block. It ends with the process.

    Where the file system has no locks, each is free. Raises OSError.
    """
    from filelock import FileLock, Timeout  # late: it loads asyncio, and every command imports this module

    lock.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(lock, fallback_to_soft=False)  # a soft one would not end with the process
    try:
        held.acquire(blocking=False)
    except Timeout:
        yield False
        return
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    try:
        yield True
    finally:
        held.release()


def flush(path: Path) -> None:
    """Return when a file's bytes or a folder's names are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_digest(files: Iterable[Path]) -> str:
    """SHA-256 over the names and bytes of several files, in the order of their paths."""
    sha = hashlib.sha256()
    for file in sorted(files):
        sha.update(file.name.encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 22):
                sha.update(block)
    return sha.hexdigest()


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink()


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f".{path.name}.{what}")


def _new_unfinished(place: Path) -> Path:
    """A name of this attempt's own, for a lock may not hold other machines back; what was abandoned is removed."""
    for left in _unfinished(place):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED:
                _remove(left)
                shutil.rmtree(left, ignore_errors=True)
    return _beside(place, f"{uuid4().hex[:8]}.unfinished")


def _unfinished(place: Path) -> Iterator[Path]:
    return place.parent.glob(f".{escape(place.name)}.{'[0-9a-f]' * 8}.unfinished")


def _flush_all(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), key=Path.is_dir):
        flush(path)
    flush(folder)


def _replace_folder(place: Path, by: Path, unless: Callable[[Path, Path], bool]) -> None:
    """Rename, which fails where a folder with files is. Then rename twice, since no system call swaps folders;
    `restore_folder` repairs a kill in between."""
    place.parent.mkdir(parents=True, exist_ok=True)
    restore_folder(place)
    try:
        os.replace(by, place)
    except OSError:
        if not place.is_dir():
            raise
        if unless(place, by):
            return
        os.replace(place, _beside(place, "replaced"))
        try:
            os.replace(by, place)
        finally:
            restore_folder(place)
    flush(place.parent)
