"""How many CPU threads torch computes with, and how many cores are idle."""

from __future__ import annotations

import os
import re
import time
from functools import cache
from pathlib import Path
from typing import Literal

from joblib import cpu_count  # type: ignore[import-untyped]

from uxla import progress
from uxla.errors import assignment
from uxla.phrases import counted

_WATCHED = 0.2
"""Seconds in which the cores are watched."""
_ALMOST = 0.25
"""A core that is busy for less than this share of the time counts as idle."""


def cpu_threads(asked: int | Literal["auto"] | None) -> int | None:
    """The number of threads for `asked`; None where OMP_NUM_THREADS has told it to torch already.

    It tells a number, or one for each level. Anything else there OpenMP passes over, and so does this.
    `auto` is one for each core that is idle now. None is one: sums over another number of threads differ in their last
    bits, and the same seed has to give the same bytes on a busy machine and an idle one.
    """
    if isinstance(asked, int):
        return asked
    if re.fullmatch(r"[1-9][0-9]*(,[0-9]+)*", os.environ.get("OMP_NUM_THREADS", "").strip()):
        return None
    return _free_choice(asked)


@cache
def _free_choice(asked: Literal["auto"] | None) -> int:
    idle, cores = idle_cores(), usable_cores()
    if asked == "auto":
        progress.note(f"CPU threads: {idle}, since {_are_idle(idle, cores)}")
        return idle
    if idle > 1:
        more = f"{assignment('threads', 'auto')} uses them and changes last digits"
        progress.note(f"CPU threads: 1, and {_are_idle(idle, cores)}; {more}")
    return 1


def _are_idle(idle: int, cores: int) -> str:
    return f"{idle} of {counted(cores, 'core')} {'is' if idle == 1 else 'are'} idle"


def usable_cores() -> int:
    """How many cores this process may use, which can be fewer than there are: of a container, or where it is pinned."""
    return int(cpu_count())


def idle_cores() -> int:
    """How many of the cores that this process may use are idle now, at least one."""
    cores = usable_cores()
    try:
        idle = _watched()
    except (AttributeError, OSError):  # macOS and Windows have no `sched_getaffinity`, some sandboxes no /proc
        idle = cores - _load()
    return max(1, min(cores, int(idle + _ALMOST)))


def _watched() -> float:
    """How many cores that this process may use were idle while they were watched."""
    before, began = _idle_seconds(), time.monotonic()
    time.sleep(_WATCHED)
    return (_idle_seconds() - before) / (time.monotonic() - began)


def _load() -> float:
    """How many cores were busy in the last minute; 0 where the system does not tell."""
    try:
        return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    except OSError:
        return 0.0


def _idle_seconds() -> float:
    """How long the cores that this process may use have been idle since the start of the machine, in all."""
    own = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    lines = [line.split() for line in Path("/proc/stat").read_text(encoding="ascii").splitlines()]
    ticks = sum(int(line[4]) + int(line[5]) for line in lines if line[0] in own)  # idle, and waiting for a disk
    return ticks / os.sysconf("SC_CLK_TCK")
