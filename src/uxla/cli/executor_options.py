"""The options that say who does the work of a command."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from uxla.errors import ConfigError

if TYPE_CHECKING:
    from uxla.executors.choice import Choice

ExecutorName = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="serial|devices|ray|ray://HOST:PORT|ray:local|NAME",
        help="Who does independent work: this process, a process for each device, a Ray cluster, or an executor of "
        "another package. Default: devices.",
    ),
]
PartsExecutor = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="serial|ray|ray://HOST:PORT|ray:local|NAME",
        help="Who does the parts of the file: this process, a Ray cluster, or an executor of another package. "
        "Default: serial.",
    ),
]
"""Of a command that computes on one device."""
UnitHours = Annotated[
    float | None,
    typer.Option(min=1e-6, help="With --executor ray: hours after which a unit of work is stopped and begun again."),
]


def chosen_executor(name: str | None, unit_hours: float | None, *, one_device: bool = False) -> Choice:
    """The executor of the two options. ConfigError where there is none of this name, or no cluster to have a limit."""
    if one_device and name == "devices":
        raise ConfigError("--executor devices: this command computes on one --device; leave it out, or give ray")
    from uxla.executors.choice import executor_of
    from uxla.executors.cluster import Ray

    chosen = executor_of(name)
    if unit_hours is None:
        return chosen
    if not isinstance(chosen, Ray):
        raise ConfigError(f"--unit-hours {unit_hours:g}: only a cluster has a limit; give --executor ray too")
    return replace(chosen, unit_hours=unit_hours)
