"""Parts of a benchmark, each in a process of its own and with a limit of time: one that fails or hangs costs no other.

A forked process needs no imports. Whoever forks must not have touched the GPU, nor computed with several threads.
"""

import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

_FORK = multiprocessing.get_context("fork")


@dataclass
class Guarded:
    """What a part found, or why it found nothing."""

    seconds: float
    figures: dict[str, Any] = field(default_factory=dict)
    failure: str = ""


def guarded(limit: float, work: Callable[..., dict[str, Any]], *arguments: Any) -> Guarded:
    """The figures of `work(*arguments)`, which is stopped, with all processes it began, after `limit` seconds."""
    began, (here, there) = time.monotonic(), _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_part, args=(there, work, arguments))
    process.start()
    there.close()
    found: dict[str, Any] | str = f"stopped after {limit:.0f} s"
    with suppress(EOFError):
        if here.poll(limit):
            found = "its process died"
            found = here.recv()
    with suppress(ProcessLookupError):
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.join()
    seconds = time.monotonic() - began
    return Guarded(seconds, failure=found) if isinstance(found, str) else Guarded(seconds, found)


def _part(to: Connection, work: Callable[..., dict[str, Any]], arguments: Sequence[Any]) -> None:
    os.setsid()  # a group of its own: it is stopped together with its children
    try:
        found: dict[str, Any] | str = work(*arguments)
    except BaseException as error:
        traceback.print_exc()
        found = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    to.send(found)


def side_by_side(count: int, work: Callable[..., float], *arguments: Any) -> list[float]:
    """What `work(*arguments, together)` returns in each of `count` processes; `together.wait()` lets all go at once."""
    together, pipes = _FORK.Barrier(count), [_FORK.Pipe(duplex=False) for _ in range(count)]
    processes = [_FORK.Process(target=_one, args=(there, work, (*arguments, together))) for _, there in pipes]
    for process, (_, there) in zip(processes, pipes, strict=True):
        process.start()
        there.close()
    found = [here.recv() for here, _ in pipes]
    for process in processes:
        process.join()
    return found


def _one(to: Connection, work: Callable[..., float], arguments: Sequence[Any]) -> None:
    to.send(work(*arguments))
