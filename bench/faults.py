"""A run on a Ray cluster of three simulated machines, hurt at a random moment in each round, and compared with a run in
one process that nobody touched.

    python bench/faults.py [--rounds 6] [--seed 0] [--folder DIR] [--s3]

Each round has one fault, in turn: the process of a task is killed, a machine is killed (another one joins), the command
is killed, the head is killed (and a new cluster started), a process can write no file over 64 kB any longer, as on a
full disk, or the command is killed and a finished file of the store is cut in half. The moment is some time after a
random artifact was finished. A command that ended is repeated until it ends well. With `--folder` rounds are kept
there, and the same command goes on. With `--s3` the store is on a server of S3 on this machine, and the local one is
emptied when the command or the head is killed. Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from kill import differing, undisturbed
from servers import bucket
from together import TINY

from uxla.store.journal import read

MACHINES = 3
FAULTS = ("task", "machine", "command", "head", "disk", "torn")
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
MOST_STARTS = 8


class Machines:
    """A cluster of three machines with one CPU each; `start` again after the head was killed."""

    def start(self) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(initialize_head=True, head_node_args=NODE | {"include_dashboard": False})
        self.folder = Path(self.cluster.head_node.get_session_dir_path())
        for _ in range(MACHINES - 1):
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
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def look(self) -> int:
        """How many artifacts are finished."""
        for file in self.store.glob("*/*/meta.json"):
            with suppress(OSError):
                name, number = _name(file), file.stat().st_ino
                if file.parent.parent.name != "unfinished" and self.numbers.setdefault(name, number) != number:
                    self.again.add(name)
                    self.numbers[name] = number
        return len(self.numbers)

    def _watch(self) -> None:
        while not self.ended.wait(0.05):
            self.look()


def started(out: Path, store: Path, shared: str | None, address: str) -> subprocess.Popen[bytes]:
    """The command, in a session of its own."""
    code = "from uxla.cli.app import main; main()"
    command = [sys.executable, "-c", code, "run", "testbed", *TINY, "checkpoint_minutes=1e-4", "--out", str(out)]
    around = os.environ | {"UXLA_CACHE": str(store), "RAY_ADDRESS": address}
    around |= {} if shared is None else {"UXLA_STORE": shared}
    log = (out.parent / "command.log").open("ab")
    with log:
        return subprocess.Popen(
            [*command, "--executor", "ray", "-q"], env=around, stdout=log, stderr=log, start_new_session=True
        )


def hurt(fault: str, machines: Machines, command: subprocess.Popen[bytes], store: Path, draws: random.Random) -> str:
    """Do what the fault is; the artifact that was cut, or what there was nothing to do to."""
    if fault == "machine":
        machines.kill_one(draws)
    elif fault == "head":
        machines.kill_head()
    elif fault in ("task", "disk"):
        tasks, until = machines.tasks(), time.monotonic() + 60
        while not tasks and command.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
            tasks = machines.tasks()
        if not tasks:
            return "no task"
        with suppress(ProcessLookupError):
            if fault == "task":
                os.kill(draws.choice(tasks), signal.SIGKILL)
            else:
                resource.prlimit(draws.choice(tasks), resource.RLIMIT_FSIZE, (2**16, resource.RLIM_INFINITY))
    else:
        with suppress(ProcessLookupError):
            os.kill(command.pid, signal.SIGKILL)
        command.wait()
    return _torn(store, draws) if fault == "torn" else ""


def _torn(store: Path, draws: random.Random) -> str:
    files = [file for file in sorted(store.glob("*/*/*")) if _is_finished(file)]
    if not files:
        return "no file"
    file = draws.choice(files)
    os.truncate(file, file.stat().st_size // 2)
    return _name(file)


def _name(file: Path) -> str:
    """What the journal calls the artifact that a file belongs to."""
    return f"{file.parent.parent.name}-{file.parent.name[:16]}"


def _is_finished(file: Path) -> bool:
    stage = file.parent.parent.name
    return stage not in ("unfinished", "scratch", "damaged") and file.is_file() and file.stat().st_size > 1


def one_round(
    folder: Path, fault: str, machines: Machines, total: int, shared: str | None, draws: random.Random
) -> dict:
    """What became of a run that had one fault."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    out, store = folder / "out", folder / "store"
    moment, after = draws.randrange(total), draws.uniform(0, 1.5)
    watched = Watched(store)
    command, starts, done = started(out, store, shared, machines.cluster.address), 1, ""
    while watched.look() < moment and command.poll() is None:
        time.sleep(0.05)
    time.sleep(after)
    late = command.poll() is not None
    if not late:
        done = hurt(fault, machines, command, store, draws)
    if shared is not None and fault in ("command", "head"):
        command.kill()
        command.wait()
        shutil.rmtree(store, ignore_errors=True)
    codes, said = list[int](), list[str]()
    while (code := _ended(command, fault)) != 0:
        codes.append(code)
        said.append((out.parent / "command.log").read_text(errors="replace").rstrip().rpartition("\n")[2][:300])
        if starts == MOST_STARTS:
            break
        command, starts = started(out, store, shared, machines.cluster.address), starts + 1
    watched.ended.set()
    watched.look()
    stages = [event for event in read(out / "journal.jsonl") if event["event"] == "stage" and not event["hit"]]
    made = Counter(f"{event['stage']}-{event['key']}" for event in stages)
    twice = {name for name, count in made.items() if count > 1}
    again = (twice | (watched.again if shared is None else set())) - {done}  # but what was cut
    wrong = differing(folder.parent / "whole", out) if code == 0 else ["no result"]
    return {"fault": fault, "late": late, "done": done, "codes": codes, "said": said, "made": len(made)} | {
        "again": sorted(again),
        "differing": wrong,
    }


