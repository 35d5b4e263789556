"""Progress of long work: `bar` and `note` report it to the listener that `listening` sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from uxla import signals


class Bar(Protocol):
    """One running count."""

    def advance(self, amount: int = 1) -> None:
        """`amount` more units are done."""

    def stop(self) -> None:
        """The work ended, done or not."""


class Listener(Protocol):
    """Shows progress to a person. The command line installs one; a library user need not."""

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


Measure = Callable[[str, Mapping[str, float]], None]
"""Receives the label of some work and numbers about it, by name."""

_NOBODY = _Silent()
_measure: ContextVar[Measure] = ContextVar("measure", default=lambda label, values: None)
_listener: ContextVar[Listener] = ContextVar("listener", default=_NOBODY)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Send progress to `listener` inside the block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@dataclass(frozen=True)
class _Part(_Silent):
    to: Listener
    bars: bool = False
    notes: bool = False

    def start(self, label: str, total: int) -> Bar:
        return self.to.start(label, total) if self.bars else self

    def note(self, text: str) -> None:
        if self.notes:
            self.to.note(text)


def without_bars() -> AbstractContextManager[None]:
    """Inside the block work has no bars of its own: it is a part of something with a bar. Notes are shown."""
    return listening(_Part(_listener.get(), notes=True))


def without_notes() -> AbstractContextManager[None]:
    """Inside the block bars are shown, but no notes: the caller itself answers what they would advise."""
    return listening(_Part(_listener.get(), bars=True))


def silence() -> AbstractContextManager[None]:
    """Inside the block neither bars nor notes are shown, nor begun by what is called there."""
    return listening(_Silent())


def is_heard() -> bool:
    """Whether somebody listens, or has asked for silence."""
    return _listener.get() is not _NOBODY


@contextmanager
def measuring(measure: Measure) -> Iterator[None]:
    """Send numbers to `measure` inside the block."""
    token = _measure.set(measure)
    try:
        yield
    finally:
        _measure.reset(token)


def measured(label: str, **values: float) -> None:
    """Report numbers about work under way, such as the loss of a training step."""
    _measure.get()(label, values)


class Count:
    """A bar with its count so far. Each step also hears a signal whose exception was dropped."""

    def __init__(self, shown: Bar) -> None:
        self._shown, self.done = shown, 0

    def advance(self, amount: int = 1) -> None:
        """`amount` more units are done."""
        signals.check()
        self.done += amount
        self._shown.advance(amount)


_open: ContextVar[Mapping[str, Count]] = ContextVar("open", default={})  # noqa: B039 (never changed in place)


@contextmanager
def bar(label: str, total: int) -> Iterator[Count]:
    """A count from 0 to `total`, advanced by hand.

    Inside a bar of the same label it is that bar: work in parts is one bar, whose time left is that of all of it.
    """
    signals.check()
    if label in _open.get():
        yield _open.get()[label]
        return
    shown = _listener.get().start(label, total)
    token = _open.set({**_open.get(), label: Count(shown)})
    try:
        yield _open.get()[label]
    finally:
        _open.reset(token)
        shown.stop()


def started(label: str, total: int) -> Bar:
    """A bar of work that is done elsewhere; `bar` is for work done here."""
    return _listener.get().start(label, total)


def note(text: str) -> None:
    """Show one line to whoever listens."""
    _listener.get().note(text)


@cache
def note_once(text: str) -> None:
    """A note that is sent once in this process, even if the file it is about is read several times."""
    note(text)
