"""A cluster of Ray: jobs are its tasks, and this process counts how often each of them was begun."""

from __future__ import annotations

import pickle
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uxla.devices import Placement, names
from uxla.errors import ConfigError, UnreachableError, UxlaError, WriteError
from uxla.executors.cluster_job import MachineSurroundings, perform
from uxla.executors.connection import SPELLINGS, Head, connected
from uxla.executors.jobs import Job, Queue
from uxla.executors.side_by_side import SideBySide
from uxla.executors.worker import understood
from uxla.phrases import first_line
from uxla.store.opening import default_root
from uxla.store.seen import WeightsGoneError

ATTEMPTS = 3
"""How often a job is begun at most."""

_PASSED_ON = UxlaError, WeightsGoneError
"""What another attempt would raise again."""
_POLL, _PATIENCE = 0.05, 20.0
"""Seconds between two looks at what goes on, and for what is stopped to end."""


@dataclass(frozen=True)
class Ray:
    """The executor of a cluster of Ray that is there: at the `address` that `ray.init` takes, or `local` to begin one
    on this machine for as long as the work goes on.

    Each job is a task: on a GPU, or a share of one, where the run has GPUs, else on CPUs. A job that lasts longer than
    `unit_hours` is stopped and begun again from its checkpoint; three times in all, as one whose machine is lost.

    >>> uxla.Ray("ray://head:10001", unit_hours=12)
    Ray(address='ray://head:10001', unit_hours=12)
    """

    address: str = "auto"
    unit_hours: float | None = None


def ray_named(text: str) -> Ray:
    """The cluster of `ray`, `ray://HOST:PORT` or `ray:local`. ConfigError for anything else."""
    if text in ("ray", "ray:local"):
        return Ray("auto" if text == "ray" else "local")
    if not text.startswith("ray://") or not text.rpartition(":")[2].isdecimal():
        raise ConfigError(f"executor: got {text!r}, {SPELLINGS}")
    return Ray(text)


@contextmanager
def on_cluster(cluster: Ray, placement: Placement, shared: Sequence[Path]) -> Iterator[SideBySide]:
    """What does jobs while the block lasts. ConfigError where Ray is not installed, or there is no cluster.

    `shared` are the folders that each machine must see; UxlaError from the first job on one that does not.
    """
    [device] = names(placement.devices)
    if device not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"devices: got {device}, but Ray picks the GPU; with executor ray give auto, cpu or cuda")
    with ExitStack() as around:
        ray = around.enter_context(connected(cluster.address))
        token = around.enter_context(shared_token(shared))
        on_gpu = device == "cuda" or (device == "auto" and ray.cluster_resources().get("GPU", 0) > 0)
        as_task = ray.remote(
            num_cpus=placement.threads,
            num_gpus=1 / placement.jobs_per_device if on_gpu else 0,
            max_calls=1 if on_gpu else 0,  # else the memory of a GPU is kept by a process that waits
            max_retries=0,  # they are counted here
        )
        seen = tuple(str(folder.absolute() / token) for folder in shared)
        surroundings = MachineSurroundings.of_this_process(
            placement, default_root(), seen, cluster.unit_hours, gpu=on_gpu
        )
        head = around.enter_context(closing(Head(ray.get_runtime_context().gcs_address)))
        yield around.enter_context(SideBySide(lambda: Tasks(ray, as_task(perform), surroundings, head)))


@dataclass(frozen=True)
class _Attempt:
    job: Job
    waits: bool
    """Whether it is to wait for another run."""


