"""`uxla status`: where a run or a grid stands, from its folder alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uxla.cli.options import Json
from uxla.phrases import duration

if TYPE_CHECKING:
    from uxla.markup import Table

_STATES = ("finished", "running", "failed", "stopped", "waiting")


def status(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run, or of a grid.")],
    as_json: Json = False,
) -> None:
    """Show what a run or the runs of a grid have done, where, and how much is left.

    It reads the journals of the runs, and works from any machine that sees their folder, while they go on.
    """
    from uxla.study.status import grid_state, is_grid, run_state

    if is_grid(run):
        found = grid_state(run)
        if not as_json:
            _show_grid(found)
            return
    else:
        found = run_state(run)
    for line in [json.dumps(found, ensure_ascii=False, indent=1)] if as_json else _lines(found):
        typer.echo(line)


def _show_grid(found: Mapping[str, Any]) -> None:
    from uxla.cli.tables import show

    counts = [f"{found['counts'][state]} {state}" for state in _STATES if state in found["counts"]]
    left = "" if found["seconds_left"] is None else f"; about {duration(found['seconds_left'])} left"
    typer.echo(f"{', '.join(counts)} of {len(found['runs'])} runs{left}")
    show(_table(found["runs"]))


def _table(runs: Mapping[str, Mapping[str, Any]]) -> Table:
    from uxla.markup import Row, Table

    rows = tuple(Row((name,), (one["state"], *_cells(one))) for name, one in runs.items())
    failed = tuple(f"{name}: {one['reason']}" for name, one in runs.items() if one["reason"])
    return Table(("run",), ("state", "machine", "trainings", "time", "left"), rows, notes=failed)


def _cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    done, left = one["trainings"]["done"], one["trainings"]["left"]
    total = "" if left is None else f"{done} of {done + left}"
    times = (duration(one[key]) if one[key] else "" for key in ("seconds", "seconds_left"))
    return (one["where"] or "", total, *times)


def _lines(found: Mapping[str, Any]) -> list[str]:
    trainings, last = found["trainings"], found["last_training"]
    total = "" if trainings["left"] is None else f" of {trainings['done'] + trainings['left']}"
    left = "" if found["seconds_left"] is None else f", about {duration(found['seconds_left'])} left"
    where = "" if found["where"] is None else f" on {found['where']}"
    lines = [f"{found['state']}: {trainings['done']}{total} trainings in {duration(found['seconds'])}{where}{left}"]
    if found["state"] in ("stopped", "failed"):
        lines.append("repeat the command to resume")
    if found["reason"] is not None:
        lines.append(f"it failed: {found['reason']}")
    if last is not None:
        epoch = f", epoch {last['epoch']}" if last["epoch"] else ""
        score = "" if last["dev"] is None else f", dev score {last['dev']:.1f}"
        model = f", model {last['model']}" if last["model"] else ""
        lines.append(f"last training: {last['method']}{epoch}{model}{score}")
    return [*lines, *(f"problem: {text}" for text in dict.fromkeys(found["problems"]))]
