"""Labelled data that is given for a run, read for the run's task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uxla.corpora import read
from uxla.errors import ConfigError, setting
from uxla.records import Corpus


def read_labelled(data: Any, task: str, name: str, options: Mapping[str, Any]) -> Corpus:
    """What `uxla.read` makes of `data` with the `options`. ConfigError for an option that the run decides."""
    decided: dict[str, Any] = {"task": task, "name": name, "labelled": True}
    for key in options.keys() & decided.keys():
        raise ConfigError(f"{setting(key)}: the run decides it ({decided[key]}); leave it out")
    return read(data, **decided, **options)
