"""Finished work, remembered: content-addressed folders, whole or absent. To resume is to run again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from uxla.errors import ArtifactError
from uxla.run.journal import Journal

VERSIONS = {"world": 1, "check": 1, "fit": 2, "predict": 1, "vicinity": 1}
"""A stage's version is part of its keys: raise it when the same inputs would give another result."""

_META = "meta.json"


Make = Callable[[Path, Path], Mapping[str, Any]]


@dataclass(frozen=True)
class Store:
    """Artifacts under `root/STAGE/KEY/`, the key being the digest of the stage, its version and all its inputs."""

    root: Path
    journal: Journal

    def folder(self, stage: str, inputs: Mapping[str, Any], make: Make) -> tuple[Path, dict[str, Any]]:
        """The artifact's folder and what `make` told about it; made only if it is not there yet.

        `make(into, scratch)` fills the empty folder `into`, which is renamed into place when all of it is on the disk.
        What it leaves in the folder `scratch` is there when the same work is begun again after an interruption, and is
        removed when the work is done. Every call leaves a line in the journal that says whether the work was done
        (`hit: false`) or found.
        """
        key = digest({"stage": stage, "version": VERSIONS[stage], "inputs": inputs})
        place = self.root / stage / key
        hit = (place / _META).is_file()
        began = time.monotonic()
        if not hit:
            self._make(place, inputs, make)
        facts = _read_facts(place)
        seconds = round(time.monotonic() - began, 3)
        self.journal.write("stage", stage=stage, key=key[:16], hit=hit, seconds=seconds, **facts)
        return place, facts

    def _make(self, place: Path, inputs: Mapping[str, Any], make: Make) -> None:
        unfinished = self.root / "unfinished" / uuid.uuid4().hex
        scratch = self.root / "scratch" / f"{place.parent.name}-{place.name}"
        try:
            unfinished.mkdir(parents=True)
            scratch.mkdir(parents=True, exist_ok=True)
            facts = make(unfinished, scratch)
            meta = {"inputs": inputs, "facts": dict(facts)}
            (unfinished / _META).write_text(json.dumps(meta, ensure_ascii=False, sort_keys=True), encoding="utf-8")
            for file in unfinished.rglob("*"):
                _flush(file)
            _publish(unfinished, place)
            shutil.rmtree(scratch, ignore_errors=True)
        except (OSError, SafetensorError) as error:
            cause = getattr(error, "strerror", None) or error
            raise ArtifactError(
                f"{self.root}: the store cannot be written ({cause}); free space there, or set "
                "UXLA_CACHE to another folder, and run again: finished work is kept"
            ) from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def reading(place: Path) -> Iterator[None]:
    """Inside the block, whatever cannot be read of the artifact at `place` is an ArtifactError with the remedy."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ArtifactError(f"{place}: the artifact is damaged ({error}); delete this folder and run again") from error


def default_root() -> Path:
    """`$UXLA_CACHE`, else `uxla` in the user's cache folder."""
    if chosen := os.environ.get("UXLA_CACHE"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uxla"


def digest(value: Any) -> str:
    """SHA-256 of a value made of JSON types, independent of the order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _publish(unfinished: Path, place: Path) -> None:
    """Rename into place. Where another process was faster its artifact stays: same key, same bytes."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists() and not (place / _META).is_file():
        shutil.rmtree(place)
    try:
        os.replace(unfinished, place)
    except OSError:
        if not (place / _META).is_file():
            raise
    _flush(place.parent)


def _read_facts(place: Path) -> dict[str, Any]:
    with reading(place):
        return dict(json.loads((place / _META).read_text(encoding="utf-8"))["facts"])


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
