"""Which executor a run has: one that is given, by itself or by name, or that of its devices."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from uxla import plugins
from uxla.devices import Placement, names
from uxla.errors import ConfigError
from uxla.executors.cluster import Ray, on_cluster, ray_named
from uxla.executors.devices import on_devices
from uxla.executors.executor import Executor, Serial, in_job
from uxla.executors.sharded import Sharded

Choice = Executor | Ray | str | None
"""An executor, a cluster, or a name: `serial`, `devices` (None is the same), `ray`, `ray://HOST:PORT`, `ray:local`, or
that of an executor of another package."""


def running(given: Choice, placement: Placement, *, shared: Sequence[Path] = ()) -> AbstractContextManager[Executor]:
    """What does the jobs of a run while the block lasts: within a job, and for one device, this process.

    `shared` are the folders that all machines of a cluster must see. ModelError where torch cannot use a device,
    ConfigError where no such executor can be had.
    """
    if in_job():
        return nullcontext(Serial())
    chosen = executor_of(given)
    if chosen is None or isinstance(chosen, Sharded):
        own = _of_devices(placement)
        return own if chosen is None else chosen.around(own)
    if placement.devices_per_training > 1:
        got = f"got {placement.devices_per_training}, but only the processes of `devices` share a training"
        raise ConfigError(f"devices_per_training: {got}; give 1, or leave the executor out")
    if len(names(placement.devices)) > 1:
        raise ConfigError("executor: given beside several devices, which have their own; leave one of the two out")
    return on_cluster(chosen, placement, shared) if isinstance(chosen, Ray) else nullcontext(chosen)


def executor_of(given: Choice) -> Executor | Ray | None:
    """What is given, or what has the name; None: whatever the devices ask for. ConfigError where that is nothing."""
    if given is None or not isinstance(given, str):
        return given
    if given in ("serial", "devices"):
        return Serial() if given == "serial" else None
    if given.partition(":")[0] == "ray":
        return ray_named(given)
    part = plugins.load("uxla.executors", given)
    made: Executor = part() if isinstance(part, type) else part
    if not callable(getattr(made, "map", None)):
        raise ConfigError(f"uxla.executors: {given} has no method map(function, items); fix its package")
    return made


def _of_devices(placement: Placement) -> AbstractContextManager[Executor]:
    slots = placement.slots
    if len(slots) == 1:
        return nullcontext(Serial())
    for device in sorted(set(slots) - {"cpu"}):
        from uxla.models.device import pick_device  # torch

        pick_device(device)
    return on_devices(slots, threads=placement.threads, deterministic=placement.deterministic)
