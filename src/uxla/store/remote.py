"""Files on any file system of fsspec: S3, Google Cloud Storage, a folder that many machines see."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from errno import ENOSYS, ENOTSUP, EOPNOTSUPP, EPERM, EROFS
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from uxla import progress
from uxla.errors import ArtifactError, ConfigError, UnreachableError, UxlaError
from uxla.store.artifacts import DamageError
from uxla.write_errors import FULL

T = TypeVar("T")

WAITS = (1, 2, 4, 8, 16, 32, 64)
"""Seconds before each next attempt, where the file system cannot be reached or gives other bytes than were written."""
_DOUBTS = 3
"""How many attempts have to find damage before it is believed: another machine may be writing the file."""
_ANOTHER = "set UXLA_STORE to another address"
_FINAL = {
    "FileNotFoundError": ("there is nothing", f"make it, or {_ANOTHER}"),
    "PermissionError": ("not permitted", "get the permission to list, read and write there"),
    "NotADirectoryError": ("not a folder", _ANOTHER),
    "FileExistsError": ("not a folder", _ANOTHER),
    "NotImplementedError": ("nothing can be written there", _ANOTHER),
    "ParamValidationError": ("no address", "set UXLA_STORE to an address such as s3://bucket/prefix"),
    "NoCredentialsError": ("no credentials", "set them, for S3 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
}
"""Errors that stay until somebody does something, also of packages that need not be installed: what they say where they
say nothing, and what to do."""
_NO_LINKS = {EPERM, ENOSYS, ENOTSUP, EOPNOTSUPP}
"""What a file system says that gives no file a second name."""
_PASSING = "see whether the network and the server work"
_EXPIRED = "renew the credentials"
_IDENTITY = "identity"
"""The file with a store's identity."""
AT_ONCE = 32
"""Requests at the same time."""


class Stored(NamedTuple):
    """A file of a shared store: its path in there, bytes, and when it was written, in seconds since 1970."""

    path: str
    size: int
    written: float


@dataclass(frozen=True)
class Remote:
    """The folder at `url`. It is opened where it is used, so that it can be pickled.

    What cannot be reached is tried again for two minutes. Then it is an UnreachableError, and at once an ArtifactError
    where no attempt can help.
    """

    url: str

    @property
    def identity(self) -> str:
        """What tells this store from an earlier one at the same address, looked up once by each process."""
        return _identity(self)

    def require(self) -> None:
        """ArtifactError where no command has made a store."""
        try:
            self.ask(lambda fs, root: fs.cat_file(f"{root}/{_IDENTITY}"))
        except FileNotFoundError as error:
            raise self.refused(FileNotFoundError("there is no store")) from error

    def renew(self) -> None:
        """Give the store another identity, so that what machines know of its content is not trusted any more."""
        self.do(lambda fs, root: fs.pipe_file(f"{root}/{_IDENTITY}", uuid4().hex.encode()))
        _identity.cache_clear()

    def files(self, folder: str) -> list[Stored]:
        """All files under a folder of the store, with one request for a thousand."""

        def files(fs: Any, root: str) -> list[Stored]:
            found = fs.find(f"{root}/{folder}", detail=True).items()
            return [Stored(path.removeprefix(f"{root}/"), info["size"] or 0, _written(info)) for path, info in found]

        return self.do(files)

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files that `files` named; one that is gone is none of them."""

        def remove(fs: Any, root: str, path: str) -> None:
            with suppress(FileNotFoundError):
                fs.rm_file(f"{root}/{path}")

        self.at_once(remove, paths)

    def check(self) -> None:
        """Write a small file and remove it, so that a fault is found before any work.

        ArtifactError where the file system refuses. A person is told where it cannot tell the first writer of a file.
        """
        if not self.do(lambda fs, root: is_conditional(self.url)):
            progress.note(f"{self.url}: it has no conditional writes; uxla compares lists of new artifacts instead")

    def at_once(self, work: Callable[[Any, str, str], T], items: Sequence[str]) -> list[T]:
        """What `work` gives for the file system, the path on it and each item, many at the same time."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return self.ask(lambda fs, root: list(threads.map(partial(work, fs, root), items)))

    def do(self, work: Callable[[Any, str], T]) -> T:
        """As `ask`, where nothing is written on this machine, so that a full disk is the store's; and a store that is
        not there is an ArtifactError."""
        try:
            return self.ask(work)
        except OSError as error:
            raise self.refused(error) from error

    def ask(self, work: Callable[[Any, str], T]) -> T:
        """What `work` gives for the file system and the path on it; what it raises of missing files and full disks."""
        doubts = 0
        for wait in (*WAITS, None):
            try:
                return work(*opened(self.url))
            except DamageError:
                doubts += 1
                if doubts == _DOUBTS or wait is None:
                    raise
            except Exception as error:  # each file system has errors of its own for a network that is away
                if isinstance(error, FileNotFoundError | ConfigError) or getattr(error, "errno", None) in FULL:
                    raise
                if wait is None or _final(error) or _expired(error):
                    raise self.refused(error) from error
                if wait == WAITS[0]:
                    progress.note(f"{self.url}: cannot be reached ({error}); trying again for two minutes")
            time.sleep(wait)
        raise AssertionError

    def refused(self, error: Exception) -> UxlaError:
        """What a person is told of an error that no further attempt mends: an UnreachableError where the same command
        may do later."""
        final = _final(error)
        said, remedy = final or ("", _EXPIRED if _expired(error) else _PASSING)
        cause = getattr(error, "strerror", None) or str(error) or said or type(error).__name__
        kind: type[UxlaError] = ArtifactError if final else UnreachableError
        return kind(f"UXLA_STORE: {self.url} cannot be used ({cause}); {remedy}, and run again: finished work is kept")


