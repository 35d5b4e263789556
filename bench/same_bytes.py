"""One configuration in every way of doing it: does each give the same files, byte for byte?

    python bench/same_bytes.py [--folder DIR] [--seed 0]

In one process, in two, by seven shards in an order of chance, and on Ray clusters of one to four simulated machines;
each with a local store alone, and with one on a server of S3.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands import begun
from faults import NODE
from kill import CLOCKS, differing
from servers import bucket
from together import TINY

SHARDS, MACHINES = 7, (1, 2, 3, 4)
AGAIN = 75


def ended(out: Path, *given: str, **around: str) -> int:
    """The exit status of the run with these arguments and variables."""
    process = begun(["run", "testbed", *TINY, "--out", out, *given], out.parent / f"{out.name}.log", around)
    process.join()
    return process.exitcode


def whole(out: Path, *given: str, **around: str) -> None:
    """Such a run, which must end well."""
    assert ended(out, *given, **around) == 0, out.with_suffix(".log").read_text()


def by_shards(out: Path, seed: int, **around: str) -> int:
    """Each shard again and again in an order of chance, on a machine of its own where they share a store; how many
    commands that took."""
    draws, due, commands = random.Random(seed), list(range(1, SHARDS + 1)), 0
    while due:
        for shard in draws.sample(due, len(due)):
            own = {"UXLA_CACHE": f"{around['UXLA_CACHE']}-{shard}"} if around["UXLA_STORE"] else {}
            code, commands = ended(out, "--shard", f"{shard}/{SHARDS}", **around | own), commands + 1
            assert code in (0, AGAIN), out.with_suffix(".log").read_text()
            if code == 0:
                due.remove(shard)
    return commands


@contextmanager
def cluster(machines: int) -> Iterator[str]:
    """The address of a cluster of so many machines."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args=NODE | {"include_dashboard": False})
    try:
        for _ in range(machines - 1):
            made.add_node(**NODE)
        yield made.address
    finally:
        made.shutdown()


def every_way(folder: Path, seed: int, shared: str) -> Iterator[tuple[str, Path]]:
    """Do the run in each way; its name and its folder."""
    name = "S3" if shared else "local"

    def place(way: str) -> tuple[Path, dict[str, str]]:
        store = f"{shared}/{way}" if shared else ""
        return folder / f"{name}-{way}", {"UXLA_CACHE": str(folder / f"{name}-{way}-store"), "UXLA_STORE": store}

    for way, given in {"serial": ["--executor", "serial"], "devices": ["devices={cpu: 2}"]}.items():
        out, around = place(way)
        whole(out, *given, **around)
        yield f"{name}, {way}", out
    out, around = place("shards")
    yield f"{name}, {SHARDS} shards by {by_shards(out, seed, **around)} commands", out
    for machines in MACHINES:
        out, around = place(f"ray-{machines}")
        with cluster(machines) as address:
            assert ended(out, "--executor", "ray", **around, RAY_ADDRESS=address) == 0, out.with_suffix(
                ".log"
            ).read_text()
        yield f"{name}, Ray on {machines} machines", out


def main(folder: Path, seed: int) -> None:
    """Print for each way how long it took, and the files that differ from those of the first."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "RAY_raylet_start_wait_time_s": "300"}
    first, ways, wrong, began = None, 0, set[str](), time.monotonic()
    with bucket() as s3:
        for shared in ("", s3):
            for name, out in every_way(folder, seed, shared):
                first, ways = first or out, ways + 1
                found = [file for file in differing(first, out) if file != "config.yaml"]  # it names the devices
                wrong.update(found)
                print(f"{name}: {time.monotonic() - began:.0f} s, files that differ: {found or 'none'}", flush=True)
                began = time.monotonic()
    files = sum(path.is_file() for path in first.rglob("*")) - len(CLOCKS) - 1
    print(f"{ways} ways, {files} files each; files that differ: {', '.join(sorted(wrong)) or 'none'}")
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        main(Path(place), given.seed)
