"""A server of S3 on this machine, for tests and benchmarks of a shared store."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ACCESS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def s3(port: int | None = None) -> Iterator[str]:
    """A server of S3 on this machine; the value is its address."""
    if port is None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert server.poll() is None, "the server did not start"
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def environment(address: str) -> dict[str, str]:
    """The variables with which a process finds the server."""
    return {**ACCESS, "AWS_ENDPOINT_URL": address}


@contextmanager
def bucket() -> Iterator[str]:
    """An empty bucket on a server that this process and those that it begins find; the value is its address."""
    import s3fs

    with s3() as address:
        os.environ.update(environment(address))
        s3fs.S3FileSystem().mkdir("bucket")
        yield "s3://bucket"


def no_locks(folder: Path) -> dict[str, str]:
    """The variable with which every lock of a process succeeds, as on some network file systems; built in `folder`."""
    library = folder / "no_locks.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, Path(__file__).with_name("no_locks.c")], check=True)
    return {"LD_PRELOAD": str(library)}