class Tasks:
    """Jobs as tasks of a cluster, and a thread that hears how they end. Its scheduler says which begins when."""

    def __init__(self, ray: Any, task: Any, surroundings: MachineSurroundings, head: Head) -> None:
        self._ray, self._task, self._surroundings, self._head = ray, task, surroundings, head
        self._waiting, self._under_way = Queue(), dict[Any, _Attempt]()
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Have a job done when the cluster has room for it."""
        with self._lock:
            if self._closed.is_set():
                raise self._stopped()
            self._waiting.put(job)

    def withdraw(self, jobs: Iterable[Job]) -> None:
        """Forget those of the jobs that were not handed out."""
        self._waiting.remove(jobs)

    def close(self) -> None:
        """Stop what is being done at its next step, and return when all of it has ended."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                self._head.check()
                self._hand_out()
                self._hear()
        except BaseException as error:
            with self._lock:
                self._fault = error
                self._closed.set()
        self._end()

    def _hand_out(self) -> None:
        while taken := self._waiting.take(idle=all(one.waits for one in self._under_way.values())):
            job, waits = taken
            reference = self._task.remote(job.call, self._surroundings, waits)
            self._under_way[reference] = _Attempt(job, waits)

    def _hear(self) -> None:
        if not self._under_way:
            self._closed.wait(_POLL)
            return
        for reference in self._ray.wait([*self._under_way], timeout=_POLL)[0]:
            self._ended(self._under_way.pop(reference).job, reference)

    def _ended(self, job: Job, reference: Any) -> None:
        """Pass on what a job has said, if this was its last attempt."""
        try:
            node, said, answered = pickle.loads(self._ray.get(reference))
        except self._ray.exceptions.RayTaskError as error:  # it could not be begun
            job.says("failed", UxlaError(f"a machine of the cluster cannot do any work: {first_line(error.cause)}"))
            return
        except self._ray.exceptions.RayError as error:
            self._lost(job, f"a process of the cluster was lost ({type(error).__name__}: {first_line(error)})")
            return
        kind, content = understood(answered)
        if kind == "busy":
            self._waiting.put_back(job)
        elif kind == "late":
            self._lost(job, f"work on {node} took more than {self._surroundings.hours:g} hours")
        elif kind == "failed" and not isinstance(content, _PASSED_ON):
            self._lost(job, f"work on {node} failed ({type(content).__name__}: {first_line(content)})", content)
        else:
            self._waiting.one_ended()
            for message in said:
                job.says(*understood(message))
            job.says(kind, content)

    def _lost(self, job: Job, why: str, error: BaseException | None = None) -> None:
        """An attempt was in vain. Another one is made, unless there were enough of them."""
        job.lost += 1
        if job.lost < ATTEMPTS:
            job.says("note", f"{why}; attempt {job.lost + 1} of {ATTEMPTS} begins")
            self._waiting.put(job)
            return
        for note in getattr(error, "__notes__", ()):
            job.says("note", note)
        failed = UxlaError(f"{why}; this was the third attempt. Fix that, and run it again to go on")
        failed.__cause__ = error
        job.says("failed", failed)

    def _stopped(self) -> BaseException:
        """What is raised to those who wait for a closed cluster."""
        if self._fault is None:
            return KeyboardInterrupt()
        if isinstance(self._fault, UnreachableError):
            return self._fault
        fault = f"the cluster cannot be heard any longer ({first_line(self._fault)})"
        stopped = UxlaError(f"{fault}; run it again to go on")
        stopped.__cause__ = self._fault
        return stopped

    def _end(self) -> None:
        with self._lock:
            jobs = [one.job for one in self._under_way.values()] + self._waiting.all()
        for job in jobs:
            job.says("failed", self._stopped())
        if isinstance(self._fault, UnreachableError):
            return
        with suppress(Exception):  # a cluster that is gone has ended its tasks
            for reference in self._under_way:
                self._ray.cancel(reference)
            self._ray.wait([*self._under_way], num_returns=len(self._under_way), timeout=_PATIENCE)


@contextmanager
def shared_token(shared: Sequence[Path]) -> Iterator[str]:
    """The name of a file that is in each of the folders while the block lasts."""
    name = f".seen-{uuid.uuid4().hex}"
    try:
        for folder in shared:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).touch()
            except OSError as error:
                raise WriteError(folder, error.strerror or str(error), "give another folder") from error
        yield name
    finally:
        for folder in shared:
            with suppress(OSError):
                (folder / name).unlink()
