"""What Ray costs: the same run on two processes of `devices` and on two simulated machines with a CPU each, by turns.

    python bench/cluster.py [--rounds 3] [--times 3]

The run is the demo with so many times its sentences, and begins with an empty store. The cluster is there already, as a
user's is; the processes of its tasks are not. It has the priority of `devices` (RAY_worker_niceness=0). "Made" is when
the first and the last training ended, in seconds from when the run said how many there are.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from devices import differing
from faults import NODE

from uxla.store.journal import read

SENTENCES = {"train": 1000, "unlabelled": 1000, "dev": 300, "test": 500}
"""Those of the demo, in each of its files."""
CODE = "from uxla.cli.app import main; main()"


def seconds(settings: list[str], out: Path, address: str | None) -> float:
    """The seconds that the demo takes: on the cluster at `address`, or in two processes."""
    where = ["devices={cpu: 2}"] if address is None else ["devices=cpu", "--executor", "ray"]
    command = [sys.executable, "-c", CODE, "run", "testbed", *settings, *where, "--out", str(out), "-q"]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as store:
        around = os.environ | {"UXLA_CACHE": store} | ({} if address is None else {"RAY_ADDRESS": address})
        subprocess.run(command, env=around, check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - began


def made(out: Path) -> str:
    """When the first and the last training ended, by the journal."""
    events = read(out / "journal.jsonl")
    [begun] = [event["at"] for event in events if event["event"] == "planned"]
    ended = [event["at"] - begun for event in events if event["event"] == "stage" and event["stage"] == "fit"]
    return f"made {ended[0]:.1f} to {ended[-1]:.1f}"


def main(rounds: int, settings: list[str], folder: Path) -> None:
    """Print both times of each round, and the median of their ratios."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "RAY_raylet_start_wait_time_s": "300"}
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=NODE | {"include_dashboard": False})
    try:
        cluster.add_node(**NODE)
        found: dict[str, list[float]] = {"devices": [], "ray": []}
        for number in range(rounds):
            outs = {name: folder / f"{name}-{number}" for name in found}
            for name in found:
                found[name].append(seconds(settings, outs[name], cluster.address if name == "ray" else None))
            told = ", ".join(f"{name} {times[-1]:.1f} s ({made(outs[name])})" for name, times in found.items())
            print(f"round {number + 1}: {told}; files that differ: {differing(*outs.values()) or 'none'}", flush=True)
    finally:
        cluster.shutdown()
    ratios = [ray / devices for devices, ray in zip(found["devices"], found["ray"], strict=True)]
    print(f"Ray takes {statistics.median(ratios):.2f} times as long as devices")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--times", type=float, default=3)
    given = parser.parse_args()
    sizes = [f"testbed.{name}={round(count * given.times)}" for name, count in SENTENCES.items()]
    with tempfile.TemporaryDirectory() as place:
        main(given.rounds, sizes, Path(place))
