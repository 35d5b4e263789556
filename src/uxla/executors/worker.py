"""The processes that do jobs: one that has loaded everything, and its forks, each with a device.

A worker ends when the connection to the process it works for does, however that one ended: at its next step, with whole
files only. It is in a session of its own, so that Ctrl-C of a terminal reaches the command alone.
"""

from __future__ import annotations

import gc
import os
import pickle
import queue
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

from uxla import progress, signals
from uxla.errors import UxlaError, spelled_as
from uxla.events import Channel, Event, redirected
from uxla.executors.executor import others_called_by
from uxla.store.locks import BusyError, waiting

Send = Callable[[str, Any], None]
"""Passes on what a job says: the kind of a message and its content."""

_SECONDS = 0.2
"""Between two messages of one bar."""


@dataclass(frozen=True)
class Surroundings:
    """What the jobs of a run find around them: that of the process that hands them out, with threads of their own."""

    threads: int
    deterministic: bool
    environment: Mapping[str, str]
    path: tuple[str, ...]
    folder: str

    @classmethod
    def of_this_process(cls, threads: int, *, deterministic: bool) -> Surroundings:
        """Environment, module path and working directory as they are here."""
        path = tuple(place for place in sys.path if isinstance(place, str))
        return cls(threads, deterministic, dict(os.environ), path, os.getcwd())

    def take(self, device: str) -> None:
        """Make this process so. A GPU is the only one that it sees."""
        os.environ.clear()
        os.environ.update(self.environment)
        kind, _, number = device.partition(":")
        if kind == "cuda":
            visible = os.environ.get("CUDA_VISIBLE_DEVICES")
            seen = dict(enumerate(visible.split(","))) if visible is not None else {int(number): number}
            os.environ["CUDA_VISIBLE_DEVICES"] = seen.get(int(number), "").strip()  # "" hides all
        sys.path[:] = self.path
        os.chdir(self.folder)


def fork_workers(descriptor: int, loads: Sequence[str]) -> None:
    """Import the modules `loads`, then make a worker for each connection that comes, until there is nobody to send any.

    Nothing is computed here: what torch and CUDA start at the first computation does not live through a fork.
    """
    for module in loads:
        import_module(module)
    gc.freeze()
    with socket.socket(fileno=descriptor) as control:
        while descriptors := socket.recv_fds(control, 1, 1)[1]:
            try:
                child = os.fork()
            except OSError:  # too many processes, or too little memory: whoever asked hears that nobody serves it
                child = None
            if child == 0:
                control.close()
                _work(Connection(descriptors[0]))
            os.close(descriptors[0])
            with suppress(ChildProcessError):
                os.waitpid(-1, os.WNOHANG)
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _work(connection: Connection) -> None:
    """Do what the connection asks for, then end without what Python does at the end of a program: it was not begun
    here.

    Several may tell a worker to stop: a scheduler, another rank, the end of the connection. None of them is in a hurry.
    """
    status = 0
    try:
        with signals.handling(second_at_once=False):
            _serve(connection)
    except KeyboardInterrupt:  # told to stop: no fault
        pass
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        sys.stderr.flush()
        os._exit(status)


def _serve(connection: Connection) -> None:
    from uxla.process_settings import process_settings  # torch, which the process that forks has

    asked = queue.SimpleQueue[bytes]()
    threading.Thread(target=_listen, args=(connection, asked, threading.get_ident()), daemon=True).start()
    device, around = pickle.loads(asked.get())
    around.take(device)
    with process_settings(threads=around.threads, deterministic=around.deterministic):
        connection.send_bytes(pickle.dumps(("began", os.getpid())))
        while waits := asked.get():
            connection.send_bytes(answer(asked.get(), partial(_send, connection), waits=pickle.loads(waits)))


