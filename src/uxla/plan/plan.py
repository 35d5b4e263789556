"""What a run will do and take: trainings, steps, hours on this device, memory, disk, downloads."""

from __future__ import annotations

import math
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.filesize import decimal

from uxla.algorithm.agreement import AGREEMENTS
from uxla.algorithm.distil import CleanCluster, MostConfident
from uxla.errors import WriteError, in_python
from uxla.events import Event, TrainingEnded
from uxla.methods.registry import METHODS
from uxla.metrics import Score
from uxla.models.model_safety import ModelSafety, tensor_shapes, weight_files
from uxla.plan.counting import CountingStore, Kind, Work
from uxla.plan.probe import OfGpu, Probe, probe
from uxla.records import Corpus, ModelHandle, Predictions
from uxla.store.store import Store
from uxla.study.arguments import Request
from uxla.study.labelling import Labelling
from uxla.study.pipeline import Models, asks_vicinity, carry_out, study_of
from uxla.study.study import Study

_STAGES: Mapping[Kind, str] = {"training": "fit", "labelling": "predict", "samples": "vicinity", "masked LM": "mlm"}
"""The stage of the store that has each kind of work."""

_LM_HEADS = ("lm_head", "cls.", "lm_predictions.", "mask_predictions.")
"""How the names of tensors begin that only a language model has."""

_MODELS = 4
"""In a run folder for each target: three, and their mean."""


@dataclass(frozen=True)
class Plan:
    """The work of a run that is not in the store yet, and what it takes. Sizes are in bytes."""

    work: tuple[Work, ...]
    found: Mapping[str, int]
    """How many pieces of work are in the store already, by stage."""
    model: int
    """One trained model."""
    peak: int
    """The most that the work needs on the store's disk at once, beyond what is there now."""
    store: int
    """What it needs there when it is done."""
    checkpoint: int
    """What a training that takes long needs beside that for its checkpoint, while a new one takes its place."""
    run_folder: int
    """What the run folder needs where its models are links to the store's, that is on the same disk."""
    downloads: Mapping[str, int | None]
    """What is fetched from the Hub, and how large it is, where that is known."""
    probe: Probe | None = None
    of_gpu: OfGpu | None = None
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
    def seconds(self) -> float | None:
        """How long the run takes on this device; None without a probe."""
        return self._seconds(self.probe)

    def _seconds(self, probe: Probe | None) -> float | None:
        return None if probe is None else self.beside + sum(map(probe.seconds, self.work))

    @property
    def operations(self) -> float | None:
        """Floating-point operations of the run, on any device; None without a probe."""
        return None if self.probe is None else sum(map(self.probe.operations, self.work))

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
        names = ("peak", "checkpoint", "store", "run_folder", "model")
        disk = {name: getattr(self, name) for name in names}
        seconds, memory = self.seconds, None if self.probe is None else self.probe.memory
        found = {"work": work, "seconds": seconds, "memory": memory, "disk": disk, "downloads": dict(self.downloads)}
        found |= {} if self.of_gpu is None else {"gpu_memory": self.of_gpu.memory, "gpu_tokens": self.of_gpu.tokens}
        if self.probe is None:
            return found
        probed = self.probe
        more = {"precision": probed.precision, "idle_cores": probed.idle}
        return found | more | {"bf16_seconds": self._seconds(probed.in_bf16), "operations": self.operations}


def plan(
    request: Request, models: Models, own: Store, *, probed: bool, downloads: Mapping[str, int | None], began: float
) -> Plan:
    """What the run that is asked for will do. With `probed` a minute of work tells how fast this device is.

    The run's own code is carried out, with a store that counts what it is asked for. What depends on results, as the
    number of sentences on which peers agree, is assumed (`counting.AGREE`, `counting.NEW`). `own` is the run's store;
    `began` is when its data began to be read.
    """
    study, found = _planned(request, models, own, downloads, began)
    if downloads:
        return found
    measured = probe(study, generates=asks_vicinity(request.methods, request.uxla)) if probed else None
    return replace(found, probe=measured, of_gpu=OfGpu.training(study))