def _ended(command: subprocess.Popen[bytes], fault: str) -> int:
    """The command's exit status. One that waits for a head that is gone is ended."""
    try:
        return command.wait(600)
    except subprocess.TimeoutExpired:
        os.kill(command.pid, signal.SIGKILL)
        command.wait()
        return -999 if fault == "head" else -1000


@contextmanager
def rounds_in(folder: Path) -> Iterator[tuple[list[dict], Path]]:
    """The rounds that were done, and the file that they are added to."""
    file = folder / "rounds.jsonl"
    yield [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else [], file


def main(rounds: int, seed: int, folder: Path, shared: str | None) -> None:
    """Do the rounds that are left and print what became of all of them."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "RAY_raylet_start_wait_time_s": "300"}
    if not (folder / "whole" / "results.json").exists():
        undisturbed(folder, [*TINY, "checkpoint_minutes=1e-4"])
    total = len(list((folder / "whole-store").glob("*/*/meta.json")))
    machines = Machines()
    machines.start()
    try:
        with rounds_in(folder) as (found, file):
            for number in range(len(found), rounds):
                draws = random.Random(f"{seed}-{number}")
                prefix = None if shared is None else f"{shared.rstrip('/')}/round-{number}"
                fault = FAULTS[number % len(FAULTS)]
                found.append(one_round(folder / "round", fault, machines, total, prefix, draws))
                with file.open("a") as stream:
                    stream.write(json.dumps(found[-1]) + "\n")
                print(f"round {number + 1}: {json.dumps(found[-1])}", flush=True)
    finally:
        machines.stop()
    hurt_by = Counter(one["fault"] for one in found if not one["late"] and not one["done"].startswith("no "))
    print(f"{len(found)} rounds, {sum(hurt_by.values())} of them with a fault in time: {json.dumps(dict(hurt_by))}")
    print(f"{sum(one['made'] for one in found)} artifacts, {sum(len(one['again']) for one in found)} made twice")
    wrong = sorted({name for one in found for name in one["differing"]})
    print(f"files that differ from an undisturbed run in one process: {', '.join(wrong) or 'none'}")
    print(f"commands repeated: {sum(len(one['codes']) for one in found)}")
    if wrong or any(one["again"] for one in found):
        sys.exit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--s3", action="store_true", help="a store on a server of S3")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, bucket() if given.s3 else nullcontext() as shared:
        main(given.rounds, given.seed, (given.folder or Path(place)).absolute(), shared)
