"""`uxla plan`: what a run will do and take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uxla.cli.options import Config, Fresh, Json, Quiet, Settings, showing_unless
from uxla.cli.tables import show
from uxla.phrases import duration

if TYPE_CHECKING:
    from uxla.config.run import RunConfig
    from uxla.markup import Table

NoProbe = Annotated[
    bool, typer.Option("--no-probe", help="Leave out hours and this process's memory: minutes to measure.")
]


def plan(
    config: Config,
    overrides: Settings = None,
    no_probe: NoProbe = False,
    fresh: Fresh = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show what a run will do: trainings, hours on this device, memory, disk.

    Work that the store already holds is left out. `uxla run … --dry-run` is the same.
    """
    from uxla.cli.checks import checked

    with showing_unless(quiet):
        settings = checked(config, overrides or [])
    show_plan(settings, probed=not no_probe, fresh=fresh, as_json=as_json, quiet=quiet)


def show_plan(settings: RunConfig, *, probed: bool, fresh: bool, as_json: bool, quiet: bool) -> None:
    """Print the plan of a configuration, as text or as JSON."""
    with showing_unless(quiet):
        from uxla import api

        found = api.plan(settings, probed=probed, fresh=fresh).as_dict()
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    show(_table(found))
    for line in _lines(found):
        typer.echo(line)


def _table(found: dict[str, Any]) -> Table:
    from uxla.markup import Figure, Row, Table

    def row(kind: str, one: dict[str, Any]) -> Row:
        figures = (f"{one[name]:,}" for name in ("to_do", "in_store", "steps", "sentences"))
        spent = "" if one["seconds"] is None else duration(one["seconds"])
        return Row((_NAMES[kind],), tuple(map(Figure, (*figures, spent))))

    rows = tuple(row(kind, one) for kind, one in found["work"].items() if one["to_do"] or one["in_store"])
    columns = ("to do", "in the store", "steps", "sentences", "time here")
    return Table(("work",), columns, rows)


_TERA = 1e12
_ELSEWHERE = 10
"""TFLOP/s of another device for which hours are told: a user multiplies by its own."""
_FASTER = 0.9
"""bf16 is offered where a run takes at most so much of its time."""
_NAMES = {
    "training": "trainings",
    "labelling": "labellings",
    "samples": "virtual sentences",
    "masked LM": "masked LM tunings",
}


def _lines(found: dict[str, Any]) -> list[str]:
    from rich.filesize import decimal

    disk = found["disk"]
    lines = []
    if found["seconds"] is not None:
        lines.append(f"time: about {duration(found['seconds'])} on this device in {found['precision']}")
        if found["operations"]:
            lines.append(_arithmetic(found["operations"] / _TERA, found["seconds"]))
        if found["memory"] is not None:
            lines.append(f"memory: {decimal(found['memory'])}")
        lines += _offers(found)
    if "gpu_memory" in found:
        memory, tokens = decimal(found["gpu_memory"]), f"{found['gpu_tokens']:,}"
        lines.append(f"memory of a GPU: about {memory} in a training, with {tokens} tokens in a forward pass")
    lines.append(
        f"disk: at most {decimal(disk['peak'])} in the store at once, {decimal(disk['store'])} when it is done, "
        f"{decimal(disk['run_folder'])} in the run folder; a model is {decimal(disk['model'])}"
    )
    if disk["checkpoint"]:
        lines.append(f"disk: {decimal(disk['checkpoint'])} more while a long training saves its checkpoint")
    for name, size in found["downloads"].items():
        lines.append(f"download: {name}, {'size unknown' if size is None else decimal(size)}; no time is estimated")
    return lines


def _arithmetic(tera: float, seconds: float) -> str:
    """What the run would take on another device, as a GPU to rent, where it is long enough to keep one busy."""
    amount = f"{tera:,.0f}" if tera >= 100 else f"{tera:.2g}"
    line, there = f"arithmetic: {amount} TFLOP, {tera / seconds:.2g} TFLOP/s here", tera / _ELSEWHERE
    return line if there < 60 else f"{line}; about {duration(there)} where {_ELSEWHERE} TFLOP/s are sustained"


def _offers(found: dict[str, Any]) -> Iterator[str]:
    """What would be faster on this machine."""
    half, idle = found["bf16_seconds"], found["idle_cores"]
    if half is not None and half < _FASTER * found["seconds"]:
        cost = "it changes some labels (docs/performance.md)"
        yield f"precision=bf16: about {duration(half)}, {found['seconds'] / half:.1f} times as fast; {cost}"
    if idle > 1:
        yield f"devices='{{cpu: {idle}}}': {idle} cores are idle; as many processes give the same results sooner"
