"""A store that many machines share: any file system of fsspec, such as a bucket of S3 or a folder that all of them see.

It works without locks, renames and clocks. The files of an artifact go up first, each under a name with its digest, and
then the record that names them, which only the first writer can put there. Whoever finds a record compares each file
with its digest. No lease says who is at work: two machines that make one artifact at once give the same bytes, and so
lose work, never a result.
"""

from __future__ import annotations

import json
import platform
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from uxla.errors import ArtifactError
from uxla.files import file_digest
from uxla.store.artifacts import (
    PUBLISHED,
    DamageError,
    Manifest,
    digest,
    full_name,
    is_weights,
    json_text,
    set_aside,
    weights_gone,
    write_manifest,
)
from uxla.store.remote import Remote, Stored, created, is_conditional

_LISTED = 1000
"""From so many names on they are looked up in lists, of which a request gives so many, and not one by one."""
_DIGITS = "0123456789abcdef"
"""A folder for each first digit of a key, so that sixteen lists can be read at the same time."""
_PATH = re.compile(r"\w+/([a-z]+)/([0-9a-f])/(\2[0-9a-f]{63})(-[0-9a-f]{32}|/[0-9a-f]{64})?")
"""A file of a store: a record, one that is being written, a file or a claim under its digest. No other is removed."""


