"""An executor with a process for each device of this machine; this process hands out the jobs and hears about them."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, copy_context
from typing import Literal, TypeVar

from uxla.errors import spelling
from uxla.events import redirected
from uxla.executors.executor import Executor, Serial, in_job
from uxla.executors.messages import Inbox, Message, results_in_order
from uxla.executors.pool import Pool
from uxla.executors.worker import Surroundings

Item = TypeVar("Item")
Result = TypeVar("Result")

_TURN: ContextVar[int] = ContextVar("turn", default=0)
"""Which of several things that go on side by side a thread is about: the smaller, the sooner its jobs begin."""


class Devices:
    """Does jobs side by side, in a process for each of `devices`: `cpu`, `cuda:0`, …; one that is named twice has two.

    The processes begin with the first job and end with `close`. A job whose process dies is done again, once. What jobs
    emit comes in the order of the items. `threads` are those of each process.
    """

    def __init__(self, devices: Sequence[str], *, threads: int = 1, deterministic: bool = False) -> None:
        self.devices, self.threads, self.deterministic = tuple(devices), threads, deterministic
        self._pool: Pool | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Devices:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def map(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        """The function's results, in the order of the items. What is raised there is raised here."""
        inbox, turn, how = Inbox(), _TURN.get(), spelling()
        calls = [pickle.dumps((function, item, how)) for item in items]
        if not calls:
            return
        pool = self._started()
        jobs = [pool.submit(call, Message(number, "job"), inbox, turn) for number, call in enumerate(calls)]
        try:
            yield from results_in_order(inbox, len(jobs))
        finally:
            pool.withdraw(jobs)

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
        """Stop what is being done at its next step, and return when all processes have ended."""
        if self._pool is not None:
            self._pool.close()

    def _started(self) -> Pool:
        with self._lock:
            if self._pool is None:
                around = Surroundings.of_this_process(self.threads, deterministic=self.deterministic)
                self._pool = Pool(self.devices, around)
            return self._pool


def running(
    slots: Sequence[str], *, threads: int | Literal["auto"] | None, deterministic: bool
) -> AbstractContextManager[Executor]:
    """What does the jobs of a run on these devices while the block lasts: for one device, and within a job, this
    process. ModelError where torch cannot use one of them."""
    if len(slots) == 1 or in_job():
        return nullcontext(Serial())
    for device in sorted(set(slots) - {"cpu"}):
        from uxla.models.device import pick_device  # torch

        pick_device(device)
    return Devices(slots, threads=threads if isinstance(threads, int) else 1, deterministic=deterministic)
