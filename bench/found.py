"""How long it takes to find that many units are finished, in a shared store on a server of S3 on this machine.

python bench/found.py [--units 100000]

The server keeps its files in this process, so that they can be put there at once; it is asked over the network. The
store is one that a run of so many units would leave: a record for each. Asked for are these and as many others.
"""

import argparse
import os
import tempfile
import time

from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.s3.models import s3_backends
from servers import environment

from uxla.store.artifacts import digest
from uxla.store.store import Store
from uxla.store.versions import VERSIONS

_RECORD = b"0" * 1500
"""As large as a record usually is. To find it, its name is enough."""


def main(units: int) -> None:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    os.environ.update(environment("http://{}:{}".format(*server.get_host_and_port())))
    backend = s3_backends["123456789012"]["aws"]
    backend.create_bucket("bucket", "us-east-1")
    inputs = [{"number": number} for number in range(2 * units)]
    for one in inputs[:units]:
        key = digest({"stage": "augment", "version": VERSIONS["augment"], "inputs": one})
        backend.put_object("bucket", f"records/augment/{key}", _RECORD)
    with tempfile.TemporaryDirectory() as folder:
        store, began, cpu = Store(folder, shared="s3://bucket"), time.monotonic(), time.process_time()
        found = store.finished("augment", inputs)
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    assert found == [True] * units + [False] * units
    print(f"{units:,} finished units and as many unfinished ones told apart in {seconds:.1f} s")
    print(f"CPU of this process, the server's included: {cpu:.1f} s")
    server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=100_000)
    main(parser.parse_args().units)
