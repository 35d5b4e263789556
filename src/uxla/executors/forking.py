"""The process that workers are forked from: it has imported everything, so that a worker begins at once."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from uxla.errors import ConfigError, UxlaError

_LATE = ("transformers.modeling_layers",)
"""What a run imports where it opens its first model: a worker soon, the command itself when it averages weights."""
_LOADS = ("uxla.study.pipeline", *_LATE, "sklearn.linear_model")
_PROGRAM = (
    "import json, sys; number, loads, sys.path[:] = json.loads(sys.argv[1]); "
    "from uxla.executors.worker import fork_workers; fork_workers(number, loads)"
)
_LOCK = threading.Lock()


@dataclass
class _Server:
    control: socket.socket
    process: subprocess.Popen[bytes]
    asked: bool = False
    """Whether it may have forked."""


def forked(connection: int) -> None:
    """Have a worker begin that serves the other end of this connection; UxlaError where no process can be begun."""
    try:
        _ask(connection)
    except OSError:  # the process that forks is gone: another one takes its place
        with _LOCK:
            _begun.cache_clear()
        try:
            _ask(connection)
        except OSError as error:
            raise UxlaError(
                f"devices: no process can be begun ({error.strerror or error}); free memory, or give fewer devices"
            ) from error


def _ask(connection: int) -> None:
    server = prepare()
    server.asked = True
    socket.send_fds(server.control, [b"\0"], [connection])


def import_late() -> None:
    """Import in this process too, while others work, what it needs at the end of a run. The command may end
    meanwhile, which an import does not survive."""
    with suppress(Exception):
        for module in _LATE:
            import_module(module)


def prepare() -> _Server:
    """The process that forks, begun if it was not yet: its imports take seconds, beside ours."""
    with _LOCK:
        return _begun()


@cache
def _begun() -> _Server:
    if not hasattr(os, "fork"):
        raise ConfigError("devices: several devices need a system that can fork, as Linux; give one device")
    path = [place for place in sys.path if isinstance(place, str)]  # Python passes over what else stands there
    control, theirs = socket.socketpair()
    around = os.environ | {"PYTORCH_NVML_BASED_CUDA_CHECK": "1"}  # else a look for GPUs spoils CUDA for the forks
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, json.dumps([theirs.fileno(), _LOADS, path])],
            pass_fds=[theirs.fileno()],
            env=around,
            stdin=subprocess.DEVNULL,
            stdout=2,  # what a library prints is no result of ours
            start_new_session=True,
        )
    server = _Server(control, process)
    atexit.register(_end, server)
    return server


def _end(server: _Server) -> None:
    """It ends after its forks when nobody can ask for more of them, and at once if it has none."""
    server.control.close()
    if not server.asked:
        server.process.terminate()
    server.process.wait()
