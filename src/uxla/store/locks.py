"""Locks of the store: one for each key, and one for each running command with the list of artifacts that it uses.

All of them are locks of the system on open files, which die with their process: none is ever stale.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from filelock import FileLock, Timeout

from uxla import progress
from uxla.files import vacant

_DONE = " done"
"""What stands behind a name whose weights the run needs no longer."""

PATIENCE = 1.0
"""Seconds of waiting after which a person is told."""


class BusyError(Exception):
    """Another run, or another job of this one, is doing the work: something else may be done meanwhile."""


_WAITS: ContextVar[bool] = ContextVar("waits", default=True)


@contextmanager
def waiting(wanted: bool) -> Iterator[None]:
    """Whether work that another run is doing is waited for inside the block; else it is a BusyError."""
    token = _WAITS.set(wanted)
    try:
        yield
    finally:
        _WAITS.reset(token)


_LOOKS: ContextVar[bool] = ContextVar("looks", default=False)


@contextmanager
def looking() -> Iterator[None]:
    """Inside the block nothing is made or waited for: finished work is found, and what is not is a BusyError."""
    token = _LOOKS.set(True)
    try:
        with waiting(False):
            yield
    finally:
        _LOOKS.reset(token)


def only_looks() -> bool:
    """Whether finished work is looked for, and nothing made."""
    return _LOOKS.get()


@contextmanager
def locked(path: Path, what: str, *, always_waits: bool = False) -> Iterator[None]:
    """Hold the lock `path`, waiting for whoever has it; BusyError instead where nobody waits (`waiting`), unless it
    `always_waits`. Raises OSError where there can be no lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not locks_work(path.parents[1]):
        yield
        return
    lock, waits = FileLock(path, fallback_to_soft=False), always_waits or _WAITS.get()
    try:
        lock.acquire(timeout=PATIENCE if waits else 0)
    except Timeout:
        if not waits:
            raise BusyError(what) from None
        progress.note(f"{what}: another run is working on it; waiting for it to finish")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


_TRIED: dict[int, bool] = {}
"""By file system whether its locks work."""
_PROBE = """
import fcntl, sys
try:
    fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit(75)
"""


def locks_work(root: Path) -> bool:
    """Whether a file that one process has locked is locked for another one, tried once on each file system.

    A person is told where it is not. What other machines see of a lock, this does not tell. Raises OSError.
    """
    folder = root / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    device = folder.stat().st_dev
    if device not in _TRIED:
        _TRIED[device] = os.name != "posix" or _excludes(folder / f"{uuid.uuid4().hex}.probe")
        if not _TRIED[device]:
            progress.note(
                f"{root}: file locks have no effect there; results stay right, but runs at the same time may do the "
                "same work, training resumes from no checkpoint, and nothing is removed"
            )
    return _TRIED[device]


def _excludes(file: Path) -> bool:
    with vacant(file):
        found = subprocess.run([sys.executable, "-I", "-S", "-c", _PROBE, str(file)], stderr=subprocess.DEVNULL)
    with suppress(OSError):
        file.unlink()
    return found.returncode == 75


def key_lock(root: Path, name: str) -> Path:
    """The lock of the work whose artifact is `name`, as `fit-KEY`."""
    return root / "locks" / f"{name}.lock"


@contextmanager
def counting(root: Path) -> Iterator[None]:
    """Inside the block no run can begin to use an artifact, so that whatever `in_use` does not name may be removed."""
    with locked(root / "locks" / "uses.lock", "the store", always_waits=True):
        yield


class Uses:
    """Tells `uxla cache gc` what this run has used, in a file that is locked for as long as the object lives.

    In another process it adds to the same file, where there is one: what jobs use, their run uses.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lock: FileLock | None = None

    def add(self, root: Path, name: str) -> None:
        """Protect `name` from removal. A store that cannot be written needs none: nobody can remove anything there."""
        self._write(root, name)

    def done(self, root: Path, name: str) -> None:
        """Protect the weights of `name` no longer, but the rest of it."""
        self._write(root, f"{name}{_DONE}")

    def _write(self, root: Path, line: str) -> None:
        with suppress(OSError), counting(root):
            if not locks_work(root):
                return
            if self._file is None:
                self._lock = _register(root)
                self._file = Path(self._lock.lock_file)
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(f"{line}\n")

    def __reduce__(self) -> tuple[type[Uses], tuple[Path | None]]:
        return Uses, (self._file,)


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
    lock = FileLock(path, thread_local=False, fallback_to_soft=False)
    lock.acquire(blocking=False)
    return lock


def _running(root: Path) -> list[Path]:
    return sorted((root / "running").glob("*"))