def _planned(
    request: Request, models: Models, own: Store, downloads: Mapping[str, int | None], began: float
) -> tuple[Study, Plan]:
    """The study and its plan, as far as no model is looked into for it."""
    model_bytes = _model_bytes(models.backbone, downloads, request.config.safety)
    study, store = _counted(request, models, own, model_bytes)
    disk, model = store.disk, store.model_bytes
    at_once = len(request.config.placement.slots) // request.config.devices_per_training
    jobs = min(at_once, sum(one.kind == "training" for one in store.work))
    return study, Plan(
        tuple(store.work),
        found=Counter(store.found.values()),
        model=model,
        peak=max(disk) + max(jobs - 1, 0) * model,
        store=disk[-1],
        checkpoint=2 * _in_checkpoint(request) * model * jobs,
        run_folder=len(request.inputs.targets) * _MODELS * _tokenizer_bytes(models.backbone),
        downloads=downloads,
        beside=time.monotonic() - began,
    )


def foreseen(request: Request, models: Models, own: Store) -> Plan | None:
    """The plan without hours; None where parts of other packages take part, which are not to be called for it.

    The store is told which weights that are gone will be needed, so that they are made again when their turn comes.
    """
    selects = [epoch.select for epoch in request.uxla.epochs]
    known = all(isinstance(one, MostConfident | CleanCluster) for one in selects)
    known &= type(request.uxla.agreement) in AGREEMENTS.values() and request.around is None
    if not known or not all(method.name in METHODS for method in request.methods):
        return None
    return _planned(request, models, own, {}, time.monotonic())[1]


def check_room(planned: Plan, root: Path) -> None:
    """WriteError where the disk of the store `root` has no room for a run. What an interrupted training of it left is
    room for the next checkpoint."""
    place = next(folder for folder in (root, *root.absolute().parents) if folder.is_dir())
    left = sum(file.stat().st_size for file in (root / "scratch").rglob("*") if file.is_file())
    need, free = planned.peak + planned.checkpoint, shutil.disk_usage(place).free + min(left, planned.checkpoint)
    if need > free:
        own = decimal(planned.checkpoint)
        found = f"the run needs {decimal(need)} there at once, {own} of it for the checkpoint of a training"
        less = "free space (`uxla cache gc --max-size 5GB`), keep fewer weights (keep_weights), or "
        other = "give another `store`" if in_python() else "set UXLA_CACHE to a folder on another disk"
        raise WriteError(root, f"{found}, and {decimal(free)} are free", less + other)


def _counted(request: Request, models: Models, own: Store, model_bytes: int) -> tuple[Study, CountingStore]:
    """The run carried out with a store that counts: once more where weights that are gone turn out to be needed."""
    trainings = list[dict[str, Any]]()

    def listen(event: Event) -> None:
        if isinstance(event, TrainingEnded):
            trainings.append(event.facts)

    while True:
        needed = len(own.seen.needed)
        trainings.clear()
        with TemporaryDirectory(prefix="uxla-plan-") as folder:
            given = own.root, listen, own.fresh, own.seen, own.shared
            store = CountingStore(*given, imitations=Path(folder), model_bytes=model_bytes)
            study = study_of(request, models, store)
            study = replace(study, labelling=_Unscored(**vars(study.labelling)))
            carry_out(study, request, trainings)
        if len(own.seen.needed) == needed:
            return study, store


class _Unscored(Labelling):
    """Imitated labels are right by chance, and to find out how often takes a while."""

    def scored(self, tables: Sequence[Predictions], corpus: Corpus) -> dict[str, Any]:
        """Nothing is right."""
        return Score.of([0.0] * len(tables)).as_dict()


def _in_checkpoint(request: Request) -> int:
    """How many times a model's size a checkpoint is: weights, two moments of each and, where a score or a mean chooses
    among the steps, the chosen weights."""
    trainings = (request.uxla.warm_up, request.uxla.adaptation)
    return 3 + any(training is not None and training.selection != "last" for training in trainings)


def _model_bytes(backbone: ModelHandle, downloads: Mapping[str, int | None], safety: ModelSafety) -> int:
    """A trained model's weights, in float32: those of the backbone without its layer of a language model."""
    if not backbone.path.is_dir():
        return sum(size or 0 for size in downloads.values())
    files = weight_files(backbone.path, safety)
    if files[0].suffix != ".safetensors":
        return sum(file.stat().st_size for file in files)
    shapes = tensor_shapes(backbone.path, safety)
    return 4 * sum(math.prod(shape) for name, shape in shapes.items() if not name.startswith(_LM_HEADS))


def _tokenizer_bytes(backbone: ModelHandle) -> int:
    """The tokenizer and the configuration that stand beside each model of a run folder."""
    files = [*backbone.path.glob("*.json"), *backbone.path.glob("*.model")]
    return sum(file.stat().st_size for file in files)