@dataclass(frozen=True)
class Record:
    """What the shared store says of an artifact: its manifest, the SHA-256 of each file, the machine that made it."""

    manifest: Manifest
    digests: Mapping[str, str]
    machine: str

    @classmethod
    def of(cls, folder: Path, manifest: Manifest) -> Record:
        """The record of a finished artifact. Raises OSError."""
        digests = {name: sha or file_digest(folder / name) for name, (_, sha) in manifest.files.items()}
        return cls(manifest, digests, f"{platform.node()} ({platform.machine()})")

    @classmethod
    def read(cls, content: bytes) -> Record:
        """The record with this text; DamageError where it is none."""
        try:
            values = json.loads(content)
            stated = values.pop("digest")
            record = cls(Manifest(**values.pop("manifest")), **values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DamageError("its record cannot be read") from error
        if stated != digest(asdict(record)):
            raise DamageError("its record has other bytes than were written")
        if any(Path(name).is_absolute() or ".." in Path(name).parts for name in record.digests):
            raise DamageError("its record names files outside of it")
        return record

    @property
    def text(self) -> bytes:
        """The content of its file, with a digest."""
        values = asdict(self)
        return json_text(values | {"digest": digest(values)}).encode()

    @property
    def result(self) -> str:
        """The digest of what the work gave, whatever machine and versions it was done with."""
        return digest([dict(self.digests), self.manifest.facts])

    def __str__(self) -> str:
        versions = ", ".join(f"{name} {version}" for name, version in self.manifest.versions.items())
        return f"{self.result[:16]} made by {self.machine} with {versions or 'unknown versions'}"


@dataclass(frozen=True)
class SharedArtifact:
    """An artifact of a shared store as STAGE-KEY, and its files, the record first."""

    name: str
    files: tuple[Stored, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(one.size for one in self.files)

    @property
    def age(self) -> float:
        """Seconds since something of it was last written, never negative."""
        return max(0.0, time.time() - max(one.written for one in self.files))


@dataclass(frozen=True)
class SharedStore:
    """The artifacts on a file system; `place` is everywhere the folder of one in a store of this machine."""

    remote: Remote

    @classmethod
    def at(cls, url: str) -> SharedStore:
        """The shared store at `url`."""
        return cls(Remote(url))

    def having(self, stage: str, keys: Sequence[str]) -> set[str]:
        """Those of the `keys` that have a record: of many from lists, with one request for a thousand artifacts."""
        if len(keys) > _LISTED:
            lists = self.remote.at_once(lambda fs, root, digit: fs.find(f"{root}/records/{stage}/{digit}"), _DIGITS)
            return {path.rpartition("/")[2] for paths in lists for path in paths}.intersection(keys)
        records = [path_of("records", Path(stage, key)) for key in keys]
        there = self.remote.at_once(lambda fs, root, record: fs.exists(f"{root}/{record}"), records)
        return {key for key, found in zip(keys, there, strict=True) if found}

    def record(self, place: Path) -> Record | None:
        """What is known of an artifact, None where it is not there; DamageError where the record cannot be used."""
        return self.remote.ask(lambda fs, root: _record(fs, f"{root}/{path_of('records', place)}"))

    def download(self, place: Path, record: Record, into: Path, *, whole: bool) -> Manifest:
        """Copy an artifact to the folder `into`, with `whole` also its weights, which is then a finished one.

        DamageError where a file is missing or has other bytes. Raises OSError where they cannot be written.
        """
        for file, sha in record.digests.items():
            if whole or not is_weights(file):
                (into / file).parent.mkdir(parents=True, exist_ok=True)
                self.remote.ask(partial(_download, into=into / file, name=f"{path_of('files', place)}/{sha}", sha=sha))
        (into / PUBLISHED).write_text(f"{self._mark}\n", encoding="utf-8")
        return write_manifest(into, record.manifest)

    def publish(self, place: Path, manifest: Manifest, *, replace: bool) -> None:
        """Upload a finished artifact, unless it is there, or weights are gone that another machine may need.

        Where another result is there of the same work, the one here is set aside, with an ArtifactError. With `replace`
        what is there is damaged, and gives way.
        """
        published = place / PUBLISHED
        known = published.is_file() and self._mark in published.read_text(encoding="utf-8").splitlines()
        if (known and not replace) or weights_gone(place, manifest):
            return
        record = Record.of(place, manifest)
        found = self._published(place, record, replace=replace)
        if found.result != record.result:
            set_aside(place.parents[1], place)
            fault = f"was made twice with different results: here {record}, there {found}"
            remedy = "give all machines the same versions and set deterministic, and run again"
            raise ArtifactError(
                f"{self.remote.url}: {full_name(place)} {fault}; {remedy}: it goes on with the one that is there"
            )
        with suppress(OSError), published.open("a", encoding="utf-8") as stream:
            stream.write(f"{self._mark}\n")

    def artifacts(self) -> list[SharedArtifact]:
        """All artifacts, and the files of those that have no record yet, or none any more: from lists."""
        found = dict[str, list[Stored]]()
        for kind in ("records", "claims", "files"):
            for stored in self.remote.files(kind):
                if ours := _PATH.fullmatch(stored.path):
                    found.setdefault(f"{ours[1]}-{ours[3]}", []).append(stored)
        return [SharedArtifact(name, tuple(files)) for name, files in sorted(found.items())]

    def clear(self, older_than: float, *, dry_run: bool = False) -> list[SharedArtifact]:
        """Remove what was made more than `older_than` seconds ago: the record first, so that no file of it is missed.

        What a run needs nevertheless it uploads or makes again. With `dry_run` nothing is removed. ArtifactError where
        there is no store.
        """
        self.remote.require()
        old = [one for one in self.artifacts() if one.age > older_than]
        if not dry_run:
            self.remote.renew()  # before, for the case that this process is ended in the middle
            for kind in ("records", "claims", "files"):
                self.remote.remove([one.path for each in old for one in each.files if one.path.startswith(f"{kind}/")])
            self.remote.renew()
        return old

    def _published(self, place: Path, record: Record, *, replace: bool) -> Record:
        """The record that is there in the end."""
        work = partial(_publish, url=self.remote.url, place=place, record=record)
        try:
            return self.remote.do(partial(work, replace=replace))
        except DamageError:
            return self.remote.do(partial(work, replace=True))

    @property
    def _mark(self) -> str:
        """What an artifact here says of itself that is in this store."""
        return f"{self.remote.url} {self.remote.identity}"


def path_of(kind: str, place: Path) -> str:
    """Where a shared store has the record of the artifact at STAGE/KEY, and the folders of its files and its claims."""
    return f"{kind}/{place.parent.name}/{place.name[0]}/{place.name}"


def _record(fs: Any, path: str) -> Record | None:
    try:
        return Record.read(fs.cat_file(path))
    except FileNotFoundError:
        return None


def _download(fs: Any, root: str, *, into: Path, name: str, sha: str) -> None:
    try:
        fs.get_file(f"{root}/{name}", str(into))
    except FileNotFoundError as error:
        raise DamageError(f"{into.name} is missing") from error
    if file_digest(into) != sha:
        raise DamageError(f"{into.name} has other bytes than were written")


def _publish(fs: Any, root: str, *, url: str, place: Path, record: Record, replace: bool) -> Record:
    """The record that is there in the end: this one, unless another writer was first."""
    path, files = f"{root}/{path_of('records', place)}", f"{root}/{path_of('files', place)}"
    if not replace and (found := _record(fs, path)) is not None:
        return found
    for file, sha in record.digests.items():
        fs.put_file(str(place / file), f"{files}/{sha}")
    if replace:
        fs.pipe_file(path, record.text)
        return record
    if is_conditional(url):
        return record if created(fs, path, record.text) else _record(fs, path) or record
    return _claimed(fs, path, f"{root}/{path_of('claims', place)}", record)


def _claimed(fs: Any, place: str, claims: str, record: Record) -> Record:
    """As a conditional write, with plain ones: each writer lays its record down under a name of its own result, and
    then looks whether there is another. Of two at once at least one sees both, and leaves the place to the other."""
    fs.pipe_file(f"{claims}/{record.result}", record.text)
    others = sorted(path for path in fs.find(claims) if not path.endswith(record.result))
    first = Record.read(fs.cat_file(others[0])) if others else record
    fs.pipe_file(place, first.text)
    return first
