"""Files that prove they are whole: written under another name, then renamed to one that bears their digest.

For work that is saved while it goes (rolling checkpoints, shards) and must not be trusted after a crash.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from uxla import signals

_DIGITS = 32


def seal(folder: Path, stem: str, suffix: str, write: Callable[[Path], None]) -> Path:
    """The file `stem-DIGEST.suffix` of `folder`, filled by `write`, on the disk when this returns. Raises OSError."""
    unfinished = folder / f"{stem}.unfinished"
    with signals.held():
        write(unfinished)
        digest = file_digest(unfinished)
        with unfinished.open("rb+") as stream:
            os.fsync(stream.fileno())
        sealed = folder / f"{stem}-{digest[:_DIGITS]}{suffix}"
        os.replace(unfinished, sealed)
    return sealed


def unseal(folder: Path, stem: str, suffix: str) -> Path | None:
    """The file that `seal` left under `stem`, or None; what is damaged is removed."""
    for path in sorted(folder.glob(f"{stem}-*{suffix}")):
        if path.name == f"{stem}-{file_digest(path)[:_DIGITS]}{suffix}":
            return path
        path.unlink()
    return None


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
