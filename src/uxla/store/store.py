"""Finished work under the digest of its inputs, in folders that are whole or absent. To resume, run again."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from uxla import progress, signals
from uxla.errors import ArtifactError, in_python
from uxla.events import Damaged, Emit, StageEnded, unheard
from uxla.files import atomic_folder, restore_folder
from uxla.given import path
from uxla.store.artifacts import (
    META,
    RELEASABLE,
    DamageError,
    Facts,
    Manifest,
    check,
    digest,
    finish,
    read_manifest,
    set_aside,
    weights,
    weights_gone,
)
from uxla.store.locks import BusyError, Uses, counting, in_use, key_lock, locked, only_looks
from uxla.store.versions import UNKNOWN, current_versions
from uxla.write_errors import writing

VERSIONS = {"world": 2, "fit": 6, "predict": 4, "vicinity": 1, "fluency": 1, "mlm": 3, "augment": 1, "model": 1}
VERSIONS |= {"average": 2, "student": 2, "encoded": 1, "answers": 1}
"""A stage's version is part of its keys: raise it when the same inputs would give another result. Versions of libraries
stand in the manifests, not in keys: an upgrade throws no finished work away, and a run says what made what it used."""

Make = Callable[[Path, Path], Mapping[str, Any]]


@dataclass(frozen=True)
class Seen:
    """The artifacts that one command has verified or made; they stay for as long as this lives.

    Jobs in other processes look again, and go by the time of an artifact: what is younger than `since` was made for the
    command, or at the same time.
    """

    manifests: dict[Path, Manifest] = field(default_factory=dict)
    uses: Uses = field(default_factory=Uses)
    needed: set[Path] = field(default_factory=set)
    """Artifacts whose weights were gone when they were needed: they are made again, and stay."""
    since: float = field(default_factory=time.time)

    def __reduce__(self) -> tuple[type[Seen], tuple[dict[Path, Manifest], Uses, set[Path], float]]:
        return Seen, ({}, self.uses, self.needed, self.since)


class WeightsGoneError(Exception):
    """Weights are needed that are gone. Their artifact is among those `needed`: ask for it again to have it made."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.place = place


