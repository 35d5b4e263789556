"""Locks of the store: one for each key, and one for each running command with the list of artifacts that it uses.

All of them are locks of the system on open files, which die with their process: none is ever stale.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from uxla import progress
from uxla.files import vacant

_DONE = " done"
"""What stands behind a name whose weights the run needs no longer."""

PATIENCE = 1.0
"""Seconds of waiting after which a person is told."""


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold the lock `path`, waiting for whoever has it; raises OSError where there can be no lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout:
        progress.note(f"{what}: another run is working on it; waiting for it to finish")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def key_lock(root: Path, name: str) -> Path:
    """The lock of the work whose artifact is `name`, as `fit-KEY`."""
    return root / "locks" / f"{name}.lock"


@contextmanager
def counting(root: Path) -> Iterator[None]:
    """Inside the block no run can begin to use an artifact, so that whatever `in_use` does not name may be removed."""
    with locked(root / "locks" / "uses.lock", "the store"):
        yield


class Uses:
    """Tells `uxla cache gc` what this run has used, in a file that is locked for as long as the object lives."""

    def __init__(self) -> None:
        self._lock: FileLock | None = None

    def add(self, root: Path, name: str) -> None:
        """Protect `name` from removal. A store that cannot be written needs none: nobody can remove anything there."""
        self._write(root, name)

    def done(self, root: Path, name: str) -> None:
        """Protect the weights of `name` no longer, but the rest of it."""
        self._write(root, f"{name}{_DONE}")

    def _write(self, root: Path, line: str) -> None:
        with suppress(OSError), counting(root):
            if self._lock is None:
                self._lock = _register(root)
            with Path(self._lock.lock_file).open("a", encoding="utf-8") as stream:
                stream.write(f"{line}\n")


def in_use(root: Path) -> dict[str, bool]:
    """By name all artifacts that a living run has looked at, made, or is making, and whether one still needs their
    weights; to be asked while `counting`."""
    names: dict[str, bool] = {}
    for file in _running(root):
        with vacant(file) as dead:
            if not dead:
                lines = file.read_text(encoding="utf-8").splitlines()
                last = {line.removesuffix(_DONE): not line.endswith(_DONE) for line in lines}
                names |= {name: needed or names.get(name, False) for name, needed in last.items()}
    return names


def _register(root: Path) -> FileLock:
    for file in _running(root):
        with vacant(file) as dead:
            if dead:
                file.unlink()
    path = root / "running" / f"{os.getpid()}-{uuid.uuid4().hex}"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, thread_local=False)
    lock.acquire(blocking=False)
    return lock


def _running(root: Path) -> list[Path]:
    return sorted((root / "running").glob("*"))
