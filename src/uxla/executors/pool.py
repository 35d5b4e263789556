"""The worker processes of one run: which job goes to which of them, and what becomes of a job whose worker dies."""

from __future__ import annotations

import math
import os
import pickle
import signal
import socket
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

from uxla.errors import UxlaError
from uxla.executors.forking import forked, import_late
from uxla.executors.jobs import Job, Queue
from uxla.executors.worker import Surroundings, understood

_FEWER = "give fewer devices or a smaller jobs_per_device"
_FREE_MEMORY = f"free memory, or {_FEWER}"
_PATIENCE = 300.0
"""Seconds until a worker that shares a training, and says nothing, is ended: it may wait for one that has left."""
_LAST = ("done", "failed", "busy")
"""How the last word of a call begins."""


@dataclass(eq=False)
class _Worker:
    device: str
    connection: Connection
    pid: int | None = None
    """None until it has begun."""
    job: Job | None = None
    """What it does, or is kept for by the worker that `leads`."""
    leads: bool = False
    called: int = 0
    """How many calls it has to answer."""
    waits: bool = False
    """Whether its job is to wait for another run."""

    def call(self, call: bytes) -> None:
        """Send it a call."""
        self.called += 1
        with suppress(OSError):  # it has died, and is about to be heard of
            self.connection.send_bytes(pickle.dumps(self.waits))
            self.connection.send_bytes(call)

    def kill(self) -> None:
        """End its process, which is about to be heard of."""
        with suppress(EOFError, OSError):
            if self.pid is None:
                _, self.pid = understood(self.connection.recv_bytes())
            os.kill(self.pid, signal.SIGKILL)


