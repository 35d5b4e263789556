"""Where runs stand, from their folders alone: of one run, of a grid, and as bars while a grid goes on."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import copy_context
from pathlib import Path
from typing import Any

from uxla import progress
from uxla.errors import ArtifactError, BeingWrittenError
from uxla.files import atomic_file, vacant
from uxla.store.journal import JOURNAL, read

RUNS = "runs.json"
"""The names of a grid's runs, in its folder."""
_WAITING: Mapping[str, Any] = {
    "state": "waiting",
    "where": None,
    "trainings": {"done": 0, "left": None},
    "seconds": 0.0,
    "seconds_left": None,
    "reason": None,
}
_EVERY = 2.0
"""Seconds between two looks at the runs of a grid."""
_BUSY = 0.05
"""Seconds until the file of a grid that another shard is writing is tried again."""


def state(events: Sequence[Mapping[str, Any]], *, running: bool) -> dict[str, Any]:
    """What a journal says of its last start: the trainings done and left, where, seconds so far and left, problems."""
    starts = [place for place, event in enumerate(events) if event.get("event") == "planned"]
    last = events[starts[-1] :] if starts else events
    done = Counter(event["stage"] for event in last if event.get("event") == "stage" and not event["hit"])
    named = {event.get("event"): event for event in last}
    finished, failed = "finished" in named, named.get("failed")
    seconds = max((event["at"] for event in last), default=0.0)
    left = max(0, named["planned"]["trainings"] - done["fit"]) if starts else None
    how = "finished" if finished else "running" if running else "stopped" if failed is None else "failed"
    return {
        "state": how,
        "where": named.get("placed", {}).get("machine"),
        "trainings": {"done": done["fit"], "left": 0 if finished else left},
        "seconds": round(seconds, 1),
        "seconds_left": None if finished or not left or not done["fit"] else round(seconds * left / done["fit"], 1),
        "last_training": named.get("training"),
        "reason": failed["text"] if how == "failed" and failed is not None else None,
        "problems": [event["text"] for event in events if event.get("event") in ("doubt", "warning")],
    }


def run_state(run: Path) -> dict[str, Any]:
    """Where the run in a folder stands. ArtifactError where no run is there."""
    file = run / JOURNAL
    if not file.is_file():
        fault = f"no {JOURNAL} and no {RUNS}, expected a folder that `uxla run` or `uxla grid` writes to"
        raise ArtifactError(f"{run}: {fault}; check the path")
    events = read(file)
    if not events:
        raise ArtifactError(f"{file}: no events in it; the run has just begun, or the file is damaged")
    return state(events, running=_is_locked(run / ".lock"))


def is_grid(folder: Path) -> bool:
    """Whether a grid has begun in the folder."""
    return (folder / RUNS).is_file()


class Runs:
    """The runs that a grid will have in its folder, and why some have failed: there for whoever asks where it stands.

    Of `shards` each tells of its own runs, and what others told stays. WriteError, with `remedy`, where that cannot be
    written.
    """

    def __init__(self, folder: Path, names: Sequence[str], remedy: str, *, shards: bool = False) -> None:
        self._file, self._remedy, self._lock = folder / RUNS, remedy, threading.Lock()
        self._faults: dict[str, str | None] = dict.fromkeys(names)
        self._shards = shards
        folder.mkdir(parents=True, exist_ok=True)
        self._write()

    def fail(self, name: str, fault: str) -> None:
        """Tell why a run has failed."""
        with self._lock:
            self._faults[name] = fault
            self._write()

    @property
    def failed(self) -> dict[str, str]:
        """Why runs have failed, by name, in the order of the grid."""
        return {name: fault for name, fault in self._faults.items() if fault is not None}

    def _write(self) -> None:
        while True:
            try:
                with atomic_file(self._file, self._remedy) as file:
                    told = json.loads(self._file.read_bytes()) if self._shards and self._file.is_file() else {}
                    faults = {name: fault or told.get(name) for name, fault in self._faults.items()}
                    file.write_text(json.dumps(faults, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
                return
            except BeingWrittenError:
                if not self._shards:
                    raise
                time.sleep(_BUSY)


def grid_state(folder: Path) -> dict[str, Any]:
    """Where each run of a grid stands, how many of them are in which state, and the seconds left where some are
    finished."""
    runs: dict[str, Mapping[str, Any]] = {}
    for name, fault in json.loads((folder / RUNS).read_bytes()).items():
        runs[name] = _WAITING if fault is None else {**_WAITING, "state": "failed", "reason": fault}
        with suppress(ArtifactError):
            runs[name] = run_state(folder / name)
    counts = Counter(one["state"] for one in runs.values())
    return {"runs": runs, "counts": dict(counts), "seconds_left": _seconds_left(runs.values())}


def _seconds_left(runs: Collection[Mapping[str, Any]]) -> float | None:
    """At the mean length of the finished runs, with as many at a time as are running."""
    lengths: list[float] = [one["seconds"] for one in runs if one["state"] == "finished"]
    running = [one for one in runs if one["state"] == "running"]
    if not lengths or not running:
        return None
    mean, waiting = float(sum(lengths)) / len(lengths), sum(one["state"] in ("waiting", "stopped") for one in runs)
    still = sum(max(0.0, mean - one["seconds"]) for one in running)
    seconds: float = (mean * waiting + still) / len(running)
    return round(seconds, 1)


@contextmanager
def shown(folder: Path, names: Sequence[str]) -> Iterator[None]:
    """While the block lasts, a bar for each run under `folder` that goes on: its name, its machine, its trainings."""
    ended = threading.Event()

    def watch() -> None:
        bars: dict[str, tuple[progress.Bar, int]] = {}
        while not ended.wait(_EVERY):
            for name in names:
                _look(folder / name, name, bars)
        for bar, _ in bars.values():
            bar.stop()

    thread = threading.Thread(target=copy_context().run, args=(watch,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _look(run: Path, name: str, bars: dict[str, tuple[progress.Bar, int]]) -> None:
    """Begin, advance or end the bar of a run, by its journal."""
    found: Mapping[str, Any] = _WAITING
    with suppress(ArtifactError, OSError):
        found = run_state(run)
    done, left = found["trainings"]["done"], found["trainings"]["left"]
    if found["state"] != "running":
        if name in bars:
            bars.pop(name)[0].stop()
        return
    if name not in bars and left is not None:
        where = "" if found["where"] is None else f" on {found['where']}"
        bars[name] = progress.started(f"{name}{where}", done + left), 0
    if name in bars:
        bar, before = bars[name]
        bar.advance(done - before)
        bars[name] = bar, done


def _is_locked(file: Path) -> bool:
    """Whether a living process writes to the folder."""
    if not file.exists():
        return False
    with vacant(file) as free:
        return not free
