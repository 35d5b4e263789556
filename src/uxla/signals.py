"""Signals that end a command: a write that has begun is finished, then the work ends."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """A signal of a scheduler: like Ctrl-C, but the command ends with a code that says to repeat it."""


class _State:
    holders = 0
    second_at_once = True
    waiting: int | None = None
    """A signal that waits for the end of a postponed block."""
    raised: int | None = None
    """A signal that was raised; Python drops what is raised in `__del__` and some callbacks, so `check` repeats it."""


_SCHEDULERS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
"""What schedulers send before they end a job, each a different one."""


@contextmanager
def handling(*, second_at_once: bool = True) -> Iterator[None]:
    """Inside the block SIGINT is a KeyboardInterrupt, and what schedulers send is Terminated: at once, or after a
    `postponed` block, for which a second signal does not wait unless `second_at_once` is off.

    Where Python drops the exception, the next `check` or the end of a postponed block raises it again.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    at_once, _State.second_at_once = _State.second_at_once, second_at_once
    before = {number: signal.signal(number, _handle) for number in (signal.SIGINT, *_SCHEDULERS)}
    report = sys.unraisablehook
    sys.unraisablehook = lambda dropped: None if issubclass(dropped.exc_type, KeyboardInterrupt) else report(dropped)
    try:
        yield
    finally:
        sys.unraisablehook = report
        _State.second_at_once = at_once
        for number, handler in before.items():
            signal.signal(number, handler)
        _State.waiting = _State.raised = None


@contextmanager
def with_message(text: str) -> Iterator[None]:
    """A signal that ends the block carries `text`: what is left of the work, and what to do."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise type(error)(text) from None


def check() -> None:
    """Raise again a signal whose exception was dropped; inside a `postponed` block its end does."""
    if _State.raised is not None and _State.holders == 0:
        _interrupt(_State.raised)


@contextmanager
def postponed() -> Iterator[None]:
    """A first signal inside the block takes effect at its end; a second one at once, unless `handling` says otherwise.

    In another thread than the main one, which no signal reaches, the block changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _State.holders += 1
    try:
        yield
    finally:
        _State.holders -= 1
    if _State.holders == 0 and _State.waiting is not None:
        _interrupt(_State.waiting)
    check()


def pending() -> bool:
    """Whether a signal waits for the end of a `postponed` block."""
    return _State.waiting is not None or _State.raised is not None


def _handle(number: int, frame: FrameType | None) -> None:
    if _State.holders and (_State.waiting is None or not _State.second_at_once):
        _State.waiting = number
    else:
        _interrupt(number)


def _interrupt(number: int) -> None:
    _State.waiting, _State.raised = None, number
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated
