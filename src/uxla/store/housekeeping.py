"""What is in a store, and how to make room in it. Run folders do not depend on the store."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from uxla.errors import ArtifactError, ConfigError
from uxla.files import vacant
from uxla.store.artifacts import META, RELEASABLE, DamageError, Manifest, read_manifest, weights
from uxla.store.locks import counting, in_use, key_lock, locks_work

Kind = Literal["artifact", "scratch", "unfinished", "damaged", "weights"]

_NAME = re.compile(r"([a-z]+-[0-9a-f]{64})(-\w+)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_BYTES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BYTES |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


@dataclass(frozen=True)
class Entry:
    """A finished artifact of the store, its weights alone, or what an interruption or damage left; `name` is STAGE-KEY.

    `age` and `idle` are the seconds since it was made and last used, never negative whatever the clock did. `source`
    is the name of the artifact whose model it was made with; `manifest` is None where it cannot be trusted.
    """

    kind: Kind
    name: str
    path: Path
    size: int
    age: float
    idle: float
    manifest: Manifest | None = None
    source: str | None = None

    @property
    def stage(self) -> str:
        """The work it is the result of."""
        return self.name.split("-")[0]

    @property
    def weights(self) -> dict[Path, int]:
        """The files of its weights with their sizes; none where it has none, or they may not go alone."""
        return weights(self.path, self.manifest) if self.manifest and self.stage in RELEASABLE else {}

    @property
    def weights_gone(self) -> bool:
        """Whether it has lost its weights, which are made again if they are needed."""
        return not all(file.exists() for file in self.weights)

    @property
    def key(self) -> str:
        """The digest of its inputs."""
        return self.name.split("-")[1]


@dataclass(frozen=True)
class Cleared:
    """What `clear` removed (in a dry run, would remove), and what it left because a running command uses it."""

    removed: tuple[Entry, ...]
    in_use: tuple[Entry, ...]

    @property
    def size(self) -> int:
        """Bytes freed."""
        return sum(entry.size for entry in self.removed)


def entries(root: Path) -> list[Entry]:
    """Everything in the store, artifacts first. Raises OSError."""
    found = [entry for kind in ("artifact", "scratch", "unfinished", "damaged") for entry in _entries(root, kind)]
    made = [(entry.manifest.facts.get("weights"), entry.name) for entry in found if entry.manifest]
    makers = {weights: name for weights, name in made if weights is not None}
    models = [entry.manifest.inputs.get("model") if entry.manifest else None for entry in found]
    return [replace(entry, source=makers.get(model)) for entry, model in zip(found, models, strict=True)]


def clear(
    root: Path, *, older_than: float | None = None, max_size: int | None = None, dry_run: bool = False
) -> Cleared:
    """Remove what is damaged or unfinished, and what was not used for `older_than` seconds, and the least recently used
    until `max_size` bytes are left: artifacts, and progress saved for a run that was interrupted.

    What a living run uses stays, but for weights that it needs no longer. ArtifactError where locks cannot say what
    that is. Raises OSError.
    """
    if not root.is_dir():
        return Cleared((), ())
    if not locks_work(root):
        raise ArtifactError(
            f"{root}: file locks have no effect there, so that nobody can say what a running uxla uses; end all runs "
            "and remove the folder"
        )
    with counting(root):
        used = in_use(root)
    found = entries(root)
    lasting = [entry for entry in found if entry.kind in ("artifact", "scratch")]
    total = sum(entry.size for entry in lasting)
    wanted = [entry for entry in found if entry.kind in ("unfinished", "damaged") and entry.name not in used]
    for entry in sorted(lasting, key=lambda entry: -entry.idle):
        expired = older_than is not None and entry.idle > older_than
        if used.get(entry.name) or not (expired or (max_size is not None and total > max_size)):
            continue
        if entry.name in used:  # by a run that needs its weights no longer
            entry = replace(entry, kind="weights", size=sum(entry.weights.values()))
        if entry.kind != "weights" or (entry.weights and not entry.weights_gone):
            wanted.append(entry)
            total -= entry.size
    removed = tuple(entry for entry in wanted if dry_run or _remove(root, entry))
    return Cleared(removed, tuple(entry for entry in found if entry.name in used))


def parse_age(text: str) -> float:
    """Seconds from `90s`, `12h`, `30d` or `2w`; ConfigError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", text.strip())
    if match is None:
        raise ConfigError(f"--older-than: got {text!r}, expected a number and s, m, h, d or w, as 30d")
    return float(match[1]) * _SECONDS[match[2]]


def parse_size(text: str) -> int:
    """Bytes from `20GB`, `500 MB`, `1.5TiB` or a bare number; ConfigError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]i?|)B?", text.strip())
    if match is None:
        raise ConfigError(f"--max-size: got {text!r}, expected a number and KB, MB, GB or TB, as 20GB")
    return int(float(match[1]) * _BYTES[match[2]])


def _entries(root: Path, kind: Kind) -> Iterator[Entry]:
    places = root.glob("*/*") if kind == "artifact" else (root / kind).glob("*")
    for place in sorted(places):
        name = f"{place.parent.name}-{place.name}" if kind == "artifact" else place.name
        if not place.is_dir() or not (match := _NAME.fullmatch(name)) or (kind == "artifact" and match[2]):
            continue  # nothing of ours
        with suppress(FileNotFoundError):  # a living run was faster
            yield _entry(kind, match[1], place)


def _entry(kind: Kind, name: str, place: Path) -> Entry:
    files = [path.stat() for path in place.rglob("*") if path.is_file()]
    touched = (place / META).stat().st_mtime if (place / META).is_file() else place.stat().st_mtime
    if kind != "artifact":
        touched = max([touched, *(file.st_mtime for file in files)])
    manifest = None
    if kind == "artifact":
        with suppress(DamageError):
            manifest = read_manifest(place)
    now = time.time()  # a time in the future, from before the clock was set back, counts as now
    age, idle = max(0.0, now - place.stat().st_mtime), max(0.0, now - touched)
    return Entry(kind, name, place, sum(file.st_size for file in files), age, idle, manifest)


def _remove(root: Path, entry: Entry) -> bool:
    """Remove the entry unless another process is making it or has just begun to use it; whether it was removed."""
    lock = key_lock(root, entry.name)
    with vacant(lock) as ours:
        if not ours:
            return False
        gone = entry.path
        if entry.kind == "weights":
            with counting(root):
                if not (needed := in_use(root).get(entry.name)):
                    for file in entry.weights:
                        file.unlink(missing_ok=True)
            return not needed
        if entry.kind == "artifact":
            gone = root / "unfinished" / entry.name
            shutil.rmtree(gone, ignore_errors=True)
            with counting(root):
                if entry.name in in_use(root):
                    return False
                gone.parent.mkdir(exist_ok=True)
                os.replace(entry.path, gone)
        shutil.rmtree(gone)
        lock.unlink()
    return True
