"""What a run did, one JSON line an event, and how long each kind of work took."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Journal:
    """Appends to `journal.jsonl`: the event's name, the seconds since the run began, and the event's own counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.started = time.monotonic()
        self.seconds: dict[str, float] = defaultdict(float)

    def write(self, event: str, **counts: Any) -> None:
        """Append one event; `stage` with `seconds` also adds to the stage's total."""
        if event == "stage":
            self.seconds[counts["stage"]] += counts["seconds"]
        line = {"event": event, "at": round(time.monotonic() - self.started, 3), **counts}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def read(path: Path) -> list[Mapping[str, Any]]:
    """All events of a journal."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
