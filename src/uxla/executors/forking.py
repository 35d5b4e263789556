"""The process that workers are forked from: it has imported everything, so that a worker begins at once."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from functools import cache

from uxla.errors import ConfigError

_LOADS = "uxla.study.pipeline"
_PROGRAM = (
    "import json, sys; number, loads, sys.path[:] = json.loads(sys.argv[1]); "
    "from uxla.executors.worker import fork_workers; fork_workers(number, loads)"
)
_LOCK = threading.Lock()


def forked(connection: int) -> None:
    """Have a worker begin that serves the other end of this connection."""
    socket.send_fds(prepare(), [b"\0"], [connection])


def prepare() -> socket.socket:
    """The connection to the process that forks, begun if it was not yet: its imports take seconds, beside ours."""
    with _LOCK:
        return _begun()


@cache
def _begun() -> socket.socket:
    if not hasattr(os, "fork"):
        raise ConfigError("devices: several devices need a system that can fork, as Linux; give one device")
    control, theirs = socket.socketpair()
    around = os.environ | {"PYTORCH_NVML_BASED_CUDA_CHECK": "1"}  # else a look for GPUs spoils CUDA for the forks
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, json.dumps([theirs.fileno(), _LOADS, sys.path])],
            pass_fds=[theirs.fileno()],
            env=around,
            stdin=subprocess.DEVNULL,
            stdout=2,  # what a library prints is no result of ours
            start_new_session=True,
        )
    atexit.register(_end, control, process)
    return control


def _end(control: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """It ends after its forks when nobody can ask for more of them."""
    control.close()
    process.wait()
