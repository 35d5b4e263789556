"""Unique names for runs and for the files made from them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uxla.report.folder import RunFolder

_LONGEST = 100  # bytes of a name that becomes a part of a file's name


def named(folders: Sequence[RunFolder]) -> dict[str, RunFolder]:
    """The runs by the names of their folders, or by their paths if two have the same name."""
    names = [folder.name for folder in folders]
    return {
        name if names.count(name) == 1 else str(folder.path): folder
        for name, folder in zip(names, folders, strict=True)
    }


def file_names(named_by: Sequence[tuple[str, ...]]) -> list[str]:
    """A part of a file's name for each tuple of names of runs and targets; different tuples get different parts."""
    plain = ["-".join(map(_part, names)) for names in named_by]
    alike = {name for name in plain if len({n for n, other in zip(named_by, plain, strict=True) if other == name}) > 1}
    return [
        f"{name}-{_digest(os.fsencode('/'.join(names)))}" if name in alike else name
        for names, name in zip(named_by, plain, strict=True)
    ]


def _part(name: str) -> str:
    """A name as a part of a file's name; a long one ends in a digest."""
    raw = os.fsencode(name.strip(os.sep).replace(os.sep, "-"))
    whole = raw if len(raw) <= _LONGEST else raw[: _LONGEST - 9] + b"-" + _digest(raw).encode()
    return whole.decode(errors="ignore")


def _digest(raw: bytes) -> str:
    return sha256(raw).hexdigest()[:8]
