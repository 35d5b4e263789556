"""An executor whose jobs are done by others at the same time; this process hands them out and hears about them."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar, copy_context
from typing import TypeVar

from uxla.errors import spelling
from uxla.events import redirected
from uxla.executors.jobs import Job, Workers
from uxla.executors.messages import Inbox, Message, results_in_order

Item = TypeVar("Item")
Result = TypeVar("Result")

_TURN: ContextVar[int] = ContextVar("turn", default=0)
"""Which of several things that go on side by side a thread is about: the smaller, the sooner its jobs begin."""


class SideBySide:
    """Has jobs done by workers that `begin` gives: they begin with the first job and end with `close`.

    What jobs emit comes in the order of the items.
    """

    def __init__(self, begin: Callable[[], Workers]) -> None:
        self._begin = begin
        self._workers: Workers | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> SideBySide:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], /, *, devices: int = 1
    ) -> Iterator[Result]:
        """The function's results, in the order of the items, each by so many `devices`. What is raised there is raised
        here."""
        inbox, turn, how = Inbox(), _TURN.get(), spelling()
        calls = [pickle.dumps((function, item, how)) for item in items]
        if not calls:
            return
        workers = self._started()
        jobs = [Job(call, Message(number, "job"), inbox, turn, devices) for number, call in enumerate(calls)]
        for job in jobs:
            workers.submit(job)
        try:
            yield from results_in_order(inbox, len(jobs))
        finally:
            workers.withdraw(jobs)

    def together(
        self, function: Callable[[Item], Result], items: Iterable[Item], work: Callable[[Item], int], /
    ) -> Iterator[Result]:
        """The function's results, each call in a thread of this process, to wait there for the jobs that it hands out.

        Jobs of the items with most work are begun first, so that others fill the gaps.
        """
        inbox, every = Inbox(), list(items)

        def call(number: int, item: Item) -> None:
            _TURN.set(-work(item))
            with redirected(lambda channel, event: inbox.put(Message(number, "event", (channel, event)))):
                try:
                    inbox.put(Message(number, "done", function(item)))
                except BaseException as error:
                    inbox.put(Message(number, "failed", error))

        for number, item in enumerate(every):
            threading.Thread(target=copy_context().run, args=(call, number, item), daemon=True).start()
        return results_in_order(inbox, len(every))

    def close(self) -> None:
        """Stop what is being done at its next step, and return when all of it has ended."""
        if self._workers is not None:
            self._workers.close()

    def _started(self) -> Workers:
        with self._lock:
            if self._workers is None:
                self._workers = self._begin()
            return self._workers