@dataclass(frozen=True)
class Store:
    """Artifacts under `root/STAGE/KEY/`, the key being the digest of the stage, its version and all its inputs.

    One store is one run's view: each artifact is checked when it is first found, and `fresh` repeats all work but
    that of the `seen`, which the runs of one command share. Any number of runs may share a root: each key has a lock,
    taken only where there is work to do, so that none is done twice.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = uxla.Store(folder)
    ...     make = lambda into, scratch: {"lines": (into / "a.txt").write_text("x")}
    ...     [store.folder("augment", {"text": "x"}, make)[1] for _ in range(2)]    # made once, then found
    [{'lines': 1}, {'lines': 1}]
    """

    root: Path
    emit: Emit = field(default=unheard, repr=False, compare=False)
    fresh: bool = False
    seen: Seen = field(default_factory=Seen, repr=False, compare=False)
    versions: Mapping[str, str] = field(default_factory=current_versions, repr=False, compare=False)
    made_with: dict[str, set[str]] = field(default_factory=dict, repr=False, compare=False)
    """The versions that made what was asked for, found or made, by package."""

    if TYPE_CHECKING:  # `root` may be a str, of which a Path is made

        def __init__(self, root: str | Path, emit: Emit = ..., fresh: bool = ..., seen: Seen = ...) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", path(self.root, "store"))

    def folder(self, stage: str, inputs: Mapping[str, Any], make: Make) -> tuple[Path, Facts]:
        """The artifact's folder and what `make` told about it; made only if it is not there yet, whole.

        `make(into, scratch)` fills the empty folder `into`, which is renamed into place when all of it is on the disk.
        What it leaves in the folder `scratch` is there when the same work is begun again after an interruption, and is
        removed when the work is done. A damaged artifact is named, set aside and made again. Every call is an
        event that says whether the work was done (`hit: false`) or found. ArtifactError where the store
        cannot be written, or an artifact not be looked at; whatever else `make` raises comes out as it is.
        """
        key = digest({"stage": stage, "version": VERSIONS[stage], "inputs": inputs})
        place = self.root / stage / key
        began = time.monotonic()
        with suppress(DamageError):
            self._find(place)
        hit = self._has(place) or self._settle(place, inputs, make)
        seconds = round(time.monotonic() - began, 3)
        manifest = self.seen.manifests[place]
        for package in self.versions:
            self.made_with.setdefault(package, set()).add(manifest.versions.get(package, UNKNOWN))
        facts = dict(manifest.facts)
        self.emit(StageEnded(stage, key[:16], hit, seconds, facts))
        return place, facts

    def has(self, stage: str, inputs: Mapping[str, Any]) -> bool:
        """Whether the artifact is there and whole, so that `folder` would find it."""
        place = self.root / stage / digest({"stage": stage, "version": VERSIONS[stage], "inputs": inputs})
        with suppress(DamageError):
            self._find(place)
        return self._has(place)

    def facts(self, place: Path) -> Facts:
        """What is told of a finished artifact."""
        return dict(self._manifest(place).facts)

    def require_weights(self, place: Path) -> None:
        """WeightsGoneError where `place` is an artifact of this store without its weights."""
        if self._releasable(place) and weights_gone(place, self._manifest(place)):
            self.seen.needed.add(place)
            raise WeightsGoneError(place)

    def release_weights(self, place: Path, *, remove: bool = True) -> None:
        """Need the weights of an artifact no longer; with `remove` they go, unless another living run needs them."""
        if not self._releasable(place) or place in self.seen.needed:  # nothing is made three times
            return
        self.seen.uses.done(self.root, _name(place))
        with suppress(OSError), counting(self.root):
            if remove and not in_use(self.root).get(_name(place)):
                for file in weights(place, self._manifest(place)):
                    file.unlink(missing_ok=True)

    def _releasable(self, place: Path) -> bool:
        return place.parent in (self.root / stage for stage in RELEASABLE)

    def _manifest(self, place: Path) -> Manifest:
        return self.seen.manifests.get(place) or read_manifest(place)

    def _has(self, place: Path) -> bool:
        manifest = self.seen.manifests.get(place)
        if manifest is None or not (place / META).is_file():
            return False
        return place not in self.seen.needed or not weights_gone(place, manifest)

    def _find(self, place: Path) -> None:
        """Look at an artifact that this run has not seen; DamageError where it must not be used."""
        if self._has(place):
            return
        self.seen.uses.add(self.root, _name(place))  # before the look: what was told is not removed behind our back
        old = self.fresh and not (place.exists() and place.stat().st_mtime > self.seen.since)
        manifest = None if old else check(place)
        if manifest is not None:
            self.seen.manifests[place] = manifest
            with suppress(OSError):
                os.utime(place / META)

    def _settle(self, place: Path, inputs: Mapping[str, Any], make: Make) -> bool:
        """Wait for another process that makes the artifact (True), or make it here (False)."""
        if only_looks() and place not in self.seen.needed:  # what is needed again, its first maker may not know of
            raise BusyError(_name(place))
        with ExitStack() as held:
            with self._writing():
                held.enter_context(locked(key_lock(self.root, _name(place)), f"{place.parent.name} {place.name[:12]}"))
                restore_folder(place)
            try:
                self._find(place)
            except DamageError as damage:
                self._put_away(place, damage)
            if self._has(place):
                return True
            self._make(place, inputs, make)
            return False

    def _writing(self, *files: Path) -> AbstractContextManager[None]:
        other = "give another `store`" if in_python() else "set UXLA_CACHE to another folder"
        remedy = f"free space there, or {other}, and run again: finished work is kept"
        return writing(self.root, remedy, *files)

    def _put_away(self, place: Path, damage: DamageError) -> None:
        with self._writing():
            moved = set_aside(self.root, place)
        self.emit(Damaged(place.parent.name, place.name[:16], str(damage), str(moved)))
        progress.note(f"{place}: damaged ({damage}); set aside as {moved} and made again")

    def _make(self, place: Path, inputs: Mapping[str, Any], make: Make) -> None:
        unfinished, scratch = self.root / "unfinished" / _name(place), self.root / "scratch" / _name(place)
        if self.fresh:
            shutil.rmtree(scratch, ignore_errors=True)
        try:
            with ExitStack() as until_in_place:
                files = unfinished, scratch, place
                with self._writing(*files), atomic_folder(place, unfinished=unfinished) as into:
                    scratch.mkdir(parents=True, exist_ok=True)
                    facts = make(into, scratch)
                    until_in_place.enter_context(signals.postponed())
                    with self._writing():
                        manifest = finish(into, inputs, facts, self.versions)
                    with suppress(DamageError):
                        if check(place) == manifest and not weights_gone(place, manifest):  # others may be reading it
                            shutil.rmtree(into)
                            with suppress(OSError):
                                os.utime(place)
                self.seen.manifests[place] = manifest
                shutil.rmtree(scratch, ignore_errors=True)
        finally:
            with suppress(OSError):  # what is in it is for the next attempt
                scratch.rmdir()


@contextmanager
def reading(place: Path) -> Iterator[None]:
    """Inside the block, a file of the artifact at `place` that cannot be read is an ArtifactError with the remedy."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ArtifactError(f"{place}: the artifact is damaged ({error}); run again to rebuild it") from error


def default_root() -> Path:
    """`$UXLA_CACHE`, else `uxla` in the user's cache folder."""
    if chosen := os.environ.get("UXLA_CACHE"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uxla"


def _name(place: Path) -> str:
    return f"{place.parent.name}-{place.name}"
