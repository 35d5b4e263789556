"""What a run did, one JSON line an event."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from uxla.events import Event
from uxla.write_errors import writing

JOURNAL = "journal.jsonl"
"""The name of a run's journal, in its folder."""


class Journal:
    """Writes events to a file: each one's name, the seconds since the run began, and its facts.

    Nothing is written before `open`, so that a run refused for its input leaves no folder behind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.started = time.monotonic()
        self._waiting: list[str] | None = []

    def __call__(self, event: Event) -> None:
        """Append one event."""
        if not event.in_journal:
            return
        event_line = {"event": event.name, "at": round(time.monotonic() - self.started, 3), **event.facts}
        line = json.dumps(event_line, ensure_ascii=False) + "\n"
        if self._waiting is None:
            self._append(line)
        else:
            self._waiting.append(line)

    @property
    def is_open(self) -> bool:
        """Whether it has a file."""
        return self._waiting is None

    def open(self) -> None:
        """Make the file, with every event so far; from here on each is written at once. Raises ArtifactError."""
        waiting, self._waiting = self._waiting or [], None
        self._append("".join(waiting))

    def _append(self, text: str) -> None:
        """One write, behind whatever a killed or a second process left, which keeps a line of its own."""
        with writing(self.path.parent, "free space there, or give another --out"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+", buffering=0) as stream:
                stream.write((_line_end(stream) + text).encode())


def read(path: Path) -> list[Mapping[str, Any]]:
    """All events of a journal, without lines that a kill cut off."""
    events = (_parsed(line) for line in path.read_bytes().split(b"\n"))
    return [event for event in events if isinstance(event, dict)]


def _line_end(stream: BinaryIO) -> str:
    """A line end where the last line of the file has none."""
    if stream.seek(0, os.SEEK_END) == 0:
        return ""
    stream.seek(-1, os.SEEK_END)
    return "" if stream.read(1) == b"\n" else "\n"


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