class Pool:
    """A worker for each entry of `devices`, and a thread that gives them jobs and passes on what they say."""

    def __init__(self, devices: Sequence[str], around: Surroundings) -> None:
        self._around, self._lock, self._closed = around, threading.Lock(), False
        self._fault: BaseException | None = None
        self._waiting = Queue()
        self._woken, self._wake = Pipe(duplex=False)
        self._workers = [self._new(device) for device in devices]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        threading.Thread(target=import_late, daemon=True).start()

    def submit(self, job: Job) -> None:
        """Have a job done that begins when a worker is free and no job of an earlier turn waits."""
        with self._lock:
            if self._closed:
                raise self._stopped()
            self._waiting.put(job)
        self._wake.send_bytes(b"")

    def withdraw(self, jobs: Iterable[Job]) -> None:
        """Forget those of the jobs that no worker has begun."""
        self._waiting.remove(jobs)

    def close(self) -> None:
        """End all workers: what they do stops at its next step. Interrupted while it waits for that, it kills them."""
        with self._lock:
            self._closed = True
        with suppress(OSError):
            self._wake.send_bytes(b"")
        try:
            self._thread.join()
        except BaseException:
            for worker in self._workers:
                if worker.pid is not None:
                    with suppress(ProcessLookupError):
                        os.kill(worker.pid, signal.SIGKILL)
            raise

    def _new(self, device: str) -> _Worker:
        try:
            connection, theirs = Pipe()
        except OSError as error:
            raise UxlaError(f"devices: {_described(error)}") from error
        with theirs:
            forked(theirs.fileno())
        with suppress(OSError):  # it could not be begun, which is heard of as its death
            connection.send_bytes(pickle.dumps((device, self._around)))
        return _Worker(device, connection)

    def _run(self) -> None:
        try:
            while not self._closed:
                self._assign()
                self._hear()
        except BaseException as error:
            with self._lock:
                self._fault, self._closed = error, True
        self._end()

    def _stopped(self) -> BaseException:
        """What is raised to those who wait for a closed pool."""
        if self._fault is None:
            return KeyboardInterrupt()
        said = str(self._fault) if isinstance(self._fault, UxlaError) else f"devices: {_described(self._fault)}"
        stopped = UxlaError(said)
        stopped.__cause__ = self._fault
        return stopped

    def _end(self) -> None:
        """Tell all who wait, and all workers, and wait for these."""
        with self._lock:
            under_way = dict.fromkeys(worker.job for worker in self._workers if worker.job is not None)
            jobs = [*under_way, *self._waiting.all()]
        for job in jobs:
            job.says("failed", self._stopped())
        for worker in self._workers:
            with suppress(OSError):
                sending = socket.socket(fileno=worker.connection.fileno())
                try:
                    sending.shutdown(socket.SHUT_WR)
                finally:
                    sending.detach()  # the connection is still read
        for worker in self._workers:
            with suppress(EOFError, OSError), worker.connection as connection:
                while worker.job is None or worker.job.devices == 1 or connection.poll(_PATIENCE):
                    connection.recv_bytes()
                worker.kill()

    def _hear(self) -> None:
        """What workers say next, one message of each."""
        workers: dict[Any, _Worker] = {worker.connection: worker for worker in self._workers}
        for ready in wait([*workers, self._woken]):
            assert isinstance(ready, Connection)
            try:
                message = ready.recv_bytes()
            except (EOFError, OSError):
                self._lost(workers[ready])
                continue
            if ready is not self._woken:
                self._said(workers[ready], message)

    def _said(self, worker: _Worker, message: bytes) -> None:
        kind, content = understood(message)
        if kind == "began":
            worker.pid = content
            return
        job = worker.job
        worker.called -= worker.called > 0 and kind in _LAST
        if job is None or not (worker.leads or kind == "failed"):  # of those that are kept for a job only faults count
            return
        if kind == "others":
            self._call_others(job, content)
        elif kind in _LAST:
            self._over(job, broken=kind == "failed")
            if kind == "busy":
                self._waiting.put_back(job)
                return
            self._waiting.one_ended()
            job.says(kind, content)
        else:
            job.says(kind, content)

    def _call_others(self, job: Job, calls: list[bytes]) -> None:
        others = [worker for worker in self._workers if worker.job is job and not worker.leads]
        assert len(calls) <= len(others), "a job calls the devices that it has"
        for worker, call in zip(others, calls, strict=False):
            worker.call(call)

    def _over(self, job: Job, *, broken: bool) -> None:
        """Set the workers of a job free. Where it is `broken`, those that still have a call to answer would wait for
        each other: others take their place."""
        for worker in [one for one in self._workers if one.job is job]:
            worker.job = None
            if broken and worker.called:
                worker.kill()

    def _assign(self) -> None:
        """Give free workers a job: one that no other run is at, or where all others are done, one to wait for."""
        while free := [worker for worker in self._workers if worker.job is None and not worker.called]:
            idle = all(other.job is None or other.waits for other in self._workers)
            all_free = len(free) == len(self._workers)
            taken = self._waiting.take(idle=idle, room=math.inf if all_free else len(free))
            if taken is None:
                return
            job, waits = taken
            if job.devices > len(free):
                few = f"{job.devices} devices share a training, and only {len(free)} have a process"
                job.says("failed", UxlaError(f"{few}; {_FREE_MEMORY}"))
                continue
            for worker in free[: job.devices]:
                worker.job, worker.leads, worker.waits = job, worker is free[0], waits
            free[0].call(job.call)

    def _lost(self, worker: _Worker) -> None:
        """A worker has died. Another one takes its place, and its job is done again, once."""
        self._workers.remove(worker)
        worker.connection.close()
        if worker.job is not None:
            self._over(worker.job, broken=True)
        job, died = worker.job, f"a process for {worker.device} died (killed, or out of memory)"
        if worker.pid is None:  # it never served: another one would not either
            for one in [job] if job is not None else self._waiting.all():
                _fail(one, died)
            if not self._workers:
                raise UxlaError(f"{died}, and no other is left; {_FREE_MEMORY}")
            return
        if job is not None and job.lost:
            _fail(job, died)
        elif job is not None:
            job.lost += 1
            job.says("lost")
            job.says("note", f"{died}; its work is done again")
            self._waiting.put(job)
        self._workers.append(self._new(worker.device))


def _fail(job: Job, died: str) -> None:
    job.says("failed", UxlaError(f"{died}{' twice' if job.lost else ''}; {_FREE_MEMORY}"))


def _described(fault: BaseException) -> str:
    cause = fault.strerror if isinstance(fault, OSError) and fault.strerror else f"{type(fault).__name__}: {fault}"
    return f"the processes cannot be begun or heard any longer ({cause}); {_FEWER}, and run it again to go on"
