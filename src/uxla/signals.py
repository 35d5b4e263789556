"""SIGINT and SIGTERM: the write under way is finished, then the work ends; running again goes on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM: like Ctrl-C, but the command ends with 143."""


class _State:
    holders = 0
    waiting: int | None = None


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def handling() -> Iterator[None]:
    """Inside the block the two signals are KeyboardInterrupt and Terminated, at once or when `held` work is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _State.waiting = None


@contextmanager
def held() -> Iterator[None]:
    """A first signal inside the block takes effect at its end; a second one at once."""
    _State.holders += 1
    try:
        yield
    finally:
        _State.holders -= 1
    if _State.holders == 0 and _State.waiting is not None:
        _interrupt(_State.waiting)


def pending() -> bool:
    """Whether a signal waits for `held` work to end."""
    return _State.waiting is not None


def _handle(number: int, frame: FrameType | None) -> None:
    if _State.holders and _State.waiting is None:
        _State.waiting = number
    else:
        _interrupt(number)


def _interrupt(number: int) -> None:
    _State.waiting = None
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt
