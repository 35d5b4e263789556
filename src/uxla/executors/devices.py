"""A process for each device of this machine."""

from __future__ import annotations

from collections.abc import Sequence

from uxla.executors.pool import Pool
from uxla.executors.side_by_side import SideBySide
from uxla.executors.worker import Surroundings


def on_devices(devices: Sequence[str], *, threads: int = 1, deterministic: bool = False) -> SideBySide:
    """Does jobs side by side, in a process for each of `devices`: `cpu`, `cuda:0`, …; one that is named twice has two.

    A job whose process dies is done again, once. `threads` are those of each process.
    """

    def begin() -> Pool:
        return Pool(devices, Surroundings.of_this_process(threads, deterministic=deterministic))

    return SideBySide(begin)
