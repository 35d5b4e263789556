"""What a run will do and take: trainings, steps, hours on this device, memory, disk, downloads."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from safetensors import safe_open

from uxla.algorithm.agreement import AGREEMENTS
from uxla.algorithm.distil import CleanCluster, MostConfident
from uxla.events import Event, TrainingEnded, unheard
from uxla.methods.registry import METHODS
from uxla.models.model_safety import weight_files
from uxla.plan.counting import CountingStore, Kind, Work
from uxla.plan.probe import Probe, probe
from uxla.records import ModelHandle
from uxla.store.store import Store
from uxla.study.arguments import Request
from uxla.study.executors import Serial
from uxla.study.pipeline import Models, asks_vicinity, carry_out, study_of, train

_STAGES: Mapping[Kind, str] = {"training": "fit", "labelling": "predict", "samples": "vicinity", "masked LM": "mlm"}
"""The stage of the store that has each kind of work."""


@dataclass(frozen=True)
class Plan:
    """The work of a run that is not in the store yet, and what it takes. Sizes are in bytes."""

    work: tuple[Work, ...]
    found: Mapping[str, int]
    """How many pieces of work are in the store already, by stage."""
    model: int
    """One trained model."""
    run_folder: int
    downloads: Mapping[str, int | None]
    """What is fetched from the Hub, and how large it is, where that is known."""
    probe: Probe | None = None
    beside: float = 0.0
    """Seconds that the run takes beside this work: as long as it took to read the data and to make this plan."""

    def of(self, kind: Kind) -> list[Work]:
        """The work of one kind."""
        return [one for one in self.work if one.kind == kind]

    @property
    def trainings(self) -> int:
        """How many models will be trained."""
        return len(self.of("training"))

    @property
    def store(self) -> int:
        """What the work adds to the store."""
        return sum(one.size for one in self.work)

    @property
    def seconds(self) -> float | None:
        """How long the run takes on this device; None without a probe."""
        if self.probe is None:
            return None
        return self.beside + sum(map(self.probe.seconds, self.work))

    def as_dict(self) -> dict[str, Any]:
        """The plan as JSON values."""
        kinds = {kind: self.of(kind) for kind in _STAGES}
        work = {
            kind: {
                "to_do": len(works),
                "in_store": self.found.get(_STAGES[kind], 0),
                "steps": sum(one.steps for one in works),
                "sentences": sum(one.examples for one in works),
                "seconds": None if self.probe is None else round(sum(map(self.probe.seconds, works)), 1),
            }
            for kind, works in kinds.items()
        }
        disk = {"store": self.store, "run_folder": self.run_folder, "model": self.model}
        seconds, memory = self.seconds, None if self.probe is None else self.probe.memory
        return {"work": work, "seconds": seconds, "memory": memory, "disk": disk, "downloads": dict(self.downloads)}


def plan(
    request: Request, models: Models, own: Store, *, probed: bool, downloads: Mapping[str, int | None], began: float
) -> Plan:
    """What the run that is asked for will do. With `probed` a minute of work tells how fast this device is.

    The run's own code is carried out, with a store that counts what it is asked for. What depends on results, as the
    number of sentences on which peers agree, is assumed (`counting.AGREE`, `counting.NEW`). `own` is the run's store;
    `began` is when its data began to be read.
    """
    trainings = list[dict[str, Any]]()

    def listen(event: Event) -> None:
        if isinstance(event, TrainingEnded):
            trainings.append(event.facts)

    with TemporaryDirectory(prefix="uxla-plan-") as folder:
        model = _model_bytes(models.backbone, downloads)
        store = CountingStore(own.root, listen, own.fresh, own.seen, imitations=Path(folder), model_bytes=model)
        study = study_of(request, models, store, Serial())
        carry_out(study, request, trainings)
    measured, beside = None, time.monotonic() - began
    if probed and not downloads:
        measured = probe(study, generates=asks_vicinity(request.methods, request.uxla))
    found = Counter(store.found.values())
    run_folder = len(request.inputs.targets) * 4 * (model + _tokenizer_bytes(models.backbone))
    return Plan(tuple(store.work), found, model, run_folder, downloads, measured, beside)


def trainings(request: Request, models: Models, own: Store) -> int | None:
    """How many trainings a run has that are not in its store; None where parts of other packages take part, which are
    not to be called for a count."""
    selects = [epoch.select for epoch in request.uxla.epochs]
    known = all(isinstance(one, MostConfident | CleanCluster) for one in selects)
    known &= type(request.uxla.agreement) in AGREEMENTS.values() and request.around is None
    if not known or not all(method.name in METHODS for method in request.methods):
        return None
    with TemporaryDirectory(prefix="uxla-plan-") as folder:
        store = CountingStore(own.root, unheard, own.fresh, own.seen, imitations=Path(folder))
        train(study_of(request, models, store, Serial()), request.methods)
    return sum(work.kind == "training" for work in store.work)


def _model_bytes(backbone: ModelHandle, downloads: Mapping[str, int | None]) -> int:
    """A trained model's weights, in float32: those of the backbone without its layer of a language model."""
    if not backbone.path.is_dir():
        return sum(size or 0 for size in downloads.values())
    total = 0
    for file in weight_files(backbone.path):
        total += sum(_tensor_bytes(file)) if file.suffix == ".safetensors" else file.stat().st_size
    return total


def _tensor_bytes(file: Path) -> Iterable[int]:
    with safe_open(file, framework="np") as tensors:
        for name in tensors.keys():  # noqa: SIM118 (it is no mapping)
            if not name.startswith(("lm_head", "cls.")):
                yield 4 * math.prod(tensors.get_slice(name).get_shape())


def _tokenizer_bytes(backbone: ModelHandle) -> int:
    """The tokenizer and the configuration that stand beside each model of a run folder."""
    files = [*backbone.path.glob("*.json"), *backbone.path.glob("*.model")]
    return sum(file.stat().st_size for file in files)
