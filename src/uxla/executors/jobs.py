"""Jobs of one run that nobody has begun, and in which order they are begun."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from uxla.executors.messages import Inbox, Message


@dataclass(eq=False)
class Job:
    """A call that waits for a worker, or is being made."""

    call: bytes
    about: Message
    inbox: Inbox
    turn: int
    devices: int = 1
    """How many workers it takes: one does it, and may have the others called."""
    busy: bool = False
    """Whether another run was at it when it was last tried."""
    lost: int = 0
    """How often it was begun in vain: its worker died of it, say."""

    def says(self, kind: str, content: Any = None) -> None:
        """A message to whoever waits for it."""
        self.inbox.put(self.about._replace(kind=kind, content=content))


class Workers(Protocol):
    """Whoever does jobs, in other processes."""

    def submit(self, job: Job) -> None:
        """Have a job done that begins when there is room for it and no job of an earlier turn waits."""

    def withdraw(self, jobs: Iterable[Job]) -> None:
        """Forget those of the jobs that nobody has begun."""

    def close(self) -> None:
        """Stop what is being done at its next step, and return when all of it has ended."""


class Queue:
    """Jobs that wait."""

    def __init__(self) -> None:
        self._lock, self._jobs = threading.Lock(), list[Job]()

    def put(self, job: Job) -> None:
        """Add a job."""
        with self._lock:
            self._jobs.append(job)

    def put_back(self, job: Job) -> None:
        """Add a job again that another run is at."""
        job.busy = True
        self.put(job)

    def remove(self, jobs: Iterable[Job]) -> None:
        """Forget those of the jobs that wait."""
        forgotten = set(jobs)
        with self._lock:
            self._jobs = [job for job in self._jobs if job not in forgotten]

    def one_ended(self) -> None:
        """Others may have waited for it: they may be tried again."""
        with self._lock:
            for job in self._jobs:
                job.busy = False

    def take(self, *, idle: bool, room: float = math.inf) -> tuple[Job, bool] | None:
        """The next job, and whether it is to wait for the other run that is at it. None where it takes more than `room`
        workers.

        That is a job which no other run is at, or where nothing else goes on (`idle`), any.
        """
        with self._lock:
            free = [job for job in self._jobs if not job.busy]
            candidates = free or (self._jobs if idle else [])
            if not candidates:
                return None
            job = min(candidates, key=lambda job: job.turn)
            if job.devices > room:
                return None
            self._jobs.remove(job)
            return job, not free

    def all(self) -> list[Job]:
        """The jobs that wait."""
        with self._lock:
            return [*self._jobs]
