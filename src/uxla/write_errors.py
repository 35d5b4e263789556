"""What a system's error says of a place that is written to: a fault of that place, or of something else."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
"""Only writing meets these, so that they need no file's name."""

_RUST = re.compile(r"\(os error (\d+)\)")


def cannot_write(error: Exception, *places: Path) -> str | None:
    """Why nothing can be written at one of the folders or files `places`, where that is what `error` tells.

    None for a fault of something else: a file elsewhere that is read, a network, a library that does not load.
    """
    name = getattr(error, "filename2", None) or getattr(error, "filename", None)  # of a copy, where it goes
    if isinstance(name, str | bytes | os.PathLike):
        file = Path(os.path.realpath(os.fsdecode(name)))
        ours = any(file.is_relative_to(os.path.realpath(place)) for place in places)
        return (getattr(error, "strerror", None) or str(error)) if ours else None
    rust = _RUST.search(str(error))  # safetensors has an error of its own
    number = getattr(error, "errno", None) or (int(rust[1]) if rust else None)
    return os.strerror(number) if number in _FULL else None


@contextmanager
def os_errors(place: Path) -> Iterator[None]:
    """Inside the block, what a library in Rust tells of the system in a bare exception is an OSError about `place`."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        if (rust := _RUST.search(str(error))) is None:
            raise
        raise OSError(int(rust[1]), os.strerror(int(rust[1])), str(place)) from error
