"""Work that does not depend on other work, and who does it: the executor of a run, which `independent` hands it to.

A job is a function and one item, both of which can be pickled: values and handles, never models in memory. What comes
of it is a small value, mostly a handle, or in the store. So the same job can be done here, in a process of another
device, or elsewhere.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from uxla.errors import UxlaError, spelling
from uxla.store.locks import BusyError, waiting

Item = TypeVar("Item")
Result = TypeVar("Result")


class Executor(Protocol):
    """Calls a function on several items. The calls are independent, and may be repeated.

    Whatever the order, the thread or the process in which the calls are made, the results are the same bytes. A call
    that raises `BusyError` waits for another run: it should be made again later.
    """

    def map(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterable[Result]:
        """The function's results, in the order of the items."""


@dataclass(frozen=True)
class Serial:
    """One after the other, in this process. What another run is doing is put off to the end.

    >>> list(Serial().map(len, ["a", "bc"]))
    [1, 2]
    """

    def map(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        """The function's results, in the order of the items; each item is asked for when its turn comes."""
        rest = iter(items)
        for item in rest:
            if found := _tried(function, item):
                yield found[0]
                continue
            others = [(other, _tried(function, other)) for other in rest]
            yield function(item)
            for other, found in others:
                yield found[0] if found else function(other)


def _tried(function: Callable[[Item], Result], item: Item) -> list[Result]:
    """The result, or nothing where another run is at it."""
    try:
        with waiting(False):
            return [function(item)]
    except BusyError:
        return []


_CURRENT: ContextVar[Executor | None] = ContextVar("executor", default=None)
"""None: in this process."""
_SERIAL = Serial()


@contextmanager
def executing(executor: Executor) -> Iterator[None]:
    """Inside the block, independent work is given to `executor`."""
    token = _CURRENT.set(executor)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def in_job() -> bool:
    """Whether this is a part of a job, which is done by one device."""
    return isinstance(_CURRENT.get(), Serial)


def in_turn() -> bool:
    """Whether independent work is done here, one after the other."""
    return isinstance(_CURRENT.get() or _SERIAL, Serial)


def independent(function: Callable[[Item], Result], items: Iterable[Item], /, *, devices: int = 1) -> Iterable[Result]:
    """The function's results on items that do not depend on each other, in their order.

    Each job has so many `devices`: that which does it, and others for `call_others`.
    """
    doing: Any = (_CURRENT.get() or _SERIAL).map
    several = {} if devices == 1 or in_turn() else {"devices": devices}
    found: Iterable[Result] = doing(partial(_job, function), items, **several)
    return found


_OTHERS: ContextVar[Callable[[list[bytes]], None] | None] = ContextVar("others", default=None)


@contextmanager
def others_called_by(send: Callable[[list[bytes]], None]) -> Iterator[None]:
    """Inside the block, calls of `call_others` are handed to `send`, pickled."""
    token = _OTHERS.set(send)
    try:
        yield
    finally:
        _OTHERS.reset(token)


def call_others(function: Callable[[Item], Any], items: Sequence[Item]) -> None:
    """Have the other devices of this job call the function, each with one item; they go on when this returns.

    If one of the calls fails, so does the job. What the calls give is lost. UxlaError where nothing hands out jobs.
    """
    send = _OTHERS.get()
    if send is None:
        raise UxlaError("devices_per_training: only the processes of `devices` can share a training; give 1")
    send([pickle.dumps((partial(_job, function), item, spelling())) for item in items])


def beforehand(function: Callable[[Item], Any], items: Iterable[Item], is_done: Callable[[Item], bool]) -> None:
    """Do work whose results will be looked for in the store: now and side by side, if this process is not alone.

    All items are handed out or, where all are done, none: so their numbers do not depend on what is done.
    """
    if not in_turn() and not all(map(is_done, every := list(items))):
        deque(independent(partial(_unless_done, function, is_done), every), maxlen=0)


def _unless_done(function: Callable[[Item], Any], is_done: Callable[[Item], bool], item: Item) -> None:
    """Do the work; what comes of it is in the store."""
    if not is_done(item):
        function(item)


def side_by_side(
    function: Callable[[Item], Result], items: Iterable[Item], work: Callable[[Item], int] = lambda item: 0, /
) -> Iterable[Result]:
    """As `independent`, for functions that only hand out jobs: they stay in this process, each in its thread.

    Jobs of items with more `work`, in any unit, begin first. What they emit comes in the order of the items. Another
    package's executor does one after the other.
    """
    together = getattr(_CURRENT.get(), "together", None)
    return map(function, items) if together is None else together(function, items, work)


def _job(function: Callable[[Item], Result], item: Item) -> Result:
    with executing(_SERIAL):
        return function(item)
