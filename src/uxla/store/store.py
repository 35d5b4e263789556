"""Finished work under the digest of its inputs, in folders that are whole or absent. To resume, run again."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from uxla import progress, signals
from uxla.errors import ConfigError, in_python
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
    full_name,
    is_same,
    read_manifest,
    set_aside,
    weights,
    weights_gone,
)
from uxla.store.locks import BusyError, counting, in_use, key_lock, locked, locks_work, only_looks
from uxla.store.seen import Seen, WeightsGoneError
from uxla.store.shared import SharedStore
from uxla.store.versions import UNKNOWN, VERSIONS, current_versions
from uxla.write_errors import writing

Make = Callable[[Path, Path], Mapping[str, Any]]


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
    shared: str | None = None
    """The address of a store that many machines use: what it has is not made here, what is made here goes there."""
    versions: Mapping[str, str] = field(default_factory=current_versions, repr=False, compare=False)
    made_with: dict[str, set[str]] = field(default_factory=dict, repr=False, compare=False)
    """The versions that made what was asked for, found or made, by package."""

    if TYPE_CHECKING:  # `root` may be a str, of which a Path is made

        def __init__(
            self, root: str | Path, emit: Emit = ..., fresh: bool = ..., seen: Seen = ..., shared: str | None = ...
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", path(self.root, "store"))
        if self.shared and self.fresh:
            raise ConfigError(f"fresh: {self.shared} keeps the first result of all work; name another shared store")

    def folder(self, stage: str, inputs: Mapping[str, Any], make: Make) -> tuple[Path, Facts]:
        """The artifact's folder and what `make` told about it; made only if it is not there yet, whole.

        `make(into, scratch)` fills the empty folder `into`, which is renamed into place when all of it is on the disk.
        What it leaves in the folder `scratch` is there when the same work is begun again after an interruption, and is
        removed when the work is done. A damaged artifact is named, set aside and made again. Every call is an
        event that says whether the work was done (`hit: false`) or found. ArtifactError where the store
        cannot be written, or an artifact not be looked at; whatever else `make` raises comes out as it is.
        """
        place = self._place(stage, inputs)
        began = time.monotonic()
        hit = self._is_here(place) or self._settle(place, inputs, make)
        if self.shared:
            self._publish(place, self.shared)
        manifest = self.seen.manifests[place]
        for package in self.versions:
            self.made_with.setdefault(package, set()).add(manifest.versions.get(package, UNKNOWN))
        facts = dict(manifest.facts)
        self.emit(StageEnded(stage, place.name[:16], hit, round(time.monotonic() - began, 3), facts))
        return place, facts

    def has(self, stage: str, inputs: Mapping[str, Any]) -> bool:
        """Whether the artifact is there and whole, so that `folder` would find it."""
        return self.finished(stage, [inputs])[0]

    def finished(self, stage: str, inputs: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Which of many artifacts are there and whole. What is not here is asked for in the shared store's records."""
        places = [self._place(stage, one) for one in inputs]
        found = {place.name for place in places if self._is_here(place)}
        if self.shared and (absent := [place.name for place in places if place.name not in found]):
            found |= SharedStore.at(self.shared).having(stage, absent)
        return [place.name in found for place in places]

    def facts(self, place: Path) -> Facts:
        """What is told of a finished artifact."""
        return dict(self._manifest(place).facts)

    def require_weights(self, place: Path) -> None:
        """WeightsGoneError where `place` is an artifact of this store without its weights. Those that a shared store
        has are copied from there, as is an artifact that is not here at all."""
        gone = self._releasable(place) and weights_gone(place, self._manifest(place))
        missing = self.shared and place.parents[1] == self.root and not place.exists()
        if (gone or missing) and not self._fetched(place) and gone:
            self.seen.needed.add(place)
            raise WeightsGoneError(place)

    def release_weights(self, place: Path, *, remove: bool = True) -> None:
        """Need the weights of an artifact no longer; with `remove` they go, unless another living run needs them."""
        if not self._releasable(place) or place in self.seen.needed:  # nothing is made three times
            return
        self.seen.uses.done(self.root, full_name(place))
        with suppress(OSError), counting(self.root):
            if remove and locks_work(self.root) and not in_use(self.root).get(full_name(place)):
                for file in weights(place, self._manifest(place)):
                    file.unlink(missing_ok=True)

    def _releasable(self, place: Path) -> bool:
        return place.parent in (self.root / stage for stage in RELEASABLE)

    def _place(self, stage: str, inputs: Mapping[str, Any]) -> Path:
        return self.root / stage / digest({"stage": stage, "version": VERSIONS[stage], "inputs": inputs})

    def _manifest(self, place: Path) -> Manifest:
        if place not in self.seen.manifests and not place.exists():
            self._fetched(place, whole=False)
        return self.seen.manifests.get(place) or read_manifest(place)

    def _has(self, place: Path) -> bool:
        manifest = self.seen.manifests.get(place)
        if not (manifest and (place / META).is_file()):
            return False
        return place not in self.seen.needed or not weights_gone(place, manifest)

    def _is_here(self, place: Path) -> bool:
        if place.exists():
            with suppress(DamageError):
                self._find(place)
        return self._has(place)

    def _find(self, place: Path) -> None:
        """Look at an artifact that this run has not seen; DamageError where it must not be used."""
        if self._has(place):
            return
        self.seen.uses.add(self.root, full_name(place))  # before the look: what was told is not removed behind our back
        old = self.fresh and not (place.exists() and place.stat().st_mtime > self.seen.since)
        if not old and (manifest := check(place)) is not None:
            self.seen.manifests[place] = manifest
            with suppress(OSError):
                os.utime(place / META)

    def _settle(self, place: Path, inputs: Mapping[str, Any], make: Make) -> bool:
        """Wait for another process that makes the artifact (True), or make it here (False)."""
        needed = place in self.seen.needed  # which its first maker may not know of
        if only_looks() and not (needed or self._fetched(place, whole=False)):
            raise BusyError(full_name(place))
        with self._locked(place):
            try:
                self._find(place)
            except DamageError as damage:
                self._put_away(place, damage)
            if self._has(place) or self._fetch(place, whole=needed):
                return True
            self._make(place, inputs, make)
            return False

    def _fetched(self, place: Path, *, whole: bool = True) -> bool:
        """Whether an artifact of the shared store is here now, with `whole` also its weights."""
        if not self.shared:
            return False
        with self._locked(place, always_waits=not only_looks()):
            if self._is_here(place) and not (whole and weights_gone(place, self._manifest(place))):
                return True
            return self._fetch(place, whole=whole)

    def _fetch(self, place: Path, *, whole: bool) -> bool:
        """As `_fetched`, with the lock held."""
        if not self.shared:
            return False
        shared, unfinished = SharedStore.at(self.shared), self._own("unfinished", place)
        whole |= not self._releasable(place)
        try:
            if (record := shared.record(place)) is None:
                return False
            with self._writing(unfinished, place), atomic_folder(place, unfinished=unfinished, unless=is_same) as into:
                self.seen.manifests[place] = shared.download(place, record, into, whole=whole)
        except DamageError as damage:
            self.seen.damaged.add(place)
            progress.note(f"{self.shared}: {place.parent.name} {place.name}: {damage}; made again")
            return False
        return True

    def _publish(self, place: Path, shared: str) -> None:
        SharedStore.at(shared).publish(place, self._manifest(place), replace=place in self.seen.damaged)
        self.seen.damaged.discard(place)

    @contextmanager
    def _locked(self, place: Path, *, always_waits: bool = False) -> Iterator[None]:
        lock, what = key_lock(self.root, full_name(place)), f"{place.parent.name} {place.name[:12]}"
        with ExitStack() as held:
            with self._writing():
                held.enter_context(locked(lock, what, always_waits=always_waits))
                restore_folder(place)
            yield

    def _own(self, kind: str, place: Path) -> Path:
        """A folder for work on an artifact, which the next attempt finds; without locks one for this attempt alone."""
        return self.root / kind / (full_name(place) if locks_work(self.root) else f"{full_name(place)}-{uuid4().hex}")

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
        unfinished, scratch = self._own("unfinished", place), self._own("scratch", place)
        if self.fresh:
            shutil.rmtree(scratch, ignore_errors=True)
        try:
            with ExitStack() as until_in_place:
                filling = atomic_folder(place, unfinished=unfinished, unless=is_same)  # others may be reading it
                with self._writing(unfinished, scratch, place), filling as into:
                    scratch.mkdir(parents=True, exist_ok=True)
                    facts = make(into, scratch)
                    until_in_place.enter_context(signals.postponed())
                    with self._writing():
                        manifest = finish(into, inputs, facts, self.versions)
                with suppress(OSError):
                    os.utime(place)  # where it stayed, too
                self.seen.manifests[place] = manifest
                shutil.rmtree(scratch, ignore_errors=True)
        finally:
            with suppress(OSError):  # what is in it is for the next attempt
                scratch.rmdir()
