"""Kill a run at random moments, start it again each time, and compare what it leaves with a run that nobody touched.

    python bench/kill.py [--kills 60] [--seed 0] [--folder DIR] [--s3]

With --s3 each start is on another machine: its own folder is empty, and what is finished stands in a bucket, on a
server on this machine.

Prints how many kills fell into which stage, how often finished work was done again (never), and whether every file of
the run folder but the journal and the clock's is the same, byte for byte. Hidden unfinished files that a kill left do
not count: another machine could be writing them, and so they stay for an hour.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import NamedTuple

from servers import bucket

SMALL = [
    "threads=1",
    "checkpoint_minutes=1e-4",
    "target=far",
    "methods=[zero_shot, penalty, tri_training, uxla, supervised]",
    *("testbed.train=160", "testbed.unlabelled=160", "testbed.dev=40", "testbed.test=120"),
    *("warmup.epochs=2", "adaptation.epochs=1", "warmup.selection=last", "adaptation.selection=average"),
    "adaptation.evaluate_every=3",
]
SHARDS = {"_LABELLED_TOGETHER": 50, "_GENERATED_TOGETHER": 40}
"""Small parts, so that a small run has many of them."""

CLOCKS = {"journal.jsonl", "environment.json"}
"""Files of a run folder that tell when and where, and so differ between any two runs."""


class Outcome(NamedTuple):
    """What became of one run that was killed again and again."""

    kills: Counter
    """By what was under way."""
    done_again: int
    """Artifacts that were finished and yet made a second time."""
    differing: list
    """Files of the run folder that differ from the undisturbed run's."""


def start(out: Path, store: Path, overrides: list[str], shared: str = "") -> multiprocessing.Process:
    """The run in a process of its own; torch is imported once for all of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["uxla.api", "uxla.testbed.world"])
    process = context.Process(target=_run, args=(out, store, overrides, shared))
    process.start()
    return process


def _run(out: Path, store: Path, overrides: list[str], shared: str) -> None:
    os.environ |= {"UXLA_CACHE": str(store), "UXLA_STORE": shared}
    from uxla import api
    from uxla.config.run import load_config
    from uxla.study import remembered as learner

    for name, size in SHARDS.items():
        setattr(learner, name, size)
    api.run(load_config("testbed", overrides), out)


def undisturbed(folder: Path, overrides: list[str]) -> float:
    """A whole run under `folder`; how many seconds it took."""
    began = time.monotonic()
    process = start(folder / "whole", folder / "whole-store", overrides)
    process.join()
    assert process.exitcode == 0, "the undisturbed run failed"
    return time.monotonic() - began


def disturbed(
    folder: Path, overrides: list[str], *, seconds: float, kills: int, seed: int, shared: str = ""
) -> Outcome:
    """The same run with its own store, killed about `kills` times; with a `shared` one each time on a new machine.

    Three times in four the kill comes a random while after something new stands in the store, so that the run gets on;
    else a random while after the start.
    """
    draws, fell = random.Random(seed), Counter()
    out, store = folder / "killed", folder / "killed-store"
    while True:
        if shared:
            shutil.rmtree(store, ignore_errors=True)
        process = start(out, store, overrides, shared)
        before, waits = _saved(store, shared), draws.random() < 0.75
        while waits and process.exitcode is None and _saved(store, shared) <= before:
            process.join(0.5 if shared else 0.01)
        process.join(draws.uniform(0, 1.2 * seconds / kills))
        if process.exitcode is not None:
            assert process.exitcode == 0, f"exit {process.exitcode}"
            break
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        fell[_under_way(store)] += 1
        assert fell.total() < 20 * kills, f"after {fell.total()} kills the run is not done"
    return Outcome(fell, _done_again(out), differing(folder / "whole", out))


def _saved(store: Path, shared: str) -> set[tuple[str, float]]:
    """What would not be lost now: artifacts, and checkpoints with the time they were written.

    An artifact that is read is touched, and so its time says nothing.
    """
    if shared:
        from uxla.store.shared import SharedStore

        return {(one.path, one.written) for one in SharedStore.at(shared).remote.files("records")}
    found = {(str(path), 0.0) for path in store.glob("*/*/meta.json")}
    for path in store.glob("scratch/*/*.safetensors"):
        with suppress(FileNotFoundError):  # it is gone by now
            found.add((str(path), path.stat().st_mtime))
    return found


def _under_way(store: Path) -> str:
    """The stage whose unfinished folder the kill left."""
    left = sorted((store / "unfinished").glob("*")) if store.is_dir() else []
    return left[0].name.split("-")[0] if left else "between stages"


def _done_again(out: Path) -> int:
    from uxla.store.journal import read

    stages = [event for event in read(out / "journal.jsonl") if event["event"] == "stage"]
    made = Counter((event["stage"], event["key"]) for event in stages if not event["hit"])
    return sum(count - 1 for count in made.values())


def differing(whole: Path, other: Path) -> list[str]:
    """Files of two run folders that are not the same bytes."""

    def files(folder: Path) -> dict[str, bytes]:
        paths = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
        whole = {name: path for name, path in paths.items() if not any(map(_left_unfinished, name.parts))}
        return {str(name): path.read_bytes() for name, path in whole.items() if name.name not in CLOCKS}

    a, b = files(whole), files(other)
    assert "results.json" in a
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def _left_unfinished(name: str) -> bool:
    return name.startswith(".") and name.endswith(".unfinished")


def main(kills: int, seed: int, folder: Path, shared: str) -> None:
    seconds = undisturbed(folder, SMALL)
    print(f"undisturbed: {seconds:.0f} s", flush=True)
    outcome = disturbed(folder, SMALL, seconds=seconds, kills=kills, seed=seed, shared=shared)
    print(f"killed {sum(outcome.kills.values())} times: {json.dumps(dict(outcome.kills.most_common()))}")
    print(f"finished work done again: {outcome.done_again}")
    print(f"files that differ: {', '.join(outcome.differing) or 'none'}")
    if outcome.done_again or outcome.differing:
        sys.exit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--s3", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as place, bucket() if given.s3 else nullcontext("") as url:
        main(given.kills, given.seed, Path(place), url)
