"""One training on two processes of the CPU against one: how long a step takes, and how far the two differ.

    python bench/shared_training.py [--short] [--json FILE]

CoNLL's English (or the testbed), 32 sentences a step, no dropout, fp32, one thread a process, by turns. A step is
measured from its loss to that of the next, so neither the start of a process nor the reading of a model counts. CPU
seconds are those of all ranks together; "most by CPU" is how many times as fast two free cores could be by them.
Seconds by the clock mean something only where each process has a core of its own.
"""

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
from common import arguments, table, write_json
from material import models, quiet, tagged
from safetensors.torch import load_file

from uxla import progress
from uxla.executors.devices import on_devices
from uxla.executors.executor import executing
from uxla.models.hub import resolve
from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.tasks import Tagging
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus, ModelHandle
from uxla.store.store import Store
from uxla.study.labelling import Labelling
from uxla.study.remembered import fitted

STEP = 32
SETTINGS = TrainingSettings(batch_size=STEP, learning_rate=1e-4, dropout=0.0)
HEADER = (
    "model, devices",
    "s a step",
    "CPU s a step",
    "times as fast",
    "most by CPU",
    "loss differs",
    "weights differ",
)
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Trained:
    """A training: seconds and CPU seconds a step, its losses and its weights."""

    seconds: float
    cpu: float
    losses: list[float]
    weights: dict[str, torch.Tensor]


def workers() -> list[int]:
    """The processes that do jobs: children of the one that forks them."""

    def children(pid: int) -> list[int]:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    return [worker for server in children(os.getpid()) for worker in children(server)]


def cpu_seconds() -> float:
    """Of all workers."""
    spent = 0
    for pid in workers():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        spent += int(fields[11]) + int(fields[12])
    return spent / _TICKS


def trained(backbone: ModelHandle, mix: Corpus, devices: int) -> Trained:
    losses, clocks = list[float](), list[tuple[float, float]]()

    def measured(label: str, values: dict[str, float]) -> None:
        losses.append(values["loss"])
        clocks.append((time.monotonic(), cpu_seconds()))

    with TemporaryDirectory() as folder, on_devices(["cpu"] * devices) as made:
        labelling = Labelling("ner", Tagging(), backbone, Runtime("cpu", 256, Budget(8192)), Store(Path(folder)))
        labelling = replace(labelling, devices_per_training=devices)
        jobs = [(labelling.learner(SETTINGS, "training"), backbone, mix, 0)]
        with executing(made), progress.measuring(measured):
            [model] = labelling.trainings(fitted, jobs)
        weights = weights_of(model.path)
    (began, cpu), (ended, cpu_then) = clocks[0], clocks[-1]
    return Trained((ended - began) / (len(clocks) - 1), (cpu_then - cpu) / (len(clocks) - 1), losses, weights)


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    """The encoder's weights by their names."""
    tensors = load_file(folder / "model.safetensors")
    return {name.removeprefix("roberta."): value for name, value in tensors.items()}


def distance(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> float:
    """Between the weights that both have."""
    return sum(float((second[name] - first[name]).square().sum()) for name in first.keys() & second.keys()) ** 0.5


def measure(folder: Path, mix: Corpus, count: int) -> dict[int, list[Trained]]:
    """The trainings by the number of devices, all of a round by turns."""
    found: dict[int, list[Trained]] = {1: [], 2: []}
    backbone = resolve(str(folder))
    for _ in range(count):
        for devices, done in found.items():
            done.append(trained(backbone, mix, devices))
    return found


def main() -> None:
    given = arguments(__doc__)
    torch.set_num_threads(1)
    quiet()
    steps, count = (6, 1) if given.short else (16, 3)
    mix, rows, figures = tagged(STEP * steps), [], {}
    with models() as folders:
        for name, folder in folders.items():
            found = measure(folder, mix, count)
            [one, two] = found[1][0], found[2][0]
            start = weights_of(folder)
            loss = max(abs(b / a - 1) for a, b in zip(one.losses, two.losses, strict=True))
            apart = distance(one.weights, two.weights) / distance(start, one.weights)
            faster = median(a.seconds / b.seconds for a, b in zip(found[1], found[2], strict=True))
            most = median(2 * a.cpu / b.cpu for a, b in zip(found[1], found[2], strict=True))
            for devices, done in found.items():
                own = (median(each.seconds for each in done), median(each.cpu for each in done))
                extra = (
                    ("", "", "", "")
                    if devices == 1
                    else (f"{faster:.2f}", f"{most:.2f}", f"{loss:.1e}", f"{apart:.1e}")
                )
                rows.append((f"{name}, {devices}", *(f"{value:.3f}" for value in own), *extra))
            figures[name] = {"times as fast": faster, "most by CPU": most, "loss": loss, "weights": apart}
    table(HEADER, rows)
    write_json(given.json, figures)


if __name__ == "__main__":
    main()
