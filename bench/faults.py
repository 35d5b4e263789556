"""Runs on a Ray cluster of three simulated machines, each hurt at random moments and repeated until it ends well, and
compared with a run in one process that nobody touched.

    python bench/faults.py [--faults 6] [--each 6] [--seed 0] [--folder DIR] [--s3]

A fault is, in an order of chance: the process of a task is killed, a machine is killed (another one joins), the command
is killed, the head is killed with its machine (another one begins at its address), a process can write no file over
64 kB any longer, as on a full disk, or the command is killed and a finished file of the local store is cut in half. Its
moment is some time after a random number of artifacts. Each run has several. A command that ends with a fault is
repeated; one that finishes nothing for a long time hangs, and is killed. With `--folder` runs are kept there, and the
same command goes on. With `--s3` the store is on a server of S3 on this machine, and the local one is emptied when the
command or the head is killed. Linux.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from commands import begun
from kill import differing
from servers import bucket
from together import TINY

from uxla.store.journal import read
from uxla.store.shared import SharedStore

WORKERS = 2
FAULTS = ("task", "machine", "command", "head", "disk", "torn")
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
MOST_STARTS = 12
PATIENCE = 300.0
"""Seconds without a new artifact after which a command hangs."""
HUNG = -1000


class Machines:
    """A cluster of a head and two machines with a CPU each, which do the work; `start` again after the head was
    killed, at the same address."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def start(self) -> None:
        from ray.cluster_utils import Cluster

        head = NODE | {"num_cpus": 0, "include_dashboard": False, "gcs_server_port": self.port}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.folder = Path(self.cluster.head_node.get_session_dir_path())
        for _ in range(WORKERS):
            self.cluster.add_node(**NODE)

    def stop(self) -> None:
        self.cluster.shutdown()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill_one(self, draws: random.Random) -> None:
        """Kill a machine that is not the head, and have another one join."""
        gone = draws.choice(sorted(self.cluster.worker_nodes, key=str))
        self.cluster.remove_node(gone, allow_graceful=False)
        self.cluster.add_node(**NODE)

    def kill_head(self) -> None:
        """Kill the head with its processes, and then all that is left; a new cluster begins."""
        self.cluster.head_node.kill_all_processes(check_alive=False, allow_graceful=False)
        time.sleep(1.0)
        self.stop()
        self.start()

    def tasks(self) -> list[int]:
        """The processes that are doing a task."""
        nodes = [self.cluster.head_node, *self.cluster.worker_nodes]
        raylets = {one.process.pid for node in nodes for one in node.all_processes.get("raylet", [])}
        return [pid for pid, parent, name in _processes() if parent in raylets and name.startswith("ray::perform")]