def _final(error: Exception) -> tuple[str, str] | None:
    """What an error that stays says, and what to do; None for one that may pass."""
    if (number := getattr(error, "errno", None)) in FULL:
        return _FINAL["NotImplementedError"] if number == EROFS else ("full", "free space there")
    known = [] if _expired(error) else [kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _FINAL]
    return _FINAL[known[0]] if known else None


def _expired(error: Exception) -> bool:
    """Whether S3 took the credentials once, and they have expired."""
    answer = getattr(error.__cause__, "response", None) or {}
    return bool(answer.get("Error", {}).get("Code") == "ExpiredToken")


def opened(url: str) -> tuple[Any, str]:
    """The file system of a shared store, and the store's path on it. ConfigError where there is none."""
    from fsspec.core import url_to_fs  # late: few runs have a shared store
    from fsspec.utils import get_protocol

    options = {"auto_mkdir": True} if get_protocol(url) == "file" else {}
    try:
        fs, root = url_to_fs(url, use_listings_cache=False, **options)
    except ImportError as error:
        raise ConfigError(f"UXLA_STORE: {url}: {error}; for S3: pip install 'uxla[s3]'") from error
    except ValueError as error:
        raise ConfigError(f"UXLA_STORE: {url}: {error}; expected a folder or an address such as s3://bucket") from error
    return fs, root.rstrip("/")


@cache
def is_conditional(url: str) -> bool:
    """Whether the file system lets one writer alone put a file where there is none, tried with a file of its own."""
    fs, root = opened(url)
    path = f"{root}/probes/{uuid4().hex}"
    try:
        return created(fs, path, b"1") and not created(fs, path, b"2")
    except (NotImplementedError, ValueError):
        fs.pipe_file(path, b"1")
        return False
    finally:
        with suppress(FileNotFoundError, PermissionError):  # who may write need not be one who may remove
            fs.rm_file(path)


@cache
def _identity(remote: Remote) -> str:
    def read(fs: Any, root: str) -> str:
        path = f"{root}/{_IDENTITY}"
        with suppress(FileNotFoundError):
            return str(fs.cat_file(path).decode())
        put = created if is_conditional(remote.url) else type(fs).pipe_file
        put(fs, path, uuid4().hex.encode())
        return str(fs.cat_file(path).decode())

    return remote.do(read)


def created(fs: Any, path: str, content: bytes) -> bool:
    """Whether this writer made the file; False where there was one."""
    if "file" in fs.protocol:
        return _linked(Path(path), content)
    try:
        with fs.open(path, "xb") as stream:
            stream.write(content)
    except FileExistsError:
        return False
    return True


def _linked(path: Path, content: bytes) -> bool:
    """As `created` in a folder: the file has another name until all of it is written.

    NotImplementedError where a file cannot have two names.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    writing = path.with_name(f"{path.name}-{uuid4().hex}")
    try:
        writing.write_bytes(content)
        os.link(writing, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno in _NO_LINKS and writing.exists():
            raise NotImplementedError(str(error)) from error
        raise
    finally:
        with suppress(OSError):  # who may write need not be one who may remove
            writing.unlink()
    return True


def _written(info: Mapping[str, Any]) -> float:
    """When a file was written, by what the file system says of it: each has another word. Now, where it says none."""
    words = ("LastModified", "mtime", "updated", "last_modified", "created")
    said = next((info[key] for key in words if key in info), time.time())
    said = datetime.fromisoformat(said) if isinstance(said, str) else said
    return said.timestamp() if isinstance(said, datetime) else float(said)
