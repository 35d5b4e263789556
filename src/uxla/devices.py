"""Which devices of this machine a run computes on, as a user writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from uxla.choices import Device, check_choice
from uxla.errors import ConfigError

Devices = str | Sequence[str] | Mapping[str, int]
"""`auto` (all CUDA devices, or one CPU), `cuda` (all), `cpu`, `cuda:1`, a list of such CUDA devices, or `{cpu: 2}`."""

MOST = 1024
"""Processes of the CPU, and jobs of one device."""


@dataclass(frozen=True)
class Placement:
    """Where the jobs of a run are done, and with which threads."""

    devices: Devices
    jobs_per_device: int = 1
    threads: int = 1
    """Of each job, where several are done at a time."""
    deterministic: bool = False
    devices_per_training: int = 1

    @property
    def slots(self) -> tuple[str, ...]:
        """The device of each job that is done at the same time. ConfigError where they are too few for a training."""
        found = slots(self.devices, self.jobs_per_device)
        if len(found) < self.devices_per_training:
            got = f"got {self.devices_per_training}, and the run has {len(found)} ({found[0]}{' …' * (len(found) > 1)})"
            raise ConfigError(f"devices_per_training: {got}; give at most {len(found)}, or more `devices`")
        return found


_NUMBERED = re.compile(r"cuda:\d{1,3}")


def are_devices(value: object) -> bool:
    """Whether the value is of one of the kinds of `Devices`."""
    if isinstance(value, Mapping):
        return list(value) == ["cpu"] and type(value["cpu"]) is int and 1 <= value["cpu"] <= MOST
    if isinstance(value, list | tuple):
        return 0 < len(value) == len(set(map(str, value))) and all(map(_is_numbered, value))
    return value in ("auto", "cuda", "cpu") or _is_numbered(value)


def check_one(device: object) -> None:
    """ConfigError where `device` is not the device of a model: `auto`, `cpu`, `cuda`, or `cuda:1`."""
    if not _is_numbered(device):
        check_choice("device", device, Device)


def names(devices: Devices) -> tuple[str, ...]:
    """One entry for each device, as far as it can be told without a look at the machine."""
    if isinstance(devices, Mapping):
        return ("cpu",) * devices["cpu"]
    return (devices,) if isinstance(devices, str) else tuple(devices)


def kind(devices: Devices) -> str:
    """Where a model computes that has one of them: `cpu`, `cuda`, `auto`, or `cuda:1` if that is the only one."""
    named = names(devices)
    return named[0] if len(named) == 1 else named[0].partition(":")[0]


def slots(devices: Devices, jobs_per_device: int) -> tuple[str, ...]:
    """The device of each job that can be done at the same time: `cpu`, or a CUDA device with its number."""
    named = names(devices)
    if named in (("auto",), ("cuda",)):
        import torch

        found = torch.cuda.device_count() if torch.cuda.is_available() else 0
        named = tuple(f"cuda:{number}" for number in range(found)) or ("cpu" if named == ("auto",) else "cuda",)
    return tuple(name for name in named for _ in range(jobs_per_device))


def _is_numbered(value: object) -> bool:
    return isinstance(value, str) and _NUMBERED.fullmatch(value) is not None
