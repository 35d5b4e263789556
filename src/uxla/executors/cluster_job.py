"""A job on a machine of a cluster: it finds there what it would find where it comes from, and says nothing until its
end."""

from __future__ import annotations

import os
import pickle
import platform
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uxla
from uxla import signals
from uxla.devices import Placement
from uxla.errors import UxlaError
from uxla.executors.worker import answer

_CARRIED = ("UXLA_", "HF_", "HUGGINGFACE_", "TRANSFORMERS_", "AWS_", "GOOGLE_", "AZURE_", "FSSPEC_")
"""How the names of environment variables begin that jobs take along. The rest is a machine's own."""
_SAID = ("event", "measured", "note")
"""What of a job's messages counts after its end."""
_GRACE = 60.0
"""Seconds until a job that does not stop when it is told to is ended with its process."""


@dataclass(frozen=True)
class MachineSurroundings:
    """What the jobs of a run find around them on each machine."""

    placement: Placement
    environment: Mapping[str, str]
    path: tuple[str, ...]
    folder: str
    seen: tuple[str, ...]
    """Files that each machine must see."""
    hours: float | None
    gpu: bool
    version: str

    @classmethod
    def of_this_process(
        cls, placement: Placement, root: Path, seen: tuple[str, ...], hours: float | None, *, gpu: bool
    ) -> MachineSurroundings:
        """Those of this process, for jobs that last so many `hours` at most; `root` is the store of whole runs."""
        environment = {name: value for name, value in os.environ.items() if name.startswith(_CARRIED)}
        environment["UXLA_CACHE"] = str(root.absolute())
        path = tuple(place for place in sys.path if isinstance(place, str))
        return cls(placement, environment, path, os.getcwd(), seen, hours, gpu, uxla.__version__)

    def take(self) -> None:
        """Make this process so. UxlaError where the machine is of no use."""
        here = platform.node()
        if uxla.__version__ != self.version:
            raise UxlaError(f"{here}: has uxla {uxla.__version__}, expected {self.version}; install that everywhere")
        for file in self.seen:
            if not os.path.exists(file):
                fault = f"{here}: does not see the folder {os.path.dirname(file)} of the machine that gives it work"
                remedy = "put it where all machines see it; a store can be shared by UXLA_STORE instead"
                raise UxlaError(f"{fault}; {remedy}")
        os.environ.update(self.environment)
        if not self.gpu:
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        sys.path.extend(place for place in self.path if place not in sys.path)
        if os.path.isdir(self.folder):
            os.chdir(self.folder)


def perform(call: bytes, around: MachineSurroundings, waits: bool) -> bytes:
    """The machine, what the job said, and how it ended, pickled."""
    said = list[bytes]()

    def send(kind: str, content: object) -> None:
        if kind in _SAID:
            said.append(pickle.dumps((kind, content)))

    try:
        around.take()
    except UxlaError as error:
        return pickle.dumps((platform.node(), [], pickle.dumps(("failed", error))))
    from uxla.process_settings import process_settings  # torch

    placement, late = around.placement, threading.Event()
    with process_settings(threads=placement.threads, deterministic=placement.deterministic):
        try:
            with signals.handling(second_at_once=False), _stopped_after(around.hours, late):
                answered = answer(call, send, waits=waits)
        except KeyboardInterrupt:
            if not late.is_set():
                raise
            answered = pickle.dumps(("late", None))
    return pickle.dumps((platform.node(), said, answered))


@contextmanager
def _stopped_after(hours: float | None, late: threading.Event) -> Iterator[None]:
    """A block that lasts longer is stopped at its next step, as by SIGTERM; one that has no such step, by an end of
    the process."""
    if hours is None:
        yield
        return
    main, ended = threading.get_ident(), threading.Event()

    def watch() -> None:
        if not ended.wait(hours * 3600):
            late.set()
            signal.pthread_kill(main, signal.SIGTERM)
            if not ended.wait(_GRACE):
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        ended.set()