def _listen(connection: Connection, asked: queue.SimpleQueue[bytes], main: int) -> None:
    try:
        while True:
            asked.put(connection.recv_bytes())
    except (EOFError, OSError):  # nobody waits for what is done here
        asked.put(b"")
        signal.pthread_kill(main, signal.SIGTERM)  # to this thread it would not end a wait of the other


def _send(connection: Connection, kind: str, content: Any) -> None:
    """Send one message. Where nobody listens any longer, this process is about to end."""
    with suppress(OSError):
        connection.send_bytes(pickle.dumps((kind, content)))


def answer(call: bytes, send: Send, *, waits: bool) -> bytes:
    """What came of a job: its result, that another run is at it unless it `waits` for that, or what was raised.

    What it says meanwhile, events and progress, and calls for the other devices of the job, is given to `send`.
    """
    relay = _Relay(send)
    try:
        function, item, how = pickle.loads(call)
        with ExitStack() as around:
            around.enter_context(progress.listening(relay))
            around.enter_context(progress.measuring(relay.measured))
            around.enter_context(redirected(relay.event))
            around.enter_context(spelled_as(how))
            around.enter_context(waiting(waits))
            around.enter_context(others_called_by(partial(send, "others")))
            return pickle.dumps(("done", function(item)))
    except BusyError:
        return pickle.dumps(("busy", None))
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> bytes:
    """An exception to be raised elsewhere; that of a bug has its traceback as a note."""
    if not isinstance(error, UxlaError):
        error.add_note("".join(traceback.format_exception(error)).rstrip())
    with suppress(Exception):
        there = pickle.loads(whole := pickle.dumps(("failed", error)))[1]
        if (type(there), str(there), vars(there)) == (type(error), str(error), vars(error)):
            return whole
    try:
        return pickle.dumps(("failed", (type(error), error.args, vars(error))))
    except Exception:  # it holds what cannot be sent
        return pickle.dumps(("failed", (RuntimeError, (f"{type(error).__name__}: {error}",), {})))


def understood(message: bytes) -> tuple[str, Any]:
    """The kind and the content of a message of a worker; an exception there is one here."""
    try:
        kind, content = pickle.loads(message)
        return kind, _raised(*content) if kind == "failed" and isinstance(content, tuple) else content
    except Exception as error:  # of a class that cannot be had here
        return "failed", error


def _raised(kind: type[BaseException], arguments: tuple[Any, ...], values: Mapping[str, Any]) -> BaseException:
    """The exception of a worker, whatever its own constructor takes."""
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    vars(error).update(values)
    return error


@dataclass(frozen=True)
class _Relay:
    """Sends events and progress to whoever asked for the job."""

    send: Send
    numbers: count[int] = count()  # noqa: RUF009 (one for all bars of this process)

    def start(self, label: str, total: int) -> _RelayedBar:
        """A bar that is shown there."""
        number = next(self.numbers)
        self.send("bar", (number, label, total))
        return _RelayedBar(self, number)

    def note(self, text: str) -> None:
        """A line that is shown there."""
        self.send("note", text)

    def measured(self, label: str, values: Mapping[str, float]) -> None:
        """Numbers about work under way."""
        self.send("measured", (label, dict(values)))

    def event(self, channel: Channel, event: Event) -> None:
        """An event: of the run that the job is a part of, or of one that is the job."""
        if channel.is_here:
            channel.tell(event)
        else:
            self.send("event", (channel, event))


class _RelayedBar:
    """Sends its count a few times a second."""

    def __init__(self, relay: _Relay, number: int) -> None:
        self._relay, self._number = relay, number
        self._unsent, self._sent_at = 0, time.monotonic()

    def advance(self, amount: int = 1) -> None:
        self._unsent += amount
        if time.monotonic() - self._sent_at >= _SECONDS:
            self._send()

    def stop(self) -> None:
        self._send()
        self._relay.send("stop", self._number)

    def _send(self) -> None:
        self._relay.send("advance", (self._number, self._unsent))
        self._unsent, self._sent_at = 0, time.monotonic()
