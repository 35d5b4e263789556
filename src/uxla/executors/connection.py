"""The connection to a cluster of Ray, and whether its head is still there."""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from uxla.errors import ConfigError, UnreachableError
from uxla.phrases import first_line

SPELLINGS = "expected ray (the cluster of this machine, or RAY_ADDRESS), ray://HOST:PORT, or ray:local"
_PATIENCE = 20.0
"""Seconds for an answer to the first connection, and after which a head that does not answer any more is lost."""


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Ray, connected; a connection that was there already stays."""
    try:
        import ray
    except ImportError as error:
        why = f"executor ray: {error.name} is not installed"
        raise ConfigError(f"{why}; run: pip install 'uxla[ray]', here and on each machine of the cluster") from None
    if ray.is_initialized():
        yield ray
        return
    handler = signal.getsignal(signal.SIGTERM)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else Ray tells that this will be so
    own: dict[str, Any] = {"include_dashboard": False, "object_store_memory": 100 * 2**20} if address == "local" else {}
    try:
        _reach(address)
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"executor ray: no cluster at {address} ({first_line(error)}); {SPELLINGS}") from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # Ray takes it
    try:
        yield ray
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """OSError where nobody answers at the address, which Ray itself tells after a quarter of an hour."""
    place = os.environ.get("RAY_ADDRESS", address) if address == "auto" else address
    if place.rpartition(":")[2].isdecimal():
        _opened(place.removeprefix("ray://")).close()


@dataclass
class Head:
    """The head of the cluster that this process is connected to, at an address of its own.

    Ray itself waits for a head that is gone, and after a minute ends the process without any word of ours; for another
    head at the same address it waits for ever. So a connection is held, which ends with its head.
    """

    address: str
    patience: float = _PATIENCE
    renewed: float = 30.0
    """Seconds after which the connection is replaced, before the head ends one that says nothing."""
    between: float = 2.0
    """Seconds between two looks."""
    _held: socket.socket | None = None
    _since: float = 0.0
    _next: float = 0.0

    def check(self) -> None:
        """UnreachableError where there was a head that has ended, or does not answer any more."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self.between
        if self._held is not None and _has_ended(self._held):
            raise self._lost("it has ended")
        if self._held is None or now - self._since > self.renewed:
            try:
                self._hold(_opened(self.address), now)
            except OSError as error:
                if self._held is None:  # a client outside of the cluster, which hears of it from Ray
                    self._next = math.inf
                elif now - self._since > self.renewed + self.patience:
                    raise self._lost(first_line(error)) from error

    def close(self) -> None:
        """Hold no connection any longer."""
        if self._held is not None:
            self._held.close()

    def _hold(self, connection: socket.socket, now: float) -> None:
        self.close()
        self._held, self._since = connection, now

    def _lost(self, why: str) -> UnreachableError:
        remedy = "start a cluster again, and repeat the command: finished work is kept"
        return UnreachableError(f"executor ray: the head of the cluster at {self.address} is lost ({why}); {remedy}")


def _opened(place: str) -> socket.socket:
    host, _, port = place.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=_PATIENCE)


def _has_ended(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        while connection.recv(1 << 12):  # a greeting, which nobody needs
            pass
    except OSError as error:
        return not isinstance(error, BlockingIOError)
    return True
