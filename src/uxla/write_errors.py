"""What an error says of a place that is written to: the fault of that place, or of something else."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uxla.errors import UxlaError, WriteError

REMEDY = "free space there, or name another place"

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
"""Only writing meets these, so that they need no file's name."""

_NUMBER = re.compile(r"\(os error (\d+)\)|\[Errno (\d+)\]")
"""The system's number in the text of an error: safetensors and tokenizers (in Rust) and shutil have their own."""

_TORCH = re.compile(r"inline_container\.cc|PytorchStreamWriter")
"""What `torch.save` says of a file that it could not write, without the system's number."""


@contextmanager
def writing(place: Path, remedy: str = REMEDY, *files: Path) -> Iterator[None]:
    """Inside the block, what keeps `place` from being written is a WriteError: one line with the cause and `remedy`.

    With `files` the block also does other work, and only what is the fault of these files or folders, or of a full
    disk, is told so: that a file elsewhere cannot be read comes out as it is. Of blocks inside one another the
    outermost gives place and remedy.
    """
    try:
        yield
    except Exception as error:
        cause = cannot_write(error, *files) if files else _cause(error)
        if cause is None:
            raise
        raise WriteError(place, cause, remedy) from error


def cannot_write(error: Exception, *places: Path) -> str | None:
    """Why nothing can be written at one of the folders or files `places`, where that is what `error` tells.

    None for a fault of something else: a file elsewhere that is read, a network, a library that does not load.
    """
    name = _file(error)
    if isinstance(name, str | bytes | os.PathLike):
        file = Path(os.path.realpath(os.fsdecode(name)))
        return _cause(error) if any(file.is_relative_to(os.path.realpath(place)) for place in places) else None
    if _TORCH.search(str(error)):
        return "torch could not write all of the file"
    number = _errno(error)
    return os.strerror(number) if number in FULL else None


def _file(error: Exception) -> object:
    """The file that an error is about: of a copy the one that is written."""
    if isinstance(error, shutil.Error):  # of a tree: for each file that failed (from, to, why)
        return error.args[0][0][1]
    return getattr(error, "filename2", None) or getattr(error, "filename", None)


def _errno(error: Exception) -> int | None:
    """The system's number, where there is one."""
    if isinstance(error, UxlaError):
        return None
    number = getattr(error, "errno", None)
    found = _NUMBER.search(str(error)) if number is None else None
    return int(found[1] or found[2]) if found else number


def _cause(error: Exception) -> str | None:
    """What the system said; None for an error that does not come from it."""
    number = _errno(error)
    if isinstance(error, WriteError) and error.__cause__ is None:  # not the system's: what is wrong is the file
        return f"{Path(error.filename).name}: {error.strerror}"
    if isinstance(error, OSError | WriteError):
        return error.strerror or (os.strerror(number) if number else str(error))
    return None if number is None else os.strerror(number)
