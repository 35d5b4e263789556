"""One artifact of the store: a folder whose manifest, `meta.json`, names every file by size and digest.

To look at an artifact is cheap, however large it is: the time of each file has a mark, which every later change takes
away, and a file that has it still is not read. `uxla cache verify` reads all, and so sees what a bad disk changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from errno import EACCES, EIO, EISDIR, ENOENT, ENOTDIR
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from uxla.errors import ArtifactError
from uxla.files import HASHED, file_digest, files_digest

META = "meta.json"
PUBLISHED = ".published"
"""A file of an artifact with the shared stores that have it too, one a line."""
OWN = {META, PUBLISHED}
"""The store's own files of an artifact, beside its content."""
_LOST = {ENOENT, ENOTDIR, EISDIR, EIO}
"""What the system says of files that are gone or broken; anything else is not the artifact's fault."""

RELEASABLE = {"fit"}
"""Stages whose weights may go before the rest of the artifact does, since they can be made again."""

Facts = dict[str, Any]
Copy = Callable[[Path, Path], object]


_SECOND, _MARK = 1_000_000_000, 123_456_000
"""In nanoseconds: what of a second the time of a file says that nobody touched since it was finished."""


class DamageError(Exception):
    """An artifact must not be used; the message names the file and the fault."""


@dataclass(frozen=True)
class Manifest:
    """What an artifact was made from, and what came of it."""

    inputs: Facts
    facts: Facts
    files: dict[str, list[Any]]
    """By name `[bytes, SHA-256]`; the digest is None of files that were `HASHED`."""
    versions: dict[str, str] = field(default_factory=dict)
    """What made it, by package; none where that was not noted."""


def digest(value: Any) -> str:
    """SHA-256 of a value made of JSON types, independent of the order of keys."""
    return hashlib.sha256(json_text(value).encode()).hexdigest()


def finish(folder: Path, inputs: Mapping[str, Any], facts: Mapping[str, Any], versions: Mapping[str, str]) -> Manifest:
    """Write the manifest of a filled folder. Raises OSError."""
    files = {
        name: [path.stat().st_size, None if name in facts.get(HASHED, ()) else file_digest(path)]
        for name, path in sorted(_files(folder).items())
    }
    return write_manifest(folder, Manifest(dict(inputs), dict(facts), files, dict(versions)))


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Write a manifest to its folder and mark the files as finished; the value as it will be read. Raises OSError."""
    for path in _files(folder).values():
        mark(path)
    values = json.loads(json_text(asdict(manifest)))
    (folder / META).write_text(json_text(values | {"digest": digest(values)}), encoding="utf-8")
    with suppress(OSError):  # safetensors writes for the owner alone, and run folders have links to its files
        for path in _files(folder).values():
            path.chmod((folder / META).stat().st_mode)
    return Manifest(**values)


def mark(file: Path) -> None:
    """Give a file the time that says that nobody touched it since; without it the file is read each time."""
    with suppress(OSError):
        status = file.stat()
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns // _SECOND * _SECOND + _MARK))


def is_weights(name: str) -> bool:
    """Whether a file of an artifact has a model's weights: that is nearly all of its size."""
    return Path(name).match("model*.safetensors")


def weights(place: Path, manifest: Manifest) -> dict[Path, int]:
    """The files of an artifact's weights with their sizes in bytes, whether they are there or gone."""
    return {place / name: size for name, (size, _) in manifest.files.items() if is_weights(name)}


def weights_gone(place: Path, manifest: Manifest) -> bool:
    """Whether any of an artifact's weights are gone."""
    return not all(file.is_file() for file in weights(place, manifest))


def is_same(place: Path, other: Path) -> bool:
    """Whether the artifact at `place` is whole and has all that the finished folder `other` has."""
    with suppress(DamageError):
        manifest = read_manifest(other)
        return check(place) == manifest and (weights_gone(other, manifest) or not weights_gone(place, manifest))
    return False


def copy_content(place: Path, into: Path, *, weights: Copy | None = shutil.copyfile) -> None:
    """Copy an artifact without its manifest to the folder `into`, its weights by the function `weights`; None leaves
    them out. Raises OSError that names a file, not a list."""
    for name, file in _files(place).items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        copy = weights if is_weights(name) else shutil.copyfile
        if copy is not None:
            copy(file, into / name)


def check(place: Path, *, read_all: bool = False) -> Manifest | None:
    """The manifest of an artifact whose files are as they were written; None where there is none.

    DamageError where something is missing, cut, changed or added; ArtifactError where the files cannot be looked at.
    Weights that may go are not missing where they are gone.
    With `read_all` the digest of every file is compared, else of those alone that were touched.
    """
    if not place.exists():
        return None
    manifest = read_manifest(place)
    try:
        found, hashed_in_doubt = _files(place), False
        for name, (size, sha) in manifest.files.items():
            if name not in found and is_weights(name) and place.parent.name in RELEASABLE:
                continue
            if name not in found:
                raise DamageError(f"{name} is missing")
            status = found[name].stat()
            if status.st_size != size:
                raise DamageError(f"{name} has {status.st_size} bytes, expected {size}")
            if not os.access(found[name], os.R_OK):
                raise PermissionError(EACCES, os.strerror(EACCES), str(found[name]))
            in_doubt = read_all or status.st_mtime_ns % _SECOND != _MARK
            hashed_in_doubt |= in_doubt and sha is None
            if in_doubt and sha is not None and file_digest(found[name]) != sha:
                raise DamageError(f"{name} has other bytes than were written")
        hashed = manifest.facts.get(HASHED, [])
        whole = [found[name] for name in (*hashed, "config.json") if name in found]  # else some of them have gone
        if hashed_in_doubt and len(whole) > len(hashed) and files_digest(whole) != manifest.facts["weights"]:
            raise DamageError(f"{' or '.join(hashed)} has other bytes than were written")
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


@contextmanager
def reading(place: Path) -> Iterator[None]:
    """Inside the block, a file of the artifact at `place` that cannot be read is an ArtifactError with the remedy."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ArtifactError(f"{place}: the artifact is damaged ({error}); run again to rebuild it") from error


def full_name(place: Path) -> str:
    """STAGE-KEY of the artifact at STAGE/KEY."""
    return f"{place.parent.name}-{place.name}"


def set_aside(root: Path, place: Path) -> Path:
    """Where the damaged artifact `root/STAGE/KEY` was moved: `root/damaged/STAGE-KEY`, in place of an earlier one."""
    moved = root / "damaged" / full_name(place)
    moved.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(moved, ignore_errors=True)
    with suppress(FileNotFoundError):  # another process was faster
        os.replace(place, moved)
    return moved


def _files(folder: Path) -> dict[str, Path]:
    """All files but the store's own, by their path inside the folder."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path for name, path in found.items() if name not in OWN}


def _unreadable(place: Path, error: OSError) -> Exception:
    name = Path(error.filename).name if error.filename else "a file"
    if error.errno in _LOST:
        return DamageError(f"{name} cannot be read ({error.strerror})")
    remedy = "make it readable, or set UXLA_CACHE to another folder"
    return ArtifactError(f"{place}: the artifact cannot be read ({name}: {error.strerror}); {remedy}")


def json_text(value: Any) -> str:
    """JSON with its keys in order, so that the same value always gives the same text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
