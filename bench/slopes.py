"""What a large corpus costs beside its models: bytes, artifacts and CPU seconds a row at 10^4, 10^5, … rows, and what a
task of a cluster costs with 1, 2, 4 and 8 workers; then the arithmetic for a corpus of any size.

    python bench/slopes.py [--rows 1000000] [--folder DIR] [--cluster] [--to 1000000000] [--runs 500]
        [--rate 1000000] [--model 1.11] [--gpu 4.54] [--disk 0.023] [--put 0.005] [--get 0.0004]

Models are faked as in bench/scale.py: labels are drawn, samples are in upper case. The slopes are of the step
between the two largest sizes. `--rate` is what a GPU does in an hour, of samples and of labels: `python bench/gpu.py`
measures it for your model. `--runs` of one GPU hour make as many models and artifacts as the demo, all of which stay in
a shared store; `--model` is the size of one in GB (XLM-R base: 278 million numbers of four bytes). The prices are
dollars for an hour of a GPU, for a GB on an object store for a month, and for a thousand requests that write or read.
`--cluster` adds tasks that do nothing (needs Ray); more workers than CPUs show what they cost the command.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from common import table
from scale import LABELS, PEERS, FakedLearner, UpperCase, write

from uxla import api
from uxla.algorithm.vicinity import Vicinity
from uxla.config.run import load_config
from uxla.data.load import load_corpus
from uxla.models.runtime import Runtime
from uxla.models.tasks import SentenceTask
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus
from uxla.store.store import Store
from uxla.study.remembered import StoredVicinity

MODELS = 4
"""Those that label the whole corpus: three of an epoch, and what they began with."""
_REQUESTS = 2
"""That a new artifact of one file writes, and that it reads: the file and its record; two looks for the record."""
STAGES = ("vicinity", "predict")
_COLUMNS = ("GPU hours", "dollars", "GB", "dollars a month", "artifacts", "dollars for requests")
_TRAINING = TrainingSettings(batch_size=1, learning_rate=1e-5, lr_warmup=0)


def measured(rows: int, folder: Path) -> dict[str, tuple[float, int, int]]:
    """By stage CPU seconds, bytes and artifacts of so many rows, for one sample a row and one model; and of a second
    look, at which all is found."""
    write(folder / "rows.tsv", rows)
    corpus = load_corpus(folder / "rows.tsv", name="rows", lang="xx", label_names=LABELS, labelled=True, shape="pair")
    target, root = corpus.unlabelled().renamed("target"), folder / "store"
    seconds = {name: _timed(partial(_work(root)[name], target)) for name in STAGES}
    found = {f"{name}, found": (_timed(partial(_work(root)[name], target)), 0, 0) for name in STAGES}
    return {name: (seconds[name], *_on_disk(root / name)) for name in STAGES} | found


def _work(root: Path) -> dict[str, Callable[[Corpus], object]]:
    """What makes the artifacts of each stage, or finds them, as a new command does."""
    store = Store(root)
    learner = FakedLearner("nli", SentenceTask(2), PEERS[0], _TRAINING, Runtime(), store, "bench")
    vicinity = StoredVicinity(lambda: Vicinity(UpperCase(), 0.3, (1, 1), seed=0), {}, store)
    return {"vicinity": partial(vicinity, epoch=1), "predict": partial(learner.predict, PEERS[0])}


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _on_disk(stage: Path) -> tuple[int, int]:
    files = [file for file in stage.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files), len(list(stage.iterdir()))


def slopes(sizes: list[int], place: Path) -> dict[str, tuple[float, float, float]]:
    """By stage seconds, bytes and artifacts a million rows, between the two largest sizes; printed for all sizes."""
    found = {}
    for rows in sizes:
        with tempfile.TemporaryDirectory(dir=place) as folder:
            found[rows] = measured(rows, Path(folder))
    a_million = {
        rows: {name: tuple(value * 1e6 / rows for value in values) for name, values in by_stage.items()}
        for rows, by_stage in found.items()
    }
    header = ["CPU seconds, MB, artifacts a million rows", *(f"{rows:,} rows" for rows in sizes)]
    cells = {name: [_cell(a_million[rows][name]) for rows in sizes] for name in a_million[sizes[0]]}
    table(header, [[name, *values] for name, values in cells.items()])
    small, large = sizes[-2:]
    return {
        name: tuple(
            (b - a) * 1e6 / (large - small) for a, b in zip(found[small][name], found[large][name], strict=True)
        )
        for name in found[large]
    }


def _cell(values: tuple[float, ...]) -> str:
    seconds, size, artifacts = values
    return f"{seconds:.1f} s, {size / 1e6:.1f} MB, {artifacts:.0f}"


def arithmetic(slope: dict[str, tuple[float, float, float]], given: argparse.Namespace) -> None:
    """The hours, the money, the disk and the requests of a corpus, and of many runs."""
    rows = []
    for name, models in (("vicinity", 1), ("predict", MODELS)):
        millions = given.to * models / 1e6
        seconds, size, artifacts = (value * millions for value in slope[name])
        looked = slope[f"{name}, found"][0] * millions
        amounts = _amounts(given, given.to * models / given.rate, size / 1e9, artifacts)
        rows.append([f"{name}, {models} model{'s' * (models > 1)}", *amounts, *_hours(seconds, looked)])
    print(f"\n{given.to:,.0f} rows at {given.rate:,.0f} an hour and GPU:\n")
    table(["", *_COLUMNS, "CPU hours", "CPU hours to find all"], rows)
    work = api.plan(load_config("testbed"), probed=False).as_dict()["work"]
    made = {kind: one["to_do"] + one["in_store"] for kind, one in work.items()}
    models, artifacts = made["training"], sum(made.values())
    print(f"\nRuns of one GPU hour, each with {models} models of {given.model:g} GB among {artifacts} artifacts:\n")
    amounts = _amounts(given, given.runs, given.runs * models * given.model, given.runs * artifacts)
    table(["", *_COLUMNS], [[f"{given.runs} runs", *amounts]])


def _amounts(given: argparse.Namespace, hours: float, gb: float, artifacts: float) -> list[str]:
    """The columns, with what each amount costs."""
    requests = _REQUESTS * artifacts / 1e3 * (given.put + given.get)
    amounts = (hours, hours * given.gpu, gb, gb * given.disk, artifacts, requests)
    return [f"{amount:,.0f}" for amount in amounts]


def _hours(*seconds: float) -> list[str]:
    return [f"{value / 3600:,.1f}" for value in seconds]


def tasks(workers: Sequence[int] = (1, 2, 4, 8), counts: Sequence[int] = (400, 4000)) -> None:
    """What a task that does nothing costs the command, in milliseconds, by the number of workers and of tasks."""
    import ray

    from uxla.devices import Placement
    from uxla.executors.choice import running

    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "RAY_raylet_start_wait_time_s": "300"}
    cells: dict[int, list[str]] = {count: [] for count in counts}
    for number in workers:
        ray.init("local", num_cpus=number, include_dashboard=False, object_store_memory=80 * 2**20, log_to_driver=False)
        with running("ray", Placement("cpu")) as executor:
            deque(executor.map(len, ["x"] * number * 4), maxlen=0)  # the workers have begun
            for count in counts:
                began, cpu = time.monotonic(), time.process_time()
                deque(executor.map(len, ["x"] * count), maxlen=0)
                seconds, cpu = time.monotonic() - began, time.process_time() - cpu
                cells[count].append(f"{seconds * 1e3 / count:.1f} ({cpu * 1e3 / count:.1f})")
        ray.shutdown()
    print("\nMilliseconds for a task that does nothing, and in brackets the CPU time of the command:\n")
    header = ["tasks at once", *(f"{number} worker{'s' * (number > 1)}" for number in workers)]
    table(header, [[f"{count:,}", *values] for count, values in cells.items()])


def main() -> None:
    """Print the slopes, and what follows from them."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000, help="the largest size, a power of ten from 10^5 up")
    options.add_argument("--folder", type=Path, default=None)
    options.add_argument("--cluster", action="store_true")
    options.add_argument("--runs", type=int, default=500)
    numbers = {"to": 1e9, "rate": 1e6, "model": 1.11, "gpu": 4.54, "disk": 0.023, "put": 0.005, "get": 0.0004}
    for name, value in numbers.items():
        options.add_argument(f"--{name}", type=float, default=value)
    given = options.parse_args()
    if given.rows < 10**5:
        sys.exit("--rows: expected 100000 or more")
    sizes = [10**power for power in range(4, len(str(given.rows)))]
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        arithmetic(slopes(sizes, Path(place)), given)
    if given.cluster:
        tasks()


if __name__ == "__main__":
    main()
