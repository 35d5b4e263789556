"""`uxla status`: where a run stands, from its journal alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from uxla.cli.options import Json
from uxla.cli.plan import duration
from uxla.errors import ArtifactError


def status(run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")], as_json: Json = False) -> None:
    """Show what a run has done, and how much is left.

    It reads the run's journal, and works while the run goes on.
    """
    from uxla.store.journal import read

    file = run / "journal.jsonl"
    if not file.is_file():
        raise ArtifactError(f"{run}: no journal.jsonl, expected a folder that `uxla run` writes to; check the path")
    events = read(file)
    if not events:
        raise ArtifactError(f"{file}: no events in it; the run has just begun, or the file is damaged")
    found = state(events, running=_is_locked(run / ".lock"))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for line in _lines(found):
        typer.echo(line)


def state(events: Sequence[Mapping[str, Any]], *, running: bool) -> dict[str, Any]:
    """What a journal says of its last start: the trainings done and left, seconds so far and left, problems."""
    starts = [place for place, event in enumerate(events) if event.get("event") == "planned"]
    last = events[starts[-1] :] if starts else events
    done = Counter(event["stage"] for event in last if event.get("event") == "stage" and not event["hit"])
    finished, planned = any(event.get("event") == "finished" for event in last), last[0] if starts else None
    seconds = max((event["at"] for event in last), default=0.0)
    left = None if planned is None else max(0, planned["trainings"] - done["fit"])
    trained = [event for event in last if event.get("event") == "training"]
    return {
        "state": "finished" if finished else "running" if running else "stopped",
        "trainings": {"done": done["fit"], "left": 0 if finished else left},
        "seconds": round(seconds, 1),
        "seconds_left": None if finished or not left or not done["fit"] else round(seconds * left / done["fit"], 1),
        "last_training": trained[-1] if trained else None,
        "problems": [event["text"] for event in events if event.get("event") in ("doubt", "warning")],
    }


def _lines(found: Mapping[str, Any]) -> list[str]:
    trainings, last = found["trainings"], found["last_training"]
    total = "" if trainings["left"] is None else f" of {trainings['done'] + trainings['left']}"
    left = "" if found["seconds_left"] is None else f", about {duration(found['seconds_left'])} left"
    lines = [f"{found['state']}: {trainings['done']}{total} trainings in {duration(found['seconds'])}{left}"]
    if found["state"] == "stopped":
        lines.append("repeat the command to resume")
    if last is not None:
        epoch = f", epoch {last['epoch']}" if last["epoch"] else ""
        score = "" if last["dev"] is None else f", dev score {last['dev']:.1f}"
        model = f", model {last['model']}" if last["model"] else ""
        lines.append(f"last training: {last['method']}{epoch}{model}{score}")
    return [*lines, *(f"problem: {text}" for text in dict.fromkeys(found["problems"]))]


def _is_locked(file: Path) -> bool:
    """Whether a living process writes to the folder."""
    from uxla.files import vacant

    if not file.exists():
        return False
    with vacant(file) as free:
        return not free
