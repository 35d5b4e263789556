"""How long it takes to find which of many units are finished, in a shared store on a server of S3 on this machine.

    python bench/found.py [--units 100000]

The server is a process of its own, and is asked over the network. It has a record of each of so many units, as a run
leaves them. Asked for are so many others, which nobody has done; then these; then both together. To plan the units,
which is to make their keys, is a part of it.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from servers import environment

from uxla.store.artifacts import digest
from uxla.store.shared import path_of
from uxla.store.store import Store
from uxla.store.versions import VERSIONS

_STAGE = "augment"
_RECORD = b"0" * 1500
"""As large as a record usually is. To find it, its name is enough."""


def serve(units: int, connection: Connection) -> None:
    """A server with the records of so many units. Its address is sent, and for each word that comes its CPU seconds."""
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer
    from moto.s3.models import s3_backends

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # it says each request
    backend = s3_backends["123456789012"]["aws"]
    backend.create_bucket("bucket", "us-east-1")
    for number in range(units):
        key = digest({"stage": _STAGE, "version": VERSIONS[_STAGE], "inputs": {"number": number}})
        backend.put_object("bucket", path_of("records", Path(_STAGE, key)), _RECORD)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    connection.send("http://{}:{}".format(*server.get_host_and_port()))
    while connection.recv():
        connection.send(time.process_time())


def timed(store: Store, numbers: range, server: Connection) -> list[bool]:
    """Which of the units are finished; printed is what it took to find that."""
    began, own, its = time.monotonic(), time.process_time(), _cpu(server)
    found = store.finished(_STAGE, [{"number": number} for number in numbers])
    seconds, own, its = time.monotonic() - began, time.process_time() - own, _cpu(server) - its
    told = f"{seconds:.1f} s, of CPU time {own:.1f} s here and {its:.1f} s of the server"
    print(f"{len(numbers):,} units, {sum(found):,} of them finished: {told}", flush=True)
    return found


def _cpu(server: Connection) -> float:
    server.send("CPU seconds")
    return server.recv()


def main(units: int) -> None:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(units, there), daemon=True)
    server.start()
    os.environ.update(environment(here.recv()))
    print(f"processes that want one of {os.cpu_count()} CPUs, in the last minute: {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder, shared="s3://bucket")
        assert not any(timed(store, range(units, 2 * units), here))
        assert timed(store, range(units), here) == [True] * units
        assert timed(store, range(2 * units), here) == [True] * units + [False] * units
    here.send("")
    server.join()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=100_000)
    main(parser.parse_args().units)