def _processes() -> Iterator[tuple[int, int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            name = (folder / "cmdline").read_bytes().decode(errors="replace")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            yield int(folder.name), parent, name


class Watched:
    """A store's finished artifacts, looked at again and again: one that is there under another number was made anew."""

    def __init__(self, store: Path) -> None:
        self.store, self.numbers, self.again = store, dict[str, int](), set[str]()
        self.names, self.latest = set[str](), time.monotonic()
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def look(self) -> None:
        """Note what is finished."""
        with self.lock:
            for file in self.store.glob("*/*/meta.json"):
                if file.parent.parent.name != "unfinished":
                    with suppress(OSError):
                        self._seen(_name(file.parent), file.stat().st_ino)

    def _seen(self, name: str, number: int) -> None:
        if self.numbers.setdefault(name, number) != number:
            self.again.add(name)
            self.numbers[name] = number
        if name not in self.names:
            self.names.add(name)
            self.latest = time.monotonic()

    def empty(self) -> None:
        """Remove the store: what is fetched from elsewhere into the next one is not made anew."""
        with self.lock:
            shutil.rmtree(self.store, ignore_errors=True)
            self.numbers.clear()

    def stop(self) -> None:
        """Look for the last time."""
        self.ended.set()
        self.thread.join()
        self.look()

    def _watch(self) -> None:
        while not self.ended.wait(0.1):
            self.look()


def _begun(out: Path, executor: str, **around: str) -> multiprocessing.Process:
    settings = [*TINY, "checkpoint_minutes=1e-4", "--out", out, "--executor", executor]
    return begun(["run", "testbed", *settings, "-q"], out.parent / "command.log", around)


@dataclass
class Run:
    """The command on a cluster, begun again whenever it does not end well, and what became of it."""

    folder: Path
    shared: str | None
    machines: Machines
    codes: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    again: set[str] = field(default_factory=set)
    """Artifacts that were finished, and yet made once more."""
    cut: set[str] = field(default_factory=set)
    """Those that lost a part of a file in the local store."""
    lost: bool = False
    """Whether the local store is lost as soon as the command ends, where there is another one."""

    def __post_init__(self) -> None:
        self.out, self.store = self.folder / "out", self.folder / "store"
        self.watched = Watched(self.store)
        self.begin()

    def begin(self) -> None:
        """Begin the command, for the first time or again."""
        if self.lost and self.shared is not None:
            self.watched.empty()
        self.lost = False
        self.finished, self.told = self._finished(), len(self.journal())
        around = {"UXLA_CACHE": str(self.store), "RAY_ADDRESS": self.machines.cluster.address}
        around |= {} if self.shared is None else {"UXLA_STORE": self.shared}
        self.process, self.since = _begun(self.out, "ray", **around), time.monotonic()

    def is_over(self) -> bool:
        """Whether it has ended well, or too often. It is begun again where it has not ended well."""
        if self.process.exitcode is None and time.monotonic() - max(self.since, self.watched.latest) < PATIENCE:
            return False
        code = HUNG if self.process.exitcode is None else self.process.exitcode
        self.kill()
        made = Counter(f"{event['stage']}-{event['key']}" for event in self.journal()[self.told :] if not event["hit"])
        self.again |= self.finished & made.keys() | {name for name, count in made.items() if count > 1}
        if code == 0 or len(self.codes) == MOST_STARTS:
            return True
        self.codes.append(code)
        self.said.append((self.folder / "command.log").read_text(errors="replace").rstrip().rpartition("\n")[2][:300])
        self.begin()
        return False

    def kill(self) -> None:
        """End the process, if it has not ended."""
        self.process.kill()
        self.process.join()

    def journal(self) -> list[dict]:
        """What it says of artifacts."""
        if not (self.out / "journal.jsonl").exists():
            return []
        return [event for event in read(self.out / "journal.jsonl") if event["event"] == "stage"]

    def made_again(self) -> set[str]:
        """Artifacts that were made although they were finished, by the journal and by what was seen of the store."""
        fetched = set() if self.shared is None else {name for name in self.watched.again if name.startswith("fit-")}
        return self.again | (self.watched.again - self.cut - fetched)  # weights come after the rest of a model

    def _finished(self) -> set[str]:
        """Artifacts that nobody should make any more."""
        if self.shared is None:
            return {_name(file.parent) for file in self.store.glob("*/*/meta.json") if _is_finished(file)} - self.cut
        return {_name(Path(one.path)) for one in SharedStore.at(self.shared).remote.files("records")}


def hurt(fault: str, run: Run, draws: random.Random) -> bool:
    """Do what the fault is; whether there was anything to do it to."""
    if fault == "machine":
        run.machines.kill_one(draws)
    elif fault == "head":
        run.machines.kill_head()
        run.process.join(PATIENCE)  # it finds out by itself
        run.lost = True
    elif fault == "command":
        run.kill()
        run.lost = True
    elif fault == "torn":
        run.kill()
        return _tear(run, draws)
    else:
        return _hurt_task(fault, run, draws)
    return True


def _hurt_task(fault: str, run: Run, draws: random.Random) -> bool:
    until = time.monotonic() + PATIENCE
    while not (tasks := run.machines.tasks()) and time.monotonic() < until and not run.is_over():
        time.sleep(0.05)
    if not tasks:
        return False
    task = draws.choice(tasks)
    with suppress(ProcessLookupError):
        if fault == "task":
            os.kill(task, signal.SIGKILL)
        else:
            resource.prlimit(task, resource.RLIMIT_FSIZE, (2**16, resource.RLIM_INFINITY))
    return True


def _tear(run: Run, draws: random.Random) -> bool:
    files = [file for file in sorted(run.store.glob("*/*/*")) if _is_finished(file)]
    if files:
        file = draws.choice(files)
        os.truncate(file, file.stat().st_size // 2)
        run.cut.add(_name(file.parent))
    return bool(files)


def _name(artifact: Path) -> str:
    """What the journal calls an artifact."""
    return f"{artifact.parent.name}-{artifact.name[:16]}"


def _is_finished(file: Path) -> bool:
    stage = file.parent.parent.name
    return stage not in ("unfinished", "scratch", "damaged") and file.is_file() and file.stat().st_size > 1


def one_run(
    folder: Path, faults: Sequence[str], machines: Machines, total: int, shared: str | None, draws: random.Random
) -> dict:
    """What became of a run that had these faults."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began, became = time.monotonic(), []
    run = Run(folder, shared, machines)
    for fault, moment in zip(faults, sorted(draws.randrange(total) for _ in faults), strict=True):
        while len(run.watched.names) < moment and not run.is_over():
            time.sleep(0.1)
        time.sleep(draws.uniform(0, 1.5))
        became.append((fault, "late" if run.is_over() else "in time" if hurt(fault, run, draws) else "nothing there"))
    while not run.is_over():
        time.sleep(0.1)
    run.watched.stop()
    wrong = differing(folder.parent / "whole", run.out) if run.process.exitcode == 0 else ["no result"]
    return {"faults": became, "codes": run.codes, "said": run.said, "made": len(run.watched.names)} | {
        "again": sorted(run.made_again()),
        "differing": wrong,
        "seconds": round(time.monotonic() - began),
    }


def _all_faults(seed: int) -> Iterator[str]:
    """Each equally often, in an order of chance."""
    for number in itertools.count():
        yield from random.Random(f"{seed}-faults-{number}").sample(FAULTS, len(FAULTS))


def _in_time(found: Sequence[Mapping]) -> Counter:
    return Counter(fault for one in found for fault, became in one["faults"] if became == "in time")


def main(wanted: int, each: int, seed: int, folder: Path, shared: str | None) -> None:
    """Do the runs that are left until there are the `wanted` faults, and print what became of all of them."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "RAY_raylet_start_wait_time_s": "300"}
    whole, file = folder / "whole", folder / "runs.jsonl"
    if not (whole / "results.json").exists():
        process = _begun(whole, "serial", UXLA_CACHE=str(folder / "whole-store"))
        process.join()
        assert process.exitcode == 0, (folder / "command.log").read_text()
    total = len(list((folder / "whole-store").glob("*/*/meta.json")))
    found = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    machines = Machines()
    machines.start()
    try:
        while sum(_in_time(found).values()) < wanted:
            number = len(found)
            prefix = None if shared is None else f"{shared.rstrip('/')}/run-{number}"
            faults = list(itertools.islice(_all_faults(seed), number * each, (number + 1) * each))
            draws = random.Random(f"{seed}-{number}")
            found.append(one_run(folder / "run", faults, machines, total, prefix, draws))
            with file.open("a") as stream:
                stream.write(json.dumps(found[-1]) + "\n")
            print(f"run {number + 1}: {json.dumps(found[-1])}", flush=True)
    finally:
        machines.stop()
    report(found)


def report(found: Sequence[Mapping]) -> None:
    """Print what became of all runs; the exit status says whether anything is wrong."""
    by_fault, codes = _in_time(found), Counter(code for one in found for code in one["codes"])
    again, wrong = (sorted({name for one in found for name in one[key]}) for key in ("again", "differing"))
    print(f"{sum(by_fault.values())} faults in {len(found)} runs: {json.dumps(dict(by_fault.most_common()))}")
    print(f"{sum(one['made'] for one in found)} artifacts, finished and made again: {len(again)}")
    print(f"files that differ from an undisturbed run in one process: {', '.join(wrong) or 'none'}")
    print(f"commands repeated: {sum(codes.values())}, by exit status {json.dumps(dict(codes.most_common()))}")
    if wrong or again or HUNG in codes:
        sys.exit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=6, help="so many in time in all")
    parser.add_argument("--each", type=int, default=6, help="so many in a run, some of which may come too late")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--s3", action="store_true", help="a store on a server of S3")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, bucket() if given.s3 else nullcontext() as shared:
        main(given.faults, given.each, given.seed, (given.folder or Path(place)).absolute(), shared)
