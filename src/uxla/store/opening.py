"""The store of a command: where the environment says."""

from __future__ import annotations

import os
from pathlib import Path

from uxla.errors import ConfigError
from uxla.events import Emit, unheard
from uxla.store.remote import Remote
from uxla.store.seen import Seen
from uxla.store.store import Store


def open_store(emit: Emit = unheard, *, fresh: bool = False, seen: Seen | None = None) -> Store:
    """The store at `default_root`, and behind it the shared one of `$UXLA_STORE`, if there is one.

    ConfigError or ArtifactError where that cannot be used.
    """
    store = Store(default_root(), emit, fresh, seen or Seen(), shared_url())
    if store.shared:
        Remote(store.shared).check()
    return store


def default_root() -> Path:
    """`$UXLA_CACHE`, else `uxla` in the user's cache folder."""
    if chosen := os.environ.get("UXLA_CACHE"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uxla"


def shared_url() -> str | None:
    """`$UXLA_STORE`: the address of a store that many machines share, such as `s3://bucket/prefix`; a folder as an
    absolute path. ConfigError for anything else."""
    url = os.environ.get("UXLA_STORE") or None
    if url is None or "://" in url:
        return url
    folder = os.path.expanduser(url)
    if not os.path.isabs(folder):
        raise ConfigError(
            f"UXLA_STORE: got {url!r}, expected an address such as s3://bucket/prefix or an absolute path of a folder"
        )
    return os.path.abspath(folder)
