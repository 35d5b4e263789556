"""Whether finished work still has the bytes that were written, here and in a shared store."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from uxla import progress
from uxla.files import vacant
from uxla.store.artifacts import DamageError, check, set_aside
from uxla.store.housekeeping import entries
from uxla.store.locks import key_lock
from uxla.store.remote import AT_ONCE
from uxla.store.shared import SharedArtifact, SharedStore, path_of

_LABEL = "verifying finished work"
_BLOCK = 4 * 2**20
"""Bytes that are read at once."""


@dataclass(frozen=True)
class Broken:
    """A damaged artifact, STAGE-KEY, why it is, and where it was moved; None where it stays."""

    name: str
    fault: str
    moved: Path | None = None


def verify(root: Path) -> list[Broken]:
    """Compare the bytes of every artifact with its manifest; those that differ are set aside. Raises OSError."""
    found, broken = [entry for entry in entries(root) if entry.kind == "artifact"], []
    with progress.bar(_LABEL, sum(entry.size for entry in found)) as bar:
        for entry in found:
            with vacant(key_lock(root, entry.name)) as ours:  # else another process is making it
                try:
                    if ours:
                        check(entry.path, read_all=True)
                except DamageError as damage:
                    broken.append(Broken(entry.name, str(damage), set_aside(root, entry.path)))
            bar.advance(entry.size)
    return broken


def verify_shared(shared: SharedStore) -> list[Broken]:
    """Compare the bytes of every artifact with its record. Those that differ stay where they are: a command that needs
    one and does not have it makes it again. ArtifactError where there is no store, or it cannot be read."""
    shared.remote.require()
    found, broken, ended = shared.artifacts(), [], Event()
    with progress.bar(_LABEL, sum(one.size for one in found)) as bar, ThreadPoolExecutor(AT_ONCE) as threads:
        try:
            for one, fault in zip(found, threads.map(partial(_fault, shared, ended), found), strict=True):
                if fault is not None:
                    broken.append(Broken(one.name, fault))
                bar.advance(one.size)
        finally:
            ended.set()
    return broken


def _fault(shared: SharedStore, ended: Event, artifact: SharedArtifact) -> str | None:
    """What is wrong with an artifact; nothing is where it has no record, since nobody uses it then."""
    place = Path(*artifact.name.split("-"))
    try:
        record = shared.record(place)
        for file, sha in record.digests.items() if record else ():
            name = f"{path_of('files', place)}/{sha}"
            shared.remote.ask(partial(_compare, ended=ended, name=name, file=file, sha=sha))
    except DamageError as damage:
        return str(damage)
    return None


def _compare(fs: Any, root: str, *, ended: Event, name: str, file: str, sha: str) -> None:
    found = hashlib.sha256()
    try:
        with fs.open(f"{root}/{name}", block_size=_BLOCK) as stream:
            while not ended.is_set() and (block := stream.read(_BLOCK)):
                found.update(block)
    except FileNotFoundError as error:
        raise DamageError(f"{file} is missing") from error
    if found.hexdigest() != sha and not ended.is_set():
        raise DamageError(f"{file} has other bytes than were written")
