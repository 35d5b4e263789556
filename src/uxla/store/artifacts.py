"""One artifact of the store: its manifest `meta.json` names every file by size and digest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from errno import EIO, EISDIR, ENOENT, ENOTDIR
from pathlib import Path
from typing import Any

from uxla.errors import ArtifactError
from uxla.files import file_digest

META = "meta.json"
_LOST = {ENOENT, ENOTDIR, EISDIR, EIO}
"""What the system says of files that are gone or broken; anything else is not the artifact's fault."""

Facts = dict[str, Any]


class DamageError(Exception):
    """Why an artifact must not be used: in one line, the file first."""


@dataclass(frozen=True)
class Manifest:
    """What an artifact was made from, what was told about it, its files, name to `[bytes, SHA-256]`, and the versions
    that made it, by package; none where it was made before these were noted."""

    inputs: Facts
    facts: Facts
    files: dict[str, list[Any]]
    versions: dict[str, str] = field(default_factory=dict)


def digest(value: Any) -> str:
    """SHA-256 of a value made of JSON types, independent of the order of keys."""
    return hashlib.sha256(_json(value).encode()).hexdigest()


def finish(folder: Path, inputs: Mapping[str, Any], facts: Mapping[str, Any], versions: Mapping[str, str]) -> Manifest:
    """Write the manifest of a filled folder. Raises OSError."""
    files = {name: [path.stat().st_size, file_digest(path)] for name, path in sorted(_files(folder).items())}
    values = json.loads(
        _json(asdict(Manifest(dict(inputs), dict(facts), files, dict(versions))))
    )  # as they will be read
    (folder / META).write_text(_json(values | {"digest": digest(values)}), encoding="utf-8")
    return Manifest(**values)


def copy_content(place: Path, into: Path) -> None:
    """Copy an artifact without its manifest to the folder `into`. Raises OSError that names a file, not a list.

    The copies have the rights of new files, although safetensors writes for the owner alone.
    """
    for name, file in _files(place).items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, into / name)


def check(place: Path) -> Manifest | None:
    """The manifest of an artifact whose files all have their size and digest; None where there is none.

    DamageError where something is missing, cut, changed or added; ArtifactError where the files cannot be looked at.
    """
    if not place.exists():
        return None
    manifest = read_manifest(place)
    try:
        found = _files(place)
        for name, (size, sha) in manifest.files.items():
            if name not in found:
                raise DamageError(f"{name} is missing")
            if found[name].stat().st_size != size:
                raise DamageError(f"{name} has {found[name].stat().st_size} bytes, expected {size}")
            if file_digest(found[name]) != sha:
                raise DamageError(f"{name} has other bytes than were written")
    except OSError as error:
        raise _unreadable(place, error) from error
    # a file system's own files, as .nfs0001 or .DS_Store, do no harm; another *.safetensors would
    for name in found.keys() - manifest.files.keys():
        if not Path(name).name.startswith("."):
            raise DamageError(f"{name} does not belong to it")
    return manifest


def read_manifest(place: Path) -> Manifest:
    """The manifest as it was written, by its own digest; DamageError or ArtifactError as `check`."""
    try:
        text = (place / META).read_bytes()
    except OSError as error:
        raise _unreadable(place, error) from error
    try:
        values = json.loads(text)
        stated = values.pop("digest")
        manifest = Manifest(**values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamageError(f"{META} is not a manifest") from error
    if stated != digest(values):
        raise DamageError(f"{META} has other bytes than were written")
    return manifest


def set_aside(root: Path, place: Path) -> Path:
    """Where the damaged artifact `root/STAGE/KEY` was moved: `root/damaged/STAGE-KEY`, or behind it `-1`, `-2`, …"""
    base = root / "damaged" / f"{place.parent.name}-{place.name}"
    base.parent.mkdir(parents=True, exist_ok=True)
    moved, number = base, 0
    while moved.exists():
        number += 1
        moved = base.with_name(f"{base.name}-{number}")
    os.replace(place, moved)
    return moved


def _files(folder: Path) -> dict[str, Path]:
    """All files but the manifest, by their path inside the folder."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path for name, path in found.items() if name != META}


def _unreadable(place: Path, error: OSError) -> Exception:
    name = Path(error.filename).name if error.filename else "a file"
    if error.errno in _LOST:
        return DamageError(f"{name} cannot be read ({error.strerror})")
    remedy = "make it readable, or set UXLA_CACHE to another folder"
    return ArtifactError(f"{place}: the artifact cannot be read ({name}: {error.strerror}); {remedy}")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
