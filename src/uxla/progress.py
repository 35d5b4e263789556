"""How long work tells that it is alive, without knowing who listens: `bar` reports, `listening` has a listener."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Bar(Protocol):
    """One running count."""

    def advance(self, amount: int = 1) -> None:
        """`amount` more units are done."""

    def stop(self) -> None:
        """The work ended, done or not."""


class Listener(Protocol):
    """Who shows progress to a person: the command line installs one, a library user need not."""

    def start(self, label: str, total: int) -> Bar:
        """Work of `total` units begins."""

    def note(self, text: str) -> None:
        """One line worth reading: a stage's counts, a warning."""


class _Silent:
    def start(self, label: str, total: int) -> Bar:
        return self

    def note(self, text: str) -> None:
        return

    def advance(self, amount: int = 1) -> None:
        return

    def stop(self) -> None:
        return


_listener: ContextVar[Listener] = ContextVar("listener", default=_Silent())  # noqa: B039 (no state)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Send progress to `listener` inside the block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def bar(label: str, total: int) -> Iterator[Bar]:
    """A count from 0 to `total`, advanced by hand."""
    running = _listener.get().start(label, total)
    try:
        yield running
    finally:
        running.stop()


def note(text: str) -> None:
    """Show one line to whoever listens."""
    _listener.get().note(text)
